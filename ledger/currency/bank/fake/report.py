"""A statement before it is written in one of the formats."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from ledger.currency.bank.fake.entries import Account, Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The entries of an account over some days; `opening` cents were on it before. `parts`: sums are broken down."""

    account: Account
    number: int
    first: date
    last: date
    opening: int
    entries: tuple[Entry, ...]
    parts: bool

    @property
    def closing(self) -> int:
        """Cents on the account after all of them."""
        return self.opening + sum(entry.amount for entry in self.entries)
