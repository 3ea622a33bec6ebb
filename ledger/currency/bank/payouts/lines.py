"""Lines of statements that are payouts, or payouts that came back.

A line is one payout, told by its reference; or a file that the bank booked as one sum, told by its parts or by the id
of the file. It must be of exactly these payouts to the cent, and each must be due (or paid, for what comes back):
whatever does not fit goes to suspense, and `reason` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.model import Instruction, Transaction, Transfer
from ledger.currency.bank.lines import Books, Line, line_of
from ledger.currency.bank.payouts import index
from ledger.currency.bank.payouts.beside import elsewhere, evidence, is_little
from ledger.currency.bank.payouts.owed import Payout, by_references, of_batch
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH
from ledger.currency.bank.payouts.undoing import undoing
from ledger.currency.bank.reference import found_in, written_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.clocked import Moments
from ledger.currency.town import Town

SUSPENSE = "bank_suspense"
MOST_RETURNED = 250
"""Payouts that one line can undo: each is a transfer of the one transaction that does so."""
SOON = timedelta(days=30)
"""Within which euros come back where the bank does not say what a line is."""
_OURS = "payout references"


class Reason(NamedTuple):
    """Why a line that names payouts is none of them. `on` is when the first of them was paid or undone before.

    Codes: paid_already (it left again, or that second time came back), given_back (its shop has units for it),
    amount_differs, not_paid (it comes back and never left), no_account (it comes back to a shop that has left, or to
    more shops than one entry can undo).
    """

    code: str
    payouts: tuple[Payout, ...]
    on: date | None


def executed(books: Books, line: Line) -> Instruction | None:
    """Euros that went to shops: what is owed to them is settled.

    A sum of several may hold some that the bank had rejected before, and will bring back: those shops have their units,
    so until then they owe the euros.
    """
    if line.amount > 0 or not _named(books, line):
        return None
    with books.town.reading() as connection:
        meant = _fitting(books.town, connection, line, lambda payout: payout.is_due, lambda payout: payout.is_rejected)
        if meant is None or elsewhere(books.town, connection, meant.all, line.iban, line):
            return None
        if len(meant.all) == 1 and meant.given_back:
            return None
        chart = books.town.chart
        due, back = (sum(payout.amount for payout in found) for found in meant)
        transfers = [Transfer(chart.payouts, line.reserve, due, EUR)] if due else []
        transfers += [Transfer(chart.claims, line.reserve, back, EUR)] if back else []
        said = {**_evidence(books, line, meant, 1), **evidence(connection, meant.all)}
        entry = Transaction(line.id, index.PAID, tuple(transfers), line.booked_on, evidence=said)
        return entry if is_little(books.town, connection, entry) else None


def came_back(books: Books, line: Line) -> Instruction | None:
    """Euros that shops did not get: they have their units again, and the fee.

    A transfer in which somebody wrote an old reference is none: the bank says that it is a return, or why, or it came
    within days of a payout and the bank says nothing of what it is.
    """
    if line.amount < 0 or line.kind == LineKind.OPENING or not _named(books, line):
        return None
    returned = line.kind == LineKind.RETURN or bool(line.reason)
    if line.kind == LineKind.TRANSFER and not returned:
        return None
    with books.town.reading() as connection:
        meant = _fitting(books.town, connection, line, lambda payout: payout.is_paid, lambda payout: payout.is_away)
        if meant is None or len(meant.settled) > MOST_RETURNED or _was_twice(connection, line, meant.settled):
            return None
    paid = (_day(books.town, payout.paid_by) for payout in meant.settled)
    if not returned and any(day is None or line.booked_on - day > SOON for day in paid):
        return None
    back = sum(payout.amount for payout in meant.given_back)
    transfers = undoing(books.town, meant.settled, line.reserve) if meant.settled else ()
    if back:
        transfers += (Transfer(line.reserve, books.town.chart.claims, back, EUR),)
    said = _evidence(books, line, meant, -1)
    if line.reason:
        said["reason"] = line.reason[:35]
    return Transaction(line.id, index.RETURNED, transfers, line.booked_on, evidence=said)


def reason(town: Town, line: Line) -> Reason | None:
    """Why a line that names payouts could not settle or undo them; None for a line that names none."""
    with town.reading() as connection:
        found = next((candidate for candidate in _candidates(town, connection, line) if candidate[0]), None)
        if found is None:
            return None
        meant, whole = found
        twice = line.amount > 0 and _was_twice(connection, line, meant)
    if not whole and line.amount < 0 and any(payout.is_due for payout in meant):
        # It names a file of which some is settled: what is left of it is another sum.
        return Reason("amount_differs", tuple(payout for payout in meant if payout.is_due), None)
    gone = [payout for payout in meant if payout.undone_by is not None]
    paid = [payout for payout in meant if payout.paid_by is not None]
    if gone:
        return Reason("given_back", tuple(gone), _day(town, gone[0].undone_by))
    if twice or (line.amount < 0 and paid):
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


class _Meant(NamedTuple):
    """What a line is: payouts that it settles (or undoes), and such whose shops have their units already."""

    settled: list[Payout]
    given_back: list[Payout]

    @property
    def all(self) -> list[Payout]:
        return self.settled + self.given_back


_Is = Callable[[Payout], bool]


def _fitting(town: Town, connection: Connection, line: Line, is_right: _Is, is_given_back: _Is) -> _Meant | None:
    """The payouts that the line is, all of them as they have to be; None where anything does not fit."""
    for found, whole in _candidates(town, connection, line):
        settled = [payout for payout in found if is_right(payout)]
        back = [payout for payout in found if is_given_back(payout)]
        # Of a file, what was settled in another way is not in this sum; what the line itself names is.
        for meant in (_Meant(settled, []), _Meant(settled, back)):
            fits = not whole or len(meant.all) == len(found)
            if meant.all and fits and sum(payout.amount for payout in meant.all) == abs(line.amount):
                return meant
    return None


def _candidates(town: Town, connection: Connection, line: Line) -> list[tuple[list[Payout], bool]]:
    """What a line may be, and whether it must be all of that: what its parts name, else it itself, else its file."""
    if line.parts:
        return [(_of_parts(town, connection, line), True)]
    references = written_in(line.said)
    if not references:
        return []
    named = (by_references(connection, references), True)
    query = select(PAYOUT_BATCH.c.id).where(PAYOUT_BATCH.c.reference.in_(sorted(references)))
    files = connection.scalars(query).all()
    return [named] if len(files) != 1 else [named, (of_batch(connection, files[0]), False)]


def _was_twice(connection: Connection, line: Line, paid: Sequence[Payout]) -> bool:
    """Whether the bank had also paid this a second time, by a line that is still in suspense.

    Then what comes back is that one, and the two lines explain each other: the shop was paid once, and keeps it.
    """
    query = select(BANK_LINE).where(
        BANK_LINE.c.became == SUSPENSE, BANK_LINE.c.placed_seq.is_(None), BANK_LINE.c.undone_seq.is_(None),
        BANK_LINE.c.withdrawn.is_(None), BANK_LINE.c.amount == -line.amount,
    )  # fmt: skip
    references = {payout.reference for payout in paid}
    twice = (line_of(row) for row in connection.execute(query))
    return any(references & written_in(other.said) for other in twice)


def _of_parts(town: Town, connection: Connection, line: Line) -> list[Payout]:
    """One payout for each part, of its amount; none where a part is anything else."""
    found: list[Payout] = []
    for part in line.parts:
        texts = (str(part["end_to_end"]), str(part["text"]))
        fit = [
            payout
            for payout in by_references(connection, written_in(texts))
            if payout.amount == abs(int(part["amount"]))
            and int(part["amount"]) * line.amount > 0
            and (line.amount > 0 or not elsewhere(town, connection, [payout], str(part["iban"]), line))
        ]
        if len(fit) != 1 or fit[0] in found:
            return []
        found += fit
    return found


def _evidence(books: Books, line: Line, meant: _Meant, sign: int) -> dict[str, str | int]:
    named = index.naming([(payout.reconversion, payout.seq) for payout in meant.settled])
    more: dict[str, str | int] = {**named}
    if meant.given_back:
        more["given_back"] = index.packed(payout.seq for payout in meant.given_back)
        owed: Counter[int] = Counter()
        for payout in meant.given_back:
            owed[payout.holder] += sign * payout.amount
        more["owed"] = ",".join(f"{account:016x}:{cents}" for account, cents in sorted(owed.items()))
    if len(meant.all) == 1:
        more["holder"] = f"{meant.all[0].holder:016x}"
    return books.evidence(line, **more)


def _day(town: Town, entry: bytes | None) -> date | None:
    record = town.book.find(entry) if entry else None
    if record is None:
        return None
    moments = Moments(town, town.book.head().seq)
    return record.instruction.booked_on or moments.day(record.seq, record.at)
