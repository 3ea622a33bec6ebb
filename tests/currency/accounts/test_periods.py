"""Business years: from one day of the charter to the next, around those that are closed."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.currency.accounts.periods import Calendar, Closing, Period, named, period_at
from ledger.currency.accounts.plan import Plan
from ledger.currency.charter import Bookkeeping
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns


def ending(town: Town, month: int, day: int) -> Town:
    """The town with another end of its business years."""
    rules = towns.charter(bookkeeping=Bookkeeping(year_end=(month, day)))
    return Town(rules, town.book, town.key, town.engine, town.machine)


def closed(town: Town, start: str, end: str) -> Closing:
    return Closing(date.fromisoformat(start), date.fromisoformat(end), 1, "0" * 64, 0, Plan.of(town), "console")


@pytest.mark.parametrize(
    ("year_end", "day", "start", "end"),
    [
        ((12, 31), "2026-01-01", "2026-01-01", "2026-12-31"),
        ((12, 31), "2026-12-31", "2026-01-01", "2026-12-31"),
        ((6, 30), "2026-06-30", "2025-07-01", "2026-06-30"),
        ((6, 30), "2026-07-01", "2026-07-01", "2027-06-30"),
        ((2, 28), "2028-02-29", "2027-03-01", "2028-02-29"),
        ((2, 28), "2028-03-01", "2028-03-01", "2029-02-28"),
    ],
)
def test_the_year_of_a_day(town: Town, year_end: tuple[int, int], day: str, start: str, end: str) -> None:
    found = period_at(ending(town, *year_end), [], date.fromisoformat(day))
    assert (str(found.start), str(found.end)) == (start, end)


def test_years_go_around_those_that_are_closed(town: Town) -> None:
    closing = closed(town, "2025-01-01", "2025-12-31")
    summer = ending(town, 6, 30)

    def at(day: str) -> tuple[str, str, bool]:
        found = period_at(summer, [closing], date.fromisoformat(day))
        return str(found.start), str(found.end), found.closing is not None

    assert at("2025-03-01") == ("2025-01-01", "2025-12-31", True)
    assert at("2026-03-01") == ("2026-01-01", "2026-06-30", False)
    assert at("2026-08-01") == ("2026-07-01", "2027-06-30", False)
    assert at("2024-08-01") == ("2024-07-01", "2024-12-31", False)


def test_a_year_is_named_by_its_end_a_day_or_not_at_all(town: Town) -> None:
    year = Period(date(2026, 1, 1), date(2026, 12, 31))
    assert named(town, [], "2026") == named(town, [], "2026-05-06") == year
    assert named(town, [], None) == Period(date(2025, 1, 1), date(2025, 12, 31))
    assert named(ending(town, 6, 30), [], "2026") == Period(date(2025, 7, 1), date(2026, 6, 30))
    # Two that end in one year, after the charter was changed: the day tells them apart.
    summer = closed(town, "2025-07-01", "2026-06-30")
    with pytest.raises(CurrencyError, match="2026-06-30, 2026-12-31"):
        named(town, [summer], "2026")
    assert named(town, [summer], "2026-06-30").closing == summer
    assert named(town, [summer], "2026-12-31") == Period(date(2026, 7, 1), date(2026, 12, 31))


@pytest.mark.parametrize("text", ["", "26", "20266", "2026-13-01", "2026-02-30", "x", "1850", "0001-01-01", "９０２６"])
def test_what_names_no_year(town: Town, text: str) -> None:
    with pytest.raises(CurrencyError) as caught:
        named(town, [], text)
    assert caught.value.code == "period_unknown"


def test_a_clock_that_is_changed_to_summer_time_makes_no_day_of_its_own() -> None:
    calendar = Calendar("Europe/Paris", [])
    hour = 3_600_000_000
    # 2026-03-29 has 23 hours in Paris, 2026-10-25 has 25; their midnights in UTC:
    for midnight, day, hours in ((1_774_738_800_000_000, "2026-03-29", 23), (1_792_879_200_000_000, "2026-10-25", 25)):
        moments = [midnight - 1, midnight, midnight + hours * hour - 1, midnight + hours * hour]
        found = [calendar.log_day(at) for at in moments]
        assert found[1] == found[2] == day and found[0] < day < found[3]
