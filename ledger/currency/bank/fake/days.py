"""The days on which banks move euros: Monday to Friday, but for the six days on which TARGET is closed."""

from __future__ import annotations

from datetime import date, timedelta

_DAY = timedelta(days=1)
_CLOSED = {(1, 1), (5, 1), (12, 25), (12, 26)}


def is_banking_day(day: date) -> bool:
    """Whether banks settle payments on that day."""
    easter = _easter(day.year)
    return (
        day.weekday() < 5
        and (day.month, day.day) not in _CLOSED
        and day not in (easter - 2 * _DAY, easter + _DAY)  # Good Friday and Easter Monday
    )


def banking_day(day: date) -> date:
    """That day, or the first banking day after it."""
    while not is_banking_day(day):
        day += _DAY
    return day


def later(day: date, count: int) -> date:
    """The banking day that comes `count` banking days after `day`; with 0 as `banking_day`."""
    day = banking_day(day)
    for _ in range(count):
        day = banking_day(day + _DAY)
    return day


def _easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus, Jones, Butcher)."""
    century, of_century = divmod(year, 100)
    golden = year % 19
    skipped, rest = divmod(century, 4)
    moon = (19 * golden + century - skipped - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * rest + 2 * (of_century // 4) - moon - of_century % 4) % 7
    correction = (golden + 11 * moon + 22 * sunday) // 451
    month, day = divmod(moon + sunday - 7 * correction + 114, 31)
    return date(year, month, day + 1)
