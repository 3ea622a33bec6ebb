"""Euros that members send: units out when their reference comes with them, and back when the euros go back."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, Connection, or_, select

from ledger.core.model import Instruction, Note, Transaction, Transfer
from ledger.currency import uncovered
from ledger.currency.bank import typed
from ledger.currency.bank.indexing import RETURN, SUSPENSE, Overtaken, holder_of, kind_of
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.mandates.tables import COLLECTION_ITEM, MANDATE
from ledger.currency.bank.names import said
from ledger.currency.bank.recalled import SURE, Candidate, Recall, named_in, recall
from ledger.currency.bank.reference import found_in, names_order
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.bank.typed import Unexplained
from ledger.currency.chart import EUR
from ledger.currency.town import Town

CONVERSION, KNOWN, TRANSIT = "conversion", "bank_line_known", "bank_transit"
_LINE = BANK_LINE.c


def member_of(books: Books, line: Line) -> int | None:
    """The one open member whose reference the line carries, and each of its parts; None where none does, or several."""
    return named_in(line, lambda texts: found_in(texts, books.members))


def topup(books: Books, line: Line) -> Instruction | None:
    """Euros with a member's reference: as many units to the member, unless somebody typed what they may be.

    Cash that was paid in is out of a cash box, mostly, and its units were there before: a person says so or not.
    """
    if line.amount < 0 or line.kind in (LineKind.RETURN, LineKind.OPENING, LineKind.CASH):
        return None
    if said(f"{line.name} {line.text}", "cash in"):
        return None
    if departed(books.town, line) is not None:
        return None
    account = member_of(books, line)
    if account is None or _typed(books, line).is_doubtful(line, account):
        return None
    chart, unit = books.town.chart, books.town.charter.code
    transfers = (
        Transfer(chart.circulation, account, line.amount, unit),
        Transfer(line.reserve, chart.guarantee, line.amount, EUR),
    )
    evidence = books.evidence(line, holder=f"{account:016x}")
    return Transaction(line.id, CONVERSION, transfers, line.booked_on, evidence=evidence)


def prepare(books: Books, batch: Sequence[Line]) -> None:
    """Ask once for the whole batch what was typed before; nearly nothing was. It is looked at again in the commit."""
    books.extra["typed"] = typed.unexplained(books.town, [line for line in batch if line.amount > 0])


def known(books: Books, line: Line) -> Instruction | None:
    """Euros that somebody of the office booked by hand, under the bank's own reference, before the statement came."""
    if line.amount < 0 or not line.bank_ref or line.kind == LineKind.RETURN:
        return None
    there = _typed(books, line)
    found = there.exact(line)
    # Whose the euros are the line says; that somebody typed its reference for another says nothing against it.
    if found is None or member_of(books, line) not in (None, found.holder):
        return None
    there.named.add(found.id)
    evidence = books.evidence(line, conversion=found.id.hex(), holder=f"{found.holder:016x}")
    return Note(line.id, KNOWN, evidence, line.booked_on)


def hold(there: Unexplained, line: Line, made: Instruction) -> None:
    """Under the lock of all writing: what was typed is what `made` rests on. Raises `Overtaken`."""
    if kind_of(made) == KNOWN:
        found = there.exact(line)
        if found is None or found.id.hex() != made.evidence["conversion"]:
            raise Overtaken
        there.named.add(found.id)
    elif kind_of(made) == CONVERSION and there.is_doubtful(line, holder_of(made) or 0):
        raise Overtaken


def _typed(books: Books, line: Line) -> Unexplained:
    found: Unexplained | None = books.extra.get("typed")
    return typed.unexplained(books.town, [line]) if found is None else found


def returned(books: Books, line: Line) -> Instruction | None:
    """Euros of a top-up that went back: the units as far as they are still there; the rest is owed by the member."""
    if line.amount > 0:
        return None
    with books.town.reading() as connection:
        original = _original(books, connection, line, books.undone)
    if original is None:
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
    back = min(amount, uncovered.free(town, holder))
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


def candidates(connection: Connection, back: Recall, without: Collection[bytes] = ()) -> list[Candidate]:
    """The lines that a line may take back, the latest first: top-ups of as much that stand, and what else came with
    that sum, whatever a person placed it as.

    Not the top-ups booked by themselves of which nothing but its being a return is right, which makes none `SURE`:
    there may be thousands.
    """
    line = back.line
    signs = [_LINE.iban == line.iban] if line.iban else []
    signs += [_LINE.end_to_end == line.end_to_end] if names_order(line.end_to_end) else []
    signs += [_LINE.holder == back.member] if back.member is not None else []
    is_topup = brought_units().label("is_topup")
    by_person = (_LINE.became == SUSPENSE) | _LINE.holder.is_(None)
    query = (
        select(BANK_LINE, is_topup)
        .where(
            _LINE.reserve == line.reserve, _LINE.amount == -line.amount, or_(by_person, *signs),
            _LINE.undone_seq.is_(None), _LINE.withdrawn.is_(None), _LINE.booked_on <= line.booked_on.isoformat(),
        )
        .order_by(_LINE.booked_on.desc(), _LINE.place.desc())
    )  # fmt: skip
    found = [(line_of(row), bool(row.is_topup)) for row in connection.execute(query)]
    return [Candidate(one, one.holder if brought else None) for one, brought in found if one.id not in without]


