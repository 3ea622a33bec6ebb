"""The house rules that a program can hold: who imports whom, whose packages these are, how long a module may be."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("ledger", "merchants", "api", "wallet_cli")
MAX_LINES = 400

# All that the wallet may know of the rest: the signed messages, how to write amounts, how to speak to the API
# and to whoever types a command.
WALLET_MAY_IMPORT = (
    "wallet_cli",
    "ledger.core.ids",
    "ledger.currency.bank.mandates.text",
    "ledger.currency.bank.pain",
    "ledger.currency.bank.pain_read",
    "ledger.currency.charter.ibans",
    "ledger.currency.keys",
    "ledger.currency.links",
    "ledger.currency.messages",
    "ledger.currency.money",
    "ledger.currency.proofs",
    "ledger.currency.text",
    "ledger.i18n",
    "merchants.codes",
    "merchants.requests",
    "merchants.screens",
    "api.client",
    "api.usage",
)


def modules(package: str) -> list[Path]:
    """Every Python file of a package."""
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Each import of one of our packages, as (line, dotted name), with what `from a import b` may mean: a or a.b."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.relative_to(ROOT)}:{node.lineno}: imports are absolute here"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            if name.split(".")[0] in PACKAGES:
                yield node.lineno, name


def test_import_contracts_hold() -> None:
    """The contracts stand in pyproject.toml: one direction, an engine without HTTP, a wallet without tables."""
    command = "import sys; from importlinter.cli import lint_imports_command; sys.exit(lint_imports_command())"
    run = subprocess.run(
        [sys.executable, "-c", command, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_imports_are_absolute() -> None:
    for package in PACKAGES:
        for path in modules(package):
            list(imports(path))


def test_the_wallet_imports_only_what_it_may() -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in modules("wallet_cli")
        for line, name in imports(path)
        if not any(name == allowed or name.startswith(allowed + ".") for allowed in WALLET_MAY_IMPORT)
    ]
    assert not strays, "\n".join(strays)


@pytest.mark.parametrize("package", PACKAGES)
def test_each_package_is_ours(package: str) -> None:
    """`api` or `ledger` are names that anybody may take: these must be the ones of this repository."""
    file = importlib.import_module(package).__file__
    assert file is not None
    assert Path(file).resolve() == ROOT / package / "__init__.py"
    assert (ROOT / package / "py.typed").exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_no_module_is_too_long(package: str) -> None:
    lengths = {path.relative_to(ROOT): len(path.read_bytes().splitlines()) for path in modules(package)}
    too_long = {str(path): length for path, length in lengths.items() if length > MAX_LINES}
    assert not too_long, f"split what has more than {MAX_LINES} lines: {too_long}"


# What the log says of a time only counts behind a wrong clock's entry. Whatever has to do with days, hours or ends goes
# by the clock: `clocked.judged` and `Moments`, `clocked.since` in the database, `Story.moment` in the audit.
OF_DAYS = frozenset({"local_date", "local_day_start", "local_time", "log_day"})
OF_THE_LOG = frozenset({"at", "added_at", "closed_at", "ended_at", "fetched_at", "made_at", "revoked_at", "set_at",
                        "signed_at", "withdrawn_at"})  # fmt: skip
BY_THE_CLOCK = {
    "ledger/currency/audit/kinds.py": {"key.revoked_at", "record.at"},  # which came first, in books of before
    "ledger/currency/audit/payouts.py": {"record.at", "one.at"},  # in books of before; a moment
    "ledger/currency/audit/vouching.py": {"record.at"},  # which came first
    "ledger/currency/bank/ahead.py": {"LOG.c.at", "asked.at", "_TYPED.at"},  # a moment; held against `clocked.since`
    "ledger/currency/bank/require.py": {"LOG.c.at"},  # held against `clocked.since`
    "ledger/currency/bank/typed.py": {"_TYPED.at"},  # too many, of which `is_meant` leaves the right ones
    "ledger/currency/caps.py": {"key.added_at"},  # held against `clocked.since`
    "ledger/currency/heads_file.py": {"head.at", "last.at", "fresh[-1].at"},  # thinned: the last of a day is kept
    "ledger/currency/reserve/lines.py": {"LOG.c.at"},  # too many, of which moments leave the right ones
    "ledger/currency/toml_lines.py": {"self.at"},  # a place in a text
    # Kept as it is, or said in a receipt.
    "ledger/currency/clocked.py": {"told.at", "town.book.seen.at", "posted.at"},
    "ledger/currency/conversion.py": {"posted.at"},
    "merchants/desk.py": {"posted.at"},
    # What people are shown, and nothing is judged by.
    "ledger/currency/bank/mandates/collecting.py": {"now.fetched_at"},
    "ledger/currency/bank/payouts/batches.py": {"file.fetched.at"},
    "api/commands/office.py": {"one.at"},
    "api/commands/payouts.py": {"one.at"},
}


def judged_by(path: Path) -> Iterator[str]:
    """Each time of the log by which something in a module is earlier or later, so long ago, or of a day."""
    for node in ast.walk(ast.parse(path.read_bytes(), str(path))):
        parts: list[ast.expr] = []
        if isinstance(node, ast.Compare):
            ordered = any(isinstance(one, ast.Lt | ast.LtE | ast.Gt | ast.GtE) for one in node.ops)
            parts = [node.left, *node.comparators] if ordered else []
        elif isinstance(node, ast.BinOp):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            # What is judged in a commit is handed what was just posted.
            parts = [one for one in node.args if called in OF_DAYS or ast.unparse(one) == "posted.at"]
            parts = [] if called == "rfc3339" else parts
        yield from (ast.unparse(one) for one in parts if isinstance(one, ast.Attribute) and one.attr in OF_THE_LOG)


@pytest.mark.parametrize("package", ["ledger/currency", "merchants", "api"])
def test_nothing_is_judged_by_what_the_log_counts(package: str) -> None:
    found = {str(path.relative_to(ROOT)): set(judged_by(path)) for path in modules(package)}
    allowed = {path: said for path, said in BY_THE_CLOCK.items() if path.startswith(package)}
    assert {path: said for path, said in found.items() if said} == allowed


def tracked_files() -> list[Path]:
    """Every file that is, or is about to be, in the repository."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode != 0:
        pytest.skip("not in a git clone")
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


# Each is put together from two halves, so that this file does not find itself.
FORBIDDEN = {
    "the host of a package index": r"(?:py" r"pi|python" r"hosted|np" r"mjs)\.(?:org|com)\b",
    "the address of a package index": r"--(?:extra-)?index" r"-url|--find" r"-links|--trusted" r"-host",
    "a path of one machine": r"(?<![\w.~}:])/(?:home|ro" r"ot|Users|work|opt)/[A-Za-z]",
}


def test_nothing_tracked_names_an_index_or_a_machine() -> None:
    """A clone must work anywhere: no package index by name, nobody's folders."""
    found = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        for what, pattern in FORBIDDEN.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                found.append(f"{path.relative_to(ROOT)}:{line}: {what}: {match.group()}")
    assert not found, "\n".join(found)


def test_every_requirement_is_pinned_by_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        lines = (line for line in (ROOT / name).read_text().splitlines(keepends=True) if not line.startswith("#"))
        pinned = [block for block in re.split(r"\n(?=[a-z])", "".join(lines)) if block.strip()]
        assert pinned
        for block in pinned:
            assert re.match(
                r"[a-z0-9._-]+(?:\[[a-z,]+\])?==\S+ \\\n(?: +--hash=sha256:[0-9a-f]{64}(?: \\)?\n?)+$", block
            ), block
