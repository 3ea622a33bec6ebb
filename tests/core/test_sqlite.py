"""What only SQLite has: pragmas, one file, full disks, old libraries."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from ledger.core import sqlite
from ledger.core.book import Book
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from tests.conformance.test_whole import check_sums
from tests.conformance.town import FUNDS, A, B, codes, dump, post, settle, t, tx


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "book.db"


@pytest.fixture
def book(path: Path) -> Iterator[Book]:
    made = settle(open_book(path, upgrade=True))
    yield made
    made.close()


def pragma(cursor: Any, name: str) -> Any:
    return cursor.execute(f"PRAGMA {name}").fetchone()[0]


def test_the_writing_connection_waits_for_the_disk(book: Book) -> None:
    with book.store.writing() as writing:
        cursor = writing.connection.connection.cursor()
        assert pragma(cursor, "synchronous") == 2  # FULL
        assert pragma(cursor, "journal_mode") == "wal"
        assert pragma(cursor, "foreign_keys") == 1
        assert pragma(cursor, "ignore_check_constraints") == 0
        assert pragma(cursor, "busy_timeout") == sqlite.BUSY_MS


def test_every_connection_of_the_pool_is_as_careful(book: Book) -> None:
    engine = book.store.engine  # type: ignore[attr-defined]
    connections = [engine.connect() for _ in range(5)]
    for connection in connections:
        cursor = connection.connection.cursor()
        assert (pragma(cursor, "synchronous"), pragma(cursor, "foreign_keys")) == (2, 1)
        connection.close()


def test_replacing_a_row_is_no_way_around_the_triggers(book: Book) -> None:
    """INSERT OR REPLACE deletes: without recursive triggers SQLite would do it unseen."""
    before = dump(book)
    statements = (
        "INSERT OR REPLACE INTO log SELECT seq, id, at + 1, corrects, leaf, record FROM log WHERE seq = 2",
        "REPLACE INTO transfer SELECT place, debit, credit, amount + 1, 0, 0, 0, 0, 0, 0 FROM transfer LIMIT 1",
        "UPDATE OR REPLACE account SET number = 23 WHERE number = 22",
    )
    for statement in statements:
        with book.store.engine.connect() as connection, pytest.raises(Exception, match="append-only"):  # type: ignore[attr-defined]
            connection.exec_driver_sql(statement)
    assert dump(book) == before


@pytest.mark.parametrize(
    ("version", "fine"),
    [((3, 7, 0), False), ((3, 40, 1), False), ((3, 51, 2), False), ((3, 51, 3), True), ((3, 53, 0), True)],
)
def test_libraries_that_can_corrupt_a_book_are_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], fine: bool
) -> None:
    monkeypatch.setattr(pysqlite3, "sqlite_version_info", version)
    if fine:
        open_book(path, upgrade=True).close()
        return
    with pytest.raises(StoreError) as caught:
        open_book(path, upgrade=True)
    assert caught.value.code == "sqlite_too_old"
    assert not path.exists()


def fill(book: Book) -> tuple[int, StoreError]:
    """Post until the disk is full; how many payments were answered, and what was said then."""
    n = 0
    with pytest.raises(StoreError) as caught:
        while True:
            post(book, *(tx(1_000 + n + k, t(A, B, 1), t(B, A, 1)) for k in range(10)))
            n += 10
    return n, caught.value


def full_disk(book: Book, again: Book, more: Callable[[], None]) -> None:
    seq = book.head().seq
    n, error = fill(book)
    assert error.code == "disk_full"
    assert "to learn what became of it" in str(error)
    # What was answered stands, what was not does not, and reading goes on.
    for each in (book, again):
        assert each.head().seq == seq + n
        assert each.balance(A) == FUNDS
    check_sums(again)
    with pytest.raises(StoreError):
        post(book, *(tx(5_000 + k, *[t(A, B, 1), t(B, A, 1)] * 100) for k in range(20)))
    assert again.head().seq == seq + n
    more()
    late = [tx(1_000 + n + k, t(A, B, 1), t(B, A, 1)) for k in range(10)]
    assert codes(book.post(late).answers) == ["posted"] * 10
    assert codes(again.post(late).answers) == ["replay"] * 10
    check_sums(again)


def test_a_book_that_may_not_grow(book: Book, path: Path) -> None:
    """`max_page_count` makes SQLite say what it says when the disk is full."""
    with book.store.writing() as writing:
        cursor = writing.connection.connection.cursor()
        pages = pragma(cursor, "page_count")
        cursor.execute(f"PRAGMA max_page_count = {pages + 12}")

    def more() -> None:
        with book.store.writing() as writing:
            writing.connection.connection.cursor().execute("PRAGMA max_page_count = 1000000")

    again = open_book(path)
    full_disk(book, again, more)
    again.close()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    folder = tmp_path / "tiny"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=700k", "none", str(folder)]
    if os.geteuid() != 0 or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        # Nothing is left out: the test above meets the same error without a file system of its own.
        return
    try:
        book = settle(open_book(folder / "book.db", upgrade=True))
        again = open_book(folder / "book.db")

        def more() -> None:
            subprocess.run(["mount", "-o", "remount,size=4m", str(folder)], check=True)

        full_disk(book, again, more)
        again.close()
        book.close()
    finally:
        gc.collect()  # a cursor in the traceback of what failed keeps the file open
        subprocess.run(["umount", str(folder)], check=True)


def test_another_writer_that_does_not_let_go(book: Book, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_MS", 50)
    waiting = open_book(path)
    with book.store.writing():
        with pytest.raises(StoreError) as caught:
            waiting.post([tx(100, t(A, B, 1))])
        assert caught.value.code == "database_busy"
    assert codes(waiting.post([tx(100, t(A, B, 1))]).answers) == ["posted"]
    waiting.close()


def test_a_writer_is_alone_before_it_has_read_anything(book: Book, path: Path) -> None:
    """What it reads is what stands when it writes: the lock is taken with BEGIN, not with the first row."""
    other = pysqlite3.connect(path, isolation_level=None, timeout=0)
    try:
        with book.store.writing(), pytest.raises(pysqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.execute("BEGIN IMMEDIATE")
    finally:
        other.close()


def test_a_writer_waits_for_another(book: Book, path: Path) -> None:
    other = open_book(path)
    inside, done = threading.Event(), threading.Event()

    def hold() -> None:
        with book.store.writing():
            inside.set()
            done.wait(0.2)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait()
    post(other, tx(100, t(A, B, 1)))
    thread.join()
    other.close()


def test_a_damaged_file_is_named_as_such(book: Book, path: Path) -> None:
    book.close()
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4096):
        data[page * 4096 : page * 4096 + 16] = b"\xff" * 16
    path.write_bytes(data)
    with pytest.raises(StoreError) as caught:
        open_book(path).balance(A)
    assert caught.value.code == "database_unusable"


KILLED = """
import sys
from ledger.core.opening import open_book
from tests.conformance.town import A, B, t, tx
book = open_book(sys.argv[1])
for n in range(1, 1_000_000):
    book.post([tx(1_000 * int(sys.argv[2]) + n, t(A, B, 1), t(B, A, 1))])
    print(n, flush=True)
"""


def test_what_was_answered_survives_a_kill(book: Book, path: Path) -> None:
    """The short form; the long one kills the real server a hundred times."""
    seq = book.head().seq
    for run in range(1, 4):
        with subprocess.Popen(
            [sys.executable, "-c", KILLED, str(path), str(run)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        ) as process:
            assert process.stdout is not None
            for _ in range(5 * run):
                said = int(process.stdout.readline())
            process.kill()
            said = max([said, *(int(line) for line in process.stdout.read().split(b"\n")[:-1] if line)])
        answered = book.head().seq - seq
        assert said <= answered <= said + 1
        seq += answered
        check_sums(book)
        assert book.balance(A) == FUNDS
