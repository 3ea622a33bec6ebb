"""A wallet at work: its folder, the server it joined, its key once that is needed. What every command begins with."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ledger.currency import proofs
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import MessageError, Purpose
from wallet_cli import files, outbox, passphrase
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Home, Settings
from wallet_cli.outbox import Fate, Settled
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import N_, _, clean, reason

if TYPE_CHECKING:
    import httpx

    from api.client import ApiError, Client, Currency, ServerUnreachable

T = TypeVar("T")

TIMEOUT_SECONDS = 8.0
STARTED = time.time()
"""When this process began: what another one settled since then, it may not have known when its command was typed."""


SILENCES = {
    "connection": N_("no connection"),
    "timeout": N_("no answer in time"),
    "answer": N_("what answers there is not this currency's server"),
}


class Listed(NamedTuple):
    """A party as the currency's signed directory has it. `name` is clean; `keys` act for the party now."""

    account: str
    name: str
    kind: str
    keys: tuple[bytes, ...]


class Wallet:
    """One command's view of a joined wallet."""

    transport: httpx.BaseTransport | None = None
    """Stands in for the network, in tests."""

    def __init__(self, home: Home, settings: Settings, key: PrivateKey | None = None) -> None:
        self.home = home
        self.settings = settings
        self._client: Client | None = None
        self._down: ServerUnreachable | None = None
        self._checked = False
        self._key = key
        self.told: list[str] = []

    @property
    def key(self) -> PrivateKey:
        """The device key; asks for the passphrase the first time."""
        if self._key is None:
            self._key = passphrase.open_key(self.home, self.settings)
        return self._key

    def offline_client(self) -> Client:
        """The client, without a word to the server yet."""
        if self._client is None:
            from api.client import Client

            settings = self.settings
            self._client = Client(
                settings.server, network=settings.network_id, timeout=TIMEOUT_SECONDS, transport=self.transport
            )
        return self._client

    def online(self) -> Client:
        """The client, once the server has shown that it is there and is still the one that was joined.

        Raises `WalletError`: UNREACHABLE, or UNTRUSTED when it signs with another key than at joining.
        """
        client = self.offline_client()
        if self._down is not None:
            raise self.unreachable(self._down)
        if not self._checked:
            check_pinned(self.settings, self.asked(client.currency))
            self._checked = True
        return client

    def reader(self) -> Client:
        """The client with the key, ready to open a session. The passphrase is asked for only now."""
        client = self.online()
        client.key = self.key
        return client

    def asked(self, call: Callable[[], T]) -> T:
        """The answer of `call`; what goes wrong becomes a `WalletError`."""
        from api.client import ApiError, ServerUnreachable

        try:
            return call()
        except ServerUnreachable as error:
            self._down = error
            raise self.unreachable(error) from error
        except ApiError as error:
            raise refused(error) from error

    def unreachable(self, error: ServerUnreachable) -> WalletError:
        """The server does not answer: nothing new was signed."""
        silence = SILENCES[error.kind]
        text = _("The server {server} does not answer: {reason}.").format(
            server=self.settings.server, reason=_(silence)
        )
        waiting = len(outbox.pending(self.home))
        if waiting:
            text += " " + _("Orders that wait for an answer: {count}.").format(count=waiting)
        return WalletError(Exit.UNREACHABLE, "server_unreachable", text, detail=clean(error.detail), pending=waiting)

    def look_up(self, account: str) -> Listed:
        """Who holds an account, by the directory that the currency signed. Raises `WalletError`."""
        client = self.online()
        try:
            signed = self.asked(lambda: client.directory(account))
        except WalletError as error:
            if error.code != "not_found":
                raise
            raise WalletError(Exit.REFUSED, "payee_unknown", reason("payee_unknown", "")) from error
        content = signed.content.encode()
        try:
            proofs.verify_directory(self.settings.network_id, self.settings.currency_public, content, signed.signature)
            return _listed(json.loads(content), self.settings.network, account)
        except (MessageError, ValueError, KeyError, TypeError) as error:
            text = _("What the server says of {account} is not signed by the currency. Nothing was done.")
            raise WalletError(Exit.UNTRUSTED, "directory_invalid", text.format(account=account)) from error

    # The outbox

    def settle(self) -> list[Settled]:
        """Find out what became of earlier orders, and say so. Returns at once when there are none."""
        if outbox.is_empty(self.home):
            return []
        try:
            with files.locked(self.home.path):
                found = outbox.settle(self.home, self.settings, self.offline_client())
        except WalletError as error:
            if error.exit_code is not Exit.LOCKED:
                raise
            TERMINAL.note(error.code, error.message)
            return []
        for one in found:
            self.heard(one)
            TERMINAL.note(f"order_{one.fate}", told(self.settings, one), **as_json(self.settings, one))
            if one.code == "server_unreachable":
                from api.client import ServerUnreachable

                self._down = ServerUnreachable(one.detail, maybe_sent=True, kind="connection")
        return found

    def heard(self, settled: Settled) -> None:
        """Remember that the user is told of an order in the log, unless its receipt could not be written down."""
        if settled.fate is Fate.POSTED and not settled.code:
            self.told.append(settled.kept.id)
        elif settled.fate is Fate.POSTED:
            TERMINAL.note(settled.code, settled.detail)

    def close(self) -> None:
        """The command has said all it had to say: the orders that it told of need not be told of again.

        Raises `WalletError` (UNTRUSTED) where their receipts are of another book than this wallet saw before.
        """
        from wallet_cli import heads

        outbox.forget(self.home, self.told)
        heads.learn(self)

    @contextmanager
    def nothing_signed(self) -> Iterator[None]:
        """Say so when the server's silence ends a command before anything was signed."""
        try:
            yield
        except WalletError as error:
            if error.code == "server_unreachable" and "kept" not in error.fields:
                error.message += " " + _("Nothing new was signed.")
            raise

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the wallet's lock."""
        with files.locked(self.home.path):
            yield


