"""What came with members' references is theirs: that it is somebody else's takes more than one officer's word.

It is else's where others get units of it, or owe less by it; where one gets more than those parts of it which do not
name another; and where it is said to be what explains something of others: the cash of slips that they gave no part of,
what was given back with a line that names none of them, another's payout or debit that came back, cover for imported
units. What goes to the association itself is not asked: its accounts show it line by line. `check` asks the same, by
what was known then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from sqlalchemy import Connection

from ledger.core.model import Evidence
from ledger.currency.bank.lines import Line, said_of
from ledger.currency.bank.mandates.index import named as items_named
from ledger.currency.bank.recalled import Named, same_payer
from ledger.currency.chart import Chart

ELSES = "elses"
"""What such a placing is called beside the ways."""
FOR_MEMBERS = ("member", "split", "claim", "known")
"""Ways by which members get what came: units, or that they owe less."""
WAYS = (*FOR_MEMBERS, "cash", "pair", "payout", "debits", "cover")
"""Ways by which what came is somebody's."""


def is_elses(line: Line, gets: Mapping[int, int], whose: Collection[int] | None, named: Named) -> bool:
    """Whether a line carries members' references and is somebody else's: of it members get so many cents (`gets`, by
    account), and `whose` is what it is said to be (see `of`; None: nobody's).
    """
    theirs = named(_texts(line))
    if not theirs:
        return False
    if whose is not None and theirs.isdisjoint(whose):
        return True
    if not line.parts:
        return not theirs.issuperset(gets)
    parts, nobodys = Counter[int](), 0
    for part in line.parts:
        mine, cents = named(said_of(part)) or named(line.said), int(part["amount"])
        if len(mine) == 1:
            parts[mine.pop()] += cents
        else:
            nobodys += cents
    return sum(max(0, cents - parts[account]) for account, cents in gets.items()) > nobodys


def of(
    connection: Connection, way: str, line: Line, other: Line | None, evidence: Evidence, gave: Collection[int],
    named: Named,
) -> Collection[int] | None:  # fmt: skip
    """The members whose something is that a line is placed as; None where it is no member's. `gave` are those whose
    slips lay in the boxes, `other` is the line of a pair.
    """
    if way == "cash":
        return gave
    if way == "pair":
        return None if other is None or same_payer(line, other) else named(_texts(other))
    if way == "payout":
        return {int(str(evidence["holder"]), 16)}
    if way == "cover":
        return ()
    if way == "debits":
        return {one.account for one in items_named(connection, evidence.get("items", ""))}
    return None


def gets(moves: Collection[tuple[int, int, int, str]], evidence: Evidence, chart: Chart, cents: int) -> dict[int, int]:
    """What members get of a line of so many cents, by account: units by what a placing moves (debit, credit, cents,
    unit), or that they owe less, or euros for units that were typed before.
    """
    found = Counter[int]()
    for debit, credit, moved, _unit in moves:
        found[credit] += moved if debit == chart.circulation else 0
    if holder := int(str(evidence.get("holder", "0")), 16):
        found[holder] = found[holder] or cents
    if claim := int(str(evidence.get("claim", "0")), 16):
        found[claim] += sum(moved for _debit, credit, moved, _unit in moves if credit == chart.claims)
    return {account: cents for account, cents in found.items() if cents}


def _texts(line: Line) -> tuple[str, ...]:
    return (*line.said, *(text for part in line.parts for text in said_of(part)))
