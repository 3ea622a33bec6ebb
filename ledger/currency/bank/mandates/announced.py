"""The month whose file of debits is next: it was announced, has no file yet, and can still be debited in time."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from ledger.currency.bank.lead import debits_by, debits_from
from ledger.currency.bank.mandates import months, notices
from ledger.currency.bank.mandates.model import terms
from ledger.currency.bank.mandates.tables import COLLECTION
from ledger.currency.bank.mandates.text import Terms
from ledger.currency.town import Town


class Announced(NamedTuple):
    """A month without a file: the day that was announced, from when its file can be made, and what would be in it now.

    The bank debits on `collect_on` if it gets the file now; that is the announced day while it gets it by the day
    `by_day`, and on that before the local hour `by_hour` (None: all day). `total` is cents.
    """

    month: str
    due_on: date
    from_day: date
    collect_on: date
    by_day: date
    by_hour: time | None
    debits: int
    total: int


def stands(month: str) -> tuple[ColumnElement[bool], ...]:
    """The one file of that month that was not withdrawn."""
    return COLLECTION.c.month == month, COLLECTION.c.withdrawn_at.is_(None)


def from_day(said: Terms, due_on: date) -> date:
    """The first day on which the file of debits that were announced for `due_on` can be made: nobody can join it."""
    return due_on - timedelta(days=min(months.EARLIEST_DAYS, said.notice_days))


def announced(town: Town) -> Announced | None:
    """The first such month, from the last one on; None where there is none."""
    said, today = terms(town), town.charter.local_date(town.now())
    month, last = months.before(months.month_of(today)), notices.to_notice(town)
    with town.reading() as connection:
        while month <= last:
            due_on = notices.told_on(connection, month)
            if due_on is not None and not _has_file(connection, month):
                collect_on = max(due_on, debits_from(town))
                found = notices.collectable(connection, month) if collect_on <= months.latest(due_on) else []
                if found:
                    total, by = sum(one.amount for one in found), debits_by(town, due_on)
                    return Announced(month, due_on, from_day(said, due_on), collect_on, *by, len(found), total)
            month = months.following(month)
    return None


def _has_file(connection: Connection, month: str) -> bool:
    return connection.execute(select(COLLECTION.c.id).where(*stands(month))).first() is not None
