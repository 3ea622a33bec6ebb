"""Lines that went out and that a member pays for: the bank says so, or a treasurer does and everybody sees it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.currency import chartered, parties
from ledger.currency.audit.walk import Audit, audit
from ledger.currency.bank import details, went
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import DAY, bring, decide, line, opened, statement, token

THERE, ELSEWHERE = "NL91ABNA0417164300", "BE68539007547034"
NEXT = DAY + timedelta(days=1)


def officer(town: Town, role: str) -> PrivateKey:
    return towns.join(town, parties.admit(town, "association", f"Bureau {role}"), role, role)


def gone(town: Town, alice: Party, way: Way, **how: Any) -> tuple[bytes, Decision]:
    """Alice's top-up, and as much that went out and waits; with what somebody says of it."""
    bring(town, statement([line(400_000, token(town, alice), kind=LineKind.TRANSFER, iban=THERE)]))
    bring(town, statement([line(-400_000, "CHEQUE 0000124", NEXT, **how)], 400_000))
    [one] = open_lines(town)
    [topup] = [each for each in lines(town) if each.amount > 0]
    other = {"holder": alice.account} if way is Way.DEBT else {"other": topup.id}
    return one.line.id, Decision(way=way, **other)


def role_missing(done: Audit) -> list[tuple[str, int]]:
    return [(one.code, one.seq) for one in done.findings]


@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_no_member_pays_on_an_operators_word(town: Town, alice: Party, way: Way) -> None:
    id_, decision = gone(town, alice, way)
    operator, head = officer(town, "operator"), town.book.head()
    with pytest.raises(CurrencyError) as refused:
        decide(town, operator, id_, decision)
    assert refused.value.code == "role_insufficient"
    assert town.book.head() == head
    assert [one.code for one in audit(town).findings] == ["reserve_short"]


@pytest.mark.parametrize("who", ["treasurer", "machine"])
@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_a_treasurer_may_and_check_names_it(town: Town, alice: Party, way: Way, who: str) -> None:
    id_, decision = gone(town, alice, way)
    key = officer(town, "treasurer")
    posted = place(town, id_, decision) if who == "machine" else decide(town, key, id_, decision)
    done = audit(town)
    assert done.clean
    [told] = [one.values for one in done.notices if one.seq == posted.seq and "treasurer" in one.form]
    assert told == {"amount": 400_000, "line": "20250611/-400000/1", "account": alice.account}
    claims = [one.text for one in done.notices if "members owe 400000" in one.text]
    assert [("paid to them and not owed" in one) for one in claims] == ([True] if way is Way.DEBT else [])


@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
@pytest.mark.parametrize("how", [{"iban": THERE}, {"kind": LineKind.RETURN}])
def test_what_the_bank_says_an_operator_places(town: Town, alice: Party, way: Way, how: dict[str, Any]) -> None:
    id_, decision = gone(town, alice, way, **how)
    posted = decide(town, officer(town, "operator"), id_, decision)
    done = audit(town)
    assert done.clean
    assert not [one for one in done.notices if one.seq == posted.seq and "went out with the line" in one.form]


def test_where_a_member_is_paid_is_theirs_and_no_other(town: Town, alice: Party) -> None:
    id_, decision = gone(town, alice, Way.DEBT, iban=ELSEWHERE)
    operator = officer(town, "operator")
    details.put(town, parties.admit(town, "person", "Bob"), ELSEWHERE)
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, id_, decision)
    details.put(town, alice, ELSEWHERE)
    decide(town, operator, id_, decision)
    assert audit(town).clean
    # What was said then is not there any more, and nobody can look at it.
    details.put(town, alice, THERE)
    assert audit(town).clean


@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_check_knows_what_the_desk_did_not_ask(
    town: Town, alice: Party, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, decision = gone(town, alice, way)
    operator = officer(town, "operator")
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    posted = decide(town, operator, id_, decision)
    assert role_missing(audit(town)) == [("role_insufficient", posted.seq)]
    # Texts that were erased say neither.
    with town.engine.begin() as connection:
        empty = "UPDATE bank_line SET name = '', iban = '', text = '', bank_ref = '', end_to_end = '', mandate = ''"
        connection.execute(text(empty))
        connection.execute(text("DELETE FROM salt WHERE id IN (SELECT id FROM bank_statement)"))
    assert audit(town).clean


def test_before_the_charter_said_so_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: now(*given)._replace(guarded=False))
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    with opened(tmp_path / "old") as old:
        id_, decision = gone(old, parties.admit(old, "person", "Alice"), Way.DEBT)
        decide(old, officer(old, "operator"), id_, decision)
        monkeypatch.setattr(chartered, "rules_of", now)
        assert audit(old).clean
        chartered.keep(old, chartered.latest(old))
        assert audit(old).clean


def test_monthly_top_ups_that_went_back(tmp_path: Path) -> None:
    with opened(tmp_path / "monthly") as town:
        _party, mandate = monthly.sign(town, "Alice")
        file = monthly.collected(town)
        monthly.brought(town, monthly.batch(file))
        item = monthly.item_of(town, mandate)
        monthly.brought(town, line(-item.amount, "CHEQUE 0000124", monthly.DUE + timedelta(days=1)))
        [one] = open_lines(town)
        decision = Decision(way=Way.DEBITS, other=item.id)
        with pytest.raises(CurrencyError, match="a treasurer may"):
            decide(town, officer(town, "operator"), one.line.id, decision)
        posted = decide(town, officer(town, "treasurer"), one.line.id, decision)
        done = audit(town)
        assert done.clean
        assert [one.seq for one in done.notices if "monthly top-ups of account" in one.form] == [posted.seq]
