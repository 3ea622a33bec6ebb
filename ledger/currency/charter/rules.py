"""What each line of a charter may say: one function a key, from the value in the file to the value in use.

A function that finds its value wrong raises :class:`Wrong` with a sentence for the treasurer who wrote the
line: what is the matter, and what to write instead.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import time
from enum import StrEnum
from functools import reduce
from typing import Final
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo, available_timezones

from ledger.currency.money import MAX_CENTS, AmountError, parse_amount
from ledger.currency.text import TextError, clean_text
from ledger.currency.told import Told, tell

MAX_MESSAGE_CENTS: Final = 2**32 - 1
"""The largest amount that one signed message can carry."""
MAX_HOST: Final = 24
"""The most characters of the public address (host and port) with which the code of a till stays readable."""
MAX_NAME: Final = 60


class PartyKind(StrEnum):
    """What a party is; the charter says which of them may change units back."""

    PERSON = "person"
    SHOP = "shop"
    ASSOCIATION = "association"
    PUBLIC_BODY = "public_body"


class ReserveKind(StrEnum):
    """Where euros of the reserve lie."""

    BANK = "bank"
    CASH = "cash"


class Agents(StrEnum):
    """How a file of payouts names banks: our own by its BIC (NOTPROVIDED where the charter has none) and shops' not at
    all, since IBANs tell them; or each as NOTPROVIDED, which some banks ask for.
    """

    BIC = "bic"
    NOT_PROVIDED = "notprovided"


class Wrong(Exception):
    """Why a value cannot stand; ``index`` says which item of a list, where it is one."""

    def __init__(self, reason: Told, index: int | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index


def code(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Z][A-Z0-9]{1,7}", text):
        raise Wrong(tell('use 2 to 8 capital letters A to Z and digits, starting with a letter, such as "PATARD"'))
    if text == "EUR":
        raise Wrong(tell("EUR is the euros of the reserve; choose a code of your own for the local unit"))
    return text


def name(value: object) -> str:
    return _clean(value, MAX_NAME)


def symbol(value: object) -> str:
    text = _clean(value, 4)
    # No digit, space, sign or mark: "12,50 P" must not be readable as another amount.
    if not all(unicodedata.category(char)[0] in "LM" or unicodedata.category(char) in ("Sc", "So") for char in text):
        raise Wrong(tell('use 1 to 4 letters or currency signs and nothing else, such as "P" or "€"'))
    return text


def network(value: object) -> bytes:
    if type(value) is int:
        raise Wrong(tell('put quotes around it, such as "5a1e0c7d"'))
    text = _text(value)
    if not re.fullmatch(r"[0-9a-fA-F]{8}", text):
        raise Wrong(tell('use 8 of the digits 0 to 9 and a to f, such as "5a1e0c7d"'))
    return bytes.fromhex(text)


def decimals(value: object) -> int:
    if type(value) is not int or value != 2:
        raise Wrong(tell("units have 2 decimals, as euros do; write 2 or leave the line out"))
    return value


def whole(low: int, high: int, unit: Told, more: Told | str = "") -> Callable[[object], int]:
    """A rule for a whole number of ``unit`` between two bounds, both allowed."""

    def rule(value: object) -> int:
        if type(value) is not int:
            raise Wrong(tell("write a whole number of {unit} without quotes or decimals{more}", unit=unit, more=more))
        if not low <= value <= high:
            raise Wrong(tell("write between {low} and {high} {unit}{more}", low=low, high=high, unit=unit, more=more))
        return value

    return rule


def amount(maximum: int = MAX_CENTS, *, zero: bool = False) -> Callable[[object], int]:
    """A rule for an amount, written in quotes so that no cent is lost on the way; above zero, or also `zero`."""

    def rule(value: object) -> int:
        if type(value) is float:
            raise Wrong(
                tell('put quotes around it, such as "500.00": a decimal number without quotes is not kept exactly')
            )
        if type(value) is int:
            raise Wrong(tell(
                "write it in quotes with its decimals, such as \"{value}.00\", so that nobody takes it for cents",
                value=value,
            ))  # fmt: skip
        try:
            cents = parse_amount(_text(value), maximum=maximum)
        except AmountError as error:
            raise Wrong(Told(error.text, error.facts)) from None
        if cents == 0 and not zero:
            raise Wrong(tell("nobody could pay anything; for no limit, leave the line out"))
        return cents

    return rule


def kinds(value: object) -> frozenset[PartyKind]:
    if not isinstance(value, list):
        raise Wrong(tell('write a list, such as ["shop", "association"]'))
    found: set[PartyKind] = set()
    for index, item in enumerate(value):
        if item not in list(PartyKind):
            raise Wrong(
                tell("{item!r} is no kind of party; {choices}", item=item, choices=choices(item, PartyKind)), index
            )
        if item in found:
            raise Wrong(tell('"{item}" stands twice', item=item), index)
        found.add(PartyKind(item))
    return frozenset(found)


def reserve_kind(value: object) -> ReserveKind:
    if value not in list(ReserveKind):
        raise Wrong(
            tell("{value!r} is no kind of account; {choices}", value=value, choices=choices(value, ReserveKind))
        )
    return ReserveKind(str(value))


def agents(value: object) -> Agents:
    if value not in list(Agents):
        raise Wrong(tell("{value!r} is no way to name banks; {choices}", value=value, choices=choices(value, Agents)))
    return Agents(str(value))


def hour(value: object) -> time:
    """An hour of the day, in the currency's time zone."""
    found = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])", value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(tell('write an hour as hours and minutes in quotes, such as "16:00"'))
    return time(int(found[1]), int(found[2]))


