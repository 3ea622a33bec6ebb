"""The engine's four tables, and what the database itself refuses.

The log's record bytes are the truth; every other column is an index over them, and `check` compares the two.
Triggers, which the first version in `ledger/migrations` makes, keep log and transfers append-only. A
`table=True` SQLModel validates nothing: rows are only ever written from a `rules.Fold`, never from outside.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlmodel import Field, SQLModel

# A STRICT SQLite table knows INTEGER (64 bits), TEXT and BLOB only.
BIG = BigInteger().with_variant(Integer(), "sqlite")
SMALL = SmallInteger().with_variant(Integer(), "sqlite")
# Unbounded String is VARCHAR, which STRICT does not know; Text is TEXT everywhere.
TEXT = Text()
BYTES = LargeBinary()


class AccountTable(SQLModel, table=True):
    """Accounts with their running totals: a cache that is proved against the log."""

    __tablename__ = "account"
    number: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    unit: str = Field(sa_column=Column(TEXT, nullable=False))
    normal: int = Field(sa_column=Column(SMALL, nullable=False))
    floor: int | None = Field(sa_column=Column(BIG))
    ceiling: int | None = Field(sa_column=Column(BIG))
    cover: int | None = Field(sa_column=Column(BIG, ForeignKey("account.number")))
    opened: int = Field(sa_column=Column(BIG, nullable=False))
    closed: int = Field(sa_column=Column(BIG, nullable=False))
    debits: int = Field(sa_column=Column(BIG, nullable=False))
    credits: int = Field(sa_column=Column(BIG, nullable=False))
    last: int = Field(sa_column=Column(BIG, nullable=False))
    spine: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (
        CheckConstraint("number > 0", name="account_number"),
        CheckConstraint("normal in (-1, 1)", name="account_normal"),
        CheckConstraint("debits >= 0 and credits >= 0", name="account_totals"),
        CheckConstraint("floor is null or normal * (debits - credits) >= floor", name="account_floor"),
        CheckConstraint("ceiling is null or normal * (debits - credits) <= ceiling", name="account_ceiling"),
        CheckConstraint("closed = 0 or debits = credits", name="account_closed_empty"),
        # Only covered accounts are in it: the engine reads them with every batch.
        Index(
            "account_cover", "cover", sqlite_where=text("cover IS NOT NULL"), postgresql_where=text("cover IS NOT NULL")
        ),
        # Half-empty pages let PostgreSQL update a counter without moving the row to another page.
        {"sqlite_strict": True, "postgresql_with": {"fillfactor": "50"}},
    )


class LogTable(SQLModel, table=True):
    """The book: one record an entry, in order. `leaf` is the record's leaf hash in the Merkle log."""

    __tablename__ = "log"
    seq: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    id: bytes = Field(sa_column=Column(BYTES, nullable=False, unique=True))
    at: int = Field(sa_column=Column(BIG, nullable=False))
    corrects: bytes | None = Field(sa_column=Column(BYTES))
    leaf: bytes = Field(sa_column=Column(BYTES, nullable=False))
    record: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (
        CheckConstraint("seq > 0", name="log_seq"),
        CheckConstraint("length(id) = 16", name="log_id"),
        CheckConstraint("length(leaf) = 32", name="log_leaf"),
        Index(
            "log_corrects",
            "corrects",
            sqlite_where=text("corrects IS NOT NULL"),
            postgresql_where=text("corrects IS NOT NULL"),
        ),
        {"sqlite_strict": True},
    )


class TransferTable(SQLModel, table=True):
    """Transfers in log order. `place` is seq * 256 + leg; 0 in a pointer is none."""

    __tablename__ = "transfer"
    place: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    debit: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    credit: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    debit_after: int = Field(sa_column=Column(BIG, nullable=False))
    credit_after: int = Field(sa_column=Column(BIG, nullable=False))
    debit_previous: int = Field(sa_column=Column(BIG, nullable=False))
    credit_previous: int = Field(sa_column=Column(BIG, nullable=False))
    debit_jump: int = Field(sa_column=Column(BIG, nullable=False))
    credit_jump: int = Field(sa_column=Column(BIG, nullable=False))
    __table_args__ = (
        CheckConstraint("amount > 0 and amount < 9007199254740992", name="transfer_amount"),
        CheckConstraint("debit <> credit", name="transfer_sides"),
        CheckConstraint("debit_previous < place and credit_previous < place", name="transfer_chain"),
        {"sqlite_strict": True},
    )


class HeadTable(SQLModel, table=True):
    """The end of the log, one row: entries, time of the last, Merkle frontier and root."""

    __tablename__ = "head"
    one: int = Field(sa_column=Column(SMALL, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    at: int = Field(sa_column=Column(BIG, nullable=False))
    frontier: bytes = Field(sa_column=Column(BYTES, nullable=False))
    root: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (CheckConstraint("one = 1", name="head_one"), {"sqlite_strict": True})


def table(model: type[SQLModel]) -> Table:
    """The SQLAlchemy table of a table model."""
    found: Table = model.__table__  # type: ignore[attr-defined]
    return found


METADATA: MetaData = SQLModel.metadata
ACCOUNT, LOG, TRANSFER, HEAD = (table(m) for m in (AccountTable, LogTable, TransferTable, HeadTable))
