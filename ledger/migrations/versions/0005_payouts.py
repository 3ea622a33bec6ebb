"""Payouts: what is owed, the files that order it, who signed them, whose key is whose; where parties are paid."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
BYTES = sa.LargeBinary()
DUE = "paid_by IS NULL AND undone_by IS NULL"


def upgrade() -> None:
    """Make the tables as they were first, add `invite.person`, and index the reconversions that the log has."""
    _invite()
    op.create_table(
        "key_person",
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key"), primary_key=True),
        sa.Column("person", BIG, sa.ForeignKey("account.number"), nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "bank_details",
        sa.Column("party", BYTES, sa.ForeignKey("party.id"), primary_key=True),
        sa.Column("iban", TEXT, nullable=False),
        sa.Column("holder", TEXT, nullable=False),
        sa.Column("set_at", BIG, nullable=False),
        sa.Column("set_by", TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "payout_batch",
        sa.Column("id", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("number", BIG, nullable=False, unique=True),
        sa.Column("reserve", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("message", TEXT, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("requested_on", TEXT, nullable=False),
        sa.Column("total", BIG, nullable=False),
        sa.Column("transfers", BIG, nullable=False),
        sa.Column("people", BIG, nullable=False),
        sa.Column("sha256", BYTES, nullable=False),
        sa.Column("file", BYTES, nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("made_by", TEXT, nullable=False),
        sa.Column("fetched_at", BIG),
        sa.Column("fetched_by", TEXT),
        sa.Column("withdrawn_at", BIG),
        sa.Column("withdrawn_by", TEXT),
        sa.CheckConstraint("length(id) = 16", name="payout_batch_id"),
        sa.CheckConstraint("length(sha256) = 32", name="payout_batch_sha256"),
        sa.CheckConstraint("total > 0 AND transfers > 0", name="payout_batch_total"),
        sqlite_strict=True,
    )
    op.create_index("payout_batch_reference", "payout_batch", ["reference"])
    payout = op.create_table(
        "payout",
        sa.Column("reconversion", BYTES, primary_key=True),
        sa.Column("seq", BIG, nullable=False, unique=True),
        sa.Column("holder", BIG, sa.ForeignKey("account.number"), nullable=False),
        sa.Column("units", BIG, nullable=False),
        sa.Column("amount", BIG, nullable=False),
        sa.Column("reference", TEXT, nullable=False),
        sa.Column("batch", BYTES, sa.ForeignKey("payout_batch.id")),
        sa.Column("paid_by", BYTES),
        sa.Column("undone_by", BYTES),
        sa.Column("away_by", BYTES),
        sa.Column("home_by", BYTES),
        sa.CheckConstraint("length(reconversion) = 16", name="payout_reconversion"),
        sa.CheckConstraint("amount > 0 AND units >= amount", name="payout_amount"),
        sqlite_strict=True,
    )
    op.create_index("payout_reference", "payout", ["reference"])
    op.create_index("payout_holder", "payout", ["holder"])
    op.create_index("payout_batched", "payout", ["batch"])
    op.create_index("payout_due", "payout", ["seq"], sqlite_where=sa.text(DUE), postgresql_where=sa.text(DUE))
    op.create_table(
        "payout_order",
        sa.Column("batch", BYTES, sa.ForeignKey("payout_batch.id"), primary_key=True),
        sa.Column("reconversion", BYTES, sa.ForeignKey("payout.reconversion"), primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("iban", TEXT, nullable=False),
        sqlite_strict=True,
    )
    op.create_index("payout_order_reconversion", "payout_order", ["reconversion"])
    op.create_table(
        "payout_signature",
        sa.Column("batch", BYTES, sa.ForeignKey("payout_batch.id"), primary_key=True),
        sa.Column("key", BYTES, sa.ForeignKey("device_key.key"), primary_key=True),
        sa.Column("person", BIG, sa.ForeignKey("account.number")),
        sa.Column("signed_at", BIG, nullable=False),
        sqlite_strict=True,
    )
    _index_log(payout)


def _invite() -> None:
    if op.get_bind().dialect.name != "sqlite":
        op.add_column("invite", sa.Column("person", BIG))
        op.create_foreign_key("invite_person_fkey", "invite", "account", ["person"], ["number"])
        return
    # As in 0003: the table must read like a new one.
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
        sa.CheckConstraint("length(code_hash) = 32", name="invite_hash"),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO invite (code_hash, party, role, expires_at, used_by, made_by) "
        "SELECT code_hash, party, role, expires_at, used_by, made_by FROM invite_before"
    )
    op.drop_table("invite_before")


def _index_log(payout: Any) -> None:
    """Every reconversion that was accepted so far is owed: nothing could pay it before this version."""
    # Both follow from the network id for ever, so they are no part of the program that could change.
    from ledger.currency.bank.reference import reference
    from ledger.currency.chart import own_number

    connection = op.get_bind()
    log = sa.table("log", sa.column("seq", BIG), sa.column("id", BYTES), sa.column("record", BYTES))
    network: bytes | None = None
    asked: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    for seq, id_, data in connection.execute(sa.select(log.c.seq, log.c.id, log.c.record).order_by(log.c.seq)):
        # A look at the bytes first: a long log is mostly payments.
        if b'"reconversion' not in data and b'"kind":"charter"' not in data:
            continue
        record = json.loads(data)
        evidence = record.get("evidence", {})
        if record["kind"] == "charter":
            network = bytes.fromhex(evidence["network"])
        elif record["kind"] == "reconversion_asked":
            asked[record["id"]] = record["transfers"][0][0]
        elif record["kind"] == "reconversion" and network is not None:
            payouts = f"{own_number(network, 'payouts'):016x}"
            amount = sum(cents for _debit, credit, cents, _unit in record["transfers"] if credit == payouts)
            if amount and evidence.get("asked") in asked:
                rows.append(
                    {"reconversion": id_, "seq": seq, "holder": int(asked[evidence["asked"]], 16),
                     "units": record["transfers"][0][2], "amount": amount,
                     "reference": reference("payout", network, id_)}
                )  # fmt: skip
    if rows:
        op.bulk_insert(payout, rows)
