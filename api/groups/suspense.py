"""`patard bank suspense`: lines of statements that nobody could place."""

from __future__ import annotations

import typer

from api.commands.console import CONSOLE, _
from api.groups.options import JSON, SETTINGS, command, many, option

app = typer.Typer(**SETTINGS)

LINE = typer.Argument(metavar="LINE", help=_("How its id ends, 4 characters or more."), show_default=False)


@command(app, "list", _("List the lines that wait, and what each may be."))
def suspense_list(
    limit: int = option("--limit", help=_("At most so many, the oldest."), metavar="N"), json: bool = JSON
) -> None:
    from api.commands import suspense

    CONSOLE.as_json = json
    suspense.show(limit)


@command(
    app,
    "place",
    _("Say what a line is; `back` undoes it."),
    typed='patard bank suspense place 3f0a --share "Alice Martin=20" --share own=30',
)
def suspense_place(
    line: str = LINE,
    proposal: int = option("--proposal", help=_("What is proposed under this number."), metavar="N"),
    member: str = option("--member", help=_("A top-up of this party."), metavar="PARTY"),
    share: list[str] = many(
        "--share",
        help=_("One of several things: a party's units, claim:PARTY, cash:BOX or own."),
        metavar="WHAT=AMOUNT",
    ),
    own: bool = typer.Option(
        False, "--own", help=_("The association's own money, such as a gift or a subscription: no units.")
    ),
    fees: bool = typer.Option(
        False, "--fees", help=_("Fees of changing back, moved from the reserve to the association's own account.")
    ),
    charge: bool = typer.Option(
        False, "--charge", help=_("What the bank takes for its services, or gives back of it.")
    ),
    claim: str = option("--claim", help=_("This party pays back what it owes the association."), metavar="PARTY"),
    debt: str = option("--debt", help=_("This party got it, was not owed it, and owes it back."), metavar="PARTY"),
    known: str = option("--known", help=_("A conversion typed by hand, by its reference."), metavar="REF"),
    cash: str = option("--cash", help=_("To or from this cash box."), metavar="NAME"),
    transit: bool = typer.Option(
        False, "--transit", help=_("To or from another account of the reserve, whose own line comes too.")
    ),
    pair: str = option(
        "--pair", help=_("The two cancel out: this other line is of as much, the other way."), metavar="LINE"
    ),
    returned: str = option(
        "--returned", help=_("The bank took back this top-up, and its units go too."), metavar="LINE"
    ),
    payout: str = option("--payout", help=_("A payout or what came back, by its reference; or a file."), metavar="REF"),
    debits: str = option(
        "--debits", help=_("Monthly top-ups: a file's number or month, or a debit's reference."), metavar="FILE|REF"
    ),
    cover: bool = typer.Option(False, "--cover", help=_("Euros behind imported units.")),
    json: bool = JSON,
) -> None:
    from api.commands import suspense

    CONSOLE.as_json = json
    named: dict[str, str | None] = {"member": member, "claim": claim, "debt": debt, "known": known, "cash": cash,
                                    "pair": pair, "returned": returned, "payout": payout, "debits": debits}  # fmt: skip
    plain = {"own": own, "fees": fees, "charge": charge, "transit": transit, "cover": cover}
    suspense.place(line, proposal, share, {name: text for name, text in named.items() if text is not None},
                   [name for name, wanted in plain.items() if wanted])  # fmt: skip


@command(app, "back", _("Undo a placing; it does not send euros back."))
def suspense_back(line: str = LINE, json: bool = JSON) -> None:
    from api.commands import suspense

    CONSOLE.as_json = json
    suspense.back(line)
