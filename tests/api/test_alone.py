"""One server a book: a second one is refused, clearly, and the office's commands work beside the first."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from ledger.core.alone import LOCK, lock_file
from ledger.core.book import Book
from ledger.core.ids import uuid7
from ledger.core.model import Note, Posted
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from ledger.currency.town import Town
from tests import towns

PATARD = Path(sys.executable).with_name("patard")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    towns.found(tmp_path / "home", database_url=url).book.close()
    towns.told(tmp_path / "home")
    return url or str(tmp_path / "home" / "book.db")


@pytest.fixture
def place_on_postgres(fresh_postgres: str, tmp_path: Path) -> str:
    towns.found(tmp_path / "home", database_url=fresh_postgres).book.close()
    return fresh_postgres


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def server(env: dict[str, str], stderr: int | None = None) -> Iterator[subprocess.Popen[str]]:
    """`patard serve`, once it takes connections; killed in the end."""
    command = [str(PATARD), "serve", "--port", str(free_port())]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=stderr, text=True) as process:
        try:
            assert process.stdout is not None and "127.0.0.1" in process.stdout.readline()
            yield process
        finally:
            process.kill()


def test_a_second_server_of_a_book_is_refused(place: str, tmp_path: Path) -> None:
    env = {**os.environ, "PATARD_HOME": str(tmp_path / "home"), "PATARD_LANG": "en"}
    env.pop("PATARD_DATABASE_URL", None)
    second = [str(PATARD), "serve", "--port", str(free_port())]
    with server(env) as first:
        ran = subprocess.run(second, env=env, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 3
        assert "another server has this book" in ran.stderr and "Traceback" not in ran.stderr
        # The office beside it.
        for command in (["party", "add", "person", "Alice"], ["reserve"], ["check"]):
            assert subprocess.run([str(PATARD), *command], env=env, capture_output=True, timeout=60).returncode == 0
        first.send_signal(signal.SIGKILL)
        first.wait(20)
        with server(env) as again:  # nothing is left to be cleared away
            again.send_signal(signal.SIGTERM)
            assert again.wait(20) == 0
    open_book(place, alone=True).close()


def test_it_is_held_until_the_book_is_closed(place: str) -> None:
    for _ in range(2):
        book = open_book(place, alone=True)
        for upgrade in (False, True):
            with pytest.raises(StoreError) as caught:
                open_book(place, alone=True, upgrade=upgrade)
            assert caught.value.code == "book_served"
        open_book(place).close()  # a command of the office
        book.store.require_held()
        note(book)
        book.close()


def note(book: Book) -> None:
    [answer] = book.post([Note(uuid7(book.clock(), book.entropy(10)), "test", {})]).answers
    assert isinstance(answer, Posted)


def lost(book: Book, code: str) -> None:
    """Hold that nothing can be posted any more, however often it is tried."""
    before = book.head()
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            note(book)
        assert caught.value.code == code
        with pytest.raises(StoreError) as caught:
            book.store.require_held()
        assert caught.value.code == code
    assert book.head() == before


@pytest.mark.parametrize("replaced", [False, True])
def test_a_lock_file_that_goes_ends_the_posting(tmp_path: Path, town: Town, replaced: bool) -> None:
    town.book.close()
    place = str(tmp_path / "home" / "book.db")
    book = open_book(place, alone=True)
    note(book)
    lock_file(Path(place)).unlink()
    other = open_book(place, alone=True) if replaced else None
    lost(book, "lock_lost")
    if other is not None:
        note(other)
        other.close()
    book.close()


def test_a_lock_file_that_goes_while_something_is_written(tmp_path: Path, town: Town) -> None:
    town.book.close()
    place = str(tmp_path / "home" / "book.db")
    book = open_book(place, alone=True)
    before = book.head()
    with pytest.raises(StoreError) as caught:
        book.post([Note(uuid7(book.clock(), book.entropy(10)), "test", {})], lambda *_: lock_file(Path(place)).unlink())
    assert caught.value.code == "lock_lost" and book.head() == before
    book.close()


def writers(url: str) -> list[int]:
    """The server processes of PostgreSQL that hold a book's lock."""
    with psycopg.connect(url, autocommit=True) as connection:
        query = (
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = "
            "(SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND ((classid::bigint << 32) | objid::bigint) = %s"
        )
        return [pid for (pid,) in connection.execute(query, (LOCK,))]


