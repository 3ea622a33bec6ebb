"""`patard reconvert`: requests to change back to euros."""

from __future__ import annotations

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, SETTINGS, command

app = typer.Typer(**SETTINGS)


@command(app, "list", _("List the requests that wait."))
def reconvert_list(json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.waiting()


@command(app, "accept", _("Accept a request: the units go, the euros are owed."))
def reconvert_accept(id: str = typer.Argument(metavar="ID", show_default=False), json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.accept(id)


@command(app, "refuse", _("Refuse a request, and give the units back."))
def reconvert_refuse(id: str = typer.Argument(metavar="ID", show_default=False), json: bool = JSON) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.refuse(id)
