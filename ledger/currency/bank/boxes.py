"""What lies in cash boxes, and which lines may be it, paid in at the bank: its units were there before.

Cash has no name and no age. While the boxes hold any, what came may be theirs where the bank calls it a deposit, where
it comes to a slip, to the oldest slips or to all that is there, and where it would be for a member who gave some of it;
and so may part of what was on an account before its first statement, whatever it comes to.
Such a line brings nobody units by itself. Anybody of the office places it as cash, and a treasurer as anything else,
which `check` names. A slip is open until its box was empty.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from ledger.core.model import Evidence, Instruction, Transaction
from ledger.core.tables import TRANSFER
from ledger.currency.bank.formats.labels import is_cheque, kind_of_label
from ledger.currency.bank.names import said
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE, TYPED_CONVERSION
from ledger.currency.charter import ReserveKind
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

if TYPE_CHECKING:
    from ledger.currency.bank.lines import Line

BOXED = "boxed"
"""Key of a placing's evidence: the line may be cash of a box, and was placed otherwise."""
_TYPED, _LINE = TYPED_CONVERSION.c, BANK_LINE.c


class Boxes(NamedTuple):
    """What the boxes hold: `held` together, `sums` that may be paid in at once (cents), and by account who gave it."""

    held: int = 0
    sums: frozenset[int] = frozenset()
    givers: frozenset[int] = frozenset()

    def comes_to(self, amount: int, holders: Collection[int]) -> bool:
        """Whether the amount, or whose units they would be, says that these euros lay there."""
        return amount in self.sums or not self.givers.isdisjoint(holders)

    def may_be(self, line: Line, holders: Collection[int] = (), said: int = 0) -> bool:
        """Whether a line that came may be theirs, were it to be units of these members; so much of it (cents) is said
        to be cash, and where that is all they hold, the rest is none.
        """
        if self.held <= said or line.amount < 0 or not may_be_cash(line):
            return False
        return is_whatever(line) or self.comes_to(line.amount, holders)


def may_be_cash(line: Line) -> bool:
    """Whether a line may be cash, paid in or taken out: called so, or from no account, no sum of several, and called
    nothing else.
    """
    if line.kind == LineKind.CASH:  # several deposits in one sum, or one with the card of an account, are so too
        return True
    if line.iban or line.parts:
        return False
    if line.kind != LineKind.OTHER:
        return line.kind == LineKind.OPENING
    return kind_of_label(line.text) in (LineKind.OTHER, LineKind.CASH) and not _is_cheque(line)


def _is_cheque(line: Line) -> bool:
    """Whether the bank calls it a cheque; whoever pays cash in at a counter may write the word as well."""
    return is_cheque(line.text) and said(f"{line.name} {line.text}", "deposit") is None


def is_cash(line: Line) -> bool:
    """Whether the bank calls it cash."""
    what = "cash in" if line.amount > 0 else "cash out"
    called = line.kind == LineKind.CASH or said(f"{line.name} {line.text}", what) is not None
    return called and may_be_cash(line)


def is_deposit(line: Line) -> bool:
    """Whether the bank says that somebody paid in at a counter: cash, where nothing says more."""
    called = line.kind == LineKind.CASH or said(f"{line.name} {line.text}", "deposit") is not None
    return called and may_be_cash(line)


def is_whatever(line: Line) -> bool:
    """Whether cash of a box may be in a line whatever it comes to: one that the bank says was paid in, or what was on
    the account before its first statement, of which it says nothing.
    """
    return is_deposit(line) or (line.kind == LineKind.OPENING and may_be_cash(line))


def may_pair(line: Line, other: Line) -> bool:
    """Whether two lines may explain each other: not where they name two accounts; and what the bank calls cash paid in
    went out again as cash, or as what the bank calls a return. Else the deposit was somebody's, and the other line
    hides behind it.
    """
    came, went = (line, other) if line.amount > 0 else (other, line)
    if came.iban and went.iban and came.iban != went.iban:
        return False
    return not is_cash(came) or is_cash(went) or went.kind == LineKind.RETURN


