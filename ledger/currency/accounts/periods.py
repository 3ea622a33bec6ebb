"""Business years: which there are, which are closed, and on which day an entry counts.

A year ends on the charter's day. Closing it is a note in the log that says up to which entry it reaches, with the
digest of its FEC and the plan of accounts that made it; nothing that comes later is booked into it any more. A note's
id follows from the network and the year's last day, so a year is closed once, and which are is found without reading
the log.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from ledger.core import record as records
from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Note
from ledger.currency.accounts.plan import Plan
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

KIND: Final = "period_closed"
FORM: Final = 2
"""Version of the file that a closing's digest is of: its fields, the titles and labels of accounts, what entries are
called. Another form needs another number, and the old one kept for the years that it closed: in the first, auxiliary
numbers are those of the accounts alone.
"""
_FIRST_YEAR: Final = 1900
"""A day before is a slip of somebody's pen: no such year could ever be closed, so it counts when the log took it."""
_DAY: Final = timedelta(days=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


class Closing(NamedTuple):
    """A closed year: its days, the last log entry (`seq`) that it could take in, and what its FEC is."""

    start: date
    end: date
    seq: int
    sha256: str
    entries: int
    plan: Plan
    by: str
    form: int = FORM


class Period(NamedTuple):
    """A business year, both days in it. `closing` is None while it is open."""

    start: date
    end: date
    closing: Closing | None = None


def note_id(network: bytes, end: date) -> bytes:
    """Id of the one note that closes the year that ends on this day."""
    return derived_id("patard/period-closed", network, end.isoformat())


def note_of(network: bytes, closing: Closing) -> Note:
    """The note that closes a year."""
    evidence: dict[str, str | int] = {
        "by": closing.by,
        "end": closing.end.isoformat(),
        "entries": closing.entries,
        "form": closing.form,
        "plan": closing.plan.dumps(),
        "seq": closing.seq,
        "sha256": closing.sha256,
        "start": closing.start.isoformat(),
    }
    return Note(note_id(network, closing.end), KIND, evidence)


def read(evidence: Evidence) -> Closing:
    """What a note says that closes a year. Raises `ValueError` when it is not such a note's."""
    try:
        start, end = (date.fromisoformat(str(evidence[key])) for key in ("start", "end"))
        seq, entries, sha256 = int(evidence["seq"]), int(evidence["entries"]), str(evidence["sha256"])
        form = evidence["form"]
        if form not in (1, FORM) or not _DIGEST.fullmatch(sha256) or not start <= end:
            raise ValueError("its form, digest or days are none that this program knows")
        return Closing(start, end, seq, sha256, entries, Plan.loads(str(evidence["plan"])), str(evidence["by"]),
                       int(form))  # fmt: skip
    except KeyError as error:
        raise ValueError(f"a note that closes a year says {error}; this one does not") from error


def closings(town: Town) -> list[Closing]:
    """The years that are closed, oldest first. They end on the last day of a month, whatever charter was in force."""
    ids = _note_ids(town.charter.network, town.charter.local_date(town.now()).year)
    with town.book.store.reading() as store:
        found = store.posted(ids)
    notes = [records.parse(found[id_]).instruction for id_ in ids if id_ in found]
    return [read(note.evidence) for note in notes if isinstance(note, Note) and note.kind == KIND]


@lru_cache(maxsize=4)
def _note_ids(network: bytes, last: int) -> list[bytes]:
    """The ids of all notes that can close a year, of months in their order, up to the year `last`."""
    return [
        note_id(network, _month_end(year, month)) for year in range(_FIRST_YEAR, last + 1) for month in range(1, 13)
    ]


def period_at(town: Town, closed: Sequence[Closing], day: date) -> Period:
    """The business year in which a day lies."""
    start, end = date.min, date.max
    for closing in closed:
        if closing.start <= day <= closing.end:
            return Period(closing.start, closing.end, closing)
        if closing.end < day:
            start = closing.end + _DAY
        else:
            end = min(end, closing.start - _DAY)
    month = town.charter.bookkeeping.year_end[0]
    this = _month_end(day.year, month)
    last, first = (this, _month_end(day.year - 1, month)) if day <= this else (_month_end(day.year + 1, month), this)
    return Period(max(start, first + _DAY), min(end, last))


def named(town: Town, closed: Sequence[Closing], text: str | None) -> Period:
    """The business year that a person means: by the year in which it ends, by a day in it, or today's.

    Raises `CurrencyError`: period_unknown.
    """
    if text is None:
        return period_at(town, closed, town.charter.local_date(town.now()))
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
        try:
            day = date.fromisoformat(text)
        except ValueError:
            told = tell("there is no day {day}; write it as 2026-12-31", day=text)
            raise CurrencyError("period_unknown", told) from None
        _check_year(day.year)
        return period_at(town, closed, day)
    if not re.fullmatch(r"[0-9]{4}", text, re.ASCII):
        told = tell("“{year}” is no business year: write the year in which it ends", year=text)
        raise CurrencyError("period_unknown", told)
    year = int(text)
    month = town.charter.bookkeeping.year_end[0]
    _check_year(year)
    found = {c.end: Period(c.start, c.end, c) for c in closed if c.end.year == year}
    usual = period_at(town, closed, _month_end(year, month))
    if usual.end.year == year:
        found[usual.end] = usual
    if len(found) > 1:
        days = ", ".join(str(end) for end in sorted(found))
        told = tell("several business years end in {year}: write the last day, {days}", year=year, days=days)
        raise CurrencyError("period_unknown", told)
    return next(iter(found.values()), usual)


class Calendar:
    """Days on which log entries count, for entries in the order of the log. Days are ISO texts."""

    def __init__(self, timezone: str, closed: Sequence[Closing]) -> None:
        self._zone = ZoneInfo(timezone)
        self._closed = sorted((closing.seq, closing.end.isoformat()) for closing in closed)
        self._next = 0
        self._shut = f"{_FIRST_YEAR - 1}-12-31"
        self._today, self._from, self._until = "", 0, 0

    def log_day(self, at: int) -> str:
        """The local day of a moment (us)."""
        if not self._from <= at < self._until:
            day = (_EPOCH + timedelta(microseconds=at)).astimezone(self._zone).date()
            self._today = day.isoformat()
            self._from, self._until = self._midnight(day), self._midnight(day + _DAY)
        return self._today

    def day(self, seq: int, log_day: str, booked_on: str | None) -> str:
        """The day on which the log entry `seq` counts: the day it names, never after the log took it, or the log's day
        where the year of the day that it names was closed before.
        """
        while self._next < len(self._closed) and self._closed[self._next][0] < seq:
            self._shut = max(self._shut, self._closed[self._next][1])
            self._next += 1
        return booked_on if booked_on is not None and self._shut < booked_on < log_day else log_day

    def _midnight(self, day: date) -> int:
        local = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        return (local.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _month_end(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])


def _check_year(year: int) -> None:
    if not _FIRST_YEAR <= year < 9_999:
        raise CurrencyError("period_unknown", tell("there is no business year {year}: write one such as 2026",
                                                   year=year))  # fmt: skip
