"""The town of the demo: who lives there, and a week of what they do. The same in every run, byte for byte.

Keys, clock and randomness are made here, so that two runs, on whatever database, end with the same log root.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ledger.currency import conversion, parties
from ledger.currency.charter import Charter, Limits, PartyKind, ReserveAccount, ReserveKind
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import NO_REFERENCE, Order, Purpose, SignedOrder
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants import requests
from merchants.desk import Desk, Submission, Taken

NETWORK = bytes.fromhex("de305eed")
"""Marks the book of a demo: no real currency has it, and the demo replaces no other book."""
MONDAY = date(2025, 11, 10)
DAYS = 7
RUSHES_A_DAY, RUSH = 16, 4
BANK, CASH = "Banque", "Caisse du local"

MEMBER, SHOP = "Camille Lefèvre", "Boulangerie Delattre"
"""Whose wallet is ready, and whose till can be paired."""
ASSOCIATION = "Association Le Patard"
PERSONS = (
    MEMBER, "Hugo Vandenbroucke", "Léa Marchand", "Noé Caron", "Inès Benali", "Jules Desmet", "Chloé Dubois",
    "Amadou Traoré", "Zoé Lambert", "Gabriel Petit", "Manon Rousseau", "Arthur Morel", "Jeanne Fontaine",
    "Paul Girard", "Lucie Bonnet", "Théo Mercier", "Anaïs Faure", "Sacha Blanc", "Élise Garnier", "Rémi Chevalier",
    "Fatou Ndiaye", "Mathilde Roy", "Yanis Haddad", "Odile Lecomte",
)  # fmt: skip
SHOPS: dict[str, tuple[tuple[str, int], ...]] = {
    SHOP: (("Baguette", 125), ("Pain de campagne", 340), ("Deux croissants", 260), ("Tarte au sucre", 1_450)),
    "Épicerie Le Bocal": (("Vrac", 1_870), ("Café moulu", 640), ("Huile d'olive", 1_190)),
    "Librairie L'Échappée": (("Roman", 820), ("Bande dessinée", 1_650), ("Carnet", 490)),
    "Café de la Place": (("Deux cafés", 320), ("Plat du jour", 1_380), ("Limonade", 290)),
    "Fromagerie du Beffroi": (("Maroilles", 760), ("Plateau", 2_240), ("Mimolette", 915)),
    "Ferme des Weppes": (("Panier", 1_500), ("Endives", 285), ("Œufs", 360)),
    "Estaminet du Moulin": (("Carbonnade", 1_690), ("Bière", 420), ("Welsh", 1_550)),
    "Cordonnerie Vasseur": (("Ressemelage", 3_500), ("Clé", 600)),
    "Cycles Lemaire": (("Chambre à air", 790), ("Révision", 4_500)),
    "Fleurs Capucine": (("Bouquet", 1_800), ("Plante", 1_250)),
    "Coiffure Chez Nadia": (("Coupe", 2_400), ("Frange", 800)),
    "Cinéma Le Rex": (("Place", 650), ("Deux places", 1_300)),
}
PUBLIC = ("Médiathèque municipale", "Piscine des Glacis")


class Clock:
    """Microseconds since the epoch, as the story has them."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def set(self, day: int, seconds: float) -> None:
        """Go to that many seconds after midnight UTC of a day of the week, 0 for Monday; never back."""
        midnight = datetime(MONDAY.year, MONDAY.month, MONDAY.day, tzinfo=UTC) + timedelta(days=day)
        self.now = max(self.now, int(midnight.timestamp()) * 1_000_000 + int(seconds * 1_000_000))


