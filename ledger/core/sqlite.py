"""The store on SQLite: WAL, `synchronous=FULL`, one writing connection, through the library in `pysqlite3`.

Statements are written once (SQLAlchemy Core over the tables where Core has them, SQL text for JSON sets and
recursive walks) and run on the driver's own cursor: at one transaction a commit, building them anew would
cost as much as the commit. Sets travel as one JSON parameter, so every read of a batch is one statement.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Any

import orjson
import pysqlite3
from sqlalchemy import Connection, Engine, create_engine, insert, update
from sqlalchemy.dialects import sqlite as dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool
from sqlalchemy.sql.expression import bindparam

from ledger.core.alone import FileLock, lock_file
from ledger.core.kept import Kept
from ledger.core.model import Head
from ledger.core.opening import sqlite_path
from ledger.core.rules import Fold, LogRow, Original, State, TransferRow
from ledger.core.still import Still
from ledger.core.store import StoreError, WriterLock
from ledger.core.tables import ACCOUNT, HEAD

WAL_BUG = ((3, 7, 0), (3, 51, 2))
"""Versions of the library whose WAL two connections can corrupt (sqlite.org, WAL-reset bug)."""
EMPTY = bytearray()
"""Adding to it is the quickest way to make a blob that the driver takes at once: see `SqliteWriting.write`."""
BUSY_MS = 10_000
CACHE_KIB = 65_536
CHECKPOINT_PAGES = 4_000
"""Pages of WAL (16 MB) before it is copied into the file: a busy account's page is then copied once, not four times."""


def _sql(statement: Any) -> str:
    return str(statement.compile(dialect=dialect.dialect(paramstyle="qmark")))


class Insert:
    """Inserts rows of one shape, fifty a statement: starting one takes half as long as writing a row."""

    ROWS = 50

    def __init__(self, table: str, names: Sequence[str], **instead: str) -> None:
        row = f"({', '.join(instead.get(name, '?') for name in names)})"
        start = f"INSERT INTO {table} ({', '.join(names)}) VALUES "
        self._one, self._many = start + row, start + ", ".join([row] * self.ROWS)

    def run(self, cursor: Any, rows: Iterable[Iterable[Any]]) -> None:
        rows = iter(rows)
        while len(some := list(islice(rows, self.ROWS))) == self.ROWS:
            cursor.execute(self._many, tuple(chain.from_iterable(some)))
        cursor.executemany(self._one, map(tuple, some))


