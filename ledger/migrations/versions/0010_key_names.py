"""The keys of an account by the 4 bytes with which requests name them, and the sessions of a key."""

from __future__ import annotations

from hashlib import sha256

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BYTES = sa.LargeBinary()
AT_ONCE = 1_000


def upgrade() -> None:
    """Add `key_name` with the keys that there are, and an index of sessions by key."""
    names = op.create_table(
        "key_name",
        sa.Column("id", BYTES, nullable=False),
        sa.Column("account", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key"), nullable=False),
        sa.PrimaryKeyConstraint("id", "account", "key"),
        sa.CheckConstraint("length(id) = 4", name="key_name_id"),
        sqlite_strict=True,
    )
    op.create_index("session_key", "session", ["key", "expires_at"])
    keys = op.get_bind().execute(
        sa.text("SELECT k.key, h.account FROM device_key k JOIN holding h ON h.party = k.party ORDER BY k.key")
    )
    rows = [
        {"id": sha256(bytes(key)).digest()[:4], "account": account, "key": bytes(key)} for key, account in keys.all()
    ]
    for start in range(0, len(rows), AT_ONCE):
        op.bulk_insert(names, rows[start : start + AT_ONCE])
