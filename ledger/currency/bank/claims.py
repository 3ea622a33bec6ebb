"""What members owe: euros of theirs that went back to their bank after the units had been spent.

All of it is on one account of the ledger; who owes how much follows from its entries, each of which names the member.
"""

from __future__ import annotations

from collections import Counter

from ledger.core.model import Evidence
from ledger.currency.town import Town


def owed(town: Town) -> dict[int, int]:
    """Cents that members owe, by their accounts; those who owe nothing are left out."""
    book, claims = town.book, town.chart.claims
    totals: Counter[int] = Counter()
    before: int | None = None
    while book.balance(claims):
        page = book.statement(claims, limit=1_000, before=before)
        for entry in page.entries:
            totals[owing(entry.evidence)] += entry.change
        if not page.next:
            break
        before = page.next
    return {account: cents for account, cents in totals.items() if cents}


def owing(evidence: Evidence) -> int:
    """The account of the member whose debt an entry on the claims account changes; 0 where it names none."""
    named = evidence.get("claim") or evidence.get("holder")
    try:
        return int(str(named), 16)
    except ValueError:
        return 0
