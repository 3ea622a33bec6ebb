"""A file of payouts goes to a bank, and comes back in statements of every format: the books meet them to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, claims, suspense, taking
from ledger.currency.bank.fake import Account, Answer, FakeBank, Fate, Fates, Format
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.payouts import answers, batches, owed
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import BROUGHT, Town3, accept, now, sign
from tests.currency.bank.scene import IBAN, adds_up, balances
from tests.currency.bank.schemas import valid
from tests.towns import BANK

FIRST, LAST = date(2025, 6, 16), date(2025, 6, 27)
UNITS = [10_000, 20_000, 30_000, 5_000, 7_000]
HELD = 3 * BROUGHT


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


def ordered(paying: Town3, town: Town, fates: Fates, **more: Any) -> tuple[FakeBank, list[Payout], Answer]:
    """Five payouts in a file that a bank took: the second is rejected, the third comes back, the fifth is late."""
    made = [accept(town, paying.shops[n % 3], units) for n, units in enumerate(UNITS)]
    batch = batches.order(town)
    sign(town, batch, paying.alice)
    file = batches.fetch(town, batch)
    valid(file)
    bank = FakeBank([Account(IBAN, "PSSTFRPPPAR", "ASSOCIATION LE PATARD", HELD)], fate=fates, **more)
    for reference, fate in zip([one.reference for one in made], list(fates.values()), strict=False):
        fates[reference] = fate
    answer = bank.submit(file, FIRST)
    towns.clock(town).forward(14 * 86_400)
    return bank, made, answer


def fates(booked: bool, delay: int) -> Fates:
    given = [Fate(), Fate(reject="AC04", booked=booked), Fate(back="AC06", after=2), Fate(), Fate(delay=delay)]
    return Fates((str(number), fate) for number, fate in enumerate(given))


HOW = {"rejected before": (False, False), "rejected after": (False, True), "one by one": (True, False)}
"""Whether the bank books every transfer by itself, and what it rejects as well."""


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("format", Format)
def test_payouts_through_a_bank(paying: Town3, town: Town, format: Format, how: str) -> None:
    singly, booked = HOW[how]
    bank, made, answer = ordered(paying, town, fates(booked, 0), singly=singly)
    told = answers.take(town, answers.read(answer.pain002))
    assert [one.reference for one in told.undone] == [made[1].reference] and not told.left
    taking.take(town, read(bank.statement(IBAN, FIRST, LAST, format)))
    done = booking.book(town)
    assert done.stuck == [] and "bank_suspense" not in done.kinds, done.kinds
    assert owed.due(town) == [] and claims.owed(town) == {}
    assert [now(town, one).is_paid for one in made] == [True, False, False, True, True]
    paid = sum(one.amount for one in made if now(town, one).is_paid)
    units = sum(one.units for one in made if now(town, one).is_paid)
    assert balances(town) == {
        "circulation": HELD - units, "guarantee": HELD - units, "members": HELD - units, "income": units - paid,
        BANK: HELD - paid,
    }  # fmt: skip
    assert bank.balance(IBAN, LAST) == HELD - paid
    assert adds_up(town) and audit(town).clean


def test_one_that_is_late_is_in_no_sum(paying: Town3, town: Town) -> None:
    """Where the bank tells the parts of its sum, nobody has to do anything."""
    bank, made, answer = ordered(paying, town, fates(False, 3))
    answers.take(town, answers.read(answer.pain002))
    taking.take(town, read(bank.statement(IBAN, FIRST, LAST, Format.CAMT_08)))
    assert booking.book(town).kinds == {"bank_payout": 2, "bank_payout_return": 1}
    assert now(town, made[4]).is_paid
    assert adds_up(town) and audit(town).clean


def test_one_that_is_late_where_nobody_tells_the_parts(paying: Town3, town: Town) -> None:
    """The sum waits until the late one is paid; then it is what is left of the file, and a person says so."""
    bank, made, answer = ordered(paying, town, fates(False, 3))
    answers.take(town, answers.read(answer.pain002))
    taking.take(town, read(bank.statement(IBAN, FIRST, LAST, Format.CFONB)))
    assert booking.book(town).kinds["bank_suspense"] == 2  # and what came back of it cannot be told either
    whole = next(one for one in suspense.open_lines(town) if one.line.amount < 0)
    best = whole.proposals[0]
    assert (best.decision.way, best.reasons[0].why) == ("payout", "payout_file")
    first = suspense.place(town, whole.line.id, best.decision)
    assert suspense.place(town, whole.line.id, best.decision) == first._replace(replay=True)
    back = next(one for one in suspense.open_lines(town) if one.line.amount > 0)
    assert back.proposals[0].decision.other == made[2].reconversion
    suspense.place(town, back.line.id, back.proposals[0].decision)
    assert [now(town, one).is_paid for one in made] == [True, False, False, True, True]
    assert adds_up(town) and audit(town).clean
    suspense.put_back(town, back.line.id)
    suspense.put_back(town, whole.line.id)
    assert len(owed.due(town)) == 3 and suspense.count(town) == 2
    assert {finding.code for finding in audit(town).findings} == {"reserve_short"}


def test_rejected_and_booked_one_by_one(paying: Town3, town: Town) -> None:
    """The bank says no, pays, and takes it back: the two lines explain each other."""
    bank, _made, answer = ordered(paying, town, fates(True, 0), singly=True)
    answers.take(town, answers.read(answer.pain002))
    taking.take(town, read(bank.statement(IBAN, FIRST, LAST, Format.CAMT_08)))
    assert booking.book(town).kinds["bank_suspense"] == 2
    one = suspense.open_lines(town)[0]
    pair = next(proposal.decision for proposal in one.proposals if proposal.decision.way == "pair")
    assert one.proposals[0].decision == pair
    suspense.place(town, one.line.id, pair)
    assert suspense.count(town) == 0
    assert adds_up(town) and audit(town).clean


def test_the_same_file_again_is_refused_and_moves_nothing(paying: Town3, town: Town) -> None:
    bank, _made, _answer = ordered(paying, town, Fates())
    again = bank.submit(batches.fetch(town, batches.find(town, "1"), again=True), FIRST + timedelta(days=1))
    assert not again.accepted
    told = answers.take(town, answers.read(again.pain002))
    assert told.undone == [] and "already" in told.left[0].detail
    assert len(owed.due(town)) == len(UNITS)
