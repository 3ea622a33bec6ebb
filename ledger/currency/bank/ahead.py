"""A conversion that is typed ahead of its bank's statement: when it may be, and until when its line must have come.

Where an account has statements, its euros come by them. What is typed beside them is for a statement that is still to
come: not for a day that the statements cover, not under a reference that a line had, and not where a line may be it
that is there already. All of it is looked at in the commit of the conversion, when no line can be taken or booked.

Whoever typed so accepts no more that units are changed back than one person is enough for, until the lines have come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select

from ledger.core.tables import LOG, TRANSFER
from ledger.currency import chartered, clocked, logged, parties, persons
from ledger.currency.acts import MACHINE
from ledger.currency.bank import boxes, typed
from ledger.currency.bank.lines import line_of
from ledger.currency.bank.names import said
from ledger.currency.bank.reference import line_reference, read_line_reference, squeezed
from ledger.currency.bank.standing import begun
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE, BANK_SQUEEZED, TYPED_CONVERSION
from ledger.currency.charter import ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town
from ledger.currency.vouching import People, together

_LINE, _TYPED = BANK_LINE.c, TYPED_CONVERSION.c
_IN_SUSPENSE, _SPLIT = "bank_suspense", "split"
_DAY_DIGITS = 8


class Asked(NamedTuple):
    """A conversion that somebody types.

    `reserve` is the number of an account, `seq` the place of its entry in the log, and `at` its moment (us) by the
    clock, which is not what the log says behind an entry of a wrong one.
    """

    reserve: int
    reference: str
    holder: int
    amount: int
    booked_on: date | None
    seq: int
    at: int
    by: str


def require(town: Town, connection: Connection, asked: Asked) -> None:
    """Raise `CurrencyError` where these euros have, or may have, another name: conversion_on_statement,
    conversion_taken.
    """
    if read_line_reference(asked.reference) is not None:
        raise CurrencyError("conversion_on_statement", tell(
            "{reference} is how a line of a statement is called here: that line is placed (`patard bank suspense "
            "list`), and not typed again", reference=asked.reference,
        ))  # fmt: skip
    for row in _written_otherwise(connection, asked):
        raise CurrencyError("conversion_taken", tell(
            "{reference} on this account has issued units before: {new} is the same but for how it is written; if it "
            "is another slip, give it a number that no eye takes for that one",
            reference=row.reference, new=asked.reference,
        ))  # fmt: skip
    if not begun(connection):
        return
    spans, in_cash = typed.spans(connection, town), asked.reserve not in typed.banks(town)
    # Slips of a cash box may be short numbers, as a bank's may: those say nothing.
    if not in_cash or len(squeezed(asked.reference)) >= typed.SHORTEST:
        for row in _named_so(connection, asked.reference):
            raise _on_statement(tell(
                "{reference} is the reference of the line {line}",
                reference=asked.reference, line=_told(town, connection, row),
            ))  # fmt: skip
    day = asked.booked_on or town.charter.local_date(asked.at)
    if not in_cash:
        _require_coming(town, connection, asked, day, spans.get(asked.reserve))
    near = _near(town, connection, asked, day, in_cash=in_cash)
    if in_cash:
        _require_other_cash(town, connection, asked, near or _of_any_day(connection, asked, day))
        return
    for row in near:
        raise _on_statement(tell("it may be the line {line}", line=_told(town, connection, row)))


def _require_coming(town: Town, connection: Connection, asked: Asked, day: date, span: typed.Span | None) -> None:
    """Raise `CurrencyError` unless a statement may still bring a line of that day on the account."""
    today, awaited = town.charter.local_date(asked.at), timedelta(days=town.charter.limits.ahead_days)
    if span is not None and day <= span.last:
        raise _on_statement(tell(
            "the statements of this account reach to {last}, and euros of {day} are on them", last=span.last, day=day
        ))  # fmt: skip
    if span is None and day < today - awaited:
        raise _on_statement(tell(
            "no statement of this account stands, and some were taken, of it or of others: {day} is longer ago than "
            "the {days} days for which its line may be awaited", day=day, days=awaited.days,
        ))  # fmt: skip
    lasting = clocked.since(town, asked.at, town.charter.day_bounds(today - 3 * awaited)[0])
    lapsed, most = _taken_back(connection, asked.reserve, lasting), town.charter.limits.ahead_per_day
    if lapsed + asked.amount > most and lapsed:
        raise _on_statement(tell(
            "{lapsed} were typed on this account and taken back within {days} days, for no line came, and {most} are "
            "what may be typed so", lapsed=Cents(lapsed), days=3 * awaited.days, most=Cents(most),
        ))  # fmt: skip


def require_limit(town: Town, connection: Connection, asked: Asked, sources: dict[str, list[int]]) -> None:
    """Raise `CurrencyError`, limit_conversion, where one person converts more in a day than the charter lets them.

    All keys count that are in one hand with the one which asks: else whoever invites keys would convert without a
    limit. What they said is no cash of a box, and gave units for, counts with cash (see `boxes`). `sources` are the
    numbers of the reserve's accounts by their kind.
    """
    kind = next((kind for kind, numbers in sources.items() if asked.reserve in numbers), ReserveKind.BANK)
    limits = town.charter.limits
    limit = limits.cash_per_day if kind == ReserveKind.CASH else limits.ahead_per_day
    midnight = clocked.since(town, asked.at, town.charter.local_day_start(asked.at)[1])
    query = (
        select(_TYPED.by, func.sum(_TYPED.amount))
        .where(
            _TYPED.by != MACHINE, _TYPED.at >= midnight, _TYPED.seq < asked.seq, _TYPED.corrected_seq.is_(None),
            _TYPED.reserve.in_(sources[kind]),
        )
        .group_by(_TYPED.by)
    )  # fmt: skip
    spent = Counter({by: int(cents) for by, cents in connection.execute(query)})
    if kind == ReserveKind.CASH:
        spent += _boxed(town, connection, midnight, asked.seq)
    keys = persons.held(town, connection, map(bytes.fromhex, {asked.by, *spent})) if spent.keys() - {asked.by} else {}
    before = sum(spent.get(by, 0) for by in together(keys, asked.by, spent, asked.seq))
    if before + asked.amount > limit:
        what = tell("by cash") if kind == ReserveKind.CASH else tell("by bank without a line of a statement")
        raise CurrencyError("limit_conversion", tell(
            "one person converts {limit} a day {what}, and {before} are converted (keys that no second treasurer "
            "confirmed count with whoever invited them: `wallet keys confirm`): let the statement bring it, or a "
            "colleague type it, or convert it at the machine", limit=Cents(limit), what=what, before=Cents(before),
        ))  # fmt: skip


def _boxed(town: Town, connection: Connection, since: int, before: int) -> Counter[str]:
    """Cents of units by the keys that gave them since that moment (us), before that entry, for what may be cash of a
    box.
    """
    query = (
        select(_LINE.placed_seq)
        .join(LOG, LOG.c.seq == _LINE.placed_seq)
        .where(_LINE.amount > 0, _LINE.placed_as != "cash", _LINE.placed_seq < before, LOG.c.at >= since)
    )
    spent = Counter[str]()
    for record in logged.by_places(connection, connection.scalars(query)).values():
        placed = record.instruction
        by = str(placed.evidence.get("by"))
        if boxes.BOXED in placed.evidence and by != MACHINE:
            spent[by] += boxes.issued(placed, town.chart.circulation)
    return spent


def require_proved(town: Town, connection: Connection, by: str, seq: int) -> None:
    """Raise `CurrencyError`, reconversion_ahead, where whoever accepts (the key `by`, hex) that units are changed back
    typed units ahead of statements, more than one person is enough for, and no line of a bank has come for them yet.

    Units are not told apart: of those that are changed back any may be these. So it is not for the one who says that
    euros will come to let euros leave. Whom one person brought in count with them, and keys of nobody in particular.
    """
    limits = town.charter.limits
    limit = chartered.awaited_alone(town.charter.bank.second_signature_above, limits.ahead_per_day)
    firsts, awaited = begun(connection), Counter[str]()
    for reserve in typed.banks(town) if firsts else ():
        # An account without a statement, beside one that has some: what is typed on it is believed no longer.
        since = firsts.get(reserve, min(firsts.values()))
        query = (
            select(_TYPED.by, func.sum(_TYPED.amount))
            .where(
                _TYPED.by != MACHINE, _TYPED.reserve == reserve, _TYPED.seq > since, _TYPED.line.is_(None),
                _TYPED.corrected_seq.is_(None),
            )
            .group_by(_TYPED.by)
        )  # fmt: skip
        for who, cents in connection.execute(query):
            awaited[who] += int(cents)
    if limit is None or awaited.total() <= limit:
        return
    raws = {text: bytes.fromhex(text) for text in {by, *awaited}}
    people = People(persons.held(town, connection, raws.values()), seq)
    mine = sum(cents for who, cents in awaited.items() if people.same_behind(raws[by], raws[who]))
    if mine > limit:
        raise CurrencyError("reconversion_ahead", tell(
            "{mine} that you typed, or somebody whom only you vouch for, have no line of a statement yet, and one "
            "person has {limit} of such at most who lets euros leave: bring the statement that has them, or let a "
            "colleague accept this, or accept it at the machine (`patard reconvert accept`)",
            mine=Cents(mine), limit=Cents(limit),
        ))  # fmt: skip


def sources(town: Town) -> dict[str, list[int]]:
    """The numbers of the reserve's accounts by their kind."""
    return {
        str(kind): [town.chart.reserve[one.name] for one in town.charter.reserve if one.kind == kind]
        for kind in ReserveKind
    }


