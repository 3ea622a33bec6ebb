"""What the conformance tests share: one small town, short ways to write instructions, and a dump of a whole book."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, NamedTuple

from ledger.core.book import Book
from ledger.core.memory import MemoryStore
from ledger.core.model import (
    Account,
    Answer,
    Closing,
    Head,
    Instruction,
    Note,
    Opening,
    Posted,
    Refused,
    Side,
    Transaction,
    Transfer,
)
from ledger.core.opening import open_book
from ledger.core.rules import LogRow, TransferRow
from ledger.core.strict import AccountRow, account_row

BANK, GUARANTEE, CIRCULATION = 11, 12, 13
A, B, C = 2**63 - 1, 22, 23
CAPPED, FREE, OTHER_FREE, CLOSED = 31, 41, 42, 51
NOBODY = 99
START = 1_700_000_000_000_000
FUNDS = 1_000


class Clock:
    """A clock that a test sets: each reading is `step` microseconds after the one before."""

    def __init__(self, now: int = START, step: int = 1_000) -> None:
        self.now = now
        self.step = step

    def __call__(self) -> int:
        self.now += self.step
        return self.now


class Ground:
    """One place where a book is kept. Books opened here see the same ledger, as two processes would."""

    def __init__(self, kind: str, address: str) -> None:
        self.kind = kind
        self.address = address
        self._memory = MemoryStore()
        self._open: list[Book] = []

    def book(self, clock: Callable[[], int] | None = None, seed: int = 1) -> Book:
        clock = clock or Clock()
        entropy = random.Random(seed).randbytes
        if self.kind == "memory":
            return Book(self._memory, clock=clock, entropy=entropy)
        book = open_book(self.address, clock=clock, entropy=entropy)
        self._open.append(book)
        return book

    def close(self) -> None:
        for book in self._open:
            book.close()


def ident(n: int) -> bytes:
    """The id number `n` of a test."""
    return n.to_bytes(16)


def opening(n: int, number: int, unit: str = "PAT", side: Side = Side.CREDIT, **bounds: int | None) -> Opening:
    return Opening(ident(n), Account(number, unit, side, **bounds))


def closing(n: int, number: int) -> Closing:
    return Closing(ident(n), number)


def note(n: int, /, **evidence: str | int) -> Note:
    return Note(ident(n), "note", evidence)


def t(debit: int, credit: int, amount: int, unit: str = "PAT") -> Transfer:
    return Transfer(debit, credit, amount, unit)


def tx(
    n: int, *transfers: Transfer, corrects: int | None = None, booked_on: date | None = None, **more: Any
) -> Transaction:
    back = None if corrects is None else ident(corrects)
    return Transaction(ident(n), more.pop("kind", "payment"), transfers, booked_on, back, **more)


def town() -> list[Instruction]:
    """Reserve, circulation covered one for one, three holders with FUNDS each, a capped, two free, a closed account."""
    holders = (A, B, C)
    return [
        opening(1, BANK, "EUR", Side.DEBIT),
        opening(2, GUARANTEE, "EUR"),
        opening(3, CIRCULATION, side=Side.DEBIT, cover=GUARANTEE),
        opening(4, A),
        opening(5, B),
        opening(6, C),
        opening(7, CAPPED, ceiling=500),
        opening(8, FREE, floor=None),
        opening(9, OTHER_FREE, floor=None),
        opening(10, CLOSED),
        closing(11, CLOSED),
        *(
            tx(20 + k, t(CIRCULATION, holder, FUNDS), t(BANK, GUARANTEE, FUNDS, "EUR"), kind="conversion")
            for k, holder in enumerate(holders)
        ),
    ]


def settle(book: Book) -> Book:
    """Post the town; nothing of it may be refused."""
    post(book, *town())
    return book


def post(book: Book, *batch: Instruction) -> list[Posted]:
    """Post `batch`; nothing of it may be refused."""
    answers = book.post(batch).answers
    assert [type(a) for a in answers] == [Posted] * len(batch), answers
    return answers  # type: ignore[return-value]


def codes(answers: Sequence[Answer]) -> list[str]:
    """Of each answer `posted`, `replay`, or the refusal's code."""
    return [a.code if isinstance(a, Refused) else "replay" if a.replay else "posted" for a in answers]


class Dump(NamedTuple):
    """Everything in a book."""

    head: Head
    log: list[LogRow]
    transfers: list[TransferRow]
    accounts: list[AccountRow]
    last: list[int]

    def balances(self) -> dict[int, int]:
        return {row.number: row.balance for row in self.accounts}


def dump(book: Book) -> Dump:
    with book.store.reading() as store:
        accounts = store.all_accounts(0, 10**6)
        return Dump(
            store.head(),
            store.log(0, 10**6),
            store.transfers(0, 10**6),
            [account_row(state) for state in accounts],
            [state.last for state in accounts],
        )
