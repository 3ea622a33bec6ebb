"""Euros that members send: units out when their reference comes with them, and back when the euros go back."""

from __future__ import annotations

from sqlalchemy import select

from ledger.core.model import Instruction, Note, Transaction, Transfer
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.reference import found_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.conversion import conversion_id, corrected_id, plain_reference
from ledger.currency.errors import CurrencyError

CONVERSION, RETURN, KNOWN, TRANSIT = "conversion", "bank_return", "bank_line_known", "bank_transit"
_LINE = BANK_LINE.c


def member_of(books: Books, line: Line) -> int | None:
    """The one open member whose reference the line carries; None where there is none, or several."""
    found = found_in(line.said, books.members)
    return found.pop() if len(found) == 1 else None


def topup(books: Books, line: Line) -> Instruction | None:
    """Euros with a member's reference: as many units to the member."""
    if line.amount < 0 or line.kind in (LineKind.RETURN, LineKind.OPENING):
        return None
    account = member_of(books, line)
    if account is None:
        return None
    chart, unit = books.town.chart, books.town.charter.code
    transfers = (
        Transfer(chart.circulation, account, line.amount, unit),
        Transfer(line.reserve, chart.guarantee, line.amount, EUR),
    )
    evidence = books.evidence(line, holder=f"{account:016x}")
    return Transaction(line.id, CONVERSION, transfers, line.booked_on, evidence=evidence)


def known(books: Books, line: Line) -> Instruction | None:
    """Euros that somebody of the office booked by hand, under the bank's own reference, before the statement came."""
    if line.amount < 0 or not line.bank_ref:
        return None
    town, name = books.town, books.reserve_names[line.reserve]
    try:
        typed = conversion_id(town, name, plain_reference(line.bank_ref))
    except CurrencyError:
        return None
    found = town.book.find(typed)
    instruction = found and found.instruction
    if not isinstance(instruction, Transaction) or instruction.transfers[1].amount != line.amount:
        return None
    if town.book.find(corrected_id(typed)) is not None:
        return None
    holder = f"{instruction.transfers[0].credit:016x}"
    return Note(line.id, KNOWN, books.evidence(line, conversion=typed.hex(), holder=holder), line.booked_on)


def returned(books: Books, line: Line) -> Instruction | None:
    """Euros of a top-up that went back: the units as far as they are still there; the rest is owed by the member."""
    if line.amount > 0:
        return None
    original = _original(books, line)
    if original is None or original.holder is None:
        return None
    books.undone.add(original.id)
    return undo(books, original, line.id, RETURN, line)


def undo(books: Books, original: Line, id_: bytes, kind: str, line: Line) -> Transaction:
    """The entry that gives a top-up's euros back to the bank: `line` is the one that takes them."""
    chart, unit = books.town.chart, books.town.charter.code
    holder, amount = original.holder, original.amount
    assert holder is not None
    back = min(amount, max(0, books.town.book.balance(holder)))
    transfers = []
    if back:
        transfers += [Transfer(holder, chart.circulation, back, unit),
                      Transfer(chart.guarantee, line.reserve, back, EUR)]  # fmt: skip
    if amount > back:
        transfers.append(Transfer(chart.claims, line.reserve, amount - back, EUR))
    evidence = books.evidence(line, holder=f"{holder:016x}", returns=original.id.hex())
    return Transaction(id_, kind, tuple(transfers), line.booked_on, evidence=evidence)


def _original(books: Books, line: Line) -> Line | None:
    """The top-up that a line takes back: of the same amount, and the same member, order or payer; the latest."""
    query = (
        select(BANK_LINE)
        .where(
            _LINE.reserve == line.reserve, _LINE.amount == -line.amount, _LINE.became == CONVERSION,
            _LINE.undone_seq.is_(None), _LINE.withdrawn.is_(None), _LINE.booked_on <= line.booked_on.isoformat(),
        )
        .order_by(_LINE.booked_on.desc(), _LINE.place.desc())
    )  # fmt: skip
    member = member_of(books, line)
    with books.town.reading() as connection:
        for row in connection.execute(query):
            found = line_of(row)
            if found.id in books.undone:
                continue
            same_order = line.end_to_end and line.end_to_end == found.end_to_end
            same_payer = line.kind == LineKind.RETURN and line.iban and line.iban == found.iban
            if same_order or same_payer or (member is not None and member == found.holder):
                return found
    return None


def transit(books: Books, line: Line) -> Instruction | None:
    """Euros between two accounts of the reserve: they are on their way until the other account's statement has them."""
    if line.iban not in books.own_ibans:
        return None
    chart = books.town.chart
    if line.amount > 0:
        transfer = Transfer(line.reserve, chart.transit, line.amount, EUR)
    else:
        transfer = Transfer(chart.transit, line.reserve, -line.amount, EUR)
    return Transaction(line.id, TRANSIT, (transfer,), line.booked_on, evidence=books.evidence(line))
