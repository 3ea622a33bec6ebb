"""The versions of the tables: they make what the tables say, once, whoever else is starting, on both databases."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from ledger.core import postgres, schema, sqlite
from ledger.core.opening import open_book
from ledger.core.store import StoreError
from ledger.core.tables import METADATA
from tests.conformance.town import FREE, OTHER_FREE, A, dump, ident, post, settle, t, tx

ROOT = Path(__file__).parents[2]


def load_every_table() -> None:
    """Import every room's `tables`, whoever has one by now."""
    for path in sorted(path for room in ("ledger", "merchants", "api") for path in (ROOT / room).rglob("tables.py")):
        importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts))


@pytest.fixture(params=["sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine over a database without tables."""
    if request.param == "sqlite":
        made = sqlite.open_engine(tmp_path / "book.db")
    else:
        made = postgres.open_engine(request.getfixturevalue("fresh_postgres"))
    yield made
    made.dispose()


def shape(connection: Connection) -> dict[str, Any]:
    """Every table, column, constraint and index, as the database itself writes them down."""
    if connection.dialect.name == "sqlite":
        rows = connection.execute(text("SELECT name, sql FROM sqlite_schema WHERE type IN ('table', 'index')"))
        return {name: sql and " ".join(sql.split()) for name, sql in rows if "alembic" not in name}
    found: dict[str, Any] = {}
    for kind, sql in {
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace",
        "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "columns": "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, column_default "
        "FROM information_schema.columns WHERE table_schema = 'public'",
        "options": "SELECT relname, reloptions FROM pg_class WHERE relnamespace = 'public'::regnamespace "
        "AND relkind = 'r'",
    }.items():
        rows = connection.execute(text(sql))
        found[kind] = sorted(repr(row) for row in rows if row[0] not in ("alembic_version", "entry"))
    return found


def test_the_versions_make_what_the_tables_say(engine: Engine) -> None:
    load_every_table()
    schema.upgrade(engine)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        made = shape(connection)
        # Alembic does not look at CHECKs, STRICT and fillfactor: let the tables be made without it and compare.
        connection.rollback()
        for table in ("triggers", "views"):
            drop(connection, table)
        METADATA.drop_all(connection)
        METADATA.create_all(connection)
        connection.commit()
        assert shape(connection) == made


def drop(connection: Connection, what: str) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("DROP VIEW entry" if what == "views" else "DROP FUNCTION refuse_change CASCADE"))
        return
    rows = connection.execute(text(f"SELECT type, name FROM sqlite_schema WHERE type = '{what[:-1]}'")).all()
    for kind, name in rows:
        connection.execute(text(f"DROP {kind} {name}"))


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    schema.upgrade(engine)
    book = settle(open_book(address(engine)))
    with engine.connect() as connection:
        before = shape(connection), dump(book)
    schema.upgrade(engine)
    schema.require_current(engine)
    with engine.connect() as connection:
        assert (shape(connection), dump(book)) == before
    book.close()


def address(engine: Engine) -> str:
    if engine.dialect.name == "postgresql":
        return engine.url.render_as_string(hide_password=False)
    with engine.connect() as connection:
        file: str = connection.exec_driver_sql("PRAGMA database_list").all()[0][2]
    return file


def test_several_processes_start_at_once(engine: Engine) -> None:
    place = address(engine)
    start = threading.Barrier(6)
    errors: list[BaseException] = []

    def begin() -> None:
        try:
            start.wait()
            open_book(place, upgrade=True).close()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    schema.require_current(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM head")).scalar() == 1


def test_a_version_that_fails_leaves_the_one_before(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE head (mine INTEGER)"))
    with pytest.raises(Exception, match="head"):
        schema.upgrade(engine)
    with engine.begin() as connection:
        assert schema.current(connection) is None
        connection.execute(text("DROP TABLE head"))
    schema.upgrade(engine)


def test_other_versions_are_refused_with_what_to_do(engine: Engine) -> None:
    with pytest.raises(StoreError, match="patard init") as caught:
        schema.require_current(engine)
    assert caught.value.code == "no_book"
    schema.upgrade(engine)
    for version, code in (("0000", "book_too_new"), ("9999", "book_too_new"), (schema.versions()[0], "book_too_old")):
        if version == schema.versions()[-1]:
            continue
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE alembic_version SET version_num = '{version}'"))
        with pytest.raises(StoreError, match=version) as caught:
            schema.require_current(engine)
        assert caught.value.code == code
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreError) as caught:
        schema.upgrade(engine)
    assert caught.value.code == "book_too_new"


def test_the_versions_are_one_line_and_named_by_their_number() -> None:
    scripts = ScriptDirectory(str(schema.MIGRATIONS))
    line = [script.revision for script in scripts.walk_revisions()][::-1]
    assert line == schema.versions() == [f"{n:04}" for n in range(1, len(line) + 1)]
    assert scripts.get_heads() == line[-1:]
    for script in scripts.walk_revisions():
        assert Path(script.path).name.startswith(f"{script.revision}_")
        assert not hasattr(script.module, "downgrade")


def test_the_view_shows_the_entries_of_an_account(engine: Engine) -> None:
    schema.upgrade(engine)
    book = settle(open_book(address(engine)))
    post(book, *(tx(100 + n, t(FREE, OTHER_FREE, n + 1), t(OTHER_FREE, FREE, 1), t(FREE, A, 1)) for n in range(20)))
    with engine.connect() as connection:
        columns = "place, seq, leg, counterparty, change, balance"
        for number in (FREE, OTHER_FREE, A, 51):
            rows = connection.execute(
                text(f"SELECT {columns} FROM entry WHERE account = :account ORDER BY place DESC"), {"account": number}
            ).all()
            entries = book.statement(number, limit=1_000).entries
            assert [tuple(row) for row in rows] == [
                (e.place, e.seq, e.place % 256, e.counterparty, e.change, e.balance) for e in entries
            ]
        total = connection.execute(text("SELECT count(*) FROM entry")).scalar()
        assert total == 2 * len(dump(book).transfers)
    book.close()


FIXED = ("number", "unit", "normal", "floor", "ceiling", "cover", "opened")
CHANGES = [
    "UPDATE log SET at = at",
    "UPDATE log SET record = record WHERE seq = 1",
    "DELETE FROM log WHERE seq = 1",
    "DELETE FROM log",
    "UPDATE transfer SET amount = amount + 1",
    "DELETE FROM transfer",
    "DELETE FROM account WHERE number = 51",
    *(
        f"UPDATE account SET {name} = {name}"
        for name in ("number", "unit", "normal", "floor", "ceiling", "cover", "opened")
    ),
    "DELETE FROM head",
]


def test_what_was_posted_is_neither_changed_nor_deleted(engine: Engine) -> None:
    schema.upgrade(engine)
    book = settle(open_book(address(engine)))
    before = dump(book)
    truncate = [f"TRUNCATE {name} CASCADE" for name in ("log", "transfer", "account", "head")]
    for statement in CHANGES + (truncate if engine.dialect.name == "postgresql" else []):
        with engine.connect() as connection:
            with pytest.raises(Exception, match="append-only"):
                connection.execute(text(statement))
            connection.rollback()
    assert dump(book) == before
    book.close()


INSERTS: list[tuple[str, tuple[Any, ...]]] = [
    ("log", (100, ident(1), 1, None, b"x" * 32, b"{}")),
    ("log", (100, b"short", 1, None, b"x" * 32, b"{}")),
    ("log", (100, ident(900), 1, None, b"short", b"{}")),
    ("log", (0, ident(900), 1, None, b"x" * 32, b"{}")),
    ("log", (1, ident(900), 1, None, b"x" * 32, b"{}")),
    ("log", (100, ident(900), 1, None, b"x" * 32, None)),
    ("transfer", (10**6, A, FREE, 0, 0, 0, 0, 0, 0, 0)),
    ("transfer", (10**6, A, FREE, 2**53, 0, 0, 0, 0, 0, 0)),
    ("transfer", (10**6, A, A, 1, 0, 0, 0, 0, 0, 0)),
    ("transfer", (10**6, A, 999, 1, 0, 0, 0, 0, 0, 0)),
    ("transfer", (10**6, A, FREE, 1, 0, 0, 10**6, 0, 0, 0)),
    ("account", (A, "PAT", -1, None, None, None, 1, 0, 0, 0, 0, b"")),
    ("account", (0, "PAT", -1, None, None, None, 1, 0, 0, 0, 0, b"")),
    ("account", (900, "PAT", 0, None, None, None, 1, 0, 0, 0, 0, b"")),
    ("account", (900, "PAT", -1, 0, None, None, 1, 0, 1, 0, 0, b"")),
    ("account", (900, "PAT", -1, None, 0, None, 1, 0, 0, 1, 0, b"")),
    ("account", (900, "PAT", -1, None, None, None, 1, 9, 0, 1, 0, b"")),
    ("account", (900, "PAT", -1, None, None, None, 1, 0, -1, 0, 0, b"")),
    ("account", (900, "PAT", -1, None, None, 901, 1, 0, 0, 0, 0, b"")),
    ("head", (2, 0, 0, b"", b"")),
]


def test_the_database_refuses_what_the_rules_refuse(engine: Engine) -> None:
    schema.upgrade(engine)
    book = settle(open_book(address(engine)))
    before = dump(book)
    for what, values in INSERTS:
        names = [f"v{n}" for n in range(len(values))]
        insert = text(f"INSERT INTO {what} VALUES ({', '.join(':' + name for name in names)})")
        with engine.connect() as connection:
            with pytest.raises(Exception, match=r"(?i)constraint"):
                connection.execute(insert, dict(zip(names, values, strict=True)))
            connection.rollback()
    assert dump(book) == before
    book.close()
