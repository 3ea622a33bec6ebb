"""The currency's book as this wallet saw it: the newest signed head, kept, and held against the next one.

Every receipt says how large the book was and its root, and so does the server when it is asked. A book only grows: what
was its root at some size stays so for ever. Where the server now says another root for the size that this wallet keeps,
or has fewer entries than that, the book was put back or made anew, and what this wallet keeps is the proof.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from ledger.currency import proofs
from ledger.currency.messages import MessageError, SignedReceipt
from wallet_cli import files, outbox
from wallet_cli.errors import Exit, WalletError
from wallet_cli.words import _

if TYPE_CHECKING:
    from api.client import Client
    from wallet_cli.home import Home
    from wallet_cli.opened import Wallet


@dataclass(frozen=True, slots=True)
class Head:
    """So many entries, and their root (hex), with what the currency signed: a receipt's text, or time and signature."""

    size: int
    root: str
    receipt: str = ""
    at_us: int = 0
    signature: str = ""


def kept(home: Home) -> Head | None:
    """The newest head that this wallet saw; None where there is none, or its file is damaged."""
    try:
        data = files.read_json(home.head_file)
        if data is None or data["v"] != 1:
            return None
        return Head(int(data["size"]), str(data["root"]), str(data["receipt"]), int(data["at_us"]),
                    str(data["signature"]))  # fmt: skip
    except (WalletError, KeyError, TypeError, ValueError):
        return None


def look(wallet: Wallet) -> None:
    """Ask how the book ends, and whether it continues what this wallet saw.

    Raises `WalletError` (UNTRUSTED): book_differs, book_unsigned. Without an answer nothing is said.
    """
    from api.client import ApiError, ServerUnreachable

    with suppress(ServerUnreachable, ApiError):
        _compare(wallet, _asked(wallet, wallet.offline_client(), None))


def learn(wallet: Wallet) -> None:
    """Take in the heads that the receipts of this command hold. Raises `WalletError` as `look` does."""
    from api.client import ApiError, ServerUnreachable

    found = [one for id in wallet.told if (one := outbox.done(wallet.home, id)) is not None and one.receipt]
    receipts = [SignedReceipt.parse(one.receipt or "") for one in found]  # checked when they were written down
    if not receipts:
        return
    newest = max(receipts, key=lambda one: one.receipt.size)
    with suppress(ServerUnreachable, ApiError):
        _compare(wallet, Head(newest.receipt.size, newest.receipt.root.hex(), newest.text))


def _compare(wallet: Wallet, fresh: Head) -> None:
    """Hold what the server says now against what is kept, and keep the newer."""
    from api.client import ApiError

    before = kept(wallet.home)
    if before is not None and fresh.size < before.size and fresh.receipt:
        # A receipt of another command, perhaps, which was quicker: how is it now?
        fresh = _asked(wallet, wallet.offline_client(), None)
    if before is not None:
        then = fresh if fresh.size <= before.size else None
        if then is None:
            try:
                then = _asked(wallet, wallet.offline_client(), before.size)
            except ApiError as error:
                if error.code != "log_shorter":
                    return  # it was busy, say: what is kept stays
                then = Head(0, "")
        if (then.size, then.root) != (before.size, before.root):
            raise _differs(wallet, before, then)
    if before is None or fresh.size > before.size:
        with suppress(WalletError):  # where the disk does not let us, the older one stays
            files.write_json(wallet.home.head_file, {"v": 1, **asdict(fresh)})


def _asked(wallet: Wallet, client: Client, size: int | None) -> Head:
    found = client.log(size)
    settings = wallet.settings
    head = (found.size, found.at_us, found.root)
    try:
        proofs.verify_head(settings.network_id, settings.currency_public, *head, found.signature)
        if size is not None and found.size != size:
            raise MessageError("message_malformed", f"asked for the size {size}, and told of {found.size}")
    except MessageError as error:
        text = _("What the server says of the currency's book is not signed by the currency.")
        raise WalletError(Exit.UNTRUSTED, "book_unsigned", text, detail=error.detail) from error
    return Head(found.size, found.root.hex(), "", found.at_us, found.signature.hex())


def _differs(wallet: Wallet, before: Head, then: Head) -> WalletError:
    text = _(
        "The currency's book is not the one that this wallet saw: of its first {size} entries some were changed or "
        "taken out since. The proof is kept in {file}: show it to the association, and to others, before you go on."
    )
    message = text.format(size=before.size, file=wallet.home.head_file)
    return WalletError(Exit.UNTRUSTED, "book_differs", message, kept=_shown(before), told=_shown(then))


def _shown(head: Head) -> dict[str, Any]:
    return {name: value for name, value in asdict(head).items() if value}
