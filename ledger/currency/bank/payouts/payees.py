"""Whether the name of a payout is that of its account's holder: what the bank tells of it (verification of payee).

Since October 2025 banks hold the name of each transfer against the account before it leaves. The association could
decline that for files of several transfers (a file with one is always checked), by a word to its bank and not in the
file: Patard declines nothing, and shows the bank's answer beside each payout. It moves nothing: whoever releases the
file at the bank decides. It stands in a table alone, since it holds names; what it tells is believed for nothing here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select

from ledger.currency import acts
from ledger.currency.bank.payouts.tables import PAYOUT_PAYEE
from ledger.currency.town import Town

_PAYEE = PAYOUT_PAYEE.c


class Outcome(StrEnum):
    """What the bank found: the same name, nearly the same, another, or that it could not tell."""

    MATCH = "match"
    CLOSE = "close_match"
    OTHER = "no_match"
    UNKNOWN = "not_possible"


CODES: Final = {"RCVC": Outcome.MATCH, "RVMC": Outcome.CLOSE, "RVNM": Outcome.OTHER, "RVNA": Outcome.UNKNOWN}
"""How answers say it (`TxSts`)."""


class Payee(NamedTuple):
    """An outcome, and the holder's name as the bank has it: it tells that where it is nearly ours, and else none."""

    outcome: Outcome
    name: str = ""


def keep(town: Town, batch: bytes, found: Mapping[bytes, Payee], by: str) -> None:
    """Keep what the bank told of payouts (by their reconversions) of that file, in place of what it told before.

    Raises `CurrencyError`, key_unknown and act_expired, as a commit does.
    """
    at = town.now()
    rows = [
        {"batch": batch, "reconversion": one, "outcome": str(payee.outcome), "name": payee.name, "told_at": at,
         "told_by": by}
        for one, payee in found.items()
    ]  # fmt: skip
    if rows:
        with town.book.store.writing() as store:
            if town.act is not None:
                acts.require_live(store.connection, town.act, at)
            gone = delete(PAYOUT_PAYEE).where(_PAYEE.batch == batch, _PAYEE.reconversion.in_(sorted(found)))
            store.connection.execute(gone)
            store.connection.execute(insert(PAYOUT_PAYEE), rows)


def told(connection: Connection, batches: Collection[bytes]) -> dict[tuple[bytes, bytes], Payee]:
    """What the bank told of the payouts of these files, by file and reconversion."""
    query = select(_PAYEE.batch, _PAYEE.reconversion, _PAYEE.outcome, _PAYEE.name)
    rows = connection.execute(query.where(_PAYEE.batch.in_(sorted(batches))))
    return {(row.batch, row.reconversion): Payee(Outcome(row.outcome), row.name) for row in rows}
