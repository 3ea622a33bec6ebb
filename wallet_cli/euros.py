"""Euros in: what a member types into a banking app so that units arrive."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.currency.money import format_cents
from merchants.screens import terminal_code
from wallet_cli import files
from wallet_cli.opened import Wallet
from wallet_cli.terminal import TERMINAL, bold
from wallet_cli.words import LANG, _, clean

if TYPE_CHECKING:
    from api.client import Topup


def topup(wallet: Wallet, cents: int | None, png: str | None) -> None:
    """Show where to send euros and what to write, in clear and as a code (EPC069-12)."""
    from merchants import codes

    wallet.settle()
    client = wallet.reader()
    found: Topup = wallet.asked(lambda: client.topup(cents))
    TERMINAL.say(_("Send your transfer to:"))
    facts = {
        _("Beneficiary"): clean(found.holder),
        "IBAN": _grouped(found.iban),
        "BIC": clean(found.bic),
        _("Amount"): _("as you like") if cents is None else format_cents(cents, LANG, "€"),
        _("Reference"): bold(clean(found.text)),
    }
    shown = {name: value for name, value in facts.items() if value}
    width = max(map(len, shown))
    for name, value in shown.items():
        TERMINAL.say(f"  {name:<{width}}  {value}")
    TERMINAL.say(_("Write the reference as it is: it brings the units to you. They arrive with the bank's statement."))
    if png:
        files.write(Path(png), codes.png(found.epc, epc=True))
        TERMINAL.say(_("The code for your banking app is in {file}.").format(file=png))
    else:
        TERMINAL.say(_("Many banking apps read this code:"))
        TERMINAL.say(terminal_code(found.epc, sys.stdout, epc=True))
    TERMINAL.give(
        {
            "holder": found.holder, "iban": found.iban, "bic": found.bic, "reference": found.reference,
            "text": found.text, "amount_cents": cents, "epc": found.epc,
        }
    )  # fmt: skip


def _grouped(iban: str) -> str:
    return re.sub(r"(.{4})(?=.)", r"\1 ", clean(iban))
