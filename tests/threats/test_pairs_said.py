"""A pair explains what went out by what came: an operator where the bank says so, else a treasurer whom all see."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency.audit.boxed import PAIR
from ledger.currency.audit.walk import audit
from ledger.currency.bank import said
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, bring, decide, line, statement
from tests.threats.test_cash_of_the_box import officer

ONE = timedelta(days=1)
HERE, THERE = "DE89370400440532013000", "NL91ABNA0417164300"
CAME = line(5_000, "VIR INCONNU", kind=LineKind.TRANSFER, iban=HERE)
WENT = {
    "to nobody": (line(-5_000, "CHEQUE 55", DAY + ONE), False),
    "to the payer": (line(-5_000, "VIR INCONNU", DAY + ONE, kind=LineKind.TRANSFER, iban=HERE), True),
    "a return": (line(-5_000, "RETOUR VIR", DAY + ONE, kind=LineKind.RETURN), True),
}


def waiting(town: Town, went: BankLine, came: BankLine = CAME) -> dict[int, bytes]:
    bring(town, statement([came, went]))
    return {one.line.amount: one.line.id for one in open_lines(town)}


@pytest.mark.parametrize("first", [5_000, -5_000])
@pytest.mark.parametrize("what", WENT)
def test_who_says_that_what_went_is_what_came(town: Town, what: str, first: int) -> None:
    went, by_the_bank = WENT[what]
    ids, operator = waiting(town, went), officer(town, "operator")
    decision = Decision(way=Way.PAIR, other=ids[-first])
    if by_the_bank:
        decide(town, operator, ids[first], decision)
        assert audit(town).clean and not [one for one in audit(town).notices if one.form == PAIR]
        return
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="A treasurer may") as refused:
        decide(town, operator, ids[first], decision)
    assert refused.value.code == "role_insufficient"
    decide(town, officer(town, "treasurer"), ids[first], decision)
    told = [one.values for one in audit(town).notices if one.form == PAIR]
    assert audit(town).clean and [one["amount"] for one in told] == [5_000]


def test_what_came_back_explains_no_cheque(town: Town) -> None:
    """That something came back says nothing of what went."""
    back = line(5_000, "RETOUR VIR", kind=LineKind.RETURN)
    ids = waiting(town, WENT["to nobody"][0], back)
    with pytest.raises(CurrencyError, match="A treasurer may"):
        decide(town, officer(town, "operator"), ids[5_000], Decision(way=Way.PAIR, other=ids[-5_000]))


def test_check_finds_an_operators_pair(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = waiting(town, WENT["to nobody"][0])
    with monkeypatch.context() as patched:
        patched.setattr(said, "is_pair", lambda *_given: True)
        decide(town, officer(town, "operator"), ids[5_000], Decision(way=Way.PAIR, other=ids[-5_000]))
    assert [one.code for one in audit(town).findings] == ["role_insufficient"]
