"""Who judges what: one function for each kind of entry, from the story so far and a record to what is wrong with it.

A kind that is not here is a finding: nobody knows what it should look like (`kinds.other`, `unknown`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.core.clock import CONFIRMED, KEPT
from ledger.core.model import Note, Transaction
from ledger.core.record import Record
from ledger.currency import chartered, persons
from ledger.currency.accounts import periods
from ledger.currency.audit import bank, debits, holders, kinds, mandates, payouts, placings, vouching, years
from ledger.currency.audit.story import Said, Story
from ledger.currency.bank import details, standing
from ledger.currency.bank.indexing import BACK, PAIRED, RETURN, SUSPENSE, WITHDRAWN
from ledger.currency.bank.mandates import daily, notices, rejecting
from ledger.currency.bank.mandates import files as debit_files
from ledger.currency.bank.mandates import index as debit_kinds
from ledger.currency.bank.mandates import model as mandate_kinds
from ledger.currency.bank.payouts import index as payout_kinds
from ledger.currency.bank.placing import PLACED
from ledger.currency.bank.taking import KIND as STATEMENT
from ledger.currency.bank.topups import KNOWN, TRANSIT
from ledger.currency.conversion import CORRECTED
from ledger.currency.imported import ANNOUNCED, IMPORT, OPENING

_Judge = Callable[[Story, Record, Transaction], Iterator[Said]]


def _or_placed(judge: _Judge) -> _Judge:
    """A kind of entry that a person's decision about a bank line may be as well."""

    def either(story: Story, record: Record, transaction: Transaction) -> Iterator[Said]:
        return (placings.placed if "line" in transaction.evidence else judge)(story, record, transaction)

    return either


KINDS: dict[str, _Judge] = {
    "conversion": _or_placed(bank.conversion),
    CORRECTED: kinds.corrected,
    "reconversion": payouts.accepted,
    "reconversion_refused": kinds.refused,
    IMPORT: kinds.imported,
    OPENING: _or_placed(kinds.reserve_opening),
    SUSPENSE: bank.suspense,
    TRANSIT: bank.transit,
    RETURN: _or_placed(bank.returned),
    WITHDRAWN: bank.withdrawn,
    PLACED: placings.placed,
    BACK: placings.back,
    payout_kinds.PAID: _or_placed(payouts.paid),
    payout_kinds.RETURNED: _or_placed(payouts.returned),
    payout_kinds.REJECTED: payouts.rejected,
    debit_kinds.BROUGHT: _or_placed(debits.brought),
    debit_kinds.UNPAID: _or_placed(debits.brought),
    debit_kinds.RELEASED: debits.released,
}
"""Transactions of the association. Orders of members (`kinds.PURPOSES`) are judged by `kinds.order`."""

NOTES: dict[str, Callable[[Story, Record, Note], Iterator[Said]]] = {
    chartered.KIND: vouching.charter,
    CONFIRMED: vouching.clock,
    KEPT: vouching.clock,
    "key_added": vouching.key,
    "key_revoked": vouching.key,
    persons.CONFIRMED: holders.confirmed,
    persons.SECONDED: holders.confirmed,
    details.KIND: kinds.bank_details,
    ANNOUNCED: vouching.announced,
    periods.KIND: years.closed,
    STATEMENT: bank.statement,
    standing.KIND: bank.withdrawn_whole,
    KNOWN: bank.known,
    WITHDRAWN: bank.withdrawn,
    PAIRED: placings.placed,
    BACK: placings.back,
    payout_kinds.ORDERED: payouts.ordered,
    payout_kinds.SIGNED: payouts.signed,
    payout_kinds.FETCHED: payouts.fetched,
    payout_kinds.WITHDRAWN: payouts.withdrawn,
    payout_kinds.REJECTING: payouts.rejecting,
    mandate_kinds.SIGNED: mandates.signed,
    mandate_kinds.CHANGED: mandates.changed,
    mandate_kinds.ENDED: mandates.ended,
    mandate_kinds.SUSPENDED: mandates.suspended,
    mandate_kinds.RESUMED: mandates.resumed,
    notices.KIND: mandates.told,
    debit_files.ORDERED: debits.ordered,
    debit_files.FETCHED: debits.fetched,
    debit_files.WITHDRAWN: debits.withdrawn,
    rejecting.KIND: debits.rejected,
    daily.ASKED: debits.asked,
}


def unknown(story: Story, record: Record, note: Note) -> Iterator[Said]:
    """A kind of note that the currency does not have."""
    yield "kind_unknown", f"a kind of note that the currency does not have: {note.kind!r}"


bank.WITHDRAWALS.update({kind: debits.undone for kind in (debit_kinds.BROUGHT, debit_kinds.UNPAID)})