def expected_until(town: Town, id_: bytes) -> date | None:
    """The last day on which a statement may still bring the line of a typed conversion; None where none is awaited."""
    with town.reading() as connection:
        row = typed.find(connection, id_)
        if row is None or row.line is not None or row.corrected_seq is not None:
            return None
        if row.reserve not in typed.banks(town) or not begun(connection):
            return None
    day = clocked.Moments(town, town.book.head().seq).day(row.seq, row.at)
    return day + timedelta(days=town.charter.limits.ahead_days)


def _on_statement(why: str) -> CurrencyError:
    return CurrencyError("conversion_on_statement", tell(
        "{why}. Nothing is typed that a statement brings: place the line (`patard bank suspense list`), or bring the "
        "statement that has it", why=why,
    ))  # fmt: skip


def _named_so(connection: Connection, reference: str) -> list[Row[Any]]:
    """The lines whose bank reference, or whose own, is that one; written otherwise too."""
    text = squeezed(reference)
    long_one = BANK_SQUEEZED.c.squeezed.like(f"{text}%") & (func.length(_LINE.bank_ref) > typed.LONGEST)
    same = BANK_SQUEEZED.c.squeezed == text
    if len(text) >= typed.SHORTEST:
        same = or_(same, long_one)
    join = BANK_LINE.join(BANK_SQUEEZED, BANK_SQUEEZED.c.line == _LINE.id)
    found = list(
        connection.execute(select(BANK_LINE).select_from(join).where(same, _LINE.withdrawn.is_(None)).limit(1))
    )
    if found or not text[:_DAY_DIGITS].isdecimal() or len(text) <= _DAY_DIGITS:
        return found
    day = f"{text[:4]}-{text[4:6]}-{text[6:8]}"
    there = connection.execute(select(BANK_LINE).where(_LINE.booked_on == day, _LINE.withdrawn.is_(None)))
    return [row for row in there if squeezed(_reference(row)) == text]


