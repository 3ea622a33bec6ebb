"""What posting does to accounts: legs, floors, ceilings, cover, corrections, openings and closings."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.core import record
from ledger.core.book import Book
from ledger.core.model import Instruction, Posted, Side
from tests.conformance.town import (
    BANK,
    CAPPED,
    CIRCULATION,
    CLOSED,
    FREE,
    FUNDS,
    GUARANTEE,
    OTHER_FREE,
    A,
    B,
    C,
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


def test_an_empty_book(ground: Ground) -> None:
    book = ground.book()
    assert book.head()[:3] == (0, 0, b"")
    assert book.post([]).answers == []
    assert dump(book)[1:] == ([], [], [], [])


def test_a_payment_moves_money_once_and_says_where_it_stands(book: Book) -> None:
    before = book.head()
    (posted,) = post(book, tx(100, t(A, B, 250)))
    assert (posted.id, posted.seq, posted.replay) == (ident(100), before.seq + 1, False)
    assert posted.at > before.at
    assert (book.balance(A), book.balance(B), book.balance(C)) == (FUNDS - 250, FUNDS + 250, FUNDS)
    head = book.head()
    assert (head.seq, head.at) == (posted.seq, posted.at)
    assert head.root != before.root


def test_all_legs_or_none(book: Book) -> None:
    before = dump(book)
    assert codes(book.post([tx(100, t(A, B, 10), t(B, C, 20), t(C, CAPPED, FUNDS))]).answers) == ["above_ceiling"]
    assert dump(book) == before
    post(book, tx(100, t(A, B, 10), t(B, C, 20), t(C, A, 30)))
    assert [book.balance(n) for n in (A, B, C)] == [FUNDS + 20, FUNDS - 10, FUNDS - 10]


def test_bounds_hold_after_the_whole_transaction_not_between_its_legs(book: Book) -> None:
    post(book, tx(100, t(A, B, 5 * FUNDS), t(B, A, 5 * FUNDS)))
    post(book, tx(101, t(A, CAPPED, 900), t(CAPPED, A, 400)))
    assert (book.balance(A), book.balance(CAPPED)) == (FUNDS - 500, 500)
    between = [entry.balance for entry in reversed(book.statement(A).entries)]
    assert between == [FUNDS, -4 * FUNDS, FUNDS, FUNDS - 900, FUNDS - 500]


def test_256_legs_and_no_more(book: Book) -> None:
    (posted,) = post(book, tx(100, *[t(A, B, 1)] * 256))
    places = [row.place for row in dump(book).transfers][-256:]
    assert places == [posted.seq * 256 + leg for leg in range(256)]
    assert book.balance(B) == FUNDS + 256


def test_the_last_cent_and_the_first_of_the_ceiling(book: Book) -> None:
    post(book, tx(100, t(A, B, FUNDS)), tx(101, t(B, CAPPED, 500)))
    assert codes(book.post([tx(102, t(A, B, 1)), tx(103, t(B, CAPPED, 1))]).answers) == ["below_floor", "above_ceiling"]
    post(book, tx(104, t(CAPPED, A, 1)), tx(105, t(B, CAPPED, 1)))
    assert (book.balance(A), book.balance(CAPPED)) == (1, 500)


def test_an_overdraft_down_to_its_floor(book: Book) -> None:
    post(book, opening(100, 61, floor=-300), tx(101, t(61, A, 300)))
    assert codes(book.post([tx(102, t(61, A, 1))]).answers) == ["below_floor"]
    assert book.balance(61) == -300
    post(book, tx(103, t(A, 61, 100)))
    assert book.balance(61) == -200


def test_each_side_grows_on_its_own_side(book: Book) -> None:
    post(book, tx(100, t(BANK, GUARANTEE, 7, "EUR")))
    bank, guarantee = book.account(BANK), book.account(GUARANTEE)
    assert (bank.normal, bank.debits - bank.credits, bank.balance) == (1, 3 * FUNDS + 7, 3 * FUNDS + 7)
    assert (guarantee.normal, guarantee.debits - guarantee.credits, guarantee.balance) == (
        -1,
        -3 * FUNDS - 7,
        3 * FUNDS + 7,
    )


def test_the_end_of_the_number_range_is_an_account_like_others(book: Book) -> None:
    assert A == 2**63 - 1
    post(book, tx(100, t(A, B, 1)))
    assert book.statement(A).entries[0].counterparty == B


def test_a_unit_is_issued_only_against_what_covers_it(book: Book) -> None:
    legs = t(CIRCULATION, A, 50), t(BANK, GUARANTEE, 50, "EUR")
    assert codes(book.post([tx(100, legs[0])]).answers) == ["not_covered"]
    post(book, tx(101, *legs))
    post(book, tx(102, *reversed(legs)))
    # Backing that is too much may go, backing that is used may not.
    post(book, tx(103, t(BANK, GUARANTEE, 9, "EUR")))
    assert codes(book.post([tx(104, t(GUARANTEE, BANK, 10, "EUR"))]).answers) == ["not_covered"]
    post(book, tx(105, t(GUARANTEE, BANK, 9, "EUR")))
    post(book, tx(106, t(A, CIRCULATION, 50), t(GUARANTEE, BANK, 50, "EUR")))
    assert book.balance(CIRCULATION) == book.balance(GUARANTEE) == 3 * FUNDS + 50


def test_cover_holds_from_the_batch_that_opens_the_account(book: Book) -> None:
    answers = book.post(
        [
            opening(100, 61, "EUR"),
            opening(101, 62, side=Side.DEBIT, cover=61),
            tx(102, t(62, A, 1)),
            tx(103, t(BANK, 61, 5, "EUR"), t(62, A, 5)),
            tx(104, t(62, A, 1)),
        ]
    ).answers
    assert codes(answers) == ["posted", "posted", "not_covered", "posted", "not_covered"]
    # A later batch that names neither the covered account nor its opening is held to it all the same.
    assert codes(book.post([tx(105, t(61, BANK, 1, "EUR"))]).answers) == ["not_covered"]


def test_two_accounts_covered_by_one_are_each_held_to_it(book: Book) -> None:
    post(book, opening(100, 61, side=Side.DEBIT, cover=GUARANTEE), tx(101, t(61, A, 3 * FUNDS)))
    assert codes(book.post([tx(102, t(61, A, 1))]).answers) == ["not_covered"]
    assert codes(book.post([tx(103, t(GUARANTEE, BANK, 1, "EUR"))]).answers) == ["not_covered"]


def test_nothing_is_opened_under_a_cover_that_lies_below_zero(book: Book) -> None:
    post(book, tx(100, t(FREE, A, 10)))
    before = dump(book)
    assert codes(book.post([opening(101, 61, cover=FREE)]).answers) == ["not_covered"]
    assert dump(book) == before
    post(book, tx(102, t(A, FREE, 10)), opening(103, 61, cover=FREE))


@pytest.mark.parametrize("batches", ["one batch", "two batches"])
def test_a_closed_account_needs_no_cover_any_more(book: Book, batches: str) -> None:
    post(book, opening(100, 61, cover=FREE))
    assert codes(book.post([tx(101, t(FREE, A, 1))]).answers) == ["not_covered"]
    both: list[Instruction] = [closing(102, 61), tx(103, t(FREE, A, 1))]
    parts = [both] if batches == "one batch" else [both[:1], both[1:]]
    assert [codes(book.post(part).answers) for part in parts] == [["posted"] * len(part) for part in parts]
    assert book.balance(FREE) == -1


def test_a_correction_in_parts_gives_back_at_most_all(book: Book) -> None:
    post(book, tx(100, t(A, B, 300)))
    post(book, tx(101, t(B, A, 100), corrects=100), tx(102, t(B, A, 150), corrects=100))
    assert codes(book.post([tx(103, t(B, A, 51), corrects=100)]).answers) == ["correction_exceeds"]
    post(book, tx(104, t(B, A, 50), corrects=100))
    assert codes(book.post([tx(105, t(B, A, 1), corrects=100)]).answers) == ["correction_exceeds"]
    assert book.balance(A) == book.balance(B) == FUNDS
    found = book.find(ident(104))
    assert found is not None and getattr(found.instruction, "corrects", None) == ident(100)


def test_parts_within_one_batch_count_too(book: Book) -> None:
    answers = book.post(
        [
            tx(100, t(A, B, 300)),
            tx(101, t(B, A, 200), corrects=100),
            tx(102, t(B, A, 101), corrects=100),
            tx(103, t(B, A, 100), corrects=100),
            tx(104, t(B, A, 1), corrects=100),
        ]
    ).answers
    assert codes(answers) == ["posted", "posted", "correction_exceeds", "posted", "correction_exceeds"]


def test_a_correction_before_and_after_what_it_corrects(book: Book) -> None:
    back = tx(101, t(B, A, 300), corrects=100)
    assert codes(book.post([back, tx(100, t(A, B, 300)), back, back]).answers) == [
        "correction_unknown",
        "posted",
        "posted",
        "replay",
    ]


def test_a_refused_correction_uses_nothing_up(book: Book) -> None:
    post(book, tx(100, t(A, B, 300)), tx(101, t(B, C, FUNDS + 300)))
    assert codes(book.post([tx(102, t(B, A, 300), corrects=100)]).answers) == ["below_floor"]
    post(book, tx(103, t(C, B, 300)), tx(102, t(B, A, 300), corrects=100))


def test_a_correction_of_many_legs(book: Book) -> None:
    post(book, tx(100, t(A, B, 10), t(A, B, 20), t(A, C, 5), t(B, A, 3)))
    answers = book.post(
        [
            tx(101, t(B, A, 30), t(C, A, 5), t(A, B, 3), corrects=100),
            tx(102, t(B, A, 1), corrects=100),
            tx(103, t(A, B, 1), corrects=100),
        ]
    ).answers
    assert codes(answers) == ["posted", "correction_exceeds", "correction_exceeds"]


def test_a_correction_is_itself_corrected(book: Book) -> None:
    post(book, tx(100, t(A, B, 300)), tx(101, t(B, A, 300), corrects=100), tx(102, t(A, B, 300), corrects=101))
    assert codes(book.post([tx(103, t(A, B, 1), corrects=101)]).answers) == ["correction_exceeds"]
    assert book.balance(B) == FUNDS + 300


def test_many_parts_in_one_batch(book: Book) -> None:
    post(book, tx(100, t(A, B, 150)))
    post(book, *[tx(1_000 + n, t(B, A, 1), corrects=100) for n in range(150)])
    assert codes(book.post([tx(99, t(B, A, 1), corrects=100)]).answers) == ["correction_exceeds"]


def test_an_account_is_opened_used_and_closed_in_one_batch(book: Book) -> None:
    post(book, opening(100, 61), tx(101, t(A, 61, 5)), tx(102, t(61, A, 5)), closing(103, 61))
    state = book.account(61)
    assert (state.balance, state.debits, state.credits) == (0, 5, 5)
    assert state.opened < state.closed == book.head().seq
    assert codes(book.post([tx(104, t(A, 61, 1))]).answers) == ["account_closed"]
    assert [entry.change for entry in book.statement(61).entries] == [-5, 5]


def test_a_closed_account_keeps_its_history_and_its_number(book: Book) -> None:
    post(book, tx(100, t(A, B, FUNDS)), closing(101, A))
    assert [entry.balance for entry in book.statement(A).entries] == [0, FUNDS]
    assert codes(book.post([opening(102, A)]).answers) == ["account_exists"]
    assert book.account(CLOSED).closed


def test_a_covering_account_closes_after_what_it_covers(book: Book) -> None:
    post(book, opening(100, 61, "EUR"), opening(101, 62, cover=61))
    assert codes(book.post([closing(102, 61)]).answers) == ["account_not_empty"]
    post(book, closing(103, 62), closing(104, 61))


def test_notes_and_dates_are_in_the_record_only(book: Book) -> None:
    before = dump(book)
    post(
        book,
        note(100, what="said", n=-5),
        tx(101, t(FREE, OTHER_FREE, 1), booked_on=date(1999, 12, 31), evidence={"z": 1, "a": "é"}),
    )
    after = dump(book)
    assert len(after.transfers) == len(before.transfers) + 1
    said, moved = (record.parse(row.record) for row in after.log[-2:])
    assert said.instruction.evidence == {"what": "said", "n": -5}
    assert moved.instruction.booked_on == date(1999, 12, 31)
    entry = book.statement(FREE).entries[0]
    assert (entry.booked_on, entry.evidence, entry.kind) == (date(1999, 12, 31), {"z": 1, "a": "é"}, "payment")


def test_each_unit_sums_to_zero_and_the_columns_say_what_the_records_say(book: Book) -> None:
    post(book, *(tx(100 + n, t(A, B, n + 1), t(B, C, n + 2)) for n in range(20)))
    everything = dump(book)
    for unit in ("PAT", "EUR"):
        assert sum(row.normal * row.balance for row in everything.accounts if row.unit == unit) == 0
    for row in everything.log:
        said = record.parse(row.record)
        assert (said.seq, said.at, said.instruction.id) == (row.seq, row.at, row.id)
    assert [row.seq for row in everything.log] == list(range(1, len(everything.log) + 1))
    times = [row.at for row in everything.log]
    assert times == sorted(set(times))


def test_a_second_book_on_the_same_place_goes_on_where_the_first_is(ground: Ground) -> None:
    one, other = settle(ground.book()), ground.book(seed=2)
    for n in range(10):
        writer, reader = (one, other) if n % 2 else (other, one)
        (posted,) = post(writer, tx(100 + n, t(A, B, 1)))
        assert isinstance(posted, Posted)
        assert reader.head() == writer.head()
        assert reader.balance(A) == FUNDS - n - 1
        assert codes(reader.post([tx(100 + n, t(A, B, 1))]).answers) == ["replay"]
    assert dump(one) == dump(other)
