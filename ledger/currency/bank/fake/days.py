"""Counting banking days, as value dates do."""

from __future__ import annotations

from datetime import date, timedelta

from ledger.currency.bank.target import open_day


def later(day: date, count: int) -> date:
    """The banking day that comes `count` banking days after `day`; with 0 that day or the first open one after it."""
    day = open_day(day)
    for _ in range(count):
        day = open_day(day + timedelta(days=1))
    return day
