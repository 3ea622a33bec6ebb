"""Lines in suspense: what each may be, a person's decision, putting it back; and what members owe."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.auth import Actor, Caller, Served, hex_bytes, need
from api.routes.office import BOOKED, TREASURER, booked
from api.schemas.fields import Limit
from api.schemas.suspense import (
    ClaimOut,
    ClaimsOut,
    OpenLineOut,
    PlacingIn,
    PutBackIn,
    SuspenseOut,
    decision_in,
    open_lines_out,
)
from api.schemas.town import BookedOut
from api.strict import StrictRoute
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.bank import claims, suspense
from ledger.currency.charter import ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.text import alphabetical
from ledger.currency.told import tell

router = APIRouter(prefix="/v1/bank", tags=["bank"], route_class=StrictRoute)


@router.get("/suspense", response_model=SuspenseOut)
def open_lines(found: Served, caller: Caller, limit: Annotated[Limit, Query()] = 100) -> SuspenseOut:
    """The lines that nobody could place, oldest first, with what each may be; `left` counts them all."""
    need(caller, parties.AUDIT)
    town = found.town
    shown = open_lines_out(town, suspense.open_lines(town, limit=limit))
    return SuspenseOut(
        left=suspense.count(town), lines=shown,
        cash=[account.name for account in town.charter.reserve if account.kind == ReserveKind.CASH],
        fees_cents=town.book.balance(town.chart.income), transit_cents=town.book.balance(town.chart.transit),
    )  # fmt: skip


@router.get("/suspense/{id}", response_model=OpenLineOut)
def open_line(id: str, found: Served, caller: Caller) -> OpenLineOut:
    """One line in suspense, with what it may be."""
    need(caller, parties.AUDIT)
    [shown] = open_lines_out(found.town, [suspense.find_open(found.town, _line(id))])
    return shown


@router.post("/lines/{id}/placing", status_code=201, response_model=BookedOut, responses=BOOKED)
def place_line(id: str, body: PlacingIn, acting: Actor, response: Response) -> BookedOut:
    """Place a line that is in suspense. Send the `turn` that came with it, and the same request can be repeated."""
    need(acting.caller, parties.OFFICE)
    by = acting.by
    posted = suspense.place(acting.town, _line(id), decision_in(body), by=by, turn=body.turn)
    return booked(posted, response)


@router.post("/lines/{id}/putting_back", status_code=201, response_model=BookedOut, responses=BOOKED)
def put_line_back(id: str, body: PutBackIn, acting: Actor, response: Response) -> BookedOut:
    """Undo what a line was placed as, or recognised as: it is in suspense again.

    Units that somebody else gave a member, a treasurer takes back; what the bank or somebody else took from a member, a
    treasurer puts back.
    """
    need(acting.caller, parties.OFFICE)
    posted = suspense.put_back(
        acting.town, _line(id), by=acting.by, turn=body.turn, treasurer=acting.caller.role in TREASURER
    )
    return booked(posted, response)


@router.get("/claims", response_model=ClaimsOut)
def every_claim(found: Served, caller: Caller) -> ClaimsOut:
    """What members owe: euros of theirs that went back after the units had been spent."""
    need(caller, parties.AUDIT)
    owed = claims.owed(found.town)
    with found.town.reading() as connection:
        who = parties.by_accounts(connection, set(owed))
    return ClaimsOut(
        claims=[
            ClaimOut(account=account_text(account), name=who[account].name, amount_cents=owed[account])
            for account in sorted(who, key=lambda account: alphabetical(who[account].name))
        ]
    )


def _line(text: str) -> bytes:
    try:
        return hex_bytes(text, 16)
    except ValueError:
        raise CurrencyError("not_found", tell("no bank line has this id")) from None
