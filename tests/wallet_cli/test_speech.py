"""French first, English when asked for, plain where nobody looks; and quick to start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.currency.errors import ERRORS
from wallet_cli.errors import Exit
from wallet_cli.help import ENVIRONMENT, EXITS
from wallet_cli.words import REASONS

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (
    (), ("join",), ("balance",), ("history",), ("pay",), ("receipt",), ("refund",), ("reconvert",), ("backup",),
    ("restore",), ("keys",), ("keys", "list"), ("keys", "add"), ("keys", "revoke"), ("outbox",), ("outbox", "list"),
    ("outbox", "settle"),
)  # fmt: skip
ENGLISH = (" the ", " of ", " and ", "Usage", "Show this", "Options:", "Commands:", "required", "default", "exit")
FRENCH = (" le ", " la ", " du ", " un ", "Utilisation", "compte", "obligatoire")


def wallet(
    *args: str, home: Path | str = "/nonexistent/wallet", encoding: str = "utf-8", **environ: str
) -> subprocess.CompletedProcess[str]:
    """A wallet command in a process of its own, in a clean environment."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    start = "from wallet_cli.main import main; main()"
    return subprocess.run(
        [sys.executable, "-c", start, *args], cwd=ROOT, capture_output=True, timeout=60, encoding=encoding,
        errors="replace", env=kept | {"WALLET_HOME": str(home)} | environ,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_in_both_languages(command: tuple[str, ...]) -> None:
    french, english = wallet(*command, "--help"), wallet(*command, "--help", PATARD_LANG="en")
    assert french.returncode == english.returncode == 0
    for run, foreign in ((french, ENGLISH), (english, FRENCH)):
        assert not [word for word in foreign if word in run.stdout], run.stdout
        assert max(map(len, run.stdout.splitlines())) <= 80
    assert french.stdout.startswith("Utilisation\u00a0:")


def test_help_tells_every_exit_code_and_variable() -> None:
    shown = wallet("--help", PATARD_LANG="en").stdout
    assert set(EXITS) == set(Exit)
    for code, text in EXITS.items():
        assert f"{int(code):>3}  {text}" in shown
    for name in ENVIRONMENT:
        assert name in shown


def test_errors_in_both_languages() -> None:
    ran = wallet("balance")
    assert (ran.returncode, ran.stdout) == (Exit.NOT_JOINED, "")
    assert "pas encore de portefeuille" in ran.stderr
    assert "no wallet" in wallet("balance", PATARD_LANG="en").stderr
    assert "n'existe pas" in wallet("balence").stderr
    assert "There is no command balence" in wallet("balence", PATARD_LANG="en").stderr
    assert "n'existe pas" in wallet("pay", "--foo", LANG="de_DE.UTF-8").stderr


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_any_terminal_can_hold_it(encoding: str) -> None:
    for command in (("--help",), ("balance",)):
        ran = wallet(*command, encoding=encoding, PYTHONIOENCODING=encoding, PYTHONUTF8="0")
        assert ran.returncode in (0, Exit.NOT_JOINED), ran.stderr
        assert "?" not in ran.stdout + ran.stderr


def test_every_code_that_a_member_can_meet_has_words() -> None:
    """The server's own words, in English, are for what other programs do wrong."""
    met = {
        "account_closed", "account_unknown", "below_floor", "busy", "correction_exceeds", "id_taken", "internal",
        "invites_too_many", "join_code_invalid", "joins_too_many", "key_last", "key_taken", "key_unknown",
        "keys_too_many", "limit_day", "limit_payment",
        "message_malformed", "message_wrong_network", "not_found", "order_expired", "payee_unknown", "rate_limited",
        "reconversion_not_allowed", "request_amount_differs", "request_expired", "request_signature_invalid",
        "role_insufficient", "same_account", "session_missing", "signature_invalid", "store_unavailable",
        "text_malformed",
    }  # fmt: skip
    assert met <= ERRORS.keys()
    assert met <= REASONS.keys()


def imported_by(*args: str) -> set[str]:
    """The modules that a command has loaded when it ends."""
    code = (
        "import sys\n"
        "from wallet_cli.main import run\n"
        f"code = run({list(args)!r})\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60,
        env=os.environ | {"WALLET_HOME": "/nonexistent/wallet"},
    )  # fmt: skip
    return set(ran.stderr.splitlines())


HEAVY = {"PIL", "zxingcpp", "qrcode", "sqlalchemy", "sqlmodel", "fastapi", "numpy"}


def test_help_loads_next_to_nothing() -> None:
    loaded = imported_by("--help")
    assert "typer" in loaded
    assert not loaded & (HEAVY | {"httpx", "rich", "cryptography", "merchants.codes"})


def test_balance_loads_no_pictures(tmp_path: Path) -> None:
    loaded = imported_by("balance")
    assert not loaded & (HEAVY | {"merchants.codes"})


@pytest.mark.parametrize(
    "module", ["paying", "reading", "history", "receipts", "devices", "joining", "safekeeping", "waiting"]
)
def test_no_module_loads_a_table_or_a_picture_reader(module: str) -> None:
    code = f"import sys, wallet_cli.{module}, api.client; print('\\n'.join(sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(ran.stdout.split()) & (HEAVY | {"merchants.codes"})


def test_version() -> None:
    assert wallet("--version").stdout.startswith("wallet ")


def test_nothing_typed_shows_the_help_as_it_is() -> None:
    ran = wallet()
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == wallet("--help").stdout
