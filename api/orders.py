"""Signed orders in, receipts out: payments, refunds, requests to change back.

The one path whose speed a queue of shoppers feels, so it is plain ASGI in front of everything else: the body
is read, the order's signature verified (without the GIL, beside the writer's thread), and the order waits for
the writer's next batch. Only what was committed is answered. No session: an order is its own authority.
"""

from __future__ import annotations

from typing import Any

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.auth import Services
from api.problems import answer_for, language
from api.schemas.fields import rfc3339
from api.strict import BodyMalformed, read_body, read_object
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import Purpose
from ledger.currency.told import tell
from merchants.desk import Submission

PATHS = {"/v1/payments": Purpose.PAYMENT, "/v1/refunds": Purpose.REFUND, "/v1/reconversions": Purpose.RECONVERSION}
_PATH_OF = {purpose: path for path, purpose in PATHS.items()}
_SUMMARIES = {
    Purpose.PAYMENT: "Pay: a signed order, with the request that it answers if there is one.",
    Purpose.REFUND: "Give a payment back, whole or in parts, up to what was paid.",
    Purpose.RECONVERSION: "Ask to change units back to euros; they wait until the treasurer decides.",
}
_OPERATIONS = {Purpose.PAYMENT: "pay", Purpose.REFUND: "refund", Purpose.RECONVERSION: "ask_back"}
_KEYS = {"order", "request"}


class Orders:
    """ASGI middleware that answers `POST` to the three paths of `PATHS` and passes everything else on."""

    def __init__(self, app: ASGIApp, *, state: Any) -> None:
        self.app = app
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or scope["path"] not in PATHS:
            await self.app(scope, receive, send)
            return
        try:
            body = await read_body(scope, receive)
            if body is None:
                return
            response = await self._take(body, PATHS[scope["path"]])
        except Exception as error:  # Nothing may leave without a problem document, and nothing may hang.
            response = answer_for(error, language(Headers(scope=scope).get("accept-language")))
        await response(scope, receive, send)

    async def _take(self, body: bytes, purpose: Purpose) -> Response:
        found = read_object(body)
        order, request = found.get("order"), found.get("request")
        if type(order) is not str or not (request is None or type(request) is str) or found.keys() - _KEYS:
            raise BodyMalformed('the body is {"order": TEXT} and, for a payment that answers one, "request": TEXT')
        submission = Submission.parse(order, request)
        wanted = submission.signed.order.purpose
        if wanted is not purpose:
            raise CurrencyError("message_malformed", tell("send this order to {path}", path=_PATH_OF[wanted]))
        services: Services = self.state.services
        result = await services.writer.submit_async(submission)
        if isinstance(result, CurrencyError):
            raise result
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


def paths() -> dict[str, dict[str, Any]]:
    """These operations for the OpenAPI document."""
    posted = {"application/json": {"schema": {"$ref": "#/components/schemas/PostedOut"}}}
    refused = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}}
    body = {"application/json": {"schema": {"$ref": "#/components/schemas/OrderIn"}}}
    return {
        path: {
            "post": {
                "tags": ["orders"],
                "summary": _SUMMARIES[purpose],
                "operationId": _OPERATIONS[purpose],
                "requestBody": {"required": True, "content": body},
                "responses": {
                    "200": {"description": "It stood in the log already; nothing was moved now.", "content": posted},
                    "201": {"description": "It is in the log.", "content": posted},
                    "default": {"description": "Problem details with a stable code.", "content": refused},
                },
            }
        }
        for path, purpose in PATHS.items()
    }
