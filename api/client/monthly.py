"""Calls about a member's own monthly top-up."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

from api.client.answers import Fields
from api.client.connection import Connection


class MonthlyTerms(NamedTuple):
    """Who collects, and what the charter says of it. `per_month_cents` is None where there is no limit."""

    creditor: str
    creditor_id: str
    day: int
    notice_days: int
    risk_days: int
    per_month_cents: int | None

    @classmethod
    def read(cls, f: Fields) -> MonthlyTerms:
        return cls(
            f.text("creditor"), f.text("creditor_id"), f.integer("day"), f.integer("notice_days"),
            f.integer("risk_days"), f.maybe(f.integer, "per_month_cents"),
        )  # fmt: skip


class Mandate(NamedTuple):
    """A mandate; `version` counts its amounts. `state` is active, suspended or ended."""

    id: bytes
    rum: str
    iban: str
    holder: str
    amount_cents: int
    version: int
    signed_on: date
    state: str
    reason: str | None

    @classmethod
    def read(cls, f: Fields) -> Mandate:
        return cls(
            f.raw("id"), f.text("rum"), f.text("iban"), f.text("holder"), f.integer("amount_cents"),
            f.integer("version"), f.day("signed_on"), f.text("state"), f.maybe(f.text, "reason"),
        )  # fmt: skip


class NextDebit(NamedTuple):
    """The next debit; `told` says whether it is announced."""

    month: str
    due_on: date
    amount_cents: int
    told: bool

    @classmethod
    def read(cls, f: Fields) -> NextDebit:
        return cls(f.text("month"), f.day("due_on"), f.integer("amount_cents"), f.flag("told"))


class PastDebit(NamedTuple):
    """A debit. `state` is ordered, maturing, released or unpaid; `arrives_on` the day of its units, once known."""

    month: str
    amount_cents: int
    state: str
    arrives_on: date | None
    reason: str | None
    claim_cents: int

    @classmethod
    def read(cls, f: Fields) -> PastDebit:
        return cls(
            f.text("month"), f.integer("amount_cents"), f.text("state"), f.maybe(f.day, "arrives_on"),
            f.maybe(f.text, "reason"), f.integer("claim_cents"),
        )  # fmt: skip


class Monthly(NamedTuple):
    """A member's monthly top-up. `past` begins with the latest debit."""

    terms: MonthlyTerms
    mandate: Mandate | None
    next: NextDebit | None
    past: list[PastDebit]

    @classmethod
    def read(cls, f: Fields) -> Monthly:
        return cls(
            MonthlyTerms.read(f.object("terms")),
            f.maybe(lambda name: Mandate.read(f.object(name)), "mandate"),
            f.maybe(lambda name: NextDebit.read(f.object(name)), "next"),
            [PastDebit.read(one) for one in f.objects("past")],
        )


class MonthlyCalls(Connection):
    """A member's calls about the monthly top-up."""

    def monthly(self) -> Monthly:
        """The terms, one's own mandate, what is debited next and what is on its way."""
        return self._mine("GET", "/v1/monthly", Monthly.read)

    def sign_mandate(
        self, id: bytes, iban: str, holder: str, amount_cents: int, signed_on: date, lang: str, signature: bytes
    ) -> Mandate:
        """Sign a mandate. A repeat is recognised."""
        body = {"id": id.hex(), "iban": iban, "holder": holder, **_signed(amount_cents, signed_on, lang, signature)}
        return self._mine("POST", "/v1/mandates", Mandate.read, body=body)

    def change_mandate(
        self, id: bytes, version: int, amount_cents: int, signed_on: date, lang: str, signature: bytes
    ) -> Mandate:
        """Sign another amount a month, as the mandate's number `version`. A repeat is recognised."""
        body = {"version": version, **_signed(amount_cents, signed_on, lang, signature)}
        return self._mine("POST", f"/v1/mandates/{id.hex()}/amounts", Mandate.read, body=body)

    def end_mandate(self, id: bytes) -> Mandate:
        """End a mandate; one that was ended stays so."""
        return self._mine("DELETE", f"/v1/mandates/{id.hex()}", Mandate.read)


def _signed(amount_cents: int, signed_on: date, lang: str, signature: bytes) -> dict[str, Any]:
    return {
        "amount_cents": amount_cents,
        "signed_on": signed_on.isoformat(),
        "lang": lang,
        "signature": signature.hex(),
    }
