"""The association's office: parties, conversions, reconversions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from api.auth import Actor, Caller, Served, hex_bytes, need, number
from api.schemas.fields import rfc3339
from api.schemas.town import (
    AskedOut,
    BookedOut,
    ConversionIn,
    PartiesOut,
    PartyIn,
    PartyOut,
    ReconversionsOut,
    party_out,
)
from api.strict import StrictRoute
from ledger.core.ids import account_text
from ledger.core.model import Posted
from ledger.currency import conversion, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

router = APIRouter(tags=["office"], route_class=StrictRoute)
TREASURER = frozenset({"treasurer"})
BOOKED: dict[int | str, dict[str, Any]] = {
    200: {"model": BookedOut, "description": "It stood in the log already; nothing was moved now."}
}


@router.get("/v1/parties", response_model=PartiesOut)
def every_party(found: Served, caller: Caller) -> PartiesOut:
    """Every party, closed ones too."""
    need(caller, parties.AUDIT)
    return PartiesOut(parties=[party_out(party) for party in parties.every(found.town)])


@router.post("/v1/parties", status_code=201, response_model=PartyOut)
def admit(body: PartyIn, acting: Actor) -> PartyOut:
    """Admit a party. Send an `id` of your own to be able to repeat the request safely."""
    need(acting.caller, parties.OFFICE)
    id_ = bytes.fromhex(body.id) if body.id else None
    return party_out(parties.admit(acting.town, body.kind, body.name, id_, again=body.again, by=acting.by))


@router.delete("/v1/parties/{account}", status_code=204)
def close(account: str, acting: Actor) -> Response:
    """Close a party whose account is empty. One with live keys of the office is not closed from afar."""
    need(acting.caller, parties.OFFICE)
    parties.close(acting.town, parties.by_account(acting.town, number(account)), office_too=False, by=acting.by)
    return Response(status_code=204)


@router.post("/v1/conversions", status_code=201, response_model=BookedOut, responses=BOOKED)
def convert(body: ConversionIn, acting: Actor, response: Response) -> BookedOut:
    """Issue units against euros that a cash slip or bank line names. Both legs are one transaction."""
    need(acting.caller, parties.OFFICE)
    party = parties.by_account(acting.town, number(body.account))
    posted = conversion.convert(
        acting.town, party, body.amount_cents, reserve=body.reserve, reference=body.reference,
        booked_on=body.booked_on, by=acting.by,
    )  # fmt: skip
    return booked(posted, response)


@router.post("/v1/conversions/{id}/correction", status_code=201, response_model=BookedOut, responses=BOOKED)
def correct(id: str, acting: Actor, response: Response) -> BookedOut:
    """Take a mistyped conversion back: all its units, while they were not spent, and its euros."""
    need(acting.caller, TREASURER)
    try:
        wrong = hex_bytes(id, 16)
    except ValueError:
        raise CurrencyError("not_found", tell("no conversion has this id")) from None
    return booked(conversion.correct(acting.town, wrong, by=acting.by), response)


@router.get("/v1/reconversions", response_model=ReconversionsOut)
def waiting(found: Served, caller: Caller) -> ReconversionsOut:
    """The requests to change back that wait for a decision, oldest first."""
    need(caller, parties.AUDIT)
    asked = conversion.waiting(found.town)
    with found.town.reading() as connection:
        names = parties.by_accounts(connection, {one.account for one in asked})
    return ReconversionsOut(
        reconversions=[
            AskedOut(
                id=one.id.hex(), account=account_text(one.account), name=names[one.account].name,
                amount_cents=one.amount, fee_cents=one.fee, payout_cents=one.payout, at=rfc3339(one.at),
            )
            for one in asked
        ]
    )  # fmt: skip


@router.post("/v1/reconversions/{id}/acceptance", status_code=201, response_model=BookedOut, responses=BOOKED)
def accept(id: str, acting: Actor, response: Response) -> BookedOut:
    """Destroy the units and owe the shop the euros, less the fee."""
    need(acting.caller, TREASURER)
    return booked(conversion.accept(acting.town, _asked(acting.town, id), by=acting.by), response)


@router.post("/v1/reconversions/{id}/refusal", status_code=201, response_model=BookedOut, responses=BOOKED)
def refuse(id: str, acting: Actor, response: Response) -> BookedOut:
    """Give the units back to the shop."""
    need(acting.caller, TREASURER)
    return booked(conversion.refuse(acting.town, _asked(acting.town, id), by=acting.by), response)


def _asked(town: Town, text: str) -> conversion.Asked:
    try:
        return conversion.find_asked(town, hex_bytes(text, 16))
    except ValueError:
        raise CurrencyError("not_found", tell("no request to change back has this id")) from None


def booked(posted: Posted, response: Response) -> BookedOut:
    """What an entry of the log is answered with; 200 where it stood already."""
    if posted.replay:
        response.status_code = 200
    return BookedOut(id=posted.id.hex(), seq=posted.seq, at=rfc3339(posted.at), replay=posted.replay)
