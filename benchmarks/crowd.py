"""Books to measure on: ten thousand funded accounts, and payments between random pairs of them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

from ledger.core.book import Book
from ledger.core.ids import uuid7
from ledger.core.model import Account, Instruction, Opening, Refused, Side, Transaction, Transfer

ACCOUNTS = 10_000
FUNDS = 10**9
UNIT = "PATARD"
BATCH = 4_000
_RANDOM = random.Random(7)


def new_id() -> bytes:
    """A time-ordered id, as callers make them."""
    return uuid7(time.time_ns() // 1_000, _RANDOM.randbytes(10))


def post_all(book: Book, instructions: list[Instruction], batch: int = BATCH) -> int:
    """Post everything, in batches of `batch`; nothing may be refused. Returns how many."""
    for start in range(0, len(instructions), batch):
        answers = book.post(instructions[start : start + batch]).answers
        refused = [a for a in answers if isinstance(a, Refused)]
        if refused:
            raise AssertionError(refused[0])
    return len(instructions)


def furnish(book: Book, accounts: int = ACCOUNTS) -> list[int]:
    """Open an issuer and `accounts` accounts in an empty book and fund them; returns their numbers."""
    issuer = Account(_RANDOM.getrandbits(62) + 1, UNIT, Side.DEBIT)
    numbers = [_RANDOM.getrandbits(62) + 1 for _ in range(accounts)]
    openings = [Opening(new_id(), a) for a in (issuer, *(Account(n, UNIT, Side.CREDIT) for n in numbers))]
    post_all(book, list(openings))
    issues = [Transaction(new_id(), "issue", (Transfer(issuer.number, n, FUNDS, UNIT),)) for n in numbers]
    post_all(book, list(issues))
    return numbers


def payments(numbers: list[int], count: int, payer: int | None = None) -> list[Instruction]:
    """`count` payments of one transfer each between random pairs, or all of them from `payer`."""
    made: list[Instruction] = []
    while len(made) < count:
        debit, credit = payer or _RANDOM.choice(numbers), _RANDOM.choice(numbers)
        if debit != credit:
            transfer = Transfer(debit, credit, _RANDOM.randrange(1, 50), UNIT)
            made.append(Transaction(new_id(), "payment", (transfer,)))
    return made


def batches(todo: list[Instruction], size: int) -> Iterator[list[Instruction]]:
    """`todo` in pieces of `size`."""
    for start in range(0, len(todo), size):
        yield todo[start : start + size]
