"""`patard accounts`: the accounts of a business year, for an accountant and the tax office."""

from __future__ import annotations

from pathlib import Path

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, SETTINGS, command, option

app = typer.Typer(**SETTINGS)

_YEAR = _("The year in which the business year ends, or its last day.")


@command(
    app,
    "export",
    _("Write a business year as fec, hledger, beancount or csv."),
    typed="patard accounts export fec --year 2026 --out .",
)
def accounts_export(
    form: str = typer.Argument(metavar="FORM", help="fec, hledger, beancount, csv", show_default=False),
    year: str = option("--year", help=_("The year in which it ends, or its last day; today's."), metavar="YEAR"),
    account: str = option(
        "--account", metavar="ACCOUNT",
        help=_("csv: of this account only, a party, a reserve account or a number of the chart of accounts."),
    ),
    names: bool = typer.Option(False, "--names", help=_("The holders' names in place of their account numbers.")),
    out: Path = option(
        "--out", metavar="FILE",
        help=_("Into this file, or this folder under its usual name; with a FEC goes its description."),
    ),
    json: bool = JSON,
) -> None:  # fmt: skip
    from api.commands import accounts

    CONSOLE.as_json = json
    accounts.export(form, year, account, out, names=names)


@command(app, "years", _("List the business years, and which are closed."))
def accounts_years(json: bool = JSON) -> None:
    from api.commands import accounts

    CONSOLE.as_json = json
    accounts.years()


@command(app, "close", _("Close a business year: its accounts stay as they are."))
def accounts_close(
    year: str = typer.Argument(metavar="YEAR", help=_YEAR, show_default=False),
    yes: bool = typer.Option(False, "--yes", help=_("Do not ask: it is for ever.")),
    json: bool = JSON,
) -> None:
    from api.commands import accounts

    CONSOLE.as_json = json
    accounts.close(year, yes=yes)


@command(app, "check", _("Check a FEC of any program. More strictly than the tax office does."))
def accounts_check(
    file: Path = typer.Argument(metavar="FILE", help=_("The file, under the name that it has."), show_default=False),
    json: bool = JSON,
) -> None:
    from api.commands import accounts

    CONSOLE.as_json = json
    accounts.check(file)
