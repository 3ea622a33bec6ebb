"""Each line of a statement becomes one entry of the log, whose id is the line's: booked once, by construction.

What a line is, is found by its references: a member's on a top-up, a payout's or a direct debit's that we gave the
bank ourselves (`matching`). What cannot be told goes to suspense, where a person places it. A booking that stopped
anywhere goes on where it stopped; whoever else books at the same time books the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, func, literal, or_, select, true, tuple_

from ledger.core.model import Instruction, Outcome, Refused
from ledger.currency.bank import claims, matching, topups, typed
from ledger.currency.bank.indexing import RETURN, WITHDRAWN, Overtaken, index, kind_of
from ledger.currency.bank.lines import Books, Line, line_of, lines
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.mandates.index import BROUGHT, UNPAID
from ledger.currency.bank.payouts.beside import stands
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.bank.withdrawing import entry as withdrawing
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

BATCH = 500
BY_TYPED = (topups.CONVERSION, topups.KNOWN)
"""Kinds of entries that rest on what people typed."""
DEBITS = (BROUGHT, UNPAID)
"""Kinds of entries that bring or take back our direct debits."""
_LINE = BANK_LINE.c


class Stuck(NamedTuple):
    """A line that the engine refused to book, with its code and reason. It stays, and is tried again."""

    line: Line
    code: str
    detail: str


class Booked(NamedTuple):
    """What a run came to: lines by the kind of entry they became, and those that could not be booked."""

    kinds: dict[str, int]
    stuck: list[Stuck]


def waiting(town: Town) -> int:
    """How many lines were taken and are not booked yet."""
    with town.reading() as connection:
        query = select(func.count()).where(_LINE.seq.is_(None), _LINE.withdrawn.is_(None))
        return int(connection.execute(query).scalar_one())


def book(town: Town, *, by: str = CONSOLE, progress: Callable[[int, int], None] | None = None) -> Booked:
    """Book every line that was taken and is not booked yet, and undo those that a corrected statement took away.

    `progress` is called with the lines done and all of them.
    """
    run = _Run(town, Books(town, by))
    # Debits first: a corrected line may bring what the one it replaces did, and that is brought once.
    # So may one that was typed ahead, whose line comes back with another day.
    run.undo_withdrawn(or_(_LINE.became.in_((*DEBITS, topups.KNOWN)), _LINE.placed_as == "known"))
    run.stuck.clear()
    total, done = waiting(town), 0
    after: ColumnElement[bool] = true()
    # By days, and of a day the euros that came in before those that went out, and what takes another line back after
    # both: a bank books a day's lines in no order of ours, and what a line becomes must not hang on how many were
    # booked at a time.
    returns = _LINE.kind == LineKind.RETURN
    order = (_LINE.booked_on, returns, _LINE.amount < 0, _LINE.place)
    while batch := lines(town, _LINE.seq.is_(None), after, limit=BATCH, order=order):
        last = batch[-1]
        place = (last.booked_on.isoformat(), last.kind == LineKind.RETURN, last.amount < 0, last.place)
        after = tuple_(*order) > tuple_(*map(literal, place))
        run.book(batch)
        done += len(batch)
        if progress is not None:
            progress(done, max(total, done))
    run.undo_withdrawn()
    return Booked(run.kinds, run.stuck)


class _Run:
    def __init__(self, town: Town, books: Books) -> None:
        self.town = town
        self.books = books
        self.kinds: dict[str, int] = {}
        self.stuck: list[Stuck] = []

    def book(self, batch: Sequence[Line]) -> None:
        """Book these lines: as what their references say, and where the engine refuses that, in suspense."""
        refused: list[tuple[Line, Refused]] = []
        pending: list[tuple[Line, Instruction]] = []
        topups.prepare(self.books, batch)
        mandates.prepare(self.books, batch)
        for line in batch:
            # What goes out or comes back leans on what is booked: on a balance, on the line that it takes back.
            if pending and (line.amount < 0 or line.kind == LineKind.RETURN):
                refused += self._post(pending)
                pending = []
            pending.append((line, matching.find(self.books, line)))
        refused += self._post(pending)
        if refused:
            # A balance that went elsewhere in between, a party that was closed: once more, with what is true now.
            self.books.forget()
            again = [line for line, _why in refused]
            refused = [left for line in again for left in self._post([(line, matching.find(self.books, line))])]
        if refused:
            refused = self._post([(line, matching.suspense(self.books, line)) for line, _why in refused])
        self.stuck += [Stuck(line, why.code, why.detail) for line, why in refused]

    def undo_withdrawn(self, *of: ColumnElement[bool]) -> None:
        """Undo the lines that a corrected statement no longer has, one by one: there are few, ever."""
        # What came back before what it took back: then that stands again, and can be undone itself.
        for sign in (_LINE.amount < 0, _LINE.amount > 0):
            query = select(BANK_LINE).where(
                sign, _LINE.withdrawn.is_not(None), _LINE.seq.is_not(None), _LINE.undone_seq.is_(None), *of
            )
            with self.town.reading() as connection:
                gone = [line_of(row) for row in connection.execute(query.order_by(_LINE.place))]
            for line in gone:
                refused = self._undo(line)
                if refused and refused[0][1].code == "busy":
                    refused = self._undo(line)  # by what is true now
                self.stuck += [Stuck(line, why.code, why.detail) for line, why in refused]

    def _undo(self, line: Line) -> list[tuple[Line, Refused]]:
        try:
            return self._post([(line, withdrawing(self.books, line))])
        except CurrencyError as error:
            return [(line, Refused(line.id, error.code, error.detail))]
        except Overtaken:
            return [(line, Refused(line.id, "busy", tell("somebody else decided about it at the same moment")))]

    def _post(self, batch: Sequence[tuple[Line, Instruction]]) -> list[tuple[Line, Refused]]:
        """Post, and index in the same commit what became of each line. Gives those that were refused."""
        refused: list[tuple[Line, Refused]] = []
        stood: list[tuple[int, Instruction]] = []

        resting = [line for line, instruction in batch if kind_of(instruction) in BY_TYPED]

        def also(connection: Connection, outcome: Outcome) -> None:
            # All writing is ours now: what was typed while these lines were looked at is seen here, and who joined or
            # left. `check` asks whom a line names of those that were members at its entry.
            by_name = any(kind_of(instruction) in (*BY_TYPED, RETURN) for _line, instruction in batch)
            if by_name and not self.books.are_members_known(connection):
                raise Overtaken
            there = typed.unexplained(self.town, resting, connection)
            for (line, instruction), answer in zip(batch, outcome.answers, strict=True):
                if not isinstance(answer, Refused):
                    if not answer.replay:
                        topups.hold(there, line, instruction)
                    if kind_of(instruction) == RETURN and not answer.replay:
                        topups.hold_return(self.books, connection, line, instruction)
                    if not answer.replay and not stands(self.town, connection, instruction, answer):
                        raise Overtaken
                    if kind_of(instruction) == WITHDRAWN and not answer.replay:
                        claims.require_owed(self.town, instruction)
                    stood.append((answer.seq, instruction))
                    continue
                # Somebody else booked it, otherwise than we would have: then that is what it became.
                found = self.town.book.find(instruction.id) if answer.code == "id_taken" else None
                if found is None:
                    refused.append((line, answer))
                else:
                    stood.append((found.seq, found.instruction))
            index(connection, stood)

        try:
            self.town.commit([instruction for _line, instruction in batch], also)
        except (Overtaken, CurrencyError) as error:
            # An account from which units would be taken may be held since it was looked at.
            if isinstance(error, CurrencyError) and error.code != "account_uncovered":
                raise
            # Nothing of the batch stands: each line is looked at anew, by itself.
            why = tell("somebody else decided about one of these lines, or a payout of theirs, at the same moment")
            return [(line, Refused(instruction.id, "busy", why)) for line, instruction in batch]
        for _seq, instruction in stood:
            kind = kind_of(instruction)
            self.kinds[kind] = self.kinds.get(kind, 0) + 1
        return refused
