"""What only PostgreSQL has: settings, roles, plans, versions, and connections that break."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from ledger.core import postgres, postgres_driver, schema
from ledger.core.book import MAX_BATCH, Book
from ledger.core.model import Outcome
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from tests.conformance.town import (
    FREE,
    FUNDS,
    OTHER_FREE,
    A,
    B,
    closing,
    codes,
    dump,
    opening,
    post,
    settle,
    t,
    tx,
)

pytestmark = pytest.mark.postgres
PAY = tx(100, t(A, B, 10))


@pytest.fixture
def book(fresh_postgres: str) -> Iterator[Book]:
    made = settle(open_book(fresh_postgres, upgrade=True))
    yield made
    made.close()


@pytest.fixture
def owner(fresh_postgres: str) -> Iterator[psycopg.Connection[Any]]:
    """Somebody else, who owns the database."""
    with psycopg.connect(fresh_postgres, autocommit=True) as connection:
        yield connection


def end_connections(owner: psycopg.Connection[Any]) -> int:
    """What a server that is started again does to its connections."""
    ended = owner.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    return len(ended.fetchall())


def shown(cursor: Any, name: str) -> str:
    value: str = cursor.execute(f"SHOW {name}").fetchone()[0]
    return value


def test_commits_wait_for_the_disk_whatever_the_server_is_told(
    book: Book, owner: psycopg.Connection[Any], fresh_postgres: str
) -> None:
    name = owner.info.dbname
    owner.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    owner.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = 'serializable'")
    owner.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    other = open_book(fresh_postgres)
    with other.store.writing() as writing:
        cursor = writing.connection.connection.cursor()
        assert shown(cursor, "synchronous_commit") == "on"
        assert shown(cursor, "transaction_isolation") == "read committed"
        assert shown(cursor, "transaction_read_only") == "off"
    post(other, PAY)
    other.close()


def test_reading_is_a_snapshot_that_cannot_write(book: Book) -> None:
    with book.store.reading() as reading:
        cursor = reading._cursor  # type: ignore[attr-defined]
        assert shown(cursor, "transaction_isolation") == "repeatable read"
        assert shown(cursor, "transaction_read_only") == "on"
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            cursor.execute("UPDATE head SET seq = 0")
    assert book.balance(A) == FUNDS


def test_a_connection_goes_back_to_the_pool_as_it_was(book: Book) -> None:
    engine = book.store.engine  # type: ignore[attr-defined]
    with book.store.reading() as reading:
        reading.head()
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver.autocommit is False
        assert connection.exec_driver_sql("SHOW enable_seqscan").scalar() == "on"
        connection.exec_driver_sql("CREATE TABLE extra (id INTEGER)")
        connection.rollback()
        assert connection.exec_driver_sql("SELECT to_regclass('extra')").scalar() is None


@pytest.mark.parametrize("versions", [(15, 17), (19, 20)])
def test_other_versions_are_refused(
    fresh_postgres: str, monkeypatch: pytest.MonkeyPatch, versions: tuple[int, int]
) -> None:
    monkeypatch.setattr(postgres_driver, "VERSIONS", versions)
    with psycopg.connect(fresh_postgres) as connection:
        version = connection.info.server_version // 10_000
    if versions[0] <= version <= versions[1]:
        return  # the tests run on an older server
    with pytest.raises(StoreError, match=str(version)) as caught:
        open_book(fresh_postgres, upgrade=True)
    assert caught.value.code == "postgres_version"


def test_pages_of_accounts_have_room(book: Book, owner: psycopg.Connection[Any]) -> None:
    found = owner.execute("SELECT reloptions FROM pg_class WHERE relname = 'account'").fetchone()
    assert found == (["fillfactor=50"],)


def test_no_statement_reads_a_whole_table(book: Book) -> None:
    """On tables without statistics, where the planner would rather read them whole."""
    numbers, ids = postgres_driver.int8s([A, B]), postgres_driver.byteas([PAY.id])
    place = {"number": A, "place": 5 * 256, "limit": 10, "target": 7}
    statements: list[tuple[str, Any]] = [
        (postgres.LOCK_HEAD, ()),
        (postgres.SELECT_ACCOUNTS, (numbers,)),
        (postgres.SELECT_BATCH_ACCOUNTS, (numbers,)),
        (postgres.SELECT_POSTED, (ids,)),
        (postgres.SELECT_CORRECTIONS, (ids,)),
        (postgres.SELECT_ENTRIES, (numbers,)),
        (postgres.SELECT_LOG, (1, 2)),
        (postgres.SELECT_BY_ID, (PAY.id,)),
        (postgres.SEQ_AT, {"at": 3}),
        (postgres.SELECT_TRANSFERS, (1, 2)),
        (postgres.SELECT_ALL_ACCOUNTS, (1, 2)),
        (postgres.WALK, place),
        (postgres.SEEK, place),
    ]
    with book.store.writing() as writing:
        cursor = writing._cursor  # type: ignore[attr-defined]
        for sql, parameters in statements:
            plan = "\n".join(row[0] for row in cursor.execute(f"EXPLAIN {sql}", parameters).fetchall())
            assert "Seq Scan" not in plan, f"{sql}\n{plan}"
            assert "Hash Join" not in plan and "Merge Join" not in plan, f"{sql}\n{plan}"


def test_the_largest_batch(book: Book) -> None:
    batch = [tx(1_000 + n, t(FREE, OTHER_FREE, 1)) for n in range(MAX_BATCH)]
    assert set(codes(book.post(batch).answers)) == {"posted"}
    assert set(codes(book.post(batch).answers)) == {"replay"}
    assert book.balance(FREE) == -MAX_BATCH


# --- roles -----------------------------------------------------------------------------------------------


@pytest.fixture
def clerk(book: Book, owner: psycopg.Connection[Any], fresh_postgres: str) -> Iterator[str]:
    """URL for a role that owns nothing and was given the rights of the application."""
    name = f'clerk "of" {owner.info.dbname}'
    quoted = '"' + name.replace('"', '""') + '"'
    owner.execute(f"CREATE ROLE {quoted} LOGIN")
    owner.execute("CREATE TABLE extra (id INTEGER PRIMARY KEY)")
    schema.grant(book.store.engine, name)  # type: ignore[attr-defined]
    yield fresh_postgres.replace("//postgres@", "//" + name.replace('"', "%22").replace(" ", "%20") + "@")
    owner.execute(f"DROP OWNED BY {quoted}")
    owner.execute(f"DROP ROLE {quoted}")


FORBIDDEN = [
    "UPDATE log SET record = record",
    "DELETE FROM log",
    "TRUNCATE log CASCADE",
    "UPDATE transfer SET amount = 1",
    "DELETE FROM transfer",
    "DELETE FROM account",
    "UPDATE account SET floor = NULL",
    "DELETE FROM head",
    "INSERT INTO head VALUES (1, 0, 0, '', '')",
    "ALTER TABLE log DISABLE TRIGGER ALL",
    "DROP TRIGGER log_no_change ON log",
    "DROP TABLE transfer",
    "UPDATE alembic_version SET version_num = '0'",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    "SET session_replication_role = replica",
]


def test_the_application_needs_no_right_to_change_what_was_posted(clerk: str, book: Book) -> None:
    working = open_book(clerk)
    post(working, PAY, opening(101, 61), closing(102, 61), tx(103, t(B, A, 1), corrects=100))
    assert working.balance(A) == FUNDS - 9
    assert len(working.statement(A).entries) == 3
    before = dump(working)
    engine = working.store.engine  # type: ignore[attr-defined]
    for statement in FORBIDDEN:
        with engine.connect() as connection, pytest.raises(SQLAlchemyError, match=r"permission denied|must be owner"):
            connection.execute(text(statement))
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO extra VALUES (1)"))
        connection.execute(text("DELETE FROM extra"))
        assert connection.execute(text("SELECT count(*) FROM entry WHERE account = 61")).scalar() == 0
    assert dump(working) == dump(book) == before
    working.close()


def test_a_sqlite_book_has_no_roles(tmp_path: Any) -> None:
    book = open_book(tmp_path / "book.db", upgrade=True)
    with pytest.raises(StoreError) as caught:
        schema.grant(book.store.engine, "clerk")  # type: ignore[attr-defined]
    assert caught.value.code == "no_roles"
    book.close()


# --- connections that break --------------------------------------------------------------------------------


def test_a_server_started_again_between_two_calls_is_not_noticed(book: Book, owner: psycopg.Connection[Any]) -> None:
    for n in range(3):
        assert book.balance(A) == FUNDS - n
        assert end_connections(owner) >= 1
        post(book, tx(1_000 + n, t(A, B, 1)))
        assert end_connections(owner) >= 1
        assert book.find(PAY.id) is None


def test_a_server_that_is_away_says_so_and_comes_back(
    book: Book, owner: psycopg.Connection[Any], postgres_url: str
) -> None:
    name = owner.info.dbname
    with psycopg.connect(postgres_url, autocommit=True) as elsewhere:
        elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        end_connections(owner)
        calls: list[Callable[[], Any]] = [lambda: book.post([PAY]), lambda: book.balance(A), lambda: book.post([PAY])]
        for call in calls:
            with pytest.raises(StoreError, match="no database") as caught:
                call()
            assert caught.value.code == "database_unusable"
        elsewhere.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    assert codes(book.post([PAY]).answers) == ["posted"]
    assert book.balance(A) == FUNDS - 10


def test_a_connection_that_breaks_in_the_middle_posts_nothing(book: Book, owner: psycopg.Connection[Any]) -> None:
    def also(connection: Connection, outcome: Outcome) -> None:
        end_connections(owner)
        connection.execute(text("SELECT 1"))

    before = dump(book)
    with pytest.raises(StoreError) as caught:
        book.post([PAY], also)
    assert caught.value.code == "database_unusable"
    assert dump(book) == before
    assert codes(book.post([PAY]).answers) == ["posted"]


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_connection_that_breaks_at_the_commit_leaves_a_doubt(
    book: Book, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real = postgres.PostgresWriting.commit

    def commit(self: postgres.PostgresWriting) -> None:
        if when == "after":
            real(self)
        end_connections(owner)
        self._cursor.execute("COMMIT")
        self.settle()

    before = dump(book)
    with monkeypatch.context() as patch:
        patch.setattr(postgres.PostgresWriting, "commit", commit)
        with pytest.raises(StoreError, match="post the same again") as caught:
            book.post([PAY])
    assert caught.value.code == "commit_unknown"
    assert (dump(book) == before) == (when == "before")
    assert codes(book.post([PAY]).answers) == ["posted" if when == "before" else "replay"]
    assert book.balance(A) == FUNDS - 10


def test_a_connection_that_breaks_while_reading(book: Book, owner: psycopg.Connection[Any]) -> None:
    with pytest.raises(StoreError) as caught, book.store.reading() as reading:
        end_connections(owner)
        reading.head()
    assert caught.value.code == "database_unusable"
    assert book.balance(A) == FUNDS


def test_an_error_that_somebody_swallowed_is_not_answered_as_posted(book: Book) -> None:
    """PostgreSQL answers COMMIT with ROLLBACK then, and not with an error."""

    def also(connection: Connection, outcome: Outcome) -> None:
        try:
            connection.execute(text("SELECT 1/0"))
        except SQLAlchemyError:
            pass

    before = dump(book)
    with pytest.raises(StoreError) as caught:
        book.post([PAY], also)
    assert caught.value.code == "rolled_back"
    assert dump(book) == before
    assert codes(book.post([PAY]).answers) == ["posted"]


def test_an_unknown_error_keeps_its_name(book: Book) -> None:
    def also(connection: Connection, outcome: Outcome) -> None:
        connection.execute(text("SELECT * FROM nowhere"))

    with pytest.raises(SQLAlchemyError, match="nowhere"):
        book.post([PAY], also)
    with pytest.raises(psycopg.errors.UndefinedTable), book.store.writing() as writing:
        writing._cursor.execute("SELECT * FROM nowhere")  # type: ignore[attr-defined]
    assert codes(book.post([PAY]).answers) == ["posted"]


def test_another_writer_that_does_not_let_go(book: Book, fresh_postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_driver, "SETTINGS", "SET lock_timeout = 100")
    waiting = open_book(fresh_postgres)
    with book.store.writing():
        with pytest.raises(StoreError) as caught:
            waiting.post([PAY])
        assert caught.value.code == "database_busy"
        assert waiting.balance(A) == FUNDS
    assert codes(waiting.post([PAY]).answers) == ["posted"]
    waiting.close()


def test_a_writer_waits_for_another_and_sees_what_it_did(book: Book, fresh_postgres: str) -> None:
    other = open_book(fresh_postgres)
    inside = threading.Event()

    def hold(connection: Connection, outcome: Outcome) -> None:
        inside.set()
        connection.execute(text("SELECT pg_sleep(0.2)"))

    spend = tx(100, t(A, B, FUNDS))
    thread = threading.Thread(target=lambda: book.post([spend], hold))
    thread.start()
    inside.wait()
    assert codes(other.post([tx(101, t(A, B, 1)), spend]).answers) == ["below_floor", "replay"]
    thread.join()
    other.close()


def test_arrays_in_the_servers_own_form(owner: psycopg.Connection[Any]) -> None:
    """What is packed by hand comes back as psycopg reads it."""
    postgres_driver._prepare(owner, None)
    for packed, expected in (
        (postgres_driver.int8s([]), []),
        (postgres_driver.int8s([0, -1, 2**63 - 1, -(2**63)]), [0, -1, 2**63 - 1, -(2**63)]),
        (postgres_driver.nullable_int8s([None, 5, None]), [None, 5, None]),
        (postgres_driver.byteas([b"", None, bytes(range(256)), b"\\x"]), [b"", None, bytes(range(256)), b"\\x"]),
        (postgres_driver.texts(["", "é,\"'{}NULL\\", "NULL"]), ["", "é,\"'{}NULL\\", "NULL"]),
    ):
        assert owner.execute("SELECT %s", (packed,)).fetchone() == (expected,)
