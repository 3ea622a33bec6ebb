"""The days on which banks move euros: Monday to Friday, but for the days on which TARGET, their system, is closed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

_CLOSED: Final = frozenset({(1, 1), (5, 1), (12, 25), (12, 26)})
_DAY: Final = timedelta(days=1)


def is_open(day: date) -> bool:
    """Whether banks settle on that day."""
    if day.weekday() >= 5 or (day.month, day.day) in _CLOSED:
        return False
    return (day - easter(day.year)).days not in (-2, 1)  # Good Friday, Easter Monday


def open_day(day: date) -> date:
    """That day, or the first after it on which banks settle."""
    while not is_open(day):
        day += _DAY
    return day


def easter(year: int) -> date:
    """Easter Sunday, by the rules of the Gregorian calendar: the Sunday after the full moon on or after 21 March."""
    century = year // 100
    # Days from 21 March to the church's full moon: the 19 years of the moon, shifted by leap days left out and by the
    # moon's own drift (8 days in 2,500 years).
    shift = century - century // 4 - (8 * century + 13) // 25 + 15
    moon = (19 * (year % 19) + shift) % 30
    if moon == 29 or (moon == 28 and year % 19 > 10):
        moon -= 1
    full = date(year, 3, 21) + timedelta(days=moon)
    return full + timedelta(days=(6 - full.weekday()) or 7)
