"""Is this a FEC? What art. A47 A-1 of the LPF asks for, what the tax office's Test Compta Demat looks at, and what it
no longer does: that entries and file balance, that numbers have no gap, that entries stand in the order of their
validation with the opening balances first, that days lie in the year.

Any program's file can be checked, of any size: a line is held at a time. Numbers may be continuous over the whole file
or within each journal. Amounts stand in Debit and Credit or in Montant and Sens; who keeps books of payments has three
or four fields more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import BinaryIO, Final, NamedTuple

from ledger.currency.accounts.fec import COLUMNS
from ledger.currency.charter import rules
from ledger.currency.money import decimal_text

MOST_FINDINGS: Final = 200
_MAX_LINE: Final = 1 << 16
_BLOCK: Final = 1 << 20
_BLANKS: Final = "\t\u00a0\u202f"
_MARK: Final = b"\xef\xbb\xbf"
_NAME: Final = re.compile(r"(\d{9})FEC(\d{8})(?:_\d+)?\.txt", re.ASCII | re.IGNORECASE)
_AMOUNT: Final = re.compile(r"([+-]?)(\d{1,15})(?:,(\d{1,2}))?", re.ASCII)
_ACCOUNT: Final = re.compile(r"[1-8]\d\d[0-9A-Za-z]*", re.ASCII)
_NUMBERED: Final = re.compile(r"(.*?)(\d{1,18})", re.ASCII | re.DOTALL)
_SIGNED: Final = (*COLUMNS[:11], "Montant", "Sens", *COLUMNS[13:])
_PAID: Final = ("DateRglt", "ModeRglt", "NatOp", "IdClient")
_LAYOUTS: Final = [(*base, *_PAID[:more]) for base in (COLUMNS, _SIGNED) for more in (0, 3, 4)]
"""The fields that a file may have. IdClient came later."""
_SIDES: Final = {"D": 1, "+1": 1, "C": -1, "-1": -1}
_OPENINGS: Final = frozenset({"AN", "ANO", "ANOUV", "RAN"})
_REQUIRED: Final = (*range(6), *range(8, 11), 15)
"""Places of the fields that may not be empty: all but auxiliary accounts, lettering and foreign currency. Amounts are
looked at by themselves.
"""


class Finding(NamedTuple):
    """Something that is not as it must be. `line` counts from 1; 0: no line is at fault."""

    code: str
    line: int
    text: str


@dataclass
class Report:
    """What a check came to. `findings` holds the first of each kind, in the order of the file; `total` counts all."""

    findings: list[Finding] = field(default_factory=list)
    total: int = 0
    entries: int = 0
    lines: int = 0
    debit: int = 0
    credit: int = 0
    """Cents."""

    @property
    def ok(self) -> bool:
        """Whether everything is as it must be."""
        return not self.total

    def find(self, code: str, line: int, text: str) -> None:
        self.total += 1
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(code, line, text))


def check(file: BinaryIO, name: str = "", start: date | None = None) -> Report:
    """Check a file. `name` is the name it has, which says when the year ends; `start` the year's first day."""
    report = Report()
    end = _end(report, name) if name else None
    lines = _Text(report, file)
    head = next(lines, None)
    if head is None:
        report.find("file_empty", 0, "the file is empty")
        return report
    separator = "\t" if "\t" in head[1] else "|"
    columns = tuple(head[1].split(separator))
    if columns not in _LAYOUTS:
        told = "the first line names the 18 fields, separated by TAB or |, in their order; Montant and Sens may stand"
        report.find("header_wrong", 1, f"{told} for Debit and Credit, and {', '.join(_PAID)} may follow")
        return report
    entries = _Entries(report, columns, start, end)
    for line, text in lines:
        entries.take(line, text, separator)
    entries.end()
    lines.end()
    report.findings.sort(key=lambda finding: finding.line or 1 << 62)
    return report


def _end(report: Report, name: str) -> date | None:
    found = _NAME.fullmatch(name)
    end = _day(found[2]) if found else None
    if found is None or end is None:
        report.find("name_wrong", 0, f"the name {name!r} is not SIREN, FEC, the year's last day (AAAAMMJJ) and .txt")
        return None
    try:
        rules.siren(found[1])
    except rules.Wrong:
        report.find("name_wrong", 0, f"{found[1]} in the name is no SIREN: its last digit does not fit the others")
    return end


