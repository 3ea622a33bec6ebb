"""Every test that asks for `ground` or `book` runs on memory, SQLite and PostgreSQL."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.book import Book
from ledger.core.opening import open_book
from tests.conformance.town import Ground, settle
from tests.postgres_server import create_database, drop_database

STORES = ("memory", "sqlite", "postgres")
DATABASES = ("sqlite", "postgres")
_names = (f"patard_conformance_{os.getpid()}_{n}" for n in itertools.count(1))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with an empty book: copying it takes less time than making it."""
    path = tmp_path_factory.mktemp("template") / "book.db"
    open_book(path, upgrade=True).close()
    return path


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str) -> Iterator[str]:
    """Name of a database with an empty book."""
    name = next(_names)
    open_book(create_database(postgres_url, name), upgrade=True).close()
    yield name
    drop_database(postgres_url, name)


class Grounds:
    """Makes empty places for books, as many as a test wants."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._made: list[Ground] = []
        self._databases: list[str] = []

    def make(self, kind: str) -> Ground:
        ground = Ground(kind, self._address(kind))
        self._made.append(ground)
        return ground

    def _address(self, kind: str) -> str:
        if kind == "sqlite":
            path = self._folder / f"book-{len(self._made)}.db"
            shutil.copyfile(self._request.getfixturevalue("sqlite_template"), path)
            return str(path)
        if kind == "postgres":
            name = next(_names)
            self._databases.append(name)
            template = self._request.getfixturevalue("postgres_template")
            return create_database(self._request.getfixturevalue("postgres_url"), name, template)
        return "memory:"

    def close(self) -> None:
        for ground in self._made:
            ground.close()
        for name in self._databases:
            drop_database(self._request.getfixturevalue("postgres_url"), name)


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
