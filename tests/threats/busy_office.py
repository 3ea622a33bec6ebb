"""An office at work, in a process of its own: statements, suspense, payouts, mandates, payments, keys, all at once.

    python -m tests.threats.busy_office HOME SEED

works on the town in HOME until its input is closed and each thing was done (a minute more at the most); then it prints
as JSON how often each was. What the currency refuses, because another thread was quicker, is no fault; any other error
is, and is printed instead.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from queue import SimpleQueue

from api.home import found_home, open_town
from ledger.currency import conversion, parties
from ledger.currency.bank import booking, taking
from ledger.currency.bank.mandates import model, register
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import iban
from tests.currency.bank.paying import Town3, accept, debit, sent, settle
from tests.currency.bank.scene import DAY, charter, line, statement, token
from tests.towns import BANK, Member

START = towns.START + 2 * 365 * 86_400_000_000
"""Two years after what `settle` books: days enough for a statement each."""
PAUSE = 0.01
DONE = {
    "statements", "placed", "put back", "reconversions", "files", "withdrawn", "mandates", "mandates ended", "payments",
    "refunds", "joined", "revoked", "closed",
}  # fmt: skip
"""What everybody does, sooner or later."""


class Clock(towns.Clock):
    """Moves on by a millisecond whenever somebody looks."""

    def __call__(self) -> int:
        self.now += 1_000
        return self.now


def found(home: Path, database_url: str | None = None) -> Town:
    """The town before the office opens."""
    town = found_home(home, charter(), database_url, clock=Clock(START), entropy=towns.Entropy("busy"))
    settle(town)
    for name in ("Camille", "Denis", "Esther"):
        member = towns.member(town, "person", name)
        conversion.convert(town, member.party, 1_000_000, reserve=BANK, reference=f"2025-{name}", booked_on=DAY)
    return town


class Office:
    """Everybody who works there. Each does their own things in turn; nobody waits for anybody else."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town = town
        self.seed = seed
        every = {party.name: party for party in parties.every(town)}
        self.people = [Member(every[name], towns.key_of(name)) for name in ("Camille", "Denis", "Esther")]
        shops = [Member(party, towns.key_of(party.name)) for party in every.values() if party.kind == "shop"]
        office = every["L'association"]
        self.paying = Town3(town, shops, office, *(towns.key_of(f"treasurer {who}") for who in ("Alice", "Bob")))
        self.closed = threading.Event()
        self.done: Counter[str] = Counter()
        self.faults: list[str] = []
        self._debits: SimpleQueue[BankLine] = SimpleQueue()
        self._day = DAY + timedelta(days=2)
        self._sent: list[Payout] = []

    def work(self) -> None:
        """Until `closed`."""
        jobs = (self.bank, self.suspense, self.payouts, self.mandates, self.payments, self.keys)
        threads = [threading.Thread(target=self._again_and_again, args=(job,)) for job in jobs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _again_and_again(self, job: Callable[[random.Random, int], None]) -> None:
        pick = random.Random(f"{self.seed} {job.__name__}")
        number = 0
        while not self.closed.is_set():
            number += 1
            try:
                job(pick, number)
            except CurrencyError as error:
                self.done[f"refused: {error.code}"] += 1
            except AssertionError as error:
                # So `towns.take` tells what the desk refused: an order that was overtaken again and again is sent anew.
                [refusal, *_] = error.args or (None,)
                if not isinstance(refusal, CurrencyError) or refusal.code != "busy":
                    self.faults.append(f"{job.__name__}: {error!r}")
                    return
                self.done["refused: busy"] += 1
                number -= 1
            except Exception as error:
                self.faults.append(f"{job.__name__}: {error!r}")
                return
            time.sleep(PAUSE)

    def bank(self, pick: random.Random, number: int) -> None:
        """A day's statement: members' transfers, payouts that were made, and lines that say nothing."""
        found: list[BankLine] = []
        while not self._debits.empty():
            found.append(self._debits.get())
        found += [line(pick.randrange(100, 900), token(self.town, pick.choice(self.people).party)) for _ in range(3)]
        found += [line(pick.randrange(100, 900), f"MERCI {number}-{n}") for n in range(3)]
        self._day += timedelta(days=1)
        before = taking.statements(self.town)
        opening = before[-1].closing if before else self.town.book.balance(self.town.chart.reserve[BANK])
        lines = [replace(one, booked_on=self._day) for one in found]
        taking.take(self.town, [statement(lines, opening)])
        booking.book(self.town)
        self.done["statements"] += 1

    def suspense(self, pick: random.Random, number: int) -> None:
        """Lines are placed, and some of them put back."""
        waiting = open_lines(self.town)
        if not waiting:
            return
        one = pick.choice(waiting).line
        holder = pick.choice(self.people).account
        ways = (Decision(way=Way.OWN), Decision(way=Way.MEMBER, holder=holder))
        place(self.town, one.id, pick.choice(ways))
        self.done["placed"] += 1
        if pick.random() < 0.5:
            put_back(self.town, one.id)
            self.done["put back"] += 1

    def payouts(self, pick: random.Random, number: int) -> None:
        """A shop changes back; what is owed is ordered, signed by two, fetched, and paid by the bank."""
        made = accept(self.town, pick.choice(self.paying.shops), pick.randrange(100, 2_000))
        self._sent.append(made)
        self.done["reconversions"] += 1
        if number % 3 == 0:
            file = sent(self.paying)
            self.done["files"] += 1
            if pick.random() < 0.3:
                batches.withdraw(self.town, file, fetched_too=True)
                self.done["withdrawn"] += 1
                return
            for payout in self._sent:
                self._debits.put(debit(payout))
            self._sent.clear()

    def mandates(self, pick: random.Random, number: int) -> None:
        """A new member signs, changes and ends a mandate."""
        today = self.town.charter.local_date(self.town.now())
        party = parties.admit(self.town, "person", f"Membre {self.seed}-{number}")
        made, _ = register.sign(self.town, party, iban=iban(number), amount=3_000, signed_on=today)
        register.change(self.town, made, 4_000, version=2, signed_on=today)
        self.done["mandates"] += 1
        if number % 2:
            register.end(self.town, model.find(self.town, made.id))
            self.done["mandates ended"] += 1

    def payments(self, pick: random.Random, number: int) -> None:
        """A payment in a shop, and sometimes a part of it back."""
        payer, shop = pick.choice(self.people), pick.choice(self.paying.shops)
        paid = towns.pay(self.town, payer, shop, pick.randrange(10, 5_000))
        self.done["payments"] += 1
        if number % 5 == 0:
            towns.refund(self.town, shop, payer, 5, paid)
            self.done["refunds"] += 1

    def keys(self, pick: random.Random, number: int) -> None:
        """Devices join and are revoked, members leave."""
        name = f"Visiteuse {self.seed}-{number}"
        party = parties.admit(self.town, "person", name)
        key = towns.join(self.town, party, "member", name)
        towns.join(self.town, party, "member", f"{name} encore")
        self.done["joined"] += 1
        if number % 2:
            parties.revoke(self.town, parties.device(self.town, key.public))
            self.done["revoked"] += 1
        if number % 3 == 0:
            parties.close(self.town, party)
            self.done["closed"] += 1


def main() -> None:
    """Work until nobody listens any more."""
    home, seed = Path(sys.argv[1]), int(sys.argv[2])
    town = open_town(home, clock=Clock(START + 3_600_000_000), entropy=os.urandom)
    office = Office(town, seed)
    worker = threading.Thread(target=office.work)
    worker.start()
    print("ready", flush=True)
    sys.stdin.read()
    until = time.monotonic() + 60
    while worker.is_alive() and not office.done.keys() >= DONE and time.monotonic() < until:
        time.sleep(PAUSE)
    office.closed.set()
    worker.join()
    town.book.close()
    print(json.dumps({"done": office.done, "faults": office.faults}), flush=True)


if __name__ == "__main__":
    main()
