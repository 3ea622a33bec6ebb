"""Monthly top-ups: mandates and what was signed, notices, files of direct debits, and their debits."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
LIVE = "ended_at IS NULL"
MATURING = "release_on IS NOT NULL AND released_seq IS NULL AND unpaid_by IS NULL"
UNPAID = "unpaid_by IS NOT NULL"


def upgrade() -> None:
    """Make the tables of `ledger.currency.bank.mandates.tables` as they were first."""
    op.create_table(
        "mandate",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("account", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("reference", TEXT, nullable=False, unique=True),
        sa.Column("iban", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("signed_on", TEXT, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("version", BIG, nullable=False),
        sa.Column("suspended_by", BYTES),
        sa.Column("suspended_why", TEXT, nullable=False),
        sa.Column("resumed_after", BIG, nullable=False),
        sa.Column("ended_at", BIG),
        sa.CheckConstraint("length(id) = 16", name="mandate_id"),
        sa.CheckConstraint("amount > 0 AND version > 0", name="mandate_amount"),
        sqlite_strict=True,
    )
    op.create_index("mandate_account", "mandate", ["account"])
    _partial("mandate_live", "mandate", "account", LIVE, unique=True)
    op.create_table(
        "mandate_version",
        sa.Column("mandate", BYTES, sa.ForeignKey("mandate.id"), primary_key=True),
        sa.Column("version", BIG, primary_key=True, autoincrement=False),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("signed_on", TEXT, nullable=False),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("salt", BYTES, nullable=False),
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key")),
        sa.Column("signature", BYTES),
        sa.CheckConstraint("amount > 0", name="mandate_version_amount"),
        sa.CheckConstraint("length(salt) = 16", name="mandate_version_salt"),
        sa.CheckConstraint("(key IS NULL) = (signature IS NULL)", name="mandate_version_signature"),
        sqlite_strict=True,
    )
    op.create_table(
        "mandate_notice",
        sa.Column("month", TEXT, primary_key=True),
        sa.Column("mandate", BYTES, sa.ForeignKey("mandate.id"), primary_key=True),
        sa.Column("version", BIG, primary_key=True, autoincrement=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("due_on", TEXT, nullable=False),
        sa.Column("seq", BIG, nullable=False),
        sa.CheckConstraint("amount > 0", name="mandate_notice_amount"),
        sqlite_strict=True,
    )
    op.create_index("mandate_notice_seq", "mandate_notice", ["seq"])
    op.create_index("mandate_notice_mandate", "mandate_notice", ["mandate"])
    _collections()


def _collections() -> None:
    op.create_table(
        "collection",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("number", BIG, nullable=False, unique=True),
        sa.Column("month", TEXT, nullable=False),
        sa.Column("attempt", BIG, nullable=False),
        sa.Column("reserve", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("collect_on", TEXT, nullable=False),
        sa.Column("risk_days", BIG, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("debits", BIG, nullable=False),
        sa.Column("digest", BYTES, nullable=False),
        sa.Column("sha256", BYTES, nullable=False),
        sa.Column("file", BYTES, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("fetched_at", BIG),
        sa.Column("fetched_by", TEXT),
        sa.Column("withdrawn_at", BIG),
        sa.CheckConstraint("length(id) = 16", name="collection_id"),
        sa.CheckConstraint("total > 0 AND debits > 0", name="collection_total"),
        sa.UniqueConstraint("month", "attempt", name="collection_month"),
        sqlite_strict=True,
    )
    _partial("collection_stands", "collection", "month", "withdrawn_at IS NULL", unique=True)
    op.create_table(
        "collection_item",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("collection", BYTES, sa.ForeignKey("collection.id"), nullable=False),
        sa.Column("number", BIG, nullable=False),
        sa.Column("mandate", BYTES, sa.ForeignKey("mandate.id"), nullable=False),
        sa.Column("account", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("credited_by", BYTES),
        sa.Column("release_on", TEXT),
        sa.Column("released_seq", BIG),
        sa.Column("unpaid_by", BYTES),
        sa.Column("unpaid_reason", TEXT, nullable=False),
        sa.Column("claim", BIG, nullable=False),
        sa.CheckConstraint("length(id) = 16", name="collection_item_id"),
        sa.CheckConstraint("amount > 0 AND claim >= 0 AND claim <= amount", name="collection_item_amount"),
        sa.UniqueConstraint("collection", "number", name="collection_item_number"),
        sqlite_strict=True,
    )
    op.create_index("collection_item_mandate", "collection_item", ["mandate"])
    op.create_index("collection_item_account", "collection_item", ["account"])
    _partial("collection_item_maturing", "collection_item", "release_on", MATURING)
    _partial("collection_item_unpaid", "collection_item", "unpaid_by", UNPAID)


def _partial(name: str, table: str, column: str, where: str, *, unique: bool = False) -> None:
    op.create_index(name, table, [column], unique=unique, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
