"""Roots that somebody signed or noted: a book that was rewritten as a whole, or cut, is found by them alone."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from ledger.core.book import Book
from ledger.core.check import check
from ledger.core.opening import open_book
from ledger.core.replay import replay
from tests.core.books import named, ordinary, post_all, small_book_batches

EMPTY = sha256(b"").digest()
WRONG = bytes.fromhex("ab" * 32)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Book]:
    made = ordinary(open_book(tmp_path / "book.db", upgrade=True).store)
    yield made
    made.close()


@pytest.fixture
def roots(book: Book) -> dict[int, bytes]:
    """The root after each entry, as the book had it when it stood there."""
    known = {0: book.head().root}
    for batch in small_book_batches():
        for instruction in batch:
            post_all(book, [[instruction]])
            known[book.head().seq] = book.head().root
    return known


def again(book: Book, path: Path, records: list[bytes]) -> Book:
    """Another book, made of these records from its first entry on: hashes, balances and head are all right."""
    made = open_book(path, upgrade=True)
    replay(records, made.store)
    return made


def records_of(book: Book) -> list[bytes]:
    with book.store.reading() as store:
        return [row.record for row in store.log(0, 1_000)]


def test_the_roots_that_it_had_are_no_findings(book: Book, roots: dict[int, bytes]) -> None:
    assert roots[0] == EMPTY and len(roots) == 45
    report = check(book.store, roots=roots)
    assert report.ok, report.findings
    assert (report.seq, report.at, report.root) == (book.head().seq, book.head().at, roots[44])


def test_an_empty_book_goes_nowhere(book: Book) -> None:
    report = check(book.store, roots={0: EMPTY})
    assert report.ok and (report.seq, report.at) == (0, 0)
    assert check(book.store, roots={0: WRONG}).counts == {"root_differs": 1}


@pytest.mark.parametrize("size", [1, 12, 32, 43, 44])
def test_another_root_is_named_with_its_size(book: Book, roots: dict[int, bytes], size: int) -> None:
    [finding] = check(book.store, roots=roots | {size: WRONG}).findings
    assert (finding.code, finding.seq, finding.id) == ("root_differs", size, named(size))
    assert finding.detail.startswith(f"{size} entries have the root {roots[size].hex()}")
    assert WRONG.hex() in finding.detail


def test_a_book_that_was_rewritten_as_a_whole(book: Book, roots: dict[int, bytes], tmp_path: Path) -> None:
    records = records_of(book)
    body = orjson.loads(records[19])
    salted = orjson.dumps(body | {"salt": "0" * 32}, option=orjson.OPT_SORT_KEYS)
    forged = again(book, tmp_path / "forged.db", [*records[:19], salted, *records[20:]])
    assert check(forged.store).ok
    found = check(forged.store, roots=roots).findings
    assert [finding.seq for finding in found] == list(range(20, 45))
    forged.close()


def test_a_book_whose_end_was_cut_off(book: Book, roots: dict[int, bytes], tmp_path: Path) -> None:
    older = again(book, tmp_path / "older.db", records_of(book)[:40])
    assert check(older.store).ok
    found = check(older.store, roots={size: roots[size] for size in (10, 40, 44, 43)}).findings
    assert [(finding.code, finding.seq) for finding in found] == [("root_differs", None)] * 2
    for finding, size in zip(found, (43, 44), strict=True):
        assert f"ends after 40 entries, with the root {roots[40].hex()}" in finding.detail
        assert f"for {size} entries is {roots[size].hex()}" in finding.detail
    older.close()
