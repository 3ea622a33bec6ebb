"""The strictest store takes an honest fold and refuses each way of spoiling one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ledger.core import record, rules, tree
from ledger.core.book import Book
from ledger.core.memory import MemoryStore
from ledger.core.model import Instruction, Posted
from ledger.core.rules import Fold, LogRow, State, TransferRow
from ledger.core.strict import ContractBroken
from tests.conformance.town import (
    FREE,
    FUNDS,
    GUARANTEE,
    NOBODY,
    OTHER_FREE,
    A,
    B,
    C,
    Clock,
    closing,
    dump,
    opening,
    settle,
    t,
    tx,
)

BATCH: list[Instruction] = [
    tx(100, t(A, B, 10), t(B, C, 5)),
    opening(101, 61, cover=GUARANTEE),
    tx(102, t(FREE, OTHER_FREE, 7)),
    tx(103, t(B, A, 4), corrects=100),
    closing(104, 61),
]


def folded(book: Book, batch: list[Instruction]) -> Fold:
    """What the rules make of `batch`, not written."""
    with book.store.reading() as store:
        numbers = [row.number for row in store.all_accounts(0, 100)]
        accounts = store.accounts(numbers)
        rules.guard(accounts)
        return rules.fold(
            store.head(), batch, now=10**16, salts=bytes(16 * len(batch)), posted={}, accounts=accounts, originals={}
        )


def spoiled_row(field: str, value: Callable[[Any], Any], which: int = 0) -> Callable[[Fold], Fold]:
    def spoil(fold: Fold) -> Fold:
        row = TransferRow(*fold.transfers[which])
        fold.transfers[which] = row._replace(**{field: value(getattr(row, field))})
        return fold

    return spoil


def spoiled_entry(field: str, value: Callable[[Any], Any], which: int = 0) -> Callable[[Fold], Fold]:
    def spoil(fold: Fold) -> Fold:
        row = LogRow(*fold.log[which])
        fold.log[which] = row._replace(**{field: value(getattr(row, field))})
        return fold

    return spoil


def spoiled_state(field: str, value: Callable[[Any], Any], number: int = A) -> Callable[[Fold], Fold]:
    def spoil(fold: Fold) -> Fold:
        for state in (*fold.opened, *fold.changed):
            if state.number == number:
                setattr(state, field, value(getattr(state, field)))
        return fold

    return spoil


def without(part: str, which: int) -> Callable[[Fold], Fold]:
    def spoil(fold: Fold) -> Fold:
        del getattr(fold, part)[which]
        return fold

    return spoil


def twice(part: str) -> Callable[[Fold], Fold]:
    def spoil(fold: Fold) -> Fold:
        rows = getattr(fold, part)
        rows.append(rows[0])
        return fold

    return spoil


def spoiled_head(**fields: Any) -> Callable[[Fold], Fold]:
    return lambda fold: fold._replace(head=fold.head._replace(**fields))


def other_record(fold: Fold) -> Fold:
    """A record that says another amount, with its own leaf."""
    row = LogRow(*fold.log[0])
    said = record.parse(row.record)
    data = record.encode(tx(100, t(A, B, 11), t(B, C, 5)), said.seq, said.at, said.salt.hex())
    fold.log[0] = row._replace(record=data, leaf=tree.leaf_hash(data))
    return fold


STRANGER = State(NOBODY, "PAT", -1, None, None, None, 1, 0, 0, 0, b"")

SPOILT: dict[str, Callable[[Fold], Fold]] = {
    "a gap in the log": spoiled_entry("seq", lambda seq: seq + 1),
    "a time that stands still": spoiled_entry("at", lambda at: 1),
    "an id that is taken": spoiled_entry("id", lambda id_: (1).to_bytes(16)),
    "a leaf of something else": spoiled_entry("leaf", lambda leaf: bytes(32)),
    "a column that the record does not bear out": spoiled_entry("corrects", lambda corrects: None, 3),
    "a record of something else": other_record,
    "an entry that is missing": without("log", 2),
    "a transfer of another amount": spoiled_row("amount", lambda cents: cents + 1),
    "a transfer in another place": spoiled_row("place", lambda place: place + 1),
    "a wrong balance after it, debit": spoiled_row("debit_after", lambda cents: cents + 1),
    "a wrong balance after it, credit": spoiled_row("credit_after", lambda cents: cents + 1, 1),
    "a wrong last transfer": spoiled_row("debit_previous", lambda place: 0),
    "a wrong last transfer, second leg": spoiled_row("debit_previous", lambda place: 0, 1),
    "a wrong jump": spoiled_row("credit_jump", lambda place: place + 256),
    "a transfer that is missing": without("transfers", -1),
    "a transfer too many": twice("transfers"),
    "a balance that the transfers do not make": spoiled_state("debits", lambda cents: cents + 1),
    "a spine that is not the account's": spoiled_state("spine", lambda spine: spine[7:]),
    "a last that is not the spine's": spoiled_state("last", lambda last: last - 1),
    "a floor that moved": spoiled_state("floor", lambda floor: None),
    "a closing nobody asked for": spoiled_state("closed", lambda seq: 1),
    "a closing that was forgotten": spoiled_state("closed", lambda seq: 0, 61),
    "an account that was not opened": without("opened", 0),
    "an account that was not updated": without("changed", 0),
    "an account written twice": twice("changed"),
    "an account that nothing touched": lambda fold: fold._replace(changed=[*fold.changed, STRANGER]),
    "an answer too many": lambda fold: fold._replace(answers=[*fold.answers, Posted(b"x" * 16, 99, 10**17)]),
    "nothing to write": lambda fold: fold._replace(log=[]),
    "a head of another length": spoiled_head(seq=5),
    "a head of another time": spoiled_head(at=5),
    "another frontier": spoiled_head(frontier=bytes(32)),
    "another root": spoiled_head(root=bytes(32)),
}


@pytest.mark.parametrize("how", SPOILT)
def test_a_spoilt_fold_is_refused_and_changes_nothing(how: str) -> None:
    book = settle(Book(MemoryStore(), clock=Clock()))
    before = dump(book)
    with pytest.raises(ContractBroken), book.store.writing() as writing:
        writing.write(SPOILT[how](folded(book, BATCH)))
    assert dump(book) == before


def test_the_honest_fold_is_taken() -> None:
    book = settle(Book(MemoryStore(), clock=Clock()))
    with book.store.writing() as writing:
        writing.write(folded(book, BATCH))
        with pytest.raises(ContractBroken, match="one write"):
            writing.write(folded(book, BATCH))
    assert book.head().seq == 14 + len(BATCH)


# What the rules would have refused: folded by rules that do not look.
LAWLESS: dict[str, list[Instruction]] = {
    "below the floor": [tx(100, t(A, B, FUNDS + 1))],
    "not covered": [tx(100, t(GUARANTEE, 11, 1, "EUR"))],
    "a correction of nothing": [tx(100, t(A, B, 1), corrects=99)],
    "a correction of a note": [tx(100, t(A, B, 1), corrects=4)],
    "a correction that exceeds": [tx(100, t(A, B, 1)), tx(101, t(B, A, 2), corrects=100)],
    "a correction that gives back nothing": [tx(100, t(A, B, 1)), tx(101, t(A, B, 1), corrects=100)],
    "a closed account": [tx(100, t(A, 51, 1))],
    "closed twice": [closing(100, 51)],
    "closed with money": [closing(100, A)],
    "closed while it covers": [closing(100, FREE)],
    "opened twice": [opening(100, A)],
    "covered by a covered one": [opening(100, 61, cover=13)],
    "another unit": [tx(100, t(A, B, 1, "EUR"))],
}


@pytest.mark.parametrize("how", LAWLESS)
def test_what_lawless_rules_make_is_refused(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    book = settle(Book(MemoryStore(), clock=Clock()))
    if how == "closed while it covers":
        book.post([opening(60, 62, cover=FREE)])
    before = dump(book)
    monkeypatch.setattr(rules, "_bounds", lambda *_: None)
    monkeypatch.setattr(rules, "_correction", lambda *_: None)
    monkeypatch.setattr(rules, "_open", _open)
    monkeypatch.setattr(rules, "_close", _close)
    monkeypatch.setattr(rules, "given_back", lambda _: Lenient())
    if how in ("a closed account", "another unit"):
        monkeypatch.setattr(rules, "_move", _loose(rules._move))
    with pytest.raises((ContractBroken, KeyError)):
        book.post(LAWLESS[how])
    assert dump(book) == before
    assert NOBODY not in {row.number for row in before.accounts}


class Lenient(dict[Any, int]):
    """As much as anybody asks for can be given back."""

    def __missing__(self, key: Any) -> int:
        return 0


def _open(instruction: Any, seq: int, accounts: Any, opened: Any) -> None:
    accounts[instruction.account.number] = opened[instruction.account.number] = State.new(instruction.account, seq)


def _close(instruction: Any, seq: int, accounts: Any, changed: Any) -> None:
    changed[instruction.number] = accounts[instruction.number]
    accounts[instruction.number].closed = seq


def _loose(move: Any) -> Any:
    def loose(transaction: Any, seq: int, accounts: Any, *more: Any) -> Any:
        for state in accounts.values():
            state.closed, state.unit = 0, transaction.transfers[0].unit
        return move(transaction, seq, accounts, *more)

    return loose
