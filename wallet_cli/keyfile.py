"""The sealed file: a secret under a passphrase. It holds the device key, and a backup has the same form.

    {"v": 1, "kdf": "argon2id", "t": 3, "m": 65536, "p": 4, "salt": HEX, "nonce": HEX, "ct": HEX}

Argon2id (RFC 9106, its second recommended choice: 3 passes over 64 MiB in 4 lanes, about a fifth of a second) turns
passphrase and salt into a key; ChaCha20-Poly1305 seals the secret with everything before `ct` as associated data, so
that no field can be changed without it showing. `m` is in KiB.
"""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Mapping
from typing import Any

VERSION = 1
PASSES, MEMORY_KIB, LANES = 3, 65_536, 4
MAX_PASSES, MAX_MEMORY_KIB, MAX_LANES = 32, 2_097_152, 16
"""What a file may ask for: a planted one must not fill the memory."""
SALT_BYTES, NONCE_BYTES = 16, 12

_NUMBERS = {"v": (VERSION, VERSION), "t": (1, MAX_PASSES), "m": (8, MAX_MEMORY_KIB), "p": (1, MAX_LANES)}
_MAX_SECRET = 500_000


class SealedFileError(ValueError):
    """The file is not a sealed file of this version."""


class PassphraseWrong(Exception):
    """The passphrase does not open the file; or the file was changed, which looks the same."""


def seal(secret: bytes, passphrase: str) -> bytes:
    """The file that keeps `secret`; different each time. About 0.2 s."""
    header: dict[str, Any] = {
        "v": VERSION,
        "kdf": "argon2id",
        "t": PASSES,
        "m": MEMORY_KIB,
        "p": LANES,
        "salt": os.urandom(SALT_BYTES).hex(),
        "nonce": os.urandom(NONCE_BYTES).hex(),
    }
    sealed = _cipher(header, passphrase).encrypt(bytes.fromhex(header["nonce"]), secret, _associated(header))
    return json.dumps({**header, "ct": sealed.hex()}).encode() + b"\n"


def unseal(file: bytes, passphrase: str) -> bytes:
    """The secret. Raises `PassphraseWrong` or `SealedFileError`."""
    from cryptography.exceptions import InvalidTag

    header, sealed = _parse(file)
    cipher = _cipher(header, passphrase)
    try:
        secret: bytes = cipher.decrypt(bytes.fromhex(header["nonce"]), sealed, _associated(header))
    except InvalidTag:
        raise PassphraseWrong("wrong passphrase, or the file was changed") from None
    return secret


def check_form(file: bytes) -> None:
    """Raise `SealedFileError` unless this looks like a sealed file; no passphrase is needed."""
    _parse(file)


def _parse(file: bytes) -> tuple[dict[str, Any], bytes]:
    if len(file) > 2 * _MAX_SECRET + 1_000:
        raise SealedFileError("too large")
    try:
        data = json.loads(file, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise SealedFileError("not JSON") from error
    if not isinstance(data, dict) or data.keys() != {*_NUMBERS, "kdf", "salt", "nonce", "ct"}:
        raise SealedFileError("not the fields of a sealed file")
    for name, (low, high) in _NUMBERS.items():
        if type(data[name]) is not int or not low <= data[name] <= high:
            raise SealedFileError(f"{name} is not one that this version takes")
    if data["kdf"] != "argon2id" or data["m"] < 8 * data["p"]:
        raise SealedFileError("kdf is not one that this version takes")
    salt, nonce, sealed = (_hex(data[name]) for name in ("salt", "nonce", "ct"))
    if len(salt) != SALT_BYTES or len(nonce) != NONCE_BYTES or len(sealed) < 16:
        raise SealedFileError("a field has the wrong length")
    return {name: value for name, value in data.items() if name != "ct"}, sealed


def _cipher(header: Mapping[str, Any], passphrase: str) -> Any:
    # Imported here: `wallet --help` needs none of it.
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

    # One form of "é": keyboards and systems differ in how they write it.
    typed = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogateescape")
    salt = bytes.fromhex(header["salt"])
    derive = Argon2id(salt=salt, length=32, iterations=header["t"], lanes=header["p"], memory_cost=header["m"])
    return ChaCha20Poly1305(derive.derive(typed))


def _associated(header: Mapping[str, Any]) -> bytes:
    # Of the values as they were read, in one order and form, so that the file may be laid out anew.
    return b"patard/sealed/1\0" + json.dumps(dict(header), sort_keys=True, separators=(",", ":")).encode()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({name for name, _value in pairs}) != len(pairs):
        raise SealedFileError("a field stands twice")
    return dict(pairs)


def _hex(value: object) -> bytes:
    if not isinstance(value, str) or value != value.lower():
        raise SealedFileError("a field is not lower-case hex")
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise SealedFileError("a field is not hex") from None
