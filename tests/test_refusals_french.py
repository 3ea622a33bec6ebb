"""Why a bank's file is refused: the fact and the remedy are French where the rest is, for every refusal there is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency.told import tell
from ledger.i18n import read_catalog, translator

ROOT = Path(__file__).resolve().parent.parent
BANK = ROOT / "ledger" / "currency" / "bank"
READING = [
    *sorted((BANK / "formats").glob("*.py")), BANK / "aligning.py", BANK / "taking.py", BANK / "statement.py",
    BANK / "whose.py", BANK / "withdrawing.py",
]  # fmt: skip
"""Where files are read and statements taken or withdrawn: nothing is refused there in words that have no French."""
REFUSING = {"StatementError": 1, "CurrencyError": 1, "unreadable": 0, "lacking": 0, "_unknown": 0, "_differs": 0}
"""What makes a refusal, and which of its arguments are the words."""
_PLACE = re.compile(r"\{(\w+)(?:![rs])?(?::[^}]*)?\}")


def calls(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node


def sentences() -> list[tuple[str, ast.Call]]:
    """Every sentence that is told with its facts, with the place where it stands."""
    every = [path for room in ("ledger", "merchants", "api") for path in sorted((ROOT / room).rglob("*.py"))]
    return [
        (f"{path.name}:{call.lineno}", call)
        for path in every
        for call in calls(path)
        if isinstance(call.func, ast.Name) and call.func.id == "tell"
    ]


@pytest.mark.parametrize("path", READING, ids=lambda path: path.name)
def test_no_refusal_without_words_that_are_translated(path: Path) -> None:
    for call in calls(path):
        assert isinstance(call.func, ast.Name)
        if call.func.id in REFUSING and len(call.args) > REFUSING[call.func.id]:
            words = call.args[REFUSING[call.func.id]]
            assert not isinstance(words, (ast.JoinedStr, ast.BinOp, ast.Constant)), (
                f"{path.name}:{call.lineno}: say it with tell(), and its French in api/locale/fr.po"
            )


def test_every_sentence_has_its_french() -> None:
    french = read_catalog("api", "fr")
    assert french is not None
    found = sentences()
    assert len(found) > 100
    for where, call in found:
        [text] = call.args
        if isinstance(text, ast.Name):  # one of a few texts, which `test_told` has by name
            continue
        assert isinstance(text, ast.Constant) and isinstance(text.value, str), f"{where}: a plain text, please"
        told = french.get(text.value)
        assert told is not None and told.string, f"{where}: not in api/locale/fr.po: {text.value!r}"
        places = {name for name in _PLACE.findall(text.value)}
        assert places == {keyword.arg for keyword in call.keywords if keyword.arg} or any(
            keyword.arg is None for keyword in call.keywords
        ), where
        assert set(_PLACE.findall(str(told.string))) == places, f"{where}: its French has other facts"


def test_facts_that_are_sentences_are_translated_too() -> None:
    words = translator("api", "fr")
    inner = tell("ask the bank for camt.053 (XML) or CFONB120")
    told = tell("{detail}; {otherwise}", detail=tell("{said!r} is not a date", said="x"), otherwise=inner)
    assert told == "'x' is not a date; ask the bank for camt.053 (XML) or CFONB120"
    assert told.in_words(words) == "'x' n'est pas une date ; demandez à la banque du camt.053 (XML) ou du CFONB120"
