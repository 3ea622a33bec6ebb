"""The `patard` command: what the association types. What is done stands in `api.commands`.

Those modules are imported when a command runs, so that `patard --help` is quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer

from api.commands.console import CONSOLE, CliError, Exit, _
from api.groups import accounts, bank, key, mandate, party, payouts, reconvert
from api.groups.options import JSON, PARTY, SETTINGS, command, many, option

EXITS = {
    Exit.OK: _("done"),
    Exit.REFUSED: _("refused by the rules, or something found (check, replay, reserve)"),
    Exit.USAGE: _("wrong usage"),
    Exit.UNUSABLE: _("folder, charter, key, database or port cannot be used"),
    Exit.INTERRUPTED: _("interrupted"),
}


def _epilogue() -> str:
    # A line of \b keeps the lines of a paragraph as they are.
    exits = "\n".join(("\b", _("Exit codes:"), *(f"{int(code):>5}  {text}" for code, text in EXITS.items())))
    names = {
        "PATARD_HOME": _("the folder of the currency (./patard-home)"),
        "PATARD_DATABASE_URL": _("postgresql://... in place of the folder's book"),
        "PATARD_LANG": _("fr or en"),
    }
    shown = "\n".join(("\b", _("Environment:"), *(f"  {name:<20}  {text}" for name, text in names.items())))
    return f"{exits}\n\n{shown}"


app = typer.Typer(
    help=_("A citizen local currency: found it, serve it, run its office, check its books."),
    epilog=_epilogue(),
    pretty_exceptions_enable=False,
    **SETTINGS,
)
app.add_typer(party.app, name="party", help=_("Admit parties, list them, close them."))
app.add_typer(key.app, name="key", help=_("List and revoke the devices of a party."))
app.add_typer(reconvert.app, name="reconvert", help=_("Answer requests to change back to euros."))
app.add_typer(accounts.app, name="accounts", help=_("Export accounts, close a business year, check a FEC."))
app.add_typer(payouts.app, name="payouts", help=_("Pay shops: what is due, files for the bank, signatures."))
app.add_typer(bank.app, name="bank", help=_("Take the bank's statements, and place their lines."))
app.add_typer(mandate.app, name="mandate", help=_("Collect monthly top-ups: mandates, notices, files."))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        CONSOLE.say(f"patard {version('patard')}")
        raise typer.Exit


@app.callback()
def _patard(
    home: str = option("--home", help=_("The currency's folder, in place of PATARD_HOME."), metavar="DIR"),
    version: bool = typer.Option(False, "--version", is_eager=True, callback=_version, help=_("Show the version.")),
) -> None:
    if home:
        os.environ["PATARD_HOME"] = home


@command(
    app,
    "init",
    _("Found a currency: its charter, its key, its book. Asks for what no option says."),
    typed='patard init --name "Le Patard" --code PATARD --bank Banque --cash Caisse',
)
def init(
    code: str = option("--code", help=_("Short name in the books: 2 to 8 capitals and digits."), metavar="CODE"),
    name: str = option("--name", help=_("Name of the currency."), metavar="NAME"),
    symbol: str = option("--symbol", help=_("What stands beside an amount."), metavar="P"),
    public_url: str = option("--public-url", help=_("Address of the server, as phones see it."), metavar="URL"),
    fee_bp: int = option("--fee-bp", help=_("Cost of changing back, in basis points (500 is 5 %)."), metavar="N"),
    bank: list[str] = many("--bank", help=_("A bank account of the reserve."), metavar="NAME[:IBAN]"),
    cash: list[str] = many("--cash", help=_("A cash box of the reserve."), metavar="NAME"),
    timezone: str = typer.Option("Europe/Paris", "--timezone", metavar="ZONE", help=_("Where its days begin.")),
    association: str = option("--association", help=_("Name of the association."), metavar="NAME"),
    reconversion_by: str = typer.Option("shop", "--reconversion-by", metavar="KINDS", help=_("Who may change back.")),
    per_payment: str = option("--per-payment", help=_("Limit of one payment."), metavar="AMOUNT"),
    per_day: str = option("--per-day", help=_("Limit of one payer, a day."), metavar="AMOUNT"),
    network: str = option("--network", help=_("8 hex digits, for a copy of an existing currency."), metavar="HEX"),
    json: bool = JSON,
) -> None:
    from api.commands.founding import Answers
    from api.commands.founding import init as found

    CONSOLE.as_json = json
    found(Answers(code, name, symbol, public_url, fee_bp, bank, cash, timezone, association, reconversion_by,
                  per_payment, per_day, network))  # fmt: skip


@command(app, "serve", _("Serve the currency: the API, the till, the directory."))
def serve(
    host: str = typer.Option("127.0.0.1", "--host", metavar="HOST", help=_("The address to listen on.")),
    port: int = option("--port", help=_("The port; that of a local public address, else 8000."), metavar="PORT"),
) -> None:
    from api.commands import serving

    serving.serve(host, port)


@command(app, "demo", _("Show a town with its currency, made afresh each time."), typed="patard demo --day 2026-11-22")
def demo(
    port: int = typer.Option(8000, "--port", envvar="PORT", metavar="PORT", help=_("The port to serve on.")),
    folder: Path = typer.Option(Path(".demo"), "--folder", metavar="DIR", help=_("Where the demo's files go.")),
    day: str = option(
        "--day", metavar="DAY",
        help=_("Let the town's story end with that day, not now: the same log root in every run."),
    ),
) -> None:  # fmt: skip
    from api.demo.command import demo as run_demo

    run_demo(port, folder, day)


@command(app, "invite", _("Make the one-time code by which a device joins a party."))
def invite(
    party: str = PARTY,
    role: str = option(
        "--role", help=_("member, owner, cashier, operator, treasurer or auditor; the usual one unless given."),
        metavar="ROLE",
    ),
    person: str = option("--person", help=_("Who will hold this key of the association."), metavar="NAME"),
    png: Path = option("--png", help=_("Write the picture of the code to a file instead."), metavar="FILE"),
    json: bool = JSON,
) -> None:  # fmt: skip
    from api.commands import members

    CONSOLE.as_json = json
    members.invite(party, role, png, person)


@command(
    app,
    "code",
    _("Draw the lasting code of a shop, to be printed."),
    typed='patard code "Boulangerie du coin" --amount 4,20 --png comptoir.png',
)
def code(
    party: str = PARTY,
    amount: str = option("--amount", help=_("A fixed amount; else the payer types it."), metavar="AMOUNT"),
    label: str = typer.Option(
        "", "--label", metavar="TEXT", help=_("What it is for: 18 letters; an accented one counts as two.")
    ),
    png: Path = option("--png", help=_("Write it to this file as PNG."), metavar="FILE"),
    svg: Path = option("--svg", help=_("Write it to this file as SVG."), metavar="FILE"),
    json: bool = JSON,
) -> None:
    from api.commands import papers

    CONSOLE.as_json = json
    papers.code(party, amount, label, png, svg)


@command(
    app,
    "convert",
    _("Turn euros into units, by a cash slip or a bank line."),
    typed='patard convert "Alice Martin" 50 --cash S-0117',
)
def convert(
    party: str = PARTY,
    amount: str = typer.Argument(metavar="AMOUNT", help=_("Units, such as 50 or 50,00."), show_default=False),
    cash: str = option("--cash", help=_("The cash slip."), metavar="SLIP"),
    bank: str = option("--bank", help=_("The bank's reference."), metavar="REF"),
    reserve: str = option("--reserve", help=_("The reserve account, where there are several."), metavar="NAME"),
    euros: str = option("--euros", help=_("What it brought; as much as the units unless given."), metavar="AMOUNT"),
    date: str = option("--date", help=_("The day it counts for."), metavar="YYYY-MM-DD"),
    json: bool = JSON,
) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.convert(party, amount, cash, bank, reserve, euros, date)


@command(app, "unconvert", _("Take a mistyped conversion back. Only while its units were not spent."))
def unconvert(
    reference: str = typer.Argument(metavar="REFERENCE", help=_("Its slip or bank line."), show_default=False),
    reserve: str = option("--reserve", help=_("The reserve account, where there are several."), metavar="NAME"),
    json: bool = JSON,
) -> None:
    from api.commands import office

    CONSOLE.as_json = json
    office.unconvert(reference, reserve)


@command(
    app, "reserve", _("Hold the circulation against the reserve. Each account is held against its last statement.")
)
def reserve(
    lines: bool = typer.Option(False, "--lines", help=_("Explain each difference line by line.")),
    pdf: Path = option("--pdf", help=_("Write the report on paper to this file."), metavar="FILE"),
    json: bool = JSON,
) -> None:
    from api.commands import reserve as reserve_commands

    CONSOLE.as_json = json
    reserve_commands.show_reserve(pdf, lines=lines)


@command(app, "clock", _("Hold the machine's clock against the book. Nothing is booked where they are far apart."))
def clock(
    confirm: bool = typer.Option(False, "--confirm", help=_("Say that the clock is right; asks first.")),
    json: bool = JSON,
) -> None:
    from api.commands import clock as clocks

    CONSOLE.as_json = json
    if confirm:
        clocks.confirm()
    else:
        clocks.show()


@command(app, "check", _("Check every entry, every signature and every rule. Cannot write."))
def check(
    notices: bool = typer.Option(False, "--notices", help=_("Show what is allowed and may be looked at, too.")),
    root: list[str] = many("--root", help=_("A root that you noted: the log must have had it at that size."),
                           metavar="SIZE:HASH"),
    json: bool = JSON,
) -> None:  # fmt: skip
    from api.commands import checking

    CONSOLE.as_json = json
    checking.check(notices_too=notices, roots=root)


@command(app, "backup", _("Copy the book, whole, while it is at work. Without the keys, which are kept elsewhere."))
def backup(
    file: Path = typer.Argument(metavar="FILE", help=_("The new file; the signed heads go beside it."),
                                show_default=False),
    json: bool = JSON,
) -> None:  # fmt: skip
    from api.commands import backup as copies

    CONSOLE.as_json = json
    copies.backup(file)


@command(app, "replay", _("Make the book anew from its records, and compare."))
def replay(
    into: Path = option("--into", help=_("Keep the new book in this file."), metavar="FILE"), json: bool = JSON
) -> None:
    from api.commands import checking

    CONSOLE.as_json = json
    checking.replay(into)


@command(
    app,
    "import",
    _("Move a currency in from a CSV of transfers. Its columns: id,at,from,to,amount,unit,kind."),
    typed="patard import past.csv --issuer Association --shop Boulangerie --dry-run",
)
def import_(
    file: Path = typer.Argument(metavar="FILE", help=_("Oldest lines first; - for stdin."), show_default=False),
    issuer: list[str] = many("--issuer", help=_("An account that may go below zero."), metavar="NAME"),
    shop: list[str] = many("--shop", help=_("A name that is a shop; others are persons."), metavar="NAME"),
    parties: Path = option("--parties", help=_("A CSV of names and kinds."), metavar="FILE"),
    kinds: str = option(
        "--kinds",
        metavar="A,B",
        help=_(
            "The kinds that lines may have, in place of payment, refund, conversion, reconversion, transfer, issue, "
            "fee, correction, opening."
        ),
    ),
    round: str = option("--round", help=_("half-even, half-up or down; else never."), metavar="HOW"),
    unit: str = option("--unit", help=_("What the file calls the unit."), metavar="NAME"),
    encoding: str = option("--encoding", help=_("The file's encoding, if not found."), metavar="NAME"),
    skip_bad: bool = typer.Option(False, "--skip-bad", help=_("Leave out the lines that cannot be taken.")),
    dry_run: bool = typer.Option(False, "--dry-run", help=_("Try the file, import nothing.")),
    opening_reserve: list[str] = many(
        "--opening-reserve", help=_("Euros held behind the imported units."), metavar="NAME=AMOUNT"
    ),
    reference: str = typer.Option(
        "OPENING", "--reference", metavar="REF", help=_("The statement that shows those euros.")
    ),
    json: bool = JSON,
) -> None:
    from api.commands import importing

    CONSOLE.as_json = json
    importing.bring_in(file, issuer, shop, parties, kinds, round, unit, encoding, opening_reserve, reference,
                       skip_bad=skip_bad, dry_run=dry_run)  # fmt: skip


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    from typer.main import get_command

    CONSOLE.as_json = "--json" in args
    try:
        code = get_command(app).main(args=list(args), prog_name="patard", standalone_mode=False)
    except CliError as error:
        CONSOLE.fail(error.code, error.message, **error.fields)
        return int(error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has enough of it (`patard party list | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.OK)
    except (typer.Abort, KeyboardInterrupt):
        CONSOLE.fail("interrupted", _("Interrupted."))
        return int(Exit.INTERRUPTED)
    except Exception as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # nothing after the name: the parser shows what there is
            context: Any = vars(error)["ctx"]
            CONSOLE.note(context.get_help())
            return int(Exit.USAGE)
        from api.commands.failures import told

        exit_code, name, message = told(error)
        CONSOLE.fail(name, message)
        return int(exit_code)
    return int(code or 0)


def main() -> NoReturn:
    """The `patard` script."""
    sys.exit(run(sys.argv[1:]))
