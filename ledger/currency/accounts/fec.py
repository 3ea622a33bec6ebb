"""The FEC (fichier des écritures comptables): the file that art. A47 A-1 of the LPF asks for.

18 fields separated by TAB, amounts with a decimal comma, days as AAAAMMJJ, records that end with CR LF, in UTF-8. What
it says follows from the log and the plan alone: a closed year gives the same bytes for ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from ledger.currency.accounts.entries import Books, Progress
from ledger.currency.accounts.periods import FORM
from ledger.currency.accounts.plan import PlanAccount

COLUMNS = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip


def file_name(siren: str, end: date) -> str:
    """The name that the law gives the file."""
    return f"{siren}FEC{end:%Y%m%d}.txt"


def chunks(books: Books, progress: Progress | None = None) -> Iterator[tuple[int, str]]:
    """The file, piece by piece: the lines of one entry each, with their count. The first piece is the header."""
    yield 0, "\t".join(COLUMNS) + "\r\n"
    shown: dict[PlanAccount, str] = {}
    form = form_of(books)
    for number, journal, day, valid_on, piece, piece_on, text, lines in books.entries(progress):
        head = f"{journal.code}\t{journal.title}\t{number}\t{_day(day)}\t"
        middle = f"\t{piece}\t{_day(piece_on)}\t{text}\t"
        tail = f"\t\t\t{_day(valid_on)}\t\t\r\n"
        rows = []
        for account, debit, credit in lines:
            cells = shown.get(account)
            if cells is None:
                cells = shown[account] = "\t".join(account._replace(auxiliary=auxiliary(account, form)))
            rows.append(f"{head}{cells}{middle}{_amount(debit)}\t{_amount(credit)}{tail}")
        yield len(lines), "".join(rows)


def form_of(books: Books) -> int:
    """Which version of the file these books make: that in which they were closed, or the present one."""
    return books.period.closing.form if books.period.closing else FORM


def auxiliary(account: PlanAccount, form: int = FORM) -> str:
    """The number of an auxiliary account: it begins with that of the account which it is a part of."""
    return account.number + account.auxiliary if account.auxiliary and form > 1 else account.auxiliary


def _day(iso: str) -> str:
    return f"{iso[:4]}{iso[5:7]}{iso[8:]}"


def _amount(cents: int) -> str:
    return f"{cents // 100},{cents % 100:02d}"
