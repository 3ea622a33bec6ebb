"""How a command ends: exit codes for scripts, and the one error that carries them."""

from __future__ import annotations

from enum import IntEnum
from typing import Any


class Exit(IntEnum):
    """Exit codes; the epilogue of `wallet --help` explains each."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNREACHABLE = 3
    ALREADY_PAID = 4
    NOT_JOINED = 5
    PASSPHRASE = 6
    DECLINED = 7
    LOCKED = 8
    FILES = 9
    UNTRUSTED = 10
    INTERRUPTED = 130


class WalletError(Exception):
    """A command that ends without its result. `code` is stable, `message` is for people, `fields` go into `--json`."""

    def __init__(self, exit_code: Exit, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.fields = fields
