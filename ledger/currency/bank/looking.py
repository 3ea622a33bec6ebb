"""Lines that people look for: by what became of them, account, statement, and what they remember of the text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import ColumnElement, or_

from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.latin import latin
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.money import AmountError, parse_amount

_LINE = BANK_LINE.c
_Condition = ColumnElement[bool]

STATES: dict[str, Callable[[], tuple[_Condition, ...]]] = {
    "all": tuple,
    "waiting": lambda: (_LINE.seq.is_(None),),
    "recognised": lambda: (_LINE.seq.is_not(None), _LINE.became != SUSPENSE, _LINE.undone_seq.is_(None)),
    "suspense": lambda: (_LINE.became == SUSPENSE, _LINE.placed_seq.is_(None), _LINE.undone_seq.is_(None)),
    "placed": lambda: (_LINE.placed_seq.is_not(None), _LINE.undone_seq.is_(None)),
    "undone": lambda: (_LINE.undone_seq.is_not(None),),
}
"""Every line; not booked yet; known by its references; for a person to place; placed by one; taken back since."""


class Looked(NamedTuple):
    """What is looked for. `reserve` is an account's number, `text` what a person typed: part of a name, an IBAN, a
    text or a reference, or an amount such as 12,50. `amount` is signed cents.
    """

    state: str = "all"
    reserve: int | None = None
    statement: bytes | None = None
    amount: int | None = None
    text: str = ""

    def where(self) -> tuple[_Condition, ...]:
        """The conditions on `BANK_LINE` that such lines meet."""
        found = list(STATES[self.state]())
        if self.reserve is not None:
            found.append(_LINE.reserve == self.reserve)
        if self.statement is not None:
            found.append(_LINE.statement == self.statement)
        if self.amount is not None:
            found.append(_LINE.amount == self.amount)
        if typed := self.text.strip():
            found.append(or_(*_said(typed)))
        return tuple(found)


def _said(typed: str) -> list[_Condition]:
    columns = (_LINE.name, _LINE.text, _LINE.end_to_end, _LINE.mandate, _LINE.bank_ref)
    # Banks write without accents, and people with them.
    spellings = {spelling for spelling in (typed, latin(typed)) if spelling.strip(".")}
    found = [column.icontains(spelling, autoescape=True) for spelling in sorted(spellings) for column in columns]
    found.append(_LINE.iban.icontains(typed.replace(" ", ""), autoescape=True))
    try:
        cents = parse_amount(typed.lstrip("+-"), maximum=2**53)
    except AmountError:
        return found
    return [*found, _LINE.amount.in_([cents] if typed[0] == "+" else [-cents] if typed[0] == "-" else [cents, -cents])]
