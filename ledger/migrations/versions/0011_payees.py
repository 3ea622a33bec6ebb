"""What the bank tells of the account holders of payouts (verification of payee)."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()
TEXT = sa.Text()


def upgrade() -> None:
    """Add `payout_payee`, empty: of files before, nobody knows."""
    op.create_table(
        "payout_payee",
        sa.Column("batch", BYTES, sa.ForeignKey("payout_batch.id"), nullable=False),
        sa.Column("reconversion", BYTES, sa.ForeignKey("payout.reconversion"), nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("told_at", BIG, nullable=False),
        sa.Column("told_by", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("batch", "reconversion"),
        sa.CheckConstraint(
            "outcome IN ('match', 'close_match', 'no_match', 'not_possible')", name="payout_payee_outcome"
        ),
        sqlite_strict=True,
    )
