"""The independent check: honest books are clean, and every way to damage one is found and named."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from ledger.core import check_rows, refusals
from ledger.core.check import CODES, check
from ledger.core.check_report import MOST_FINDINGS
from ledger.core.schema import upgrade
from ledger.core.sqlite import SqliteStore, open_engine
from ledger.core.store import StoreError
from tests.core.books import (
    BANK,
    CIRCULATION,
    FULL,
    GONE,
    GUARANTEE,
    HOLDERS,
    checked,
    copy,
    named,
    raw,
    rewrite,
    small_book_batches,
    unguarded,
)

A, B, C = HOLDERS
STATE_CODES = {refusal.code for refusal in refusals.REFUSALS if refusal.stage == refusals.STATE}


# --- honest books ----------------------------------------------------------------------------------------------------


def test_an_honest_book_is_clean(honest: Path) -> None:
    before = honest.read_bytes()
    report = checked(honest)
    assert report.ok and report.findings == []
    assert (report.entries, report.transfers, report.accounts) == (44, 45, 8)
    assert {unit: (u.accounts, u.debits == u.credits) for unit, u in report.units.items()} == {
        "EUR": (2, True),
        "PAT": (6, True),
    }
    with raw(honest) as db:
        assert report.root == db.execute("SELECT root FROM head").fetchone()[0]
    assert honest.read_bytes() == before


def test_an_empty_book_is_clean(tmp_path: Path) -> None:
    engine = open_engine(tmp_path / "empty.db")
    upgrade(engine)
    report = check(engine)
    assert report.ok and report.entries == 0
    assert report.root.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    engine.dispose()


def test_progress_begins_at_nothing_and_ends_at_all(honest: Path) -> None:
    seen: list[tuple[int, int]] = []
    check(open_engine(honest, read_only=True), lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 44) and seen[-1] == (44, 44)


def test_it_runs_beside_a_writer_and_sees_one_moment(tmp_path: Path) -> None:
    from ledger.core.model import Note
    from tests.core.books import ordinary, post_all

    engine = open_engine(tmp_path / "book.db")
    upgrade(engine)
    store = SqliteStore(engine)
    book = ordinary(store)
    post_all(book, small_book_batches())
    posted = itertools.count(1)

    def post_more(done: int, total: int) -> None:
        book.post([Note(named(1_000 + next(posted)), "more", {})])

    report = check(store, post_more)
    assert report.ok and report.entries == 44
    assert check(store).entries == 46
    book.close()


def test_it_cannot_write(book: Path) -> None:
    engine = open_engine(book)
    with check_rows.rows_of(engine) as rows:
        for sql in ("DELETE FROM account", "UPDATE head SET seq = 0", "CREATE TABLE t (x)", "DROP TABLE log"):
            with pytest.raises(pysqlite3.OperationalError, match="attempt to write a readonly database"):
                rows._driver.execute(sql)  # type: ignore[attr-defined]
    with engine.connect() as connection:  # and the connection goes back as it came
        connection.exec_driver_sql("UPDATE head SET seq = 0")
    engine.dispose()


# --- one planted damage for each code --------------------------------------------------------------------------------

Damage = Callable[[Any], Any]


def sql(statement: str, *parameters: Any) -> Damage:
    return lambda db: db.execute(statement, parameters)


def altered(entry: int, **changes: Any) -> Damage:
    return lambda db: rewrite(db, entry, changes)


def both(*damages: Damage) -> Damage:
    return lambda db: [damage(db) for damage in damages]


def legs(*rows: tuple[int, int, int, str]) -> list[list[Any]]:
    return [[f"{debit:016x}", f"{credit:016x}", amount, unit] for debit, credit, amount, unit in rows]


def many(debit: int, credit: int) -> list[list[Any]]:
    return legs(*[(debit, credit, 2**53 - 1, "PAT")] * 256)


def opened(number: int, **more: Any) -> dict[str, Any]:
    return {"normal": "credit", "number": f"{number:016x}", "unit": "PAT", **more}


PLANTED: list[tuple[str, int | None, Damage]] = [
    # the database
    ("database_damaged", None, sql("ALTER TABLE log RENAME TO gone")),
    ("database_damaged", None, sql("ALTER TABLE transfer DROP COLUMN credit_jump")),
    ("head_missing", None, sql("DELETE FROM head")),
    # the log
    ("seq_gap", 12, sql("DELETE FROM log WHERE seq = 12")),
    ("seq_gap", 12, sql("DELETE FROM log WHERE seq BETWEEN 12 AND 20")),
    ("seq_gap", 0, sql("UPDATE log SET seq = 0 WHERE seq = 12")),
    ("record_malformed", 12, sql("UPDATE log SET record = x'ff00fe' WHERE seq = 12")),
    ("record_malformed", 12, sql("UPDATE log SET record = x'' WHERE seq = 12")),
    ("record_malformed", 12, sql("UPDATE log SET record = CAST('[1]' AS BLOB) WHERE seq = 12")),
    ("record_malformed", 12, sql("UPDATE log SET record = CAST(record || ' ' AS BLOB) WHERE seq = 12")),
    ("record_malformed", 12, sql("UPDATE log SET record = zeroblob(2000000) WHERE seq = 12")),
    ("record_malformed", 12, altered(12, v=2)),
    ("record_malformed", 12, altered(12, memo="for the cat")),
    ("record_malformed", 12, altered(12, transfers=legs((A, A, 1, "PAT")))),
    ("log_differs", 12, sql("UPDATE log SET id = x'ffffffffffffffffffffffffffffffff' WHERE seq = 12")),
    ("log_differs", 12, sql("UPDATE log SET at = at + 1 WHERE seq = 12")),
    ("log_differs", 12, sql("UPDATE log SET corrects = id WHERE seq = 12")),
    ("log_differs", 12, sql("UPDATE log SET corrects = x'' WHERE seq = 12")),
    ("log_differs", 18, sql("UPDATE log SET corrects = NULL WHERE seq = 18")),
    ("log_differs", 12, altered(12, seq=13)),
    ("leaf_differs", 12, sql("UPDATE log SET leaf = zeroblob(32) WHERE seq = 12")),
    ("leaf_differs", 12, altered(12, salt="00" * 16)),
    ("leaf_differs", 12, altered(12, kind="refund")),
    ("at_not_growing", 12, altered(12, at=1)),
    ("id_repeated", 13, altered(13, id=named(12).hex())),
    # transfers
    ("transfer_missing", 12, sql("DELETE FROM transfer WHERE place = 12 << 8")),
    ("transfer_missing", 20, sql("DELETE FROM transfer WHERE place = (20 << 8) + 5")),
    ("transfer_missing", 44, sql("DELETE FROM transfer WHERE place = 44 << 8")),
    ("transfer_missing", 12, sql("DELETE FROM transfer")),
    ("transfer_unexpected", 12, sql("INSERT INTO transfer SELECT place + 1, debit, credit, 1, 0, 0, 0, 0, 0, 0 "
                                    "FROM transfer WHERE place = 12 << 8")),
    ("transfer_unexpected", 9, sql("UPDATE transfer SET place = 9 << 8 WHERE place = 12 << 8")),
    ("transfer_unexpected", 45, sql("INSERT INTO transfer VALUES (45 << 8, 2001, 2002, 1, 0, 0, 0, 0, 0, 0)")),
    ("transfer_unexpected", None, sql("INSERT INTO transfer VALUES (-9, 2001, 2002, 1, 0, 0, 0, 0, 0, 0)")),
    ("transfer_differs", 12, sql("UPDATE transfer SET debit = 2003 WHERE place = 12 << 8")),
    ("transfer_differs", 12, sql("UPDATE transfer SET credit = 2003 WHERE place = 12 << 8")),
    ("transfer_differs", 12, sql("UPDATE transfer SET amount = amount + 1 WHERE place = 12 << 8")),
    ("transfer_differs", 12, altered(12, transfers=legs((A, B, 1, "PAT")))),
    ("balance_differs", 12, sql("UPDATE transfer SET debit_after = 0 WHERE place = 12 << 8")),
    ("balance_differs", 12, sql("UPDATE transfer SET credit_after = credit_after + 1 WHERE place >= 12 << 8")),
    ("chain_differs", 40, sql("UPDATE transfer SET debit_previous = 0 WHERE place = 40 << 8")),
    ("chain_differs", 40, sql("UPDATE transfer SET credit_previous = 1 WHERE place = 40 << 8")),
    ("chain_differs", 40, sql("UPDATE transfer SET debit_jump = debit_jump + 1 WHERE place = 40 << 8")),
    ("chain_differs", 40, sql("UPDATE transfer SET credit_jump = -1 WHERE place = 40 << 8")),
    # accounts
    ("account_missing", 5, sql("DELETE FROM account WHERE number = ?", B)),
    ("account_unexpected", None, sql("INSERT INTO account SELECT 77, unit, normal, floor, ceiling, cover, opened, "
                                     "0, 0, 0, 0, x'' FROM account WHERE number = ?", A)),
    ("account_differs", 5, sql("UPDATE account SET unit = 'EUR' WHERE number = ?", B)),
    ("account_differs", 5, sql("UPDATE account SET unit = CAST(x'ff' AS TEXT) WHERE number = ?", B)),
    ("account_differs", 5, sql("UPDATE account SET normal = 1 WHERE number = ?", B)),
    ("account_differs", 5, sql("UPDATE account SET floor = NULL WHERE number = ?", B)),
    ("account_differs", 7, sql("UPDATE account SET ceiling = 9000 WHERE number = ?", FULL)),
    ("account_differs", 3, sql("UPDATE account SET cover = NULL WHERE number = ?", CIRCULATION)),
    ("account_differs", 5, sql("UPDATE account SET opened = 4 WHERE number = ?", B)),
    ("account_differs", 15, sql("UPDATE account SET closed = 0 WHERE number = ?", GONE)),
    ("account_differs", 5, sql("UPDATE account SET closed = 44 WHERE number = ?", B)),
    ("account_differs", 44, sql("UPDATE account SET debits = debits + 1 WHERE number = ?", A)),
    ("account_differs", 44, sql("UPDATE account SET debits = debits + 1, credits = credits + 1 WHERE number = ?", A)),
    ("account_differs", 44, sql("UPDATE account SET last = last - 1 WHERE number = ?", A)),
    ("account_differs", 44, sql("UPDATE account SET spine = substr(spine, 1, 7) WHERE number = ?", A)),
    ("unit_unbalanced", None, sql("UPDATE account SET credits = credits + 5 WHERE number = ?", A)),
    # the end
    ("head_differs", 44, sql("UPDATE head SET one = 2")),
    ("head_differs", 44, sql("UPDATE head SET seq = 45")),
    ("head_differs", 44, sql("UPDATE head SET at = at + 1")),
    ("head_differs", 44, sql("UPDATE head SET frontier = zeroblob(96)")),
    ("head_differs", 44, sql("UPDATE head SET root = zeroblob(32)")),
    ("head_differs", 43, both(sql("DELETE FROM log WHERE seq = 44"), sql("DELETE FROM transfer WHERE place > 11263"))),
    # records that the rules would have refused
    ("account_exists", 5, altered(5, account=opened(A, floor=0))),
    ("account_unknown", 12, altered(12, transfers=legs((A, 999, 1500, "PAT")))),
    ("account_unknown", 3, altered(3, account=opened(CIRCULATION, cover=f"{999:016x}"))),
    ("account_unknown", 15, altered(15, closes=f"{999:016x}")),
    ("account_closed", 16, altered(16, transfers=legs((B, GONE, 2500, "PAT")))),
    ("unit_differs", 12, altered(12, transfers=legs((A, B, 1500, "EUR")))),
    ("unit_differs", 12, altered(12, transfers=legs((A, GUARANTEE, 1500, "PAT")))),
    ("cover_chained", 7, altered(7, account=opened(FULL, cover=f"{CIRCULATION:016x}"))),
    ("correction_unknown", 18, altered(18, corrects="ff" * 16)),
    ("correction_unknown", 18, altered(18, corrects=named(20).hex())),  # a later one
    ("correction_unknown", 18, altered(18, corrects=named(9).hex())),  # a note
    ("correction_unrelated", 18, altered(18, transfers=legs((C, B, 1000, "PAT")))),
    ("correction_exceeds", 19, altered(19, transfers=legs((C, A, 3001, "PAT")))),
    ("below_floor", 12, altered(12, transfers=legs((A, B, 50_001, "PAT")))),
    ("above_ceiling", 12, altered(12, transfers=legs((A, FULL, 3_001, "PAT")))),
    ("total_too_large", 18, both(altered(17, transfers=many(A, B)), altered(18, transfers=many(A, B), corrects=None))),
    ("not_covered", 11, altered(11, transfers=legs((CIRCULATION, B, 20_000, "PAT"), (BANK, GUARANTEE, 19_999, "EUR")))),
    ("account_not_empty", 15, altered(15, closes=f"{A:016x}")),
    ("account_not_empty", 15, altered(15, closes=f"{GUARANTEE:016x}")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "seq", "damage"), PLANTED, ids=[f"{n}_{code}" for n, (code, *_) in enumerate(PLANTED)]
)
def test_planted_damage_is_found_and_named(book: Path, code: str, seq: int | None, damage: Damage) -> None:
    with unguarded(book) as db:
        if code == "id_repeated":
            without_unique_ids(db)
        damage(db)
        if code == "id_repeated":
            db.execute("UPDATE log SET id = (SELECT id FROM log WHERE seq = 12) WHERE seq = 13")
    report = checked(book)
    assert not report.ok
    found = [finding for finding in report.findings if finding.code == code]
    assert found, report.findings
    assert seq in [finding.seq for finding in found], found
    first = next(finding for finding in found if finding.seq == seq)
    if seq is not None and 1 <= seq <= 44 and code not in ("seq_gap", "log_differs", "id_repeated"):
        assert first.id == named(seq)
        assert named(seq).hex() in str(first)
    assert str(first).startswith(code) and first.detail


def without_unique_ids(db: Any) -> None:
    (ddl,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = 'log'").fetchone()
    db.execute(ddl.replace("CREATE TABLE log", "CREATE TABLE log2").replace("UNIQUE (id)", "CHECK (1)"))
    db.execute("INSERT INTO log2 SELECT * FROM log")
    db.execute("DROP TABLE log")
    db.execute("ALTER TABLE log2 RENAME TO log")


def test_an_index_that_only_calls_itself_unique(book: Path) -> None:
    with unguarded(book) as db:
        without_unique_ids(db)
        db.execute("UPDATE log SET id = (SELECT id FROM log WHERE seq = 12) WHERE seq = 13")
        db.execute("CREATE INDEX log_id ON log (id)")
        db.execute("PRAGMA writable_schema = ON")
        db.execute("UPDATE sqlite_schema SET sql = 'CREATE UNIQUE INDEX log_id ON log (id)' WHERE name = 'log_id'")
    found = {(finding.code, finding.seq) for finding in checked(book).findings}
    assert ("id_repeated", 13) in found and ("guard_missing", None) not in found


def test_every_code_has_its_planted_damage() -> None:
    # guard_missing and guard_foreign have tests of their own, root_differs those in test_check_roots.
    apart = {"guard_missing", "guard_foreign", "root_differs"}
    assert {code for code, *_ in PLANTED} | apart == set(CODES) | STATE_CODES - {"id_taken"}
    assert all(CODES.values())


GUARDS = {
    "log_no_change_update": ("log", "update"),
    "log_no_change_delete": ("log", "delete"),
    "transfer_no_change_update": ("transfer", "update"),
    "transfer_no_change_delete": ("transfer", "delete"),
    "account_no_change": ("account", f"update of {check_rows.FIXED}"),
    "account_no_delete": ("account", "delete"),
    "head_no_delete": ("head", "delete"),
    "signed_head_kept_update": ("signed_head", "update"),
    "signed_head_kept_delete": ("signed_head", "delete"),
}


@pytest.mark.parametrize("trigger", GUARDS)
@pytest.mark.parametrize("how", ["dropped", "lamed"])
def test_a_missing_or_lamed_trigger_is_found(book: Path, trigger: str, how: str) -> None:
    table, event = GUARDS[trigger]
    with raw(book) as db:
        (ddl,) = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (trigger,)).fetchone()
        db.execute(f"DROP TRIGGER {trigger}")
        if how == "lamed":
            db.execute(ddl.replace(" BEGIN ", " WHEN false BEGIN "))
    lamed = [f"guard_foreign: trigger {trigger}"] if how == "lamed" else []
    assert [str(finding) for finding in checked(book).findings] == [f"guard_missing: {table}: {event}", *lamed]


@pytest.mark.parametrize("made", [
    "TRIGGER ours AFTER INSERT ON bank_line BEGIN UPDATE bank_line SET text = 'x' WHERE id = new.id; END",
    "TRIGGER ours AFTER INSERT ON log BEGIN SELECT RAISE(ABORT, 'no more'); END",
    "TRIGGER ours BEFORE DELETE ON payout BEGIN SELECT RAISE(ABORT, 'payout is append-only'); END",
    "TRIGGER ours BEFORE DELETE ON log BEGIN DELETE FROM salt; SELECT RAISE(ABORT, 'log is append-only'); END",
    "VIEW ours AS SELECT * FROM log WHERE seq < 5",
])  # fmt: skip
def test_a_trigger_or_view_that_is_none_of_ours_is_found(book: Path, made: str) -> None:
    with raw(book) as db:
        db.execute(f"CREATE {made}")
    what = made.split(maxsplit=1)[0].lower()
    assert [str(finding) for finding in checked(book).findings] == [f"guard_foreign: {what} ours"]


def test_a_log_without_unique_ids_is_found(book: Path) -> None:
    with unguarded(book) as db:
        without_unique_ids(db)
    assert [str(finding) for finding in checked(book).findings] == ["guard_missing: log: unique id"]


def test_a_file_that_is_torn_in_the_middle_is_reported(book: Path) -> None:
    size = os.path.getsize(book)
    for offset in range(4096, size, 4096):
        data = bytearray(book.read_bytes())
        data[offset : offset + 200] = b"\xa5" * 200
        torn = book.with_name("torn.db")
        torn.write_bytes(data)
        try:
            assert not checked(torn).ok, offset
        except StoreError as error:  # the first pages name the tables: without them it is no database at all
            assert error.code == "database_unusable"


def test_a_database_without_a_book_is_reported(tmp_path: Path) -> None:
    with raw(tmp_path / "other.db") as db:
        db.execute("CREATE TABLE t (x)")
    report = checked(tmp_path / "other.db")
    assert report.counts["database_damaged"] >= 3


def test_an_untyped_table_full_of_nonsense_is_reported(book: Path) -> None:
    """Whoever owns the file can make the tables anew without STRICT, and put anything in them."""
    for table in ("log", "transfer", "account", "head"):
        for value in (None, "text", 1.5, b"\xff", -1, 2**63 - 1):
            path = copy(book, book.with_name("nonsense.db"))
            with unguarded(path) as db:
                columns = [row[1] for row in db.execute(f"PRAGMA table_info({table})")]
                db.execute(f"CREATE TABLE other AS SELECT * FROM {table}")
                db.execute(f"DROP TABLE {table}")
                db.execute(f"CREATE TABLE {table} ({', '.join(columns)})")
                db.execute(f"INSERT INTO {table} SELECT * FROM other")
                for index, column in enumerate(columns):
                    db.execute(
                        f"UPDATE {table} SET {column} = ? WHERE rowid = "
                        f"(SELECT rowid FROM {table} LIMIT 1 OFFSET min(?, (SELECT count(*) - 1 FROM {table})))",
                        (value, index),
                    )
            assert not checked(path).ok


def test_one_lost_row_does_not_drown_the_rest(book: Path) -> None:
    with unguarded(book) as db:
        db.execute("DELETE FROM transfer WHERE place = 12 << 8")
        db.execute("UPDATE transfer SET amount = amount + 1 WHERE place = 40 << 8")
    findings = checked(book).findings
    assert findings[0].code == "transfer_missing" and findings[0].seq == 12
    assert [finding.seq for finding in findings if finding.code == "transfer_differs"] == [40]


def test_a_shifted_balance_is_said_once(book: Path) -> None:
    with unguarded(book) as db:
        db.execute("UPDATE transfer SET debit_after = debit_after + 7 WHERE debit = ? AND place >= 30 << 8", (A,))
        db.execute("UPDATE transfer SET credit_after = credit_after + 7 WHERE credit = ? AND place >= 30 << 8", (A,))
    report = checked(book)
    assert [(finding.code, finding.seq) for finding in report.findings] == [("balance_differs", 30)]


def test_findings_are_capped_but_counted(book: Path) -> None:
    with unguarded(book) as db:
        db.executemany(
            "INSERT INTO transfer VALUES (?, 2001, 2002, 1, 0, 0, 0, 0, 0, 0)", [((45 << 8) + n,) for n in range(250)]
        )
    report = checked(book)
    assert len(report.findings) == MOST_FINDINGS
    assert report.counts == {"transfer_unexpected": 250}
