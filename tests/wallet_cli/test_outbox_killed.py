"""Wallet commands at once, and wallets that are killed anywhere: each code is paid once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.home import found_home
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, cast, serving, unmoved
from tests.wallet_cli.conftest import PASSPHRASE, Run, balance, bill, counter, invite, payments
from tests.wallet_cli.crashing import DIED, POINTS
from tests.wallet_cli.test_outbox import waiting
from wallet_cli import files, outbox
from wallet_cli.errors import Exit

ROOT = Path(__file__).resolve().parents[2]


# --- two commands at once --------------------------------------------------------------------------------


def test_a_second_command_waits_and_then_says_who_holds_the_wallet(
    wallet: Run, town: Town, people: Cast, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files.locked.__wrapped__, "__defaults__", (0.2,))  # type: ignore[attr-defined]
    with files.locked(tmp_path / "alice"):
        ran = wallet("pay", bill(town, people), "--yes", "--json")
        assert (ran.code, ran.error["code"]) == (Exit.LOCKED, "wallet_locked")
        assert str(os.getpid()) in ran.error["message"]
        assert wallet("balance").code == 0  # reading needs no lock
    assert payments(town, people.alice) == 0


def test_a_double_tap_pays_once(wallet: Run, town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two commands typed at the same moment for one lasting code: the second finds what the first did meanwhile."""
    started = time.time()
    command = ("pay", counter(town, people), "--amount", "3", "--yes", "--json")
    assert wallet(*command).code == 0
    check = outbox.check_new
    monkeypatch.setattr(outbox, "check_new", lambda home, settings, order, _: check(home, settings, order, started))
    with unmoved(town):
        ran = wallet(*command)
    assert (ran.code, ran.error["code"]) == (Exit.ALREADY_PAID, "already_paid")


# --- kill -9 ---------------------------------------------------------------------------------------------


@pytest.fixture
def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Town, Cast, str]]:
    """A town on a real port, and the environment of Alice's wallet."""
    town = found_home(tmp_path / "town", towns.charter())
    people = cast(town)
    for name, value in (("WALLET_HOME", str(tmp_path / "alice")), ("WALLET_PASSPHRASE", PASSPHRASE)):
        monkeypatch.setenv(name, value)
    with serving(town) as url:
        ran = process(
            "wallet_cli", "join", invite(town, people.alice.party, "member"), "--server", url, "--no-passphrase"
        )
        assert ran.returncode == 0, ran
        yield town, people, url
    town.book.close()


def process(module: str, *args: str) -> subprocess.CompletedProcess[str]:
    """A wallet command in a process of its own."""
    start = "import sys; from wallet_cli.main import main; main()"
    head = ["-c", start] if module == "wallet_cli" else ["-m", module]
    return subprocess.run([sys.executable, *head, *args], cwd=ROOT, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("kind", ["one_time", "static"])
def test_a_wallet_that_dies_anywhere(street: tuple[Town, Cast, str], tmp_path: Path, point: str, kind: str) -> None:
    town, people, _url = street
    text = bill(town, people, 300) if kind == "one_time" else counter(town, people)
    command = ("pay", text, "--yes", "--json", *(() if kind == "one_time" else ("--amount", "3")))
    died = process("tests.wallet_cli.crashing", point, *command)
    assert died.returncode == DIED, died
    was_signed = point not in ("before_keep", "half_kept")
    assert payments(town, people.alice) == (1 if point in ("sent", "answered", "marked", "told") else 0)

    ran = process("wallet_cli", *command)
    assert ran.returncode == 0, ran
    assert json.loads(ran.stdout)["earlier"] is was_signed
    assert payments(town, people.alice) == 1
    assert balance(town, people.alice) == 99_700
    assert waiting(tmp_path) == []
    again = process("wallet_cli", "outbox", "settle")
    assert again.returncode == 0
    assert payments(town, people.alice) == 1


def test_many_commands_at_once_pay_each_code_once(street: tuple[Town, Cast, str], tmp_path: Path) -> None:
    """Three codes, each paid by three commands, all at once."""
    town, people, _url = street
    texts = [bill(town, people, cents) for cents in (100, 200, 300)]
    results: list[subprocess.CompletedProcess[str]] = []
    threads = [
        threading.Thread(target=lambda text=text: results.append(process("wallet_cli", "pay", text, "--yes", "--json")))
        for text in texts * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    codes = [ran.returncode for ran in results]
    assert codes.count(0) >= 3
    assert set(codes) <= {0, Exit.ALREADY_PAID, Exit.LOCKED}, [ran.stderr for ran in results]
    assert payments(town, people.alice) == 3
    assert balance(town, people.alice) == 100_000 - 600
