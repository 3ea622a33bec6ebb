"""A batch happens or it does not: other tables in the same commit, errors on the way, faults at every statement."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, text

from ledger.core.book import Book
from ledger.core.model import Instruction, Outcome
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from ledger.core.strict import ContractBroken
from tests.conformance.faults import Fault, planned
from tests.conformance.town import (
    FUNDS,
    A,
    B,
    C,
    Ground,
    closing,
    codes,
    dump,
    ident,
    note,
    opening,
    post,
    settle,
    t,
    tx,
)

PAY = tx(100, t(A, B, 10))


class Oops(RuntimeError):
    pass


@pytest.fixture
def kept(database: Ground) -> Iterator[Book]:
    """The town on a database, with a table that is not the engine's."""
    book = settle(database.book())
    with book.store.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(text("CREATE TABLE extra (id INTEGER PRIMARY KEY, seq INTEGER)"))
    yield book
    with book.store.engine.begin() as connection:  # type: ignore[attr-defined]
        connection.execute(text("DROP TABLE extra"))


def extra(book: Book) -> list[tuple[int, int]]:
    with book.store.engine.connect() as connection:  # type: ignore[attr-defined]
        return [tuple(row) for row in connection.execute(text("SELECT id, seq FROM extra ORDER BY id"))]


def keep(connection: Connection, outcome: Outcome) -> None:
    connection.execute(text("INSERT INTO extra VALUES (:id, :seq)"), {"id": outcome.head.seq, "seq": outcome.head.seq})


def test_other_tables_are_written_in_the_same_commit(kept: Book, database: Ground) -> None:
    outcome = kept.post([PAY, tx(101, t(A, B, 10**6))], keep)
    assert codes(outcome.answers) == ["posted", "below_floor"]
    assert outcome.head == kept.head()
    other = database.book()
    assert extra(other) == [(outcome.head.seq, outcome.head.seq)]
    assert codes(other.post([PAY], lambda connection, outcome: None).answers) == ["replay"]


def test_what_they_refuse_is_not_posted(kept: Book) -> None:
    def fail(connection: Connection, outcome: Outcome) -> None:
        keep(connection, outcome)
        raise Oops

    def clash(connection: Connection, outcome: Outcome) -> None:
        keep(connection, outcome)
        keep(connection, outcome)

    before = dump(kept)
    for also in (fail, clash):
        with pytest.raises(Exception, match=r"UNIQUE|duplicate key|^$"):
            kept.post([PAY], also)
        assert dump(kept) == before
        assert extra(kept) == []
    assert codes(kept.post([PAY], keep).answers) == ["posted"]
    assert kept.balance(A) == FUNDS - 10


def test_other_tables_see_the_batch_and_are_called_for_refusals_too(kept: Book) -> None:
    seen: list[Any] = []

    def look(connection: Connection, outcome: Outcome) -> None:
        total = connection.execute(text("SELECT count(*) FROM log")).scalar()
        seen.append((codes(outcome.answers), total == outcome.head.seq))

    kept.post([PAY], look)
    kept.post([PAY], look)
    kept.post([tx(101, t(A, B, 10**6))], look)
    assert seen == [(["posted"], True), (["replay"], True), (["below_floor"], True)]


def test_a_book_in_memory_has_no_other_tables(grounds: Any) -> None:
    book = settle(grounds.make("memory").book())
    before = dump(book)
    with pytest.raises(StoreError) as caught:
        book.post([PAY], keep)
    assert caught.value.code == "no_connection"
    assert dump(book) == before


class Late:
    """A store whose every commit fails at the last moment."""

    def __init__(self, store: Any) -> None:
        self._store = store

    @contextmanager
    def writing(self) -> Iterator[Any]:
        with self._store.writing() as writing:
            yield writing
            raise Oops


def test_an_error_after_the_write_takes_it_back(ground: Ground) -> None:
    book = settle(ground.book())
    before = dump(book)
    store, book.store = book.store, Late(book.store)  # type: ignore[assignment]
    with pytest.raises(Oops):
        book.post([PAY, opening(101, 61), closing(102, 61), note(103)])
    book.store = store
    assert dump(book) == before
    post(book, PAY, opening(101, 61))
    with pytest.raises(Oops), book.store.writing() as writing:
        assert writing.head() == book.head()
        raise Oops
    assert codes(book.post([PAY]).answers) == ["replay"]


def test_writing_inside_writing_is_refused(ground: Ground) -> None:
    book = settle(ground.book())
    with book.store.writing():
        with pytest.raises(StoreError) as caught:
            book.post([PAY])
        assert caught.value.code == "nested_writing"
    assert codes(book.post([PAY]).answers) == ["posted"]


