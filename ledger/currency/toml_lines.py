"""On which line each key of a TOML text stands.

Python's ``tomllib`` gives the values and forgets where they came from, and a person who is told that an
amount is wrong wants to know on which line. This reads only the shape (keys, headers, where values end) of
a text that ``tomllib`` has already accepted, so it need not judge anything.
"""

from __future__ import annotations

import re
import tomllib
from typing import Final

Path = tuple[str | int, ...]
"""Keys from the top, with the index (from 0) of each array item: ``("reserve", 1, "iban")``."""

_SPACE: Final = re.compile(r"(?:[ \t\n]|#[^\n]*)*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
# A multi-line string may end in one or two quotes of its own, before the three that close it.
_BASIC_LINES: Final = re.compile(r'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"{3,5}')
_LITERAL_LINES: Final = re.compile(r"'''(?:[^']|'(?!''))*'{3,5}")
_SCALAR: Final = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table header and array item of a valid TOML text.

    A dotted key or header gives its line to each of its parts that has none yet.
    """
    return _Reader(text.replace("\r\n", "\n")).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.last_index: dict[Path, int] = {}

    def read(self) -> dict[Path, int]:
        table: Path = ()
        self.space()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self.header()
            else:
                self.pair(table)
            self.space()
        return self.lines

    def header(self) -> Path:
        """Read ``[a.b]`` or ``[[a.b]]``; the path that the keys below it belong to."""
        line = self.line()
        of_array = self.text.startswith("[[", self.at)
        self.at += 2 if of_array else 1
        path: Path = ()
        names = self.key()
        for name in names:
            path = self.entered(path)
            path += (name,)
            self.lines.setdefault(path, line)
        self.at = self.text.index("]", self.at) + (2 if of_array else 1)
        if of_array:
            self.last_index[path] = self.last_index.get(path, -1) + 1
        path = self.entered(path)
        self.lines.setdefault(path, line)
        return path

    def entered(self, path: Path) -> Path:
        """A header that passes through an array of tables means the table that was opened last."""
        return (*path, self.last_index[path]) if path in self.last_index else path

    def pair(self, table: Path) -> None:
        line = self.line()
        path = table
        for name in self.key():
            path += (name,)
            self.lines.setdefault(path, line)
        self.at = self.text.index("=", self.at) + 1
        self.space()
        self.value(path)

    def key(self) -> list[str]:
        names = []
        while True:
            self.space()
            match = self.take(_BARE_KEY, _BASIC, _LITERAL)
            names.append(match if match[0] not in "\"'" else next(iter(tomllib.loads(f"{match} = 0"))))
            self.space()
            if self.text[self.at] != ".":
                return names
            self.at += 1

    def value(self, path: Path) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self.take(_BASIC_LINES, _LITERAL_LINES, _BASIC, _LITERAL)
        elif first == "[":
            self.items(path)
        elif first == "{":
            self.members(path)
        else:
            self.take(_SCALAR)

    def items(self, path: Path) -> None:
        self.at += 1
        index = 0
        self.space()
        while self.text[self.at] != "]":
            self.lines[(*path, index)] = self.line()
            self.value((*path, index))
            index += 1
            self.comma()
        self.at += 1

    def members(self, path: Path) -> None:
        self.at += 1
        self.space()
        while self.text[self.at] != "}":
            self.pair(path)
            self.comma()
        self.at += 1

    def comma(self) -> None:
        self.space()
        if self.text[self.at] == ",":
            self.at += 1
            self.space()

    def take(self, *patterns: re.Pattern[str]) -> str:
        for pattern in patterns:
            if match := pattern.match(self.text, self.at):
                self.at = match.end()
                return match[0]
        raise ValueError(f"line {self.line()} is not TOML")

    def space(self) -> None:
        match = _SPACE.match(self.text, self.at)
        assert match is not None
        self.at = match.end()

    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
