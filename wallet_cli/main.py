"""The `wallet` command: what can be typed. What is done stands in the modules that each command calls.

Those are imported when a command runs, so that `wallet --help` and `wallet balance` wait for nothing they do not use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import typer

from api.usage import complaint
from wallet_cli import typed_euros
from wallet_cli.errors import Exit, WalletError
from wallet_cli.help import Group, epilogue
from wallet_cli.terminal import TERMINAL, fit_streams
from wallet_cli.typed import JSON, YES, command, open_typed, opened_wallets
from wallet_cli.words import _, whole

app = typer.Typer(
    cls=Group,
    help=_("Your wallet in a local currency: read, pay, keep receipts."),
    epilog=epilogue(),
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
keys_app = typer.Typer(cls=Group, rich_markup_mode=None)
outbox_app = typer.Typer(cls=Group, rich_markup_mode=None)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        TERMINAL.say(f"wallet {version('patard')}")
        raise typer.Exit


@app.callback()
def _wallet(
    home: str = typer.Option(
        "", "--home", metavar="DIR", help=_("The wallet's folder, in place of WALLET_HOME."), show_default=False
    ),
    version: bool = typer.Option(
        False, "--version", is_eager=True, callback=_show_version, help=_("Show the version.")
    ),
) -> None:
    if home:
        os.environ["WALLET_HOME"] = home


@command(
    app,
    "join",
    _("Make this machine a wallet, with a code from the association."),
    typed="wallet join 3F6QX-9M2KD --server https://patard.example.org",
)
def join(
    code: str = typer.Argument(metavar="CODE", help=_("The code, or the link that holds it."), show_default=False),
    server: str = typer.Option("", "--server", metavar="URL", help=_("The currency's server."), show_default=False),
    label: str = typer.Option("", "--label", metavar="NAME", help=_("What to call this device."), show_default=False),
    no_passphrase: bool = typer.Option(False, "--no-passphrase", help=_("Leave the key unprotected.")),
    insecure: bool = typer.Option(False, "--insecure", help=_("Allow http:// to another machine, for a test.")),
    json: bool = JSON,
) -> None:
    from wallet_cli import joining
    from wallet_cli.home import Home

    TERMINAL.as_json = json
    joining.join(Home.find(), code, server or None, label or None, protect=not no_passphrase, insecure=insecure)


@command(app, "balance", _("Show the balance. With the server away, the last known one."))
def balance(json: bool = JSON) -> None:
    from wallet_cli import reading

    TERMINAL.as_json = json
    reading.balance(open_typed())


@command(
    app,
    "history",
    _("List the entries, each with the balance after it. Newest first."),
    typed='wallet history --since 2026-11-01 --csv --separator ";"',
)
def history(
    limit: int = typer.Option(0, "--limit", "-n", metavar="N", help=_("How many (20)."), show_default=False),
    every: bool = typer.Option(False, "--all", help=_("All of them.")),
    since: str = typer.Option("", "--since", metavar="DATE", help=_("From this day or time on."), show_default=False),
    until: str = typer.Option("", "--until", metavar="DATE", help=_("Up to this day or time."), show_default=False),
    cursor: str = typer.Option("", "--cursor", metavar="C", help=_("Go on where a page ended."), show_default=False),
    json: bool = JSON,
    csv: bool = typer.Option(False, "--csv", help=_("As CSV, oldest first, all of them unless --limit is given.")),
    separator: str = typer.Option(
        ",",
        "--separator",
        metavar="S",
        help=_("Between the fields of the CSV; with ; decimals have a comma."),
        show_default=False,
    ),
) -> None:
    from wallet_cli import history as statement

    TERMINAL.as_json = json
    if json and csv:
        raise WalletError(Exit.USAGE, "usage", _("Choose one of {options}.").format(options="--json, --csv"))
    if limit < 0:
        raise WalletError(
            Exit.USAGE, "usage", _("The value of {what} is not one that it takes.").format(what="--limit")
        )
    if separator not in (",", ";", "\t"):
        raise WalletError(Exit.USAGE, "usage", _("The separator is , or ; or a tab."))
    wallet = open_typed()
    start, end = (
        statement.moment(since or None, wallet.settings),
        statement.moment(until or None, wallet.settings, end=True),
    )
    wallet.settle()
    wanted = limit or (None if every or csv else 20)
    entries, following = statement.fetch(wallet, wanted, cursor or None, start, end)
    if csv:
        statement.show_csv(entries, wallet.settings, separator)
    else:
        statement.show(wallet, entries, following)


@command(app, "pay", _("Pay a code: its link, its picture (a file), or - for stdin."))
def pay(
    target: str = typer.Argument(
        "",
        metavar="[LINK|FILE|-]",
        help=_("A payment link, a PNG, JPEG or WebP picture of the code, or - for either on the standard input."),
        show_default=False,
    ),
    amount: str = typer.Option(
        "",
        "--amount",
        metavar="A",
        help=_("The amount, such as 4,50, where the code leaves it open."),
        show_default=False,
    ),
    to: str = typer.Option(
        "", "--to", metavar="ACCOUNT", help=_("Pay this account, without a code."), show_default=False
    ),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import paying
    from wallet_cli.target import read_target

    TERMINAL.as_json = json
    cents = paying.amount_of(amount or None)
    if bool(target) == bool(to):
        message = _("Give a code to pay, or an account with --to and --amount.")
        raise WalletError(Exit.USAGE, "usage", message)
    if to and cents is None:
        raise WalletError(Exit.USAGE, "amount_empty", _("{what} is missing.").format(what="--amount"))
    wallet = open_typed()
    with wallet.nothing_signed():
        if to:
            paying.pay_account(wallet, to, cents or 0, yes=yes)
        else:
            paying.pay_request(wallet, read_target(target, wallet.settings.network_id), cents, yes=yes)


@command(app, "receipt", _("Show the checked receipt of a payment. Without an id, of the last one."))
def receipt(
    id: str = typer.Argument("", metavar="[ID]", help=_("An id, or its last 8 characters."), show_default=False),
    json: bool = JSON,
) -> None:
    from wallet_cli import receipts

    TERMINAL.as_json = json
    receipts.show(open_typed(), id or None)


@command(app, "refund", _("Give a received payment back, whole or in part."))
def refund(
    id: str = typer.Argument(metavar="ID", help=_("The payment's id, or its last 8 characters."), show_default=False),
    amount: str = typer.Option("", "--amount", metavar="A", help=_("A part of it, such as 4,50."), show_default=False),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount or None)
    wallet = open_typed()
    with wallet.nothing_signed():
        paying.refund(wallet, id, cents, yes=yes)


@command(app, "reconvert", _("Ask the association to change units back to euros."))
def reconvert(
    amount: str = typer.Argument(metavar="AMOUNT", help=_("Such as 150 or 150,00."), show_default=False),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount) or 0
    wallet = open_typed()
    with wallet.nothing_signed():
        paying.reconvert(wallet, cents, yes=yes)


@keys_app.callback(invoke_without_command=True)
def _keys(context: typer.Context, json: bool = JSON) -> None:
    if context.invoked_subcommand is None:
        keys_list(json=json)


@outbox_app.callback(invoke_without_command=True)
def _outbox(context: typer.Context, json: bool = JSON) -> None:
    if context.invoked_subcommand is None:
        outbox_list(failed=False, json=json)


@command(keys_app, "list", _("List every device of your account."))
def keys_list(json: bool = JSON) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.show(open_typed())


@command(keys_app, "add", _("Make a one-time code by which another device joins. Also as a QR code."))
def keys_add(
    role: str = typer.Option(
        "", "--role", metavar="ROLE", help=_("member, owner or cashier; yours unless given."), show_default=False
    ),
    json: bool = JSON,
) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.add(open_typed(), role or None)


@command(
    keys_app, "confirm", _("Say which keys of the association are yours. Without KEY, list those that are said to be.")
)
def keys_confirm(
    key: str = typer.Argument("", metavar="[KEY]", help=_("The key, as the list shows it."), show_default=False),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import confirming

    TERMINAL.as_json = json
    confirming.confirm(open_typed(), key or None, yes=yes)


@command(keys_app, "revoke", _("Take a device's rights away, of a lost phone say."))
def keys_revoke(
    key: str = typer.Argument(
        metavar="KEY", help=_("The key, as the list shows it, or the device's name."), show_default=False
    ),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.revoke(open_typed(), key, yes=yes)


@command(outbox_app, "list", _("List orders whose fate is not known yet."))
def outbox_list(
    failed: bool = typer.Option(False, "--failed", help=_("Those that came to nothing, too.")), json: bool = JSON
) -> None:
    from wallet_cli import waiting

    TERMINAL.as_json = json
    waiting.show(open_typed(), failed=failed)


@command(outbox_app, "settle", _("Find out what became of them. As every command does first."))
def outbox_settle(json: bool = JSON) -> None:
    from wallet_cli import waiting

    TERMINAL.as_json = json
    waiting.settle(open_typed())


typed_euros.add_to(app)


@command(app, "backup", _("Copy the key, sealed with a passphrase, to a file."))
def backup(
    file: str = typer.Argument("", metavar="[FILE]", help=_("Where to; a new file."), show_default=False),
    json: bool = JSON,
) -> None:
    from wallet_cli import safekeeping

    TERMINAL.as_json = json
    safekeeping.backup(open_typed(), file or None)


@command(app, "restore", _("Make a wallet from a backup."))
def restore(
    file: str = typer.Argument(metavar="FILE", help=_("The backup."), show_default=False), json: bool = JSON
) -> None:
    from wallet_cli import safekeeping
    from wallet_cli.home import Home

    TERMINAL.as_json = json
    safekeeping.restore(Home.find(), file)


app.add_typer(keys_app, name="keys", help=_("List, add, confirm and revoke the devices of your account."))
app.add_typer(outbox_app, name="outbox", help=_("List or settle orders that wait for an answer."))


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    TERMINAL.as_json = "--json" in args
    opened_wallets.clear()
    code = _run(args)
    try:
        for wallet in opened_wallets:
            wallet.close()
    except WalletError as error:
        TERMINAL.fail(error)
        return code or int(error.exit_code)
    return code


def _run(args: Sequence[str]) -> int:
    from typer.main import get_command

    try:
        code = get_command(app).main(args=list(args) or ["--help"], prog_name="wallet", standalone_mode=False)
    except WalletError as error:
        TERMINAL.fail(error)
        return int(error.exit_code)
    except BrokenPipeError:
        # Whoever read the output has enough of it (`wallet history | head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        opened_wallets.clear()  # what was not read was not told
        return int(Exit.OK)
    except typer.Abort:
        code = Exit.INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        usage = _("{problem} `{command} --help` says more.")
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "wallet"
        told = usage.format(problem=whole(complaint(error.format_message(), _)), command=path)
        TERMINAL.fail(WalletError(Exit.USAGE, "usage", told))
        return int(Exit.USAGE)
    if code == Exit.INTERRUPTED:
        TERMINAL.fail(WalletError(Exit.INTERRUPTED, "interrupted", _("Interrupted.")))
    return int(code or 0)


def main() -> NoReturn:
    """The `wallet` script."""
    fit_streams()
    sys.exit(run(sys.argv[1:]))
