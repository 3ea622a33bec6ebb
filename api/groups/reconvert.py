"""`patard reconvert`: requests to change back to euros."""

from __future__ import annotations

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, SETTINGS, command

app = typer.Typer(**SETTINGS)


@command(app, "list", _("The requests that wait."))
def reconvert_list(json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.waiting()


@command(app, "accept", _("Owe the euros less the fee, destroy the units."))
def reconvert_accept(id: str = typer.Argument(metavar="ID", show_default=False), json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.accept(id)


@command(app, "refuse", _("Give the units back."))
def reconvert_refuse(id: str = typer.Argument(metavar="ID", show_default=False), json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.refuse(id)
