"""The lines of one account's statements, as they were at one entry of the log.

Rows of the bank's tables say at which entries of the log they came and changed, and the log only grows: so they show
what they were at any entry, and need not be read in the snapshot of the ledger's balances.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from ledger.core.tables import LOG
from ledger.currency.bank.reference import line_reference
from ledger.currency.bank.standing import begun, first_standing
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT, TYPED_CONVERSION
from ledger.currency.clocked import Moments

_LINE, _STATEMENT, _TYPED = BANK_LINE.c, BANK_STATEMENT.c, TYPED_CONVERSION.c
BOOKED_WITHIN_US = 600_000_000
"""Microseconds within which lines are booked after they were taken, but for those that nothing will book."""
SHIFT = 20
"""A line's `place` is its statement's place in the log, shifted by so much, plus its index."""


class Statements(NamedTuple):
    """What the statements of the account `number` came to at entry `seq` of the log. Days, and cents.

    The first that stands was taken with entry `taken_at` and covers the days from `first` on. `began` is what the
    ledger had then, `closing` the bank's balance after all lines up to the day `last`, `booked` how many lines became
    entries of each kind. `aside` are conversions that were awaited when the first was taken (see `awaited`): it may
    begin with them or not, and proves none.
    """

    number: int
    seq: int
    first: date
    last: date
    taken_at: int
    began: int
    closing: int
    booked: Counter[str]
    aside: frozenset[bytes] = frozenset()


class StatementLine(NamedTuple):
    """A line: `gone` if a corrected statement no longer has it, `seq` where an entry books it, of the kind `became`."""

    id: bytes
    on: date
    amount: int
    reference: str
    kind: str
    gone: bool
    became: str
    seq: int | None


def statements(connection: Connection, number: int, seq: int) -> Statements | None:
    """The statements of the account that stood at that entry of the log; None where none did."""
    begins = first_standing(connection, number, seq)
    if begins is None:
        return None
    query = select(func.max(_STATEMENT.last)).where(
        _STATEMENT.reserve == number, _STATEMENT.number >= begins.number, _STATEMENT.seq <= seq
    )
    last = date.fromisoformat(connection.execute(query).scalar_one())
    line = (
        select(
            (_LINE.kind == LineKind.OPENING).label("opening"), _gone(seq).label("gone"),
            _booked(seq).label("booked"),
            _LINE.became, _LINE.amount,
        )
        .where(_taken(number, begins.seq, seq))
        .subquery()
    ).c  # fmt: skip
    sorts = (line.opening, line.gone, line.booked, line.became)
    sums = select(*sorts, func.count(), func.sum(line.amount)).group_by(*sorts)
    began = closing = begins.opening
    kinds: Counter[str] = Counter()
    for is_opening, is_gone, is_booked, became, count, amount in connection.execute(sums):
        if is_opening:
            began -= int(amount)
        elif not is_gone:
            closing += int(amount)
        if is_booked:
            kinds[became] += count
    aside = frozenset(bytes(row.id) for row in awaited(connection, number, begins.seq))
    aside |= {id_ for both in found_elsewhere(connection, number) for id_ in both}
    return Statements(number, seq, date.fromisoformat(begins.first), last, begins.seq, began, closing, kinds, aside)


def open_lines(connection: Connection, found: Statements) -> list[StatementLine]:
    """The lines that are not booked, and those that are gone."""
    return _lines(connection, found, or_(_gone(found.seq), ~_booked(found.seq)))


def lines_of_kind(connection: Connection, found: Statements, became: str) -> list[StatementLine]:
    """The lines that became entries of a kind."""
    return _lines(connection, found, and_(_LINE.became == became, _booked(found.seq)))


def _lines(connection: Connection, found: Statements, where: ColumnElement[bool]) -> list[StatementLine]:
    columns = (_LINE.id, _LINE.booked_on, _LINE.amount, _LINE.ordinal, _LINE.kind, _gone(found.seq), _LINE.became,
               _LINE.seq)  # fmt: skip
    query = select(*columns).where(_taken(found.number, found.taken_at, found.seq), where)
    lines = []
    for id_, booked_on, amount, ordinal, kind, gone, became, seq in connection.execute(query):
        on = date.fromisoformat(booked_on)
        at = seq if seq is not None and seq <= found.seq else None
        lines.append(
            StatementLine(id_, on, amount, line_reference(on, amount, ordinal), kind, bool(gone), became or "", at)
        )
    return lines


def being_booked(connection: Connection, found: Statements, moments: Moments, now: int) -> int:
    """What the lines come to that were taken within the last minutes before `now` (us), and are not booked yet."""
    late = _late(connection, found, moments, now)
    query = select(func.coalesce(func.sum(_LINE.amount), 0)).where(
        _taken(found.number, found.taken_at, found.seq),
        ~_gone(found.seq),
        ~_booked(found.seq),
        _LINE.statement.in_(late),
    )
    return int(connection.execute(query).scalar_one())


def being_undone(connection: Connection, found: Statements, moments: Moments, now: int) -> frozenset[bytes]:
    """The lines that a corrected statement took away within the last minutes before `now` (us)."""
    late = _late(connection, found, moments, now)
    return frozenset(connection.scalars(select(_LINE.id).where(_LINE.withdrawn.in_(late))))


def _late(connection: Connection, found: Statements, moments: Moments, now: int) -> list[bytes]:
    """The account's statements of the last minutes before `now` (us), by when the log took them: no row says that."""
    query = (
        select(LOG.c.id, LOG.c.seq, LOG.c.at)
        .join(BANK_STATEMENT, _STATEMENT.id == LOG.c.id)
        # An entry is never of a later moment than its `at`.
        .where(_STATEMENT.reserve == found.number, LOG.c.at > now - BOOKED_WITHIN_US)
    )
    rows = connection.execute(query).all()
    return [bytes(row.id) for row in rows if moments.of(row.seq, row.at) > now - BOOKED_WITHIN_US]


