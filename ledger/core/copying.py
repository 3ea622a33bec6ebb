"""A copy of an SQLite book, made while others write to it: one moment of the book, as one whole file.

`VACUUM INTO` reads in one transaction. What copies page by page between the commits of others (SQLite's backup API, the
shell's `.backup`) begins anew at each of them, and beside a busy shop never ends.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pysqlite3

from ledger.core import still
from ledger.core.store import StoreError

BUSY_SECONDS = 10.0


class Copied(NamedTuple):
    """The end of the log in a copy, and the copy's size in bytes."""

    seq: int
    at: int
    root: bytes
    size: int


def copy(path: Path, into: Path) -> Copied:
    """Copy the book at `path` to the new file `into`, which is there whole, and on the disk, or not at all.

    The tables are those of whichever version. Raises `StoreError`: no_book, copy_exists, copy_unwritable, disk_full,
    database_unusable.
    """
    if not path.exists():
        raise StoreError("no_book", "there is no book at {path}: `patard init` makes one", path=path)
    if into.exists():
        raise StoreError(
            "copy_exists", "{into} is there already: a copy never takes another's place, name a new file", into=into
        )
    draft = into.with_name(f".{into.name}.{secrets.token_hex(4)}")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        _vacuum(path, draft)
        seq, at, root = _end(draft)
        size = _kept(draft, into)
    except FileExistsError:
        raise StoreError("copy_exists", "{into} is there already: name a new file", into=into) from None
    except OSError as error:
        raise StoreError(
            "copy_unwritable", "{into} cannot be written: {error}", into=into, error=error.strerror
        ) from None
    except pysqlite3.Error as error:
        if (getattr(error, "sqlite_errorname", None) or "").startswith("SQLITE_FULL"):
            raise StoreError(
                "disk_full", "the disk of {into} is full, and no copy was made: free some space", into=into
            ) from error
        raise StoreError("database_unusable", "{path} cannot be copied: {error}", path=path, error=error) from error
    finally:
        for suffix in ("", "-journal"):
            with suppress(OSError):
                still.beside(draft, suffix).unlink(missing_ok=True)
    return Copied(seq, at, root, size)


def is_whole(path: Path) -> bool:
    """Whether the book's file holds all of the book by itself.

    It does once the last program that had it open has closed it. Another one that still has it open may keep the newest
    entries in `-wal`; what it lets go of is brought over first.
    """
    if not still.holds_entries(path):
        return True
    try:
        last = pysqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
        try:
            busy, frames, brought = last.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
        finally:
            last.close()
    except pysqlite3.Error:
        return False
    return not busy and frames == brought


def _vacuum(path: Path, draft: Path) -> None:
    source = still.Still(path)
    try:
        reader = pysqlite3.connect(source.uri, uri=True, isolation_level=None, timeout=BUSY_SECONDS)
        try:
            reader.execute("VACUUM INTO ?", (str(draft),))
        finally:
            reader.close()
    finally:
        source.close()


def _end(draft: Path) -> tuple[int, int, bytes]:
    """The end of the log as the copy itself has it."""
    made = pysqlite3.connect(f"{draft.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        seq, at, root = made.execute("SELECT seq, at, root FROM head").fetchone()
    finally:
        made.close()
    return int(seq), int(at), bytes(root)


def _kept(draft: Path, into: Path) -> int:
    """Give the draft its name once it is on the disk; its size. Raises `OSError`, never overwrites."""
    with draft.open("rb") as file:
        os.fsync(file.fileno())
        size = os.fstat(file.fileno()).st_size
    try:
        os.link(draft, into)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if into.exists():
            raise FileExistsError(str(into)) from None
        draft.rename(into)
    folder = os.open(into.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size
