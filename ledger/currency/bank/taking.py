"""Statements in: hold one against what is known of its account, and keep it with its new lines, whole or not at all.

No money moves here. A statement that was taken is a note in the log and rows in the bank's tables, in one commit;
`booking` then makes one log entry of each line, now or after a crash.

A line's id follows from the account, its day, its amount and how many such lines came before it (`line_reference`):
the same line in two formats, in files that overlap or in the same file twice is one line, and can be booked once.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from hashlib import sha256
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, or_, select

from ledger.core.ids import derived_id
from ledger.core.model import Note, Posted
from ledger.core.tables import ACCOUNT
from ledger.currency import salted
from ledger.currency.bank import keeping
from ledger.currency.bank.aligning import Aligned, Timeline, align
from ledger.currency.bank.correcting import require_may
from ledger.currency.bank.keeping import Rows
from ledger.currency.bank.known import Known, as_known, by_day
from ledger.currency.bank.ours import arrived_before
from ledger.currency.bank.reference import line_reference
from ledger.currency.bank.standing import first_standing
from ledger.currency.bank.statement import BankLine, LineKind, Statement, StatementError
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT
from ledger.currency.bank.whose import (
    MAX_BEFORE,
    account_of,
    require_not_another,
    require_possible,
    reserve_account,
    statement_id,
)
from ledger.currency.charter import ReserveAccount
from ledger.currency.clocked import Moments
from ledger.currency.conversion import CONSOLE
from ledger.currency.days import counted
from ledger.currency.errors import CurrencyError
from ledger.currency.reserve.explaining import with_which
from ledger.currency.reserve.lines import awaited, found_elsewhere
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

KIND = "bank_statement"
MAX_FILE = 200
"""Characters that are kept of a file's name."""
_TRIES = 5
_TOLD = 4
"""Characters by which an account that is not ours is named."""
_LINE, _STATEMENT = BANK_LINE.c, BANK_STATEMENT.c


class Taken(NamedTuple):
    """A statement as it was taken. `new` and `gone` count lines; both 0: it was known already, and nothing was kept."""

    statement: Statement
    account: ReserveAccount
    new: int
    gone: int
    id: bytes | None


def line_id(network: bytes, reserve: str, reference: str) -> bytes:
    """Id of the one log entry that books this line."""
    return derived_id("patard/bank-line", network, reserve, reference)


def statements(town: Town) -> list[Row[Any]]:
    """Rows of the statements that were taken, in the order in which they were; see `withdrawing.withdrawn`."""
    with town.reading() as connection:
        return list(connection.execute(select(BANK_STATEMENT).order_by(_STATEMENT.seq)))


def take(
    town: Town, statements: Sequence[Statement], *, file: str = "", by: str = CONSOLE, opening: bool = False,
    corrected: bool = False,
    quiet_days: bool = False,
) -> list[Taken]:  # fmt: skip
    """Keep the statements of one file: all of them or, with an error, none.

    Those of accounts that are not the reserve's are left out (`skipped` names them), unless all of them are.
    `opening` lets the first statement of an account begin with euros that the ledger does not have: they become a line
    of their own, for a person to place. `corrected` lets a statement replace lines of an earlier one, `quiet_days` lets
    it begin some days after the last one ended. Raises `StatementError`: statement_account_unknown,
    statement_account_moved, statement_gap, statement_differs, statement_opening, statement_overdrawn, statement_future,
    statement_too_large. Raises `CurrencyError`: busy, role_insufficient (a correction that is a treasurer's, see
    `correcting`).
    """
    file = "".join(char if char.isprintable() else " " for char in file)[:MAX_FILE].strip()
    ours = [statement for statement in statements if account_of(town, statement) is not None]
    for _ in range(_TRIES):
        plans = _Plans(town, _before_first(ours), opening=opening, corrected=corrected, quiet_days=quiet_days)
        taken = [plans.add(one) for one in sorted(ours or statements, key=lambda s: (s.first, s.last))]
        try:
            plans.keep(file, by)
        except _Overtaken:
            continue
        return taken
    raise CurrencyError(
        "busy", tell("somebody else imports statements of this account right now; try again in a moment")
    )


