"""What the log has told so far of bank lines: what each became, where it was placed, what took it back.

A line is known from the entry that books it: its id follows from the reserve account and the line's reference, and the
reference says day and amount. Whatever kind such an entry is of, it is entered here before its kind is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from ledger.core.model import Evidence, Note, Transaction
from ledger.core.record import Record
from ledger.currency.bank.indexing import SUSPENSE
from ledger.currency.bank.reference import read_line_reference
from ledger.currency.bank.said import Whose, whose
from ledger.currency.bank.taking import line_id
from ledger.currency.chart import Chart

Moves = list[tuple[int, int, int, str]]
"""Transfers: (debit, credit, cents, unit)."""


@dataclass(slots=True)
class LineState:
    """A bank line as the log tells it. `became` and `seq` are kind and place of what put it where it is.

    `moved` is what the entry did that booked it, `placed` what the placing did that stands.
    """

    id: bytes
    reserve: int
    reference: str
    booked_on: date
    amount: int
    became: str
    seq: int
    holder: int | None
    moved: Moves
    turn: int = 0
    """How often it was put back."""
    placed_as: str | None = None
    placed_seq: int | None = None
    placed_id: bytes = b""
    placed_by: str = ""
    placed: Moves = field(default_factory=list)
    other: bytes = b""
    """The other line of a pair, the top-up that this line took back, or the conversion that it was found to be."""
    undone_seq: int | None = None
    gone: bool = False
    """Whether a corrected statement took it away."""
    touched: int = 0
    """The last entry that was about it."""
    past: tuple[tuple[int, Whose | None], ...] = ()
    """Whose it was before, each with the entry since when (`touched`)."""
    beside: Beside | None = None
    """What a line that took another back may have taken back as well; None where nobody asked then."""

    @property
    def is_open(self) -> bool:
        """Whether it waits in suspense."""
        return self.became == SUSPENSE and self.placed_seq is None and self.undone_seq is None

    def keep(self) -> None:
        """Keep whose it is: an entry is about to change that."""
        self.past = (*self.past, (self.touched, whose(self)))

    def before(self, seq: int) -> Whose | None:
        """Whose it was before the entry `seq`."""
        states = ((self.touched, whose(self)), *reversed(self.past))
        return next((then for since, then in states if since < seq), None)


class Beside(NamedTuple):
    """Lines that came in, as they were at an entry: top-ups of a member, and all else."""

    topups: tuple[LineState, ...]
    others: tuple[LineState, ...]


class Charge(NamedTuple):
    """A line was placed so that a member pays for it (0: several, or nobody), so that it explains another, or so that
    members get of it what came, by entry `seq` with that `id`.

    `is_operators` where no treasurer did it. What was known then: the hash of where the member's own key said that they
    are paid, and what was `beside` the top-up `other` that it is said to take back; of a pair `other` is the other
    line. `evidence` is that of the entry, `gets` what members get (cents), `gave` those whose slips lay
    in the boxes, where it is placed as cash of theirs.
    """

    seq: int
    id: bytes
    line: bytes
    way: str
    holder: int
    is_operators: bool
    details: str | None
    other: bytes
    beside: Beside
    evidence: Evidence
    gets: Mapping[int, int] = {}
    gave: frozenset[int] | None = None
    is_ruled: bool = True
    """Whether an operator was held to it then; else what they said is named, as a treasurer's is."""


class Unboxed(NamedTuple):
    """A line that came was booked by itself, or placed otherwise than as cash, as nothing that may be cash of a box, by
    entry `seq` with that `id`.

    `comes` where the sum, or for whom it is, is that of what the boxes held; `is_beside` where they held any, `is_said`
    where the entry says that it may be theirs. `other` is the line that is said to explain it, if any.
    """

    seq: int
    id: bytes
    line: bytes
    other: bytes
    comes: bool
    is_beside: bool
    is_operators: bool
    is_said: bool


class Taken(NamedTuple):
    """A statement that was taken: what its note says."""

    id: bytes
    seq: int
    number: int
    first: str
    last: str
    opening: int
    closing: int
    lines: int
    gone: int
    digest: str
    content: str | None = None
    """The salted hash of all that its lines say; None in notes from before there were such."""
    iban: str | None = None
    """The salted hash of the IBAN whose statement it is; None as before."""
    at: int = 0
    by: str = ""
    format: str = ""
    bank_number: str | None = None
    """The bank's own number of it; None as before."""


