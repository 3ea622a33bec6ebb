"""The currency: parties, who holds which account, device keys, invitations, sessions, memos."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Make the tables of `ledger.currency.tables` as they were first."""
    op.create_table(
        "party",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("admitted_at", BIG, nullable=False),
        sa.Column("closed_at", BIG),
        sa.CheckConstraint("length(id) = 16", name="party_id"),
        sa.CheckConstraint("kind in ('person', 'shop', 'association', 'public_body')", name="party_kind"),
        sqlite_strict=True,
    )
    op.create_table(
        "holding",
        sa.Column("account", BIG, sa.ForeignKey("account.number"), primary_key=True, autoincrement=False),
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), nullable=False),
        sqlite_strict=True,
    )
    op.create_index("ix_holding_party", "holding", ["party"])
    op.create_table(
        "device_key",
        sa.Column("key", BYTES, primary_key=True),
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("added_at", BIG, nullable=False),
        sa.Column("revoked_at", BIG),
        sa.CheckConstraint("length(key) = 32", name="device_key_key"),
        sa.CheckConstraint(
            "role in ('member', 'cashier', 'owner', 'operator', 'treasurer', 'auditor')", name="device_key_role"
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_device_key_party", "device_key", ["party"])
    op.create_table(
        "invite",
        sa.Column("code_hash", BYTES, primary_key=True),
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_by", BYTES),
        sa.CheckConstraint("length(code_hash) = 32", name="invite_hash"),
        sqlite_strict=True,
    )
    op.create_table(
        "session",
        sa.Column("token_hash", BYTES, primary_key=True),
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key"), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.CheckConstraint("length(token_hash) = 32", name="session_hash"),
        sqlite_strict=True,
    )
    op.create_index("session_expires", "session", ["expires_at"])
    op.create_table(
        "memo",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("text", TEXT, nullable=False),
        sqlite_strict=True,
    )
