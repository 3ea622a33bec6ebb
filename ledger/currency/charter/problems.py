"""What is wrong with a charter: every problem at once, each with its line and what to write instead."""

from __future__ import annotations

from typing import NamedTuple

from ledger.currency.told import Told, tell
from ledger.i18n import Translator


class Problem(NamedTuple):
    """One thing to mend. ``line`` counts from 1; None where no line is at fault (a key is missing)."""

    line: int | None
    key: str
    reason: Told

    def __str__(self) -> str:
        return self.told

    @property
    def told(self) -> Told:
        """The problem with its place."""
        reason = tell("{key}: {reason}", key=self.key, reason=self.reason) if self.key else self.reason
        return tell("line {line}: {reason}", line=self.line, reason=reason) if self.line else reason


class CharterError(ValueError):
    """A charter that cannot be used: where it came from, and all its problems in the order of their lines."""

    def __init__(self, source: str, problems: list[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda p: (p.line is None, p.line or 0)))
        many = tell("{source}: {count} things to mend", source=source, count=len(problems))
        self.head = tell("{source}: 1 thing to mend", source=source) if len(problems) == 1 else many
        super().__init__("\n  ".join([self.head, *map(str, self.problems)]))

    def in_words(self, translate: Translator) -> str:
        """All of it in another language."""
        return "\n  ".join(told.in_words(translate) for told in (self.head, *(one.told for one in self.problems)))
