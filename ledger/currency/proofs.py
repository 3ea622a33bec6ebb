"""Signatures over what is no message of its own: joining, sessions, the directory, a mandate, payouts, a head.

Each is Ed25519 over a domain prefix, the network, the signing key where it is not known beforehand, and the content
last, so that nothing can run into anything else.

    join       "patard/join/1" 00 | network 4 | key 32 | code (ASCII)
    session    "patard/session/1" 00 | network 4 | key 32 | challenge 32
    directory  "patard/directory/1" 00 | network 4 | content
    mandate    "patard/mandate/1" 00 | network 4 | key 32 | text (UTF-8)
    payouts    "patard/payouts/1" 00 | network 4 | batch id 16 | SHA-256 of the file 32 | total 8 | count 4
    act        "patard/act/1" 00 | network 4 | key 32 | last second 4 | SHA-256 of salt and text 32
    entry      "patard/entry/1" 00 | network 4 | canonical content of an entry of the log
    vouching   "patard/machine/1" 00 | network 4 | key of the machine 32
    head       "patard/head/1" 00 | network 4 | size 8 | at 8 | root 32

Numbers are big-endian, the total is cents of euros, the time of a head that of its last entry in microseconds. What
is signed of a file of payouts ends with its size in money and in transfers, so that a device can show both from what
it signs.
"""

from __future__ import annotations

from hashlib import sha256

from ledger.currency.keys import KEY_BYTES, PrivateKey
from ledger.currency.told import tell
from ledger.currency.wire import NETWORK_BYTES, MessageError, check_bytes, check_int, check_key, check_signature

JOIN_DOMAIN = b"patard/join/1\0"
SESSION_DOMAIN = b"patard/session/1\0"
DIRECTORY_DOMAIN = b"patard/directory/1\0"
MANDATE_DOMAIN = b"patard/mandate/1\0"
PAYOUTS_DOMAIN = b"patard/payouts/1\0"
ACT_DOMAIN = b"patard/act/1\0"
ENTRY_DOMAIN = b"patard/entry/1\0"
MACHINE_DOMAIN = b"patard/machine/1\0"
HEAD_DOMAIN = b"patard/head/1\0"

CHALLENGE_BYTES = 32
MAX_CODE_CHARS = 64
SALT_BYTES = 16


def join_message(network: bytes, key: bytes, code: str) -> bytes:
    """What a new device signs: it holds ``key``'s private half, and it was given ``code`` by the association."""
    if not 1 <= len(code) <= MAX_CODE_CHARS or not code.isascii():
        raise MessageError("message_malformed", tell("a code is 1 to {most} ASCII characters", most=MAX_CODE_CHARS))
    return JOIN_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES) + code.encode()


def session_message(network: bytes, key: bytes, challenge: bytes) -> bytes:
    """What a device signs to read: the 32 random bytes that the server sent for this one session."""
    start = SESSION_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES)
    return start + _sized("challenge", challenge, CHALLENGE_BYTES)


def directory_message(network: bytes, content: bytes) -> bytes:
    """What the currency signs for its list of shops and their keys, as the exact bytes that are served."""
    return DIRECTORY_DOMAIN + _sized("network", network, NETWORK_BYTES) + content


def payouts_message(network: bytes, batch: bytes, sha256: bytes, total: int, count: int) -> bytes:
    """What a treasurer signs before a file of ``count`` transfers of ``total`` cents goes to the bank."""
    check_int("total", total, 1, 2**53 - 1)
    check_int("count", count, 1, 2**32 - 1)
    named = _sized("network", network, NETWORK_BYTES) + _sized("batch", batch, 16) + _sized("sha256", sha256, 32)
    return PAYOUTS_DOMAIN + named + total.to_bytes(8) + count.to_bytes(4)


def act_text(method: str, path: str, body: str) -> str:
    """The request that a device signs; ``path`` with its query. Of a file the body is ``sha256:`` and its hash."""
    return f"{method} {path}\n{body}"


