"""The bodies of the API about monthly top-ups: mandates, who is told of what, files of debits, and one's own."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.fields import Account, Cents, Date, Id, In, Signature, rfc3339
from ledger.core.ids import account_text
from ledger.currency.bank.mandates.announced import Announced
from ledger.currency.bank.mandates.daily import Done
from ledger.currency.bank.mandates.files import Collection
from ledger.currency.bank.mandates.index import Item
from ledger.currency.bank.mandates.mine import Mine
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.notices import Notices, letter
from ledger.currency.bank.mandates.text import Terms, rum

Month = Annotated[str, Field(max_length=16)]


class MandateIn(In):
    """A mandate that the caller's device signed: Ed25519 over "patard/mandate/1" 00, network (4 bytes), key (32) and
    the text in `lang` that the terms and these values make.
    """

    id: Id
    iban: Annotated[str, Field(min_length=1, max_length=64)]
    holder: Annotated[str, Field(min_length=1, max_length=140)]
    amount_cents: Cents
    signed_on: Date
    lang: Annotated[str, Field(max_length=8)]
    signature: Signature


class PaperMandateIn(In):
    account: Account
    iban: Annotated[str, Field(min_length=1, max_length=64)]
    holder: Annotated[str, Field(max_length=140)] = ""
    amount_cents: Cents
    signed_on: Date
    id: Id | None = None


class MandateAmountIn(In):
    """Another amount, as the mandate's number `version`; signed as the mandate is, by a member."""

    amount_cents: Cents
    version: Annotated[int, Field(ge=1, le=1_000_000)]
    signed_on: Date
    lang: Annotated[str, Field(max_length=8)] | None = None
    signature: Signature | None = None


class NoticesIn(In):
    month: Month | None = None


class CollectionIn(In):
    month: Month | None = None
    on: Date | None = None


class CollectionWithdrawalIn(In):
    refused: bool = False


class DebitRejectionIn(In):
    reason: Annotated[str, Field(max_length=8)] = ""


class MandateOut(BaseModel):
    id: str
    account: str
    name: str
    rum: str
    iban: str
    holder: str
    amount_cents: int
    version: int
    signed_on: str
    state: str
    reason: str | None


class MandatesOut(BaseModel):
    mandates: list[MandateOut]


class NoticeTextOut(BaseModel):
    fr: str
    en: str


class NoticeOut(BaseModel):
    account: str
    name: str
    holder: str
    iban: str
    mandate: str
    amount_cents: int
    due_on: str
    text: NoticeTextOut


class NoticesOut(BaseModel):
    month: str
    due_on: str
    last_day: str
    notices: list[NoticeOut]


class CollectionOut(BaseModel):
    number: int
    month: str
    message: str
    collect_on: str
    total_cents: int
    debits: int
    risk_days: int
    sha256: str
    state: str
    credited: int
    released: int
    unpaid: int
    made_at: str
    fetched_at: str | None


class NextCollectionOut(BaseModel):
    month: str
    due_on: str
    from_day: str
    collect_on: str
    """The day on which the bank debits a file that it gets now."""
    by_day: str
    """The last day on which it must have the file to debit on the day that was announced."""
    by_hour: str | None
    """The local hour on that day, HH:MM; null: all day."""
    debits: int
    total_cents: int


class CollectionsOut(BaseModel):
    collections: list[CollectionOut]
    next: NextCollectionOut | None
    """The month whose file can be made next: it was announced."""
    missed: list[str]
    """Months whose day is still to come, and of which nobody was told in time."""


class DebitOut(BaseModel):
    number: int
    reference: str
    account: str
    amount_cents: int
    state: str
    release_on: str | None
    reason: str | None
    claim_cents: int


class DebitsOut(BaseModel):
    debits: list[DebitOut]


class ReleaseOut(BaseModel):
    released: int
    released_cents: int
    lapsed: list[str]
    suspended: list[str]
    stuck: list[str]
    once: int


class TermsOut(BaseModel):
    creditor: str
    creditor_id: str
    day: int
    notice_days: int
    risk_days: int
    per_month_cents: int | None


class NextDebitOut(BaseModel):
    month: str
    due_on: str
    amount_cents: int
    told: bool


