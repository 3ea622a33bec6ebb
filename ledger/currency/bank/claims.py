"""What members owe: euros of theirs that went back to their bank after the units had been spent.

All of it is on one account of the ledger. Who owes how much follows from its entries: each names the member as `claim`
or `holder`, or, where it is of several, as `owed` says by how many cents the debt of each changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from ledger.core.model import Evidence, Instruction, Transaction
from ledger.currency import parties
from ledger.currency.chart import Chart
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

Moved = tuple[int, int, int, str]
"""A transfer: debit, credit, cents, unit."""


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


def undone(
    chart: Chart, way_back: Iterable[Moved], free: Callable[[int], int], is_open: Callable[[int], bool]
) -> tuple[list[Moved], dict[int, int]]:
    """What undoing a line moves where units are not all there any more, and who owes how many cents by it.

    `way_back` would undo all of it, `free` tells what units an account has, `is_open` whether it takes any. Members
    owe for the units that are not there, and the guarantee keeps as many euros, for those are with others. What
    would come back to one who has left is the association's own, for it to pay out. `check` asks the same.
    """
    done: list[Moved] = []
    left: dict[int, int] = {}
    owed: Counter[int] = Counter()
    stays, euros = 0, []
    for move in way_back:
        debit, credit, cents, unit = move
        if unit != chart.unit:
            euros.append(move)
        elif debit == chart.circulation and not is_open(credit):
            stays += cents
        elif credit == chart.circulation:
            there = left.setdefault(debit, free(debit))
            back = min(cents, there)
            left[debit] -= back
            owed[debit] += cents - back
            done.append((debit, credit, back, unit))
        else:
            done.append(move)
    rest = owed.total()
    for debit, credit, cents, unit in euros:
        part = 0
        if debit == chart.guarantee:
            part = min(cents, rest)
            rest -= part
            done.append((chart.claims, credit, part, unit))
        elif credit == chart.guarantee:
            part = min(cents, stays)
            stays -= part
            done.append((debit, chart.operations, part, unit))
        done.append((debit, credit, cents - part, unit))
    return [move for move in done if move[2]], {account: cents for account, cents in owed.items() if cents}


def takes_units(town: Town, account: int) -> bool:
    """Whether the holder of an account has not left."""
    return parties.by_account(town, account).closed_at is None


def owing_more(
    chart: Chart, said: Evidence, way_back: Iterable[Moved], owed: Mapping[int, int]
) -> dict[str, str | int]:
    """What an entry says of debts which undoes one with the evidence `said`, where `owed` come to those it undoes."""
    told = undoing(said)
    if not owed:
        return told
    before = sum(cents * ((debit == chart.claims) - (credit == chart.claims)) for debit, credit, cents, _ in way_back)
    total = Counter(changes(told) if "owed" in told else {owing(told): before} if before else {})
    total.update(owed)
    if set(total) != {owing(told)}:
        told["owed"] = ",".join(f"{account:016x}:{cents}" for account, cents in sorted(total.items()))
    return told


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
