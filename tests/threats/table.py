"""Writes the table of threats for the docs from what the tests expect: `python -m tests.threats.table`."""

from __future__ import annotations

from pathlib import Path

from tests.threats.expected import EDITS, EXPECTED, HEADS_ONLY, WAYS

FILE = Path(__file__).parents[2] / "ledger/currency/audit/THREATS.md"

HEAD = """# Who notices what is done to the database

<!-- Written by `python -m tests.threats.table` from tests/threats/expected.py; a test holds that it is the same. -->

Each row is an edit by somebody who has every right on the database and not the currency's key: hashes, root, balances
and pointers are made right wherever that can be done without it (`tests/threats/forger.py`). `check` prints the
sentence; … stands for what is another each time. *Desk*: the server refuses what the row would open.

What `check` cannot know by the log itself it knows by **signed heads**: once a minute, at a clean end and after each
command the currency signs how many entries its log has and their root, into a table and into the file `heads` in
`PATARD_HOME`, which who may write to the database cannot reach. Rows marked † are known by a head alone. So they are
for **outside witnesses** only, where the edit came before the next head was signed, or where the folder could be
written to as well: receipts, which hold size and root; wallets, which keep the newest head that they saw and say when
the book no longer continues it; and roots that somebody noted elsewhere (`patard check --root SIZE:HASH`,
`GET /v1/log?at=SIZE`). Whoever has the currency's key besides can make any book, and only they tell.

| | edit of the database | who notices | what is printed |
|---|---|---|---|
"""

MIDDLE = """
## One euro under two names

What people type is held against the lines of statements in the commit of each, by reference and by amount and day;
what nobody can tell apart waits in suspense (`tests/threats/test_one_euro.py`).

| | what was done | who notices | in which words |
|---|---|---|---|
"""

TAIL = """
What is from before a book was brought up to date (names, bank details, statements, memos without a hash in the log) is
counted by `patard check --notices`; the first note of the charter that says all limits is the place from which on
hashes are demanded.
"""


def table() -> str:
    """The file as it should be."""
    rows = []
    for number, edit in EDITS.items():
        who, sentence = EXPECTED[number]
        mark = " †" if number in HEADS_ONLY else ""
        rows.append(f"| {number}{mark} | {edit} | {who} | {_shown(sentence)} |".replace("  ", " "))
    ways = [
        f"| {way} | {done} | {who} | {_shown(sentence)} |".replace("  ", " ")
        for way, (done, who, sentence) in WAYS.items()
    ]
    return HEAD + "\n".join(rows) + "\n" + MIDDLE + "\n".join(ways) + "\n" + TAIL


def _shown(sentence: str) -> str:
    return f"`{sentence.replace('`', chr(39))}`" if sentence else ""


if __name__ == "__main__":
    FILE.write_text(table(), encoding="utf-8")
