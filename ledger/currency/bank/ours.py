"""Euros that may have come from another account of the reserve, where the bank's line names none."""

from __future__ import annotations

from datetime import date, timedelta

from ledger.currency import reserve
from ledger.currency.bank import topups
from ledger.currency.bank.lines import Line
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.whose import MAX_BEFORE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town


def arrived_before(town: Town, account: int, first: date, most: int) -> list[int]:
    """What may have come from others of ours before an account's first statement: cents, which come to `most` at most.

    Each departure is by itself, as it will be paired; where some came back, the rest of what left is one more.
    """
    bound = reserve.bound_for(town, account, first)
    left, parts = max(0, min(most, sum(bound))), list[int]()
    for amount in bound:
        if 0 < amount <= left and len(parts) < MAX_BEFORE // 2:
            parts.append(amount)
            left -= amount
    return [*parts, left] if left and min(bound) < 0 else parts


def was_bound(town: Town, line: Line) -> bool:
    """Whether a line of what was there before a first statement is as much as what left another account for it."""
    bound = reserve.bound_for(town, line.reserve, line.booked_on + timedelta(days=1))
    return line.amount > 0 and line.amount in (*bound, sum(bound))


def require_not_ours(town: Town, line: Line) -> None:
    """Raise `CurrencyError`, placing_uneven, for what may have left another account of ours and is on its way."""
    there = town.book.balance(town.chart.transit)
    if not 0 < line.amount <= there:
        return
    if line.kind == LineKind.OPENING:
        if was_bound(town, line):
            raise CurrencyError("placing_uneven", tell(
                "{there} are on their way between accounts of the reserve, and were on this one when its first "
                "statement began: place it as transit", there=Cents(line.amount),
            ))  # fmt: skip
        return
    left = topups.departed(town, line)
    if left is not None:
        raise CurrencyError("placing_uneven", tell(
            "as much left another account of the reserve with {reference} and has not arrived: place this line as "
            "transit, or, if it is something else, wait for the line by which that arrives", reference=left.reference,
        ))  # fmt: skip
