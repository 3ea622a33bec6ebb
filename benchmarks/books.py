"""A town of ten thousand holders, payments between them, and the rows they come to, for a floor to write the same."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator, Sequence

from ledger.core import ids, rules, tree
from ledger.core.book import Book, needs
from ledger.core.model import Account, Head, Instruction, Opening, Refused, Side, Transaction, Transfer
from ledger.core.rules import Fold, State

HOLDERS = 10_000
FUNDS = 1_000_000_00
BANK, GUARANTEE, CIRCULATION = 11, 12, 13
BATCH = 8_190


class Town:
    """Account numbers, and instructions over them. Numbers and amounts are the same in every run, ids are new."""

    def __init__(self, seed: int = 1) -> None:
        self.pick = random.Random(seed)
        self.holders = [ids.new_account_number(self.pick.randbytes(8)) for _ in range(HOLDERS)]

    def founding(self) -> Iterator[list[Instruction]]:
        """Batches that open every account and fund every holder, each unit backed by a euro."""
        yield [
            Opening(_id(), Account(BANK, "EUR", Side.DEBIT)),
            Opening(_id(), Account(GUARANTEE, "EUR", Side.CREDIT)),
            Opening(_id(), Account(CIRCULATION, "PAT", Side.DEBIT, cover=GUARANTEE)),
        ]
        for some in _pieces(self.holders):
            yield [Opening(_id(), Account(number, "PAT", Side.CREDIT)) for number in some]
        for some in _pieces(self.holders):
            yield [_conversion(number) for number in some]

    def payments(self, count: int, *, hot: bool = False, shops: int = HOLDERS) -> list[Instruction]:
        """Payments of a few cents from random holders (`hot`: the first alone) to random ones of the first `shops`."""
        choice, holders, payees = self.pick.choice, self.holders, self.holders[:shops]
        made: list[Instruction] = []
        while len(made) < count:
            payer, payee = holders[0] if hot else choice(holders), choice(payees)
            if payer != payee:
                moved = (Transfer(payer, payee, self.pick.randrange(1, 50), "PAT"),)
                made.append(Transaction(_id(), "payment", moved))
        return made


class Shadow:
    """The rules without a database: what a store has to write for a batch."""

    def __init__(self) -> None:
        self.head = Head(0, 0, b"", tree.EMPTY_ROOT)
        self.accounts: dict[int, State] = {}

    def fold(self, batch: Sequence[Instruction]) -> Fold:
        """What `batch` comes to; nothing of it may be refused."""
        numbers, _ = needs(batch)
        known = {number: self.accounts[number] for number in numbers if number in self.accounts}
        fold = rules.fold(
            self.head,
            batch,
            now=time.time_ns() // 1_000,
            salts=os.urandom(16 * len(batch)),
            posted={},
            accounts=known,
            originals={},
        )
        refused = [answer for answer in fold.answers if isinstance(answer, Refused)]
        assert not refused, refused[0]
        self.head = fold.head
        self.accounts.update((state.number, state) for state in fold.opened)
        return fold


def post(book: Book, batch: Sequence[Instruction]) -> None:
    """Post `batch`; nothing of it may be refused."""
    refused = [answer for answer in book.post(batch).answers if isinstance(answer, Refused)]
    assert not refused, refused[0]


def in_batches(instructions: list[Instruction], size: int) -> list[list[Instruction]]:
    """`instructions` in batches of `size`."""
    return [instructions[k : k + size] for k in range(0, len(instructions), size)]


def _id() -> bytes:
    return ids.uuid7(time.time_ns() // 1_000, os.urandom(10))


def _conversion(holder: int) -> Transaction:
    legs = (Transfer(CIRCULATION, holder, FUNDS, "PAT"), Transfer(BANK, GUARANTEE, FUNDS, "EUR"))
    return Transaction(_id(), "conversion", legs)


def _pieces(numbers: list[int]) -> Iterator[list[int]]:
    return (numbers[k : k + BATCH] for k in range(0, len(numbers), BATCH))
