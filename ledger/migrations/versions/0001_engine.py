"""The engine: accounts, log, transfers, head; append-only triggers; the view `entry`.

Spelt out rather than taken from `ledger.core.tables`: what a version made must not change with the program.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SMALL = sa.SmallInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()

FIXED = "number, unit, normal, floor, ceiling, cover, opened"
EMPTY_ROOT = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

REFUSED = {
    # name: (SQLite events, one trigger each; PostgreSQL events, one trigger; table)
    "log_no_change": (("UPDATE", "DELETE"), "UPDATE OR DELETE OR TRUNCATE", "log"),
    "transfer_no_change": (("UPDATE", "DELETE"), "UPDATE OR DELETE OR TRUNCATE", "transfer"),
    "account_no_change": ((f"UPDATE OF {FIXED}",), f"UPDATE OF {FIXED}", "account"),
    "account_no_delete": (("DELETE",), "DELETE OR TRUNCATE", "account"),
    "head_no_delete": (("DELETE",), "DELETE OR TRUNCATE", "head"),
}

# Both views walk the chain of one account from its last transfer, so that `WHERE account = ...` reads that
# account's transfers and no others. SQLite has no LATERAL; a correlated list of places stands in for it.
ENTRY_COLUMNS = """
    a.number AS account,
    t.place AS place,
    t.place / 256 AS seq,
    t.place % 256 AS leg,
    CASE WHEN t.debit = a.number THEN t.credit ELSE t.debit END AS counterparty,
    CASE WHEN t.debit = a.number THEN a.normal * t.amount ELSE -a.normal * t.amount END AS change,
    CASE WHEN t.debit = a.number THEN t.debit_after ELSE t.credit_after END AS balance
"""
CHAIN = """
    WITH RECURSIVE chain(place) AS (
        SELECT a.last WHERE a.last > 0
        UNION ALL
        SELECT CASE WHEN s.debit = a.number THEN s.debit_previous ELSE s.credit_previous END
        FROM chain JOIN transfer s ON s.place = chain.place
        WHERE CASE WHEN s.debit = a.number THEN s.debit_previous ELSE s.credit_previous END > 0
    )
"""
ENTRY_SQLITE = f"""
CREATE VIEW entry AS SELECT {ENTRY_COLUMNS}
FROM account a
CROSS JOIN json_each(({CHAIN} SELECT json_group_array(place) FROM chain)) p
CROSS JOIN transfer t ON t.place = p.value
"""
ENTRY_POSTGRES = f"""
CREATE VIEW entry AS SELECT {ENTRY_COLUMNS}
FROM account a
CROSS JOIN LATERAL ({CHAIN} SELECT place FROM chain) p
JOIN transfer t ON t.place = p.place
"""


def upgrade() -> None:
    """Make the tables and an empty head."""
    op.create_table(
        "account",
        sa.Column("number", BIG, primary_key=True, autoincrement=False),
        sa.Column("unit", TEXT, nullable=False),
        sa.Column("normal", SMALL, nullable=False),
        sa.Column("floor", BIG),
        sa.Column("ceiling", BIG),
        sa.Column("cover", BIG, sa.ForeignKey("account.number")),
        sa.Column("opened", BIG, nullable=False),
        sa.Column("closed", BIG, nullable=False),
        sa.Column("debits", BIG, nullable=False),
        sa.Column("credits", BIG, nullable=False),
        sa.Column("last", BIG, nullable=False),
        sa.Column("spine", BYTES, nullable=False),
        sa.CheckConstraint("number > 0", name="account_number"),
        sa.CheckConstraint("normal in (-1, 1)", name="account_normal"),
        sa.CheckConstraint("debits >= 0 and credits >= 0", name="account_totals"),
        sa.CheckConstraint("floor is null or normal * (debits - credits) >= floor", name="account_floor"),
        sa.CheckConstraint("ceiling is null or normal * (debits - credits) <= ceiling", name="account_ceiling"),
        sa.CheckConstraint("closed = 0 or debits = credits", name="account_closed_empty"),
        sqlite_strict=True,
        postgresql_with={"fillfactor": "50"},
    )
    covered = sa.text("cover IS NOT NULL")
    op.create_index("account_cover", "account", ["cover"], sqlite_where=covered, postgresql_where=covered)
    op.create_table(
        "log",
        sa.Column("seq", BIG, primary_key=True, autoincrement=False),
        sa.Column("id", BYTES, nullable=False, unique=True),
        sa.Column("at", BIG, nullable=False),
        sa.Column("corrects", BYTES),
        sa.Column("leaf", BYTES, nullable=False),
        sa.Column("record", BYTES, nullable=False),
        sa.CheckConstraint("seq > 0", name="log_seq"),
        sa.CheckConstraint("length(id) = 16", name="log_id"),
        sa.CheckConstraint("length(leaf) = 32", name="log_leaf"),
        sqlite_strict=True,
    )
    corrects = sa.text("corrects IS NOT NULL")
    op.create_index("log_corrects", "log", ["corrects"], sqlite_where=corrects, postgresql_where=corrects)
    op.create_table(
        "transfer",
        sa.Column("place", BIG, primary_key=True, autoincrement=False),
        sa.Column("debit", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("credit", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("debit_after", BIG, nullable=False),
        sa.Column("credit_after", BIG, nullable=False),
        sa.Column("debit_previous", BIG, nullable=False),
        sa.Column("credit_previous", BIG, nullable=False),
        sa.Column("debit_jump", BIG, nullable=False),
        sa.Column("credit_jump", BIG, nullable=False),
        sa.CheckConstraint("amount > 0 and amount < 9007199254740992", name="transfer_amount"),
        sa.CheckConstraint("debit <> credit", name="transfer_sides"),
        sa.CheckConstraint("debit_previous < place and credit_previous < place", name="transfer_chain"),
        sqlite_strict=True,
    )
    head = op.create_table(
        "head",
        sa.Column("one", SMALL, primary_key=True, autoincrement=False),
        sa.Column("seq", BIG, nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("frontier", BYTES, nullable=False),
        sa.Column("root", BYTES, nullable=False),
        sa.CheckConstraint("one = 1", name="head_one"),
        sqlite_strict=True,
    )
    op.bulk_insert(head, [{"one": 1, "seq": 0, "at": 0, "frontier": b"", "root": EMPTY_ROOT}])
    if op.get_bind().dialect.name == "sqlite":
        op.execute(ENTRY_SQLITE)
        for name, (events, _, table) in REFUSED.items():
            for event in events:
                suffix = "" if len(events) == 1 else f"_{event.lower()}"
                op.execute(
                    f"CREATE TRIGGER {name}{suffix} BEFORE {event} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only, post a correction instead'); END"
                )
    else:
        op.execute(ENTRY_POSTGRES)
        op.execute(
            "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
            "USING MESSAGE = TG_TABLE_NAME || ' is append-only, post a correction instead'; END $$"
        )
        for name, (_, events_postgres, table) in REFUSED.items():
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {events_postgres} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
