"""`patard party`: who takes part."""

from __future__ import annotations

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, PARTY, SETTINGS, command, option

app = typer.Typer(**SETTINGS)


@command(app, "add", _("Admit a party: person, shop, association or public_body."))
def party_add(
    kind: str = typer.Argument(metavar="KIND", help="person, shop, association, public_body", show_default=False),
    name: str = typer.Argument(metavar="NAME", help=_("Its name."), show_default=False),
    again: bool = typer.Option(False, "--again", help=_("Another one of the same name.")),
    json: bool = JSON,
) -> None:
    from api.commands import members

    CONSOLE.as_json = json
    members.add(kind, name, again=again)


@command(app, "list", _("List the parties, with account and balance."))
def party_list(
    kind: str = option("--kind", help=_("Of this kind only."), metavar="KIND"),
    every: bool = typer.Option(False, "--all", help=_("Closed ones too.")),
    json: bool = JSON,
) -> None:
    from api.commands import members

    CONSOLE.as_json = json
    members.show(kind, closed=every)


@command(app, "close", _("Close a party whose account is empty."))
def party_close(party: str = PARTY, json: bool = JSON) -> None:
    from api.commands import members

    CONSOLE.as_json = json
    members.close(party)


@command(app, "iban", _("Show or say where a party is paid."))
def party_iban(
    party: str = PARTY,
    iban: str = typer.Argument(None, metavar="[IBAN]", help=_("From now on this account."), show_default=False),
    holder: str = typer.Option(
        "", "--holder", metavar="NAME", help=_("The account's holder as the bank knows it, if that is another name.")
    ),
    remove: bool = typer.Option(False, "--remove", help=_("Forget it.")),
    json: bool = JSON,
) -> None:
    from api.commands import payouts

    CONSOLE.as_json = json
    payouts.iban(party, iban, holder, remove=remove)
