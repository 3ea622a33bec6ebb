"""Which lines of a statement are known already. Pure: a statement and a timeline in, new lines or one refusal out.

A line is counted by its day and amount, for that is all that every format tells. Balances decide the rest: the
statement must begin at a balance that the account had on that day, so a repeated file cannot pass for a continuation,
nor a continuation for a repeated file. Only where a day's lines sum to nothing do both fit; then names and references
decide, and in doubt nothing is booked twice.

A bank may book a line with a day outside of the statement that brings it: then its day does not say whether the next
statement has it too. References do, before the balances are asked; where there are none and lines that may be known
ones come to nothing, the statement is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

from ledger.currency.bank.known import Known, by_amount, day_in, is_other, is_same, may_be_same, reads_the_same
from ledger.currency.bank.reference import same_order
from ledger.currency.bank.statement import BankLine, Statement, StatementError
from ledger.currency.bank.target import is_open
from ledger.currency.told import Cents, Told, tell

MAX_SUMS = 100_000
"""Sums at most that are looked at to say whether lines may come to nothing; beyond, they may."""


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


class Aligned(NamedTuple):
    """What a statement brings: the lines that are `new`, and those `gone` that a corrected one no longer has.

    `corrects` are the days that a corrected one tells otherwise.
    """

    new: list[BankLine]
    gone: list[Known]
    corrects: Sequence[date] = ()


class _Try(NamedTuple):
    new: list[BankLine]
    missing: list[Known]
    score: int
    paired: dict[int, Known]
    """Which known line each that is not new was found to be, by `id` of the line."""
    before: Sequence[Known] = ()
    """The known lines of its first day that were before it."""


def align(statement: Statement, timeline: Timeline, *, corrected: bool = False, quiet_days: bool = False) -> Aligned:
    """What `statement` adds to `timeline`, whose lines reach back to the statement's first day or before.

    `corrected` allows the statement to replace lines; `quiet_days` says that the bank had nothing on days between the
    last statement and this one. Raises `StatementError`: statement_gap, statement_days_missing, statement_differs.
    """
    told = _told(statement, timeline)
    lines = [line for line in statement.lines if id(line) not in told]
    ids = {known.id for known in told.values()}
    others = [known for known in timeline.lines if known.id not in ids]
    if statement.first > timeline.last:
        if statement.opening != timeline.closing:
            raise StatementError("statement_gap", _gap(statement, timeline.closing, timeline.last))
        whole = _Try(lines, [], 0, {})
        if sum(known.amount for known in told.values()) or _is_doubtful(whole, statement, others, timeline):
            raise StatementError("statement_differs", _doubtful(statement))
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
        return Aligned(lines, [])
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
    within = [known for known in others if known.day >= statement.first]
    start = timeline.closing - sum(known.amount for known in (*within, *told.values()))
    # Where a bank dates the opening balance with an earlier day, it is that before the first of the lines.
    days = (day_in(line.booked_on, statement.first, statement.last) for line in statement.lines)
    begins = min(days, default=statement.first)
    day = [known for known in within if known.day <= begins]
    rest = [known for known in within if begins < known.day <= statement.last]
    tries: list[_Try] = []
    balance = start
    for skipped in range(len(day) + 1):
        if balance == statement.opening:
            tries.append(_match(lines, day[skipped:] + rest)._replace(before=day[:skipped]))
        if skipped < len(day):
            balance += day[skipped].amount
    if not tries:
        raise StatementError("statement_gap", _gap(statement, start, statement.first))
    tries = [found for found in tries if not _leaves_out(found, statement, lines, others)]
    if not tries:
        raise StatementError("statement_differs", _doubtful(statement))
    if corrected and min(tries, key=_changes).before != tries[0].before:
        # Lines that come to nothing, on its first day, and not in it: gone, or from before it begins in that day.
        if statement.first == begins:
            raise StatementError("statement_differs", _left_out(tries[0], statement))
        tries = tries[:1]
    fitting = [found for found in tries if _fits(found, statement, timeline)]
    if corrected:
        # Lines that are left out of its last day may be missing because it stops there; or, as it says, because they
        # are gone.
        fitting = [found for found in fitting if not found.missing]
    if fitting:
        # The first of equals skips least: what may be known counts as known.
        found = max(fitting, key=lambda found: found.score)
        if not _is_doubtful(found, statement, others, timeline):
            return Aligned(found.new, [])
        if not corrected:  # Else they may be known ones, and others of that day gone.
            raise StatementError("statement_differs", _doubtful(statement))
    best = min(tries, key=_changes)
    if not corrected:
        raise StatementError("statement_differs", _difference(best))
    if _is_doubtful(best, statement, others, timeline):
        raise StatementError("statement_differs", _doubtful(statement))
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
    told_now = {day_in(line.booked_on, statement.first, statement.last) for line in best.new}
    return Aligned(best.new, best.missing, sorted(told_now | {known.day for known in best.missing}))


def _changes(found: _Try) -> int:
    return len(found.missing) + len(found.new)


def _told(statement: Statement, timeline: Timeline) -> dict[int, Known]:
    """The lines that are known ones by their references, where days do not tell; by `id` of the line.

    Those are lines with a day outside of this statement, or of the one that brought them first.
    """
    open_ = by_amount(timeline.lines)
    found: dict[int, Known] = {}
    for line in statement.lines:
        candidates = open_.get((line.booked_on, line.amount), [])
        inside = statement.first <= line.booked_on <= statement.last
        same = (one for one in candidates if not (inside and one.day == one.booked_on) and is_same(one, line))
        if (known := next(same, None)) is not None:
            candidates.remove(known)
            found[id(line)] = known
    return found


def _left(known: Sequence[Known], found: _Try) -> dict[tuple[date, int], list[Known]]:
    """The known lines that none of its lines was found to be, by day and amount."""
    paired = {one.id for one in found.paired.values()}
    return by_amount(one for one in known if one.id not in paired)


def _is_plain(statement: Statement, known: Sequence[Known]) -> bool:
    """Whether no line has a day outside of its statement: then an order that comes again was booked twice."""
    inside = all(statement.first <= line.booked_on <= statement.last for line in statement.lines)
    return inside and not any(one.is_off for one in known)


def _leaves_out(found: _Try, statement: Statement, lines: Sequence[BankLine], known: Sequence[Known]) -> bool:
    """Whether a line is new, or found to be another one, whose references are those of a known one that is left."""
    left, is_plain = _left(known, found), _is_plain(statement, known)
    for line in lines:
        of = found.paired.get(id(line))
        if (of is None or not is_same(of, line)) and any(
            is_same(one, line) and not (is_plain and one.bank_ref != line.bank_ref)
            for one in left.get((line.booked_on, line.amount), ())
        ):
            return True
    return False


def _is_doubtful(found: _Try, statement: Statement, known: Sequence[Known], timeline: Timeline) -> bool:
    """Whether new lines may be known ones, and the balances would be the same if they were."""
    last = timeline.last
    # What no reference names may be before this statement, and another line be the one that is in it.
    pairs = [(line, found.paired[id(line)]) for line in statement.lines if id(line) in found.paired]
    guessed = [(line, one) for line, one in pairs if not is_same(one, line)]
    off = [one for _line, one in guessed if one.is_off]
    another = [one for line, one in guessed if not one.is_off and _is_renamed(one, line, statement)]
    taken, gone = by_amount(off), {one.id for one in found.missing}
    open_ = _left([one for one in known if one.id not in gone], found)
    amounts, twins = [], set()
    for line in found.new:
        key = line.booked_on, line.amount
        one = next((one for one in open_.get(key, ()) if not is_other(one, line)), None)
        if any(not is_other(other, line) for other in taken.get(key, ())):
            return True
        if one is None:
            continue
        # The references of two formats are two for each order.
        if one.format != statement.format and same_order(one.end_to_end, line.end_to_end):
            return True
        # Where nobody told of its day, other balances stand on both sides of it.
        if day_in(line.booked_on, statement.first, statement.last) < last and one.is_off:
            return True
        open_[key].remove(one)
        twins.add(one.id)
        amounts.append(line.amount)
    # What may have been after it and not before, and the other way round; also where what it brings may be what was
    # before it on that day, as another format told it: for then a line of an earlier day may have been after both.
    is_again = any(one.id in twins and one.format != statement.format for one in found.before)
    if is_again and not timeline.covers_all(min(first for first, _last in timeline.covered), last):
        return True  # Nor do they where days were said to be quiet.
    is_plain = _is_plain(statement, known) and not is_again
    loose = [one for one in known if one.day < statement.first and not is_plain] + list(found.before)
    loose = [one for one in loose if one.until >= statement.last]
    free = [one.amount for one in loose if one.id not in twins] + [-one.amount for one in found.missing]
    if statement.last >= last:  # It may be that it brings them.
        amounts += [-one.amount for one in off + another]
        guessed = [(line, one) for line, one in guessed if one not in off and one not in another]
    free += [-one.amount for _line, one in guessed]
    if not amounts or min(every := amounts + free) > 0 or max(every) < 0:
        return False
    sums = {0}
    for amount in free:
        if len(sums) <= MAX_SUMS:
            sums |= {amount + other for other in sums}
    for amount in amounts:
        with_it = {amount + other for other in sums}
        if 0 in with_it or len(sums) > MAX_SUMS:
            return True
        sums |= with_it
    return False


def _is_renamed(known: Known, line: BankLine, statement: Statement) -> bool:
    """Whether neither reference nor text says that this line is the known one, where a format has the same again."""
    refs = {known.bank_ref, line.bank_ref}
    same = known.format == statement.format and ("" in refs or len(refs) == 1)
    return not same and not reads_the_same(known, line)


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
    """Pair lines with known ones of the same day and amount: first those that references say are the same, then those
    that texts do, then the others, but for those that references say are none."""
    open_ = by_amount(known)
    paired: dict[int, Known] = {}
    score = 0
    for says in (is_same, reads_the_same, may_be_same):
        for line in lines:
            candidates = () if id(line) in paired else open_.get((line.booked_on, line.amount), ())
            if (same := next((one for one in candidates if says(one, line)), None)) is None:
                continue
            open_[line.booked_on, line.amount].remove(same)
            paired[id(line)] = same
            if says is may_be_same:
                score -= bool((same.text or same.iban) and (line.name or line.text or line.iban))
            else:
                score += 1
    new = [line for line in lines if id(line) not in paired]
    return _Try(new, [one for left in open_.values() for one in left], score, paired)


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
        first=statement.first, opening=Cents(statement.opening), balance=Cents(balance), day=day,
    )  # fmt: skip


def _left_out(found: _Try, statement: Statement) -> Told:
    return tell(
        "lines of {day} that were taken before are not in it and come to nothing ({lines}): it may be without them, or "
        "begin after them; fetch a corrected statement that begins on {earlier} or before, whose balance tells",
        day=statement.first, lines=_some(found.missing), earlier=statement.first - timedelta(days=1),
    )  # fmt: skip


def _some(lines: Sequence[Known | BankLine]) -> tuple[Told, ...] | str:
    return tuple(tell("{day}: {amount}", day=one.booked_on, amount=Cents(one.amount)) for one in lines[:3]) or "-"


def _difference(found: _Try) -> Told:
    was, now = _some(found.missing), _some(found.new)
    return tell(
        "these days were taken before, with other lines (there before and not now: {was}; there now and not before: "
        "{now}): if the bank corrected the statement, import it with --corrected, which undoes what is gone",
        was=was, now=now,
    )  # fmt: skip


def _doubtful(statement: Statement) -> Told:
    return tell(
        "some of its lines come to nothing and have the days and amounts of lines that were taken before, under other "
        "texts or on other days of the balances: they may be the same ones as another format tells them, or others; "
        "import a statement from {day} on instead, whose balance tells",
        day=statement.first - timedelta(days=1),
    )
