"""What is typed on an account without statements, and what its first statement makes of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from ledger.currency import conversion, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import ahead, taking, withdrawing
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine, Statement, StatementError
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import open_reserve
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, IBAN, SAVINGS, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.threats.test_one_euro import TODAY, check_finds, commit_refuses, once, typed
from tests.towns import BANK

DAYS = timedelta(days=1)


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


def test_an_opening_on_an_account_without_statements(town: Town) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="none of 'Livret' stands: its euros come by"):
        open_reserve(town, SAVINGS, 5_000, "M1")


def test_typed_on_an_account_without_a_statement_is_awaited(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    id_ = typed(town, alice, 700, "V-1", None, SAVINGS).id
    assert ahead.expected_until(town, id_) == TODAY + 10 * DAYS
    report = reserve.report(town)
    assert (report.covered, report.sound, report.awaited, report.proved) == (True, True, 700, 5_000)
    towns.clock(town).forward(11 * 86_400)
    check_finds(
        town,
        f"conversion V-1 of 700 cents on {SAVINGS!r} (no statement): a statement should have had it by 2025-06-25, "
        "and none has",
    )
    assert bring(town, statement([line(700, "x", TODAY, bank_ref="V-1")], account=SAVINGS_IBAN)).kinds == {
        "bank_line_known": 1
    }
    assert audit(town).clean and reserve.report(town).covered


def test_typed_there_for_another_month(town: Town, alice: Party) -> None:
    """The month is mistyped, on the account that the statements are not of: the line has doubts all the same."""
    bring(town, statement([line(100, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    commit_refuses(
        "conversion_on_statement", "of it or of others: 2025-05-11 is longer ago than the 10 days",
        town, alice, 5_000, "V-1", DAY - 30 * DAYS, SAVINGS,
    )  # fmt: skip
    typed(town, alice, 5_000, "V-2", TODAY - 10 * DAYS, SAVINGS)
    towns.clock(town).forward(8 * 86_400)
    day = TODAY + 8 * DAYS
    assert bring(town, statement([line(5_000, token(town, alice), day)], 100)).kinds == {"bank_suspense": 1}
    assert balances(town)["members"] == 5_000


def test_typed_there_before_any_statement_is_no_fault_and_proves_nothing(town: Town, alice: Party) -> None:
    typed(town, alice, 700, "V-1", DAY - 30 * DAYS, SAVINGS)
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    towns.clock(town).forward(20 * 86_400)
    report = reserve.report(town)
    assert audit(town).clean and (report.covered, report.backed, report.awaited) == (False, True, 0)
    assert [one.name for one in report.by_word] == [SAVINGS]


# --- and its first statement ---------------------------------------------------------------------------------


def begun(town: Town) -> None:
    """The one account has statements, and the association's own euros on it."""
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))


def first(opening: int, *lines: BankLine) -> Statement:
    """The first statement of the other, since twelve days after today."""
    day = TODAY + 12 * DAYS
    days = [day, *(one.booked_on for one in lines)]
    return statement(lines, opening, account=SAVINGS_IBAN, first=min(days), last=max(days))


LOST = (
    f"conversion V-1 of 700 cents counts for 2025-06-15 on {SAVINGS!r} (statements to 2025-06-27), and no line of a "
    "statement explains it"
)


@pytest.mark.parametrize("there", [0, 500, 700, 900])
def test_a_first_statement_does_not_prove_what_was_awaited(town: Town, alice: Party, there: int) -> None:
    """Whatever it begins with: a balance names nobody."""
    begun(town)
    typed(town, alice, 700, "V-1", None, SAVINGS)
    towns.clock(town).forward(12 * 86_400)
    if there:
        says = "the ledger has 0.00 before 2025-06-27, beside 7.00 that were typed and await a statement: import"
        with towns.nothing_moves(town), pytest.raises(StatementError, match=says) as caught:
            bring(town, first(there))
        assert caught.value.code == "statement_opening"
    bring(town, first(there), opening=bool(there))
    check_finds(town, LOST)
    waiting = [one.line.amount for one in open_lines(town)]
    assert sum(waiting) == there and (700 in waiting) is (there >= 700)
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))
    check_finds(town, LOST)
    conversion.correct(town, conversion.conversion_id(town, SAVINGS, "V-1"))
    once(town, 0)


