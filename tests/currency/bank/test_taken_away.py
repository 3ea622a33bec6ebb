"""What a corrected statement took away is undone, always: who has not the units any more owes them.

Each case makes lines by which a member got units, or gave some; then the bank has them no longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.core.model import Transaction, Transfer
from ledger.currency import parties, reserve, uncovered
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, claims, details, suspense, withdrawing
from ledger.currency.bank.lines import lines
from ledger.currency.bank.mandates import register, release
from ledger.currency.bank.payouts import owed
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.paying import SHOP_IBANS, accept, credit, debit
from tests.currency.bank.scene import DAY, balances, bring, line, opened, statement, token
from tests.towns import Member

DAYS = timedelta(days=1)
LEAVING = pytest.mark.parametrize("left", [False, True])


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


def gone(town: Town, opening: int, **days: object) -> None:
    """The bank's account ends with what it had before: nothing is left to undo, and nothing is found."""
    booked = bring(town, statement([], opening, closing=opening, **days), corrected=True)
    assert booked.stuck == [], booked.stuck
    assert {"bank_withdrawn"} == booked.kinds.keys()
    towns.clock(town).forward(3 * 3_600)
    assert not booking.book(town).stuck
    assert all(one.explanation == () for one in reserve.report(town).banks)
    assert audit(town).clean, audit(town).findings


def spends(town: Town, who: Member, cents: int, left: bool) -> Member:
    shop = towns.member(town, "shop", "Épicerie")
    towns.pay(town, who, shop, cents)
    if left:
        parties.close(town, who.party)
    return shop


def payout(town: Town) -> tuple[Member, owed.Payout]:
    """100.00 that a shop brought, changed back and paid out: 95.00, for a fee of 5.00."""
    shop = towns.member(town, "shop", "Boulangerie")
    details.put(town, shop.party, SHOP_IBANS[0])
    bring(town, statement([line(10_000, token(town, shop.party), kind=LineKind.TRANSFER)]))
    made = accept(town, shop, 10_000)
    bring(town, statement([debit(made, DAY + DAYS)], 10_000))
    return shop, made


# --- what gave units ---------------------------------------------------------------------------------------


@LEAVING
@pytest.mark.parametrize("shares", [1, 2])
def test_a_split(town: Town, left: bool, shares: int) -> None:
    zoe, bob = towns.member(town, "person", "Zoé"), towns.member(town, "person", "Bob")
    bring(town, statement([line(10_000, "VIR PETIT")]))
    [one] = suspense.open_lines(town)
    parts = [Share(Way.MEMBER, 6_000, zoe.account), Share(Way.OWN, 1_000), Share(Way.MEMBER, 3_000, bob.account)]
    if shares == 1:
        parts[1:] = [Share(Way.OWN, 4_000)]
    suspense.place(town, one.line.id, Decision(way=Way.SPLIT, shares=tuple(parts)))
    spends(town, zoe, 6_000 if left else 5_000, left)
    gone(town, 0)
    # Bob's units go back, and what there is of Zoé's; what was the association's own is so no more.
    assert balances(town) == {name: 6_000 if left else 5_000 for name in
                              ("claims", "circulation", "guarantee", "members")}  # fmt: skip
    assert claims.owed(town) == {zoe.account: 6_000 if left else 5_000}


