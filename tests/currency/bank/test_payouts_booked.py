"""Payouts on statements: what the bank makes of a file, what comes back, what a corrected statement changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import parties
from ledger.currency.bank import claims, suspense
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts import batches, owed, undoing
from ledger.currency.bank.payouts import lines as payout_lines
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.reference import shown
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import BROUGHT, Town3, accept, credit, debit, now, sent
from tests.currency.bank.payout_lines import HELD, NEXT, batch_line, clean
from tests.currency.bank.scene import adds_up, balances, bring, line, statement
from tests.towns import BANK


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


def test_an_executed_payout_is_settled(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    assert bring(town, statement([debit(payout, NEXT)], HELD)).kinds == {"bank_payout": 1}
    assert owed.due(town) == []
    assert balances(town) == {
        "circulation": HELD - 10_000, "guarantee": HELD - 10_000, "members": HELD - 10_000, "income": 500,
        BANK: HELD - 9_500,
    }  # fmt: skip
    [row] = lines(town, BANK_LINE.c.amount < 0)
    assert row.holder == paying.shops[0].account
    assert payout_lines.reason(town, row) is not None
    clean(town)


def test_a_payout_without_a_file_is_found_too(town: Town, paying: Town3) -> None:
    """A small town types it into the bank's page, with the reference."""
    payout = accept(town, paying.shops[0], 10_000)
    bring(town, statement([line(-9_500, f"Virement {shown(payout.reference)}", NEXT)], HELD))
    assert now(town, payout).paid_by
    clean(town)


@pytest.mark.parametrize("told", ["parts", "message", "text"])
def test_a_file_that_the_bank_booked_as_one_sum(town: Town, paying: Town3, told: str) -> None:
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    row = batch_line(batch, -28_500)
    if told == "parts":
        row = line(-28_500, "VIREMENTS SEPA", NEXT, parts=tuple(debit(payout, NEXT) for payout in made))
    elif told == "text":
        row = line(-28_500, f"3 VIR EMIS {batch.message.lower()}"[:31], NEXT)
    assert bring(town, statement([row], HELD)).kinds == {"bank_payout": 1}
    assert owed.due(town) == [] and batches.find(town, "1").state == "settled"
    assert balances(town)[BANK] == HELD - 28_500
    clean(town)


def test_one_sum_less_what_was_rejected_before(town: Town, paying: Town3) -> None:
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    undoing.reject(town, made[1], reason="AC04")
    assert bring(town, statement([batch_line(batch, -19_000)], HELD)).kinds == {"bank_payout": 1}
    # One of them comes back, and then the other, in one line.
    back = line(19_000, batch.message, NEXT + timedelta(days=1), kind=LineKind.RETURN)
    assert bring(town, statement([back], HELD - 19_000)).kinds == {"bank_payout_return": 1}
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    clean(town)


@pytest.mark.parametrize(
    ("amount", "parts", "code"),
    [(-9_400, (), "amount_differs"), (-9_500, (-9_400, -100), None), (-19_000, (-9_500, -9_500), None)],
)
def test_a_line_that_does_not_fit_to_the_cent(
    town: Town, paying: Town3, amount: int, parts: tuple[int, ...], code: str | None
) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    row = line(amount, payout.reference, NEXT, parts=tuple(debit(payout, NEXT, -part) for part in parts))
    assert bring(town, statement([row], HELD)).kinds == {"bank_suspense": 1}
    [kept] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, kept)
    assert (why and why.code) == code
    assert now(town, payout).is_due
    clean(town, missing=-amount)


