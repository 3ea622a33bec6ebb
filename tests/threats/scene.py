"""A town that has lived: members, a shop with two tills, an office, a bank; its log signed; and all that is printed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from api.commands.checking import _engine
from api.home import Home, open_town
from ledger.core import check as engine
from ledger.core.ids import account_text
from ledger.currency import conversion, heads_file, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.charter.parts import Limits
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import Request, SignedReceipt
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.currency.bank import scene as bank
from tests.threats.forger import Forger
from tests.towns import CASH, Member, key_of

LIMITS = Limits(per_payment=50_000, per_day=80_000)
SHOP_IBAN, OTHER_IBAN = "DE89370400440532013000", "BE68539007547034"
ALICE_IBAN = "NL91ABNA0417164300"


class Scene(NamedTuple):
    """The town, its people, and the attacker. `receipt` is of Alice's last payment."""

    town: Town
    home: Home
    forger: Forger
    alice: Member
    bob: Member
    shop: Member
    tills: tuple[PrivateKey, PrivateKey]
    office: Party
    treasurer: PrivateKey

    def said(self, *, heads: bool = True) -> list[str]:
        """Every finding of `check`, as it is printed but for the transaction's name: the engine's, then the audit's."""
        report = engine.check(_engine(self.town.book))
        told = audit(self.town, heads=self.home.heads if heads else None)
        return [f"{one.code}: {one.detail}" for one in report.findings] + [
            f"{one.code}: {one.text}" for one in told.findings
        ]


def live(folder: Path) -> None:
    """Found the town, let it live, sign the end of its log, and close it."""
    town = towns.found(folder, bank.charter(limits=LIMITS))
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    shop = towns.member(town, "shop", "Boulangerie")
    tills = [towns.join(town, shop.party, "cashier", f"Caisse {number}") for number in (1, 2)]
    office = parties.admit(town, "association", "L'association")
    treasurer = key_of("treasurer")
    code = parties.invite(town, office, "treasurer", person=alice.party)
    parties.join(town, code, treasurer.public, "PC")
    by = treasurer.public.hex()
    where = f"PUT /v1/parties/{account_text(shop.account)}/bank-details"
    details.put(towns.acting(town, treasurer, where, iban=SHOP_IBAN), shop.party, SHOP_IBAN, by=by)
    asks = {"account": account_text(alice.account), "amount_cents": 40_000, "reserve": CASH, "reference": "S1"}
    acting = towns.acting(town, treasurer, "POST /v1/conversions", **asks)
    conversion.convert(acting, alice.party, 40_000, reserve=CASH, reference="S1", by=by)
    conversion.convert(town, bob.party, 10_000, reserve=CASH, reference="S2")
    mine = bank.token(town, alice.party)
    bank.bring(town, bank.statement([
        bank.line(5_000, mine, name="ALICE MARTIN", iban=ALICE_IBAN, end_to_end="LOYER"),
        bank.line(700, "don", name="UN AMI"),
    ]))  # fmt: skip
    answer(town, alice, shop, tills[0], 4_200, "Table 2")
    pause(town)
    paid = towns.pay(town, alice, shop, 1_000)
    pause(town)
    towns.pay(town, bob, shop, 2_000)
    pause(town)
    towns.refund(town, Member(shop.party, tills[0]), alice, 300, paid)
    pause(town)
    towns.pay(town, bob, alice, 500)
    towns.pay(town, bob, shop, 100)
    assert heads_file.record(town, folder / heads_file.NAME) is None
    town.book.close()


def pause(town: Town) -> None:
    """A while passes."""
    towns.clock(town).forward(timedelta(hours=1).total_seconds())


def answer(town: Town, payer: Member, payee: Member, till: PrivateKey, amount: int, label: str) -> SignedReceipt:
    """A payment of a code that a till shows."""
    last = town.now() // 1_000_000 + 300
    request = Request(town.charter.network, payee.account, town.book.entropy(8), amount, last, label, till.id).sign(
        till
    )
    order = towns.order(town, payer, payee.account, amount, reference=request.reference,
                        id_=request.request.payment_id())  # fmt: skip
    [taken] = Desk(town).take([Submission(order, request)])
    assert isinstance(taken, Taken), taken
    return taken.receipt


@contextmanager
def opened(folder: Path, *, read_only: bool = False) -> Iterator[Scene]:
    """The town in `folder`, as it is now."""
    home = Home(folder)
    clock = towns.Clock()
    clock.forward(timedelta(days=1).total_seconds())
    town = open_town(home, read_only=read_only, clock=clock, entropy=towns.Entropy("opened"))
    try:
        alice, bob, shop = (Member(parties.named(town, name), key_of(name)) for name in ("Alice", "Bob", "Boulangerie"))
        tills = (key_of("Caisse 1"), key_of("Caisse 2"))
        office = parties.named(town, "L'association")
        yield Scene(town, home, Forger(town, home.book), alice, bob, shop, tills, office, key_of("treasurer"))
    finally:
        town.book.close()


def copy_of(lived: Path, folder: Path) -> Path:
    """A copy of the town that lived, to be broken."""
    shutil.copytree(lived, folder)
    return folder
