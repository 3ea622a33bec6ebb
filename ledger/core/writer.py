"""Group commit: many callers, one batch, one fsync.

One thread takes whatever arrived while the last batch ran and hands it to `process` as one list. There is no
timer: when nobody else is there, a caller's item is a batch of one and waits for nothing.

What a caller can rely on:

* Every accepted item is answered, by its result or by an error; no caller is left hanging, whatever `process`
  does. A batch that raises is an error for every caller in it, unless `divisible` allows to halve it and find
  the item at fault. For a book both are safe: a failed batch posted nothing, or, when the connection was lost
  during its commit, posting it again answers from the log.
* A caller who gives up takes only its own item with it, and only if its batch has not begun.
* The queue is bounded: `WriterBusy` is raised at once rather than after a wait that nobody has time for.
"""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, InvalidStateError
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from ledger.core.clock import ClockDiffers, Late
from ledger.core.model import Answer, Head, Instruction, Outcome
from ledger.core.store import StoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ledger.core.book import Book

T = TypeVar("T")
R = TypeVar("R")

MAX_BATCH = 8_190
MAX_WAITING = 65_536
"""Items that may wait: less than a second or two of work, so that a full queue means overload, not a rush."""


class WriterBusy(RuntimeError):
    """Too many items wait already; nothing was done with this one. `code` is writer_busy: try again later."""

    code = "writer_busy"


class WriterClosed(RuntimeError):
    """The writer was closed (or belongs to the process this one was forked from). `code` is writer_closed."""

    code = "writer_closed"


_Sink: TypeAlias = "Future[R] | asyncio.Future[R]"


def _never(error: Exception) -> bool:
    return False


class Writer(Generic[T, R]):
    """Gathers items of many threads and event loops into batches for `process`, which one thread runs.

    `process` gets 1 to `max_batch` items in the order of their arrival and returns one result for each.
    `divisible` says of an error whether a smaller batch may fare better (see `for_book`). Up to `max_waiting`
    items wait. Use as a context manager, or call `close`.
    """

    def __init__(
        self,
        process: Callable[[list[T]], Sequence[R]],
        *,
        max_batch: int = MAX_BATCH,
        max_waiting: int = MAX_WAITING,
        divisible: Callable[[Exception], bool] = _never,
        name: str = "ledger-writer",
    ) -> None:
        if max_batch < 1 or max_waiting < 1:
            raise ValueError("max_batch and max_waiting are at least 1")
        self._process = process
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._divisible = divisible
        self._queue: deque[tuple[T, _Sink[R]]] = deque()
        self._arrived = threading.Condition(threading.Lock())
        self._idle = False
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        _WRITERS.add(self)
        self._thread.start()

    def submit(self, item: T) -> Future[R]:
        """Queue `item`; the future resolves to its result once its batch is durable, or to what `process` raised.

        From any thread. Raises `WriterBusy`, `WriterClosed`.
        """
        future: Future[R] = Future()
        self._put(item, future)
        return future

    def submit_async(self, item: T) -> asyncio.Future[R]:
        """As `submit`, for the running event loop: await the future.

        A whole batch wakes its event loop once, not once an item: that is what makes many connections fast.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._put(item, future)
        return future

    @property
    def waiting(self) -> int:
        """Items whose batch has not begun."""
        return len(self._queue)

    def close(self, timeout: float | None = None) -> None:
        """Refuse later items, finish those that wait, stop the thread. `timeout` in seconds; safe to call again.

        Raises TimeoutError when the thread is still at work by then (it goes on finishing).
        """
        with self._arrived:
            self._closed = True
            self._arrived.notify()
        # From inside `process`, or from a callback of one of its futures, there is nobody to wait for.
        if self._thread is not threading.current_thread() and self._thread.is_alive():
            self._thread.join(timeout)
            if self._thread.is_alive():
                raise TimeoutError(f"the writer still works on a batch after {timeout} s")

    def __enter__(self) -> Writer[T, R]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _put(self, item: T, sink: _Sink[R]) -> None:
        with self._arrived:
            if self._closed:
                raise WriterClosed("the writer is closed")
            if len(self._queue) >= self._max_waiting:
                raise WriterBusy(f"{self._max_waiting} items wait already")
            self._queue.append((item, sink))
            if self._idle:
                self._idle = False
                self._arrived.notify()

    def _run(self) -> None:
        queue, arrived, most = self._queue, self._arrived, self._max_batch
        while True:
            with arrived:
                while not queue:
                    if self._closed:
                        return
                    self._idle = True
                    arrived.wait()
                    self._idle = False
                if len(queue) <= most:
                    taken = list(queue)
                    queue.clear()
                else:
                    taken = [queue.popleft() for _ in range(most)]
            wanted = [pair for pair in taken if _begins(pair[1])]
            if wanted:
                self._batch(wanted)
            # Or the last batch, and whoever hangs on its results, would live until the next one comes.
            taken = wanted = []

    def _batch(self, pairs: list[tuple[T, _Sink[R]]]) -> None:
        """Process `pairs` and answer every one of them."""
        results: Sequence[R] = ()
        error: Exception | None = None
        try:
            results = self._process([item for item, _ in pairs])
            if len(results) != len(pairs):
                error = RuntimeError(f"process gave {len(results)} results for {len(pairs)} items")
        except BaseException as raised:
            if isinstance(raised, Exception) and not isinstance(raised, StopIteration):
                error = raised
            else:  # no future can hold a StopIteration; a SystemExit would end whichever event loop awaits it
                error = RuntimeError(f"process raised {raised!r}")
        if error is not None and len(pairs) > 1 and self._may_divide(error):
            middle = len(pairs) // 2
            self._batch(pairs[:middle])
            self._batch(pairs[middle:])
            return
        by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[R], R | None]]] = {}
        for index, (_, sink) in enumerate(pairs):
            if isinstance(sink, Future):
                try:
                    if error is not None:
                        sink.set_exception(error)
                    else:
                        sink.set_result(results[index])
                except InvalidStateError:
                    pass  # its owner resolved it; that must not end the thread
            else:
                result = None if error is not None else results[index]
                by_loop.setdefault(sink.get_loop(), []).append((sink, result))
        for loop, answers in by_loop.items():
            try:
                loop.call_soon_threadsafe(_deliver, answers, error)
            except RuntimeError:
                pass  # that loop is closed: nobody waits any more

    def _may_divide(self, error: Exception) -> bool:
        try:
            return self._divisible(error)
        except Exception:
            return False

    def _after_fork(self) -> None:
        """In a forked child there is no thread that would answer: refuse instead of letting callers hang."""
        self._arrived = threading.Condition(threading.Lock())  # the old one may have been held at the fork
        self._closed = True
        self._queue.clear()


def _begins(sink: _Sink[R]) -> bool:
    """Whether somebody still wants the answer; from now on a thread's future can no longer be cancelled."""
    if isinstance(sink, Future):
        return sink.set_running_or_notify_cancel()
    return not sink.cancelled()