class _Text:
    """The lines of a file, numbered from 1: whichever line end and character set of the three allowed it has."""

    def __init__(self, report: Report, file: BinaryIO) -> None:
        self.report = report
        self.sets: dict[str, int] = {}
        self.number = 0
        self._raw = self._split(file)

    def __iter__(self) -> _Text:
        return self

    def __next__(self) -> tuple[int, str]:
        raw = next(self._raw)
        self.number += 1
        if self.number == 1 and raw.startswith(_MARK):
            self.report.find("charset_mark", 1, "the file begins with a byte order mark, which is part of no field")
            raw = raw[len(_MARK) :]
        text = self._decoded(raw)
        wrong = ""
        if not text.replace("\t", "").isprintable():
            wrong = next((char for char in text if char not in _BLANKS and not char.isprintable()), "")
        if wrong in ("\r", "\n"):
            self.report.find("line_end_mixed", self.number, "this line ends otherwise than the first")
        elif wrong:
            self.report.find("character", self.number, f"a field holds the character U+{ord(wrong):04X}")
        return self.number, text

    def _decoded(self, raw: bytes) -> str:
        if raw.isascii():
            return raw.decode("ascii")
        try:
            text, charset = raw.decode("utf-8"), "UTF-8"
        except UnicodeDecodeError:
            text, charset = raw.decode("iso-8859-15"), "ISO 8859-15"
        self.sets.setdefault(charset, self.number)
        return text

    def end(self) -> None:
        if len(self.sets) > 1:
            line = max(self.sets.values())
            self.report.find("charset_mixed", line, "this line is not in the character set of the lines before it")

    def _split(self, file: BinaryIO) -> Iterator[bytes]:
        """Lines without their ends. The first line end decides which it is; the others must be the same."""
        rest = file.read(_BLOCK)
        if not rest:
            return
        mark = b"\r\n" if b"\r\n" in rest else b"\n" if b"\n" in rest else b"\r"
        while True:
            *whole, rest = rest.split(mark)
            yield from whole
            if len(rest) > _MAX_LINE:
                self.report.find("line_long", self.number + 1, f"a line is at most {_MAX_LINE} bytes")
                return
            block = file.read(_BLOCK)
            if not block:
                break
            rest += block
        if rest:
            yield rest
            self.report.find("line_unended", self.number, "the last line has no end: the file was cut")


class _Sequence:
    """Numbers that must go up by one from 1. `scope` is what has a sequence of its own."""

    def __init__(self) -> None:
        self.last: dict[tuple[str, ...], int] = {}
        self.findings: list[Finding] = []
        self.total = 0

    def take(self, line: int, scope: tuple[str, ...], number: int, shown: str) -> None:
        before = self.last.get(scope, 0)
        if number == before + 1:
            self.last[scope] = number
            return
        self.total += 1
        if len(self.findings) < MOST_FINDINGS:
            if number > before:
                text = f"{shown} comes after {before}: numbers are missing" if before else f"numbers begin at {shown}"
                self.findings.append(Finding("numbers_gap", line, text))
            else:
                self.findings.append(Finding("entry_scattered", line, f"{shown} was there before, further up"))
        self.last[scope] = max(number, before)


class _Open(NamedTuple):
    """The entry that is being read: what its lines must have in common, and where it begins."""

    line: int
    number: str
    journal: str
    day: str
    valid_on: str