def act_hash(salt: bytes, text: str) -> bytes:
    """What stands for the text of a request in what is signed: SHA-256 over the 16 bytes of salt and the text."""
    return sha256(_sized("salt", salt, SALT_BYTES) + text.encode()).digest()


def act_message(network: bytes, key: bytes, until: int, hashed: bytes) -> bytes:
    """What a device signs to have something done, until the second ``until``."""
    check_int("until", until, 1, 2**32 - 1)
    start = ACT_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES)
    return start + until.to_bytes(4) + _sized("hash", hashed, 32)


def entry_message(network: bytes, content: bytes) -> bytes:
    """What the machine signs: an entry as it goes into the log, but for its place, its time and its salt."""
    return ENTRY_DOMAIN + _sized("network", network, NETWORK_BYTES) + content


def machine_message(network: bytes, machine: bytes) -> bytes:
    """What the currency signs to take a machine's key in."""
    return MACHINE_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", machine, KEY_BYTES)


def head_message(network: bytes, size: int, at: int, root: bytes) -> bytes:
    """What the currency signs of its log: so many entries, the last taken at ``at``, under this Merkle root."""
    check_int("size", size, 1, 2**63 - 1)
    check_int("at", at, 1, 2**63 - 1)
    start = HEAD_DOMAIN + _sized("network", network, NETWORK_BYTES)
    return start + size.to_bytes(8) + at.to_bytes(8) + _sized("root", root, 32)


def mandate_message(network: bytes, key: bytes, text: str) -> bytes:
    """What a member signs to have an account debited: the mandate as it was shown."""
    start = MANDATE_DOMAIN + _sized("network", network, NETWORK_BYTES) + _sized("key", key, KEY_BYTES)
    return start + text.encode()


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


def sign_payouts(key: PrivateKey, network: bytes, batch: bytes, sha256: bytes, total: int, count: int) -> bytes:
    """A treasurer's 64-byte signature of a file of payouts."""
    return key.sign(payouts_message(network, batch, sha256, total, count))


def verify_payouts(
    network: bytes, key: bytes, batch: bytes, sha256: bytes, total: int, count: int, signature: bytes
) -> None:
    """Raise ``MessageError`` unless ``key`` signed exactly this file. Whose key it is, is for the caller."""
    check_signature(key, signature, payouts_message(network, batch, sha256, total, count))


def sign_act(key: PrivateKey, network: bytes, until: int, salt: bytes, text: str) -> bytes:
    """A device's 64-byte signature of a request."""
    return key.sign(act_message(network, key.public, until, act_hash(salt, text)))


def verify_act(network: bytes, key: bytes, until: int, hashed: bytes, signature: bytes) -> None:
    """Raise ``MessageError`` unless ``key`` signed exactly this request. Whose key it is, is for the caller."""
    check_signature(key, signature, act_message(network, key, until, hashed))


def sign_entry(machine: PrivateKey, network: bytes, content: bytes) -> bytes:
    """The machine's 64-byte signature of an entry."""
    return machine.sign(entry_message(network, content))


def sign_head(key: PrivateKey, network: bytes, size: int, at: int, root: bytes) -> bytes:
    """The currency's 64-byte signature of the end of its log; the same each time for the same end."""
    return key.sign(head_message(network, size, at, root))


def verify_head(network: bytes, currency_key: bytes, size: int, at: int, root: bytes, signature: bytes) -> None:
    """Raise ``MessageError`` unless the currency signed that its log of this size has this root."""
    check_signature(currency_key, signature, head_message(network, size, at, root))


def sign_mandate(key: PrivateKey, network: bytes, text: str) -> bytes:
    """A member's 64-byte signature of a mandate."""
    return key.sign(mandate_message(network, key.public, text))


def verify_mandate(network: bytes, key: bytes, text: str, signature: bytes) -> None:
    """Raise ``MessageError`` unless ``key`` signed exactly this mandate. Whose it is, is for the caller to look up."""
    check_signature(key, signature, mandate_message(network, key, text))


def _sized(name: str, value: bytes, size: int) -> bytes:
    check_bytes(name, value, size)
    return value
