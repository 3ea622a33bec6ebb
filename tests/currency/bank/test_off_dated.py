"""Lines that a bank books with a day outside of their statement: known when they come again, whatever they come to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.currency import parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.bank.statement import BankLine, LineKind, StatementError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import SHOP_IBANS
from tests.currency.bank.scene import SAVINGS_IBAN, bring, line, opened, statement, token

CAMT, CFONB = "camt.053", "cfonb120"
BEGAN = 500_000


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        towns.clock(made).forward(40 * 86_400)
        bring(made, statement([line(BEGAN, "don", july(1), bank_ref="R0")]))
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


def july(day: int) -> date:
    return date(2025, 7, day)


def came(town: Town, alice: Party, day: int, number: int = 1, cents: int = 5_000) -> BankLine:
    """A transfer of Alice, with the bank's reference and her bank's id of the order."""
    return line(cents, token(town, alice), july(day), iban=SHOP_IBANS[2], bank_ref=f"R{number}",
                end_to_end=f"ALICE-JUILLET-{number:04}", kind=LineKind.TRANSFER)  # fmt: skip


def went(day: int, reference: str = "R2", cents: int = 5_000) -> BankLine:
    return line(-cents, "VIR LIVRET", july(day), iban=SAVINGS_IBAN, bank_ref=reference, kind=LineKind.TRANSFER)


def refused(town: Town, *lines: BankLine, opening: int, days: tuple[int, int], corrected: bool = False) -> str:
    made = statement(lines, opening, first=july(days[0]), last=july(days[1]))
    with towns.nothing_moves(town), pytest.raises(StatementError) as caught:
        taking.take(town, [made], quiet_days=True, corrected=corrected)
    return caught.value.code


@pytest.mark.parametrize("off", [{1, 2}, {1}, {2}])
def test_back_dated_lines_come_again(town: Town, alice: Party, off: set[int]) -> None:
    """Booked on the 12th under the 5th, on the statement to the 12th and on that from the 12th: both of them, and
    each beside one of the day itself."""
    twice = [came(town, alice, 5 if 1 in off else 12), went(5 if 2 in off else 12)]
    more = line(900, "don", july(15), bank_ref="R4")
    bring(town, statement(twice, BEGAN, first=july(2), last=july(12)))
    assert bring(town, statement([*twice, more], BEGAN, first=july(12), last=july(20))).kinds == {"bank_suspense": 1}
    assert town.book.balance(alice.account) == 5_000
    assert audit(town).clean


def test_ahead_dated_lines_come_again(town: Town, alice: Party) -> None:
    """Under a day to come, at the end of one statement and in the next, which follows it."""
    twice = [came(town, alice, 14), went(14)]
    bring(town, statement(twice, BEGAN, first=july(2), last=july(11)))
    more = line(900, "don", july(15), bank_ref="R4")
    assert bring(town, statement([*twice, more], BEGAN, first=july(14), last=july(20))).kinds == {"bank_suspense": 1}
    assert town.book.balance(alice.account) == 5_000
    # One alone would be in the balance with which the next one begins, so that is not the bank's word.
    assert refused(town, twice[0], opening=BEGAN + 900, days=(21, 22)) == "statement_differs"


def test_back_dated_lines_that_come_to_something(town: Town, alice: Party) -> None:
    """The statement from the 12th begins without them, and ours has them: that is no gap."""
    twice = [came(town, alice, 3), line(-240, "FRAIS", july(5), bank_ref="R2", kind=LineKind.CHARGE)]
    bring(town, statement([*twice, went(11, "R3", 700)], BEGAN, first=july(2), last=july(12)))
    again = [*twice, line(900, "don", july(15), bank_ref="R4")]
    assert bring(town, statement(again, BEGAN - 700, first=july(12), last=july(20))).kinds == {"bank_suspense": 1}
    assert town.book.balance(alice.account) == 5_000
    assert not bring(town, statement(again, BEGAN - 700, first=july(12), last=july(20))).kinds
    last = july(21)
    assert bring(town, statement([line(1, "don", last)], BEGAN + 4_960)).kinds == {"bank_suspense": 1}


def test_in_doubt_nothing_is_booked(town: Town, alice: Party) -> None:
    """Another format without references, whose lines may be the same."""
    bring(town, statement([came(town, alice, 5), went(5)], BEGAN, first=july(2), last=july(12)))
    told = [line(5_000, f"VIR {token(town, alice)}", july(5)), line(-5_000, "VIREMENT", july(5))]
    assert refused(town, *told, opening=BEGAN, days=(13, 20)) == "statement_differs"
    assert refused(town, *told, opening=BEGAN, days=(12, 20)) == "statement_differs"
    assert refused(town, *told, opening=BEGAN, days=(12, 20), corrected=True) == "statement_differs"


@pytest.mark.parametrize("last", [pytest.param(3, id="ahead"), pytest.param(4, id="within")])
def test_none_is_swallowed(town: Town, last: int) -> None:
    """Under the 4th, before it or on it, and as much under the 4th after it, by references of the same bank."""
    first = [line(3_000, "remise 1", july(4), bank_ref="R1"), line(-3_000, "loyer mai", july(4), bank_ref="R2")]
    others = [line(3_000, "remise 1", july(4), bank_ref="R3"), line(-3_000, "loyer juin", july(4), bank_ref="R4")]
    bring(town, statement(first, BEGAN, first=july(2), last=july(last)))
    assert refused(town, *others, opening=BEGAN, days=(last, 6)) == "statement_differs"
    assert not bring(town, statement(first, BEGAN, first=july(last), last=july(4))).kinds


def test_others_of_that_day_and_amount(town: Town, alice: Party) -> None:
    """What comes late under a day that is long past is new where balances or references say so."""
    bring(town, statement([came(town, alice, 5)], BEGAN, first=july(2), last=july(12)))
    late = line(5_000, "VIR SANS REF", july(5))
    assert bring(town, statement([late], BEGAN + 5_000, first=july(13), last=july(14))).kinds == {"bank_suspense": 1}
    pair = [came(town, alice, 5, 7), went(5, "R8")]
    booked = bring(town, statement(pair, BEGAN + 10_000, first=july(15), last=july(16)))
    assert booked.kinds == {"conversion": 1, "bank_transit": 1}
    assert town.book.balance(alice.account) == 10_000


def test_a_third_statement_of_a_day(town: Town, alice: Party) -> None:
    """The same person sends as much once more, after it went: two references of the bank's and two orders."""
    d = july(2)
    for sent, opening in ((came(town, alice, 2, 1), BEGAN), (went(2), BEGAN + 5_000), (came(town, alice, 2, 3), BEGAN)):
        bring(town, statement([sent], opening))
    assert town.book.balance(alice.account) == 10_000
    assert bring(town, statement([line(1, "don", d)], BEGAN + 5_000)).kinds == {"bank_suspense": 1}


