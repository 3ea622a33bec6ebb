"""Hashes in the log of what stands in tables, so that it can be erased and yet not be changed unseen.

A hash alone would tell a name or an IBAN to whoever guesses it; with 16 random bytes before it, which stand in the
table `salt` and are erased with the text, it tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert

from ledger.core.ids import derived_id
from ledger.core.model import Opening
from ledger.core.record import Record
from ledger.currency.keys import PrivateKey
from ledger.currency.tables import SALT

SALT_BYTES = 16
NAME = "patard/party-name/1"
DETAILS = "patard/bank-details/1"
LINES = "patard/bank-lines/1"
ORDERS = "patard/payout-orders/1"
RESERVE = "patard/reserve-iban/1"
LINE_COLUMNS = ("value_on", "kind", "bank_ref", "name", "iban", "text", "end_to_end", "mandate", "reason", "parts")
"""What a bank's line says beside its reference, as its table has it."""


def salted(domain: str, salt: bytes, texts: Iterable[str]) -> str:
    """The hash (hex) of some texts; `domain` says of what."""
    hashed = sha256(domain.encode() + b"\0" + salt)
    for text in texts:
        raw = text.encode()
        hashed.update(len(raw).to_bytes(4) + raw)  # with its length, so that none runs into the next
    return hashed.hexdigest()


def party_evidence(kind: str, name: str, salt: bytes) -> dict[str, str | int]:
    """What the opening of a party's account says: its kind, and its name as a hash."""
    return {"party": kind, "name": salted(NAME, salt, [name])}


def party_kind(record: Record | None) -> str | None:
    """The kind of party for which a log entry opened an account."""
    found = record.instruction.evidence.get("party") if record and isinstance(record.instruction, Opening) else None
    return None if found is None else str(found)


def line_texts(reference: str, row: Mapping[str, Any]) -> list[str]:
    """All that a bank line says, from its row, in the order in which it is hashed."""
    return [reference, *(row[name] or "" for name in LINE_COLUMNS)]


def reserve_iban(key: PrivateKey, iban: str | None) -> str:
    """The hash of the IBAN of an account of the reserve; "" where it has none. `key` is the currency's.

    It is the same in every entry, so that entries can be compared, and whoever has the public key alone can. Its salt
    follows from that key: these IBANs are the association's, which tells them to whoever tops up, and never erased; and
    a salt that was lost would let one pass for another.
    """
    if iban is None:
        return ""
    return salted(RESERVE, sha256(b"patard/reserve-iban-salt/1\0" + key.public).digest()[:SALT_BYTES], [iban])


def details_id(party: bytes) -> bytes:
    """By which the salt of a party's bank details is kept: there is one, whichever entry holds the hash."""
    return derived_id("patard/bank-details", party)


def keep(connection: Connection, id_: bytes, salt: bytes) -> None:
    """Keep a salt, in place of the one that was kept under the same id."""
    drop(connection, id_)
    connection.execute(insert(SALT).values(id=id_, salt=salt))


def drop(connection: Connection, id_: bytes) -> None:
    """Erase a salt: what its hash was of, nobody can tell any more."""
    connection.execute(delete(SALT).where(SALT.c.id == id_))
