"""psycopg 3 as the store uses it: connections, packed arrays, and what its errors mean to a caller."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ledger.core.store import StoreError

VERSIONS = (15, 18)
BUSY_MS = 10_000
SETTINGS = f"""
SET synchronous_commit = on;
SET lock_timeout = {BUSY_MS};
SET timezone = 'UTC'
"""


class Int8Array(bytes):
    """A packed array of bigint."""


class ByteaArray(bytes):
    """A packed array of bytea."""


class TextArray(bytes):
    """A packed array of text."""


class _Packed(Dumper):
    format = Format.BINARY

    def dump(self, obj: Any) -> bytes:
        packed: bytes = obj
        return packed


class _Int8ArrayDumper(_Packed):
    oid = 1016


class _ByteaArrayDumper(_Packed):
    oid = 1001


class _TextArrayDumper(_Packed):
    oid = 1009


_NULL = struct.pack(">i", -1)
_EMPTY = struct.pack(">i", 0)


class _Sizes(dict[int, bytes]):
    """Sizes as the server writes them; looking one up takes a third of the time of packing it."""

    def __missing__(self, size: int) -> bytes:
        packed = struct.pack(">i", size)
        if size < 4_096:
            self[size] = packed
        return packed


_SIZE = _Sizes()


def int8s(values: Sequence[int]) -> Int8Array:
    """`values`, none of them None, in the server's binary form."""
    flat = [8] * (2 * len(values))
    flat[1::2] = values
    return Int8Array(_array_head(20, len(values)) + struct.pack(">" + "iq" * len(values), *flat))


def nullable_int8s(values: Sequence[int | None]) -> Int8Array:
    """`values` in the server's binary form."""
    return Int8Array(_items(20, [None if v is None else struct.pack(">q", v) for v in values]))


def byteas(values: Sequence[bytes | None]) -> ByteaArray:
    """`values` in the server's binary form."""
    return ByteaArray(_items(17, values))


def texts(values: Sequence[str]) -> TextArray:
    """`values` in the server's binary form."""
    return TextArray(_items(25, [v.encode() for v in values]))


def _array_head(oid: int, size: int) -> bytes:
    # One dimension, counted from 1; the second number says that there may be NULLs. An empty array has none.
    return struct.pack(">5i", 1, 1, oid, size, 1) if size else struct.pack(">3i", 0, 0, oid)


def _items(oid: int, values: Sequence[bytes | None]) -> bytes:
    head = _array_head(oid, len(values))
    if not any(values):
        return head + b"".join([_NULL if value is None else _EMPTY for value in values])
    try:
        sizes = [_SIZE[len(value)] for value in values]  # type: ignore[arg-type]
    except TypeError:
        return head + b"".join([_NULL if value is None else _SIZE[len(value)] + value for value in values])
    flat: list[Any] = [head] * (2 * len(values) + 1)
    flat[1::2] = sizes
    flat[2::2] = values
    return b"".join(flat)


def open_engine(url: str) -> Engine:
    """An engine over the database at `url` (`postgresql://...`). Raises nothing: it connects when it is used.

    What connecting raises is a `StoreError` (postgres_version) for a server outside `VERSIONS`, else the driver's.
    """
    target = make_url(url).set(drivername="postgresql+psycopg")
    engine = create_engine(target, pool_size=8, max_overflow=56, pool_pre_ping=False)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(driver: psycopg.Connection[Any], _record: object) -> None:
    """What every new connection is told before its first use."""
    version = driver.info.server_version // 10_000
    if not VERSIONS[0] <= version <= VERSIONS[1]:
        raise StoreError(
            "postgres_version",
            "the server is PostgreSQL {version}; this program was tried on {first} to {last}",
            version=version,
            first=VERSIONS[0],
            last=VERSIONS[1],
        )
    for packed, dumper in (
        (Int8Array, _Int8ArrayDumper),
        (ByteaArray, _ByteaArrayDumper),
        (TextArray, _TextArrayDumper),
    ):
        driver.adapters.register_dumper(packed, dumper)
    driver.execute(SETTINGS)
    driver.commit()


def driver_of(connection: Connection) -> psycopg.Connection[Any]:
    """The driver's connection under SQLAlchemy's."""
    driver: Any = connection.connection.driver_connection
    return driver  # type: ignore[no-any-return]


def trouble(error: BaseException, in_doubt: bool = False) -> BaseException:
    """`error` as a `StoreError` where its reason lies outside the program, else `error` itself."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    text = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    if in_doubt and isinstance(cause, psycopg.Error):
        return StoreError(
            "commit_unknown",
            "the connection broke during the commit ({said}): post the same again to learn what became of it",
            said=text,
        )
    if isinstance(cause, psycopg.errors.DiskFull):
        return StoreError(
            "disk_full",
            "the database's disk is full: free some space, then do the same again to learn what became of it",
        )
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return StoreError(
            "database_busy", "another writer held the book for {seconds} s: try again", seconds=BUSY_MS // 1000
        )
    if isinstance(cause, PoolTimeout):
        return StoreError("database_busy", "all connections to the database are in use: try again")
    if isinstance(cause, psycopg.OperationalError):
        return StoreError(
            "database_unusable",
            "no database to work with ({said}): once it is there again, do the same again to learn what became of it",
            said=text,
        )
    return error
