"""Payment links: a request as an address, which any camera opens and a QR code holds small.

``HTTPS://HOST/P/<base32>``, all upper case: QR codes store such text in 5.5 bits a character, and a link with a
24-character host and the longest label still fits version 8 at level M. Scheme and host may come back in any case
(readers and mail programs lower them); the payload may not, for it has one form only.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ledger.currency.messages import SignedRequest
from ledger.currency.wire import MessageError

_ORIGIN = re.compile(r"(https?)://([a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?)", re.ASCII | re.IGNORECASE)
_LONGEST_LINK = 600


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
            "link_malformed", "the public address is https://HOST or https://HOST:PORT, without path or accents"
        )
    return found[0].lower()


def make_link(public_url: str, signed: SignedRequest) -> str:
    """The link of a request on the server at ``public_url``."""
    return f"{check_public_url(public_url).upper()}/P/{signed.text}"


def parse_link(text: str) -> Link:
    """Read a payment link; blanks around it are dropped.

    Raises ``MessageError``: ``link_malformed`` when it is no payment link, ``message_malformed`` when what it carries
    is no request. Nothing is verified, and whether ``origin`` is the server one uses is for the caller to compare.
    """
    text = text.strip()
    if len(text) > _LONGEST_LINK:
        raise MessageError("link_malformed", "this is too long for a payment link")
    found = _ORIGIN.match(text)
    if not found:
        raise MessageError("link_malformed", "a payment link begins with https:// and the name of a server")
    path = text[found.end() :]
    if re.fullmatch(r"/p/[0-9A-Za-z]+", path, re.ASCII | re.IGNORECASE) and path != path.upper():
        raise MessageError(
            "link_malformed", "this link lost its capital letters on its way: copy it again, or use its picture"
        )
    if not path.startswith("/P/"):
        raise MessageError("link_malformed", "this address is not a payment link: those go on with /P/ after the name")
    payload = path.removeprefix("/P/")
    if wrong := re.search(r"[^0-9A-Z]", payload):
        raise MessageError("link_malformed", f"what follows {wrong[0]!r} does not belong to the payment link: leave it")
    return Link(found[0].lower(), SignedRequest.parse(payload))
