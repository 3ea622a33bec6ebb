"""What the outbox holds, shown; and asking after it when nothing else is wanted."""

from __future__ import annotations

from wallet_cli import outbox
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet, describe, title
from wallet_cli.outbox import Fate, Kept
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import _, clean, reason


def show(wallet: Wallet, *, failed: bool) -> None:
    """The orders that wait, after settling what can be settled; with `failed` those that came to nothing too."""
    wallet.settle()
    waiting = outbox.pending(wallet.home)
    lost = outbox.all_failed(wallet.home) if failed else []
    _table(wallet, waiting, lost)
    TERMINAL.give(
        {
            "pending": [_as_json(wallet, kept) for kept in waiting],
            **({"failed": [_as_json(wallet, kept) for kept in lost]} if failed else {}),
        }
    )


def settle(wallet: Wallet) -> None:
    """Settle, and end with UNREACHABLE while an order's fate is still open."""
    settled = wallet.settle()
    waiting = outbox.pending(wallet.home)
    if any(one.code == "receipt_invalid" for one in settled):
        message = _("The server's receipt is not signed by the currency. The order is kept.")
        raise WalletError(Exit.UNTRUSTED, "receipt_invalid", message)
    unknown = [kept for kept in waiting if kept.refused is None]
    if unknown:
        message = _("Orders that wait for an answer: {count}.").format(count=len(unknown))
        raise WalletError(Exit.UNREACHABLE, "order_open", message, pending=len(unknown))
    if not settled:
        TERMINAL.say(_("No order waits for an answer."))
    TERMINAL.give(
        {
            "settled": [{**describe(wallet.settings, one.kept), "status": str(one.fate)} for one in settled],
            "pending": [_as_json(wallet, kept) for kept in waiting],
        }
    )


def _table(wallet: Wallet, waiting: list[Kept], lost: list[Kept]) -> None:
    settings = wallet.settings
    if not waiting and not lost:
        TERMINAL.say(_("No order waits for an answer."))
        return
    rows = [(settings.when(kept.made_at), title(settings, kept), _state(kept, Fate.OPEN)) for kept in waiting]
    rows += [(settings.when(kept.made_at), title(settings, kept), _state(kept, Fate.REFUSED)) for kept in lost]
    TERMINAL.table([(_("Date"), False), (_("Order"), False), (_("State"), False)], rows)


def _state(kept: Kept, fate: Fate) -> str:
    if fate is Fate.OPEN and kept.refused is None:
        return _("no answer yet")
    return _("refused: {reason}").format(reason=reason(kept.refused or "", clean(kept.refused)))


def _as_json(wallet: Wallet, kept: Kept) -> dict[str, object]:
    return {**describe(wallet.settings, kept), "reason": kept.refused}
