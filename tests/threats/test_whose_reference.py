"""What came with a member's reference is theirs: that it is somebody else's a treasurer says, whom all see."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.currency import chartered, conversion, parties
from ledger.currency.audit.charged import FORMS
from ledger.currency.audit.walk import audit
from ledger.currency.bank import elses
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import bring, decide, line, opened, statement, token
from tests.threats.test_cash_of_the_box import officer
from tests.towns import BANK

FORM = FORMS["elses"]


def waits(town: Town, cents: int, text: str) -> bytes:
    """A line that waits: the bank calls it cash, so it brings nobody units by itself."""
    bring(town, statement([line(cents, text, kind=LineKind.CASH)]))
    [one] = open_lines(town)
    return one.line.id


def named(town: Town) -> list[object]:
    return [one.values["amount"] for one in audit(town).notices if one.form == FORM]


def decisions(town: Town, alice: Party) -> dict[str, tuple[Party, Decision]]:
    """Whose reference a line of 50.00 carries, and what somebody says of it."""
    bob = parties.admit(town, "person", "Bob Dubois")
    share = Share(Way.MEMBER, 4_999, alice.account)
    shares = {
        "all of it but a cent": (share, Share(Way.MEMBER, 1, bob.account)),
        "some of it": (Share(Way.OWN, 4_999), Share(Way.MEMBER, 1, alice.account)),
    }
    return {
        "all of it": (bob, Decision(way=Way.MEMBER, holder=alice.account)),
        **{what: (bob, Decision(way=Way.SPLIT, shares=each)) for what, each in shares.items()},
    }


@pytest.mark.parametrize("what", ["all of it", "all of it but a cent", "some of it"])
def test_given_to_somebody_else(town: Town, alice: Party, what: str) -> None:
    bob, decision = decisions(town, alice)[what]
    id_, operator = waits(town, 5_000, f"VERSEMENT {token(town, bob)}"), officer(town, "operator")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="reference of another") as refused:
        decide(town, operator, id_, decision)
    assert refused.value.code == "role_insufficient"
    decide(town, officer(town, "treasurer"), id_, decision)
    assert audit(town).clean and named(town) == [5_000]


def test_as_what_another_had_typed(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob Dubois")
    typed = conversion.convert(town, alice, 5_000, reserve=BANK, reference="77")
    id_ = waits(town, 5_000, f"VERSEMENT {token(town, bob)}")
    known, operator = Decision(way=Way.KNOWN, other=typed.id), officer(town, "operator")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="reference of another"):
        decide(town, operator, id_, known)
    decide(town, officer(town, "treasurer"), id_, known)
    assert audit(town).clean and named(town) == [5_000]


@pytest.mark.parametrize("text", ["VERSEMENT {bob}", "VERSEMENT {alice} {bob}", "VERSEMENT"])
def test_an_operator_gives_it_to_whom_it_names(town: Town, alice: Party, text: str) -> None:
    bob = parties.admit(town, "person", "Bob Dubois")
    id_ = waits(town, 5_000, text.format(alice=token(town, alice), bob=token(town, bob)))
    decide(town, officer(town, "operator"), id_, Decision(way=Way.MEMBER, holder=bob.account))
    assert audit(town).clean and not named(town)


def test_check_finds_an_operators_word(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = parties.admit(town, "person", "Bob Dubois")
    id_ = waits(town, 5_000, f"VERSEMENT {token(town, bob)}")
    with monkeypatch.context() as patched:
        patched.setattr(elses, "is_elses", lambda *_given: False)
        decide(town, officer(town, "operator"), id_, Decision(way=Way.MEMBER, holder=alice.account))
    assert [one.code for one in audit(town).findings] == ["role_insufficient"]


def test_books_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An operator had the right to it."""
    rules = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: rules(*given)._replace(guarded=2))
    with monkeypatch.context() as patched, opened(tmp_path / "home") as town:
        patched.setattr(elses, "is_elses", lambda *_given: False)
        alice, bob = (parties.admit(town, "person", name) for name in ("Alice Martin", "Bob Dubois"))
        id_ = waits(town, 5_000, f"VERSEMENT {token(town, bob)}")
        decide(town, officer(town, "operator"), id_, Decision(way=Way.MEMBER, holder=alice.account))
        patched.undo()
        assert audit(town).clean and not named(town)
