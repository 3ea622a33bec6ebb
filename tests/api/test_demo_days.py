"""The demo on any day and at any hour: its town lives up to now and no further, and its office finds its work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from api.demo import command as demo
from api.demo import town as place
from api.home import Home, open_town
from ledger.core.check import check
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, suspense, taking
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.mandates import collecting, notices
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.target import open_day
from ledger.currency.town import Town
from merchants import statement

URL = "http://127.0.0.1:8000"
MOMENTS = (
    "2025-12-25 19:00",  # banks are shut today and tomorrow
    "2026-01-01 12:00",
    "2026-03-29 03:30",  # half an hour after clocks went forward, and nobody is up
    "2026-04-06 23:59",  # Easter Monday, and a town without a month's end on its last but one Sunday
    "2026-10-25 02:30",  # an hour that there is twice
    "2026-12-01 06:07",  # the first shop has just opened, and the month is as new
    "2026-12-20 18:00",  # debits would be due on the 29th, which not every month has
    "2026-12-31 21:00",
    "2028-02-29 08:00",
)


def at(text: str) -> int:
    """That moment in the town (us)."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(place.TIMEZONE)).timestamp()) * 1_000_000


@pytest.fixture(params=MOMENTS)
def told(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Town, demo.Made]]:
    """A town at a moment at which the machine's clock stands still."""
    now = at(request.param)
    home = Home(tmp_path / "home")
    made = demo.make(home, URL, place.Days.now(now))
    town = open_town(home, clock=lambda: now)
    yield town, made
    town.book.close()


def sound(town: Town) -> None:
    """The book checks, the audit finds nothing, and the report calls it covered."""
    assert check(town.engine).ok
    done = audit(town)
    assert done.clean, done.findings
    assert reserve.report(town).covered


def test_the_town_is_in_order_and_its_office_finds_its_work(told: tuple[Town, demo.Made]) -> None:
    town, made = told
    now = town.now()
    assert town.book.head().at <= now, "nothing happened that is still to come"
    sound(town)
    report = reserve.report(town)
    assert report.payouts_due and report.suspense and report.fees and made.life.refunds
    assert len(suspense.open_lines(town)) >= 1

    # The till has a day to show: of today, or in the night of the day that it still is for a till.
    today = statement.today(town, parties.named(town, place.SHOP).account)
    assert date.fromisoformat(today.date) == made.days.last
    assert today.payments and today.received

    # What was announced can be collected now, and the next month's members can be told.
    assert not notices.missed(town)
    collected, new = collecting.collect(town)
    assert new and collected.debits == 5 and collecting.fetch(town, collected)
    assert made.days.last < collected.collect_on == open_day(collected.collect_on)
    assert len(notices.give(town).notices) == 5 and not notices.missed(town)

    [asked] = conversion.waiting(town)
    conversion.accept(town, asked)
    assert batches.order(town).transfers >= 2
    [week] = read(made.statement)
    assert week.last < made.days.last
    taking.take(town, [week], file="releve.xml")
    booking.book(town)
    sound(town)


@pytest.mark.parametrize(
    ("moment", "last"),
    [("2026-11-22 05:59", "2026-11-21"), ("2026-11-22 06:00", "2026-11-22"), ("2026-11-22 23:59", "2026-11-22"),
     ("2026-11-23 00:30", "2026-11-22"), ("2026-10-25 05:59", "2026-10-24"), ("2026-03-29 06:01", "2026-03-29")],
)  # fmt: skip
def test_the_day_changes_when_shops_open(moment: str, last: str) -> None:
    days = place.Days.now(at(moment))
    assert days.last == date.fromisoformat(last)
    assert days.until == at(moment)
    assert place.charter(URL, days).till_day_start(at(moment))[0] == days.last, "as it is for tills"


def test_a_day_that_is_over_is_that_of_its_date(tmp_path: Path) -> None:
    """Who looks in the evening sees the book that a stated day gives, and in the morning the beginning of it."""
    heads, logs = [], []
    for name, days in (
        ("morning", place.Days.now(at("2026-11-22 09:30"))),
        ("night", place.Days.now(at("2026-11-23 02:00"))),
        ("stated", demo.told_until("2026-11-22")),
    ):
        home = Home(tmp_path / name)
        demo.make(home, URL, days)
        town = open_town(home, read_only=True)
        heads.append(town.book.head())
        with town.book.store.reading() as store:
            logs.append([row.record for row in store.log(0, 2_000)])
        town.book.close()
    morning, night, stated = heads
    assert night == stated and morning.seq < stated.seq
    assert logs[0] == logs[2][: morning.seq]


def test_debits_are_due_on_a_day_that_every_month_has_and_can_be_collected_on_every_day() -> None:
    day = date(2026, 1, 1)
    while day < date(2031, 1, 1):
        days = place.Days.whole(day)
        due = open_day(max(each for each in (day + timedelta(days=n) for n in range(1, 10))
                           if each.day == place.debit_day(days)))  # fmt: skip
        assert day + timedelta(days=2) < due <= day + timedelta(days=14), (day, due)
        day += timedelta(days=1)
