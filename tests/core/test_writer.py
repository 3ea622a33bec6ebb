"""Group commit: who shares a batch, that every caller is answered, and that nobody can hang."""

import asyncio
import itertools
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Any

import pytest

from ledger.core.writer import Writer, WriterBusy, WriterClosed
from tests.loops import run

LONG = 20


class Slow:
    """A process whose batches wait at a gate, so that a test says what arrives meanwhile."""

    def __init__(self) -> None:
        self.gate = threading.Semaphore(0)
        self.begun = threading.Semaphore(0)
        self.batches: list[list[int]] = []

    def __call__(self, batch: list[int]) -> list[int]:
        self.batches.append(list(batch))
        self.begun.release()
        assert self.gate.acquire(timeout=LONG)
        return [item * 10 for item in batch]


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def busy(**options: Any) -> tuple[Slow, Writer[int, int], Future[int]]:
    """A writer that works on a first item, 0, until its gate opens."""
    slow = Slow()
    writer: Writer[int, int] = Writer(slow, **options)
    first = writer.submit(0)
    assert slow.begun.acquire(timeout=LONG)
    return slow, writer, first


def test_one_caller_is_a_batch_of_one():
    def process(batch: list[int]) -> list[int]:
        return [len(batch) + item for item in batch]

    with Writer(process) as writer:
        assert writer.submit(41).result(LONG) == 42


def test_what_arrives_while_a_batch_runs_is_the_next_batch():
    slow, writer, first = busy()
    later = [writer.submit(item) for item in (1, 2, 3)]
    assert writer.waiting == 3
    slow.gate.release(2)
    assert first.result(LONG) == 0
    assert [future.result(LONG) for future in later] == [10, 20, 30]
    assert slow.batches == [[0], [1, 2, 3]]
    writer.close()


def test_a_batch_is_capped():
    slow, writer, _ = busy(max_batch=2)
    later = [writer.submit(item) for item in range(1, 6)]
    slow.gate.release(9)
    assert [future.result(LONG) for future in later] == [10, 20, 30, 40, 50]
    assert slow.batches == [[0], [1, 2], [3, 4], [5]]
    writer.close()


def test_many_threads_each_get_their_own_answer():
    batches = []

    def process(batch: list[int]) -> list[int]:
        batches.append(len(batch))
        time.sleep(0.0005)
        return [item * 3 for item in batch]

    wrong = []
    with Writer(process) as writer:

        def call(thread):
            for n in range(50):
                if writer.submit(thread * 1000 + n).result(LONG) != 3 * (thread * 1000 + n):
                    wrong.append((thread, n))

        threads = [threading.Thread(target=call, args=(n,)) for n in range(32)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
    assert not wrong
    assert sum(batches) == 32 * 50
    assert max(batches) > 1


def test_async_callers_and_one_wake_up_a_batch():
    slow, writer, _ = busy()

    async def main() -> Any:
        loop = asyncio.get_running_loop()
        wakes = 0
        real = loop.call_soon_threadsafe

        def counted(*args, **kwargs):
            nonlocal wakes
            wakes += 1
            return real(*args, **kwargs)

        loop.call_soon_threadsafe = counted  # type: ignore[method-assign, assignment]
        futures = [writer.submit_async(item) for item in range(1, 65)]
        slow.gate.release(2)
        assert await asyncio.wait_for(asyncio.gather(*futures), LONG) == [10 * item for item in range(1, 65)]
        assert wakes == 1

    run(main())
    writer.close()


def test_several_event_loops_and_threads_in_one_batch():
    slow, writer, _ = busy()
    results = {}

    def loop(n):
        async def main() -> Any:
            results[n] = await asyncio.wait_for(writer.submit_async(n), LONG)

        run(main())

    threads = [threading.Thread(target=loop, args=(n,)) for n in range(1, 5)]
    for thread in threads:
        thread.start()
    plain = writer.submit(5)
    until(lambda: writer.waiting == 5)
    slow.gate.release(2)
    for thread in threads:
        thread.join(LONG)
    assert results == {1: 10, 2: 20, 3: 30, 4: 40}
    assert plain.result(LONG) == 50
    assert sorted(slow.batches[1]) == [1, 2, 3, 4, 5]
    writer.close()


@pytest.mark.parametrize("error", [OSError("disk full"), StopIteration(3), SystemExit(3), KeyboardInterrupt()])
def test_a_failed_batch_reaches_every_caller_and_the_writer_goes_on(error):
    failing = [True]
    begun, gate = threading.Event(), threading.Event()

    def process(batch: list[int]) -> list[int]:
        begun.set()
        assert gate.wait(LONG)
        if failing[0] and len(batch) > 1:
            raise error
        return batch

    async def main() -> Any:
        with Writer(process) as writer:
            first = writer.submit(0)
            assert begun.wait(LONG)
            plain = [writer.submit(item) for item in (1, 2, 3)]
            futures = [writer.submit_async(item) for item in (4, 5, 6)]
            gate.set()
            got: list[object] = [*await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), LONG)]
            got += [future.exception(LONG) for future in plain]
            assert len(got) == 6
            for answer in got:
                assert answer is error or isinstance(answer, RuntimeError) and repr(error) in str(answer)
            assert first.result(LONG) == 0
            failing[0] = False
            assert writer.submit(7).result(LONG) == 7

    run(main())


