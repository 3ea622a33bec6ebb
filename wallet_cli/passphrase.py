"""The passphrase: from WALLET_PASSPHRASE, WALLET_PASSPHRASE_FILE or the terminal; and the key that it opens."""

from __future__ import annotations

import os
from pathlib import Path

from ledger.currency.keys import PrivateKey
from wallet_cli import files, keyfile
from wallet_cli.errors import Exit, WalletError
from wallet_cli.home import Home, Settings
from wallet_cli.terminal import TERMINAL
from wallet_cli.words import _

_TRIES = 3


def given() -> str | None:
    """The passphrase that the environment holds, if it does: the variable itself, else the first line of the file."""
    text = os.environ.get("WALLET_PASSPHRASE")
    if text is not None:
        return text
    name = os.environ.get("WALLET_PASSPHRASE_FILE")
    if not name:
        return None
    path = Path(name).expanduser()
    data = files.read(path)
    if data is None:
        text = _("{path}, which WALLET_PASSPHRASE_FILE names, does not exist.").format(path=path)
        raise WalletError(Exit.PASSPHRASE, "passphrase_missing", text)
    return data.decode("utf-8", "surrogateescape").split("\n")[0].removesuffix("\r")


def choose(question: str) -> str:
    """A new passphrase, typed twice unless the environment holds it. An empty one is refused."""
    found = given()
    while found is None:
        first = TERMINAL.ask_secret(question)
        if not first:
            break
        if TERMINAL.ask_secret(_("The same once more: ")) == first:
            return first
        TERMINAL.note("passphrase_differs", _("The two are not the same; please type it again."))
    if not found:
        message = _("A passphrase is needed; to go without one, at your own risk, add --no-passphrase.")
        raise WalletError(Exit.PASSPHRASE, "passphrase_missing", message)
    return found


def unseal(file: bytes, path: Path, question: str, *, protected: bool = True) -> tuple[bytes, str]:
    """What a sealed file holds, and the passphrase that opened it; asked for up to three times.

    Raises `WalletError`: PASSPHRASE when it stays wrong, FILES when the file is none.
    """
    try:
        keyfile.check_form(file)
    except keyfile.SealedFileError as error:
        raise files.damaged(path) from error
    typed = given() if protected else ""
    tries = 1 if typed is not None else _TRIES
    for left in range(tries - 1, -1, -1):
        passphrase = typed if typed is not None else TERMINAL.ask_secret(question)
        try:
            return keyfile.unseal(file, passphrase), passphrase
        except keyfile.PassphraseWrong:
            if left:
                TERMINAL.note("passphrase_wrong", _("That is not the passphrase; try again."))
    message = _("Wrong passphrase (or the file {path} was changed).").format(path=path)
    raise WalletError(Exit.PASSPHRASE, "passphrase_wrong", message)


def open_key(home: Home, settings: Settings) -> PrivateKey:
    """The device key of a wallet."""
    seed, _passphrase = unseal(home.key_bytes(), home.key_file, _("Passphrase: "), protected=settings.protected)
    try:
        key = PrivateKey.from_seed(seed)
    except ValueError as error:
        raise files.damaged(home.key_file) from error
    if key.public.hex() != settings.key:
        raise files.damaged(home.settings_file)
    return key
