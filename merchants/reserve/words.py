"""The words of the reserve report, marked here and translated where they are shown."""

from __future__ import annotations

from typing import Final

from ledger.currency.reserve import Why
from ledger.i18n import Translator


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


SENTENCES: Final = (
    N_("Every unit that is out has its euro in the guarantee."),
    N_("The reserve accounts hold the guarantee, and what is owed to shops besides."),
    N_("Every euro has its place: what it is for and where it is come to the same."),
)
"""What the three identities of a report say."""

FORMULAS: Final = {
    "circulation <= guarantee": N_("circulation <= guarantee"),
    "circulation + imported <= guarantee": N_("circulation + imported <= guarantee"),
    "guarantee <= reserve accounts - payouts due": N_("guarantee <= reserve accounts - payouts due"),
    "guarantee <= reserve accounts + in transit - payouts due": N_(
        "guarantee <= reserve accounts + in transit - payouts due"
    ),
    "guarantee <= reserve accounts + awaited - payouts due": N_(
        "guarantee <= reserve accounts + awaited - payouts due"
    ),
    "guarantee <= reserve accounts + in transit + awaited - payouts due": N_(
        "guarantee <= reserve accounts + in transit + awaited - payouts due"
    ),
    "guarantee + payouts due + suspense + fees = reserve accounts + operations + claims + transit": N_(
        "guarantee + payouts due + suspense + fees = reserve accounts + operations + claims + transit"
    ),
}
"""The same as sums; the report names them in English."""

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


def what(kind: str, _: Translator) -> str:
    """The kind of an entry or line in words; one that has none yet by its own name."""
    return _(WHAT[kind]) if kind in WHAT else kind.replace("_", " ")
