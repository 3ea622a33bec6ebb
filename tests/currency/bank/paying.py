"""A town that pays its shops by bank: a shop with units, two treasurers, and what they do again and again."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import NamedTuple

from api.home import found_home
from ledger.core.model import Posted
from ledger.currency import conversion, parties, proofs
from ledger.currency.bank import details
from ledger.currency.bank.payouts import approval, batches, owed, undoing
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.statement import BankLine
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, charter, line, opened
from tests.towns import BANK, Member

SHOP_IBANS = ("DE89370400440532013000", "BE68539007547034", "NL91ABNA0417164300")
SECOND = "Café Élise & Cie"
BROUGHT = 300_000
"""Cents that each shop brought by transfer before anything else happens."""


class Town3(NamedTuple):
    """A town with three shops that hold units, and the keys of its two treasurers, Alice's and Bob's."""

    town: Town
    shops: list[Member]
    office: Party
    alice: PrivateKey
    bob: PrivateKey


def settle(town: Town) -> Town3:
    """Shops with units and IBANs, and two treasurers."""
    shops = [towns.member(town, "shop", name) for name in ("Boulangerie", SECOND, "Cordonnerie")]
    for shop, iban in zip(shops, SHOP_IBANS, strict=True):
        details.put(town, shop.party, iban)
        slip = f"2025-{shop.account}"
        conversion.convert(town, shop.party, BROUGHT, reserve=BANK, reference=slip, booked_on=DAY)
    office = parties.admit(town, "association", "L'association")
    return Town3(town, shops, office, treasurer(town, office, "Alice"), treasurer(town, office, "Bob"))


def founded(home: Path) -> Path:
    """Make such a town in a folder, and close it."""
    with opened(home) as town:
        settle(town)
    return home


@contextmanager
def copied(home: Path, folder: Path) -> Iterator[Town3]:
    """The town of `home`, in a folder of its own."""
    shutil.copytree(home, folder)
    # Other randomness than when it was founded: the clock is where it was then, and ids follow from both.
    town = found_home(folder, charter(), clock=towns.Clock(), entropy=towns.Entropy("copied"))
    try:
        shops = [
            Member(parties.named(town, name), towns.key_of(name)) for name in ("Boulangerie", SECOND, "Cordonnerie")
        ]
        office = parties.named(town, "L'association")
        yield Town3(town, shops, office, towns.key_of("treasurer Alice"), towns.key_of("treasurer Bob"))
    finally:
        town.book.close()


def treasurer(town: Town, office: Party, person: str | None, device: str = "") -> PrivateKey:
    """Another treasurer's key, of that person."""
    known = {party.name: party for party in parties.every(town)}
    who = None if person is None else known.get(person) or parties.admit(town, "person", person)
    key = towns.key_of(device or f"treasurer {person}")
    parties.join(town, parties.invite(town, office, "treasurer", person=who), key.public, device or f"PC {person}")
    return key


def accept(town: Town, shop: Member, units: int) -> Payout:
    """A reconversion of the shop, accepted: the payout."""
    asked = conversion.find_asked(town, towns.ask_back(town, shop, units))
    return owed.find(town, conversion.accept(town, asked).id.hex())


def now(town: Town, payout: Payout) -> Payout:
    """The payout as it is by now."""
    return owed.find(town, payout.reconversion.hex())


def sign(town: Town, batch: Batch, key: PrivateKey) -> None:
    """Sign a file as its device does."""
    signature = proofs.sign_payouts(
        key, town.charter.network, batch.id, batch.sha256, batch.total, batch.transfers
    )  # fmt: skip
    approval.sign(town, batches.find(town, str(batch.number)), parties.device(town, key.public), signature)


def refuse(town: Town, payout: Payout, key: PrivateKey, reason: str = "AC04") -> Posted:
    """A treasurer says that the bank will not execute a payout, as their device does."""
    acting = towns.acting(town, key, f"POST /v1/payouts/{payout.reference}/rejection", reason=reason)
    return undoing.reject(acting, payout, reason=reason, by=key.public.hex())


def sent(paying: Town3) -> Batch:
    """Everything due, ordered, signed by as many as have to and fetched."""
    town = paying.town
    batch = batches.order(town)
    for key in (paying.alice, paying.bob):
        if batches.find(town, str(batch.number)).state == "ordered":
            sign(town, batch, key)
    batches.fetch(town, batch)
    return batches.find(town, str(batch.number))


def debit(payout: Payout, day: date = DAY, amount: int | None = None) -> BankLine:
    """The line of a statement that shows a payout."""
    text = f"VIR SEPA PATARD {payout.reference[:5]}-{payout.reference[5:]}".lower()
    return line(-(amount or payout.amount), text, day, end_to_end=payout.reference)


def credit(payout: Payout, day: date = DAY, **more: object) -> BankLine:
    """The line of a statement that brings a payout back."""
    return line(payout.amount, f"RETOUR VIR {payout.reference}", day, kind="return", reason="AC04", **more)
