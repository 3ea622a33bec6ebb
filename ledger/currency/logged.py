"""Entries of the log by their ids or places, read where a decision is made: inside a commit, or beside tables.

Tables are an index over the log. What must not hang on them is read from the records, by ids that follow from what the
entries are about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import ColumnElement, Connection, LargeBinary, Select, func, literal, or_, select

from ledger.core import record as records
from ledger.core.model import Note
from ledger.core.record import Record, RecordError
from ledger.core.tables import LOG

_MOST = 5_000
"""Ids of one statement: databases take a limited number of parameters."""


def by_ids(connection: Connection, ids: Iterable[bytes]) -> dict[bytes, Record]:
    """The entries with those ids. A row that is not of the record in it is none."""
    wanted = sorted(set(ids))
    return {record.instruction.id: record for record in _read(connection, wanted, LOG.c.id)}


def by_places(connection: Connection, places: Iterable[int]) -> dict[int, Record]:
    """The entries at those places."""
    wanted = sorted(set(places))
    return {record.seq: record for record in _read(connection, wanted, LOG.c.seq)}


def of_kinds(connection: Connection, kinds: Iterable[str], *, after: int = 0) -> Iterator[Record]:
    """The entries of those kinds that come after a place, in their order. It looks at every one of them."""
    wanted = set(kinds)
    there = or_(*(_holds(connection, f'"kind":"{kind}"'.encode()) for kind in sorted(wanted)))
    query = select(LOG.c.seq, LOG.c.id, LOG.c.record).where(LOG.c.seq > after, there).order_by(LOG.c.seq)
    for found in _records(connection, query):
        if getattr(found.instruction, "kind", None) in wanted:
            yield found


def before(connection: Connection, at: int) -> int:
    """The place of the last entry before that moment (us); 0 where there is none. `at` never falls along the log."""
    low, high = 0, int(connection.execute(select(func.max(LOG.c.seq))).scalar() or 0)
    while low < high:
        middle = (low + high + 1) // 2
        if (connection.execute(select(LOG.c.at).where(LOG.c.seq == middle)).scalar() or 0) < at:
            low = middle
        else:
            high = middle - 1
    return low


def _holds(connection: Connection, part: bytes) -> ColumnElement[bool]:
    """Whether a record holds these bytes. That stands in no text of one, where quotes are escaped."""
    if connection.dialect.name == "sqlite":
        return func.instr(LOG.c.record, part) > 0
    return func.position(literal(part, LargeBinary).op("IN")(LOG.c.record)) > 0


def note(record: Record | None, kind: str) -> Note | None:
    """The note of that kind which an entry is, if it is one."""
    found = record and record.instruction
    return found if isinstance(found, Note) and found.kind == kind else None


def _read(connection: Connection, wanted: list[bytes] | list[int], column: ColumnElement[object]) -> Iterator[Record]:
    for start in range(0, len(wanted), _MOST):
        query = select(LOG.c.seq, LOG.c.id, LOG.c.record).where(column.in_(wanted[start : start + _MOST]))
        yield from _records(connection, query)


def _records(connection: Connection, query: Select[tuple[int, bytes, bytes]]) -> Iterator[Record]:
    for row in connection.execute(query):
        try:
            found = records.parse(bytes(row.record))
        except RecordError:
            continue
        if (found.seq, found.instruction.id) == (row.seq, bytes(row.id)):
            yield found
