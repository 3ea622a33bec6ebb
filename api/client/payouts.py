"""Calls about payouts: where one is paid, and for treasurers the files that pay shops."""

from __future__ import annotations

from datetime import date, datetime
from typing import NamedTuple

from api.client.answers import Fields
from api.client.connection import Connection


class BankDetails(NamedTuple):
    """Where a party is paid; None where it has not said so, and for a holder of its own name."""

    iban: str | None
    holder: str | None
    set_at: datetime | None

    @classmethod
    def read(cls, f: Fields) -> BankDetails:
        return cls(f.maybe(f.text, "iban"), f.maybe(f.text, "holder"), f.maybe(f.time, "set_at"))


class BatchSignature(NamedTuple):
    """Who signed a file; `counts` is False once the key was revoked."""

    key: bytes
    name: str
    signed_at: datetime
    counts: bool

    @classmethod
    def read(cls, f: Fields) -> BatchSignature:
        return cls(f.raw("key"), f.text("name"), f.time("signed_at"), f.flag("counts"))


class Batch(NamedTuple):
    """A file of payouts. `state` is ordered, signed, fetched, settled or withdrawn; `people` have to sign it.

    `signed` counts the different people who have.
    """

    id: bytes
    number: int
    message: str
    state: str
    requested_on: date
    total_cents: int
    transfers: int
    people: int
    signed: int
    sha256: bytes
    signatures: tuple[BatchSignature, ...]

    @classmethod
    def read(cls, f: Fields) -> Batch:
        return cls(
            f.raw("id"), f.integer("number"), f.text("message"), f.text("state"), f.day("requested_on"),
            f.integer("total_cents"), f.integer("transfers"), f.integer("people"), f.integer("signed"),
            f.raw("sha256"),
            tuple(BatchSignature.read(one) for one in f.objects("signatures")),
        )  # fmt: skip


class BatchTransfer(NamedTuple):
    """One transfer of a file. `look`: why its IBAN is to be looked at, "" where it need not be."""

    reference: str
    name: str
    iban: str
    look: str
    amount_cents: int
    state: str

    @classmethod
    def read(cls, f: Fields) -> BatchTransfer:
        return cls(
            f.text("reference"), f.text("name"), f.text("iban"), f.text("look"), f.integer("amount_cents"),
            f.text("state"),
        )  # fmt: skip


class PayoutCalls(Connection):
    """Calls about payouts."""

    def bank_details(self) -> BankDetails:
        """Where one's own party is paid."""
        return self._mine("GET", "/v1/bank-details", BankDetails.read)

    def set_bank_details(self, iban: str, holder: str = "") -> BankDetails:
        """Say where one's own party is paid from now on."""
        return self._mine("PUT", "/v1/bank-details", BankDetails.read, body={"iban": iban, "holder": holder})

    def payout_batches(self) -> list[Batch]:
        """The files under way, the latest first."""
        return self._mine("GET", "/v1/payouts/batches", lambda f: [Batch.read(one) for one in f.objects("batches")])

    def payout_batch(self, number: str) -> tuple[Batch, list[BatchTransfer]]:
        """A file and its transfers."""
        return self._mine(
            "GET", f"/v1/payouts/batches/{number}",
            lambda f: (Batch.read(f.object("batch")), [BatchTransfer.read(one) for one in f.objects("transfers")]),
        )  # fmt: skip

    def payout_content(self, number: str) -> bytes:
        """The bytes of a file that waits to be signed (treasurers)."""
        return self._mine("GET", f"/v1/payouts/batches/{number}/content", lambda f: f.text("content").encode())

    def reject_payout(self, reference: str, reason: str) -> bool:
        """Say that the bank will not execute a payout (treasurers). Whether another person has to say so too."""
        path = f"/v1/payouts/{reference}/rejection"
        return self._mine("POST", path, lambda f: f.flag("waits"), body={"reason": reason})

    def sign_payout_batch(self, batch: Batch, signature: bytes) -> Batch:
        """Sign a file (treasurers). The same signature again changes nothing."""
        path = f"/v1/payouts/batches/{batch.number}/signatures"
        return self._mine("POST", path, Batch.read, body={"signature": signature.hex()})
