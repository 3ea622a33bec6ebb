"""What banks call things: the interbank codes of French statements, and the words that labels begin with.

The codes are those of the CFONB (relevé de compte sur support informatique, 2004; SEPA and instant payments added).
Labels are looked at only at their start, where the bank's own words stand: what follows is a person's name or text.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from ledger.currency.bank.statement import LineKind

_CODES: Final = {
    LineKind.TRANSFER: "05 06 13 14 18 21 39 41 44 45 C1 C2",
    LineKind.DEBIT: "08 09 22 24 96 97 A1 A2 B1 B2",
    LineKind.RETURN: "03 10 12 26 27 33 38 98 A3 A4 A5 A6 B3 B4 B5 B6 C3 C4 C5",
    LineKind.CASH: "04 29",
    LineKind.CHARGE: "61 62 64 65 66 67 70 88",
}
KIND_OF_CODE: Final = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
"""Interbank operation code -> kind; codes of cheques, cards, bills and securities are not in it."""

_VIA: Final = r"(?:VIREMENTS?|VIRT?|VRT|TRANSFERT?|PRELEVEMENTS?|PRELEVT?|PRLVT?|PRV|SDD|SCT|CHEQUES?|CHQ)"
_HOW: Final = r"(?:\s+(?:SEPA|INST|INSTANT|INSTANTANE|PERM|PERMANENT|RECU|EMIS|EUROPEEN))*"
_BACK: Final = r"(?:REJETS?|REJ|RETOURS?|IMPAYES?|ANNULATION)"
_WORDS: Final = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        (LineKind.RETURN, rf"{_BACK}\s+(?:DE\s+|D\s+|D')?{_VIA}\b"),
        (LineKind.RETURN, rf"{_VIA}{_HOW}\s+(?:REJETES?|RETOURNES?|IMPAYES?)\b"),
        (LineKind.TRANSFER, r"(?:VIREMENTS?|VIRT?|VRT)\b"),
        (LineKind.DEBIT, r"(?:PRELEVEMENTS?|PRELEVT?|PRLVT?|PRV)\b"),
        (
            LineKind.CASH,
            r"(?:RETRAIT|(?:VERSEMENTS?|VERST?|DEPOT|REMISE)\s+(?:DE\s+|D\s+|D')?(?:ESPECES?|ESP|BILLETS))\b",
        ),
        (LineKind.CHARGE, r"(?:F\s+)?(?:FRAIS|COMMISSIONS?|AGIOS|COTIS(?:ATION)?\s+(?:CARTE|COMPTE))\b"),
    )
)
_CHEQUE: Final = re.compile(r"(?:(?:REMISES?|REM|ENCAISSEMENT)\s+(?:DE\s+|D\s+)?)?(?:CHEQUES?|CHQS?)\b")
_TRANSFER: Final = re.compile(r"(?:VIREMENTS?|VIRT?|VRT|TRANSFERTS?|SCT)\b")
# "DE" is the bank's only behind a whole word: in "VIR SEPA DE LA TOUR" it begins a name.
_TO = rf"VIREMENT{_HOW}\s+(?:DE|POUR)|{_VIA}{_HOW}\s+(?:RECU\s+DE|EMIS\s+POUR|EN\s+FAVEUR\s+DE|FAVEUR)"
_LEAD = re.compile(
    rf"(?:{_BACK}\s+(?:DE\s+|D\s+|D')?)?(?:{_TO}|{_VIA}{_HOW})(?:\s+(?:REJETES?|RETOURNES?|IMPAYES?))?\s+"
)


def is_cheque(label: str) -> bool:
    """Whether a label says at its start that it is a cheque, or several."""
    return _CHEQUE.match(_folded(label.strip())) is not None


def kind_of_label(label: str, amount: int = 0) -> LineKind:
    """What a label says at its start; `OTHER` if nothing that is known here. `amount` is the line's, in cents.

    Behind the word for a transfer that went out stands whom it was to, as whoever ordered it wrote that: it may be
    called `RETOURNE`, and is no return.
    """
    folded = _folded(label.strip())
    if amount < 0 and _TRANSFER.match(folded):
        return LineKind.TRANSFER
    for kind, words in _WORDS:
        if words.match(folded):
            return kind
    return LineKind.OTHER


def name_in_label(label: str) -> str:
    """Whom a label names: what is left after the words for the payment, if there are any."""
    label = label.strip()
    found = _LEAD.match(_folded(label))
    return label[found.end() :].strip() if found else label


def _folded(text: str) -> str:
    """In capitals without accents, character by character."""
    if text.isascii():
        return text.upper()
    return "".join(unicodedata.normalize("NFKD", char)[0].upper()[0] for char in text)
