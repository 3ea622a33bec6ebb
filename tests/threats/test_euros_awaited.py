"""What is typed on an account without statements, and what its first statement makes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import ahead
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import open_reserve
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.threats.test_one_euro import TODAY, check_finds, commit_refuses, typed

DAYS = timedelta(days=1)


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


def test_an_opening_on_an_account_without_statements(town: Town) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="has none yet: its euros come by its first one"):
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
        f"conversion V-1 of 700 cents on {SAVINGS!r} (no statement yet): a statement should have had it by 2025-06-25, "
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
        "conversion_on_statement", "other accounts have: 2025-05-11 is longer ago than the 10 days",
        town, alice, 5_000, "V-1", DAY - 30 * DAYS, SAVINGS,
    )  # fmt: skip
    typed(town, alice, 5_000, "V-2", TODAY - 10 * DAYS, SAVINGS)
    towns.clock(town).forward(8 * 86_400)
    day = TODAY + 8 * DAYS
    assert bring(town, statement([line(5_000, token(town, alice), day)], 100)).kinds == {"bank_suspense": 1}
    assert balances(town)["members"] == 5_000


def test_typed_there_before_any_statement_is_believed(town: Town, alice: Party) -> None:
    typed(town, alice, 700, "V-1", DAY - 30 * DAYS, SAVINGS)
    bring(town, statement([line(5_000, "don")]))
    place(town, waits(town).line.id, Decision(way=Way.OWN))
    towns.clock(town).forward(20 * 86_400)
    report = reserve.report(town)
    assert audit(town).clean and (report.covered, report.awaited) == (True, 0)
