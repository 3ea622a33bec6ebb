"""What an entry moves when debits are brought, come back, or either is undone. Pure, but for balances handed in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ledger.core.model import MAX_TRANSFERS, Transfer
from ledger.currency.bank.mandates.index import Item
from ledger.currency.chart import EUR, Chart


class Moves:
    """Gathers the transfers of one entry on the reserve account `bank`; `balance` tells what a member has.

    `owed` is by how many cents each member's debt changes. `is_open` tells whether an account takes units: what would
    come back to one who has left is the association's own, for it to pay out.
    """

    def __init__(
        self, chart: Chart, bank: int, balance: Callable[[int], int], is_open: Callable[[int], bool] = lambda _: True
    ) -> None:
        self.chart = chart
        self.bank = bank
        self.balance = balance
        self.is_open = is_open
        self.owed: Counter[int] = Counter()
        self._cents: Counter[tuple[int, int, str]] = Counter()

    def bring(self, item: Item) -> None:
        """The bank brought a debit. One that had come back before is owed no more."""
        if item.is_early:
            self._owes(item, -item.amount)
            return
        self._units(self.chart.circulation, self.chart.maturing, item.amount)
        self._euros(self.bank, self.chart.guarantee, item.amount)

    def give_back(self, item: Item) -> None:
        """A debit came back: from units that mature, else from the member's; what is not there is owed.

        So is one that comes back before it is brought.
        """
        holder, back = self.chart.maturing, item.amount
        if item.credited_by is None:
            back = 0
        elif item.released_seq is not None:
            holder = item.account
            taken = self._cents[holder, self.chart.circulation, self.chart.unit]
            back = min(item.amount, max(0, self.balance(holder) - taken))
        self._units(holder, self.chart.circulation, back)
        self._euros(self.chart.guarantee, self.bank, back)
        self._owes(item, item.amount - back)

    def take_again(self, item: Item) -> None:
        """It did not come back after all."""
        back = 0 if item.credited_by is None else item.amount - item.claim
        holder = self.chart.maturing if item.released_seq is None else item.account
        if item.released_seq is None or self.is_open(item.account):
            self._units(self.chart.circulation, holder, back)
            self._euros(self.bank, self.chart.guarantee, back)
        else:
            self._euros(self.bank, self.chart.operations, back)
        self._owes(item, back - item.amount)

    def transfers(self) -> tuple[Transfer, ...] | None:
        """What is moved; None where it is more than one entry can hold."""
        found = tuple(
            Transfer(debit, credit, cents, unit) for (debit, credit, unit), cents in self._cents.items() if cents
        )
        return found if len(found) <= MAX_TRANSFERS else None

    def _owes(self, item: Item, cents: int) -> None:
        if cents:
            self.owed[item.account] += cents
            pair = (self.chart.claims, self.bank) if cents > 0 else (self.bank, self.chart.claims)
            self._euros(*pair, abs(cents))

    def _units(self, debit: int, credit: int, cents: int) -> None:
        self._cents[debit, credit, self.chart.unit] += cents

    def _euros(self, debit: int, credit: int, cents: int) -> None:
        self._cents[debit, credit, EUR] += cents
