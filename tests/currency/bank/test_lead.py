"""When the bank can carry out a file: lead time and hour of cut-off by the charter, on days on which banks work."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from ledger.currency.bank.lead import debits_by, debits_from, first_day, last_day, payouts_from
from ledger.currency.bank.mandates import collecting, notices
from ledger.currency.bank.pain import NOT_PROVIDED
from ledger.currency.bank.pain_read import read_transfers
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.target import is_open
from ledger.currency.charter import Agents, BankRules, MandateRules
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import sign as sign_mandate
from tests.currency.bank.monthly import until
from tests.currency.bank.paying import Town3, accept, settle
from tests.currency.bank.payout_lines import refusal
from tests.currency.bank.scene import opened
from tests.currency.bank.schemas import valid
from tests.towns import BANK

FRIDAY, SUNDAY, MONDAY, TUESDAY = (date(2026, 11, day) for day in (27, 29, 30, 24))
NOON, FOUR = time(12), time(16)


@pytest.mark.parametrize(
    ("today", "now", "lead", "cutoff", "first"),
    [
        (TUESDAY, NOON, 0, None, TUESDAY), (TUESDAY, NOON, 0, FOUR, TUESDAY),
        (TUESDAY, time(15, 59), 1, FOUR, date(2026, 11, 25)), (TUESDAY, FOUR, 1, FOUR, date(2026, 11, 26)),
        (TUESDAY, FOUR, 0, FOUR, date(2026, 11, 25)), (FRIDAY, NOON, 1, FOUR, MONDAY),
        (FRIDAY, FOUR, 0, FOUR, MONDAY), (FRIDAY, FOUR, 1, FOUR, date(2026, 12, 1)),
        (SUNDAY, NOON, 0, None, MONDAY), (SUNDAY, NOON, 1, None, MONDAY), (SUNDAY, NOON, 0, FOUR, MONDAY),
        (SUNDAY, NOON, 1, FOUR, date(2026, 12, 1)),
        # Good Friday to Easter Monday, 1 May, and 24 to 28 December.
        (date(2026, 4, 2), FOUR, 0, FOUR, date(2026, 4, 7)), (date(2026, 4, 30), NOON, 2, None, date(2026, 5, 5)),
        (date(2025, 12, 24), NOON, 1, FOUR, date(2025, 12, 29)),
    ],
)  # fmt: skip
def test_the_first_day(today: date, now: time, lead: int, cutoff: time | None, first: date) -> None:
    assert first_day(today, now, lead, cutoff) == first


@pytest.mark.parametrize("cutoff", [None, FOUR])
@pytest.mark.parametrize("lead", [0, 1, 2, 5])
def test_the_last_day_is_the_last_that_does(lead: int, cutoff: time | None) -> None:
    for number in range(370):
        on = date(2026, 1, 1) + timedelta(days=number)
        day = last_day(on, lead, cutoff)
        assert first_day(day, time(15, 59), lead, cutoff) <= on and is_open(day)
        later = (day + timedelta(days=more) for more in range(1, 15))
        assert all(first_day(one, time(15, 59), lead, cutoff) > on for one in later if is_open(one))


@pytest.mark.parametrize(
    "closed", [date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 4, 11), date(2026, 4, 12)]
)
def test_nothing_is_ordered_for_a_day_on_which_banks_are_closed(paying: Town3, closed: date) -> None:
    town = paying.town
    accept(town, paying.shops[0], 10_000)
    until(town, date(2026, 3, 16))
    assert closed.isoformat() in refusal("payouts_date", batches.order, town, on=closed)
    while not is_open(closed):
        closed += timedelta(days=1)
    assert batches.order(town, on=closed).requested_on == closed


def test_without_a_day_it_is_the_first_on_which_the_bank_can(paying: Town3) -> None:
    town = paying.town
    accept(town, paying.shops[0], 10_000)
    until(town, date(2026, 4, 3))  # Good Friday
    assert batches.order(town).requested_on == payouts_from(town) == date(2026, 4, 7)


def at(town: Town, day: date, hour: int) -> None:
    """Let the clock stand at that hour in France."""
    clock = towns.clock(town)
    clock.forward((town.charter.day_bounds(day)[0] - clock()) // 1_000_000 + hour * 3_600)


def test_lead_time_and_hour_are_the_charters(tmp_path: Path) -> None:
    rules = BankRules(lead_days=2, cutoff=time(16, 30))
    with opened(tmp_path / "home", bank=rules) as town:
        paying = settle(town)
        accept(town, paying.shops[0], 10_000)
        at(town, TUESDAY, 16)
        assert payouts_from(town) == date(2026, 11, 26)
        at(town, TUESDAY, 17)
        assert payouts_from(town) == FRIDAY
        assert "2026-11-27" in refusal("payouts_date", batches.order, town, on=date(2026, 11, 26))
        assert batches.order(town).requested_on == FRIDAY


def test_debits_have_a_lead_time_of_their_own(tmp_path: Path) -> None:
    rules = MandateRules(creditor_id="FR72ZZZ123456", account=BANK, day=5, lead_days=3, cutoff=time(10))
    with opened(tmp_path / "home", mandates=rules, bank=BankRules(lead_days=7)) as town:
        sign_mandate(town, "Alice")
        notices.give(town)  # for Monday 7 July 2025
        assert debits_by(town, date(2025, 7, 7)) == (date(2025, 7, 2), time(10))
        at(town, date(2025, 7, 2), 9)
        assert debits_from(town) == date(2025, 7, 7)
        at(town, date(2025, 7, 2), 10)
        assert debits_from(town) == date(2025, 7, 8)
        refusal("collection_date", collecting.collect, town, on=date(2025, 7, 7))
        assert collecting.collect(town)[0].collect_on == date(2025, 7, 8)


@pytest.mark.parametrize("agents", list(Agents))
def test_agents_are_named_as_the_charter_says(tmp_path: Path, agents: Agents) -> None:
    with opened(tmp_path / "home", bank=BankRules(agents=agents)) as town:
        paying = settle(town)
        account = town.charter.payout_account
        assert account is not None and account.bic
        for shop in paying.shops[:2]:
            accept(town, shop, 10_000)
        batch = batches.order(town)
        file = batches.content(town, batch)
        valid(file)
        assert file.count(NOT_PROVIDED.encode()) == (3 if agents is Agents.NOT_PROVIDED else 0)
        assert (f"<BICFI>{account.bic}</BICFI>".encode() in file) == (agents is Agents.BIC)
        # What devices read before they sign is the whole of it.
        read = read_transfers(file)
        assert (read.total, read.debtor.bic) == (batch.total, account.bic if agents is Agents.BIC else None)
