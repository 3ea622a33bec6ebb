"""A small honest book with everything in it that a log can hold, and ways to damage a copy of it."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pysqlite3

from ledger.core.book import Book
from ledger.core.check import Report, check
from ledger.core.model import Account, Closing, Instruction, Note, Opening, Posted, Side, Transaction, Transfer
from ledger.core.schema import upgrade
from ledger.core.sqlite import SqliteStore, open_engine
from ledger.core.store import Store

BANK, GUARANTEE, CIRCULATION, FULL, GONE = 1001, 1002, 1003, 1004, 1005
HOLDERS = (2001, 2002, 2003)
START = 1_760_000_000_000_000
"""The clock of the small book begins here, in microseconds."""


def named(n: int) -> bytes:
    """The id of the nth instruction of a test."""
    return n.to_bytes(16)


def ordinary(store: Store) -> Book:
    """A book over `store` whose clock and salts are the same in every run."""
    ticks = itertools.count(START, 1_000)
    return Book(store, clock=lambda: next(ticks), entropy=random.Random(7).randbytes)


def small_book_batches() -> list[list[Instruction]]:
    """Openings, cover, conversions, payments, corrections in parts, notes, a closing, many legs, dates, evidence."""
    ids = (named(n) for n in itertools.count(1))
    day = date(2026, 3, 1)
    a, b, c = HOLDERS

    def pay(debit: int, credit: int, cents: int, **more: Any) -> Transaction:
        return Transaction(next(ids), "payment", (Transfer(debit, credit, cents, "PAT"),), **more)

    def convert(holder: int, cents: int) -> Transaction:
        legs = (Transfer(CIRCULATION, holder, cents, "PAT"), Transfer(BANK, GUARANTEE, cents, "EUR"))
        return Transaction(next(ids), "conversion", legs, day, evidence={"reference": "VIR-1 é", "line": 17})

    batches: list[list[Instruction]] = [
        [
            Opening(next(ids), Account(BANK, "EUR", Side.DEBIT), day, {"name": "bank"}),
            Opening(next(ids), Account(GUARANTEE, "EUR", Side.CREDIT)),
            Opening(next(ids), Account(CIRCULATION, "PAT", Side.DEBIT, floor=0, cover=GUARANTEE)),
            *(Opening(next(ids), Account(holder, "PAT", Side.CREDIT)) for holder in HOLDERS),
            Opening(next(ids), Account(FULL, "PAT", Side.CREDIT, floor=None, ceiling=3_000)),
            Opening(next(ids), Account(GONE, "PAT", Side.CREDIT)),
            Note(next(ids), "charter", {"network": "0a0b0c0d", "version": 1}),
        ],
        [convert(a, 50_000), convert(b, 20_000), pay(a, b, 1_500), pay(a, GONE, 700), pay(GONE, a, 700)],
        [Closing(next(ids), GONE, day, {"why": "left"}), pay(b, c, 2_500, booked_on=day)],
    ]
    first = pay(a, c, 4_000, evidence={"order": "00ff", "key": "aa"})
    batches += [[first], [pay(c, a, 1_000, corrects=first.id)], [pay(c, a, 3_000, corrects=first.id, booked_on=day)]]
    legs = tuple(Transfer(a, FULL, 10 * n, "PAT") for n in range(1, 12))
    batches.append([Transaction(next(ids), "wages", legs), Note(next(ids), "key_added", {"key": "bb"})])
    batches.append([pay(*((a, b) if n % 3 else (b, a)), 100 + n) for n in range(1, 24)])
    return batches


def post_all(book: Book, batches: list[list[Instruction]]) -> None:
    """Post every batch; none of it may be refused."""
    for batch in batches:
        answers = book.post(batch).answers
        assert all(type(answer) is Posted and not answer.replay for answer in answers), answers


def make_small_book(path: Path) -> Path:
    """The small book in a file of its own, all of it in that one file."""
    engine = open_engine(path)
    upgrade(engine)
    book = ordinary(SqliteStore(engine))
    post_all(book, small_book_batches())
    book.close()
    with raw(path) as db:
        db.execute("PRAGMA journal_mode = DELETE")
    return path


@contextmanager
def raw(path: Path) -> Iterator[Any]:
    """The database without any of the engine's care."""
    db = pysqlite3.connect(str(path), isolation_level=None)
    try:
        yield db
    finally:
        db.close()


@contextmanager
def unguarded(path: Path) -> Iterator[Any]:
    """As `raw`, with triggers dropped and constraints off; the triggers come back, so that they tell no tale."""
    with raw(path) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        db.execute("BEGIN")
        for name, _ in triggers:
            db.execute(f"DROP TRIGGER {name}")
        yield db
        for _, sql in triggers:
            try:
                db.execute(sql)
            except pysqlite3.OperationalError:
                pass  # its table or a column of it is gone
        db.execute("COMMIT")


def copy(path: Path, to: Path) -> Path:
    """A copy of a book's file to damage."""
    shutil.copyfile(path, to)
    return to


def checked(path: Path) -> Report:
    """What the independent check says of the book in that file."""
    engine = open_engine(path, read_only=True)
    try:
        return check(engine)
    finally:
        engine.dispose()


def rewrite(db: Any, seq: int, changes: dict[str, Any]) -> None:
    """Change keys of the record of entry `seq`, canonically; a key whose new value is None goes away."""
    (data,) = db.execute("SELECT record FROM log WHERE seq = ?", (seq,)).fetchone()
    body = orjson.loads(data) | changes
    body = {key: value for key, value in body.items() if value is not None}
    db.execute("UPDATE log SET record = ? WHERE seq = ?", (orjson.dumps(body, option=orjson.OPT_SORT_KEYS), seq))