def end_writer(url: str) -> None:
    [pid] = writers(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))


@pytest.mark.postgres
def test_a_connection_that_breaks_has_the_lock_again_or_nothing(place_on_postgres: str) -> None:
    url = place_on_postgres
    book = open_book(url, alone=True)
    note(book)
    for look in (note, lambda book: book.store.require_held()):
        end_writer(url)
        assert writers(url) == []
        look(book)  # nobody else was there: it goes on
        assert len(writers(url)) == 1
    note(book)
    end_writer(url)
    other = open_book(url, alone=True)
    lost(book, "book_served")
    note(other)
    other.close()
    lost(book, "book_served")  # what the other one did, this one has not seen: it stays out
    assert writers(url) == []
    book.close()


@pytest.mark.postgres
def test_the_lock_is_of_the_session_that_writes(place_on_postgres: str) -> None:
    book = open_book(place_on_postgres, alone=True)
    with book.store.writing() as store:
        [pid] = store.connection.exec_driver_sql("SELECT pg_backend_pid()").scalars()
    assert writers(place_on_postgres) == [pid]
    book.close()


def waiting_server(env: dict[str, str], seconds: float = 30) -> subprocess.Popen[str]:
    """`patard serve`, tried again and again until it is let in, as a supervisor does it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        command = [str(PATARD), "serve", "--port", str(free_port())]
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert process.stdout is not None
        if "127.0.0.1" in process.stdout.readline():
            return process
        assert process.wait(20) == 3
    raise AssertionError("no second server was let in")


def test_two_servers_never_both_serve(place: str, tmp_path: Path) -> None:
    """The first one's lock is taken away while a second one waits: the first ends by itself, and says why."""
    env = {**os.environ, "PATARD_HOME": str(tmp_path / "home"), "PATARD_LANG": "en"}
    env.pop("PATARD_DATABASE_URL", None)
    with server(env, stderr=subprocess.PIPE) as first:
        if place.startswith("postgresql"):
            # As if the line to the database were cut: the second is there before the first notices.
            first.send_signal(signal.SIGSTOP)
            end_writer(place)
        else:
            lock_file(Path(place)).unlink()
        second = waiting_server(env)
        try:
            first.send_signal(signal.SIGCONT)
            assert first.wait(30) == 3
            assert first.stderr is not None
            said = first.stderr.read()
            assert "this server ends" in said and "Traceback" not in said
            assert second.poll() is None
            with pytest.raises(StoreError):
                open_book(place, alone=True)
        finally:
            second.kill()
            second.wait()
            assert second.stdout is not None
            second.stdout.close()


def test_a_book_has_one_lock_by_whatever_name(tmp_path: Path, town: Town) -> None:
    book = tmp_path / "home" / "book.db"
    link = tmp_path / "link.db"
    link.symlink_to(book)
    assert {lock_file(book), lock_file(link)} == {book.resolve().with_name("book.db.served")}
    town.book.store.hold(f"sqlite:///{link}")
    with pytest.raises(StoreError) as caught:
        open_book(book, alone=True)
    assert caught.value.code == "book_served"


def test_no_book_is_nobodys(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as caught:
        open_book(tmp_path / "nowhere" / "book.db", alone=True)
    assert caught.value.code == "no_book"
    with pytest.raises(StoreError) as caught:
        open_book(tmp_path / "nowhere" / "book.db", alone=True, upgrade=True)
    assert caught.value.code == "database_unusable"
    assert not (tmp_path / "nowhere").exists()
