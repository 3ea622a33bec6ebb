"""The commands about euros, as they are typed."""

from __future__ import annotations

import typer

from wallet_cli.terminal import TERMINAL
from wallet_cli.typed import JSON, command, open_typed
from wallet_cli.words import _


def add_to(app: typer.Typer) -> None:
    """Add these commands to `app`, in this order."""
    command(app, "topup", _("How to send euros for units: account, reference, and a code for a banking app."))(topup)


def topup(
    amount: str = typer.Argument(
        "", metavar="[AMOUNT]", help=_("Such as 50 or 50,00; else you choose it in your bank."), show_default=False
    ),
    png: str = typer.Option("", "--png", metavar="FILE", help=_("Write the code to this file."), show_default=False),
    json: bool = JSON,
) -> None:
    from wallet_cli import euros, paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount or None)
    euros.topup(open_typed(), cents, png or None)
