"""Clean text: the one rule for every name, label and memo that people see.

What is refused here is what lets one text pass for another, or spoil the page it stands on: control characters,
characters that turn the direction of writing, characters that nobody sees, stacks of accents, private and
unassigned characters. French typography (no-break spaces, curly apostrophes, guillemets), every script and plain
emoji pass; emoji glued together with invisible joiners do not.

``clean_text`` takes what a person typed and gives the one clean form of it; ``check_text`` is for places where the
text was signed, and takes a text only if it is that form already. ``check_text(t)`` passes exactly when
``clean_text(t) == t``.
"""

from __future__ import annotations

import re
import unicodedata

from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

_SPACES = " \u00a0\u202f"
_WORDS = re.compile(r"\w+")
_RUN_OF_SPACES = re.compile(f"[{_SPACES}]{{2,}}")

# Letters and marks that draw nothing although Unicode does not class them as format characters.
_INVISIBLE = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    + "".join(map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))
)
# Phones append these to an emoji to ask for its coloured (or plain) drawing; without it the emoji stays the same.
_EMOJI_STYLE = str.maketrans(dict.fromkeys("\ufe0e\ufe0f"))

_APOSTROPHES = str.maketrans(dict.fromkeys("\u2019\u2018\u02bc\u00b4", "'"))

_REFUSED = {
    "Cc": tell("a control character"),
    "Cf": tell("an invisible character"),
    "Cs": tell("half of a character"),
    "Co": tell("a private character"),
    "Cn": tell("a character that this program does not know"),
    "Zl": tell("a line separator"),
    "Zp": tell("a paragraph separator"),
    "Zs": tell("an unusual space"),
}
_MAX_MARKS = 3  # accents on one letter: Vietnamese needs 2, pointed Hebrew 3


class TextError(CurrencyError, ValueError):
    """Why a text is not clean. ``code`` is ``text_malformed`` for all; ``reason`` tells them apart.

    ``reason``: ``empty``, ``too_long``, ``character`` (one that is refused) or ``form`` (``check_text`` only: there is
    a clean form, and this is not it).
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__("text_malformed", detail)
        self.reason = reason


def clean_text(text: str, *, max_chars: int, max_bytes: int | None = None, empty: bool = False) -> str:
    """The clean form of ``text``: NFC, no blanks at the ends, one blank at a time.

    ``max_chars`` counts code points and ``max_bytes`` UTF-8 bytes, both of the clean form. ``empty`` lets the empty
    text through. Raises ``TextError``.
    """
    if len(text) > 4 * max_chars + 256:  # cap before work
        raise TextError(
            "too_long",
            tell("at most {most} characters, this text has {size}", most=max_chars, size=len(text)),
        )
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text.strip().translate(_EMOJI_STYLE))
        _check_characters(text)
    text = _RUN_OF_SPACES.sub(" ", text.strip(_SPACES))
    if not text and not empty:
        raise TextError("empty", tell("a text is needed here"))
    if len(text) > max_chars:
        raise TextError(
            "too_long",
            tell("at most {most} characters, this text has {size}", most=max_chars, size=len(text)),
        )
    if max_bytes is not None and (size := len(text.encode())) > max_bytes:
        raise TextError(
            "too_long",
            tell("at most {most} bytes (accents count double), this text has {size}", most=max_bytes, size=size),
        )
    return text


def folded(name: str) -> str:
    """A name as it is compared with what somebody types: in any case, with blanks of any kind and number, accents and
    apostrophes however they were made.
    """
    return unicodedata.normalize("NFC", " ".join(name.translate(_APOSTROPHES).split()).casefold())


def check_text(text: str, *, max_chars: int, max_bytes: int | None = None, empty: bool = False) -> None:
    """Raise ``TextError`` unless ``text`` is clean as it stands. Limits as in ``clean_text``."""
    if clean_text(text, max_chars=max_chars, max_bytes=max_bytes, empty=empty) != text:
        raise TextError("form", tell("this text is not in its clean form (NFC, no blanks at the ends or doubled)"))


def _check_characters(text: str) -> None:
    marks = _MAX_MARKS  # a mark at the start would sit on whatever stands before the text
    for char in text:
        kind = unicodedata.category(char)
        if char in _INVISIBLE:
            raise TextError("character", tell("U+{char:04X} is an invisible character", char=ord(char)))
        if kind in _REFUSED and char not in _SPACES:
            raise TextError("character", tell("U+{char:04X} is {what}", char=ord(char), what=_REFUSED[kind]))
        if kind[0] == "M":
            marks += 1
            if marks > _MAX_MARKS:
                raise TextError(
                    "character", tell("U+{char:04X} is an accent with no letter to stand on", char=ord(char))
                )
        else:
            marks = 0 if kind[0] != "Z" else _MAX_MARKS


def alphabetical(name: str) -> tuple[str, str]:
    """A key that sorts names as French does: by letters, word by word; by accents and case where all else is equal."""
    spelt = name.casefold().replace("œ", "oe").replace("æ", "ae")
    letters = "".join(char for char in unicodedata.normalize("NFKD", spelt) if not unicodedata.combining(char))
    return " ".join(_WORDS.findall(letters)), name
