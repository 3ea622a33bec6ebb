"""Whose a statement is, and whether it can be: the account of the reserve that it is of, its days and its balances."""

from __future__ import annotations

from datetime import timedelta

from ledger.core.ids import derived_id
from ledger.currency import chartered, salted
from ledger.currency.bank.standing import withdrawal_id
from ledger.currency.bank.statement import Statement, StatementError, same_account
from ledger.currency.bank.target import is_open
from ledger.currency.charter import ReserveAccount
from ledger.currency.days import FIRST
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

MAX_LINES = 1 << 20
MAX_BEFORE = 100
"""Lines at most of what was on an account before its first statement."""


def statement_id(network: bytes, reserve: str, number: int) -> bytes:
    """Id of the note that takes the statement `number` (from 1) of that reserve account."""
    return derived_id("patard/bank-statement", network, reserve, str(number))


def account_of(town: Town, statement: Statement) -> ReserveAccount | None:
    """The reserve's account that a statement is of; None where it is another."""
    for account in town.charter.reserve:
        if account.iban and same_account(account.iban, statement.account):
            return account
    return None


def reserve_account(town: Town, statement: Statement) -> ReserveAccount:
    if (account := account_of(town, statement)) is not None:
        return account
    ibans = ", ".join(account.iban for account in town.charter.reserve if account.iban) or tell("none so far")
    raise StatementError("statement_account_unknown", tell(
        "this statement is of the account {account}, which is none of the reserve's ({ibans}): choose the right file, "
        "or give the account its line iban = \"...\" in the charter", account=statement.account, ibans=ibans,
    ))  # fmt: skip


def require_not_another(town: Town, account: ReserveAccount) -> None:
    """Refuse an account whose statements stand for another one of the reserve: its euros would count twice."""
    hashed = salted.reserve_iban(town.key, account.iban)
    before = [rules for rules in chartered.noted(town) if rules.says_accounts]
    names = {name for rules in before for name in rules.reserve if rules.iban_of(name) == hashed}
    for name in sorted(names - {account.name}):
        number = 1
        while (found := town.book.find(statement_id(town.charter.network, name, number))) is not None:
            withdrawn = town.book.find(withdrawal_id(found.instruction.id))
            if withdrawn is not None:
                number += int(withdrawn.instruction.evidence["statements"])
                continue
            # Those of before do not say whose they are: the account's, as the first charter that says it has it.
            if found.instruction.evidence.get("iban", hashed) == hashed:
                raise StatementError("statement_account_moved", tell(
                    "statements of {iban} were taken for the reserve account \"{before}\", and would bring the same "
                    "euros once more for \"{name}\": put back its iban to \"{before}\" in the charter; or if that was "
                    "the mistake, withdraw them first (`patard bank withdraw`)",
                    iban=account.iban, before=name, name=account.name,
                ))  # fmt: skip
            number += 1


def require_possible(town: Town, statement: Statement, reserve: ReserveAccount) -> None:
    for day, balance in ((statement.first, statement.opening), (statement.last, statement.closing)):
        if balance < 0:
            raise StatementError(
                "statement_overdrawn",
                tell(
                    "on {day} {name} is below nothing, {balance}, which the reserve cannot be: fetch a file that "
                    "begins and ends on days on which the account is above nothing, and import that; if it still is "
                    "below, move euros there first",
                    name=reserve.name, day=day, balance=Cents(balance),
                ),
            )  # fmt: skip
    if min([statement.first, *(line.booked_on for line in statement.lines)]) < FIRST:
        raise StatementError("statement_unreadable", tell("it has a day before {year}: check the date of the file",
                                                          year=FIRST.year))  # fmt: skip
    today = town.charter.local_date(town.now())
    # What a bank books on a Friday evening has Monday's day.
    next_day = today + timedelta(days=1)
    while not is_open(next_day):
        next_day += timedelta(days=1)
    if statement.last > next_day:
        raise StatementError("statement_future", tell(
            "it reaches to {last} and today is {today}: if the bank dates it ahead, import it on that day; else the "
            "clock is wrong, see `patard clock`", last=statement.last, today=today,
        ))  # fmt: skip
    if len(statement.lines) > MAX_LINES - MAX_BEFORE:
        raise StatementError("statement_too_large", tell("a statement has at most {max_lines} lines: split it by days",
                                                         max_lines=MAX_LINES - MAX_BEFORE))  # fmt: skip
