"""Replaying and checking a book of 50,000 transfers; the floor of both is posting them, in batches of 4,000."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crowd import BATCH, furnish, payments, post_all
from benchmarks.figures import measure
from ledger.core.book import Book
from ledger.core.check import check
from ledger.core.model import Instruction
from ledger.core.opening import open_book
from ledger.core.replay import replay

TRANSFERS = 50_000
ROUNDS = 3


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, list[int]]:
    """A book with its payments posted."""
    book = open_book(tmp_path_factory.mktemp("proofs") / "book.db", upgrade=True)
    numbers = furnish(book)
    post_all(book, payments(numbers, TRANSFERS), BATCH)
    return book, numbers


def _posting(folder: Path) -> tuple[Any, list[list[Instruction]]]:
    """Posting as many payments to a fresh book: the floor."""
    other = open_book(folder / "floor.db", upgrade=True)
    numbers = furnish(other)
    todo = [payments(numbers, TRANSFERS) for _ in range(ROUNDS + 1)]
    pieces = iter(todo)
    return (lambda: post_all(other, next(pieces), BATCH)), todo


def test_check(benchmark: Any, made: tuple[Book, list[int]], tmp_path: Path) -> None:
    book, _ = made
    floor, kept = _posting(tmp_path)

    def work() -> int:
        report = check(book.store)
        assert report.ok and report.transfers >= TRANSFERS
        return report.transfers

    measure(benchmark, "check", "sqlite", work, floor, rounds=ROUNDS)
    assert kept


def test_replay(benchmark: Any, made: tuple[Book, list[int]], tmp_path: Path) -> None:
    book, _ = made
    floor, kept = _posting(tmp_path)
    number = count()

    def work() -> int:
        into = open_book(tmp_path / f"replay{next(number)}.db", upgrade=True)
        head = book.head()
        with book.store.reading() as store:
            records = (row.record for start in range(0, head.seq, 5_000) for row in store.log(start, 5_000))
            assert replay(records, into.store) == head
        into.close()
        return head.seq

    measure(benchmark, "replay", "sqlite", work, floor, rounds=ROUNDS)
    assert kept
