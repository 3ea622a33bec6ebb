"""Refusals that know their facts: each sentence has its French, with the same places, and keeps its facts.

No sentence that refuses is made without: what is raised is looked for in the sources.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api.commands.failures import reason
from ledger.core import sqlite
from ledger.core.clock import BEHIND_THE_LOG, FAR_AHEAD, SET_BACK, SET_FORWARD, ClockDiffers
from ledger.currency.bank.payouts.approval import MACHINE, UNKNOWN
from ledger.currency.errors import ERRORS
from ledger.currency.parties import ROLES
from ledger.currency.told import Cents, detail_of, tell, why, word
from ledger.i18n import translator
from tests.test_translations import _PLACEHOLDER as PLACES

ROOT = Path(__file__).resolve().parent.parent
SOURCES = [path for room in ("ledger", "merchants", "api") for path in sorted((ROOT / room).rglob("*.py"))]
AT_WORK = [
    path for path in SOURCES
    if not {"fake", "audit", "migrations"} & {*path.parts} and not path.is_relative_to(ROOT / "ledger/core")
]  # fmt: skip
"""Where people are refused something: not the bank that is played, what `check` finds (English) or the engine."""
FRENCH = translator("api", "fr")

WORDS = {
    "CurrencyError": 1, "MessageError": 1, "RequestError": 1, "StatementError": 1, "TextError": 1, "KeyRefused": 1,
    "KeyMalformed": 0, "KeyWeak": 0, "FileRefused": 1, "_Wrong": 1, "_stopped": 1, "HomeError": 1, "Wrong": 0,
    "IbanWrong": 0, "PainError": 1, "Refused": 2, "Left": 2, "Problem": 2, "_changed": 1, "_on_statement": 0,
    "came": 1, "went": 1,
}  # fmt: skip
"""What makes a refusal that a person meets, and which of its arguments is the sentence."""
FACTS = {"StoreError": 1, "AmountError": 1}
"""What keeps text and facts itself: rooms that know no sentences."""
OTHERS = {
    "EpcError", "CodeError",  # told by code, or to who calls it: they are drawn or read by our own screens
    "ValueError", "AssertionError", "AttributeError", "RuntimeError", "TimeoutError",  # of what calls wrongly
    "BodyMalformed", "TooMuch", "AnswerMalformed",  # for who wrote the program that asks
    "CliError",  # which `_` translates where it is made
}  # fmt: skip


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def sentences() -> Iterator[tuple[str, str]]:
    for path in SOURCES:
        for call in calls(path):
            at = {"tell": 0, **FACTS}.get(name_of(call.func))
            if at is not None and len(call.args) > at and isinstance(words := call.args[at], ast.Constant):
                yield f"{path.relative_to(ROOT)}:{call.lineno}", str(words.value)


CLOCK = (BEHIND_THE_LOG, SET_FORWARD, SET_BACK, FAR_AHEAD)
TEXTS = [
    *sentences(), ("who", MACHINE), ("who", UNKNOWN), *(("clock", text) for text in CLOCK),
    *(("sqlite", text) for _name, _code, text in sqlite.TROUBLES),
]  # fmt: skip


@pytest.mark.parametrize(("where", "text"), TEXTS)
def test_a_sentence_has_its_french(where: str, text: str) -> None:
    french = FRENCH(text)
    assert french != text, f"{where}: {text!r} has no French"
    assert sorted(PLACES.findall(french)) == sorted(PLACES.findall(text))


def test_no_refusal_is_english_alone() -> None:
    """What a person meets is told with its facts: by `tell`, and not by a plain text."""
    found = []
    for path in AT_WORK:
        for call in calls(path):
            at = WORDS.get(name_of(call.func))
            if at is None or len(call.args) <= at:
                continue
            words = call.args[at]
            for text in (words.body, words.orelse) if isinstance(words, ast.IfExp) else (words,):
                plain = isinstance(text, ast.Constant) and bool(text.value)
                lost = isinstance(text, ast.Call) and name_of(text.func) == "str"  # which keeps no facts
                if plain or lost or isinstance(text, ast.JoinedStr | ast.BinOp):
                    found.append(f"{path.relative_to(ROOT)}:{call.lineno}: {ast.unparse(text)[:60]}")
    assert not found, "say it with tell(), and its French in api/locale/fr.po:\n" + "\n".join(found)


def test_every_kind_of_refusal_is_known_here() -> None:
    """What is raised with a sentence is either looked at above, or said to be for others."""
    found = {
        name: f"{path.relative_to(ROOT)}:{call.lineno}"
        for path in AT_WORK
        for call in (node.exc for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Raise))
        if isinstance(call, ast.Call) and (name := name_of(call.func))[:1].isupper()
        for text in call.args
        if isinstance(text, ast.JoinedStr) or (isinstance(text, ast.Constant) and " " in str(text.value))
    }
    assert not {name: where for name, where in found.items() if name not in WORDS | FACTS and name not in OTHERS}


def test_what_is_said_in_french_is_french_alone() -> None:
    """A name stays as it is, braces in it too; a sentence within a sentence is translated as well."""
    told = tell(
        "it was fetched on {day} by {who}: send it to the bank only once. To have the file again all the same: --again",
        day=date(2026, 11, 23), who="{Léa}",
    )  # fmt: skip
    assert "fetched on 2026-11-23 by {Léa}" in told
    said = reason("payouts_fetched", told)
    assert "remis le 23/11/2026 par {Léa}" in said and "fetched" not in said
    assert "sur la machine" in tell("{who}", who=tell(MACHINE)).in_words(FRENCH)


def test_roles_and_kinds_are_words_of_the_language() -> None:
    """Each is one fact or several, and no refusal gives one as the program writes it."""
    told = tell("a {kind} has no {role}; its keys are: {fit}", kind=word("shop"), role=word("treasurer"),
                fit=(word("owner"), word("cashier")))  # fmt: skip
    assert told == "a shop has no treasurer; its keys are: owner, cashier"
    french = told.in_words(FRENCH)
    assert "« commerce »" in french and "« trésorier »" in french and french.endswith("propriétaire, caisse")
    assert all(word(one).in_words(FRENCH) != one for one in ROLES)
    assert all(FRENCH(kind) for kinds in ROLES.values() for kind in kinds)


def test_no_role_is_told_as_the_program_writes_it() -> None:
    raw = [
        (str(path.relative_to(ROOT)), fact.arg)
        for path in AT_WORK for call in calls(path) if name_of(call.func) == "tell" for fact in call.keywords
        if fact.arg in {"role", "kind"} and isinstance(fact.value, ast.Attribute) and fact.value.attr == fact.arg
    ]  # fmt: skip
    assert not raw


def test_what_does_not_know_its_facts_is_told_by_its_code() -> None:
    """The engine's own words have numbers of accounts as it writes them, and are English."""
    engine = "account 0000000000000001 would hold -5, its floor is 0"
    assert why("below_floor", engine, translator("api", "en")) == engine
    assert why("below_floor", engine, FRENCH) == FRENCH(ERRORS["below_floor"][1])
    assert why("of_nobody", "as it is", FRENCH) == "as it is"
    clock = detail_of(ClockDiffers(FAR_AHEAD, clock="2030", days=9))
    assert "2030, 9 days after" in clock and why("clock_differs", clock, FRENCH).startswith(
        "l'horloge dit 2030, 9 jours"
    )
    assert detail_of(ValueError("plain")) == "plain"


