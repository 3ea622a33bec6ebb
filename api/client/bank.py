"""Calls about euros: topping up by transfer."""

from __future__ import annotations

from typing import NamedTuple

from api.client.answers import Fields
from api.client.connection import Connection


class Topup(NamedTuple):
    """How euros come in: to whom, what to write, and the code (EPC069-12) that a banking app reads.

    `amount_cents` is None where the member chooses it in the banking app.
    """

    holder: str
    iban: str
    bic: str | None
    reference: str
    text: str
    amount_cents: int | None
    epc: str

    @classmethod
    def read(cls, f: Fields) -> Topup:
        return cls(
            f.text("holder"), f.text("iban"), f.maybe(f.text, "bic"), f.text("reference"), f.text("text"),
            f.maybe(f.integer, "amount_cents"), f.text("epc"),
        )  # fmt: skip


class BankCalls(Connection):
    """A member's calls about euros."""

    def topup(self, amount_cents: int | None = None) -> Topup:
        """Where to send euros, and the reference that brings the units to one's own account."""
        params = {} if amount_cents is None else {"amount_cents": str(amount_cents)}
        return self._mine("GET", "/v1/topup", Topup.read, params=params)
