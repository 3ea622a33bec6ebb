"""Euros that came and that nobody placed: somebody's, and not the association's.

An entry moves a whole line into suspense, or out of it. So the lines that wait there are counted by their amount, and
one that brought as much as another took may be the same euros. What went out and was not placed is no less for what
came in beside it: of the balance of the account nobody could tell that euros were spent which were not there to spend.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Unplaced:
    """What waits in suspense: `cents` that came, beyond those that the same amounts took."""

    cents: int = 0
    _lines: Counter[int] = field(default_factory=Counter)
    """Lines that came less lines that went, by their amount."""

    def take(self, change: int) -> None:
        """Take in what an entry made of the balance of suspense, which is debit-normal here. Their order is any."""
        amount = abs(change)
        before = max(0, self._lines[amount])
        self._lines[amount] += 1 if change < 0 else -1
        self.cents += amount * (max(0, self._lines[amount]) - before)
