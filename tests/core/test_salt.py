"""Every record holds 16 random bytes of its own, or the published hash of a guessable one would tell what it says."""

from __future__ import annotations

from ledger.core.model import Note
from ledger.core.opening import open_book


def test_no_two_records_have_the_same_salt() -> None:
    book = open_book("memory:")
    for batch in (range(1, 4), range(4, 5), range(5, 10)):
        book.post([Note(bytes([number]) * 16, "charter", {}) for number in batch])
    with book.store.reading() as store:
        ids = [row.id for row in store.log(0, 100)]
    salts = [found.salt for id_ in ids if (found := book.find(id_))]
    assert len(set(salts)) == len(ids) == 9
    assert all(len(salt) == 16 and len(set(salt)) > 4 for salt in salts)
    book.close()


def test_salts_are_as_random_as_what_is_handed_in() -> None:
    drawn = iter(range(1, 100))
    book = open_book("memory:", entropy=lambda size: bytes(next(drawn) for _ in range(size)))
    book.post([Note(b"\1" * 16, "charter", {}), Note(b"\2" * 16, "charter", {})])
    first, second = (book.find(bytes([number]) * 16) for number in (1, 2))
    assert first and second
    assert (first.salt, second.salt) == (bytes(range(1, 17)), bytes(range(17, 33)))
    book.close()
