"""The accounts as a journal for hledger, in ASCII: where no language is set, hledger reads nothing else.

Each account is declared, entries keep their numbers as codes, and below them stand balance assertions: what each
account that moved in a month held at its end. Debits are positive.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.currency.accounts import pcg
from ledger.currency.accounts.entries import Books, Progress
from ledger.currency.accounts.monthly import MonthEnds, ascii_text, short
from ledger.currency.accounts.plan import PlanAccount
from ledger.currency.money import decimal_text

_TYPES = {"1": "E", "2": "A", "3": "A", "5": "A", "6": "X", "7": "R", "8": "E"}
_SPECIAL = re.compile(r"[:;,|*!()\[\]{}\"=@]")


def chunks(books: Books, progress: Progress | None = None) -> Iterator[tuple[int, str]]:
    """The journal, piece by piece, each with its count of lines of entries."""
    start, end = books.period.start, books.period.end
    name = _plain(books.town.charter.name)
    yield 0, f"; {name}: {start} - {end}, log entry {books.seq}\ndecimal-mark .\ncommodity 1000.00 EUR\n"
    shown: dict[PlanAccount, str] = {}
    ends = MonthEnds()
    for entry in books.entries(progress):
        rows = []
        for account, _debit, _credit in entry.lines:
            if account not in shown:
                shown[account] = account_name(account)
                rows.append(_declared(account, shown[account]))
        rows.append(f"\n{entry.day} * ({entry.number}) {_plain(entry.text)}  ; piece:{_plain(entry.piece)}\n")
        for account, debit, credit in entry.lines:
            rows.append(f"    {shown[account]}  {decimal_text(debit - credit)} EUR\n")
        ends.add(entry)
        yield len(entry.lines), "".join(rows)
    for day, balances in ends.balances():
        yield 0, f"\n{day} * Soldes\n"
        for account, cents in balances:
            yield 0, f"    {shown[account]}  0.00 EUR = {decimal_text(cents)} EUR\n"


def account_name(account: PlanAccount) -> str:
    """Number and label, and below it the account that stands there for one of many."""
    name = f"{account.number} {_plain(short(account.label))}"
    return f"{name}:{_plain(account.auxiliary)}" if account.auxiliary else name


def _declared(account: PlanAccount, name: str) -> str:
    debit = pcg.side(account.number) == pcg.DEBIT
    type_ = _TYPES.get(account.number[0]) or ("A" if debit else "L")
    return f"\naccount {name}  ; type:{type_}{f', {_plain(account.auxiliary_label)}' if account.auxiliary else ''}\n"


def _plain(text: str) -> str:
    """A text without what means something to hledger; two blanks would end an account's name."""
    return " ".join(_SPECIAL.sub(" ", ascii_text(text)).split()) or "?"