def open_wallet(given: str | None = None) -> Wallet:
    """The joined wallet of a folder. Raises `WalletError`: NOT_JOINED, FILES."""
    home = Home.find(given)
    settings = home.joined()
    home.make()
    return Wallet(home, settings)


def check_pinned(settings: Settings, currency: Currency) -> None:
    """Raise `WalletError` (UNTRUSTED) unless the server is that of the currency that was joined."""
    if currency.key == settings.currency_public and currency.network == settings.network_id:
        return
    text = _(
        "The server {server} now signs with another key than when this wallet joined. Nothing was done. "
        "Ask the association before you go on."
    )
    raise WalletError(Exit.UNTRUSTED, "currency_key_differs", text.format(server=settings.server))


def refused(error: ApiError) -> WalletError:
    """The server's refusal as this command's end. What may pass by itself counts as unreachable."""
    exit_code = Exit.REFUSED if error.is_final else Exit.UNREACHABLE
    return WalletError(
        exit_code, error.code, reason(error.code, error.detail), status=error.status, detail=error.detail
    )


PURPOSES = {
    Purpose.PAYMENT: N_("Payment of {amount} to {name}"),
    Purpose.REFUND: N_("Refund of {amount} to {name}"),
    Purpose.RECONVERSION: N_("Request to change {amount} back to euros"),
}


def title(settings: Settings, kept: outbox.Kept) -> str:
    """An order in a few words: what it moves and to whom."""
    order = kept.signed.order
    return _(PURPOSES[order.purpose]).format(amount=settings.amount(order.amount), name=clean(kept.name))


def told(settings: Settings, settled: Settled) -> str:
    """One line on what became of an order."""
    kept = settled.kept
    what = _("{order}, of {time}").format(order=title(settings, kept), time=settings.when(kept.made_at))
    if settled.fate is Fate.POSTED:
        return _("{order}: it went through (receipt {id}).").format(order=what, id=kept.id)
    if settled.fate is Fate.EXPIRED:
        return _("{order}: it expired without being booked; nothing was moved.").format(order=what)
    if settled.fate is Fate.REFUSED:
        return _("{order}: refused. {reason}").format(order=what, reason=reason(settled.code, settled.detail))
    until = settings.when(_moment(kept.signed.order.expires_at))
    return _("{order}: no answer yet; it is kept, and can be booked until {until}.").format(order=what, until=until)


def as_json(settings: Settings, settled: Settled) -> dict[str, Any]:
    """An order and its fate for `--json`."""
    return {**describe(settings, settled.kept), "status": str(settled.fate), "reason": settled.code or None}


def describe(settings: Settings, kept: outbox.Kept) -> dict[str, Any]:
    """An order for `--json`."""
    from ledger.core.ids import account_text

    order = kept.signed.order
    return {
        "id": kept.id,
        "purpose": order.purpose.name.lower(),
        "payee": {"account": account_text(order.payee), "name": clean(kept.name)},
        "amount_cents": order.amount,
        "unit": order.unit,
        "label": clean(kept.label),
        "made_at": kept.made_at.isoformat(),
        "expires_at": _moment(order.expires_at).isoformat(),
    }


def _moment(seconds: int) -> Any:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC)


def _listed(content: Any, network: str, account: str) -> Listed:
    if content["network"] != network:
        raise ValueError("another currency's directory")
    for party in content["parties"]:
        if party["account"] == account:
            keys = tuple(bytes.fromhex(key) for key in party["keys"])
            return Listed(account, clean(str(party["name"])), str(party["kind"]), keys)
    raise ValueError("the account is not in it")
