"""The accounts as CSV, UTF-8 with commas: a line for each line of an entry, the whole year's or one account's.

    entry,date,valid_on,journal,account,account_label,auxiliary,auxiliary_label,piece,piece_date,text,debit,credit,
    amount,balance

`debit` and `credit` are as in the FEC, euros with a decimal point. `amount` is what the line adds to its account's
balance as seen from the side on which the account grows (what is owned: debits; what is owed, a member's units too:
credits), and `balance` is that account's balance after the line: so an account's amounts sum to its balance. A year
begins with what the accounts held before (journal AN).
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator
from io import StringIO

from ledger.currency.accounts import pcg
from ledger.currency.accounts.entries import Books, Progress
from ledger.currency.accounts.plan import PlanAccount
from ledger.currency.money import decimal_text

COLUMNS = ("entry", "date", "valid_on", "journal", "account", "account_label", "auxiliary", "auxiliary_label", "piece",
           "piece_date", "text", "debit", "credit", "amount", "balance")  # fmt: skip
_FORMULA = ("=", "+", "-", "@")


def chunks(books: Books, progress: Progress | None = None, only: str | None = None) -> Iterator[tuple[int, str]]:
    """The sheet, piece by piece, each with its count of lines below the header.

    `only` is an account's number in the chart of accounts, or an auxiliary's: the lines of others are left out.
    """
    yield 0, ",".join(COLUMNS) + "\n"
    balances: Counter[PlanAccount] = Counter()
    for entry in books.entries(progress):
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        count = 0
        for account, debit, credit in entry.lines:
            if only not in (None, account.number, account.auxiliary):
                continue
            amount = pcg.side(account.number) * (debit - credit)
            balances[account] += amount
            writer.writerow(
                (
                    entry.number, entry.day, entry.valid_on, entry.journal.code, *map(_cell, account),
                    _cell(entry.piece), entry.piece_on, entry.text, decimal_text(debit), decimal_text(credit),
                    decimal_text(amount), decimal_text(balances[account]),
                )
            )  # fmt: skip
            count += 1
        yield count, text.getvalue()


def _cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text
