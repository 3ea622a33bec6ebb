"""Lines of statements that are payouts, or payouts that came back.

A line is one payout, told by its reference; or a file that the bank booked as one sum, told by its parts or by the id
of the file. It must be of exactly these payouts to the cent, and each must be due (or paid, for what comes back):
whatever does not fit goes to suspense, and `reason` says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.model import Instruction, Transaction, Transfer
from ledger.currency.bank.lines import Books, Line
from ledger.currency.bank.payouts import index
from ledger.currency.bank.payouts.owed import Payout, by_references, of_batch
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH
from ledger.currency.bank.payouts.undoing import undoing
from ledger.currency.bank.reference import found_in, written_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.chart import EUR
from ledger.currency.town import Town

_OURS = "payout references"

MOST_RETURNED = 250
"""Payouts that one line can undo: each is a transfer of the one transaction that does so."""


class Reason(NamedTuple):
    """Why a line that names payouts is none of them. `on` is when the first of them was paid or undone before.

    Codes: paid_already, given_back (its shop has units for it), amount_differs, not_paid (it comes back and never
    left), no_account (it comes back to a shop that has left, or to more shops than one entry can undo).
    """

    code: str
    payouts: tuple[Payout, ...]
    on: date | None


def executed(books: Books, line: Line) -> Instruction | None:
    """Euros that went to shops: what is owed to them is settled."""
    if line.amount > 0 or not _named(books, line):
        return None
    with books.town.reading() as connection:
        meant = _fitting(connection, line, lambda payout: payout.is_due)
    if not meant:
        return None
    transfer = Transfer(books.town.chart.payouts, line.reserve, -line.amount, EUR)
    return Transaction(line.id, index.PAID, (transfer,), line.booked_on, evidence=_evidence(books, line, meant))


def came_back(books: Books, line: Line) -> Instruction | None:
    """Euros that shops did not get: they have their units again."""
    if line.amount < 0 or line.kind == LineKind.OPENING or not _named(books, line):
        return None
    with books.town.reading() as connection:
        meant = _fitting(connection, line, _is_away)
    if not 0 < len(meant) <= MOST_RETURNED:
        return None
    transfers = undoing(books.town, meant, line.reserve)
    evidence = _evidence(books, line, meant)
    if line.reason:
        evidence["reason"] = line.reason[:35]
    return Transaction(line.id, index.RETURNED, transfers, line.booked_on, evidence=evidence)


def reason(town: Town, line: Line) -> Reason | None:
    """Why a line that names payouts could not settle or undo them; None for a line that names none."""
    with town.reading() as connection:
        meant = next((found for found in _candidates(connection, line) if found), None)
    if meant is None:
        return None
    gone = [payout for payout in meant if payout.undone_by is not None]
    paid = [payout for payout in meant if payout.paid_by is not None]
    if gone:
        return Reason("given_back", tuple(gone), _day(town, gone[0].undone_by))
    if line.amount < 0 and paid:
        return Reason("paid_already", tuple(paid), _day(town, paid[0].paid_by))
    if line.amount > 0 and len(paid) < len(meant):
        return Reason("not_paid", tuple(payout for payout in meant if payout.paid_by is None), None)
    if sum(payout.amount for payout in meant) != abs(line.amount):
        return Reason("amount_differs", tuple(meant), None)
    return Reason("no_account", tuple(meant), None) if line.amount > 0 else None


def _named(books: Books, line: Line) -> bool:
    """Whether the line carries a reference of ours at all: most do not, and need no look at the database."""
    known = books.extra.get(_OURS)
    if known is None:
        with books.town.reading() as connection:
            ours = connection.scalars(select(PAYOUT.c.reference).union_all(select(PAYOUT_BATCH.c.reference)))
            known = books.extra[_OURS] = dict.fromkeys(ours, True)
    parts = (str(part[name]) for part in line.parts for name in ("end_to_end", "text"))
    return bool(known) and bool(found_in((*line.said, *parts), known))


def _is_away(payout: Payout) -> bool:
    return payout.paid_by is not None and payout.undone_by is None


def _fitting(connection: Connection, line: Line, right: Callable[[Payout], bool]) -> list[Payout]:
    """The payouts that the line is, all of them as they have to be; none where anything does not fit."""
    for found in _candidates(connection, line):
        if found and all(map(right, found)) and sum(payout.amount for payout in found) == abs(line.amount):
            return found
    return []


def _candidates(connection: Connection, line: Line) -> list[list[Payout]]:
    """What a line may be: the payouts that its parts name, else those that it names itself, else those of its file."""
    if line.parts:
        return [_of_parts(connection, line)]
    references = written_in(line.said)
    if not references:
        return []
    named = by_references(connection, references)
    query = select(PAYOUT_BATCH.c.id).where(PAYOUT_BATCH.c.reference.in_(sorted(references)))
    files = connection.scalars(query).all()
    if len(files) != 1:
        return [named]
    # What of the file was settled before is not in this sum: some of it was rejected, say.
    of_file = of_batch(connection, files[0])
    wanted = [payout for payout in of_file if (payout.is_due if line.amount < 0 else _is_away(payout))]
    return [named, wanted or of_file]


def _of_parts(connection: Connection, line: Line) -> list[Payout]:
    """One payout for each part, of its amount; none where a part is anything else."""
    found: list[Payout] = []
    for part in line.parts:
        texts = (str(part["end_to_end"]), str(part["text"]))
        fit = [
            payout
            for payout in by_references(connection, written_in(texts))
            if payout.amount == abs(int(part["amount"])) and int(part["amount"]) * line.amount > 0
        ]
        if len(fit) != 1 or fit[0] in found:
            return []
        found += fit
    return found


def _evidence(books: Books, line: Line, meant: Sequence[Payout]) -> dict[str, str | int]:
    more: dict[str, str | int] = {**index.naming([(payout.reconversion, payout.seq) for payout in meant])}
    if len(meant) == 1:
        more["holder"] = f"{meant[0].holder:016x}"
    return books.evidence(line, **more)


def _day(town: Town, entry: bytes | None) -> date | None:
    record = town.book.find(entry) if entry else None
    return (record.instruction.booked_on or town.charter.local_date(record.at)) if record else None
