"""Payment links: a request as an address, which any camera opens and a QR code holds small.

``https://host/P/<BASE32>``: QR codes store upper-case text in 5.5 bits a character. Some cameras open no address whose
scheme and host are in capitals, so these are small where the code stays at version 8 at level M all the same; a link
with a 24-character host and the longest label fits there in capitals only. Links come back in any case, as readers,
keyboards and mail programs leave them; the request itself has one form.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ledger.currency.messages import SignedRequest
from ledger.currency.told import tell
from ledger.currency.wire import MessageError

_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?)", re.ASCII | re.IGNORECASE)
_LONGEST_LINK = 600
_VERSION_8 = 1_232
"""Bits that the largest code which phones read from each other with ease holds at level M."""


class Link(NamedTuple):
    """What a payment link says: the server's address in lower case, and the request."""

    origin: str
    signed: SignedRequest


def check_public_url(url: str) -> str:
    """The origin of a server that can stand in links: ``https://host`` or ``https://host:port``, in lower case.

    One slash at the end is dropped. Raises ``MessageError("link_malformed")``: a path could not be told from its
    upper-case form, and a host with other characters (write the ``xn--`` form) would make the QR code a third larger.
    """
    if not (found := _ORIGIN.fullmatch(url.removesuffix("/"))):
        raise MessageError(
            "link_malformed", tell("the public address is https://HOST or https://HOST:PORT, without path or accents")
        )
    return found[0].lower()


def make_link(public_url: str, signed: SignedRequest) -> str:
    """The link of a request on the server at ``public_url``."""
    origin, path = check_public_url(public_url), f"/P/{signed.text}"
    # Two segments, bytes and capitals: each begins with its mode (4 bits) and its length (8 and 9).
    bits = (4 + 8 + 8 * len(origin)) + (4 + 9 + 11 * (len(path) // 2) + 6 * (len(path) % 2))
    return (origin if bits <= _VERSION_8 else origin.upper()) + path


def in_capitals(text: str) -> str:
    """A request's text as it was made, whichever case it came back in; what is not ASCII stays, and is refused."""
    return text.upper() if text.isascii() else text


def parse_link(text: str) -> Link:
    """Read a payment link; blanks around it are dropped.

    Raises ``MessageError``: ``link_malformed`` when it is no payment link, ``message_malformed`` when what it carries
    is no request. Nothing is verified, and whether ``origin`` is the server one uses is for the caller to compare.
    """
    text = text.strip()
    if len(text) > _LONGEST_LINK:
        raise MessageError("link_malformed", tell("this is too long for a payment link"))
    found = _ORIGIN.match(text)
    if not found:
        raise MessageError("link_malformed", tell("a payment link begins with https:// and the name of a server"))
    path = in_capitals(text[found.end() :])
    if not path.startswith("/P/"):
        raise MessageError(
            "link_malformed", tell("this address is not a payment link: those go on with /P/ after the name")
        )
    payload = path.removeprefix("/P/")
    if wrong := re.search(r"[^0-9A-Z]", payload):
        raise MessageError("link_malformed", tell(
            "what follows {wrong!r} does not belong to the payment link: leave it", wrong=wrong[0]
        ))  # fmt: skip
    return Link(found[0].lower(), SignedRequest.parse(payload))
