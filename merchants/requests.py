"""Payment requests: what a till makes, what a wallet answers, and whether the two belong together.

Pure: clock, randomness and keys are handed in.
"""

from __future__ import annotations

from collections.abc import Iterable

from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey, key_id, verify
from ledger.currency.messages import (
    MAX_LABEL_BYTES,
    REQUEST_DOMAIN,
    MessageError,
    Order,
    Purpose,
    Request,
    SignedRequest,
)
from ledger.currency.text import clean_text
from ledger.currency.told import Cents, tell


class RequestError(CurrencyError, ValueError):
    """Why an order does not answer a request.

    ``code`` is stable: ``request_network_differs``, ``request_expired``, ``request_payee_differs``,
    ``request_amount_differs``, ``order_id_differs``, ``request_hash_differs``, ``request_signature_invalid``.
    """


def one_time(
    network: bytes, payee: int, amount: int, label: str, expires_at: int, key: PrivateKey, random: bytes
) -> SignedRequest:
    """A till's request for one payment of ``amount`` cents (0: the payer chooses) until ``expires_at`` (unix seconds).

    ``random`` is 8 fresh random bytes, ``label`` is brought into its clean form. Raises ``MessageError`` or
    ``TextError``.
    """
    if expires_at == 0:
        raise MessageError("message_malformed", tell("expires_at: a request for one payment has a last moment"))
    return _signed(network, payee, random, amount, expires_at, label, key)


def static(network: bytes, payee: int, key: PrivateKey, *, amount: int = 0, label: str = "") -> SignedRequest:
    """A shop's lasting code, to be printed: any number of payments, the payer types the amount unless one is given.

    The same arguments always give the same code, so that one can be printed again.
    """
    return _signed(network, payee, bytes(8), amount, 0, label, key)


def order_for(
    signed: SignedRequest, *, payer: int, unit: str, expires_at: int, id: bytes, amount: int | None = None
) -> Order:
    """The order that answers a request, to be signed by the payer.

    ``amount`` is needed exactly where the request leaves it to the payer. ``id`` is used for a static code; the
    order of a one-time request has the id that follows from the request. ``expires_at`` is cut to the request's.
    Raises ``RequestError("request_amount_differs")`` or ``MessageError``.
    """
    request = signed.request
    if amount is None:
        amount = request.amount
    elif request.amount not in (0, amount):
        raise _amount_differs(request)
    last = expires_at if request.is_static else min(expires_at, request.expires_at)
    made = id if request.is_static else request.payment_id()
    return Order(request.network, Purpose.PAYMENT, made, payer, request.payee, amount, unit, last, signed.reference)


def match(order: Order, request: SignedRequest, now: int, payee_keys: Iterable[bytes], currency_key: bytes) -> None:
    """Raise ``RequestError`` unless ``order`` is a right answer to ``request`` at ``now`` (unix seconds).

    The request must be signed by one of ``payee_keys`` (public keys that act for the payee now) or by the currency,
    which signs codes that are printed. The order's own signature is not looked at here. Checks in this order:
    network, expiry, payee, amount, id, hash, signature of the request (by far the dearest, hence last).
    """
    asked = request.request
    if order.network != asked.network:
        raise RequestError("request_network_differs", tell("the request belongs to another currency than the order"))
    if asked.is_expired(now):
        raise RequestError("request_expired", tell("the request's last moment has passed; ask the till for a new code"))
    if order.payee != asked.payee:
        raise RequestError("request_payee_differs", tell("the order pays another account than the request names"))
    if asked.amount not in (0, order.amount):
        raise _amount_differs(asked)
    if not asked.is_static and order.id != asked.payment_id():
        raise RequestError("order_id_differs", tell("the order must carry the id that follows from the request"))
    if order.purpose is not Purpose.PAYMENT or order.reference != request.reference:
        raise RequestError("request_hash_differs", tell("the order does not answer this request"))
    message = REQUEST_DOMAIN + asked.body()
    for key in (*payee_keys, currency_key):
        if key_id(key) == asked.key_id and verify(key, request.signature, message):
            return
    raise RequestError("request_signature_invalid", tell("the request was not signed by a key of the payee"))


def _signed(
    network: bytes, payee: int, nonce: bytes, amount: int, expires_at: int, label: str, key: PrivateKey
) -> SignedRequest:
    clean = clean_text(label, max_chars=MAX_LABEL_BYTES, max_bytes=MAX_LABEL_BYTES, empty=True)
    return Request(network, payee, nonce, amount, expires_at, clean, key.id).sign(key)


def _amount_differs(request: Request) -> RequestError:
    return RequestError("request_amount_differs", tell("the request asks for {amount}, no more and no less",
                                                       amount=Cents(request.amount)))  # fmt: skip
