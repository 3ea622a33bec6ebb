"""One server a book: a lock that whoever serves a book holds for as long as it does.

Two servers would keep the engine's rules, which rest on the database. But each would look at the day's limit, at an
order's last moment and at its own charter while the other posts. Commands of the office are quick and need no lock.

A lock can be lost without a word: a database connection breaks, a file is removed. So each is tied to what it guards.
On PostgreSQL it belongs to the session that writes: what is written was written under it. On SQLite the file is looked
at again before each commit. `Store.require_held` looks while nothing is written.
"""

from __future__ import annotations

import fcntl
import os
import time
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.core.store import StoreError

if TYPE_CHECKING:
    import psycopg

LOCK = int.from_bytes(sha256(b"patard/served/1").digest()[:8]) >> 1
"""PostgreSQL's advisory locks are numbers, one set a database."""
AGAIN_SECONDS = 3.0
"""For which a server whose connection broke waits for the database to notice that its old one is gone."""
LOST = frozenset({"book_served", "lock_lost"})
"""Codes of `StoreError` that say that the book is another server's, or may be."""


def lock_file(path: Path) -> Path:
    """The empty file that is locked while the SQLite book in the file `path` is served: beside the book itself."""
    path = path.resolve()
    return path.with_name(f"{path.name}.served")


class FileLock:
    """The lock of an SQLite book. The system lets go of it when the process ends."""

    def __init__(self, path: Path) -> None:
        """Raises `StoreError`: book_served when another server holds it, database_unusable."""
        self._path = path
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                "database_unusable", "{path} cannot be opened: {error}", path=path, error=error.strerror
            ) from None
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._mine = _identity(os.fstat(self._handle))
            self.require()
        except BlockingIOError:
            self.release()
            raise _served(str(path)) from None
        except BaseException:
            self.release()
            raise

    def require(self) -> None:
        """Raise `StoreError`, lock_lost, where the file is not the one that was locked: another server may have it."""
        try:
            there = _identity(os.stat(self._path))
        except OSError:
            there = None
        if there != self._mine:
            raise StoreError(
                "lock_lost",
                "{path} was removed or replaced while this server held it, so that another could have "
                "begun: nothing more is posted and this server ends; start one again, and leave that file "
                "where it is",
                path=self._path,
            )

    def release(self) -> None:
        """Let go of it. The file stays: a lock on a file that was removed would hold nobody back."""
        os.close(self._handle)


class SessionLock:
    """The lock of a PostgreSQL book: an advisory lock of the writing session, taken anew with each new one."""

    def __init__(self) -> None:
        self._lost: StoreError | None = None
        self._held_before = False

    def take(self, driver: psycopg.Connection[Any]) -> None:
        """Have this new session hold the lock. Raises `StoreError`, book_served: then it must not write, ever."""
        if self._lost is not None:
            raise self._lost
        driver.execute("SET idle_session_timeout = 0")  # it may be without a word for weeks
        until = time.monotonic() + (AGAIN_SECONDS if self._held_before else 0)
        while not self._try(driver):
            if time.monotonic() >= until:
                if self._held_before:
                    self._lost = StoreError(
                        "book_served",
                        "the connection to the database broke, and another server has had the book since: nothing "
                        "more is posted, and this server ends",
                    )
                raise self._lost or _served("advisory lock")
            time.sleep(0.05)
        self._held_before = True

    def _try(self, driver: psycopg.Connection[Any]) -> bool:
        free = driver.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        return free is not None and bool(free[0])


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _served(what: str) -> StoreError:
    return StoreError(
        "book_served", "another server has this book ({what}): end it first; one server serves a book", what=what
    )
