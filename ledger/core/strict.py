"""What the memory store asks of every write: all that a database would refuse, and much that it could not see.

`take` plays a fold on plain rows by a second, slower road: pointers from the list of an account's places, spines
from the arithmetic of skew-binary numbers, the tree from all its leaves. Where the two roads part, the engine has
a bug, and `ContractBroken` says which promise it broke.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import NamedTuple

from ledger.core import record, tree
from ledger.core.model import MAX_TOTAL, Closing, Head, Opening, Posted, Transaction
from ledger.core.rules import Fold, LogRow, State, TransferRow


class ContractBroken(AssertionError):
    """The engine, or its caller, did what no store may accept."""


def ask(kept: bool, promise: str) -> None:
    """Raise `ContractBroken` unless `kept`."""
    if not kept:
        raise ContractBroken(promise)


class AccountRow(NamedTuple):
    """An account as it is stored: the columns of the table `account`, without `last`."""

    number: int
    unit: str
    normal: int
    floor: int | None
    ceiling: int | None
    cover: int | None
    opened: int
    closed: int
    debits: int
    credits: int
    spine: bytes

    @property
    def balance(self) -> int:
        """Balance in cents, seen from the side on which the account grows."""
        return self.normal * (self.debits - self.credits)


def account_row(state: State) -> AccountRow:
    """The row that `state` is to be stored as."""
    return AccountRow(*(getattr(state, name) for name in AccountRow._fields))


class Rows(NamedTuple):
    """Everything in the store after one commit. Never changed: a commit makes another one."""

    head: Head
    log: list[LogRow]
    by_id: dict[bytes, LogRow]
    corrections: dict[bytes, list[LogRow]]
    accounts: dict[int, AccountRow]
    transfers: dict[int, TransferRow]
    """By place, and so in log order: places only grow."""
    chains: dict[int, tuple[int, ...]]
    """The places of each account's transfers, oldest first."""

    @classmethod
    def empty(cls) -> Rows:
        return cls(Head(0, 0, b"", tree.EMPTY_ROOT), [], {}, {}, {}, {}, {})

    def copy(self) -> Rows:
        return Rows(
            self.head,
            self.log.copy(),
            self.by_id.copy(),
            self.corrections.copy(),
            self.accounts.copy(),
            self.transfers.copy(),
            self.chains.copy(),
        )


def take(before: Rows, fold: Fold) -> Rows:
    """The rows after `fold`. Raises `ContractBroken`, and `before` is what it was."""
    rows = before.copy()
    log = [LogRow(*row) for row in fold.log]
    todo = [TransferRow(*row) for row in reversed(fold.transfers)]
    touched: set[int] = set()
    ask(bool(log), "a write has something to write")
    new = [answer for answer in fold.answers if isinstance(answer, Posted) and not answer.replay]
    ask([a[:3] for a in new] == [(e.id, e.seq, e.at) for e in log], "what is answered as posted is what is written")
    for entry in log:
        _take_entry(rows, entry)
        instruction = record.parse(entry.record).instruction
        if isinstance(instruction, Transaction):
            touched |= _take_transaction(rows, entry, instruction, todo)
        elif isinstance(instruction, Opening):
            _take_opening(rows, entry, instruction)
            touched.add(instruction.account.number)
        elif isinstance(instruction, Closing):
            _take_closing(rows, entry, instruction)
            touched.add(instruction.number)
    ask(not todo, "every transfer belongs to an entry of the log")
    opened = {state.number: account_row(state) for state in fold.opened}
    changed = {state.number: account_row(state) for state in fold.changed}
    ask(len(opened) == len(fold.opened) and len(changed) == len(fold.changed), "each account is written once")
    ask(opened.keys().isdisjoint(before.accounts), "only a new account is inserted")
    ask(changed.keys() <= before.accounts.keys(), "only a stored account is updated")
    written = opened | changed
    ask(written.keys() == touched, "the accounts written are those that the batch touches")
    for state in (*fold.opened, *fold.changed):
        ask(state.last == _last(rows.chains.get(state.number, ())), "an account's last transfer is its last one")
    for number, row in written.items():
        ask(row == rows.accounts[number], f"account {number:016x} is written as its transfers leave it")
    end = _head(rows.log)
    ask(fold.head == end, "the head is that of the log")
    return rows._replace(head=end)


def _take_entry(rows: Rows, entry: LogRow) -> None:
    last = rows.log[-1] if rows.log else None
    ask(entry.seq == (last.seq if last else 0) + 1, "log entries are numbered without a gap")
    ask(entry.at > (last.at if last else 0), "the log's times grow strictly")
    ask(len(entry.id) == 16 and entry.id not in rows.by_id, "an id is posted once")
    ask(entry.leaf == sha256(b"\0" + entry.record).digest(), "a leaf is the hash of its record")
    said = record.parse(entry.record)
    columns = (said.seq, said.at, said.instruction.id, getattr(said.instruction, "corrects", None))
    ask(columns == (entry.seq, entry.at, entry.id, entry.corrects), "the columns of the log say what the record says")
    rows.log.append(entry)
    rows.by_id[entry.id] = entry


