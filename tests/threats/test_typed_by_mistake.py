"""A conversion that an honest office typed wrongly, of another sum or as cash, and its line: there is a way on.

An operator is asked to have a treasurer look, so that nobody gets units twice; no line of the member waits for ever.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import conversion
from ledger.currency.audit.walk import audit
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, balances, bring, decide, line, statement, token
from tests.threats.test_cash_of_the_box import officer
from tests.threats.test_one_euro import once
from tests.towns import BANK, CASH

ONE = timedelta(days=1)
IBAN = "NL91ABNA0417164300"


def transfer(amount: int, text: str = "VIR ALICE", days: int = 2) -> BankLine:
    return line(amount, text, DAY + days * ONE, kind=LineKind.TRANSFER, iban=IBAN)


def refused(town: Town, role: str, decision: Decision, code: str, words: str) -> None:
    [one] = open_lines(town)
    key = officer(town, role, str(town.book.head().seq))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match=words) as no:
        decide(town, key, one.line.id, decision)
    assert no.value.code == code


# --- typed as cash -----------------------------------------------------------------------------------------


def test_what_was_typed_as_cash_came_by_the_bank(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-1", booked_on=DAY)
    bring(town, statement([transfer(5_000)]))
    whole = Decision(way=Way.MEMBER, holder=alice.account)
    refused(town, "operator", whole, "role_insufficient", "50.00 were typed as S-1 for 2025-06-10 for the same member")
    as_cash = Decision(way=Way.CASH, cash=CASH)
    refused(town, "operator", as_cash, "role_insufficient", "a treasurer may say")
    [one] = open_lines(town)
    posted = decide(town, officer(town, "treasurer"), one.line.id, as_cash)
    once(town, 5_000)
    assert balances(town)[BANK] == 5_000 and CASH not in balances(town)
    [told] = [notice for notice in audit(town).notices if notice.seq == posted.seq]
    assert "as cash of a box, and the bank does not call it so" in told.form


@pytest.mark.parametrize(("amount", "days"), [(4_999, 2), (5_001, 2), (5_000, 22)])
def test_no_slip_makes_cash_of_another_sum_or_time(town: Town, alice: Party, amount: int, days: int) -> None:
    conversion.convert(town, alice, 5_001, reserve=CASH, reference="S-1")
    conversion.correct(town, conversion.conversion_id(town, CASH, "S-1"))
    conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-2")
    conversion.convert(town, alice, 1, reserve=CASH, reference="S-3")
    towns.clock(town).forward(25 * 86_400)
    bring(town, statement([transfer(amount, days=days)]))
    refused(town, "treasurer", Decision(way=Way.CASH, cash=CASH), "placing_uneven", "this is no cash")


def test_a_slip_whose_cash_was_paid_in_holds_nobody_up(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-1", booked_on=DAY)
    bring(town, statement([line(5_000, "VERSEMENT ESPECES", kind=LineKind.CASH)]))
    operator = officer(town, "operator")
    decide(town, operator, open_lines(town)[0].line.id, Decision(way=Way.CASH, cash=CASH))
    bring(town, statement([transfer(5_000)], 5_000, first=DAY + ONE))
    decide(town, operator, open_lines(town)[0].line.id, Decision(way=Way.MEMBER, holder=alice.account))
    once(town, 10_000)


@pytest.mark.parametrize(("amount", "days"), [(4_999, 2), (5_000, 16)])
def test_a_slip_of_another_sum_or_time_holds_nobody_up(town: Town, alice: Party, amount: int, days: int) -> None:
    conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-1", booked_on=DAY)
    towns.clock(town).forward(15 * 86_400)
    bring(town, statement([transfer(amount, days=days)]))
    [one] = open_lines(town)
    decide(town, officer(town, "operator"), one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert audit(town).clean


# --- another sum -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", [False, True])
def test_another_sum_was_typed(town: Town, alice: Party, split: bool) -> None:
    """The member gets what came; what was typed and did not is found until it is taken back."""
    bring(town, statement([]))
    id_ = conversion.convert(town, alice, 5_000, reserve=BANK, reference="VIR-1", booked_on=DAY + 2 * ONE).id
    bring(town, statement([transfer(4_000, token(town, alice))], first=DAY + 2 * ONE))
    shares = (Share(Way.MEMBER, 3_000, alice.account), Share(Way.OWN, 1_000))
    decision = Decision(way=Way.SPLIT, shares=shares) if split else Decision(way=Way.MEMBER, holder=alice.account)
    refused(town, "operator", decision.plain(), "role_insufficient", "50.00 were typed as VIR-1 for 2025-06-12")
    [one] = open_lines(town)
    decide(town, officer(town, "treasurer"), one.line.id, decision.plain())
    assert [found.code for found in audit(town).findings] == ["bank_unexplained"]
    conversion.correct(town, id_)
    once(town, 3_000 if split else 4_000)


def test_it_is_not_asked_of_lines_of_another_time(town: Town, alice: Party) -> None:
    """Of another sum: that it is of one member says nothing then. Of the same sum it is asked, however late."""
    bring(town, statement([]))
    conversion.convert(town, alice, 5_000, reserve=BANK, reference="VIR-1", booked_on=DAY + ONE)
    later = [transfer(amount, token(town, alice), days=17) for amount in (4_000, 5_000)]
    towns.clock(town).forward(15 * 86_400)
    done = bring(town, statement(later, first=DAY + ONE, last=DAY + 18 * ONE))
    assert done.kinds == {"conversion": 1, "bank_suspense": 1}
    [one] = open_lines(town)
    assert one.line.amount == 5_000 and balances(town)["members"] == 9_000
