"""What the SQLite store keeps between batches is only ever what the file holds."""

from __future__ import annotations

import random
from pathlib import Path

import pysqlite3
import pytest

from ledger.core import rules
from ledger.core.book import Book
from ledger.core.kept import Kept
from ledger.core.memory import MemoryStore
from ledger.core.model import Account, Closing, Instruction, Opening, Posted, Refused, Side, Transaction, Transfer
from ledger.core.schema import upgrade
from ledger.core.sqlite import SqliteStore, open_engine

BANK, GUARANTEE, CIRCULATION, A, B, C = 1, 2, 3, 4, 5, 6
ids = random.Random(1)


class Moment(int):
    """A clock that stands still."""

    def __call__(self) -> int:
        return int(self)


def store(path: Path) -> SqliteStore:
    engine = open_engine(path)
    upgrade(engine)
    return SqliteStore(engine)


def book(over: SqliteStore | MemoryStore, seed: int = 1) -> Book:
    moments = iter(range(1_700_000_000_000_000, 1_800_000_000_000_000, 1_000))
    return Book(over, clock=lambda: next(moments), entropy=random.Random(seed).randbytes)


def pay(debit: int, credit: int, cents: int, unit: str = "PAT") -> Transaction:
    return Transaction(ids.randbytes(16), "payment", (Transfer(debit, credit, cents, unit),))


def issue(to: int, cents: int) -> Transaction:
    legs = (Transfer(CIRCULATION, to, cents, "PAT"), Transfer(BANK, GUARANTEE, cents, "EUR"))
    return Transaction(ids.randbytes(16), "conversion", legs)


def town() -> list[Instruction]:
    accounts = (
        Account(BANK, "EUR", Side.DEBIT, floor=None),
        Account(GUARANTEE, "EUR", Side.CREDIT, floor=None),
        Account(CIRCULATION, "PAT", Side.DEBIT, cover=GUARANTEE),
        *(Account(number, "PAT", Side.CREDIT) for number in (A, B, C)),
    )
    return [*(Opening(ids.randbytes(16), account) for account in accounts), issue(A, 1_000)]


def codes(book: Book, *batch: Instruction) -> list[str]:
    return [a.code if isinstance(a, Refused) else "posted" for a in book.post(batch).answers]


def agree(book: Book) -> None:
    """What is kept is what the file says, and covered accounts are tied as after a fresh reading."""
    assert isinstance(book.store, SqliteStore)
    kept = book.store._kept
    with book.store.reading() as reading:
        fresh = reading.accounts(list(kept.accounts))
        assert kept.head is None or kept.head == reading.head()
    assert kept.accounts.keys() == fresh.keys()
    for number, state in kept.accounts.items():
        for name in set(rules.State.__slots__) - {"guards"}:
            assert getattr(state, name) == getattr(fresh[number], name), name


def test_two_processes_take_turns(tmp_path: Path) -> None:
    one, two, plain = book(store(tmp_path / "b.db")), book(store(tmp_path / "b.db")), book(MemoryStore())
    founding = town()
    assert one.post(founding) == plain.post(founding)
    pick = random.Random(2)
    for n in range(60):
        batch = []
        for _ in range(pick.randrange(1, 4)):
            debit, credit = pick.sample((A, B, C), 2)
            batch.append(pay(debit, credit, pick.randrange(1, 700)))
        writer = pick.choice((one, two))
        for each in (writer, plain):
            each.clock, each.entropy = Moment(1_700_000_001_000_000 + n), random.Random(n).randbytes
        assert writer.post(batch) == plain.post(batch)
        agree(writer)


def test_a_batch_that_did_not_commit_is_forgotten(tmp_path: Path) -> None:
    one = book(store(tmp_path / "b.db"))
    one.post(town())

    def fail(*_: object) -> None:
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        one.post([pay(A, B, 1_000)], also=fail)
    agree(one)
    assert codes(one, pay(B, A, 1)) == ["below_floor"]
    assert codes(one, pay(A, B, 1_000)) == ["posted"]
    agree(one)


def test_a_batch_that_was_folded_but_not_written_is_forgotten(tmp_path: Path) -> None:
    one = book(store(tmp_path / "b.db"))
    one.post(town())
    with one.store.writing() as writing:
        accounts = writing.batch_accounts([A, B])
        rules.fold(
            writing.head(), [pay(A, B, 1_000)], now=1, salts=bytes(16), posted={}, accounts=accounts, originals={}
        )
    agree(one)
    assert codes(one, pay(A, C, 1_000)) == ["posted"]


def test_a_row_changed_by_hand_is_seen_at_once(tmp_path: Path) -> None:
    one = book(store(tmp_path / "b.db"))
    one.post(town())
    assert codes(one, pay(A, B, 100)) == ["posted"]
    other = pysqlite3.connect(str(tmp_path / "b.db"))
    other.execute("UPDATE account SET credits = credits + 5 WHERE number = ?", (B,))
    other.commit()
    assert codes(one, pay(B, C, 105)) == ["posted"]
    agree(one)


def test_other_tables_in_the_same_connection_change_nothing(tmp_path: Path) -> None:
    one = book(store(tmp_path / "b.db"))
    one.post(town())
    kept = one.store._kept.accounts  # type: ignore[attr-defined]
    with one.store.writing() as writing:
        writing.connection.exec_driver_sql("CREATE TABLE other (a INTEGER)")
    assert codes(one, pay(A, B, 1)) == ["posted"]
    assert one.store._kept.accounts is kept  # type: ignore[attr-defined]
    agree(one)


def test_cover_holds_over_batches_and_ends_with_its_account(tmp_path: Path) -> None:
    one = book(store(tmp_path / "b.db"))
    one.post(town())
    assert codes(one, pay(CIRCULATION, B, 1)) == ["not_covered"]
    assert codes(one, pay(GUARANTEE, BANK, 1, "EUR")) == ["not_covered"]
    assert codes(one, pay(A, CIRCULATION, 1_000), pay(GUARANTEE, BANK, 1_000, "EUR")) == ["posted", "posted"]
    close = Closing(ids.randbytes(16), CIRCULATION)
    # Whether the closing stands in the same batch or in an earlier one.
    assert codes(one, close, pay(GUARANTEE, BANK, 1, "EUR")) == ["posted", "posted"]
    assert codes(one, pay(GUARANTEE, BANK, 1, "EUR")) == ["posted"]
    agree(one)


def test_more_accounts_than_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Kept, "LIMIT", 4)
    one = book(store(tmp_path / "b.db"))
    one.post(town())
    for _ in range(5):
        assert codes(one, pay(A, B, 1), pay(CIRCULATION, C, 1)) == ["posted", "not_covered"]
        assert isinstance(one.post([issue(C, 5)]).answers[0], Posted)
        agree(one)
    many = [Opening(ids.randbytes(16), Account(number, "PAT", Side.CREDIT)) for number in range(100, 120)]
    assert set(codes(one, *many)) == {"posted"}
    agree(one)
    assert codes(one, pay(B, 100, 5)) == ["posted"]
    agree(one)
