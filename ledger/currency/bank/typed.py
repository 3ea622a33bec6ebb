"""Conversions that people typed: which bank line each was found to be, and which lines they may be.

A euro has two names when somebody types a conversion and the bank's statement brings the same transfer: the reference
that was typed, and the line's. `typed_conversion` is an index over the log, written in the commits of conversions and
of what becomes of lines, so that both sides can look at it under the lock of all writing: a line brings units only
where nothing that was typed may be it, and nothing is typed that a line may be (`ahead`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, and_, false, func, insert, or_, select, true, update

from ledger.currency.bank.boxes import Boxes, look, may_be_cash
from ledger.currency.bank.reference import squeezed
from ledger.currency.bank.standing import begun, first_standing
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE, BANK_SQUEEZED, BANK_STATEMENT, TYPED_CONVERSION
from ledger.currency.charter import ReserveKind
from ledger.currency.chartered import Zones
from ledger.currency.clocked import Moments
from ledger.currency.town import Town

if TYPE_CHECKING:
    from ledger.currency.bank.lines import Line

NEAR = timedelta(days=15)
"""Within which a transfer and what it is said to be lie apart, mostly."""
LONGEST = 35
"""Characters of a reference that can be typed; of a longer one of a bank, somebody typed the beginning."""
SHORTEST = 12
"""Characters of such a beginning that are worth a look."""
_TYPED, _LINE, _STATEMENT = TYPED_CONVERSION.c, BANK_LINE.c, BANK_STATEMENT.c


class Typed(NamedTuple):
    """A conversion that somebody typed: see `tables.TypedConversionTable`. `booked_on` is the day it counts for."""

    id: bytes
    seq: int
    at: int
    by: str
    reserve: int
    holder: int
    amount: int
    booked_on: date
    reference: str
    squeezed: str
    line: bytes | None
    corrected_seq: int | None


class Span(NamedTuple):
    """What the statements of an account cover: the first was taken with entry `taken_at`.

    `opened` tells that the ledger had another sum than the first began with, and the difference was booked as a line.
    """

    first: date
    last: date
    taken_at: int
    opened: bool = False


# --- the index -------------------------------------------------------------------------------------------


def keep(
    connection: Connection, id_: bytes, seq: int, at: int, *, by: str, reserve: int, holder: int, amount: int,
    booked_on: date | None, reference: str,
) -> None:  # fmt: skip
    """Note a conversion that was typed, in its commit."""
    connection.execute(
        insert(TYPED_CONVERSION).values(
            id=id_, seq=seq, at=at, by=by, reserve=reserve, holder=holder, amount=amount,
            booked_on=booked_on.isoformat() if booked_on else None, reference=reference, squeezed=squeezed(reference),
        )
    )  # fmt: skip


def take_back(connection: Connection, id_: bytes, seq: int) -> None:
    """Note that the entry `seq` took a conversion back. It may be noted again."""
    mine = update(TYPED_CONVERSION).where(_TYPED.id == id_, _TYPED.corrected_seq.is_(None))
    connection.execute(mine.values(corrected_seq=seq))


def explain(connection: Connection, id_: bytes, line: bytes) -> bool:
    """Note which line a conversion was found to be; False where it was taken back, or another line is it."""
    free = or_(_TYPED.line.is_(None), _TYPED.line == line)
    mine = update(TYPED_CONVERSION).where(_TYPED.id == id_, _TYPED.corrected_seq.is_(None), free)
    return connection.execute(mine.values(line=line)).rowcount == 1


def free(connection: Connection, line: bytes) -> None:
    """Note that this line is no conversion that was typed, or is one no longer."""
    connection.execute(update(TYPED_CONVERSION).where(_TYPED.line == line).values(line=None))


def find(connection: Connection, id_: bytes) -> Row[Any] | None:
    """The row of a conversion that was typed; None where it was not typed."""
    return connection.execute(select(TYPED_CONVERSION).where(_TYPED.id == id_)).first()


def banks(town: Town) -> list[int]:
    """The accounts of the reserve that a bank keeps."""
    return [town.chart.reserve[one.name] for one in town.charter.reserve if one.kind == ReserveKind.BANK]


def spans(connection: Connection, town: Town) -> dict[int, Span]:
    """What the statements cover, by account; accounts without one are left out."""
    found = {number: first_standing(connection, number) for number in banks(town)}
    opened = select(_LINE.reserve).where(_LINE.kind == LineKind.OPENING, _LINE.withdrawn.is_(None))
    opening = set(connection.scalars(opened))
    spans = {}
    for reserve, row in found.items():
        if row is not None:
            mine = select(func.max(_STATEMENT.last)).where(
                _STATEMENT.reserve == reserve, _STATEMENT.number >= row.number
            )
            last = connection.execute(mine).scalar_one()
            spans[reserve] = Span(date.fromisoformat(row.first), date.fromisoformat(last), row.seq, reserve in opening)
    return spans


# --- what is not explained -------------------------------------------------------------------------------


@dataclass
class Unexplained:
    """Typed conversions that stand, that no line is, and that the first statement of their account did not begin with.

    `expected` are those that exactly one taken line will be as soon as it is booked, with that line. `faint` are those
    that a line is held to be only where much speaks for it: cash, which may have been paid in, and what was typed
    shortly before a first statement that began with another sum than the ledger had.
    """

    typed: list[Typed]
    expected: dict[bytes, set[bytes]] = field(default_factory=dict)
    named: set[bytes] = field(default_factory=set)
    """Those that a line was found to be since they were read."""
    faint: frozenset[bytes] = frozenset()
    cash: frozenset[int] = frozenset()
    """Reserve accounts that no bank keeps."""
    boxes: Boxes = field(default_factory=Boxes)
    """What lies there, where a line may be cash."""

    def exact(self, line: Line) -> Typed | None:
        """The one that has the line's account, amount and bank reference; None where none has, or several."""
        text = squeezed(line.bank_ref)
        if line.amount < 0 or not text or self.boxes.may_be(line):
            return None
        found = [one for one in self._left() if (one.reserve, one.amount) == (line.reserve, line.amount)]
        found = [one for one in found if one.squeezed == text and one.id not in self.faint]
        # Short ones come again: a bank's numbers begin anew.
        found = [one for one in found if len(text) >= SHORTEST or abs(one.booked_on - line.booked_on) <= NEAR]
        return found[0] if len(found) == 1 else None

    def is_doubtful(self, line: Line, holder: int) -> bool:
        """Whether the line brings this member no units by itself: somebody typed what it may be, or it may be cash."""
        return self.boxes.may_be(line, {holder}) or bool(self.doubts(line, {holder}))

    def doubts(self, line: Line, holders: Collection[int], *, amounts: bool = True) -> list[Typed]:
        """Those that the line may be, were it to bring units to these accounts: by its reference, by whom it is for
        and, unless told otherwise, by its amount and day.
        """
        text, there = squeezed(line.bank_ref), len(line.bank_ref)
        return [
            one
            for one in self._left(line.id)
            if same_reference(one, text, there) or self._may_be(one, line, one.holder in holders, amounts)
        ]

    def _may_be(self, one: Typed, line: Line, theirs: bool, amounts: bool) -> bool:
        """Whether the line may be this conversion, whatever their references; `theirs`: it is for the same member."""
        near = abs(one.booked_on - line.booked_on) <= NEAR
        alike = near and one.amount == line.amount
        if one.id not in self.faint:
            # Somebody's mistake it may be, of sum or of day; of both it is another transfer.
            return (theirs and (near or one.amount == line.amount)) or (amounts and alike)
        # Slips of several are paid in as one sum.
        return theirs and (near and _may_be_slips(line) if one.reserve in self.cash else alike)

    def _left(self, line: bytes | None = None) -> Iterable[Typed]:
        for one in self.typed:
            awaited = self.expected.get(one.id)
            if one.id not in self.named and (line is None or not awaited or line in awaited):
                yield one


