"""How a member brings euros: where to send them, and the reference that brings the units."""

from __future__ import annotations

from typing import NamedTuple

from ledger.currency.bank.epc import epc_text
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from ledger.currency.town import Town

MAX_CENTS = 99_999_999_999
"""The largest amount of a SEPA credit transfer, 999,999,999.99 euros."""


class Topup(NamedTuple):
    """What to type into a banking app, and the same as the text of a code (EPC069-12). `amount` is cents, or None."""

    holder: str
    iban: str
    bic: str | None
    reference: str
    text: str
    amount: int | None
    epc: str


def topup(town: Town, account: int, amount: int | None = None) -> Topup:
    """How the holder of `account` sends euros, of `amount` cents or as many as they like.

    Raises `CurrencyError`: topup_unavailable where the charter names no bank account; amount_malformed.
    """
    if amount is not None and not 0 < amount <= MAX_CENTS:
        raise CurrencyError("amount_malformed", tell("an amount is from 0.01 to 999,999,999.99 euros"))
    bank = town.charter.topup_account
    if bank is None or bank.iban is None:
        raise CurrencyError("topup_unavailable", tell(
            "the currency takes no transfers yet: its charter names no bank account with an IBAN"
        ))  # fmt: skip
    reference = shown(member_reference(town.charter.network, account))
    # The code says what it is for to whoever reads a statement; only the ten characters after it count.
    text = f"{town.charter.code} {reference}"
    holder = bank.holder or town.charter.name
    return Topup(
        holder, bank.iban, bank.bic, reference, text, amount, epc_text(holder, bank.iban, amount, text, bic=bank.bic)
    )
