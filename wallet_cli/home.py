"""The wallet's folder: settings, the sealed key, the outbox. WALLET_HOME names it, else `~/.patard-wallet`.

wallet.json   server, the currency as it was pinned at joining, whose account this is; no secret
key.json      the device key under the passphrase
last.json     the last known balance
head.json     the newest signed end of the currency's book that this wallet saw
lock          held by the one command that changes something
outbox/ done/ failed/   signed orders, see `outbox`
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.currency.money import format_cents
from wallet_cli import files
from wallet_cli.errors import Exit, WalletError
from wallet_cli.words import LANG, _

DEFAULT_HOME = "~/.patard-wallet"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the wallet knows without its key. `pending_code` is set while a join has not been answered."""

    server: str
    network: str
    currency_key: str
    code: str
    currency: str
    symbol: str
    timezone: str
    waiting_account: str
    key: str
    protected: bool
    pinned_at: str
    pending_code: str = ""
    account: str = ""
    name: str = ""
    kind: str = ""
    role: str = ""
    label: str = ""

    @property
    def network_id(self) -> bytes:
        return bytes.fromhex(self.network)

    @property
    def currency_public(self) -> bytes:
        return bytes.fromhex(self.currency_key)

    def amount(self, cents: int, *, sign: bool = False) -> str:
        """Cents with the currency's symbol, in the user's language; `sign` marks a plus too."""
        return ("+" if sign and cents > 0 else "") + format_cents(cents, LANG, self.symbol)

    def zone(self) -> ZoneInfo:
        """The currency's time zone, in which its days begin and its times are shown."""
        try:
            return ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")

    def when(self, at: datetime) -> str:
        """A moment as it is shown: in the currency's time zone, to the minute."""
        local = at.astimezone(self.zone())
        return local.strftime("%d/%m/%Y %H:%M" if LANG == "fr" else "%Y-%m-%d %H:%M")

    @classmethod
    def read(cls, data: Any) -> Settings:
        """From JSON. Raises `ValueError`."""
        if not isinstance(data, dict) or data.get("v") != 1:
            raise ValueError("not the settings of a wallet")
        known = {field.name: field.type for field in fields(cls)}
        for name, kind in known.items():
            if not isinstance(data.get(name), bool if kind == "bool" else str):
                raise ValueError(f"{name} is missing or of another type")
        found = cls(**{name: data[name] for name in known})
        if len(found.network_id) != 4 or len(found.currency_public) != 32:
            raise ValueError("network or key have another length")
        return found

    def data(self) -> dict[str, Any]:
        """As JSON."""
        return {"v": 1, **asdict(self)}


class Home:
    """One wallet's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings_file = path / "wallet.json"
        self.key_file = path / "key.json"
        self.last_file = path / "last.json"
        self.head_file = path / "head.json"
        self.outbox = path / "outbox"
        self.done = path / "done"
        self.failed = path / "failed"

    @classmethod
    def find(cls, given: str | None = None) -> Home:
        """The folder that was given, or that WALLET_HOME names, or the usual one. It need not exist."""
        return cls(Path(given or os.environ.get("WALLET_HOME") or DEFAULT_HOME).expanduser().absolute())

    def make(self) -> None:
        """Make the folders, closed to others."""
        for folder in (self.path, self.outbox, self.done, self.failed):
            files.make_folder(folder)

    def settings(self) -> Settings | None:
        """The settings, None where no wallet is. Raises `WalletError` (FILES) when they are damaged."""
        data = files.read_json(self.settings_file)
        if data is None:
            return None
        try:
            return Settings.read(data)
        except ValueError as error:
            raise files.damaged(self.settings_file) from error

    def joined(self) -> Settings:
        """The settings of a wallet that has joined. Raises `WalletError` (NOT_JOINED)."""
        found = self.settings()
        if found is None or not found.account:
            message = _("There is no wallet in {path} yet: run `wallet join CODE --server URL`, or `wallet restore`.")
            if found is not None:
                message = _("Joining was not completed in {path}: run `wallet join {code}` once more.")
            code = found.pending_code if found else ""
            raise WalletError(Exit.NOT_JOINED, "not_joined", message.format(path=self.path, code=code))
        return found

    def save(self, settings: Settings) -> None:
        """Write the settings, durably."""
        files.write_json(self.settings_file, settings.data())

    def key_bytes(self) -> bytes:
        """The sealed key file; access by others is taken away."""
        data = files.read(self.key_file)
        if data is None:
            raise files.damaged(self.key_file)
        try:
            if self.key_file.stat().st_mode & 0o077:
                self.key_file.chmod(0o600)
        except OSError as error:
            raise files.unusable(self.key_file, error) from error
        return data
