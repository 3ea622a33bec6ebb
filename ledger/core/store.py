"""The contract that every store keeps: what `Book` asks of a database, and nothing else.

A store knows no rules. `writing()` is exclusive: from its first read to its commit no other writer, of this
process or another, gets in between. `reading()` is a snapshot: what it shows is the state after some commit.
`tests/conformance` runs on every store; they must agree byte for byte.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection

from ledger.core.model import Head
from ledger.core.rules import Fold, LogRow, Original, State, TransferRow


class StoreError(RuntimeError):
    """The database cannot be used. `code` is stable; `text` says what to do, and names `facts` in braces.

    Whether anything was posted a store does not know: what failed may be the look at what was posted just before, or
    one of several steps.
    """

    def __init__(self, code: str, text: str, **facts: object) -> None:
        super().__init__(text.format(**facts))
        self.code, self.text, self.facts = code, text, facts


class Reading(Protocol):
    """One snapshot of the book."""

    def head(self) -> Head:
        """The end of the log."""
        ...

    def posted(self, ids: Collection[bytes]) -> dict[bytes, bytes]:
        """The records, by id, of those ids that are in the log."""
        ...

    def accounts(self, numbers: Collection[int]) -> dict[int, State]:
        """The accounts of those numbers that exist, open or closed."""
        ...

    def originals(self, ids: Collection[bytes]) -> dict[bytes, Original]:
        """Of those ids that are in the log, the record and the records that correct it, in log order."""
        ...

    def log(self, after: int, limit: int) -> list[LogRow]:
        """Up to `limit` log entries whose seq is greater than `after`, in order."""
        ...

    def entries(self, seqs: Collection[int]) -> dict[int, LogRow]:
        """The log entries with those sequence numbers."""
        ...

    def find(self, id_: bytes) -> LogRow | None:
        """The log entry with that id."""
        ...

    def seq_at(self, at: int) -> int:
        """The last log entry taken at or before the moment `at` (us); 0 when there is none.

        A binary search over the log: `at` grows strictly with `seq`, so no index is needed.
        """
        ...

    def transfers(self, after: int, limit: int) -> list[TransferRow]:
        """Up to `limit` transfers whose place is greater than `after`, in order."""
        ...

    def walk(self, number: int, place: int, limit: int) -> list[TransferRow]:
        """Up to `limit` transfers of account `number` from `place` (one of its own; 0: none) backwards."""
        ...

    def seek(self, number: int, place: int, target: int) -> int:
        """From `place` back along the jumps of account `number`: its greatest place <= `target`, or 0."""
        ...

    def all_accounts(self, after: int, limit: int) -> list[State]:
        """Up to `limit` accounts whose number is greater than `after`, in order."""
        ...


class Writing(Reading, Protocol):
    """A snapshot nobody else can change, and one commit."""

    @property
    def connection(self) -> Connection:
        """The same database transaction for tables that are not the engine's. The memory store has none."""
        ...

    def batch_accounts(self, numbers: Collection[int]) -> dict[int, State]:
        """As `accounts`, and every covered and covering account besides, each tied to its cover."""
        ...

    def write(self, fold: Fold) -> None:
        """Write everything of `fold`; it counts once the context is left without an error."""
        ...


class Store(Protocol):
    """One database that holds one book."""

    def writing(self) -> AbstractContextManager[Writing]: ...

    def reading(self) -> AbstractContextManager[Reading]: ...

    def hold(self, place: str) -> None:
        """Have the book at `place` for one server, from now until the store is closed (see `alone`).

        Raises `StoreError`, book_served, when another has it; from then on `writing` raises book_served or lock_lost
        where that was lost.
        """
        ...

    def require_held(self) -> None:
        """Raise `StoreError`, book_served or lock_lost, where a book that is held was lost; or what hinders looking."""
        ...

    def close(self) -> None: ...


class WriterLock:
    """One writer at a time in this process. A thread that writes inside its own writing would wait for itself
    for ever, so it gets a `StoreError` (nested_writing) instead.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0

    def __enter__(self) -> None:
        me = threading.get_ident()
        if self._owner == me:
            raise StoreError("nested_writing", "this thread is already writing to the book: finish that first")
        self._lock.acquire()
        self._owner = me

    def __exit__(self, *_: object) -> None:
        self._owner = 0
        self._lock.release()


__all__ = ["Reading", "Sequence", "Store", "StoreError", "WriterLock", "Writing"]
