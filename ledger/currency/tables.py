"""The currency's tables: who is who. They hold what the log must not: names, labels, memos.

Everything here can be erased while every proof of the log still holds. No money is here, and nothing that can
be computed from the log: not whether a request was paid, not what a shop took today. Times are microseconds
since the epoch. A `table=True` SQLModel validates nothing: rows come from the functions of this room only.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index
from sqlmodel import Field, SQLModel

from ledger.core.tables import BIG, BYTES, TEXT, table


class PartyTable(SQLModel, table=True):
    """An admitted person, shop, association or public body. Its id is the id of its account's opening."""

    __tablename__ = "party"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    kind: str = Field(sa_column=Column(TEXT, nullable=False))
    name: str = Field(sa_column=Column(TEXT, nullable=False))
    admitted_at: int = Field(sa_column=Column(BIG, nullable=False))
    closed_at: int | None = Field(sa_column=Column(BIG))
    __table_args__ = (
        CheckConstraint("length(id) = 16", name="party_id"),
        CheckConstraint("kind in ('person', 'shop', 'association', 'public_body')", name="party_kind"),
        {"sqlite_strict": True},
    )


class HoldingTable(SQLModel, table=True):
    """Which party holds an account."""

    __tablename__ = "holding"
    account: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), primary_key=True, autoincrement=False))
    party: bytes = Field(sa_column=Column(BYTES, ForeignKey("party.id"), nullable=False, index=True))
    __table_args__ = ({"sqlite_strict": True},)


class DeviceKeyTable(SQLModel, table=True):
    """An Ed25519 public key that acts for a party, in one role. Revoked keys stay: old signatures need them."""

    __tablename__ = "device_key"
    key: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    party: bytes = Field(sa_column=Column(BYTES, ForeignKey("party.id"), nullable=False, index=True))
    role: str = Field(sa_column=Column(TEXT, nullable=False))
    label: str = Field(sa_column=Column(TEXT, nullable=False))
    added_at: int = Field(sa_column=Column(BIG, nullable=False))
    revoked_at: int | None = Field(sa_column=Column(BIG))
    __table_args__ = (
        CheckConstraint("length(key) = 32", name="device_key_key"),
        CheckConstraint(
            "role in ('member', 'cashier', 'owner', 'operator', 'treasurer', 'auditor')", name="device_key_role"
        ),
        {"sqlite_strict": True},
    )


class InviteTable(SQLModel, table=True):
    """A one-time code that lets one device key join a party. Only the code's hash is kept.

    `made_by` is the key (hex) that asked for it, or "console"; None where the program did not keep it yet. `person` is
    the account of the person who will hold the key, where that was said. `seal` ties all of it to the currency's key
    (see `seals`); None for codes that were used before there were seals. `act`, `salt`, `until` and `signature` are
    what a device signed to invite (see `acts`); None at the machine.
    """

    __tablename__ = "invite"
    code_hash: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    party: bytes = Field(sa_column=Column(BYTES, ForeignKey("party.id"), nullable=False))
    role: str = Field(sa_column=Column(TEXT, nullable=False))
    expires_at: int = Field(sa_column=Column(BIG, nullable=False))
    used_by: bytes | None = Field(sa_column=Column(BYTES))
    made_by: str | None = Field(sa_column=Column(TEXT))
    person: int | None = Field(sa_column=Column(BIG, ForeignKey("account.number")))
    seal: bytes | None = Field(sa_column=Column(BYTES))
    act: str | None = Field(sa_column=Column(TEXT))
    salt: bytes | None = Field(sa_column=Column(BYTES))
    until: int | None = Field(sa_column=Column(BIG))
    signature: bytes | None = Field(sa_column=Column(BYTES))
    __table_args__ = (CheckConstraint("length(code_hash) = 32", name="invite_hash"), {"sqlite_strict": True})


class SessionTable(SQLModel, table=True):
    """A reading session of a device key. Only the token's hash is kept. `seal` ties the row to the currency's key."""

    __tablename__ = "session"
    token_hash: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    key: bytes = Field(sa_column=Column(BYTES, ForeignKey("device_key.key"), nullable=False))
    expires_at: int = Field(sa_column=Column(BIG, nullable=False))
    seal: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (
        CheckConstraint("length(token_hash) = 32", name="session_hash"),
        Index("session_expires", "expires_at"),
        Index("session_key", "key", "expires_at"),
        {"sqlite_strict": True},
    )


class MemoTable(SQLModel, table=True):
    """What the payee wrote on the request of a payment, by the payment's id.

    `request` is the signed request itself, whose hash the payer's order holds; None where it was not kept yet.
    """

    __tablename__ = "memo"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    text: str = Field(sa_column=Column(TEXT, nullable=False))
    request: bytes | None = Field(sa_column=Column(BYTES))
    __table_args__ = ({"sqlite_strict": True},)


