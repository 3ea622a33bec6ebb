"""Monthly top-ups: a member's own; mandates, who is told of what, files of debits and what became of them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from api.auth import Actor, Caller, Served, hex_bytes, need, number
from api.schemas.mandates import (
    CollectionIn,
    CollectionOut,
    CollectionsOut,
    CollectionWithdrawalIn,
    DebitOut,
    DebitRejectionIn,
    DebitsOut,
    MandateAmountIn,
    MandateIn,
    MandateOut,
    MandatesOut,
    Month,
    MonthlyOut,
    NoticesIn,
    NoticesOut,
    PaperMandateIn,
    ReleaseOut,
    collection_out,
    debit_out,
    mandate_out,
    monthly_out,
    next_out,
    notices_out,
    release_out,
)
from api.strict import StrictRoute
from ledger.currency import parties
from ledger.currency.bank.mandates import collecting, daily, files, model, notices, register, rejecting, review
from ledger.currency.bank.mandates.announced import announced
from ledger.currency.bank.mandates.index import items
from ledger.currency.bank.mandates.mine import mine
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.register import Signature
from ledger.currency.bank.mandates.tables import COLLECTION_ITEM
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import DeviceKey
from ledger.currency.told import tell
from ledger.currency.town import Town

router = APIRouter(tags=["monthly"], route_class=StrictRoute)
TREASURER = frozenset({"treasurer"})
_MADE: dict[int | str, dict[str, Any]] = {
    200: {"model": MandateOut, "description": "It stood like this already."}
}  # fmt: skip
_ORDERED: dict[int | str, dict[str, Any]] = {
    200: {"model": CollectionOut, "description": "The month had been collected; this is its file."}
}
_FILE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/xml": {"schema": {"type": "string"}}}, "description": "The file (pain.008)."}
}


# --- a member's own ----------------------------------------------------------------------------------------


@router.get("/v1/monthly", response_model=MonthlyOut)
def monthly(found: Served, caller: Caller) -> MonthlyOut:
    """The caller's monthly top-up: the terms, the mandate, what is debited next, what is on its way."""
    need(caller, parties.SPEND)
    return monthly_out(mine(found.town, caller.account))


@router.post("/v1/mandates", status_code=201, response_model=MandateOut, responses=_MADE)
def sign_mandate(body: MandateIn, acting: Actor, response: Response) -> MandateOut:
    """Sign a mandate with the device that asks. What stands already is answered again."""
    need(acting.caller, parties.SPEND)
    town = acting.town
    signature = Signature(acting.caller.key, bytes.fromhex(body.signature), body.lang)
    made, new = register.sign(
        town, parties.by_account(town, acting.caller.account), iban=body.iban, amount=body.amount_cents,
        holder=body.holder, signed_on=body.signed_on, id_=bytes.fromhex(body.id), signature=signature, by=acting.by,
    )  # fmt: skip
    return _answer(town, made, new, response)


@router.post("/v1/mandates/{id}/amounts", status_code=201, response_model=MandateOut, responses=_MADE)
def change_mandate(id: str, body: MandateAmountIn, acting: Actor, response: Response) -> MandateOut:
    """Another amount a month: a member signs it, the office enters what was signed on paper."""
    need(acting.caller, parties.SPEND | parties.OFFICE)
    mandate = _mandate(acting.town, acting.caller, id)
    signature = None
    if body.signature is not None:
        signature = Signature(acting.caller.key, bytes.fromhex(body.signature), body.lang or "")
    if mandate.account == acting.caller.account and signature is None:
        raise CurrencyError("signature_invalid", tell("a member signs the amount of a mandate"))
    if mandate.account != acting.caller.account and signature is not None:
        raise CurrencyError("signature_invalid", tell("only who gave the mandate signs its amount"))
    made, new = register.change(
        acting.town, mandate, body.amount_cents, version=body.version, signed_on=body.signed_on, signature=signature,
        by=acting.by,
    )  # fmt: skip
    return _answer(acting.town, made, new, response)


@router.delete("/v1/mandates/{id}", response_model=MandateOut)
def end_mandate(id: str, acting: Actor) -> MandateOut:
    """End a mandate: one's own, or as the office any. What is in a file already may still be debited."""
    need(acting.caller, parties.SPEND | parties.OFFICE)
    made = register.end(acting.town, _mandate(acting.town, acting.caller, id), by=acting.by)
    return mandate_out(made, acting.town.charter.code)


# --- the office --------------------------------------------------------------------------------------------


@router.get("/v1/mandates", response_model=MandatesOut)
def mandates(found: Served, caller: Caller, all: Annotated[bool, Query()] = False) -> MandatesOut:
    """The mandates by the names of their parties: those that live, or `all`."""
    need(caller, parties.AUDIT)
    code = found.town.charter.code
    return MandatesOut(mandates=[mandate_out(one, code) for one in model.every(found.town, live_only=not all)])


@router.post("/v1/mandates/paper", status_code=201, response_model=MandateOut, responses=_MADE)
def enter_mandate(body: PaperMandateIn, acting: Actor, response: Response) -> MandateOut:
    """Enter a mandate that a member signed on paper. Send an `id` of your own to be able to repeat it safely."""
    need(acting.caller, parties.OFFICE)
    party = parties.by_account(acting.town, number(body.account))
    made, new = register.sign(
        acting.town, party, iban=body.iban, amount=body.amount_cents, holder=body.holder, signed_on=body.signed_on,
        id_=bytes.fromhex(body.id) if body.id else None, by=acting.by,
    )  # fmt: skip
    return _answer(acting.town, made, new, response)


