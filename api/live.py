"""Live events: the log read onwards by sequence number, for whoever has an account open on a screen.

Nothing is pushed by the request that made a payment. One watcher a process sees the log grow (woken by this
process's own commits, looking twice a second for those of others), reads the new transfers once, and wakes
the screens whose accounts they touch. A screen that comes back says what it saw last and misses nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator

from starlette.concurrency import iterate_in_threadpool, run_in_threadpool

from api.schemas.town import entry_out
from ledger.core.rules import TransferRow
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from merchants import statement
from merchants.statement import Line

POLL_SECONDS = 0.5
STREAMS_PER_KEY = 8
"""The screens of one device: a till has one. A line that broke leaves its stream behind for a while."""
HEARTBEAT_SECONDS = 15
BATCH = 4_096


class Screen(asyncio.Event):
    """Set when something touched its account; `ended` once a younger one of the same device took its place."""

    ended = False


class Live:
    """The watcher and its screens. Lives in one event loop."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.heartbeat_seconds: float = HEARTBEAT_SECONDS
        self._screens: dict[int, set[Screen]] = {}
        self._devices: dict[bytes, list[Screen]] = {}
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    def wake(self) -> None:
        """This process has committed something."""
        if self._screens:
            self._wake.set()

    async def close(self) -> None:
        """End the watcher and every screen's stream."""
        self._closing = True
        for events in self._screens.values():
            for event in events:
                event.set()
        if self._task is not None:
            self._task.cancel()

    async def _watch(self, place: int) -> None:
        while self._screens:
            try:
                await asyncio.wait_for(self._wake.wait(), POLL_SECONDS)
            except TimeoutError:
                pass
            self._wake.clear()
            try:
                place = await self._look(place)
            except Exception:  # The database was away: the screens ask again when it is back.
                await asyncio.sleep(POLL_SECONDS)
        self._task = None

    async def _look(self, place: int) -> int:
        while True:
            rows = await run_in_threadpool(self._transfers, place)
            for row in rows:
                for number in (row.debit, row.credit):
                    for event in self._screens.get(number, ()):
                        event.set()
            if rows:
                place = rows[-1].place
            if len(rows) < BATCH:
                return place

    def _transfers(self, place: int) -> list[TransferRow]:
        with self.town.book.store.reading() as store:
            return store.transfers(place, BATCH)

    async def stream(
        self, account: int, seq: int | None, allowed: Callable[[], object], key: bytes
    ) -> AsyncIterator[bytes]:
        """Server-sent events of `account` after log entry `seq` (None: from now on), without end.

        `allowed` raises `CurrencyError` once whoever listens may no longer; it is asked before anything is told.
        `key` is the device's, which has `STREAMS_PER_KEY` at once: one more ends the oldest.
        """
        touched = Screen()
        self._screens.setdefault(account, set()).add(touched)
        device = self._devices.setdefault(key, [])
        device.append(touched)
        if len(device) > STREAMS_PER_KEY:
            oldest = device.pop(0)
            oldest.ended = True
            oldest.set()
        try:
            head = (await run_in_threadpool(self.town.book.head)).seq
            if self._task is None:
                # From the end of the log that this screen goes on from: what is posted in between wakes it.
                self._task = asyncio.create_task(self._watch(head * 256 + 255))
            # A screen that is ahead of the log saw a book that was since put back from a backup.
            seq = head if seq is None else min(seq, head)
            touched.set()
            # Tells the screen that it is connected, and proxies that this is a stream.
            yield b"retry: 1000\n: connected\n\n"
            while not (self._closing or touched.ended):
                try:
                    await asyncio.wait_for(touched.wait(), self.heartbeat_seconds)
                except TimeoutError:
                    yield b": still here\n\n"
                touched.clear()
                async for lines in iterate_in_threadpool(self._news(account, seq, allowed)):
                    for line in lines:
                        data = entry_out(line).model_dump_json()
                        yield f"id: {line.entry.seq}\nevent: entry\ndata: {data}\n\n".encode()
                    seq = lines[-1].entry.seq
        except CurrencyError:
            return  # The session has ended; asking again says so.
        finally:
            screens = self._screens.get(account, set())
            screens.discard(touched)
            if not screens:
                self._screens.pop(account, None)
            if touched in device:
                device.remove(touched)
            if not device and self._devices.get(key) is device:
                del self._devices[key]

    def _news(self, account: int, seq: int, allowed: Callable[[], object]) -> Iterator[list[Line]]:
        allowed()
        yield from statement.after(self.town, account, seq)
