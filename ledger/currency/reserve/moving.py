"""Euros between two accounts of the reserve: what left one and arrived on none, or the other way.

A departure and an arrival are one transfer where they are as much, on two accounts, within some days, and neither line
names a third account of ours. What both banks' lines say themselves goes together first, and each arrival takes the
departure that was last before it: so what cannot be told apart leaves standing what a person said, and what stands
longer. No pair stands in the way of others: as many go together as can, in whatever order statements came. After them
goes what came back to the account that it had left, and then sums: what arrived in parts, or came back in part.

Whatever goes together comes to nothing, so what is left always comes to what the ledger has in transit: no euro that
left and came nowhere is hidden by it.

What nothing was found for is on its way: for as long as a savings account's statement may take where the bank's line
names an account of ours, and no longer than a line is awaited where a person said so, counted from the first time that
somebody did; nor where the statements of the account that the line names were withdrawn. Where that account had
statements of the days by which it must have come (every other account, where no line names one), it did not: what
statements told up to a day is known, though they were withdrawn since.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import combinations
from typing import NamedTuple

from ledger.currency.reserve.chains import Days, Entry, said
from ledger.currency.reserve.model import MOVED, QUARTER, Explained, Why

EARLIER = timedelta(days=15)
"""How much earlier than the departure an arrival may be booked: banks date by the day of value."""
NOTHING = timedelta(0)
PARTS = 10
"""So many of the nearest are tried as parts of a sum: each more doubles what there is to try."""


class Moved(NamedTuple):
    """An entry of the chain: the cents that it added, for the account `reserve`, by the bank line `line`.

    `undone` is the entry that it takes back, if it is no movement of its own; `taken` the day on which the log took it.
    """

    amount: int
    on: date
    taken: date
    kind: str
    reference: str
    id: bytes
    seq: int
    reserve: str
    line: bytes
    undone: bytes | None
    other: str | None = None
    """The account on the other side, where the bank's line names one of ours."""
    opening: bool = False
    """Whether it was there before the first statement, however long before."""
    came_back: bool = False
    """Whether the bank calls it a return."""


class Said(NamedTuple):
    """What lines of the bank say, by their ids: `named` the accounts of ours on the other side, `openings` that it was
    there before a first statement, `returns` that it came back.
    """

    named: Mapping[bytes, str]
    openings: Container[bytes]
    returns: Container[bytes]


@dataclass
class Moving:
    """What was gathered of the chain up to entry `seq` of the log."""

    seq: int = 0
    entries: list[Moved] = field(default_factory=list)

    def take(self, entries: Iterable[Entry], number: int, days: Days) -> None:
        """Take in entries of the log."""
        for entry in entries:
            if change := entry.change(number):
                told, row = said(entry.row.record), entry.row
                named = {key: str(told.evidence.get(key, "")) for key in ("reference", "reserve", "line")}
                undone = told.evidence.get("undoes") or told.evidence.get("returns") or ""
                self.entries.append(
                    Moved(change, days.of(row), days.taken(row), told.kind, named["reference"], row.id, row.seq,
                          named["reserve"], bytes.fromhex(named["line"]) or row.id, bytes.fromhex(str(undone)) or None)
                )  # fmt: skip

    def alone(self, lines: Said) -> list[Moved]:
        """What goes with nothing, oldest first."""
        undone = {one.undone for one in self.entries}
        stand = [one for one in self.entries if one.undone is None and one.id not in undone]
        stand = [
            one._replace(
                other=lines.named.get(one.line), opening=one.line in lines.openings,
                came_back=one.line in lines.returns,
            )
            for one in stand
        ]  # fmt: skip
        return _alone(sorted(stand, key=lambda one: (one.on, one.seq)))

    def open(
        self, today: date, ahead: timedelta, reach: Mapping[str, date | None], withdrawn: Container[str], lines: Said
    ) -> tuple[Explained, ...]:  # fmt: skip
        """What left and did not arrive (above nothing) or arrived and did not leave (below), oldest first.

        `ahead` is how long a line is awaited, `reach` the last day of all statements that each bank account ever had,
        by its number, `withdrawn` those of which none stands any more.
        """
        said_on: dict[bytes, date] = {}
        for one in self.entries:
            said_on[one.line] = min(one.taken, said_on.get(one.line, one.taken))
        found = []
        for one in self.alone(lines):
            told = one.kind == MOVED and one.other in reach and one.other not in withdrawn
            until = one.taken + QUARTER if told else said_on[one.line] + ahead
            # Where the line names the account, what another might have had says nothing.
            there = {one.other} if one.other in reach else reach.keys() - {one.reserve}
            others = [last for account, last in reach.items() if account in there]
            known = others and all(last is not None and last > one.on + ahead for last in others)
            why = Why.OVERDUE if known or until < today else Why.AFTER_STATEMENT
            until = min(until, one.on + ahead) if known else until
            found.append(Explained(why, one.amount, one.on, one.kind, one.reference, one.id, one.seq, until))
        return tuple(sorted(found, key=lambda one: one.seq or 0))


_Fits = Callable[[Moved, Moved], bool]
"""Whether a departure and an arrival may be one transfer, or parts of one."""