class Entropy:
    """Bytes that look random and are the same in every run. Nothing that is kept secret may come from it."""

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._drawn = 0

    def __call__(self, size: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(f"patard/demo/{self._seed}/{self._drawn}".encode()).digest(size)

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound - 1`."""
        return int.from_bytes(self(8)) % bound


def key_of(name: str) -> PrivateKey:
    """The key of that device or of the currency. Anybody can make it: this is a demo."""
    return PrivateKey.from_seed(hashlib.sha256(f"patard/demo/key/{name}".encode()).digest())


def charter(public_url: str) -> Charter:
    """The demo's charter."""
    return Charter(
        code="PATARD", name="Le Patard", symbol="P", network=NETWORK, reconversion_fee_bp=500, public_url=public_url,
        reserve=(
            ReserveAccount(name=BANK, kind=ReserveKind.BANK),
            ReserveAccount(name=CASH, kind=ReserveKind.CASH),
        ),
        reconversion_by=frozenset({PartyKind.SHOP, PartyKind.ASSOCIATION}),
        limits=Limits(per_payment=50_000, per_day=100_000),
    )  # fmt: skip


class Member(NamedTuple):
    """A party and the device that acts for it; of a shop, the owner's."""

    party: Party
    key: PrivateKey
    till: PrivateKey


@dataclass
class Week:
    """What happened: the people by name, and how much there was of it."""

    people: dict[str, Member]
    payments: int = 0
    refunds: int = 0
    waiting: int = 0


def live(town: Town, clock: Clock, dice: Entropy) -> Week:
    """Let the week happen in `town`, which was just founded with this clock."""
    week = Week({})
    clock.set(0, 8 * 3600)
    _admit(town, clock, week)
    _convert(town, clock, week)
    story = _Story(town, clock, dice, week)
    for day in range(DAYS):
        story.day(day)
    return week


def _admit(town: Town, clock: Clock, week: Week) -> None:
    """Monday morning: everybody joins."""
    kinds = {ASSOCIATION: "association", **dict.fromkeys(PUBLIC, "public_body"), **dict.fromkeys(SHOPS, "shop")}
    first = {"association": "operator", "person": "member"}
    for name in (ASSOCIATION, *PUBLIC, *SHOPS, *PERSONS):
        clock.now += 20_000_000
        kind = kinds.get(name, "person")
        party = parties.admit(town, kind, name)
        key = _join(town, party, first.get(kind, "owner"), name)
        till = _join(town, party, "cashier", f"{name}, caisse") if kind in ("shop", "public_body") else key
        if kind == "association":
            _join(town, party, "treasurer", f"{name}, trésorerie")
        week.people[name] = Member(party, key, till)


def _join(town: Town, party: Party, role: str, device: str) -> PrivateKey:
    key = key_of(device)
    parties.join(town, parties.invite(town, party, role), key.public, role)
    return key


def _convert(town: Town, clock: Clock, week: Week) -> None:
    """Euros in: transfers that came over the weekend, slips of the cash box."""
    for number, name in enumerate(PERSONS):
        clock.now += 30_000_000
        party = week.people[name].party
        by_bank = number % 3 != 2
        conversion.convert(
            town, party, 60_000 if name == MEMBER else 20_000 + 5_000 * (number % 5), reserve=BANK if by_bank else CASH,
            reference=f"VIR-20251110-{number + 1:03d}" if by_bank else f"BON-{number + 1:04d}", booked_on=MONDAY,
        )  # fmt: skip
    for number, name in enumerate(PUBLIC):
        conversion.convert(town, week.people[name].party, 50_000, reserve=BANK, reference=f"MANDAT-{number + 1}")


class _Story:
    """Tells one day after the other, in the order of the clock."""

    def __init__(self, town: Town, clock: Clock, dice: Entropy, week: Week) -> None:
        self.town = town
        self.clock = clock
        self.dice = dice
        self.week = week
        self.desk = Desk(town)
        self.payments: list[tuple[Member, Member, int, bytes]] = []

    def day(self, day: int) -> None:
        """A day from 8 in the morning to 8 in the evening, with what is special about it."""
        special: dict[int, Callable[[], None]] = {
            1: self.refund, 2: self.suppliers, 3: self.change_back, 4: self.refund, 5: self.suppliers, 6: self.ask_back
        }  # fmt: skip
        step = 12 * 3600 // RUSHES_A_DAY
        for number in range(RUSHES_A_DAY):
            self.clock.set(day, 7 * 3600 + number * step + self.dice.below(step - 60))
            self.rush()
            if number == RUSHES_A_DAY // 2 and day in special:
                self.clock.now += 20_000_000
                special[day]()

    def rush(self) -> None:
        """A few people buy something at once, each if the purse allows it. One commit for all of them."""
        people = [self.week.people[name] for name in PERSONS]
        with self.town.book.store.reading() as store:
            accounts = store.accounts([member.party.account for member in people])
        first = self.dice.below(len(people))
        bought = []
        for number in range(RUSH):
            buyer = people[(first + number * 5) % len(people)]
            name = list(SHOPS)[self.dice.below(len(SHOPS))]
            what, price = SHOPS[name][self.dice.below(len(SHOPS[name]))]
            shop = self.week.people[name]
            if accounts[buyer.party.account].balance >= price:
                bought.append((buyer, shop, price, self.answer(buyer, shop, price, what)))
        self.clock.now += 7_000_000
        self.take(*(submission for *_who, submission in bought))
        self.payments += [(buyer, shop, price, taken.signed.order.id) for buyer, shop, price, taken in bought]
        self.week.payments += len(bought)

    def answer(self, buyer: Member, shop: Member, price: int, what: str) -> Submission:
        """The till asks, the buyer's wallet answers."""
        request = requests.one_time(
            NETWORK, shop.party.account, price, what, self.seconds(300), shop.till, self.dice(8)
        )
        order = requests.order_for(
            request, payer=buyer.party.account, unit="PATARD", expires_at=self.seconds(120), id=b""
        )
        return Submission(order.sign(buyer.key), request)

    def suppliers(self) -> None:
        """Shops buy from each other."""
        farm, bakery = self.week.people["Ferme des Weppes"], self.week.people[SHOP]
        for name in ("Café de la Place", "Estaminet du Moulin", "Épicerie Le Bocal"):
            for supplier in (farm, bakery):
                buyer = self.week.people[name]
                price = self.town.book.balance(buyer.party.account) // 5
                if price:
                    self.take(Submission(self.order(buyer, supplier.party.account, price, Purpose.PAYMENT)))
                    self.week.payments += 1

    def refund(self) -> None:
        """The last payment but two is given back, half of it or all."""
        buyer, shop, price, id_ = self.payments[-3]
        part = price if self.dice.below(2) else (price + 1) // 2
        order = self.order(shop, buyer.party.account, part, Purpose.REFUND, reference=id_, key=shop.till)
        self.take(Submission(order))
        self.week.refunds += 1

    def change_back(self) -> None:
        """A shop changes half of what it has back to euros; the association says yes."""
        asked = self.ask("Ferme des Weppes")
        self.clock.now += 1_800_000_000
        conversion.accept(self.town, conversion.find_asked(self.town, asked))

    def ask_back(self) -> None:
        """On Sunday another one asks, and waits for the office to open."""
        self.ask("Fromagerie du Beffroi")
        self.week.waiting += 1

    def ask(self, name: str) -> bytes:
        shop = self.week.people[name]
        half = self.town.book.balance(shop.party.account) // 2
        order = self.order(shop, self.town.chart.waiting, half, Purpose.RECONVERSION)
        self.take(Submission(order))
        return order.order.id

    def order(
        self, payer: Member, payee: int, amount: int, purpose: Purpose, *, reference: bytes = NO_REFERENCE,
        key: PrivateKey | None = None,
    ) -> SignedOrder:  # fmt: skip
        order = Order(NETWORK, purpose, self.town.new_id(), payer.party.account, payee, amount, "PATARD",
                      self.seconds(120), reference)  # fmt: skip
        return order.sign(key or payer.key)

    def seconds(self, more: int) -> int:
        return self.clock.now // 1_000_000 + more

    def take(self, *submissions: Submission) -> None:
        for result in self.desk.take(submissions):
            if not isinstance(result, Taken):
                raise result
