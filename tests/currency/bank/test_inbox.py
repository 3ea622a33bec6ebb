"""The folder into which files are put: each is taken once, in the order of its days, or lies beside the reason."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from ledger.currency.bank import booking, taking
from ledger.currency.bank.inbox import take_all
from ledger.currency.town import Town
from tests.api.test_bank import camt
from tests.currency.bank.scene import balances, opened

FIRST, SECOND = date(2025, 6, 11), date(2025, 6, 12)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def test_files_are_taken_in_the_order_of_their_days(town: Town, inbox: Path) -> None:
    (inbox / "a.xml").write_bytes(camt((300, "x"), opening=200, day=SECOND))
    (inbox / "b.xml").write_bytes(camt((200, "y"), day=FIRST))
    (inbox / "c.xml").write_bytes(b"<html>")
    (inbox / ".d.xml").write_bytes(b"half a file")
    told = {one.file: one.refusal for one in take_all(town, inbox, settled=0)}
    assert told.pop("c.xml") and told == {"a.xml": None, "b.xml": None}
    assert balances(town)["suspense"] == 500
    assert sorted(path.name for path in (inbox / "taken").iterdir()) == ["a.xml", "b.xml"]
    refused = {path.name: path.read_text() for path in (inbox / "refused").iterdir()}
    assert refused["c.xml.txt"].startswith("statement_format_unknown: ")
    assert [path.name for path in inbox.iterdir() if path.is_file()] == [".d.xml"]
    assert not list(take_all(town, inbox, settled=0))


def test_the_same_name_again_replaces_nothing(town: Town, inbox: Path) -> None:
    for day, opening in ((FIRST, 0), (SECOND, 100)):
        (inbox / "releve.xml").write_bytes(camt((100, "x"), opening=opening, day=day))
        assert [one.refusal for one in take_all(town, inbox, settled=0)] == [None]
    assert sorted(path.name for path in (inbox / "taken").iterdir()) == ["releve-2.xml", "releve.xml"]


def test_a_file_that_is_still_written_is_left(town: Town, inbox: Path) -> None:
    (inbox / "a.xml").write_bytes(camt((100, "x"), day=FIRST)[:200])
    assert not list(take_all(town, inbox))
    (inbox / "a.xml").write_bytes(camt((100, "x"), day=FIRST))
    old = time.time() - 60
    os.utime(inbox / "a.xml", (old, old))
    assert [one.refusal for one in take_all(town, inbox)] == [None]


def test_a_run_that_stopped_before_it_moved_the_file(town: Town, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (inbox / "a.xml").write_bytes(camt((100, "x"), day=FIRST))
    with monkeypatch.context() as patch:
        patch.setattr(booking, "book", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            list(take_all(town, inbox, settled=0))
    assert (inbox / "a.xml").exists() and booking.waiting(town) == 1
    assert [one.refusal for one in take_all(town, inbox, settled=0)] == [None]
    assert balances(town)["suspense"] == 100
    assert len(taking.statements(town)) == 1
