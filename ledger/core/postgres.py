"""The store on PostgreSQL 15 to 18: psycopg 3, sets by `unnest`, `synchronous_commit=on`.

The head's row is locked before anything else is read. Every writer, of any process, takes that lock first and
keeps it to its commit, so no two batches ever overlap and no row of an account needs a lock of its own: READ
COMMITTED is enough, and there is no order of locks to get wrong. (Group commit has one writer wait for the
other anyway: the log has one end.)

A batch takes four trips to the database however large it is: begin and lock, the ids, the accounts, then all
writes and the commit in one pipeline. Arrays are packed here: psycopg's own dumper takes as long as the
server. An application may run in a role that owns nothing: see `schema.grant`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import PoolProxiedConnection

from ledger.core import rules
from ledger.core.alone import SessionLock
from ledger.core.model import Head
from ledger.core.postgres_driver import byteas, driver_of, int8s, nullable_int8s, open_engine, texts, trouble
from ledger.core.rules import Fold, LogRow, Original, State, TransferRow
from ledger.core.store import StoreError, WriterLock

T = TypeVar("T")

# Every statement below finds its rows by a key. Said to the planner, because its statistics lag behind a book that
# grows: a plan made while the log was a page long would read all of it for every batch.
BY_KEY = ("enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off", "jit = off")
BEGIN_READING = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; " + "; ".join(f"SET LOCAL {s}" for s in BY_KEY)
BEGIN_WRITING = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
SET_WRITER = "; ".join(f"SET {s}" for s in (*BY_KEY, "plan_cache_mode = force_generic_plan"))
SELECT_HEAD = "SELECT seq, at, frontier, root FROM head WHERE one = 1"
LOCK_HEAD = f"{SELECT_HEAD} FOR UPDATE"
_STATE = "number, unit, normal, floor, ceiling, cover, opened, closed, debits, credits, spine"
SELECT_ACCOUNTS = f"SELECT {_STATE} FROM account WHERE number = ANY(%s)"
# The covered accounts come by their partial index, so this costs a payment two look-ups.
SELECT_BATCH_ACCOUNTS = f"""
SELECT {_STATE} FROM account WHERE number = ANY(%s)
UNION ALL SELECT {_STATE} FROM account WHERE cover IS NOT NULL
UNION ALL SELECT {_STATE} FROM account WHERE number IN (SELECT cover FROM account WHERE cover IS NOT NULL)
"""
_LOG = ", ".join(LogRow._fields)
SELECT_POSTED = "SELECT id, record FROM log WHERE id = ANY(%s)"
SELECT_CORRECTIONS = "SELECT corrects, record FROM log WHERE corrects = ANY(%s) ORDER BY seq"
SELECT_LOG = f"SELECT {_LOG} FROM log WHERE seq > %s ORDER BY seq LIMIT %s"
SELECT_ENTRIES = f"SELECT {_LOG} FROM log WHERE seq = ANY(%s)"
SELECT_BY_ID = f"SELECT {_LOG} FROM log WHERE id = %s"
SEQ_AT = """
WITH RECURSIVE search(low, high) AS (
    SELECT 0::bigint, seq FROM head WHERE one = 1
    UNION ALL
    SELECT CASE WHEN l.at <= %(at)s THEN l.seq ELSE low END, CASE WHEN l.at <= %(at)s THEN high ELSE l.seq - 1 END
    FROM search JOIN log l ON l.seq = (low + high + 1) / 2 WHERE low < high
)
SELECT max(low) FROM search
"""
_TRANSFER = ", ".join(TransferRow._fields)
SELECT_TRANSFERS = f"SELECT {_TRANSFER} FROM transfer WHERE place > %s ORDER BY place LIMIT %s"
SELECT_ALL_ACCOUNTS = f"SELECT {_STATE} FROM account WHERE number > %s ORDER BY number LIMIT %s"
WALK = f"""
WITH RECURSIVE walk AS (
    SELECT t.*, 1 AS n FROM transfer t WHERE t.place = %(place)s AND %(limit)s > 0
    UNION ALL
    SELECT t.*, n + 1 FROM walk w JOIN transfer t
        ON t.place = CASE WHEN w.debit = %(number)s THEN w.debit_previous ELSE w.credit_previous END
    WHERE n < %(limit)s
)
SELECT {_TRANSFER} FROM walk ORDER BY n
"""
SEEK = """
WITH RECURSIVE seek(place) AS (
    SELECT %(place)s::bigint
    UNION ALL
    SELECT CASE WHEN t.debit = %(number)s
        THEN CASE WHEN t.debit_jump >= %(target)s THEN t.debit_jump ELSE t.debit_previous END
        ELSE CASE WHEN t.credit_jump >= %(target)s THEN t.credit_jump ELSE t.credit_previous END END
    FROM seek s JOIN transfer t ON t.place = s.place WHERE s.place > %(target)s
)
SELECT min(place) FROM seek
"""
INSERT_ACCOUNT = """
INSERT INTO account (number, unit, normal, floor, ceiling, cover, opened, closed, debits, credits, last, spine)
SELECT * FROM unnest(%s, %s, %s::smallint[], %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
# One statement: each costs the driver about as much as it costs the server to write a row or two. Foreign keys are
# looked up at its end, when the accounts' rows are this transaction's own and need no further lock.
WRITE = f"""
WITH entries AS (
    INSERT INTO log ({_LOG}) SELECT * FROM unnest(%s, %s, %s, %s, %s, %s)
), moved AS (
    INSERT INTO transfer ({_TRANSFER}) SELECT * FROM unnest({", ".join(["%s"] * len(TransferRow._fields))})
), changed AS (
    UPDATE account a SET closed = u.closed, debits = u.debits, credits = u.credits, last = u.last, spine = u.spine
    FROM unnest(%s, %s, %s, %s, %s, %s) AS u(number, closed, debits, credits, last, spine) WHERE a.number = u.number
)
UPDATE head SET seq = %s, at = %s, frontier = %s, root = %s WHERE one = 1
"""


class PostgresReading:
    """See `store.Reading`."""

    def __init__(self, cursor: psycopg.Cursor[Any]) -> None:
        self._cursor = cursor

    def _all(self, sql: str, parameters: Any = ()) -> list[Any]:
        return self._cursor.execute(sql, parameters).fetchall()

    def head(self) -> Head:
        return Head(*self._all(SELECT_HEAD)[0])

    def posted(self, ids: Collection[bytes]) -> dict[bytes, bytes]:
        return dict(self._all(SELECT_POSTED, (byteas(list(ids)),)))

    def accounts(self, numbers: Collection[int]) -> dict[int, State]:
        return {row[0]: State(*row) for row in self._all(SELECT_ACCOUNTS, (int8s(list(numbers)),))}

    def originals(self, ids: Collection[bytes]) -> dict[bytes, Original]:
        found: dict[bytes, tuple[bytes, list[bytes]]] = {i: (record, []) for i, record in self.posted(ids).items()}
        for id_, record in self._all(SELECT_CORRECTIONS, (byteas(list(ids)),)):
            found[id_][1].append(record)
        return {id_: Original(record, corrections) for id_, (record, corrections) in found.items()}

    def log(self, after: int, limit: int) -> list[LogRow]:
        return [LogRow(*row) for row in self._all(SELECT_LOG, (after, limit))]

    def entries(self, seqs: Collection[int]) -> dict[int, LogRow]:
        return {row[0]: LogRow(*row) for row in self._all(SELECT_ENTRIES, (int8s(list(seqs)),))}

    def find(self, id_: bytes) -> LogRow | None:
        rows = self._all(SELECT_BY_ID, (id_,))
        return LogRow(*rows[0]) if rows else None

    def seq_at(self, at: int) -> int:
        seq: int = self._all(SEQ_AT, {"at": at})[0][0]
        return seq

    def transfers(self, after: int, limit: int) -> list[TransferRow]:
        return [TransferRow(*row) for row in self._all(SELECT_TRANSFERS, (after, limit))]

    def walk(self, number: int, place: int, limit: int) -> list[TransferRow]:
        return [TransferRow(*r) for r in self._all(WALK, {"number": number, "place": place, "limit": limit})]

    def seek(self, number: int, place: int, target: int) -> int:
        found: int = self._all(SEEK, {"number": number, "place": place, "target": target})[0][0]
        return found

    def all_accounts(self, after: int, limit: int) -> list[State]:
        return [State(*row) for row in self._all(SELECT_ALL_ACCOUNTS, (after, limit))]


class PostgresWriting(PostgresReading):
    """See `store.Writing`. What `write` sends is answered together with the commit."""

    def __init__(self, connection: Connection, driver: psycopg.Connection[Any], cursor: psycopg.Cursor[Any]) -> None:
        super().__init__(cursor)
        self._connection = connection
        self._driver = driver
        self._pipeline: AbstractContextManager[psycopg.Pipeline] | None = None
        with driver.pipeline():
            cursor.execute(BEGIN_WRITING, prepare=True)
            self._head = Head(*cursor.execute(LOCK_HEAD, prepare=True).fetchall()[0])

    def _all(self, sql: str, parameters: Any = ()) -> list[Any]:
        return self._cursor.execute(sql, parameters, prepare=True).fetchall()

    @property
    def connection(self) -> Connection:
        self.settle()
        return self._connection

    def batch_accounts(self, numbers: Collection[int]) -> dict[int, State]:
        found = {row[0]: State(*row) for row in self._all(SELECT_BATCH_ACCOUNTS, (int8s(list(numbers)),))}
        rules.guard(found)
        return found

    def write(self, fold: Fold) -> None:
        self._pipeline = self._driver.pipeline()
        self._pipeline.__enter__()
        send = self._cursor.execute
        if fold.opened:
            send(INSERT_ACCOUNT, _account_columns(fold.opened), prepare=True)
        send(
            WRITE,
            [*_log_columns(fold.log), *_transfer_columns(fold.transfers), *_change_columns(fold.changed), *fold.head],
            prepare=True,
        )

    def settle(self) -> None:
        """Wait for the answers to everything sent; raises what any of it met."""
        if self._pipeline is not None:
            pipeline, self._pipeline = self._pipeline, None
            pipeline.__exit__(None, None, None)

    def commit(self) -> None:
        """Commit. Raises `StoreError` (rolled_back) when the server did not, without an error of its own."""
        self._cursor.execute("COMMIT", prepare=True)
        self.settle()
        # To a transaction in which somebody swallowed an error, COMMIT is answered "ROLLBACK"; to none, COMMIT.
        if self._cursor.statusmessage != "COMMIT":
            raise StoreError("rolled_back", "the database took this commit back: an error inside it had been swallowed")


def _log_columns(rows: Sequence[tuple[Any, ...]]) -> Sequence[bytes]:
    seqs, ids, ats, corrects, leaves, records = zip(*rows, strict=True)
    return int8s(seqs), byteas(ids), int8s(ats), byteas(corrects), byteas(leaves), byteas(records)


def _transfer_columns(rows: Sequence[tuple[int, ...]]) -> Sequence[bytes]:
    # A batch of openings and notes moves nothing.
    columns: Iterable[Sequence[int]] = zip(*rows, strict=True) if rows else [()] * len(TransferRow._fields)
    return [int8s(column) for column in columns]


def _change_columns(states: Sequence[State]) -> Sequence[bytes]:
    return (
        int8s([s.number for s in states]),
        int8s([s.closed for s in states]),
        int8s([s.debits for s in states]),
        int8s([s.credits for s in states]),
        int8s([s.last for s in states]),
        byteas([s.spine for s in states]),
    )


def _account_columns(states: Sequence[State]) -> Sequence[bytes]:
    return (
        int8s([s.number for s in states]),
        texts([s.unit for s in states]),
        int8s([s.normal for s in states]),
        nullable_int8s([s.floor for s in states]),
        nullable_int8s([s.ceiling for s in states]),
        nullable_int8s([s.cover for s in states]),
        int8s([s.opened for s in states]),
        int8s([s.closed for s in states]),
        int8s([s.debits for s in states]),
        int8s([s.credits for s in states]),
        int8s([s.last for s in states]),
        byteas([s.spine for s in states]),
    )


class PostgresStore:
    """A book in one PostgreSQL database. The schema must be there (see `schema`)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._lock = WriterLock()
        self._writer: Connection | None = None
        self._served: SessionLock | None = None

    @contextmanager
    def writing(self) -> Iterator[PostgresWriting]:
        with self._lock:
            writing, driver = self._begin()
            committing = False
            try:
                yield writing
                committing = True
                writing.commit()
            except BaseException as error:
                self._abandon(writing, driver)
                meaning = trouble(error, committing and driver.closed)
                if meaning is error:
                    raise
                raise meaning from error
            finally:
                if self._writer is not None and self._writer.in_transaction():
                    self._writer.rollback()

    def _begin(self) -> tuple[PostgresWriting, psycopg.Connection[Any]]:
        """The writing connection, head locked."""

        def begin(writer: Connection, driver: psycopg.Connection[Any]) -> PostgresWriting:
            return PostgresWriting(writer, driver, driver.cursor(binary=True))

        return self._on_writer(begin)

    def _on_writer(self, use: Callable[[Connection, psycopg.Connection[Any]], T]) -> tuple[T, psycopg.Connection[Any]]:
        """What `use` makes of the writing connection. One that broke since is replaced, with all others."""
        for last in (False, True):
            driver = None
            try:
                if self._writer is None:
                    self._writer = self.engine.connect()
                    driver = driver_of(self._writer)
                    driver.autocommit = True  # we say BEGIN ourselves, the driver never guesses
                    driver.execute(SET_WRITER)
                    if self._served is not None:
                        self._served.take(driver)
                driver = driver_of(self._writer)
                return use(self._writer, driver), driver
            except (psycopg.Error, SQLAlchemyError) as error:
                self._drop_writer()
                if last or driver is None or not driver.closed:
                    raise trouble(error) from error
                self.engine.dispose()
            except BaseException:
                self._drop_writer()
                raise
        raise AssertionError("unreachable")

    def hold(self, place: str) -> None:
        # Of the session that writes: another one's could be gone while this one goes on.
        with self._lock:
            self._drop_writer()
            self._served = SessionLock()
            self._look()

    def require_held(self) -> None:
        with self._lock:
            if self._served is not None:
                self._look()

    def _look(self) -> None:
        self._on_writer(lambda _writer, driver: driver.execute("SELECT 1"))

    def _abandon(self, writing: PostgresWriting, driver: psycopg.Connection[Any]) -> None:
        """Roll back; where that is not certain, close the connection, so that the server does."""
        try:
            writing.settle()
        except psycopg.Error:
            pass  # the error that brought us here, once more
        try:
            if driver.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
                driver.execute("ROLLBACK")
        except psycopg.Error:
            pass
        if driver.closed or driver.info.transaction_status != TransactionStatus.IDLE:
            self._drop_writer()

    def _drop_writer(self) -> None:
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.invalidate()
            writer.close()

    @contextmanager
    def reading(self) -> Iterator[PostgresReading]:
        with self._snapshot() as cursor:
            try:
                yield PostgresReading(cursor)
            except psycopg.Error as error:
                meaning = trouble(error)
                if meaning is error:
                    raise
                raise meaning from error

    @contextmanager
    def _snapshot(self) -> Iterator[psycopg.Cursor[Any]]:
        pooled, cursor = self._begin_reading()
        driver = cursor.connection
        try:
            yield cursor
        finally:
            try:
                driver.execute("ROLLBACK")
                driver.autocommit = False
            except psycopg.Error as error:
                pooled.invalidate(error)
            pooled.close()

    def _begin_reading(self) -> tuple[PoolProxiedConnection, psycopg.Cursor[Any]]:
        """A snapshot on a pooled connection. One that broke since is replaced, with all others."""
        for last in (False, True):
            try:
                pooled = self.engine.raw_connection()
            except (psycopg.Error, SQLAlchemyError) as error:
                raise trouble(error) from error
            driver: Any = pooled.driver_connection
            try:
                driver.autocommit = True
                cursor = driver.cursor(binary=True)
                driver.execute(BEGIN_READING, prepare=False)
                return pooled, cursor
            except psycopg.Error as error:
                broken = driver.closed
                pooled.invalidate(error)
                if last or not broken:
                    raise trouble(error) from error
                self.engine.dispose()
        raise AssertionError("unreachable")

    def close(self) -> None:
        with self._lock:
            self._drop_writer()
        self.engine.dispose()


__all__ = ["PostgresStore", "open_engine", "trouble"]
