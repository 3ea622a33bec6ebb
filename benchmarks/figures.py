"""Figures: a rate beside its floor, measured in turn in one run, kept in `results.json` and shown as a table.

These machines are noisy: a figure alone says little. Each round runs the floor and then the thing itself; the
ratio is the median of the rounds' ratios, the rates are the medians of the rounds' rates.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pysqlite3

RESULTS = Path(__file__).parent / "results.json"


class Figure(NamedTuple):
    """One line of the table. Rates are per second; `ratio` is None where there is no floor."""

    name: str
    store: str
    rate: float
    floor: float | None
    ratio: float | None


FIGURES: list[Figure] = []


def timed(work: Callable[[], int]) -> float:
    """Rate of `work`, which returns how many things it did."""
    start = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - start)


def measure(
    benchmark: Any,
    name: str,
    store: str,
    work: Callable[[], int],
    floor: Callable[[], int] | None = None,
    *,
    prepare: Callable[[], None] | None = None,
    rounds: int = 5,
    warmup: int = 1,
) -> Figure:
    """Measure `work` (returns how many things it did) with `floor` in turn, through pytest-benchmark.

    `prepare` makes what a round needs, before its floor; its time does not count.
    """
    rates: list[float] = []
    floors: list[float] = []

    def before() -> None:
        if prepare is not None:
            prepare()
            gc.collect()
        if floor is not None:
            floors.append(timed(floor))
            gc.collect()

    def once() -> None:
        rates.append(timed(work))

    benchmark.pedantic(once, setup=before, rounds=rounds, warmup_rounds=warmup, iterations=1)
    kept = rates[warmup:]
    kept_floors = floors[warmup:]
    ratio = statistics.median(r / f for r, f in zip(kept, kept_floors, strict=True)) if kept_floors else None
    rate = statistics.median(kept)
    bottom = statistics.median(kept_floors) if kept_floors else None
    return keep(Figure(name, store, rate, bottom, ratio), benchmark)


def keep(figure: Figure, benchmark: Any = None) -> Figure:
    """Put a figure into the table; measured again, it takes the place of the old one."""
    FIGURES[:] = [f for f in FIGURES if (f.name, f.store) != (figure.name, figure.store)]
    FIGURES.append(figure)
    if benchmark is not None:
        benchmark.extra_info.update(figure._asdict())
    return figure


def fdatasync_us(folder: Path) -> float:
    """Median time of one fdatasync of 4 KiB in `folder`, in microseconds."""
    times = []
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        for _ in range(50):
            start = time.perf_counter()
            os.write(file.fileno(), bytes(4096))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e6


def machine() -> str:
    """The machine in one line: what absolute rates depend on."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    except OSError:
        pass
    sync = fdatasync_us(Path(tempfile.gettempdir()))
    return (
        f"{os.cpu_count()} cores ({model}), fdatasync {sync / 1000:.2f} ms, Python {platform.python_version()}, "
        f"SQLite {pysqlite3.sqlite_version}"
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}"


def table(figures: list[Figure]) -> str:
    """The figures as text, 80 columns."""
    lines = [f"{'name':<20} {'store':<9} {'rate/s':>12} {'floor/s':>12} {'ratio':>7}", "-" * 64]
    for f in figures:
        ratio = "" if f.ratio is None else f"{f.ratio:.2f}"
        lines.append(f"{f.name:<20} {f.store:<9} {_number(f.rate):>12} {_number(f.floor):>12} {ratio:>7}")
    return "\n".join(lines)


def write(figures: list[Figure], path: Path = RESULTS) -> None:
    """Keep the figures of this run; those it did not measure stay as they were."""
    old: list[dict[str, Any]] = json.loads(path.read_text()) if path.exists() else []
    new = [{**f._asdict(), "rate": round(f.rate, 1), "floor": f.floor and round(f.floor, 1),
            "ratio": f.ratio and round(f.ratio, 3)} for f in figures]  # fmt: skip
    measured = {(f["name"], f["store"]) for f in new}
    merged = [f for f in old if (f["name"], f["store"]) not in measured] + new
    path.write_text(json.dumps(sorted(merged, key=lambda f: (f["name"], f["store"])), indent=1) + "\n")
