"""Euros between two accounts of the reserve, and what went to another account than it came from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ledger.currency import reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, IBAN, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.threats.test_one_euro import check_finds, once

DAYS = timedelta(days=1)


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


def left(town: Town, alice: Party, text: str = "VIR", **more: Any) -> None:
    """Alice's euros came, and left the account again."""
    bring(town, statement([line(5_000, token(town, alice))]))
    bring(town, statement([line(-5_000, text, DAY + DAYS, **more)], 5_000))


def test_what_is_said_to_be_on_its_way_is_no_cover(town: Town, alice: Party) -> None:
    left(town, alice)
    place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    report = reserve.report(town)
    assert (report.covered, report.sound, report.awaited, report.coverage_bp) == (False, True, 5_000, 0)
    assert audit(town).clean
    towns.clock(town).forward(11 * 86_400)
    check_finds(town, "bank_placed 20250611/-5000/1 of 5000 cents left an account of the reserve on 2025-06-11, and by "
                "2025-06-25 it arrived on none")  # fmt: skip
    bring(town, statement([line(5_000, "x", DAY + 2 * DAYS)], account=SAVINGS_IBAN))
    place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    once(town, 5_000)


def test_what_went_to_an_account_of_ours_and_never_came(town: Town, alice: Party) -> None:
    left(town, alice, iban=SAVINGS_IBAN)
    assert audit(town).clean and reserve.report(town).covered  # the bank says where it went
    towns.clock(town).forward(101 * 86_400)
    check_finds(town, "bank_transit 20250611/-5000/1 of 5000 cents left an account of the reserve on 2025-06-11")


def test_what_went_elsewhere_is_not_on_its_way(town: Town, alice: Party) -> None:
    left(town, alice, iban="DE89370400440532013000")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="not to or from another account of the reserve"):
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))


@pytest.mark.parametrize("placed_first", [True, False])
def test_what_arrives_with_the_members_label_is_no_topup(town: Town, alice: Party, placed_first: bool) -> None:
    left(town, alice, f"VIR VERS LIVRET {token(town, alice)}")
    if placed_first:
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))
    arrives = statement([line(5_000, f"VIR DE COMPTE {token(town, alice)}", DAY + DAYS)], account=SAVINGS_IBAN)
    assert bring(town, arrives).kinds == {"bank_suspense": 1}
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.TRANSIT))
    once(town, 5_000)


def test_what_arrived_and_became_units_did_not_leave(town: Town, alice: Party) -> None:
    arrives = statement([line(5_000, token(town, alice), DAY + DAYS)], account=SAVINGS_IBAN)
    assert bring(town, arrives).kinds == {"conversion": 1}
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    bring(town, statement([line(-5_000, "VIR VERS LIVRET", DAY + DAYS)], 5_000))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="put that line back into suspense first"):
        place(town, waits(town).line.id, Decision(way=Way.TRANSIT))


@pytest.mark.parametrize("names", [True, False])
@pytest.mark.parametrize("waiting", [True, False])
def test_what_a_member_sent_there_beside_it_is_theirs(town: Town, alice: Party, names: bool, waiting: bool) -> None:
    """Where as much arrived or waits there as well; it ends one departure, and not two."""
    came_there = [
        line(5_000, token(town, alice), DAY + DAYS),
        line(5_000, "VIR LE PATARD", DAY + DAYS, iban="" if waiting else IBAN),
    ]
    done = bring(town, statement(came_there, account=SAVINGS_IBAN))
    assert done.kinds == {"conversion": 1, "bank_suspense" if waiting else "bank_transit": 1}
    bring(town, statement([line(10_000, "don")]))
    place(town, next(one.line.id for one in open_lines(town) if one.line.text == "don"), Decision(way=Way.OWN))
    left = [line(-5_000, text, DAY + DAYS, iban=SAVINGS_IBAN if names else "") for text in ("VIR", "VIR 2")]
    bring(town, statement(left, 10_000))
    went = [one.line.id for one in open_lines(town) if one.line.amount < 0]
    assert len(went) == (1 if names else 2)
    if not names:
        place(town, went[0], Decision(way=Way.TRANSIT))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="put that line back into suspense first"):
        place(town, went[-1], Decision(way=Way.TRANSIT))
    assert balances(town)["members"] == 5_000


