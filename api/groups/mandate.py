"""`patard mandate`: monthly top-ups by direct debit."""

from __future__ import annotations

from pathlib import Path

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, PARTY, SETTINGS, command, option

app = typer.Typer(**SETTINGS)
AMOUNT = typer.Argument(metavar="AMOUNT", help=_("Euros a month, such as 30 or 30,00."), show_default=False)
MONTH = option("--month", help=_("Of this month; the next one unless given."), metavar="YYYY-MM")


@command(app, "add", _("Enter a mandate that a member signed on paper."))
def add(
    party: str = PARTY,
    iban: str = typer.Argument(metavar="IBAN", help=_("The account that is debited."), show_default=False),
    amount: str = AMOUNT,
    signed: str = typer.Option(..., "--signed", metavar="YYYY-MM-DD", help=_("The day of the signature.")),
    holder: str = option(
        "--holder", help=_("The account's holder as the bank knows it, if that is another name."), metavar="NAME"
    ),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.add(party, iban, amount, signed, holder)


@command(app, "list", _("List the mandates."))
def list_(every: bool = typer.Option(False, "--all", help=_("Those that were ended too.")), json: bool = JSON) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.show(every=every)


@command(app, "amount", _("Change the amount a month, as signed on paper."))
def amount(
    party: str = PARTY,
    amount: str = AMOUNT,
    signed: str = option("--signed", help=_("The day of the signature; today unless given."), metavar="YYYY-MM-DD"),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.change(party, amount, signed)


@command(app, "end", _("End a party's mandate."))
def end(party: str = PARTY, json: bool = JSON) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.end(party)


@command(app, "resume", _("Collect again by a suspended mandate. It was suspended because debits came back."))
def resume(party: str = PARTY, json: bool = JSON) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.resume(party)


@command(app, "notices", _("List who is to be told of the next debits. They are noted as told."))
def notices(
    month: str = MONTH,
    csv: Path = option("--csv", help=_("Write the texts for a mail merge to this file."), metavar="FILE"),
    again: bool = typer.Option(False, "--again", help=_("Everybody who was told of that month, once more.")),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.tell(month, csv, again=again)


@command(
    app,
    "collect",
    _("Make one file of a month's debits (pain.008)."),
    typed="patard mandate collect --month 2026-12 --out prelevements.xml",
)
def collect(
    month: str = MONTH,
    on: str = option("--on", help=_("The day of the debit, in place of the charter's."), metavar="YYYY-MM-DD"),
    out: Path = option("--out", help=_("Where to write the file."), metavar="FILE"),
    again: bool = typer.Option(False, "--again", help=_("Although it was fetched before.")),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.collect(month, on, out, again=again)


@command(app, "collections", _("List the files of debits, and what became of them."))
def collections(json: bool = JSON) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.collections()


@command(app, "withdraw", _("Give up a file of debits that the bank did not carry out."))
def withdraw(
    file: str = typer.Argument(metavar="NUMBER", help=_("Its number, or its month."), show_default=False),
    refused: bool = typer.Option(False, "--refused", help=_("It was fetched; the bank refused it or never got it.")),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.withdraw(file, refused=refused)


@command(app, "reject", _("Strike a debit that the bank will not carry out."))
def reject(
    reference: str = typer.Argument(metavar="REFERENCE", help=_("Its end-to-end id."), show_default=False),
    reason: str = option("--reason", help=_("The bank's code for why, such as AC04."), metavar="CODE"),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.reject(reference, reason)


@command(app, "unpaid", _("List the debits that came back."))
def unpaid(json: bool = JSON) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.unpaid()


@command(app, "release", _("Give members the units whose risk delay is over."))
def release(
    today: str = option("--today", help=_("The day it is, from another clock than this machine's."), metavar="DAY"),
    json: bool = JSON,
) -> None:
    from api.commands import mandates

    CONSOLE.as_json = json
    mandates.mature(today)