# An empty blob stands for none: see `SqliteWriting.write`.
INSERT_LOG = Insert("log", LogRow._fields, corrects="nullif(?, x'')")
INSERT_TRANSFER = Insert("transfer", TransferRow._fields)
INSERT_ACCOUNT = _sql(insert(ACCOUNT))
UPDATE_ACCOUNT = _sql(
    update(ACCOUNT)
    .where(ACCOUNT.c.number == bindparam("which"))
    .values({name: bindparam(name) for name in ("closed", "debits", "credits", "last", "spine")})
)
UPDATE_HEAD = _sql(update(HEAD).values({name: bindparam(name) for name in ("seq", "at", "frontier", "root")}))
SELECT_HEAD = "SELECT seq, at, frontier, root FROM head"
_STATE = "number, unit, normal, floor, ceiling, cover, opened, closed, debits, credits, spine"
SELECT_ACCOUNTS = f"SELECT {_STATE} FROM account WHERE number IN (SELECT value FROM json_each(?))"
# The covered accounts come by their partial index, so this costs a payment two look-ups.
SELECT_BATCH_ACCOUNTS = (
    f"SELECT {_STATE} FROM account WHERE number IN (SELECT value FROM json_each(?) "
    "UNION ALL SELECT number FROM account WHERE cover IS NOT NULL "
    "UNION ALL SELECT cover FROM account WHERE cover IS NOT NULL)"
)
_LOG = "seq, id, at, corrects, leaf, record"
# Opening a JSON set takes as long as looking a few ids up.
FEW = 8
SELECT_FEW_POSTED = [f"SELECT id, record FROM log WHERE id IN ({', '.join('?' * n)})" for n in range(FEW + 1)]
SELECT_POSTED = "SELECT id, record FROM log WHERE id IN (SELECT unhex(value) FROM json_each(?))"
SELECT_CORRECTIONS = (
    "SELECT corrects, record FROM log WHERE corrects IN (SELECT unhex(value) FROM json_each(?)) ORDER BY seq"
)
_TRANSFER = ", ".join(TransferRow._fields)
WALK = f"""
WITH RECURSIVE walk(place, n) AS (
    SELECT :place, 1 WHERE :place > 0 AND :limit > 0
    UNION ALL
    SELECT CASE WHEN t.debit = :number THEN t.debit_previous ELSE t.credit_previous END AS next, n + 1
    FROM walk JOIN transfer t ON t.place = walk.place WHERE n < :limit AND next > 0
)
SELECT {", ".join("t." + name for name in TransferRow._fields)} FROM walk JOIN transfer t ON t.place = walk.place
ORDER BY t.place DESC
"""
SEQ_AT = """
WITH RECURSIVE search(low, high) AS (
    SELECT 0, seq FROM head
    UNION ALL
    SELECT CASE WHEN l.at <= :at THEN l.seq ELSE low END, CASE WHEN l.at <= :at THEN high ELSE l.seq - 1 END
    FROM search CROSS JOIN log l ON l.seq = (low + high + 1) / 2 WHERE low < high
)
SELECT max(low) FROM search
"""
SEEK = """
WITH RECURSIVE seek(place) AS (
    SELECT :place
    UNION ALL
    SELECT CASE WHEN t.debit = :number
        THEN CASE WHEN t.debit_jump >= :target THEN t.debit_jump ELSE t.debit_previous END
        ELSE CASE WHEN t.credit_jump >= :target THEN t.credit_jump ELSE t.credit_previous END END
    FROM seek JOIN transfer t ON t.place = seek.place WHERE seek.place > :target
)
SELECT min(place) FROM seek
"""


def _hexes(ids: Collection[bytes]) -> str:
    return orjson.dumps([i.hex() for i in ids]).decode()


def _numbers(numbers: Collection[int]) -> str:
    return orjson.dumps(list(numbers)).decode()


def open_engine(path: Path | str, *, read_only: bool = False, still: Still | None = None) -> Engine:
    """An engine over the book at `path`; `still` is how it is read without a trace.

    Raises `StoreError`: sqlite_too_old, database_unusable.
    """
    version = pysqlite3.sqlite_version_info
    if WAL_BUG[0] <= version <= WAL_BUG[1]:
        raise StoreError(
            "sqlite_too_old",
            "SQLite {version} can corrupt a book that two processes write; install the pysqlite3 "
            "wheel, which brings 3.51.3 or newer",
            version=pysqlite3.sqlite_version,
        )
    target = Path(path).absolute()
    uri = still.uri if still is not None else f"{target.as_uri()}?mode={'ro' if read_only else 'rwc'}"

    def connect() -> Any:
        try:
            # `isolation_level=None`: we say BEGIN ourselves, the driver never guesses.
            db = pysqlite3.connect(
                uri, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_MS / 1000,
                cached_statements=256,
            )  # fmt: skip
            if read_only:
                db.execute("PRAGMA query_only = ON")
            else:
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
                db.execute("PRAGMA foreign_keys = ON")
                # Without it INSERT OR REPLACE deletes rows unseen by the triggers that refuse to.
                db.execute("PRAGMA recursive_triggers = ON")
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        except pysqlite3.Error as error:
            raise StoreError(
                "database_unusable", "cannot open {target}: {error}", target=target, error=error
            ) from error
        return db

    return create_engine(
        "sqlite+pysqlite://", module=pysqlite3, creator=connect, poolclass=QueuePool, pool_size=8, max_overflow=56,
        pool_reset_on_return=None,
    )  # fmt: skip


