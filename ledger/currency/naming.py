"""Names that are given once: two parties of one name could not be told apart by whoever pays them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, select

from ledger.core.ids import account_text
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import HOLDING, PARTY
from ledger.currency.text import folded
from ledger.currency.told import tell


class Namesake(NamedTuple):
    """A party that has this name already."""

    name: str
    account: int


def namesake(connection: Connection, kind: str, name: str) -> Namesake | None:
    """An open party of this kind and name, as `folded` compares them."""
    query = select(PARTY.c.name, HOLDING.c.account).join(HOLDING, HOLDING.c.party == PARTY.c.id)
    rows = connection.execute(query.where(PARTY.c.kind == kind, PARTY.c.closed_at.is_(None)))
    wanted = folded(name)
    return next((Namesake(*row) for row in rows if folded(row.name) == wanted), None)


def require_new(connection: Connection, kind: str, name: str, *, again: bool | None) -> None:
    """Raise `CurrencyError`, party_name_taken, where another such party has this name, unless somebody said that it is
    one more of it (`again`). Of persons, who may share one, whoever admits them is asked too; None: nobody could be.
    """
    free = again or (again is None and kind == PartyKind.PERSON)
    other = None if free else namesake(connection, kind, name)
    if other is not None:
        where = tell("account {number}", number=account_text(other.account))
        raise CurrencyError("party_name_taken", tell("{name} takes part already ({where}): is it another one?",
                                                     name=other.name, where=where))  # fmt: skip
