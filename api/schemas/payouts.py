"""The bodies of the API about payouts: what is due, files for the bank, who signed; and where a party is paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, Field
from sqlalchemy import Connection

from api.schemas.fields import Date, In, Signature, rfc3339
from api.schemas.town import BookedOut
from ledger.core.ids import account_text
from ledger.currency.bank.details import Details
from ledger.currency.bank.payouts.approval import who
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.bank.payouts.contents import Ordered
from ledger.currency.bank.payouts.owed import Due
from ledger.currency.bank.payouts.payees import Payee
from ledger.currency.bank.payouts.undoing import rejected_by
from ledger.currency.bank.reference import shown
from ledger.currency.town import Town


class BankDetailsIn(In):
    iban: Annotated[str, Field(min_length=1, max_length=64)]
    holder: Annotated[str, Field(max_length=140)] = ""


class BankDetailsOut(BaseModel):
    iban: str | None
    holder: str | None
    set_at: str | None


class PayeeOut(BaseModel):
    """What the bank found of an account's holder: `outcome` is match, close_match, no_match or not_possible.

    `name` is the one that it has, where it is nearly the one that is paid; else "".
    """

    outcome: str
    name: str


class PayoutOut(BaseModel):
    """`rejected_by`: who said that the bank will not execute it; another person has to say so too."""

    id: str
    account: str
    name: str
    amount_cents: int
    reference: str
    to: str
    iban: str
    batch: int | None
    accepted_at: str
    payee: PayeeOut | None
    rejected_by: list[str]


class PayoutsOut(BaseModel):
    """`pay_from` is the first day on which the bank can pay what is ordered now."""

    payouts: list[PayoutOut]
    pay_from: str


class BatchIn(In):
    on: Date | None = None


class BatchSignatureOut(BaseModel):
    key: str
    person: str | None
    name: str
    signed_at: str
    counts: bool


class BatchOut(BaseModel):
    id: str
    number: int
    message: str
    state: str
    requested_on: str
    total_cents: int
    transfers: int
    open: int
    people: int
    signed: int
    sha256: str
    signatures: list[BatchSignatureOut]
    ordered_at: str
    ordered_by: str
    fetched_at: str | None
    fetched_by: str | None
    withdrawn_at: str | None
    withdrawn_by: str | None


class BatchesOut(BaseModel):
    batches: list[BatchOut]


Look = Literal["", "new", "changed", "office", "fewer", "erased"]
"""Why an IBAN is to be looked at."""


class TransferOut(BaseModel):
    id: str
    reference: str
    account: str
    name: str
    iban: str
    is_new: bool
    look: Look
    amount_cents: int
    state: str
    payee: PayeeOut | None


class BatchTransfersOut(BaseModel):
    batch: BatchOut
    transfers: list[TransferOut]
    changed: bool


class BatchContentOut(BaseModel):
    sha256: str
    content: str


class BatchSignatureIn(In):
    signature: Signature


class WithdrawalIn(In):
    refused: bool = False


class RejectionIn(In):
    reason: Annotated[str, Field(max_length=35)] = ""


class RejectedOut(BookedOut):
    """`waits`: only the word is in the log; another person has to say so too, and nothing was moved."""

    waits: bool


def details_out(found: Details | None) -> BankDetailsOut:
    """Where a party is paid, as the API shows it."""
    if found is None:
        return BankDetailsOut(iban=None, holder=None, set_at=None)
    return BankDetailsOut(iban=found.iban, holder=found.holder or None, set_at=rfc3339(found.set_at))


def payee_out(found: Payee | None) -> PayeeOut | None:
    """What the bank found of an account's holder, as the API shows it."""
    return None if found is None else PayeeOut(outcome=str(found.outcome), name=found.name)


def payouts_out(town: Town, due: Sequence[Due]) -> list[PayoutOut]:
    """Payouts that are due, as the API shows them."""
    with town.reading() as connection:
        words = rejected_by(connection, [one.payout for one in due])
    return [_payout_out(one, words.get(one.payout.reconversion, [])) for one in due]


def _payout_out(one: Due, words: list[str]) -> PayoutOut:
    return PayoutOut(
        id=one.payout.reconversion.hex(), account=account_text(one.payout.holder), name=one.name,
        amount_cents=one.payout.amount, reference=shown(one.payout.reference), to=one.to, iban=one.iban,
        batch=one.batch or None, accepted_at=rfc3339(one.at), payee=payee_out(one.payee),
        rejected_by=words,
    )  # fmt: skip


def batch_out(connection: Connection, batch: Batch) -> BatchOut:
    """A file of payouts, as the API shows it."""

    def name(by: str | None) -> str | None:
        return None if by is None else who(connection, by)

    def moment(at: int | None) -> str | None:
        return None if at is None else rfc3339(at)

    return BatchOut(
        id=batch.id.hex(), number=batch.number, message=batch.message, state=batch.state,
        requested_on=batch.requested_on.isoformat(), total_cents=batch.total, transfers=batch.transfers,
        open=batch.open, people=batch.people, signed=batch.signed,
        sha256=batch.sha256.hex(),
        signatures=[
            BatchSignatureOut(
                key=one.key.hex(), person=account_text(one.person) if one.person else None, name=one.name,
                signed_at=rfc3339(one.signed_at), counts=one.counts,
            )
            for one in batch.signatures
        ],
        ordered_at=rfc3339(batch.made_at), ordered_by=who(connection, batch.made_by),
        fetched_at=moment(batch.fetched_at), fetched_by=name(batch.fetched_by),
        withdrawn_at=moment(batch.withdrawn_at), withdrawn_by=name(batch.withdrawn_by),
    )  # fmt: skip


def transfer_out(one: Ordered) -> TransferOut:
    """One transfer of a file, as the API shows it."""
    return TransferOut(
        id=one.reconversion.hex(), reference=shown(one.reference), account=account_text(one.holder), name=one.name,
        iban=one.iban, is_new=one.is_new, look=one.look, amount_cents=one.amount, state=one.state,
        payee=payee_out(one.payee),
    )  # fmt: skip
