"""What no statement of an account of the reserve can be, whatever was known of the account before."""

from __future__ import annotations

from datetime import timedelta

from ledger.currency.bank.statement import Statement, StatementError
from ledger.currency.bank.target import is_open
from ledger.currency.charter import ReserveAccount
from ledger.currency.days import FIRST
from ledger.currency.money import decimal_text
from ledger.currency.town import Town


def require_possible(town: Town, statement: Statement, reserve: ReserveAccount, most: int) -> None:
    """Raise `StatementError` for one below nothing, of impossible days, or of more than `most` lines."""
    ends = (("beginning", statement.first, statement.opening), ("end", statement.last, statement.closing))
    when, day, balance = next((end for end in ends if end[2] < 0), ends[0])
    if balance < 0:
        raise StatementError(
            "statement_overdrawn",
            f"{reserve.name} is below nothing at the {when} of {day}, {decimal_text(balance)}, and the reserve cannot "
            "be: move euros there if they lack, and import one file that begins and ends on days on which the account "
            "is above nothing",
        )
    if min([statement.first, *(line.booked_on for line in statement.lines)]) < FIRST:
        raise StatementError("statement_unreadable", f"it has a day before {FIRST.year}: check the date of the file")
    today = town.charter.local_date(town.now())
    # What a bank books on a Friday evening has Monday's day.
    next_day = today + timedelta(days=1)
    while not is_open(next_day):
        next_day += timedelta(days=1)
    if statement.last > next_day:
        raise StatementError(
            "statement_future",
            f"it reaches to {statement.last} and today is {today}: check the date of the file and the clock",
        )
    if len(statement.lines) > most:
        raise StatementError("statement_too_large", f"a statement has at most {most} lines: split it by days")
