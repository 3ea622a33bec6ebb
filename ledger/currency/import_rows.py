"""Lines of a file of past transfers: read in any usual encoding and delimiter, each judged by itself.

    id,at,from,to,amount,unit,kind

in any order, other columns are left aside; a line `sep=;` before it, for spreadsheets, says with what they are parted.
A line that cannot be taken is a `Problem` with its number and what to do; the lines after it are read all the same.
Nothing here looks at a book. One line is held at a time.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO
from zoneinfo import ZoneInfo

from ledger.currency.days import FIRST
from ledger.currency.errors import CurrencyError
from ledger.currency.money import MAX_CENTS, AmountError, parse_amount
from ledger.currency.parties import MAX_NAME
from ledger.currency.text import TextError, clean_text
from ledger.currency.told import Cents, detail_of, tell

COLUMNS = ("id", "at", "from", "to", "amount", "unit", "kind")
KINDS = ("payment", "refund", "conversion", "reconversion", "transfer", "issue", "fee", "correction", "opening")
"""What a line's kind may be unless the caller says otherwise: what a currency of this sort does itself. The list is
short on purpose: what a kind of another name did (a gift? a bonus without a euro behind it?), only who brings the file
can say, and does so by naming it."""
ROUNDINGS = ("half-even", "half-up", "down")
MAX_ID = 200

_AMOUNT = re.compile(r"([0-9]{1,14})(?:([.,])([0-9]+))?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_SEP = re.compile(r"""(["']?)sep=([^"'\w\s]|\t)\1[,;\t|]*""", re.ASCII | re.IGNORECASE)
_BOM = "\ufeff"
_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class FileRefused(CurrencyError):
    """The file as a whole cannot be imported. `code`: import_unreadable, import_columns, import_refused, ..."""


class Problem(NamedTuple):
    """Why a line is not taken. `line` counts from 1, the header included."""

    line: int
    code: str
    reason: str


class Row(NamedTuple):
    """A line that can be taken: amounts in cents, `at` as it goes into the record, `day` in the currency's zone.

    `doubt` is at_twice or at_never where the clocks had its hour twice that day, or not at all, and it names no zone.
    """

    line: int
    id: str
    payer: str
    payee: str
    amount: int
    kind: str
    at: str
    day: date
    doubt: str = ""


@dataclass
class Reader:
    """How the lines of a file are to be read. `unit` is what it calls the unit; `latest` the last day allowed."""

    unit: str
    zone: ZoneInfo
    latest: date
    kinds: frozenset[str] = frozenset(KINDS)
    rounding: str | None = None
    delimiter: str = ","
    _names: dict[str, str] = field(default_factory=dict)

    def rows(self, text: TextIO) -> Iterator[Row | Problem]:
        """Every line below the header. Raises `FileRefused` (import_columns)."""
        header, before, said = _header(text)
        self.delimiter = said or max(",;\t|", key=header.count)
        reader = csv.reader(_after(header, text), delimiter=self.delimiter, strict=True)
        names = [name.strip().lower() for name in next(reader, [])]
        _check_columns(names)
        places = [names.index(name) for name in COLUMNS]
        width = len(names)
        while True:
            line = before + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Problem(
                    line, "row_malformed", tell("this line is not in the form of the file: {error}", error=error)
                )
                continue
            if not any(cells):
                continue
            if len(cells) != width:
                reason = tell("{width} columns are needed, this line has {size}", width=width, size=len(cells))
                yield Problem(line, "row_malformed", reason)
                continue
            try:
                yield self._row(line, [cells[place].strip() for place in places])
            except _Wrong as wrong:
                yield Problem(line, wrong.code, wrong.reason)

    def _row(self, line: int, cells: list[str]) -> Row:
        id_, at, payer, payee, amount, unit, kind = cells
        if not id_ or len(id_) > MAX_ID:
            raise _Wrong("id_malformed", tell("an id of 1 to {most} characters is needed", most=MAX_ID))
        payer, payee = self._name(payer, "from"), self._name(payee, "to")
        if payer == payee:
            raise _Wrong("self_transfer", tell("{payer!r} pays itself: nothing would move", payer=payer))
        if unit.casefold() != self.unit.casefold():
            raise _Wrong("unit_unknown", tell(
                "the unit is {unit!r}, not {ours!r}; if that is its name here: --unit {unit}",
                unit=unit, ours=self.unit,
            ))  # fmt: skip
        kind = kind.lower()
        if kind not in self.kinds:
            known = tuple(sorted(self.kinds))
            raise _Wrong("kind_unknown", tell(
                "the kind {kind!r} is none of {known}; --kinds says what there may be", kind=kind, known=known
            ))  # fmt: skip
        cents = self._amount(amount)
        moment, day, doubt = self._moment(at)
        return Row(line, id_, payer, payee, cents, kind, moment, day, doubt)

    def _name(self, text: str, column: str) -> str:
        name = self._names.get(text)
        if name is None:
            try:
                name = clean_text(text, max_chars=MAX_NAME)
            except TextError as error:
                raise _Wrong("name_malformed", tell("{name}: {reason}", name=column, reason=error.detail)) from None
            self._names[text] = name
        return name

    def _amount(self, text: str) -> int:
        """Cents. Never rounded unless told."""
        found = _AMOUNT.fullmatch(text)
        if found is None:
            try:
                cents = parse_amount(text)
            except AmountError as error:
                raise _Wrong(
                    error.code, tell("amount {said!r}: {reason}", said=text[:40], reason=detail_of(error))
                ) from None
        else:
            whole, mark, rest = found.groups()
            rest = rest or ""
            cents = int(whole) * 100 + int(rest[:2].ljust(2, "0"))
            if len(rest) > 2:
                cents = self._rounded(text, cents, mark, rest)
        if not cents:
            raise _Wrong("amount_zero", tell("amount {said!r}: nothing would move", said=text[:40]))
        if cents > MAX_CENTS:
            raise _Wrong("amount_range", tell("amount {said!r}: at most {most}", said=text[:40], most=Cents(MAX_CENTS)))
        return cents

    def _rounded(self, text: str, cents: int, mark: str, rest: str) -> int:
        if self.rounding is None:
            raise _Wrong("amount_decimals", tell(
                "amount {said!r} has {size} decimals and the unit has 2; mend it, or say how to round (--round "
                "half-even, half-up or down)", said=text[:40], size=len(rest),
            ))  # fmt: skip
        if mark == "," and self.delimiter == "," and len(rest) == 3:
            raise _Wrong("amount_grouping", tell(
                "amount {said!r} can be read two ways; write decimals with a point", said=text[:40]
            ))  # fmt: skip
        lost, half = int(rest[2:]), int("5".ljust(len(rest) - 2, "0"))
        if self.rounding == "half-up":
            return cents + (lost >= half)
        if self.rounding == "half-even":
            return cents + (lost > half or (lost == half and cents % 2 == 1))
        return cents

    def _moment(self, text: str) -> tuple[str, date, str]:
        """What the record says of the time (UTC, or a day without one), the day it counts for, and whether in doubt.

        An hour without a zone that was twice is taken for the first of the two: a second run says the same.
        """
        doubt = ""
        try:
            if _DAY.fullmatch(text):
                day = date.fromisoformat(text)
                moment = text
            elif _MOMENT.fullmatch(text):
                at = datetime.fromisoformat(text.replace(",", "."))
                if at.tzinfo is None:
                    at = at.replace(tzinfo=self.zone)
                    doubt = _doubt(at)
                day = at.astimezone(self.zone).date()
                moment = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
            else:
                raise ValueError
        except (ValueError, OverflowError):
            raise _Wrong(
                "at_malformed", tell("at {said!r}: write 2025-06-15 or 2025-06-15T14:30:00Z", said=text[:40])
            ) from None
        if day < FIRST:
            raise _Wrong(
                "at_malformed", tell("at {said!r}: the days of a book begin in {year}", said=text[:40], year=FIRST.year)
            )
        if day > self.latest:
            raise _Wrong("at_future", tell("at {said!r} lies in the future", said=text[:40]))
        return moment, day, doubt


def _doubt(at: datetime) -> str:
    """at_twice, at_never or "": when clocks go back, an hour is twice; when they go forward, one is left out."""
    if at.utcoffset() == at.replace(fold=1).utcoffset():
        return ""
    is_there = at.astimezone(UTC).astimezone(at.tzinfo).replace(tzinfo=None) == at.replace(tzinfo=None)
    return "at_twice" if is_there else "at_never"


class _Wrong(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def _header(text: TextIO) -> tuple[str, int, str]:
    """The first line with anything in it, the lines before it, and the delimiter if one of those names it, else ""."""
    said = ""
    for before in range(100):
        header = text.readline(100_000).lstrip(_BOM)  # which is there when somebody names the encoding
        if found := _SEP.fullmatch(header.strip(" \r\n")):
            said = found[2]
        elif header.strip() or not header:
            return header, before, said
    return "", 0, ""


def _after(header: str, text: TextIO) -> Iterator[str]:
    # NUL and the like would be taken for part of a cell; they come from files that are no text.
    yield header
    yield from text


def _check_columns(names: list[str]) -> None:
    missing = [name for name in COLUMNS if name not in names]
    twice = [name for name in COLUMNS if names.count(name) > 1]
    if missing or twice:
        what = (
            tell("the column {name!r} is missing", name=missing[0])
            if missing
            else tell("there are two columns {name!r}", name=twice[0])
        )
        raise FileRefused("import_columns", tell(
            "{what}; the first line must name these: {names}", what=what, names=",".join(COLUMNS)
        ))  # fmt: skip


# --- files -----------------------------------------------------------------------------------------------


def encoding_of(path: Path) -> str:
    """UTF-8 (with or without its mark) or UTF-16 with one, else Windows-1252, which every byte is something in."""
    with _opened(path) as file:
        start = file.read(4)
        for mark, name in _MARKS:
            if start.startswith(mark):
                return name
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while block := file.read(1 << 20):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "cp1252"
    return "utf-8"


@contextmanager
def text_of(path: Path, encoding: str) -> Iterator[tuple[TextIO, BinaryIO]]:
    """The file as text, and as bytes to see how far it has been read. Raises `FileRefused` (import_unreadable)."""
    try:
        with _opened(path) as file, io.TextIOWrapper(file, encoding=encoding, newline="") as text:
            yield text, file
    except UnicodeDecodeError as error:
        raise FileRefused("import_unreadable", tell(
            "{path} is not {encoding} text (byte {start} of a block); name it with --encoding",
            path=path, encoding=encoding, start=error.start,
        )) from None  # fmt: skip
    except LookupError:
        raise FileRefused(
            "import_unreadable", tell("there is no encoding {encoding!r}; write utf-8 or cp1252", encoding=encoding)
        ) from None


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb", buffering=1 << 18)
    except OSError as error:
        raise FileRefused(
            "import_unreadable", tell("{path} cannot be read: {error}", path=path, error=error.strerror)
        ) from None
    with file:
        yield file
