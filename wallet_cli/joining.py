"""Joining: a new device key, registered with the one-time code that the association gave.

The key is on the disk before its public half is sent, so that a crash in between costs nothing: the same command
again finishes what was begun (the server takes the same code and key twice). The server's signing key and network
are pinned here, on first use: later answers must be signed by that key.
"""

from __future__ import annotations

import os
import platform
import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ledger.currency.keys import KeyRefused, PrivateKey, public_key
from ledger.currency.text import TextError, clean_text
from wallet_cli import files, keyfile, passphrase
from wallet_cli.devices import role_name
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Home, Settings
from wallet_cli.opened import Wallet, check_pinned
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import _, clean, reason

if TYPE_CHECKING:
    from api.client import Currency

MAX_LABEL = 40
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{10}", re.ASCII)
"""What a code looks like once case, hyphens and look-alikes are set aside."""
_LINK = re.compile(r"(https?://[^/\s]+)/J/([0-9A-Za-z-]{4,64})", re.ASCII | re.IGNORECASE)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def join(home: Home, given: str, server: str | None, label: str | None, *, protect: bool, insecure: bool) -> None:
    """Join with a code, or with the link that holds server and code. Raises `WalletError`."""
    from api.client import plain_code

    code, server = _code_and_server(given, server)
    if not _CODE.fullmatch(plain_code(code)):  # before anybody thinks up a passphrase
        raise WalletError(Exit.REFUSED, "join_code_invalid", reason("join_code_invalid", ""))
    home.make()
    with files.locked(home.path):
        begun = home.settings()
        if begun is not None and begun.account:
            text = _(
                "{path} holds a wallet already, that of {name}. Set WALLET_HOME to another folder for a second one."
            )
            raise WalletError(Exit.USAGE, "already_joined", text.format(path=home.path, name=clean(begun.name)))
        if begun is not None and server and _checked(server, insecure) != begun.server:
            begun = None
        resumed = begun is not None
        if begun is None:
            wallet = _begin(home, code, _checked(server, insecure), _label(label), protect=protect)
        else:
            wallet = Wallet(home, begun)
        _finish(wallet, code, resumed=resumed)


def _code_and_server(given: str, server: str | None) -> tuple[str, str | None]:
    given = given.strip()
    if found := _LINK.fullmatch(given):
        return found[2], server or found[1].lower()
    if "://" in given or len(given) > 64 or not given.isascii():
        raise WalletError(Exit.REFUSED, "join_code_invalid", reason("join_code_invalid", ""))
    return given, server


