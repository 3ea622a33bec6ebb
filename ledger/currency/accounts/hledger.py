"""The accounts as a journal for hledger and ledger-cli, in ASCII: where no language is set, hledger reads nothing else.

Each account is declared, entries stand by day and keep their numbers as codes, and behind each month stand balance
assertions: what each account that moved in it held at its end. Debits are positive. A year that is over is closed on
the day on which the next begins, with just what that one begins with, so that years read together are one journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from ledger.currency.accounts import pcg
from ledger.currency.accounts.by_day import ByDay, Piece
from ledger.currency.accounts.entries import OPENING, Books, Progress
from ledger.currency.accounts.monthly import MonthEnds, ascii_text, short
from ledger.currency.accounts.plan import PlanAccount
from ledger.currency.money import decimal_text

_TYPES = {"1": "E", "2": "A", "3": "A", "5": "A", "6": "X", "7": "R", "8": "E"}
_SPECIAL = re.compile(r"[:;,|*!()\[\]{}\"=@]")


def chunks(books: Books, progress: Progress | None = None) -> Iterator[tuple[int, str]]:
    """The journal, piece by piece, each with its count of lines of entries."""
    kept, ends = ByDay(), MonthEnds()
    try:
        shown: dict[PlanAccount, str] = {}
        for entry in books.entries(progress):
            for account, _debit, _credit in entry.lines:
                if account not in shown:
                    shown[account] = account_name(account)
            opens = _tag(books.period.start) if entry.journal.code == OPENING else ""
            head = f"\n{entry.day} * ({entry.number}) {_plain(entry.text)}  ; piece:{_plain(entry.piece)}\n{opens}"
            rows = [
                f"    {shown[account]}  {decimal_text(debit - credit)} EUR\n" for account, debit, credit in entry.lines
            ]
            kept.add(Piece(entry.day, len(entry.lines), head + "".join(rows)))
            ends.add(entry)
        handed_on = ends.handed_on() if books.next_day is not None else []
        shown |= {account: account_name(account) for account, _cents in handed_on}
        yield 0, _head(books)
        for account in sorted(shown):
            yield 0, _declared(account, shown[account])
        waiting = list(ends.balances())
        for day, lines, text in kept:
            while waiting and day > waiting[0][0].isoformat():
                yield 0, _balances(*waiting.pop(0), shown)
            yield lines, text
        for end, balances in waiting:
            yield 0, _balances(end, balances, shown)
        if books.next_day is not None and handed_on:
            yield 0, _closing(books.next_day, handed_on)
    finally:
        kept.close()


def _head(books: Books) -> str:
    start, end = books.period.start, books.period.end
    text = f"; {_plain(books.town.charter.name)}: {start} - {end}, log entry {books.seq}\n"
    if books.next_day is not None:
        text += (
            f"; What the year hands on is closed on {books.next_day}, where the next one begins with it: read alone,\n"
            f"; its balances are those before that day (-e {books.next_day}); read together, oldest year first,\n"
            "; nothing counts twice. Both entries have the tag clopen.\n"
        )
    return f"{text}decimal-mark .\ncommodity EUR\n    format 1000.00 EUR\ntag clopen\n"


def _balances(day: date, balances: list[tuple[PlanAccount, int]], shown: dict[PlanAccount, str]) -> str:
    rows = [f"    {shown[account]}  0.00 EUR = {decimal_text(cents)} EUR\n" for account, cents in balances]
    return f"\n{day} * Soldes\n{''.join(rows)}" if rows else ""


def _closing(day: date, balances: list[tuple[PlanAccount, int]]) -> str:
    """The opposite of the entry with which the next year begins, on the same day."""
    rows = [f"    {account_name(account)}  {decimal_text(-cents)} EUR\n" for account, cents in balances]
    return f"\n{day} * Remis a l'exercice suivant\n{_tag(day)}{''.join(rows)}"


def _tag(day: date) -> str:
    """What marks both entries, as hledger's own closing does: where a year begins."""
    return f"    ; clopen: {day}\n"


def account_name(account: PlanAccount) -> str:
    """Number and label, and below it the account that stands there for one of many."""
    name = f"{account.number} {_plain(short(account.label))}"
    return f"{name}:{_plain(account.auxiliary)}" if account.auxiliary else name


def _declared(account: PlanAccount, name: str) -> str:
    debit = pcg.side(account.number) == pcg.DEBIT
    type_ = _TYPES.get(account.number[0]) or ("A" if debit else "L")
    label = f"    ; {_plain(account.auxiliary_label)}\n" if account.auxiliary else ""
    return f"\naccount {name}\n    ; type: {type_}\n{label}"


def _plain(text: str) -> str:
    """A text without what means something to hledger; two blanks would end an account's name."""
    return " ".join(_SPECIAL.sub(" ", ascii_text(text)).split()) or "?"
