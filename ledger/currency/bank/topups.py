"""Euros that members send: units out when their reference comes with them, and back when the euros go back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select

from ledger.core.model import Instruction, Note, Transaction, Transfer
from ledger.currency.bank.indexing import RETURN
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.naming import line_of_conversion
from ledger.currency.bank.reference import found_in, same_order
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.conversion import conversion_id, corrected_id, plain_reference
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town

CONVERSION, KNOWN, TRANSIT = "conversion", "bank_line_known", "bank_transit"
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


def typed_id(books: Books, line: Line) -> bytes | None:
    """Id of the conversion that somebody typed under the bank's own reference of this line, if anybody did."""
    try:
        return conversion_id(books.town, books.reserve_names[line.reserve], plain_reference(line.bank_ref))
    except CurrencyError:
        return None


def prepare(books: Books, batch: Sequence[Line]) -> None:
    """Ask once for the whole batch which of its lines were typed before; nearly none was."""
    ids = [id_ for line in batch if line.bank_ref and line.amount > 0 and (id_ := typed_id(books, line))]
    with books.town.book.store.reading() as store:
        books.extra["typed"] = set(store.posted(ids))


def known(books: Books, line: Line) -> Instruction | None:
    """Euros that somebody of the office booked by hand, under the bank's own reference, before the statement came."""
    if line.amount < 0 or not line.bank_ref:
        return None
    town, typed = books.town, typed_id(books, line)
    if typed is None or typed not in books.extra.get("typed", (typed,)):
        return None
    found = town.book.find(typed)
    instruction = found and found.instruction
    if not isinstance(instruction, Transaction) or instruction.transfers[1].amount != line.amount:
        return None
    if town.book.find(corrected_id(typed)) is not None:
        return None
    # Banks do not always tell their lines apart: another one may have been this conversion already.
    named: set[bytes] = books.extra.setdefault("named", set())
    if typed in named or line_of_conversion(town, typed, instruction) is not None:
        return None
    named.add(typed)
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
    holder = original.holder
    assert holder is not None
    evidence = books.evidence(line, holder=f"{holder:016x}", returns=original.id.hex())
    transfers = given_back(books.town, holder, original.amount, line.reserve)
    return Transaction(id_, kind, transfers, line.booked_on, evidence=evidence)


def given_back(town: Town, holder: int, amount: int, to: int) -> tuple[Transfer, ...]:
    """A top-up's euros go to the account `to`: the units as far as they are still there; the rest is owed."""
    chart, unit = town.chart, town.charter.code
    back = min(amount, max(0, town.book.balance(holder)))
    transfers = []
    if back:
        transfers += [Transfer(holder, chart.circulation, back, unit), Transfer(chart.guarantee, to, back, EUR)]
    if amount > back:
        transfers.append(Transfer(chart.claims, to, amount - back, EUR))
    return tuple(transfers)


def brought_units() -> ColumnElement[bool]:
    """Which rows of the bank's lines are top-ups of one member whose euros may come back."""
    by_itself = _LINE.placed_as.is_(None) & _LINE.became.in_((CONVERSION, KNOWN))
    return _LINE.holder.is_not(None) & (by_itself | _LINE.placed_as.in_(("member", "known")))


def _original(books: Books, line: Line) -> Line | None:
    """The top-up that a line takes back: the latest of the same amount of which two things are right.

    The bank says that the line is a return; it goes to the account that the euros came from; it names the order or the
    member. Any one of them alone is a payment of the association's like another: a rent to a member's account, a
    transfer whose reference is everybody's.
    """
    query = (
        select(BANK_LINE)
        .where(
            _LINE.reserve == line.reserve, _LINE.amount == -line.amount, brought_units(),
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
            is_return = line.kind == LineKind.RETURN
            same_payer = bool(line.iban) and line.iban == found.iban
            named = same_order(line.end_to_end, found.end_to_end) or (member is not None and member == found.holder)
            if is_return + same_payer + named >= 2:
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
