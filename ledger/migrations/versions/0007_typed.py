"""Conversions that people typed, references of bank lines to find them by, and accounts that wait for their cover."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
OPEN = "line IS NULL AND corrected_seq IS NULL"
NAMED = "line IS NOT NULL"
PAGE = 5_000
KINDS = ("conversion", "conversion_corrected", "bank_line_known", "bank_placed", "bank_back", "bank_withdrawn")
MARKS = tuple(f'"kind":"{kind}"'.encode() for kind in KINDS)


def upgrade() -> None:
    """Make the tables, and fill them from the lines and the log that there are."""
    squeezed = op.create_table(
        "bank_squeezed",
        sa.Column("line", BYTES, primary_key=True),
        sa.Column("squeezed", TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("bank_squeezed_text", "bank_squeezed", ["squeezed"])
    typed = op.create_table(
        "typed_conversion",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("by", TEXT, nullable=False),
        sa.Column("reserve", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("holder", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("booked_on", TEXT),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("squeezed", TEXT, nullable=False),
        sa.Column("line", BYTES),
        sa.Column("corrected_seq", BIG),
        sa.CheckConstraint("length(id) = 16", name="typed_conversion_id"),
        sa.CheckConstraint("amount > 0", name="typed_conversion_amount"),
        sqlite_strict=True,
    )
    op.create_index("typed_conversion_by", "typed_conversion", ["by", "at"])
    _partial("typed_conversion_line", ["line"], NAMED, unique=True)
    _partial("typed_conversion_open", ["reserve", "at"], OPEN)
    op.create_table(
        "uncovered_account",
        sa.Column("account", BIG, sa.ForeignKey("account.number"), primary_key=True, autoincrement=False),
        sa.Column("seq", BIG, nullable=False),
        sqlite_strict=True,
    )
    _fill(squeezed, typed)


def _partial(name: str, columns: list[str], where: str, *, unique: bool = False) -> None:
    given = sa.text(where)
    op.create_index(name, "typed_conversion", columns, unique=unique, sqlite_where=given, postgresql_where=given)


def _fill(squeezed: Any, typed: Any) -> None:
    connection = op.get_bind()
    line = sa.table("bank_line", sa.column("id", BYTES), sa.column("bank_ref", TEXT))
    made, told = set(), []
    for id_, text in connection.execute(sa.select(line.c.id, line.c.bank_ref)):
        made.add(bytes(id_))
        if short := _squeezed(text):
            told.append({"line": id_, "squeezed": short})
    _insert(squeezed, told)
    log = sa.table(
        "log", sa.column("seq", BIG), sa.column("id", BYTES), sa.column("at", BIG), sa.column("record", BYTES)
    )
    rows: dict[str, dict[str, Any]] = {}
    named: dict[str, str] = {}
    after = 0
    while page := connection.execute(sa.select(log).where(log.c.seq > after).order_by(log.c.seq).limit(PAGE)).all():
        after = page[-1].seq
        for row in page:
            # A look at the bytes first: a long log is mostly payments.
            if any(mark in row.record for mark in MARKS):
                _read(json.loads(row.record), row, made, rows, named)
    _insert(typed, list(rows.values()))


def _read(
    record: dict[str, Any], row: Any, made: set[bytes], rows: dict[str, dict[str, Any]], named: dict[str, str]
) -> None:
    """Take one entry in: `rows` are conversions by their ids, `named` says which of them each line was found to be."""
    evidence, kind = record.get("evidence", {}), record["kind"]
    if kind == "conversion" and "line" not in evidence and bytes(row.id) not in made:
        units = record["transfers"][0]
        reference = str(evidence.get("reference", ""))
        rows[record["id"]] = {
            "id": row.id, "seq": row.seq, "at": row.at, "by": str(evidence.get("by", "")),
            "reserve": int(str(evidence.get("reserve", "0")), 16), "holder": int(units[1], 16), "amount": units[2],
            "booked_on": record.get("booked_on"), "reference": reference, "squeezed": _squeezed(reference),
            "line": None, "corrected_seq": None,
        }  # fmt: skip
    elif kind == "conversion_corrected" and record.get("corrects") in rows:
        rows[record["corrects"]]["corrected_seq"] = row.seq
    elif "conversion" in evidence and evidence["conversion"] in rows:
        of = str(evidence.get("line", record["id"]))
        if of in named:
            rows[named[of]]["line"] = None
        named[of] = evidence["conversion"]
        rows[evidence["conversion"]]["line"] = bytes.fromhex(of)
    elif kind in ("bank_back", "bank_withdrawn"):
        of = str(evidence.get("line" if kind == "bank_back" else "returns", ""))
        if of in named:
            rows[named.pop(of)]["line"] = None


def _insert(table: Any, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), PAGE):
        op.bulk_insert(table, rows[start : start + PAGE])


def _squeezed(text: str) -> str:
    """As `ledger.currency.bank.reference.squeezed` was when this version was written."""
    plain = "".join(char for char in text.upper() if char.isascii() and char.isalnum())
    return plain.translate(str.maketrans("OIL", "011"))