class PastDebitOut(BaseModel):
    month: str
    amount_cents: int
    state: str
    arrives_on: str | None
    reason: str | None
    claim_cents: int


class MonthlyOut(BaseModel):
    terms: TermsOut
    mandate: MandateOut | None
    next: NextDebitOut | None
    past: list[PastDebitOut]


def mandate_out(one: Mandate, code: str) -> MandateOut:
    """A mandate, as the API shows it."""
    return MandateOut(
        id=one.id.hex(), account=account_text(one.account), name=one.name, rum=rum(code, one.reference), iban=one.iban,
        holder=one.holder, amount_cents=one.amount, version=one.version, signed_on=one.signed_on.isoformat(),
        state=one.state, reason=one.suspended_why or None,
    )  # fmt: skip


def notices_out(said: Terms, found: Notices) -> NoticesOut:
    """A list of who is told what, as the API shows it."""
    return NoticesOut(
        month=found.month, due_on=found.due_on.isoformat(), last_day=found.last_day.isoformat(),
        notices=[
            NoticeOut(
                account=account_text(one.account), name=one.name, holder=one.holder, iban=one.iban, mandate=one.rum,
                amount_cents=one.amount, due_on=one.due_on.isoformat(),
                text=NoticeTextOut(fr=letter("fr", said, one), en=letter("en", said, one)),
            )
            for one in found.notices
        ],
    )  # fmt: skip


def next_out(one: Announced) -> NextCollectionOut:
    """The month whose file is next, as the API shows it."""
    return NextCollectionOut(
        month=one.month, due_on=one.due_on.isoformat(), from_day=one.from_day.isoformat(),
        collect_on=one.collect_on.isoformat(), by_day=one.by_day.isoformat(),
        by_hour=f"{one.by_hour:%H:%M}" if one.by_hour else None, debits=one.debits, total_cents=one.total,
    )  # fmt: skip


def collection_out(one: Collection) -> CollectionOut:
    """A file of debits, as the API shows it."""
    return CollectionOut(
        number=one.number, month=one.month, message=one.message, collect_on=one.collect_on.isoformat(),
        total_cents=one.total, debits=one.debits, risk_days=one.risk_days, sha256=one.sha256.hex(), state=one.state,
        credited=one.credited, released=one.released, unpaid=one.unpaid, made_at=rfc3339(one.made_at),
        fetched_at=rfc3339(one.fetched_at) if one.fetched_at else None,
    )  # fmt: skip


def debit_out(one: Item) -> DebitOut:
    """A debit, as the API shows it."""
    return DebitOut(
        number=one.number, reference=one.reference, account=account_text(one.account), amount_cents=one.amount,
        state=one.state, release_on=one.release_on, reason=one.unpaid_reason or None if one.unpaid_by else None,
        claim_cents=one.claim,
    )  # fmt: skip


def release_out(done: Done) -> ReleaseOut:
    """What a release came to, as the API shows it."""
    return ReleaseOut(
        released=done.released.debits, released_cents=done.released.cents,
        lapsed=[one.reference for one in done.lapsed], suspended=[one.reference for one in done.suspended],
        stuck=[item.reference for item, _code in done.released.stuck], once=done.released.once,
    )  # fmt: skip


def monthly_out(mine: Mine) -> MonthlyOut:
    """A member's monthly top-up, as the API shows it."""
    said, following = mine.terms, mine.next
    return MonthlyOut(
        terms=TermsOut(
            creditor=said.creditor, creditor_id=said.creditor_id, day=said.day, notice_days=said.notice_days,
            risk_days=said.risk_days, per_month_cents=said.per_month,
        ),
        mandate=mandate_out(mine.mandate, said.code) if mine.mandate else None,
        next=following
        and NextDebitOut(month=following.month, due_on=following.due_on.isoformat(), amount_cents=following.amount,
                         told=following.is_told),
        past=[
            PastDebitOut(
                month=one.month, amount_cents=one.amount, state=one.state,
                arrives_on=one.release_on.isoformat() if one.release_on else None, reason=one.reason or None,
                claim_cents=one.claim,
            )
            for one in mine.past
        ],
    )  # fmt: skip
