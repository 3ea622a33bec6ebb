"""A town, served, that every test of the API may ask for; and the `patard` command."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import cli
from api.commands.console import CONSOLE
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Ran, Run
from tests.served import Cast, Served, cast, served


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency just founded, on SQLite."""
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    """Alice and Bob with 1,000.00 each, a shop with a till, the office."""
    return cast(town)


@pytest.fixture
def api(town: Town, people: Cast) -> Iterator[Served]:
    """The town's API, with the cast in it."""
    with served(town) as found:
        yield found


class Keyboard(io.StringIO):
    """What somebody types at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process, with a home of its own; --json unless told otherwise."""
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PATARD_DATABASE_URL", raising=False)

    def runner(*args: str, plain: bool = False, typed: str = "", terminal: bool = False) -> Ran:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", Keyboard(typed) if terminal else io.StringIO(typed))
        code = cli.run([*args] if plain else [*args, "--json"])
        CONSOLE.as_json = False
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return runner