class _Entries:
    def __init__(self, report: Report, columns: tuple[str, ...], start: date | None, end: date | None) -> None:
        self.report = report
        self.columns = columns
        self.start, self.end_day = start, end
        self.open: _Open | None = None
        self.balance = self.count = 0
        self.by_file, self.by_journal = _Sequence(), _Sequence()
        self.labels: dict[tuple[str, str], str] = {}
        self.valid_on = ""
        self.begun = False

    def take(self, line: int, text: str, separator: str) -> None:
        find = self.report.find
        if not text.strip():
            find("line_empty", line, "an empty line")
            return
        cells = text.split(separator)
        if len(cells) != len(self.columns):
            find("fields_count", line, f"{len(cells)} fields in place of {len(self.columns)}")
            return
        self.report.lines += 1
        if separator == "\t" and "|" in text:
            find("bar_in_text", line, "a field holds |, which the tax office's program takes for a separator")
        for place in _REQUIRED:
            if not cells[place].strip():
                find("field_missing", line, f"{self.columns[place]} is empty")
        self._days(line, cells)
        self._labels(line, cells)
        cents = self._amounts(line, cells)
        self._entry(line, cells)
        self.balance += cents
        self.count += 1

    def _entry(self, line: int, cells: list[str]) -> None:
        journal, number, day, valid_on = cells[0], cells[2], cells[3], cells[15]
        find = self.report.find
        if self.open is None or number != self.open.number or (journal != self.open.journal and self.balance == 0):
            self._close()
            self.open = _Open(line, number, journal, day, valid_on)
            self._begin(line, journal, number, valid_on)
            return
        for what, mine, entrys in (
            ("JournalCode", journal, self.open.journal),
            ("EcritureDate", day, self.open.day),
            ("ValidDate", valid_on, self.open.valid_on),
        ):
            if mine != entrys:
                find("entry_differs", line, f"entry {number} has {what} {mine!r} here and {entrys!r} before")

    def _begin(self, line: int, journal: str, number: str, valid_on: str) -> None:
        self.report.entries += 1
        find = self.report.find
        found = _NUMBERED.fullmatch(number)
        if found is None:
            find("number_malformed", line, f"the number {number!r} does not end with digits, so no gap can be seen")
        else:
            self.by_file.take(line, (found[1],), int(found[2]), number)
            self.by_journal.take(line, (journal, found[1]), int(found[2]), number)
        if journal.upper() in _OPENINGS:
            if self.begun:
                find("opening_late", line, "opening balances stand before all other entries")
        else:
            self.begun = True
        if valid_on < self.valid_on:
            find("order_validation", line, f"validated on {valid_on}, after an entry validated on {self.valid_on}")
        self.valid_on = max(self.valid_on, valid_on)

    def _close(self) -> None:
        """What an entry must have come to, once its last line is read."""
        if self.open is not None:
            line, number = self.open.line, self.open.number
            if self.balance:
                text = f"entry {number} does not balance: debits less credits are {decimal_text(self.balance)}"
                self.report.find("entry_unbalanced", line, text)
            if self.count < 2:
                self.report.find("entry_one_line", line, f"entry {number} has one line")
        self.balance = self.count = 0

    def _days(self, line: int, cells: list[str]) -> None:
        find = self.report.find
        places = (3, 9, 14, 15, 18) if len(cells) > len(COLUMNS) else (3, 9, 14, 15)
        days = {place: _day(cells[place]) for place in places}
        for place, day in days.items():
            if cells[place].strip() and day is None:
                told = f"{self.columns[place]} {cells[place]!r} is no day of 19.. or 20.. as AAAAMMJJ"
                find("date_malformed", line, told)
        day, valid_on = days[3], days[15]
        if day is None:
            return
        if valid_on is not None and valid_on < day:
            find("valid_early", line, f"validated on {valid_on}, before the day that it counts for, {day}")
        if self.end_day is not None:
            # A business year has 24 months at the very most.
            first = self.start or date(self.end_day.year - 2, self.end_day.month, 1)
            if not first <= day <= self.end_day:
                find("date_outside_year", line, f"{day} is not in the year that ends on {self.end_day}")

    def _labels(self, line: int, cells: list[str]) -> None:
        find = self.report.find
        if not _ACCOUNT.fullmatch(cells[4]):
            find("account_malformed", line, f"account {cells[4]!r} does not begin with 3 digits of classes 1 to 8")
        if cells[0].upper() in _OPENINGS and cells[4][:1] in ("6", "7"):
            find("opening_result", line, f"account {cells[4]} begins each year at nothing")
        for first, second in ((6, 7), (13, 14), (16, 17)):
            if bool(cells[first].strip()) != bool(cells[second].strip()):
                find("half_filled", line, f"{COLUMNS[first]} and {COLUMNS[second]} are filled in together, or neither")
        for place, key in ((1, cells[0]), (5, cells[4]), (7, f"{cells[4]}/{cells[6]}")):
            label = self.labels.setdefault((COLUMNS[place], key), cells[place])
            if label != cells[place]:
                find("label_differs", line, f"{COLUMNS[place]} {cells[place]!r} was {label!r} before")

    def _amounts(self, line: int, cells: list[str]) -> int:
        """Debit less credit, in cents."""
        debit, credit = self._sides(cells)
        if debit is None or credit is None:
            told = f"{cells[11]!r} and {cells[12]!r} must be amounts such as 1234,56"
            if self.columns[12] == "Sens":
                told = f"{cells[11]!r} must be an amount such as 1234,56, and {cells[12]!r} D or C, or +1 or -1"
            self.report.find("amount_malformed", line, told)
        elif min(debit, credit) < 0 or (debit == 0) == (credit == 0):
            self.report.find("amount_side", line, "a line has either a debit or a credit, of more than 0")
        self.report.debit += debit or 0
        self.report.credit += credit or 0
        return (debit or 0) - (credit or 0)

    def _sides(self, cells: list[str]) -> tuple[int | None, int | None]:
        """Debit and credit of a line, in cents."""
        if self.columns[12] != "Sens":
            return _cents(cells[11]), _cents(cells[12])
        amount, side = _cents(cells[11]), _SIDES.get(cells[12])
        if amount is None or side is None:
            return None, None
        return (amount, 0) if side > 0 else (0, amount)

    def end(self) -> None:
        self._close()
        report = self.report
        if report.debit != report.credit:
            text = f"debits are {decimal_text(report.debit)}, credits {decimal_text(report.credit)}"
            report.find("file_unbalanced", 0, text)
        # Numbers are continuous in one of the two ways; where in neither, the nearer one says what is missing.
        nearer = min(self.by_journal, self.by_file, key=lambda sequence: sequence.total)
        report.total += nearer.total
        report.findings += nearer.findings[: max(0, MOST_FINDINGS - len(report.findings))]


@lru_cache(maxsize=4_096)
def _day(text: str) -> date | None:
    if len(text) != 8 or not (text.isascii() and text.isdigit()) or text[:2] not in ("19", "20"):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def _cents(text: str) -> int | None:
    found = _AMOUNT.fullmatch(text)
    if found is None:
        return None
    cents = int(found[2]) * 100 + int((found[3] or "").ljust(2, "0"))
    return -cents if found[1] == "-" else cents
