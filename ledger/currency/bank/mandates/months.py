"""Which day of a month debits are due on, and until when members can be told of them. Pure."""

from __future__ import annotations

import re
from datetime import date, timedelta

from ledger.currency.bank.mandates.text import Terms
from ledger.currency.bank.target import open_day
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

EARLIEST_DAYS = 14
"""Calendar days before its day from which banks take a file of debits (SEPA rule book)."""
LATE_DAYS = 10
"""Days after the one that was announced until which a month is still collected."""
_DAY = timedelta(days=1)
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


def month_of(day: date) -> str:
    """The month that a day is in."""
    return day.isoformat()[:7]


def month(text: str, today: date) -> str:
    """A month that somebody typed. Raises `CurrencyError`: month_malformed."""
    found = _MONTH.fullmatch(text.strip())
    if not found or abs(int(found[1]) * 12 + int(found[2]) - today.year * 12 - today.month) > 24:
        raise CurrencyError(
            "month_malformed", tell("write a month as {month}, within two years of today", month=month_of(today))
        )
    return found[0]


def before(text: str) -> str:
    """The month before that one."""
    year, number = int(text[:4]), int(text[5:])
    return f"{year - (number == 1)}-{(number - 2) % 12 + 1:02d}"


def following(text: str) -> str:
    """The month after that one."""
    year, number = int(text[:4]), int(text[5:])
    return f"{year + number // 12}-{number % 12 + 1:02d}"


def due_on(terms: Terms, text: str) -> date:
    """The day on which that month's debits are due: the charter's, or the first after it on which banks work."""
    return open_day(date(int(text[:4]), int(text[5:]), terms.day))


def last_notice(terms: Terms, text: str) -> date:
    """The last day on which somebody can still be told of that month's debit."""
    return due_on(terms, text) - terms.notice_days * _DAY


def latest(announced: date) -> date:
    """The last day on which debits that were announced for that day are made."""
    return announced + LATE_DAYS * _DAY
