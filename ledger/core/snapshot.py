"""One moment of a book, held for as long as somebody looks at it: a store whose every reading is of one transaction.

A check reads the log, the accounts and tables that are not the engine's, for minutes, beside an office at work: read at
different moments they contradict each other. While a snapshot lasts, SQLite keeps what was written since in its WAL,
and PostgreSQL the rows that were replaced.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, Engine

from ledger.core.store import Reading, StoreError, Writing

CACHE_KIB = 16_384
"""Of SQLite's pages: what is read once from end to end needs no more, nor does sorting."""


class Snapshot:
    """A store as it stood at one moment. One thread at a time; it ends where `snapshot` ends.

    `connection` reads every table of the database at that moment.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.driver: Any = connection.connection.driver_connection
        """The driver's connection, in the same transaction."""

    @property
    def is_sqlite(self) -> bool:
        """Which of the two databases it is."""
        return self.connection.dialect.name == "sqlite"

    def writing(self) -> AbstractContextManager[Writing]:
        """Raises `StoreError` (read_only)."""
        raise StoreError("read_only", "this is how the book stood at one moment: nothing can be posted to it")

    @contextmanager
    def reading(self) -> Iterator[Reading]:
        """That moment, every time."""
        if self.is_sqlite:
            from ledger.core.sqlite import SqliteReading

            yield SqliteReading(self.driver.cursor())
        else:
            from ledger.core.postgres import BY_KEY, PostgresReading

            # For these statements only: whole tables are read through this transaction as well.
            self.driver.execute("; ".join(f"SET LOCAL {setting}" for setting in BY_KEY), prepare=False)
            yield PostgresReading(self.driver.cursor(binary=True))
            usual = "; ".join(f"SET LOCAL {setting.split(' =')[0]} TO DEFAULT" for setting in BY_KEY)
            self.driver.execute(usual, prepare=False)

    def hold(self, place: str) -> None:
        """Raises `StoreError` (read_only)."""
        raise StoreError("read_only", "this is how the book stood at one moment: nobody serves it")

    def require_held(self) -> None:
        """Nothing: nobody holds a moment."""

    def close(self) -> None:
        """Nothing: `snapshot` ends it."""


@contextmanager
def snapshot(engine: Engine) -> Iterator[Snapshot]:
    """The database behind `engine` as it stands now. Nothing can be written through it.

    Raises `StoreError` where the reason lies outside the program.
    """
    if engine.dialect.name == "sqlite":
        from ledger.core.sqlite import trouble

        held = _sqlite
    else:
        from ledger.core.postgres_driver import trouble

        held = _postgres
    try:
        with engine.connect() as connection, held(connection) as moment:
            yield moment
    except Exception as error:
        meaning = trouble(error)
        if meaning is error:
            raise
        raise meaning from error


@contextmanager
def _sqlite(connection: Connection) -> Iterator[Snapshot]:
    moment = Snapshot(connection)
    driver = moment.driver
    before = [(name, driver.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("query_only", "cache_size")]
    driver.execute("PRAGMA query_only = ON")
    driver.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    driver.execute("BEGIN")
    try:
        driver.execute("SELECT count(*) FROM sqlite_schema").fetchall()  # the first look decides which moment it is
        yield moment
    finally:
        if driver.in_transaction:
            driver.execute("ROLLBACK")
        for name, value in before:
            driver.execute(f"PRAGMA {name} = {int(value)}")


@contextmanager
def _postgres(connection: Connection) -> Iterator[Snapshot]:
    moment = Snapshot(connection)
    driver = moment.driver
    driver.rollback()
    # We say BEGIN ourselves: to SQLAlchemy, and to the driver, this is a connection that commits by itself.
    before, driver.autocommit = driver.autocommit, True
    driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        driver.execute("SELECT 1")  # the first look decides which moment it is
        yield moment
    finally:
        if not driver.closed:
            driver.rollback()
            driver.autocommit = before


__all__ = ["Snapshot", "snapshot"]
