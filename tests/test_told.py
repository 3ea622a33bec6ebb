"""Refusals that know their facts: each sentence has its French, with the same places, and keeps its facts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api.commands.failures import reason
from ledger.core.clock import BEHIND_THE_LOG, FAR_AHEAD, SET_BACK, SET_FORWARD
from ledger.currency.bank.payouts.approval import MACHINE, UNKNOWN
from ledger.currency.told import Cents, tell
from ledger.i18n import translator
from tests.test_translations import _PLACEHOLDER as PLACES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for room in ("ledger", "merchants", "api") for path in sorted((ROOT / room).rglob("*.py"))]
FRENCH = translator("api", "fr")


def sentences() -> Iterator[tuple[str, str]]:
    for path in SOURCES:
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "tell"):
                continue
            if isinstance(call.args[0], ast.Constant):
                yield f"{path.relative_to(ROOT)}:{call.lineno}", str(call.args[0].value)


CLOCK = (BEHIND_THE_LOG, SET_FORWARD, SET_BACK, FAR_AHEAD)
TEXTS = [*sentences(), ("who", MACHINE), ("who", UNKNOWN), *(("clock", text) for text in CLOCK)]


@pytest.mark.parametrize(("where", "text"), TEXTS)
def test_a_sentence_has_its_french(where: str, text: str) -> None:
    french = FRENCH(text)
    assert french != text, f"{where}: {text!r} has no French"
    assert sorted(PLACES.findall(french)) == sorted(PLACES.findall(text))


def test_what_is_said_in_french_is_french_alone() -> None:
    """Facts stay as they are, braces in a name too; a sentence within a sentence is translated as well."""
    told = tell(
        "it was fetched on {day} by {who}: send it to the bank only once. To have the file again all the same: --again",
        day=date(2026, 11, 23), who="{Léa}",
    )  # fmt: skip
    assert "fetched on 2026-11-23 by {Léa}" in told
    said = reason("payouts_fetched", told)
    assert "remis le 23/11/2026 par {Léa}" in said and "fetched" not in said
    assert "sur la machine" in tell("{who}", who=tell(MACHINE)).in_words(FRENCH)


def test_days_and_sums_are_written_as_the_language_does() -> None:
    told = tell("{day}: {amount}", day=date(2026, 11, 16), amount=Cents(105_000))
    assert told == told.in_words(translator("api", "en")) == "2026-11-16: 1050.00"
    assert told.in_words(FRENCH) == "16/11/2026 : 1\u202f050,00"
    some = tell("{all}", all=(told, tell("{day}: {amount}", day=date(2027, 1, 2), amount=Cents(-5))))
    assert some == "2026-11-16: 1050.00; 2027-01-02: -0.05"
    assert some.in_words(FRENCH) == "16/11/2026 : 1\u202f050,00; 02/01/2027 : -0,05"
    assert tell("{days}", days=(date(2027, 1, 2), "x")).in_words(FRENCH) == "02/01/2027, x"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_fact_was_written_before_the_language_is_known(path: Path) -> None:
    """`decimal_text(...)` and `isoformat()` as facts would be those of English: `Cents` and dates are."""
    for call in ast.walk(ast.parse(path.read_text())):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "tell":
            made = {
                part.func.attr if isinstance(part.func, ast.Attribute) else getattr(part.func, "id", "")
                for keyword in call.keywords
                for part in ast.walk(keyword.value)
                if isinstance(part, ast.Call)
            }
            assert not made & {"decimal_text", "isoformat", "strftime"}, f"{path.name}:{call.lineno}"
