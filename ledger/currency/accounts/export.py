"""One business year, written in one of the forms; and the closing of a year, which keeps what its FEC is.

A closed year is written with the plan that its closing noted, from the log up to where it reached, and without names,
which may be erased: its FEC is the same for ever, and is held against the digest in the log whenever it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.currency.accounts import beancount, fec, hledger, sheet
from ledger.currency.accounts.entries import Books, Progress, names_of, open_books
from ledger.currency.accounts.periods import Closing, Period, closings, named, note_of
from ledger.currency.accounts.plan import Plan
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

_Chunks = Callable[[Books, Progress | None], Iterator[tuple[int, str]]]
FORMS: Final[dict[str, _Chunks]] = {
    "fec": fec.chunks, "hledger": hledger.chunks, "beancount": beancount.chunks, "csv": sheet.chunks,
}  # fmt: skip


class Written(NamedTuple):
    """What was written: the accounts it was made of, its entries and their lines, its bytes and their SHA-256."""

    books: Books
    entries: int
    lines: int
    size: int
    sha256: str


def read(town: Town, year: str | None = None, *, names: bool = False, progress: Progress | None = None) -> Books:
    """The accounts of a business year: as text the year in which it ends or a day in it, None for today's.

    `names` puts the names of account holders, as they are known now, in place of account numbers. Raises
    `CurrencyError`: period_unknown, accounts_numbers.
    """
    closed = closings(town)
    return _open(town, named(town, closed, year), closed, names=names, progress=progress)


def write(
    books: Books, form: str, sink: Callable[[bytes], object], *, only: str | None = None, names: bool = False,
    progress: Progress | None = None,
) -> Written:  # fmt: skip
    """Write the accounts in one of `FORMS`, piece by piece, to `sink`; `only` one account of them, for csv.

    Raises `CurrencyError` (period_differs) when the FEC of a closed year is not what it was, after it was written:
    whoever calls this hands the file on only then.
    """
    chunks = sheet.chunks(books, progress, only) if only is not None else FORMS[form](books, progress)
    digest, size, entries, lines = sha256(), 0, 0, 0
    for count, text in chunks:
        data = text.encode()
        sink(data)
        digest.update(data)
        size += len(data)
        entries += count > 0
        lines += count
    written = Written(books, entries, lines, size, digest.hexdigest())
    closing = books.period.closing
    if closing is not None and form == "fec" and not names and written.sha256 != closing.sha256:
        raise CurrencyError("period_differs", tell(
            "the year that ended on {end} was closed with a FEC of SHA-256 {sha256}; the log now makes one of {now}. "
            "Either the book was changed (`patard check` tells) or this program writes the file in another way than "
            "the one that closed the year. Nothing was given out",
            end=closing.end, sha256=closing.sha256, now=written.sha256,
        ))  # fmt: skip
    return written


def to_close(town: Town, year: str) -> Period:
    """The business year that `close` would close, or that is closed. Raises `CurrencyError`, as `close` does."""
    closed = closings(town)
    period = named(town, closed, year)
    today = town.charter.local_date(town.now())
    if period.end >= today:
        raise CurrencyError("period_not_over", tell(
            "this business year ends on {end}; it can be closed from the day after", end=period.end
        ))  # fmt: skip
    if period.closing is None and closed:
        if period.end < closed[0].start:
            told = tell("nothing lies in this year: the books begin on {day}", day=closed[0].start)
            raise CurrencyError("period_unknown", told)
        first = closed[-1].end + timedelta(days=1)
        if first != period.start:
            told = tell(
                "years are closed in order, and the year that begins on {day} is open: close that first", day=first
            )
            raise CurrencyError("period_earlier_open", told)
    return period


def close(
    town: Town, year: str, *, by: str = CONSOLE, progress: Progress | None = None, second: Progress | None = None
) -> tuple[Closing, bool]:
    """Close a business year: from now on nothing is booked into it, and its FEC stays as it is.

    Gives the closing, and whether it stood before. Raises `CurrencyError`: period_unknown, period_not_over,
    period_earlier_open, period_differs, accounts_numbers.
    """
    closed = closings(town)
    period = to_close(town, year)
    books = _open(town, period, closed, progress=progress)
    if books.earlier and not closed:
        raise CurrencyError("period_earlier_open", tell(
            "years are closed in order, and {count} entries lie before {day}, the oldest of {oldest}: close that first",
            count=books.earlier, day=period.start, oldest=books.oldest,
        ))  # fmt: skip
    if not books.first and str(period.end) < books.begun:
        told = tell("nothing lies in this year: the books begin on {day}", day=books.begun)
        raise CurrencyError("period_unknown", told)
    written = write(books, "fec", lambda _data: None, progress=second)
    if period.closing is not None:
        return period.closing, True
    closing = Closing(period.start, period.end, books.seq, written.sha256, written.entries, books.plan, by)
    try:
        posted = town.post(note_of(town.charter.network, closing))
    except CurrencyError as error:
        if error.code != "id_taken":
            raise
        return next(c for c in closings(town) if c.end == period.end), True  # somebody else just closed it
    return closing, posted.replay


def _open(
    town: Town, period: Period, closed: Sequence[Closing], *, names: bool = False, progress: Progress | None = None
) -> Books:
    plan = period.closing.plan if period.closing else Plan.of(town)
    return open_books(
        town, plan, period, list(closed), names=names_of(town) if names else None, progress=progress
    )  # fmt: skip
