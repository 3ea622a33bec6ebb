"""The bodies of the API, as models: strict on the way in, and on the way out what the documentation shows.

Amounts are whole cents. Account numbers are text with a check character. Ids, keys, hashes and signatures are
lower-case hex; signed messages are base32. Times are RFC 3339 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from ledger.core.ids import account_number, account_text
from ledger.currency.parties import Party
from merchants.statement import Line

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(at: int) -> str:
    """A moment (us since the epoch) as RFC 3339 text in UTC, with six decimals."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def moment(text: str) -> int:
    """Microseconds since the epoch of an RFC 3339 text. Raises ValueError; a time without zone is refused."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time needs its zone, such as 2026-11-23T10:00:00Z")
    return (found - _EPOCH) // timedelta(microseconds=1)


def _hex(size: int) -> Any:
    return Field(pattern=rf"^[0-9a-f]{{{2 * size}}}$", min_length=2 * size, max_length=2 * size)


def _account(value: Any) -> Any:
    if isinstance(value, str):
        return account_text(account_number(value))
    return value


def _digits(value: Any) -> Any:
    """An address holds text only, and pydantic would read "1.0", "+1" and "1_0" as 1 and 10."""
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,16}", value, re.ASCII):
        raise ValueError("write a whole number with the digits 0 to 9")
    return value


def _signed_digits(value: Any) -> Any:
    """As _digits, and a minus may stand before them."""
    if isinstance(value, str):
        _digits(value.removeprefix("-"))
    return value


def _calendar_date(value: Any) -> Any:
    """As _digits: 86400 and "2026-11-23T00:00" are dates to pydantic."""
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        return date.fromisoformat(value)
    raise ValueError("write a date as 2026-11-23")


Limit = Annotated[int, Field(ge=1, le=500), BeforeValidator(_digits)]
Place = Annotated[int, Field(ge=0, lt=2**53), BeforeValidator(_digits)]
Date = Annotated[date, BeforeValidator(_calendar_date)]
Id = Annotated[str, _hex(16)]
Key = Annotated[str, _hex(32)]
Signature = Annotated[str, _hex(64)]
Account = Annotated[str, BeforeValidator(_account), Field(max_length=32, examples=["0KX7Q-92MAB-4TZ9"])]
Message = Annotated[str, Field(min_length=1, max_length=512)]
Cents = Annotated[int, Field(ge=1, le=2**32 - 1)]
EuroCents = Annotated[int, Field(ge=1, lt=10**11), BeforeValidator(_digits)]
"""An amount in an address: up to what one bank transfer can carry."""

SignedCents = Annotated[int, Field(gt=-(10**13), lt=10**13), BeforeValidator(_signed_digits)]
"""An amount in an address that may be less than nothing, as on a bank's statement."""


class In(BaseModel):
    """A body on its way in: no unknown keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True)


class JoinIn(In):
    code: Annotated[str, Field(min_length=1, max_length=64)]
    key: Key
    label: Annotated[str, Field(min_length=1, max_length=80)]
    signature: Signature


class ChallengeIn(In):
    key: Key


class SessionIn(In):
    key: Key
    challenge: Annotated[str, _hex(32)]
    signature: Signature


class OrderIn(In):
    order: Message
    request: Message | None = None


class InviteIn(In):
    role: Annotated[str, Field(max_length=16)]
    account: Account | None = None
    person: Account | None = None


class PartyIn(In):
    kind: Annotated[str, Field(max_length=16)]
    name: Annotated[str, Field(min_length=1, max_length=120)]
    id: Id | None = None


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
    code: str
    expires_at: str
    link: str


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
