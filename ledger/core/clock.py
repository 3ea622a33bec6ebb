"""The clock is not taken on trust: what it says is held against the end of the log, and against a steady clock.

A wrong look would be the book's time for good, for `at` only grows. So nothing is posted when clock and log are further
apart than a stated bound, or when the clock was moved while the program ran, until somebody at the machine says that it
is right. That is a note in the log, with the clock's own time in it:

* The clock is far ahead of the last entry (nothing happened for long): the note itself is the new end of the log.
* The clock is behind the last entry (which had a wrong one): `at` then grows by 1 us an entry until the clock is past
  it. As long as it only counts like that, the notes tell the true time: orders, limits and days go by the clock.

The ids of these notes follow from a name and a count, so the last one is found without reading the log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeAlias

from ledger.core import record
from ledger.core.ids import derived_id
from ledger.core.model import Evidence, Head, Note
from ledger.core.store import Reading

SECOND = 1_000_000
LATE = 10 * SECOND
"""How far the look by which a batch was judged may lie from the commit (us)."""
BEHIND = 5 * SECOND
"""How far the clock may be behind the last entry (us): machines that write to one book differ a little."""
AHEAD = 7 * 86_400 * SECOND
"""How far the clock may be ahead of the last entry when a program begins to post (us)."""
DRIFT = 60 * SECOND
"""How far the clock may have moved against the steady one since the last look (us); and 1 in a 1,000 of that time."""

CONFIRMED, KEPT = "clock_confirmed", "clock_kept"
"""Kinds of notes: a person at the machine said that the clock is right; what it says while `at` only counts."""
FORM = 2
"""Of these notes, in their evidence: by the programs that say it all days are the clock's. Older ones say none."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ClockDiffers(RuntimeError):
    """Clock and log do not fit, and nothing was posted. `code` is clock_differs; `detail` says what to do.

    It is made of `text`, which names `facts` in braces, so that it can be said in another language.
    """

    code = "clock_differs"

    def __init__(self, text: str, **facts: object) -> None:
        self.text, self.facts = text, facts
        self.detail = text.format(**facts)
        super().__init__(self.detail)


class Late(RuntimeError):
    """The look by which a batch was judged is not the time of its commit, and nothing was posted: look again."""


def steady() -> int:
    """Microseconds of a clock that nobody can set, and that goes on while the machine sleeps."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000


def note_id(name: bytes, number: int) -> bytes:
    """Id of the note about the clock number `number`, from 1, of the book of that name."""
    return derived_id("patard/clock", name, str(number))


class Told(NamedTuple):
    """A note about the clock: its number, its place in the log, its `at`, and the clock when it was posted (us)."""

    number: int
    seq: int
    at: int
    clock: int

    def counts(self, seq: int, at: int) -> bool:
        """Whether the entry `seq`, taken at `at`, has that `at` by counting on from this note behind the log."""
        return self.clock < self.at and at - self.at == seq - self.seq


def told_by(seq: int, at: int, evidence: Evidence) -> Told:
    """What a note about the clock tells. Raises ValueError when it is none."""
    number, clock = evidence.get("number"), evidence.get("clock")
    if type(number) is not int or type(clock) is not int or number < 1 or clock < 0:
        raise ValueError("a note about the clock has its number and the clock's microseconds")
    return Told(number, seq, at, clock)


_Look: TypeAlias = tuple[int, int, int]


def _moved(good: _Look, now: int, steady: int) -> int:
    """By how much the clock was set since a look (us)."""
    return (now - good[0]) - (steady - good[1])


def _jumped(good: _Look, now: int, steady: int) -> bool:
    return abs(_moved(good, now, steady)) > DRIFT + (steady - good[1]) // 1_000


class Watch:
    """Holds one clock against the log of the book `name` and a steady clock. One for each program that posts."""

    def __init__(self, name: bytes, steady: Callable[[], int] = steady) -> None:
        self.name = name
        self.steady = steady
        self._good: _Look | None = None
        """Clock, steady clock and entries of the log at the last look that was right."""
        self._last: Told | None = None
        self._confirmed = 0
        """Where the last note stands by which somebody said that the clock is right."""

    def judge(self, store: Reading, head: Head, now: int) -> None:
        """Hold the clock `now` against the log's end. Raises `ClockDiffers`."""
        steady, good = self.steady(), self._good
        moved = 0 if good is None else _moved(good, now, steady)
        jumped = good is not None and _jumped(good, now, steady)
        fresh = jumped or good is None
        if head.seq and (fresh or now < head.at - BEHIND):
            told = self.last(store)
            counting = told is not None and told.counts(head.seq, head.at)
            reference = told.clock if told is not None and counting else head.at
            if now < reference - BEHIND:
                raise ClockDiffers(BEHIND_THE_LOG, clock=shown(now), entry=shown(reference))
            if good is not None and jumped and self._confirmed <= good[2]:
                by = timedelta(seconds=abs(moved) // SECOND)
                raise ClockDiffers(SET_FORWARD if moved > 0 else SET_BACK, by=by, clock=shown(now))
            if fresh and now > reference + AHEAD:
                days = (now - reference) // (86_400 * SECOND)
                raise ClockDiffers(FAR_AHEAD, clock=shown(now), days=days)
        self._good = now, steady, head.seq

    def moment(self, now: int) -> int:
        """What the time is (us): the clock's `now`, or where that was moved, what the steady clock makes of the last
        look that was right. A program that had none goes by the clock."""
        steady, good = self.steady(), self._good
        return good[0] + steady - good[1] if good is not None and _jumped(good, now, steady) else now

    def confirm(self, store: Reading, head: Head, now: int) -> None:
        """Take the clock for right: whoever posts the note that says so posts it at this moment."""
        self._good = now, self.steady(), head.seq

    def last(self, store: Reading) -> Told | None:
        """The last note about the clock, or None when there is none."""
        while True:
            number = self._last.number + 1 if self._last else 1
            found = store.find(note_id(self.name, number))
            if found is None:
                return self._last
            instruction = record.parse(found.record).instruction
            self._last = told_by(found.seq, found.at, instruction.evidence)
            if type(instruction) is Note and instruction.kind == CONFIRMED:
                self._confirmed = found.seq


_CURE = (
    "nothing is posted until they fit: set it right, or if it is, say so at the machine with `patard clock --confirm`"
)
BEHIND_THE_LOG = "the clock says {clock}, and the last entry is of {entry}; " + _CURE
SET_FORWARD = "the clock was set forward by {by} while this program ran, and says {clock}; " + _CURE
SET_BACK = "the clock was set back by {by} while this program ran, and says {clock}; " + _CURE
FAR_AHEAD = "the clock says {clock}, {days} days after the last entry; " + _CURE
"""How a clock does not fit: the texts of `ClockDiffers`."""


def shown(at: int) -> str:
    """A moment (us) for people, to the second, in UTC; a year that no calendar has is told in seconds."""
    try:
        return f"{_EPOCH + timedelta(microseconds=at):%Y-%m-%d %H:%M:%S} UTC"
    except OverflowError:
        return f"{at // SECOND} s after 1970"


def note(name: bytes, number: int, kind: str, clock: int, by: str) -> Note:
    """The note number `number` that the clock says `clock` (us)."""
    return Note(note_id(name, number), kind, {"by": by, "clock": clock, "form": FORM, "number": number})
