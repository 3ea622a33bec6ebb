"""What the readers of every format share: amounts, days, accounts and texts as banks write them, checked.

All of it raises `StatementError` with the line of the file, and ends in one `Statement` by way of `finished`.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from ledger.currency.bank.statement import AGAIN, OTHERWISE, BankLine, Statement, StatementError
from ledger.currency.charter.ibans import rib_key
from ledger.currency.money import MAX_CENTS
from ledger.currency.told import Told, tell

MAX_LINES: Final = 100_000
"""Lines of one file, the parts of batches not counted. A year of the largest currency has half of it."""
MAX_TEXT: Final = 10_000
"""Characters of one field: ISO 20022 allows 140 a piece, and a handful of pieces."""

_AMOUNT = re.compile(r"([+-]?)0*([0-9]*)(?:[.,]([0-9]*))?", re.ASCII)
_MAX_DIGITS: Final = 40
"""Characters of an amount, its zeros among them; what is too much of the others is told by its value."""
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII)
_DAY_ENDS = re.compile(r"(\d{4}-\d\d-\d\d)T24:00:00(?:\.0+)?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_MIDNIGHT = "00:00:00"
_PARIS: Final = ZoneInfo("Europe/Paris")
_ENTITY = re.compile(r"&(?:[A-Za-z][A-Za-z0-9]{1,30}|#[0-9]{1,6}|#[xX][0-9A-Fa-f]{1,5});")
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)
_ROOM = timedelta(days=31)
_YEARS: Final = (2000, 2100)
"""Of every day in a bank's file, both in it. No statement that anybody has is older, and no day is further ahead."""


def unreadable(detail: str, line: int | None = None) -> StatementError:
    """The error of a file that is damaged or was changed."""
    return StatementError("statement_unreadable", tell("{detail}; {again}", detail=detail, again=AGAIN), line)


def lacking(detail: str, line: int | None = None, *, otherwise: Told = OTHERWISE) -> StatementError:
    """The error of a file that is whole and does not tell what is needed; `otherwise` is what can be done."""
    return StatementError(
        "statement_unreadable", tell("{detail}; {otherwise}", detail=detail, otherwise=otherwise), line
    )


def cents(text: str, line: int | None, *, signed: bool = False, comma: bool = False) -> int:
    """An amount as cents, in any form of `xs:decimal`: .5, +7.50, 007.5.

    Two decimals at most, further ones only if they are zeros. `comma`: may be the mark, of one or two decimals.
    """
    found = _AMOUNT.fullmatch(text) if len(text) <= _MAX_DIGITS else None
    has_digits = found is not None and bool(text.strip("+-.,"))
    if found is None or not has_digits or (found[1] == "-" and not signed) or ("," in text and not comma):
        raise unreadable(tell("{said!r} is not an amount", said=text[:40]), line)
    sign, whole, rest = found.groups("")
    if "," in text and len(rest) > 2:
        raise lacking(tell("the amount {said!r} may be in thousands or in thousandths", said=text[:40]), line)
    if rest[2:].strip("0"):
        raise unreadable(
            tell("the amount {said!r} has more than two decimals, which no euro amount has", said=text[:40]), line
        )
    value = int(whole or "0") * 100 + int(rest[:2].ljust(2, "0"))
    if value > MAX_CENTS:
        raise unreadable(tell("the amount {said!r} is larger than any bank account", said=text[:40]), line)
    return -value if sign == "-" else value


def iso_day(text: str, line: int | None) -> date:
    """A day of ISO 8601. A moment that names its zone counts for the day that it is in France, hour 24 for its own."""
    try:
        if found := _DAY.fullmatch(text) or _DAY_ENDS.fullmatch(text):
            return _bounded(date.fromisoformat(found[1]), line)
        if found := _MOMENT.fullmatch(text):
            moment = datetime.fromisoformat(found[1] + (found[2] or ""))
            return _bounded((moment.astimezone(_PARIS) if moment.tzinfo else moment).date(), line)
    except StatementError:
        raise
    except (ValueError, OverflowError):
        pass
    raise unreadable(tell("{said!r} is not a date", said=text[:40]), line)


