"""An entry of a camt.053: one line, with the transactions of a batch as its parts."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from ledger.currency.bank.formats.fields import cents, end_to_end, iban_of, iso_day, joined, lacking, plain, unreadable
from ledger.currency.bank.formats.labels import KIND_OF_CODE
from ledger.currency.bank.formats.nodes import Node
from ledger.currency.bank.statement import AGAIN, BankLine, LineKind, StatementError
from ledger.currency.told import Cents, tell

AMOUNT = "Amt"
NOT_AS_CAMT = tell("ask the bank to mend what it writes, or for CFONB120")
"""What to do about a camt.053 that is as the bank writes it, and does not say enough."""
_TRANSFERS = ("RCDT", "ICDT", "RRCT", "IRCT")
_DEBITS = ("RDDT", "IDDT")
_RETURNS = ("RRTN", "RPCR", "UPDD", "PRDD", "RCDD", "UPCQ", "CQRV")
_CHARGES = ("CHRG", "FEES", "COMM", "COME", "COMI", "COMT")
_CASH = ("CDPT", "CWDL", "BCDP", "BCWD")


def signed(node: Node) -> int:
    """The amount of a balance or entry: cents of euros, more than 0 for CRDT. Raises `StatementError`."""
    amount = node.get(AMOUNT)
    if amount is None:
        raise unreadable(tell("an amount is missing"), node.line)
    currency = amount.currency
    if currency != "EUR":
        raise StatementError(
            "statement_not_euros",
            tell(
                "an amount is in {currency}, not in EUR: only accounts in euros are imported",
                currency=currency[:3] or tell("no currency"),
            ),
            amount.line,
        )
    return _with_sign(cents(amount.text.strip(), amount.line), node.value("CdtDbtInd"), node.line)


def _with_sign(value: int, indicator: str, line: int) -> int:
    if indicator not in ("CRDT", "DBIT"):
        raise unreadable(tell("CdtDbtInd is {indicator!r}, not CRDT or DBIT", indicator=indicator[:10]), line)
    return value if indicator == "CRDT" else -value


class _Entry(NamedTuple):
    """What the transactions of an entry share."""

    booked_on: date
    value_on: date | None
    bank_ref: str
    kind: LineKind
    reversal: bool
    came: bool
    own: str
    """The account's own IBAN."""
    charges: int

    def signed(self, value: int, node: Node) -> int:
        """An amount within the entry with the sign that stands beside it, or that of the entry."""
        return _with_sign(value, node.value("CdtDbtInd") or ("CRDT" if self.came else "DBIT"), node.line)


def read_entry(node: Node, amount: int, number: int, own: str) -> BankLine:
    """The line of an entry, `number` counted from 1, of the account with the IBAN `own`.

    `amount` is what `signed` says of it. Raises `StatementError`.
    """
    _check_booked(node, number)
    reversal = node.value("RvslInd") in ("true", "1")
    booked = _day(node, "BookgDt")
    if booked is None:
        raise unreadable(tell("entry {number} has no booking date", number=number), node.line)
    entry = _Entry(
        booked, _day(node, "ValDt"), plain(node.value("AcctSvcrRef")), _kind(node, reversal), reversal, amount > 0, own,
        _charges(node, amount > 0),
    )  # fmt: skip
    details = node.each("NtryDtls")
    transactions = [one for detail in details for one in detail.each("TxDtls")]
    kept = entry.charges + sum(_charges(one, entry.came) for one in transactions)
    _check_batches(details, entry, amount, kept, number)
    label = node.value("AddtlNtryInf")
    if len(transactions) == 1:
        stated = _own_amount(transactions[0])
        if stated is not None and stated not in (abs(amount), abs(amount) + kept):
            raise _sum_wrong(number, amount, stated, node.line)
        return _transaction(transactions[0], entry, amount, label, details, node.line)
    parts = _parts(transactions, entry, amount, kept, number)
    returned = entry.reversal or bool(parts) and all(part.kind is LineKind.RETURN for part in parts)
    kinds = {part.kind for part in parts}
    kind = entry.kind if entry.kind is not LineKind.OTHER or len(kinds) != 1 else kinds.pop()
    return BankLine(
        booked_on=entry.booked_on, value_on=entry.value_on, amount=amount, bank_ref=entry.bank_ref,
        kind=LineKind.RETURN if returned else kind, text=joined([label]),
        end_to_end=_batch(details, transactions), where=node.line, parts=parts,
    )  # fmt: skip


