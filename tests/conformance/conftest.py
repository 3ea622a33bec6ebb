"""Every test that asks for `ground` or `book` runs on memory, SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from ledger.core.book import Book
from ledger.core.opening import open_book
from tests.conformance.town import Ground, settle
from tests.postgres_server import create_database, drop_database

STORES = ("memory", "sqlite", "postgres")
DATABASES = ("sqlite", "postgres")
_numbers = itertools.count()
_names = (f"patard_conformance_{os.getpid()}_{n}" for n in itertools.count(1))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an empty book: copying it takes less time than making it."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    open_book(path, upgrade=True).close()
    return path


SHAPE = """
SELECT attrelid::regclass::text || '.' || attname || ' ' || atttypid::regtype || ' ' || attnotnull FROM pg_attribute
    JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace AND attnum > 0
UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT pg_get_triggerdef(oid) || ' ' || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT version_num FROM alembic_version
ORDER BY 1
"""


class Databases:
    """PostgreSQL databases with an empty book. One that was used is emptied and used again: making and dropping one
    takes PostgreSQL longer than most tests take.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._free: list[str] = []
        self._made: list[str] = []
        self._whole: Any = None

    def take(self) -> str:
        if self._free:
            return self._free.pop()
        name = next(_names)
        self._made.append(name)
        if len(self._made) > 1:
            return create_database(self._server_url, name, self._made[0])
        # The first is the template of all others, and used for nothing else.
        url = create_database(self._server_url, name)
        open_book(url, upgrade=True).close()
        with psycopg.connect(url) as connection:
            self._whole = self._shape(connection)
        return self.take()

    def give_back(self, url: str) -> None:
        with psycopg.connect(url) as connection:
            if self._shape(connection) != self._whole:
                return  # somebody made, dropped or lamed something in it
            # The owner's way around triggers and foreign keys.
            connection.execute("SET session_replication_role = replica")
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                if table != "alembic_version":
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
            connection.execute("INSERT INTO head VALUES (1, 0, 0, '', sha256(''))")
        self._free.append(url)

    def close(self) -> None:
        # The tests' own server goes with all that is in it, and dropping a database has it write to disk first.
        for name in reversed(self._made) if os.environ.get("PATARD_TEST_POSTGRES_URL") else ():
            drop_database(self._server_url, name)

    @staticmethod
    def _shape(connection: psycopg.Connection[Any]) -> Any:
        return connection.execute(SHAPE).fetchall()


@pytest.fixture(scope="session")
def postgres_databases(postgres_url: str) -> Iterator[Databases]:
    databases = Databases(postgres_url)
    yield databases
    databases.close()


class Grounds:
    """Makes empty places for books, as many as a test wants."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._made: list[Ground] = []

    def make(self, kind: str) -> Ground:
        ground = Ground(kind, self._address(kind))
        self._made.append(ground)
        return ground

    def _address(self, kind: str) -> str:
        if kind == "sqlite":
            path = self._folder / f"book-{next(_numbers)}.db"
            shutil.copyfile(self._request.getfixturevalue("sqlite_template"), path)
            return str(path)
        if kind == "postgres":
            databases: Databases = self._request.getfixturevalue("postgres_databases")
            return databases.take()
        return "memory:"

    def take_back(self, ground: Ground) -> None:
        """`ground` is not needed any more."""
        self._made.remove(ground)
        ground.close()
        if ground.kind == "postgres":
            self._request.getfixturevalue("postgres_databases").give_back(ground.address)

    def close(self) -> None:
        for ground in self._made.copy():
            self.take_back(ground)


@pytest.fixture
def grounds(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Grounds]:
    made = Grounds(request, tmp_path)
    yield made
    made.close()


@pytest.fixture(scope="module", params=STORES)
def shared_ground(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A place on each store in turn, for all tests of a module that change nothing in it."""
    made = Grounds(request, tmp_path_factory.mktemp("shared"))
    yield made.make(request.param)
    made.close()


@pytest.fixture(params=STORES)
def ground(request: pytest.FixtureRequest, grounds: Grounds) -> Ground:
    """An empty place on each store in turn."""
    return grounds.make(request.param)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, grounds: Grounds) -> Ground:
    """An empty place on each database in turn."""
    return grounds.make(request.param)


@pytest.fixture
def book(ground: Ground) -> Book:
    """The town, settled, on each store in turn."""
    return settle(ground.book())
