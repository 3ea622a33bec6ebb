"""The machine's clock, held against the book: shown, and taken for right by somebody who has looked at it."""

from __future__ import annotations

from api.commands.console import CONSOLE, CliError, Exit, _, shown_moment
from api.commands.failures import reason
from api.commands.opened import opened
from api.schemas.fields import rfc3339
from ledger.currency import clocked
from ledger.currency.charter import Charter

YES = ("o", "oui", "y", "yes")


def show() -> None:
    """Clock and last entry. Raises `CliError` (REFUSED), clock_differs, where nothing would be posted."""
    with opened(read_only=True, as_it_is=True) as town:
        found = clocked.state(town)
        charter = town.charter
    _show(found, charter)
    CONSOLE.give(_json(found))
    if found.wrong is not None:
        raise CliError(Exit.REFUSED, "clock_differs", reason("clock_differs", found.wrong))
    CONSOLE.say(_("They fit each other."))


def confirm() -> None:
    """Ask whether the clock is right, and note in the log that it is."""
    with opened(as_it_is=True) as town:
        _show(clocked.state(town), town.charter)
        answer = CONSOLE.ask(_("Is the machine's clock right, day and year too? (y/N)"))
        if answer.strip().lower() not in YES:
            raise CliError(Exit.INTERRUPTED, "interrupted", _("Nothing was done."))
        clocked.confirm(town)
        found = clocked.state(town)
    CONSOLE.say(_("Noted. From now on this clock counts; a server that waited goes on by itself."))
    CONSOLE.give(_json(found))


def _show(found: clocked.State, charter: Charter) -> None:
    zone = charter.timezone
    CONSOLE.facts({_("clock"): shown_moment(found.clock, zone), _("last entry"): shown_moment(found.head.at, zone)})


def _json(found: clocked.State) -> dict[str, object]:
    return {
        "clock": rfc3339(found.clock), "last_entry": rfc3339(found.head.at), "size": found.head.seq,
        "ok": found.wrong is None, "detail": found.wrong,
    }  # fmt: skip
