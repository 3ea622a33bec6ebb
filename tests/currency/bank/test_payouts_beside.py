"""Lines that pay what no file let leave: they count with what one person let leave alone."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.core.ids import account_text
from ledger.core.model import Posted
from ledger.currency import chartered
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.bank.payouts import batches, beside, lines, placing
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.charter import BankRules
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept, debit, now, sent, settle, sign
from tests.currency.bank.payout_lines import HELD, NEXT, clean, refusal
from tests.currency.bank.scene import balances, bring, decide, line, opened, statement, undecide

LARGE, SMALL = 200_000, 60_000
"""Units: of the first two people sign, of the second one does, but not twice a month."""
ELSEWHERE = "FR7630001007941234567890185"


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def operator(paying: Town3) -> PrivateKey:
    return towns.join(paying.town, paying.office, "operator", "op")


def gone(town: Town, payout: Payout, **how: object) -> bytes:
    """A line of as much, which says nothing of what it is, and waits."""
    held = balances(town)["Banque"]
    bring(town, statement([line(-payout.amount, "CHEQUE 0000124", NEXT, **how)], held))
    [one] = [each for each in open_lines(town) if each.line.amount == -payout.amount]
    return one.line.id


def says(town: Town, id_: bytes, payout: Payout, key: PrivateKey | None = None) -> Posted:
    """Somebody, or the machine, places it as that payout."""
    decision = Decision(way=Way.PAYOUT, other=payout.reconversion)
    return place(town, id_, decision) if key is None else decide(town, key, id_, decision)


def test_an_operator_says_it_of_no_line(town: Town, paying: Town3, operator: PrivateKey) -> None:
    payout = accept(town, paying.shops[0], SMALL)
    id_ = gone(town, payout)
    refusal("role_insufficient", says, town, id_, payout, operator)
    clean(town, missing=57_000)
    says(town, id_, payout, paying.alice)
    assert now(town, payout).is_paid
    clean(town)


@pytest.mark.parametrize("who", ["alice", "machine"])
def test_what_two_sign_leaves_by_a_file(town: Town, paying: Town3, operator: PrivateKey, who: str) -> None:
    payout = accept(town, paying.shops[0], LARGE)
    id_ = gone(town, payout)
    key = paying.alice if who == "alice" else None
    assert "do not send it" in refusal("payouts_unsigned", says, town, id_, payout, key)
    # A file that nobody fetched let nothing leave, signed or not.
    batch = batches.order(town)
    for signer in (paying.alice, paying.bob):
        sign(town, batch, signer)
    refusal("payouts_unsigned", says, town, id_, payout, key)
    batches.fetch(town, batch)
    says(town, id_, payout, operator)
    clean(town)


def test_small_ones_are_one_large_one(town: Town, paying: Town3) -> None:
    payouts = [accept(town, shop, SMALL) for shop in paying.shops]
    says(town, gone(town, payouts[0]), payouts[0], paying.alice)
    id_ = gone(town, payouts[1])
    refusal("payouts_unsigned", says, town, id_, payouts[1], paying.alice)
    # At the machine it may be anybody.
    refusal("payouts_unsigned", says, town, id_, payouts[1])
    says(town, id_, payouts[1], paying.bob)
    # A month later it counts no more.
    towns.clock(town).forward(chartered.ALONE_DAYS * 86_400 + 60)
    says(town, gone(town, payouts[2]), payouts[2], paying.alice)
    clean(town)


def test_what_was_put_back_counts_no_more(town: Town, paying: Town3) -> None:
    first, second = (accept(town, shop, SMALL) for shop in paying.shops[:2])
    id_ = gone(town, first)
    says(town, id_, first, paying.alice)
    undecide(town, paying.alice, id_)
    says(town, id_, second, paying.alice)
    clean(town)


@pytest.mark.parametrize("order", ["file first", "line first"])
def test_files_and_lines_count_together(town: Town, paying: Town3, order: str) -> None:
    first, second = (accept(town, shop, SMALL) for shop in paying.shops[:2])
    if order == "line first":
        says(town, gone(town, first), first, paying.alice)
    batch = batches.order(town)
    if order == "line first":
        sign(town, batch, paying.alice)
        refusal("payouts_unsigned", batches.fetch, town, batch)
        sign(town, batch, paying.bob)
        batches.fetch(town, batch)
        clean(town)
        return
    batches.withdraw(town, batch)
    details.erase(town, paying.shops[1].party)
    batch = batches.order(town)
    sign(town, batch, paying.alice)
    batches.fetch(town, batch)
    id_ = gone(town, second)
    refusal("payouts_unsigned", says, town, id_, second, paying.alice)
    says(town, id_, second, paying.bob)
    clean(town)
    assert now(town, first).is_due


def test_lines_that_name_them_are_anybodys(town: Town, paying: Town3) -> None:
    """As a bank shows what somebody typed there, with our references: each little, and all together not."""
    payouts = [accept(town, shop, SMALL) for shop in paying.shops]
    rows = [debit(payout, NEXT) for payout in payouts]
    assert bring(town, statement(rows, HELD)).kinds == {"bank_payout": 1, "bank_suspense": 2}
    waiting = [one.line.id for one in open_lines(town)]
    # What nobody is known to have typed may be theirs.
    refusal("payouts_unsigned", says, town, waiting[0], payouts[1], paying.alice)
    sent(paying)
    for id_, payout in zip(waiting, payouts[1:], strict=True):
        says(town, id_, payout, paying.alice)
    clean(town)


@pytest.mark.parametrize("goes", ["as ordered", "elsewhere"])
def test_a_file_leaves_while_its_line_is_booked(
    town: Town, paying: Town3, goes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, payout = paying.shops[0], accept(town, paying.shops[0], SMALL)
    batch = batches.order(town)
    for key in (paying.alice, paying.bob):
        sign(town, batch, key)
    if goes == "elsewhere":  # the shop says so itself, and the file goes where it was paid before
        acting = towns.acting(town, shop.key, "PUT /v1/bank-details", iban=ELSEWHERE)
        details.put(acting, shop.party, ELSEWHERE, by=shop.key.public.hex())
    fetched: list[bytes] = []

    def and_then(*args: Any) -> bool:
        is_right = beside.is_little(*args)
        if not fetched:
            fetched.append(batches.fetch(town, batches.find(town, "1")))
        return is_right

    monkeypatch.setattr(lines, "is_little", and_then)
    row = line(-payout.amount, f"VIR {payout.reference}", NEXT, iban=ELSEWHERE if goes == "elsewhere" else "")
    kinds = bring(town, statement([row], HELD)).kinds
    assert fetched and kinds == {"bank_suspense" if goes == "elsewhere" else "bank_payout": 1}
    clean(town, missing=payout.amount if goes == "elsewhere" else 0)


def test_without_a_limit_one_treasurer_says_it(tmp_path: Path) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=None)) as town:
        paying = settle(town)
        payout = accept(town, paying.shops[0], LARGE)
        says(town, gone(town, payout), payout, paying.alice)
        clean(town)


def test_a_file_that_was_withdrawn_is_executed_all_the_same(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], LARGE)
    batches.withdraw(town, sent(paying), fetched_too=True)
    assert bring(town, statement([debit(payout, NEXT)], HELD)).kinds == {"bank_payout": 1}
    clean(town)


def test_a_file_of_which_a_line_paid_something(town: Town, paying: Town3) -> None:
    first, second = (accept(town, shop, SMALL) for shop in paying.shops[:2])
    batch = batches.order(town)
    for key in (paying.alice, paying.bob):
        sign(town, batch, key)
    says(town, gone(town, first), first, paying.alice)
    told = refusal("payouts_overtaken", batches.fetch, town, batch)
    assert "withdraw 1" in told and "database" not in told
    batches.withdraw(town, batches.find(town, "1"))
    batch = batches.order(town)
    assert (batch.total, batch.transfers) == (second.amount, 1)
    clean(town)


@pytest.mark.parametrize("fetched", [True, False])
def test_where_it_was_paid_is_where_it_was_said_by_then(
    town: Town, paying: Town3, operator: PrivateKey, fetched: bool
) -> None:
    shop, payout = paying.shops[0], accept(town, paying.shops[0], SMALL)
    if fetched:
        sent(paying)
    id_ = gone(town, payout, iban=ELSEWHERE)
    assert "another account" in refusal("placing_uneven", says, town, id_, payout, paying.alice)
    # The office says it now, and did not before the line.
    path = f"PUT /v1/parties/{account_text(shop.account)}/bank-details"
    acting = towns.acting(town, operator, path, iban=ELSEWHERE)
    details.put(acting, shop.party, ELSEWHERE, by=operator.public.hex())
    refusal("placing_uneven", says, town, id_, payout, paying.alice)
    if fetched:
        return
    # The shop says that it is its own.
    acting = towns.acting(town, shop.key, "PUT /v1/bank-details", iban=ELSEWHERE)
    details.put(acting, shop.party, ELSEWHERE, by=shop.key.public.hex())
    says(town, id_, payout, paying.alice)
    clean(town)


def test_an_account_that_is_in_the_signed_file(town: Town, paying: Town3, operator: PrivateKey) -> None:
    """Whoever signs saw the IBAN: that the office said it after the line is no matter then."""
    shop, payout = paying.shops[0], accept(town, paying.shops[0], LARGE)
    id_ = gone(town, payout, iban=ELSEWHERE)
    details.put(town, shop.party, ELSEWHERE)
    assert "wallet iban" in refusal("placing_uneven", says, town, id_, payout, paying.alice)
    sent(paying)
    says(town, id_, payout, operator)
    clean(town)


def test_an_account_that_was_said_before_the_line(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], SMALL)
    day = town.charter.local_date(town.now()) + timedelta(days=1)
    row = line(-payout.amount, "VIR", day, iban=SHOP_IBANS[0])
    bring(town, statement([row], HELD))
    [one] = open_lines(town)
    says(town, one.line.id, payout, paying.alice)
    clean(town)


@pytest.mark.parametrize(("who", "units", "found"), [
    ("operator", SMALL, ["role_insufficient"]), ("alice", LARGE, ["signatures_missing"]),
    ("machine", LARGE, ["signatures_missing"]), ("booking", LARGE, ["signatures_missing"]),
])  # fmt: skip
def test_check_knows_what_the_desk_did_not_ask(
    town: Town, paying: Town3, operator: PrivateKey, who: str, units: int, found: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(beside, "require_may", lambda *_args: None)
    for module in (lines, beside):
        monkeypatch.setattr(module, "is_little", lambda *_args: True)
    payout = accept(town, paying.shops[0], units)
    if who == "booking":
        bring(town, statement([debit(payout, NEXT)], HELD))
    else:
        key = {"operator": operator, "alice": paying.alice}.get(who)
        says(town, gone(town, payout), payout, key)
    assert now(town, payout).is_paid
    assert [one.code for one in audit(town).findings] == found


def test_check_counts_lines_and_files_as_the_desk_does(
    town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (accept(town, shop, SMALL) for shop in paying.shops[:2])
    says(town, gone(town, first), first, paying.alice)
    monkeypatch.setattr(beside, "is_little", lambda *_args: True)
    posted = says(town, gone(town, second), second, paying.alice)
    assert [(one.code, one.seq) for one in audit(town).findings] == [("signatures_missing", posted.seq)]


def test_check_counts_a_line_against_the_next_file(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    first, _second = (accept(town, shop, SMALL) for shop in paying.shops[:2])
    says(town, gone(town, first), first, paying.alice)
    batch = batches.order(town)
    sign(town, batch, paying.alice)
    monkeypatch.setattr("ledger.currency.bank.payouts.approval.beside", lambda *_args: [])
    batches.fetch(town, batch)
    assert [one.code for one in audit(town).findings] == ["signatures_missing"]


def test_before_the_charter_said_so_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: rules(*given)._replace(guarded=1))
    monkeypatch.setattr(placing, "beside", lambda *_args: {})
    with opened(tmp_path / "old") as old:
        paying = settle(old)
        first, second = (accept(old, shop, LARGE) for shop in paying.shops[:2])
        operator = towns.join(old, paying.office, "operator", "op")
        says(old, gone(old, first), first, operator)
        monkeypatch.undo()
        assert audit(old).clean
        chartered.keep(old, chartered.latest(old))
        with pytest.raises(CurrencyError):
            says(old, gone(old, second), second, operator)
        done = audit(old)
        assert [one.code for one in done.findings] == ["reserve_short"]
