"""`patard check` beside an office at work finds nothing: log, tables, files and balances are of one moment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from api.commands import checking
from api.commands.checking import check
from api.home import open_town
from ledger.core.opening import open_book
from ledger.currency.town import Town
from tests.currency.bank.scene import charter
from tests.threats.busy_office import DONE, START, Clock, found

ROOT = Path(__file__).parents[2]
TIMES = 30


@contextmanager
def office(home: Path) -> Iterator[dict[str, Any]]:
    """A process that works on the town in `home`; what it did, once it is over."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.threats.busy_office", str(home), "7"], cwd=ROOT, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    told: dict[str, Any] = {}
    try:
        assert process.stdout.readline() == "ready\n"
        yield told
        out, _ = process.communicate(timeout=120)
        told.update(json.loads(out))
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("store", ["sqlite", "postgres"])
def test_no_false_alarm(
    store: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    home = tmp_path / "home"
    url = request.getfixturevalue("fresh_postgres") if store == "postgres" else None
    found(home, url).book.close()
    monkeypatch.setenv("PATARD_HOME", str(home))
    seen = []
    with office(home) as told:
        for _ in range(TIMES):
            check(notices_too=False)  # what it finds it says, and raises
            book = open_book(url or str(home / "book.db"), read_only=True)
            seen.append(book.head().seq)
            book.close()
    assert told["faults"] == [], told["faults"]
    assert told["done"].keys() >= DONE, told["done"]
    grew = [after - before for before, after in pairwise(seen)]
    assert sum(entries > 0 for entries in grew) > TIMES * 2 // 3, grew
    check(notices_too=False)
    assert capsys.readouterr().err == ""


def test_a_charter_that_changes_at_this_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder's charter is read once the moment is chosen: if it was changed since, another moment is chosen."""
    home = tmp_path / "home"
    found(home).book.close()
    monkeypatch.setenv("PATARD_HOME", str(home))
    opened: list[Any] = []

    def and_change(place: Any, **how: Any) -> Town:
        if not opened:
            (home / "charter.toml").write_text(charter(reconversion_fee_bp=100).dumps("fr"))
            open_town(home, clock=Clock(START + 3_600_000_000)).book.close()  # which notes it in the log
        opened.append(place)
        return open_town(place, **how)

    monkeypatch.setattr(checking, "open_town", and_change)
    check(notices_too=False)
    assert len(opened) == 2