class SqliteReading:
    """See `store.Reading`."""

    def __init__(self, cursor: Any) -> None:
        self._cursor = cursor

    def _all(self, sql: str, parameters: Any = ()) -> list[Any]:
        rows: list[Any] = self._cursor.execute(sql, parameters).fetchall()
        return rows

    def head(self) -> Head:
        return Head(*self._all(SELECT_HEAD)[0])

    def posted(self, ids: Collection[bytes]) -> dict[bytes, bytes]:
        if len(ids) <= FEW:
            return dict(self._all(SELECT_FEW_POSTED[len(ids)], [EMPTY + id_ for id_ in ids]))
        return dict(self._all(SELECT_POSTED, (_hexes(ids),)))

    def accounts(self, numbers: Collection[int]) -> dict[int, State]:
        return {row[0]: State(*row) for row in self._all(SELECT_ACCOUNTS, (_numbers(numbers),))}

    def originals(self, ids: Collection[bytes]) -> dict[bytes, Original]:
        found = {id_: Original(record, []) for id_, record in self.posted(ids).items()}
        for id_, record in self._all(SELECT_CORRECTIONS, (_hexes(ids),)):
            found[id_] = Original(found[id_].record, [*found[id_].corrections, record])
        return found

    def log(self, after: int, limit: int) -> list[LogRow]:
        rows = self._all(f"SELECT {_LOG} FROM log WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [LogRow(*row) for row in rows]

    def entries(self, seqs: Collection[int]) -> dict[int, LogRow]:
        sql = f"SELECT {_LOG} FROM log WHERE seq IN (SELECT value FROM json_each(?))"
        return {row[0]: LogRow(*row) for row in self._all(sql, (_numbers(seqs),))}

    def find(self, id_: bytes) -> LogRow | None:
        rows = self._all(f"SELECT {_LOG} FROM log WHERE id = ?", (id_,))
        return LogRow(*rows[0]) if rows else None

    def seq_at(self, at: int) -> int:
        seq: int = self._all(SEQ_AT, {"at": at})[0][0]
        return seq

    def transfers(self, after: int, limit: int) -> list[TransferRow]:
        rows = self._all(f"SELECT {_TRANSFER} FROM transfer WHERE place > ? ORDER BY place LIMIT ?", (after, limit))
        return [TransferRow(*row) for row in rows]

    def walk(self, number: int, place: int, limit: int) -> list[TransferRow]:
        return [TransferRow(*r) for r in self._all(WALK, {"number": number, "place": place, "limit": limit})]

    def seek(self, number: int, place: int, target: int) -> int:
        found: int = self._all(SEEK, {"number": number, "place": place, "target": target})[0][0]
        return found

    def all_accounts(self, after: int, limit: int) -> list[State]:
        rows = self._all(f"SELECT {_STATE} FROM account WHERE number > ? ORDER BY number LIMIT ?", (after, limit))
        return [State(*row) for row in rows]


class SqliteWriting(SqliteReading):
    """See `store.Writing`."""

    def __init__(self, connection: Connection, cursor: Any, kept: Kept) -> None:
        super().__init__(cursor)
        self.connection = connection
        self._kept = kept
        self.asked = self.written = False

    def head(self) -> Head:
        if self._kept.head is None:
            self._kept.head = super().head()
        return self._kept.head

    def batch_accounts(self, numbers: Collection[int]) -> dict[int, State]:
        self.asked = True
        kept = self._kept.accounts
        unknown = [number for number in numbers if number not in kept]
        if unknown or self._kept.covers is None:
            rows = self._cursor.execute(SELECT_BATCH_ACCOUNTS, (_numbers(unknown),))
            self._kept.learn([State(*row) for row in rows if row[0] not in kept])
        found = {number: kept[number] for number in numbers if number in kept}
        return found | (self._kept.covers or {})

    def write(self, fold: Fold) -> None:
        """See `store.Writing.write`.

        Blobs go in as `bytearray` and nothing as None: those two the driver takes as they are, while for each
        `bytes` and None it searches an adapter, which took longer than writing the row.
        """
        cursor = self._cursor
        if fold.opened:
            rows = [(s.number, s.unit, s.normal, s.floor, s.ceiling, s.cover, s.opened, s.closed, s.debits, s.credits,
                     s.last, s.spine) for s in fold.opened]  # fmt: skip
            cursor.executemany(INSERT_ACCOUNT, rows)
        INSERT_LOG.run(
            cursor,
            (
                (seq, EMPTY + id_, at, EMPTY + corrects if corrects else EMPTY, EMPTY + leaf, EMPTY + record)
                for seq, id_, at, corrects, leaf, record in fold.log
            ),
        )
        INSERT_TRANSFER.run(cursor, fold.transfers)
        cursor.executemany(
            UPDATE_ACCOUNT,
            ((s.closed, s.debits, s.credits, s.last, EMPTY + s.spine, s.number) for s in fold.changed),
        )
        cursor.execute(UPDATE_HEAD, fold.head)
        self.written = True
        self._kept.learn(fold.opened)
        self._kept.head = fold.head


class SqliteStore:
    """A book in one SQLite file. The schema must be there (see `schema`)."""

    def __init__(self, engine: Engine, still: Still | None = None) -> None:
        self.engine = engine
        self._still = still
        self._lock = WriterLock()
        self._writer: Connection | None = None
        self._kept = Kept()
        self._served: FileLock | None = None

    @contextmanager
    def writing(self) -> Iterator[SqliteWriting]:
        with self._lock:
            if self._writer is None:
                self._writer = self.engine.connect()
                self._kept.drop()
            connection = self._writer
            driver: Any = connection.connection.driver_connection
            cursor = driver.cursor()
            try:
                cursor.execute("BEGIN IMMEDIATE")
                self._kept.begin(cursor.execute("PRAGMA data_version").fetchone()[0])
                writing = SqliteWriting(connection, cursor, self._kept)
                yield writing
                self.require_held()
                cursor.execute("COMMIT")
                if writing.asked != writing.written:
                    # The rules change accounts in place: what was not written is not what the database has.
                    self._kept.drop()
            except BaseException as error:
                self._kept.drop()
                # SQLite has rolled back by itself after some errors (a full disk, say).
                if driver.in_transaction:
                    cursor.execute("ROLLBACK")
                meaning = trouble(error)
                if meaning is error:
                    raise
                raise meaning from error
            finally:
                if connection.in_transaction():
                    connection.rollback()

    @contextmanager
    def reading(self) -> Iterator[SqliteReading]:
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            cursor.execute("BEGIN")
            try:
                yield SqliteReading(cursor)
            except pysqlite3.Error as error:
                meaning = trouble(error)
                if meaning is error:
                    raise
                raise meaning from error
            finally:
                cursor.execute("COMMIT")
        finally:
            connection.close()

    def hold(self, place: str) -> None:
        self._served = FileLock(lock_file(sqlite_path(place)))

    def require_held(self) -> None:
        if self._served is not None:
            self._served.require()

    def close(self) -> None:
        with self._lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._served is not None:
                self._served.release()
                self._served = None
        self.engine.dispose()
        if self._still is not None:
            self._still.close()


TROUBLES = (
    (
        "SQLITE_FULL",
        "disk_full",
        "the disk is full: free some space, then do the same again to learn what became of it",
    ),
    ("SQLITE_BUSY", "database_busy", "another writer held the book for {seconds} s: try again"),
    ("SQLITE_IOERR", "database_unusable", "the disk fails; post the same again once it works: {error}"),
    ("SQLITE_READONLY", "database_unusable", "the book's file cannot be written: {error}"),
    ("SQLITE_CORRUPT", "database_unusable", "the book's file is damaged, take the backup: {error}"),
    ("SQLITE_NOTADB", "database_unusable", "the file is not a book"),
    ("SQLITE_CANTOPEN", "database_unusable", "cannot open the book's file: {error}"),
)
"""How SQLite's names of errors begin that lie outside the program, with the code and text of the `StoreError`."""


def trouble(error: BaseException) -> BaseException:
    """`error` as a `StoreError` where its reason lies outside the program, else `error` itself."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", None) or ""
    for begins, code, text in TROUBLES:
        if name.startswith(begins):
            return StoreError(code, text, error=error, seconds=BUSY_MS // 1000)
    return error
