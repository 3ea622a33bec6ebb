"""The rows of a statement and its lines: made before the commit that keeps them, in which everybody waits.

A month of a busy account has thousands of lines. Making their rows takes longer than writing them, and what `insert`
does with each costs more than both: so they are handed to the driver as they are.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import Connection, Dialect, insert, update

from ledger.core.model import Note, Posted
from ledger.currency import salted
from ledger.currency.bank.reference import squeezed
from ledger.currency.bank.statement import BankLine, Statement
from ledger.currency.bank.tables import BANK_LINE, BANK_SQUEEZED, BANK_STATEMENT

COLUMNS = (
    "id", "statement", "reserve", "booked_on", "amount", "ordinal", "value_on", "kind", "bank_ref", "name",
    "iban", "text", "end_to_end", "mandate", "reason", "parts",
)  # fmt: skip
"""Of a line's row, but for its place, which follows from that of its statement in the log."""
_BANK_REF = COLUMNS.index("bank_ref")
Row: TypeAlias = tuple[Any, ...]
SLICE = 2_000
"""Rows that are handed over at a time."""


class Rows:
    """A statement and its new lines (see `row`), ready to be written. `gone` are ids of lines that it takes away.

    `salt` is that of the hash of all its lines in the log.
    """

    def __init__(
        self, note: Note, statement: Statement, reserve: int, lines: Sequence[Row], gone: Sequence[bytes], salt: bytes
    ) -> None:
        self.note = note
        self.statement = statement
        self.reserve = reserve
        self.lines = lines
        self.gone = gone
        self.salt = salt

    def write(self, connection: Connection, posted: Posted, file: str, by: str) -> None:
        """Write everything, in the commit of the note, as which `posted` stands in the log."""
        statement = self.statement
        connection.execute(
            insert(BANK_STATEMENT).values(
                id=posted.id, seq=posted.seq, reserve=self.reserve, number=self.note.evidence["number"],
                format=statement.format, bank_number=statement.number, first=statement.first.isoformat(),
                last=statement.last.isoformat(), opening=statement.opening, closing=statement.closing, file=file,
                taken_at=posted.at, taken_by=by,
            )
        )  # fmt: skip
        salted.keep(connection, posted.id, self.salt)
        if self.gone:
            gone = update(BANK_LINE).where(BANK_LINE.c.id.in_(self.gone))
            connection.execute(gone.values(withdrawn=posted.id))
        sql, place = _insert(connection.dialect), posted.seq << 20
        for first in range(0, len(self.lines), SLICE):
            some = self.lines[first : first + SLICE]
            connection.exec_driver_sql(sql, [(place + index, *row) for index, row in enumerate(some, first)])
        told = [{"line": line[0], "squeezed": text} for line in self.lines if (text := squeezed(line[_BANK_REF]))]
        if told:
            connection.execute(insert(BANK_SQUEEZED), told)


def row(id_: bytes, statement: bytes, reserve: int, line: BankLine, ordinal: int) -> Row:
    """The row of a line, as `COLUMNS` have it."""
    return (
        id_, statement, reserve, line.booked_on.isoformat(), line.amount, ordinal,
        line.value_on.isoformat() if line.value_on else None, str(line.kind), line.bank_ref, line.name, line.iban,
        line.text, line.end_to_end, line.mandate, line.reason, _parts(line),
    )  # fmt: skip


@lru_cache
def _insert(dialect: Dialect) -> str:
    mark = "?" if dialect.paramstyle == "qmark" else "%s"
    names = ("place", *COLUMNS)
    return f"INSERT INTO {BANK_LINE.name} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"


def _parts(line: BankLine) -> str:
    return json.dumps([_part(part) for part in line.parts], ensure_ascii=False) if line.parts else "[]"


def _part(part: BankLine) -> dict[str, Any]:
    return {
        "amount": part.amount, "name": part.name, "iban": part.iban, "text": part.text,
        "end_to_end": part.end_to_end, "mandate": part.mandate, "reason": part.reason,
    }  # fmt: skip
