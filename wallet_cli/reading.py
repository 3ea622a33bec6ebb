"""Reading: the balance, also when the server is away, and which payment an abbreviated id means."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from wallet_cli import files, heads
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import _, clean

SHOWN_ID_CHARS = 8
"""The end of an id, which is random, names a payment well enough among one's own."""
_LOOKED_THROUGH = 500


def balance(wallet: Wallet) -> None:
    """Show the balance; with the server away the last known one, marked as such, before the error.

    Raises `WalletError` (UNTRUSTED) after it is shown, where the book is not the one that this wallet saw.
    """
    wallet.settle()
    settings = wallet.settings
    try:
        client = wallet.reader()
        found = wallet.asked(lambda: client.balance(settings.account))
    except WalletError as error:
        if error.exit_code is not Exit.UNREACHABLE or (last := last_known(wallet)) is None:
            raise
        cents, at = last
        TERMINAL.say(
            _("Last known balance, of {time}: {amount}").format(time=settings.when(at), amount=settings.amount(cents))
        )
        TERMINAL.give(_as_json(wallet, cents, at, stale=True))
        raise
    remember(wallet, found.cents, found.at)
    TERMINAL.say(f"{clean(found.name or settings.name)}  {settings.account}")
    TERMINAL.say(bold(settings.amount(found.cents)))
    TERMINAL.give(_as_json(wallet, found.cents, found.at, stale=False))
    heads.look(wallet)


def _as_json(wallet: Wallet, cents: int, at: datetime, *, stale: bool) -> dict[str, Any]:
    settings = wallet.settings
    return {
        "account": settings.account,
        "name": clean(settings.name),
        "balance_cents": cents,
        "unit": settings.code,
        "at": at.isoformat(),
        "stale": stale,
    }


def remember(wallet: Wallet, cents: int, at: datetime | None) -> None:
    """Keep the balance for when the server is away, where the disk lets us."""
    at = at or datetime.now(UTC)
    with suppress(WalletError):
        files.write_json(wallet.home.last_file, {"v": 1, "balance_cents": cents, "at": at.isoformat()})


def last_known(wallet: Wallet) -> tuple[int, datetime] | None:
    """The balance that was seen last, and when."""
    try:
        data = files.read_json(wallet.home.last_file)
        return int(data["balance_cents"]), datetime.fromisoformat(data["at"])
    except (WalletError, KeyError, TypeError, ValueError):
        return None  # it is a convenience; damaged is as good as not there


def full_id(wallet: Wallet, text: str) -> str:
    """The id that was typed in full, or by its last 8 characters, as `wallet history` shows them.

    Looked for among this wallet's own orders, then in the newest entries of the account.
    """
    typed = text.strip().lower().replace("-", "")
    if typed and all(char in "0123456789abcdef" for char in typed):
        if len(typed) == 32:
            return typed
        if SHOWN_ID_CHARS <= len(typed) < 32:
            found = {path.stem for path in wallet.home.done.glob(f"*{typed}.json")}
            if not found:
                client = wallet.reader()
                page = wallet.asked(lambda: client.entries(wallet.settings.account, limit=_LOOKED_THROUGH))
                found = {entry.id for entry in page.entries if entry.id.endswith(typed)}
            if len(found) == 1:
                return found.pop()
    message = _("{id} is not the id of one of your payments. `wallet history` shows the last 8 characters of each.")
    raise WalletError(Exit.USAGE, "id_unknown", message.format(id=clean(text)))
