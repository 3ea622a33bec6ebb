"""`patard payouts`: what shops are owed, and the files for the bank that pay it."""

from __future__ import annotations

from pathlib import Path

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, SETTINGS, command, option

app = typer.Typer(**SETTINGS)
NUMBER = typer.Argument(metavar="FILE", help=_("Number of a file, as the list shows it."), show_default=False)


@command(app, "list", _("List what is owed to shops, and the files under way."))
def list_(
    every: bool = typer.Option(False, "--all", help=_("Files that are settled or withdrawn, too.")), json: bool = JSON
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.show(every=every)


@command(app, "show", _("Show a file: each transfer, and who signed."))
def show(number: str = NUMBER, json: bool = JSON) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.show_file(number)


@command(app, "order", _("Make one file of all that is due (pain.001). Whoever has no IBAN waits."))
def order(
    on: str = option(
        "--on", help=_("The day on which the bank pays; the first on which it can, unless given."), metavar="YYYY-MM-DD"
    ),
    json: bool = JSON,
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.order(on)


@command(app, "file", _("Write the file for the bank, once it is signed. They sign by wallet payouts --sign."))
def file(
    number: str = NUMBER,
    out: Path = option("--out", help=_("Where to write the file."), metavar="FILE"),
    again: bool = typer.Option(False, "--again", help=_("Although it was fetched before.")),
    json: bool = JSON,
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.fetch(number, out, again=again)


@command(app, "withdraw", _("Give a file up. What it would have paid may go into another."))
def withdraw(
    number: str = NUMBER,
    refused: bool = typer.Option(False, "--refused", help=_("The bank refused it, or it was never sent.")),
    json: bool = JSON,
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.withdraw(number, refused=refused)


@command(app, "reject", _("Give a shop its units back. For a payout that the bank will not execute."))
def reject(
    reference: str = typer.Argument(metavar="REFERENCE", help=_("The payout's reference."), show_default=False),
    reason: str = typer.Option("", "--reason", metavar="CODE", help=_("The bank's reason, such as AC04.")),
    json: bool = JSON,
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.reject(reference, reason)