def _checked(server: str | None, insecure: bool) -> str:
    if not server:
        raise WalletError(
            Exit.USAGE, "server_missing", _("Which server? Add --server URL, as the association gave it.")
        )
    parts = urlsplit(server if "://" in server else f"https://{server}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise WalletError(Exit.USAGE, "server_malformed", _("The server is an address such as https://example.org."))
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and not insecure:
        text = _(
            "Over http:// anybody on the way could pose as the currency. Use https://, or add --insecure for a test."
        )
        raise WalletError(Exit.USAGE, "server_insecure", text)
    return f"{parts.scheme}://{parts.netloc}"


def _label(label: str | None) -> str:
    try:
        return clean_text(label or platform.node()[:MAX_LABEL] or "wallet", max_chars=MAX_LABEL)
    except TextError as error:
        if label is None:
            return "wallet"
        raise WalletError(Exit.USAGE, error.code, reason(error.code, error.detail), detail=error.detail) from error


def _begin(home: Home, code: str, server: str, label: str, *, protect: bool) -> Wallet:
    """Pin the currency, make the key, and put both on the disk."""
    from api.client import Client

    probe = Wallet(home, _empty(server))
    with Client(server, transport=Wallet.transport) as client:
        currency = probe.asked(client.currency)
    _welcome(currency, server)
    chosen = passphrase.choose(_("Choose a passphrase for this wallet: ")) if protect else ""
    key = PrivateKey.from_seed(os.urandom(32))
    settings = replace(
        probe.settings,
        network=currency.network.hex(),
        currency_key=currency.key.hex(),
        code=currency.code,
        currency=clean(currency.name),
        symbol=clean(currency.symbol),
        timezone=currency.timezone,
        waiting_account=currency.waiting_account,
        key=key.public.hex(),
        protected=protect,
        pending_code=code,
        label=label,
    )
    # The key first: settings without their key would be a wallet that cannot be opened. A key never overwrites one.
    files.set_aside(home.key_file)
    files.write(home.key_file, keyfile.seal(key.seed(), chosen), overwrite=False)
    home.save(settings)
    return Wallet(home, settings, key)


def _welcome(currency: Currency, server: str) -> None:
    try:
        public_key(currency.key)
    except KeyRefused as error:
        text = _("The server's signing key is not one that can be trusted: {reason}.")
        raise WalletError(Exit.UNTRUSTED, error.code, text.format(reason=error.detail)) from error
    text = _(
        "{name} ({code}), at {server}\n"
        "Its signing key is trusted from now on, as this server shows it on first use: {fingerprint}"
    )
    told = text.format(
        name=clean(currency.name), code=currency.code, server=server, fingerprint=fingerprint(currency.key)
    )
    fields = {"server": server, "currency_key": currency.key.hex(), "network": currency.network.hex()}
    TERMINAL.note("currency_pinned", told, **fields)


def _finish(wallet: Wallet, code: str, *, resumed: bool) -> None:
    """Register the key; with another code than the one that was begun with, that one is tried first.

    `resumed`: an earlier command began this, and never learned what the server did.
    """
    from api.client import plain_code

    home, settings = wallet.home, wallet.settings
    client = wallet.offline_client()
    check_pinned(settings, wallet.asked(client.currency))
    key = wallet.key
    unanswered = resumed
    codes = [settings.pending_code]
    if plain_code(code) != plain_code(settings.pending_code):
        codes.append(code)
    for tried in codes:
        try:
            me = wallet.asked(lambda: client.join(key, tried, settings.label))  # noqa: B023 (called at once)
            break
        except WalletError as error:
            if error.exit_code is not Exit.REFUSED:
                raise
            unanswered = unanswered or getattr(error.__cause__, "unanswered_before", False)
            if tried is codes[-1]:
                _give_up(home, error, unanswered=unanswered)
                raise
    joined = replace(
        settings,
        pending_code="",
        account=me.party.account,
        name=clean(me.party.name),
        kind=me.party.kind,
        role=me.role,
        label=clean(me.label),
    )
    home.save(joined)
    TERMINAL.say(bold(_("Welcome, {name}.").format(name=joined.name)))
    TERMINAL.say(_("Account: {account}").format(account=joined.account))
    TERMINAL.say(
        _("This wallet: {label} ({role}), in {path}").format(
            label=joined.label, role=role_name(joined.role), path=home.path
        )
    )
    if not joined.protected:
        TERMINAL.say(_("The key has no passphrase: whoever can read this folder can pay."))
    TERMINAL.say(_("Keep a copy of the key: `wallet backup FILE`."))
    TERMINAL.give(summary(joined))


def _give_up(home: Home, error: WalletError, *, unanswered: bool) -> None:
    """After a refusal for good. The key goes only if it cannot be registered: no try of it was left unanswered."""
    if not unanswered:
        files.remove(home.settings_file)
        files.remove(home.key_file)
    elif error.code == "key_taken":
        # By another code, so none will do: the next try begins anew. The key itself may be some wallet's.
        files.set_aside(home.settings_file)
        files.set_aside(home.key_file)
    else:
        text = _(
            "An earlier try was never answered, so the key is kept in {path}: run the same command again in a minute, "
            "or with a new code from the association."
        )
        error.message += " " + text.format(path=home.path)
        error.fields["kept"] = str(home.key_file)


def summary(settings: Settings) -> dict[str, str]:
    """A joined wallet for `--json`."""
    return {
        "account": settings.account,
        "name": settings.name,
        "kind": settings.kind,
        "role": settings.role,
        "label": settings.label,
        "key": settings.key,
        "server": settings.server,
        "currency": settings.currency,
        "unit": settings.code,
        "network": settings.network,
        "currency_key": settings.currency_key,
    }


def fingerprint(key: bytes) -> str:
    """A public key in groups of four, to be compared by eye."""
    text = key.hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _empty(server: str) -> Settings:
    pinned_at = datetime.now(UTC).isoformat()
    return Settings(server, "00000000", "00" * 32, "", "", "", "UTC", "", "", True, pinned_at)
