"""Invitations say who made them, so that the note of the key that joins can say it too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Add `invite.made_by`; None for those made before."""
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("invite", sa.Column("made_by", TEXT))
        return
    # SQLite would write the column behind the constraints, and the table would read differently from a new one.
    op.rename_table("invite", "invite_before")
    op.create_table(
        "invite",
        sa.Column("code_hash", BYTES, primary_key=True),
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_by", BYTES),
        sa.Column("made_by", TEXT),
        sa.CheckConstraint("length(code_hash) = 32", name="invite_hash"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO invite (code_hash, party, role, expires_at, used_by) "
        "SELECT code_hash, party, role, expires_at, used_by FROM invite_before"
    )
    op.drop_table("invite_before")
