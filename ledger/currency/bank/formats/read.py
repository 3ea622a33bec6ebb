"""A bank's file as statements, whichever of the formats it is in: told by what is in it, not by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from hashlib import sha256
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

from ledger.currency.bank.formats.camt import read_camt
from ledger.currency.bank.formats.cfonb import START, read_cfonb
from ledger.currency.bank.formats.ofx import read_ofx
from ledger.currency.bank.statement import AGAIN, Statement, StatementError
from ledger.currency.told import Told, tell

MAX_BYTES: Final = 32 << 20
"""Of a file. Ten thousand lines of camt.053 in all their tags are 20 MB."""
MAX_MARKS: Final = 4_000_000
"""Tags and line ends of a file: each is held for a while, and a file of nothing else would fill the memory."""
MAX_STATEMENTS: Final = 10_000
"""Of one file: each day of ten accounts in two years is less."""
WANTED: Final = tell("ask the bank for camt.053 (XML), CFONB120 or OFX")

_SPACE = b" \t\r\n"
_MARK = b"\xef\xbb\xbf"
_PROLOG = re.compile(rb"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z][\w.-]*)[\s/>]")
_ISO_MESSAGE = re.compile(rb"<(?:[\w.-]+:)?(BkToCstmr\w+|Cstmr\w+Initn|CstmrPmtStsRpt|FIToFI\w+)[\s/>]")
_NEXT_DOCUMENT = re.compile(rb"(?<=Document>)\s*+(?:\xef\xbb\xbf)?+\s*+(?=<(?:\?xml|(?:[\w.-]+:)?Document)[\s>])")
_MT940 = re.compile(rb"(?:\{1:|:20:)")

# What else people have at hand, and what to do with it. What each begins with says enough.
_OTHERS: Final = (
    (b"%PDF", tell("this is a PDF: it is for reading")),
    (b"PK\x03\x04", tell("this is a ZIP archive (or a spreadsheet): unpack it and import the files in it, one by one")),
    (b"\x1f\x8b", tell("this is a packed file (gzip): unpack it first")),
    (b"7z\xbc\xaf", tell("this is a packed file (7-Zip): unpack it first")),
    (b"Rar!", tell("this is a packed file (RAR): unpack it first")),
    (b"\xd0\xcf\x11\xe0", tell("this is a spreadsheet or an old Office file")),
    (b"{\\rtf", tell("this is a text document")),
    (b"!Type:", tell("this is QIF, which has no balances to check it by")),
    (b"\x89PNG", tell("this is a picture")),
    (b"\xff\xd8\xff", tell("this is a picture")),
)
_ISO: Final = {
    b"BkToCstmrAcctRpt": tell("this is camt.052, a report during the day, which may still change"),
    b"BkToCstmrDbtCdtNtfctn": tell("this is camt.054, a notice of some lines without the balances of the account"),
}


def read_file(path: Path) -> list[Statement]:
    """What `read` makes of a file, of which no more is read into memory than is allowed. Raises `StatementError`."""
    try:
        with path.open("rb") as file:
            # One byte more than allowed tells as much as all of them, of a pipe or a file that grows as well.
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise StatementError("statement_unreadable", tell("{path} cannot be read: {strerror}",
                                                          path=path, strerror=error.strerror)) from None  # fmt: skip
    return read(data)


def read(data: bytes) -> list[Statement]:
    """The statements of a file, ordered by account and day. Nothing is parsed of a file that is too large.

    Raises `StatementError`: statement_too_large, statement_empty, statement_format_unknown, statement_unreadable,
    statement_not_euros, statement_pending, statement_page, statement_sum_wrong.
    """
    if len(data) > MAX_BYTES:
        raise StatementError("statement_too_large", tell(
            "the file has more than {max_bytes} MB, larger than any statement; if it is one, ask the bank for shorter "
            "periods", max_bytes=MAX_BYTES >> 20,
        ))  # fmt: skip
    if not data.removeprefix(_MARK).strip(_SPACE):
        raise StatementError("statement_empty", tell("the file is empty; fetch it again, or choose another one"))
    _reader(data)
    if data.count(b"<") + data.count(b"\n") + data.count(b"\r") > MAX_MARKS:
        raise StatementError("statement_too_large", tell(
            "the file has more tags or lines than any statement; ask the bank for shorter periods"
        ))  # fmt: skip
    statements = [statement for part in _documents(data) for statement in _read_part(*part)]
    if len(statements) > MAX_STATEMENTS:
        raise StatementError("statement_too_large", tell(
            "more than {max_statements} statements in one file; ask the bank for shorter periods",
            max_statements=MAX_STATEMENTS,
        ))  # fmt: skip
    if not statements:
        raise StatementError("statement_empty", tell(
            "the file holds no statement of a bank account: choose one and its days at the bank"
        ))  # fmt: skip
    file = sha256(data).hexdigest()
    ordered = [one for _days, some in groupby(sorted(statements, key=_days), _days) for one in _in_turn(list(some))]
    return [replace(one, file=file) for one in ordered]


def _days(statement: Statement) -> tuple[str, date, date]:
    return statement.account, statement.first, statement.last


def _in_turn(statements: list[Statement]) -> list[Statement]:
    """Statements of one account and the same days in the order that their balances tell; else as the file has them."""
    for order in (statements, statements[::-1]):
        if all(one.closing == other.opening for one, other in pairwise(order)):
            return order
    return statements


def _documents(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The documents of a file, each with the lines before it: some banks put several of XML into one."""
    start = 0
    for found in _NEXT_DOCUMENT.finditer(data):
        yield data.count(b"\n", 0, start), data[start : found.start()]
        start = found.end()
    yield data.count(b"\n", 0, start), data[start:]


