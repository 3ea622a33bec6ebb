"""Codes for paper: the lasting code of a shop, signed by the currency; pictures of codes in files."""

from __future__ import annotations

from pathlib import Path

from api.commands.console import CONSOLE, CliError, Exit, _, amount, money, terminal_code
from api.commands.opened import readable
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.links import make_link
from merchants import codes, requests

PIXELS = 12
"""Pixels a module: a code of 5 cm prints at about 300 dots an inch."""


def code(who: str, sum_: str | None, label: str, png: Path | None, svg: Path | None) -> None:
    """The lasting code of a party, to be printed: whoever scans it types the amount, unless one is given."""
    with readable() as town:
        party = parties.named(town, who)
        if party.closed_at is not None:
            raise CliError(Exit.REFUSED, "party_closed", _("{name} was closed.").format(name=party.name))
        cents = amount(sum_, "--amount") if sum_ else 0
        signed = requests.static(town.charter.network, party.account, town.key, amount=cents, label=label)
        link = make_link(town.charter.public_url, signed)
        symbol = town.charter.symbol
    for file in (png, svg):
        if file is not None:
            picture(file, link, party.name)
    asked = money(cents, symbol) if cents else _("the payer types the amount")
    CONSOLE.say(_("{name}: {amount}").format(name=party.name, amount=asked))
    CONSOLE.say(link)
    if png is None and svg is None:
        CONSOLE.say(terminal_code(link).rstrip("\n"))
    for file in (png, svg):
        if file is not None:
            CONSOLE.say(_("Its picture is in {file}.").format(file=file))
    CONSOLE.give({"link": link, "party": party.name, "account": account_text(party.account), "amount_cents": cents})


def picture(file: Path, text: str, title: str = "QR code") -> None:
    """Write the code of `text` to a file: PNG, or SVG where the name ends so. Raises `CliError`."""
    try:
        if file.suffix.lower() == ".svg":
            file.write_text(codes.svg(text, title), encoding="utf-8")
        else:
            file.write_bytes(codes.png(text, PIXELS))
    except OSError as error:
        told = _("{file} cannot be written: {reason}.").format(file=file, reason=error.strerror)
        raise CliError(Exit.USAGE, "file_unwritable", told) from None
