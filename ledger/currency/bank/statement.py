"""What a bank's statement says, whatever the format it came in.

A statement is checked before it exists: a reader makes one only when opening balance, booked lines and closing balance
add up, in euros, on one account. What depends on the book (whose account, does it continue the last one) is for
`taking`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from ledger.currency.told import Cents, tell

OTHERWISE: Final = tell("ask the bank for camt.053 (XML) or CFONB120")
"""What to do about a file that is as the bank writes it, and does not say enough: it will write the same again."""
AGAIN: Final = tell(
    "fetch the file from the bank again, and open it in no other program before you import it; if it comes as it was, "
    "{otherwise}", otherwise=OTHERWISE,
)  # fmt: skip
"""What to do about a file that came damaged: spreadsheets and editors change more than they show."""


class StatementError(ValueError):
    """A bank file that is refused whole. `code` is stable, `line` counts from 1 (None: no line is at fault).

    Codes: statement_unreadable (not a file of this format, cut, damaged), statement_format_unknown,
    statement_too_large, statement_sum_wrong (opening + lines is not closing), statement_not_euros,
    statement_pending (holds lines that are not booked yet), statement_page (one page of a longer statement),
    statement_empty; and, from `taking`, statement_account_unknown, statement_account_moved, statement_gap,
    statement_days_missing, statement_differs, statement_opening, statement_overdrawn, statement_future.
    """

    def __init__(self, code: str, detail: str, line: int | None = None) -> None:
        self.told = tell("line {line}: {reason}", line=line, reason=detail) if line else detail
        super().__init__(self.told)
        self.code = code
        self.detail = detail
        self.line = line


class LineKind(StrEnum):
    """What the bank says a line is, where it says so."""

    TRANSFER = "transfer"
    """A credit transfer, in or out."""
    DEBIT = "debit"
    """A direct debit that we collected, or that somebody collected from us."""
    RETURN = "return"
    """A transfer or direct debit that came back: rejected, returned, refunded, reversed."""
    CHARGE = "charge"
    """The bank's own fees."""
    CASH = "cash"
    """Cash paid in or taken out."""
    OTHER = "other"
    OPENING = "opening"
    """What was on the account before its first statement; no reader makes this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BankLine:
    """One booked line. `amount` is signed cents: more than 0 came in, less went out; never 0.

    A batch that the bank books as one sum is one line; its parts, where the file tells them, stand in `parts`.
    Texts are as the bank wrote them but for blanks at the ends. `where` is the line of the file, from 1.
    """

    booked_on: date
    amount: int
    value_on: date | None = None
    kind: LineKind = LineKind.OTHER
    bank_ref: str = ""
    """The bank's own reference of the line (AcctSvcrRef, FITID, entry number); not always unique, not always there."""
    name: str = ""
    """Who paid, or who was paid."""
    iban: str = ""
    """Their account, without spaces; "" where the file does not tell."""
    text: str = ""
    """What they wrote: remittance information, structured reference, label; joined by one blank."""
    end_to_end: str = ""
    """The end-to-end id that we gave an order of ours (NOTPROVIDED is ""); of a batch, the id that the batch has."""
    mandate: str = ""
    reason: str = ""
    """Why it came back (AC04, MD06, ...), where the file tells."""
    where: int = 0
    parts: tuple[BankLine, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One account over some days, all of its booked lines. Balances are signed cents of euros.

    `opening` + the lines = `closing`. `first` and `last` are the days it covers, both in it. `account` is an IBAN, or
    where the format has none the French bank, branch and account number (BBAN without key: 21 characters).
    """

    format: str
    """camt.053, cfonb120 or ofx."""
    account: str
    opening: int
    closing: int
    first: date
    last: date
    lines: tuple[BankLine, ...] = field(default=())
    number: str = ""
    """The bank's number of this statement, where it gives one."""
    file: str = field(default="", compare=False)
    """SHA-256 (hex) of the file that it was read from."""

    def __post_init__(self) -> None:
        total = self.opening + sum(line.amount for line in self.lines)
        if total != self.closing:
            raise StatementError(
                "statement_sum_wrong",
                tell(
                    "opening balance and lines come to {total}, the closing balance is {closing}: a line "
                    "or an amount is missing or was changed; {again}",
                    again=AGAIN,
                    total=Cents(total),
                    closing=Cents(self.closing),
                ),
            )


def same_account(iban: str, account: str) -> bool:
    """Whether a statement's `account` is that of `iban`: the same IBAN, or a French BBAN without its key.

    A BBAN may have question marks for characters that the file does not tell (OFX without the branch).
    """
    if account == iban:
        return True
    # France and Monaco: bank, branch and account number stand between check digits and key.
    bban = iban[4:25] if iban[:2] in ("FR", "MC") and len(iban) == 27 else ""
    return (
        bool(bban)
        and len(bban) == len(account)
        and all(told in (char, "?") for char, told in zip(bban, account, strict=True))
    )
