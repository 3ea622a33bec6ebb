"""Who judges what: one function for each kind of entry, from the story so far and a record to what is wrong with it.

A kind of transaction that is not here may book euros of the association and touch nothing else (`kinds.other`); a kind
of note that is not here says nothing that the audit knows of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core.model import Note, Transaction
from ledger.core.record import Record
from ledger.currency import chartered
from ledger.currency.accounts import periods
from ledger.currency.audit import kinds, payouts, story, years
from ledger.currency.audit.story import Problem, Story
from ledger.currency.bank.payouts import index as payout_kinds
from ledger.currency.conversion import CORRECTED
from ledger.currency.imported import IMPORT, OPENING

KINDS: dict[str, Callable[[Story, Record, Transaction], Iterator[Problem]]] = {
    "conversion": kinds.conversion,
    CORRECTED: kinds.corrected,
    "reconversion": payouts.accepted,
    "reconversion_refused": kinds.refused,
    IMPORT: kinds.imported,
    OPENING: kinds.reserve_opening,
    payout_kinds.PAID: payouts.paid,
    payout_kinds.RETURNED: payouts.returned,
    payout_kinds.REJECTED: payouts.rejected,
}
"""Transactions of the association. Orders of members (`kinds.PURPOSES`) are judged by `kinds.order`."""

NOTES: dict[str, Callable[[Story, Record, Note], Iterator[Problem]]] = {
    chartered.KIND: story.charter,
    "key_added": story.key,
    "key_revoked": story.key,
    periods.KIND: years.closed,
    payout_kinds.ORDERED: payouts.ordered,
    payout_kinds.SIGNED: payouts.signed,
    payout_kinds.FETCHED: payouts.fetched,
    payout_kinds.WITHDRAWN: payouts.withdrawn,
}
