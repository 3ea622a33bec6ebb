"""Texts in the character set that every SEPA bank takes: ``a-z A-Z 0-9 / - ? : ( ) . , ' +`` and the blank.

The European Payments Council (EPC217-08) says what stands for the rest, and this follows it but in two places: quotes
of all kinds become ', and the euro sign EUR. So accents go ("Élise" is "Elise"), letters of two become two ("Cœur" is
"Coeur"), & is + ("Élise & Cie" is "Elise + Cie"), ; a comma, _ and ~ and dashes -, brackets of all kinds ( and ), \\
and | become /. Whatever has no such relative becomes a dot, as the bank would make it.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_MEANT: Final = {
    **{"&": "+", ";": ",", "_": "-", "~": "-", "\\": "/", "|": "/", "€": "EUR", "\u2044": "/"},
    **dict.fromkeys('"`´‘’‚‛“”„‟′″«»‹›\u02bc', "'"),
    **dict.fromkeys("‐‑‒–—―−", "-"),
    **dict.fromkeys("[{", "("),
    **dict.fromkeys("]}", ")"),
    **{"Æ": "AE", "æ": "ae", "Œ": "OE", "œ": "oe", "ß": "ss", "ẞ": "SS", "Þ": "TH", "þ": "th"},
    **{"Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d", "Ł": "L", "ł": "l", "Ħ": "H", "ħ": "h", "ı": "i"},
}
_TABLE: Final = str.maketrans(_MEANT)
_PLAIN: Final = re.compile(r"[A-Za-z0-9/?:().,'+ -]*\Z")
_NOT_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_OTHER: Final = re.compile(r"[^A-Za-z0-9/?:().,'+ -]")


def latin(text: str) -> str:
    """The text in SEPA's character set, with one blank at a time and none at the ends. It may grow (œ, €)."""
    if not _PLAIN.match(text):
        # The table goes first: NFKD would make a blank and an accent of ´.
        apart = unicodedata.normalize("NFKD", text.translate(_TABLE)).translate(_TABLE)
        whole = "".join(char for char in apart if not unicodedata.combining(char))
        text = _OTHER.sub(".", "".join(" " if char.isspace() else char for char in whole))
    return " ".join(text.split())


def ascii_text(text: str) -> str:
    """The text in ASCII, which every reader of codes takes for what it is: as `latin`, but what is ASCII stays."""
    return _NOT_ASCII.sub(lambda found: latin(found[0]), " ".join(text.split()))
