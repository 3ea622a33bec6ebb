"""Lines that wait in suspense: what the tests of proposals and decisions have in common."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.currency import parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.proposals import SENTENCES, Why
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, bring, line, opened, statement, token
from tests.currency.bank.test_booking import pay

NEXT = DAY + timedelta(days=1)
ALICES = "FR7630001007941234567890185"


@contextmanager
def audited(folder: Path) -> Iterator[Town]:
    """A town with a bank, whose audit finds nothing in the end."""
    with opened(folder) as made:
        yield made
        # Whatever a person decided, the audit follows it; `pay` has no signatures, and some euros are just gone.
        found = [finding for finding in audit(made).findings if finding.code not in ("order_missing", "reserve_short")]
        assert not found


def waits(town: Town, *found: BankLine, opening: int = 0, **more: Any) -> list[OpenLine]:
    """The lines of a statement, in suspense."""
    bring(town, statement(found, opening), **more)
    return open_lines(town)


def refused(code: str, *args: Any, **how: Any) -> None:
    """Placing so is refused, and nothing moves."""
    town = args[0]
    size = town.book.head().seq
    with pytest.raises(CurrencyError) as caught:
        place(*args, **how)
    assert caught.value.code == code
    assert town.book.head().seq == size


def row(town: Town, id_: bytes) -> Line:
    from ledger.currency.bank.tables import BANK_LINE

    return lines(town, BANK_LINE.c.id == id_)[0]


def owes(town: Town, member: Party, cents: int) -> None:
    """The member topped up, spent it, and had the bank take it back; 5.00 of somebody else's are there."""
    bob = parties.admit(town, "shop", "Bob")
    text = token(town, member)
    bring(town, statement([line(cents, text), line(500, "autre")]))
    pay(town, member, bob, cents)
    bring(town, statement([line(-cents, text, kind=LineKind.RETURN)], cents + 500))
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))


def best(one: OpenLine) -> tuple[Decision, list[Why]]:
    first = one.proposals[0]
    for reason in first.reasons:
        assert SENTENCES[reason.why].format(**reason.facts)
    return first.decision, [reason.why for reason in first.reasons]
