"""Statements, moments of the past and the jumps behind them, against a model that reads every transfer."""

from __future__ import annotations

import itertools
import random
from math import log2
from typing import NamedTuple

import pytest

from ledger.core.book import MAX_PAGE, Book
from ledger.core.model import Entry
from tests.conformance.town import (
    CLOSED,
    FREE,
    GUARANTEE,
    OTHER_FREE,
    A,
    B,
    C,
    Clock,
    Dump,
    Ground,
    dump,
    ident,
    opening,
    post,
    settle,
    t,
    tx,
)

ACCOUNTS = (A, B, C, FREE, OTHER_FREE, GUARANTEE, CLOSED, 61)


class Line(NamedTuple):
    place: int
    at: int
    id: bytes
    counterparty: int
    change: int
    balance: int


def lines(everything: Dump, number: int) -> list[Line]:
    """The account's entries, oldest first, by reading every transfer there is."""
    normal = next(row.normal for row in everything.accounts if row.number == number)
    found: list[Line] = []
    balance = 0
    for row in everything.transfers:
        if number in (row.debit, row.credit):
            change = normal * (row.amount if row.debit == number else -row.amount)
            balance += change
            entry = everything.log[row.place // 256 - 1]
            other = row.credit if row.debit == number else row.debit
            found.append(Line(row.place, entry.at, entry.id, other, change, balance))
    return found


def shown(entries: list[Entry]) -> list[Line]:
    return [Line(e.place, e.at, e.id, e.counterparty, e.change, e.balance) for e in entries]


@pytest.fixture(scope="module")
def past(shared_ground: Ground) -> tuple[Book, Dump]:
    """A hundred transactions, one batch a second, some of many legs, some in one batch."""
    pick = random.Random(5)
    clock = Clock(step=1_000_000)
    book = settle(shared_ground.book(clock))
    post(book, opening(99, 61))
    ids = itertools.count(100)
    for _ in range(60):
        batch = []
        for _ in range(pick.choice((1, 1, 1, 2, 5))):
            legs = []
            for _ in range(pick.choice((1, 1, 2, 9))):
                debit, credit = pick.sample((FREE, OTHER_FREE), 2)
                legs.append(t(debit, credit, pick.randrange(1, 50)))
            if pick.random() < 0.5:
                legs.append(t(FREE, pick.choice((A, B)), 1))
            batch.append(tx(next(ids), *legs))
        post(book, *batch)
    return book, dump(book)


@pytest.mark.parametrize("limit", [1, 7, MAX_PAGE])
def test_pages_of_any_size_are_the_whole_history(past: tuple[Book, Dump], limit: int) -> None:
    book, everything = past
    for number in ACCOUNTS:
        pages: list[Entry] = []
        before = None
        while before != 0:
            page = book.statement(number, limit=limit, before=before)
            assert len(page.entries) <= limit
            assert page.entries or before is None
            pages += page.entries
            before = page.next
        assert shown(pages) == lines(everything, number)[::-1]


def test_entries_say_what_the_transaction_said(past: tuple[Book, Dump]) -> None:
    book, _ = past
    entry = book.statement(B, limit=1).entries[0]
    found = book.find(entry.id)
    assert found is not None
    assert (entry.seq, entry.at, entry.kind) == (found.seq, found.at, "payment")
    assert entry.place // 256 == entry.seq


def test_since_until_and_before_together(past: tuple[Book, Dump]) -> None:
    book, everything = past
    pick = random.Random(6)
    for number in (FREE, A, 61):
        history = lines(everything, number)
        moments = [0, 1, 2**62, everything.head.at, *(m + d for m in {line.at for line in history} for d in (-1, 0, 1))]
        places = [1, 0, 2**50, *(line.place + d for line in history for d in (0, 1))]
        for _ in range(60):
            since, until, before = (pick.choice([None, pick.choice(of)]) for of in (moments, moments, places))
            limit = pick.choice((1, 2, 5, 400))
            expected = [
                line
                for line in reversed(history)
                if (since is None or line.at >= since)
                and (until is None or line.at <= until)
                and (before is None or line.place < before)
            ]
            page = book.statement(number, limit=limit, since=since, until=until, before=before)
            assert shown(page.entries) == expected[:limit], (since, until, before)
            assert page.next == (expected[limit - 1].place if len(expected) > limit else 0)


def test_a_balance_at_any_moment(past: tuple[Book, Dump]) -> None:
    book, everything = past
    for number in (FREE, A, GUARANTEE, 61):
        history = lines(everything, number)
        moments = sorted(
            {0, 1, everything.head.at + 1, 2**62, *(row.at + d for row in everything.log[::7] for d in (-1, 0, 1))}
        )
        for moment in sorted(moments):
            expected = next((line.balance for line in reversed(history) if line.at <= moment), 0)
            assert book.balance(number, moment) == expected
        assert book.balance(number) == (history[-1].balance if history else 0)


@pytest.mark.parametrize("limit", [0, -1, MAX_PAGE + 1])
def test_a_page_has_a_size(past: tuple[Book, Dump], limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        past[0].statement(A, limit=limit)


def test_every_seek_finds_the_last_place_at_or_before_its_target(past: tuple[Book, Dump]) -> None:
    book, everything = past
    with book.store.reading() as store:
        for number in (FREE, A, 61):
            places = [line.place for line in lines(everything, number)]
            for start in [0, *places[::37], *places[-1:]]:
                for target in (-1, 0, 1, *places[::13], *(place - 1 for place in places[::29]), 2**60):
                    expected = max((p for p in places if p <= min(start, target)), default=0)
                    assert store.seek(number, start, target) == expected
            assert store.walk(number, 0, 10) == []
            assert store.walk(number, places[-1] if places else 0, 0) == []


def test_ranges_of_log_transfers_and_accounts(past: tuple[Book, Dump]) -> None:
    book, everything = past
    with book.store.reading() as store:
        assert store.log(3, 4) == everything.log[3:7]
        assert store.log(len(everything.log), 5) == store.log(0, 0) == []
        assert store.entries([5, 2, 10**9]) == {5: everything.log[4], 2: everything.log[1]}
        assert not store.entries([]) and not store.posted([]) and not store.accounts([]) and not store.originals([])
        rows = everything.transfers
        assert store.transfers(rows[10].place, 5) == rows[11:16]
        assert store.transfers(rows[10].place - 1, 1) == rows[10:11]
        numbers = [row.number for row in everything.accounts]
        assert numbers == sorted(numbers) and numbers[-1] == A
        assert [state.number for state in store.all_accounts(numbers[1], 3)] == numbers[2:5]
        for row in everything.log:
            for moment in (row.at - 1, row.at, row.at + 1):
                assert store.seq_at(moment) == sum(each.at <= moment for each in everything.log)
        assert store.seq_at(-1) == store.seq_at(0) == 0
        assert store.seq_at(2**62) == everything.head.seq
        assert store.find(ident(100)) == next(row for row in everything.log if row.id == ident(100))


def test_a_moment_is_found_over_the_jumps_in_few_steps(ground: Ground) -> None:
    """From the end of a long account to any earlier place: about two steps for each doubling."""
    book = settle(ground.book())
    many = 3_000 if ground.kind != "memory" else 300
    for start in range(0, many, 1_000):
        post(book, *[tx(1_000 + n, t(FREE, OTHER_FREE, 1)) for n in range(start, min(many, start + 1_000))])
    rows = {row.place: row for row in dump(book).transfers if row.debit == FREE}
    places = sorted(rows)
    most = 0
    for target in places[:: max(1, many // 500)]:
        place, steps = places[-1], 0
        while place > target:
            row = rows[place]
            place = row.debit_jump if row.debit_jump >= target else row.debit_previous
            steps += 1
        assert place == target
        most = max(most, steps)
    assert most <= 3 * log2(many)
    with book.store.reading() as store:
        assert store.seek(FREE, places[-1], places[many // 3]) == places[many // 3]
