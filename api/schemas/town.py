"""Members, their devices, sessions, orders and what is told of payments: what the first routes take and give."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.fields import Account, Cents, Challenge, Date, Id, In, Key, Message, Signature, rfc3339
from ledger.core.ids import account_text
from ledger.currency.parties import Party
from merchants.statement import Line


class JoinIn(In):
    code: Annotated[str, Field(min_length=1, max_length=64)]
    key: Key
    label: Annotated[str, Field(min_length=1, max_length=80)]
    signature: Signature
    roles: Annotated[list[Annotated[str, Field(max_length=16)]], Field(max_length=6)] | None = None


class ChallengeIn(In):
    key: Key


class SessionIn(In):
    key: Key
    challenge: Challenge
    signature: Signature


class OrderIn(In):
    order: Message
    request: Message | None = None


class InviteIn(In):
    role: Annotated[str, Field(max_length=16)]
    code_hash: Key
    account: Account | None = None
    person: Account | None = None


class PartyIn(In):
    kind: Annotated[str, Field(max_length=16)]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    id: Id | None = None
    again: bool = False
    """Although another such party has this name; persons may share one anyway."""


class ConversionIn(In):
    account: Account
    amount_cents: Cents
    reserve: Annotated[str, Field(max_length=120)]
    reference: Annotated[str, Field(max_length=80)]
    booked_on: Date | None = None


class LimitsOut(BaseModel):
    per_payment_cents: int | None
    per_day_cents: int | None


class CurrencyOut(BaseModel):
    code: str
    name: str
    symbol: str
    network: str
    public_url: str
    key: str
    reconversion_fee_bp: int
    reconversion_by: list[str]
    limits: LimitsOut
    session_seconds: int
    request_seconds: int
    timezone: str
    waiting_account: str


class PartyOut(BaseModel):
    id: str
    kind: str
    name: str
    account: str
    admitted_at: str
    closed_at: str | None


class WhoOut(BaseModel):
    account: str
    name: str | None
    kind: str | None


class MeOut(BaseModel):
    party: PartyOut
    role: str
    label: str
    key: str


class ChallengeOut(BaseModel):
    challenge: str
    expires_at: str


class SessionOut(BaseModel):
    token: str
    expires_at: str


class AccountOut(BaseModel):
    account: str
    unit: str
    balance_cents: int
    at: str
    name: str | None
    kind: str | None


class EntryOut(BaseModel):
    id: str
    seq: int
    at: str
    booked_on: date | None
    kind: str
    change_cents: int
    balance_cents: int
    counterparty: WhoOut | None
    memo: str | None
    reference: str | None
    corrects: str | None


class EntriesOut(BaseModel):
    entries: list[EntryOut]
    next_cursor: str | None


class DayOut(BaseModel):
    date: str
    count: int
    received_cents: int
    refunded_cents: int
    total_cents: int


class PostedOut(BaseModel):
    id: str
    seq: int
    at: str
    receipt: str
    replay: bool


class PaymentOut(BaseModel):
    id: str
    kind: str
    seq: int
    at: str
    payer: WhoOut
    payee: WhoOut
    amount_cents: int
    refunded_cents: int
    memo: str | None
    receipt: str


class RequestOut(BaseModel):
    payment_id: str | None
    payee: WhoOut
    amount_cents: int
    label: str
    expires_at: str | None
    paid: bool
    expired: bool


class DirectoryOut(BaseModel):
    content: str
    signature: str


class KeyOut(BaseModel):
    key: str
    role: str
    label: str
    added_at: str
    revoked_at: str | None
    person: str | None
    this: bool


class KeysOut(BaseModel):
    keys: list[KeyOut]


class InviteOut(BaseModel):
    expires_at: str
    link_before_code: str


class PartiesOut(BaseModel):
    parties: list[PartyOut]


class BookedOut(BaseModel):
    id: str
    seq: int
    at: str
    replay: bool


class AskedOut(BaseModel):
    id: str
    account: str
    name: str
    amount_cents: int
    fee_cents: int
    payout_cents: int
    at: str


class ReconversionsOut(BaseModel):
    reconversions: list[AskedOut]


class LogOut(BaseModel):
    size: int
    root: str
    at: str
    at_us: int
    """The same in microseconds since the epoch, which the signature covers."""
    signature: str


class ProblemOut(BaseModel):
    type: str
    title: str
    status: int
    detail: str
    code: str
    line: int | None = None
    """Of a file that was refused, from 1; only where a line is at fault."""


def party_out(party: Party) -> PartyOut:
    """A party as the API shows it."""
    closed = None if party.closed_at is None else rfc3339(party.closed_at)
    return PartyOut(
        id=party.id.hex(), kind=party.kind, name=party.name, account=account_text(party.account),
        admitted_at=rfc3339(party.admitted_at), closed_at=closed,
    )  # fmt: skip


def who(account: int, party: Party | None) -> WhoOut:
    """One side of a payment."""
    return WhoOut(account=account_text(account), name=party.name if party else None, kind=party.kind if party else None)


def entry_out(line: Line) -> EntryOut:
    """A statement line as the API shows it."""
    entry = line.entry
    return EntryOut(
        id=entry.id.hex(), seq=entry.seq, at=rfc3339(entry.at), booked_on=entry.booked_on, kind=entry.kind,
        change_cents=entry.change, balance_cents=entry.balance,
        counterparty=who(entry.counterparty, line.counterparty) if line.counterparty else None,
        memo=line.memo, reference=line.reference, corrects=entry.corrects.hex() if entry.corrects else None,
    )  # fmt: skip
