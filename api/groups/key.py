"""`patard key`: the devices of a party."""

from __future__ import annotations

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, PARTY, SETTINGS, command

app = typer.Typer(**SETTINGS)


@command(app, "list", _("List the devices that act, or acted, for a party."))
def key_list(party: str = PARTY, json: bool = JSON) -> None:
    from api.commands import keys

    CONSOLE.as_json = json
    keys.show(party)


@command(app, "revoke", _("Shut out a device that was lost or stolen."))
def key_revoke(
    party: str = PARTY,
    key: str = typer.Argument(
        None, metavar="KEY", help=_("The device's label, or how its key begins."), show_default=False
    ),
    json: bool = JSON,
) -> None:
    from api.commands import keys

    CONSOLE.as_json = json
    keys.revoke(party, key)
