"""Acts: what devices signed, each carried out once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0006"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make `act`, empty: what was done before carries no act."""
    op.create_table(
        "act",
        sa.Column("hash", sa.LargeBinary(), primary_key=True),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("text", sa.Text()),
        sa.Column("salt", sa.LargeBinary()),
        sa.CheckConstraint("length(hash) = 32", name="act_hash"),
        sa.CheckConstraint("(text IS NULL) = (salt IS NULL)", name="act_salt"),
        sqlite_strict=True,
    )