def _check_booked(node: Node, number: int) -> None:
    # .02 has the code in Sts itself, later versions below it.
    status = node.value("Sts", "Cd") or node.value("Sts")
    if status in ("PDNG", "INFO", "FUTR"):
        raise StatementError(
            "statement_pending",
            tell(
                "entry {number} is not booked yet ({status}); ask the bank for the end-of-day "
                "statement (camt.053) that holds booked entries only, or fetch the file again when "
                "the day is closed",
                number=number,
                status=status,
            ),
            node.line,
        )
    if not status:
        raise lacking(
            tell("entry {number} has no status, so nothing tells that it is booked", number=number),
            node.line,
            otherwise=NOT_AS_CAMT,
        )
    if status != "BOOK":
        raise unreadable(
            tell("entry {number} has the status {status!r}, not BOOK", number=number, status=status[:20]), node.line
        )


def _check_batches(details: list[Node], entry: _Entry, amount: int, kept: int, number: int) -> None:
    """Hold what the file says that the batches of an entry come to against the entry, where it says so of all."""
    total = 0
    for detail in details:
        batch = detail.get("Btch")
        stated = batch.get("TtlAmt") if batch else None
        if batch is None or stated is None or stated.currency != "EUR":
            return
        total += entry.signed(cents(stated.text.strip(), stated.line), batch)
    if details and total != amount and abs(total) != abs(amount) + kept:
        raise _sum_wrong(number, amount, total, details[0].line)


def _parts(transactions: list[Node], entry: _Entry, amount: int, kept: int, number: int) -> tuple[BankLine, ...]:
    """The transactions of a batch; none where the file does not tell what each came to."""
    parts: list[BankLine] = []
    for one in transactions:
        own = _own_amount(one)
        if own is None:
            return ()
        value = entry.signed(own, one)
        if value:
            parts.append(_transaction(one, entry._replace(came=value > 0), value, "", [], one.line))
    total = sum(part.amount for part in parts)
    if parts and total != amount:
        if abs(total) != abs(amount) + kept:
            raise _sum_wrong(number, amount, total, transactions[0].line)
        # The bank kept its charges back: what each payer's share of the entry is, nobody says.
        return ()
    return tuple(parts)


def _sum_wrong(number: int, amount: int, total: int, line: int) -> StatementError:
    return StatementError(
        "statement_sum_wrong",
        tell(
            "entry {number} is of {amount} and what it is made of comes to {total}: an amount is "
            "missing or was changed; {again}",
            again=AGAIN,
            number=number,
            amount=Cents(abs(amount)),
            total=Cents(abs(total)),
        ),
        line,
    )


def _own_amount(node: Node) -> int | None:
    """What the file says that a transaction came to on this account, in cents without sign."""
    for path in ((AMOUNT,), ("AmtDtls", "TxAmt", AMOUNT)):
        amount = node.get(*path)
        if amount is not None and amount.currency == "EUR":
            return cents(amount.text.strip(), amount.line)
    return None


def _charges(node: Node, came: bool) -> int:
    """What the bank kept of an amount before it booked it; what it took on top of one that went out is negative."""
    total = 0
    for charges in node.each("Chrgs"):
        # .02 has each charge by itself, later versions a record for each.
        for charge in charges.each("Rcrd") or [charges]:
            amount = charge.get(AMOUNT)
            if amount is not None and amount.currency == "EUR":
                total += cents(amount.text.strip(), amount.line)
    return total if came else -total


