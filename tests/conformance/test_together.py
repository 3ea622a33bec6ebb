"""The three stores, given the same clock, randomness and batches, hold the same bytes."""

from __future__ import annotations

import random

import pytest

from ledger.core.model import Instruction
from tests.conformance.conftest import STORES, Grounds
from tests.conformance.town import (
    BANK,
    CAPPED,
    CIRCULATION,
    CLOSED,
    FREE,
    GUARANTEE,
    NOBODY,
    OTHER_FREE,
    A,
    B,
    C,
    Clock,
    closing,
    codes,
    dump,
    note,
    opening,
    settle,
    t,
    tx,
)


def anything(pick: random.Random) -> Instruction:
    """Some instruction, as likely as not to be refused; ids come from a small pool, so that many come twice."""
    n = pick.randrange(100, 300)
    held = (A, B, C, CAPPED, FREE, OTHER_FREE, CIRCULATION)
    what = pick.random()
    if what < 0.04:
        return note(n, what=f"said {pick.randrange(3)}")
    if what < 0.10:
        cover = pick.choice((None, None, GUARANTEE, FREE, CIRCULATION, CLOSED, NOBODY))
        return opening(n, pick.randrange(60, 70), cover=cover, floor=pick.choice((0, None, -50)))
    if what < 0.15:
        return closing(n, pick.choice((*range(60, 70), A, CLOSED, NOBODY)))
    if what < 0.25:
        cents = pick.randrange(1, 400)
        return tx(n, t(CIRCULATION, pick.choice(held[:3]), cents), t(BANK, GUARANTEE, cents, "EUR"), kind="conversion")
    legs = []
    for _ in range(pick.choice((1, 1, 1, 1, 2, 3, 12))):
        debit, credit = pick.sample((*held, *range(60, 63)), 2)
        legs.append(t(debit, credit, pick.randrange(1, 300), "PAT" if pick.random() < 0.98 else "EUR"))
    if what < 0.45:
        return tx(n, t(legs[0].credit, legs[0].debit, pick.randrange(1, 200)), corrects=pick.randrange(100, 300))
    return tx(n, *legs, evidence={"n": n} if what < 0.6 else {})


@pytest.mark.parametrize("seed", range(4))
def test_the_stores_agree_byte_for_byte(grounds: Grounds, seed: int) -> None:
    pick = random.Random(seed)
    batches = [[anything(pick) for _ in range(pick.choice((1, 1, 2, 5, 40)))] for _ in range(60)]
    books = [settle(grounds.make(kind).book(Clock(step=seed), seed)) for kind in STORES]
    seen: set[str] = set()
    for batch in batches:
        first, *others = (book.post(batch) for book in books)
        seen |= set(codes(first.answers))
        assert others == [first] * len(others)
    first_dump, *other_dumps = (dump(book) for book in books)
    assert other_dumps == [first_dump] * len(other_dumps)
    assert len(first_dump.log) > 100
    assert len(seen) > 10, seen


@pytest.mark.parametrize("seed", range(3))
def test_one_batch_or_many_come_to_the_same(grounds: Grounds, seed: int) -> None:
    """Where a batch ends decides nothing: the same answers, the same money, the same chains (but for the times)."""
    pick = random.Random(100 + seed)
    todo = [anything(pick) for _ in range(400)]
    clock = Clock(step=0)
    whole, single = (settle(grounds.make("sqlite").book(clock, seed)) for _ in range(2))
    together = whole.post(todo).answers
    alone = [answer for each in todo for answer in single.post([each]).answers]
    assert together == alone
    assert dump(whole) == dump(single)