def is_midnight(text: str) -> bool:
    """Whether a moment of ISO 8601 is one at which a day begins, where it was written or in France."""
    found = _MOMENT.fullmatch(text)
    if found is None:
        return False
    if found[1].endswith(_MIDNIGHT):
        return True
    return bool(found[2]) and f"{datetime.fromisoformat(found[1] + found[2]).astimezone(_PARIS):%H:%M:%S}" == _MIDNIGHT


def day_of(year: str, month: str, day: str, line: int | None) -> date:
    """A day of which the file has the parts."""
    try:
        return _bounded(date(int(year), int(month), int(day)), line)
    except StatementError:
        raise
    except ValueError:
        raise unreadable(
            tell("{day}/{month}/{year} is not a date", day=day[:8], month=month[:8], year=year[:8]), line
        ) from None


def _bounded(day: date, line: int | None) -> date:
    """The day, if it can be one of a bank's: the calendar ends where days are counted from the first or last."""
    if not _YEARS[0] <= day.year <= _YEARS[1]:
        raise unreadable(
            tell(
                "{day} is no day of a bank: those lie in {years} to {years2}",
                day=day,
                years=_YEARS[0],
                years2=_YEARS[1],
            ),
            line,
        )
    return day


def plain(text: str) -> str:
    """A text without blanks at its ends; whatever does not print (line ends, tabs, controls) is a blank."""
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    text = text.strip()
    if len(text) > MAX_TEXT:
        raise unreadable(
            tell(
                "a text of {count} characters is longer than any bank writes: {said!r}...",
                count=len(text),
                said=text[:20],
            )
        )
    return text


def unescaped(text: str) -> str:
    """A text with its entities replaced, those of HTML too; a lone `&` is one, as most banks write it."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text) if "&" in text else text


def joined(texts: Iterable[str]) -> str:
    """Texts in a row, each once: banks repeat the same words in several fields, whole or cut."""
    said: list[str] = []
    for text in map(plain, texts):
        if text and not any(text in other for other in said):
            said.append(text)
    return plain(" ".join(said))


def end_to_end(text: str) -> str:
    """An end-to-end id; what stands there when none was given is none."""
    text = plain(text)
    return "" if text.upper().replace(" ", "") in ("NOTPROVIDED", "NONREF", "NOTPROVIDED/NOTPROVIDED") else text


def iban_of(text: str) -> str:
    """The IBAN that a text is, without blanks; "" if it is none."""
    text = "".join(text.split()).upper()
    return text if _IBAN.fullmatch(text) else ""


def account_of(text: str) -> str:
    """An account's number in the one form that `Statement.account` has: IBAN, or French BBAN without its key."""
    text = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    if len(text) == 23 and rib_key(text[:21]) == text[21:]:
        return text[:21]
    return text


def finished(
    format_: str, account: str, balances: tuple[int, int], days: tuple[date, date], lines: Sequence[BankLine],
    number: str = "", line: int | None = None,
) -> Statement:  # fmt: skip
    """The statement, its lines in the order of their days. `line` is where it ends in the file.

    It covers the `days` of its balances or its period, and no others: a bank books a charge late, or a line ahead, and
    says nothing of the days between by that.
    """
    first, last = days
    if first > last:
        raise unreadable(tell("the statement ends on {last}, before it begins ({first})", last=last, first=first), line)
    for one in lines:
        if not first - _ROOM <= one.booked_on <= last + _ROOM:
            raise unreadable(
                tell(
                    "a line of {booked_on} is in a statement of {first} to {last}",
                    booked_on=one.booked_on,
                    first=first,
                    last=last,
                ),
                one.where,
            )
    lines = sorted(lines, key=lambda one: one.booked_on)
    try:
        return Statement(
            format=format_, account=account, opening=balances[0], closing=balances[1],
            first=first, last=last, lines=tuple(lines), number=number,
        )  # fmt: skip
    except StatementError as error:
        raise StatementError(
            error.code,
            tell(
                "account {account}, {first} to {last}: {detail}",
                account=account,
                first=first,
                last=last,
                detail=error.detail,
            ),
            line,
        ) from None
