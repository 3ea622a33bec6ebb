"""Towns with accounts to show, and the programs that judge them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from ledger.currency.town import Town
from tests import towns
from tests.currency.accounts import scene

CHECKERS = Path(sys.prefix) / "checkers"
OPEN_CHECK = """
import sys
from pathlib import Path
from typing import NoReturn
from accounting_fr.fec_check import check_fec
report = check_fec(Path(sys.argv[1]).read_bytes(), Path(sys.argv[1]).name)
print(*report.errors, *report.warnings, sep="\\n")
sys.exit(not report.stats if report.ok else 1)
"""
Judge = Callable[[Path], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency just founded, with a SIREN."""
    made = towns.found(tmp_path / "home", scene.charter())
    yield made
    made.book.close()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """A town in which everything happened, in 2025 and again in 2026. Tests of a module share it and change nothing."""
    made = towns.found(tmp_path_factory.mktemp("busy") / "home", scene.charter())
    alice, shop = scene.cast(made)
    scene.moved_in(made, alice)
    scene.live(made, alice, shop)
    scene.days(made, 250)
    scene.live(made, alice, shop, "B")
    scene.days(made, 40)
    towns.pay(made, alice, shop, 300)
    yield made
    made.book.close()


def _missing(what: str) -> NoReturn:
    message = f"{what} is missing: `make checkers` gets it where it can"
    if os.environ.get("PATARD_REQUIRE_CHECKERS") == "1":
        pytest.fail(message)
    pytest.skip(message)


@pytest.fixture(scope="session")
def hledger() -> Judge:
    """`hledger check --strict ordereddates`, where no language is set. Skipped without it, unless
    PATARD_REQUIRE_CHECKERS=1.
    """
    found = shutil.which("hledger")
    if found is None:
        _missing("hledger")
    env = _without_language()
    return lambda file: subprocess.run(
        [found, "-f", file, "check", "--strict", "ordereddates"], capture_output=True, text=True, env=env
    )


@pytest.fixture(scope="session")
def ledger_cli() -> Judge:
    """`ledger --pedantic balance`, with what it says against the journal alone. It may be missing, as hledger may."""
    found = shutil.which("ledger")
    if found is None:
        _missing("ledger-cli")

    def judge(file: Path) -> subprocess.CompletedProcess[str]:
        command = [found, "--init-file", "/dev/null", "-f", str(file), "--pedantic", "balance"]
        done = subprocess.run(command, capture_output=True, text=True, env=_without_language())
        return subprocess.CompletedProcess(command, done.returncode or int(bool(done.stderr)), "", done.stderr)

    return judge


def _without_language() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith("LC_") and key != "LANG"}


@pytest.fixture(scope="session")
def bean_check() -> Judge:
    """beancount's `bean-check`."""
    program = Path(sys.executable).with_name("bean-check")
    return lambda file: subprocess.run([program, "--no-cache", file], capture_output=True, text=True)


@pytest.fixture(scope="session")
def open_check() -> Judge:
    """Somebody else's check of FEC files; it ends with 1 and says what is wrong, or with 0. It may be missing too."""
    if not (CHECKERS / "accounting_fr").is_dir():
        _missing("the check of FEC files")
    env = {**os.environ, "PYTHONPATH": str(CHECKERS)}
    return lambda file: subprocess.run(
        [sys.executable, "-c", OPEN_CHECK, str(file)], capture_output=True, text=True, env=env
    )
