"""Group commit over a book: the head of each commit, and who gets the blame for a failed batch."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import wait
from typing import Any

import pytest

from ledger.core.model import Account, Instruction, Note, Opening, Posted, Side
from ledger.core.writer import Result, Writer, for_book
from tests.loops import run

LONG = 20


def until(condition: Callable[[], Any]) -> None:
    end = time.monotonic() + LONG
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


@pytest.fixture
def book(tmp_path):
    from ledger.core.book import Book
    from ledger.core.schema import upgrade
    from ledger.core.sqlite import SqliteStore, open_engine

    engine = open_engine(tmp_path / "book.db")
    upgrade(engine)
    book = Book(SqliteStore(engine))
    yield book
    book.close()


def note(n: int) -> Note:
    return Note(n.to_bytes(16), "note", {"n": n})


def seq(result: Result) -> int:
    assert isinstance(result.answer, Posted)
    return result.answer.seq


def test_for_book_answers_with_the_head_after_the_commit(book):
    with for_book(book) as writer:
        futures = [writer.submit(note(n)) for n in range(1, 200)]
        done, _ = wait(futures, LONG)
        assert len(done) == 199
        results = [future.result() for future in futures]
        assert [seq(result) for result in results] == list(range(1, 200))
        assert all(result.head.seq >= seq(result) for result in results)
        assert results[-1].head == book.head()
        again = writer.submit(note(7)).result(LONG)
        stood = results[6].answer
        assert isinstance(stood, Posted)
        assert again.answer == stood._replace(replay=True)


def test_for_book_isolates_an_instruction_that_breaks_the_batch(book):
    gate, begun = threading.Event(), threading.Event()

    def also(connection, outcome):
        begun.set()
        assert gate.wait(LONG)
        if any(answer.id == note(5).id for answer in outcome.answers):
            raise ValueError("five")

    with for_book(book, also) as writer:
        first = writer.submit(note(1))
        assert begun.wait(LONG)
        futures = [writer.submit(note(n)) for n in range(2, 9)]
        gate.set()
        assert seq(first.result(LONG)) == 1
        errors = [future.exception(LONG) for future in futures]
    assert [str(error) for error in errors if error] == ["five"] and errors[3] is not None
    assert book.head().seq == 7


def test_for_book_gives_database_trouble_to_the_whole_batch(book):
    import pysqlite3

    calls = []

    def also(connection, outcome):
        calls.append(len(outcome.answers))
        if len(calls) > 1:
            raise pysqlite3.OperationalError("disk I/O error")
        time.sleep(0.05)

    with for_book(book, also) as writer:
        first = writer.submit(note(1))
        until(lambda: calls)
        futures = [writer.submit(note(n)) for n in range(2, 6)]
        errors = [future.exception(LONG) for future in futures]
        assert seq(first.result(LONG)) == 1
    assert calls == [1, 4]
    assert all(isinstance(error, pysqlite3.OperationalError) for error in errors)
    assert book.head().seq == 1


def test_for_book_with_many_asyncio_callers(book):
    opening = Opening(bytes(15) + b"\1", Account(5, "EUR", Side.DEBIT))

    async def caller(writer: Writer[Instruction, Result], n: int) -> list[int]:
        return [seq(await writer.submit_async(note(1000 * n + i))) for i in range(1, 11)]

    async def main() -> Any:
        with for_book(book) as writer:
            await writer.submit_async(opening)
            return await asyncio.wait_for(asyncio.gather(*(caller(writer, n) for n in range(1, 65))), LONG)

    seqs = [n for each in run(main()) for n in each]
    assert sorted(seqs) == list(range(2, 642))
    assert book.head().seq == 641
