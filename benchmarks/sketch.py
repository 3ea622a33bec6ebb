"""A throw-away sketch of the posting path, to measure the engine against: what a plain script would do.

It looks ids up, reads balances, checks floors, makes a canonical record, hashes it into a Merkle frontier and
chains the entries. It has no units, no cover, no openings or corrections, no checks in the database, no salt, and
accounts numbered from 0.
"""

from __future__ import annotations

import hashlib
import os
import random
import time
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pysqlite3

SCHEMA = """
create table account(
  id integer primary key, debits integer not null, credits integer not null, floor integer, last integer) strict;
create table txn(
  seq integer primary key, id blob not null unique, record blob not null, at integer not null) strict;
create table transfer(seq integer primary key, debit integer not null, credit integer not null,
  amount integer not null, debit_after integer not null, credit_after integer not null,
  debit_prev integer, credit_prev integer) strict;
create table head(one integer primary key, seq integer not null, frontier blob not null) strict;
insert into head values (1, 0, x'');
"""
Order: TypeAlias = tuple[bytes, int, int, int]
sha = hashlib.sha256


class Sketch:
    """One book of the sketch."""

    def __init__(self, path: Path, accounts: int) -> None:
        self.accounts, self.frontier, self.leaves, self.pick = accounts, list[bytes](), 0, random.Random(1)
        db = self.db = pysqlite3.connect(str(path), isolation_level=None)
        db.execute("pragma journal_mode=wal")
        db.execute("pragma synchronous=full")
        db.execute("pragma cache_size=-100000")
        db.executescript(SCHEMA)
        db.executemany("insert into account values (?, 0, 100000000, 0, null)", ((i,) for i in range(accounts)))

    def orders(self, count: int) -> list[Order]:
        """Payments between random accounts."""
        base, made = time.time_ns(), list[Order]()
        for i in range(count):
            debit, credit = self.pick.sample(range(self.accounts), 2)
            made.append(((base + i).to_bytes(8) + os.urandom(8), debit, credit, self.pick.randrange(1, 50)))
        return made

    def post(self, chunk: list[Order]) -> None:
        """One commit."""
        db, frontier = self.db, self.frontier
        db.execute("begin immediate")
        seq = db.execute("select seq from head").fetchone()[0]
        ids = orjson.dumps([o[0].hex() for o in chunk]).decode()
        posted = {
            r[0] for r in db.execute("select id from txn where id in (select unhex(value) from json_each(?))", (ids,))
        }
        touched = orjson.dumps(list({x for _, d, c, _ in chunk for x in (d, c)})).decode()
        accounts = {
            r[0]: list(r)
            for r in db.execute(
                "select id, debits, credits, floor, last from account where id in (select value from json_each(?))",
                (touched,),
            )
        }
        records: list[Any] = []
        transfers: list[Any] = []
        at = time.time_ns() // 1000
        for id_, d, c, amount in chunk:
            payer, payee = accounts[d], accounts[c]
            if id_ in posted or d == c or payer[2] - payer[1] - amount < payer[3]:
                continue
            payer[1] += amount
            payee[2] += amount
            seq += 1
            record = orjson.dumps(
                {"at": at, "id": id_.hex(), "kind": "payment", "seq": seq, "transfers": [[d, c, amount, "PAT"]], "v": 1}
            )
            node, n = sha(b"\0" + record).digest(), self.leaves
            while n & 1:
                node, n = sha(b"\1" + frontier.pop() + node).digest(), n >> 1
            frontier.append(node)
            self.leaves += 1
            records.append((seq, id_, record, at))
            transfers.append((seq, d, c, amount, payer[2] - payer[1], payee[2] - payee[1], payer[4], payee[4]))
            payer[4] = payee[4] = seq
        db.executemany("insert into txn values (?, ?, ?, ?)", records)
        db.executemany("insert into transfer values (?, ?, ?, ?, ?, ?, ?, ?)", transfers)
        db.executemany(
            "update account set debits=?, credits=?, last=? where id=?",
            [(a[1], a[2], a[4], a[0]) for a in accounts.values()],
        )
        db.execute("update head set seq=?, frontier=?", (seq, b"".join(frontier)))
        db.execute("commit")

    def close(self) -> None:
        """Close the connection."""
        self.db.close()
