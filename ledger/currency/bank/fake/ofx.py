"""Statements as OFX 1 (SGML), as online banking offers them: names cut at 32 characters, no accounts, no sums apart."""

from __future__ import annotations

from datetime import timedelta
from xml.sax.saxutils import escape

from ledger.currency.bank.fake.entries import Entry
from ledger.currency.bank.fake.report import Report
from ledger.currency.bank.latin import latin
from ledger.currency.bank.statement import LineKind
from ledger.currency.money import decimal_text

NAME = 32
"""Characters that OFX has for a name; the rest goes into the memo."""
_HEADER = """\
OFXHEADER:100
DATA:OFXSGML
VERSION:102
SECURITY:NONE
ENCODING:USASCII
CHARSET:1252
COMPRESSION:NONE
OLDFILEUID:NONE
NEWFILEUID:NONE

"""
_TYPES = {LineKind.CHARGE: "FEE", LineKind.CASH: "CASH"}


def ofx(report: Report) -> bytes:
    """The statement, oldest entry first. French accounts only: `ValueError`."""
    bank, branch, number, key = report.account.rib
    first, last = f"{report.first:%Y%m%d}", f"{report.last:%Y%m%d}"
    ok = "<STATUS><CODE>0<SEVERITY>INFO</STATUS>"
    lines = [
        f"<OFX><SIGNONMSGSRSV1><SONRS>{ok}<DTSERVER>{report.last + timedelta(days=1):%Y%m%d}053000<LANGUAGE>FRA</SONRS>"
        "</SIGNONMSGSRSV1>",
        f"<BANKMSGSRSV1><STMTTRNRS><TRNUID>{report.number}{ok}<STMTRS><CURDEF>EUR",
        f"<BANKACCTFROM><BANKID>{bank}<BRANCHID>{branch}<ACCTID>{number}<ACCTTYPE>CHECKING<ACCTKEY>{key}"
        "</BANKACCTFROM>",
        f"<BANKTRANLIST><DTSTART>{first}<DTEND>{last}",
        *map(_transaction, report.entries),
        f"</BANKTRANLIST><LEDGERBAL><BALAMT>{decimal_text(report.closing)}<DTASOF>{last}</LEDGERBAL></STMTRS>"
        "</STMTTRNRS></BANKMSGSRSV1></OFX>",
    ]
    return (_HEADER + "\n".join(lines) + "\n").replace("\n", "\r\n").encode("cp1252")


def _transaction(entry: Entry) -> str:
    kind = _TYPES.get(entry.kind) or ("DIRECTDEBIT" if entry.kind is LineKind.DEBIT and entry.amount < 0 else "")
    label = entry.label
    memo = " ".join(
        part for part in (label[NAME:], *map(_in_cp1252, entry.lines(140)), entry.mandate, entry.end_to_end) if part
    )
    sign = "+" if entry.amount > 0 else ""
    return (
        f"<STMTTRN><TRNTYPE>{kind or ('CREDIT' if entry.amount > 0 else 'DEBIT')}<DTPOSTED>{entry.booked_on:%Y%m%d}"
        f"<TRNAMT>{sign}{decimal_text(entry.amount)}<FITID>{entry.bank_ref}<NAME>{escape(label[:NAME].strip())}"
        f"{f'<MEMO>{escape(memo)}' if memo else ''}</STMTTRN>"
    )


def _in_cp1252(text: str) -> str:
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        return latin(text)
    return text
