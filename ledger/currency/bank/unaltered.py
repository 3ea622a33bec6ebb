"""What people decide about a line by, held against the log: its texts are those that were taken with its statement.

Whoever may write to the database can let a line say something else for the moment in which somebody decides, and put it
back. So this is asked where lines are shown, and again where one is placed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from hashlib import sha256
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, select

from ledger.currency import logged, salted
from ledger.currency.bank.lines import Line, line_of
from ledger.currency.bank.reference import line_reference
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import SALT
from ledger.currency.told import tell
from ledger.currency.town import Town

_LINE = BANK_LINE.c
_PERSONAL = ("name", "iban", "text", "bank_ref", "end_to_end", "mandate")
_NOTE = "bank_statement"
_TAKEN = Line._fields.index("became")
"""So many fields of a line say what was taken; what became of it may change while somebody looks."""


def references(rows: Sequence[dict[str, Any]]) -> list[str]:
    """What tells each of these lines, as rows of the table, from every other of its account."""
    return [line_reference(date.fromisoformat(row["booked_on"]), row["amount"], row["ordinal"]) for row in rows]


def digest(found: Sequence[str]) -> str:
    """The hash of which lines a statement brought, as its note has it."""
    return sha256("\n".join(found).encode()).hexdigest()


def says(content: str, salt: bytes | None, found: Sequence[str], rows: Sequence[dict[str, Any]]) -> bool:
    """Whether the lines of a statement say what its note holds the hash of; without a salt, whether they say nothing.

    `found` are their references, `rows` themselves, both in the order in which they were taken.
    """
    if salt is None:
        erased = not any(row[column] for row in rows for column in _PERSONAL)
        return erased and all(row["parts"] == "[]" for row in rows)
    texts = [text for pair in zip(found, rows, strict=True) for text in salted.line_texts(*pair)]
    return salted.salted(salted.LINES, salt, texts) == content


def require(town: Town, *shown: Line) -> None:
    """Raise `CurrencyError`, texts_changed, unless these lines say what was taken with their statements.

    It reads all lines of those: do it before a commit, and compare the row there. What is from before notes held
    hashes may say anything.
    """
    with town.reading() as connection:
        right = _unaltered(connection, sorted({line.statement for line in shown}))
    for line in shown:
        of = right[line.statement]
        if of is None or (line.id in of and of[line.id][:_TAKEN] == line[:_TAKEN]):
            continue
        raise CurrencyError("texts_changed", tell(
            "the statement that brought the line {reference} says something else in the database than the bank's file "
            "did: decide nothing by it, bring back a backup; `patard check` tells what was changed",
            reference=line.reference,
        ))  # fmt: skip


def _unaltered(connection: Connection, ids: Sequence[bytes]) -> dict[bytes, dict[bytes, Line] | None]:
    """The lines of these statements by their ids, none where they were changed; None where nothing says so."""
    notes = {id_: logged.note(record, _NOTE) for id_, record in logged.by_ids(connection, ids).items()}
    salts = dict(connection.execute(select(SALT.c.id, SALT.c.salt).where(SALT.c.id.in_(ids))).all())
    told = {id_: note.evidence for id_, note in notes.items() if note is not None}
    right: dict[bytes, dict[bytes, Line] | None] = {
        id_: None if id_ in told and "content" not in told[id_] else {} for id_ in ids
    }
    held = [id_ for id_ in ids if id_ in told and right[id_] is not None]
    query = select(BANK_LINE).where(_LINE.statement.in_(held)).order_by(_LINE.place)
    for id_, group in groupby(connection.execute(query), key=lambda row: bytes(row.statement)):
        lines = list(group)
        rows = [dict(row._mapping) for row in lines]
        found = references(rows)
        same = digest(found) == told[id_]["digest"]
        # What waits nobody erases: without its salt it is not known what it said.
        if same and id_ in salts and says(str(told[id_]["content"]), salts.get(id_), found, rows):
            right[id_] = {bytes(row.id): line_of(row) for row in lines}
    return right
