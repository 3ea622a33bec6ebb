"""Where an address becomes a book: the one place that knows which store belongs to which kind of address."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import unquote

from sqlalchemy import Engine

from ledger.core import schema
from ledger.core.book import Book, microseconds
from ledger.core.clock import Watch
from ledger.core.store import Reading, Store, StoreError, Writing


class ReadOnlyStore:
    """A store that nothing can be posted to."""

    def __init__(self, store: Store, engine: Engine) -> None:
        self._store = store
        self.engine = engine

    def writing(self) -> AbstractContextManager[Writing]:
        """Raises `StoreError` (read_only)."""
        raise StoreError("read_only", "the book was opened for reading only")

    def reading(self) -> AbstractContextManager[Reading]:
        return self._store.reading()

    def hold(self, place: str) -> None:
        """Raises `StoreError` (read_only)."""
        raise StoreError("read_only", "the book was opened for reading only")

    def require_held(self) -> None:
        """It never is."""

    def close(self) -> None:
        self._store.close()


def open_book(
    place: str | os.PathLike[str],
    *,
    clock: Callable[[], int] = microseconds,
    entropy: Callable[[int], bytes] = os.urandom,
    read_only: bool = False,
    upgrade: bool = False,
    watch: Watch | None = None,
    alone: bool = False,
) -> Book:
    """Open the book at `place`: a path, `sqlite:///path`, `postgresql://...`, or `memory:` (a new, empty one).

    `upgrade` makes the book where there is none and brings older tables up to date; without it nothing is made
    and nothing changed. `read_only` refuses to post. `alone` has the book for one server, before anything is changed in
    it and until it is closed (see `Store.hold`). `clock` gives microseconds since the epoch, `entropy` as many random
    bytes as asked for, `watch` holds the clock against the log.

    Raises `StoreError`: address_unknown, no_book, book_served, book_too_old, book_too_new, database_unusable,
    sqlite_too_old, postgres_version.
    """
    if read_only and upgrade:
        raise ValueError("a book opened for reading only cannot be upgraded")
    if place == "memory:":
        from ledger.core.memory import MemoryStore

        return Book(MemoryStore(), clock=clock, entropy=entropy, watch=watch)
    store, engine, trouble = _store(place, read_only, upgrade)
    try:
        if alone:
            store.hold(os.fspath(place))
        if upgrade:
            schema.upgrade(engine)
        else:
            schema.require_current(engine)
    except BaseException as error:
        store.close()
        meaning = trouble(error)
        if meaning is error:
            raise
        raise meaning from error
    return Book(ReadOnlyStore(store, engine) if read_only else store, clock=clock, entropy=entropy, watch=watch)


def _store(
    place: str | os.PathLike[str], read_only: bool, upgrade: bool
) -> tuple[Store, Engine, Callable[[BaseException], BaseException]]:
    """The store at `place`, its engine, and what makes its driver's errors clear."""
    address = os.fspath(place)
    if is_postgres(address):
        from ledger.core import postgres

        engine = postgres.open_engine("postgresql://" + address.split("://", 1)[1])
        return postgres.PostgresStore(engine), engine, postgres.trouble
    path = sqlite_path(address)
    if not upgrade and not path.exists():
        raise StoreError("no_book", "there is no book at {path}: `patard init` makes one", path=path)
    from ledger.core import sqlite
    from ledger.core.still import Still

    still = Still(path) if read_only else None
    engine = sqlite.open_engine(path, read_only=read_only, still=still)
    return sqlite.SqliteStore(engine, still), engine, sqlite.trouble


def is_postgres(address: str) -> bool:
    """Whether a book's address is a PostgreSQL database's."""
    return address.startswith(("postgresql://", "postgresql+psycopg://", "postgres://"))


def sqlite_path(address: str) -> Path:
    """The file of an SQLite book's address. Raises `StoreError`: address_unknown."""
    if address.startswith("sqlite:///") and len(address) > len("sqlite:///"):
        return Path(unquote(address.removeprefix("sqlite:///")))
    if not address or re.match(r"[a-z][a-z0-9+]*:", address) or address == ":memory:":
        # Without the address: it may hold a password.
        raise StoreError(
            "address_unknown",
            "a book lies at a path, at sqlite:///path, at postgresql://..., or in memory: (for tests)",
        )
    return Path(address)
