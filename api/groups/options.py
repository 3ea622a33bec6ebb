"""Options and arguments that many commands share, and how a command is added to its group."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer

from api.commands.console import _
from api.usage import example, speaking

_Command, _Group = speaking(_)
SETTINGS: dict[str, Any] = {"cls": _Group, "no_args_is_help": True, "add_completion": False, "rich_markup_mode": None}
JSON = typer.Option(False, "--json", help=_("The result as JSON; amounts in whole cents."))
PARTY = typer.Argument(metavar="PARTY", help=_("A name or an account number."), show_default=False)


def option(*names: str, help: str, metavar: str | None = None) -> Any:
    """An option that is None unless given."""
    return typer.Option(None, *names, help=help, metavar=metavar, show_default=False)


def many(name: str, *, help: str, metavar: str) -> Any:
    return typer.Option([], name, help=help, metavar=metavar, show_default=False)


def command(group: typer.Typer, name: str, help: str, typed: str = "") -> Callable[[Any], Any]:
    """A command of `group`. `typed` is a line of it, an example; each with more than five options has one."""
    return group.command(name, cls=_Command, help=help, epilog=example(_, typed))
