"""Calls about keys of the office that are said to be somebody's: which nobody confirmed, and confirming one."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from api.client.answers import Fields
from api.client.connection import Connection


class Confirmation(NamedTuple):
    """A key of `party` that is said to be held by `name`; `invited_by` is on whose word."""

    key: bytes
    role: str
    label: str
    added_at: datetime
    party: str
    name: str
    invited_by: str

    @classmethod
    def read(cls, f: Fields) -> Confirmation:
        return cls(
            f.raw("key"), f.text("role"), f.text("label"), f.time("added_at"), f.text("party"), f.text("name"),
            f.text("invited_by"),
        )  # fmt: skip


class ConfirmationCalls(Connection):
    """Calls about keys that wait to be confirmed."""

    def confirmations(self) -> list[Confirmation]:
        """The keys that are said to be one's own (for a treasurer: anybody's), and that nobody confirmed."""
        return self._mine("GET", "/v1/confirmations", lambda f: [Confirmation.read(one) for one in f.objects("keys")])

    def confirm_key(self, key: bytes) -> None:
        """Say that a key is whose it is said to be. Twice changes nothing."""
        self._mine("POST", f"/v1/keys/{key.hex()}/confirmation", lambda f: None)
