"""What a line is: the first finder that knows, in this order; else it goes to suspense."""

from __future__ import annotations

from collections.abc import Callable

from ledger.core.model import Instruction, Transaction, Transfer
from ledger.currency.bank import topups
from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.lines import Books, Line
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.payouts import lines as payouts
from ledger.currency.chart import EUR

FINDERS: tuple[Callable[[Books, Line], Instruction | None], ...] = (
    topups.known,
    payouts.executed,
    payouts.came_back,
    mandates.debits,
    topups.topup,
    topups.returned,
)
"""A finder looks at a line and gives the entry that it becomes, or None. Its id is the line's."""


def find(books: Books, line: Line) -> Instruction:
    """The entry that a line becomes. What is to or from an account of ours is that, whatever its text names."""
    if books.is_ours(line):
        return topups.transit(books, line) or suspense(books, line)
    for finder in FINDERS:
        found = finder(books, line)
        if found is not None:
            return found
    return suspense(books, line)


def suspense(books: Books, line: Line) -> Transaction:
    """The entry of a line that nobody could place: euros that came wait there, euros that went are missed there."""
    account = books.town.chart.suspense
    if line.amount > 0:
        transfer = Transfer(line.reserve, account, line.amount, EUR)
    else:
        transfer = Transfer(account, line.reserve, -line.amount, EUR)
    return Transaction(line.id, SUSPENSE, (transfer,), line.booked_on, evidence=books.evidence(line))
