"""The clock in the log: what somebody at the machine says of it, and what it says while `at` only counts.

See `ledger.core.clock`. In a book that has an entry from a wrong clock, of next week or of 2036, `at` counts on from
there by 1 us an entry; orders and days go by the clock, which the log is told once in a minute in which somebody pays.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import date
from typing import NamedTuple

from ledger.core.clock import BEHIND, CONFIRMED, DRIFT, KEPT, ClockDiffers, Late, Told, note, note_id, told_by
from ledger.core.model import Head, Posted
from ledger.core.store import Reading
from ledger.currency.chartered import Zones
from ledger.currency.errors import CurrencyError
from ledger.currency.told import detail_of
from ledger.currency.town import Town

CONSOLE = "console"


class State(NamedTuple):
    """Clock and end of the log (us); `wrong` says why nothing would be posted, and what to do."""

    clock: int
    head: Head
    wrong: str | None


def state(town: Town) -> State:
    """How clock and log stand to each other for a program that begins now."""
    now, watch = town.now(), town.book.watch
    with town.book.store.reading() as store:
        head = store.head()
        try:
            if watch is not None:
                watch.judge(store, head, now)
        except ClockDiffers as error:
            return State(now, head, detail_of(error))
    return State(now, head, None)


def confirm(town: Town) -> Posted:
    """Note that the clock is right, as somebody at the machine says who has looked at it."""
    told = _last(town)
    made = note(town.charter.network, told.number + 1 if told else 1, CONFIRMED, town.now(), CONSOLE)
    return town.post(made, confirming=True)


def require(town: Town, store: Reading) -> int:
    """The clock (us) by which something is written beside the log, under its lock. Raises `ClockDiffers`."""
    now = town.now()
    if town.book.watch is not None:
        town.book.watch.judge(store, store.head(), now)
    return now


def moment(town: Town) -> int:
    """The time (us) for what goes on while the clock is wrong: then it is what the clock would say."""
    now, watch = town.now(), town.book.watch
    return now if watch is None else watch.moment(now)


def over(store: Reading, now: int) -> int:
    """What ended before this (us) is over for sure, for the log says so and the clock does: one of them can be wrong,
    and what is deleted is gone."""
    end = store.head().at
    return end if end <= now else 0


def counting(town: Town, now: int) -> bool:
    """Whether `at` only counts, for the last entry is later than the clock says."""
    return town.book.watch is not None and now < town.book.seen.at - BEHIND


def keep(town: Town, now: int) -> None:
    """Tell the log what the clock says, where `at` only counts and it was not told in this minute and on this day."""
    if not counting(town, now):
        return
    told = _last(town)
    if told is None or (now - told.clock < DRIFT and town.charter.local_day_start(now)[1] <= told.clock):
        return
    try:
        town.post(note(town.charter.network, told.number + 1, KEPT, now, CONSOLE), looked=now)
    except Late:
        pass  # whoever posts next tells it
    except CurrencyError as error:
        if error.code != "id_taken":  # another program told it at this moment
            raise


def since(town: Town, now: int, midnight: int) -> int:
    """The `at` from which on entries are of the day that began at `midnight` (us)."""
    if not counting(town, now):
        return midnight
    found = None
    told = _last(town)
    while told is not None and told.at >= midnight:
        if told.clock < midnight:
            return found.at if found else midnight
        found, told = told, _find(town, told.number - 1)
    return midnight


def judged(town: Town, posted: Posted) -> int:
    """The moment (us) by which an entry is judged, asked in its commit. `check` does by the same (`Moments.then`)."""
    told = _last(town)
    if told is None or told.seq >= posted.seq:
        return Moments(town, posted.seq).then(posted.seq, posted.at)
    return told.clock if told.counts(posted.seq, posted.at) else posted.at


class Moments:
    """The time of entries as the notes about the clock tell it, up to the entry `seq` of the log.

    While `at` only counts, it is what the clock said last; and no entry is later than what it said after that.
    """

    def __init__(self, town: Town, seq: int) -> None:
        self.zones = Zones(town)
        self._told: list[Told] = []
        try:
            while (told := _find(town, len(self._told) + 1)) is not None and told.seq <= seq:
                self._told.append(told)
        except ValueError:
            pass  # a note that nobody here wrote, which tells nothing: `check` finds it
        self._places = [told.seq for told in self._told]

    @property
    def are_told(self) -> bool:
        """Whether there are such notes; without one it is `at`. It is never later than that."""
        return bool(self._told)

    def of(self, seq: int, at: int) -> int:
        """When the log took the entry `seq`, whose `at` is that (us)."""
        at, place = self.then(seq, at), bisect_right(self._places, seq)
        return min(at, self._told[place].clock) if place < len(self._told) else at

    def then(self, seq: int, at: int) -> int:
        """The same as it was known then: by this the entry was judged, and `check` judges it by this."""
        place = bisect_right(self._places, seq)
        return self._told[place - 1].clock if place and self._told[place - 1].counts(seq, at) else at

    def day(self, seq: int, at: int) -> date:
        """The local day on which the log took the entry `seq`, whose `at` is that (us): in the zone noted by then."""
        return self.zones.local_date(seq, self.of(seq, at))


def _last(town: Town) -> Told | None:
    watch = town.book.watch
    if watch is None:
        return None
    with town.book.store.reading() as store:
        return watch.last(store)


def _find(town: Town, number: int) -> Told | None:
    found = town.book.find(note_id(town.charter.network, number))
    return told_by(found.seq, found.at, found.instruction.evidence) if found else None
