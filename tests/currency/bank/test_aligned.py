"""A bank that books lines with other days than those of its statements: each line counts once, in any files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ledger.currency.bank.aligning import Aligned, Timeline, align
from ledger.currency.bank.known import as_known, by_day
from ledger.currency.bank.statement import BankLine, Statement, StatementError

FIRST = date(2025, 7, 1)
DAYS = 12
BEGAN = 1_000
CAMT, CFONB, OFX = "camt.053", "cfonb120", "ofx"


class Booked(NamedTuple):
    """A line of the true account: the day on which the bank put it there, how far its own day is off that, cents."""

    day: int
    off: int
    amount: int


class File(NamedTuple):
    """A file that somebody fetches: from so many days after the last one's end, or from that day of the account, for
    so many days more; `cut` of its last day's lines are on it (None: all)."""

    after: int | None
    first: int
    days: int
    style: str
    cut: int | None


def lines(*off: int) -> st.SearchStrategy[list[Booked]]:
    made = st.builds(
        Booked, st.integers(0, DAYS - 1), st.sampled_from(off), st.sampled_from([50, -50, 50, -50, 30, -30])
    )
    return st.lists(made, min_size=8, max_size=30).map(lambda drawn: sorted(drawn, key=lambda one: one.day))


def files(*styles: str) -> st.SearchStrategy[list[File]]:
    after = st.sampled_from([None, None, 0, 0, 1, 1, -1, -3])
    cut = st.sampled_from([None, None, None, None, 0, 1, 2])
    days = st.sampled_from([0, 0, 1, 3, 6])
    made = st.builds(File, after, st.integers(0, DAYS - 1), days, st.sampled_from(styles), cut)
    return st.lists(made, min_size=3, max_size=12)


def day(number: int) -> date:
    return FIRST + timedelta(days=number)


def written(number: int, one: Booked, style: str, alike: int) -> BankLine:
    """As the bank writes it in that format: its own reference is another in each, not all tell the order's id.
    After `alike` others comes the same text again."""
    end_to_end = f"E2EORDER{number % 7}X{number}" if style == CAMT or style == CFONB and number % 2 else ""
    iban, name = (f"FR76{number % 4:023}", f"N{number % 4}") if style == CAMT else ("", "")
    return BankLine(
        booked_on=day(one.day + one.off), amount=one.amount, bank_ref=f"{style} {number:06}", end_to_end=end_to_end,
        text=f"{style} {number % alike:03}", where=number, iban=iban, name=name,
    )  # fmt: skip


def statement(account: Sequence[Booked], file: File, reached: int | None, alike: int) -> tuple[Statement, bool]:
    """The statement that the file is, and whether all lines of its days are on it."""
    first = 0 if reached is None else file.first if file.after is None else reached + file.after
    first = min(max(first, 0), DAYS - 1)
    last = min(first + file.days, DAYS - 1)
    on = [number for number, one in enumerate(account) if first <= one.day <= last]
    late = [number for number in on if account[number].day == last]
    told = on if file.cut is None else [number for number in on if number not in late[file.cut :]]
    opening = BEGAN + sum(one.amount for one in account if one.day < first)
    made = sorted(
        (written(number, account[number], file.style, alike) for number in told), key=lambda line: line.booked_on
    )
    return Statement(
        format=file.style, account="A", opening=opening, closing=opening + sum(line.amount for line in made),
        first=day(first), last=day(last), lines=tuple(made),
    ), told == on  # fmt: skip


def history(
    account: Sequence[Booked], fetched: Sequence[File], alike: int
) -> Iterator[tuple[Statement, bool, Timeline, Counter]]:
    """Each statement that is taken, whether it was whole, what is known after it, and how often each line counts."""
    known: Timeline | None = None
    counted: Counter[int] = Counter()
    for file in fetched:
        reached = None if known is None else (known.last - FIRST).days
        made, whole = statement(account, file, reached, alike)
        if known is None:
            known, aligned = Timeline([], made.opening, []), Aligned(list(made.lines), [])
        else:
            try:
                aligned = align(made, known, quiet_days=True)
            except StatementError as error:
                assert error.code in ("statement_gap", "statement_differs")
                continue
        assert not aligned.gone
        counted.update(line.where for line in aligned.new)
        added = [as_known(line.where.to_bytes(2), line, (made.first, made.last), made.format) for line in aligned.new]
        if added or not known.covered or not known.covers_all(made.first, made.last):
            closing = known.closing + sum(one.amount for one in added)
            known = Timeline(by_day([*known.lines, *added]), closing, [*known.covered, (made.first, made.last)])
        yield made, whole, known, counted


def each_line_once(account: Sequence[Booked], fetched: Sequence[File], alike: int = 1_000) -> None:
    """None twice; and where texts tell lines apart, none is taken for another."""
    for made, whole, known, counted in history(account, fetched, alike):
        assert max(counted.values(), default=1) == 1
        if alike == 1_000:
            assert all(counted[line.where] == 1 for line in made.lines)
            assert not whole or made.last < known.last or made.closing == known.closing


MANY = settings(max_examples=300, deadline=None)
OFF = (0, 0, 0, 0, -3, -1, 1, 2)


@MANY
@given(lines(*OFF), files(CAMT))
def test_off_dated_lines(account: list[Booked], fetched: list[File]) -> None:
    each_line_once(account, fetched)


# Days between that were not quiet, and then two days in another format: what is on it may be known.
NOT_QUIET = [*[Booked(0, 0, 50)] * 4, Booked(1, 0, 50), Booked(10, 1, -50), Booked(11, 0, 50)]
TWO_AFTER = [File(None, 0, 0, CAMT, None), File(None, 11, 0, CAMT, None), File(-1, 0, 1, CFONB, None)]
# Dated days ahead, and then all of them in another format, but for the last: the order is the same.
AHEAD = [*[Booked(0, 0, 50)] * 4, Booked(8, 2, -50), Booked(9, 2, 50), Booked(11, 0, -50), Booked(11, -1, -50)]
ALL_BUT_ONE = [
    File(None, 0, 0, CAMT, None), File(None, 0, 6, CAMT, None), *[File(0, 0, 3, CAMT, None)] * 2,
    File(None, 5, 6, CFONB, 1),
]  # fmt: skip


@MANY
@given(lines(*OFF), files(CAMT, CFONB, OFX))
@example(NOT_QUIET, TWO_AFTER)
@example(AHEAD, ALL_BUT_ONE)
def test_off_dated_lines_in_three_formats(account: list[Booked], fetched: list[File]) -> None:
    each_line_once(account, fetched)


# Of two days in one file, then the last of them alone, in the middle of the day: what is on it may be known.
TWO_DAYS = [Booked(0, 0, 50)] * 6 + [Booked(1, 0, 30), Booked(1, -1, -30)]
OF_ONE = [File(None, 0, 0, CAMT, None), File(None, 0, 1, CFONB, None), File(None, 1, 0, CAMT, 1)]


@MANY
@given(lines(*OFF), files(CAMT, CFONB, OFX))
@example(TWO_DAYS, OF_ONE)
def test_off_dated_lines_with_the_same_texts(account: list[Booked], fetched: list[File]) -> None:
    each_line_once(account, fetched, alike=3)
