"""A machine whose clock can be set wrong while programs run on it, and a town that is served by one of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from api.home import found_home, open_town
from ledger.core.check import check
from ledger.currency import clocked, conversion
from ledger.currency.audit.walk import audit
from ledger.currency.charter import Limits
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from merchants.desk import Desk, Result, Submission, Taken
from tests import towns
from tests.towns import CASH, START, Member

HOUR, DAY = 3_600, 86_400
TELLS = "`patard clock --confirm`"


class Machine:
    """Wall clock and steady clock (us). Time passes on both; `jump` sets the wall clock alone."""

    def __init__(self) -> None:
        self.wall = START
        self.steady = 7_000_000_000

    def now(self) -> int:
        return self.wall

    def boot(self) -> int:
        return self.steady

    def forward(self, seconds: float) -> None:
        self.wall += int(seconds * 1_000_000)
        self.steady += int(seconds * 1_000_000)

    def jump(self, seconds: float) -> None:
        self.wall += int(seconds * 1_000_000)


class Scene:
    """Alice and a shop, the desk of the server, and other programs on the same machine."""

    def __init__(self, folder: Path, *, url: str | None = None, per_day: int | None = None) -> None:
        self.machine = Machine()
        self.folder = folder
        self.url = url
        rules = towns.charter(limits=Limits(per_day=per_day)) if per_day else towns.charter()
        self.town = found_home(
            folder, rules, url, clock=self.machine.now, steady=self.machine.boot, entropy=towns.Entropy()
        )
        self.desk = Desk(self.town)
        self.alice = towns.member(self.town, "person", "Alice")
        self.shop = towns.member(self.town, "shop", "Boulangerie")
        conversion.convert(self.town, self.alice.party, 1_000_000, reserve=CASH, reference="S-1")
        self.others: list[Town] = []

    def other(self, *, believing: bool = False, **more: Any) -> Town:
        """Another program that opens the book now; one of before (`believing`) takes any clock."""
        steady = None if believing else self.machine.boot
        entropy = towns.Entropy(f"other {len(self.others)}")
        town = open_town(self.folder, self.url, clock=self.machine.now, steady=steady, entropy=entropy, **more)
        self.others.append(town)
        return town

    def order(self, amount: int = 100, *, seconds: int = 300, payer: Member | None = None) -> Submission:
        payer = payer or self.alice
        return Submission(towns.order(self.town, payer, self.shop.account, amount, seconds=seconds))

    def pay(self, amount: int = 100, *, town: Town | None = None, seconds: int = 300) -> Result:
        """Pay at the server, or at another program's desk, by an order made now."""
        desk = self.desk if town is None else Desk(town)
        return self.taken(desk, [self.order(amount, seconds=seconds)])[0]

    @staticmethod
    def taken(desk: Desk, batch: Sequence[Submission]) -> list[Result]:
        return desk.take(batch)

    def confirm(self) -> None:
        """Somebody at the machine says that the clock is right."""
        town = self.other(as_it_is=True)
        clocked.confirm(town)

    def clean(self) -> None:
        """Neither the engine's check nor the currency's audit finds anything."""
        store: Any = self.town.book.store
        report = check(store.engine)
        assert not report.findings, report.findings
        found = audit(self.town)
        assert found.clean, found.findings

    def close(self) -> None:
        for town in (*self.others, self.town):
            town.book.close()


def refused(result: Result, code: str) -> CurrencyError:
    """Hold that an order was refused with that code; the refusal."""
    assert isinstance(result, CurrencyError), result
    assert result.code == code, result
    return result


def ok(result: object) -> Taken:
    assert isinstance(result, Taken), result
    return result
