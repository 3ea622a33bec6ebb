"""What became of a payment request: whose it is, whether it is genuine, open, paid or expired."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ledger.currency import named, parties
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import key_id, verify
from ledger.currency.messages import REQUEST_DOMAIN, MessageError, Purpose, SignedRequest
from ledger.currency.parties import Party
from ledger.currency.told import tell
from ledger.currency.town import Town
from merchants.desk import order_of


class State(StrEnum):
    """A static code is open for ever."""

    OPEN = "open"
    PAID = "paid"
    EXPIRED = "expired"


class Asked(NamedTuple):
    """A genuine request of `payee`, as it stands."""

    payee: Party
    state: State


def look(town: Town, signed: SignedRequest) -> Asked:
    """What became of a request of this town.

    Raises `CurrencyError`: message_wrong_network, payee_unknown (no such party, or one that left), and
    request_signature_invalid where no present key of the payee signed it. One that was paid stays so whatever
    became of its key.
    """
    request = signed.request
    if request.network != town.charter.network:
        raise MessageError("message_wrong_network", tell("this request belongs to another currency"))
    try:
        payee = parties.by_account(town, request.payee)
    except CurrencyError:
        raise CurrencyError(
            "payee_unknown", tell("no member of this currency holds the account that would be paid")
        ) from None
    if is_paid(town, signed):
        return Asked(payee, State.PAID)
    if payee.closed_at is not None:
        raise CurrencyError("payee_unknown", tell("{name} no longer takes part", name=payee.name))
    if not _is_genuine(town, signed, payee):
        raise CurrencyError("request_signature_invalid", tell("the request was not signed by a key of the payee"))
    expired = request.is_expired(town.now() // 1_000_000)
    return Asked(payee, State.EXPIRED if expired else State.OPEN)


def is_paid(town: Town, signed: SignedRequest) -> bool:
    """Whether the log holds the one payment of this request.

    A transaction under the right id is not enough: whoever sees a code can send an order of their own with that id,
    to another account. Only an order that names this very request pays it.
    """
    if signed.request.is_static:
        return False
    found = town.book.find(signed.request.payment_id())
    paid = order_of(found.instruction) if found else None
    if paid is None:
        return False
    order, request = paid.order, signed.request
    return (
        order.purpose is Purpose.PAYMENT
        and order.payee == request.payee
        and request.amount in (0, order.amount)
        and order.reference == signed.reference
    )


def _is_genuine(town: Town, signed: SignedRequest, payee: Party) -> bool:
    may = parties.TAKE | parties.SPEND
    with town.reading() as connection:
        tills = named.find(connection, (), [(payee.account, signed.request.key_id)])
    keys = [d.key for d in tills if d.account == payee.account and d.revoked_at is None and d.role in may]
    message = REQUEST_DOMAIN + signed.request.body()
    return any(
        key_id(key) == signed.request.key_id and verify(key, signed.signature, message)
        for key in (*keys, town.key.public)
    )