def _written_otherwise(connection: Connection, asked: Asked) -> list[Row[Any]]:
    """A conversion on this account that stands, whose reference is that one written otherwise."""
    query = select(TYPED_CONVERSION).where(
        _TYPED.reserve == asked.reserve, _TYPED.squeezed == squeezed(asked.reference), _TYPED.seq < asked.seq,
        _TYPED.reference != asked.reference, _TYPED.corrected_seq.is_(None),
    )  # fmt: skip
    return list(connection.execute(query.limit(1)))


def _taken_back(connection: Connection, reserve: int, since: int) -> int:
    """What was typed on an account since that moment (us) and taken back, in cents.

    Without a bound on it, units would be out without a euro for as long as somebody types others before each deadline.
    """
    query = select(func.coalesce(func.sum(_TYPED.amount), 0)).where(
        _TYPED.reserve == reserve, _TYPED.corrected_seq.is_not(None), _TYPED.at >= since
    )
    return int(connection.execute(query).scalar_one())


def _near(town: Town, connection: Connection, asked: Asked, day: date, *, in_cash: bool) -> list[Row[Any]]:
    """Lines of these days that brought this member as much, or that wait to be told what they are.

    Of those that may be cash, only what brought this member units is the slip's: the whole line, or its part of one
    that was split.
    """
    there = select(BANK_LINE).where(
        _LINE.reserve.in_(typed.banks(town)), _LINE.amount >= asked.amount, _LINE.withdrawn.is_(None),
        _LINE.booked_on.between((day - typed.NEAR).isoformat(), (day + typed.NEAR).isoformat()),
    ).order_by(_LINE.place)  # fmt: skip
    theirs = there.where(*_theirs(asked, in_cash=in_cash))
    if not in_cash:
        undecided = or_(
            _LINE.seq.is_(None),
            (_LINE.became == _IN_SUSPENSE) & _LINE.placed_seq.is_(None) & _LINE.undone_seq.is_(None),
        )
        if found := list(connection.execute(there.where(_LINE.amount == asked.amount, undecided).limit(1))):
            return found
    return [row for row in connection.execute(theirs) if _in_part(town, connection, asked, row, in_cash=in_cash)]