def timezone(value: object) -> str:
    text = _text(value)
    # With a slash, or UTC: a name such as "localtime" or "CET" means something else on another machine.
    if "/" in text or text == "UTC":
        try:
            return ZoneInfo(text).key
        except (KeyError, ValueError, OSError):  # unknown, not a relative path, a folder such as "Europe/"
            pass
    close = nearest(text, available_timezones())
    hint = tell('did you mean "{word}"?', word=close) if close else tell('write one such as "Europe/Paris"')
    raise Wrong(tell("no such time zone; {hint}", hint=hint))


def public_url(value: object) -> str:
    text = _text(value)
    example = tell("write it such as https://pay.example.org")
    if not re.fullmatch(r"[!-~]+", text):
        raise Wrong(
            tell("it holds spaces or accents; {example} (names with accents in their xn-- form)", example=example)
        )
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError:
        raise Wrong(tell("this is no web address; {example}", example=example)) from None
    local = url.hostname in ("127.0.0.1", "localhost")
    if url.scheme != "https" and not (url.scheme == "http" and local):
        raise Wrong(tell("it must begin with https:// (http:// is for trying out, on 127.0.0.1 or localhost only)"))
    if "@" in url.netloc or "?" in text or "#" in text or url.path not in ("", "/"):
        raise Wrong(tell("give the host alone, without a path, a name or a question mark; {example}", example=example))
    authority = _authority(url, port)
    if url.scheme == "https" and len(authority) > MAX_HOST:
        raise Wrong(tell(
            "{authority} has {size} characters and may have {most}: it stands in every code that a till shows, and a "
            "longer one makes codes too fine for phones to read; choose a shorter host name",
            authority=authority, size=len(authority), most=MAX_HOST,
        ))  # fmt: skip
    return f"{url.scheme}://{authority}"


def _authority(url: SplitResult, port: int | None) -> str:
    """Host and port in the one form that links use: lower case, the usual port left out."""
    host = url.hostname or ""
    label = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
    if not re.fullmatch(rf"{label}(?:\.{label})*", host) or port == 0 or url.netloc.endswith(":"):
        raise Wrong(
            tell("the host name is not right; write letters, digits, hyphens and dots, such as pay.example.org")
        )
    return host if port in (None, {"https": 443, "http": 80}[url.scheme]) else f"{host}:{port}"


