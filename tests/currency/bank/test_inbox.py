"""The folder into which files are put: each is taken once, in the order of its days, or lies beside the reason."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.core.store import StoreError
from ledger.currency.bank import booking, taking
from ledger.currency.bank import inbox as inbox_module
from ledger.currency.bank.formats.read import read_file
from ledger.currency.bank.inbox import Inbox, take_all
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


# One file, whatever it is, stops no other.


def beside(town: Town, inbox: Path) -> dict[str, str | None]:
    """Look at the folder with a good file in it, which is taken whatever else lies there; what became of the others."""
    (inbox / "good.xml").write_bytes(camt((100, "x"), day=FIRST))
    told = {one.file: one.refusal for one in take_all(town, inbox, settled=0)}
    assert told.pop("good.xml") is None
    assert balances(town)["suspense"] >= 100 and (inbox / "taken" / "good.xml").exists()
    return told


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-20", "1999-12-31", "2101-01-01", "9999-12-31"])
def test_a_day_that_is_none_of_a_bank(town: Town, inbox: Path, day: str) -> None:
    data = camt((300, "y"), day=SECOND).replace(str(SECOND).encode(), day.encode())
    (inbox / "a.xml").write_bytes(data)
    assert beside(town, inbox).keys() == {"a.xml"}
    why = (inbox / "refused" / "a.xml.txt").read_text()
    assert why.startswith("statement_unreadable: line ") and day in why


@pytest.mark.parametrize("error", [ZeroDivisionError("odd"), OverflowError("\udcff"), RecursionError(), MemoryError()])
@pytest.mark.parametrize("where", ["read_file", "taking.take", "answers.read_file"])
def test_whatever_one_file_raises(
    town: Town, inbox: Path, monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    """No reader is to raise this; one will."""
    module, _, name = f"ledger.currency.bank.inbox.{where}".rpartition(".")
    found: Any = inbox_module if module.endswith("inbox") else getattr(inbox_module, module.rpartition(".")[2])
    whole = getattr(found, name)

    def odd(*given: Any, **more: Any) -> Any:
        if any("a.xml" in str(one) for one in (*given, *more.values())):
            raise error
        return whole(*given, **more)

    monkeypatch.setattr(found, name, odd)
    # One of them holds what no text file can, nor what carries reports of tests about.
    monkeypatch.setattr(inbox_module.LOGGER, "error", lambda *_, **__: None)
    (inbox / "a.xml").write_bytes(camt((300, "y"), day=date(2025, 6, 9)))
    assert beside(town, inbox).keys() == {"a.xml"}
    assert (inbox / "refused" / "a.xml").exists()
    assert f"internal: {type(error).__name__}" in (inbox / "refused" / "a.xml.txt").read_text()


def test_what_is_no_file_stays(town: Town, inbox: Path) -> None:
    (inbox / "a folder").mkdir()
    (inbox / "to nowhere").symlink_to(inbox / "nowhere")
    (inbox / "round").symlink_to(inbox / "round")
    os.mkfifo(inbox / "pipe")
    assert beside(town, inbox) == {}
    assert {path.name for path in inbox.iterdir()} == {"a folder", "to nowhere", "round", "pipe", "taken"}


@pytest.mark.parametrize("name", [b"relev\xe9.xml", b"a\nb\x1b[2J.xml", b"a" * 251 + b".xml", b"\xff" * 8])
@pytest.mark.parametrize("good", [False, True])
def test_names_that_are_no_text(town: Town, inbox: Path, name: bytes, good: bool) -> None:
    data = camt((300, "y"), opening=100, day=SECOND) if good else b"<html>"
    Path(os.fsdecode(os.fsencode(inbox) + b"/" + name)).write_bytes(data)
    [(shown, refusal)] = beside(town, inbox).items()
    assert shown.encode() and shown.isprintable() and (refusal is None) == good
    assert name in os.listdir(os.fsencode(inbox / ("taken" if good else "refused")))
    assert [row.file.isprintable() for row in taking.statements(town)] == [True] * (1 + good)


def test_a_file_that_vanishes_meanwhile(town: Town, inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_file

    def gone(path: Path) -> Any:
        if path.name == "a.xml":
            path.unlink()
        return whole(path)

    monkeypatch.setattr(inbox_module, "read_file", gone)
    (inbox / "a.xml").write_bytes(camt((300, "y"), day=SECOND))
    assert beside(town, inbox) == {}


def test_what_cannot_be_moved_stays_and_is_looked_at_once(town: Town, inbox: Path) -> None:
    """`taken` and `refused` are files here: nothing can be moved into them."""
    (inbox / "taken").write_bytes(b"<html>")
    (inbox / "refused").write_bytes(b"<html>")
    (inbox / "a.xml").write_bytes(camt((100, "x"), day=FIRST))
    watched = Inbox(inbox)
    told = {one.file: one.refusal for one in watched.take_all(town, settled=0)}
    assert told.keys() == {"a.xml", "taken", "refused"}
    assert all(refusal is not None and "cannot be moved" in refusal for refusal in told.values())
    assert balances(town)["suspense"] == 100 and (inbox / "a.xml").exists()
    assert not list(watched.take_all(town, settled=0))
    (inbox / "a.xml").write_bytes(camt((100, "x"), (50, "more"), day=FIRST))
    (inbox / "taken").unlink()
    assert [one.file for one in watched.take_all(town, settled=0)] == ["a.xml"]
    assert balances(town)["suspense"] == 150


@pytest.mark.parametrize("target", [(taking, "take"), (booking, "book")], ids=["taking", "booking"])
def test_a_database_that_is_away_refuses_nothing(
    town: Town, inbox: Path, monkeypatch: pytest.MonkeyPatch, target: tuple[Any, str]
) -> None:
    (inbox / "a.xml").write_bytes(camt((300, "y"), opening=100, day=SECOND))
    (inbox / "b.xml").write_bytes(camt((100, "x"), day=FIRST))
    with monkeypatch.context() as patch:
        patch.setattr(*target, lambda *_, **__: (_ for _ in ()).throw(StoreError("database_busy", "later")))
        with pytest.raises(StoreError):
            list(take_all(town, inbox, settled=0))
    assert sorted(path.name for path in inbox.iterdir()) == ["a.xml", "b.xml"]
    assert [one.refusal for one in take_all(town, inbox, settled=0)] == [None, None]
    assert balances(town)["suspense"] == 400