def typed(connection: Connection, number: int, since: int, seq: int) -> list[Row[Any]]:
    """What was typed on the account `number` after entry `since` of the log and stood at entry `seq`."""
    query = select(TYPED_CONVERSION).where(
        _TYPED.reserve == number, _TYPED.seq > since, _TYPED.seq <= seq,
        or_(_TYPED.corrected_seq.is_(None), _TYPED.corrected_seq > seq),
    )  # fmt: skip
    return list(connection.execute(query.order_by(_TYPED.seq)))


def awaited(connection: Connection, number: int, seq: int) -> list[Row[Any]]:
    """What was typed on an account without statements since any were taken, and stood at entry `seq` of the log.

    A statement should have it. That the account's first one begins with as much says nothing: a balance names nobody.
    """
    since = min(begun(connection).values(), default=seq)
    return typed(connection, number, since, seq)


def found_elsewhere(connection: Connection, number: int) -> list[tuple[bytes, bytes]]:
    """What was typed on the account `number` and a line of another one is, with the entry that placed that line so.

    Together they move nothing, whatever the days that they count for.
    """
    query = (
        select(_TYPED.id, LOG.c.id)
        .join(BANK_LINE, _TYPED.line == _LINE.id)
        .join(LOG, LOG.c.seq == _LINE.placed_seq)
        .where(_TYPED.reserve == number, _LINE.reserve != number)
    )
    return [(bytes(typed), bytes(entry)) for typed, entry in connection.execute(query)]


def booking(connection: Connection, ids: Collection[bytes]) -> dict[bytes, tuple[int, int, str, int]]:
    """Of those ids, the ones of lines that are booked: account, amount, the kind of entry that it became, place."""
    # Not by account: a database may take its index instead of the ids', and read all lines for every page of ids.
    query = select(_LINE.id, _LINE.reserve, _LINE.amount, _LINE.became, _LINE.place).where(_LINE.id.in_(ids))
    return {id_: (reserve, amount, became, place) for id_, reserve, amount, became, place in connection.execute(query)}


def _taken(number: int, since: int, seq: int) -> ColumnElement[bool]:
    """The lines of the account's statements from that with entry `since` on, as of entry `seq`."""
    return and_(_LINE.reserve == number, _LINE.place >= since << SHIFT, _LINE.place < (seq + 1) << SHIFT)


def _gone(seq: int) -> ColumnElement[bool]:
    """Whether a corrected statement took a line away: its own one, withdrawn with all its lines, is no such."""
    later = select(_STATEMENT.id).where(_STATEMENT.seq > seq)
    return and_(_LINE.withdrawn.is_not(None), _LINE.withdrawn != _LINE.statement, _LINE.withdrawn.not_in(later))


def _booked(seq: int) -> ColumnElement[bool]:
    return and_(_LINE.seq.is_not(None), _LINE.seq <= seq)
