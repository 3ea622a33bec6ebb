"""What the modules that take typed commands share: options, how a command is added, the open wallet."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import typer

from api.usage import example
from wallet_cli.help import Command
from wallet_cli.words import _

if TYPE_CHECKING:
    from wallet_cli.opened import Wallet

JSON = typer.Option(False, "--json", help=_("The result as JSON; amounts in whole cents."))
YES = typer.Option(False, "--yes", "-y", help=_("Do not ask."))


def command(group: typer.Typer, name: str, help: str, typed: str = "") -> Callable[[Any], Any]:
    """A command of `group`. `typed` is a line of it, an example; each with more than five options has one."""
    return group.command(name, cls=Command, help=help, epilog=example(_, typed))


opened_wallets: list[Wallet] = []


def open_typed() -> Wallet:
    from wallet_cli.opened import open_wallet

    opened_wallets.append(open_wallet())
    return opened_wallets[-1]
