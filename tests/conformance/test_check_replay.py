"""Check and replay on every store: honest books are clean, any store's book can be made anew in any other."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from ledger.core import check_rows
from ledger.core.book import Book
from ledger.core.check import check
from ledger.core.check_rows import GUARDS, TRUNCATE
from ledger.core.opening import open_book
from ledger.core.replay import rebuild, replay
from tests.conformance.conftest import STORES, Grounds
from tests.conformance.town import Clock, Ground, dump, post, t, tx
from tests.core.books import HOLDERS, named, post_all, small_book_batches

A, B, _ = HOLDERS


def filled(ground: Ground) -> Book:
    book = ground.book(Clock())
    post_all(book, small_book_batches())
    return book


def test_an_honest_book_is_clean(ground: Ground) -> None:
    book = filled(ground)
    report = check(book.store)
    assert report.ok, report.findings
    assert (report.entries, report.transfers, report.accounts) == (44, 45, 8)
    assert report.root == book.head().root
    post(book, tx(500, t(A, B, 1)))
    assert check(book.store).entries == 45


def test_an_empty_book_is_clean(ground: Ground) -> None:
    assert check(ground.book().store).ok


@pytest.mark.parametrize("kind", STORES)
def test_any_book_can_be_made_anew_in_any_store(ground: Ground, grounds: Grounds, kind: str) -> None:
    source, made = filled(ground), grounds.make(kind).book()
    result = rebuild(source.store, made.store)
    assert result.differences == []
    assert result.head == source.head() == made.head()
    assert dump(made) == dump(source)
    assert check(made.store).ok
    with source.store.reading() as reading:
        assert replay([row.record for row in reading.log(0, 100)], made.store) == source.head()


# --- PostgreSQL: damage by whoever owns the tables -------------------------------------------------------------------


@pytest.fixture
def postgres(grounds: Grounds) -> Ground:
    return grounds.make("postgres")


def damage(ground: Ground, *statements: str) -> None:
    """Run `statements` as the owner, with triggers and foreign keys asleep."""
    with psycopg.connect(ground.address, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in statements:
            connection.execute(statement)


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("code", "seq", "statement"),
    [
        ("seq_gap", 12, "DELETE FROM log WHERE seq = 12"),
        ("record_malformed", 12, r"UPDATE log SET record = '\xff00' WHERE seq = 12"),
        ("leaf_differs", 12, "UPDATE log SET record = convert_to(replace("
         "convert_from(record, 'UTF8'), '1500', '1501'), 'UTF8') WHERE seq = 12"),
        ("log_differs", 12, "UPDATE log SET at = at + 1 WHERE seq = 12"),
        ("transfer_differs", 12, "UPDATE transfer SET amount = amount + 1 WHERE place = 12 * 256"),
        ("transfer_missing", 44, "DELETE FROM transfer WHERE place = 44 * 256"),
        ("balance_differs", 12, "UPDATE transfer SET debit_after = 7 WHERE place = 12 * 256"),
        ("chain_differs", 40, "UPDATE transfer SET credit_jump = 0 WHERE place = 40 * 256"),
        ("account_differs", 44, "UPDATE account SET credits = credits + 1 WHERE number = 2001"),
        ("account_missing", 5, "DELETE FROM account WHERE number = 2002"),
        ("unit_unbalanced", None, "UPDATE account SET credits = credits + 1 WHERE number = 2001"),
        ("head_differs", 44, "UPDATE head SET at = at + 1"),
        ("head_missing", None, "DELETE FROM head"),
        ("database_damaged", None, "DROP TABLE transfer CASCADE"),
        ("database_damaged", None, "ALTER TABLE log DROP COLUMN leaf"),
        ("id_repeated", 13, "ALTER TABLE log DROP CONSTRAINT log_id_key; "
         "UPDATE log SET id = (SELECT id FROM log WHERE seq = 12) WHERE seq = 13"),
    ],
)  # fmt: skip
def test_damage_on_postgres_is_found_and_named(postgres: Ground, code: str, seq: int | None, statement: str) -> None:
    book = filled(postgres)
    damage(postgres, statement)
    report = check(book.store)
    assert not report.ok
    found = [finding for finding in report.findings if finding.code == code]
    assert seq in [finding.seq for finding in found], report.findings
    if seq is not None and code not in ("seq_gap", "id_repeated"):
        assert named(seq) in [finding.id for finding in found]


@pytest.mark.postgres
@pytest.mark.parametrize(("trigger", "table"), [
    ("log_no_change", "log"), ("transfer_no_change", "transfer"), ("account_no_change", "account"),
    ("account_no_delete", "account"), ("head_no_delete", "head"), ("signed_head_kept", "signed_head"),
])  # fmt: skip
@pytest.mark.parametrize("how", ["DROP TRIGGER {0} ON {1}", "ALTER TABLE {1} DISABLE TRIGGER {0}"])
def test_a_trigger_that_sleeps_is_found(postgres: Ground, trigger: str, table: str, how: str) -> None:
    book = filled(postgres)
    damage(postgres, how.format(trigger, table))
    report = check(book.store)
    assert set(report.counts) == {"guard_missing"}
    assert all(finding.detail.startswith(f"{table}: ") for finding in report.findings)


@pytest.mark.postgres
def test_a_lamed_trigger_function_is_found(postgres: Ground) -> None:
    book = filled(postgres)
    damage(postgres, "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
           "$$ BEGIN RETURN NULL; END $$")  # fmt: skip
    # A trigger that no longer refuses is missing, and whatever it does instead is none of ours.
    assert check(book.store).counts == {"guard_missing": len(GUARDS | TRUNCATE) - 1, "guard_foreign": 6}


@pytest.mark.postgres
@pytest.mark.parametrize(("said", "drop", "made"), [
    ("trigger mine", "FUNCTION mine() CASCADE", [
        "FUNCTION mine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.text := 'x'; RETURN NEW; END $$",
        "TRIGGER mine BEFORE INSERT ON bank_line FOR EACH ROW EXECUTE FUNCTION mine()",
    ]),
    ("trigger mine", "TRIGGER mine ON payout", [
        "TRIGGER mine BEFORE DELETE ON payout FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]),
    ("view mine", "VIEW mine", ["VIEW mine AS SELECT * FROM log"]),
    ("view mine", "MATERIALIZED VIEW mine", ["MATERIALIZED VIEW mine AS SELECT * FROM log"]),
    ("rule mine", "RULE mine ON memo", ["RULE mine AS ON INSERT TO memo DO ALSO DELETE FROM salt"]),
    ("policy mine", "POLICY mine ON memo", ["POLICY mine ON memo USING (false)"]),
])  # fmt: skip
def test_what_the_database_does_beside_is_found(postgres: Ground, made: list[str], drop: str, said: str) -> None:
    book = filled(postgres)
    damage(postgres, *(f"CREATE {one}" for one in made))
    try:
        assert [str(finding) for finding in check(book.store).findings] == [f"guard_foreign: {said}"]
    finally:  # other tests have the database after this one
        damage(postgres, f"DROP {drop}")


@pytest.mark.postgres
def test_check_cannot_write_to_postgres(postgres: Ground) -> None:
    book = filled(postgres)
    engine: Any = book.store.engine  # type: ignore[attr-defined]
    for sql in ("DELETE FROM account", "UPDATE head SET seq = 0", "CREATE TABLE x (y int)", "DROP TABLE log"):
        with (
            pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
            check_rows.rows_of(engine) as rows,
        ):
            rows._driver.execute(sql)  # type: ignore[attr-defined]
    post(book, tx(500, t(A, B, 1)))  # and the connection goes back as it came


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_check_works_through_a_book_opened_for_reading(grounds: Grounds, kind: str) -> None:
    ground = grounds.make(kind)
    filled(ground)
    book = open_book(ground.address, read_only=True)
    assert check(book.store).ok
    book.close()