def same_reference(typed: Typed, text: str, length: int) -> bool:
    """Whether what was typed is a bank's reference (squeezed to `text`), or the beginning of one too long to type."""
    if not text or typed.squeezed == text:
        return bool(text)
    return length > LONGEST and len(typed.squeezed) >= SHORTEST and text.startswith(typed.squeezed)


def _may_be_slips(line: Line) -> bool:
    """Whether what is a member's of a line may be their slips. What was on an account before its first statement is
    of many days and people: a treasurer says which of it is cash, and whose the rest is.
    """
    return may_be_cash(line) and line.kind != LineKind.OPENING


def unexplained(town: Town, lines: Sequence[Line], connection: Connection | None = None) -> Unexplained:
    """What these lines are held against. `connection` is that of a commit, under the lock of all writing."""
    if connection is None:
        with town.reading() as own:
            return unexplained(town, lines, own)
    days, numbers = [line.booked_on for line in lines], banks(town)
    texts = {squeezed(line.bank_ref) for line in lines} - {""}
    if not days or not numbers:
        return Unexplained([])
    spans_ = spans(connection, town)
    since_any = min(begun(connection).values(), default=None)
    moments, first, last = Moments(town, town.book.head().seq), min(days) - NEAR, max(days) + NEAR
    near = between(town, moments, first, last)
    mine = []
    for number in numbers:
        if number in spans_:
            which = _since(town, spans_[number])
        else:
            which = or_(near, _TYPED.squeezed.in_(sorted(texts)))
        # A first statement that came after others began with nothing of what was awaited by then.
        which = which if since_any is None else or_(which, _TYPED.seq > since_any)
        mine.append(and_(_TYPED.reserve == number, which))
    # Typed as cash: under a bank's own reference, for a slip is not called so by chance; or cash that was paid in.
    slips = _TYPED.squeezed.in_(sorted(text for text in texts if len(text) >= SHORTEST))
    may_be_in = any(line.amount > 0 and may_be_cash(line) for line in lines)
    paid_in = near if may_be_in else false()
    mine.append(_TYPED.reserve.not_in(numbers) & or_(slips, paid_in))
    query = select(TYPED_CONVERSION).where(_TYPED.line.is_(None), _TYPED.corrected_seq.is_(None), or_(*mine))

    def is_meant(one: Typed) -> bool:
        """Whether the day says so as well, where the database knows another than the clock had."""
        span = spans_.get(one.reserve)
        if one.reserve in numbers and since_any is not None and one.seq > since_any:
            return True
        if span is not None:
            return one.booked_on >= _first(span)
        is_told = one.reserve in numbers or len(one.squeezed) >= SHORTEST
        return first <= one.booked_on <= last or (is_told and one.squeezed in texts)

    found = typed_of(moments, connection.execute(query.order_by(_TYPED.seq)))
    found = [one for one in found if not moments.are_told or is_meant(one)]
    faint = frozenset(
        one.id for one in found if one.reserve not in numbers or _began_with(spans_.get(one.reserve), one)
    )
    cash = frozenset(one.reserve for one in found if one.reserve not in numbers)
    there = look(town, connection) if may_be_in else Boxes()
    return Unexplained(found, _expected(connection) if found else {}, faint=faint, cash=cash, boxes=there)


