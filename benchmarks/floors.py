"""Bare floors: a driver writing the rows the engine would write, in the same batches, as durably, nothing checked.

Tables with the engine's columns and indexes, without its checks, foreign keys and triggers. The rows are made
beforehand (see `books.Shadow`), blobs as `bytes`; each driver gets them in the way that it takes quickest.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pysqlite3

from ledger.core.rules import Fold

LOG = "seq, id, at, corrects, leaf, record"
TRANSFER = (
    "place, debit, credit, amount, debit_after, credit_after, debit_previous, credit_previous, debit_jump, credit_jump"
)
ACCOUNT = "number, unit, normal, floor, ceiling, cover, opened, closed, debits, credits, last, spine"


def _tables(number: str, blob: str) -> list[str]:
    def columns(names: str, **types: str) -> str:
        return ", ".join(f"{name} {types.get(name, number)}" for name in names.split(", "))

    return [
        f"CREATE TABLE account ({columns(ACCOUNT, number=f'{number} PRIMARY KEY', unit='text', spine=blob)})",
        "CREATE INDEX account_cover ON account (cover) WHERE cover IS NOT NULL",
        "CREATE TABLE log ("
        + columns(LOG, seq=f"{number} PRIMARY KEY", id=f"{blob} UNIQUE", corrects=blob, leaf=blob, record=blob)
        + ")",
        "CREATE INDEX log_corrects ON log (corrects) WHERE corrects IS NOT NULL",
        f"CREATE TABLE transfer ({columns(TRANSFER, place=f'{number} PRIMARY KEY')})",
        f"CREATE TABLE head (one {number} PRIMARY KEY, {columns('seq, at, frontier, root', frontier=blob, root=blob)})",
        "INSERT INTO head VALUES (1, 0, 0, '', '')",
    ]


class Rows(NamedTuple):
    """What one batch writes."""

    opened: list[Any]
    log: list[Any]
    transfers: list[Any]
    changed: list[Any]
    head: Any


def rows(fold: Fold) -> Rows:
    """The rows of `fold`."""
    return Rows(
        [(s.number, s.unit, s.normal, s.floor, s.ceiling, s.cover, s.opened, s.closed, s.debits, s.credits, s.last,
          s.spine) for s in fold.opened],
        fold.log,
        fold.transfers,
        [(s.closed, s.debits, s.credits, s.last, s.spine, s.number) for s in fold.changed],
        fold.head[:],
    )  # fmt: skip


def _marks(names: str) -> str:
    return ", ".join("?" for _ in names.split(", "))


class BareSqlite:
    """`pysqlite3` with the engine's pragmas (WAL, `synchronous=FULL`).

    Blobs go in as `bytearray`: `bytes` take the driver 2 us each.
    """

    def __init__(self, path: Path) -> None:
        self._db = pysqlite3.connect(str(path), isolation_level=None)
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "cache_size = -65536", "wal_autocheckpoint = 4000"):
            self._db.execute(f"PRAGMA {pragma}")
        for statement in _tables("integer", "blob"):
            self._db.execute(statement)

    def write(self, batch: Rows) -> None:
        """One commit."""
        db = self._db
        db.execute("BEGIN IMMEDIATE")
        if batch.opened:
            db.executemany(f"INSERT INTO account VALUES ({_marks(ACCOUNT)})", batch.opened)
        new = bytearray()
        db.executemany(
            f"INSERT INTO log VALUES ({_marks(LOG).replace('?, ?, ?, ?', '?, ?, ?, NULL', 1)})",
            ((seq, new + id_, at, new + leaf, new + data) for seq, id_, at, _, leaf, data in batch.log),
        )
        db.executemany(f"INSERT INTO transfer VALUES ({_marks(TRANSFER)})", batch.transfers)
        db.executemany(
            "UPDATE account SET closed = ?, debits = ?, credits = ?, last = ?, spine = ? WHERE number = ?",
            (
                (closed, debits, credits, last, new + spine, number)
                for closed, debits, credits, last, spine, number in batch.changed
            ),
        )
        db.execute("UPDATE head SET seq = ?, at = ?, frontier = ?, root = ?", batch.head)
        db.execute("COMMIT")

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def _unnest(types: str) -> str:
    return "unnest(" + ", ".join(f"%b::{kind}[]" for kind in types.split()) + ")"


class BarePostgres:
    """psycopg 3, one `unnest` statement a table, `synchronous_commit=on`."""

    _OPENED = (
        f"INSERT INTO account SELECT * FROM {_unnest('int8 text int8 int8 int8 int8 int8 int8 int8 int8 int8 bytea')}"
    )
    _LOG = f"INSERT INTO log SELECT * FROM {_unnest('int8 bytea int8 bytea bytea bytea')}"
    _TRANSFER = f"INSERT INTO transfer SELECT * FROM {_unnest('int8 ' * 10)}"
    _CHANGED = (
        "UPDATE account a SET closed = u.closed, debits = u.debits, credits = u.credits, last = u.last, "
        f"spine = u.spine FROM {_unnest('int8 int8 int8 int8 bytea int8')} "
        "AS u(closed, debits, credits, last, spine, number) WHERE a.number = u.number"
    )

    def __init__(self, url: str) -> None:
        self._db = psycopg.connect(url, autocommit=True)
        self._db.execute("SET synchronous_commit = on")
        for statement in _tables("int8", "bytea"):
            self._db.execute(statement)

    def write(self, batch: Rows) -> None:
        """One commit."""
        with self._db.transaction(), self._db.cursor() as cursor:
            if batch.opened:
                cursor.execute(self._OPENED, _columns(batch.opened), prepare=True)
            cursor.execute(self._LOG, _columns(batch.log), prepare=True)
            if batch.transfers:
                cursor.execute(self._TRANSFER, _columns(batch.transfers), prepare=True)
            if batch.changed:
                cursor.execute(self._CHANGED, _columns(batch.changed), prepare=True)
            cursor.execute("UPDATE head SET seq = %s, at = %s, frontier = %s, root = %s", batch.head, prepare=True)

    def close(self) -> None:
        """Close the connection."""
        self._db.close()


def _columns(batch: list[Any]) -> list[list[Any]]:
    return [list(column) for column in zip(*batch, strict=True)]
