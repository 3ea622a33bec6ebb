"""The commands about euros, as they are typed."""

from __future__ import annotations

import typer

from wallet_cli.errors import Exit, WalletError
from wallet_cli.terminal import TERMINAL
from wallet_cli.typed import JSON, YES, command, open_typed
from wallet_cli.words import _


def add_to(app: typer.Typer) -> None:
    """Add these commands to `app`, in this order."""
    command(app, "topup", _("Tell where to send euros for units. With a reference, and a code for a banking app."))(
        topup
    )
    command(
        app,
        "monthly",
        _("Top up every month by direct debit. Look, sign, change the amount, end."),
        typed='wallet monthly 30 --iban "FR76 3000 3012 3401 2345 6789 057"',
    )(monthly)
    command(app, "iban", _("Show or say where you are paid when you change back."))(iban)
    command(app, "payouts", _("Sign files of payouts to shops, as a treasurer."))(payouts)


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


def monthly(
    amount: str = typer.Argument(
        "", metavar="[AMOUNT]", help=_("Euros a month, such as 30 or 30,00; else what there is."), show_default=False
    ),
    iban: str = typer.Option(
        "", "--iban", metavar="IBAN", help=_("The bank account that is debited."), show_default=False
    ),
    holder: str = typer.Option(
        "", "--holder", metavar="NAME", help=_("Its holder; you, unless given."), show_default=False
    ),
    end: bool = typer.Option(False, "--end", help=_("End it.")),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import monthly as monthly_topup
    from wallet_cli import paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount or None)
    if end and (amount or iban or holder) or (iban or holder) and cents is None:
        raise WalletError(Exit.USAGE, "usage", _("Give an amount to sign for, or --end alone."))
    wallet = open_typed()
    if end:
        monthly_topup.end(wallet, yes=yes)
    elif cents is None:
        monthly_topup.show(wallet)
    else:
        monthly_topup.sign(wallet, cents, iban or None, holder or None, yes=yes)


def iban(
    iban: str = typer.Argument("", metavar="[IBAN]", help=_("From now on this account."), show_default=False),
    holder: str = typer.Option(
        "", "--holder", metavar="NAME", help=_("Its holder; you, unless given."), show_default=False
    ),
    json: bool = JSON,
) -> None:
    from wallet_cli import payouts as euros_out

    TERMINAL.as_json = json
    if holder and not iban:
        raise WalletError(Exit.USAGE, "usage", _("Give the IBAN with its holder."))
    euros_out.iban(open_typed(), iban or None, holder)


def payouts(
    sign: str = typer.Option(
        "", "--sign", metavar="FILE", help=_("Sign this file, by its number."), show_default=False
    ),
    reject: str = typer.Option(
        "",
        "--reject",
        metavar="REFERENCE",
        help=_("Say that the bank will not execute this payout."),
        show_default=False,
    ),
    reason: str = typer.Option(
        "", "--reason", metavar="CODE", help=_("The bank's reason, such as AC04."), show_default=False
    ),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import payouts as euros_out

    TERMINAL.as_json = json
    wallet = open_typed()
    if reject:
        euros_out.reject(wallet, reject, reason, yes=yes)
    elif sign:
        euros_out.sign(wallet, sign, yes=yes)
    else:
        euros_out.show(wallet)
