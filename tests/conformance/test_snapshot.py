"""A snapshot is one moment on both databases: log, accounts, other tables, and the rows that `check` reads."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.book import Book
from ledger.core.check import check, steps
from ledger.core.check_rows import rows_of
from ledger.core.model import Note
from ledger.core.snapshot import snapshot
from ledger.core.store import StoreError
from tests.conformance.conftest import Grounds
from tests.conformance.town import Clock
from tests.core.books import HOLDERS, named, post_all, small_book_batches


@pytest.fixture(params=["sqlite", "postgres"])
def book(request: pytest.FixtureRequest, grounds: Grounds) -> Book:
    made = grounds.make(request.param).book(Clock())
    post_all(made, small_book_batches())
    return made


def engine_of(book: Book) -> Any:
    return book.store.engine  # type: ignore[attr-defined]


def more(book: Book, n: int) -> None:
    book.post([Note(named(1_000 + n), "more", {})])


def test_whatever_is_read_is_of_one_moment(book: Book) -> None:
    with snapshot(engine_of(book)) as moment:
        more(book, 1)
        still = Book(moment)
        assert still.head().seq == 44 and still.find(named(1_001)) is None
        assert still.balance(HOLDERS[0]) == book.balance(HOLDERS[0])
        more(book, 2)
        assert moment.connection.execute(text("SELECT count(*) FROM log")).scalar() == 44
        with rows_of(moment) as rows:
            assert [row[1] for row in rows.head()] == [44] and len(list(rows.log())) == 44
        assert check(moment).entries == 44
        with moment.reading() as one, moment.reading() as other:
            assert one.head() == other.head()
    assert check(book.store).entries == 46


def test_it_is_the_moment_in_which_it_began(book: Book) -> None:
    with snapshot(engine_of(book)) as moment:
        more(book, 1)
        course = steps(moment)
        assert next(course) == (0, 44)
        more(book, 2)
        with pytest.raises(StopIteration) as end:
            while True:
                next(course)
    assert end.value.value.ok and end.value.value.entries == 44


def test_nothing_can_be_written_through_it(book: Book) -> None:
    engine = engine_of(book)
    with pytest.raises(StoreError) as refused, snapshot(engine) as moment:
        Book(moment).post([Note(named(1_001), "more", {})])
    assert refused.value.code == "read_only"
    with pytest.raises(Exception, match=r"read-?only"), snapshot(engine) as moment:
        moment.connection.execute(text("UPDATE account SET debits = debits"))
    for _ in range(3):  # and the connection goes back as it came
        with engine.connect() as connection:
            connection.execute(text("UPDATE account SET debits = debits"))
            connection.commit()
    more(book, 1)