def _deliver(answers: list[tuple[asyncio.Future[R], R | None]], error: Exception | None) -> None:
    """In the event loop: resolve every future of a batch that its caller has not cancelled."""
    for future, result in answers:
        if future.done():
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # R may itself be Optional


_WRITERS: weakref.WeakSet[Writer[Any, Any]] = weakref.WeakSet()


def _forked() -> None:
    for writer in list(_WRITERS):
        writer._after_fork()


os.register_at_fork(after_in_child=_forked)


class Result(NamedTuple):
    """The answer to one instruction, and the log's head right after the commit that it stands in."""

    answer: Answer
    head: Head


def for_book(
    book: Book,
    also: Callable[[Connection, Outcome], None] | None = None,
    *,
    max_batch: int = MAX_BATCH,
    max_waiting: int = MAX_WAITING,
) -> Writer[Instruction, Result]:
    """A writer that posts to `book`. `also` is that of `Book.post`: other tables, in the same commit.

    An error that says the database is in trouble reaches every caller of the batch. Any other error comes from
    something in it, so the batch is halved until only the instruction at fault gets the error.
    """

    def process(batch: list[Instruction]) -> list[Result]:
        outcome = book.post(batch, also)
        return [Result(answer, outcome.head) for answer in outcome.answers]

    return Writer(process, max_batch=max_batch, max_waiting=max_waiting, divisible=_is_about_an_item)


# PEP 249 gives every driver classes of these names, but no common ancestor.
_TROUBLE = frozenset(("OperationalError", "InterfaceError", "InternalError"))


def _is_about_an_item(error: Exception) -> bool:
    if isinstance(error, OSError | MemoryError | StoreError | ClockDiffers | Late):
        return False
    return not any(cls.__name__ in _TROUBLE for cls in type(error).__mro__)
