"""The devices of one's party: the list, a code for one more, and taking one's rights away."""

from __future__ import annotations

import sys

from ledger.currency.keys import key_id, shown_key
from ledger.currency.text import folded
from merchants.screens import terminal_code
from wallet_cli.errors import Exit, WalletError
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import N_, _, clean

ROLES = {
    "member": N_("member"),
    "owner": N_("owner"),
    "cashier": N_("cashier"),
    "operator": N_("operator"),
    "treasurer": N_("treasurer"),
    "auditor": N_("auditor"),
}


def role_name(role: str) -> str:
    """A role in the user's language."""
    return _(ROLES[role]) if role in ROLES else clean(role)


def show(wallet: Wallet) -> None:
    """The keys of the party, those in use first."""
    wallet.settle()
    settings, client = wallet.settings, wallet.reader()
    keys = sorted(wallet.asked(client.keys), key=lambda key: (key.revoked_at is not None, key.added_at))
    rows = []
    for key in keys:
        state = (
            _("in use") if key.revoked_at is None else _("revoked {date}").format(date=settings.when(key.revoked_at))
        )
        name = clean(key.label) + (" " + _("(this device)") if key.this else "")
        rows.append((shown_key(key.key), name, role_name(key.role), settings.when(key.added_at), state))
    columns = [(title, False) for title in (_("Key"), _("Device"), _("Role"), _("Added"), _("State"))]
    TERMINAL.table(columns, rows)
    TERMINAL.give(
        {
            "keys": [
                {
                    "key": key.key.hex(),
                    "key_id": key_id(key.key).hex(),
                    "role": key.role,
                    "label": clean(key.label),
                    "added_at": key.added_at.isoformat(),
                    "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
                    "this": key.this,
                }
                for key in keys
            ]
        }
    )


def add(wallet: Wallet, role: str | None) -> None:
    """Make a one-time code with which one more device can join the same account, and draw it."""
    wallet.settle()
    client = wallet.reader()
    invite = wallet.asked(lambda: client.invite(role or wallet.settings.role))
    if not TERMINAL.as_json:
        from merchants import codes

        try:
            TERMINAL.raw(terminal_code(invite.link, sys.stdout))
        except codes.CodeError:
            pass  # a picture is a convenience: the code below says the same
    TERMINAL.say(bold(_("Code for one more device: {code}").format(code=clean(invite.code))))
    TERMINAL.say(
        _("Good until {time}, once. On the other device:").format(time=wallet.settings.when(invite.expires_at))
    )
    TERMINAL.say(f"  wallet join {clean(invite.link)}")
    TERMINAL.say(_("Whoever uses this code can act for this account: show it to nobody else."))
    TERMINAL.give(
        {
            "code": invite.code,
            "link": invite.link,
            "role": role or wallet.settings.role,
            "expires_at": invite.expires_at.isoformat(),
        }
    )


def revoke(wallet: Wallet, given: str, *, yes: bool) -> None:
    """Take a key's rights away: that of a lost phone, say."""
    wallet.settle()
    client = wallet.reader()
    typed = given.strip().lower()
    keys = wallet.asked(client.keys)
    found = [k for k in keys if len(typed) >= 4 and typed in (key_id(k.key).hex(), k.key.hex())]
    found = found or [k for k in keys if len(typed) >= 8 and k.key.hex().startswith(typed)]
    found = found or [k for k in keys if k.revoked_at is None and folded(k.label) == folded(given)]
    if len(found) != 1:
        message = _("No one key is meant by {key}; `wallet keys list` shows them all.").format(key=clean(given))
        raise WalletError(Exit.USAGE, "key_ambiguous" if found else "key_not_found", message)
    key = found[0]
    label = clean(key.label)
    if not yes:
        if key.this:
            TERMINAL.show(_("This is the key of this very wallet: it will not be able to do anything any more."))
        TERMINAL.confirm(
            _("Revoke {label} ({role})? This cannot be undone.").format(label=label, role=role_name(key.role))
        )
    wallet.asked(lambda: client.revoke(key.key))
    TERMINAL.say(_("{label} can no longer act for this account.").format(label=label))
    TERMINAL.give({"key": key.key.hex(), "label": label, "revoked": True})
