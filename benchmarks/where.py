"""Where the time of posting goes: microseconds of processor time for each transfer, by stage.

    .venv/bin/python -m benchmarks.where

Beside it the sketch (`sketch`) over the same sizes. Processor time, the least of several rounds: what a busy machine
or a slow disk adds is not in it, nor is the wait for the disk.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.books import HOLDERS, Town, in_batches, post
from benchmarks.sketch import Sketch
from ledger.core import rules, sqlite
from ledger.core.opening import open_book

SIZES = {1: 500, 100: 10_000, 1_000: 20_000, 8_190: 40_950}
ROUNDS = 5
STAGES: tuple[tuple[str, Any, str], ...] = (
    ("look ids up", sqlite.SqliteReading, "posted"),
    ("accounts", sqlite.SqliteWriting, "batch_accounts"),
    ("rules", rules, "fold"),
    ("write rows", sqlite.SqliteWriting, "write"),
)
spent: dict[str, float] = defaultdict(float)


def _clocked(work: Callable[..., Any], stage: str) -> Callable[..., Any]:
    def clocked(*args: Any, **named: Any) -> Any:
        start = time.thread_time()
        try:
            return work(*args, **named)
        finally:
            spent[stage] += time.thread_time() - start

    return clocked


def main() -> None:
    """Measure and print."""
    for stage, owner, name in STAGES:
        setattr(owner, name, _clocked(getattr(owner, name), stage))
    names = [stage for stage, _, _ in STAGES]
    print(f"{'batch':>6}" + "".join(f"{name:>13}" for name in (*names, "commit, rest", "all", "the sketch")))
    with tempfile.TemporaryDirectory(prefix="where-") as folder:
        book, sketch, town = (
            open_book(Path(folder) / "book.db", upgrade=True),
            Sketch(Path(folder) / "s.db", HOLDERS),
            Town(),
        )
        for batch in town.founding():
            post(book, batch)

        def post_all(batches: list[Any]) -> None:
            for batch in batches:
                post(book, batch)

        def sketch_all(chunks: list[Any]) -> None:
            for chunk in chunks:
                sketch.post(chunk)

        everything, of_the_sketch = _clocked(post_all, "all"), _clocked(sketch_all, "the sketch")
        for size, count in SIZES.items():
            least: dict[str, float] = {}
            for _ in range(ROUNDS):
                batches, made = in_batches(town.payments(count), size), sketch.orders(count)
                gc.collect()
                spent.clear()
                everything(batches)
                of_the_sketch([made[k : k + size] for k in range(0, count, size)])
                spent["commit, rest"] = spent["all"] - sum(spent[name] for name in names)
                for stage, seconds in spent.items():
                    least[stage] = min(least.get(stage, seconds), seconds)
            columns = (*names, "commit, rest", "all", "the sketch")
            print(f"{size:>6}" + "".join(f"{least[stage] / count * 1e6:>13.1f}" for stage in columns))
        book.close()
        sketch.close()


if __name__ == "__main__":
    main()
