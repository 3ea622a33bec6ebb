"""The store in memory: the strictest of the three, and the one to read first.

It keeps plain rows, loses them when the process ends, and verifies every write (see `strict`). It also refuses
what the databases would let pass: a snapshot used after its end, a second write in one commit, a walk from a
place that is not the account's. A commit copies what is there: it is for tests and for trying things out.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import islice

from sqlalchemy import Connection

from ledger.core import rules
from ledger.core.model import Head
from ledger.core.rules import Fold, LogRow, Original, State, TransferRow
from ledger.core.store import StoreError, WriterLock
from ledger.core.strict import AccountRow, ContractBroken, Rows, ask, take


class MemoryReading:
    """See `store.Reading`."""

    def __init__(self, rows: Rows) -> None:
        self._kept: Rows | None = rows

    @property
    def _rows(self) -> Rows:
        if self._kept is None:
            raise ContractBroken("a snapshot is used until its context ends, not longer")
        return self._kept

    def end(self) -> None:
        """The context was left."""
        self._kept = None

    def head(self) -> Head:
        return self._rows.head

    def posted(self, ids: Collection[bytes]) -> dict[bytes, bytes]:
        found = self._rows.by_id
        return {id_: found[id_].record for id_ in ids if id_ in found}

    def accounts(self, numbers: Collection[int]) -> dict[int, State]:
        found = self._rows.accounts
        return {number: State(*found[number]) for number in numbers if number in found}

    def originals(self, ids: Collection[bytes]) -> dict[bytes, Original]:
        rows = self._rows
        return {
            id_: Original(rows.by_id[id_].record, [entry.record for entry in rows.corrections.get(id_, ())])
            for id_ in ids
            if id_ in rows.by_id
        }

    def log(self, after: int, limit: int) -> list[LogRow]:
        ask(after >= 0 and limit >= 0, "a range begins at 0 or later")
        return self._rows.log[after : after + limit]

    def entries(self, seqs: Collection[int]) -> dict[int, LogRow]:
        log = self._rows.log
        return {seq: log[seq - 1] for seq in seqs if 0 < seq <= len(log)}

    def find(self, id_: bytes) -> LogRow | None:
        return self._rows.by_id.get(id_)

    def seq_at(self, at: int) -> int:
        return bisect_right(self._rows.log, at, key=lambda row: row.at)

    def transfers(self, after: int, limit: int) -> list[TransferRow]:
        return list(islice((row for place, row in self._rows.transfers.items() if place > after), limit))

    def walk(self, number: int, place: int, limit: int) -> list[TransferRow]:
        chain, end = self._chain_to(number, place)
        return [self._rows.transfers[p] for p in reversed(chain[max(0, end - limit) : end])]

    def seek(self, number: int, place: int, target: int) -> int:
        chain, end = self._chain_to(number, place)
        found = bisect_right(chain, target, hi=end)
        return chain[found - 1] if found else 0

    def all_accounts(self, after: int, limit: int) -> list[State]:
        found: list[AccountRow] = sorted(row for row in self._rows.accounts.values() if row.number > after)
        return [State(*row) for row in found[:limit]]

    def _chain_to(self, number: int, place: int) -> tuple[tuple[int, ...], int]:
        """The places of account `number`, and how many of them there are up to `place`."""
        chain = self._rows.chains.get(number, ())
        end = bisect_right(chain, place)
        ask(place == 0 or (end > 0 and chain[end - 1] == place), "a walk begins at one of the account's own places")
        return chain, end


class MemoryWriting(MemoryReading):
    """See `store.Writing`."""

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._written = False

    @property
    def connection(self) -> Connection:
        raise StoreError("no_connection", "a book in memory has no SQL connection: use one on SQLite or PostgreSQL")

    def batch_accounts(self, numbers: Collection[int]) -> dict[int, State]:
        rows = self._rows.accounts
        covered = {row.number: row.cover for row in rows.values() if row.cover is not None}
        found = self.accounts({*numbers, *covered, *covered.values()})
        rules.guard(found)
        return found

    def write(self, fold: Fold) -> None:
        ask(not self._written, "one commit holds one write")
        self._kept = take(self._rows, fold)
        self._written = True

    def rows(self) -> Rows:
        """What the store is to hold from now on."""
        return self._rows


class MemoryStore:
    """A book in this process only."""

    def __init__(self) -> None:
        self._lock = WriterLock()
        self._now = Rows.empty()

    @contextmanager
    def writing(self) -> Iterator[MemoryWriting]:
        with self._lock:
            writing = MemoryWriting(self._now)
            try:
                yield writing
                self._now = writing.rows()
            finally:
                writing.end()

    @contextmanager
    def reading(self) -> Iterator[MemoryReading]:
        reading = MemoryReading(self._now)
        try:
            yield reading
        finally:
            reading.end()

    def hold(self, place: str) -> None:
        """Nobody else can have it."""

    def require_held(self) -> None:
        """It cannot be lost."""

    def close(self) -> None:
        """Nothing to close; what was posted is gone with the process."""