@router.post("/v1/mandates/{id}/resumption", response_model=MandateOut)
def resume_mandate(id: str, acting: Actor) -> MandateOut:
    """Collect again by a mandate that was suspended because its debits came back."""
    need(acting.caller, parties.OFFICE)
    made = review.resume(acting.town, _mandate(acting.town, acting.caller, id), by=acting.by)
    return mandate_out(made, acting.town.charter.code)


@router.get("/v1/notices", response_model=NoticesOut)
def told(found: Served, caller: Caller, month: Annotated[Month | None, Query()] = None) -> NoticesOut:
    """Who was told of the debits of a month (the next for which there is time)."""
    need(caller, parties.AUDIT)
    said = model.terms(found.town)
    return notices_out(said, notices.given(found.town, month))


@router.post("/v1/notices", status_code=201, response_model=NoticesOut, name="tell")
def tell_members(body: NoticesIn, acting: Actor) -> NoticesOut:
    """Who is to be told now of the debits of a month; they are noted as told, so each is on one list."""
    need(acting.caller, parties.OFFICE)
    said, by = model.terms(acting.town), acting.by
    return notices_out(said, notices.give(acting.town, body.month, by=by))


@router.get("/v1/collections", response_model=CollectionsOut)
def collections(found: Served, caller: Caller) -> CollectionsOut:
    """The files of debits, the latest first; which month is next, and which is lost."""
    need(caller, parties.AUDIT)
    ahead, missed = None, []
    if found.town.charter.mandates is not None:  # else there may be files of a time when there were monthly top-ups
        ahead, missed = announced(found.town), notices.missed(found.town)
    return CollectionsOut(
        collections=[collection_out(one) for one in files.every(found.town)],
        next=next_out(ahead) if ahead else None, missed=missed,
    )  # fmt: skip


@router.post("/v1/collections", status_code=201, response_model=CollectionOut, responses=_ORDERED)
def collect(body: CollectionIn, acting: Actor, response: Response) -> CollectionOut:
    """Make the file of a month's debits, once: whoever was told of exactly this amount is in it."""
    need(acting.caller, parties.OFFICE)
    made, new = collecting.collect(acting.town, month=body.month, on=body.on, by=acting.by)
    if not new:
        response.status_code = 200
    return collection_out(made)


@router.get("/v1/collections/{collection}/debits", response_model=DebitsOut)
def debits(collection: str, found: Served, caller: Caller) -> DebitsOut:
    """The debits of a file, in its order, and what became of each."""
    need(caller, parties.AUDIT)
    made = files.find(found.town, collection)
    with found.town.reading() as connection:
        rows = items(connection, COLLECTION_ITEM.c.collection == made.id)
    return DebitsOut(debits=[debit_out(one) for one in rows])


@router.get("/v1/collections/{collection}/file", response_class=Response, responses=_FILE)
def collection_file(collection: str, acting: Actor, again: Annotated[bool, Query()] = False) -> Response:
    """The file for the bank. It is noted who fetched it; `again`: although it was fetched before."""
    need(acting.caller, parties.OFFICE)
    made = files.find(acting.town, collection)
    data = collecting.fetch(acting.town, made, by=acting.by, again=again)
    headers = {"Content-Disposition": f'attachment; filename="{made.message}.xml"', "Cache-Control": "no-store"}
    return Response(data, media_type="application/xml", headers=headers)


@router.post("/v1/collections/{collection}/withdrawal", response_model=CollectionOut)
def withdraw_collection(collection: str, body: CollectionWithdrawalIn, acting: Actor) -> CollectionOut:
    """Give a file up that the bank did not carry out. One that was fetched: a treasurer, with `refused`."""
    need(acting.caller, TREASURER if body.refused else parties.OFFICE)
    made = files.find(acting.town, collection)
    return collection_out(collecting.withdraw(acting.town, made, by=acting.by, fetched_too=body.refused))


@router.post("/v1/debits/{reference}/rejection", response_model=DebitOut)
def reject_debit(reference: str, body: DebitRejectionIn, acting: Actor) -> DebitOut:
    """The bank said that it will not carry this debit out; a file that comes as one sum is expected without it."""
    need(acting.caller, parties.OFFICE)
    item = rejecting.find(acting.town, reference)
    return debit_out(rejecting.reject(acting.town, item, reason=body.reason, by=acting.by))


@router.post("/v1/releases", response_model=ReleaseOut)
def release(found: Served, acting: Actor) -> ReleaseOut:
    """Give members the units whose risk delay is over, at a second look, ten minutes after the first.

    The server looks by itself, too; `once` counts the debits that wait for the second look. The log notes who asked.
    """
    need(acting.caller, parties.OFFICE)
    daily.note_asked(acting.town)
    return release_out(daily.run(found.town, found.imports.looks))


def _answer(town: Town, made: Mandate, new: bool, response: Response) -> MandateOut:
    if not new:
        response.status_code = 200
    return mandate_out(made, town.charter.code)


def _mandate(town: Town, caller: DeviceKey, id: str) -> Mandate:
    """A mandate that the caller may touch: its own, or any for the office. Raises `CurrencyError`: not_found."""
    unknown = CurrencyError("not_found", tell("there is no such mandate, or it is none of yours"))
    try:
        found = model.find(town, hex_bytes(id, 16))
    except ValueError:
        raise unknown from None
    if found.account != caller.account and caller.role not in parties.OFFICE:
        raise unknown
    return found
