"""Statements against what is known of their account: they continue, repeat, overlap, correct, or are refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking
from ledger.currency.bank.fake.bank import FakeBank, Format, accounts_of
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import BankLine, LineKind, StatementError
from ledger.currency.bank.taking import _Plans, take
from ledger.currency.town import Town
from tests.currency.bank.paying import SHOP_IBANS
from tests.currency.bank.scene import DAY, IBAN, balances, bring, line, opened, statement, token
from tests.towns import BANK

NEXT = DAY + timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


def on(day: date, *amounts: int) -> list[BankLine]:
    return [line(amount, f"line {amount} of {day}", day) for amount in amounts]


def refusal(town: Town, *statements: Any, **how: Any) -> str:
    with pytest.raises(StatementError) as caught:
        take(town, statements, **how)
    return caught.value.code


def test_days_one_after_the_other(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200)))
    bring(town, statement(on(NEXT, 300), 300))
    assert balances(town) == {BANK: 600, "suspense": 600}


def test_a_day_that_comes_in_two_files(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200)))
    bring(town, statement(on(DAY, 100, 400), 300))
    assert balances(town)[BANK] == 800


def test_files_that_overlap(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200)))
    bring(town, statement([*on(DAY, 100, 200), *on(NEXT, 200)]))
    bring(town, statement([*on(NEXT, 200, 50)], 300))
    assert balances(town)[BANK] == 550


def test_a_day_whose_lines_come_in_another_order(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200, 300)))
    assert bring(town, statement(on(DAY, 300, 100, 200), format="cfonb120")).kinds == {}


def test_a_day_that_sums_to_nothing_is_not_booked_twice(town: Town) -> None:
    day = [line(500, "VIR MARTIN"), line(-500, "RETOUR MARTIN")]
    bring(town, statement([line(700, "first", DAY - timedelta(days=1))]))
    bring(town, statement(day, 700))
    assert bring(town, statement(day, 700)).kinds == {}
    other = [line(500, "VIR DURAND"), line(-500, "RETOUR DURAND")]
    assert refusal(town, statement(other, 700)) == "statement_differs"  # or the same ones in another format
    before = line(700, "first", DAY - timedelta(days=1))
    assert bring(town, statement([before, *day, *other])).kinds == {"bank_suspense": 2}


@pytest.mark.parametrize(("first", "then"), permutations(Format, 2))
def test_a_day_that_sums_to_nothing_comes_in_two_formats(town: Town, first: Format, then: Format) -> None:
    """As banks write them: other texts, the same lines."""
    alice = parties.admit(town, "person", "Alice Martin")
    bank = FakeBank(accounts_of(town.charter, {BANK: 20_000}))
    bring(town, read(bank.statement(IBAN, DAY, DAY, first))[0], opening=True)
    bank.pay_in(IBAN, NEXT, 5_000, "Alice Martin", SHOP_IBANS[2], token(town, alice), instant=True)
    bank.book(IBAN, NEXT, -5_000, LineKind.TRANSFER, "Loyer", name="SCI des Tilleuls", iban=SHOP_IBANS[1],
              instant=True)  # fmt: skip
    bring(town, *read(bank.statement(IBAN, NEXT, NEXT, first)))
    try:
        assert bring(town, *read(bank.statement(IBAN, NEXT, NEXT, then))).kinds == {}
    except StatementError as error:
        assert error.code == "statement_differs"
    assert town.book.balance(alice.account) == 5_000


def test_a_missing_statement_is_told(town: Town) -> None:
    bring(town, statement(on(DAY, 100)))
    later = statement(on(NEXT, 300), 400)
    assert refusal(town, later) == "statement_gap"
    bring(town, statement(on(DAY, 100, 300)))
    bring(town, later)
    assert balances(town)[BANK] == 700


def test_other_lines_for_the_same_day_are_refused(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200)))
    assert refusal(town, statement(on(DAY, 100, 250))) == "statement_differs"
    bring(town, statement(on(NEXT, 10), 300))
    assert refusal(town, statement(on(DAY, 100, 200, 50))) == "statement_differs"
    assert refusal(town, statement(on(DAY, 100, 250)), corrected=True) == "statement_differs"


def test_a_correction_that_only_takes_a_line_away(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200, 300)))
    part = statement(on(DAY, 100, 300))
    # Without a word, it is the day as the bank had it at noon.
    assert bring(town, part).kinds == {}
    assert balances(town)[BANK] == 600
    bring(town, part, corrected=True)
    assert balances(town) == {BANK: 400, "suspense": 400}
    bring(town, statement([], 0, first=DAY, last=DAY), corrected=True)
    assert balances(town) == {}


@pytest.mark.parametrize("began", [True, False])
@pytest.mark.parametrize("now", [(), (700,), (700, -700)])
def test_a_correction_that_takes_lines_away_that_come_to_nothing(town: Town, began: bool, now: tuple[int, ...]) -> None:
    """It may as well begin after them: it is told to begin a day before, and never passes for known."""
    if began:
        bring(town, statement(on(DAY, 1_000)))
    opening = 1_000 if began else 0
    whole = statement(on(NEXT, 500, -500), opening)
    bring(town, whole)
    assert [(one.new, one.gone) for one in take(town, [whole], corrected=True)] == [(0, 0)]
    with pytest.raises(StatementError, match="begins on 2025-06-10 or before") as caught:
        take(town, [statement(on(NEXT, *now), opening, first=NEXT, last=NEXT)], corrected=True)
    assert caught.value.code == "statement_differs" and "5.00; 2025-06-11: -5.00" in caught.value.detail
    before = on(DAY, 1_000) if began else []
    taken = take(town, [statement(before + on(NEXT, *now), first=DAY, last=NEXT)], corrected=True)
    assert [(one.new, one.gone) for one in taken] == [(len(now), 2)]
    booking.book(town)
    assert balances(town).get(BANK, 0) == opening + sum(now)
    assert audit(town).clean


def test_a_correction_reaches_to_the_end(town: Town) -> None:
    bring(town, statement(on(DAY, 100, 200)))
    # Nothing was booked on the next day, but its statement says with how much it began and ended.
    bring(town, statement([], 300, first=NEXT, last=NEXT))
    assert refusal(town, statement(on(DAY, 100, 250)), corrected=True) == "statement_differs"
    bring(town, statement(on(DAY, 100, 250), last=NEXT), corrected=True)
    assert balances(town) == {BANK: 350, "suspense": 350}
    bring(town, statement(on(NEXT + timedelta(days=1), 10), 350))


def test_a_first_statement_with_euros_that_the_ledger_does_not_have(town: Town) -> None:
    first = statement(on(DAY, 100), 1_500_000)
    assert refusal(town, first) == "statement_opening"
    bring(town, first, opening=True)
    assert balances(town) == {BANK: 1_500_100, "suspense": 1_500_100}
    bring(town, statement(on(NEXT, 1), 1_500_100))
    assert bring(town, first).kinds == {}


def test_a_conversion_at_the_same_moment_as_a_first_statement(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """With what an account begins is worked out before the lock: what is typed then is not left out."""
    alice = parties.admit(town, "person", "Alice")
    keep = _Plans.keep

    def late(plans: _Plans, *args: str) -> None:
        monkeypatch.setattr(_Plans, "keep", keep)
        conversion.convert(town, alice, 700, reserve=BANK, reference="V2", booked_on=DAY - timedelta(days=1))
        keep(plans, *args)

    monkeypatch.setattr(_Plans, "keep", late)
    bring(town, statement(on(DAY, 100), 1_500), opening=True)
    [bank] = [one for one in reserve.report(town).banks if one.name == BANK]
    assert (bank.ledger, bank.statement, bank.explanation) == (1_600, 1_600, ())
    assert audit(town).findings == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"account": "FR7630006000011234567890188"}, "statement_account_unknown"),
        ({"opening": -500}, "statement_overdrawn"),
        ({"days": 30}, "statement_future"),
    ],
)
def test_statements_that_cannot_be(town: Town, changes: dict[str, Any], code: str) -> None:
    day = DAY + timedelta(days=changes.pop("days", 0))
    assert refusal(town, statement(on(day, 100), **changes)) == code


def test_a_file_is_taken_whole_or_not_at_all(town: Town) -> None:
    good, bad = statement(on(DAY, 100)), statement(on(NEXT, 300), 999)
    assert refusal(town, good, bad) == "statement_gap"
    size = town.book.head().seq
    assert bring(town, statement(on(NEXT, 300), 100), good).kinds == {"bank_suspense": 2}
    assert town.book.head().seq == size + 4


def test_an_account_is_known_without_its_key(town: Town) -> None:
    bring(town, statement(on(DAY, 100)))
    assert bring(town, statement(on(DAY, 100), account=IBAN[4:25])).kinds == {}


def test_days_without_a_statement_are_told(town: Town) -> None:
    """Days whose lines come to nothing leave no trace in the balances."""
    monday = date(2025, 6, 2)
    bring(town, statement(on(monday, 100), number="7"))
    later = on(monday + timedelta(days=3), 5)
    assert refusal(town, statement(later, 100)) == "statement_days_missing"
    assert refusal(town, statement(later, 100, number="9")) == "statement_days_missing"
    bring(town, statement(later, 100, number="8"))
    bring(town, statement(on(monday + timedelta(days=7), 6), 105, first=monday + timedelta(days=4)))
    bring(town, statement(on(DAY, 7), 111), quiet_days=True)
    # What was in between after all is new, whenever it comes.
    bring(town, statement(on(monday + timedelta(days=1), 50, -50), 100))
    assert balances(town) == {BANK: 118, "suspense": 118}


def test_a_weekend_is_no_gap(town: Town) -> None:
    friday = date(2025, 6, 6)
    bring(town, statement(on(friday, 100)))
    assert bring(town, statement(on(date(2025, 6, 9), 1), 100)).kinds == {"bank_suspense": 1}
