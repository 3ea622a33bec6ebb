"""Why the ledger has something else on a bank account than its last statement, line by line.

The statements of an account are one run of lines: its balance is that with which the first began, and all lines since.
The ledger's is what it had when the first was taken, and all entries since. A line and the entry that books it have
one id and are the same sum, so they explain themselves; so do two entries one of which names the other and gives it
back, and a line and what somebody had typed in before it came. What is left is the difference, to the cent, whatever
kinds of entries there are: nothing here knows of any.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from sqlalchemy import Connection

from ledger.core.rules import LogRow
from ledger.core.store import Reading
from ledger.currency.reserve.chains import Days, Entry, Said, records_of, said
from ledger.currency.reserve.lines import SHIFT, StatementLine, Statements, lines_of_kind, open_lines
from ledger.currency.reserve.model import Explained, Why

Booking = Mapping[bytes, tuple[int, int, str, int]]
"""The lines that are booked, by the id of line and entry: account, amount, kind of the entry, place."""
NAMING = ("asked", "batch", "conversion", "debit", "line", "other", "payout", "reopens", "returns", "undoes")
"""Keys of evidence that hold the id of an entry or line."""
_DIGITS = frozenset("0123456789abcdef")


class Silent(NamedTuple):
    """An entry that books a line and moves nothing on its account: its place, and the ids that it names."""

    seq: int
    about: frozenset[bytes]


class Node(NamedTuple):
    """Something that only one side has, and the ids that it names."""

    shown: Explained
    about: frozenset[bytes]


@dataclass
class Account:
    """What was gathered of one account's chain up to entry `seq` of the log.

    `before` is what the entries that count for days before the first statement came to when it was taken. `booked`
    counts those that book a line, by kind. `loose` are all others, and those that moved another sum than their line
    did (by what is too much). `aside` are conversions that the first statement proves none of, though they count for
    days before it. `together` are the entries of before that statement of which one is about the other, by what they
    are about, the newest first: each with whether by itself it counts for a day before it. `silent` are the lines whose
    entry moves nothing here; None for a line of such a kind whose entry does. `taken_at` is the entry of the first
    statement that it is held against.
    """

    seq: int = 0
    taken_at: int = 0
    before: int = 0
    booked: Counter[str] = field(default_factory=Counter)
    loose: dict[bytes, Node] = field(default_factory=dict)
    aside: dict[bytes, Node] = field(default_factory=dict)
    together: dict[bytes, list[tuple[Node, bool]]] = field(default_factory=dict)
    silent: dict[bytes, Silent | None] = field(default_factory=dict)

    def take(self, entries: Iterable[Entry], booking: Booking, found: Statements, days: Days, ahead: timedelta) -> None:
        """Take in entries of the log. `booking` knows which of them book a line; one is awaited as long as `ahead`."""
        number = found.number
        for entry in entries:
            moved = entry.change(number)
            row = entry.row
            line = booking.get(row.id)
            # One of a statement that was withdrawn since is an entry like others, which another gives back.
            if line is not None and line[0] == number and line[3] >= found.taken_at << SHIFT:
                self.booked[line[2]] += 1
                if moved != line[1]:
                    self.loose[row.id] = _entry(row, days.of(row), moved - line[1], Why.OTHER_AMOUNT, None)
                continue
            before = row.seq < found.taken_at and days.of(row) < found.first
            apart = row.id in found.aside
            if row.seq < found.taken_at and not apart and (of := self._with_which(row)) is not None:
                node = _entry(row, days.of(row), moved, Why.NOT_ON_STATEMENT, days.taken(row) + ahead)
                self.together.setdefault(of, []).append((node, before))
            elif before and not apart:
                self.before += moved
            elif moved:
                until = days.taken(row) + ahead
                there = self.aside if before else self.loose
                there[row.id] = _entry(row, days.of(row), moved, Why.NOT_ON_STATEMENT, until)

    def _with_which(self, row: LogRow) -> bytes | None:
        """What an entry is about with others; those that are about it were taken in before it."""
        told = said(row.record)
        of = with_which(told.kind, told.evidence, row.corrects)
        return row.id if of is None and row.id in self.together else of

    def _before(self, began: int) -> tuple[dict[bytes, Node], int]:
        """What is to be explained, and what there was before the first statement, which says `began`.

        What is set aside is in it, and what is about one thing counts for the day of the oldest of it.
        """
        aside = sum(node.shown.amount for node in self.aside.values())
        before = self.before + aside
        nodes, by_day, early = dict(self.loose), dict(self.loose), before
        for some in self.together.values():
            sum_ = sum(node.shown.amount for node, _before in some)
            by_day |= {node.shown.id: node for node, is_before in some if not is_before}
            early += sum(node.shown.amount for node, is_before in some if is_before)
            if some[-1][1]:
                before += sum_
            elif sum_:
                nodes |= {node.shown.id: node for node, _before in some}
        # Books of before began with what each came to for a day of its own.
        is_older = began not in (before, before - aside) and began in (early, early - aside)
        return (by_day, early) if is_older else (nodes, before)

    def explain(self, store: Reading, connection: Connection, found: Statements, today: date) -> tuple[Explained, ...]:
        """What makes the ledger's balance another than the statements', oldest first. It sums to the difference."""
        nodes, before = self._before(found.began)
        if before != found.began:
            # Books from before anything was set aside began with it. Since then none can: it is more than nothing.
            before, nodes = before - sum(node.shown.amount for node in self.aside.values()), nodes | self.aside
        silent = {line.id: (line, about) for line, about in self._silent(store, connection, found)}
        for line in open_lines(connection, found):
            if line.seq is None and not line.gone:
                _add(nodes, _line(line, -line.amount, Why.NOT_BOOKED))
            elif line.seq is not None and line.gone and line.id not in silent:
                _add(nodes, _line(line, line.amount, Why.WITHDRAWN))
        for line, about in silent.values():
            if not line.gone:
                _add(nodes, _line(line, -line.amount, Why.OTHER_AMOUNT, about))
        left = [node.shown for node in _cancelled(nodes)]
        if before != found.began:
            left.append(Explained(Why.OPENING, before - found.began, found.first, "", "", b"", None))
        for index, one in enumerate(left):
            if one.why is Why.NOT_ON_STATEMENT and one.on > found.last:
                late = one.until is not None and one.until < today
                left[index] = one._replace(why=Why.OVERDUE if late else Why.AFTER_STATEMENT)
        return tuple(sorted(left, key=lambda one: (one.on, one.seq or 0, one.id)))

    def _silent(
        self, store: Reading, connection: Connection, found: Statements
    ) -> Iterator[tuple[StatementLine, frozenset[bytes]]]:
        """The lines whose entry moves nothing on the account, and what it names: a note that the line was known.

        They are of the kinds that have more lines than entries on the account's chain.
        """
        for kind, count in found.booked.items():
            if count == self.booked[kind]:
                continue
            lines = lines_of_kind(connection, found, kind)
            # Not what made of a line what it is now: one that was put back moved nothing when it was booked.
            for id_, record in records_of(store, [line.id for line in lines if line.id not in self.silent]):
                told = said(record)
                self.silent[id_] = None if told.moves(found.number) else Silent(told.seq, _named(told))
            for line in lines:
                silent = self.silent.get(line.id)
                if silent is not None:
                    yield line._replace(seq=silent.seq), silent.about


def _entry(row: LogRow, on: date, amount: int, why: Why, until: date | None) -> Node:
    told = said(row.record)
    reference = str(told.evidence.get("reference", ""))
    return Node(Explained(why, amount, on, told.kind, reference, row.id, row.seq, until), _named(told))


def _line(line: StatementLine, amount: int, why: Why, about: frozenset[bytes] = frozenset()) -> Node:
    shown = Explained(why, amount, line.on, line.became or line.kind, line.reference, line.id, line.seq)
    return Node(shown, about)


def _named(told: Said) -> frozenset[bytes]:
    """The ids that an entry names: what it corrects, takes back, places.

    Not whatever looks like one: a device makes the salt of its act, and whoever writes a reference chooses it.
    """
    named = (told.corrects, *(told.evidence.get(key) for key in NAMING))
    return frozenset(bytes.fromhex(str(text)) for text in named if _is_id(text))


def with_which(kind: str, evidence: Mapping[str, object], corrects: bytes | None) -> bytes | None:
    """What an entry undoes or decides about, the id of a line or entry: all that is about it counts for one day.

    A line that the bank dates ahead counts for the day on which it was booked, and what undoes it later for the line's.
    """
    if kind == "conversion_corrected":
        return corrects
    named = evidence.get("returns" if kind == "bank_withdrawn" else "line")
    return bytes.fromhex(str(named)) if _is_id(named) else None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= _DIGITS


def _add(nodes: dict[bytes, Node], node: Node) -> None:
    """Put a line beside what there is of the same id."""
    there = nodes.get(node.shown.id)
    if there is not None:
        amount = there.shown.amount + node.shown.amount
        node = Node(node.shown._replace(amount=amount), there.about | node.about)
    nodes[node.shown.id] = node


def _cancelled(nodes: dict[bytes, Node]) -> list[Node]:
    """What is left when two that sum to nothing, of which one names the other, are taken away, the latest first."""
    left = {id_: node for id_, node in nodes.items() if node.shown.amount}
    for id_, node in sorted(left.items(), key=lambda item: (-(item[1].shown.seq or 0), item[0])):
        if id_ not in left:
            continue
        for other in sorted(node.about):
            if other in left and other != id_ and left[other].shown.amount == -node.shown.amount:
                del left[id_], left[other]
                break
    return list(left.values())
