"""Signatures over what is not a message of its own: joining, opening a session, the directory.

Each is Ed25519 over a domain prefix, the network, the signing key where it is not known beforehand, and the content
last, so that nothing can run into anything else.

    join       "patard/join/1" 00 | network 4 | key 32 | code (ASCII)
    session    "patard/session/1" 00 | network 4 | key 32 | challenge 32
    directory  "patard/directory/1" 00 | network 4 | content
"""

from __future__ import annotations

from ledger.currency.keys import KEY_BYTES, PrivateKey
from ledger.currency.wire import NETWORK_BYTES, MessageError, check_bytes, check_key, check_signature

JOIN_DOMAIN = b"patard/join/1\0"
SESSION_DOMAIN = b"patard/session/1\0"
DIRECTORY_DOMAIN = b"patard/directory/1\0"

CHALLENGE_BYTES = 32
MAX_CODE_CHARS = 64


def join_message(network: bytes, key: bytes, code: str) -> bytes:
    """What a new device signs: it holds ``key``'s private half, and it was given ``code`` by the association."""
    if not 1 <= len(code) <= MAX_CODE_CHARS or not code.isascii():
        raise MessageError("message_malformed", f"a code is 1 to {MAX_CODE_CHARS} ASCII characters")
    return JOIN_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES) + code.encode()


def session_message(network: bytes, key: bytes, challenge: bytes) -> bytes:
    """What a device signs to read: the 32 random bytes that the server sent for this one session."""
    start = SESSION_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES)
    return start + _sized("challenge", challenge, CHALLENGE_BYTES)


def directory_message(network: bytes, content: bytes) -> bytes:
    """What the currency signs for its list of shops and their keys, as the exact bytes that are served."""
    return DIRECTORY_DOMAIN + _sized("network", network, NETWORK_BYTES) + content


def sign_join(key: PrivateKey, network: bytes, code: str) -> bytes:
    """The 64-byte proof that goes with a join code."""
    return key.sign(join_message(network, key.public, code))


def verify_join(network: bytes, key: bytes, code: str, signature: bytes) -> None:
    """Take in a new device's public ``key``. Raises ``MessageError``, with ``key_weak`` for one that anybody holds."""
    check_key(key)
    check_signature(key, signature, join_message(network, key, code))


def sign_session(key: PrivateKey, network: bytes, challenge: bytes) -> bytes:
    """The 64-byte answer to a challenge."""
    return key.sign(session_message(network, key.public, challenge))


def verify_session(network: bytes, key: bytes, challenge: bytes, signature: bytes) -> None:
    """Raise ``MessageError`` unless ``key`` answered this challenge. That it is registered is for the caller."""
    check_signature(key, signature, session_message(network, key, challenge))


def sign_directory(key: PrivateKey, network: bytes, content: bytes) -> bytes:
    """The currency's 64-byte signature of its directory."""
    return key.sign(directory_message(network, content))


def verify_directory(network: bytes, currency_key: bytes, content: bytes, signature: bytes) -> None:
    """Raise ``MessageError`` unless the currency signed exactly this directory."""
    check_signature(currency_key, signature, directory_message(network, content))


def _sized(name: str, value: bytes, size: int) -> bytes:
    check_bytes(name, value, size)
    return value
