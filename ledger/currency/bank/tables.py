"""The bank's tables: statements as they were taken, and their lines with who paid and what they wrote.

Names, accounts and texts of lines are personal and stand here only, so that they can be erased. What became of a line
is in the log; the columns `became`, `seq`, `holder` and `placed_seq` are an index over it, written in the same commit
and held against it by the audit; so are the conversions that people typed. Dates are ISO texts, amounts signed cents,
moments microseconds since the epoch.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from ledger.core.tables import BIG, BYTES, TEXT, table


class BankStatementTable(SQLModel, table=True):
    """A statement that was taken. `id` is that of its note in the log, `seq` the note's place."""

    __tablename__ = "bank_statement"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    reserve: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    number: int = Field(sa_column=Column(BIG, nullable=False))
    """Counts the statements of this account, from 1."""
    format: str = Field(sa_column=Column(TEXT, nullable=False))
    bank_number: str = Field(sa_column=Column(TEXT, nullable=False))
    first: str = Field(sa_column=Column(TEXT, nullable=False))
    last: str = Field(sa_column=Column(TEXT, nullable=False))
    opening: int = Field(sa_column=Column(BIG, nullable=False))
    closing: int = Field(sa_column=Column(BIG, nullable=False))
    file: str = Field(sa_column=Column(TEXT, nullable=False))
    taken_at: int = Field(sa_column=Column(BIG, nullable=False))
    taken_by: str = Field(sa_column=Column(TEXT, nullable=False))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="bank_statement_id"),
        UniqueConstraint("reserve", "number", name="bank_statement_number"),
        {"sqlite_strict": True},
    )


class BankLineTable(SQLModel, table=True):
    """A line of a statement. `id` is that of the one log entry which books it, whether it stands already or not."""

    __tablename__ = "bank_line"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    place: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    """Order of taking: the statement's seq * 2^20 + the line's index in it."""
    statement: bytes = Field(sa_column=Column(BYTES, ForeignKey("bank_statement.id"), nullable=False))
    reserve: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    booked_on: str = Field(sa_column=Column(TEXT, nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    ordinal: int = Field(sa_column=Column(BIG, nullable=False))
    """Counts the lines of this account, day and amount, from 1."""
    value_on: str | None = Field(sa_column=Column(TEXT))
    kind: str = Field(sa_column=Column(TEXT, nullable=False))
    bank_ref: str = Field(sa_column=Column(TEXT, nullable=False))
    name: str = Field(sa_column=Column(TEXT, nullable=False))
    iban: str = Field(sa_column=Column(TEXT, nullable=False))
    text: str = Field(sa_column=Column(TEXT, nullable=False))
    end_to_end: str = Field(sa_column=Column(TEXT, nullable=False))
    mandate: str = Field(sa_column=Column(TEXT, nullable=False))
    reason: str = Field(sa_column=Column(TEXT, nullable=False))
    parts: str = Field(sa_column=Column(TEXT, nullable=False))
    """JSON of the parts of a batch; "[]" where it has none."""
    withdrawn: bytes | None = Field(sa_column=Column(BYTES, ForeignKey("bank_statement.id")))
    """The corrected statement that no longer has this line."""
    became: str | None = Field(sa_column=Column(TEXT))
    """Kind of the log entry that books it; None while it is not booked."""
    seq: int | None = Field(sa_column=Column(BIG))
    holder: int | None = Field(sa_column=Column(BIG))
    """The member's account that it was booked or placed for."""
    placed_as: str | None = Field(sa_column=Column(TEXT))
    placed_seq: int | None = Field(sa_column=Column(BIG))
    """What a person decided of a line in suspense, and the entry that did it."""
    undone_seq: int | None = Field(sa_column=Column(BIG))
    """The entry that undid it, where it was withdrawn or came back."""
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="bank_line_id"),
        CheckConstraint("amount <> 0", name="bank_line_amount"),
        UniqueConstraint("reserve", "booked_on", "amount", "ordinal", name="bank_line_reference"),
        Index("bank_line_statement", "statement"),
        Index("bank_line_iban", "iban"),
        Index("bank_line_holder", "holder"),
        Index(
            "bank_line_open", "place",
            sqlite_where=sql("seq IS NULL"), postgresql_where=sql("seq IS NULL"),
        ),
        Index(
            "bank_line_suspense", "place",
            sqlite_where=sql("became = 'bank_suspense' AND placed_seq IS NULL AND undone_seq IS NULL"),
            postgresql_where=sql("became = 'bank_suspense' AND placed_seq IS NULL AND undone_seq IS NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


class BankSqueezedTable(SQLModel, table=True):
    """The bank's own reference of a line, as `reference.squeezed` leaves it; lines without one are not here.

    It is as personal as the line's texts, and goes where they go.
    """

    __tablename__ = "bank_squeezed"
    line: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    squeezed: str = Field(sa_column=Column(TEXT, nullable=False))
    __table_args__ = (Index("bank_squeezed_text", "squeezed"), {"sqlite_strict": True})


class TypedConversionTable(SQLModel, table=True):
    """A conversion that somebody typed: an index over the log. `id` and `seq` are its entry's, `at` its moment.

    `by` is the key (hex) or "console"; `booked_on` the day that it counts for where its entry says one.
    """

    __tablename__ = "typed_conversion"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    at: int = Field(sa_column=Column(BIG, nullable=False))
    by: str = Field(sa_column=Column(TEXT, nullable=False))
    reserve: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    holder: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    booked_on: str | None = Field(sa_column=Column(TEXT))
    reference: str = Field(sa_column=Column(TEXT, nullable=False))
    squeezed: str = Field(sa_column=Column(TEXT, nullable=False))
    line: bytes | None = Field(sa_column=Column(BYTES))
    """The bank line that it was found to be."""
    corrected_seq: int | None = Field(sa_column=Column(BIG))
    """The entry that took it back."""
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="typed_conversion_id"),
        CheckConstraint("amount > 0", name="typed_conversion_amount"),
        Index("typed_conversion_by", "by", "at"),
        Index(
            "typed_conversion_line", "line", unique=True,
            sqlite_where=sql("line IS NOT NULL"), postgresql_where=sql("line IS NOT NULL"),
        ),
        Index(
            "typed_conversion_open", "reserve", "at",
            sqlite_where=sql("line IS NULL AND corrected_seq IS NULL"),
            postgresql_where=sql("line IS NULL AND corrected_seq IS NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


BANK_STATEMENT, BANK_LINE = table(BankStatementTable), table(BankLineTable)
BANK_SQUEEZED, TYPED_CONVERSION = table(BankSqueezedTable), table(TypedConversionTable)
