"""Posting, durable, in batches: random pairs of ten thousand accounts, and one account in every transfer.

Floors: the bare driver writing the same rows in the same batches (`floors`); `sketch/N` has the sketch of the same
path as its floor (`sketch`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks.books import HOLDERS, Shadow, Town, in_batches, post
from benchmarks.figures import measure
from benchmarks.floors import BarePostgres, BareSqlite, Rows, rows
from benchmarks.sketch import Order, Sketch
from ledger.core.book import Book
from ledger.core.model import Instruction
from ledger.core.opening import open_book

SIZES = {1: 30, 100: 2_000, 1_000: 4_000, 8_190: 8_190}
"""Batch size and transfers a round: many short rounds, so that floor and engine meet the same weather."""
ROUNDS = 13


class Ground:
    """A book and a bare database with the same town in them."""

    def __init__(self, book: Book, bare: BareSqlite | BarePostgres) -> None:
        self.book, self.bare, self.town, self.shadow = book, bare, Town(), Shadow()
        for batch in self.town.founding():
            post(book, batch)
            bare.write(rows(self.shadow.fold(batch)))
        self._batches: list[list[Instruction]] = []
        self._rows: list[Rows] = []

    def prepare(self, size: int, *, hot: bool = False) -> Callable[[], None]:
        """What makes the next round's payments for the book and, of others like them, the rows for the floor."""

        def fill() -> None:
            self._batches = in_batches(self.town.payments(SIZES[size], hot=hot), size)
            others = in_batches(self.town.payments(SIZES[size], hot=hot), size)
            self._rows = [rows(self.shadow.fold(batch)) for batch in others]

        return fill

    def work(self) -> int:
        """Post the round's payments."""
        for batch in self._batches:
            post(self.book, batch)
        return sum(map(len, self._batches))

    def floor(self) -> int:
        """Write the round's rows."""
        for batch in self._rows:
            self.bare.write(batch)
        return sum(len(batch.log) for batch in self._rows)

    def close(self) -> None:
        """Close both."""
        self.book.close()
        self.bare.close()


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """One book for the whole file, as it grows in life."""
    folder = tmp_path_factory.mktemp("post")
    ground = Ground(open_book(folder / "book.db", upgrade=True), BareSqlite(folder / "bare.db"))
    yield ground
    ground.close()


@pytest.fixture(scope="module")
def postgres(two_databases: tuple[str, str]) -> Iterator[Ground]:
    """The same on PostgreSQL."""
    book, bare = two_databases
    ground = Ground(open_book(book, upgrade=True), BarePostgres(bare))
    yield ground
    ground.close()


@pytest.mark.parametrize("size", SIZES)
def test_sqlite(benchmark: Any, sqlite: Ground, size: int) -> None:
    measure(benchmark, f"post/{size}", "sqlite", sqlite.work, sqlite.floor, prepare=sqlite.prepare(size), rounds=ROUNDS)


def test_sqlite_hot(benchmark: Any, sqlite: Ground) -> None:
    measure(
        benchmark,
        "hot/8190",
        "sqlite",
        sqlite.work,
        sqlite.floor,
        prepare=sqlite.prepare(8_190, hot=True),
        rounds=ROUNDS,
    )


@pytest.mark.parametrize("size", SIZES)
def test_postgres(benchmark: Any, postgres: Ground, size: int) -> None:
    measure(
        benchmark,
        f"post/{size}",
        "postgres",
        postgres.work,
        postgres.floor,
        prepare=postgres.prepare(size),
        rounds=ROUNDS,
    )


def test_postgres_hot(benchmark: Any, postgres: Ground) -> None:
    measure(benchmark, "hot/8190", "postgres", postgres.work, postgres.floor, prepare=postgres.prepare(8_190, hot=True))


@pytest.mark.parametrize("size", SIZES)
def test_beside_the_sketch(benchmark: Any, sqlite: Ground, tmp_path: Path, size: int) -> None:
    sketch = Sketch(tmp_path / "sketch.db", HOLDERS)
    orders: list[list[Order]] = []
    fill = sqlite.prepare(size)

    def prepare() -> None:
        fill()
        made = sketch.orders(SIZES[size])
        orders[:] = [made[k : k + size] for k in range(0, len(made), size)]

    def floor() -> int:
        for some in orders:
            sketch.post(some)
        return SIZES[size]

    measure(benchmark, f"sketch/{size}", "sqlite", sqlite.work, floor, prepare=prepare, rounds=ROUNDS)
    sketch.close()
