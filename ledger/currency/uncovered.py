"""Units that were imported into a currency at work, and have no euro behind them yet: whoever got them pays later.

A currency that moves in is out before its euros are booked. Once it is at work (somebody converted, or paid), units of
an issuer are units without a euro like any others: they may lie on accounts, and are not passed on, until everything
that was imported is covered.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, delete, insert, select

from ledger.core.model import Instruction, Transaction
from ledger.currency import reserve as reserve_report
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import IMPORT, OPENING
from ledger.currency.tables import DEVICE_KEY, HOLDING, UNCOVERED_ACCOUNT
from ledger.currency.told import tell
from ledger.currency.town import Town

HELD = "held"
"""What the evidence of an import says of units that are not passed on yet."""
MOVED = frozenset({"payment", "refund", "reconversion_asked"})
"""Kinds of what members order."""
_ASKED_ELSEWHERE = MOVED | {IMPORT}
_PAGE = 1_000


def uncovered(town: Town) -> int:
    """What issuers of an imported currency have out that no euro of the guarantee is behind, in cents."""
    return sum(max(0, -town.book.balance(issuer)) for issuer in reserve_report.issuers(town))


class Work:
    """Whether a currency is at work. What was read of the log is not read again."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._found = False
        self._since: dict[int, int] = {}

    def began(self) -> bool:
        """Whether anybody converted, paid, or asked to change back so far."""
        if not self._found:
            town = self.town
            with town.reading() as connection:
                joined = select(HOLDING.c.account).join(DEVICE_KEY, DEVICE_KEY.c.party == HOLDING.c.party).distinct()
                accounts = sorted(connection.scalars(joined))
            self._found = self._any(town.chart.circulation, None) or any(self._any(one, MOVED) for one in accounts)
        return self._found

    def moved(self, account: int) -> bool:
        """Whether anything but imports, and what covers them, moved the account."""
        return self._any(account, None)

    def _any(self, account: int, kinds: frozenset[str] | None) -> bool:
        """Whether the account moved by such an entry; without kinds: by any but an import and its cover."""
        newest, before = self._since.get(account, 0), None
        read = newest
        while True:
            page = self.town.book.statement(account, limit=_PAGE, before=before)
            for entry in page.entries:
                if entry.place <= newest:
                    break
                read = max(read, entry.place)
                if (entry.kind not in (IMPORT, OPENING)) if kinds is None else entry.kind in kinds:
                    return True
            else:
                if page.next:
                    before = page.next
                    continue
            self._since[account] = read
            return False


def hold(town: Town, connection: Connection, accounts: Collection[int], seq: int) -> None:
    """Note, in the commit of an import, that these accounts got units without a euro behind them."""
    if not uncovered(town):  # as it was before this commit: those that are noted have been covered since
        connection.execute(delete(UNCOVERED_ACCOUNT))
    there = set(connection.scalars(select(UNCOVERED_ACCOUNT.c.account)))
    rows = [{"account": account, "seq": seq} for account in sorted(set(accounts) - there)]
    if rows:
        connection.execute(insert(UNCOVERED_ACCOUNT), rows)


def held(town: Town, connection: Connection, accounts: Collection[int]) -> set[int]:
    """Which of these accounts do not pay yet."""
    query = select(UNCOVERED_ACCOUNT.c.account).where(UNCOVERED_ACCOUNT.c.account.in_(sorted(accounts)))
    found = set(connection.scalars(query))
    return found if found and uncovered(town) else set()


def free(town: Town, account: int) -> int:
    """What may be taken from an account without its holder's order: units that are held pay for nothing, in cents."""
    with town.reading() as connection:
        return 0 if held(town, connection, {account}) else max(0, town.book.balance(account))


def require_free(town: Town, connection: Connection, taking: Iterable[Instruction]) -> None:
    """Raise `CurrencyError`, account_uncovered, where an entry takes units from an account that is held.

    Else units that no euro is behind would be given back for a euro, and leave others without theirs. Held in every
    commit: what an entry was made of may have been held since. An import alone may move such units on; what members
    order is looked at by the desk, in its commit as well, and refused one by one.
    """
    unit, own = town.charter.code, town.chart.circulation
    others = (one for one in taking if isinstance(one, Transaction) and one.kind not in _ASKED_ELSEWHERE)
    from_ = {t.debit for one in others for t in one.transfers if t.unit == unit} - {own}
    if from_ and held(town, connection, from_):
        raise CurrencyError(
            "account_uncovered",
            tell(
                "units that were imported into this account have no euros behind them yet, and none are "
                "taken from it before: cover them first (`patard reserve` says how much lacks)"
            ),
        )


def require_unspent(town: Town, cents: int) -> None:
    """Raise `CurrencyError`, account_uncovered, where units that so many cents of euros cover were passed on since."""
    with town.reading() as connection:
        accounts = list(connection.scalars(select(UNCOVERED_ACCOUNT.c.account)))
    there = sum(max(0, town.book.balance(account)) for account in accounts)
    if accounts and there < uncovered(town) + cents:
        raise CurrencyError(
            "account_uncovered",
            tell(
                "imported units that these euros cover were passed on since: without them they would have no "
                "euros behind them. Bring other euros first"
            ),
        )


def waiting(town: Town) -> int:
    """How many accounts do not pay yet."""
    with town.reading() as connection:
        accounts = list(connection.scalars(select(UNCOVERED_ACCOUNT.c.account)))
    return len(accounts) if accounts and uncovered(town) else 0
