"""A file of debits goes to a bank, and comes back in statements of every format: the books meet them to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking
from ledger.currency.bank.fake import FakeBank, Fate, Fates, Format, accounts_of
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.mandates import collecting, daily, notices
from ledger.currency.bank.payouts import answers
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import DUE, RELEASED, items, signed_by_many, states, until
from tests.currency.bank.scene import IBAN, adds_up, balances, opened
from tests.towns import BANK

DAY = timedelta(days=1)
AMOUNTS = [1_000 + 100 * number for number in range(12)]


def fetched(town: Town, bank: FakeBank, last: date, format: Format) -> dict[str, int]:
    """The bank's statement up to that day is taken and booked; what its lines became."""
    before = taking.statements(town)
    first = date.fromisoformat(before[-1].last) + DAY if before else DUE - 14 * DAY
    until(town, max(last, town.charter.local_date(town.now())))
    taking.take(town, read(bank.statement(IBAN, first, last, format)))
    done = booking.book(town)
    assert not done.stuck
    return done.kinds


@pytest.mark.parametrize("booked", [True, False], ids=["rejected after", "rejected before"])
@pytest.mark.parametrize("format", Format)
def test_debits_through_a_bank(tmp_path: Path, format: Format, booked: bool) -> None:
    fates = Fates()
    with opened(tmp_path / "home") as town:
        signed_by_many(town, AMOUNTS)
        notices.give(town)
        until(town, date(2025, 6, 24))
        file, _new = collecting.collect(town)
        debits = items(town)
        fates[debits[1].reference] = Fate(reject="AC04", booked=booked)
        fates[debits[4].reference] = Fate(back="AM04", after=3)
        bank = FakeBank(accounts_of(town.charter), fate=fates)
        answer = bank.submit(collecting.fetch(town, file), date(2025, 6, 24))
        assert answer.accepted
        told = answers.take(town, answers.read(answer.pain002))
        assert [one.reference for one in told.debits] == [debits[1].reference] and not told.left
        kinds = fetched(town, bank, DUE + 10 * DAY, format)
        assert kinds == {"bank_collection": 1, "bank_collection_unpaid": 2 if booked else 1}
        assert states(town) == {"maturing": 10, "unpaid": 2}
        # Not every format tells why; the bank's answer did.
        assert [one.suspended_why for one in daily.run(town, towns.sure(town)).suspended] == ["AC04"]
        until(town, RELEASED)
        assert daily.run(town, towns.sure(town)).released.debits == 10
        # Six weeks later a bank gives euros back that the member has by then.
        entry = next(
            part for one in bank.entries(IBAN, DUE, DUE) for part in one.parts if part.end_to_end == debits[7].reference
        )
        bank.give_back(entry, IBAN, RELEASED + 7 * DAY, "MD06")
        assert fetched(town, bank, RELEASED + 7 * DAY, format) == {"bank_collection_unpaid": 1}
        left = sum(AMOUNTS) - AMOUNTS[1] - AMOUNTS[4] - AMOUNTS[7]
        assert balances(town) == {"circulation": left, "guarantee": left, BANK: left, "members": left}
        assert bank.balance(IBAN, RELEASED + 8 * DAY) == left
        assert adds_up(town) and audit(town).clean
