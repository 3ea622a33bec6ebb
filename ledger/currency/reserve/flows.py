"""Units made and destroyed, by day: gathered from the chains of the accounts that they come from.

A unit comes into being on `circulation`, or on the account of an issuer that the currency moved in with, and ends
there; what moves between those is neither. So their chains hold every conversion and every reconversion, of every
kind, and nothing else of the log has to be read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from ledger.currency.reserve.chains import Days, Entry
from ledger.currency.reserve.model import Month, Year


@dataclass
class Flows:
    """What was gathered from the log up to `seq`. Sums of cents by day; `out` by source of units, then by day."""

    seq: int = 0
    conversions: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    reconversions: dict[date, int] = field(default_factory=lambda: defaultdict(int))
    out: dict[int, dict[date, int]] = field(default_factory=dict)

    def take(
        self, entries: Iterable[Entry], sources: Collection[int], circulation: int, waiting: int, days: Days
    ) -> None:
        """Take in entries of the log. `sources` are the accounts that units come from, `circulation` among them.

        An issuer moves nothing before it has its account, so every source's chain is read on from one place.
        """
        for row, legs in entries:
            day: date | None = None
            for number, leg in legs:
                if number not in sources:
                    continue
                if day is None:
                    day = days.of(row)
                made, amount = leg.debit == number, leg.amount
                self.out.setdefault(number, defaultdict(int))[day] += amount if made else -amount
                if (leg.credit if made else leg.debit) in sources:
                    continue  # an issuer's units become the currency's own: as many are out as before
                if made:
                    self.conversions[day] += amount
                elif leg.debit == waiting or number != circulation:
                    self.reconversions[day] += amount
                else:
                    # Taken back: a slip of the pen, euros that the bank returned.
                    self.conversions[day] -= amount

    def months(self, circulation: int, on: date) -> list[Month]:
        """Every month from the first unit to that of `on`. `circulation` is the number of the account."""
        moved = [day for days in self.out.values() for day in days]
        if not moved:
            return []
        first, last = min(moved).replace(day=1), max([on, *moved]).replace(day=1)
        converted, destroyed = _by_month(self.conversions), _by_month(self.reconversions)
        changes = {source: _by_month(days) for source, days in self.out.items()}
        held = dict.fromkeys(changes, 0)
        found = []
        while first <= last:
            for source, months in changes.items():
                held[source] += months.get(first, 0)
            out = sum(cents if source == circulation else max(0, cents) for source, cents in held.items())
            found.append(Month(first, converted.get(first, 0), destroyed.get(first, 0), out))
            first = (first + timedelta(days=31)).replace(day=1)
        return found

    def year(self, on: date) -> Year:
        """The twelve months that end with `on`. What the bank books for tomorrow counts today."""
        first = _year_before(on)
        inflow, outflow = (
            sum(cents for day, cents in days.items() if day >= first) for days in (self.conversions, self.reconversions)
        )
        return Year(first, on, inflow, outflow)


def _by_month(days: Mapping[date, int]) -> dict[date, int]:
    months: dict[date, int] = defaultdict(int)
    for day, cents in days.items():
        months[day.replace(day=1)] += cents
    return months


def _year_before(day: date) -> date:
    """The first day of the twelve months that end with `day`."""
    before = day - timedelta(days=1) if (day.month, day.day) == (2, 29) else day
    return before.replace(year=day.year - 1) + timedelta(days=1)
