"""Keys of the office that are said to be one's own: the list, and saying that one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.currency.keys import key_id, shown_key
from wallet_cli.devices import role_name
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import _, clean, whole

if TYPE_CHECKING:
    from api.client import Confirmation


def confirm(wallet: Wallet, given: str | None, *, yes: bool) -> None:
    """Show the keys that wait for it, or (`given`) confirm one of them."""
    wallet.settle()
    client = wallet.reader()
    waiting = wallet.asked(client.confirmations)
    if given is None:
        if not waiting:
            TERMINAL.say(_("No key waits to be confirmed."))
        else:
            columns = [(title, False) for title in (_("Key"), _("Device"), _("Role"), _("Held by"), _("Invited by"))]
            TERMINAL.table(columns, [_row(one) for one in waiting])
            TERMINAL.say(_("If a key is held by whom it says: wallet keys confirm KEY. If not, tell the association."))
        TERMINAL.give({"keys": [_as_json(one) for one in waiting]})
        return
    typed = given.strip().lower()
    found = [one for one in waiting if len(typed) >= 4 and typed in (key_id(one.key).hex(), one.key.hex())]
    found = found or [one for one in waiting if len(typed) >= 8 and one.key.hex().startswith(typed)]
    if len(found) != 1:
        message = _("No one key is meant by {key}; `wallet keys confirm` shows those that wait.")
        raise WalletError(Exit.USAGE, "key_not_found", message.format(key=clean(given)))
    [one] = found
    if not yes:
        told = _("{label}, {role} of {party}, invited by {inviter}: is this key held by {name}?")
        TERMINAL.confirm(
            told.format(label=whole(one.label), role=role_name(one.role), party=whole(one.party),
                        inviter=whole(one.invited_by), name=whole(one.name))
        )  # fmt: skip
    wallet.asked(lambda: client.confirm_key(one.key))
    told = _("Confirmed: {label} is held by {name}. It can sign files that are made from now on.")
    TERMINAL.say(told.format(label=whole(one.label), name=whole(one.name)))
    TERMINAL.give({**_as_json(one), "confirmed": True})


def _row(one: Confirmation) -> tuple[str, ...]:
    return (shown_key(one.key), clean(one.label), role_name(one.role), clean(one.name), clean(one.invited_by))


def _as_json(one: Confirmation) -> dict[str, str]:
    return {
        "key": one.key.hex(), "key_id": key_id(one.key).hex(), "role": one.role, "label": clean(one.label),
        "party": clean(one.party), "person": clean(one.name), "invited_by": clean(one.invited_by),
    }  # fmt: skip
