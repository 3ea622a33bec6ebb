"""Confirmations: the keys of the office that are said to be somebody's, and saying that they are."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.auth import Actor, Caller, Served, hex_bytes, need
from api.schemas.fields import rfc3339
from api.schemas.town import BookedOut
from api.strict import StrictRoute
from ledger.core.ids import account_text
from ledger.currency import persons
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

router = APIRouter(tags=["devices"], route_class=StrictRoute)
CONFIRMING = frozenset({"member", "treasurer"})
_BOOKED: dict[int | str, dict[str, Any]] = {
    200: {"model": BookedOut, "description": "It had been confirmed so already."}
}  # fmt: skip


class ConfirmationOut(BaseModel):
    key: str
    role: str
    label: str
    added_at: str
    party: str
    person: str
    name: str
    invited_by: str


class ConfirmationsOut(BaseModel):
    keys: list[ConfirmationOut]


@router.get("/v1/confirmations", response_model=ConfirmationsOut)
def confirmations(found: Served, caller: Caller) -> ConfirmationsOut:
    """The keys of the office that are said to be the caller's and nobody confirmed; for a treasurer, anybody's that no
    second treasurer did: whom one person brought in are no two people until then.
    """
    need(caller, CONFIRMING)
    waiting = persons.unconfirmed(found.town, caller.account if caller.role == "member" else None)
    return ConfirmationsOut(
        keys=[
            ConfirmationOut(
                key=one.key.hex(), role=one.role, label=one.label, added_at=rfc3339(one.added_at), party=one.party,
                person=account_text(one.person), name=one.name, invited_by=one.inviter,
            )
            for one in waiting
        ]
    )  # fmt: skip


@router.post("/v1/keys/{key}/confirmation", status_code=201, response_model=BookedOut, responses=_BOOKED)
def confirm_key(key: str, acting: Actor, response: Response) -> BookedOut:
    """Say that a key of the office is whose it is said to be: with a key of one's own as a member, or a treasurer's.

    From then on it counts as another person's where two sign a file of payouts.
    """
    need(acting.caller, CONFIRMING)
    try:
        raw = hex_bytes(key, 32)
    except ValueError:
        raise CurrencyError("not_found", tell("there is no such key, or it is none of yours")) from None
    posted = persons.confirm(acting.town, raw, by=acting.caller)
    if posted.replay:
        response.status_code = 200
    return BookedOut(id=posted.id.hex(), seq=posted.seq, at=rfc3339(posted.at), replay=posted.replay)
