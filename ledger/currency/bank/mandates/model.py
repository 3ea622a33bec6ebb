"""Mandates as they stand: reading them, what the charter says of them, and the notes that change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, select

from ledger.core.model import Evidence, Note, Posted
from ledger.currency.bank.mandates.tables import MANDATE
from ledger.currency.bank.mandates.text import Terms
from ledger.currency.charter import ReserveAccount
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import HOLDING, PARTY
from ledger.currency.text import alphabetical
from ledger.currency.told import tell
from ledger.currency.town import Town

SIGNED, CHANGED, ENDED = "mandate_signed", "mandate_amount", "mandate_ended"
SUSPENDED, RESUMED = "mandate_suspended", "mandate_resumed"
"""Kinds of the notes that change a mandate."""
_MANDATE = MANDATE.c


class Mandate(NamedTuple):
    """A mandate. `name` is the party's, `holder` the bank account's holder; `amount` is cents a month."""

    id: bytes
    seq: int
    account: int
    reference: str
    iban: str
    holder: str
    signed_on: date
    amount: int
    version: int
    suspended_by: bytes | None
    suspended_why: str
    resumed_after: int
    ended_at: int | None
    name: str

    @property
    def state(self) -> str:
        """ended, suspended (debits come back) or active."""
        if self.ended_at is not None:
            return "ended"
        return "active" if self.suspended_by is None else "suspended"


def terms(town: Town) -> Terms:
    """What the charter says of monthly top-ups. Raises `CurrencyError`: mandate_unavailable."""
    charter, account = town.charter, collected_on(town)
    assert charter.mandates is not None
    of = charter.mandates
    creditor = account.holder or charter.name
    return Terms(
        charter.code, charter.network, creditor, of.creditor_id, of.day, of.notice_days, of.risk_days, of.per_month
    )


def collected_on(town: Town) -> ReserveAccount:
    """The account of the reserve on which debits arrive. Raises `CurrencyError`: mandate_unavailable."""
    account = town.charter.mandate_account
    if town.charter.mandates is None or account is None or account.iban is None:
        raise CurrencyError("mandate_unavailable", tell(
            "there are no monthly top-ups: the charter has no [mandates], or no account with an IBAN to collect on"
        ))  # fmt: skip
    return account


def every(town: Town, *where: ColumnElement[bool], live_only: bool = False) -> list[Mandate]:
    """The mandates by the names of their parties, the latest of one party first."""
    with town.reading() as connection:
        found = read(connection, *where, *([_MANDATE.ended_at.is_(None)] if live_only else []))
    return sorted(found, key=lambda mandate: alphabetical(mandate.name))


def read(connection: Connection, *where: ColumnElement[bool]) -> list[Mandate]:
    """The mandates that fit, in an order that stays; the latest of one party first."""
    columns = [_MANDATE[name] for name in Mandate._fields if name != "name"]
    query = (
        select(*columns, PARTY.c.name)
        .join(HOLDING, HOLDING.c.account == _MANDATE.account)
        .join(PARTY, PARTY.c.id == HOLDING.c.party)
        .where(*where)
        .order_by(PARTY.c.name, PARTY.c.id, _MANDATE.seq.desc())
    )
    return [
        Mandate(**{**row._asdict(), "signed_on": date.fromisoformat(row.signed_on)})
        for row in connection.execute(query)
    ]


def find(town: Town, id_: bytes) -> Mandate:
    """The mandate with that id. Raises `CurrencyError`: not_found."""
    found = every(town, _MANDATE.id == id_)
    if not found:
        raise CurrencyError("not_found", tell("there is no such mandate, or it is none of yours"))
    return found[0]


def live(town: Town, account: int) -> Mandate | None:
    """The mandate of a party that was not ended; None where there is none."""
    found = every(town, _MANDATE.account == account, live_only=True)
    return found[0] if found else None


def naming(id_: bytes, reference: str, account: int, by: str) -> Evidence:
    """What every note of a mandate says."""
    return {"account": f"{account:016x}", "by": by, "mandate": id_.hex(), "reference": reference}


def ended() -> CurrencyError:
    return CurrencyError("mandate_ended", tell("the mandate was ended; a new one can be signed"))


def noted(town: Town, note: Note, also: Callable[[Connection, Posted], None]) -> None:
    """Post a note that says the same whoever brought it first."""
    try:
        town.post(note, also)
    except CurrencyError as error:
        if error.code != "id_taken":
            raise
