"""Which language is spoken, and that catalogs are read straight from their .po files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from babel.messages.pofile import PoFileError
from hypothesis import given
from hypothesis import strategies as st

from ledger.i18n import LANGUAGES, Translator, format_day, from_accept_language, from_environment, translator

CATALOG = r"""
msgid ""
msgstr ""
"Language: fr\n"
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\n"

msgid "paid by {name}"
msgstr "payé par {name}"

msgid "{n} payment"
msgid_plural "{n} payments"
msgstr[0] "{n} paiement"
msgstr[1] "{n} paiements"

msgid "not yet"
msgstr ""

#, fuzzy
msgid "doubtful"
msgstr "à revoir"
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    name = "patard_i18n_sample"
    (tmp_path / name / "locale").mkdir(parents=True)
    (tmp_path / name / "__init__.py").touch()
    (tmp_path / name / "locale" / "fr.po").write_text(CATALOG, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    translator.cache_clear()
    yield name
    translator.cache_clear()
    sys.modules.pop(name, None)


def test_french_is_read_from_the_po_file(package: str) -> None:
    _ = translator(package, "fr")
    assert isinstance(_, Translator)
    assert _.lang == "fr"
    assert _("paid by {name}").format(name="Zoé") == "payé par Zoé"


def test_plurals_follow_each_language(package: str) -> None:
    french, english = translator(package, "fr"), translator(package, "en")
    assert [french.ngettext("{n} payment", "{n} payments", n) for n in (0, 1, 2)] == [
        "{n} paiement",
        "{n} paiement",
        "{n} paiements",
    ]
    assert [english.ngettext("{n} payment", "{n} payments", n) for n in (0, 1, 2)] == [
        "{n} payments",
        "{n} payment",
        "{n} payments",
    ]


@pytest.mark.parametrize("text", ["unknown", "not yet", "doubtful"])
def test_what_has_no_sure_translation_stays_english(package: str, text: str) -> None:
    assert translator(package, "fr")(text) == text


def test_the_empty_text_is_not_the_header(package: str) -> None:
    assert translator(package, "fr")("") == ""
    assert translator(package, "en")("") == ""


def test_messages_for_a_page_are_the_sure_ones_and_a_copy(package: str) -> None:
    _ = translator(package, "fr")
    assert _.messages() == {"paid by {name}": "payé par {name}"}
    _.messages().clear()
    assert _.messages()
    assert translator(package, "en").messages() == {}


def test_a_catalog_is_read_once(package: str) -> None:
    assert translator(package, "fr") is translator(package, "fr")


def test_a_broken_catalog_says_so(package: str, tmp_path: Path) -> None:
    (tmp_path / package / "locale" / "fr.po").write_text('msgid "a"\nnonsense "b"\n', encoding="utf-8")
    with pytest.raises(PoFileError):
        translator(package, "fr")


def test_a_package_without_a_catalog_speaks_english() -> None:
    assert translator("ledger.core", "fr")("paid") == "paid"


@pytest.mark.parametrize(
    ("header", "lang"),
    [
        (None, "fr"),
        ("", "fr"),
        ("fr", "fr"),
        ("en", "en"),
        ("EN-us", "en"),
        ("en-US,en;q=0.9,fr;q=0.8", "en"),
        ("fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        ("de, nl;q=0.9, en;q=0.2", "en"),
        ("de", "fr"),
        ("*", "fr"),
        ("en;q=0", "fr"),
        ("en;q=0.5,fr;q=0.5", "en"),
        ("fr;q=0.1,en;q=0.9", "en"),
        ("en ; q=0.4 , fr ; q=0.7", "fr"),
        ("en;q=nan", "fr"),
        ("en;q=1e3", "fr"),
        ("en;q=9", "fr"),
        ("en;q=", "fr"),
        ("en;level=1", "fr"),
        (";;;,,,=", "fr"),
        ("english", "fr"),
        ("x" * 100_000 + ",en", "fr"),
    ],
)
def test_language_of_a_browser(header: str | None, lang: str) -> None:
    assert from_accept_language(header) == lang


@given(st.text())
def test_any_header_gives_a_language(header: str) -> None:
    assert from_accept_language(header) in LANGUAGES


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, "fr"),
        ({"LANG": "fr_FR.UTF-8"}, "fr"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
        ({"LANG": "C.UTF-8"}, "fr"),
        ({"LANG": "POSIX"}, "fr"),
        ({"LANG": "de_DE.UTF-8"}, "fr"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "fr_FR.UTF-8"}, "fr"),
        ({"LC_MESSAGES": "fr_FR", "LC_ALL": "en_US"}, "en"),
        ({"PATARD_LANG": "fr", "LC_ALL": "en_US.UTF-8"}, "fr"),
        ({"PATARD_LANG": "en", "LC_ALL": "fr_FR.UTF-8"}, "en"),
        ({"PATARD_LANG": " EN "}, "en"),
        ({"PATARD_LANG": "", "LANG": "en"}, "en"),
        ({"PATARD_LANG": "klingon", "LANG": "en"}, "fr"),
        ({"LC_ALL": "C", "LANG": "en_US"}, "fr"),
    ],
)
def test_language_of_a_terminal(environ: dict[str, str], lang: str) -> None:
    assert from_environment(environ) == lang


def test_a_day_is_written_as_the_language_does() -> None:
    day = date(2026, 11, 6)
    assert [format_day(day, lang) for lang in ("fr", "en")] == ["06/11/2026", "2026-11-06"] and format_day(day)[
        2
    ] == "/"


def test_the_environment_of_the_process_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_LANG", "en")
    assert from_environment() == "en"
