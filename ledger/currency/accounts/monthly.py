"""What every account held at the end of each month in which it moved: what journals assert, and how names look there.

Kept by month and not by entry, so that a year of a million entries needs no more memory than one of a thousand.
"""

from __future__ import annotations

import calendar
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import date

from ledger.currency.accounts import pcg
from ledger.currency.accounts.entries import Entry
from ledger.currency.accounts.plan import PlanAccount, carried


class MonthEnds:
    """Gathers a year's entries, in any order of their days."""

    def __init__(self) -> None:
        self._moved: dict[str, Counter[PlanAccount]] = {}
        self._last = ""

    def add(self, entry: Entry) -> None:
        """Take an entry in."""
        self._last = max(self._last, entry.day)
        month = self._moved.setdefault(entry.day[:7], Counter())
        for account, debit, credit in entry.lines:
            month[account] += debit - credit

    def balances(self) -> Iterator[tuple[date, list[tuple[PlanAccount, int]]]]:
        """For each month, its last day (of the last month, the day of the last entry) and the balances (debits less
        credits, cents) at the end of that day of the accounts that moved in it, but for those of results.
        """
        held: Counter[PlanAccount] = Counter()
        for month in sorted(self._moved):
            moved = self._moved[month]
            held.update(moved)
            year, number = int(month[:4]), int(month[5:])
            end = date(year, number, calendar.monthrange(year, number)[1])
            found = [(account, held[account]) for account in sorted(moved) if not _adds_up(account)]
            yield min(end, date.fromisoformat(self._last)), found

    def handed_on(self) -> list[tuple[PlanAccount, int]]:
        """What a year that is over hands on to the next one, which begins with it: debits less credits, cents."""
        sums: Counter[PlanAccount] = Counter()
        for moved in self._moved.values():
            sums.update(moved)
        result = sum(cents for account, cents in sums.items() if _adds_up(account))
        found = [(account, cents) for account, cents in sorted(sums.items()) if cents and not _adds_up(account)]
        return sorted([*found, (carried(result), result)]) if result else found


def _adds_up(account: PlanAccount) -> bool:
    """Whether it is one of those by which years add up: where several are read together, what it holds is all of them.

    Nothing is said of these at a month's end. Every entry balances, so all others say what they come to together.
    """
    return pcg.is_result(account.number) or account.number in pcg.CARRIED.values()


def ascii_text(text: str) -> str:
    """A text in ASCII: letters without their accents, a question mark for what has no such letter."""
    apart = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "OE").replace("’", "'"))
    return "".join(char for char in apart if not unicodedata.combining(char)).encode("ascii", "replace").decode()


def short(label: str) -> str:
    """What a label says beside the title in the chart of accounts: "Banques : Crédit" is "Crédit"."""
    return label.rpartition(" : ")[2]