def test_a_snapshot_shows_what_stood_when_it_was_taken(ground: Ground) -> None:
    book, other = settle(ground.book()), ground.book(seed=2)
    with book.store.reading() as early:
        head = early.head()
        post(other, PAY)
        assert early.head() == head
        assert early.find(ident(100)) is None
        assert early.accounts([A])[A].balance == FUNDS
        assert early.all_accounts(0, 10**6)[-1].balance == FUNDS
        with book.store.reading() as late:
            assert late.head().seq == head.seq + 1
    with book.store.writing() as writing:
        assert writing.head() == other.head()
        assert writing.accounts([A])[A].balance == book.balance(A) == FUNDS - 10


def test_accounts_read_are_copies(ground: Ground) -> None:
    book = settle(ground.book())
    state = book.account(A)
    state.debits += 5
    state.floor = None
    assert book.balance(A) == FUNDS
    assert codes(book.post([tx(101, t(A, B, FUNDS + 1))]).answers) == ["below_floor"]


def test_memory_is_strict_about_how_it_is_used(grounds: Any) -> None:
    book = settle(grounds.make("memory").book())
    with book.store.writing() as writing:
        pass
    with book.store.reading() as reading, pytest.raises(ContractBroken):
        reading.walk(A, 3, 1)
    for over in (writing, reading):
        with pytest.raises(ContractBroken):
            over.head()


# Openings, a closing, transfers and a correction: every statement that a batch can need.
BATCH: list[Instruction] = [
    PAY,
    opening(101, 61),
    opening(102, 62, cover=61),
    closing(103, 62),
    tx(104, t(A, B, 1), t(B, C, 2)),
    tx(105, t(B, A, 4), corrects=100),
    note(106, what="said"),
]


@pytest.mark.parametrize("persisted", [False, True], ids=["before", "after"])
def test_a_fault_at_every_statement(database: Ground, monkeypatch: pytest.MonkeyPatch, persisted: bool) -> None:
    """Fail each statement of a batch, once undone and once done: all of the batch is there, or nothing is."""
    settle(database.book())
    with planned(monkeypatch, database.kind) as plan:
        faulty = database.book()
        plan.arm(None, False)
        post(faulty, note(50))
        post(faulty, *BATCH)
        statements, n, wholes = len(plan.sent), 0, 0
        assert statements >= 8
        for fail_at in range(statements):
            # The same batch under other ids and numbers, so that the book can be used again.
            batch = [again(instruction, 10 * (fail_at + 1)) for instruction in BATCH]
            before = dump(faulty)
            plan.arm(fail_at, persisted)
            try:
                faulty.post(batch)
                happened = True  # the batch needs fewer statements than this
            except Fault:
                happened = None
            plan.arm(None, False)
            now = dump(database.book())
            if happened is None:
                happened = now != before
            assert len(now.log) == len(before.log) + (len(batch) if happened else 0), plan.sent
            assert dump(faulty) == now
            answers = codes(faulty.post(batch).answers)
            assert answers == ["replay" if happened else "posted"] * len(batch), (fail_at, answers)
            wholes += happened
            n += 1
            after = dump(database.book())
            assert len(after.log) == len(before.log) + len(batch)
            assert dump(faulty) == after
        assert n == statements and wholes >= persisted
    check_sums(faulty)


def again(instruction: Any, by: int) -> Instruction:
    """`instruction` with its ids and the accounts it opens moved by `by`."""
    moved = {61: 61 + 2 * by, 62: 62 + 2 * by}
    n = int.from_bytes(instruction.id) + by
    if hasattr(instruction, "account"):
        account = instruction.account
        cover = moved.get(account.cover, account.cover)
        return opening(n, moved[account.number], cover=cover)
    if hasattr(instruction, "number"):
        return closing(n, moved[instruction.number])
    if hasattr(instruction, "transfers"):
        corrects = None if instruction.corrects is None else int.from_bytes(instruction.corrects) + by
        return tx(n, *instruction.transfers, corrects=corrects)
    return note(n, what="said")


def check_sums(book: Book) -> None:
    everything = dump(book)
    for unit in ("PAT", "EUR"):
        assert sum(row.debits - row.credits for row in everything.accounts if row.unit == unit) == 0
    assert [row.seq for row in everything.log] == list(range(1, everything.head.seq + 1))


def test_a_book_for_reading_only(database: Ground) -> None:
    settle(database.book())
    book = open_book(database.address, read_only=True)
    assert book.balance(A) == FUNDS
    with pytest.raises(StoreError) as caught:
        book.post([PAY])
    assert caught.value.code == "read_only"
    book.close()
