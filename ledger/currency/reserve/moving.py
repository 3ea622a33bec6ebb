"""Euros between two accounts of the reserve: what left one and arrived on none, or the other way.

A departure and an arrival are one transfer where they are as much, on two accounts, within some days. What the banks'
lines say themselves (they name an account of ours) goes together first, and each arrival takes the departure that was
last before it: so what cannot be told apart leaves standing what a person said, and what stands longer.

What nothing was found for is on its way: for as long as a savings account's statement may take where the bank's line
names an account of ours, and no longer than a line is awaited where a person said so, counted from the first time that
somebody did. Where every other account has statements of the days by which it must have come, it did not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from ledger.currency.reserve.chains import Days, Entry, said
from ledger.currency.reserve.model import MOVED, QUARTER, Explained, Why

EARLIER = timedelta(days=15)
"""How much earlier than the departure an arrival may be booked: banks date by the day of value."""


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

    def open(self, today: date, ahead: timedelta, reach: Mapping[str, date | None]) -> tuple[Explained, ...]:
        """What left and did not arrive (above nothing) or arrived and did not leave (below), oldest first.

        `ahead` is how long a line is awaited, `reach` the last day of each bank account's statements, by its number.
        """
        undone = {one.undone for one in self.entries}
        stand = [one for one in self.entries if one.undone is None and one.id not in undone]
        said_on: dict[bytes, date] = {}
        for one in self.entries:
            said_on[one.line] = min(one.taken, said_on.get(one.line, one.taken))
        found = []
        for one in _alone(sorted(stand, key=lambda one: (one.on, one.seq))):
            until = one.taken + QUARTER if one.kind == MOVED else said_on[one.line] + ahead
            others = [last for account, last in reach.items() if account != one.reserve]
            known = others and all(last is not None and last > one.on + ahead for last in others)
            why = Why.OVERDUE if known or until < today else Why.AFTER_STATEMENT
            until = min(until, one.on + ahead) if known else until
            found.append(Explained(why, one.amount, one.on, one.kind, one.reference, one.id, one.seq, until))
        return tuple(sorted(found, key=lambda one: one.seq or 0))


def _alone(stand: list[Moved]) -> list[Moved]:
    """What is left of movements, oldest first, when departures and arrivals of one transfer are taken away."""
    left = stand
    for known_by_banks in (True, False):
        some = [one for one in left if one.kind == MOVED or not known_by_banks]
        departures: dict[int, list[Moved]] = defaultdict(list)
        for one in some:
            departures[one.amount].append(one)
        paired: set[bytes] = set()
        for arrival in (one for one in some if one.amount < 0):
            there = departures[-arrival.amount]
            may_be = [one for one in there if _one_transfer(one, arrival)]
            if departure := min(may_be, key=_nearest(arrival), default=None):
                there.remove(departure)
                paired |= {departure.id, arrival.id}
        left = [one for one in left if one.id not in paired]
    return left


def _one_transfer(departure: Moved, arrival: Moved) -> bool:
    return departure.reserve != arrival.reserve and -EARLIER <= arrival.on - departure.on <= QUARTER


def _nearest(arrival: Moved) -> Callable[[Moved], tuple[bool, timedelta, int]]:
    """The last departure before an arrival comes first, then what left after it."""
    return lambda one: (one.on > arrival.on, abs(arrival.on - one.on), -one.seq)
