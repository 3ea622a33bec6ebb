"""What goes wrong with an order, as the test or the demo wants it."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.currency.bank.pain import Debit, Transfer


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one order; by default it is executed and stays so. Reasons are codes of ISO 20022.

    `reject`: refused at once, as its pain.002 says (AC04, closed account). With `booked` the order is in the sum that
    the bank books, and comes back by a line of its own on the same day; without, it never shows on a statement.
    `back`: executed, and back `after` banking days (MD06 a refund, AM04 insufficient funds, AC04).
    `delay`: executed that many banking days after the others of its file, by itself.
    """

    reject: str = ""
    booked: bool = True
    back: str = ""
    after: int = 2
    delay: int = 0


class Fates(dict[str, Fate]):
    """Fates by end-to-end id or, where it has none, by the IBAN of the other side. All other orders go well."""

    def __call__(self, order: Transfer | Debit) -> Fate:
        return self.get(order.end_to_end) or self.get(order.iban) or Fate()
