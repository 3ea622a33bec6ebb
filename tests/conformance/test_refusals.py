"""Every refusal, on every store: its code, its place in the order, and that nothing moved."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from ledger.core.book import MAX_BATCH, BatchTooLarge, Book, UnknownAccount
from ledger.core.model import (
    MAX_AMOUNT,
    Account,
    Closing,
    Instruction,
    Malformed,
    Note,
    Opening,
    Side,
    Transaction,
    Transfer,
)
from ledger.core.refusals import CODES, REFUSALS, SHAPE, STATE
from tests.conformance.conftest import Grounds
from tests.conformance.town import (
    BANK,
    CAPPED,
    CIRCULATION,
    CLOSED,
    FREE,
    FUNDS,
    GUARANTEE,
    NOBODY,
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

NEW = 1_000

SHAPES: list[tuple[str, Any]] = [
    ("id_malformed", lambda: Transaction(b"", "payment", (t(A, B, 1),))),
    ("id_malformed", lambda: Transaction(bytes(16), "payment", (t(A, B, 1),))),
    ("id_malformed", lambda: Closing(bytearray(ident(1)), A)),  # type: ignore[arg-type]
    ("id_malformed", lambda: Transaction(ident(1), "payment", (t(A, B, 1),), None, b"short")),
    ("kind_malformed", lambda: Transaction(ident(1), "Payment", (t(A, B, 1),))),
    ("kind_malformed", lambda: Note(ident(1), "x" * 33, {})),
    ("kind_malformed", lambda: Note(ident(1), "note\n", {})),
    ("date_malformed", lambda: tx(1, t(A, B, 1), booked_on=datetime(2026, 1, 1))),
    ("date_malformed", lambda: Closing(ident(1), A, "2026-01-01")),  # type: ignore[arg-type]
    ("account_malformed", lambda: t(0, B, 1)),
    ("account_malformed", lambda: t(A, 2**63, 1)),
    ("account_malformed", lambda: t(True, B, 1)),
    ("account_malformed", lambda: Closing(ident(1), -1)),
    ("account_malformed", lambda: Account(A, "PAT", -1)),  # type: ignore[arg-type]
    ("unit_malformed", lambda: t(A, B, 1, "pat")),
    ("unit_malformed", lambda: Account(A, "P", Side.CREDIT)),
    ("unit_malformed", lambda: t(A, B, 1, "PAT\n")),
    ("bounds_malformed", lambda: Account(A, "PAT", Side.CREDIT, floor=1)),
    ("bounds_malformed", lambda: Account(A, "PAT", Side.CREDIT, ceiling=-1)),
    ("bounds_malformed", lambda: Account(A, "PAT", Side.CREDIT, floor=-(2**53))),
    ("bounds_malformed", lambda: Account(A, "PAT", Side.CREDIT, floor=False)),
    ("bounds_malformed", lambda: Account(A, "PAT", Side.CREDIT, cover=A)),
    ("same_account", lambda: t(A, A, 1)),
    ("amount_out_of_range", lambda: t(A, B, 0)),
    ("amount_out_of_range", lambda: t(A, B, -1)),
    ("amount_out_of_range", lambda: t(A, B, MAX_AMOUNT + 1)),
    ("amount_out_of_range", lambda: t(A, B, 1.0)),  # type: ignore[arg-type]
    ("amount_out_of_range", lambda: t(A, B, True)),
    ("transfers_malformed", lambda: tx(1)),
    ("transfers_malformed", lambda: tx(1, *[t(A, B, 1)] * 257)),
    ("transfers_malformed", lambda: Transaction(ident(1), "payment", [t(A, B, 1)])),  # type: ignore[arg-type]
    ("transfers_malformed", lambda: tx(1, (A, B, 1, "PAT"))),  # type: ignore[arg-type]
    ("evidence_malformed", lambda: note(1, Key="x")),
    ("evidence_malformed", lambda: note(1, key=1.5)),  # type: ignore[arg-type]
    ("evidence_malformed", lambda: note(1, key=True)),
    ("evidence_malformed", lambda: note(1, key=2**53)),
    ("evidence_malformed", lambda: note(1, key="\ud800")),
    ("evidence_malformed", lambda: note(1, key="x" * 8_190)),
    ("evidence_malformed", lambda: Opening(ident(1), Account(A, "PAT", Side.CREDIT), None, {"k": None})),  # type: ignore[dict-item]
]


@pytest.mark.parametrize(("code", "make"), SHAPES, ids=[f"{code}-{n}" for n, (code, _) in enumerate(SHAPES)])
def test_what_cannot_exist_is_refused_by_its_constructor(code: str, make: Any) -> None:
    with pytest.raises(Malformed) as caught:
        make()
    assert caught.value.code == code
    assert CODES[code].stage == SHAPE


# Before all cases: payment 100 of 300 from A to B, of which 101 gave 40 back. Then the free accounts have moved,
# but for a few cents, what an account can move in all its life.
BEFORE = (tx(100, t(A, B, 300)), tx(101, t(B, A, 40), corrects=100), note(102, what="said"))
MUCH = [t(FREE, OTHER_FREE, MAX_AMOUNT)] * 256

STATES: list[tuple[str, Instruction]] = [
    ("id_taken", tx(100, t(A, B, 301))),
    ("id_taken", tx(100, t(B, A, 300))),
    ("id_taken", tx(100, t(A, B, 300), kind="gift")),
    ("id_taken", tx(100, t(A, B, 300), booked_on=date(2026, 1, 1))),
    ("id_taken", tx(100, t(A, B, 300), corrects=101)),
    ("id_taken", tx(100, t(A, B, 300), evidence={"memo": "x"})),
    ("id_taken", tx(100, t(A, B, 300), t(A, B, 300))),
    ("id_taken", note(100, what="said")),
    ("id_taken", note(102, what="unsaid")),
    ("id_taken", opening(4, NOBODY)),
    ("id_taken", closing(11, A)),
    ("account_exists", opening(NEW, A)),
    ("account_exists", opening(NEW, CLOSED)),
    ("account_unknown", tx(NEW, t(A, NOBODY, 1))),
    ("account_unknown", tx(NEW, t(NOBODY, A, 1))),
    ("account_unknown", closing(NEW, NOBODY)),
    ("account_unknown", opening(NEW, NOBODY, cover=NOBODY + 1)),
    ("account_closed", tx(NEW, t(A, CLOSED, 1))),
    ("account_closed", closing(NEW, CLOSED)),
    ("account_closed", opening(NEW, NOBODY, cover=CLOSED)),
    ("unit_differs", tx(NEW, t(A, BANK, 1))),
    ("unit_differs", tx(NEW, t(A, B, 1, "EUR"))),
    ("cover_chained", opening(NEW, NOBODY, cover=CIRCULATION)),
    ("correction_unknown", tx(NEW, t(B, A, 1), corrects=999)),
    ("correction_unknown", tx(NEW, t(B, A, 1), corrects=NEW)),
    ("correction_unknown", tx(NEW, t(B, A, 1), corrects=102)),
    ("correction_unknown", tx(NEW, t(B, A, 1), corrects=4)),
    ("correction_unrelated", tx(NEW, t(A, B, 1), corrects=100)),
    ("correction_unrelated", tx(NEW, t(B, C, 1), corrects=100)),
    ("correction_exceeds", tx(NEW, t(B, A, 261), corrects=100)),
    ("correction_exceeds", tx(NEW, t(B, A, 200), t(B, A, 61), corrects=100)),
    ("correction_exceeds", tx(NEW, t(A, B, 41), corrects=101)),
    ("below_floor", tx(NEW, t(A, B, FUNDS + 1))),
    ("below_floor", tx(NEW, t(C, A, FUNDS), t(C, B, 1))),
    ("below_floor", tx(NEW, t(GUARANTEE, BANK, 3 * FUNDS + 1, "EUR"))),
    ("above_ceiling", tx(NEW, t(A, CAPPED, 501))),
    ("above_ceiling", tx(NEW, t(A, CAPPED, 300), t(B, CAPPED, 201))),
    ("total_too_large", tx(NEW, t(FREE, OTHER_FREE, 512))),
    ("not_covered", tx(NEW, t(CIRCULATION, A, 1))),
    ("not_covered", tx(NEW, t(GUARANTEE, BANK, 1, "EUR"))),
    ("not_covered", tx(NEW, t(CIRCULATION, A, 2), t(BANK, GUARANTEE, 1, "EUR"))),
    ("account_not_empty", closing(NEW, A)),
    ("account_not_empty", closing(NEW, GUARANTEE)),
]


@pytest.fixture(scope="module")
def still(shared_ground: Ground) -> Book:
    """One book for all refusals: since nothing moves, the last finds it as the first did."""
    book = settle(shared_ground.book())
    post(book, *BEFORE, tx(200, *MUCH), tx(201, *MUCH))
    return book


@pytest.mark.parametrize(("code", "instruction"), STATES, ids=[f"{code}-{n}" for n, (code, _) in enumerate(STATES)])
def test_refused_and_nothing_moved(still: Book, code: str, instruction: Instruction) -> None:
    before = dump(still)
    outcome = still.post([instruction])
    assert codes(outcome.answers) == [code]
    assert outcome.answers[0].id == instruction.id
    assert outcome.head == before.head
    assert CODES[code].stage == STATE
    assert dump(still) == before
    assert {n: still.balance(n) for n in before.balances()} == before.balances()


def test_refused_in_the_middle_of_a_batch_leaves_its_neighbours_alone(grounds: Grounds) -> None:
    for code, instruction in STATES:
        book = settle(grounds.make("memory").book())
        post(book, *BEFORE, *[tx(n, *MUCH) for n in (200, 201) if code == "total_too_large"])
        answers = book.post([tx(1, t(A, B, 1)), tx(501, t(A, B, 1)), instruction, tx(502, t(B, C, 1))]).answers
        assert codes(answers) == ["id_taken", "posted", code, "posted"], code


def test_every_code_is_tried_here() -> None:
    assert {code for code, _ in SHAPES} == {r.code for r in REFUSALS if r.stage == SHAPE}
    assert {code for code, _ in STATES} == {r.code for r in REFUSALS if r.stage == STATE}
    assert all(refusal.meaning.endswith(".") for refusal in REFUSALS)


# Instructions with two faults: the first code is the answer.
PAIRS: list[tuple[str, str, Instruction]] = [
    ("id_taken", "account_unknown", tx(100, t(A, NOBODY, 1))),
    ("id_taken", "account_exists", opening(100, A)),
    ("id_taken", "below_floor", tx(100, t(A, B, 10**6))),
    ("account_exists", "account_unknown", opening(NEW, A, cover=NOBODY)),
    ("account_exists", "cover_chained", opening(NEW, A, cover=CIRCULATION)),
    ("account_unknown", "unit_differs", tx(NEW, t(NOBODY, B, 1, "EUR"))),
    ("account_unknown", "correction_unknown", tx(NEW, t(A, NOBODY, 1), corrects=999)),
    ("account_unknown", "below_floor", tx(NEW, t(A, NOBODY, 10**6))),
    ("account_closed", "unit_differs", tx(NEW, t(CLOSED, A, 1, "EUR"))),
    ("account_closed", "correction_unknown", tx(NEW, t(CLOSED, A, 1), corrects=999)),
    ("account_closed", "below_floor", tx(NEW, t(CLOSED, A, 1))),
    ("unit_differs", "correction_unknown", tx(NEW, t(A, B, 1, "EUR"), corrects=999)),
    ("unit_differs", "below_floor", tx(NEW, t(A, B, 10**6, "EUR"))),
    ("correction_unknown", "below_floor", tx(NEW, t(A, B, 10**6), corrects=999)),
    ("correction_unrelated", "correction_exceeds", tx(NEW, t(B, C, 1), t(B, A, 10**6), corrects=100)),
    ("correction_unrelated", "below_floor", tx(NEW, t(B, C, 10**6), corrects=100)),
    ("correction_exceeds", "below_floor", tx(NEW, t(B, A, 10**6), corrects=100)),
    ("below_floor", "above_ceiling", tx(NEW, t(A, CAPPED, 10**6))),
    ("below_floor", "not_covered", tx(NEW, t(GUARANTEE, BANK, 10**6, "EUR"))),
    ("above_ceiling", "not_covered", tx(NEW, t(CIRCULATION, CAPPED, 501))),
    ("account_closed", "account_not_empty", closing(NEW, CLOSED)),
    # Transfers are taken in order, the debited account before the credited one.
    ("account_closed", "account_unknown", tx(NEW, t(CLOSED, NOBODY, 1))),
    ("unit_differs", "account_unknown", tx(NEW, t(A, BANK, 1), t(A, NOBODY, 1))),
    ("above_ceiling", "below_floor", tx(NEW, t(A, CAPPED, 501), t(B, C, 10**6))),
]


@pytest.mark.parametrize(("first", "second", "instruction"), PAIRS, ids=[f"{a}-before-{b}" for a, b, _ in PAIRS])
def test_of_two_faults_the_first_is_named(still: Book, first: str, second: str, instruction: Instruction) -> None:
    before = dump(still)
    assert codes(still.post([instruction]).answers) == [first]
    assert dump(still) == before


def test_the_order_of_the_pairs_is_that_of_the_reference() -> None:
    order = [refusal.code for refusal in REFUSALS]
    later = [(a, b) for a, b, _ in PAIRS[:-3] if order.index(a) > order.index(b)]
    assert later == []


def test_a_refused_id_is_free_again(book: Book) -> None:
    assert codes(book.post([tx(NEW, t(A, B, FUNDS + 1))]).answers) == ["below_floor"]
    post(book, tx(NEW, t(A, B, FUNDS)))
    assert book.balance(A) == 0


def test_too_many_instructions_are_refused_before_anything_is_read(book: Book) -> None:
    before = dump(book)
    with pytest.raises(BatchTooLarge):
        book.post([tx(NEW + n, t(A, B, 1)) for n in range(MAX_BATCH + 1)])
    assert dump(book) == before


def test_reading_an_account_that_is_not_there(book: Book) -> None:
    for read in (book.account, book.balance, book.statement):
        with pytest.raises(UnknownAccount):
            read(NOBODY)
    assert book.find(ident(999)) is None


def test_a_transfer_cannot_be_changed() -> None:
    transfer = t(A, B, 1)
    with pytest.raises(AttributeError):
        transfer.amount = 2
    assert transfer == Transfer(A, B, 1, "PAT") and hash(transfer) == hash(Transfer(A, B, 1, "PAT"))
