"""Euros between two accounts of the reserve: what left one and arrived on none yet, from the chain of `transit`.

What leaves an account adds to it, what arrives, comes back or is undone takes as much away. What nothing took away is
on its way: for as long as a savings account's statement may take where the bank's line names an account of ours, and no
longer than a line is awaited where a person said so. Then nobody knows where it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta

from ledger.currency.reserve.chains import Days, Entry, said
from ledger.currency.reserve.model import MOVED, QUARTER, Explained, Why


@dataclass
class Moving:
    """What was gathered of the chain up to entry `seq` of the log: entries by what they added, in cents."""

    seq: int = 0
    entries: list[Explained] = field(default_factory=list)

    def take(self, entries: Iterable[Entry], number: int, days: Days, ahead: timedelta) -> None:
        """Take in entries of the log; `ahead` is how long a line is awaited."""
        for entry in entries:
            change = entry.change(number)
            if change:
                told = said(entry.row.record)
                until = days.taken(entry.row) + (QUARTER if told.kind == MOVED else ahead)
                reference = str(told.evidence.get("reference", ""))
                row, on = entry.row, days.of(entry.row)
                self.entries.append(Explained(Why.OVERDUE, change, on, told.kind, reference, row.id, row.seq, until))

    def open(self, today: date) -> tuple[Explained, ...]:
        """What left and did not arrive, oldest first."""
        left: dict[int, list[Explained]] = defaultdict(list)
        for one in sorted(self.entries, key=lambda one: one.seq or 0):
            if left[-one.amount]:
                left[-one.amount].pop(0)
            else:
                left[one.amount].append(one)
        found = [one for amount, some in left.items() if amount > 0 for one in some]
        on_time = [one._replace(why=Why.AFTER_STATEMENT) if today <= (one.until or today) else one for one in found]
        return tuple(sorted(on_time, key=lambda one: one.seq or 0))
