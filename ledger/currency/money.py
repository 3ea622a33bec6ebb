"""Cents as people write and read them.

Inside, money is a whole number of cents. This room holds the two doors to people: showing cents in
French or English, and reading an amount that somebody typed. Nothing here ever makes a float.
"""

from __future__ import annotations

import re
from typing import Final

MAX_CENTS: Final = 2**53 - 1
"""The largest amount that the ledger holds (the databases check the same bound)."""

NARROW_NO_BREAK_SPACE: Final = "\u202f"
NO_BREAK_SPACE: Final = "\u00a0"

# What stands between groups of three digits in a French number, on screens and in what people paste back.
_GROUP_SPACES: Final = " \u00a0\u2009\u202f"
_TRIMMED: Final = _GROUP_SPACES + "\t\r\n"

_PLAIN: Final = re.compile(r"([0-9]{1,16})(?:[.,]([0-9]{1,2}))?")
_SPACED: Final = re.compile(rf"([0-9]{{1,3}}(?:[{_GROUP_SPACES}][0-9]{{3}}){{1,5}})(?:[.,]([0-9]{{1,2}}))?")
# Commas or dots as group marks are only clear when the *other* mark follows with the cents: "1,234" alone
# is a thousand to some readers and one euro and a bit to others.
_MARKED: Final = re.compile(r"([0-9]{1,3}(?:,[0-9]{3}){1,5})\.([0-9]{2})|([0-9]{1,3}(?:\.[0-9]{3}){1,5}),([0-9]{2})")


class AmountError(ValueError):
    """Why a text is not an amount.

    ``code`` is stable: ``amount_empty``, ``amount_sign``, ``amount_exponent``, ``amount_digits`` (digits of
    another script), ``amount_decimals`` (more than two), ``amount_grouping`` (thousands marks that can be
    read two ways), ``amount_range``, ``amount_malformed``. The message says what to write instead.
    """

    def __init__(self, code: str, text: str, **facts: object) -> None:
        super().__init__(text.format(**facts))
        self.code, self.text, self.facts = code, text, facts


class Cents(int):
    """A sum as a fact of a sentence: `1050.00` in the English of programs, `1 050,00` in French (see `told`)."""

    def __str__(self) -> str:
        return decimal_text(self)


def decimal_text(cents: int) -> str:
    """Cents as a plain decimal for files and machines: ``123456`` -> ``"1234.56"``, ``-5`` -> ``"-0.05"``."""
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"


def format_cents(cents: int, lang: str = "fr", symbol: str = "") -> str:
    """Cents for a person, with the symbol if one is given.

    French: ``1 234,56 €``, both spaces U+202F (narrow, no break). English: ``1,234.56``, ``€1,234.56``, and
    a space that does not break after a symbol that ends in a letter (``P 1,234.56``). Any language but
    English is shown as French, the language of the currency's home.
    """
    sign = "-" if cents < 0 else ""
    # Grouped as whole numbers, never through a decimal or a float, so that no size of amount is rounded.
    whole, rest = divmod(abs(cents), 100)
    if lang == "en":
        gap = NO_BREAK_SPACE if symbol[-1:].isalpha() else ""
        return f"{sign}{symbol}{gap}{whole:,}.{rest:02d}"
    number = f"{whole:,}".replace(",", NARROW_NO_BREAK_SPACE)
    return f"{sign}{number},{rest:02d}" + (f"{NARROW_NO_BREAK_SPACE}{symbol}" if symbol else "")


def parse_amount(text: str, *, maximum: int = MAX_CENTS) -> int:
    """The cents that a person typed; zero is an amount, so a caller that needs more than nothing says so.

    Read: ``12``, ``12,5``, ``12,50``, ``12.50``, ``1 234,56`` (any kind of space), ``1,234.56`` and
    ``1.234,56``. Spaces around are left out. Everything else raises :class:`AmountError`, because an amount
    that can be read two ways must be asked again, not guessed.
    """
    trimmed = text.strip(_TRIMMED)
    match = _PLAIN.fullmatch(trimmed) or _SPACED.fullmatch(trimmed) or _MARKED.fullmatch(trimmed)
    if match is None:
        raise _why_not(trimmed, maximum)
    whole, rest = (group for group in match.groups("") if group) if match.re is _MARKED else match.groups("")
    cents = int(re.sub(r"[^0-9]", "", whole)) * 100 + int(rest.ljust(2, "0"))
    if cents > maximum:
        raise AmountError("amount_range", "the amount is above the largest allowed, {most}", most=Cents(maximum))
    return cents


def _why_not(text: str, maximum: int) -> AmountError:
    """Name the first thing that is wrong, in the order in which a person would mend it."""
    if not text:
        return AmountError("amount_empty", "no amount was given; write one such as 12,50")
    if any(char.isnumeric() and not char.isascii() for char in text):
        return AmountError("amount_digits", "write the amount with the digits 0 to 9 of a keyboard, such as 12,50")
    if re.fullmatch(r"[-+\u2212\u2010-\u2015\u207a\u207b\uff0b\uff0d(]\s*[0-9].*", text, re.DOTALL):
        return AmountError("amount_sign", "write the amount without a sign, such as 12,50")
    if re.fullmatch(r"[0-9.,]+[eE][-+]?[0-9]+", text):
        return AmountError("amount_exponent", "write the amount in full, such as 1200 and not 1.2e3")
    if re.fullmatch(r"[0-9]{1,3}[.,][0-9]{3}", text):
        return AmountError(
            "amount_grouping",
            "{said} can be read two ways; leave thousands marks out ({plain}) and write at most two decimals",
            said=text, plain=text.replace(",", "").replace(".", ""),
        )  # fmt: skip
    if re.fullmatch(r"[0-9]+[.,][0-9]{3,}", text):
        return AmountError("amount_decimals", "write at most two decimals, such as 12,50; nothing is rounded for you")
    if re.fullmatch(r"[0-9]{17,}(?:[.,][0-9]{1,2})?", text):
        return AmountError("amount_range", "the amount is above the largest allowed, {most}", most=Cents(maximum))
    if re.fullmatch(rf"[0-9][0-9_'.,\u2019{_GROUP_SPACES}]*[0-9]", text):
        return AmountError("amount_grouping", "leave thousands marks out and write the amount such as 1234,56")
    return AmountError("amount_malformed", "this is not an amount; write digits only, such as 12 or 12,50")
