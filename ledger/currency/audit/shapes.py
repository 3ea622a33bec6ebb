"""What an entry of each kind may say: a key of evidence that is not here says something that nobody looks at."""

from __future__ import annotations

from collections.abc import Iterator

from ledger.core.clock import CONFIRMED, KEPT
from ledger.core.model import Closing, Instruction, Note, Opening, Transaction
from ledger.currency import acts, chartered, persons
from ledger.currency.accounts import periods
from ledger.currency.audit.story import Problem
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


def _keys(text: str, *others: frozenset[str]) -> frozenset[str]:
    return frozenset(text.split()).union(*others)


_ANY = acts.KEYS
"""What any entry may hold: the act that a device signed, or the machine's signature."""
_ORDER = _keys("key order signature")
_LINE = _keys("by reserve reference")
_PLACED = _keys("line as holder claim boxed", _LINE)
_OWED = _keys("holder claim owed")
_PAYOUTS = _keys("payout payouts given_back batch reason beside", _PLACED, _OWED)
_DEBITS = _keys("items unpaid early released")
_MANDATE = _keys("account by mandate reference")
_SIGNED = _keys("amount version signed_on hash", _MANDATE)
_FILE = _keys("by collection month number")

TRANSACTIONS: dict[str, frozenset[str]] = {
    "payment": _ORDER,
    "refund": _ORDER,
    "reconversion_asked": _ORDER,
    "conversion": _PLACED,
    CORRECTED: _keys("by"),
    "reconversion": _keys("asked by"),
    "reconversion_refused": _keys("asked by"),
    IMPORT: _keys("at kind held"),
    OPENING: _PLACED,
    SUSPENSE: _LINE,
    TRANSIT: _LINE,
    RETURN: _keys("returns", _PLACED),
    WITHDRAWN: _keys("returns reopens undoes", _LINE, _OWED, _DEBITS),
    PLACED: _keys("conversion other cash", _PAYOUTS),
    BACK: _keys("undoes reopens", _PLACED, _OWED, _DEBITS),
    payout_kinds.PAID: _PAYOUTS,
    payout_kinds.RETURNED: _PAYOUTS,
    payout_kinds.REJECTED: _keys("payout holder by reason report"),
    debit_kinds.BROUGHT: _keys("returns other", _PLACED, _OWED, _DEBITS),
    debit_kinds.UNPAID: _keys("returns other", _PLACED, _OWED, _DEBITS),
    debit_kinds.RELEASED: _keys("by debit reference"),
}

NOTES: dict[str, frozenset[str]] = {
    chartered.KIND: _keys(
        "code version fee_bp key network reconversion_by reserve second_signature_above risk_days timezone machine by "
        "looked vouched kinds ibans alone_days guarded",
        frozenset(chartered.LIMITS),
    ),
    CONFIRMED: _keys("by number clock form"),
    KEPT: _keys("by number clock form"),
    "key_added": _keys("account key role by person code"),
    "key_revoked": _keys("account key role by person"),
    persons.CONFIRMED: _keys("by key person"),
    persons.SECONDED: _keys("by key person"),
    details.KIND: _keys("account by hash"),
    ANNOUNCED: _keys("by count digest"),
    periods.KIND: _keys("by end entries form plan seq sha256 start"),
    STATEMENT: _keys(
        "by reserve number format bank_number first last opening closing lines gone digest content iban file"
    ),
    standing.KIND: _keys("by reserve statement statements lines"),
    KNOWN: _keys("conversion holder", _LINE),
    WITHDRAWN: _keys("returns", _LINE),
    PAIRED: _keys("other", _PLACED),
    BACK: _keys("undoes", _PLACED),
    payout_kinds.ORDERED: _keys("number reserve message sha256 total count people requested_on payouts by to"),
    payout_kinds.SIGNED: _keys("batch key"),
    payout_kinds.FETCHED: _keys("batch by"),
    payout_kinds.WITHDRAWN: _keys("batch by"),
    payout_kinds.REJECTING: _keys("payout batch by reason report"),
    mandate_kinds.SIGNED: _SIGNED,
    mandate_kinds.CHANGED: _SIGNED,
    mandate_kinds.ENDED: _MANDATE,
    mandate_kinds.SUSPENDED: _keys("debit", _MANDATE),
    mandate_kinds.RESUMED: _MANDATE,
    notices.KIND: _keys("by month run due_on count total digest"),
    debit_files.ORDERED: _keys("number month attempt collect_on risk_days total debits by reserve sha256 digest"),
    debit_files.FETCHED: _FILE,
    debit_files.WITHDRAWN: _FILE,
    rejecting.KIND: _keys("by debit reference"),
    daily.ASKED: _keys("by"),
}

_BY_ITSELF = frozenset({"payment", "refund", "reconversion_asked", "reconversion", "reconversion_refused"})
"""Kinds that count for the day on which they were taken, and for no other."""


def shape(instruction: Instruction) -> Iterator[Problem]:
    """What an entry says that none of its kind says. A kind that is not known is found elsewhere."""
    evidence = instruction.evidence
    if isinstance(instruction, Transaction):
        allowed = TRANSACTIONS.get(instruction.kind)
        if instruction.booked_on is not None and instruction.kind in _BY_ITSELF:
            yield (
                "entry_shape",
                f"it counts for {instruction.booked_on}; a {instruction.kind} counts for its own day",
            )
    elif isinstance(instruction, Note):
        allowed = NOTES.get(instruction.kind)
    elif isinstance(instruction, Opening):
        allowed = _keys("by party name") if "party" in evidence else _keys("issuer")
    else:
        assert isinstance(instruction, Closing)
        allowed = _keys("by")
    if allowed is None or evidence.keys() <= allowed:
        return
    unknown = sorted(evidence.keys() - allowed - _ANY)
    if unknown:
        yield "entry_shape", f"it says {', '.join(map(repr, unknown))}, which no entry of its kind says"
