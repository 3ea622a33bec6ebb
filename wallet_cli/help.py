"""The help pages and the complaints about usage, in the user's language.

Typer writes both in English and knows no other. Its words are few, so they are put into French where it has written
them, and a test sees to it that none is left.
"""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from wallet_cli.errors import Exit
from wallet_cli.words import LANG, N_, _, clean

_LINES = {
    "Usage:": N_("Usage:"),
    "Options:": N_("Options:"),
    "Arguments:": N_("Arguments:"),
    "Commands:": N_("Commands:"),
}
_WORDS = {
    "[OPTIONS]": N_("[OPTIONS]"),
    "COMMAND [ARGS]...": N_("COMMAND [ARGS]..."),
    "Show this message and exit.": N_("Show this help."),
    "[required]": N_("[required]"),
    "[default: ": N_("[default: "),
}
_COMPLAINTS = (
    (re.compile(r"No such option: (?P<what>\S*).*", re.DOTALL), N_("There is no option {what}.")),
    (re.compile(r"No such command '(?P<what>[^']*)'.*", re.DOTALL), N_("There is no command {what}.")),
    (re.compile(r"Missing \w+ '(?P<what>[^']*)'.*", re.DOTALL), N_("{what} is missing.")),
    (re.compile(r"Missing command.*", re.DOTALL), N_("A command is missing.")),
    (
        re.compile(r"Invalid value for (?P<what>.*?): .*", re.DOTALL),
        N_("The value of {what} is not one that it takes."),
    ),
    (re.compile(r"Option '(?P<what>[^']*)' requires an argument.*", re.DOTALL), N_("{what} needs a value.")),
    (re.compile(r"Got unexpected extra arguments? \((?P<what>.*)\)", re.DOTALL), N_("Too many arguments: {what}.")),
)


EXITS = {
    Exit.OK: N_("done"),
    Exit.REFUSED: N_("refused by the currency"),
    Exit.USAGE: N_("wrong usage"),
    Exit.UNREACHABLE: N_("server unreachable; an order that was sent is kept in the outbox"),
    Exit.ALREADY_PAID: N_("already paid; nothing was moved"),
    Exit.NOT_JOINED: N_("no wallet here yet"),
    Exit.PASSPHRASE: N_("wrong or missing passphrase"),
    Exit.DECLINED: N_("declined at the question"),
    Exit.LOCKED: N_("another wallet command is at work"),
    Exit.FILES: N_("a file cannot be used or is damaged"),
    Exit.UNTRUSTED: N_("an answer is not signed as it must be: do not go on"),
    Exit.INTERRUPTED: N_("interrupted"),
}
ENVIRONMENT = {
    "WALLET_HOME": N_("the wallet's folder (~/.patard-wallet)"),
    "WALLET_PASSPHRASE": N_("the passphrase, for scripts"),
    "WALLET_PASSPHRASE_FILE": N_("a file whose first line is the passphrase"),
    "PATARD_LANG": N_("fr or en"),
    "NO_COLOR": N_("no colours"),
}


def epilogue() -> str:
    """What `wallet --help` ends with: exit codes, environment, and what becomes of an order without an answer."""
    # A line of \b keeps the lines of a paragraph as they are.
    exits = [f"{int(code):>5}  {_(text)}" for code, text in EXITS.items()]
    names = [f"  {name:<22}  {_(text)}" for name, text in ENVIRONMENT.items()]
    promise = _(
        "An order that got no answer is kept, and every later command first finds out what became of it: it is never "
        "booked twice. With --json, the result stands on stdout and each line on stderr is a JSON object; amounts are "
        "whole cents."
    )
    return "\n\n".join(
        ("\n".join(("\b", _("Exit codes:"), *exits)), "\n".join(("\b", _("Environment:"), *names)), promise)
    )


def complaint(message: str) -> str:
    """What is wrong with the command line, in the user's language."""
    for pattern, text in _COMPLAINTS:
        if found := pattern.fullmatch(message):
            return _(text).format(**{name: clean(value) for name, value in found.groupdict().items()})
    return clean(message)


def _translated(text: str) -> str:
    if LANG == "en":
        return text
    lines = []
    for line in text.split("\n"):
        for start, words in _LINES.items():
            if line.startswith(start):
                line = _(words) + line.removeprefix(start)
        for found, words in _WORDS.items():
            line = line.replace(found, _(words))
        lines.append(line)
    return "\n".join(lines)


class Command(TyperCommand):
    """A command whose help speaks the user's language."""

    def get_help(self, ctx: Any) -> str:
        return _translated(super().get_help(ctx))


class Group(TyperGroup):
    """A group of commands whose help speaks the user's language; its commands stand in the order they were written."""

    def get_help(self, ctx: Any) -> str:
        return _translated(super().get_help(ctx))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)
