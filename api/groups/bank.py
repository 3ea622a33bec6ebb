"""`patard bank`: statements in, and what became of each line."""

from __future__ import annotations

from pathlib import Path

import typer

from api.commands.console import CONSOLE, _
from api.groups import suspense
from api.groups.options import JSON, SETTINGS, command, option

app = typer.Typer(**SETTINGS)
app.add_typer(suspense.app, name="suspense", help=_("Place the lines that nobody could place."))


@command(app, "import", _("Take statements and book every line. Formats: camt.053, CFONB120, OFX."))
def import_(
    files: list[Path] = typer.Argument(metavar="FILE...", help=_("Statements from the bank."), show_default=False),
    opening: bool = typer.Option(
        False, "--opening", help=_("Put euros from before the first statement into suspense.")
    ),
    corrected: bool = typer.Option(False, "--corrected", help=_("The bank corrected a statement: undo what is gone.")),
    quiet_days: bool = typer.Option(
        False, "--quiet-days", help=_("The bank had nothing between the last statement and this one.")
    ),
    json: bool = JSON,
) -> None:
    from api.commands import bank

    CONSOLE.as_json = json
    bank.bring_in(files, opening=opening, corrected=corrected, quiet_days=quiet_days)


@command(app, "watch", _("Take every file that is put into a folder."))
def watch(
    folder: Path = typer.Argument(None, metavar="[DIR]", help=_("The folder; the currency's own inbox unless given.")),
    once: bool = typer.Option(False, "--once", help=_("What lies there now, and no more.")),
) -> None:
    from api.commands import bank

    bank.watch(folder, once=once)


@command(app, "statements", _("List the statements that were taken."))
def statements(json: bool = JSON) -> None:
    from api.commands import bank

    CONSOLE.as_json = json
    bank.statements()


@command(app, "withdraw", _("Withdraw an account's statements. The first was wrong, and nothing of them was placed."))
def withdraw(
    account: str = typer.Argument(metavar="RESERVE", help=_("The reserve account.")), json: bool = JSON
) -> None:
    from api.commands import bank

    CONSOLE.as_json = json
    bank.withdraw(account)


@command(app, "lines", _("List the lines, and what became of each."))
def lines(
    since: str = option("--since", help=_("From this day on."), metavar="YYYY-MM-DD"),
    until: str = option("--until", help=_("Up to this day."), metavar="YYYY-MM-DD"),
    account: str = option("--reserve", help=_("Of this reserve account."), metavar="NAME"),
    json: bool = JSON,
) -> None:
    from api.commands import bank

    CONSOLE.as_json = json
    bank.show_lines(since, until, account)
