"""Statements as CFONB120: capitals without accents, texts in lines of 70, no word of who is paid in what sum."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from ledger.currency.bank.fake.entries import Account, Entry
from ledger.currency.bank.fake.report import Report
from ledger.currency.bank.latin import latin
from ledger.currency.bank.statement import LineKind

_CREDIT, _DEBIT = "{ABCDEFGHI", "}JKLMNOPQR"


def cfonb120(report: Report) -> bytes:
    """The statement in records of 120 characters, each ended with CR LF. French accounts only: `ValueError`."""
    account = report.account
    before = report.first - timedelta(days=1)
    records = [_record("01", account, "", before, amount=report.opening)]
    for entry in report.entries:
        records += _movement(account, entry)
    records.append(_record("07", account, "", report.last, amount=report.closing))
    return "".join(f"{record}\r\n" for record in records).encode("ascii")


def _movement(account: Account, entry: Entry) -> Iterator[str]:
    code = _code(entry)
    reference = _upper(entry.end_to_end)[:16]
    yield _record("04", account, code, entry.booked_on, amount=entry.amount, entry=entry, reference=reference)
    for qualifier, text in _more(entry):
        yield _record("05", account, code, entry.booked_on, more=f"{qualifier}{text}")


def _more(entry: Entry) -> Iterator[tuple[str, str]]:
    """What the records 05 say: three letters and up to 70 characters each."""
    if entry.name:
        yield "NPY" if entry.payer_named else "NBE", _upper(entry.name)[:70]
    if entry.iban:
        yield "CPY" if entry.payer_named else "CBE", entry.iban
    for index, line in enumerate(entry.lines(70, _upper)):
        yield "LC2" if index else "LCC", line
    if entry.kind not in (LineKind.CHARGE, LineKind.CASH):
        yield "RCN", entry.end_to_end or entry.batch or "NOTPROVIDED"
    if entry.mandate:
        yield "RUM", entry.mandate
    if entry.reason:
        yield "RET", entry.reason


def _record(
    type_: str, account: Account, code: str, day: date, *, amount: int | None = None, entry: Entry | None = None,
    reference: str = "", more: str | None = None,
) -> str:  # fmt: skip
    bank, branch, number, _key = account.rib
    start = f"{type_}{bank}    {branch}EUR2 {number}{code:2}{day:%d%m%y}"
    if more is not None:
        return f"{start}     {more}".ljust(120)
    if entry is None:
        return f"{start}{'':50}{_overpunched(amount or 0)}".ljust(120)
    label = f"{entry.label[:31]:31}  {entry.number % 10_000_000:07d}"
    return f"{start}  {day:%d%m%y}{label}  {_overpunched(amount or 0)}{reference}".ljust(120)


def _overpunched(amount: int) -> str:
    """14 characters, the last of which is the last digit and the sign in one."""
    signs = _DEBIT if amount < 0 else _CREDIT
    rest, last = divmod(abs(amount), 10)
    return f"{rest:013d}{signs[last]}"


def _code(entry: Entry) -> str:
    """The interbank operation code."""
    came = entry.amount > 0
    match entry.kind:
        case LineKind.TRANSFER:
            return "05" if came else "06"
        case LineKind.DEBIT:
            return "A1" if came else "A2"
        case LineKind.RETURN:
            return "A3" if entry.mandate else "27"
        case LineKind.CHARGE:
            return "62"
        case LineKind.CASH:
            return "04"
        case _:
            return "99"


def _upper(text: str) -> str:
    return latin(text).upper()
