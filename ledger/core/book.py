"""Book: an open ledger. Post batches; read balances, moments of the past and statement pages.

A batch is one database commit. Inside it each instruction stands or falls alone, in order, seeing the ones
before it. Clock and randomness are handed in, so that a run can be repeated byte for byte.

There is one reading of the clock a batch: whoever judges it by time takes `look` and hands that to `post`; it is
the `at` of its entries. When the commit comes too late for that look, nothing is posted (`Late`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.core import record, rules
from ledger.core.clock import BEHIND, LATE, SECOND, Late, Watch
from ledger.core.model import Closing, Entry, Head, Instruction, Opening, Outcome, Transaction
from ledger.core.rules import LogRow, State, TransferRow
from ledger.core.store import Reading, Store

MAX_BATCH = 8_190
"""Instructions in one batch: what one commit holds while others wait for it."""
MAX_PAGE = 1_000


class BatchTooLarge(ValueError):
    """More than MAX_BATCH instructions in one batch: split it; every part is safe to send again."""


class Ended(RuntimeError):
    """The entry stands that ends what this program knows, and nothing was posted."""


class UnknownAccount(LookupError):
    """No account has that number. `code` is account_unknown."""

    code = "account_unknown"


class Page(NamedTuple):
    """A statement page, newest entry first. `next` is the place to go on from; 0 when there is nothing older."""

    entries: list[Entry]
    next: int


def microseconds() -> int:
    """The system's clock: microseconds since the epoch."""
    return time.time_ns() // 1_000


class Seen(NamedTuple):
    """The end of the log as a program last saw it in a commit: entries, and time of the last (us)."""

    seq: int
    at: int


class Book:
    """One ledger in one store. `watch` holds the clock against the log; without it the clock is believed."""

    def __init__(
        self,
        store: Store,
        *,
        clock: Callable[[], int] = microseconds,
        entropy: Callable[[int], bytes] = os.urandom,
        watch: Watch | None = None,
    ) -> None:
        self.store = store
        self.clock = clock
        self.entropy = entropy
        self.watch = watch
        self.seen = Seen(0, 0)

    def see(self) -> None:
        """Look at the end of the log, which another program may have moved."""
        head = self.head()
        self.seen = Seen(head.seq, head.at)

    def look(self, count: int = 1) -> int:
        """The clock (us), to judge up to `count` instructions by and to post them with: the `at` of the first.

        All their `at` lie in one second, in which no order expires and no day ends.
        """
        if not self.seen.seq:
            self.see()
        now, seen = self.clock(), self.seen.at
        if seen - BEHIND <= now <= seen:
            now = seen + 1
        last = now + max(count, 1) - 1
        return now if last // SECOND == now // SECOND else last // SECOND * SECOND

    def post(
        self,
        batch: Sequence[Instruction],
        also: Callable[[Connection, Outcome], None] | None = None,
        *,
        looked: int | None = None,
        unless: bytes | None = None,
        confirming: bool = False,
    ) -> Outcome:
        """Post `batch` in one commit: one answer for each instruction, in order.

        `also` writes to tables that are not the engine's, in the same commit; when it raises, nothing of the
        batch happened. `looked` is the look by which it was judged (else the clock is read now); nothing new is posted
        once the entry `unless` stands (`Ended`); `confirming` takes the clock for right. Raises `BatchTooLarge`,
        `Late`, `Ended`, `ClockDiffers`, or what the database raises; then nothing happened either, except after a lost
        connection during commit: post the same batch again to learn what became of it.
        """
        if len(batch) > MAX_BATCH:
            raise BatchTooLarge(f"{len(batch)} instructions; a batch holds up to {MAX_BATCH}")
        numbers, corrects = needs(batch)
        ids = [i.id for i in batch]
        asked = ids if unless is None else [*ids, unless]
        with self.store.writing() as store:
            head, now = store.head(), self.clock()
            if self.watch is not None:
                (self.watch.confirm if confirming else self.watch.judge)(store, head, now)
            if looked is None:
                looked = now
            elif self._is_late(looked, now, head.at):
                self.seen = Seen(head.seq, head.at)
                raise Late(f"judged at {looked}, to be posted at {now} after {head.at}")
            posted = store.posted(asked)
            fold = rules.fold(
                head,
                batch,
                now=looked,
                salts=self.entropy(16 * len(batch)),
                posted=posted,
                accounts=store.batch_accounts(numbers),
                originals=store.originals(corrects) if corrects else {},
            )
            if fold.log:
                if unless in posted and unless not in ids:
                    raise Ended(f"entry {unless.hex()} stands")
                store.write(fold)
            outcome = Outcome(fold.answers, fold.head)
            if also is not None:
                also(store.connection, outcome)
        self.seen = Seen(fold.head.seq, fold.head.at)
        return outcome

    def _is_late(self, looked: int, now: int, end: int) -> bool:
        """Whether entries after `end` would have another time than the one by which they were judged.

        Where `at` only counts behind a wrong clock's entry, they have: whoever looked has to have known that.
        """
        if abs(now - looked) > LATE:
            return True
        counts = now < end - BEHIND and looked < self.seen.at - BEHIND
        return looked <= end and not counts

    def head(self) -> Head:
        """The end of the log now."""
        with self.store.reading() as store:
            return store.head()

    def account(self, number: int) -> State:
        """The account as it stands. Raises `UnknownAccount`."""
        with self.store.reading() as store:
            return _account(store, number)

    def find(self, id_: bytes) -> record.Record | None:
        """The posted instruction with that id, or None."""
        with self.store.reading() as store:
            row = store.find(id_)
        return record.parse(row.record) if row else None

    def balance(self, number: int, at: int | None = None) -> int:
        """Balance in cents, now or as it was at the moment `at` (us; entries of that very moment count).

        Raises `UnknownAccount`.
        """
        with self.store.reading() as store:
            state = _account(store, number)
            if at is None:
                return state.balance
            place = store.seek(number, state.last, place_at(store, at))
            if not place:
                return 0
            return _after(store.walk(number, place, 1)[0], number)

    def statement(
        self, number: int, *, limit: int = 50, before: int | None = None, since: int | None = None,
        until: int | None = None,
    ) -> Page:  # fmt: skip
        """A page of the account's entries, newest first.

        `before` is a place (exclusive; a page's `next`), `since` and `until` moments (us, both inclusive).
        Raises `UnknownAccount`; ValueError when limit is not 1 to MAX_PAGE.
        """
        if not 1 <= limit <= MAX_PAGE:
            raise ValueError(f"limit is 1 to {MAX_PAGE}, got {limit}")
        with self.store.reading() as store:
            state = _account(store, number)
            place = state.last
            if until is not None:
                place = store.seek(number, place, place_at(store, until))
            if before is not None:
                place = store.seek(number, place, before - 1)
            oldest = 0 if since is None else place_at(store, since - 1)
            rows = [row for row in store.walk(number, place, limit + 1) if row.place > oldest]
            log = store.entries({row.place >> 8 for row in rows[:limit]})
        entries = [_entry(row, log[row.place >> 8], state) for row in rows[:limit]]
        return Page(entries, rows[limit - 1].place if len(rows) > limit else 0)

    def close(self) -> None:
        """Close the store."""
        self.store.close()


