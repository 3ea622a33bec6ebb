"""camt.053: the bank's statement as ISO 20022 has it, of any version (.001.02, .04, .06, .08 and later).

Names are looked up without their namespace, and the few elements that moved between versions at both places. What the
bank repeats as a control is held against what it controls: totals of entries, sums of batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from ledger.currency.bank.formats.camt_entry import AMOUNT, NOT_AS_CAMT, read_entry, signed
from ledger.currency.bank.formats.fields import (
    MAX_LINES,
    account_of,
    cents,
    finished,
    is_midnight,
    iso_day,
    lacking,
    plain,
    unreadable,
)
from ledger.currency.bank.formats.nodes import Node, xml_nodes
from ledger.currency.bank.statement import AGAIN, BankLine, Statement, StatementError
from ledger.currency.told import Cents, Told, tell

FORMAT = "camt.053"


@dataclass
class _Totals:
    """The entries of a statement while it is read. Those of nothing (0.00) count, but make no line."""

    account: Node | None = None
    balances: list[Node] = field(default_factory=list)
    lines: list[BankLine] = field(default_factory=list)
    came: list[int] = field(default_factory=list)
    went: list[int] = field(default_factory=list)

    def add(self, entry: Node) -> None:
        amount = signed(entry)
        (self.came if entry.value("CdtDbtInd") == "CRDT" else self.went).append(abs(amount))
        if amount:
            own = self.account.value("Id", "IBAN") if self.account else ""
            self.lines.append(read_entry(entry, amount, len(self.came) + len(self.went), own))


def read_camt(data: bytes) -> list[Statement]:
    """The statements of a file. Raises `StatementError`."""
    statements: list[Statement] = []
    totals, count = _Totals(), 0
    for parent, node in xml_nodes(data, ("Acct", "Bal", "Ntry", "Stmt")):
        if node.name == "Ntry" and parent == "Stmt":
            count += 1
            if count > MAX_LINES:
                raise StatementError(
                    "statement_too_large",
                    tell("more than {most} lines in one file; ask the bank for shorter periods", most=MAX_LINES),
                    node.line,
                )
            totals.add(node)
        elif node.name == "Acct" and parent == "Stmt":
            totals.account = node
        elif node.name == "Bal" and parent == "Stmt":
            if not node.value("CdtDbtInd"):
                code = node.value("Tp", "CdOrPrtry", "Cd")
                raise lacking(
                    tell(
                        "the balance {code} says neither CRDT nor DBIT: nothing tells whether it is a debt", code=code
                    ),
                    node.line,
                    otherwise=NOT_AS_CAMT,
                )
            totals.balances.append(node)
        elif node.name == "Stmt" and parent == "BkToCstmrStmt":
            statements.append(_statement(node, totals))
            totals = _Totals()
    if totals.came or totals.went:
        raise unreadable(tell("there are entries outside of any statement"))
    return statements


def _statement(node: Node, totals: _Totals) -> Statement:
    holder = totals.account
    account = account_of(holder.value("Id", "IBAN") or holder.value("Id", "Othr", "Id")) if holder else ""
    if not holder or not account:
        raise lacking(tell("the statement does not say of which account it is"), node.line, otherwise=NOT_AS_CAMT)
    currency = holder.value("Ccy")
    if currency not in ("", "EUR"):
        raise StatementError(
            "statement_not_euros",
            tell(
                "account {account} is kept in {currency}; only euros are imported",
                account=account,
                currency=currency[:3],
            ),
            node.line,
        )
    _check_totals(node, totals)
    opening, closing = _balances(node, account, totals.balances)
    last = _last_day(node, opening, closing, totals.lines)
    # What was there before is dated with the day before; some banks give it that of the closing balance.
    first = min(opening.day, last) if opening.code == "PRCD" else opening.day
    begins = node.value("FrToDt", "FrDtTm")
    if begins:
        # Some banks date the opening balance with the evening before.
        told = iso_day(begins, node.line)
        first = max(first, told) if told <= last else first
    number = plain(node.value("ElctrncSeqNb") or node.value("LglSeqNb"))
    amounts = (opening.amount, closing.amount)
    return finished(FORMAT, account, amounts, (first, last), totals.lines, number.lstrip("0"), node.line)


def _last_day(node: Node, opening: _Balance, closing: _Balance, lines: Sequence[BankLine]) -> date:
    """The day of the closing balance; where it is that of a midnight, the day that ended then.

    A bank that writes its days as midnights says so by a line of that day, by a period that reaches into it, or by an
    opening balance of the same midnight.
    """
    if not closing.midnight or opening.day >= closing.day or any(one.booked_on >= closing.day for one in lines):
        return closing.day
    ends = node.value("FrToDt", "ToDtTm")
    if ends and iso_day(ends, node.line) == closing.day and not is_midnight(ends):
        return closing.day
    return closing.day - timedelta(days=1)


@dataclass(frozen=True)
class _Balance:
    code: str
    amount: int
    day: date
    midnight: bool = False


def _balances(node: Node, account: str, balances: Sequence[Node]) -> tuple[_Balance, _Balance]:
    """Opening and closing balance, booked. Others (available, forward, expected) are left aside."""
    found: list[_Balance] = []
    paged = False
    for balance in balances:
        code = balance.value("Tp", "CdOrPrtry", "Cd")
        # A sub-type makes it a balance between two pages of one statement.
        between = balance.value("Tp", "SubTp", "Cd") == "INTM"
        if code == "ITBD" or between:
            paged = True
        elif code in ("OPBD", "PRCD", "CLBD"):
            found.append(_balance(balance, code))
    opening = [one for one in found if one.code == "OPBD"] or [
        # The closing balance of the statement before: this one begins the day after.
        _Balance(one.code, one.amount, one.day + timedelta(days=1))
        for one in found
        if one.code == "PRCD"
    ]
    closing = [one for one in found if one.code == "CLBD"]
    if not opening or not closing:
        if paged:
            raise StatementError(
                "statement_page",
                tell(
                    "this is one page of a longer statement of account {account}: its opening or closing "
                    "balance is on another page; ask the bank for the statement in one file, or for "
                    "shorter periods",
                    account=account,
                ),
                node.line,
            )
        what = tell("closing balance (CLBD)") if opening else tell("opening balance (OPBD or PRCD)")
        raise lacking(
            tell(
                "the statement of account {account} has no {what}, so nothing proves it whole",
                account=account,
                what=what,
            ),
            node.line,
            otherwise=NOT_AS_CAMT,
        )
    # A statement over several days may have a pair for each.
    return (
        _only(min(one.day for one in opening), opening, node.line),
        _only(max(one.day for one in closing), closing, node.line),
    )


def _only(day: date, balances: Sequence[_Balance], line: int) -> _Balance:
    chosen = [one for one in balances if one.day == day]
    if len({one.amount for one in chosen}) > 1:
        raise unreadable(tell("there are two balances {code} of {day} that differ", code=chosen[0].code, day=day), line)
    return chosen[0]


def _balance(node: Node, code: str) -> _Balance:
    text = node.value("Dt", "Dt") or node.value("Dt", "DtTm")
    return _Balance(code, signed(node), iso_day(text, node.line), is_midnight(text))


def _check_totals(node: Node, totals: _Totals) -> None:
    """Hold the bank's own summary of the entries against them: number, sum, and what is left of it.

    Some banks have what is left in place of the sum of all, and a sign before the sum of what went out.
    """
    summary = node.get("TxsSummry")
    if summary is None:
        return
    groups = (
        ("TtlNtries", totals.came + totals.went, tell("entries")),
        ("TtlCdtNtries", totals.came, tell("entries that came in")),
        ("TtlDbtNtries", totals.went, tell("entries that went out")),
    )
    for name, amounts, what in groups:
        group = summary.get(name)
        if group is None:
            continue
        stated = group.value("NbOfNtries")
        if stated and stated.lstrip("0") != str(len(amounts)).lstrip("0"):
            raise _differs(
                tell(
                    "the file says that it has {stated} {what}, and has {count}",
                    stated=stated[:15],
                    what=what,
                    count=len(amounts),
                ),
                group.line,
            )
        total = group.value("Sum")
        net_of_all = abs(sum(totals.came) - sum(totals.went)) if name == "TtlNtries" else None
        if total and abs(cents(total, group.line, signed=True)) not in (sum(amounts), net_of_all):
            comes = Cents(sum(amounts))
            raise _differs(
                tell(
                    "the file says that its {what} sum to {total}, they sum to {comes}",
                    what=what,
                    total=total[:20],
                    comes=comes,
                ),
                group.line,
            )
    group = summary.get("TtlNtries")
    if group is None:
        return
    # .02 has the net amount and its sign beside the sum, later versions below it.
    net, sign = group.value("TtlNetNtry", AMOUNT), group.value("TtlNetNtry", "CdtDbtInd")
    net, sign = net or group.value("TtlNetNtryAmt"), sign or group.value("CdtDbtInd")
    came = sum(totals.came) - sum(totals.went)
    if net and abs(cents(net, group.line, signed=True)) != abs(came):
        raise _differs(
            tell(
                "the file says that its entries come to {net}, they come to {came}",
                net=net[:20],
                came=Cents(came),
            ),
            group.line,
        )
    if net and came and sign not in ("", "CRDT" if came > 0 else "DBIT"):
        raise _differs(tell("the file says the wrong sign of what its entries come to"), group.line)


def _differs(detail: Told, line: int) -> StatementError:
    return StatementError(
        "statement_sum_wrong",
        tell("{detail}: a line or an amount is missing or was changed; {again}", detail=detail, again=AGAIN),
        line,
    )
