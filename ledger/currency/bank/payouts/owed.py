"""The payouts, read: what is due, to whom and where, and which one a reference or an id means."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from ledger.core.tables import LOG
from ledger.currency import parties
from ledger.currency.bank import details
from ledger.currency.bank.payouts import payees
from ledger.currency.bank.payouts.payees import Payee
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER
from ledger.currency.bank.reference import plain
from ledger.currency.charter import ibans
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

_PAYOUT = PAYOUT.c


class Payout(NamedTuple):
    """What a shop is owed for a reconversion, cents; see `tables.PayoutTable`."""

    reconversion: bytes
    seq: int
    holder: int
    units: int
    amount: int
    reference: str
    batch: bytes | None
    paid_by: bytes | None
    undone_by: bytes | None
    away_by: bytes | None
    home_by: bytes | None

    @property
    def fee(self) -> int:
        """What the currency kept of the units, in cents of euros."""
        return self.units - self.amount

    @property
    def is_due(self) -> bool:
        """Whether it is neither paid nor undone."""
        return self.paid_by is None and self.undone_by is None

    @property
    def is_paid(self) -> bool:
        """Whether its shop has the euros, and not the units."""
        return self.paid_by is not None and self.undone_by is None

    @property
    def is_rejected(self) -> bool:
        """Whether its shop has the units, and its euros never left."""
        return self.undone_by is not None and self.paid_by is None and self.away_by is None

    @property
    def is_away(self) -> bool:
        """Whether its shop has the units, and its euros left in a sum of several and are not back."""
        return self.undone_by is not None and self.away_by is not None and self.home_by is None


class Due(NamedTuple):
    """A payout that nobody paid yet. `name` is the shop's, `to` the account holder's as the bank will read it.

    `iban` is "" where the shop did not say where it is paid, or said so when less was asked of an IBAN: then it waits.
    `batch` is the number of the live file that it is in, and 0 where it is in none; in a file it goes where that says.
    `at` is when it was accepted (us). `payee` is what the bank found of the account's holder, where it told.
    """

    payout: Payout
    name: str
    to: str
    iban: str
    batch: int
    at: int
    payee: Payee | None = None


def payouts(connection: Connection, *where: ColumnElement[bool]) -> list[Payout]:
    """The payouts that fit, in the order in which they were accepted."""
    query = select(*(_PAYOUT[name] for name in Payout._fields)).where(*where).order_by(_PAYOUT.seq)
    return [Payout(*row) for row in connection.execute(query)]


def due(town: Town) -> list[Due]:
    """What is owed to shops and not paid, the oldest first."""
    with town.reading() as connection:
        found = payouts(connection, _PAYOUT.paid_by.is_(None), _PAYOUT.undone_by.is_(None))
        holders = {payout.holder for payout in found}
        who = parties.by_accounts(connection, holders)
        where = details.by_account(connection, holders)
        query = (
            select(PAYOUT_ORDER.c.reconversion, PAYOUT_ORDER.c.name, PAYOUT_ORDER.c.iban, PAYOUT_BATCH.c.number)
            .join(PAYOUT, _PAYOUT.reconversion == PAYOUT_ORDER.c.reconversion)
            .join(PAYOUT_BATCH, PAYOUT_BATCH.c.id == PAYOUT_ORDER.c.batch)
            .where(_PAYOUT.batch == PAYOUT_ORDER.c.batch, _PAYOUT.paid_by.is_(None), _PAYOUT.undone_by.is_(None))
        )
        ordered = {row.reconversion: row for row in connection.execute(query)}
        moments = select(LOG.c.seq, LOG.c.at).where(LOG.c.seq.in_([payout.seq for payout in found]))
        at: dict[int, int] = dict(connection.execute(moments).all())
        told = payees.told(connection, {payout.batch for payout in found if payout.batch})
    made: list[Due] = []
    for payout in found:
        party, there, order = who[payout.holder], where.get(payout.holder), ordered.get(payout.reconversion)
        if order is not None:
            payee = told.get((payout.batch or b"", payout.reconversion))
            made.append(Due(payout, party.name, order.name, order.iban, order.number, at[payout.seq], payee))
        else:
            to, iban = (there.holder or party.name, _payable(there.iban)) if there else (party.name, "")
            made.append(Due(payout, party.name, to, iban, 0, at[payout.seq]))
    return made


def _payable(iban: str) -> str:
    """The IBAN, if a file can hold it: one that is refused today would hold up all others."""
    try:
        return ibans.iban(iban)
    except ibans.IbanWrong:
        return ""


def find(town: Town, text: str) -> Payout:
    """The payout with that reference, however it was typed, or whose reconversion has that id.

    Raises `CurrencyError`: not_found.
    """
    reference = plain(text)
    with town.reading() as connection:
        found = by_references(connection, [reference]) if reference else []
        if len(found) != 1:
            try:
                id_ = bytes.fromhex(text.strip())
            except ValueError:
                id_ = b""
            found = payouts(connection, _PAYOUT.reconversion == id_)
    if not found:
        raise CurrencyError("not_found", tell("no payout has this reference; `patard payouts list` shows them"))
    return found[0]


def by_references(connection: Connection, references: Iterable[str]) -> list[Payout]:
    """The payouts with those references."""
    wanted = sorted(references)
    return payouts(connection, _PAYOUT.reference.in_(wanted)) if wanted else []


def of_batch(connection: Connection, batch: bytes) -> list[Payout]:
    """Every payout that a batch ordered, in whichever it is now."""
    query = select(PAYOUT_ORDER.c.reconversion).where(PAYOUT_ORDER.c.batch == batch)
    return payouts(connection, _PAYOUT.reconversion.in_(query))
