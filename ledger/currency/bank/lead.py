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


def last_day(on: date, lead_days: int, cutoff: time | None) -> date:
    """The last day, before the hour of cut-off, on which the bank must have a file that it is to carry out `on`."""
    day = on
    while not is_open(day) or first_day(day, time.min, lead_days, cutoff) > on:
        day -= _DAY
    return day


def payouts_from(town: Town) -> date:
    """The first day on which the bank can pay what is ordered now."""
    rules: BankRules = town.charter.bank
    now = town.charter.local_time(town.now())
    return first_day(now.date(), now.time(), rules.lead_days, rules.cutoff)


def debits_from(town: Town) -> date:
    """The first day on which the bank can debit what a file that it gets now collects."""
    now = town.charter.local_time(town.now())
    return first_day(now.date(), now.time(), *_debit_rules(town))


def debits_by(town: Town, on: date) -> tuple[date, time | None]:
    """Until when the bank must have a file of debits of the day `on`: a day, and its local hour if there is one."""
    lead_days, cutoff = _debit_rules(town)
    return last_day(on, lead_days, cutoff), cutoff


def _debit_rules(town: Town) -> tuple[int, time | None]:
    rules = town.charter.mandates
    return (DEBIT_LEAD_DAYS, None) if rules is None else (rules.lead_days, rules.cutoff)
