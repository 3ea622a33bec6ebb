"""Payouts: what is due to shops, files for the bank, who signs them; and where a party is paid."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth import Actor, Caller, Served, need, number
from api.schemas.fields import rfc3339
from api.schemas.payouts import (
    BankDetailsIn,
    BankDetailsOut,
    BatchContentOut,
    BatchesOut,
    BatchIn,
    BatchOut,
    BatchSignatureIn,
    BatchTransfersOut,
    PayoutsOut,
    RejectedOut,
    RejectionIn,
    WithdrawalIn,
    batch_out,
    details_out,
    payouts_out,
    transfer_out,
)
from api.strict import StrictRoute
from ledger.currency import parties
from ledger.currency.bank import details, lead
from ledger.currency.bank.payouts import approval, batches, contents, owed, undoing
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town

router = APIRouter(tags=["payouts"], route_class=StrictRoute)
TREASURER = frozenset({"treasurer"})
_BOOKED: dict[int | str, dict[str, Any]] = {
    200: {"model": RejectedOut, "description": "It stood in the log already; nothing was moved now."}
}
_SIGNED: dict[int | str, dict[str, Any]] = {
    200: {"model": BatchOut, "description": "This key had signed it already."}
}  # fmt: skip
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/xml": {"schema": {"type": "string"}}}, "description": "The file (pain.001)."}
}


# --- where a party is paid ---------------------------------------------------------------------------------


@router.get("/v1/bank-details", response_model=BankDetailsOut)
def own_details(found: Served, caller: Caller) -> BankDetailsOut:
    """Where the caller's own party is paid; null where it has not said so."""
    need(caller, parties.SPEND)
    return details_out(details.find(found.town, parties.by_account(found.town, caller.account)))


@router.put("/v1/bank-details", response_model=BankDetailsOut)
def set_own_details(body: BankDetailsIn, acting: Actor) -> BankDetailsOut:
    """Say where the caller's own party is paid from now on. What was ordered before goes where it was ordered to."""
    need(acting.caller, parties.SPEND)
    party = parties.by_account(acting.town, acting.caller.account)
    return details_out(details.put(acting.town, party, body.iban, body.holder, by=acting.by))


@router.get("/v1/parties/{account}/bank-details", response_model=BankDetailsOut)
def party_details(account: str, found: Served, caller: Caller) -> BankDetailsOut:
    """Where a party is paid."""
    need(caller, parties.AUDIT)
    return details_out(details.find(found.town, parties.by_account(found.town, number(account))))


@router.put("/v1/parties/{account}/bank-details", response_model=BankDetailsOut)
def set_party_details(account: str, body: BankDetailsIn, acting: Actor) -> BankDetailsOut:
    """Say where a party is paid from now on."""
    need(acting.caller, parties.OFFICE)
    party = parties.by_account(acting.town, number(account))
    return details_out(details.put(acting.town, party, body.iban, body.holder, by=acting.by))


# --- payouts -----------------------------------------------------------------------------------------------


@router.get("/v1/payouts", response_model=PayoutsOut)
def due_payouts(found: Served, caller: Caller) -> PayoutsOut:
    """What shops are owed, the oldest first. Without an IBAN it waits; `batch` is the file that orders it."""
    need(caller, parties.AUDIT)
    due = payouts_out(found.town, owed.due(found.town))
    return PayoutsOut(payouts=due, pay_from=lead.payouts_from(found.town).isoformat())


@router.post("/v1/payouts/{reference}/rejection", status_code=201, response_model=RejectedOut, responses=_BOOKED)
def reject_payout(reference: str, body: RejectionIn, acting: Actor, response: Response) -> RejectedOut:
    """Give a shop its units back, all of them, for a payout that the bank will not execute.

    Where two people let its file leave, two say so: the first word is only noted (`waits`).
    """
    need(acting.caller, TREASURER)
    payout = owed.find(acting.town, reference)
    posted = undoing.reject(acting.town, payout, reason=body.reason, by=acting.by)
    if posted.replay:
        response.status_code = 200
    return RejectedOut(
        id=posted.id.hex(), seq=posted.seq, at=rfc3339(posted.at), replay=posted.replay,
        waits=undoing.is_word(posted, payout),
    )  # fmt: skip


