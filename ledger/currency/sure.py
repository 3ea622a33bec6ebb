"""Whose word it is that a day has come, where a clock that is wrong for a moment would do what cannot be undone.

Either it has come at two looks of one process, ten minutes of a steady clock apart, or a person says what day it is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import NamedTuple, Protocol

from ledger.core.clock import SECOND
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

APART = 600 * SECOND
"""How far two looks lie apart (us of a steady clock)."""


class Sure(Protocol):
    """Whose word it is that a day has come."""

    def of(self, town: Town, kind: str, due: Collection[bytes]) -> set[bytes]:
        """Those of `due`, by the clock now, that are due for sure. Raises `CurrencyError`."""
        ...


class Looks:
    """Sure is what was due at two looks of this process, ten minutes or more apart. One for each process."""

    def __init__(self) -> None:
        self._first: dict[str, dict[bytes, int]] = {}

    def of(self, town: Town, kind: str, due: Collection[bytes]) -> set[bytes]:
        now, before = town.steady(), self._first.get(kind, {})
        # What is not due at this look is forgotten: an earlier one was wrong.
        first = self._first[kind] = {id_: before.get(id_, now) for id_ in due}
        return {id_ for id_, at in first.items() if now - at >= APART}


class Said(NamedTuple):
    """Sure is what is due on the day of which a person says that it is today."""

    today: date

    def of(self, town: Town, kind: str, due: Collection[bytes]) -> set[bytes]:
        clock = town.charter.local_date(town.now())
        if clock != self.today:
            raise CurrencyError("clock_differs", tell("today is {today}, you say, and the clock has {clock}",
                                                      today=self.today, clock=clock))  # fmt: skip
        return set(due)
