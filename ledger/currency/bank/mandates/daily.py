"""What happens to monthly top-ups by itself: after statements were booked, and once in a while."""

from __future__ import annotations

from typing import NamedTuple

from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.mandates.register import lapse
from ledger.currency.bank.mandates.release import Released, release
from ledger.currency.bank.mandates.review import review
from ledger.currency.conversion import CONSOLE
from ledger.currency.sure import Sure
from ledger.currency.town import Town


class Done(NamedTuple):
    """Mandates that lapsed, those that were suspended, and what was released."""

    lapsed: list[Mandate]
    suspended: list[Mandate]
    released: Released

    @property
    def is_nothing(self) -> bool:
        """Whether there was nothing to do."""
        return not self.lapsed and not self.suspended and not self.released.debits and not self.released.stuck


def run(town: Town, sure: Sure, by: str = CONSOLE) -> Done:
    """End mandates that lapsed, suspend those of which debits come back, release what is due; by days that are sure.

    Raises `CurrencyError`: busy, clock_differs.
    """
    return Done(lapse(town, sure, by=by), review(town, by=by), release(town, sure, by))
