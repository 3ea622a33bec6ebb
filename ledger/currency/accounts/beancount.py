"""The accounts as a beancount file. Debits are positive.

Balances are asserted to the cent: left to itself, beancount would let one cent pass. Its assertions hold at the
beginning of their day, so that of a month's end is dated on the day after.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from ledger.currency.accounts import pcg
from ledger.currency.accounts.entries import Books, Progress
from ledger.currency.accounts.monthly import MonthEnds, ascii_text, short
from ledger.currency.accounts.plan import PlanAccount
from ledger.currency.money import decimal_text

_ROOTS = {"1": "Equity", "2": "Assets", "3": "Assets", "5": "Assets", "6": "Expenses", "7": "Income", "8": "Equity"}
_PLUGIN = 'plugin "beancount.plugins.auto_accounts"'
"""Opens accounts: a year that did so itself would open them a second time where it is read with another."""
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9]+")


def chunks(books: Books, progress: Progress | None = None) -> Iterator[tuple[int, str]]:
    """The file, piece by piece, each with its count of lines of entries."""
    start, end = books.period.start, books.period.end
    yield (
        0,
        f'option "title" {_quoted(f"{books.town.charter.name} {start} - {end}")}\noption "operating_currency" "EUR"\n'
        f"; Several years together: a file with this line, and an include for each. Nothing counts twice: what a year\n"
        f"; hands on is closed on the day on which the next one begins with it.\n{_PLUGIN}\n",
    )
    shown: dict[PlanAccount, str] = {}
    ends = MonthEnds()
    for entry in books.entries(progress):
        rows = []
        for account, _debit, _credit in entry.lines:
            if account not in shown:
                shown[account] = account_name(account)
                rows.append(f"\n{start} note {shown[account]} {_quoted(_label(account))}\n")
        facts = f"  number: {_quoted(entry.number)}\n  piece: {_quoted(entry.piece)}\n"
        rows.append(f"\n{entry.day} * {_quoted(entry.text)}\n{facts}")
        for account, debit, credit in entry.lines:
            rows.append(f"  {shown[account]}  {decimal_text(debit - credit)} EUR\n")
        ends.add(entry)
        yield len(entry.lines), "".join(rows)
    for day, balances in ends.balances():
        after = day + timedelta(days=1)
        yield 0, "\n"
        for account, cents in balances:
            yield 0, f"{after} balance {shown[account]}  {decimal_text(cents)} ~ 0 EUR\n"
    if books.next_day is not None and (handed_on := ends.handed_on()):
        yield 0, f'\n{books.next_day} * "Remis à l\'exercice suivant"\n'
        for account, cents in handed_on:
            yield 0, f"  {account_name(account)}  {decimal_text(-cents)} EUR\n"


def account_name(account: PlanAccount) -> str:
    """The root that goes with the account's class, number and label, and whose it is."""
    root = _ROOTS.get(account.number[0]) or ("Assets" if pcg.side(account.number) == pcg.DEBIT else "Liabilities")
    name = f"{root}:{account.number}-{_slug(short(account.label))}".rstrip("-")
    return f"{name}:{_slug(account.auxiliary)}" if account.auxiliary else name


def _label(account: PlanAccount) -> str:
    return account.auxiliary_label or account.label


def _slug(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", ascii_text(text)).strip("-")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
