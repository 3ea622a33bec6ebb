"""The currency that a command works on: the one that PATARD_HOME names, opened and closed again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.commands.console import CONSOLE, _
from api.home import Home, HomeError, home_of, open_town
from ledger.currency import heads_file
from ledger.currency.town import Town


@contextmanager
def opened(
    *, read_only: bool = False, upgrade: bool = False, alone: bool = False, as_it_is: bool = False
) -> Iterator[Town]:
    """The town of the environment; the end of its log is signed when it is closed. Raises what `open_town` raises."""
    home = home_of()
    town = open_town(home, read_only=read_only, upgrade=upgrade, alone=alone, as_it_is=as_it_is)
    try:
        yield town
    finally:
        try:
            if not read_only:
                sign_head(town, home)
        finally:
            town.book.close()


@contextmanager
def readable() -> Iterator[Town]:
    """The town of the environment for reading alone: nothing is written, and the public key is enough.

    Where the charter has an account that the book has not, it is opened in the book first, if that can be written.
    """
    home = home_of()
    try:
        town = open_town(home, read_only=True)
    except HomeError as error:
        if error.code != "charter_not_applied" or not home.is_writable():
            raise
        with opened():
            pass
        town = open_town(home, read_only=True)
    try:
        yield town
    finally:
        town.book.close()


def sign_head(town: Town, home: Home) -> None:
    """Sign the end of the log, if it grew, and say so where that cannot be written down."""
    trouble = heads_file.record(town, home.heads)
    if trouble is None:
        return
    told = {
        "log_put_back": _(
            "The log is not the one of which the currency signed {size} entries: it was put back to an older copy, or "
            "changed. No more heads of it are signed; `patard check` says more. Keep {file}, and move it away only if "
            "you put that copy back yourself."
        ),
        "heads_unwritable": _("The signed head of the log cannot be written to {file}: {reason}."),
    }[trouble.code]
    CONSOLE.note(told.format(size=trouble.size, file=home.heads, reason=trouble.reason))
