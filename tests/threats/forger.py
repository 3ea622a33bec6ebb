"""An attacker with every right on the database: a book rewritten so that hashes, root, balances and pointers are right.

The records are taken out, changed, and put through the rules into a new book, keeping place, time and salt of each; its
log, transfers, accounts and head then take the place of those in the database, with the triggers dropped and made
again. Rows of other tables are changed in plain SQL.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pysqlite3

from ledger.core import record
from ledger.core.model import Instruction
from ledger.core.opening import open_book
from ledger.core.record import Record
from ledger.core.replay import replay
from ledger.currency.town import Town

BOOK = ("log", "transfer", "account", "head")


class Forger:
    """Rewrites the SQLite book of one town."""

    def __init__(self, town: Town, book: Path) -> None:
        self.town = town
        self.book = book

    def records(self) -> list[Record]:
        """The records as they stand."""
        with self.town.book.store.reading() as store:
            return [record.parse(row.record) for row in store.log(0, 1_000_000)]

    def find(self, wanted: Callable[[Instruction], bool]) -> int:
        """The place (from 0) of the last record of which `wanted` holds."""
        [*_, last] = [place for place, one in enumerate(self.records()) if wanted(one.instruction)]
        return last

    def rewrite(self, records: Sequence[Record]) -> None:
        """Make these the log: everything beside them is computed anew, as if they had been posted."""
        data = [record.encode(one.instruction, seq, one.at, one.salt.hex()) for seq, one in enumerate(records, 1)]
        with tempfile.TemporaryDirectory() as folder:
            made = open_book(Path(folder) / "forged.db", upgrade=True)
            replay(data, made.store)
            made.close()
            self._take_over(Path(folder) / "forged.db")

    def replace(self, place: int, instruction: Instruction, **more: Any) -> None:
        """Put another instruction in the place of one; `more` changes its time or salt."""
        records = self.records()
        records[place] = records[place]._replace(instruction=instruction, **more)
        self.rewrite(records)

    def append(self, *instructions: Instruction) -> None:
        """Add entries at the end, as the engine would."""
        records = self.records()
        for number, instruction in enumerate(instructions, 1):
            salt = self.town.book.entropy(16)
            records.append(Record(len(records) + 1, records[-1].at + number, salt, instruction))
        self.rewrite(records)

    def sql(self, statement: str, *values: Any) -> None:
        """Change rows of any table, past every trigger and key."""
        with _Opened(self.book) as connection:
            connection.execute(statement, values)

    def without_triggers(self) -> None:
        """Drop what keeps the log as it is."""
        with _Opened(self.book) as connection:
            connection.triggers.clear()

    def _take_over(self, forged: Path) -> None:
        with _Opened(self.book, forged) as connection:
            for table in BOOK:
                connection.execute(f"DELETE FROM main.{table}")
                connection.execute(f"INSERT INTO main.{table} SELECT * FROM forged.{table}")


class _Opened:
    """A connection that no trigger and no key holds back; the triggers are made again at its end."""

    def __init__(self, book: Path, forged: Path | None = None) -> None:
        self._connection = pysqlite3.connect(str(book), isolation_level=None)
        self._connection.execute("PRAGMA foreign_keys = OFF")
        if forged is not None:
            self._connection.execute("ATTACH ? AS forged", (str(forged),))
        self.triggers: dict[str, str] = {}

    def __enter__(self) -> _Opened:
        self.execute("BEGIN IMMEDIATE")
        found = self._connection.execute("SELECT name, sql FROM main.sqlite_schema WHERE type = 'trigger'").fetchall()
        self.triggers = dict(found)
        for name in self.triggers:
            self.execute(f"DROP TRIGGER main.{name}")
        return self

    def __exit__(self, *_: object) -> None:
        for sql in self.triggers.values():
            self.execute(sql)
        self.execute("COMMIT")
        self._connection.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> None:
        self._connection.execute(statement, values)
