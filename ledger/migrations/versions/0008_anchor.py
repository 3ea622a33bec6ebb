"""Signed heads of the log, salts of what the log holds as hashes, seals of sessions and invitations.

Sessions and join codes that nobody used yet have no seal and would open nothing, so they end here: a device opens a
new session by itself, and the association makes a new code.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()


def upgrade() -> None:
    """Add `salt`, `signed_head`, `memo.request`, `session.seal` and `invite.seal`."""
    op.create_table(
        "salt",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("salt", BYTES, nullable=False),
        sa.CheckConstraint("length(id) = 16 and length(salt) = 16", name="salt_length"),
        sqlite_strict=True,
    )
    op.create_table(
        "signed_head",
        sa.Column("size", BIG, primary_key=True, autoincrement=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("frontier", BYTES, nullable=False),
        sa.Column("root", BYTES, nullable=False),
        sa.Column("signature", BYTES, nullable=False),
        sa.CheckConstraint("size > 0", name="signed_head_size"),
        sa.CheckConstraint("length(root) = 32 and length(signature) = 64", name="signed_head_length"),
        sqlite_strict=True,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    _append_only(sqlite)
    op.drop_table("session")
    op.create_table(
        "session",
        sa.Column("token_hash", BYTES, primary_key=True),
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key"), nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("seal", BYTES, nullable=False),
        sa.CheckConstraint("length(token_hash) = 32", name="session_hash"),
        sqlite_strict=True,
    )
    op.create_index("session_expires", "session", ["expires_at"])
    op.execute("DELETE FROM invite WHERE used_by IS NULL")
    if not sqlite:
        op.add_column("invite", sa.Column("seal", BYTES))
        op.add_column("memo", sa.Column("request", BYTES))
        return
    # SQLite would write the columns behind the constraints, and the tables would read differently from new ones.
    op.rename_table("invite", "invite_before")
    op.create_table(
        "invite",
        sa.Column("code_hash", BYTES, primary_key=True),
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), nullable=False),
        sa.Column("role", TEXT, nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.Column("used_by", BYTES),
        sa.Column("made_by", TEXT),
        sa.Column("person", BIG, sa.ForeignKey("account.number")),
        sa.Column("seal", BYTES),
        sa.CheckConstraint("length(code_hash) = 32", name="invite_hash"),
        sqlite_strict=True,
    )
    columns = "code_hash, party, role, expires_at, used_by, made_by, person"
    op.execute(f"INSERT INTO invite ({columns}) SELECT {columns} FROM invite_before")
    op.drop_table("invite_before")
    op.rename_table("memo", "memo_before")
    op.create_table(
        "memo",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("text", TEXT, nullable=False),
        sa.Column("request", BYTES),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO memo (id, text) SELECT id, text FROM memo_before")
    op.drop_table("memo_before")


def _append_only(sqlite: bool) -> None:
    if sqlite:
        for event in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER signed_head_kept_{event.lower()} BEFORE {event} ON signed_head "
                "BEGIN SELECT RAISE(ABORT, 'signed_head is append-only, post a correction instead'); END"
            )
    else:
        op.execute(
            "CREATE TRIGGER signed_head_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON signed_head "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