def _alone(stand: list[Moved]) -> list[Moved]:
    """What is left of movements, oldest first, when departures and arrivals of one transfer are taken away."""
    left = stand
    for fits in (_told, _one_transfer, _returned):
        paired = _paired(left, fits)
        left = [one for one in left if one.id not in paired]
    for fits in (_told_part, _part):
        gone: set[bytes] = set()
        # Of departures the last first: the oldest is what no parts are left for.
        arrivals = [one for one in left if one.amount < 0]
        for whole in (*arrivals, *(one for one in reversed(left) if one.amount > 0)):
            there = [one for one in left if one.id not in gone]
            if whole.id not in gone and (parts := _parts(whole, there, fits)):
                gone |= {whole.id, *(one.id for one in parts)}
        left = [one for one in left if one.id not in gone]
    return left


def _paired(left: list[Moved], fits: _Fits) -> set[bytes]:
    """The ids of departures and arrivals of as much that fit: the nearest, and as many as can go together."""
    departures: dict[int, list[Moved]] = defaultdict(list)
    for one in left:
        departures[one.amount].append(one)

    def may_be(arrival: Moved) -> list[Moved]:
        there = departures.get(-arrival.amount, [])
        first = 0 if arrival.opening else bisect_left(there, arrival.on - QUARTER, key=_day)
        last = bisect_right(there, arrival.on + EARLIER, key=_day)
        return sorted((one for one in there[first:last] if fits(one, arrival)), key=_nearest(arrival))

    taken: dict[bytes, Moved] = {}
    """The arrivals by the departures that they ended."""
    waiting = []
    for arrival in (one for one in left if one.amount < 0):
        if departure := next((one for one in may_be(arrival) if one.id not in taken), None):
            taken[departure.id] = arrival
        else:
            waiting.append(arrival)
    for arrival in waiting:
        _make_way(arrival, may_be, taken)
    return taken.keys() | {arrival.id for arrival in taken.values()}


def _make_way(arrival: Moved, may_be: Callable[[Moved], list[Moved]], taken: dict[bytes, Moved]) -> None:
    """Find an arrival a departure where those that have its own can take others, and these others again."""
    before: dict[bytes, tuple[Moved, bytes | None]] = {}
    asking: list[tuple[Moved, bytes | None]] = [(arrival, None)]
    for asks, had in asking:
        for departure in may_be(asks):
            if departure.id in before:
                continue
            before[departure.id] = (asks, had)
            if departure.id in taken:
                asking.append((taken[departure.id], departure.id))
                continue
            free: bytes | None = departure.id
            while free is not None:
                taken[free], free = before[free]
            return


def _parts(whole: Moved, left: list[Moved], fits: _Fits) -> tuple[Moved, ...]:
    """The fewest that come to a departure or an arrival, the nearest of them; none where there are none."""

    def with_whole(part: Moved) -> tuple[Moved, Moved]:
        return (whole, part) if whole.amount > 0 else (part, whole)

    there = [one for one in left if one.amount * whole.amount < 0 and abs(one.amount) < abs(whole.amount)]
    near = sorted((one for one in there if fits(*with_whole(one))), key=_nearest(whole))[:PARTS]
    sums = [0]
    for one in near:
        sums += [one.amount + before for before in sums]
    # Mostly nothing comes to it: then they are not tried one by one.
    for size in range(2, len(near) + 1) if -whole.amount in sums else ():
        for parts in combinations(near, size):
            if sum(one.amount for one in parts) == -whole.amount and (
                any(one.reserve != whole.reserve for one in parts) or all(_returned(*with_whole(one)) for one in parts)
            ):
                return parts
    return ()


def _one_transfer(departure: Moved, arrival: Moved) -> bool:
    """They are on two accounts, and no line names a third."""
    named = departure.other in (None, arrival.reserve) and arrival.other in (None, departure.reserve)
    days = arrival.on - departure.on
    near = -EARLIER <= days <= QUARTER or (arrival.opening and days > QUARTER)
    return named and departure.reserve != arrival.reserve and near


def _told(departure: Moved, arrival: Moved) -> bool:
    """Both banks say that it was between accounts of ours."""
    return departure.kind == arrival.kind == MOVED and _one_transfer(departure, arrival)


def _returned(departure: Moved, arrival: Moved) -> bool:
    """It came back to the account that it had left: from the one to which it went, as the bank says of both, or it
    calls it a return.
    """
    says = arrival.came_back or (arrival.other is not None and departure.other == arrival.other)
    return says and _may_be_back(departure, arrival)


def _may_be_back(departure: Moved, arrival: Moved) -> bool:
    named = {departure.other, arrival.other} - {None}
    return departure.reserve == arrival.reserve and len(named) < 2 and NOTHING <= arrival.on - departure.on <= QUARTER


def _told_part(departure: Moved, arrival: Moved) -> bool:
    return _told(departure, arrival) or _returned(departure, arrival)


def _part(departure: Moved, arrival: Moved) -> bool:
    """What came back of a sum need not say from where, for the rest of it arrived."""
    return _one_transfer(departure, arrival) or _may_be_back(departure, arrival)


def _day(one: Moved) -> date:
    return one.on


def _nearest(whole: Moved) -> Callable[[Moved], tuple[bool, timedelta, int]]:
    """The last departure before an arrival comes first, then what left after it; of a departure the other way round."""
    came = whole.amount < 0
    return lambda one: ((one.on > whole.on) if came else (one.on < whole.on), abs(whole.on - one.on), -one.seq)
