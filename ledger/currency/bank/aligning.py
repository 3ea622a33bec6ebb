"""Which lines of a statement are known already. Pure: a statement and a timeline in, new lines or one refusal out.

A line is counted by its day and amount, for that is all that every format tells. Balances decide the rest: the
statement must begin at a balance that the account had on that day, so a repeated file cannot pass for a continuation,
nor a continuation for a repeated file. Only where a day's lines sum to nothing do both fit; then names and references
decide, and in doubt nothing is booked twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ledger.currency.bank.reference import same_order, squeezed
from ledger.currency.bank.statement import BankLine, Statement, StatementError
from ledger.currency.bank.target import is_open
from ledger.currency.money import decimal_text
from ledger.currency.told import Told, tell


class Known(NamedTuple):
    """A line that was taken before. `day` is the one that it counts for in the balances: see `day_in`."""

    id: bytes
    booked_on: date
    day: date
    amount: int
    bank_ref: str = ""
    iban: str = ""
    end_to_end: str = ""
    text: str = ""
    """Name and text."""


class Timeline(NamedTuple):
    """What is known of an account: its lines from some day on in the order of their days, and where it stands.

    `closing` is the bank's balance after all of them, `covered` the first and last day of each that was taken, and
    `number` the bank's number of the one that reaches furthest ("" where it gives none).
    """

    lines: Sequence[Known]
    closing: int
    covered: Sequence[tuple[date, date]]
    number: str = ""

    @property
    def last(self) -> date:
        """The last day that a statement covered."""
        return max(last for _first, last in self.covered)

    def covers(self, day: date) -> bool:
        """Whether some statement told all lines of that day."""
        return any(first <= day <= last for first, last in self.covered)

    def covers_all(self, first: date, last: date) -> bool:
        """Whether statements told all lines of these days."""
        return all(self.covers(first + timedelta(days=n)) for n in range((last - first).days + 1))


def day_in(booked_on: date, first: date, last: date) -> date:
    """The day of a line in the balances of the statement over these days that brought it.

    A charge that is booked with a day long past, or a line of a day to come, is in the balance of the statement all the
    same: it counts for the nearest of its days.
    """
    return min(max(booked_on, first), last)


class Aligned(NamedTuple):
    """What a statement brings: the lines that are `new`, and those `gone` that a corrected one no longer has."""

    new: list[BankLine]
    gone: list[Known]


class _Try(NamedTuple):
    new: list[BankLine]
    missing: list[Known]
    score: int
    paired: dict[int, Known]
    """Which known line each that is not new was found to be, by `id` of the line."""


def align(statement: Statement, timeline: Timeline, *, corrected: bool = False, quiet_days: bool = False) -> Aligned:
    """What `statement` adds to `timeline`, whose lines reach back to the statement's first day or before.

    `corrected` allows the statement to replace lines; `quiet_days` says that the bank had nothing on days between the
    last statement and this one. Raises `StatementError`: statement_gap, statement_days_missing, statement_differs.
    """
    if statement.first > timeline.last:
        if statement.opening != timeline.closing:
            raise StatementError("statement_gap", _gap(statement, timeline.closing, timeline.last))
        if not quiet_days and not _continues(statement, timeline):
            raise StatementError(
                "statement_days_missing",
                tell(
                    "it begins on {first} and the last statement ended on {last}: the balances agree, "
                    "but they would as well if what is missing came to nothing; import the days in "
                    "between, or say with --quiet-days that the bank had nothing on them",
                    first=statement.first,
                    last=timeline.last,
                ),
            )
        return Aligned(list(statement.lines), [])
    begun = min(first for first, _last in timeline.covered)
    if statement.last < begun:
        raise StatementError(
            "statement_gap",
            tell(
                "it ends on {last}, before the first statement that was taken, which begins on "
                "{begun}: what was before that is in the balance with which it began, and is not "
                "imported",
                last=statement.last,
                begun=begun,
            ),
        )
    within = [known for known in timeline.lines if known.day >= statement.first]
    start = timeline.closing - sum(known.amount for known in within)
    # Where a bank dates the opening balance with an earlier day, it is that before the first of the lines.
    days = (day_in(line.booked_on, statement.first, statement.last) for line in statement.lines)
    begins = min(days, default=statement.first)
    day = [known for known in within if known.day <= begins]
    rest = [known for known in within if begins < known.day <= statement.last]
    tries: list[_Try] = []
    balance = start
    for skipped in range(len(day) + 1):
        if balance == statement.opening:
            tries.append(_match(statement.lines, day[skipped:] + rest))
        if skipped < len(day):
            balance += day[skipped].amount
    if not tries:
        raise StatementError(
            "statement_gap",
            tell(
                "it begins on {first} with {opening}, and by the statements taken so far the account "
                "began that day with {start}: one of them is wrong; if it is the first that was "
                "taken, `patard bank withdraw` takes it back, as long as nothing of it was placed",
                first=statement.first,
                opening=decimal_text(statement.opening),
                start=decimal_text(start),
            ),
        )
    fitting = [found for found in tries if _fits(found, statement, timeline)]
    if corrected:
        # Lines that are left out of its last day may be missing because it stops there; or, as it says, because they
        # are gone.
        fitting = [found for found in fitting if not found.missing]
    if fitting:
        # The first of equals skips least: what may be known counts as known.
        found = max(fitting, key=lambda found: found.score)
        if any(len(other.new) < len(found.new) and not _are_others(found.new, other) for other in fitting):
            raise StatementError("statement_differs", _doubtful(statement))
        return Aligned(found.new, [])
    best = min(tries, key=lambda found: len(found.missing) + len(found.new))
    if not corrected:
        raise StatementError("statement_differs", _difference(best))
    changed = sum(line.amount for line in best.new) != sum(known.amount for known in best.missing)
    if changed and statement.last < timeline.last:
        raise StatementError(
            "statement_differs",
            tell(
                "it ends with another balance than the statements after {last} begin with: fetch one "
                "corrected statement of all days from {first} to {last2}, and import that",
                last=statement.last,
                first=statement.first,
                last2=timeline.last,
            ),
        )
    return Aligned(best.new, best.missing)


def _are_others(new: Sequence[BankLine], other: _Try) -> bool:
    """Whether each of these lines is another than the known one of its day and amount that it may be as well.

    Only what identifies a payment tells: one format's texts are not the other's.
    """
    for line in new:
        known = other.paired.get(id(line))
        if known is None:
            continue
        told = ((known.iban, line.iban), (squeezed(known.end_to_end), squeezed(line.end_to_end)))
        if not any(one and two and one != two for one, two in told):
            return False
    return True


def _continues(statement: Statement, timeline: Timeline) -> bool:
    """Whether no day on which banks work lies between, or the bank's own numbers say that nothing does."""
    day = timeline.last + timedelta(days=1)
    while day < statement.first and not is_open(day):
        day += timedelta(days=1)
    if day >= statement.first:
        return True
    before, now = (
        int(text) if text.isascii() and text.isdecimal() else None for text in (timeline.number, statement.number)
    )
    return (
        before is not None and now is not None and (now == before + 1 or now == 1 and day.year < statement.first.year)
    )


