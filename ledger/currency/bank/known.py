"""A line that was taken before, and whether one of another statement is it: by references, or only by its texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ledger.currency.bank.reference import other_order, same_order, squeezed
from ledger.currency.bank.statement import BankLine


class Known(NamedTuple):
    """A line that was taken before. `day` is the one that it counts for in the balances: see `day_in`."""

    id: bytes
    booked_on: date
    day: date
    amount: int
    bank_ref: str = ""
    iban: str = ""
    end_to_end: str = ""
    text: str = ""
    """Name and text."""
    until: date = date.min
    """The last day of the statement that brought it."""
    format: str = ""

    @property
    def is_off(self) -> bool:
        """Whether its day is outside of the statement that brought it, and so does not say when it was booked."""
        return self.day != self.booked_on


def day_in(booked_on: date, first: date, last: date) -> date:
    """The day of a line in the balances of the statement over these days that brought it.

    A charge that is booked with a day long past, or a line of a day to come, is in the balance of the statement all the
    same: it counts for the nearest of its days.
    """
    return min(max(booked_on, first), last)


def as_known(id_: bytes, line: BankLine, days: tuple[date, date], format_: str) -> Known:
    """A line that the statement over these days, in that format, brought."""
    day, text = day_in(line.booked_on, *days), line.name + line.text
    of = (line.bank_ref, line.iban, line.end_to_end)
    return Known(id_, line.booked_on, day, line.amount, *of, text, days[1], format_)


def is_same(known: Known, line: BankLine) -> bool:
    """Whether references say that this line, of the same day and amount, is the known one.

    A bank that books an order twice has two references for it; so do two formats.
    """
    if line.bank_ref and known.bank_ref:
        return line.bank_ref == known.bank_ref and not _other_order(known, line)
    return _same_order(known, line)


def reads_the_same(known: Known, line: BankLine) -> bool:
    """Whether the order or texts say that this line, of the same day and amount, is the known one."""
    if _same_order(known, line):
        return True
    if is_other(known, line):
        return False
    before, said = squeezed(known.text), squeezed(line.name + line.text)
    if line.iban and known.iban:
        return before[:20] == said[:20]
    return bool(said and before) and (said in before or before in said)


def is_other(known: Known, line: BankLine) -> bool:
    """Whether this line is another. Only what identifies a payment tells: one format's texts are not the other's."""
    return _other_order(known, line) or bool(known.iban and line.iban and known.iban != line.iban)


def may_be_same(known: Known, line: BankLine) -> bool:
    """Whether nothing says that this line, of the same day and amount, is another."""
    return not _other_order(known, line)


def _same_order(known: Known, line: BankLine) -> bool:
    return bool(line.end_to_end) and same_order(line.end_to_end, known.end_to_end)


def _other_order(known: Known, line: BankLine) -> bool:
    return other_order(known.end_to_end, line.end_to_end)


def by_amount(known: Iterable[Known]) -> dict[tuple[date, int], list[Known]]:
    """Known lines by day and amount, which is all that every format tells."""
    found: dict[tuple[date, int], list[Known]] = defaultdict(list)
    for one in known:
        found[one.booked_on, one.amount].append(one)
    return found


def by_day(known: Iterable[Known]) -> list[Known]:
    """Known lines in the order of their days; within one, as they came."""
    return sorted(known, key=lambda one: one.day)
