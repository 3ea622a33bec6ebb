"""The tables of payouts: an index over the log, and the files for the bank with the names and IBANs in them.

What is personal (names, IBANs, the files) stands here only, and can be erased. `payout` is an index over the log that
the audit holds against it. Amounts are cents, dates ISO texts, moments microseconds since the epoch; whoever acted is
a key (hex) or "console".
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from ledger.core.tables import BIG, BYTES, TEXT, table


class PayoutBatchTable(SQLModel, table=True):
    """A file for the bank. `id` is that of its note in the log, `seq` the note's place; `people` sign it."""

    __tablename__ = "payout_batch"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    number: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    """Counts them, from 1."""
    reserve: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    message: str = Field(sa_column=Column(TEXT, nullable=False))
    """The id of the file and of its one payment group, as the bank repeats it."""
    reference: str = Field(sa_column=Column(TEXT, nullable=False))
    """The ten characters in it that find it in a text."""
    requested_on: str = Field(sa_column=Column(TEXT, nullable=False))
    total: int = Field(sa_column=Column(BIG, nullable=False))
    transfers: int = Field(sa_column=Column(BIG, nullable=False))
    people: int = Field(sa_column=Column(BIG, nullable=False))
    sha256: bytes = Field(sa_column=Column(BYTES, nullable=False))
    file: bytes = Field(sa_column=Column(BYTES, nullable=False))
    made_at: int = Field(sa_column=Column(BIG, nullable=False))
    made_by: str = Field(sa_column=Column(TEXT, nullable=False))
    fetched_at: int | None = Field(sa_column=Column(BIG))
    fetched_by: str | None = Field(sa_column=Column(TEXT))
    withdrawn_at: int | None = Field(sa_column=Column(BIG))
    withdrawn_by: str | None = Field(sa_column=Column(TEXT))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="payout_batch_id"),
        CheckConstraint("length(sha256) = 32", name="payout_batch_sha256"),
        CheckConstraint("total > 0 AND transfers > 0", name="payout_batch_total"),
        Index("payout_batch_reference", "reference"),
        {"sqlite_strict": True},
    )


class PayoutTable(SQLModel, table=True):
    """What a shop is owed for a reconversion. `reconversion` is the id of the entry that accepted it, `seq` its place.

    `batch` is the live batch that it is in. `paid_by` and `undone_by` are the ids of the entries that did so. Where the
    euros of an undone one left in a sum of several all the same, `away_by` took them and `home_by` brought them back.
    """

    __tablename__ = "payout"
    reconversion: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    holder: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    units: int = Field(sa_column=Column(BIG, nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    reference: str = Field(sa_column=Column(TEXT, nullable=False))
    batch: bytes | None = Field(sa_column=Column(BYTES, ForeignKey("payout_batch.id")))
    paid_by: bytes | None = Field(sa_column=Column(BYTES))
    undone_by: bytes | None = Field(sa_column=Column(BYTES))
    away_by: bytes | None = Field(sa_column=Column(BYTES))
    home_by: bytes | None = Field(sa_column=Column(BYTES))
    __table_args__ = (
        CheckConstraint("length(reconversion) = 16", name="payout_reconversion"),
        CheckConstraint("amount > 0 AND units >= amount", name="payout_amount"),
        Index("payout_reference", "reference"),
        Index("payout_holder", "holder"),
        Index("payout_batched", "batch"),
        Index(
            "payout_due", "seq",
            sqlite_where=sql("paid_by IS NULL AND undone_by IS NULL"),
            postgresql_where=sql("paid_by IS NULL AND undone_by IS NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


class PayoutOrderTable(SQLModel, table=True):
    """A payout as a batch orders it: to whom and where. It stays when the batch is withdrawn."""

    __tablename__ = "payout_order"
    batch: bytes = Field(sa_column=Column(BYTES, ForeignKey("payout_batch.id"), primary_key=True))
    reconversion: bytes = Field(sa_column=Column(BYTES, ForeignKey("payout.reconversion"), primary_key=True))
    name: str = Field(sa_column=Column(TEXT, nullable=False))
    iban: str = Field(sa_column=Column(TEXT, nullable=False))
    __table_args__ = (Index("payout_order_reconversion", "reconversion"), {"sqlite_strict": True})


class PayoutSignatureTable(SQLModel, table=True):
    """Who signed a batch. `person` is the account of whoever holds the key, where that was said."""

    __tablename__ = "payout_signature"
    batch: bytes = Field(sa_column=Column(BYTES, ForeignKey("payout_batch.id"), primary_key=True))
    key: bytes = Field(sa_column=Column(BYTES, ForeignKey("device_key.key"), primary_key=True))
    person: int | None = Field(sa_column=Column(BIG, ForeignKey("account.number")))
    signed_at: int = Field(sa_column=Column(BIG, nullable=False))
    __table_args__ = ({"sqlite_strict": True},)


class PayoutPayeeTable(SQLModel, table=True):
    """What the bank told of a payout's account holder (`payees`): the `outcome`, and the `name` that it has ("")."""

    __tablename__ = "payout_payee"
    batch: bytes = Field(sa_column=Column(BYTES, ForeignKey("payout_batch.id"), primary_key=True))
    reconversion: bytes = Field(sa_column=Column(BYTES, ForeignKey("payout.reconversion"), primary_key=True))
    outcome: str = Field(sa_column=Column(TEXT, nullable=False))
    name: str = Field(sa_column=Column(TEXT, nullable=False))
    told_at: int = Field(sa_column=Column(BIG, nullable=False))
    told_by: str = Field(sa_column=Column(TEXT, nullable=False))
    __table_args__ = (
        CheckConstraint("outcome IN ('match', 'close_match', 'no_match', 'not_possible')", name="payout_payee_outcome"),
        {"sqlite_strict": True},
    )


PAYOUT_BATCH, PAYOUT, PAYOUT_ORDER, PAYOUT_SIGNATURE, PAYOUT_PAYEE = (
    table(m) for m in (PayoutBatchTable, PayoutTable, PayoutOrderTable, PayoutSignatureTable, PayoutPayeeTable)
)