class KeyPersonTable(SQLModel, table=True):
    """Which person holds a key of the association: a member, by account. Two keys of one person are not two people."""

    __tablename__ = "key_person"
    key: bytes = Field(sa_column=Column(BYTES, ForeignKey("device_key.key"), primary_key=True))
    person: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), nullable=False))
    __table_args__ = ({"sqlite_strict": True},)


class KeyNameTable(SQLModel, table=True):
    """The keys of an account by the 4 bytes with which requests name them (`keys.key_id`): they follow from the key."""

    __tablename__ = "key_name"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    account: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), primary_key=True, autoincrement=False))
    key: bytes = Field(sa_column=Column(BYTES, ForeignKey("device_key.key"), primary_key=True))
    __table_args__ = (CheckConstraint("length(id) = 4", name="key_name_id"), {"sqlite_strict": True})


class BankDetailsTable(SQLModel, table=True):
    """Where a party is paid: its IBAN, and the holder's name ("": the party's). `set_by`: a key (hex) or "console"."""

    __tablename__ = "bank_details"
    party: bytes = Field(sa_column=Column(BYTES, ForeignKey("party.id"), primary_key=True))
    iban: str = Field(sa_column=Column(TEXT, nullable=False))
    holder: str = Field(sa_column=Column(TEXT, nullable=False))
    set_at: int = Field(sa_column=Column(BIG, nullable=False))
    set_by: str = Field(sa_column=Column(TEXT, nullable=False))
    __table_args__ = ({"sqlite_strict": True},)


class ActTable(SQLModel, table=True):
    """An act that was carried out: the hash that a device signed, and the first entry that it made.

    `text` and `salt` stand here where the log must not hold them, because they name a person or an account at a bank.
    """

    __tablename__ = "act"
    hash: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    text: str | None = Field(sa_column=Column(TEXT))
    salt: bytes | None = Field(sa_column=Column(BYTES))
    __table_args__ = (
        CheckConstraint("length(hash) = 32", name="act_hash"),
        CheckConstraint("(text IS NULL) = (salt IS NULL)", name="act_salt"),
        {"sqlite_strict": True},
    )


class SaltTable(SQLModel, table=True):
    """What makes a hash in the log say nothing to whoever guesses: of a party's name by the party's id, of a
    statement's lines by the statement's id, of bank details by an id that follows from the party's.

    Whoever erases a text erases its salt with it: the log still proves all that it did, and nobody can tell of what
    the hash was.
    """

    __tablename__ = "salt"
    id: bytes = Field(sa_column=Column(BYTES, primary_key=True))
    salt: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (
        CheckConstraint("length(id) = 16 and length(salt) = 16", name="salt_length"),
        {"sqlite_strict": True},
    )


class SignedHeadTable(SQLModel, table=True):
    """An end of the log that the currency signed: `size` entries, the last taken at `at`. Append-only, as the log is.

    `frontier` (see `ledger.core.tree`) lets the root of any size after it be computed from the leaves in between.
    """

    __tablename__ = "signed_head"
    size: int = Field(sa_column=Column(BIG, primary_key=True, autoincrement=False))
    at: int = Field(sa_column=Column(BIG, nullable=False))
    frontier: bytes = Field(sa_column=Column(BYTES, nullable=False))
    root: bytes = Field(sa_column=Column(BYTES, nullable=False))
    signature: bytes = Field(sa_column=Column(BYTES, nullable=False))
    __table_args__ = (
        CheckConstraint("size > 0", name="signed_head_size"),
        CheckConstraint("length(root) = 32 and length(signature) = 64", name="signed_head_length"),
        {"sqlite_strict": True},
    )


class UncoveredAccountTable(SQLModel, table=True):
    """An account that an issuer gave units after the currency had begun: it pays when all that was imported is covered.

    An index over the log, of which only those rows count that came since everything was covered; `seq` is the import's
    entry.
    """

    __tablename__ = "uncovered_account"
    account: int = Field(sa_column=Column(BIG, ForeignKey("account.number"), primary_key=True, autoincrement=False))
    seq: int = Field(sa_column=Column(BIG, nullable=False))
    __table_args__ = ({"sqlite_strict": True},)


PARTY, HOLDING, DEVICE_KEY, INVITE, SESSION, MEMO, KEY_PERSON, KEY_NAME, BANK_DETAILS, ACT, SALT, SIGNED_HEAD = (
    table(m)
    for m in (
        PartyTable,
        HoldingTable,
        DeviceKeyTable,
        InviteTable,
        SessionTable,
        MemoTable,
        KeyPersonTable,
        KeyNameTable,
        BankDetailsTable,
        ActTable,
        SaltTable,
        SignedHeadTable,
    )
)
UNCOVERED_ACCOUNT = table(UncoveredAccountTable)
