"""The reserve report: what is out against what backs it, from one snapshot of the book."""

from __future__ import annotations

from typing import NamedTuple

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
    """Circulation against reserve, in cents. `seq` and `root` name the state of the log it was read at."""

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

    @property
    def reserve(self) -> int:
        """All euros on the reserve accounts, in cents."""
        return sum(bank.ledger for bank in self.banks)


def report(town: Town) -> Reserve:
    """The reserve as the ledger has it now."""
    chart = town.chart
    own = [chart.circulation, chart.waiting, chart.guarantee, chart.payouts, chart.suspense, chart.income,
           chart.operations]  # fmt: skip
    with town.book.store.reading() as store:
        head = store.head()
        found = store.accounts([*own, *chart.reserve.values()])
    circulation, waiting, guarantee, payouts, suspense, fees, operations = (found[number].balance for number in own)
    banks = [
        ReserveAccountLine(account.name, str(account.kind), number, found[number].balance)
        for account in town.charter.reserve
        for number in [chart.reserve[account.name]]
    ]
    held = sum(bank.ledger for bank in banks)
    identities = [
        _identity("circulation <= guarantee", circulation, "<=", guarantee),
        _identity("guarantee <= reserve accounts - payouts due", guarantee, "<=", held - payouts),
        _identity(
            "guarantee + payouts due + suspense + fees = reserve accounts + operations",
            guarantee + payouts + suspense + fees, "=", held + operations,
        ),
    ]  # fmt: skip
    return Reserve(
        circulation, guarantee, payouts, suspense, fees, operations, waiting, banks, identities,
        all(identity.holds for identity in identities), head.seq, head.at, head.root,
    )  # fmt: skip


def _identity(name: str, left: int, relation: str, right: int) -> Identity:
    return Identity(name, left, relation, right, left == right if relation == "=" else left <= right)
