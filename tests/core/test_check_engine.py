"""A bug in the engine is found like any other damage: the check shares none of its code."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.core import record, rules, tree
from ledger.core.check import check
from ledger.core.model import Instruction, Transaction, Transfer
from ledger.core.schema import upgrade
from ledger.core.sqlite import SqliteStore, open_engine
from tests.core.books import CIRCULATION, HOLDERS, named, ordinary, post_all, small_book_batches

A, B, C = HOLDERS
Bug = Callable[[pytest.MonkeyPatch], None]


def pay(n: int, debit: int, credit: int, cents: int, **more: Any) -> Instruction:
    return Transaction(named(n), "payment", (Transfer(debit, credit, cents, "PAT"),), **more)


def swap(module: Any, name: str, bug: Any) -> Bug:
    return lambda patch: patch.setattr(module, name, bug)


def never_jump(state: rules.State, place: int, row: bytes) -> int:
    state.last = place
    return 0


def lose_a_leg(patch: pytest.MonkeyPatch) -> None:
    right = rules.fold

    def fold(*args: Any, **more: Any) -> rules.Fold:
        done = right(*args, **more)
        return done._replace(transfers=done.transfers[:-1])

    patch.setattr(rules, "fold", fold)


def keep_the_clock(patch: pytest.MonkeyPatch) -> None:
    right = record.encode
    patch.setattr(record, "encode", lambda instruction, seq, at, salt: right(instruction, seq, 10**15, salt))


BUGS: dict[str, tuple[Bug, Instruction, set[str]]] = {
    "cover is not asked for": (
        swap(rules, "_bounds", lambda *_: None),
        pay(900, CIRCULATION, A, 1),
        {"not_covered"},
    ),
    "corrections are not counted": (
        swap(rules, "_correction", lambda *_: None),
        pay(900, C, A, 1, corrects=named(0x11)),
        {"correction_exceeds"},
    ),
    "jumps do not jump": (
        swap(rules.State, "push", never_jump),
        pay(900, A, B, 1),
        {"chain_differs", "account_differs"},
    ),
    "the leaf is not the RFC's": (
        swap(tree, "leaf_hash", lambda data: sha256(data).digest()),
        pay(900, A, B, 1),
        {"leaf_differs", "head_differs"},
    ),
    "the root is that of the last leaf": (
        swap(tree, "root", lambda peaks: peaks[-1]),
        pay(900, A, B, 1),
        {"head_differs"},
    ),
    "a transfer is not written": (lose_a_leg, pay(900, A, B, 1), {"transfer_missing"}),
    "every record says the same time": (keep_the_clock, pay(900, A, B, 1), {"log_differs", "at_not_growing"}),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_in_the_engine_is_found(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bug, instruction, codes = BUGS[name]
    engine = open_engine(tmp_path / "book.db")
    upgrade(engine)
    store = SqliteStore(engine)
    book = ordinary(store)
    post_all(book, small_book_batches())
    assert check(store).ok
    bug(monkeypatch)
    post_all(book, [[instruction]])
    monkeypatch.undo()
    report = check(store)
    assert codes <= report.counts.keys()
    assert all(finding.id == named(900) for finding in report.findings), report.findings
    book.close()
