"""Which movements between accounts of the reserve go together: values only, each rule by its own."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations
from random import Random

import pytest

from ledger.currency.reserve.model import MOVED
from ledger.currency.reserve.moving import Moved, Moving, Said

DAY, ONE = date(2025, 6, 10), timedelta(days=1)
P, Q, R = "P", "Q", "R"


class Bank:
    """Movements as the log took them. `to` is the account that the bank's line names; where it names none, a person
    placed it."""

    def __init__(self) -> None:
        self.moving, self.named = Moving(), dict[bytes, str]()
        self.openings, self.returns = set[bytes](), set[bytes]()

    def moves(self, account: str, day: int, amount: int, to: str | None = None) -> bytes:
        """Cents that came to `account` (below nothing: left it)."""
        seq = len(self.moving.entries) + 1
        id_ = seq.to_bytes(16)
        kind = MOVED if to else "bank_placed"
        on = DAY + day * ONE
        self.moving.entries.append(Moved(-amount, on, on, kind, "", id_, seq, account, id_, None))
        if to:
            self.named[id_] = to
        return id_

    @property
    def left(self) -> list[bytes]:
        return [one.id for one in self.moving.alone(self.said)]

    @property
    def said(self) -> Said:
        return Said(self.named, self.openings, self.returns)


def test_what_arrives_in_part_and_is_sent_back_in_part() -> None:
    for names in (True, False):
        bank, (p, q) = Bank(), (P, Q) if names else (None, None)
        bank.moves(P, 1, -10_000, q)
        bank.moves(Q, 1, 6_000, p)
        assert len(bank.left) == 2
        bank.moves(P, 2, 4_000, q)
        assert not bank.left


@pytest.mark.parametrize("to", [None, Q])
def test_what_the_bank_calls_a_return(to: str | None) -> None:
    """To the account that it had left, after it left, of as much: else it is something else."""
    bank = Bank()
    left = bank.moves(P, 1, -10_000, to)
    back = bank.moves(P, 3, 10_000)
    assert bank.left == [left, back]
    bank.returns.add(back)
    assert not bank.left
    for account, day, amount in ((R, 4, 10_000), (P, 0, 10_000), (P, 4, 9_999)):
        other = Bank()
        ids = [other.moves(P, 1, -10_000, Q), other.moves(account, day, amount, account if account == R else None)]
        other.returns.add(ids[1])
        assert len(other.left) == 2, (account, day, amount)


def test_what_is_sent_back_as_the_bank_says() -> None:
    bank = Bank()
    bank.moves(P, 1, -10_000, Q)
    bank.moves(P, 3, 10_000, Q)
    bank.moves(P, 4, -10_000, Q)
    bank.moves(P, 5, 7_000, Q)
    bank.moves(P, 6, 3_000, Q)
    assert not bank.left


@pytest.mark.parametrize("names", [(Q, R), (None, None), (Q, None), (None, Q)])
def test_what_comes_back_from_elsewhere_did_not_come_back(names: tuple[str | None, str | None]) -> None:
    bank, (went, came) = Bank(), names
    stands = [bank.moves(P, 1, -10_000, went), bank.moves(P, 3, 10_000, came)]
    assert bank.left == stands
    stands += [bank.moves(P, 9, -5_000, went), bank.moves(P, 9, 3_000, came), bank.moves(P, 9, 2_000, came)]
    assert bank.left == stands


def test_what_came_before_it_left_did_not_come_back() -> None:
    bank = Bank()
    stands = [bank.moves(P, 1, 10_000, Q), bank.moves(P, 2, -10_000, Q)]
    assert bank.left == stands


def test_several_that_arrived_as_one() -> None:
    """A first statement has what came before it as one sum."""
    bank = Bank()
    theft = bank.moves(P, 0, -10_000)
    bank.moves(P, 1, -30_000, Q)
    bank.moves(P, 1, -10_000, Q)
    bank.moves(Q, 9, 40_000)
    assert bank.left == [theft]


def test_what_was_there_before_a_first_statement_came_whenever() -> None:
    """A savings account may have one statement a year."""
    bank = Bank()
    bank.moves(P, 1, -30_000, Q)
    bank.moves(P, 31, -10_000, Q)
    there = [bank.moves(Q, 340, 30_000), bank.moves(Q, 340, 10_000)]
    assert len(bank.left) == 4
    bank.openings.update(there)
    assert not bank.left


@pytest.mark.parametrize("names", [True, False])
def test_three_accounts_on_one_day_in_any_order(names: bool) -> None:
    both = [(P, -10_000, R), (R, 10_000, P), (Q, -10_000, P), (P, 10_000, Q)]
    for order in permutations(both):
        bank = Bank()
        for account, amount, to in order:
            bank.moves(account, 2, amount, to if names else None)
        assert not bank.left


def test_a_line_that_names_another_account_is_not_it() -> None:
    bank = Bank()
    stolen = bank.moves(P, 1, -10_000, R)
    bank.moves(P, 1, -10_000)
    bank.moves(Q, 1, 10_000, P)
    assert bank.left == [stolen]


def test_others_make_way_however_many_have_to() -> None:
    """Each arrival took the departure next to it, and the last finds the first, half a year before."""
    bank = Bank()
    for month in range(1, 8):
        bank.moves(P, 90 * month, -10_000, Q)
    for month in range(2, 9):
        bank.moves(Q, 90 * month + 5, 10_000, P)
    assert not bank.left


def test_a_theft_among_equal_sums_is_left() -> None:
    for seed in range(60):
        chance, bank = Random(seed), Bank()
        theft = bank.moves(P, 0, -10_000)
        for week in range(1, 9):
            day, names = 7 * week, chance.random() < 0.5
            sent, told = (P, Q) if chance.random() < 0.7 else (Q, P), chance.random() < 0.5
            to, from_ = (sent[1], sent[0]) if names else (None, None)
            parts = chance.choice(([10_000], [6_000, 4_000]))
            made = [(sent[0], day, -10_000, to), *((sent[1], day + 1, part, from_) for part in parts)]
            if len(parts) > 1 and told:
                made[-1] = (sent[0], day + 2, 4_000, to)
            for account, on, amount, other in chance.sample(made, len(made)):
                bank.moves(account, on, amount, other)
        assert bank.left == [theft], seed


def test_what_is_left_comes_to_what_is_in_transit() -> None:
    for seed in range(200):
        chance, bank = Random(seed), Bank()
        for _ in range(chance.randrange(2, 30)):
            account = chance.choice((P, Q, R))
            other = chance.choice((None, *({P, Q, R} - {account})))
            amount = chance.choice((-1, 1)) * chance.choice((100, 200, 300, 500))
            bank.moves(account, chance.randrange(60), amount, other)
        left = bank.moving.alone(bank.said)
        assert sum(one.amount for one in left) == sum(one.amount for one in bank.moving.entries)
