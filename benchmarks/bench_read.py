"""Reading at ten thousand and at a million transfers: a balance, a statement page of fifty, a balance at a past moment.

Half of the payments go to fifty shops, and theirs are the accounts that are read: each has some hundred entries in the
smaller book, some ten thousand in the larger.

Floors: the same rows fetched by one bare statement each, on a connection that stays open, nothing decoded. For a
past moment the floor is told the place in the log that the engine has to find by itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pysqlite3
import pytest

from benchmarks.books import BATCH, Town, post
from benchmarks.figures import measure
from ledger.core.book import Book, place_at
from ledger.core.opening import open_book

SHOPS = 50
SIZES = {"1e4": 10_000, "1e6": 1_000_000}
PAGE = 50
BALANCE = "SELECT normal * (debits - credits) FROM account WHERE number = ?"
CHAIN = """
WITH RECURSIVE chain(place, n) AS (
    SELECT last, 1 FROM account WHERE number = :number AND last > 0
    UNION ALL
    SELECT CASE WHEN t.debit = :number THEN t.debit_previous ELSE t.credit_previous END AS next, n + 1
    FROM chain c JOIN transfer t ON t.place = c.place WHERE n < :limit AND next > 0
)
SELECT * FROM chain c JOIN transfer t ON t.place = c.place JOIN log l ON l.seq = t.place >> 8
"""
SEEK = """
WITH RECURSIVE seek(place) AS (
    SELECT last FROM account WHERE number = :number
    UNION ALL
    SELECT CASE WHEN t.debit = :number
        THEN CASE WHEN t.debit_jump > :target THEN t.debit_jump ELSE t.debit_previous END
        ELSE CASE WHEN t.credit_jump > :target THEN t.credit_jump ELSE t.credit_previous END END
    FROM seek s JOIN transfer t ON t.place = s.place WHERE s.place > :target
)
SELECT * FROM transfer WHERE place = (SELECT min(place) FROM seek)
"""


class Library:
    """A book of so many transfers, and a bare connection to its file."""

    def __init__(self, path: Path, size: str) -> None:
        self.size, transfers = size, SIZES[size]
        self.book: Book = open_book(path, upgrade=True)
        self.town = Town()
        for batch in self.town.founding():
            post(self.book, batch)
        start = self.book.head()
        while (left := start.seq + transfers - self.book.head().seq) > 0:
            half = min(left, BATCH) // 2
            post(self.book, self.town.payments(half, shops=SHOPS) + self.town.payments(min(left, BATCH) - half))
        self.span = (start.at, self.book.head().at)
        self.bare = pysqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, isolation_level=None)
        self.bare.execute("PRAGMA cache_size = -65536")
        self.asked: list[Any] = []

    def numbers(self, count: int) -> Callable[[], None]:
        """What chooses the accounts of the next round."""

        def choose() -> None:
            self.asked = [random.choice(self.town.holders[:SHOPS]) for _ in range(count)]

        return choose

    def moments(self, count: int) -> Callable[[], None]:
        """What chooses accounts and moments, each with the place that the floor is told."""

        def choose() -> None:
            with self.book.store.reading() as store:
                pairs = [(random.choice(self.town.holders[:SHOPS]), random.randrange(*self.span)) for _ in range(count)]
                self.asked = [(number, at, place_at(store, at)) for number, at in pairs]

        return choose

    def close(self) -> None:
        """Close both."""
        self.book.close()
        self.bare.close()


@pytest.fixture(scope="module", params=SIZES)
def library(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """The book of one size; the larger one takes a minute to write."""
    made = Library(tmp_path_factory.mktemp("read") / "book.db", request.param)
    yield made
    made.close()


def test_balance(benchmark: Any, library: Library) -> None:
    def work() -> int:
        for number in library.asked:
            library.book.balance(number)
        return len(library.asked)

    def floor() -> int:
        for number in library.asked:
            library.bare.execute(BALANCE, (number,)).fetchall()
        return len(library.asked)

    measure(benchmark, f"balance/{library.size}", "sqlite", work, floor, prepare=library.numbers(2_000))


def test_page(benchmark: Any, library: Library) -> None:
    def work() -> int:
        for number in library.asked:
            library.book.statement(number, limit=PAGE)
        return len(library.asked)

    def floor() -> int:
        for number in library.asked:
            library.bare.execute(CHAIN, {"number": number, "limit": PAGE}).fetchall()
        return len(library.asked)

    measure(benchmark, f"page/{library.size}", "sqlite", work, floor, prepare=library.numbers(300))


def test_past_balance(benchmark: Any, library: Library) -> None:
    def work() -> int:
        for number, at, _ in library.asked:
            library.book.balance(number, at)
        return len(library.asked)

    def floor() -> int:
        for number, _, place in library.asked:
            library.bare.execute(SEEK, {"number": number, "target": place}).fetchall()
        return len(library.asked)

    measure(benchmark, f"past_balance/{library.size}", "sqlite", work, floor, prepare=library.moments(500))