def ungrouped(value: object) -> str:
    """A number in capital letters, without what stands between its groups: spaces, hyphens and dashes of every kind.

    Marks that nobody sees are left out too: they come with what is copied from a page.
    """
    text = "".join(char for char in _text(value) if not (char.isspace() or _is_between(char)))
    return text.upper() if text.isascii() else text


def _is_between(char: str) -> bool:
    return char in "\u2212\u2043" or unicodedata.category(char) in ("Pd", "Cf")  # minus, hyphen bullet


def bic(value: object) -> str:
    text = ungrouped(value)
    if not re.fullmatch(r"[A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?", text):
        raise Wrong(tell("a BIC has 8 or 11 letters and digits; copy it from the bank's paper, such as CCOPFRPP"))
    return text


def holder(value: object) -> str:
    """The name of an account's holder: 70 characters at most, as transfers carry it."""
    return _clean(value, 70)


def yes_or_no(value: object) -> bool:
    if type(value) is not bool:
        raise Wrong(tell("write true or false, without quotes"))
    return value


def ledger_number(value: object) -> str:
    """A number of the French chart of accounts (PCG): its class and group are digits, what follows is one's own."""
    if type(value) is int:
        raise Wrong(tell('put quotes around it: "{value}"', value=value))
    text = _text(value)
    if not re.fullmatch(r"[1-8][0-9]{1,2}[0-9A-Z]{0,9}", text):
        raise Wrong(
            tell('use a number of the chart of accounts: 2 to 12 digits, the first from 1 to 8, such as "5121"')
        )
    return text


def creditor_id(value: object) -> str:
    """A SEPA creditor identifier: country, two check digits (mod 97 without the business code), code, number."""
    text = ungrouped(value)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{3}[A-Z0-9]{1,28}", text):
        raise Wrong(tell("this is no SEPA creditor identifier (ICS); the bank gives it, such as FR72ZZZ123456"))
    if int("".join(str(int(char, 36)) for char in text[7:] + text[:4])) % 97 != 1:
        raise Wrong(tell("its check digits do not fit: a character is wrong or two are swapped; copy it again"))
    return text


def siren(value: object) -> str:
    text = ungrouped(str(value) if type(value) is int else value)
    doubled = [int(digit) * (1 + index % 2) for index, digit in enumerate(text)] if text.isdecimal() else []
    if not re.fullmatch(r"[0-9]{9}", text) or sum(d // 10 + d % 10 for d in doubled) % 10:
        raise Wrong(tell("a SIREN has 9 digits, the last of which checks the others; copy it again"))
    return text


def year_end(value: object) -> tuple[int, int]:
    """The last day of the business year, as month and day; the end of February is written 02-28."""
    found = re.fullmatch(r"([0-9]{2})-([0-9]{2})", _text(value))
    month, day = (int(found[1]), int(found[2])) if found else (0, 0)
    if not 1 <= month <= 12 or day != (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[month - 1]:
        raise Wrong(tell('write the last day of a month, as "12-31"'))
    return month, day


def nearest(given: object, known: Iterable[str]) -> str | None:
    """The known word that a mistyped one most likely stands for, or None."""
    close = difflib.get_close_matches(str(given), sorted(known), n=1, cutoff=0.6)
    return close[0] if close else None


def choices(given: object, known: Iterable[str]) -> Told:
    """The likely word for a mistyped one, or else all that can be chosen from."""
    words = [str(word) for word in known]
    close = nearest(given, words)
    if close:
        return tell('did you mean "{word}"?', word=close)
    quoted = [f'"{word}"' for word in words]
    return tell("write {words}", words=reduce(lambda one, two: tell("{one} or {two}", one=one, two=two), quoted))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Wrong(tell("write it as text, in quotes"))
    return str(value)


def _clean(value: object, max_chars: int) -> str:
    try:
        return clean_text(_text(value), max_chars=max_chars)
    except TextError as error:
        raise Wrong(tell("{reason}; type it again", reason=error.detail)) from None
