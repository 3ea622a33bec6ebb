"""Signed orders: payments, refunds, requests to change back. Authorised by their signature alone.

The hot path: the body is read by hand, the order waits for the writer's next batch, and only what was
committed is answered.
"""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import auth
from api.auth import Caller, Served
from api.problems import problem
from api.schemas import OrderIn, PaymentOut, PostedOut, ProblemOut, RequestOut, rfc3339, who
from api.strict import BodyMalformed, read_object
from ledger.currency import parties
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import Purpose, SignedRequest
from ledger.currency.town import Town
from merchants import statement
from merchants.desk import Submission, memos

router = APIRouter(tags=["orders"])
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/OrderIn"}}},
    }
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"model": PostedOut, "description": "It stood in the log already; nothing was moved now."},
    201: {"model": PostedOut, "description": "It is in the log."},
    409: {"model": ProblemOut},
    422: {"model": ProblemOut},
}
_NAMES = {Purpose.PAYMENT: "/v1/payments", Purpose.REFUND: "/v1/refunds", Purpose.RECONVERSION: "/v1/reconversions"}


async def _take(request: Request, purpose: Purpose) -> Response:
    try:
        body = read_object(await request.body())
    except BodyMalformed as error:
        return problem("body_malformed", str(error))
    order, asked = body.get("order"), body.get("request")
    if type(order) is not str or not (asked is None or type(asked) is str) or body.keys() - {"order", "request"}:
        return problem("body_malformed", 'the body is {"order": TEXT} with, for a payment that answers one, "request"')
    submission = Submission.parse(order, asked)
    if submission.signed.order.purpose is not purpose:
        return problem("message_malformed", f"send this order to {_NAMES[submission.signed.order.purpose]}")
    services: auth.Services = request.app.state.services
    result = await services.writer.submit_async(submission)
    if isinstance(result, CurrencyError):
        return problem(result.code, result.detail)
    services.live.wake()
    receipt = result.receipt.receipt
    answer = {
        "at": rfc3339(receipt.at),
        "id": receipt.id.hex(),
        "receipt": result.receipt.text,
        "replay": result.replay,
        "seq": receipt.seq,
    }
    return Response(orjson.dumps(answer), 200 if result.replay else 201, media_type="application/json")


@router.post("/v1/payments", status_code=201, responses=_ANSWERS, openapi_extra=_BODY)
async def pay(request: Request) -> Response:
    """Pay: a signed order, with the request that it answers if there is one. The same order again is answered again."""
    return await _take(request, Purpose.PAYMENT)


@router.post("/v1/refunds", status_code=201, responses=_ANSWERS, openapi_extra=_BODY)
async def refund(request: Request) -> Response:
    """Give a payment back, whole or in parts, up to what was paid."""
    return await _take(request, Purpose.REFUND)


@router.post("/v1/reconversions", status_code=201, responses=_ANSWERS, openapi_extra=_BODY)
async def ask_back(request: Request) -> Response:
    """Ask to change units back to euros. They wait until the treasurer accepts or refuses."""
    return await _take(request, Purpose.RECONVERSION)


@router.get("/v1/payments/{id}", response_model=PaymentOut)
def payment(id: str, found: Served, caller: Caller) -> PaymentOut:
    """A payment, refund or request to change back, for either side of it, with its receipt."""
    unknown = CurrencyError("not_found", "there is no such payment, or it is none of yours")
    try:
        id_ = bytes.fromhex(id)
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
        raise CurrencyError("message_wrong_network", "this request belongs to another currency")
    payee = parties.by_account(town, request.payee)
    id_ = None if request.is_static else request.payment_id()
    return RequestOut(
        payment_id=id_.hex() if id_ else None,
        payee=who(request.payee, payee),
        amount_cents=request.amount,
        label=request.label,
        expires_at=None if request.is_static else rfc3339(request.expires_at * 1_000_000),
        paid=id_ is not None and town.book.find(id_) is not None,
        expired=request.is_expired(town.now() // 1_000_000),
    )


__all__ = ["OrderIn", "router"]
