"""The table of errors is the truth: what is raised is in it, what is in it is raised, and each was seen over HTTP."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.refusals import CODES
from ledger.currency.errors import ERRORS
from tests.served import Served

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("ledger", "merchants", "api")

# Where a code stands in what is written: the position of the argument.
RAISED = {
    "CurrencyError": 0, "MessageError": 0, "RequestError": 0, "KeyRefused": 0, "RateLimited": 0, "Malformed": 0,
    "TooMuch": 0, "StatementError": 0, "AccountNumberError": 0, "problem": 0, "Refused": 1, "IbanWrong": 1,
}  # fmt: skip
# Errors whose codes never leave through the API: they are for whoever works at the machine.
LOCAL = {"HomeError", "FileRefused", "ImportRefused"}

NOT_OVER_HTTP = {
    "payout_rejection_waits": "of an answer of the bank that is handed in at the machine",
    "kind_malformed": "kinds are ours", "date_malformed": "the body's reader makes a date of it",
    "id_malformed": "an id that is no UUIDv7 is reserved, and that is said first",
    "account_malformed": "so with account numbers", "unit_malformed": "an order with such a unit is malformed itself",
    "bounds_malformed": "accounts are opened by us", "transfers_malformed": "transactions are made by us",
    "evidence_malformed": "and so is their evidence", "account_exists": "numbers follow from ids",
    "account_unknown": "payer and payee are looked up before", "cover_chained": "the chart has one cover",
    "above_ceiling": "no account of the currency has one", "total_too_large": "2^62 cents",
    "not_covered": "the desk lets nobody try", "amount_malformed": "the body's reader says it first",
    "party_ambiguous": "paths hold account numbers, not names", "link_malformed": "links are read by wallets",
    "conversion_uneven": "corrections of conversions are made at the machine",
    "opening_taken": "books are moved in at the machine", "opening_banked": "and so is the reserve",
    **dict.fromkeys(
        ("accounts_numbers", "period_unknown", "period_not_over", "period_earlier_open", "period_differs"),
        "accounts are made at the machine",
    ),
    "statement_too_large": "the body's bound says it first",
    "account_check_wrong": "a mistyped account is as unknown as any",
    "charter_kind_changed": "a charter is taken in where a program begins",
    "statement_account_moved": "a charter that says so is taken in at the machine, and so are its statements mostly",
}  # fmt: skip


def _trees() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            yield path, ast.parse(path.read_bytes(), str(path))


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _texts(node: ast.expr) -> Iterator[str]:
    """The texts that an expression may be."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _codes(path: Path, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Every code that a module names where it raises, answers or refuses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            position = RAISED.get(_name(node.func))
            if position is not None and len(node.args) > position:
                for code in _texts(node.args[position]):
                    yield code, node.lineno
        elif isinstance(node, ast.ClassDef) and {_name(base) for base in node.bases} & {*RAISED, "ValueError"}:
            for part in ast.walk(node):
                if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute) and part.func.attr == "__init__":
                    for argument in part.args[:1]:
                        yield from ((text, node.lineno) for text in _texts(argument) if text in ERRORS)
                elif isinstance(part, ast.Assign) and _name(part.targets[0]) == "code":
                    yield from ((text, node.lineno) for text in _texts(part.value))
        elif isinstance(node, ast.Assign) and _name(node.targets[0]) == "code":
            yield from ((text, node.lineno) for text in _texts(node.value) if text in ERRORS)
        elif path.name == "rules.py" and isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            yield from ((text, node.lineno) for text in _texts(node.value.elts[0]))


def test_what_is_raised_is_in_the_table() -> None:
    strays = [
        f"{path.relative_to(ROOT)}:{line}: {code}"
        for path, tree in _trees()
        for code, line in _codes(path, tree)
        if code not in ERRORS
    ]
    assert not strays, "\n".join(strays)


def test_what_is_in_the_table_is_raised() -> None:
    raised = {code for path, tree in _trees() for code, _ in _codes(path, tree)}
    assert not ERRORS.keys() - raised


def test_every_kind_of_refusal_is_known_here() -> None:
    """A new subclass of CurrencyError must say whether its codes leave through the API."""
    kinds, classes = (
        {"CurrencyError"},
        [(path, node) for path, tree in _trees() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)],
    )
    for _ in range(4):  # subclasses of subclasses
        kinds |= {node.name for _, node in classes if {_name(base) for base in node.bases} & kinds}
    unknown = kinds - RAISED.keys() - LOCAL - {"TextError", "KeyMalformed", "KeyWeak"}
    assert not unknown


def test_every_code_was_seen_over_http() -> None:
    """By its name in a test of this folder, or of the threats; what cannot come over HTTP says why."""
    here = "".join(
        path.read_text()
        for folder in ("api", "threats")
        for path in (ROOT / "tests" / folder).glob("test_*.py")
        if path.name != "test_errors.py"
    )
    seen = set(re.findall(r'"([a-z_]+)"', here))
    assert not ERRORS.keys() - seen - NOT_OVER_HTTP.keys()
    assert not NOT_OVER_HTTP.keys() - ERRORS.keys()


def test_the_table_is_fit_to_be_read() -> None:
    assert CODES.keys() <= ERRORS.keys()
    for code, (status, meaning) in ERRORS.items():
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", code)
        assert status in (401, 403, 404, 409, 413, 415, 422, 429, 500, 503), code
        assert meaning.endswith(".") and 20 < len(meaning) < 250, code
        assert meaning[0].isupper() or meaning.startswith("booked_on"), code


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/nowhere", "/v1", "/nowhere", "/v1/me/", "/%00", "/v1/me%2f"])
def test_addresses_of_nothing(api: Served, path: str) -> None:
    response = api.client.get(path)
    assert response.status_code in (401, 404), response.text
    assert response.headers["content-type"] == "application/problem+json"
