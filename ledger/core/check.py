"""The independent check: does the book say what its log says, and did every rule hold, all the way?

It follows the log from its first entry with code of its own (nothing of `rules`, `record` or `tree`), so that a
bug in the engine is found like any other damage. It reads one snapshot through `check_rows`, cannot write, holds
accounts in memory but no entries, never raises on a damaged book, and goes on after the first finding: every
finding names the transaction it is about wherever there is one.

What it cannot see is a book that was rewritten as a whole, every row of it: it is told of roots that were signed or
published before, and compares (see `ledger.proof`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from sqlalchemy import Engine

from ledger.core import check_rows
from ledger.core.check_accounts import Holder, Ledger
from ledger.core.check_record import CLOSING, OPENING, TRANSACTION, Reader, Unreadable
from ledger.core.check_report import CODES, Finding, Findings, Report, UnitTotals, differences
from ledger.core.check_rows import UNIQUE_ID, Row, Rows
from ledger.core.steps import Progress, Steps, taken
from ledger.core.store import Store

PROGRESS = 1_024
"""Entries in one step."""
NO_ROOTS: Mapping[int, bytes] = MappingProxyType({})
CHAIN_FINDINGS = 3
"""One lost transfer changes every later pointer of its account: say so this often an account."""

_ACCOUNT = check_rows.ACCOUNT.split(", ")
_TRANSFER = check_rows.TRANSFER.split(", ")
_HEAD = check_rows.HEAD.split(", ")


def check(
    store: Store | Engine, progress: Progress | None = None, *, deep: bool = True, roots: Mapping[int, bytes] = NO_ROOTS
) -> Report:
    """Check the book in `store` (or behind an engine, best opened read-only).

    `progress` is told how many entries are done, and of how many. `deep` also lets the database test its own
    file and looks for ids that occur twice without trusting the index over them. `roots` are those that somebody
    signed or noted: for each size of the log (entries) the root that it had then. Raises only what opening the
    database raises.
    """
    return taken(steps(store, deep=deep, roots=roots), progress)


def steps(store: Store | Engine, *, deep: bool = True, roots: Mapping[int, bytes] = NO_ROOTS) -> Steps[Report]:
    """As `check`, one step after the other."""
    with check_rows.rows_of(store) as rows:
        return (yield from _Check(rows, roots).run(deep))


class _Check:
    def __init__(self, source: Rows, roots: Mapping[int, bytes]) -> None:
        self._source = source
        self._roots = roots
        self._findings = Findings()
        self._ledger = Ledger(self._findings, source.find)
        self._read = Reader(self._ledger.accounts).read
        self._transfers = self._transfer_rows()
        self._row: Row | None = None
        self._entries = self._moved = 0
        self._next, self._at = 1, 0
        self._peaks: list[bytes] = []
        self._leaves = 0
        # Streams that broke off: what is not there was not looked at, rather than missing.
        self._broken: set[str] = set()

    def run(self, deep: bool) -> Steps[Report]:
        findings = self._findings
        damaged = self._source.damage() if deep else None
        head = self._head_row()
        total = head[1] if head and type(head[1]) is int else 0
        yield 0, total
        self._known()
        self._row = next(self._transfers, None)
        for entry in self._safely("log", self._source.log):
            try:
                self._entry(*entry)
            except Exception as error:  # nothing that lies in a damaged book may stop the check
                findings.add("record_malformed", f"cannot be read: {error!r}")
            self._entries += 1
            if not self._entries % PROGRESS:
                yield self._entries, max(total, self._entries)
        if "log" not in self._broken:
            self._stray(None)
            if head is not None:
                findings.columns("head_differs", _HEAD, head, (1, *self._end()))
            self._beyond()
        findings.seq = findings.id = None
        units = self._accounts()
        self._database(damaged)
        yield self._entries, self._entries
        accounts = sum(unit.accounts for unit in units.values())
        seq, at, _, root = self._end()
        return Report(self._entries, self._moved, accounts, units, seq, at, root, findings.found, findings.counts)

    # --- the log -----------------------------------------------------------------------------------------------

    def _entry(self, seq: Any, id_: Any, at: Any, corrects: Any, leaf: Any, data: Any) -> None:
        findings = self._findings
        if seq != self._next and not self._gap(seq, id_):
            return
        self._next = seq + 1
        findings.seq, findings.id = seq, id_
        try:
            sort, body = self._read(data)
        except Unreadable as error:
            findings.add("record_malformed", str(error))
            if type(data) is bytes:
                self._grow(sha256(b"\0" + data).digest())
            self._adopt((seq + 1) << 8)
            return
        hashed = sha256(b"\0" + data).digest()
        if hashed != leaf:
            findings.add("leaf_differs", "the stored leaf is not the hash of the record")
        self._grow(hashed)
        named = corrects if corrects is None else corrects.hex()
        if body["id"] != id_.hex() or body["seq"] != seq or body["at"] != at or body.get("corrects") != named:
            right = (body["seq"], body["id"], body["at"], body.get("corrects"))
            findings.columns("log_differs", ("seq", "id", "at", "corrects"), (seq, id_.hex(), at, named), right)
        if body["at"] <= self._at:
            findings.add("at_not_growing", f"taken at {body['at']}, the entry before it at {self._at}")
        self._at = body["at"]
        if sort is TRANSACTION:
            for expected in self._ledger.transaction(seq, body):
                if self._row == expected:
                    self._row = next(self._transfers, None)
                else:
                    self._compare(expected)
        elif sort is OPENING:
            self._ledger.opening(seq, body)
        elif sort is CLOSING:
            self._ledger.closing(seq, body)
        if self._row is not None and self._row[0] >> 8 <= seq:
            self._stray((seq + 1) << 8)

    def _gap(self, seq: int, id_: Any) -> bool:
        """The entry that comes is not the next one. Whether it is a later one."""
        if seq < self._next:
            self._findings.name("seq_gap", f"entry {seq} stands where {self._next} should", seq, id_)
            return False
        last = f" to {seq - 1}" if seq - 1 > self._next else ""
        self._findings.name("seq_gap", f"not in the log: {self._next}{last}", self._next, None)
        self._adopt(seq << 8)
        return True

    def _grow(self, node: bytes) -> None:
        """Adds a leaf to the Merkle log: as a binary counter, whose carries are the inner nodes."""
        bits = self._leaves
        while bits & 1:
            node = sha256(b"\1" + self._peaks.pop() + node).digest()
            bits >>= 1
        self._peaks.append(node)
        self._leaves += 1
        if self._leaves in self._roots:
            self._known()

    def _known(self) -> None:
        """Compares the root of the log so far with the one that somebody knows for this size, if anybody does."""
        known = self._roots.get(self._leaves)
        if known is not None and known != (root := self._end()[3]):
            self._findings.add(
                "root_differs", f"{self._leaves} entries have the root {root.hex()}; known for them is {known.hex()}"
            )

    def _beyond(self) -> None:
        """Somebody knows a longer log than this one: its end was cut off, or an older copy was put back."""
        root = self._end()[3]
        for size in sorted(size for size in self._roots if size > self._leaves):
            self._findings.name(
                "root_differs",
                f"the log ends after {self._leaves} entries, with the root {root.hex()}; known for {size} entries is "
                f"{self._roots[size].hex()}: the end is lost, or this is an older copy",
                None, None,
            )  # fmt: skip

    def _end(self) -> tuple[int, int, bytes, bytes]:
        """The head as the records make it: seq, at, frontier, root (RFC 6962, 2.1)."""
        if not self._peaks:
            return 0, 0, b"", sha256(b"").digest()
        *left, node = self._peaks
        for peak in reversed(left):
            node = sha256(b"\1" + peak + node).digest()
        return self._next - 1, self._at, b"".join(self._peaks), node

    def _head_row(self) -> Row | None:
        try:
            rows = self._source.head()
        except Exception as error:
            self._findings.add("database_damaged", f"head: {error}")
            return None
        if len(rows) != 1:
            self._findings.add("head_missing", f"{len(rows)} rows say where the log ends; there should be one")
        return rows[0] if rows else None

    # --- transfers ---------------------------------------------------------------------------------------------

    def _transfer_rows(self) -> Iterator[Row]:
        """The stored transfers whose places are numbers that grow."""
        last = 0
        for row in self._safely("transfer", self._source.transfers):
            self._moved += 1
            place = row[0]
            if type(place) is int and place > last:
                last = place
                yield row
            else:
                self._findings.name("transfer_unexpected", f"place {place!r} after {last}", None, None)

    def _compare(self, expected: tuple[int, ...]) -> None:
        """The stored transfer is not what it should be: says how, and takes it when it is the same place."""
        self._stray(expected[0])
        row = self._row
        leg = expected[0] & 255
        if row is None or row[0] != expected[0]:
            if "transfer" not in self._broken:
                self._findings.add("transfer_missing", f"its transfer {leg} ({differences_of(expected)}) is not stored")
            return
        self._row = next(self._transfers, None)
        where = [f"{name} of transfer {leg}" for name in _TRANSFER]
        self._findings.columns("transfer_differs", where[1:4], row[1:4], expected[1:4])
        for side in (0, 1):
            holder = self._ledger.accounts[f"{expected[1 + side]:016x}"]
            self._balance(holder, where[4 + side], row[4 + side], expected[4 + side])
            if (row[6 + side], row[8 + side]) != (expected[6 + side], expected[8 + side]):
                holder.chain_findings += 1
                if holder.chain_findings <= CHAIN_FINDINGS:
                    self._findings.columns(
                        "chain_differs", where[6 + side :: 2], row[6 + side :: 2], expected[6 + side :: 2]
                    )

    def _balance(self, holder: Holder, name: str, stored: Any, right: int) -> None:
        """A lost or changed amount shifts every later balance of its account: say so once a shift."""
        skew = stored - right if type(stored) is int else None
        if skew not in (0, holder.skew):
            self._findings.columns("balance_differs", [name], [stored], [right])
        holder.skew = skew or 0

    def _stray(self, end: int | None) -> None:
        """Reports the stored transfers before place `end` (all that are left when None): no record tells of them."""
        while self._row is not None and (end is None or self._row[0] < end):
            place = self._row[0]
            seq = place >> 8
            detail = f"transfer {place & 255}: {differences_of(self._row)}"
            self._findings.name("transfer_unexpected", detail, seq, self._id_of(seq))
            self._row = next(self._transfers, None)

    def _adopt(self, end: int) -> None:
        """Takes the stored transfers before place `end` at their word: their records are lost."""
        while self._row is not None and self._row[0] < end:
            self._ledger.adopt(self._row)
            self._row = next(self._transfers, None)

    # --- accounts and the rest ---------------------------------------------------------------------------------

    def _accounts(self) -> dict[str, UnitTotals]:
        units: dict[str, list[int]] = {}
        for row in self._safely("account", self._source.accounts):
            try:
                unit = row[1].decode(errors="replace")
                sums = units.setdefault(unit, [0, 0, 0])
                for index, value in enumerate((1, row[8], row[9])):
                    sums[index] += value
                if "log" not in self._broken:
                    self._account(row)
            except Exception as error:
                self._findings.add("account_differs", f"account {row[0]!r} cannot be read: {error!r}")
        for unit, (_, debits, credits) in units.items():
            if debits != credits:
                self._findings.add("unit_unbalanced", f"the accounts of {unit} sum to {debits - credits}, not to 0")
        if not self._broken & {"log", "account"}:
            for text, holder in self._ledger.accounts.items():
                if holder.opened and not holder.seen:
                    detail = f"account {text} is not stored"
                    self._findings.name("account_missing", detail, holder.opened, self._id_of(holder.opened))
        return {unit: UnitTotals(*sums) for unit, sums in sorted(units.items())}

    def _account(self, row: Row) -> None:
        number = row[0]
        holder = self._ledger.accounts.get(f"{number:016x}") if number > 0 else None
        if holder is None or not holder.opened or holder.seen:
            seq = row[10] >> 8 or None
            detail = f"account {number:016x}, which the log never opened"
            self._findings.name("account_unexpected", detail, seq, self._id_of(seq))
            return
        holder.seen = True
        right = holder.row()
        if row == right:
            return
        # Fixed columns name the opening, the rest the entry that had the last word on them.
        for columns, seq in (
            ((0, 1, 2, 3, 4, 5, 6), holder.opened),
            ((7,), holder.closed or holder.opened),
            ((8, 9, 10, 11), holder.last >> 8 or holder.opened),
        ):
            wrong = differences(*([each[i] for i in columns] for each in (_ACCOUNT, row, right)))
            if wrong:
                self._findings.name("account_differs", f"account {number:016x}: {wrong}", seq, self._id_of(seq))

    def _database(self, damaged: Callable[[], list[str] | None] | None) -> None:
        """The database as such: what it refuses, and what it says of itself."""
        tested = False
        try:
            missing = sorted(self._source.missing())
            for table, event in missing:
                self._findings.add("guard_missing", f"{table}: {event}")
            for said in self._source.foreign():
                self._findings.add("guard_foreign", said)
            damage = damaged() if damaged is not None else ()
            for said in damage or ():
                self._findings.add("database_damaged", said)
            # What tests its own indexes, and finds no fault, has also found that the unique one over ids is unique.
            tested = damage == [] and UNIQUE_ID not in missing
        except Exception as error:
            self._findings.add("database_damaged", str(error))
        if damaged is not None and not tested:
            for id_, seq in self._safely("ids", lambda: iter(self._source.repeated())):
                self._findings.name("id_repeated", "another entry has this id", seq, id_)

    def _id_of(self, seq: int | None) -> bytes | None:
        try:
            return None if seq is None else self._source.id_of(seq)
        except Exception:
            return None  # the finding that asks counts more than its name

    def _safely(self, what: str, rows: Callable[[], Iterator[Row]]) -> Iterator[Row]:
        """The rows, up to where the database cannot read on."""
        try:
            yield from rows()
        except Exception as error:
            self._broken.add(what)
            after = f" after entry {self._next - 1}" if what == "log" else ""
            self._findings.name("database_damaged", f"{what}{after}: {error}", None, None)


def differences_of(row: tuple[Any, ...]) -> str:
    """Debit, credit and amount of a transfer's row."""
    debit, credit, amount = row[1:4]
    return f"{amount!r} from {debit!r} to {credit!r}"


__all__ = ["CODES", "Finding", "Report", "UnitTotals", "check"]