def _read_part(before: int, data: bytes) -> list[Statement]:
    try:
        return _reader(data)(data)
    except StatementError as error:
        if not before or error.line is None:
            raise
        raise StatementError(error.code, error.detail, before + error.line) from None


def _reader(data: bytes) -> Callable[[bytes], list[Statement]]:
    for start, what in _OTHERS:
        if data.startswith(start):
            raise _unknown(what)
    if b"\0" in data:
        if data.startswith((b"\xff\xfe", b"\xfe\xff")) or data[:200].count(b"\0") in range(80, 121):
            what = tell('the file was saved as UTF-16 ("Unicode"); fetch it from the bank again, or save it as UTF-8')
        else:
            what = tell("the file has NUL characters, which are in no statement; {again}", again=AGAIN)
        raise StatementError("statement_unreadable", what, data.count(b"\n", 0, data.index(b"\0")) + 1)
    text = data.removeprefix(_MARK).lstrip(_SPACE)
    if START.match(text):
        return read_cfonb
    if text[:9].upper() == b"OFXHEADER" or text[:5].upper() == b"<OFX>":
        return read_ofx
    if text.startswith(b"<"):
        return _tagged(text)
    if _MT940.match(text):
        raise _unknown(tell("this is MT940, which ends"))
    line = text.splitlines()[0]
    if line.count(b";") > 1 or line.count(b",") > 1 or line.count(b"\t") > 1:
        raise _unknown(tell("this is a table (CSV), which has no balances to check it by"))
    raise _unknown(tell("this is none of the formats that are read"))


def _tagged(text: bytes) -> Callable[[bytes], list[Statement]]:
    """The reader of a file that begins with a tag."""
    prolog = _PROLOG.match(text)
    rest = text[prolog.end() :] if prolog else text
    if rest[:9].upper() == b"<!DOCTYPE" and b"html" not in rest[:100].lower():
        # Whatever follows: the reader refuses it, with the reason.
        return read_camt
    found = _ROOT.match(rest)
    root = found[1] if found else b""
    if root.upper() == b"OFX":
        return read_ofx
    if root == b"Document" and b"camt.053" in rest[:2_000]:
        return read_camt
    message = _ISO_MESSAGE.search(rest[:100_000])
    if message is None or root.lower() == b"html":
        page = rest[:9].upper() == b"<!DOCTYPE" or root.lower() == b"html"
        site = tell("this is a web page: the bank's site showed an error or its log-in")
        what = site if page else tell("this is other XML")
        raise _unknown(what)
    if message[1] != b"BkToCstmrStmt":
        raise _unknown(_ISO.get(message[1], tell("this is a payment file or its answer, not a statement")))
    return read_camt


def _unknown(what: Told) -> StatementError:
    return StatementError("statement_format_unknown", tell("{what}; {wanted}", what=what, wanted=WANTED))