def test_a_first_statement_begins_with_what_was_on_its_way(town: Town, alice: Party) -> None:
    left(town, alice, iban=SAVINGS_IBAN)
    day = DAY + 2 * DAYS
    bring(town, statement([], 5_700, account=SAVINGS_IBAN, first=day, last=day), opening=True)
    arrived, own = sorted(open_lines(town), key=lambda one: -one.line.amount)
    assert (arrived.line.amount, own.line.amount) == (5_000, 700)
    for way in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.OWN)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as transit"):
            place(town, arrived.line.id, way)
    place(town, arrived.line.id, Decision(way=Way.TRANSIT))
    place(town, own.line.id, Decision(way=Way.OWN))
    once(town, 5_000)


def test_a_first_statement_begins_with_all_that_was_on_its_way(town: Town, alice: Party) -> None:
    """Each departure arrives by itself, and what is more is not on its way, whatever else is."""
    bring(town, statement([line(100_000, token(town, alice))]))
    sent = [line(-cents, "VIR LIVRET", DAY + DAYS, iban=SAVINGS_IBAN) for cents in (30_000, 10_000)]
    bring(town, statement([*sent, line(-500, "CHEQUE", DAY + DAYS)], 100_000))
    [stolen] = open_lines(town)
    place(town, stolen.line.id, Decision(way=Way.TRANSIT))
    towns.clock(town).forward(200 * 86_400)
    late = DAY + 190 * DAYS
    bring(town, statement([], 40_300, account=SAVINGS_IBAN, first=late, last=late), opening=True)
    waiting = {one.line.amount: one for one in open_lines(town)}
    assert {cents: one.proposals[0].decision.way for cents, one in waiting.items()} == {
        30_000: Way.TRANSIT, 10_000: Way.TRANSIT, 300: Way.OWN
    }  # fmt: skip
    shares = (Share(Way.MEMBER, 10_000, alice.account), Share(Way.OWN, 20_000))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match=r"300\.00 are on their way"):
        place(town, waiting[30_000].line.id, Decision(way=Way.SPLIT, shares=shares))
    for one in waiting.values():
        place(town, one.line.id, one.proposals[0].decision)
    check_finds(town, "bank_placed 20250611/-500/1 of 500 cents left an account of the reserve")


def test_a_first_statement_begins_with_what_was_not_sent_back(town: Town, alice: Party) -> None:
    left(town, alice, iban=SAVINGS_IBAN)
    bring(town, statement([line(2_000, "RETOUR", DAY + 2 * DAYS, iban=SAVINGS_IBAN)]))
    day = DAY + 3 * DAYS
    bring(town, statement([], 3_100, account=SAVINGS_IBAN, first=day, last=day), opening=True)
    for one in open_lines(town):
        place(town, one.line.id, one.proposals[0].decision)
    assert balances(town)["operations"] == -100
    once(town, 5_000)


@pytest.mark.parametrize("way", [Way.PAIR, Way.RETURNED])
def test_what_went_to_another_account_gives_nothing_back(town: Town, alice: Party, way: Way) -> None:
    said = token(town, alice) if way is Way.RETURNED else "inconnu"
    came = line(5_000, said, iban="DE89370400440532013000")
    went = line(-5_000, "VIR", DAY + DAYS, iban="NL91ABNA0417164300")
    bring(town, statement([came, went]))
    [other, *_rest] = lines(town)
    one = next(one for one in open_lines(town) if one.line.amount < 0)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="names another account for each"):
        place(town, one.line.id, Decision(way=way, other=other.id))
