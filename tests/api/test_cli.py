"""The `patard` command: help, languages, and how every command fails: one line, an exit code, never a traceback."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from api.commands import serving
from api.commands.console import _plain, money
from ledger.currency.import_rows import KINDS
from ledger.currency.town import Town
from tests.api.command import PATARD, Run, begun
from tests.towns import BANK


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def test_help_is_quick_and_narrow() -> None:
    run = subprocess.run([PATARD, "--help"], capture_output=True, text=True, env={**os.environ, "PATARD_LANG": "en"})
    assert run.returncode == 0
    assert max(map(len, run.stdout.splitlines())) <= 80
    names = ("sqlalchemy", "fastapi", "rich", "PIL", "psycopg")
    slow = f"import sys, api.cli; print([name for name in {names} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", slow], text=True).strip() == "[]"


def test_the_help_names_the_kinds_that_an_import_takes(run: Run) -> None:
    told = run("import", "--help", plain=True).out.split("--kinds")[1].split("--round")[0]
    assert re.findall(r"[a-z]{3,}", told)[-len(KINDS) :] == list(KINDS)


def test_both_languages(tmp_path: Path) -> None:
    for lang, word in (("fr", "patard init"), ("en", "there is no currency")):
        env = {**os.environ, "PATARD_LANG": lang, "PATARD_HOME": str(tmp_path / "none")}
        ran = subprocess.run([PATARD, "reserve"], capture_output=True, text=True, env=env)
        assert (ran.returncode, ran.stdout) == (3, "")
        assert word in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_french_has_no_english_and_no_gender(tmp_path: Path) -> None:
    env = {**os.environ, "PATARD_LANG": "fr", "PATARD_HOME": str(tmp_path / "home")}
    told = subprocess.run([PATARD, "init"], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stderr
    assert "--bank ou --cash" in told and " or " not in told
    init = [str(PATARD), "init", "--code", "GON", "--name", "La Gonette", "--bank", BANK]
    told = subprocess.run(init, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stdout
    assert "La monnaie La Gonette est fondée dans " in told
    for page in ("--help", "convert --help", "bank suspense place --help"):
        told = subprocess.run([PATARD, *page.split()], capture_output=True, text=True, env=env).stdout
        assert told.startswith("Utilisation")
        assert not re.search(r"Usage|Options:|Arguments:|Commands|Show this|required", told)
    told = subprocess.run([PATARD, "convert", "--foo"], capture_output=True, text=True, env=env).stderr
    assert "L'option --foo n'existe pas." in told
    lost = [str(PATARD), "party", "close", "Nobody"]
    told = subprocess.run(lost, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stderr
    assert "personne ne s'appelle 'Nobody'" in told and "patard party list" in told


def test_a_port_that_is_taken(run: Run, town: Town) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("serve", "demo"):
            ran = run(command, "--port", port, plain=True)
            assert ran.code == 3 and port in ran.err and len(ran.err.splitlines()) == 1
    assert run("serve", "--port", "99999", plain=True).code == 3


def test_another_port_than_that_of_the_codes_is_told(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "run", lambda *args: None)
    monkeypatch.setattr(serving, "require_free", lambda *args: None)
    assert run("serve", plain=True).err == ""
    assert "http://127.0.0.1:8000" in run("serve", "--port", "8001", plain=True).err


def test_a_name_alone_shows_the_help(run: Run) -> None:
    for args in ((), ("party",), ("key",)):
        ran = run(*args, plain=True)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == run(*args, "--help", plain=True).out


def test_wrong_usage_is_one_line(run: Run) -> None:
    for args in (
        ("bogus",),
        ("--bogus",),
        ("party",),
        ("convert", "--amount"),
        ("serve", "--port", "x"),
        ("party", "add", "shop"),
    ):
        ran = run(*args, plain=True)
        assert ran.code == 2, args
        assert args == ("party",) or len(ran.err.splitlines()) == 1, ran.err


def test_a_database_that_does_not_answer(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    for command in ("reserve", "check", "replay"):
        ran = run(command)
        assert ran.code == 3 and "secret" not in ran.err
        assert ran.error["code"] != "internal"
    monkeypatch.setenv("PATARD_DATABASE_URL", "mysql://x/y")
    assert run("reserve").error["code"] == "address_unknown"


def test_what_nobody_foresaw_is_one_line_too(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr("ledger.currency.reserve.report", broken)
    ran = run("reserve")
    assert (ran.code, ran.error["code"]) == (3, "internal") and "surprise" in ran.error["message"]


def test_the_home_can_be_named(run: Run, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_HOME", "elsewhere")
    ran = run("--home", str(tmp_path / "home"), "party", "list")
    assert ran.code == 0 and len(ran.json) == 3


def test_version(run: Run) -> None:
    assert run("--version", plain=True).out.startswith("patard 0.")


def test_what_is_below_nothing_has_a_true_minus(tmp_path: Path) -> None:
    shown = money(-120)
    assert shown[0] == "−" and "-" not in shown
    with (tmp_path / "latin").open("w", encoding="latin-1") as narrow:
        assert _plain(shown, narrow) == shown.replace("−", "-")
