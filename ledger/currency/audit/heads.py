"""Signed heads against the log: what the currency signed of it before must be what it comes to now.

The leaves are hashed anew from the first, so a frontier in a table is not believed. A head is of one size; what was
changed, dropped or put in before that size makes its root another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from heapq import merge
from itertools import groupby
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, func, select

from ledger.core import tree
from ledger.core.tables import LOG
from ledger.currency import heads_file, proofs
from ledger.currency.audit.story import Problem
from ledger.currency.heads import SignedHead
from ledger.currency.keys import verify
from ledger.currency.tables import SIGNED_HEAD
from ledger.currency.town import Town

PAGE = 4_096
TABLE, FILE, GIVEN = "in the table", "in the file", "given"
"""Where a root is from."""
_HEAD, _LOG = SIGNED_HEAD.c, LOG.c


class _Told(NamedTuple):
    """A root that somebody says the log had at a size. `at` is None where the time was not told."""

    size: int
    where: str
    at: int | None
    root: bytes
    signature: bytes | None


Written: TypeAlias = tuple[list[SignedHead], list[int]]
"""What the file of heads says (see `heads_file.read`): heads, and numbers of lines that are none."""


def against(town: Town, written: Written | None = None, roots: Mapping[int, bytes] | None = None) -> Iterator[Problem]:
    """Where the log is not what was signed of it: in the table, in the file, in `roots` (size -> root)."""
    filed, wrong = written or ([], [])
    for number in wrong:
        yield "head_forged", f"line {number} of the file {heads_file.NAME} is no signed head"
    with town.reading() as connection:
        yield from _Walk(town, connection).run(filed, roots or {})


class _Walk:
    def __init__(self, town: Town, connection: Connection) -> None:
        self.town = town
        self.connection = connection
        self.peaks: list[bytes] = []
        self.size = self.at = 0
        self.differing: dict[str, int] = {}
        """How many roots differ, by where they are from: after the first, all do."""
        self.beyond: list[_Told] = []

    def run(self, written: list[SignedHead], roots: Mapping[int, bytes]) -> Iterator[Problem]:
        filed = sorted(_Told(one.size, FILE, one.at, one.root, one.signature) for one in written)
        given = sorted(_Told(size, GIVEN, None, root, None) for size, root in roots.items())
        end = self.connection.execute(select(func.max(_LOG.seq))).scalar() or 0
        every = merge(self._kept(), filed, given, key=lambda one: one.size)
        for size, told in groupby(every, key=lambda one: one.size):
            here = list(told)
            yield from self._signatures(here)
            if size > end:
                self.beyond += here
                continue
            self._grow(size)
            root = tree.root(self.peaks)
            for one in here:
                yield from self._compare(one, root)
            where = {one.where for one in here}
            if FILE in where and TABLE not in where:
                yield (
                    "head_removed",
                    f"the signed head of {size} entries is in the file {heads_file.NAME} and not in the table: "
                    "somebody took it out",
                )
        yield from self._end(end)

    def _kept(self) -> Iterator[_Told]:
        after = 0
        while True:
            query = select(_HEAD.size, _HEAD.at, _HEAD.root, _HEAD.signature).where(_HEAD.size > after)
            rows = self.connection.execute(query.order_by(_HEAD.size).limit(PAGE)).all()
            for row in rows:
                yield _Told(row.size, TABLE, row.at, row.root, row.signature)
            if len(rows) < PAGE:
                return
            after = rows[-1].size

    def _signatures(self, here: list[_Told]) -> Iterator[Problem]:
        network, key = self.town.charter.network, self.town.key.public
        for one in here:
            if one.signature is None or one.at is None:
                continue
            if not verify(key, one.signature, proofs.head_message(network, one.size, one.at, one.root)):
                yield "head_forged", f"the head of {one.size} entries {one.where} is not signed by the currency"

    def _grow(self, size: int) -> None:
        """Hash the leaves up to `size`."""
        while self.size < size:
            query = select(_LOG.at, _LOG.leaf).where(_LOG.seq > self.size).order_by(_LOG.seq)
            rows = self.connection.execute(query.limit(min(PAGE, size - self.size))).all()
            if not rows:
                return  # entries are missing, which the engine's check says
            self.size = tree.append(self.peaks, self.size, [row.leaf for row in rows])
            self.at = rows[-1].at

    def _compare(self, one: _Told, root: bytes) -> Iterator[Problem]:
        if one.root == root and one.at in (None, self.at):
            return
        self.differing[one.where] = self.differing.get(one.where, 0) + 1
        if self.differing[one.where] > 1 and one.where != GIVEN:
            return
        who = "the root that was given is" if one.where == GIVEN else f"the currency signed ({one.where})"
        yield (
            "root_differs",
            f"with {one.size} entries the log has the root {root.hex()}; {who} {one.root.hex()}: an entry before that "
            "was changed, dropped or put in",
        )

    def _end(self, end: int) -> Iterator[Problem]:
        for where, count in self.differing.items():
            if count > 1 and where != GIVEN:
                yield "root_differs", f"of the signed heads {where}, {count} are not the log's"
        if self.beyond:
            most = max(self.beyond, key=lambda one: one.size)
            signed = f"signed that it had {most.size}" if most.where != GIVEN else f"is said to have had {most.size}"
            where = "" if most.where == GIVEN else f" ({most.where})"
            who = "the log" if most.where == GIVEN else "the currency"
            yield (
                "log_put_back",
                f"the log has {end} entries, and {who} {signed} with root {most.root.hex()}{where}: it was put back to "
                "an older copy, or its end was cut off",
            )