def _transaction(node: Node, entry: _Entry, amount: int, label: str, details: list[Node], where: int) -> BankLine:
    """The line or part of one transaction. `details` are those of its entry, where it is the only one in it."""
    came_back = node.get("RtrInf")
    kind = LineKind.RETURN if came_back or entry.reversal else _kind(node, False)
    if kind is LineKind.OTHER or entry.kind is LineKind.RETURN:
        kind = entry.kind
    name, iban = _other_side(node, entry, kind is LineKind.RETURN)
    remittance = node.get("RmtInf")
    texts: list[str] = []
    if remittance is not None:
        texts += [one.text for one in remittance.each("Ustrd")]
        for structured in remittance.each("Strd"):
            texts.append(structured.value("CdtrRefInf", "Ref"))
            texts += [one.text for one in structured.each("AddtlRmtInf")]
    texts += [node.value("AddtlTxInf"), label]
    reason = ""
    if came_back is not None:
        reason = came_back.value("Rsn", "Cd") or came_back.value("Rsn", "Prtry")
    return BankLine(
        booked_on=entry.booked_on, value_on=entry.value_on, amount=amount, kind=kind,
        bank_ref=entry.bank_ref or plain(node.value("Refs", "AcctSvcrRef")), name=name, iban=iban, text=joined(texts),
        end_to_end=end_to_end(node.value("Refs", "EndToEndId")) or _batch(details, [node]),
        mandate=plain(node.value("Refs", "MndtId")),
        reason=plain(reason), where=where,
    )  # fmt: skip


def _other_side(node: Node, entry: _Entry, returned: bool) -> tuple[str, str]:
    """Name and IBAN of whoever paid, or was paid.

    In a return most banks keep the two as they were in the first payment: money of ours that came back names us as
    debtor. Where that leaves nobody, or ourselves, it is the other one.
    """
    parties = node.get("RltdPties")
    if parties is None:
        return "", ""
    side, other = ("Dbtr", "Cdtr") if entry.came != returned else ("Cdtr", "Dbtr")
    names = {one: _name(parties, one) for one in (side, other)}
    ibans = {one: iban_of(parties.value(one + "Acct", "Id", "IBAN")) for one in (side, other)}
    if (entry.own and ibans[side] == entry.own) or not (names[side] or ibans[side]):
        side = other
    return plain(names[side]), ibans[side]


def _name(parties: Node, side: str) -> str:
    """.02 to .06 have the name in the party itself, later versions below Pty (a person) or Agt (a bank)."""
    for party in (side, "Ultmt" + side):
        name = parties.value(party, "Pty", "Nm") or parties.value(party, "Nm")
        if name:
            return name
    return parties.value(side, "Agt", "FinInstnId", "Nm")


def _batch(details: list[Node], transactions: list[Node]) -> str:
    """The id that we gave the batch, where all of the entry is one."""
    ids = {detail.value("Btch", "PmtInfId") for detail in details}
    ids |= {one.value("Refs", "PmtInfId") for one in transactions}
    ids.discard("")
    return end_to_end(ids.pop()) if len(ids) == 1 else ""


def _kind(node: Node, reversal: bool) -> LineKind:
    """What the bank's transaction code says: its domain's, or where it has none the French interbank one."""
    if reversal:
        return LineKind.RETURN
    code = node.get("BkTxCd")
    if code is None:
        return LineKind.OTHER
    family, sub = code.value("Domn", "Fmly", "Cd"), code.value("Domn", "Fmly", "SubFmlyCd")
    if sub in _RETURNS:
        return LineKind.RETURN
    if sub in _CHARGES:
        return LineKind.CHARGE
    if sub in _CASH:
        return LineKind.CASH
    if family in _TRANSFERS:
        return LineKind.TRANSFER
    if family in _DEBITS:
        return LineKind.DEBIT
    if code.value("Prtry", "Issr").upper().startswith("CFONB"):
        # French banks write the interbank code, some with their own behind it: 05, 11/0123/TRF.
        return KIND_OF_CODE.get(code.value("Prtry", "Cd").split("/")[0], LineKind.OTHER)
    return LineKind.OTHER


def _day(node: Node, name: str) -> date | None:
    day = node.get(name)
    return iso_day(day.value("Dt") or day.value("DtTm"), day.line) if day else None
