"""The planted bugs still fit the source: each text stands there exactly once, and the tests that are named exist."""

from __future__ import annotations

import ast
import shlex
from pathlib import Path

import pytest

from tests.bugs import Bug
from tests.planted import BUGS, ROOT


@pytest.mark.parametrize("one", BUGS, ids=[one.name for one in BUGS])
def test_it_can_be_planted(one: Bug) -> None:
    """When this fails, the code has moved on: give the bug in `tests/bugs` the text that stands there now."""
    texts: dict[str, str] = {}
    for name, old, new in one.edits:
        text = texts.setdefault(name, (ROOT / name).read_text())
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {name}"
        assert old != new
        texts[name] = text.replace(old, new)
    for name, text in texts.items():
        if name.endswith(".py"):
            ast.parse(text, name)  # a bug that does not even compile would turn every test red
    paths = [word for word in shlex.split(one.tests) if word.startswith("tests/")]
    assert paths and all((ROOT / path).exists() for path in paths)


def test_no_bug_is_planted_twice() -> None:
    assert len({one.name for one in BUGS}) == len({one.edits for one in BUGS}) == len(BUGS) > 20


def test_make_planted_runs_the_script() -> None:
    assert "-m tests.planted" in Path(ROOT / "Makefile").read_text()
