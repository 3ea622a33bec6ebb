"""Speaking with whoever runs `patard`: results on stdout, errors and progress on stderr, exit codes for scripts.

With `--json`, stdout holds the result as one JSON value with amounts in whole cents, and an error is one JSON object
on stderr. Nothing here is imported that a quick `--help` would have to wait for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from typing import Any, TextIO
from zoneinfo import ZoneInfo

from api.usage import AMOUNTS
from ledger.currency.money import AmountError, format_cents, parse_amount
from ledger.i18n import format_day, format_month, from_environment, translator

LANG = from_environment()
_ = translator("api", LANG)
ngettext = _.ngettext


def N_(text: str) -> str:
    """Marks a text that is translated where it is shown."""
    return text


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN = str.maketrans("\u00a0\u202f\u2009−", "   -")


class Exit(IntEnum):
    """Exit codes; `patard --help` ends with them."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    UNUSABLE = 3
    INTERRUPTED = 130


class CliError(Exception):
    """A command that ends without its result. `code` is stable, `fields` go into `--json`."""

    def __init__(self, exit_code: Exit, code: str, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.fields = fields


_YES = frozenset({"o", "oui", "y", "yes"})


class Console:
    """Where a command's words go. `as_json` is set by the command that was asked for JSON."""

    def __init__(self) -> None:
        self.as_json = False

    def say(self, text: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            _print(_wrapped(text, sys.stdout), sys.stdout)

    def give(self, value: Any) -> None:
        """The result, for programs."""
        if self.as_json:
            _print(json.dumps(value, ensure_ascii=False, indent=2), sys.stdout)

    def note(self, text: str) -> None:
        """A line beside the result."""
        if not self.as_json:
            _print(_wrapped(text, sys.stderr), sys.stderr)

    def fail(self, code: str, message: str, **fields: Any) -> None:
        """Why the command ends without its result."""
        if self.as_json:
            told = {"error": {"code": code, "message": message, **fields}}
            _print(json.dumps(told, ensure_ascii=False), sys.stderr)
        else:
            _print(_wrapped(f"patard: {message}", sys.stderr), sys.stderr)

    def facts(self, pairs: Mapping[str, str]) -> None:
        """Names and values in two columns."""
        width = max(map(len, pairs), default=0)
        for name, value in pairs.items():
            self.say(f"  {name:<{width}}  {value}")

    def table(self, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
        """A table; each column is its title and whether it holds amounts (set to the right)."""
        if self.as_json:
            return
        widths = [max([len(title), *(len(row[i]) for row in rows)]) for i, (title, _right) in enumerate(columns)]
        for cells in ([title for title, _right in columns], *rows):
            aligned = [f"{cell:>{w}}" if columns[i][1] else f"{cell:<{w}}" for i, (cell, w) in
                       enumerate(zip(cells, widths, strict=True))]  # fmt: skip
            self.say("  ".join(aligned).rstrip())

    def ask(self, question: str, default: str = "") -> str:
        """A line that somebody types; `default` for an empty one. Raises `CliError` where nobody can be asked."""
        shown = f"{question} [{default}] " if default else f"{question} "
        sys.stderr.write(_plain(_wrapped(shown, sys.stderr), sys.stderr))
        sys.stderr.flush()
        typed = sys.stdin.readline()
        if not typed:
            raise CliError(Exit.USAGE, "interrupted", _("Nothing was done."))
        return typed.strip() or default

    def confirm(self, question: str) -> None:
        """Ask; anything but a clear yes is a no. Raises `CliError` (USAGE), also where nobody can be asked."""
        if not sys.stdin.isatty():
            raise CliError(Exit.USAGE, "usage", question + " " + _("Nobody can be asked here; add --yes."))
        if self.ask(question + " " + _("[y/N]")).casefold() not in _YES:
            raise CliError(Exit.USAGE, "declined", _("Nothing was done."))

    @contextmanager
    def progress(self, *titles: str) -> Iterator[list[Callable[[int, int], None]]]:
        """One bar for each title, on a terminal only: functions that take what is done and all there is."""
        if self.as_json or not sys.stderr.isatty():
            yield [lambda done, total: None for _title in titles]
            return
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        bars = Progress(
            TextColumn("{task.description}"), BarColumn(24), TaskProgressColumn(), TimeRemainingColumn(),
            console=RichConsole(file=sys.stderr, markup=False), transient=True,
        )  # fmt: skip

        def bar(title: str) -> Callable[[int, int], None]:
            task = bars.add_task(title, total=None)
            return lambda done, total: bars.update(task, completed=done, total=total)

        with bars:
            yield [bar(title) for title in titles]


CONSOLE = Console()
"""The one console of the process."""


def money(cents: int, symbol: str = "") -> str:
    """Cents in the user's language, with a true minus."""
    return f"{'−' if cents < 0 else ''}{format_cents(abs(cents), LANG, symbol)}"


def euros(cents: int) -> str:
    """Cents of euros in the user's language."""
    return money(cents, "€")


def shown_day(value: date) -> str:
    """A day in the user's language."""
    return format_day(value, LANG)


def shown_moment(at: int, zone: str) -> str:
    """A moment (us) in the user's language, as the clocks of that time zone have it."""
    try:
        local = (_EPOCH + timedelta(microseconds=at)).astimezone(ZoneInfo(zone))
    except OverflowError:
        return f"{at} us"
    return f"{shown_day(local.date())} {local:%H:%M:%S} ({zone})"


def shown_month(month: str) -> str:
    """A month YYYY-MM in the user's language."""
    return format_month(month, LANG)


def amount(text: str, name: str) -> int:
    """The cents that were typed, more than nothing. Raises `CliError` (USAGE)."""
    try:
        cents = parse_amount(text)
    except AmountError as error:
        raise CliError(Exit.USAGE, error.code, f"{name} {text!r}: {amount_wrong(error)}") from None
    if not cents:
        raise CliError(Exit.USAGE, "amount_malformed", _("{name}: nothing would move.").format(name=name))
    return cents


def day(option: str, text: str) -> date:
    """The day that was typed. Raises `CliError` (USAGE): date_malformed, date_outside."""
    from ledger.currency import days
    from ledger.currency.errors import CurrencyError

    try:
        return days.typed(text)
    except CurrencyError as error:
        told = _("{option}: write a day as YYYY-MM-DD, of the years 2000 to 2100, not {text!r}.")
        raise CliError(Exit.USAGE, error.code, told.format(option=option, text=text)) from None


def amount_wrong(error: AmountError) -> str:
    """What is wrong with an amount, in the user's language."""
    return _(AMOUNTS[error.code]) if error.code in AMOUNTS else str(error)


def terminal_code(text: str) -> str:
    """A QR code for the terminal of stdout."""
    from merchants import screens

    return screens.terminal_code(text, sys.stdout)


def _wrapped(text: str, stream: TextIO) -> str:
    from merchants import screens

    return screens.wrapped(text, stream)


def _plain(text: str, stream: TextIO) -> str:
    """The text as the stream can hold it: spaces and minus of amounts are simple ones outside of Unicode."""
    encoding = (stream.encoding or "ascii").lower().replace("-", "")
    if encoding.startswith("utf"):
        return text
    return text.translate(_PLAIN).encode(stream.encoding or "ascii", "replace").decode(stream.encoding or "ascii")


def _print(text: str, stream: TextIO) -> None:
    print(_plain(text, stream), file=stream, flush=True)
