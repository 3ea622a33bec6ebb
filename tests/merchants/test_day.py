"""A till's day: from the charter's hour to that hour, so that a night is one day; the books' day stays as it is."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency import conversion
from ledger.currency.charter import Charter, CharterError, Limits
from merchants import statement
from tests import towns
from tests.towns import CASH

PARIS = ZoneInfo("Europe/Paris")


def us(text: str, fold: int = 0) -> int:
    """A local moment in Paris, in microseconds."""
    local = datetime.fromisoformat(text).replace(tzinfo=PARIS, fold=fold)
    return int(local.astimezone(UTC).timestamp()) * 1_000_000


def test_a_bars_night_is_one_day(tmp_path: Path) -> None:
    town = towns.found(tmp_path / "home", towns.charter(day_begins=5, limits=Limits(per_day=1_000)))
    alice, bar = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Bar de nuit")
    clock = towns.clock(town)
    clock.now = us("2025-07-04T20:00:00")
    conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S1")
    for moment in ("2025-07-04T22:30:00", "2025-07-05T01:15:00", "2025-07-05T04:59:00"):
        clock.now = us(moment)
        paid = towns.pay(town, alice, bar, 300)
    towns.refund(town, bar, alice, 100, paid)
    clock.now = us("2025-07-05T04:59:59")
    assert statement.today(town, bar.account) == ("2025-07-04", 3, 900, 100)
    clock.now = us("2025-07-05T05:00:00")
    assert statement.today(town, bar.account) == ("2025-07-05", 0, 0, 0)
    towns.pay(town, alice, bar, 400)  # of the 1,000 of the day that began at midnight
    assert statement.today(town, bar.account) == ("2025-07-05", 1, 400, 0)
    assert towns.refusal(town, towns.order(town, alice, bar.account, 100)).code == "limit_day"
    town.book.close()


def test_without_an_hour_it_is_midnight(tmp_path: Path) -> None:
    town = towns.found(tmp_path / "home")
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    clock = towns.clock(town)
    clock.now = us("2025-07-04T23:59:00")
    conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S1")
    towns.pay(town, alice, shop, 300)
    assert statement.today(town, shop.account).received == 300
    clock.now = us("2025-07-05T00:00:00")
    assert statement.today(town, shop.account) == ("2025-07-05", 0, 0, 0)
    town.book.close()


@pytest.mark.parametrize(
    ("hour", "at", "day", "start"),
    [
        (5, us("2026-03-29T04:59:59"), date(2026, 3, 28), us("2026-03-28T05:00:00")),
        (5, us("2026-03-29T12:00:00"), date(2026, 3, 29), us("2026-03-29T05:00:00")),  # 4 hours after midnight
        (5, us("2026-10-25T05:00:00"), date(2026, 10, 25), us("2026-10-25T05:00:00")),  # 6 hours after midnight
        (2, us("2026-03-29T01:59:59"), date(2026, 3, 28), us("2026-03-28T02:00:00")),
        (2, us("2026-03-29T03:00:00"), date(2026, 3, 29), us("2026-03-29T03:00:00")),  # 2:00 is skipped
        (2, us("2026-10-25T02:30:00"), date(2026, 10, 25), us("2026-10-25T02:00:00")),
        (2, us("2026-10-25T02:30:00", fold=1), date(2026, 10, 25), us("2026-10-25T02:00:00")),
        (3, us("2026-10-25T02:59:59", fold=1), date(2026, 10, 24), us("2026-10-24T03:00:00")),
    ],
)
def test_when_clocks_change(hour: int, at: int, day: date, start: int) -> None:
    assert towns.charter(day_begins=hour).till_day_start(at) == (day, start)


@given(st.integers(0, 12), st.integers(us("2020-01-01T00:00:00"), us("2040-01-01T00:00:00")))
def test_every_moment_lies_in_one_day(hour: int, at: int) -> None:
    charter = towns.charter(day_begins=hour)
    day, start = charter.till_day_start(at)
    assert start <= at < start + 25 * 3_600_000_000
    assert charter.till_day_start(start) == (day, start)
    assert charter.till_day_start(start - 1)[0] < day
    if not hour:
        assert (day, start) == charter.local_day_start(at)


def test_the_charter_says_it() -> None:
    text = towns.charter(day_begins=5).dumps("fr")
    assert "day_begins = 5" in text and "la nuit d'un bar" in text
    assert Charter.loads(text).day_begins == 5
    assert Charter.loads(text.replace("day_begins = 5\n", "")).day_begins == 0
    for wrong in ("-1", "13", '"5"', "5.5"):
        with pytest.raises(CharterError, match="day_begins"):
            Charter.loads(text.replace("day_begins = 5", f"day_begins = {wrong}"))