def test_a_person_says_that_it_began_with_what_was_awaited(town: Town, alice: Party) -> None:
    begun(town)
    for number, amount in enumerate((700, 300)):
        typed(town, alice, amount, f"V-{number}", None, SAVINGS)
    towns.clock(town).forward(12 * 86_400)
    bring(town, first(1_200), opening=True)
    assert [one.line.amount for one in open_lines(town)] == [700, 300, 200]
    for one in open_lines(town):
        if one.line.amount > 200:
            with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as known"):
                place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
        place(town, one.line.id, one.proposals[0].decision)
    once(town, 1_000)
    assert balances(town)[SAVINGS] == 1_200


def test_its_line_comes_late(town: Town, alice: Party) -> None:
    """What was awaited may be a line of the first statement, though it was typed for a day before."""
    begun(town)
    typed(town, alice, 700, "V-1", None, SAVINGS)
    towns.clock(town).forward(13 * 86_400)
    comes = line(700, token(town, alice), TODAY + 13 * DAYS)
    assert bring(town, first(0, comes)).kinds == {"bank_suspense": 1}
    place(town, waits(town).line.id, waits(town).proposals[0].decision)
    once(town, 700)


@pytest.mark.parametrize("when", ["before any", "in one file"])
def test_a_new_currency_begins_with_what_was_typed(town: Town, alice: Party, when: str) -> None:
    typed(town, alice, 700, "V-1", DAY - 3 * DAYS, SAVINGS)
    other = statement([], 1_000, account=SAVINGS_IBAN)
    if when == "in one file":
        bring(town, statement([], 5_000), other, opening=True)
    else:
        bring(town, statement([], 5_000), opening=True)
        bring(town, other, opening=True)
    assert sorted(one.line.amount for one in open_lines(town)) == [300, 5_000]
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))
    once(town, 700)


def test_a_book_that_began_with_it_before_it_was_set_aside(town: Town, alice: Party, monkeypatch: Any) -> None:
    begun(town)
    typed(town, alice, 700, "V-1", None, SAVINGS)
    towns.clock(town).forward(12 * 86_400)
    with monkeypatch.context() as before:
        before.setattr(taking, "awaited", lambda *_asked: [])
        bring(town, first(900), opening=True)
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    once(town, 700)


# --- and once its statements are withdrawn -------------------------------------------------------------------


@pytest.mark.parametrize("account", [BANK, SAVINGS])
def test_what_no_euro_came_for_stays_one_when_statements_are_withdrawn(town: Town, alice: Party, account: str) -> None:
    """Since any account had a statement, what is typed is believed no longer, whether that statement stands or not."""
    iban = SAVINGS_IBAN if account == SAVINGS else IBAN
    bring(town, statement([]))
    typed(town, alice, 700, "V-1", None, account)
    if account == SAVINGS:
        bring(town, statement([], account=SAVINGS_IBAN))
    towns.clock(town).forward(12 * 86_400)
    bring(town, statement([], first=DAY + DAYS, last=TODAY + 11 * DAYS, account=iban))
    check_finds(town, LOST.replace(SAVINGS, account).replace("2025-06-27", "2025-06-26"))
    withdrawing.withdraw(town, account)
    check_finds(
        town,
        f"conversion V-1 of 700 cents on {account!r} (no statement): a statement should have had it by 2025-06-25, "
        "and none has",
    )
    if account == SAVINGS:
        withdrawing.withdraw(town, BANK)
    assert not audit(town).clean and not reserve.report(town).covered
    commit_refuses("conversion_on_statement", "is longer ago than the 10 days", town, alice, 700, "V-2", DAY, account)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="its euros come by its first one"):
        open_reserve(town, account, 5_000, "M1")
    conversion.correct(town, conversion.conversion_id(town, account, "V-1"))
    report = reserve.report(town)
    # Nothing is out, and what the bank has on accounts whose statements are withdrawn nobody knows.
    assert audit(town).clean and (report.reserve, report.backed, report.covered) == (0, True, False)


def test_its_line_comes_with_the_true_statement(town: Town, alice: Party) -> None:
    bring(town, statement([], 500), opening=True)
    id_ = typed(town, alice, 700, "V-1", None).id
    withdrawing.withdraw(town, BANK)
    assert ahead.expected_until(town, id_) == TODAY + 10 * DAYS
    assert bring(town, statement([line(700, "x", TODAY, bank_ref="V-1")])).kinds == {"bank_line_known": 1}
    once(town, 700)