@router.get("/v1/payouts/batches", response_model=BatchesOut)
def payout_batches(found: Served, caller: Caller, all: Annotated[bool, Query()] = False) -> BatchesOut:
    """The files for the bank, the latest first: those under way, or `all`."""
    need(caller, parties.AUDIT)
    made = batches.every(found.town, open_only=not all)
    with found.town.reading() as connection:
        return BatchesOut(batches=[batch_out(connection, batch) for batch in made])


@router.post("/v1/payouts/batches", status_code=201, response_model=BatchOut)
def order_payouts(body: BatchIn, acting: Actor) -> BatchOut:
    """Make a file of everything that is due and has an IBAN, to be executed `on` that day (`pay_from`)."""
    need(acting.caller, parties.OFFICE)
    return _batch(acting.town, batches.order(acting.town, by=acting.by, on=body.on))


@router.get("/v1/payouts/batches/{batch}", response_model=BatchTransfersOut)
def payout_batch(batch: str, found: Served, caller: Caller) -> BatchTransfersOut:
    """A file, by its number or id, with the transfers in it. `is_new`: look at this IBAN before you sign.

    `look` says why, "" where there is nothing: the shop was never paid to it (`new`), it is not the shop's any more
    (`changed`), the office typed it lately (`office`), it was paid to with fewer signatures (`fewer`), or the file is
    `erased`.

    `changed`: the stored file is not the one that was ordered, so nothing is shown of it; withdraw it.
    """
    need(caller, parties.AUDIT)
    made = batches.find(found.town, batch)
    try:
        transfers = [transfer_out(one) for one in contents.transfers_of(found.town, made.id, made.people)]
    except CurrencyError as error:
        if error.code != "payouts_changed":
            raise
        return BatchTransfersOut(batch=_batch(found.town, made), transfers=[], changed=True)
    return BatchTransfersOut(batch=_batch(found.town, made), transfers=transfers, changed=False)


@router.get("/v1/payouts/batches/{batch}/content", response_model=BatchContentOut)
def payout_content(batch: str, found: Served, caller: Caller) -> BatchContentOut:
    """A file for whoever is about to sign it: its bytes, as a text in UTF-8. The device hashes, reads and shows them.

    Nothing is noted: this is not the fetching.
    """
    need(caller, approval.SIGNERS)
    made = batches.find(found.town, batch)
    return BatchContentOut(sha256=made.sha256.hex(), content=batches.content(found.town, made).decode())


@router.post("/v1/payouts/batches/{batch}/signatures", status_code=201, response_model=BatchOut, responses=_SIGNED)
def sign_payouts(batch: str, body: BatchSignatureIn, acting: Actor, response: Response) -> BatchOut:
    """Sign a file with the treasurer's key that asks.

    Ed25519 over "patard/payouts/1" 00, network (4 bytes), id of the file (16), its SHA-256 (32), total in cents (8)
    and count of transfers (4), numbers big-endian.
    """
    need(acting.caller, approval.SIGNERS)
    made = batches.find(acting.town, batch)
    if approval.sign(acting.town, made, acting.caller, bytes.fromhex(body.signature)).replay:
        response.status_code = 200
    return _batch(acting.town, batches.find(acting.town, batch))


@router.get("/v1/payouts/batches/{batch}/file", response_class=Response, responses=_FILE)
def payout_file(batch: str, acting: Actor, again: Annotated[bool, Query()] = False) -> Response:
    """The file for the bank, once enough people signed it. It is noted who fetched it; `again`: although it was."""
    need(acting.caller, parties.OFFICE)
    made = batches.find(acting.town, batch)
    data = batches.fetch(acting.town, made, by=acting.by, again=again)
    headers = {"Content-Disposition": f'attachment; filename="{made.message}.xml"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/xml", headers=headers)


@router.post("/v1/payouts/batches/{batch}/withdrawal", response_model=BatchOut)
def withdraw_payouts(batch: str, body: WithdrawalIn, acting: Actor) -> BatchOut:
    """Give a file up: its payouts may go into another. One that was fetched: a treasurer, with `refused`."""
    need(acting.caller, TREASURER if body.refused else parties.OFFICE)
    made = batches.find(acting.town, batch)
    batches.withdraw(acting.town, made, by=acting.by, fetched_too=body.refused)
    return _batch(acting.town, batches.find(acting.town, batch))


def _batch(town: Town, batch: Batch) -> BatchOut:
    with town.reading() as connection:
        return batch_out(connection, batch)
