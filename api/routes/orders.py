"""Reading what became of orders: payments with their receipts, and the state of a payment request.

Sending orders is in `api.orders`, which answers before any of these routes is looked at.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.auth import Caller, Served, hex_bytes
from api.schemas.fields import rfc3339
from api.schemas.town import PaymentOut, RequestOut, who
from ledger.currency import parties
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import SignedRequest
from ledger.currency.told import tell
from ledger.currency.town import Town
from merchants import asked, statement
from merchants.desk import memos

router = APIRouter(tags=["orders"])


@router.get("/v1/payments/{id}", response_model=PaymentOut)
def payment(id: str, found: Served, caller: Caller) -> PaymentOut:
    """A payment, refund or request to change back, for either side of it, with its receipt."""
    unknown = CurrencyError("not_found", tell("there is no such payment, or it is none of yours"))
    try:
        id_ = hex_bytes(id, 16)
    except ValueError:
        raise unknown from None
    stood = found.town.book.find(id_)
    sides = stood and statement.sides(stood)
    if stood is None or sides is None or not (caller.account in sides[:2] or caller.role in parties.AUDIT):
        raise unknown
    payer, payee, amount = sides
    receipt = found.desk.receipt(id_)
    assert receipt is not None
    with found.town.reading() as connection:
        names = parties.by_accounts(connection, {payer, payee})
        memo = memos(connection, {id_}).get(id_)
    return PaymentOut(
        id=id, kind=stood.instruction.kind, seq=stood.seq, at=rfc3339(stood.at),  # type: ignore[union-attr]
        payer=who(payer, names.get(payer)), payee=who(payee, names.get(payee)), amount_cents=amount,
        refunded_cents=statement.refunded(found.town, id_), memo=memo, receipt=receipt.text,
    )  # fmt: skip


@router.get("/v1/requests/{text}", response_model=RequestOut)
def request_state(text: str, found: Served) -> RequestOut:
    """What a payment request asks for, and whether it was paid. Public: whoever has its text has seen its code."""
    signed = SignedRequest.parse(text)
    return read_request(found.town, signed)


def read_request(town: Town, signed: SignedRequest) -> RequestOut:
    """The state of a request; "paid" is the fact that its payment is in the log."""
    request = signed.request
    if request.network != town.charter.network:
        raise CurrencyError("message_wrong_network", tell("this request belongs to another currency"))
    payee = parties.by_account(town, request.payee)
    id_ = None if request.is_static else request.payment_id()
    return RequestOut(
        payment_id=id_.hex() if id_ else None,
        payee=who(request.payee, payee),
        amount_cents=request.amount,
        label=request.label,
        expires_at=None if request.is_static else rfc3339(request.expires_at * 1_000_000),
        paid=asked.is_paid(town, signed),
        expired=request.is_expired(town.now() // 1_000_000),
    )