def test_days_and_sums_are_written_as_the_language_does() -> None:
    told = tell("{day}: {amount}", day=date(2026, 11, 16), amount=Cents(105_000))
    assert told == told.in_words(translator("api", "en")) == "2026-11-16: 1050.00"
    assert told.in_words(FRENCH) == "16/11/2026 : 1\u202f050,00"
    some = tell("{all}", all=(told, tell("{day}: {amount}", day=date(2027, 1, 2), amount=Cents(-5))))
    assert some == "2026-11-16: 1050.00; 2027-01-02: -0.05"
    assert some.in_words(FRENCH) == "16/11/2026 : 1\u202f050,00 ; 02/01/2027 : -0,05"
    assert tell("{days}", days=(date(2027, 1, 2), "x")).in_words(FRENCH) == "02/01/2027, x"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_fact_was_written_before_the_language_is_known(path: Path) -> None:
    """`decimal_text(...)` and `isoformat()` as facts would be those of English: `Cents` and dates are."""
    for call in calls(path):
        if name_of(call.func) in ("tell", *FACTS):
            made = {
                name_of(part.func)
                for keyword in call.keywords
                for part in ast.walk(keyword.value)
                if isinstance(part, ast.Call)
            }
            assert not made & {"decimal_text", "isoformat", "strftime"}, f"{path.name}:{call.lineno}"
