"""The same id: answered again, refused with other content, and time that only ever grows."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.core.book import Book
from ledger.core.model import NO_EVIDENCE, Instruction, Posted, Transaction
from tests.conformance.town import (
    FUNDS,
    START,
    A,
    B,
    C,
    Clock,
    Ground,
    closing,
    codes,
    dump,
    ident,
    note,
    opening,
    post,
    settle,
    t,
    tx,
)

EACH: list[Instruction] = [
    tx(100, t(A, B, 10)),
    tx(101, t(A, B, 10), t(B, C, 10), evidence={"b": "x", "a": 1}, booked_on=date(2026, 3, 1)),
    opening(102, 61, floor=-5, ceiling=5, cover=A),
    closing(103, 61),
    note(104, what="said"),
    tx(105, t(B, A, 10), corrects=100),
]


def test_the_same_again_is_answered_as_it_stands(book: Book) -> None:
    first = post(book, *EACH)
    before = dump(book)
    outcome = book.post(EACH)
    assert outcome.answers == [posted._replace(replay=True) for posted in first]
    assert outcome.head == before.head
    assert dump(book) == before


def test_a_replay_is_answered_whatever_happened_since(book: Book) -> None:
    post(book, tx(100, t(A, B, FUNDS)), closing(101, A))
    assert codes(book.post([tx(100, t(A, B, FUNDS)), closing(101, A), tx(102, t(A, B, 1))]).answers) == [
        "replay",
        "replay",
        "account_closed",
    ]


def test_a_replay_within_one_batch(book: Book) -> None:
    answers = book.post(
        [tx(100, t(A, B, 10)), tx(100, t(A, B, 10)), tx(100, t(A, B, 11)), tx(100, t(A, B, 10))]
    ).answers
    assert codes(answers) == ["posted", "replay", "id_taken", "replay"]
    assert {answer[:3] for answer in answers if isinstance(answer, Posted)} == {answers[0][:3]}
    assert book.balance(A) == FUNDS - 10


def test_the_first_that_can_be_posted_takes_the_id(book: Book) -> None:
    answers = book.post([tx(100, t(A, B, FUNDS + 1)), tx(100, t(A, B, FUNDS)), tx(100, t(A, B, FUNDS + 1))]).answers
    assert codes(answers) == ["below_floor", "posted", "id_taken"]


def test_absent_and_empty_evidence_are_the_same_content(book: Book) -> None:
    post(book, tx(100, t(A, B, 1), evidence=NO_EVIDENCE))
    assert codes(book.post([tx(100, t(A, B, 1), evidence={})]).answers) == ["replay"]


def test_the_order_of_evidence_is_not_content_the_order_of_legs_is(book: Book) -> None:
    post(book, tx(100, t(A, B, 1), t(B, C, 1), evidence={"a": 1, "b": 2}))
    answers = book.post(
        [
            tx(100, t(A, B, 1), t(B, C, 1), evidence={"b": 2, "a": 1}),
            tx(100, t(B, C, 1), t(A, B, 1), evidence={"a": 1, "b": 2}),
        ]
    ).answers
    assert codes(answers) == ["replay", "id_taken"]


def test_ids_with_every_byte(book: Book) -> None:
    wild = [bytes(range(k, k + 16)) for k in range(0, 256, 16)]
    wild += [b"\0" * 15 + b"\xee", b"\xff" * 16, b"\\000'\";%s?\r\n{}(", b"\0\0{}[],NULL(\0\0\0"]
    wild = [id_.ljust(16, b"x") for id_ in wild]
    batch = [Transaction(id_, "payment", (t(A, B, 1),)) for id_ in wild]
    post(book, *batch)
    assert codes(book.post(batch).answers) == ["replay"] * len(wild)
    for id_ in wild:
        found = book.find(id_)
        assert found is not None and found.instruction.id == id_


@pytest.mark.parametrize("step", [0, -1_000_000, 1, 1_000_000])
def test_time_grows_whatever_the_clock_does(ground: Ground, step: int) -> None:
    clock = Clock(step=step)
    book = settle(ground.book(clock))
    for n in range(5):
        post(book, tx(100 + 2 * n, t(A, B, 1)), tx(101 + 2 * n, t(B, A, 1)))
    clock.now = 5
    post(book, note(200, what="the clock fell back to 1970"))
    times = [row.at for row in dump(book).log]
    assert times == sorted(set(times))
    assert book.head().at == times[-1]
    clock.now, clock.step = times[-1] + 10**6, 1
    (posted,) = post(book, note(201, what="and was set right"))
    assert posted.at == clock.now


def test_one_clock_reading_a_batch_and_none_lost_to_refusals(ground: Ground) -> None:
    book = settle(ground.book(Clock(START, 1_000)))
    first, refused, second = book.post([tx(100, t(A, B, 1)), tx(101, t(A, B, 10**6)), tx(102, t(A, B, 1))]).answers
    assert isinstance(first, Posted) and isinstance(second, Posted)
    assert (second.seq, second.at) == (first.seq + 1, first.at + 1)
    assert codes([refused]) == ["below_floor"]


def test_ident_is_what_the_records_hold(book: Book) -> None:
    assert dump(book).log[0].id == ident(1)
