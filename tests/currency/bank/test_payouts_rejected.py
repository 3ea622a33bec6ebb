"""Payouts that the bank rejects: units back or euros paid, never both, also when two decide at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import parties
from ledger.currency.bank import booking, claims, suspense, taking
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts import batches, owed, undoing
from ledger.currency.bank.payouts import lines as payout_lines
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.town import Town
from tests.currency.bank.paying import BROUGHT, Town3, accept, credit, debit, now, sent, sign
from tests.currency.bank.payout_lines import HELD, NEXT, batch_line, clean, refusal
from tests.currency.bank.scene import balances, bring, line, statement
from tests.towns import BANK


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


# --- rejected ----------------------------------------------------------------------------------------------


def test_a_rejected_payout_is_back_on_the_shops_account(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000)
    batch = batches.order(town)
    refusal("reason_malformed", undoing.reject, town, payout, reason="because")
    assert "withdraw" in refusal("payout_ordered", undoing.reject, town, payout)
    sign(town, batch, paying.alice)
    batches.fetch(town, batch)
    first = undoing.reject(town, payout, reason="AC04")
    again = undoing.reject(town, payout, reason="MD07", by="ab" * 32)
    assert (again.id, again.replay) == (first.id, True)
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    assert town.book.balance(shop.account) == BROUGHT
    # The bank executes it all the same: the shop has units for it, so a person decides.
    bring(town, statement([debit(payout, NEXT)], HELD))
    [row] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, row)
    assert row.became == "bank_suspense" and why is not None and why.code == "given_back"
    clean(town, missing=9_500)
    [proposal] = [one for one in suspense.open_lines(town)[0].proposals if one.decision.way == "debt"]
    assert proposal.reasons[0].why == "given_back"
    suspense.place(town, row.id, proposal.decision)
    clean(town, claimed=9_500)


def test_one_that_nobody_ordered_can_be_given_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    undoing.reject(town, payout)
    assert owed.due(town) == []
    clean(town)


def test_one_that_was_paid_is_not_rejected(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    assert NEXT.isoformat() in refusal("payout_paid", undoing.reject, town, payout)
    # Nor when other payouts would cover it.
    accept(town, paying.shops[1], 50_000)
    refusal("payout_paid", undoing.reject, town, payout)
    bring(town, statement([credit(payout, NEXT + timedelta(days=1))], HELD - 9_500))
    refusal("payout_paid", undoing.reject, town, payout)
    clean(town)


def test_a_shop_that_has_left_stays_owed(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], BROUGHT)
    sent(paying)
    parties.close(town, paying.shops[0].party)
    assert "iban" in refusal("account_closed", undoing.reject, town, payout)
    assert now(town, payout).is_due


@pytest.mark.parametrize("told", ["parts", "message"])
def test_what_was_rejected_is_in_the_sum_all_the_same(town: Town, paying: Town3, told: str) -> None:
    """As many banks do it: a report of what they reject, the whole sum booked, and the rejected ones back by a line."""
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    undoing.reject(town, made[1], reason="AC04")
    parts = tuple(debit(payout, NEXT) for payout in made) if told == "parts" else ()
    whole, back = batch_line(batch, -28_500, *parts), credit(made[1], NEXT + timedelta(days=1))
    assert bring(town, statement([whole], HELD)).kinds == {"bank_payout": 1}
    shop = paying.shops[1]
    assert owed.due(town) == [] and town.book.balance(shop.account) == BROUGHT
    # Its euros are away although it has the units, so it owes them until they are back.
    assert claims.owed(town) == {shop.account: 9_500}
    clean(town, claimed=9_500)
    assert bring(town, statement([back], HELD - 28_500)).kinds == {"bank_payout_return": 1}
    assert claims.owed(town) == {}
    assert balances(town)[BANK] == HELD - 19_000
    clean(town)
    # Once is enough.
    again = credit(made[1], NEXT + timedelta(days=2))
    assert bring(town, statement([again], HELD - 19_000)).kinds == {"bank_suspense": 1}
    bring(town, statement([line(7, "?", NEXT + timedelta(days=2))], HELD - 19_000), corrected=True)
    clean(town)


def test_the_second_payment_comes_back(town: Town, paying: Town3) -> None:
    """The shop was paid once and keeps it: the two other lines explain each other, and a person says so."""
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    days = [NEXT + timedelta(days=n) for n in range(4)]
    bring(town, statement([debit(payout, days[0]), debit(payout, days[1]), credit(payout, days[2])], HELD))
    assert [one.became for one in lines(town)] == ["bank_payout", "bank_suspense", "bank_suspense"]
    why = payout_lines.reason(town, lines(town)[2])
    assert why is not None and why.code == "paid_already"
    opened_ = suspense.open_lines(town)
    best = opened_[0].proposals[0].decision
    assert best.way == "pair"
    suspense.place(town, opened_[0].line.id, best)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    clean(town)
    # Now it comes back for good.
    bring(town, statement([credit(payout, days[3])], HELD - 9_500))
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    clean(town)


# --- at the same moment ------------------------------------------------------------------------------------


def test_a_payout_that_is_rejected_while_its_line_is_booked(
    town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Booking has decided what the line is, and somebody rejects the payout before it stands; others are owed more."""
    payout, other = accept(town, paying.shops[0], 10_000), accept(town, paying.shops[1], 50_000)
    sent(paying)
    found = payout_lines.executed

    def and_then(books: object, row: object) -> object:
        entry = found(books, row)  # type: ignore[arg-type]
        if entry is not None and now(town, payout).is_due:
            undoing.reject(town, payout)
        return entry

    monkeypatch.setattr("ledger.currency.bank.matching.FINDERS", (and_then,))
    assert bring(town, statement([debit(payout, NEXT)], HELD)).kinds == {"bank_suspense": 1}
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    assert town.book.balance(town.chart.payouts) == other.amount
    clean(town, missing=9_500)


def test_a_payout_that_is_paid_while_it_is_rejected(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    payout, _other = accept(town, paying.shops[0], 10_000), accept(town, paying.shops[1], 50_000)
    sent(paying)
    make = undoing.undoing

    def and_then(*args: object, **more: object) -> object:
        bring(town, statement([debit(payout, NEXT)], HELD))
        return make(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(undoing, "undoing", and_then)
    refusal("payout_paid", undoing.reject, town, payout)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    clean(town)


def test_two_who_book_the_same_line(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    taking.take(town, [statement([debit(payout, NEXT)], HELD)])
    found = payout_lines.executed
    first = [True]

    def and_then(books: object, row: object) -> object:
        entry = found(books, row)  # type: ignore[arg-type]
        if first.pop() if first else False:
            booking.book(town)
        return entry

    monkeypatch.setattr("ledger.currency.bank.matching.FINDERS", (and_then,))
    assert booking.book(town).kinds == {"bank_payout": 1}
    assert town.book.balance(town.chart.payouts) == 0
    clean(town)
