"""The tables of monthly top-ups: mandates with the IBANs of those who signed them, notices, files, and their debits.

What is personal (holders, IBANs, the texts that were signed, the files) stands here only, and can be erased: files, and
all of whoever has left. The rest is an index over the log that the audit holds against it. Amounts are cents, months
such as "2026-03", dates ISO texts, moments microseconds since the epoch; whoever acted is a key (hex) or "console".
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint
from sqlalchemy import text as sql
from sqlmodel import Field, SQLModel

from ledger.core.tables import BIG, BYTES, TEXT, table


class MandateTable(SQLModel, table=True):
    """A member's mandate. `seq` is the place of the note that it was signed; `reference` the ten characters in its RUM.

    A party has one that lives, at most.
    """

    __tablename__ = "mandate"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    account: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    reference: str = Field(sa_column=Column(TEXT, nullable=False, unique=True))
    iban: str = Field(sa_column=Column(TEXT, nullable=False))
    holder: str = Field(sa_column=Column(TEXT, nullable=False))
    signed_on: str = Field(sa_column=Column(TEXT, nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    """A month; that of the latest version."""
    version: int = Field(sa_column=Column(BIG, nullable=False))
    suspended_by: bytes | None = Field(sa_column=Column(BYTES))
    """Id of the note that suspended it."""
    suspended_why: str = Field(sa_column=Column(TEXT, nullable=False))
    """The bank's reason for the debit that came back last."""
    resumed_after: int = Field(sa_column=Column(BIG, nullable=False))
    """Number of the file up to which debits that came back no longer count."""
    ended_at: int | None = Field(sa_column=Column(BIG))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="mandate_id"),
        CheckConstraint("amount > 0 AND version > 0", name="mandate_amount"),
        Index("mandate_account", "account"),
        Index(
            "mandate_live", "account", unique=True,
            sqlite_where=sql("ended_at IS NULL"), postgresql_where=sql("ended_at IS NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


class MandateVersionTable(SQLModel, table=True):
    """What was signed: the mandate, and each change of its amount. `seq` is the place of its note.

    `key` and `signature` are the member's device's; None where a paper was signed, which the office keeps. The note
    holds SHA-256 of `salt` and `text`.
    """

    __tablename__ = "mandate_version"
    mandate: bytes = Field(sa_column=Column(BYTES, ForeignKey("mandate.id"), primary_key=True))
    version: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    signed_on: str = Field(sa_column=Column(TEXT, nullable=False))
    text: str = Field(sa_column=Column(TEXT, nullable=False))
    salt: bytes = Field(sa_column=Column(BYTES, nullable=False))
    key: bytes | None = Field(sa_column=Column(BYTES, ForeignKey("device_key.key")))
    signature: bytes | None = Field(sa_column=Column(BYTES))
    __table_args__ = (
        CheckConstraint("amount > 0", name="mandate_version_amount"),
        CheckConstraint("length(salt) = 16", name="mandate_version_salt"),
        CheckConstraint("(key IS NULL) = (signature IS NULL)", name="mandate_version_signature"),
        {"sqlite_strict": True},
    )


class MandateNoticeTable(SQLModel, table=True):
    """Somebody was told that `amount` will be debited on `due_on`. `seq` is the place of the note of that list."""

    __tablename__ = "mandate_notice"
    month: str = Field(sa_column=Column(TEXT, primary_key=True))
    mandate: bytes = Field(sa_column=Column(BYTES, ForeignKey("mandate.id"), primary_key=True))
    version: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    due_on: str = Field(sa_column=Column(TEXT, nullable=False))
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    __table_args__ = (
        CheckConstraint("amount > 0", name="mandate_notice_amount"),
        Index("mandate_notice_seq", "seq"),
        Index("mandate_notice_mandate", "mandate"),
        {"sqlite_strict": True},
    )


class CollectionTable(SQLModel, table=True):
    """A file of direct debits. `id` is that of its note in the log, `seq` the note's place.

    A month has one that was not withdrawn, at most; `attempt` counts them from 1.
    """

    __tablename__ = "collection"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    number: int = Field(sa_column=Column(BIG, nullable=False, unique=True))
    """Counts them all, from 1."""
    month: str = Field(sa_column=Column(TEXT, nullable=False))
    attempt: int = Field(sa_column=Column(BIG, nullable=False))
    reserve: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    message: str = Field(sa_column=Column(TEXT, nullable=False))
    """The id of the file and of its one payment group, as the bank repeats it."""
    reference: str = Field(sa_column=Column(TEXT, nullable=False))
    """The ten characters in it that find it in a text."""
    collect_on: str = Field(sa_column=Column(TEXT, nullable=False))
    risk_days: int = Field(sa_column=Column(BIG, nullable=False))
    total: int = Field(sa_column=Column(BIG, nullable=False))
    debits: int = Field(sa_column=Column(BIG, nullable=False))
    digest: bytes = Field(sa_column=Column(BYTES, nullable=False))
    """SHA-256 of its debits, as `collecting.digest` writes them."""
    sha256: bytes = Field(sa_column=Column(BYTES, nullable=False))
    file: bytes = Field(sa_column=Column(BYTES, nullable=False))
    made_at: int = Field(sa_column=Column(BIG, nullable=False))
    made_by: str = Field(sa_column=Column(TEXT, nullable=False))
    fetched_at: int | None = Field(sa_column=Column(BIG))
    fetched_by: str | None = Field(sa_column=Column(TEXT))
    withdrawn_at: int | None = Field(sa_column=Column(BIG))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="collection_id"),
        CheckConstraint("total > 0 AND debits > 0", name="collection_total"),
        UniqueConstraint("month", "attempt", name="collection_month"),
        Index(
            "collection_stands", "month", unique=True,
            sqlite_where=sql("withdrawn_at IS NULL"), postgresql_where=sql("withdrawn_at IS NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


class CollectionItemTable(SQLModel, table=True):
    """One debit of a file. `credited_by` and `unpaid_by` are the ids of the entries that brought it and took it back.

    `release_on` is the day from which its units are the member's, known once it was brought; `claim` is what of it the
    member owes, in cents.
    """

    __tablename__ = "collection_item"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    collection: bytes = Field(sa_column=Column(BYTES, ForeignKey("collection.id"), nullable=False))
    number: int = Field(sa_column=Column(BIG, nullable=False))
    """Its place in the file, from 1."""
    mandate: bytes = Field(sa_column=Column(BYTES, ForeignKey("mandate.id"), nullable=False))
    account: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    amount: int = Field(sa_column=Column(BIG, nullable=False))
    reference: str = Field(sa_column=Column(TEXT, nullable=False))
    credited_by: bytes | None = Field(sa_column=Column(BYTES))
    release_on: str | None = Field(sa_column=Column(TEXT))
    released_seq: int | None = Field(sa_column=Column(BIG))
    unpaid_by: bytes | None = Field(sa_column=Column(BYTES))
    unpaid_reason: str = Field(sa_column=Column(TEXT, nullable=False))
    claim: int = Field(sa_column=Column(BIG, nullable=False))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="collection_item_id"),
        CheckConstraint("amount > 0 AND claim >= 0 AND claim <= amount", name="collection_item_amount"),
        UniqueConstraint("collection", "number", name="collection_item_number"),
        Index("collection_item_mandate", "mandate"),
        Index("collection_item_account", "account"),
        Index(
            "collection_item_maturing", "release_on",
            sqlite_where=sql("release_on IS NOT NULL AND released_seq IS NULL AND unpaid_by IS NULL"),
            postgresql_where=sql("release_on IS NOT NULL AND released_seq IS NULL AND unpaid_by IS NULL"),
        ),
        Index(
            "collection_item_unpaid", "unpaid_by",
            sqlite_where=sql("unpaid_by IS NOT NULL"), postgresql_where=sql("unpaid_by IS NOT NULL"),
        ),
        {"sqlite_strict": True},
    )  # fmt: skip


MANDATE, MANDATE_VERSION, MANDATE_NOTICE, COLLECTION, COLLECTION_ITEM = (
    table(m) for m in (MandateTable, MandateVersionTable, MandateNoticeTable, CollectionTable, CollectionItemTable)
)