@LEAVING
def test_a_split_that_paid_what_somebody_owed(town: Town, left: bool) -> None:
    zoe, bob = towns.member(town, "person", "Zoé"), towns.member(town, "person", "Bob")
    sent = line(2_000, token(town, bob.party), end_to_end="BOB-000001", kind=LineKind.TRANSFER)
    bring(town, statement([sent]))
    shop = spends(town, bob, 2_000, False)
    bring(town, statement([replace(sent, booked_on=DAY + DAYS, amount=-2_000, kind=LineKind.RETURN)], 2_000))
    bring(town, statement([line(10_000, "VIR PETIT", DAY + 2 * DAYS)]))
    [one] = suspense.open_lines(town)
    parts = (Share(Way.MEMBER, 8_000, zoe.account), Share(Way.CLAIM, 2_000, bob.account))
    suspense.place(town, one.line.id, Decision(way=Way.SPLIT, shares=parts))
    assert not claims.owed(town)
    towns.pay(town, zoe, shop, 8_000)
    if left:
        parties.close(town, zoe.party)
    gone(town, 0, first=DAY + 2 * DAYS, last=DAY + 2 * DAYS)
    assert claims.owed(town) == {zoe.account: 8_000, bob.account: 2_000}


@LEAVING
@pytest.mark.parametrize("placed", [False, True])
def test_a_payout_that_came_back(town: Town, left: bool, placed: bool) -> None:
    shop, made = payout(town)
    back = credit(made, DAY + 2 * DAYS)
    bring(town, statement([replace(back, text="?", end_to_end="") if placed else back], 500))
    if placed:
        [one] = suspense.open_lines(town)
        suspense.place(town, one.line.id, Decision(way=Way.PAYOUT, other=made.reconversion))
    spends(town, shop, 10_000 if left else 4_000, left)
    gone(town, 500, first=DAY + 2 * DAYS, last=DAY + 2 * DAYS)
    cents = 10_000 if left else 4_000
    assert claims.owed(town) == {shop.account: cents}
    assert balances(town) == {"claims": cents, "circulation": cents, "guarantee": cents, "members": cents,
                              "income": 500, "Banque": 500}  # fmt: skip
    assert owed.find(town, made.reconversion.hex()).is_paid


@LEAVING
def test_direct_debits_that_somebody_placed(town: Town, left: bool) -> None:
    alice = towns.member(town, "person", "Alice")
    _alice, made = monthly.sign(town, alice.party)
    file = monthly.collected(town)
    bring(town, statement([line(file.total, "REMISE", file.collect_on)]))
    [one] = suspense.open_lines(town)
    suspense.place(town, one.line.id, Decision(way=Way.DEBITS, other=file.id))
    monthly.until(town, monthly.RELEASED)
    release.release(town, towns.sure(town))
    towns.pay(town, alice, towns.member(town, "shop", "Épicerie"), 3_000)
    if left:
        register.end(town, made)
        parties.close(town, alice.party)
    gone(town, 0, first=file.collect_on, last=file.collect_on)
    assert claims.owed(town) == {alice.account: 3_000}
    assert [one.state for one in monthly.items(town)] == ["unpaid"]


# --- what took units ---------------------------------------------------------------------------------------


@LEAVING
@pytest.mark.parametrize("placed", [False, True])
@pytest.mark.parametrize("spent", [0, 4_000])
def test_a_top_up_that_went_back(town: Town, left: bool, placed: bool, spent: int) -> None:
    """It did not go back after all: who has left takes no units, and their euros are the association's to pay out."""
    zoe = towns.member(town, "person", "Zoé")
    sent = line(10_000, token(town, zoe.party), end_to_end="ZOE-000001", kind=LineKind.TRANSFER)
    bring(town, statement([sent]))
    if spent:
        spends(town, zoe, spent, False)
    back = replace(sent, booked_on=DAY + DAYS, amount=-10_000, kind=LineKind.RETURN)
    bring(town, statement([replace(back, text="?", end_to_end="") if placed else back], 10_000))
    if placed:
        [one] = suspense.open_lines(town)
        [top_up] = [found for found in lines(town) if found.amount > 0]
        suspense.place(town, one.line.id, Decision(way=Way.RETURNED, other=top_up.id))
    assert town.book.balance(zoe.account) == 0
    if left:
        parties.close(town, zoe.party)
    gone(town, 10_000, first=DAY + DAYS, last=DAY + DAYS)
    assert town.book.balance(zoe.account) == (0 if left else 10_000 - spent)
    assert balances(town).get("operations", 0) == (spent - 10_000 if left else 0)
    assert not claims.owed(town) and reserve.report(town).covered


