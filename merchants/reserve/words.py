"""The words of the reserve report, marked here and translated where they are shown."""

from __future__ import annotations

import re
from typing import Final

from ledger.currency.reserve import Why
from ledger.i18n import Translator


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


SENTENCES: Final = (
    N_("Every unit that is out has its euro in the guarantee."),
    N_("The reserve accounts hold the guarantee, and what is owed to others besides."),
    N_("Every euro has its place: what it is for and where it is come to the same."),
)
"""What the three identities of a report say."""

TERMS: Final = {
    "circulation": N_("circulation"),
    "imported": N_("imported"),
    "guarantee": N_("guarantee"),
    "reserve accounts": N_("reserve accounts"),
    "in transit": N_("in transit"),
    "awaited": N_("awaited"),
    "payouts due": N_("payouts due"),
    "suspense": N_("suspense"),
    "unplaced": N_("unplaced"),
    "missed": N_("missed"),
    "fees": N_("fees"),
    "operations": N_("operations"),
    "claims": N_("claims"),
    "transit": N_("transit"),
}
"""What the same adds up, by the English names that the report gives its parts."""

WHY: Final = {
    Why.NOT_BOOKED: N_("not in the ledger yet"),
    Why.AFTER_STATEMENT: N_("after the last statement"),
    Why.OVERDUE: N_("overdue: on no statement in time"),
    Why.NOT_ON_STATEMENT: N_("on no statement"),
    Why.WITHDRAWN: N_("taken back by the bank"),
    Why.OTHER_AMOUNT: N_("of another amount"),
    Why.OPENING: N_("from before the first statement"),
}

WHAT: Final = {
    "conversion": N_("conversion"),
    "conversion_corrected": N_("conversion taken back"),
    "opening": N_("opening of the reserve"),
    "bank_suspense": N_("line not placed yet"),
    "bank_placed": N_("placing of a line"),
    "bank_payout": N_("payout to a shop"),
    "bank_return": N_("payment sent back"),
    "bank_collection": N_("direct debits"),
    "bank_transit": N_("between own accounts"),
    "bank_withdrawn": N_("line undone"),
    "bank_line_known": N_("line known already"),
    # What a bank says of a line that is not booked.
    "transfer": N_("transfer"),
    "debit": N_("direct debit"),
    "return": N_("payment sent back"),
    "charge": N_("bank charge"),
    "cash": N_("cash"),
    "other": N_("line"),
}

KINDS: Final = {"bank": N_("bank"), "cash": N_("cash box")}


def formula(name: str, _: Translator) -> str:
    """What an identity adds up, in words and signs."""
    told = re.sub(r"[a-z]+( [a-z]+)*", lambda term: _(TERMS[term[0]]), name)
    return told.replace("<=", "≤").replace(" - ", " − ")


def what(kind: str, _: Translator) -> str:
    """The kind of an entry or line in words; one that has none yet by its own name."""
    return _(WHAT[kind]) if kind in WHAT else kind.replace("_", " ")
