"""A top-up as a code that banking apps read: EPC069-12, "Quick Response Code: Guidelines to Enable Data Capture".

Version 002, with a text that people can read rather than a structured reference, which banking apps hide. It says UTF-8
and holds ASCII alone: no code says to its reader in which character set it is, and some guess Chinese where they meet
an accent. What is shown beside it has its accents.
Pure text: `merchants.codes` draws it (`epc=True`). Not every French banking app reads it, so IBAN, name, amount
and reference always stand beside it in clear.
"""

from __future__ import annotations

from typing import Final

from ledger.currency.bank.latin import ascii_text
from ledger.currency.charter import ibans, rules
from ledger.currency.money import decimal_text
from ledger.currency.text import TextError, check_text

MAX_NAME: Final = 70
MAX_TEXT: Final = 140
MAX_AMOUNT: Final = 999_999_999_99


class EpcError(ValueError):
    """A transfer that does not go into a code. `code` is stable.

    Codes: epc_name, epc_iban, epc_bic, epc_amount, epc_text (each too long, or not what it should be). All together
    they go into the largest code that the guidelines allow (331 bytes).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def epc_text(name: str, iban: str, amount_cents: int | None, text: str, bic: str | None = None) -> str:
    """The text of a code for a transfer to the account of `name`, its holder as the bank knows it.

    `amount_cents` None leaves the amount to the payer. Lines end with LF, none after the last. Raises `EpcError`.
    """
    name = _checked("epc_name", name, MAX_NAME, empty=False)[:MAX_NAME]
    text = _checked("epc_text", text, MAX_TEXT, empty=True)[:MAX_TEXT]
    try:
        iban = ibans.iban(iban)
    except rules.Wrong as wrong:
        raise EpcError("epc_iban", f"{iban[:40]!r}: {wrong}") from None
    try:
        bic = rules.bic(bic) if bic else ""
    except rules.Wrong as wrong:
        raise EpcError("epc_bic", f"{str(bic)[:40]!r}: {wrong}") from None
    amount = ""
    if amount_cents is not None:
        if type(amount_cents) is not int or not 1 <= amount_cents <= MAX_AMOUNT:
            raise EpcError("epc_amount", f"a transfer is of 1 to {MAX_AMOUNT} whole cents, not {amount_cents!r}")
        amount = f"EUR{decimal_text(amount_cents)}"
    # Service tag, version, character set (UTF-8), SEPA credit transfer; then purpose and structured reference: none.
    lines = ["BCD", "002", "1", "SCT", bic, name, iban, amount, "", "", text]
    return "\n".join(lines).rstrip("\n")


def _checked(code: str, text: str, limit: int, *, empty: bool) -> str:
    try:
        check_text(text, max_chars=limit, empty=empty)
    except TextError as error:
        raise EpcError(code, error.detail) from error
    return ascii_text(text)
