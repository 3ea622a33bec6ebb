"""One server a book: a lock that whoever serves a book holds for as long as it does.

Two servers would keep the engine's rules, which rest on the database. But each would look at the day's limit, at an
order's last moment and at its own charter while the other posts. Commands of the office are quick and need no lock.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from ledger.core.opening import is_postgres, sqlite_path
from ledger.core.store import StoreError

LOCK = int.from_bytes(sha256(b"patard/served/1").digest()[:8]) >> 1
"""PostgreSQL's advisory locks are numbers, one set a database."""


def lock_file(place: str) -> Path:
    """The empty file that is locked while the SQLite book at `place` is served: beside the book itself."""
    path = sqlite_path(place).resolve()
    return path.with_name(f"{path.name}.served")


@contextmanager
def alone(place: str) -> Iterator[None]:
    """Hold the book at `place` (as in `open_book`) for one server. The system lets go of it when the process ends.

    Raises `StoreError`: book_served when another holds it; address_unknown; and what connecting raises.
    """
    with _postgres(place) if is_postgres(place) else _sqlite(place):
        yield


@contextmanager
def _sqlite(place: str) -> Iterator[None]:
    path = lock_file(place)
    if not path.parent.is_dir():
        yield  # There is no book to serve, which whoever opens it says better.
        return
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _served(str(path)) from None
        # The file stays: a lock on a file that was removed would hold nobody back.
        yield
    finally:
        os.close(handle)


@contextmanager
def _postgres(place: str) -> Iterator[None]:
    import psycopg

    url = "postgresql://" + place.split("://", 1)[1]
    # A connection of its own, which no pool gives back; without a word for weeks, so nothing may end it for that.
    with psycopg.connect(url, autocommit=True, connect_timeout=10, keepalives_idle=60) as connection:
        connection.execute("SET idle_session_timeout = 0")
        free = connection.execute("SELECT pg_try_advisory_lock(%s)", (LOCK,)).fetchone()
        if free is None or not free[0]:
            raise _served("advisory lock")
        yield


def _served(what: str) -> StoreError:
    return StoreError("book_served", f"another server has this book ({what}): end it first; one server serves a book")
