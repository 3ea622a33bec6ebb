"""Refusals that know their facts: each sentence has its French, with the same places, and keeps its facts."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.commands.failures import reason
from ledger.currency.bank.payouts.approval import MACHINE, UNKNOWN
from ledger.currency.told import tell
from ledger.i18n import translator
from tests.test_translations import _PLACEHOLDER as PLACES

ROOT = Path(__file__).resolve().parent.parent
FRENCH = translator("api", "fr")


def sentences() -> Iterator[tuple[str, str]]:
    for path in sorted((ROOT / "ledger").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "tell"):
                continue
            if isinstance(call.args[0], ast.Constant):
                yield f"{path.relative_to(ROOT)}:{call.lineno}", str(call.args[0].value)


TEXTS = [*sentences(), ("who", MACHINE), ("who", UNKNOWN)]


@pytest.mark.parametrize(("where", "text"), TEXTS)
def test_a_sentence_has_its_french(where: str, text: str) -> None:
    french = FRENCH(text)
    assert french != text, f"{where}: {text!r} has no French"
    assert sorted(PLACES.findall(french)) == sorted(PLACES.findall(text))


def test_what_is_said_in_french_is_french_alone() -> None:
    """Facts stay as they are, braces in a name too; a sentence within a sentence is translated as well."""
    told = tell(
        "it was fetched on {day} by {who}: send it to the bank only once. To have the file again all the same: --again",
        day="2026-11-23", who="{Léa}",
    )  # fmt: skip
    assert "fetched on 2026-11-23 by {Léa}" in told
    said = reason("payouts_fetched", told)
    assert "remis le 2026-11-23 par {Léa}" in said and "fetched" not in said
    assert "sur la machine" in tell("{who}", who=tell(MACHINE)).in_words(FRENCH)
