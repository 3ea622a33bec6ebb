"""Names that are given once: two shops of one name could not be told apart by whoever pays them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.ids import account_text
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import HOLDING, PARTY


class Namesake(NamedTuple):
    """A party that has this name already."""

    name: str
    account: int


def namesake(connection: Connection, kind: str, name: str) -> Namesake | None:
    """An open party of this kind and name, in any case."""
    query = select(PARTY.c.name, HOLDING.c.account).join(HOLDING, HOLDING.c.party == PARTY.c.id)
    rows = connection.execute(query.where(PARTY.c.kind == kind, PARTY.c.closed_at.is_(None)))
    return next((Namesake(*row) for row in rows if row.name.casefold() == name.casefold()), None)


def require_new(connection: Connection, kind: str, name: str, *, again: bool) -> None:
    """Raise `CurrencyError`, party_name_taken, where another such party has this name, unless it is one more of it
    (`again`). Persons may share one.
    """
    other = None if again or kind == PartyKind.PERSON else namesake(connection, kind, name)
    if other is not None:
        where = f"account {account_text(other.account)}"
        raise CurrencyError("party_name_taken", f"{other.name} takes part already ({where}): is it another one?")
