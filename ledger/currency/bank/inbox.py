"""A folder into which the bank's files are put: each is taken once, and moved to `taken` or `refused`.

A refused file lies beside a text that says why. A file that is still being written is left for the next look: it is
taken when its size and time have stood still for a while.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from ledger.currency.bank import booking, taking
from ledger.currency.bank.booking import Booked
from ledger.currency.bank.formats.read import read_file
from ledger.currency.bank.mandates.rejecting import KIND as DEBITS
from ledger.currency.bank.payouts import answers
from ledger.currency.bank.payouts.index import REJECTED
from ledger.currency.bank.statement import Statement, StatementError
from ledger.currency.conversion import CONSOLE
from ledger.currency.town import Town

FOLDER = "inbox"
SECONDS = 5.0
"""Between two looks."""
SETTLED = 2.0
"""Seconds for which a file must not have changed."""


class Arrived(NamedTuple):
    """A file that was looked at. `refusal` is None when it was taken."""

    file: str
    refusal: str | None
    booked: Booked


def take_all(town: Town, folder: Path, *, by: str = CONSOLE, settled: float = SETTLED) -> Iterator[Arrived]:
    """Take what lies in `folder`, the oldest statement first, and book. Gives each file with what became of it."""
    good: list[tuple[date, Path, list[Statement]]] = []
    for path in _files(folder, settled):
        try:
            if (report := answers.read_file(path)) is not None:
                yield _answered(town, path, report, by)
                continue
            statements = read_file(path)
        except StatementError as error:
            yield _refuse(path, error)
        else:
            good.append((min(statement.first for statement in statements), path, statements))
    for _first, path, statements in sorted(good, key=lambda item: (item[0], item[1].name)):
        try:
            taking.take(town, statements, file=path.name, by=by)
        except StatementError as error:
            yield _refuse(path, error)
            continue
        booked = booking.book(town, by=by)
        # Moved last: a run that is stopped before takes the file again, which changes nothing.
        _move(path, "taken")
        yield Arrived(path.name, None, booked)


def _files(folder: Path, settled: float) -> list[Path]:
    now = time.time()
    return sorted(
        path
        for path in folder.iterdir()
        if path.is_file() and not path.name.startswith(".") and now - path.stat().st_mtime >= settled
    )


def _answered(town: Town, path: Path, report: answers.Report, by: str) -> Arrived:
    """Take the bank's answer to a file of payouts; what a person has to see to stands beside it."""
    done = answers.take(town, report, by=by)
    kinds = {REJECTED: len(done.undone), DEBITS: len(done.debits)}
    booked = Booked({kind: count for kind, count in kinds.items() if count}, [])
    told = "\n".join(f"{one.reference}: {one.detail}" for one in done.left)
    moved = _move(path, "refused" if told else "taken")
    if told:
        moved.with_name(f"{moved.name}.txt").write_text(f"{told}\n", encoding="utf-8")
    return Arrived(path.name, told or None, booked)


def _refuse(path: Path, error: StatementError) -> Arrived:
    moved = _move(path, "refused")
    moved.with_name(f"{moved.name}.txt").write_text(f"{error.code}: {error}\n", encoding="utf-8")
    return Arrived(path.name, str(error), Booked({}, []))


def _move(path: Path, into: str) -> Path:
    """Move a file into a folder beside it; another of the same name there stays."""
    folder = path.parent / into
    folder.mkdir(exist_ok=True)
    target, count = folder / path.name, 1
    while target.exists():
        count += 1
        target = folder / f"{path.stem}-{count}{path.suffix}"
    return path.rename(target)
