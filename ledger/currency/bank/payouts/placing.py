"""Lines in suspense that a person says are payouts: one by one, or what is left to pay of a file."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from ledger.core.model import Transfer
from ledger.currency.bank.lines import Line
from ledger.currency.bank.payouts import index
from ledger.currency.bank.payouts.beside import elsewhere
from ledger.currency.bank.payouts.beside import evidence as beside
from ledger.currency.bank.payouts.owed import Payout, by_references, of_batch, payouts
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH
from ledger.currency.bank.payouts.undoing import undoing
from ledger.currency.bank.reference import written_in
from ledger.currency.chart import EUR
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town


class Placed(NamedTuple):
    """Kind and transfers of the entry that such a line becomes, and what its evidence adds."""

    kind: str
    transfers: tuple[Transfer, ...]
    evidence: dict[str, str | int]


class OpenFile(NamedTuple):
    """A file that is not settled: its id and number, and what is left to pay of it in cents."""

    id: bytes
    number: int
    left: int


def placed(town: Town, line: Line, other: bytes) -> Placed:
    """What a line becomes that is the payout of the reconversion `other`, or the rest of the file `other`.

    Raises `CurrencyError`: not_found, placing_uneven, payout_paid.
    """
    suspense = town.chart.suspense
    with town.reading() as connection:
        named = {one.reconversion for one in by_references(connection, written_in(line.said))}
        meant = payouts(connection, PAYOUT.c.reconversion == other)
        of_file = [] if meant or line.amount > 0 else [one for one in of_batch(connection, other) if one.is_due]
    if meant and named and other not in named and not line.parts:
        raise CurrencyError("placing_uneven", tell("the bank's line names another payout than this one"))
    if not meant and not of_file:
        raise CurrencyError("not_found", tell("there is no such payout, and no file of which anything is left to pay"))
    total = sum(one.amount for one in meant + of_file)
    if total != abs(line.amount):
        raise CurrencyError("placing_uneven", tell("that is {total}: it is not this line", total=Cents(total)))
    evidence: dict[str, str | int] = {**index.naming([(one.reconversion, one.seq) for one in meant + of_file])}
    if of_file:
        evidence["batch"] = other.hex()
    else:
        evidence["holder"] = f"{meant[0].holder:016x}"
    if line.amount < 0:
        if not all(one.is_due for one in meant):
            raise CurrencyError(
                "payout_paid", tell("that payout was paid or undone before: look for what this line pays")
            )
        with town.reading() as connection:
            why = elsewhere(town, connection, meant + of_file, line.iban, line)
            evidence |= beside(connection, meant + of_file)
        if why:
            raise CurrencyError("placing_uneven", why)
        return Placed(index.PAID, (Transfer(town.chart.payouts, suspense, total, EUR),), evidence)
    if not meant[0].is_paid:
        raise CurrencyError(
            "payout_paid", tell("that payout did not leave, or it came back before: this line is none of it")
        )
    return Placed(index.RETURNED, undoing(town, meant, suspense), evidence)


def open_files(town: Town) -> list[OpenFile]:
    """Files that were fetched and of which something is left to pay."""
    query = select(PAYOUT_BATCH.c.id, PAYOUT_BATCH.c.number).where(
        PAYOUT_BATCH.c.fetched_at.is_not(None), PAYOUT_BATCH.c.withdrawn_at.is_(None)
    )
    with town.reading() as connection:
        due = payouts(connection, PAYOUT.c.paid_by.is_(None), PAYOUT.c.undone_by.is_(None))
        files = connection.execute(query.order_by(PAYOUT_BATCH.c.number)).all()
    return [OpenFile(row.id, row.number, left) for row in files if (left := _left(due, row.id))]


def _left(due: list[Payout], batch: bytes) -> int:
    return sum(one.amount for one in due if one.batch == batch)
