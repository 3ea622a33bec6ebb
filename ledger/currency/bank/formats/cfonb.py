"""CFONB120: what French banks call the relevé de compte, in records of 120 characters.

01 old balance, 04 movement, 05 more about the movement before it, 07 new balance; several such blocks in one file.
Records end with CR LF, LF or not at all; blanks at their ends may be gone, or be more. Places below count from 0. The
norm allows capitals without accents; banks write what they like, in Latin-1 or UTF-8.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from ledger.currency.bank.formats.fields import (
    MAX_LINES,
    day_of,
    end_to_end,
    finished,
    iban_of,
    joined,
    plain,
    unreadable,
)
from ledger.currency.bank.formats.labels import KIND_OF_CODE, kind_of_label, name_in_label
from ledger.currency.bank.statement import BankLine, LineKind, Statement, StatementError
from ledger.currency.told import tell

FORMAT = "cfonb120"
WIDTH = 120
START = re.compile(rb"0[1457][0-9]{5}[0-9 ]{4}[0-9]{5}(?:[A-Z]{3}| {3})")
"""How every record begins: type, bank, internal code, branch, currency."""

_END_OF_FILE = b"\x1a \r\n\t"
"""The mark with which old systems end a file, and blank lines."""
_LINE_END = re.compile(r"\r\n|\n|\r")
_AMOUNT = re.compile(r"[0-9]{13}[{}A-R]", re.ASCII)
_CAME, _WENT = "{ABCDEFGHI", "}JKLMNOPQR"
_TEXTS = ("LCC", "LC2", "LCS", "LIB", "LEM", "")
"""Qualifiers of what people and banks wrote, in the order in which it is joined."""
_REASON = re.compile(r"[A-Z]{2}[A-Z0-9]{2}\b", re.ASCII)


def read_cfonb(data: bytes) -> list[Statement]:
    """The statements of a file. Raises `StatementError`."""
    statements: list[Statement] = []
    block: _Block | None = None
    count = 0
    for line, record in _records(data):
        kind = record[:2]
        if kind == "01":
            if block:
                raise _open_block(block, line)
            block = _Block(line, record)
        elif kind not in ("04", "05", "07"):
            raise unreadable(tell("a record begins with {kind!r}, not with 01, 04, 05 or 07", kind=kind), line)
        elif block is None:
            raise unreadable(
                tell("a record {kind} stands before any old balance (01): the start of the file is missing", kind=kind),
                line,
            )
        elif kind == "07":
            statements.append(block.close(line, record))
            block = None
        else:
            count += kind == "04"
            if count > MAX_LINES:
                raise StatementError(
                    "statement_too_large",
                    tell("more than {most} lines in one file; ask the bank for shorter periods", most=MAX_LINES),
                    line,
                )
            block.add(kind, line, record)
    if block:
        raise _open_block(block, None)
    return statements


def _open_block(block: _Block, line: int | None) -> StatementError:
    return unreadable(
        tell("the new balance (07) of the statement that begins on line {line} is missing", line=block.line), line
    )


def _records(data: bytes) -> Iterator[tuple[int, str]]:
    """The records with the line they stand on; in a file without line ends, their number."""
    lines = _LINE_END.split(_decoded(data.removeprefix(b"\xef\xbb\xbf").rstrip(_END_OF_FILE)))
    if len(lines[0]) > WIDTH and not any(lines[1:]):
        text = lines[0]
        lines = [text[place : place + WIDTH] for place in range(0, len(text), WIDTH)]
    for number, record in enumerate(lines, 1):
        if not record.strip():
            continue
        if "\t" in record:
            raise unreadable(tell("a tab stands in a record, whose characters are counted"), number)
        record = record.rstrip(" ")
        if len(record) > WIDTH:
            raise unreadable(
                tell(
                    "a record has {count} characters, not {width}: the file was changed", count=len(record), width=WIDTH
                ),
                number,
            )
        yield number, record.ljust(WIDTH)


def _decoded(data: bytes) -> str:
    """The text, one character for each that the bank counted: an accent in UTF-8 is one, or two of the 120 bytes."""
    try:
        text = data.decode()
        if text.isascii() or all(_counted(line) for line in _LINE_END.split(text)):
            return text
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _counted(line: str) -> bool:
    """Whether the amount of a record stands where it must when each of its characters counts."""
    return line[:2] not in ("01", "04", "07") or _AMOUNT.fullmatch(line[90:104]) is not None


def _mended(text: str) -> str:
    """A text of a file whose bytes were counted: accents that are two characters are one again."""
    if not text.isascii():
        try:
            return text.encode("cp1252").decode()
        except UnicodeError:
            pass
    return text


class _Block:
    """One statement while it is read."""

    def __init__(self, line: int, record: str) -> None:
        self.line = line
        self.account = _account(record, line)
        self.opening = _amount(record, line)
        self.since = _day(record[34:40], line)
        self.lines: list[BankLine] = []
        self.movement: _Movement | None = None

    def add(self, kind: str, line: int, record: str) -> None:
        """A movement, or more about the last one."""
        # Some banks put the code of the bank that debited in place of their own: branch and number tell enough.
        if _account(record, line)[5:] != self.account[5:]:
            raise unreadable(tell("a record is of another account than the old balance (01) before it"), line)
        if kind == "04":
            self._end_movement()
            self.movement = _Movement(line, record)
        elif self.movement is None:
            raise unreadable(tell("a record 05 stands before any movement (04)"), line)
        else:
            self.movement.more(line, record)

    def close(self, line: int, record: str) -> Statement:
        """The statement that ends with this new balance."""
        # Here as well; that the balances agree is what says most.
        if _account(record, line)[5:] != self.account[5:]:
            raise unreadable(tell("the new balance (07) is of another account than the old one (01)"), line)
        self._end_movement()
        until = _day(record[34:40], line)
        # The old balance is that of the last day before; banks that write one file a day may give it the same date.
        first = min(self.since + timedelta(days=1), until) if self.since <= until else self.since
        return finished(
            FORMAT, self.account, (self.opening, _amount(record, line)), (first, until), self.lines, line=line
        )

    def _end_movement(self) -> None:
        if self.movement and self.movement.amount:
            self.lines.append(self.movement.bank_line())
        self.movement = None


class _Movement:
    """A record 04 with the records 05 behind it."""

    def __init__(self, line: int, record: str) -> None:
        self.line = line
        self.record = record
        self.amount = _amount(record, line)
        self.booked_on = _day(record[34:40], line)
        value = record[42:48]
        self.value_on = _day(value, line) if value.strip(" 0") else None
        self.said: dict[str, list[str]] = {}

    def more(self, line: int, record: str) -> None:
        """Take in a record 05: its qualifier and its 70 characters."""
        self.said.setdefault(record[45:48].strip(), []).append(_mended(record[48:118]))

    def bank_line(self) -> BankLine:
        record = self.record
        label = plain(_mended(record[48:79]))
        reject = record[40:42].strip().removeprefix("00")
        kind = LineKind.RETURN if reject else KIND_OF_CODE.get(record[32:34]) or kind_of_label(label, self.amount)
        reference = self.said.get("RCN", [""])[0]
        texts = [text for qualifier in _TEXTS for text in self.said.get(qualifier, ())]
        name, iban = self._other_side(kind is LineKind.RETURN)
        return BankLine(
            booked_on=self.booked_on,
            value_on=self.value_on,
            amount=self.amount,
            kind=kind,
            bank_ref=self._said("REF") or record[81:88].strip(" 0") and record[81:88].strip(),
            name=name or name_in_label(label),
            iban=iban,
            text=joined([*texts, reference[35:], label, record[104:120]]),
            end_to_end=end_to_end(reference[:35]),
            mandate=self._said("RUM", 35),
            reason=self._reason(reject),
            where=self.line,
        )

    def _said(self, qualifier: str, width: int = 70) -> str:
        return plain(self.said.get(qualifier, [""])[0][:width])

    def _other_side(self, returned: bool) -> tuple[str, str]:
        """Name and IBAN of whoever paid, or was paid. A return names the two as the first payment did."""
        payer = self._said("NPY") or self._said("NPO")
        payee = self._said("NBE") or self._said("NBU")
        if (self.amount > 0) != returned:
            return payer or returned and payee or "", iban_of(self._said("CPY", 34))
        return payee or returned and payer or "", iban_of(self._said("CBE", 34))

    def _reason(self, reject: str) -> str:
        """Why it came back: the ISO code where a record RET has one, else what stands there, else the reject code."""
        told = self._said("RET")
        found = _REASON.match(told)
        return found[0] if found else told or reject


def _account(record: str, line: int) -> str:
    """Bank, branch and account number. Checks the currency on the way."""
    currency, decimals = record[16:19], record[19]
    # LCL leaves both empty on balances.
    if currency not in ("EUR", "   "):
        raise StatementError(
            "statement_not_euros",
            tell("the account is kept in {currency!r}; only accounts in euros are imported", currency=currency),
            line,
        )
    if decimals not in "2 ":
        raise unreadable(tell("amounts have {decimals!r} decimals, not 2", decimals=decimals), line)
    return (record[2:7] + record[11:16] + record[21:32]).upper()


def _amount(record: str, line: int) -> int:
    """Signed cents: the last of 14 characters holds the last digit and the sign."""
    text = record[90:104]
    if not _AMOUNT.fullmatch(text):
        raise unreadable(tell("{said!r} (characters 91 to 104) is not an amount of CFONB", said=text), line)
    signs = _CAME if text[13] in _CAME else _WENT
    value = int(text[:13]) * 10 + signs.index(text[13])
    return value if signs is _CAME else -value


def _day(text: str, line: int) -> date:
    """A day as DDMMYY."""
    if not re.fullmatch(r"[0-9]{6}", text, re.ASCII):
        raise unreadable(tell("{said!r} is not a date (day, month and year, two digits each)", said=text), line)
    return day_of("20" + text[4:], text[2:4], text[:2], line)