def _take_transaction(rows: Rows, entry: LogRow, transaction: Transaction, todo: list[TransferRow]) -> set[int]:
    accounts = rows.accounts
    for leg, t in enumerate(transaction.transfers):
        ask(bool(todo), "every transfer of the record is written")
        row = todo.pop()
        place = entry.seq * 256 + leg
        ask(row[:4] == (place, t.debit, t.credit, t.amount), "a transfer is written as the record says")
        sides = (
            (t.debit, t.amount, 0, row.debit_after, row.debit_previous, row.debit_jump),
            (t.credit, 0, t.amount, row.credit_after, row.credit_previous, row.credit_jump),
        )
        for number, debit, credit, after, previous, jump in sides:
            ask(number in accounts, "a transfer's accounts exist")
            account = accounts[number]
            ask(not account.closed, "a closed account takes part in nothing")
            ask(account.unit == t.unit, "a transfer is in the unit of its accounts")
            chain = rows.chains.get(number, ())
            ask(previous == _last(chain), "a transfer points to the account's last one")
            ask(jump == _place(chain, _jump(len(chain) + 1)), "a transfer's jump is that of its depth")
            rows.chains[number] = chain = (*chain, place)
            accounts[number] = account = account._replace(
                debits=account.debits + debit, credits=account.credits + credit, spine=_spine(chain)
            )
            ask(after == account.balance, "a transfer holds the balance after it")
        rows.transfers[place] = row
    moved = {number for t in transaction.transfers for number in (t.debit, t.credit)}
    _check_bounds(rows, moved)
    if transaction.corrects is not None:
        _check_correction(rows, entry, transaction)
    return moved


def _check_bounds(rows: Rows, moved: set[int]) -> None:
    for number in moved:
        account = rows.accounts[number]
        ask(account.floor is None or account.balance >= account.floor, "no account lies below its floor")
        ask(account.ceiling is None or account.balance <= account.ceiling, "no account lies above its ceiling")
        ask(max(account.debits, account.credits) < MAX_TOTAL, "no total reaches 2^62")
    for covered in rows.accounts.values():
        if covered.cover is not None and not covered.closed:
            ask(
                covered.balance <= rows.accounts[covered.cover].balance,
                "a covered account holds what covers it at most",
            )


def _check_correction(rows: Rows, entry: LogRow, transaction: Transaction) -> None:
    assert transaction.corrects is not None
    ask(transaction.corrects in rows.by_id, "a correction names an entry of the log")
    original = record.parse(rows.by_id[transaction.corrects].record)
    ask(original.seq < entry.seq, "a correction comes after what it corrects")
    ask(isinstance(original.instruction, Transaction), "what is corrected moved money")
    rows.corrections[transaction.corrects] = [*rows.corrections.get(transaction.corrects, ()), entry]
    left: dict[tuple[int, int, str], int] = {}
    for data, sign in [(original, 1), *((record.parse(c.record), -1) for c in rows.corrections[transaction.corrects])]:
        assert isinstance(data.instruction, Transaction)
        for t in data.instruction.transfers:
            way = (t.debit, t.credit, t.unit) if sign > 0 else (t.credit, t.debit, t.unit)
            left[way] = left.get(way, 0) + sign * t.amount
    ask(min(left.values()) >= 0, "corrections give back what was moved at most")


def _take_opening(rows: Rows, entry: LogRow, opening: Opening) -> None:
    account = opening.account
    ask(account.number not in rows.accounts, "an account's number is used once")
    if account.cover is not None:
        ask(account.cover in rows.accounts, "a covering account exists")
        covering = rows.accounts[account.cover]
        ask(not covering.closed and covering.cover is None, "a covering account is open and not covered itself")
        ask(covering.balance >= 0, "a covering account holds what its empty covered account does, at least")
    rows.accounts[account.number] = AccountRow(
        account.number, account.unit, int(account.normal), account.floor, account.ceiling, account.cover,
        entry.seq, 0, 0, 0, b"",
    )  # fmt: skip


def _take_closing(rows: Rows, entry: LogRow, closing: Closing) -> None:
    ask(closing.number in rows.accounts, "only an account can be closed")
    account = rows.accounts[closing.number]
    ask(not account.closed, "an account is closed once")
    ask(account.balance == 0, "only an empty account is closed")
    covers = [a for a in rows.accounts.values() if a.cover == closing.number and not a.closed]
    ask(not covers, "an account that covers another is not closed")
    rows.accounts[closing.number] = account._replace(closed=entry.seq)


def _last(chain: Sequence[int]) -> int:
    return chain[-1] if chain else 0


def _place(chain: Sequence[int], depth: int) -> int:
    """The place of the account's transfer number `depth`, counted from 1; 0 is none."""
    return chain[depth - 1] if depth else 0


@cache
def _jump(depth: int) -> int:
    """The depth that the transfer at `depth` jumps to (Myers 1983): two jumps of one length become one of both."""
    if depth <= 1:
        return 0
    previous = depth - 1
    middle = _jump(previous)
    return _jump(middle) if middle and previous - middle == middle - _jump(middle) else previous


def _spine(chain: Sequence[int]) -> bytes:
    """The spine of a chain: its length as a sum of 2^rank - 1, largest first from the oldest end."""
    nodes: list[bytes] = []
    done = 0
    while done < len(chain):
        rank = (len(chain) - done + 1).bit_length() - 1
        done += 2**rank - 1
        nodes.append(bytes([rank]) + chain[done - 1].to_bytes(6))
    return b"".join(reversed(nodes))


def _head(log: Sequence[LogRow]) -> Head:
    leaves = [entry.leaf for entry in log]
    frontier, start = b"", 0
    for bit in reversed(range(len(leaves).bit_length())):
        if len(leaves) >> bit & 1:
            frontier += _root(leaves[start : start + (1 << bit)])
            start += 1 << bit
    return Head(log[-1].seq, log[-1].at, frontier, _root(leaves))


def _root(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, as RFC 6962 defines it (2.1)."""
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + _root(leaves[:half]) + _root(leaves[half:])).digest()
