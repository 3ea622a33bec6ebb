"""Speaking with whoever runs the command: results on stdout; notes, questions and errors on stderr.

With `--json`, stdout holds the result as one JSON value, or nothing when there is none, and every line on stderr is a
JSON object: `{"note": {...}}` or `{"error": {...}}`. What belongs to a question is still said in words, on stderr.
"""

from __future__ import annotations

import codecs
import io
import json
import os
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

from merchants.screens import has_colour, wrapped
from wallet_cli.errors import Exit, WalletError
from wallet_cli.words import _

_YES = frozenset({"o", "oui", "y", "yes"})


class _Simpler(dict[int, str]):
    """Spaces and quotes in their plain form, letters without their accents, a question mark for everything else."""

    def __missing__(self, key: int) -> str:
        letter = unicodedata.normalize("NFKD", chr(key))[0]
        return letter if letter.isascii() else "?"


_SIMPLER = _Simpler({0xA0: " ", 0x202F: " ", 0x2009: " ", 0x2019: "'", 0x2026: "...", 0xB7: "-"})


class Terminal:
    """Where a command's words go. `as_json` is set by the command that was asked for JSON."""

    def __init__(self) -> None:
        self.as_json = False
        self.stdin_used = False

    def say(self, text: str = "") -> None:
        """A line of the result, for people."""
        if not self.as_json:
            _print(wrapped(text, sys.stdout), sys.stdout)

    def show(self, text: str) -> None:
        """A line that belongs to a question."""
        _print(wrapped(text, sys.stderr), sys.stderr)

    def give(self, value: Any) -> None:
        """The result, for programs."""
        if self.as_json:
            _print(json.dumps(value, ensure_ascii=False, indent=2), sys.stdout)

    def raw(self, text: str) -> None:
        """Text that is written as it stands (CSV, a QR code), without a newline of its own."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def note(self, code: str, text: str, **fields: Any) -> None:
        """One line beside the result: what became of an earlier order, a warning."""
        if self.as_json:
            note = {"code": code, "message": text, **fields}
            _print(json.dumps({"note": note}, ensure_ascii=False), sys.stderr)
        else:
            _print(wrapped(text, sys.stderr), sys.stderr)

    def fail(self, error: WalletError) -> None:
        """Why the command ends without its result."""
        if self.as_json:
            told = {"code": error.code, "message": error.message, "exit": int(error.exit_code), **error.fields}
            _print(json.dumps({"error": told}, ensure_ascii=False), sys.stderr)
        else:
            _print(wrapped(error.message, sys.stderr), sys.stderr)

    def confirm(self, question: str) -> None:
        """Ask; anything but a clear yes, and the end of the input too, is a no: `WalletError` (DECLINED)."""
        if self.ask(question + " " + _("[y/N]") + " ").strip().casefold() not in _YES:
            raise WalletError(Exit.DECLINED, "declined", _("Nothing was done."))

    def ask(self, question: str) -> str:
        """A line from the user: from stdin, or from the terminal itself where stdin brought something else."""
        source: TextIO = sys.stdin
        if self.stdin_used:
            try:
                source = open("/dev/tty", encoding="utf-8", errors="replace")  # noqa: SIM115 (read below, and done)
            except OSError:
                message = _("Nobody can be asked here: the standard input was read already. Add --yes.")
                raise WalletError(Exit.USAGE, "no_terminal", message) from None
        sys.stderr.write(wrapped(question, sys.stderr))
        sys.stderr.flush()
        try:
            typed = source.readline()
            if not source.isatty():
                sys.stderr.write("\n")  # nobody pressed a key that would have ended the line
            return typed
        finally:
            if source is not sys.stdin:
                source.close()

    def ask_secret(self, question: str) -> str:
        """A passphrase, typed unseen at the terminal. Raises `WalletError` (PASSPHRASE) where there is none."""
        import getpass

        try:
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            message = _(
                "A passphrase is needed, and nobody can be asked here: set WALLET_PASSPHRASE or WALLET_PASSPHRASE_FILE."
            )
            raise WalletError(Exit.PASSPHRASE, "passphrase_missing", message) from None
        try:
            return getpass.getpass(question)
        except EOFError:
            raise WalletError(Exit.DECLINED, "declined", _("Nothing was done.")) from None

    def table(self, columns: Sequence[tuple[str, bool]], rows: Sequence[Sequence[str]]) -> None:
        """A table as wide as the terminal; each column is its title and whether it holds amounts (kept whole)."""
        if self.as_json:
            return
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
        for title, is_amount in columns:
            table.add_column(title, justify="right" if is_amount else "left", no_wrap=is_amount, overflow="fold")
        for row in rows:
            table.add_row(*(Text(cell, _style(cell, columns[i])) for i, cell in enumerate(row)))
        # Names may hold what looks like markup, and a pipe has no width: 80 columns are the least that is usual.
        Console(file=sys.stdout, markup=False, emoji=False, highlight=False).print(table)


def _style(cell: str, column: tuple[str, bool]) -> str:
    return "red" if column[1] and cell.startswith("-") else ""


def bold(text: str, stream: TextIO | None = None) -> str:
    """`text` in bold where that is welcome, on stdout unless told otherwise."""
    return f"\x1b[1m{text}\x1b[0m" if has_colour(stream or sys.stdout) else text


def facts(pairs: Mapping[str, str]) -> list[str]:
    """Names and values in two columns."""
    from rich.cells import cell_len

    width = max(map(cell_len, pairs), default=0)
    return [f"  {name}{' ' * (width - cell_len(name))}  {value}" for name, value in pairs.items()]


def fit_streams() -> None:
    """Make stdout and stderr take every text: outside of Unicode the spaces of French amounts are simple ones."""
    codecs.register_error("patard", _simpler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="patard")


def _simpler(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return error.object[error.start : error.end].translate(_SIMPLER), error.end


def _print(text: str, stream: TextIO) -> None:
    print(text, file=stream, flush=True)


TERMINAL = Terminal()
"""The one terminal of the process."""
