"""The planted bugs: a module for each kind, whose `BUGS` are what `tests.planted` tries."""

from __future__ import annotations

import importlib
import pkgutil
from typing import NamedTuple


class Bug(NamedTuple):
    """What is wrong, and which tests ought to see it (arguments of pytest). `edits` are (file, text, instead)."""

    name: str
    tests: str
    edits: tuple[tuple[str, str, str], ...]


def bug(name: str, tests: str, *edit: str) -> Bug:
    """A bug of one substitution or, in threes, several."""
    return Bug(name, tests, tuple((edit[i], edit[i + 1], edit[i + 2]) for i in range(0, len(edit), 3)))


def every() -> tuple[Bug, ...]:
    """All bugs of all modules of this folder, in the order of the modules' names."""
    names = sorted(found.name for found in pkgutil.iter_modules(__path__))
    return tuple(one for name in names for one in importlib.import_module(f"{__name__}.{name}").BUGS)
