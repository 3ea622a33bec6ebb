"""Who may take in a corrected statement, which changes what others went by.

What the bank corrects in the days of its last statement, anybody of the office brings in. A day that later statements
follow, or a line that a person decided about, is a treasurer's: no bank corrects those unasked.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import Connection, select

from ledger.currency import parties
from ledger.currency.bank.lines import back_id
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

_LINE = BANK_LINE.c


def is_followed(day: date, covered: Iterable[tuple[date, date]]) -> bool:
    """Whether a statement that was taken begins after that day."""
    return any(first > day for first, _last in covered)


def is_treasurer(town: Town, by: str) -> bool:
    """Whether `by` (the key's hex) is a treasurer's, or whoever is at the machine."""
    if by == CONSOLE:
        return True
    key = parties.find_device(town, bytes.fromhex(by))
    return key is not None and key.role == "treasurer"


def require_may(
    town: Town, connection: Connection, by: str, days: Sequence[date], covered: Sequence[tuple[date, date]],
    gone: Sequence[bytes],
) -> None:  # fmt: skip
    """A statement corrects lines of these days, which `covered` told before, and takes away the lines `gone`.

    Raises `CurrencyError`: role_insufficient.
    """
    if not days or is_treasurer(town, by):
        return
    followed = next((day for day in days if is_followed(day, covered)), None)
    if followed is not None:
        raise CurrencyError(
            "role_insufficient",
            tell(
                "this corrects the {day}, and later statements follow that day: only a treasurer may do that",
                day=followed,
            ),
        )
    for row in connection.execute(select(BANK_LINE).where(_LINE.id.in_(gone))):
        if row.placed_seq is not None or town.book.find(back_id(row.id, 0)) is not None:
            raise CurrencyError(
                "role_insufficient",
                tell(
                    "this takes away the {amount} of {day}, about which somebody decided: only a treasurer may do that",
                    amount=Cents(row.amount),
                    day=row.booked_on,
                ),
            )
