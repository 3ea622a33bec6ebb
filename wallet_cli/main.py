"""The `wallet` command: what can be typed. What is done stands in the modules that each command calls.

Those are imported when a command runs, so that `wallet --help` and `wallet balance` wait for nothing they do not use.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from wallet_cli.errors import Exit, WalletError
from wallet_cli.help import Command, Group, complaint, epilogue
from wallet_cli.terminal import TERMINAL, fit_streams
from wallet_cli.words import _

if TYPE_CHECKING:
    from wallet_cli.opened import Wallet

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

JSON = typer.Option(False, "--json", help=_("The result as JSON; amounts in whole cents."))
YES = typer.Option(False, "--yes", "-y", help=_("Do not ask."))


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


def _command(group: typer.Typer, name: str, help: str) -> Callable[[Any], Any]:
    return group.command(name, cls=Command, help=help)


_opened: list[Wallet] = []


def _open() -> Wallet:
    from wallet_cli.opened import open_wallet

    _opened.append(open_wallet())
    return _opened[-1]


@_command(app, "join", _("Make this machine a wallet, with a code from the association."))
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


@_command(app, "balance", _("The balance; with the server away, the last known one."))
def balance(json: bool = JSON) -> None:
    from wallet_cli import reading

    TERMINAL.as_json = json
    reading.balance(_open())


@_command(app, "history", _("The entries, newest first, each with the balance after it."))
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
    wallet = _open()
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


@_command(app, "pay", _("Pay a code: its link, its picture (a file), or - for stdin."))
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
    wallet = _open()
    with wallet.nothing_signed():
        if to:
            paying.pay_account(wallet, to, cents or 0, yes=yes)
        else:
            paying.pay_request(wallet, read_target(target, wallet.settings.network_id), cents, yes=yes)


@_command(app, "receipt", _("The checked receipt of a payment; the last one without an id."))
def receipt(
    id: str = typer.Argument("", metavar="[ID]", help=_("An id, or its last 8 characters."), show_default=False),
    json: bool = JSON,
) -> None:
    from wallet_cli import receipts

    TERMINAL.as_json = json
    receipts.show(_open(), id or None)


@_command(app, "refund", _("Give a received payment back, whole or in part."))
def refund(
    id: str = typer.Argument(metavar="ID", help=_("The payment's id, or its last 8 characters."), show_default=False),
    amount: str = typer.Option("", "--amount", metavar="A", help=_("A part of it, such as 4,50."), show_default=False),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount or None)
    wallet = _open()
    with wallet.nothing_signed():
        paying.refund(wallet, id, cents, yes=yes)


@_command(app, "reconvert", _("Ask the association to change units back to euros."))
def reconvert(
    amount: str = typer.Argument(metavar="AMOUNT", help=_("Such as 150 or 150,00."), show_default=False),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import paying

    TERMINAL.as_json = json
    cents = paying.amount_of(amount) or 0
    wallet = _open()
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


@_command(keys_app, "list", _("Every device of your account."))
def keys_list(json: bool = JSON) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.show(_open())


@_command(keys_app, "add", _("A one-time code, also as a QR code, with which another device can join your account."))
def keys_add(
    role: str = typer.Option(
        "", "--role", metavar="ROLE", help=_("member, owner or cashier; yours unless given."), show_default=False
    ),
    json: bool = JSON,
) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.add(_open(), role or None)


@_command(keys_app, "revoke", _("Take a device's rights away, that of a lost phone for example."))
def keys_revoke(
    key: str = typer.Argument(
        metavar="KEY", help=_("The key, as the list shows it, or the device's name."), show_default=False
    ),
    yes: bool = YES,
    json: bool = JSON,
) -> None:
    from wallet_cli import devices

    TERMINAL.as_json = json
    devices.revoke(_open(), key, yes=yes)


@_command(outbox_app, "list", _("Orders whose fate is not known yet."))
def outbox_list(
    failed: bool = typer.Option(False, "--failed", help=_("Those that came to nothing, too.")), json: bool = JSON
) -> None:
    from wallet_cli import waiting

    TERMINAL.as_json = json
    waiting.show(_open(), failed=failed)


@_command(outbox_app, "settle", _("Find out what became of them (as every command does first)."))
def outbox_settle(json: bool = JSON) -> None:
    from wallet_cli import waiting

    TERMINAL.as_json = json
    waiting.settle(_open())


@_command(app, "backup", _("Copy the key, sealed with a passphrase, to a file."))
def backup(
    file: str = typer.Argument("", metavar="[FILE]", help=_("Where to; a new file."), show_default=False),
    json: bool = JSON,
) -> None:
    from wallet_cli import safekeeping

    TERMINAL.as_json = json
    safekeeping.backup(_open(), file or None)


@_command(app, "restore", _("Make a wallet from a backup."))
def restore(
    file: str = typer.Argument(metavar="FILE", help=_("The backup."), show_default=False), json: bool = JSON
) -> None:
    from wallet_cli import safekeeping
    from wallet_cli.home import Home

    TERMINAL.as_json = json
    safekeeping.restore(Home.find(), file)


app.add_typer(keys_app, name="keys", help=_("The devices that act for your account: list, add, revoke."))
app.add_typer(outbox_app, name="outbox", help=_("Orders that wait for an answer: list, settle."))


def run(args: Sequence[str]) -> int:
    """Run one command line; the exit code."""
    TERMINAL.as_json = "--json" in args
    _opened.clear()
    code = _run(args)
    try:
        for wallet in _opened:
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
        _opened.clear()  # what was not read was not told
        return int(Exit.OK)
    except typer.Abort:
        code = Exit.INTERRUPTED
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        usage = _("{problem} `{command} --help` says more.")
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "wallet"
        told = usage.format(problem=complaint(error.format_message()), command=path)
        TERMINAL.fail(WalletError(Exit.USAGE, "usage", told))
        return int(Exit.USAGE)
    if code == Exit.INTERRUPTED:
        TERMINAL.fail(WalletError(Exit.INTERRUPTED, "interrupted", _("Interrupted.")))
    return int(code or 0)


def main() -> NoReturn:
    """The `wallet` script."""
    fit_streams()
    sys.exit(run(sys.argv[1:]))
