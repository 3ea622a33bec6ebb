"""Replay: a book from its records alone, byte for byte; what the rules refuse is named; what differs is shown."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from ledger.core import check_rows
from ledger.core.book import Book
from ledger.core.check import check
from ledger.core.memory import MemoryStore
from ledger.core.model import Account, Closing, Instruction, Opening, Posted, Refused, Side, Transaction, Transfer
from ledger.core.replay import Rebuilt, ReplayError, rebuild, replay
from ledger.core.schema import upgrade
from ledger.core.sqlite import SqliteStore, open_engine
from tests.core.books import HOLDERS, copy, named, ordinary, post_all, raw, rewrite, small_book_batches, unguarded

A, B, C = HOLDERS


def new_store(path: Path) -> SqliteStore:
    engine = open_engine(path)
    upgrade(engine)
    return SqliteStore(engine)


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[SqliteStore]:
    store = new_store(tmp_path / "new.db")
    yield store
    store.close()


@pytest.fixture(scope="session")
def records(honest: Path) -> list[bytes]:
    with raw(honest) as db:
        return [data for (data,) in db.execute("SELECT record FROM log ORDER BY seq")]


def dump(path: Path) -> dict[str, list[Any]]:
    tables = {"log": "seq", "transfer": "place", "account": "number", "head": "one"}
    with raw(path) as db:
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY {key}").fetchall() for table, key in tables.items()}


def rebuilt(path: Path, into: SqliteStore) -> Rebuilt:
    engine = open_engine(path, read_only=True)
    try:
        return rebuild(engine, into)
    finally:
        engine.dispose()


@pytest.mark.parametrize("batch", [1, 2, 7, 44, 4096])
def test_every_row_comes_out_the_same(
    honest: Path, tmp_path: Path, empty: SqliteStore, records: list[bytes], batch: int
) -> None:
    head = replay(records, empty, batch=batch)
    assert head.seq == 44
    assert check(empty).ok
    assert dump(tmp_path / "new.db") == dump(honest)


def test_what_is_replayed_can_be_posted_to_as_before(honest: Path, tmp_path: Path, records: list[bytes]) -> None:
    """Pointers and bounds are those of the first book: the next batch comes out the same in both."""
    one, other = new_store(copy(honest, tmp_path / "one.db")), new_store(tmp_path / "other.db")
    replay(records, other)
    payments = [Transaction(named(500 + n), "payment", (Transfer(A, B, 1 + n, "PAT"),)) for n in range(20)]
    heads = [Book(store, clock=lambda: 2 * 10**15, entropy=bytes).post(payments).head for store in (one, other)]
    assert heads[0] == heads[1]
    for store in (one, other):
        store.close()
    assert dump(tmp_path / "one.db") == dump(tmp_path / "other.db")


def test_progress_and_nothing_to_do(empty: SqliteStore, records: list[bytes]) -> None:
    seen: list[tuple[int, int]] = []
    replay(records, empty, total=44, batch=20, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(0, 44), (20, 44), (40, 44), (44, 44)]
    head = replay(records, empty)
    assert head.seq == 44
    assert replay([], MemoryStore()).seq == 0
    with pytest.raises(ValueError, match="1 to 8190"):
        replay(records, empty, batch=0)


def test_an_interrupted_replay_goes_on(honest: Path, tmp_path: Path, records: list[bytes]) -> None:
    def torn() -> Iterator[bytes]:
        yield from records[:23]
        raise ConnectionError("the line went down")

    store = new_store(tmp_path / "torn.db")
    with pytest.raises(ConnectionError):
        replay(torn(), store, batch=10)
    with store.reading() as reading:
        assert reading.head().seq == 20
    replay(records, store, batch=10)
    store.close()
    assert dump(tmp_path / "torn.db") == dump(honest)


def test_another_book_is_not_gone_on_with(empty: SqliteStore, records: list[bytes]) -> None:
    replay(records[:10], empty)
    for others in (records[1:], records[:9], [b"x"] * 44, [None] * 44):
        with pytest.raises(ReplayError) as caught:
            replay(others, empty)  # type: ignore[arg-type]
        assert caught.value.code == "other_book"
    with empty.reading() as reading:
        assert reading.head().seq == 10


def test_somebody_else_posting_meanwhile_is_refused(empty: SqliteStore, records: list[bytes]) -> None:
    def meddled() -> Iterator[bytes]:
        yield from records[:20]
        Book(empty).post([Opening(named(900), Account(900, "PAT", Side.CREDIT))])
        yield from records[20:]

    with pytest.raises(ReplayError) as caught:
        replay(meddled(), empty, batch=10)
    assert caught.value.code == "other_book"


# --- what cannot be replayed -----------------------------------------------------------------------------------------

Damage = Callable[[Any], Any]


def altered(entry: int, **changes: Any) -> Damage:
    return lambda db: rewrite(db, entry, changes)


def sql(statement: str) -> Damage:
    return lambda db: db.execute(statement)


def leg(debit: int, credit: int, amount: int, unit: str = "PAT") -> list[list[Any]]:
    return [[f"{debit:016x}", f"{credit:016x}", amount, unit]]


@pytest.mark.parametrize(
    ("code", "seq", "damage"),
    [
        ("record_malformed", 12, sql("UPDATE log SET record = x'ff' WHERE seq = 12")),
        ("record_malformed", 12, altered(12, v=2)),
        ("seq_gap", 12, altered(12, seq=13)),
        ("seq_gap", 12, sql("DELETE FROM log WHERE seq = 12")),
        ("seq_gap", 1, sql("DELETE FROM log WHERE seq = 1")),
        ("at_not_growing", 12, altered(12, at=1_760_000_000_001_001)),
        ("id_repeated", 13, altered(13, id=named(12).hex())),
        ("id_repeated", 33, altered(33, id=named(2).hex())),
        ("account_exists", 5, altered(5, account={"normal": "credit", "number": f"{A:016x}", "unit": "PAT"})),
        ("account_unknown", 12, altered(12, transfers=leg(A, 999, 1500))),
        ("unit_differs", 12, altered(12, transfers=leg(A, B, 1500, "EUR"))),
        ("below_floor", 12, altered(12, transfers=leg(A, B, 50_001))),
        ("correction_exceeds", 19, altered(19, transfers=leg(C, A, 3001))),
        ("correction_unknown", 18, altered(18, corrects="ff" * 16)),
        ("account_not_empty", 15, altered(15, closes=f"{A:016x}")),
    ],
)
@pytest.mark.parametrize("batch", [1, 5, 4096])
def test_what_the_rules_refuse_is_named(
    honest: Path, tmp_path: Path, empty: SqliteStore, code: str, seq: int, damage: Damage, batch: int
) -> None:
    path = copy(honest, tmp_path / "book.db")
    with unguarded(path) as db:
        damage(db)
        damaged = [data for (data,) in db.execute("SELECT record FROM log ORDER BY seq")]
    with pytest.raises(ReplayError) as caught:
        replay(damaged, empty, batch=batch)
    error = caught.value
    assert (error.code, error.seq) == (code, seq)
    if code not in ("record_malformed", "seq_gap"):
        assert error.id is not None and error.id.hex() in str(error)
    assert f"entry {seq}" in str(error)
    with empty.reading() as reading:  # whole batches before it are kept, nothing of its own
        assert reading.head().seq == (seq - 1) // batch * batch


# --- rebuilding what is stored beside the records ---------------------------------------------------------------------


def test_an_honest_book_has_no_differences(honest: Path, empty: SqliteStore) -> None:
    result = rebuilt(honest, empty)
    assert (result.differences, result.different) == ([], 0)
    assert result.head.seq == 44


@pytest.mark.parametrize(
    ("table", "key", "seq", "damage", "said"),
    [
        ("log", 12, 12, "UPDATE log SET at = at + 1 WHERE seq = 12", "at is"),
        ("log", 12, 12, "UPDATE log SET leaf = zeroblob(32) WHERE seq = 12", "leaf is 0000"),
        (
            "transfer",
            12 << 8,
            12,
            "UPDATE transfer SET amount = 9 WHERE place = 12 << 8",
            "amount is 9, should",
        ),
        ("transfer", 12 << 8, 12, "DELETE FROM transfer WHERE place = 12 << 8", "it is missing"),
        ("transfer", 44 << 8, 44, "DELETE FROM transfer WHERE place = 44 << 8", "it is missing"),
        ("transfer", 45 << 8, 45, "INSERT INTO transfer VALUES (45 << 8,2001,2002,1,0,0,0,0,0,0)", "nothing of it"),
        ("transfer", -1, -1, "INSERT INTO transfer VALUES (-1,2001,2002,1,0,0,0,0,0,0)", "nothing of it"),
        ("account", A, 44, "UPDATE account SET debits = debits + 5 WHERE number = 2001", "debits is"),
        ("account", B, 44, "DELETE FROM account WHERE number = 2002", "it is missing"),
        ("account", 9, 0, "INSERT INTO account VALUES (9,'PAT',1,0,0,NULL,0,0,0,0,0,x'')", "nothing of it"),
        ("head", 1, 44, "UPDATE head SET root = zeroblob(32)", "root is 0000"),
        ("head", 1, 44, "DELETE FROM head", "0 rows instead of one"),
    ],
)
def test_a_damaged_row_is_shown_beside_the_right_one(
    honest: Path, tmp_path: Path, empty: SqliteStore, table: str, key: int, seq: int, damage: str, said: str
) -> None:
    path = copy(honest, tmp_path / "book.db")
    with unguarded(path) as db:
        db.execute(damage)
    before = path.read_bytes()
    result = rebuilt(path, empty)
    assert result.different == 1
    (found,) = result.differences
    assert (found.table, found.key, found.seq) == (table, key, seq)
    assert said in found.detail
    assert path.read_bytes() == before
    assert check(empty).ok


def test_all_balances_gone_and_back(honest: Path, tmp_path: Path) -> None:
    path = copy(honest, tmp_path / "book.db")
    with unguarded(path) as db:
        for table in ("transfer", "account", "head"):
            db.execute(f"DELETE FROM {table}")
    store = new_store(tmp_path / "new.db")
    assert rebuilt(path, store).different == 45 + 8 + 1
    store.close()
    assert dump(tmp_path / "new.db") == dump(honest)


def test_nonsense_in_untyped_tables_is_shown(honest: Path, tmp_path: Path, empty: SqliteStore) -> None:
    path = copy(honest, tmp_path / "book.db")
    with unguarded(path) as db:
        db.execute("CREATE TABLE other AS SELECT * FROM transfer")
        db.execute("DROP TABLE transfer")
        db.execute(f"CREATE TABLE transfer ({check_rows.TRANSFER})")
        db.execute("INSERT INTO transfer SELECT * FROM other")
        db.execute("UPDATE transfer SET place = 'here' WHERE place = 12 << 8")
    result = rebuilt(path, empty)
    assert [(each.key, each.detail) for each in result.differences] == [
        (12 << 8, "it is missing"),
        (-1, "the records know nothing of it"),
    ]


# --- one log, however it was cut into batches -----------------------------------------------------------------------


def test_a_closed_account_needs_no_cover_in_any_batch(tmp_path: Path, empty: SqliteStore) -> None:
    """Refused in the batch that closes the covered account, and posted in the next: the cut must not matter."""
    cover, covered, other = 31, 32, 33
    instructions: list[Instruction] = [
        Opening(named(1), Account(cover, "PAT", Side.CREDIT, floor=None)),
        Opening(named(2), Account(covered, "PAT", Side.CREDIT, cover=cover)),
        Opening(named(3), Account(other, "PAT", Side.CREDIT)),
        Closing(named(4), covered),
        Transaction(named(5), "payment", (Transfer(cover, other, 10, "PAT"),)),
    ]
    book = ordinary(MemoryStore())
    post_all(book, [[each] for each in instructions])
    with book.store.reading() as reading:
        records = [row.record for row in reading.log(0, 10)]
    assert replay(records, empty).root == book.head().root
    assert check(empty).ok


def test_what_lies_below_zero_can_cover_nothing(empty: SqliteStore) -> None:
    """Else the book would hold more than what covers it from the very entry that opens the account."""
    book = Book(empty)
    post_all(book, [[
        Opening(named(1), Account(31, "PAT", Side.CREDIT, floor=None)),
        Opening(named(2), Account(32, "PAT", Side.CREDIT)),
        Transaction(named(3), "payment", (Transfer(31, 32, 10, "PAT"),)),
    ]])  # fmt: skip
    covered = Opening(named(4), Account(33, "PAT", Side.CREDIT, cover=31))
    (answer,) = book.post([covered]).answers
    assert isinstance(answer, Refused) and answer.code == "not_covered"
    post_all(book, [[Transaction(named(5), "payment", (Transfer(32, 31, 10, "PAT"),)), covered]])
    assert check(empty).ok


def test_the_source_cannot_be_written(honest: Path, tmp_path: Path, empty: SqliteStore) -> None:
    engine = open_engine(copy(honest, tmp_path / "book.db"))
    with check_rows.rows_of(engine) as rows:
        replay((row[5] for row in rows.log()), empty)
        with pytest.raises(pysqlite3.OperationalError):
            rows._driver.execute("DELETE FROM head")  # type: ignore[attr-defined]
    engine.dispose()
    assert os.path.getsize(tmp_path / "book.db") == os.path.getsize(honest)


def test_posting_after_a_replay_answers_what_stood(empty: SqliteStore, records: list[bytes]) -> None:
    replay(records, empty)
    book = Book(empty)
    answers = [answer for batch in small_book_batches() for answer in book.post(batch).answers]
    assert [type(answer) is Posted and answer.replay for answer in answers] == [True] * 44