def of_members(town: Town, connection: Connection, line: Line, holders: Collection[int]) -> list[Typed]:
    """Those of these members and of the days of a line, also as cash, that stand and no line is."""
    return _near(town, connection, line, _TYPED.holder.in_(sorted(holders)))


def has_slip(town: Town, line: Line, box: int, cents: int) -> bool:
    """Whether a slip of a box, of just so much and of the days of a line, stands."""
    with town.reading() as connection:
        return bool(_near(town, connection, line, (_TYPED.reserve == box) & (_TYPED.amount == cents)))


def _near(town: Town, connection: Connection, line: Line, which: ColumnElement[bool]) -> list[Typed]:
    moments, days = Moments(town, town.book.head().seq), (line.booked_on - NEAR, line.booked_on + NEAR)
    stands = (_TYPED.line.is_(None), _TYPED.corrected_seq.is_(None))
    query = select(TYPED_CONVERSION).where(which, *stands, between(town, moments, *days))
    found = typed_of(moments, connection.execute(query.order_by(_TYPED.seq)))
    return [one for one in found if abs(one.booked_on - line.booked_on) <= NEAR]


def typed_of(moments: Moments, rows: Iterable[Row[Any]]) -> list[Typed]:
    """Rows of the table, each with the day for which it counts: what it says, else when it was typed, by the clock."""
    found = []
    for row in rows:
        said, taken_on = row.booked_on, moments.day(row.seq, row.at)
        found.append(Typed(**{**row._mapping, "booked_on": date.fromisoformat(said) if said else taken_on}))
    return found


def _since(town: Town, span: Span) -> ColumnElement[bool]:
    """Those that the first statement did not begin with: typed after it was taken, or for its days.

    Where it began with another sum than the ledger had, those of the days before may be among its lines too.
    """
    first = _first(span)
    midnight = Zones(town).at(span.taken_at).day_bounds(first)[0]
    says = _TYPED.booked_on >= first.isoformat()
    return or_(_TYPED.seq > span.taken_at, says, and_(_TYPED.booked_on.is_(None), _TYPED.at >= midnight))


def _first(span: Span) -> date:
    return span.first - NEAR if span.opened else span.first


def _began_with(span: Span | None, one: Typed) -> bool:
    """Whether a first statement is said to have begun with it."""
    return span is not None and one.seq <= span.taken_at and one.booked_on < span.first


def between(town: Town, moments: Moments, first: date, last: date) -> ColumnElement[bool]:
    """Those that count for these days, both in them; and where a clock was wrong, later ones by what the log says."""
    start, end = town.charter.day_bounds(first)[0], town.charter.day_bounds(last)[1]
    says = _TYPED.booked_on.between(first.isoformat(), last.isoformat())
    until = true() if moments.are_told else _TYPED.at < end
    return or_(says, and_(_TYPED.booked_on.is_(None), _TYPED.at >= start, until))


def _expected(connection: Connection) -> dict[bytes, set[bytes]]:
    """Typed conversions by the taken lines that are not booked yet, and will be just them."""
    query = (
        select(_LINE.id, _TYPED.id)
        .join(BANK_SQUEEZED, BANK_SQUEEZED.c.line == _LINE.id)
        .join(
            TYPED_CONVERSION,
            and_(_TYPED.squeezed == BANK_SQUEEZED.c.squeezed, _TYPED.reserve == _LINE.reserve,
                 _TYPED.amount == _LINE.amount),
        )
        .where(_LINE.seq.is_(None), _LINE.withdrawn.is_(None), _TYPED.line.is_(None), _TYPED.corrected_seq.is_(None))
    )  # fmt: skip
    by_line: dict[bytes, list[bytes]] = defaultdict(list)
    for line, id_ in connection.execute(query):
        by_line[bytes(line)].append(bytes(id_))
    found: dict[bytes, set[bytes]] = defaultdict(set)
    for line, ids in by_line.items():
        if len(ids) == 1:
            found[ids[0]].add(line)
    return found
