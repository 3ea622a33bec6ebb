"""Whatever happens to payouts (executed, rejected, returned, twice, killed between): euros or units, and it adds up."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking
from ledger.currency.bank.payouts import batches, contents, undoing
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.statement import BankLine
from ledger.currency.errors import CurrencyError
from tests import towns
from tests.currency.bank.paying import BROUGHT, Town3, accept, copied, credit, debit, now, sign
from tests.currency.bank.scene import DAY, balances, line, statement
from tests.towns import BANK


class Killed(BaseException):
    """The process ended here."""


class Bank:
    """What the bank did with each payout, and the statements that it has not given out yet."""

    def __init__(self, paying: Town3) -> None:
        self.paying, self.town = paying, paying.town
        self.payouts: list[Payout] = []
        self.executed: Counter[bytes] = Counter()
        self.returned: Counter[bytes] = Counter()
        self.day, self.balance = DAY, 3 * BROUGHT
        self.lines: list[BankLine] = []
        self.last: tuple[list[BankLine], int] = ([], self.balance)

    def accept(self, n: int) -> None:
        shop = self.paying.shops[n % 3]
        if len(self.payouts) < 6:
            self.payouts.append(accept(self.town, shop, 1_000 * (n + 1)))

    def file(self, n: int) -> None:
        """The office orders, signs, fetches or gives up, whichever comes next or does not."""
        town, steps = self.town, n % 4
        if not batches.every(town, open_only=True):
            batches.order(town)
        batch = batches.every(town, open_only=True)[-1]
        if steps == 3:
            batches.withdraw(town, batch, fetched_too=bool(n & 4))
        elif steps:
            sign(town, batch, self.paying.alice)
            if steps == 2:
                batches.fetch(town, batch)

    def execute(self, n: int) -> None:
        payout = self.payouts[n % len(self.payouts)]
        self.executed[payout.reconversion] += 1
        self.lines.append(debit(payout, self.day + timedelta(days=1)))

    def execute_file(self, n: int) -> None:
        """A file is booked as one sum; what was rejected before may be in it, what the bank paid alone is not."""
        made = [batch for batch in batches.every(self.town) if batch.fetched_at]
        batch = made[n % len(made)]
        orders = contents.transfers_of(self.town, batch.id)
        chosen = [one for one in orders if not self.executed[one.reconversion] and (n & 4 or one.state != "undone")]
        if chosen:
            self.executed.update(one.reconversion for one in chosen)
            day, total = self.day + timedelta(days=1), sum(one.amount for one in chosen)
            parts = tuple(debit(now(self.town, self.of(one.reconversion)), day) for one in chosen) if n & 1 else ()
            self.lines.append(line(-total, "VIREMENTS", day, end_to_end=batch.message, parts=parts))

    def of(self, reconversion: bytes) -> Payout:
        return next(one for one in self.payouts if one.reconversion == reconversion)

    def send_back(self, n: int) -> None:
        payout = self.payouts[n % len(self.payouts)]
        if self.returned[payout.reconversion] < self.executed[payout.reconversion]:
            self.returned[payout.reconversion] += 1
            self.lines.append(credit(payout, self.day + timedelta(days=1)))

    def reject(self, n: int) -> None:
        undoing.reject(self.town, self.payouts[n % len(self.payouts)], reason="AC04")

    def give_out(self, n: int) -> None:
        """A day's statement, alone or with the last one's lines before it; the process may be killed."""
        self.day += timedelta(days=1)
        # A line of its own, so that no two days sum to the same.
        rows = [*self.lines, line(n + 1, f"RELEVE {self.day}", self.day)]
        before, opening = self.last if n & 1 else ([], self.balance)
        bank = statement([*before, *rows], opening)
        self.last, self.lines, self.balance = (rows, self.balance), [], bank.closing
        taking.take(self.town, [bank])
        self.book(killed_at=n >> 1)

    def book(self, killed_at: int) -> None:
        post, calls = self.town.book.post, 0

        def failing(*args: Any, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls * 2 == killed_at:
                raise Killed
            done = post(*args, **more)
            if calls * 2 + 1 == killed_at:
                raise Killed
            return done

        self.town.book.post = failing  # type: ignore[method-assign]
        try:
            booking.book(self.town)
        except Killed:
            pass
        finally:
            self.town.book.post = post  # type: ignore[method-assign]


STEPS: tuple[Callable[[Bank, int], None], ...] = (
    Bank.accept, Bank.file, Bank.execute, Bank.execute_file, Bank.send_back, Bank.reject, Bank.give_out,
)  # fmt: skip


@settings(max_examples=15, deadline=None)
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 11)), min_size=8, max_size=30))
def test_euros_or_units(paying_home: Path, steps: list[tuple[Callable[[Bank, int], None], int]]) -> None:
    with tempfile.TemporaryDirectory() as folder, copied(paying_home, Path(folder) / "home") as paying:
        bank, town = Bank(paying), paying.town
        towns.clock(town).forward(60 * 86_400)
        bank.accept(2)
        for step, n in steps:
            try:
                step(bank, n)
            except (CurrencyError, ZeroDivisionError):
                pass  # refused, and nothing was done; or there is no file yet
        bank.give_out(0)
        done = booking.book(town)
        assert done.stuck == []
        adds_up(bank)


def adds_up(bank: Bank) -> None:
    town = bank.town
    held, states = balances(town), [now(town, payout) for payout in bank.payouts]
    # What the bank did beyond what the books say of each payout is in suspense, to the cent, and all that is there.
    extra = sum(
        one.amount
        * (bank.executed[one.reconversion] - bank.returned[one.reconversion]
           - one.is_paid - one.is_away)
        for one in states
    )  # fmt: skip
    others = bank.balance - 3 * BROUGHT + sum(
        one.amount * (bank.executed[one.reconversion] - bank.returned[one.reconversion]) for one in states
    )  # fmt: skip
    assert held.get("suspense", 0) == others - extra
    assert held[BANK] == bank.balance
    assert held.get("claims", 0) == sum(one.amount for one in states if one.is_away)
    assert held.get("payouts", 0) == sum(one.amount for one in states if one.is_due)
    for shop in bank.paying.shops:
        gone = sum(one.units for one in states if one.holder == shop.account and one.undone_by is None)
        assert town.book.balance(shop.account) == BROUGHT - gone
    assert held.get("income", 0) == sum(one.fee for one in states if one.undone_by is None)
    assert {finding.code for finding in audit(town).findings} <= {"reserve_short"}