@dataclass
class Lines:
    """All bank lines and statements, and what members owe."""

    known: dict[bytes, LineState] = field(default_factory=dict)
    came: dict[tuple[int, int], list[LineState]] = field(default_factory=dict)
    """Those that came in, by account and amount."""
    named: dict[bytes, bytes] = field(default_factory=dict)
    """Conversions that were typed by hand, each with the line that it turned out to be."""
    statements: dict[int, list[Taken]] = field(default_factory=dict)
    """By reserve account, in the order of their numbers; those that were withdrawn as well."""
    owners: dict[str, int] = field(default_factory=dict)
    """The account of the reserve for which statements of an IBAN are taken and stand, by the IBAN's hash."""
    withdrawn: Counter[int] = field(default_factory=Counter)
    """How many of an account were withdrawn, from its first on."""
    firsts: set[bytes] = field(default_factory=set)
    """Statements before which none of their account stood."""
    claims: Counter[int] = field(default_factory=Counter)
    """What each member owes, cents."""
    charges: list[Charge] = field(default_factory=list)
    unboxed: list[Unboxed] = field(default_factory=list)
    claimed: list[tuple[int, bytes, int, int]] = field(default_factory=list)
    """Entries by which a member came to owe, while units were taken back: (seq, id, account, at)."""

    def standing(self, reserve: int) -> list[Taken]:
        """The statements of an account that were not withdrawn."""
        return self.statements.get(reserve, [])[self.withdrawn[reserve] :]

    def booked(self, record: Record) -> LineState | None:
        """The line that the entry `record` books."""
        line = self.known.get(record.instruction.id)
        return line if line is not None and line.touched == record.seq else None


def moves(instruction: Transaction | Note) -> Moves:
    """What an entry moves; a note moves nothing."""
    if isinstance(instruction, Note):
        return []
    return [(t.debit, t.credit, t.amount, t.unit) for t in instruction.transfers]


def turned(done: Moves, at: dict[int, int] | None = None) -> Moves:
    """What undoes these moves; `at` says which account stands in for which."""
    swap = at or {}
    return [(swap.get(credit, credit), swap.get(debit, debit), cents, unit) for debit, credit, cents, unit in done]


def entered(lines: Lines, chart: Chart, record: Record, instruction: Transaction | Note) -> Iterator[tuple[str, str]]:
    """Take in an entry that books a line; gives what is wrong with it whatever it became."""
    evidence = instruction.evidence
    if "reference" not in evidence or "line" in evidence:
        return
    names = {number: name for name, number in chart.reserve.items()}
    reserve, reference = number_in(evidence, "reserve"), str(evidence["reference"])
    name = names.get(reserve)
    if name is None or instruction.id != line_id(chart.network, name, reference):
        return
    told = read_line_reference(reference)
    if told is None:
        yield "line_reference", f"{reference!r} is no bank line's: day, amount and count tell one from every other"
        return
    day, amount = told
    done = moves(instruction)
    lines.known[instruction.id] = LineState(
        instruction.id, reserve, reference, day, amount, instruction.kind, record.seq,
        number_in(evidence, "holder") or None, done, touched=record.seq,
    )  # fmt: skip
    if amount > 0:
        lines.came.setdefault((reserve, amount), []).append(lines.known[instruction.id])
    if instruction.booked_on != day:
        yield "line_date", f"the line is of {day} and counts for {instruction.booked_on}"
    changes = Counter[int]()
    for debit, credit, cents, _unit in done:
        changes[debit] += cents
        changes[credit] -= cents
    changed = {number: changes[number] for number in names if changes[number]}
    if isinstance(instruction, Transaction) and changed != {reserve: amount}:
        yield "line_amount", f"the line is of {amount} cents on {name!r}, and that is not what the entry moved there"


def number_in(evidence: Evidence, key: str) -> int:
    """The account number that evidence holds as hex; 0 where it does not."""
    try:
        return int(str(evidence.get(key)), 16)
    except ValueError:
        return 0
