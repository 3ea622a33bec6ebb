"""The reserve report: what is out against what backs it, from one snapshot of the book."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from ledger.core.tables import ACCOUNT
from ledger.currency.town import Town


class ReserveAccountLine(NamedTuple):
    """A bank account or cash box of the reserve, and the euros (cents) that the ledger has on it."""

    name: str
    kind: str
    account: int
    ledger: int


class Identity(NamedTuple):
    """One thing that must add up: the two sides (cents) and whether they do. `relation` is "=" or "<="."""

    name: str
    left: int
    relation: str
    right: int
    holds: bool


class Reserve(NamedTuple):
    """Circulation against reserve, in cents. `seq` and `root` name the state of the log it was read at.

    `imported` is what the issuers of an imported currency have out beside `circulation` (see `importer`): units
    that count against the guarantee like all others, and that the engine could not refuse, for they were out before.
    """

    circulation: int
    guarantee: int
    payouts_due: int
    suspense: int
    fees: int
    operations: int
    waiting: int
    banks: list[ReserveAccountLine]
    identities: list[Identity]
    covered: bool
    seq: int
    at: int
    root: bytes
    imported: int = 0

    @property
    def reserve(self) -> int:
        """All euros on the reserve accounts, in cents."""
        return sum(bank.ledger for bank in self.banks)


def report(town: Town) -> Reserve:
    """The reserve as the ledger has it now."""
    chart = town.chart
    own = [chart.circulation, chart.waiting, chart.guarantee, chart.payouts, chart.suspense, chart.income,
           chart.operations]  # fmt: skip
    # Asked before the snapshot: an issuer's account that is opened in between is empty in it, or not there.
    issuing = issuers(town)
    with town.book.store.reading() as store:
        head = store.head()
        found = store.accounts([*own, *chart.reserve.values(), *issuing])
    circulation, waiting, guarantee, payouts, suspense, fees, operations = (found[number].balance for number in own)
    banks = [
        ReserveAccountLine(account.name, str(account.kind), number, found[number].balance)
        for account in town.charter.reserve
        for number in [chart.reserve[account.name]]
    ]
    held = sum(bank.ledger for bank in banks)
    imported = sum(max(0, -found[number].balance) for number in issuing)
    units = "circulation + imported" if imported else "circulation"
    identities = [
        _identity(f"{units} <= guarantee", circulation + imported, "<=", guarantee),
        _identity("guarantee <= reserve accounts - payouts due", guarantee, "<=", held - payouts),
        _identity(
            "guarantee + payouts due + suspense + fees = reserve accounts + operations",
            guarantee + payouts + suspense + fees, "=", held + operations,
        ),
    ]  # fmt: skip
    return Reserve(
        circulation, guarantee, payouts, suspense, fees, operations, waiting, banks, identities,
        all(identity.holds for identity in identities), head.seq, head.at, head.root, imported,
    )  # fmt: skip


def issuers(town: Town) -> list[int]:
    """The accounts in the local unit that may go below zero: the issuers of a currency that was imported."""
    own = (town.chart.circulation, town.chart.waiting)
    query = select(ACCOUNT.c.number).where(
        ACCOUNT.c.unit == town.charter.code, ACCOUNT.c.floor.is_(None), ACCOUNT.c.number.not_in(own)
    )
    with town.reading() as connection:
        return sorted(connection.scalars(query))


def _identity(name: str, left: int, relation: str, right: int) -> Identity:
    return Identity(name, left, relation, right, left == right if relation == "=" else left <= right)
