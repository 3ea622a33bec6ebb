"""What all signed messages share: the reasons for refusing one, and the checks of a field."""

from __future__ import annotations

from ledger.core.ids import b32decode
from ledger.currency import keys
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Told, tell

NETWORK_BYTES = 4
MAX_AMOUNT = 2**32 - 1
"""Cents in one message: 42 949 672.95. The ledger's own limit is far higher."""

_LONGEST_TEXT = 512


class MessageError(CurrencyError, ValueError):
    """Why a message is not taken.

    ``code`` is stable: ``message_malformed``, ``amount_out_of_range``, ``message_wrong_network``,
    ``signature_invalid``, ``key_weak``, ``key_malformed``, ``link_malformed``.
    """


def decode(what: Told, text: str) -> bytes:
    """The bytes of a message's text; ``what`` names the message in the error."""
    if len(text) > _LONGEST_TEXT:  # cap before work
        raise MessageError("message_malformed", tell("this text is too long for a {what}", what=what))
    try:
        return b32decode(text)
    except ValueError as error:
        raise MessageError(
            "message_malformed", tell("this is not the text of a {what}: {reason}", what=what, reason=error)
        ) from None


def wrong_length(what: Told, size: int) -> MessageError:
    """The error for bytes that are too many or too few."""
    return MessageError("message_malformed", tell(
        "this is not a {what}, or only a part of one: it has {size} bytes", what=what, size=size
    ))  # fmt: skip


def check_tag(what: Told, tag: int, right: int) -> None:
    """The first byte tells kind and version."""
    if tag != right:
        raise MessageError("message_malformed", tell(
            "this is not a {what} that this version knows: it begins with {tag}", what=what, tag=tag
        ))  # fmt: skip


def check_bytes(name: str, value: bytes, size: int) -> None:
    """A field of fixed size. Without this, struct would cut or fill up a field of another length without a word."""
    if type(value) is not bytes or len(value) != size:
        raise MessageError("message_malformed", tell("{name}: {size} bytes are needed", name=name, size=size))


def check_int(name: str, value: int, low: int, high: int) -> None:
    """A whole number, and not a bool, which is one to Python."""
    if type(value) is not int or not low <= value <= high:
        raise MessageError("message_malformed", tell(
            "{name}: a whole number from {low} to {high} is needed", name=name, low=low, high=high
        ))  # fmt: skip


def check_amount(value: int, low: int) -> None:
    """An amount that a message can carry."""
    if type(value) is not int or not low <= value <= MAX_AMOUNT:
        raise MessageError(
            "amount_out_of_range", tell("amount: whole cents from {low} to {most}", low=low, most=MAX_AMOUNT)
        )


def check_network(found: bytes, expected: bytes) -> None:
    """A message of one currency means nothing in another."""
    if found != expected:
        raise MessageError("message_wrong_network", tell(
            "this belongs to another currency (network {found}, not {expected})",
            found=found.hex(), expected=expected.hex(),
        ))  # fmt: skip


def check_key(key: bytes) -> None:
    """A public key that may be registered: ``key_weak`` or ``key_malformed`` else."""
    try:
        keys.public_key(key)
    except keys.KeyRefused as error:
        raise MessageError(error.code, error.detail) from None


def check_signature(key: bytes, signature: bytes, message: bytes) -> None:
    """Raise ``MessageError`` unless ``signature`` is ``key``'s over ``message``."""
    if not keys.verify(key, signature, message):
        check_key(key)  # only now: saying what is wrong with a key costs more than the signature itself
        raise MessageError("signature_invalid", tell("the signature is not right for this content and this key"))
