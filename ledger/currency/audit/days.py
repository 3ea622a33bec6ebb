"""What was paid from each account on the day that the log is at."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass
class Day:
    """What was paid from each account on the day that the log is at. `start` and `end` are its bounds (us)."""

    zone: str = ""
    start: int = 0
    end: int = 0
    spent: dict[int, int] = field(default_factory=dict)

    def at(self, moment: int, zone: str) -> dict[int, int]:
        """What was paid so far on the day of `moment`."""
        if not self.start <= moment < self.end or zone != self.zone:
            self.zone, self.spent = zone, {}
            self.start, self.end = _bounds(moment, zone)
        return self.spent


def _bounds(moment: int, zone: str) -> tuple[int, int]:
    """The first moments of the local day of a moment and of the next, as the charter's own `local_day_start`."""
    try:
        info = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        info = ZoneInfo("UTC")
    day = (_EPOCH + timedelta(microseconds=moment)).astimezone(info).date()
    first, following = (
        (datetime(each.year, each.month, each.day, tzinfo=info).astimezone(UTC) - _EPOCH) // _MICROSECOND
        for each in (day, day + timedelta(days=1))
    )
    return first, following
