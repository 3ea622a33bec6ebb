"""What members owe: euros of theirs that went back to their bank after the units had been spent.

All of it is on one account of the ledger. Who owes how much follows from its entries: each names the member as `claim`
or `holder`, or, where it is of several, as `owed` says by how many cents the debt of each changes.
"""

from __future__ import annotations

from collections import Counter

from ledger.core.model import Evidence, Instruction, Transaction
from ledger.currency import parties
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town


def owed(town: Town) -> dict[int, int]:
    """Cents that members owe, by their accounts; those who owe nothing are left out."""
    book, account = town.book, town.chart.claims
    totals: Counter[int] = Counter()
    shared: set[int] = set()
    before: int | None = None
    while book.balance(account):
        page = book.statement(account, limit=1_000, before=before)
        for entry in page.entries:
            if "owed" not in entry.evidence:
                totals[owing(entry.evidence)] += entry.change
            elif entry.seq not in shared:  # which says it for all its transfers
                shared.add(entry.seq)
                totals.update(changes(entry.evidence))
        if not page.next:
            break
        before = page.next
    return {holder: cents for holder, cents in totals.items() if cents}


def owing(evidence: Evidence) -> int:
    """The account of the one member whose debt an entry changes; 0 where it names none."""
    named = evidence.get("claim") or evidence.get("holder")
    try:
        return int(str(named), 16)
    except ValueError:
        return 0


def changes(evidence: Evidence) -> dict[int, int]:
    """By how many cents an entry changes the debts of several, by account. Raises `ValueError` when it does not say."""
    found = [part.split(":") for part in str(evidence.get("owed", "")).split(",")]
    if any(len(part) != 2 for part in found):
        raise ValueError("whose debts they are is not told")
    return {int(account, 16): int(cents) for account, cents in found}


def undoing(evidence: Evidence) -> dict[str, str | int]:
    """What an entry says of debts which undoes one with this evidence."""
    said = {key: evidence[key] for key in ("holder", "claim") if key in evidence}
    if "owed" in evidence:
        said["owed"] = ",".join(f"{account:016x}:{-cents}" for account, cents in changes(evidence).items())
    return said


def require_owed(town: Town, entry: Instruction) -> None:
    """Raise `CurrencyError`, line_not_placed, where what an entry undoes made a debt that was paid since."""
    if not isinstance(entry, Transaction):
        return
    account = town.chart.claims
    moved = sum(t.amount * ((t.debit == account) - (t.credit == account)) for t in entry.transfers)
    fallen = changes(entry.evidence) if "owed" in entry.evidence else {owing(entry.evidence): moved}
    if min(fallen.values()) >= 0:
        return
    debts = owed(town)
    for holder, cents in fallen.items():
        if cents < 0 and debts.get(holder, 0) + cents < 0:
            name = parties.by_account(town, holder).name
            raise CurrencyError("line_not_placed", tell(
                "{name} paid of the {cents} that were owed for this line: put back the line that paid",
                name=name, cents=Cents(-cents),
            ))  # fmt: skip