def test_the_same_payout_executed_twice(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    later = NEXT + timedelta(days=3)
    assert bring(town, statement([debit(payout, later)], HELD - 9_500)).kinds == {"bank_suspense": 1}
    [_first, second] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, second)
    assert why is not None and (why.code, why.on) == ("paid_already", NEXT)
    clean(town, missing=9_500)
    # A person sees why, and that the shop owes it back; when it sends it, that is proposed too.
    shop = paying.shops[0]
    best = suspense.open_lines(town)[0].proposals[0]
    assert (best.decision.way, best.decision.holder) == ("debt", shop.account)
    assert best.reasons[0].facts == {"name": "Boulangerie", "day": NEXT}
    suspense.place(town, second.id, best.decision)
    assert claims.owed(town) == {shop.account: 9_500}
    clean(town, claimed=9_500)
    suspense.put_back(town, second.id)
    assert claims.owed(town) == {}
    suspense.place(town, second.id, best.decision)
    back = line(9_500, "rendu, erreur", later + timedelta(days=1), name="BOULANGERIE")
    bring(town, statement([back], HELD - 19_000))
    [one] = suspense.open_lines(town)
    assert one.proposals[0].decision.way == "claim"
    suspense.place(town, one.line.id, one.proposals[0].decision)
    assert claims.owed(town) == {}
    clean(town)


def test_a_payout_that_comes_back(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT), credit(payout, NEXT)], HELD))
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    assert town.book.balance(shop.account) == BROUGHT
    [entry] = town.book.statement(shop.account, limit=1).entries
    assert (entry.kind, entry.change, entry.evidence["reason"]) == ("bank_payout_return", 10_000, "AC04")
    clean(town)
    # It is over: whatever the bank sends of it now is for a person to look at.
    again = NEXT + timedelta(days=1)
    bring(town, statement([debit(payout, again), credit(payout, again)], HELD))
    assert [one.became for one in lines(town, BANK_LINE.c.booked_on == again.isoformat())] == ["bank_suspense"] * 2
    # The shop may ask anew, under another reference.
    assert accept(town, shop, 10_000).reference != payout.reference
    one, other = suspense.open_lines(town)
    suspense.place(town, one.line.id, Decision(way=Way.PAIR, other=other.line.id))
    clean(town)