@LEAVING
@pytest.mark.parametrize("placed", [False, True])
def test_a_direct_debit_that_came_back(town: Town, left: bool, placed: bool) -> None:
    alice = towns.member(town, "person", "Alice")
    _alice, made = monthly.sign(town, alice.party)
    file = monthly.collected(town)
    bring(town, statement([monthly.batch(file)]))
    monthly.until(town, monthly.RELEASED)
    release.release(town, towns.sure(town))
    day, item = monthly.RELEASED, monthly.item_of(town, made)
    back = monthly.debit(item, day, -1, reason="MD06")
    bring(town, statement([replace(back, end_to_end="") if placed else back], file.total))
    if placed:
        [one] = suspense.open_lines(town)
        suspense.place(town, one.line.id, Decision(way=Way.DEBITS, other=item.id))
    assert town.book.balance(alice.account) == 0
    if left:
        register.end(town, made)
        parties.close(town, alice.party)
    gone(town, file.total, first=day, last=day)
    assert town.book.balance(alice.account) == (0 if left else 3_000)
    assert balances(town).get("operations", 0) == (-3_000 if left else 0)
    assert [one.state for one in monthly.items(town)] == ["released"] and reserve.report(town).covered


# --- what check says ---------------------------------------------------------------------------------------


def test_check_finds_who_does_not_owe_what_was_gone(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    zoe, bob = towns.member(town, "person", "Zoé"), towns.member(town, "person", "Bob")
    bring(town, statement([line(10_000, "VIR PETIT")]))
    [one] = suspense.open_lines(town)
    suspense.place(town, one.line.id, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 10_000, zoe.account),)))
    spends(town, zoe, 10_000, False)
    told = claims.owing_more

    def another(*args: object) -> dict[str, str | int]:
        return {**told(*args), "owed": f"{bob.account:016x}:10000"}  # type: ignore[arg-type]

    monkeypatch.setattr(claims, "owing_more", another)
    bring(town, statement([]), corrected=True)
    assert {found.code for found in audit(town).findings} == {"claim_nobodys"}


@pytest.mark.parametrize("what", ["less", "undoes"])
def test_check_finds_that_not_all_was_undone(town: Town, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    zoe = towns.member(town, "person", "Zoé")
    bring(town, statement([line(10_000, "VIR PETIT")]))
    [one] = suspense.open_lines(town)
    suspense.place(town, one.line.id, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 10_000, zoe.account),)))
    undoing: Callable[..., object] = withdrawing.entry

    def another(*args: object) -> object:
        made = undoing(*args)
        assert isinstance(made, Transaction)
        if what == "undoes":
            return replace(made, evidence={**made.evidence, "undoes": "00" * 16})
        moved = tuple(Transfer(t.debit, t.credit, t.amount - 1, t.unit) for t in made.transfers)
        return replace(made, transfers=moved)

    monkeypatch.setattr(booking, "withdrawing", another)
    monkeypatch.setattr("ledger.currency.bank.indexing._undo", lambda *args: None)
    bring(town, statement([]), corrected=True)
    assert {"less": "line_shape", "undoes": "placing_unrelated"}[what] in {one.code for one in audit(town).findings}


def test_a_claim_on_who_has_the_units_is_told(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Allowed, for they may have come at that moment; whoever audits is told."""
    zoe = towns.member(town, "person", "Zoé")
    bring(town, statement([line(10_000, "VIR PETIT")]))
    [one] = suspense.open_lines(town)
    suspense.place(town, one.line.id, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 10_000, zoe.account),)))
    monkeypatch.setattr(uncovered, "free", lambda town, account: 0)
    gone(town, 0)
    assert any("came to owe euros while it held" in notice.text for notice in audit(town).notices)
