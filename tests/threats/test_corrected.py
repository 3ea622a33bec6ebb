"""A corrected statement is a hand on the past: whose, and what `check` tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.currency import parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine, LineKind, Statement
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.paying import SHOP_IBANS
from tests.currency.bank.scene import DAY, SAVINGS_IBAN, bring, line, statement, token

ONE = timedelta(days=1)
BEGAN = 500_000
CHEQUE = line(-100_000, "CHEQUE 0000124", DAY, bank_ref="R10")
LESS = [line(-99_999, "VIR PERM LIVRET", DAY, iban=SAVINGS_IBAN, bank_ref="R10", kind=LineKind.TRANSFER),
        line(-1, "FRAIS", DAY, bank_ref="R11", kind=LineKind.CHARGE)]  # fmt: skip
"""What an operator would like the cheque to have been."""


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with scene.opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def office(town: Town) -> Party:
    return parties.admit(town, "association", "Le Patard")


@pytest.fixture
def operator(town: Town, office: Party) -> PrivateKey:
    return towns.join(town, office, "operator", "operator")


@pytest.fixture
def treasurer(town: Town, office: Party) -> PrivateKey:
    return towns.join(town, office, "treasurer", "treasurer")


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


@pytest.fixture(autouse=True)
def theft(town: Town, alice: Party) -> None:
    """A cheque that nobody knows of, beside euros of Alice; it waits in suspense."""
    began = line(BEGAN, token(town, alice), DAY - ONE, iban=SHOP_IBANS[2], kind=LineKind.TRANSFER)
    bring(town, statement([began]))
    bring(town, statement([CHEQUE], BEGAN))
    assert [one.line.amount for one in open_lines(town)] == [CHEQUE.amount]


def correct(town: Town, key: PrivateKey, *lines: BankLine, **days: object) -> None:
    made: Statement = statement(lines, BEGAN, **days)
    acting = towns.acting(town, key, "POST /v1/bank/imports?corrected=true")
    taking.take(acting, [made], corrected=True, by=key.public.hex())
    booking.book(acting, by=key.public.hex())


def refused(town: Town, key: PrivateKey, *lines: BankLine, **days: object) -> None:
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        correct(town, key, *lines, **days)
    assert caught.value.code == "role_insufficient"


def notices(town: Town) -> list[str]:
    """Those of statements."""
    found = audit(town)
    assert {one.code for one in found.findings} <= {"reserve_short"}
    return [one.text for one in found.notices if one.text.startswith("statement")]


def test_the_last_days_are_corrected_by_anybody_of_the_office(town: Town, operator: PrivateKey) -> None:
    correct(town, operator, *LESS)
    [told] = notices(town)
    assert "what went: -100000 (20250610/-100000/1, which waited in suspense)" in told
    assert "what came: -99999 (20250610/-99999/1), -1 (20250610/-1/1) (cents)" in told


def test_a_day_that_others_follow_is_a_treasurers(town: Town, operator: PrivateKey, treasurer: PrivateKey) -> None:
    bring(town, statement([line(50, "don", DAY + ONE)], BEGAN - 100_000))
    refused(town, operator, *LESS)
    # Nor with the days that follow in one file, nor by lines that only come to it.
    last = line(50, "don", DAY + ONE)
    refused(town, operator, *LESS, last)
    refused(town, operator, CHEQUE, last, line(700, "don", DAY, bank_ref="R12"))
    assert notices(town) == []
    correct(town, treasurer, *LESS)
    assert len(notices(town)) == 1


def test_lines_that_only_come_to_a_day_that_others_follow(town: Town, treasurer: PrivateKey) -> None:
    last = line(50, "don", DAY + ONE)
    bring(town, statement([last], BEGAN - 100_000))
    correct(town, treasurer, CHEQUE, last, line(700, "don", DAY, bank_ref="R12"))
    [told] = notices(town)
    assert "what went: nothing; what came: 700 (20250610/700/1" in told


def test_a_line_that_somebody_decided_about_is_a_treasurers(
    town: Town, operator: PrivateKey, treasurer: PrivateKey
) -> None:
    [one] = open_lines(town)
    scene.decide(town, treasurer, one.line.id, Decision(way=Way.OWN))
    refused(town, operator, *LESS)
    scene.undecide(town, treasurer, one.line.id)
    refused(town, operator, *LESS)
    correct(town, treasurer, *LESS)
    assert len(notices(town)) == 1


def test_what_continues_is_no_correction(town: Town, operator: PrivateKey) -> None:
    """The same command for a file that corrects nothing."""
    correct(town, operator, CHEQUE, line(50, "don", DAY + ONE))
    bring(town, statement([line(70, "don", DAY + 2 * ONE)], BEGAN - 99_950))
    correct(town, operator, CHEQUE)
    assert notices(town) == []
