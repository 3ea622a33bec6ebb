"""What one line explains of another (a pair, a transfer of our own, cash): an operator where the bank says so, else a
treasurer whom all see.
"""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from ledger.currency import conversion, parties
from ledger.currency.audit.charged import FORMS
from ledger.currency.audit.walk import audit
from ledger.currency.bank import said
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, IBAN, SAVINGS_IBAN, bring, decide, line, statement
from tests.threats.test_cash_of_the_box import officer
from tests.towns import CASH

ONE = timedelta(days=1)
HERE = "DE89370400440532013000"
CAME = line(5_000, "VIR INCONNU", kind=LineKind.TRANSFER, iban=HERE)
CHEQUE = line(-5_000, "CHEQUE 55", DAY + ONE)
CARD = line(-5_000, "CARTE 4711 FNAC", DAY + ONE)


class Case(NamedTuple):
    """Lines that come, which of them is placed (cents) and as what; whether the bank says so."""

    lines: tuple[BankLine, ...]
    first: int
    way: Way
    by_the_bank: bool


CASES = {
    "a cheque for what came": Case((CAME, CHEQUE), 5_000, Way.PAIR, False),
    "the other way round": Case((CAME, CHEQUE), -5_000, Way.PAIR, False),
    "to the payer": Case(
        (CAME, line(-5_000, "VIR", DAY + ONE, kind=LineKind.TRANSFER, iban=HERE)), 5_000, Way.PAIR, True),
    "a return": Case((CAME, line(-5_000, "RETOUR", DAY + ONE, kind=LineKind.RETURN)), -5_000, Way.PAIR, True),
    "what came back": Case((line(5_000, "RETOUR", kind=LineKind.RETURN), CHEQUE), 5_000, Way.PAIR, False),
    "to nobody of ours": Case((CHEQUE,), -5_000, Way.TRANSIT, False),
    "from nobody of ours": Case((line(5_000, "VIREMENT"),), 5_000, Way.TRANSIT, False),
    "a card's payment": Case((CARD,), -5_000, Way.CASH, False),
    "a withdrawal": Case((line(-5_000, "RETRAIT DAB", DAY, kind=LineKind.CASH),), -5_000, Way.CASH, True),
    "of whom nobody knows": Case((line(5_000, "DE BOB DUBOIS"),), 5_000, Way.CASH, False),
    "a deposit": Case((line(5_000, "VERSEMENT ESPECES", kind=LineKind.CASH),), 5_000, Way.CASH, True),
}  # fmt: skip


def taken(town: Town, case: Case) -> tuple[bytes, Decision]:
    """The line that is placed, and as what."""
    conversion.convert(town, parties.admit(town, "person", "Zoé"), 9_000, reserve=CASH, reference="S-1")
    bring(town, statement([], account=SAVINGS_IBAN))
    bring(town, statement([line(20_000, "AU DEBUT", DAY), *case.lines]))
    ids = {one.line.amount: one.line.id for one in open_lines(town)}
    other = ids[-case.first] if case.way is Way.PAIR else None
    return ids[case.first], Decision(way=case.way, other=other, cash=CASH if case.way is Way.CASH else None)


def named(town: Town, case: Case) -> list[object]:
    return [one.values["amount"] for one in audit(town).notices if one.form == FORMS[case.way]]


@pytest.mark.parametrize("what", CASES)
def test_who_says_it(town: Town, what: str) -> None:
    case = CASES[what]
    (id_, decision), operator = taken(town, case), officer(town, "operator")
    if case.by_the_bank:
        decide(town, operator, id_, decision)
        assert audit(town).clean and not named(town, case)
        return
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="treasurer may") as refused:
        decide(town, operator, id_, decision)
    assert refused.value.code == "role_insufficient"
    decide(town, officer(town, "treasurer"), id_, decision)
    assert audit(town).clean and named(town, case) == [5_000]


def test_what_the_bank_names_as_ours_nobody_is_asked(town: Town) -> None:
    bring(town, statement([line(5_000, "VIR", kind=LineKind.TRANSFER, iban=IBAN)], account=SAVINGS_IBAN))
    assert not open_lines(town) and audit(town).clean and not audit(town).notices


@pytest.mark.parametrize("what", [name for name, case in CASES.items() if not case.by_the_bank])
def test_check_finds_an_operators_word(town: Town, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    id_, decision = taken(town, CASES[what])
    with monkeypatch.context() as patched:
        patched.setattr(said, "explains", lambda *_given, **_more: True)
        decide(town, officer(town, "operator"), id_, decision)
    assert [one.code for one in audit(town).findings] == ["role_insufficient"]
