"""The help pages of a command and the complaints about its usage, in the user's language: of `patard` and of `wallet`.

Typer writes both in English and knows no other. Its words are few, so they are put into French where it has written
them, and a test sees to it that none is left. Each command brings its own catalogue, so that none reads two.
"""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand, TyperGroup

from ledger.i18n import Translator


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


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
    "[default:": N_("[default:"),
}
_EXAMPLE = N_("Example:")
_COMPLAINTS = (
    (re.compile(r"No such option: (?P<what>-[0-9][^ ]*).*", re.DOTALL), N_("{what}: write the amount without a sign.")),
    (re.compile(r"No such option: (?P<what>\S*).*", re.DOTALL), N_("There is no option {what}.")),
    (re.compile(r"No such command '(?P<what>[^']*)'.*", re.DOTALL), N_("There is no command {what}.")),
    (re.compile(r"Missing \w+ '(?P<what>[^']*)'.*", re.DOTALL), N_("{what} is missing.")),
    (re.compile(r"Missing command.*", re.DOTALL), N_("A command is missing.")),
    (
        re.compile(r"Invalid value for (?P<what>.*?): .*", re.DOTALL),
        N_("The value of {what} is not one that it takes."),
    ),
    (re.compile(r"Option '(?P<what>[^']*)' requires an argument.*", re.DOTALL), N_("{what} needs a value.")),
    (re.compile(r"Got unexpected extra argument\S* \((?P<what>.*)\)", re.DOTALL), N_("Too many arguments: {what}.")),
)


AMOUNTS = {
    "amount_decimals": N_("Write at most two decimals, such as 12,50."),
    "amount_digits": N_("Write the amount with the digits 0 to 9, such as 12,50."),
    "amount_empty": N_("An amount is needed, such as 12 or 12,50."),
    "amount_exponent": N_("Write the amount out in full, such as 1500 or 12,50."),
    "amount_grouping": N_("Leave thousands marks out and write the amount such as 1234,56."),
    "amount_malformed": N_("This is not an amount; write digits only, such as 12 or 12,50."),
    "amount_range": N_("This amount is far too large."),
    "amount_sign": N_("Write the amount without a sign."),
}
"""What is wrong with an amount that somebody typed, by the code of the `AmountError`."""


def complaint(message: str, words: Translator) -> str:
    """What Typer says is wrong with the command line, in the language of `words`."""
    for pattern, text in _COMPLAINTS:
        if found := pattern.fullmatch(message):
            return words(text).format(**found.groupdict())
    return message


def example(words: Translator, line: str) -> str | None:
    """What the help of a command ends with: a whole line that can be typed; nothing where there is none."""
    # A line of \b keeps the lines of a paragraph as they are.
    return f"\b\n{words(_EXAMPLE)}\n  {line}" if line else None


def speaking(words: Translator) -> tuple[type[TyperCommand], type[TyperGroup]]:
    """Classes of commands and groups whose help has `words`; a group's commands stand as they were written."""

    class Command(TyperCommand):
        def get_help(self, ctx: Any) -> str:
            return _translated(super().get_help(ctx), words)

    class Group(TyperGroup):
        def get_help(self, ctx: Any) -> str:
            return _translated(super().get_help(ctx), words)

        def list_commands(self, ctx: Any) -> list[str]:
            return list(self.commands)

    return Command, Group


def _translated(text: str, words: Translator) -> str:
    if words.lang == "en":
        return text
    lines = []
    for line in text.split("\n"):
        for start, told in _LINES.items():
            if line.startswith(start):
                line = words(told) + line.removeprefix(start)
        for found, told in _WORDS.items():
            line = line.replace(found, words(told))
        lines.append(line)
    return "\n".join(lines)
