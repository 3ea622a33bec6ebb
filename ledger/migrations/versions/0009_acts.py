"""Acts: what devices signed, each carried out once; invitations keep what was signed to make them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make `act`, empty: what was done before carries none; and add what was signed to `invite`."""
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
    columns: list[sa.Column[Any]] = [
        sa.Column("act", sa.Text()),
        sa.Column("salt", sa.LargeBinary()),
        sa.Column("until", BIG),
        sa.Column("signature", sa.LargeBinary()),
    ]
    if op.get_bind().dialect.name != "sqlite":
        for column in columns:
            op.add_column("invite", column)
        return
    # SQLite would write the columns behind the constraints, and the table would read differently from a new one.
    op.rename_table("invite", "invite_before")
    op.create_table(
        "invite",
        sa.Column("code_hash", sa.LargeBinary(), primary_key=True),
        sa.Column("party", sa.LargeBinary(), sa.ForeignKey("party.id"), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_by", sa.LargeBinary()),
        sa.Column("made_by", sa.Text()),
        sa.Column("person", BIG, sa.ForeignKey("account.number")),
        sa.Column("seal", sa.LargeBinary()),
        *columns,
        sa.CheckConstraint("length(code_hash) = 32", name="invite_hash"),
        sqlite_strict=True,
    )
    kept = "code_hash, party, role, expires_at, used_by, made_by, person, seal"
    op.execute(f"INSERT INTO invite ({kept}) SELECT {kept} FROM invite_before")
    op.drop_table("invite_before")
