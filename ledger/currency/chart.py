"""The currency's own accounts: circulation, the reserve and what is owed (DESIGN, money of the currency).

Their numbers follow from the network id and their names, so they are the same in every copy of the book and
nothing has to be looked up.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.core.ids import derived_id, new_account_number
from ledger.core.model import Account, Opening, Side

EUR = "EUR"
OWN = (
    "circulation", "waiting", "maturing", "guarantee", "payouts", "suspense", "income", "operations", "claims",
    "transit",
)  # fmt: skip
"""The currency's own accounts beside those of the reserve. Units wait on `waiting` (a change back that nobody decided
yet) and `maturing` (euros of a direct debit that may still be taken back); `transit` is on its way between two
accounts of the reserve, `claims` is owed by members whose euros went back after their units were spent."""


def own_number(network: bytes, name: str) -> int:
    """Number of the currency's own account `name`."""
    return new_account_number(sha256(b"patard/account/1\0" + network + name.encode()).digest()[:8])


@dataclass(frozen=True, slots=True)
class Chart:
    """Account numbers by what they are for. `reserve` maps the charter's reserve account names to theirs."""

    unit: str
    network: bytes
    circulation: int
    waiting: int
    maturing: int
    guarantee: int
    payouts: int
    suspense: int
    income: int
    operations: int
    claims: int
    transit: int
    reserve: dict[str, int]

    @classmethod
    def of(cls, unit: str, network: bytes, reserve: Iterable[str]) -> Chart:
        """The chart of the currency `unit` on `network`, with reserve accounts of those names."""
        numbers = {name: own_number(network, name) for name in OWN}
        banks = {name: own_number(network, f"reserve/{name}") for name in reserve}
        return cls(unit, network, **numbers, reserve=banks)

    def own(self) -> dict[str, int]:
        """The numbers of the currency's own accounts by name, without those of the reserve."""
        return {name: getattr(self, name) for name in OWN}

    def openings(self) -> list[Opening]:
        """Opens every account of the chart. The ids are derived: posting them again changes nothing."""
        debit, credit = Side.DEBIT, Side.CREDIT
        accounts = [
            Account(self.guarantee, EUR, credit),
            # The one rule that makes this a currency: no unit is out that the guarantee does not hold a euro for.
            Account(self.circulation, self.unit, debit, cover=self.guarantee),
            Account(self.waiting, self.unit, credit),
            Account(self.maturing, self.unit, credit),
            Account(self.payouts, EUR, credit),
            Account(self.suspense, EUR, credit, floor=None),
            Account(self.income, EUR, credit, floor=None),
            Account(self.operations, EUR, debit, floor=None),
            Account(self.claims, EUR, debit),
            Account(self.transit, EUR, debit, floor=None),
            *(Account(number, EUR, debit) for number in self.reserve.values()),
        ]
        return [Opening(derived_id("patard/open", self.network, f"{a.number:016x}"), a) for a in accounts]
