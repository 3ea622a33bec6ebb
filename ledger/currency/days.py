"""Days that a book can have: of 2000 to 2100, wherever they come from, so that no sum and no loop over days runs away.

A day that somebody types or sends is refused outside of them; one that stands in a log from before there were bounds is
counted for the day on which the log took it.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

FIRST: Final = date(2000, 1, 1)
LAST: Final = date(2100, 12, 31)
DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TEXT: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


def typed(text: str) -> date:
    """A day as it is written: 2026-11-23, and no other way. Raises `CurrencyError`: date_malformed, date_outside."""
    if not _TEXT.fullmatch(text):
        raise CurrencyError("date_malformed", tell("write a date as 2026-11-23"))
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise CurrencyError("date_malformed", tell("there is no day {said}; write a date as 2026-11-23",
                                                   said=text)) from None  # fmt: skip
    return require(day)


def require(day: date) -> date:
    """The day, if a book can have it. Raises `CurrencyError`: date_outside."""
    if not FIRST <= day <= LAST:
        raise CurrencyError("date_outside", tell("{day} lies outside of {first} to {last}",
                                                 day=day, first=FIRST, last=LAST))  # fmt: skip
    return day


def past(town: Town, day: date) -> date:
    """The day, if it came already where the currency is. Raises `CurrencyError`: date_outside, date_future."""
    today = town.charter.local_date(town.now())
    if require(day) > today:
        raise CurrencyError("date_future", tell("{day} lies in the future: today is {today}", day=day, today=today))
    return day


def after(day: date, days: int) -> date:
    """The day that many days later (or earlier); the last, or first, that a calendar has where it would run out."""
    try:
        return day + days * DAY
    except OverflowError:
        return date.max if days > 0 else date.min


def counted(booked_on: date | None, taken_on: date) -> date:
    """The day that an entry counts for which the log took on `taken_on`: what it names, unless that cannot be.

    A bank may book for tomorrow; nothing else counts for a day that has not come.
    """
    if booked_on is None or not FIRST <= booked_on <= after(taken_on, 1):
        return taken_on
    return booked_on
