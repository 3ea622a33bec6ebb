"""OFX: the file of most online banking, version 1 (SGML, leaves without end tags) and 2 (XML).

It has no opening balance: that is the closing one less the lines, so only the statement before can prove it whole (see
`taking`), and it is told only where the lines reach to the day of the balance. What it lacks besides: who paid, by
account or even by full name, and which end-to-end id we gave.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta

from ledger.currency.bank.formats.fields import (
    MAX_LINES,
    account_of,
    cents,
    day_of,
    finished,
    iban_of,
    joined,
    lacking,
    plain,
    unescaped,
    unreadable,
)
from ledger.currency.bank.formats.labels import kind_of_label, name_in_label
from ledger.currency.bank.formats.nodes import Node, xml_nodes
from ledger.currency.bank.formats.sgml import sgml_nodes
from ledger.currency.bank.statement import OTHERWISE, BankLine, LineKind, Statement, StatementError
from ledger.currency.bank.target import is_open
from ledger.currency.charter.ibans import rib_key
from ledger.currency.told import tell

FORMAT = "ofx"
_KINDS = {
    "XFER": LineKind.TRANSFER, "DIRECTDEP": LineKind.TRANSFER, "DIRECTDEBIT": LineKind.DEBIT,
    "FEE": LineKind.CHARGE, "SRVCHG": LineKind.CHARGE, "ATM": LineKind.CASH, "CASH": LineKind.CASH,
}  # fmt: skip
_BREAK = re.compile(r"</? ?br ?/?>", re.IGNORECASE)
"""In texts that were made for a page."""
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,6}|#x[0-9A-Fa-f]{1,5});)")
_BALANCE_ROW = re.compile(r"(?:ancien |nouveau )?solde\b", re.IGNORECASE)
_DECLARATION = re.compile(r"\A(\s*)<\?xml[^>]*\?>")
_DAY = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:[0-9]{4}(?:[0-9]{2}(?:\.[0-9]+)?)?)?(?:\[[^]]{1,20}\])?", re.ASCII)


def read_ofx(data: bytes) -> list[Statement]:
    """The statements of a file, one for each account. Raises `StatementError`."""
    statements: list[Statement] = []
    lines: list[BankLine] = []
    for parent, node in _nodes(data):
        if node.name == "STMTTRN" and parent == "BANKTRANLIST":
            if len(lines) >= MAX_LINES:
                raise StatementError(
                    "statement_too_large",
                    tell(
                        "more than {most} lines in one file; ask the bank for shorter periods",
                        most=MAX_LINES,
                    ),
                    node.line,
                )
            line = _line(node)
            if line:
                lines.append(line)
        elif node.name == "STMTRS":
            statements.append(_statement(node, lines))
            lines = []
        elif node.name in ("CCSTMTRS", "INVSTMTRS"):
            # The lines before were of a card or of securities, not of an account.
            lines = []
    return statements


def _nodes(data: bytes) -> Iterator[tuple[str, Node]]:
    names = ("STMTTRN", "STMTRS", "CCSTMTRS", "INVSTMTRS")
    text = _BREAK.sub(" ", _decoded(data))
    if text.lstrip().startswith("<?"):
        # Whatever encoding it declares: banks declare ASCII and write accents. Its text is known by now. Entities that
        # XML does not know are text, until the line is read.
        text = _AMPERSAND.sub("&amp;", _DECLARATION.sub(r"\1", text))
        return xml_nodes(text.encode(), names, "UTF-8")
    return sgml_nodes(text, "OFX", names)


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _line(node: Node) -> BankLine | None:
    """The line of a transaction; None if it moved nothing."""
    if node.get("CORRECTFITID"):
        raise lacking(tell("a line corrects one of an earlier file"), node.line)
    currency = node.value("CURRENCY", "CURSYM")
    if currency not in ("", "EUR"):
        raise StatementError(
            "statement_not_euros",
            tell("a line is in {currency}; only lines in euros are imported", currency=currency[:3]),
            node.line,
        )
    amount = cents(node.value("TRNAMT"), node.line, signed=True, comma=True)
    if not amount:
        return None
    label, payee = _text(node, "NAME"), _text(node, "PAYEE", "NAME") or _text(node, "EXTDNAME")
    memo = _text(node, "MEMO")
    if _BALANCE_ROW.match(label) and not node.value("FITID"):
        raise StatementError(
            "statement_sum_wrong",
            tell(
                "this line is called {label!r} and has no FITID: it is a balance among the lines, "
                "and what the file has does not add up; {otherwise}",
                label=label[:40],
                otherwise=OTHERWISE,
            ),
            node.line,
        )
    kind = _KINDS.get(node.value("TRNTYPE").upper())
    words = kind_of_label(label or memo, amount)
    if kind is None or words is LineKind.RETURN:
        # Whoever orders a transfer writes its memo, and whom it is to: of what went out, only the bank says that it is
        # a return. What came in so issues nothing by itself, whoever wrote it.
        typed = amount < 0 and words is LineKind.RETURN and (kind is not None or not label)
        kind = kind or LineKind.OTHER if typed else words
    available = node.value("DTAVAIL")
    return BankLine(
        booked_on=_day(node.value("DTPOSTED"), node.line),
        value_on=_day(available, node.line) if available else None,
        amount=amount,
        kind=kind,
        bank_ref=plain(node.value("FITID")),
        name=payee or name_in_label(label),
        iban=iban_of(node.value("BANKACCTTO", "ACCTID")),
        text=joined([label, payee, memo, _text(node, "REFNUM")]),
        where=node.line,
    )


def _text(node: Node, *path: str) -> str:
    # Once more: what was an entity in a text of XML is one that was written so.
    return plain(unescaped(node.value(*path)))


def _statement(node: Node, lines: list[BankLine]) -> Statement:
    currency = node.value("CURDEF")
    if not currency:
        raise lacking(tell("the statement does not say its currency (CURDEF)"), node.line)
    if currency != "EUR":
        raise StatementError(
            "statement_not_euros",
            tell("the account is kept in {currency}; only euros are imported", currency=currency[:3]),
            node.line,
        )
    account = _account(node)
    balance = node.get("LEDGERBAL")
    if balance is None or not balance.value("BALAMT") or not balance.value("DTASOF"):
        raise lacking(
            tell(
                "the statement of account {account} has no balance with its day (LEDGERBAL: BALAMT, "
                "DTASOF), so nothing proves it",
                account=account,
            ),
            node.line,
        )
    closing = cents(balance.value("BALAMT"), balance.line, signed=True, comma=True)
    until = _day(balance.value("DTASOF"), balance.line)
    late = next((line for line in lines if line.booked_on > until), None)
    if late:
        raise StatementError(
            "statement_sum_wrong",
            tell(
                "the balance is of {until} and a line is of {booked_on}: what was there before "
                "cannot be told; fetch the file again up to a day that is closed",
                until=until,
                booked_on=late.booked_on,
            ),
            late.where,
        )
    lists = node.each("BANKTRANLIST")
    begins = [_day(one.value("DTSTART"), one.line) for one in lists if one.value("DTSTART")]
    ends = [_day(one.value("DTEND"), one.line) for one in lists if one.value("DTEND")]
    days = [line.booked_on for line in lines]
    last = min(max(ends, default=until), until)
    if any(is_open(last + timedelta(days=more)) for more in range(1, (until - last).days + 1)):
        raise StatementError(
            "statement_sum_wrong",
            tell(
                "the lines reach to {last} and the balance is of {until}: what was on the account on "
                "{last} cannot be told; fetch the lines up to {until}, the day of the balance (most "
                "banks give that of today), or {otherwise}",
                last=last,
                until=until,
                otherwise=OTHERWISE,
            ),
            balance.line,
        )
    first = min(begins or [*days, last])
    if days and days[0] > days[-1]:
        # Most banks write the newest first.
        lines = lines[::-1]
    opening = closing - sum(line.amount for line in lines)
    return finished(FORMAT, account, (opening, closing), (min(first, last), last), lines, line=node.line)


def _account(node: Node) -> str:
    """IBAN, or BBAN; question marks where the bank does not name the branch."""
    parts = node.get("BANKACCTFROM")
    if parts is None or not parts.value("ACCTID"):
        raise lacking(tell("the statement does not say of which account it is"), node.line)
    bank, branch, number = (account_of(parts.value(name)) for name in ("BANKID", "BRANCHID", "ACCTID"))
    if iban_of(number) or len(number) == 21 or not re.fullmatch(r"[0-9]{1,5}", bank):
        return number
    bank, branch = bank.zfill(5), branch.zfill(5) if branch else "?????"
    if len(number) == 13 and number[11:] in (parts.value("ACCTKEY"), rib_key(bank + branch + number[:11])):
        number = number[:11]
    return bank + branch + number.zfill(11)


def _day(text: str, line: int) -> date:
    """A day as YYYYMMDD, whatever moment of it and zone follow: the bank's own day."""
    found = _DAY.fullmatch(text)
    if found is None:
        raise unreadable(tell("{said!r} is not a date of OFX (YYYYMMDD)", said=text[:40]), line)
    return day_of(found[1], found[2], found[3], line)
