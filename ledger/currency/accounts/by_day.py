"""Pieces of a file in the order of their days. They come in the order of the log, in which a day may be long past."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pysqlite3


class Piece(NamedTuple):
    """An entry as text, with the day that it counts for (ISO) and its count of lines."""

    day: str
    lines: int
    text: str


class ByDay:
    """Keeps pieces in a file that goes away with it, so that a year of a million entries needs no memory."""

    def __init__(self) -> None:
        self._kept = pysqlite3.connect("", isolation_level=None)
        self._kept.execute("PRAGMA journal_mode = OFF")
        self._kept.execute("CREATE TABLE piece (n INTEGER PRIMARY KEY, day TEXT, lines INTEGER, text TEXT) STRICT")
        self._kept.execute("BEGIN")

    def add(self, piece: Piece) -> None:
        """Keep one more."""
        self._kept.execute("INSERT INTO piece (day, lines, text) VALUES (?, ?, ?)", piece)

    def __iter__(self) -> Iterator[Piece]:
        """All of them, those of one day in the order in which they came."""
        for row in self._kept.execute("SELECT day, lines, text FROM piece ORDER BY day, n"):
            yield Piece(*row)

    def close(self) -> None:
        """Forget them."""
        self._kept.close()