def members(moves: Iterable[tuple[int, int, int, str]], evidence: Evidence, circulation: int) -> set[int]:
    """For whom a placing is that moves these (debit, credit, cents, unit), by account: who gets units, or pays."""
    named = {int(str(evidence[key]), 16) for key in ("holder", "claim") if evidence.get(key)}
    return named | {credit for debit, credit, _cents, _unit in moves if debit == circulation}


def in_cash(moves: Iterable[tuple[int, int, int, str]], boxes: Collection[int]) -> int:
    """Cents that a placing takes out of the boxes, by their numbers: cash that was paid in."""
    return sum(cents for _debit, credit, cents, _unit in moves if credit in boxes)


def numbers(town: Town) -> frozenset[int]:
    """The accounts of the boxes."""
    return frozenset(town.chart.reserve[one.name] for one in town.charter.reserve if one.kind == ReserveKind.CASH)


def issued(placed: Instruction, circulation: int) -> int:
    """Cents of units that such a placing brings, or gives euros to that were typed without."""
    transfers = placed.transfers if isinstance(placed, Transaction) else ()
    is_known = placed.evidence.get("as") == "known"
    return sum(t.amount for t in transfers if is_known or t.debit == circulation)


def of(boxes: Iterable[tuple[int, Iterable[tuple[int, int]]]]) -> Boxes:
    """From what each box holds (cents), with its slips (holder, cents), the newest first; no more are asked for than
    come to what it holds.
    """
    there = [(held, _open(held, slips)) for held, slips in boxes if held > 0]
    total = sum(held for held, _slips in there)
    sums = {total}
    for held, slips in there:
        amounts = [amount for _holder, amount in slips]
        sums.update((held, *amounts, *accumulate(amounts)))
    return Boxes(total, frozenset(sums), frozenset(holder for _held, slips in there for holder, _cents in slips))


def _open(held: int, newest: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The newest slips that come to what a box holds, the oldest of them first."""
    found, left, slips = list[tuple[int, int]](), held, iter(newest)
    while left > 0 and (slip := next(slips, None)) is not None:
        found.append(slip)
        left -= slip[1]
    return found[::-1]


def look(town: Town, connection: Connection | None = None) -> Boxes:
    """What the boxes hold now; `connection` is that of a commit, under the lock of all writing."""
    if connection is None:
        with town.reading() as own:
            return look(town, own)
    slips = select(_TYPED.holder, _TYPED.amount).where(_TYPED.corrected_seq.is_(None)).order_by(_TYPED.seq.desc())
    return of(
        (
            town.book.balance(number),
            ((one.holder, one.amount) for one in connection.execute(slips.where(_TYPED.reserve == number))),
        )
        for number in sorted(numbers(town))
    )


def emptied(town: Town, number: int, cents: int) -> str:
    """What to do where so much should come out of a box that holds less, for its cash was paid in: which deposit is to
    be put back first, the latest that took what lacks.
    """
    [name] = [name for name, one in town.chart.reserve.items() if one == number]
    held = town.book.balance(number)
    took: list[tuple[int, Row[Any]]] = []
    with town.reading() as connection:
        lines = select(BANK_LINE).where(_LINE.placed_as.in_(("cash", "split")), _LINE.amount > 0)
        for row in connection.execute(lines.order_by(_LINE.placed_seq.desc())):
            first = row.placed_seq << 8
            query = select(func.sum(TRANSFER.c.amount)).where(
                TRANSFER.c.place.between(first, first + 255), TRANSFER.c.credit == number
            )
            took.append((int(connection.execute(query).scalar() or 0), row))
            if held + took[-1][0] >= cents:
                break
    enough = took[-1:] if took and held + took[-1][0] >= cents else [one for one in took if one[0]][:1]
    told = tell("the box {cash!r} holds {held}, and {amount} would come out of it", cash=name, held=Cents(held),
                amount=Cents(cents))  # fmt: skip
    if not enough:
        return tell("{told}: put right first what took its cash out", told=told)
    [(sum_, row)] = enough
    return tell(
        "{told}: {sum} of its cash were paid in on {day}. Put that deposit back first (`patard bank suspense back "
        "{line}`), and place it again afterwards", told=told, sum=Cents(sum_), day=date.fromisoformat(row.booked_on),
        line=row.id.hex()[-8:],
    )  # fmt: skip
