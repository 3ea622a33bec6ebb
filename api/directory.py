"""The signed directory: put together in one pass, and kept for as long as the log has not grown.

Who takes part, under which name and with which keys changes with an entry of the log only, in the same commit. So
an answer that was signed at one end of the log is right until the log has another.
"""

from __future__ import annotations

import threading

import orjson

from api.schemas.fields import rfc3339
from api.schemas.town import DirectoryOut
from ledger.core.ids import account_text
from ledger.currency import named, parties, proofs
from ledger.currency.parties import Party
from ledger.currency.town import Town

KINDS = frozenset({"shop", "association", "public_body"})
"""Persons are in no list; who was given an account number may ask for that one."""
MAX_SECONDS = 60
"""For so long at most, that the time in it stays near to the present."""


class Directory:
    """The directory of one town."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._lock = threading.Lock()
        self._seq = -1
        self._at = 0
        self._kept = b""

    def listed(self) -> bytes:
        """The whole directory, signed, as the JSON of a `DirectoryOut`."""
        now = self.town.now()
        # Under the lock: of many who ask at once one makes it.
        with self._lock:
            # Before the parties are read: what is read later may be newer than it says, never older.
            seq = self.town.book.head().seq
            if seq != self._seq or not 0 <= now - self._at < MAX_SECONDS * 1_000_000:
                listed = parties.every(self.town, kinds=KINDS, open_only=True)
                signed = self._signed(listed, named.acting_keys(self.town, KINDS))
                self._kept, self._seq, self._at = orjson.dumps(signed.model_dump()), seq, now
            return self._kept

    def one(self, party: Party) -> DirectoryOut:
        """A directory of one party."""
        keys = [k.key for k in parties.devices(self.town, party) if k.revoked_at is None]
        return self._signed([party], {party.account: keys})

    def _signed(self, listed: list[Party], keys: dict[int, list[bytes]]) -> DirectoryOut:
        shown = [
            {
                "account": account_text(party.account),
                "keys": sorted(key.hex() for key in keys.get(party.account, ())),
                "kind": party.kind,
                "name": party.name,
            }
            for party in listed
        ]
        content = orjson.dumps(
            {"at": rfc3339(self.town.now()), "network": self.town.charter.network.hex(), "parties": shown},
            option=orjson.OPT_SORT_KEYS,
        )
        signature = proofs.sign_directory(self.town.key, self.town.charter.network, content)
        return DirectoryOut(content=content.decode(), signature=signature.hex())
