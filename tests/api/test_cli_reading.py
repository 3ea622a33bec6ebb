"""Commands that only read: each opens the book so that it cannot write, and the public key is enough for it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from api import home as homes
from api.cli import app
from api.commands import opened
from api.demo import command as demo
from api.demo import town as place
from api.home import Home, HomeError, open_town
from tests.api.command import Run, begun

READING: dict[str, tuple[str, ...]] = {
    "accounts export": ("csv", "--year", "2026"),
    "accounts years": (),
    "backup": ("copy.db",),
    "bank lines": ("--since", "2026-11-01"),
    "bank statements": (),
    "bank suspense list": (),
    "check": ("--notices",),
    "clock": (),
    "key list": (place.SHOP,),
    "mandate collections": (),
    "mandate list": ("--all",),
    "mandate notices": ("--again",),
    "mandate unpaid": (),
    "party iban": (place.SHOP,),
    "party list": ("--all",),
    "payouts list": ("--all",),
    "payouts show": ("1",),
    "reconvert list": (),
    "replay": (),
    "reserve": ("--lines",),
}
"""What reads, and what is typed after it."""
SIGNING = {"code": (place.SHOP, "--png", "code.png")}
"""What writes nothing in the book either, and signs with the currency's key."""
WRITING = {
    "accounts close", "bank import", "bank suspense back", "bank suspense place", "bank watch", "bank withdraw",
    "convert", "demo", "import", "init", "invite", "key revoke", "mandate add", "mandate amount", "mandate collect",
    "mandate end", "mandate reject", "mandate release", "mandate resume", "mandate withdraw", "party add",
    "party close", "payouts file", "payouts order", "payouts reject", "payouts withdraw", "reconvert accept",
    "reconvert refuse", "serve", "unconvert",
}  # fmt: skip
BOOKLESS = {"accounts check"}
"""What looks at a file that may be of any program."""


def commands(one: Any, *words: str) -> Iterator[str]:
    """Every command of the program, as typed."""
    under = getattr(one, "commands", {})
    for name, command in under.items():
        yield from commands(command, *words, name)
    if not under:
        yield " ".join(words)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of a town in which everything happened once."""
    home = tmp_path_factory.mktemp("lived") / "home"
    demo.make(Home(home), "http://127.0.0.1:8000", demo.told_until("2026-11-22"))
    return home


@pytest.fixture(scope="module")
def evidence(lived: Path) -> Path:
    """The same as an auditor gets it: charter, book and the public half of the key."""
    into = lived.with_name("evidence")
    into.mkdir()
    for name in ("charter.toml", "book.db"):
        shutil.copy(lived / name, into / name)
    (into / "currency.pub").write_text(place.key_of("currency").public.hex() + "\n")
    return into


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_of_every_command_is_known_whether_it_writes() -> None:
    kinds = [set(READING), set(SIGNING), WRITING, BOOKLESS]
    assert set(commands(get_command(app))) == set().union(*kinds)
    assert sum(map(len, kinds)) == len(set().union(*kinds))


@pytest.mark.parametrize("command", [*READING, *SIGNING])
def test_what_reads_cannot_write(
    command: str, run: Run, lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a home that could be written too: the book is opened for reading alone, and nothing there changes."""
    monkeypatch.setenv("PATARD_HOME", str(lived))
    monkeypatch.chdir(tmp_path)
    before = files(lived)
    asked: list[bool] = []

    def watched(*args: Any, read_only: bool = False, **more: Any) -> Any:
        asked.append(read_only)
        return open_town(*args, read_only=read_only, **more)

    for module in (opened, homes):
        monkeypatch.setattr(module, "open_town", watched)
    ran = run(*command.split(), *(READING | SIGNING)[command], plain=command == "accounts export")
    assert ran.code == 0 or command == "clock", ran.err  # the clock is not that of the town
    assert all(asked) and files(lived) == before


@pytest.mark.parametrize("command", READING)
def test_the_public_key_is_enough_to_read(
    command: str, run: Run, evidence: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATARD_HOME", str(evidence))
    monkeypatch.chdir(tmp_path)
    before = files(evidence)
    ran = run(*command.split(), *READING[command], plain=command == "accounts export")
    assert ran.code == 0 or command == "clock", ran.err
    assert ran.out or command == "clock"
    assert files(evidence) == before


@pytest.mark.parametrize("words", [("code", place.SHOP), ("party", "add", "person", "Eve"),
                                   ("party", "iban", place.SHOP, "--remove"), ("mandate", "notices")])  # fmt: skip
def test_what_signs_or_writes_needs_the_key(
    words: tuple[str, ...], run: Run, evidence: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATARD_HOME", str(evidence))
    before = files(evidence)
    ran = run(*words)
    assert ran.code in (1, 3) and ran.error["code"] in ("key_absent", "key_missing")
    assert files(evidence) == before


def test_an_account_that_is_new_in_the_charter_is_opened_by_whoever_looks(run: Run, tmp_path: Path) -> None:
    begun(run, tmp_path / "home")
    rules = tmp_path / "home" / "charter.toml"
    rules.write_text(rules.read_text() + '\n[[reserve]]\nname = "Coffre"\nkind = "cash"\n')
    with pytest.raises(HomeError, match="new account"):
        open_town(tmp_path / "home", read_only=True)
    assert run("party", "list").code == 0
    open_town(tmp_path / "home", read_only=True).book.close()