def _match(lines: Sequence[BankLine], known: Sequence[Known]) -> _Try:
    """Pair lines with known ones of the same day and amount, those that say the same first."""
    open_: dict[tuple[date, int], list[Known]] = defaultdict(list)
    for one in known:
        open_[one.booked_on, one.amount].append(one)
    new: list[BankLine] = []
    paired: dict[int, Known] = {}
    undecided: list[tuple[BankLine, str]] = []
    score = 0
    for line in lines:
        candidates = open_.get((line.booked_on, line.amount))
        if not candidates:
            new.append(line)
            continue
        said = squeezed(line.name + line.text)
        same = next((one for one in candidates if _says_the_same(one, line, said)), None)
        if same is None:
            undecided.append((line, said))
        else:
            candidates.remove(same)
            paired[id(line)] = same
            score += 1
    for line, said in undecided:
        candidates = open_[line.booked_on, line.amount]
        if candidates:
            other = paired[id(line)] = candidates.pop(0)
            score -= bool((other.text or other.iban) and (said or line.iban))
        else:
            new.append(line)
    order = {id(line): index for index, line in enumerate(lines)}
    new.sort(key=lambda line: order[id(line)])
    return _Try(new, [one for left in open_.values() for one in left], score, paired)


def _says_the_same(known: Known, line: BankLine, said: str) -> bool:
    if line.bank_ref and line.bank_ref == known.bank_ref:
        return True
    if same_order(line.end_to_end, known.end_to_end):
        return True
    if line.iban and known.iban:
        return line.iban == known.iban and squeezed(known.text)[:20] == said[:20]
    before = squeezed(known.text)
    return bool(said and before) and (said in before or before in said)


def _fits(found: _Try, statement: Statement, timeline: Timeline) -> bool:
    """Whether this is one history: days that were told have no other lines now, and nothing known is left out.

    Where the balance after some days was the one before them, nobody could tell that their statement is missing: what
    it has is new whenever it comes. A statement that stops in the middle of its last day leaves out the rest.
    """
    days = [day_in(line.booked_on, statement.first, statement.last) for line in found.new]
    if any(day < timeline.last and timeline.covers(day) for day in days):
        return False
    # What was before the first one is in the balance with which it began.
    begun = min(first for first, _last in timeline.covered)
    if any(day < begun for day in days):
        return False
    # Each known statement begins with the balance that it does: what is new before it comes to nothing.
    if any(
        sum(line.amount for line, day in zip(found.new, days, strict=True) if day < first)
        for first, _last in timeline.covered
        if first > statement.first
    ):
        return False
    ends_early = all(known.day == statement.last for known in found.missing)
    grew = statement.last in days
    return not found.missing or ends_early and not grew


def _gap(statement: Statement, balance: int, day: date) -> Told:
    return tell(
        "it begins on {first} with {opening}, and by the statements taken so far the account held {balance} on {day}: "
        "a statement in between is missing, import that one first; or if the first that was taken is wrong, withdraw "
        "it with `patard bank withdraw`",
        first=statement.first, opening=decimal_text(statement.opening), balance=decimal_text(balance), day=day,
    )  # fmt: skip


def _doubtful(statement: Statement) -> Told:
    return tell(
        "the lines of {first} come to nothing and have the amounts of lines that were taken before, under other texts: "
        "they may be the same ones as another format tells them, or others; import a statement from {before} on "
        "instead, whose balance tells",
        first=statement.first, before=statement.first - timedelta(days=1),
    )  # fmt: skip


def _difference(found: _Try) -> Told:
    was, now = (
        "; ".join(f"{one.booked_on}: {decimal_text(one.amount)}" for one in some[:3]) or "-"
        for some in (found.missing, found.new)
    )
    return tell(
        "these days were taken before, with other lines (there before and not now: {was}; there now and not before: "
        "{now}): if the bank corrected the statement, import it with --corrected, which undoes what is gone",
        was=was, now=now,
    )  # fmt: skip


def by_day(known: Iterable[Known]) -> list[Known]:
    """Known lines in the order of their days; within one, as they came."""
    return sorted(known, key=lambda one: one.day)
