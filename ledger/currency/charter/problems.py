"""What is wrong with a charter: every problem at once, each with its line and what to write instead."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing to mend. ``line`` counts from 1; None where no line is at fault (a key is missing)."""

    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{place}{self.key}: {self.reason}" if self.key else f"{place}{self.reason}"


class CharterError(ValueError):
    """A charter that cannot be used: where it came from, and all its problems in the order of their lines."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0)))
        count = "1 thing" if len(problems) == 1 else f"{len(problems)} things"
        super().__init__("\n  ".join([f"{source}: {count} to mend", *map(str, self.problems)]))