def skipped(town: Town, statements: Sequence[Statement]) -> list[str]:
    """The last characters of the accounts in a file that are not the reserve's, in their order."""
    others = (one.account[-_TOLD:] for one in statements if account_of(town, one) is None)
    return list(dict.fromkeys(others))


class _Overtaken(Exception):
    """Somebody else took a statement of the account in between: look again."""


@dataclass
class _Account:
    """One account of the reserve while a file is aligned. `timeline` is None before its first statement."""

    account: ReserveAccount
    number: int
    statements: int
    begins: bytes | None
    """The first statement that stands."""
    timeline: Timeline | None
    ordinals: dict[str, dict[int, int]]
    """The last ordinal of each amount, of the days that were asked for."""
    moved: tuple[int, ...] | None = None
    """Where the chains ended whose entries its first statement was held against; None for later ones."""


class _Plan(NamedTuple):
    note: Note
    statement: Statement
    account: _Account
    rows: list[keeping.Row]
    """The new lines, as the table has them but for where they stand."""
    gone: list[bytes]
    salt: bytes
    corrects: Sequence[date]
    covered: Sequence[tuple[date, date]]
    """The days that statements before it covered."""


class _Plans:
    def __init__(self, town: Town, older: Collection[str], *, opening: bool, corrected: bool, quiet_days: bool) -> None:
        self.town = town
        self.older = older
        self.opening = opening
        self.corrected = corrected
        self.quiet_days = quiet_days
        self.accounts: dict[str, _Account] = {}
        self.plans: list[_Plan] = []

    def add(self, statement: Statement) -> Taken:
        """Align one statement, after those that were added before it."""
        town = self.town
        reserve = reserve_account(town, statement)
        require_possible(town, statement, reserve)
        known = self.accounts.get(reserve.name)
        if known is None:
            known = self.accounts[reserve.name] = self._load(reserve, statement.first)
        lines = list(statement.lines)
        if known.timeline is None:
            aligned = Aligned(self._before(known, statement) + lines, [])
            known.timeline = Timeline([], statement.opening, [])
        else:
            aligned = align(statement, known.timeline, corrected=self.corrected, quiet_days=self.quiet_days)
        if not (aligned.new or aligned.gone) and known.timeline.covers_all(statement.first, statement.last):
            return Taken(statement, reserve, 0, 0, None)
        plan = self._plan(known, statement, aligned)
        self.plans.append(plan)
        return Taken(statement, reserve, len(plan.rows), len(plan.gone), plan.note.id)

    def keep(self, file: str, by: str) -> None:
        """Write all plans in one commit. Raises `_Overtaken`."""
        if not self.plans:
            return
        town = self.town
        notes = [replace(p.note, evidence={**p.note.evidence, "by": by}) for p in self.plans]
        # Before the commit, in which payments wait: what is left for it is to hand the rows to the database.
        prepared = [Rows(p.note, p.statement, p.account.number, p.rows, p.gone, p.salt) for p in self.plans]

        def also(connection: Connection, answers: list[Posted]) -> None:
            for known in self.accounts.values():
                begins = first_standing(connection, known.number)
                if (begins and begins.id) != known.begins:
                    raise _Overtaken
                # Somebody typed a conversion, or took one back, after it was worked out with what the account begins.
                if known.moved is not None and known.moved != self._ends(connection, known.number):
                    raise _Overtaken
            for rows, posted, plan in zip(prepared, answers, self.plans, strict=True):
                if posted.replay:
                    raise _Overtaken
                require_may(town, connection, by, plan.corrects, plan.covered, plan.gone)
                rows.write(connection, posted, file, by)

        try:
            town.post_all(notes, also)
        except CurrencyError as error:
            if error.code == "id_taken":  # the statement of that number is another by now
                raise _Overtaken from None
            raise

    def _load(self, reserve: ReserveAccount, since: date) -> _Account:
        require_not_another(self.town, reserve)
        number = self.town.chart.reserve[reserve.name]
        mine = _LINE.reserve == number
        # A file may hold several statements, the first of which begins first: none needs older lines than that one,
        # but for those of the days of lines that are booked with a day before their statement's.
        query = (
            select(BANK_LINE, _STATEMENT.first, _STATEMENT.last, _STATEMENT.format)
            .join(BANK_STATEMENT, _STATEMENT.id == _LINE.statement)
            .where(
                mine, or_(_LINE.booked_on >= since.isoformat(), _STATEMENT.last >= since.isoformat(),
                          _LINE.booked_on.in_(self.older)),
                _LINE.withdrawn.is_(None), _LINE.kind != LineKind.OPENING,
            )
            .order_by(_LINE.place)
        )  # fmt: skip
        with self.town.reading() as connection:
            first = first_standing(connection, number)
            taken = connection.execute(select(func.count()).where(_STATEMENT.reserve == number)).scalar_one()
            spans = connection.execute(
                select(_STATEMENT.first, _STATEMENT.last, _STATEMENT.bank_number)
                .where(_STATEMENT.reserve == number, _STATEMENT.number >= (first.number if first else taken + 1))
                .order_by(_STATEMENT.last, _STATEMENT.number)
            ).all()
            covered = [(date.fromisoformat(span.first), date.fromisoformat(span.last)) for span in spans]
            timeline = None
            if first is not None:
                total = connection.execute(
                    select(func.sum(_LINE.amount)).where(
                        mine, _LINE.withdrawn.is_(None), _LINE.kind != LineKind.OPENING
                    )
                ).scalar()
                lines = by_day(_known(row) for row in connection.execute(query))
                timeline = Timeline(lines, first.opening + int(total or 0), covered, spans[-1].bank_number)
        return _Account(reserve, number, taken, first and first.id, timeline, {})

    def _before(self, known: _Account, statement: Statement) -> list[BankLine]:
        """The euros that were on the account before its first statement, as lines; none where the ledger has them.

        What was typed there and awaits its statement is not what the ledger has: a line may be it, a person says so.
        """
        with self.town.reading() as connection:
            known.moved = self._ends(connection, known.number)
            typed = {bytes(row.id) for row in awaited(connection, known.number, self.town.book.head().seq)}
            typed |= {id_ for both in found_elsewhere(connection, known.number) for id_ in both}
        ledger, aside = _ledger_before(self.town, known.number, statement.first, typed)
        rest = statement.opening - ledger
        if not rest:
            return []
        if not self.opening:
            raise StatementError(
                "statement_opening",
                tell(
                    "the first statement of {name} begins with {opening}, the ledger has {ledger} before "
                    "{first}{beside}: import an earlier statement first, or this one with --opening, which puts "
                    "the difference into suspense for you to place",
                    name=known.account.name,
                    opening=Cents(statement.opening),
                    ledger=Cents(ledger),
                    first=statement.first,
                    beside=tell(", beside {sum} that were typed and await a statement", sum=Cents(sum(aside)))
                    if aside
                    else "",
                ),
            )
        day = statement.first - timedelta(days=1)
        # What left another account of ours for this one is a line of its own; so is what was typed.
        sums = arrived_before(self.town, known.number, statement.first, rest)
        rest -= sum(sums)
        for amount in aside[: MAX_BEFORE - 1 - len(sums)]:
            if 0 < amount <= rest:
                sums.append(amount)
                rest -= amount
        sums += [rest] if rest else []
        text = f"solde au {day:%d/%m/%Y}"
        return [BankLine(booked_on=day, amount=amount, kind=LineKind.OPENING, text=text) for amount in sums]

    def _ends(self, connection: Connection, number: int) -> tuple[int, ...]:
        """The places at which the chains of the account and of transit end."""
        numbers = (number, self.town.chart.transit)
        query = select(ACCOUNT.c.last).where(ACCOUNT.c.number.in_(numbers)).order_by(ACCOUNT.c.number)
        return tuple(connection.scalars(query))

    def _plan(self, known: _Account, statement: Statement, aligned: Aligned) -> _Plan:
        network, name = self.town.charter.network, known.account.name
        lines = []
        for line in aligned.new:
            ordinal = self._next_ordinal(known, line)
            reference = line_reference(line.booked_on, line.amount, ordinal)
            lines.append((line_id(network, name, reference), line, ordinal))
        assert known.timeline is not None
        gone = {one.id for one in aligned.gone}
        left = [one for one in known.timeline.lines if one.id not in gone]
        days = (statement.first, statement.last)
        added = [
            as_known(id_, line, days, statement.format)
            for id_, line, _ordinal in lines
            if line.kind is not LineKind.OPENING
        ]
        closing = known.timeline.closing + sum(one.amount for one in added) - sum(one.amount for one in aligned.gone)
        covered = [*known.timeline.covered, (statement.first, statement.last)]
        furthest = not known.timeline.covered or statement.last >= known.timeline.last
        number = statement.number if furthest else known.timeline.number
        known.timeline = Timeline(by_day([*left, *added]), closing, covered, number)
        known.statements += 1
        references = [line_reference(line.booked_on, line.amount, ordinal) for _id, line, ordinal in lines]
        id_ = statement_id(network, name, known.statements)
        rows = [keeping.row(line_id_, id_, known.number, line, ordinal) for line_id_, line, ordinal in lines]
        salt = self.town.book.entropy(salted.SALT_BYTES)
        told = [dict(zip(keeping.COLUMNS, row, strict=True)) for row in rows]
        texts = (text for one in zip(references, told, strict=True) for text in salted.line_texts(*one))
        evidence: dict[str, str | int] = {
            "reserve": f"{known.number:016x}", "number": known.statements, "format": statement.format,
            "first": statement.first.isoformat(), "last": statement.last.isoformat(),
            "opening": statement.opening, "closing": statement.closing, "lines": len(lines), "gone": len(gone),
            "digest": sha256("\n".join(references).encode()).hexdigest(),
            "content": salted.salted(salted.LINES, salt, texts),
            "iban": salted.reserve_iban(self.town.key, known.account.iban), "bank_number": statement.number,
        }  # fmt: skip
        if statement.file:
            evidence["file"] = statement.file
        note = Note(id_, KIND, evidence)
        return _Plan(note, statement, known, rows, sorted(gone), salt, aligned.corrects, covered[:-1])

    def _next_ordinal(self, known: _Account, line: BankLine) -> int:
        day = line.booked_on.isoformat()
        if day not in known.ordinals:
            query = (
                select(_LINE.amount, func.max(_LINE.ordinal))
                .where(_LINE.reserve == known.number, _LINE.booked_on == day)
                .group_by(_LINE.amount)
            )
            with self.town.reading() as connection:
                known.ordinals[day] = {amount: last for amount, last in connection.execute(query)}
        last = known.ordinals[day]
        last[line.amount] = last.get(line.amount, 0) + 1
        return last[line.amount]