def _require_other_cash(town: Town, connection: Connection, asked: Asked, rows: Iterable[Row[Any]]) -> None:
    """Raise `CurrencyError`, conversion_on_statement, where one of these lines brought this member what a slip would,
    and no treasurer says that this is other cash. `check` names each (`audit.boxed`).
    """
    from ledger.currency.bank.correcting import is_treasurer  # which works with conversions

    if is_treasurer(town, asked.by):
        return
    for row in rows:
        raise CurrencyError("conversion_on_statement", tell(
            "it may be cash that was paid in, the line {line}: if it is other cash, a treasurer may type it",
            line=_told(town, connection, row),
        ))  # fmt: skip


def _of_any_day(connection: Connection, asked: Asked, day: date) -> Iterator[Row[Any]]:
    """Deposits of whatever day that brought this member as much: slips lie about for long, and so does cash."""
    lines = select(BANK_LINE).where(
        _LINE.amount >= asked.amount, _LINE.reserve != asked.reserve, *_theirs(asked, in_cash=True)
    )
    for row in connection.execute(lines.order_by(_LINE.place)):
        line = line_of(row)
        may_be = boxes.is_whatever(line) or (boxes.may_be_cash(line) and day <= line.booked_on)
        if may_be and (part := _part(connection, asked, row)) and asked.amount in {part, row.amount}:
            yield row


def _theirs(asked: Asked, *, in_cash: bool) -> tuple[ColumnElement[bool], ...]:
    """What holds of the lines that brought this member units; `in_cash`, and that may be cash."""
    split = _LINE.holder.is_(None) & (_LINE.placed_as == _SPLIT)
    may_be = (_LINE.kind.in_((LineKind.OTHER, LineKind.CASH, LineKind.OPENING)), _LINE.iban == "") if in_cash else ()
    return _LINE.withdrawn.is_(None), _LINE.undone_seq.is_(None), or_(_LINE.holder == asked.holder, split), *may_be


def _part(connection: Connection, asked: Asked, row: Row[Any]) -> int:
    """What a line brought this member, in cents."""
    first = (row.placed_seq or row.seq or 0) << 8
    query = select(func.sum(TRANSFER.c.amount)).where(
        TRANSFER.c.place.between(first, first + 255), TRANSFER.c.credit == asked.holder
    )
    # What was found to be a conversion that somebody typed moved no units, and is this member's all the same.
    return int(connection.execute(query).scalar() or (row.amount if row.holder == asked.holder else 0))


def _in_part(town: Town, connection: Connection, asked: Asked, row: Row[Any], *, in_cash: bool) -> bool:
    """Whether these euros may be what the line brought this member, it alone or as one of several slips."""
    part = _part(connection, asked, row)
    if part and asked.amount in (part, row.amount):
        return True
    if not in_cash or asked.amount > part:
        return False
    # Cash by the bank's own word may be any slip; of what may be a transfer, only slips that come to it speak.
    if row.kind == LineKind.CASH or said(f"{row.name} {row.text}", "cash in"):
        return True
    day, moments = date.fromisoformat(row.booked_on), clocked.Moments(town, asked.seq)
    slips = select(TYPED_CONVERSION).where(
        _TYPED.holder == asked.holder, _TYPED.reserve.not_in(typed.banks(town)), _TYPED.corrected_seq.is_(None),
        _TYPED.seq < asked.seq, typed.between(town, moments, day - typed.NEAR, day + typed.NEAR),
    )  # fmt: skip
    there = typed.typed_of(moments, connection.execute(slips))
    return sum(one.amount for one in there if abs(one.booked_on - day) <= typed.NEAR) + asked.amount == part


def _reference(row: Row[Any]) -> str:
    return line_reference(date.fromisoformat(row.booked_on), row.amount, row.ordinal)


def _told(town: Town, connection: Connection, row: Row[Any]) -> str:
    """A line, and what became of it."""
    name = _reference(row)
    if row.seq is None:
        return tell("{name}, which is being booked", name=name)
    if row.became == _IN_SUSPENSE and row.placed_seq is None:
        return tell("{name}, which waits in suspense", name=name)
    if row.holder is not None:
        found = parties.by_accounts(connection, {row.holder})
        if row.holder in found:
            return tell("{name}, which was for {party}", name=name, party=found[row.holder].name)
    return tell("{name}, which became {kind}", name=name, kind=row.placed_as or row.became)