def test_another_order_in_its_place_is_no_repetition(town: Town, alice: Party) -> None:
    bring(town, statement([came(town, alice, 2, 1)], BEGAN))
    assert refused(town, came(town, alice, 2, 9), opening=BEGAN, days=(2, 2)) == "statement_differs"
    # A format may cut the order's id, and have references of its own.
    cut = line(5_000, "VIR", july(2), bank_ref="17", end_to_end=came(town, alice, 2, 1).end_to_end[:-1])
    assert not bring(town, statement([cut], BEGAN, format=CFONB)).kinds


def test_an_order_that_names_another_under_one_reference(town: Town, alice: Party) -> None:
    """Some banks count lines from 1 on each day: a reference is one line's only with the order's id."""
    bring(town, statement([came(town, alice, 5, 1)], BEGAN, first=july(2), last=july(12)))
    other = line(5_000, token(town, alice), july(5), bank_ref="R1", end_to_end="ALICE-JUILLET-0077")
    assert bring(town, statement([other], BEGAN + 5_000, first=july(13), last=july(14))).kinds == {"conversion": 1}
    assert town.book.balance(alice.account) == 10_000


def test_older_than_all_that_is_looked_at(town: Town, alice: Party) -> None:
    """The file's statements begin on the 12th and later; what their lines are held against is of the 1st."""
    twice = [came(town, alice, 1, 1), went(1)]
    bring(town, statement(twice, BEGAN, first=july(2), last=july(9)))
    bring(town, statement([line(1, "don", july(10))], BEGAN))
    following = statement([line(2, "don", july(12))], BEGAN + 1, last=july(13))
    again = statement(twice, BEGAN + 3, first=july(14), last=july(15))
    assert bring(town, following, again).kinds == {"bank_suspense": 1}
    assert town.book.balance(alice.account) == 5_000
