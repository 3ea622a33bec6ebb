"""Sixty-four callers, one transaction each, through the writer; the floor is the same book in batches of 1,000."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from benchmarks.crowd import furnish, payments, post_all
from benchmarks.figures import measure
from ledger.core.opening import open_book
from ledger.core.writer import for_book

CALLERS, EACH = 64, 100


def test_callers(benchmark: Any, tmp_path: Path) -> None:
    book = open_book(tmp_path / "book.db", upgrade=True)
    numbers = furnish(book)
    rounds = 7
    many = iter([payments(numbers, CALLERS * EACH) for _ in range(2 * (rounds + 1))])
    with for_book(book) as writer:

        def call() -> int:
            todo = iter(next(many))

            async def everything() -> None:
                async def caller() -> None:
                    for transaction in todo:
                        await writer.submit_async(transaction)

                await asyncio.gather(*(caller() for _ in range(CALLERS)))

            asyncio.run(everything())
            return CALLERS * EACH

        measure(benchmark, "callers/64", "sqlite", call, lambda: post_all(book, next(many), 1_000), rounds=rounds)
    book.close()
