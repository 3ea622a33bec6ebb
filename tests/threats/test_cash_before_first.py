"""Cash of slips that was paid in before the first statement of an account: it is in the sum which that begins with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.core.ids import account_text
from ledger.currency import chartered, conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import boxes
from ledger.currency.bank.lines import Line
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS_IBAN, balances, bring, decide, opened, statement
from tests.threats.test_cash_of_the_box import officer, otherwise, slip, unasked
from tests.towns import BANK, CASH

ONE = timedelta(days=1)


def begins(town: Town, amount: int, account: str | None = None) -> Line:
    """A first statement that begins with so much, which waits to be told what it is."""
    says = {} if account is None else {"account": account}
    bring(town, statement([], amount, first=DAY + 3 * ONE, last=DAY + 4 * ONE, **says), opening=True)
    [one] = [each.line for each in open_lines(town) if each.line.amount == amount]
    return one


@pytest.mark.parametrize("account", [None, SAVINGS_IBAN])
@pytest.mark.parametrize("amount", [5_000, 4_999, 123_456])
@pytest.mark.parametrize("way", ["member", "split", "own", "charge"])
def test_what_was_there_before_its_first_statement(
    town: Town, alice: Party, way: str, amount: int, account: str | None
) -> None:
    """Whatever it comes to: the cash is a part of it."""
    slip(town)
    one, decision = begins(town, amount, account), otherwise(town, alice, way, amount)
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may say what of it is") as refused:
        decide(town, operator, one.id, decision)
    assert refused.value.code == "role_insufficient"
    posted = decide(town, treasurer, one.id, decision)
    done = audit(town)
    assert done.clean and [notice for notice in done.notices if notice.seq == posted.seq]


@pytest.mark.parametrize("way", ["member", "own"])
def test_where_no_box_has_any_it_is_an_operators(town: Town, alice: Party, way: str) -> None:
    one = begins(town, 5_000)
    posted = decide(town, officer(town, "operator"), one.id, otherwise(town, alice, way, 5_000))
    done = audit(town)
    assert done.clean and not [notice for notice in done.notices if notice.seq == posted.seq]


def test_a_treasurer_places_it_as_cash(town: Town) -> None:
    slip(town)
    one, decision, operator = begins(town, 5_000), Decision(way=Way.CASH, cash=CASH), officer(town, "operator")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may") as refused:
        decide(town, operator, one.id, decision)
    assert refused.value.code == "role_insufficient"
    decide(town, officer(town, "treasurer"), one.id, decision)
    assert balances(town)[BANK] == 5_000 and CASH not in balances(town) and audit(town).clean


def test_a_members_own_slip_is_no_reason_to_refuse_it_to_a_treasurer(town: Town, alice: Party) -> None:
    """What they sent before the first statement is theirs, beside the cash that they gave."""
    slip(town, 5_000, "S-1", alice)
    decide(town, officer(town, "treasurer"), begins(town, 4_000).id, Decision(way=Way.MEMBER, holder=alice.account))
    assert town.book.balance(alice.account) == 9_000 and audit(town).clean


@pytest.mark.parametrize("late", [0, 40])
def test_a_slip_that_comes_later(town: Town, alice: Party, late: int) -> None:
    """First the sum is placed as a member's, then a slip is typed for its cash: an operator types none."""
    one, operator = begins(town, 5_000), officer(town, "operator")
    decide(town, operator, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    towns.clock(town).forward(late * 86_400)
    asks = {"account": account_text(alice.account), "amount_cents": 5_000, "reserve": CASH, "reference": "S-1"}
    acting = towns.acting(town, operator, "POST /v1/conversions", **asks)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="it may be") as refused:
        conversion.convert(acting, alice, 5_000, reserve=CASH, reference="S-1", by=operator.public.hex())
    assert refused.value.code == "conversion_on_statement"


def test_check_knows_what_the_desk_did_not_ask(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    slip(town)
    one, operator = begins(town, 9_999), officer(town, "operator")
    unasked(monkeypatch, "boxed")
    monkeypatch.setattr(boxes, "look", lambda *_given: boxes.Boxes())
    posted = decide(town, operator, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert [(found.code, found.seq) for found in audit(town).findings] == [("role_insufficient", posted.seq)]


def test_before_the_charter_said_so_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: now(*given)._replace(guarded=1))
    monkeypatch.setattr(boxes, "look", lambda *_given: boxes.Boxes())
    with opened(tmp_path / "old") as old:
        slip(old)
        one, alice = begins(old, 5_000), parties.admit(old, "person", "Alice")
        decide(old, officer(old, "operator"), one.id, Decision(way=Way.MEMBER, holder=alice.account))
        monkeypatch.setattr(chartered, "rules_of", now)
        chartered.keep(old, chartered.latest(old))
        assert audit(old).clean