def _original(books: Books, connection: Connection, line: Line, without: Collection[bytes]) -> Line | None:
    """The top-up that a line takes back, where it is sure to, and no other line is as likely."""

    said_back = recall(line, lambda texts: found_in(texts, books.members))
    one = said_back.best(candidates(connection, said_back, without))
    if one is None or one.holder is None or said_back.right(one) < SURE or may_be_debit(connection, said_back, one):
        return None
    return one.line


def may_be_debit(connection: Connection, back: Recall, one: Candidate) -> bool:
    """Whether it may as well be a direct debit that went back: of as much, from the same account, where the line says
    no more than that it is a return to there.
    """
    if back.names(one) or not back.line.iban:
        return False
    query = select(COLLECTION_ITEM.c.id).join(MANDATE, MANDATE.c.id == COLLECTION_ITEM.c.mandate)
    stands = (COLLECTION_ITEM.c.credited_by.is_not(None), COLLECTION_ITEM.c.unpaid_by.is_(None))
    same = (MANDATE.c.iban == back.line.iban, COLLECTION_ITEM.c.amount == -back.line.amount)
    return connection.execute(query.where(*same, *stands).limit(1)).first() is not None


def hold_return(books: Books, connection: Connection, line: Line, made: Instruction) -> None:
    """Under the lock of all writing: what a line takes back is still what is most likely. Raises `Overtaken`."""
    id_ = bytes.fromhex(str(made.evidence["returns"]))
    found = _original(books, connection, line, books.undone - {id_})
    if found is None or found.id != id_:
        raise Overtaken


def departed(town: Town, line: Line) -> Line | None:
    """A line that left another account of the reserve with as much, and that this one may be where nothing tells more.

    Banks repeat the label of a transfer between two accounts of one holder, a member's reference in it too, and two of
    three formats have no account of the other side.
    """
    return None if line.iban else next(iter(_opposite(town, line, _moved() | _undecided())), None)


def arrived(town: Town, line: Line) -> Line | None:
    """A line that brought a member units, and that may be what left with this one for another account of ours.

    None where others may be it: what arrived and is nobody's, or waits, more often than as much left.
    """
    if line.amount > 0:
        return None
    found = next(iter(_opposite(town, line, brought_units())), None)
    if found is None:
        return None
    there = _opposite(town, line, _moved() | _undecided())
    left = _opposite(town, line._replace(amount=-line.amount), _moved(), theirs=False)
    return found if len(there) <= len([one for one in left if one.id != line.id]) else None


def _undecided() -> ColumnElement[bool]:
    return _LINE.seq.is_(None) | ((_LINE.became == SUSPENSE) & _LINE.placed_seq.is_(None))


def _moved() -> ColumnElement[bool]:
    return (_LINE.became == TRANSIT) | (_LINE.placed_as == "transit")


def _opposite(town: Town, line: Line, what: ColumnElement[bool], *, theirs: bool = True) -> list[Line]:
    """Lines of these days with the opposite sum that name no account but ours: on the account of ours that the line
    names, else on any other; or (not `theirs`) on any.
    """
    days = ((line.booked_on - typed.NEAR).isoformat(), (line.booked_on + typed.NEAR).isoformat())
    own = {one.iban: town.chart.reserve[one.name] for one in town.charter.reserve if one.iban}
    where = _LINE.reserve == own[line.iban] if line.iban in own else _LINE.reserve != line.reserve
    query = select(BANK_LINE).where(
        _LINE.amount == -line.amount, *([where] if theirs else ()), _LINE.iban.in_(sorted({*own, ""})),
        _LINE.booked_on.between(*days), _LINE.withdrawn.is_(None), _LINE.undone_seq.is_(None), what,
    )  # fmt: skip
    with town.reading() as connection:
        return [line_of(row) for row in connection.execute(query.order_by(_LINE.place))]


def transit(books: Books, line: Line) -> Instruction | None:
    """Euros between two accounts of the reserve: they are on their way until the other account's statement has them."""
    if arrived(books.town, line) is not None:
        return None
    chart = books.town.chart
    if line.amount > 0:
        transfer = Transfer(line.reserve, chart.transit, line.amount, EUR)
    else:
        transfer = Transfer(chart.transit, line.reserve, -line.amount, EUR)
    return Transaction(line.id, TRANSIT, (transfer,), line.booked_on, evidence=books.evidence(line))