def test_a_wrong_number_of_results_is_an_error_for_all():
    def empty(batch: list[int]) -> list[int]:
        return []

    with Writer(empty) as writer, pytest.raises(RuntimeError, match="0 results for 1"):
        writer.submit(1).result(LONG)


def test_a_divisible_error_reaches_only_the_item_at_fault():
    slow, writer, _ = busy(divisible=lambda error: isinstance(error, ZeroDivisionError))
    batches = []

    def process(batch: list[int]) -> list[int]:
        batches.append(batch)
        return [10 // item for item in batch]

    writer._process = process
    futures = [writer.submit(item) for item in (1, 2, 0, 5, 10)]
    slow.gate.release()
    assert [f.result(LONG) for n, f in enumerate(futures) if n != 2] == [10, 5, 2, 1]
    error = futures[2].exception(LONG)
    assert isinstance(error, ZeroDivisionError) and error.__context__ is None
    assert batches == [[1, 2, 0, 5, 10], [1, 2], [0, 5, 10], [0], [5, 10]]
    writer.close()


def test_a_divisible_that_fails_hangs_nobody():
    slow, writer, _ = busy(divisible=lambda error: 1 // 0)
    writer._process = lambda batch: [batch[9]]
    futures = [writer.submit(item) for item in (1, 2)]
    slow.gate.release()
    assert all(isinstance(future.exception(LONG), IndexError) for future in futures)
    writer.close()


def test_too_many_waiting_is_refused_at_once_with_a_code():
    slow, writer, _ = busy(max_waiting=3)
    later = [writer.submit(item) for item in (1, 2, 3)]
    with pytest.raises(WriterBusy) as caught:
        writer.submit(4)
    assert caught.value.code == "writer_busy"

    async def main() -> Any:
        with pytest.raises(WriterBusy):
            writer.submit_async(4)

    run(main())
    slow.gate.release(9)
    assert [future.result(LONG) for future in later] == [10, 20, 30]
    assert writer.submit(4).result(LONG) == 40
    writer.close()


def test_who_gives_up_before_the_batch_takes_only_its_own_item():
    slow, writer, _ = busy()

    async def main() -> Any:
        plain = [writer.submit(item) for item in (1, 2, 3)]
        futures = [writer.submit_async(item) for item in (4, 5, 6)]
        assert plain[1].cancel() and futures[1].cancel()
        slow.gate.release(9)
        assert [await asyncio.wait_for(futures[n], LONG) for n in (0, 2)] == [40, 60]
        assert [plain[n].result(LONG) for n in (0, 2)] == [10, 30]
        with pytest.raises(CancelledError):
            plain[1].result()

    run(main())
    assert slow.batches == [[0], [1, 3, 4, 6]]
    writer.close()


def test_who_gives_up_during_the_batch_does_not_stop_it():
    slow = Slow()
    writer: Writer[int, int] = Writer(slow)

    async def main() -> Any:
        future, other = writer.submit_async(1), writer.submit_async(2)
        assert slow.begun.acquire(timeout=LONG)
        future.cancel()
        slow.gate.release(2)
        assert await asyncio.wait_for(other, LONG) == 20

    run(main())
    if len(slow.batches) > 1:
        assert slow.begun.acquire(timeout=LONG)
    else:
        slow.gate.acquire()
    running = writer.submit(3)
    assert slow.begun.acquire(timeout=LONG)
    assert not running.cancel()
    slow.gate.release()
    assert running.result(LONG) == 30
    assert sorted(itertools.chain(*slow.batches)) == [1, 2, 3]
    writer.close()


def test_a_batch_of_nobody_is_not_run():
    slow, writer, _ = busy()
    assert writer.submit(1).cancel()
    slow.gate.release(9)
    assert writer.submit(2).result(LONG) == 20
    assert slow.batches[0] == [0] and [1] not in slow.batches
    writer.close()


def test_an_event_loop_that_ended_stops_nobody_else():
    slow, writer, _ = busy()

    async def main() -> Any:
        writer.submit_async(1)

    run(main())
    other = writer.submit(2)
    slow.gate.release(9)
    assert other.result(LONG) == 20
    assert writer.submit(3).result(LONG) == 30
    writer.close()


def test_a_future_that_its_owner_resolved_does_not_end_the_thread():
    slow, writer, first = busy()
    first.set_result(-1)
    slow.gate.release(9)
    assert writer.submit(1).result(LONG) == 10
    writer.close()


def test_close_finishes_what_waits_and_refuses_what_comes():
    slow, writer, first = busy()
    later = [writer.submit(item) for item in range(1, 4)]
    closing = threading.Thread(target=writer.close)
    closing.start()
    until(lambda: writer._closed)
    with pytest.raises(WriterClosed) as caught:
        writer.submit(9)
    assert caught.value.code == "writer_closed"
    with pytest.raises(TimeoutError):
        writer.close(0.01)
    slow.gate.release(9)
    closing.join(LONG)
    assert not closing.is_alive() and not writer._thread.is_alive()
    assert [future.result(0) for future in (first, *later)] == [0, 10, 20, 30]
    writer.close()


def test_close_from_its_own_thread():
    done: Future[None] = Future()
    writer: Writer[int, int] = Writer(lambda batch: batch)

    def close(_: object) -> None:
        writer.close()
        done.set_result(None)

    future = writer.submit(1)
    future.add_done_callback(close)
    done.result(LONG)
    with pytest.raises(WriterClosed):
        writer.submit(2)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")
def test_a_forked_child_is_refused_rather_than_left_hanging():
    slow, writer, first = busy()
    waiting = writer.submit(1)
    writer._arrived.acquire()  # held at the moment of the fork, as by another thread
    child = os.fork()
    if not child:
        signal.alarm(LONG)
        try:
            writer.submit(2)
        except WriterClosed:
            os._exit(7)
        os._exit(1)
    writer._arrived.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    slow.gate.release(9)
    assert (first.result(LONG), waiting.result(LONG)) == (0, 10)
    writer.close()


@pytest.mark.parametrize("options", [{"max_batch": 0}, {"max_waiting": 0}])
def test_senseless_limits(options):
    with pytest.raises(ValueError, match="at least 1"):
        Writer(lambda batch: batch, **options)
