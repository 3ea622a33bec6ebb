"""Which line that came in a line that went out takes back: ranked by what the bank says of both, never guessed. Pure.

The bank says that the line is a return; it goes to the account that the euros came from; it names the order or the
member. Any one of them alone is a payment of the association's like another: a rent to a member's account, a transfer
whose reference is everybody's. Who pays several things alike, two members with one account, a payer who writes
another member's reference: so all lines that it may take back are held against each other, those in suspense too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from ledger.currency.bank.lines import Line, said_of
from ledger.currency.bank.reference import other_order, same_order
from ledger.currency.bank.statement import LineKind

SURE = 2
"""So many of three things must be right for a line to be booked by itself."""

Named = Callable[[Iterable[str]], set[int]]
"""The accounts of open members whose references stand in texts."""


class Candidate(NamedTuple):
    """A line that came in: a top-up of `holder`, or (None) one that waits in suspense, or was placed otherwise."""

    line: Line
    holder: int | None


def named_in(line: Line, named: Named) -> int | None:
    """The one member whose reference the line carries, and each of its parts; None where none does, or several."""
    found = named(line.said)
    for part in line.parts:
        # What the bank wrote about the sum is no member's by itself where the parts are others'.
        mine = named(said_of(part)) or named(line.said)
        if not mine:
            return None
        found |= mine
    return found.pop() if len(found) == 1 else None


class Recall(NamedTuple):
    """A line that went out, and the one `member` whom it names (None: none, or several); `named` reads other texts."""

    line: Line
    member: int | None
    named: Named

    def right(self, one: Candidate) -> int:
        """How many of the three things are right of its taking back that one."""
        return (self.line.kind == LineKind.RETURN) + same_payer(self.line, one.line) + self.names(one)

    def names(self, one: Candidate) -> bool:
        """Whether it names the order or the member of that one."""
        return self._same_order(one) or (self.member is not None and self.member in self._whose(one))

    def is_other(self, one: Candidate) -> bool:
        """Whether the bank says that it is another one: by account, by order, or by another member's reference."""
        line, there = self.line, one.line
        if line.iban and there.iban and line.iban != there.iban:
            return True
        if other_order(line.end_to_end, there.end_to_end):
            return True
        elses = one.holder is not None and self.member not in (None, *self._whose(one))
        return elses and not self._same_order(one)

    def best(self, candidates: Iterable[Candidate]) -> Candidate | None:
        """Of all that it may take back, that of which most is right; the first of one member's that are alike.

        None where nothing is right of any, or where as much is of different members', or of one in suspense.
        """
        best: list[Candidate] = []
        most = (0, False)
        for one in candidates:
            this = (self.right(one), self._same_order(one))
            if this < most or not this[0] or self.is_other(one):
                continue
            best, most = ([], this) if this > most else (best, most)
            best.append(one)
        return best[0] if len({one.holder for one in best}) == 1 else None

    def fits(self, one: Candidate, candidates: Iterable[Candidate]) -> int:
        """How much is right of its taking back that one; 0 where it is another's, or as likely so."""
        best = self.best(candidates)
        return 0 if self.is_other(one) or best is None or best.holder != one.holder else self.right(one)

    def _same_order(self, one: Candidate) -> bool:
        return same_order(self.line.end_to_end, one.line.end_to_end)

    def _whose(self, one: Candidate) -> set[int]:
        """Whose a candidate may be: its member's, and all's whom its texts name: a label may keep one of two."""
        theirs = self.named((*one.line.said, *(text for part in one.line.parts for text in said_of(part))))
        return theirs if one.holder is None else theirs | {one.holder}


def recall(line: Line, named: Named) -> Recall:
    """What a line that went out says of what it takes back."""
    return Recall(line, named_in(line, named), named)


def same_payer(line: Line, other: Line) -> bool:
    """Whether the bank names one account for both."""
    return line.iban != "" and line.iban == other.iban
