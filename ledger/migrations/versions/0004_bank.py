"""The bank: statements that were taken, and their lines."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
IN_SUSPENSE = "became = 'bank_suspense' AND placed_seq IS NULL AND undone_seq IS NULL"


def upgrade() -> None:
    """Make the tables of `ledger.currency.bank.tables` as they were first."""
    op.create_table(
        "bank_statement",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("reserve", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("format", TEXT, nullable=False),
        sa.Column("bank_number", TEXT, nullable=False),
        sa.Column("first", TEXT, nullable=False),
        sa.Column("last", TEXT, nullable=False),
        sa.Column("opening", BIG, nullable=False),
        sa.Column("closing", BIG, nullable=False),
        sa.Column("file", TEXT, nullable=False),
        sa.Column("taken_at", BIG, nullable=False),
        sa.Column("taken_by", TEXT, nullable=False),
        sa.CheckConstraint("length(id) = 16", name="bank_statement_id"),
        sa.UniqueConstraint("reserve", "number", name="bank_statement_number"),
        sqlite_strict=True,
    )
    op.create_table(
        "bank_line",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("place", BIG, nullable=False, unique=True),
        sa.Column("statement", BYTES, sa.ForeignKey("bank_statement.id"), nullable=False),
        sa.Column("reserve", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("booked_on", TEXT, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("ordinal", BIG, nullable=False),
        sa.Column("value_on", TEXT),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("bank_ref", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("iban", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("end_to_end", TEXT, nullable=False),
        sa.Column("mandate", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("parts", TEXT, nullable=False),
        sa.Column("withdrawn", BYTES, sa.ForeignKey("bank_statement.id")),
        sa.Column("became", TEXT),
        sa.Column("seq", BIG),
        sa.Column("holder", BIG),
        sa.Column("placed_as", TEXT),
        sa.Column("placed_seq", BIG),
        sa.Column("undone_seq", BIG),
        sa.CheckConstraint("length(id) = 16", name="bank_line_id"),
        sa.CheckConstraint("amount <> 0", name="bank_line_amount"),
        sa.UniqueConstraint("reserve", "booked_on", "amount", "ordinal", name="bank_line_reference"),
        sqlite_strict=True,
    )
    op.create_index("bank_line_statement", "bank_line", ["statement"])
    op.create_index("bank_line_iban", "bank_line", ["iban"])
    op.create_index("bank_line_holder", "bank_line", ["holder"])
    for name, where in (("bank_line_open", "seq IS NULL"), ("bank_line_suspense", IN_SUSPENSE)):
        op.create_index(name, "bank_line", ["place"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))