def _before_first(statements: Sequence[Statement]) -> set[str]:
    """The days of lines that are before their statement's."""
    return {line.booked_on.isoformat() for one in statements for line in one.lines if line.booked_on < one.first}


def _ledger_before(town: Town, number: int, day: date, apart: Collection[bytes]) -> tuple[int, list[int]]:
    """What the ledger has on an account from entries that count for days before `day`, in cents.

    The entries `apart` are not in it; what each of those moved comes beside it, oldest first. What is about another
    entry counts for the day of that one.
    """
    total, before = 0, None
    aside: list[int] = []
    together: dict[bytes, tuple[date, int]] = {}
    moments = Moments(town, town.book.head().seq)
    while True:
        page = town.book.statement(number, limit=1_000, before=before)
        for entry in page.entries:
            taken_on = moments.day(entry.seq, entry.at)
            counts_for = counted(entry.booked_on, taken_on)
            of = with_which(entry.kind, entry.evidence, entry.corrects)
            if entry.id in apart:
                if counts_for < day:
                    aside.insert(0, entry.change)
            elif of is not None or entry.id in together:  # the newest come first, and the oldest tells the day
                _day, sum_ = together.get(of or entry.id, (day, 0))
                together[of or entry.id] = (counts_for, sum_ + entry.change)
            elif counts_for < day:
                total += entry.change
        if not page.next:
            return total + sum(cents for of_day, cents in together.values() if of_day < day), aside
        before = page.next


def _known(row: Row[Any]) -> Known:
    names = ("amount", "bank_ref", "name", "iban", "text", "end_to_end")
    line = BankLine(booked_on=date.fromisoformat(row.booked_on), **{name: row._mapping[name] for name in names})
    return as_known(row.id, line, (date.fromisoformat(row.first), date.fromisoformat(row.last)), row.format)
