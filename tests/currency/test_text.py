"""Clean text: what people write passes in one form, what deceives is refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.text import TextError, alphabetical, check_text, clean_text


@pytest.mark.parametrize(
    "text",
    [
        "Boulangerie du Marché",
        "Chez Zoé & Fils",
        "L’Épicerie d’Anaïs",
        "Café «\u00a0Le Coin\u00a0»",
        "1\u202f250 places !",
        "Bäckerei Groß",
        "Phở Hà Nội",
        "محل الخبز",
        "パン屋",
        "Fleurs \U0001f337",
        'O\'Reilly <b>"x"</b> ${y}; --',  # harmless as text: escaping is the page's work
    ],
)
def test_names_that_pass_as_they_are(text: str) -> None:
    assert clean_text(text, max_chars=80) == text
    check_text(text, max_chars=80)


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("  Marché \n", "Marché"),
        ("Marche\u0301", "Marché"),
        ("deux  mots", "deux mots"),
        ("deux \u00a0\u202f mots", "deux mots"),
        ("\u00a0deux mots\u202f", "deux mots"),
        ("Caf\u00e9 \u2615\ufe0f", "Café \u2615"),
        ("\u212bngstr\u00f6m", "Ångström"),
        ("\ufe0f x \ufe0f", "x"),
    ],
)
def test_typed_text_gets_its_clean_form(typed: str, clean: str) -> None:
    assert clean_text(typed, max_chars=80) == clean
    check_text(clean, max_chars=80)
    with pytest.raises(TextError) as error:
        check_text(typed, max_chars=80)
    assert error.value.reason == "form"


@pytest.mark.parametrize(
    "char",
    [
        *("\0", "\x07", "\x1b", "\x7f", "\x85", "\x9b", "a\nb", "a\tb", "a\rb"),  # controls
        *("\u202a", "\u202b", "\u202c", "\u202d", "\u202e", "\u2066", "\u2067", "\u2068", "\u2069"),  # direction
        *("\u200e", "\u200f", "\u061c"),
        *("\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u180e", "\u2064"),  # unseen
        *("\u034f", "\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\ufe01", "\U000e0100", "\U000e0041"),
        *("\ud800", "\udfff"),  # halves of characters
        *("\ue000", "\U0010fffd", "\ufdd0", "\uffff", "\u0378"),  # private, non-characters, unassigned
        *("a\u2028b", "a\u2029b", "a\u2003b", "a\u3000b", "a\u1680b"),  # separators and odd spaces
        *("Z\u0335\u0336\u0337\u0338", "Z" + "\u0336" * 10),  # stacks of accents
    ],
)
def test_refused_characters(char: str) -> None:
    for text in (f"Chez {char}Zoé", f"{char}Chez", f"Chez{char}"):
        for function in (clean_text, check_text):
            if function is clean_text and text.strip() != text:
                continue  # a newline or odd space at the end is trimmed, not refused
            with pytest.raises(TextError) as error:
                function(text, max_chars=80)
            assert error.value.reason in ("character", "form")
            assert error.value.code == "text_malformed"


def test_a_text_does_not_begin_with_an_accent() -> None:
    for text in ("\u0338x", "a \u0338x", "\u0336"):
        with pytest.raises(TextError) as error:
            clean_text(text, max_chars=80)
        assert error.value.reason == "character"


def test_lengths_in_characters_and_bytes() -> None:
    assert clean_text("é" * 9, max_chars=18, max_bytes=18) == "é" * 9
    for text, chars, size in (("é" * 10, 18, 18), ("x" * 19, 18, None), ("x" * 10_000_000, 18, None)):
        with pytest.raises(TextError) as error:
            clean_text(text, max_chars=chars, max_bytes=size)
        assert error.value.reason == "too_long"
    assert clean_text("x" * 18 + "  ", max_chars=18) == "x" * 18


@pytest.mark.parametrize("text", ["", " ", "\u00a0", "\n", "\ufe0f"])
def test_empty(text: str) -> None:
    assert clean_text(text, max_chars=5, empty=True) == ""
    with pytest.raises(TextError) as error:
        clean_text(text, max_chars=5)
    assert error.value.reason == "empty"
    check_text("", max_chars=5, empty=True)


@settings(max_examples=500)
@given(st.text(max_size=12))
def test_cleaning_is_done_once(text: str) -> None:
    try:
        clean = clean_text(text, max_chars=40, empty=True)
    except TextError:
        with pytest.raises(TextError):
            check_text(text, max_chars=40, empty=True)
        return
    assert clean_text(clean, max_chars=40, empty=True) == clean
    check_text(clean, max_chars=40, empty=True)
    assert unicodedata.is_normalized("NFC", clean)
    assert all(unicodedata.category(char)[0] != "C" for char in clean)
    clean.encode()


def test_no_default_ignorable_character_passes() -> None:
    """Every code point that Unicode says to draw as nothing (DerivedCoreProperties, Default_Ignorable_Code_Point)."""
    ranges = [(0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F)]
    ranges += [(0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0x3164, 0x3164), (0xFE00, 0xFE0F)]
    ranges += [(0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A)]
    ranges += [(0xE0000, 0xE0FFF)]
    for first, last in ranges:
        for code in range(first, last + 1):
            with pytest.raises(TextError):
                check_text(f"a{chr(code)}b", max_chars=5)


def test_names_sort_as_french_sorts() -> None:
    """Accents, case and punctuation tell names apart only where nothing else does; a ligature is two letters."""
    right = [
        "À la bonne heure", "Abeille", "Éclair", "eclair", "Eclosion", "Épicerie", "Ferme", "L'Atelier", "La Halle",
        "Oeillet", "Œuvre", "Zoé",
    ]  # fmt: skip
    right[2:4] = sorted(right[2:4])  # whichever of two that differ by accents alone: always the same
    assert sorted(right, key=alphabetical) == sorted(right[::-1], key=alphabetical) == right
