"""What happens to monthly top-ups by itself: after statements were booked, and once in a while.

The office can have it looked at now. That makes as many commits as it takes, or none, and an act is for one: so the log
notes which device asked, in a note of its own that carries the act, and what comes of it is the program's as ever.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.core.ids import derived_id
from ledger.core.model import Note
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.register import lapse
from ledger.currency.bank.mandates.release import Released, release
from ledger.currency.bank.mandates.review import review
from ledger.currency.conversion import CONSOLE
from ledger.currency.sure import Sure
from ledger.currency.town import Town

ASKED = "releases_asked"
"""Kind of the note that a device of the office had this looked at."""


class Done(NamedTuple):
    """Mandates that lapsed, those that were suspended, and what was released."""

    lapsed: list[Mandate]
    suspended: list[Mandate]
    released: Released

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not self.lapsed and not self.suspended and not self.released.debits and not self.released.stuck


def asked_id(signature: bytes) -> bytes:
    """Id of the note that a device asked, by its signature: the same request, sent again, is noted once."""
    return derived_id("patard/releases-asked", signature)


def note_asked(town: Town) -> None:
    """Note that the device asks whose act `town` carries out. Raises `CurrencyError`: key_unknown."""
    if town.act is not None:
        town.post(Note(asked_id(town.act.signature), ASKED, {"by": town.act.by}))


def run(town: Town, sure: Sure, by: str = CONSOLE) -> Done:
    """End mandates that lapsed, suspend those of which debits come back, release what is due; by days that are sure.

    Raises `CurrencyError`: busy, clock_differs.
    """
    return Done(lapse(town, sure, by=by), review(town, by=by), release(town, sure, by))
