"""Backup and restore: one sealed file with the device key, the settings and the orders that wait for an answer.

The file has the form of the key file (`keyfile`), under the wallet's passphrase: nobody can read it or change a
letter of it without that. Receipts stay behind; the server has them.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ledger.currency.keys import PrivateKey
from wallet_cli import files, keyfile, outbox, passphrase
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Home, Settings
from wallet_cli.joining import summary
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import _, clean

WHAT = "patard wallet backup"


def backup(wallet: Wallet, given: str | None) -> None:
    """Write the backup to a new file. Raises `WalletError`: FILES where one stands already."""
    wallet.settle()
    home, settings = wallet.home, wallet.settings
    question = _("Passphrase: ")
    if settings.protected:
        seed, chosen = passphrase.unseal(home.key_bytes(), home.key_file, question)
    else:
        seed, _empty = passphrase.unseal(home.key_bytes(), home.key_file, question, protected=False)
        chosen = passphrase.choose(_("Choose a passphrase for the backup: "))
    name = f"patard-{settings.account}-{datetime.now(UTC):%Y%m%d}.wallet"
    path = Path(given).expanduser() if given else Path(name)
    if path.is_dir():
        path /= name
    content = {
        "what": WHAT,
        "v": 1,
        "made_at": datetime.now(UTC).isoformat(),
        "seed": seed.hex(),
        "settings": settings.data(),
        "outbox": [kept.data() for kept in outbox.pending(home)],
    }
    try:
        files.write(path, keyfile.seal(json.dumps(content).encode(), chosen), overwrite=False)
    except FileExistsError:
        message = _("{path} exists already; it was left as it is. Name another file.").format(path=path)
        raise WalletError(Exit.FILES, "file_exists", message) from None
    TERMINAL.say(bold(_("Backup written to {path}.").format(path=path)))
    TERMINAL.say(_("It opens with the passphrase only. Keep it away from this machine."))
    TERMINAL.give({"file": str(path), "account": settings.account, "key": settings.key})


def restore(home: Home, given: str) -> None:
    """Make the wallet of a backup in a folder that has none. Raises `WalletError`."""
    path = Path(given).expanduser()
    sealed = files.read(path)
    if sealed is None:
        raise WalletError(Exit.USAGE, "file_missing", _("{path} does not exist.").format(path=path))
    home.make()
    with files.locked(home.path):
        if home.settings() is not None:
            message = _("{path} holds a wallet already. Set WALLET_HOME to another folder.").format(path=home.path)
            raise WalletError(Exit.FILES, "already_joined", message)
        content, chosen = passphrase.unseal(sealed, path, _("Passphrase of the backup: "))
        seed, settings, orders = _parse(content, path)
        for kept in orders:
            outbox.keep(home, kept)
        files.set_aside(home.key_file)
        files.write(home.key_file, keyfile.seal(seed, chosen), overwrite=False)
        # The settings last: they are what makes the folder a wallet.
        home.save(settings)
    TERMINAL.say(bold(_("The wallet of {name} is back.").format(name=clean(settings.name))))
    TERMINAL.say(_("Account: {account}").format(account=settings.account))
    TERMINAL.give(summary(settings))


def _parse(content: bytes, path: Path) -> tuple[bytes, Settings, list[outbox.Kept]]:
    try:
        data: Any = json.loads(content)
        if data["what"] != WHAT or data["v"] != 1:
            raise ValueError("not a backup of this version")
        seed = bytes.fromhex(data["seed"])
        # Restored under the passphrase of the backup, whatever the wallet had.
        settings = Settings.read({**data["settings"], "protected": True})
        if PrivateKey.from_seed(seed).public.hex() != settings.key or not settings.account:
            raise ValueError("another key than the settings name")
        return seed, settings, [outbox.Kept.read(one) for one in data["outbox"]]
    except (ValueError, KeyError, TypeError) as error:
        raise files.damaged(path) from error
