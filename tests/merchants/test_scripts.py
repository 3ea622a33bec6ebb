"""The files behind the pages: scripts use what is there and no HTML of their own, and have words for every code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.currency.bank import indexing, topups
from ledger.currency.bank.mandates import index as mandates
from ledger.currency.bank.mandates import rejecting
from ledger.currency.bank.payouts import index as payouts
from ledger.currency.bank.placing import Way
from ledger.currency.bank.proposals import Why
from ledger.currency.bank.statement import LineKind
from ledger.currency.errors import ERRORS
from merchants import pages
from merchants.scripted import texts_of
from tests.test_translations import javascript_texts

STATIC = Path(pages.__file__).parent / "static"
TEMPLATES = Path(pages.__file__).parent / "templates"
KINDS = [
    (topups, "CONVERSION"), (topups, "KNOWN"), (topups, "TRANSIT"), (indexing, "RETURN"), (indexing, "WITHDRAWN"),
    (indexing, "SUSPENSE"), (payouts, "PAID"), (payouts, "RETURNED"), (payouts, "REJECTED"), (mandates, "BROUGHT"),
    (mandates, "UNPAID"), (rejecting, "KIND"),
]  # fmt: skip
"""What lines become, and what comes of the bank's answers."""
SCRIPTS = sorted(STATIC.rglob("*.js"))


@pytest.mark.parametrize("path", [*SCRIPTS, *STATIC.rglob("*.css"), *TEMPLATES.rglob("*.html")], ids=lambda p: p.name)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 400


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda p: p.name)
def test_scripts_use_what_is_there_and_never_html(path: Path) -> None:
    """Every import leads to a file and a name in it; texts are set as texts; nothing asks another server."""
    source = path.read_text("utf-8")
    for names, target in re.findall(r'^import \{([^}]*)\} from "([^"]+)";', source, re.MULTILINE):
        found = (path.parent / target).resolve()
        assert found.is_file(), target
        exported = found.read_text("utf-8")
        for name in (part.strip() for part in names.split(",") if part.strip()):
            word = rf"{re.escape(name)}(?![\w$])"
            assert re.search(rf"^export (?:async )?(?:function|const|class|let) {word}", exported, re.MULTILINE), name
            assert len(re.findall(rf"(?<![\w$.]){word}", source)) > 1, f"{name} is not used"
    for forbidden in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "http://", "https://"):
        assert forbidden not in source, forbidden


def test_a_page_is_given_the_texts_of_its_scripts() -> None:
    """Found by a rule of a few lines, as a real reader of JavaScript finds them; and no page has another's."""
    known = {use.text for path in SCRIPTS for use in javascript_texts(path.read_bytes(), path.name)}
    till, office = texts_of("till/main.js"), texts_of("office/main.js")
    others = {text for path in STATIC.glob("*.js") for text in texts_of(path.name)}
    assert known <= till | office | others
    assert "Show the code" not in office and "Bank charges" not in till
    assert "The server refused: {detail}" in till & office


def _keys(file: str, table: str) -> set[str]:
    """The keys of an object that a script has under that name."""
    source = (STATIC / "office" / file).read_text("utf-8")
    body = source.split(f"const {table} = {{", 1)[1].split("\n};", 1)[0]
    return set(re.findall(r"^  (\w+):", body, re.MULTILINE))


def test_the_office_has_words_for_whatever_the_bank_part_says() -> None:
    """What a line may be, why, what the bank calls it, why a file is refused: none is shown as its code."""
    assert _keys("words.js", "WAYS") == set(Way)
    assert _keys("words.js", "LINE_KINDS") == set(LineKind)
    assert _keys("proposals.js", "REASONS") == set(Why)
    # What can be done about right here; of all else why a file is refused the server tells, in the page's language.
    assert (
        {code for code in _keys("refusals.js", "REMEDIES")}
        <= _keys("refusals.js", "WORDS")
        <= set(ERRORS) | {"file_unreadable"}
    )
    assert {getattr(module, name) for module, name in KINDS} <= _keys("words.js", "KINDS")


def test_every_element_that_a_script_names_is_in_a_template() -> None:
    templates = "".join(path.read_text("utf-8") for path in TEMPLATES.rglob("*.html"))
    for path in SCRIPTS:
        for name in re.findall(r'\$\("([\w-]+)"\)', path.read_text("utf-8")):
            assert f'id="{name}"' in templates, f"{path.name}: {name}"