def needs(batch: Sequence[Instruction]) -> tuple[list[int], list[bytes]]:
    """What the rules have to know for `batch`: the accounts it names, and the ids of what it corrects.

    Sorted, so that every store and every run reads and locks in the same order.
    """
    numbers: set[int] = set()
    corrects: set[bytes] = set()
    for instruction in batch:
        if type(instruction) is Transaction:
            for t in instruction.transfers:
                numbers.add(t.debit)
                numbers.add(t.credit)
            if instruction.corrects is not None:
                corrects.add(instruction.corrects)
        elif type(instruction) is Opening:
            numbers.add(instruction.account.number)
            if instruction.account.cover is not None:
                numbers.add(instruction.account.cover)
        elif type(instruction) is Closing:
            numbers.add(instruction.number)
    return sorted(numbers), sorted(corrects)


def _account(store: Reading, number: int) -> State:
    state = store.accounts([number]).get(number)
    if state is None:
        raise UnknownAccount(f"no account {number:016x}")
    return state


def place_at(store: Reading, at: int) -> int:
    """The greatest place a transfer taken at or before the moment `at` (us) can have."""
    return (store.seq_at(at) << 8) + 255


def _after(row: TransferRow, number: int) -> int:
    return row.debit_after if row.debit == number else row.credit_after


def _entry(row: TransferRow, log: LogRow, state: State) -> Entry:
    kind, booked_on, evidence = record.shown(log.record)
    debited = row.debit == state.number
    change = state.normal * (row.amount if debited else -row.amount)
    return Entry(
        row.place,
        log.seq,
        log.at,
        log.id,
        kind,
        booked_on,
        row.credit if debited else row.debit,
        change,
        _after(row, state.number),
        log.corrects,
        evidence,
    )