def test_it_comes_back_before_it_left(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    assert bring(town, statement([credit(payout, NEXT)], HELD)).kinds == {"bank_suspense": 1}
    [row] = lines(town, BANK_LINE.c.booked_on == NEXT.isoformat())
    why = payout_lines.reason(town, row)
    assert why is not None and why.code == "not_paid"
    clean(town)


def test_it_comes_back_to_a_shop_that_has_left(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, BROUGHT)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    parties.close(town, shop.party)
    done = bring(town, statement([credit(payout, NEXT + timedelta(days=1))], HELD - payout.amount))
    assert (done.kinds, done.stuck) == ({"bank_suspense": 1}, [])
    [row] = lines(town, BANK_LINE.c.booked_on > NEXT.isoformat())
    why = payout_lines.reason(town, row)
    assert why is not None and why.code == "no_account"
    clean(town)


def test_a_fee_that_was_moved_out_is_owed_back(town: Town, paying: Town3) -> None:
    """The shop has all of its units again, and the reserve report says what the association has to put back."""
    from ledger.core.model import Transaction, Transfer
    from ledger.currency.chart import EUR

    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    chart = town.chart
    fees = Transfer(chart.income, chart.reserve[BANK], 500, EUR)
    town.post(Transaction(town.new_id(), "fees_moved", (fees,)))
    bring(town, statement([debit(payout, NEXT), credit(payout, NEXT)], HELD))
    held = balances(town)
    assert (held["circulation"], held["guarantee"], held["income"]) == (HELD, HELD, -500)
    assert not adds_up(town)


def test_a_corrected_statement_takes_a_payout_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    batch = sent(paying)
    bring(town, statement([debit(payout, NEXT), line(500, "?", NEXT)], HELD))
    bring(town, statement([line(400, "?", NEXT)], HELD), corrected=True)
    assert now(town, payout).is_due and now(town, payout).batch == batch.id
    assert balances(town) == {
        "circulation": HELD - 10_000, "guarantee": HELD - 10_000, "members": HELD - 10_000, "payouts": 9_500,
        "income": 500, BANK: HELD + 400, "suspense": 400,
    }  # fmt: skip


def test_a_corrected_statement_takes_a_return_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    back = NEXT + timedelta(days=1)
    bring(town, statement([credit(payout, back), line(-1, "?", back)], HELD - 9_500))
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    bring(town, statement([line(2, "?", back)], HELD - 9_500), corrected=True)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    assert now(town, payout).undone_by is None and now(town, payout).paid_by
    assert owed.due(town) == []


def test_a_corrected_statement_takes_both_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    back = NEXT + timedelta(days=1)
    bring(town, statement([debit(payout, NEXT), credit(payout, back)], HELD))
    assert now(town, payout).undone_by
    bring(town, statement([line(3, "?", NEXT), line(-3, "?", back)], HELD), corrected=True)
    assert now(town, payout).is_due
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    assert town.book.balance(town.chart.payouts) == 9_500


def test_what_a_withdrawn_file_had_paid_can_be_ordered_when_it_is_due_again(town: Town, paying: Town3) -> None:
    paid, due = (accept(town, shop, 10_000) for shop in paying.shops[:2])
    batch = sent(paying)
    bring(town, statement([debit(paid, NEXT), line(1_000, "?", NEXT)], HELD))
    batches.withdraw(town, batch, fetched_too=True)
    bring(town, statement([line(1_500, "?", NEXT)], HELD), corrected=True)
    assert batches.order(town).total == paid.amount + due.amount


@pytest.mark.parametrize(
    ("kind", "reason", "days", "comes_back"),
    [
        (LineKind.RETURN, "", 200, True),
        (LineKind.TRANSFER, "AC04", 200, True),
        (LineKind.TRANSFER, "", 3, False),
        (LineKind.OTHER, "", 3, True),
        (LineKind.OTHER, "", 31, False),
    ],
)
def test_a_transfer_that_names_an_old_payout(
    town: Town, paying: Town3, kind: LineKind, reason: str, days: int, comes_back: bool
) -> None:
    """A shop that sends the 95.00 of its payout has not 100.00 of units for it, as if it had never been paid."""
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    towns.clock(town).forward(300 * 86_400)
    come = line(9_500, f"je rends {payout.reference}", NEXT + timedelta(days=days), kind=kind, reason=reason)
    booked = bring(town, statement([come], HELD - 9_500)).kinds
    assert booked == ({"bank_payout_return": 1} if comes_back else {"bank_suspense": 1})
    if not comes_back:
        [one] = suspense.open_lines(town)
        assert one.proposals[0].decision.way == "payout"  # a person may say that it is


@pytest.mark.parametrize("what", ["elsewhere", "no file", "not fetched"])
def test_a_transfer_that_nobody_signed_pays_nothing_by_itself(town: Town, paying: Town3, what: str) -> None:
    """Above what one person signs alone, and to another account than the shop's: whoever is at the bank is not two."""
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000 if what == "elsewhere" else BROUGHT)
    iban = "BE68539007547034" if what == "elsewhere" else ""
    if what == "not fetched":
        batches.order(town)
    gone = line(-payout.amount, payout.reference, NEXT, iban=iban, kind=LineKind.TRANSFER)
    assert bring(town, statement([gone], HELD)).kinds == {"bank_suspense": 1}
    assert now(town, payout).is_due


def test_the_line_of_one_payout_is_not_placed_as_another(town: Town, paying: Town3) -> None:
    first, second = (accept(town, shop, 10_000) for shop in paying.shops[:2])
    sent(paying)
    bring(town, statement([debit(one, NEXT) for one in (first, second)], HELD))
    back = [credit(first, NEXT + timedelta(days=days)) for days in (1, 2)]
    for number, one in enumerate(back):
        bring(town, statement([one], HELD - 19_000 + number * 9_500))
    [waits] = suspense.open_lines(town)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="names another payout than this one"):
        suspense.place(town, waits.line.id, Decision(way=Way.PAYOUT, other=second.reconversion))
