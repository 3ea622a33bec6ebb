"""References that people and banks carry: who a transfer is for, which payout or direct debit a line settles.

Ten characters of Crockford's base32: 8 that follow from what is referred to, 2 that check them. Banks re-wrap, re-case
and cut what payers write, so a reference is looked for in the text with everything but letters and digits taken out,
at every place, among the references that there are. By chance a text holds one of 5,000 members' once in 10^8 lines.

A bank line has a reference of its own too, which no bank gave it: day, amount and count (`line_reference`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import TypeVar

from ledger.core.ids import ALPHABET, times_alpha

DATA, CHECKS = 8, 2
LENGTH = DATA + CHECKS
SHORTEST_CUT = 6
"""Characters of a reference cut at the end of a text that are still worth a proposal to a person."""

SHORTEST_ORDER = 6
"""Characters, without those that stand in everybody's, of an end-to-end id that tells one order from another."""

_SAYS_NOTHING = re.compile(
    "NOTPROVIDED|NOTAVAILABLE|NONPROVIDED|NONREFERENCE|NONRENSEIGNE|NONCOMMUNIQUE|NONREF|NOREF|NONE|NULL|VOID|UNKNOWN|"
    "INCONNUE?|SANSREFERENCE|SANSREF|SANSOBJET|SANSMOTIF|AUCUNE?|NEANT|DIVERS|VIREMENTS?|VIRT?|VRT|INSTANTANE|INSTANT|"
    "PERMANENT|SEPA|SCT|SDD|PRELEVEMENTS?|PRLV|TRANSFERT?|PAIEMENTS?|PAYMENT|REGLEMENT|LOYERS?|SALAIRES?|COTISATIONS?|"
    "ADHESIONS?|FACTURES?|INVOICE|REMBOURSEMENT|RECHARGE|TOPUP|REFERENCE|ENDTOEND|ENDTOENDID|E2E|TEST|NA"
)
_DIGIT = {char: value for value, char in enumerate(ALPHABET)}
_LOOKALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_LINE = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})/(-?[1-9][0-9]{0,15})/([1-9][0-9]{0,8})", re.ASCII)
T = TypeVar("T")


def line_reference(booked_on: date, amount: int, ordinal: int) -> str:
    """What tells a line from every other of its account, such as ``20261120/2500/1``."""
    return f"{booked_on:%Y%m%d}/{amount}/{ordinal}"


def read_line_reference(reference: str) -> tuple[date, int] | None:
    """Day and amount (signed cents) of the line with that reference; None for a text that is none in its one form."""
    found = _LINE.fullmatch(reference)
    if found is None:
        return None
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    amount = int(found[4])
    return (day, amount) if line_reference(day, amount, int(found[5])) == reference else None


def reference(purpose: str, network: bytes, id_: bytes) -> str:
    """The reference of what `id_` names, such as ``7F3K9Q2M4T``. `purpose` keeps kinds of things apart."""
    digest = sha256(b"patard/reference/1\0" + purpose.encode() + b"\0" + network + id_).digest()
    value = int.from_bytes(digest[:5])
    data = "".join(ALPHABET[value >> 5 * place & 31] for place in range(DATA))
    return data + _checks(data)


def member_reference(network: bytes, account: int) -> str:
    """The reference that a member writes on transfers to the currency; the same for ever."""
    return reference("member", network, account.to_bytes(8))


def member_references(network: bytes, accounts: Iterable[int]) -> dict[str, int]:
    """The account of each reference; one that two have, as whoever makes up ids may bring about, is nobody's."""
    found: dict[str, int] = {}
    shared = set()
    for account in accounts:
        text = member_reference(network, account)
        if found.setdefault(text, account) != account:
            shared.add(text)
    return {text: account for text, account in found.items() if text not in shared}


def shown(text: str) -> str:
    """A reference as people see it: two groups of five."""
    return f"{text[:5]}-{text[5:]}"


def plain(text: str) -> str | None:
    """The reference that a person typed, in its one form; None when its check characters do not fit."""
    found = squeezed(text)
    return found if len(found) == LENGTH and _checks(found[:DATA]) == found[DATA:] else None


def squeezed(text: str) -> str:
    """What is left of a text when only its letters A-Z and digits count, look-alikes made one."""
    return "".join(char for char in text.upper() if char.isascii() and char.isalnum()).translate(_LOOKALIKE)


def same_order(one: str, other: str) -> bool:
    """Whether two end-to-end ids name one order: they are the same, and tell it from other people's.

    Whoever has no reference to give writes `0`, `NA`, `VIREMENT` or the like, so that two of those say nothing.
    """
    return one == other and names_order(one)


def other_order(one: str, other: str) -> bool:
    """Whether both are end-to-end ids that tell orders apart, and not the same one; a format may cut it."""
    both = names_order(one) and names_order(other)
    one, other = squeezed(one), squeezed(other)
    return both and not (one.startswith(other) or other.startswith(one))


def names_order(end_to_end: str) -> bool:
    """Whether an end-to-end id tells an order from others. Too short, one character again and again, words: no."""
    plain_text = "".join(char for char in end_to_end.upper() if char.isalnum())
    left = _SAYS_NOTHING.sub("", plain_text).strip("0")
    return len(left) >= SHORTEST_ORDER and len(set(left)) > 1


def found_in(texts: Iterable[str], known: Mapping[str, T]) -> set[T]:
    """What the references in these texts stand for; each text is looked at by itself."""
    found: set[T] = set()
    for text in texts:
        plain_text = squeezed(text)
        for start in range(len(plain_text) - LENGTH + 1):
            hit = known.get(plain_text[start : start + LENGTH])
            if hit is not None:
                found.add(hit)
    return found


def written_in(texts: Iterable[str]) -> set[str]:
    """Every stretch of these texts whose check characters fit: references, and one in a thousand of what is none."""
    plain_texts = [squeezed(text) for text in texts]
    windows = {text[at : at + LENGTH] for text in plain_texts for at in range(len(text) - LENGTH + 1)}
    return {window for window in windows if _checks(window[:DATA]) == window[DATA:]}


def cuts(known: Mapping[str, T]) -> dict[str, set[T]]:
    """The beginnings of references that `cut_in` looks for, each with what it may stand for."""
    found: dict[str, set[T]] = {}
    for key, value in known.items():
        for size in range(SHORTEST_CUT, LENGTH):
            found.setdefault(key[:size], set()).add(value)
    return found


def cut_in(texts: Iterable[str], beginnings: Mapping[str, set[T]]) -> set[T]:
    """What a reference may stand for that a text ends in the middle of: for a person to judge, never for booking."""
    found: set[T] = set()
    for text in texts:
        end = squeezed(text)
        for size in range(SHORTEST_CUT, LENGTH):
            found |= beginnings.get(end[-size:], set())
    return found


def _checks(data: str) -> str:
    """Two check characters over GF(32): every one or two wrong characters, and every swap, are found."""
    plain_sum = weighted = 0
    for char in data:
        digit = _DIGIT.get(char, 0)
        plain_sum ^= digit
        weighted = times_alpha(weighted) ^ digit
    return ALPHABET[plain_sum] + ALPHABET[times_alpha(weighted)]
