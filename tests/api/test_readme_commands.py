"""What README says that an association types can be typed in the demo of today, in that order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from api.demo import command as demo
from api.home import Home
from tests.api.command import Run

README = Path(__file__).parents[2] / "README.md"
OTHERWISE = {
    "init": "founds another currency",
    "serve": "goes on until Ctrl-C",
    "import": "a currency that exists already is not at hand",
    "payouts file": "two people have to sign before",
    "accounts close": "names a year, which has to be over and in the book",
}
"""Commands that need what the demo has not, and why."""


def commands() -> list[list[str]]:
    """The lines of README that begin with `patard`, without what is said of them."""
    lines = re.findall(r"^    (patard .+)$", README.read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(re.split(r" {2,}", line)[0])[1:] for line in lines]


def test_what_an_association_types(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = demo.make(Home(tmp_path / "home"), "http://127.0.0.1:8000", demo.told_until(None))
    monkeypatch.chdir(tmp_path)
    Path("releve.xml").write_bytes(made.statement)
    left = set(OTHERWISE)
    done = 0
    for words in commands():
        if skipped := {name for name in OTHERWISE if words[: len(name.split())] == name.split()}:
            left -= skipped
            continue
        ran = run(*words, plain=True)
        assert ran.code == 0, (words, ran.err)
        done += 1
    assert not left and done > 18
    assert Path("debits.xml").exists() and Path("copy.db").exists()
    assert run("check").code == 0 and run("reserve").code == 0
