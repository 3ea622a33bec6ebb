"""What `wallet pay` was given: a link, a picture of its code, or either on the standard input."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from ledger.currency.links import in_capitals, parse_link
from ledger.currency.messages import MessageError, SignedRequest
from wallet_cli import files
from wallet_cli.errors import Exit, WalletError
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import _, reason

MAX_BYTES = 25_000_000
_BARE = re.compile(r"[0-9A-Z]{150,200}", re.ASCII | re.IGNORECASE)
_PICTURES = (b"\x89PNG\r\n", b"\xff\xd8\xff", b"RIFF")


def read_target(given: str, network: bytes) -> SignedRequest:
    """The request that `given` stands for. Its signature is not looked at here, its currency is.

    Raises `WalletError`: USAGE for what is no link and no file, REFUSED for what holds no request of `network`.
    """
    if given == "-":
        TERMINAL.stdin_used = True
        found = _from_bytes(sys.stdin.buffer.read(MAX_BYTES + 1), network)
    elif "://" in given or _BARE.fullmatch(given.strip()):
        found = _from_text(given)
    else:
        found = _from_bytes(_file(given), network)
    if found.request.network != network:
        raise _wrong("message_wrong_network")
    return found


def _file(given: str) -> bytes:
    path = Path(given).expanduser()
    if not path.exists():
        text = _("{given} is neither a payment link nor a file. To pay an account, add --to.").format(given=given)
        raise WalletError(Exit.USAGE, "target_unknown", text)
    try:
        with path.open("rb") as source:
            return source.read(MAX_BYTES + 1)
    except OSError as error:
        raise files.unusable(path, error) from error


def _from_bytes(data: bytes, network: bytes) -> SignedRequest:
    if not data.strip():
        raise WalletError(Exit.USAGE, "target_empty", _("There is nothing to pay in what was given."))
    if not data.startswith(_PICTURES):
        try:
            return _from_text(data.decode())
        except UnicodeDecodeError:
            pass  # another kind of picture, perhaps: its reader knows what to say
    return _from_picture(data, network)


def _from_picture(data: bytes, network: bytes) -> SignedRequest:
    # A picture can be read without the libraries of a link: these take their time to load.
    from merchants import codes

    try:
        texts = codes.read(data)
    except codes.CodeError as error:
        raise _wrong(error.code, error.detail) from error
    found: dict[str, SignedRequest] = {}
    problem = MessageError("link_malformed", "")
    for text in texts:
        try:
            signed = parse_link(text).signed
        except MessageError as error:
            problem = error
        else:
            found[signed.text] = signed
    if not found:
        if problem.code == "link_malformed":
            shown = _("The QR code in this picture is not a payment code.")
            raise WalletError(Exit.REFUSED, problem.code, shown, detail=problem.detail)
        raise _wrong(problem.code, problem.detail)
    ours = [signed for signed in found.values() if signed.request.network == network]
    if len(ours) > 1:
        shown = _("There are {count} payment codes in this picture; cut out the one to be paid.")
        raise WalletError(Exit.USAGE, "codes_many", shown.format(count=len(ours)))
    return ours[0] if ours else next(iter(found.values()))


def _from_text(text: str) -> SignedRequest:
    text = text.strip()
    try:
        return SignedRequest.parse(in_capitals(text)) if _BARE.fullmatch(text) else parse_link(text).signed
    except MessageError as error:
        raise _wrong(error.code, error.detail) from error


def _wrong(code: str, detail: str = "") -> WalletError:
    return WalletError(Exit.REFUSED, code, reason(code, detail), detail=detail)
