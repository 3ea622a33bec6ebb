"""From which day on the bank can carry out a file that it gets now: lead time and hour of cut-off, by the charter."""

from __future__ import annotations

from datetime import date, time, timedelta

from ledger.currency.bank.target import is_open, open_day
from ledger.currency.charter import BankRules
from ledger.currency.charter.parts import DEBIT_LEAD_DAYS
from ledger.currency.town import Town

_DAY = timedelta(days=1)


def first_day(today: date, now: time, lead_days: int, cutoff: time | None) -> date:
    """The first such day for a file of `today` at `now` (local): `lead_days` on which banks work after the one for
    which it counts. After the hour of cut-off that is the next on which they work; where the charter names such an
    hour, a file of a day on which they do not counts for the next, too.
    """
    if cutoff is not None and (now >= cutoff or not is_open(today)):
        today = open_day(today + _DAY)
    for _ in range(lead_days):
        today = open_day(today + _DAY)
    return open_day(today)


def payouts_from(town: Town) -> date:
    """The first day on which the bank can pay what is ordered now."""
    rules: BankRules = town.charter.bank
    now = town.charter.local_time(town.now())
    return first_day(now.date(), now.time(), rules.lead_days, rules.cutoff)


def debits_from(town: Town) -> date:
    """The first day on which the bank can debit what a file that it gets now collects."""
    rules, now = town.charter.mandates, town.charter.local_time(town.now())
    if rules is None:
        return first_day(now.date(), now.time(), DEBIT_LEAD_DAYS, None)
    return first_day(now.date(), now.time(), rules.lead_days, rules.cutoff)
