"""Live events: the log read onwards by sequence number, for whoever has an account open on a screen.

Nothing is pushed by the request that made a payment. One watcher a process sees the log grow (woken by this process's
own commits, looking twice a second for those of others) and reads the new transfers once. Of each account that they
touch the new entries are read once, however many screens show it, and handed to each. A screen that comes back says
what it saw last and misses nothing: what was before it, or what it was too slow for, it reads by itself.

All of it has threads of its own, so that nobody who asks for a balance ever waits for somebody else's screens.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator
from typing import NamedTuple, TypeVar

from anyio import CapacityLimiter, to_thread

from api.schemas.town import entry_out
from ledger.core.rules import TransferRow
from ledger.currency.caps import STREAMS, STREAMS_PER_KEY, STREAMS_PER_PARTY
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.sessions import Sessions
from ledger.currency.town import Town
from merchants import statement

LOGGER = logging.getLogger("patard")
POLL_SECONDS = 0.5
HEARTBEAT_SECONDS = 15
BATCH = 4_096
MOST_WAITING = 256
"""Entries that wait for a screen whose line is slow; with more of them it reads for itself."""
HELLO = b"retry: 1000\n: connected\n\n"
"""Tells a screen that it is connected, and proxies that this is a stream."""
T = TypeVar("T")


class Told(NamedTuple):
    """An entry as it is sent, with its place in the log."""

    place: int
    event: bytes


class Screen:
    """One stream of one device. `ended` once it may hear no more: its session is over, or others took its place."""

    def __init__(self, token: str, device: DeviceKey) -> None:
        self.token = token
        self.device = device
        self.woken = asyncio.Event()
        self.waiting: list[Told] = []
        self.behind = False
        """Whether it has to read for itself what it missed."""
        self.ended = False

    def tell(self, told: list[Told]) -> None:
        """Let it say this next."""
        if len(self.waiting) + len(told) > MOST_WAITING:
            self.waiting, self.behind = [], True
        else:
            self.waiting += told
        self.woken.set()

    def end(self) -> None:
        """Let it say nothing more."""
        self.waiting, self.ended = [], True
        self.woken.set()


class Channel:
    """The screens that show one account. They are told what is after `seq`, which is None until that is known."""

    def __init__(self) -> None:
        self.screens: set[Screen] = set()
        self.seq: int | None = None
        self.touched = False
        self.task: asyncio.Task[None] | None = None


class Live:
    """The watcher, the channels and their screens. Lives in one event loop."""

    def __init__(self, town: Town, sessions: Sessions) -> None:
        self.town = town
        self.sessions = sessions
        self.heartbeat_seconds: float = HEARTBEAT_SECONDS
        self._channels: dict[int, Channel] = {}
        self._screens: dict[Screen, None] = {}
        """Those that have not ended, the oldest first."""
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        # Threads for the news, for opening, for catching up: many who come back must not hold up another's till.
        self._news, self._opening, self._catching = CapacityLimiter(4), CapacityLimiter(4), CapacityLimiter(2)

    def wake(self) -> None:
        """This process has committed something."""
        if self._screens:
            self._wake.set()

    async def close(self) -> None:
        """End the watcher and every screen's stream."""
        self._closing = True
        for screen in list(self._screens):
            self._end(screen)
        for task in (self._task, *(channel.task for channel in self._channels.values())):
            if task is not None:
                task.cancel()

    # The watcher: which accounts have news?

    async def _watch(self, place: int) -> None:
        looked = time.monotonic()
        while self._screens:
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                place = await self._look(place)
                if time.monotonic() - looked >= self.heartbeat_seconds:
                    looked = time.monotonic()
                    await self._sift(self._screens)
            except Exception:  # The database was away: what it has then is looked at when it is back.
                await asyncio.sleep(POLL_SECONDS)
        self._task = None

    async def _look(self, place: int) -> int:
        while True:
            rows = await to_thread.run_sync(self._transfers, place, limiter=self._news)
            for number in {number for row in rows for number in (row.debit, row.credit)} & self._channels.keys():
                self._touch(number, self._channels[number])
            if rows:
                place = rows[-1].place
            if len(rows) < BATCH:
                return place

    def _transfers(self, place: int) -> list[TransferRow]:
        with self.town.book.store.reading() as store:
            return store.transfers(place, BATCH)

    # A channel: what is the news of an account, and who may hear it?

    def _touch(self, number: int, channel: Channel) -> None:
        channel.touched = True
        if channel.task is None and channel.seq is not None:
            channel.task = asyncio.create_task(self._round(number, channel, channel.seq))

    async def _round(self, number: int, channel: Channel, seq: int) -> None:
        """Read the news of an account, and hand them to all its screens, as long as there are some."""
        try:
            while channel.touched:
                channel.touched = False
                await self._sift(channel.screens)
                async for told in self._pages(number, seq, self._news):
                    channel.seq = seq = told[-1].place >> 8
                    for screen in channel.screens:
                        screen.tell(told)
        except Exception:  # The database was away. They come back, and say what they saw last.
            LOGGER.warning("live events", exc_info=True)
            for screen in list(channel.screens):
                self._end(screen)
        finally:
            channel.task = None

    async def _pages(self, number: int, seq: int, threads: CapacityLimiter) -> AsyncIterator[list[Told]]:
        pages = self._told(number, seq)
        while (told := await to_thread.run_sync(next, pages, None, limiter=threads)) is not None:
            yield told

    def _told(self, number: int, seq: int) -> Iterator[list[Told]]:
        for lines in statement.after(self.town, number, seq):
            said = [(line.entry, entry_out(line).model_dump_json()) for line in lines]
            yield [Told(e.place, f"id: {e.seq}\nevent: entry\ndata: {data}\n\n".encode()) for e, data in said]

    async def _sift(self, screens: Collection[Screen]) -> None:
        """End those of the screens whose session is over: one look at all their sessions."""
        tokens = {screen.token for screen in screens}
        standing = await to_thread.run_sync(self.sessions.standing, tokens, limiter=self._news)
        for screen in [one for one in screens if one.token in tokens - standing]:
            self._end(screen)

    # A screen.

    async def enter(self, find: Callable[[], T]) -> T:
        """What `find` looks up for a stream that is to be opened, in the threads for that."""
        return await to_thread.run_sync(find, limiter=self._opening)

    async def stream(self, account: int, seq: int | None, token: str, device: DeviceKey) -> AsyncIterator[bytes]:
        """Server-sent events of `account` after log entry `seq` (None: from now on), without end.

        Before anything is told it is looked whether the session of `token` still stands. `device` and its party have
        so many streams at once (see `caps`): one more ends the oldest.
        """
        screen = Screen(token, device)
        self._make_room(device)
        self._screens[screen] = None
        channel = self._channels.setdefault(account, Channel())
        channel.screens.add(screen)
        try:
            head = (await self.enter(self.town.book.head)).seq
            if channel.seq is None:
                channel.seq = head
                if channel.touched:
                    self._touch(account, channel)
            if self._task is None:
                # From the end of the log that this screen goes on from: what is posted in between wakes it.
                self._task = asyncio.create_task(self._watch(head * 256 + 255))
            # A screen that is ahead of the log saw a book that was since put back from a backup.
            place = (head if seq is None else min(seq, head)) * 256 + 255
            screen.behind = place >> 8 < head
            screen.woken.set()
            yield HELLO
            while not screen.ended:
                try:
                    await asyncio.wait_for(screen.woken.wait(), self.heartbeat_seconds)
                except TimeoutError:
                    yield b": still here\n\n"
                screen.woken.clear()
                if screen.behind:
                    # What is told from here on waits; what was told before is in the log, and read from there.
                    screen.waiting, screen.behind = [], False
                    if not await self.enter(lambda: self.sessions.standing([token])):
                        return
                    async for told in self._pages(account, (place >> 8) - 1, self._catching):
                        if screen not in self._screens:
                            return
                        for event in _after(told, place):
                            yield event
                        place = max(place, told[-1].place)
                told, screen.waiting = screen.waiting, []
                for event in _after(told, place):
                    yield event
                place = max([place, *(one.place for one in told)])
                if screen.behind:
                    screen.woken.set()
        except CurrencyError:
            return  # The session has ended; asking again says so.
        finally:
            self._screens.pop(screen, None)
            channel.screens.discard(screen)
            if not channel.screens and self._channels.get(account) is channel:
                del self._channels[account]

    def _make_room(self, device: DeviceKey) -> None:
        """End the oldest streams where one more were too many: of this device, of its party, of whoever has most."""
        self._keep([one for one in self._screens if one.device.key == device.key], STREAMS_PER_KEY)
        self._keep([one for one in self._screens if one.device.account == device.account], STREAMS_PER_PARTY)
        if len(self._screens) >= STREAMS:
            [(most, count)] = Counter(one.device.account for one in self._screens).most_common(1)
            self._keep([one for one in self._screens if one.device.account == most], count)

    def _keep(self, screens: list[Screen], most: int) -> None:
        for screen in screens[: max(0, len(screens) - most + 1)]:
            self._end(screen)

    def _end(self, screen: Screen) -> None:
        self._screens.pop(screen, None)
        screen.end()


def _after(told: Iterable[Told], place: int) -> Iterator[bytes]:
    return (one.event for one in told if one.place > place)
