"""The town of the demo: who lives there, its charter, its days. The same in every run that ends at the same moment.

Keys, clock and randomness are made here, so that two runs of one day, on whatever database, end with the same log root.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from ledger.currency import acts, parties, proofs
from ledger.currency.charter import (
    BankRules,
    Bookkeeping,
    Charter,
    Limits,
    MandateRules,
    PartyKind,
    ReserveAccount,
    ReserveKind,
)
from ledger.currency.charter.ibans import rib_key
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town

NETWORK = bytes.fromhex("de305eed")
"""Marks the book of a demo: no real currency has it, and the demo replaces no other book."""
TIMEZONE = "Europe/Paris"
DAYS = 7
RUSHES_A_DAY, RUSH = 16, 4
WEEKS = 52
"""Of the year before that week."""
OPENS, CLOSES = 6, 20
"""The hours between which people buy; a till's day begins with the first."""
DEBITED_IN = 9
"""Days from the last one to that of the debits: they were announced, and their file can be made."""
BANK, SAVINGS, CASH = "Banque", "Livret solidaire", "Caisse du local"
TREASURERS = ("Odile Lecomte", "Rémi Chevalier")
"""Two people who sign payouts for the association."""

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


class Days(NamedTuple):
    """When the story is told: up to the moment `until` (us) of the day `last`, at the end of a year and a week."""

    last: date
    until: int

    @classmethod
    def whole(cls, last: date) -> Days:
        """Those of a story that ends with that day, in the evening."""
        return cls(last, moment(last, 24 * 3600))

    @classmethod
    def now(cls, now: int) -> Days:
        """Those of a story that ends at this moment (us); before the shops open, with the day before."""
        local = datetime.fromtimestamp(now // 1_000_000, ZoneInfo(TIMEZONE)).replace(tzinfo=None)
        return cls((local - timedelta(hours=OPENS)).date(), now)

    @property
    def week(self) -> date:
        """The first day of the week, whichever of the seven that is."""
        return self.last - timedelta(days=DAYS - 1)

    @property
    def first(self) -> date:
        """The first day of all."""
        return self.week - timedelta(weeks=WEEKS)

    def month(self, day: date) -> int:
        """Which month of the story a day is in, 0 for that of the first."""
        return 12 * (day.year - self.first.year) + day.month - self.first.month


def moment(day: date, seconds: float) -> int:
    """The moment (us) at which the town's clocks show that many seconds after midnight."""
    shown = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(TIMEZONE)) + timedelta(seconds=seconds)
    return int(shown.timestamp()) * 1_000_000


class Clock:
    """Microseconds since the epoch, as the story has them."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def set(self, day: date, seconds: float) -> None:
        """Go to that many seconds after midnight of that day, as the town's clocks show them; never back."""
        self.now = max(self.now, moment(day, seconds))


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


def iban(number: int) -> str:
    """A French IBAN that is well formed and nobody's: the account `number` of a bank that there is not."""
    account = f"9999900001{number:011d}"
    return f"FR76{account}{rib_key(account)}"


def charter(public_url: str, days: Days) -> Charter:
    """The demo's charter; debits are due a few days after the last one."""
    return Charter(
        code="PATARD", name="Le Patard", symbol="P", network=NETWORK, reconversion_fee_bp=500, public_url=public_url,
        timezone=TIMEZONE, day_begins=OPENS,
        reserve=(
            ReserveAccount(
                name=BANK, kind=ReserveKind.BANK, iban=iban(1), bic="PATAFRPPXXX", holder="ASSOCIATION LE PATARD",
                number="5121",
            ),
            ReserveAccount(
                name=SAVINGS, kind=ReserveKind.BANK, iban=iban(2), bic="PATAFRPPXXX", holder="ASSOCIATION LE PATARD",
                liquid=False, number="5122",
            ),
            ReserveAccount(name=CASH, kind=ReserveKind.CASH, number="530"),
        ),
        reconversion_by=frozenset({PartyKind.SHOP, PartyKind.ASSOCIATION}),
        bank=BankRules(topup=BANK, payout=BANK, second_signature_above=30_000),
        mandates=MandateRules(creditor_id="FR72ZZZ123456", account=BANK, day=debit_day(days)),
        bookkeeping=Bookkeeping(siren="123456782"),
        limits=Limits(per_payment=50_000, per_day=100_000),
    )  # fmt: skip


def debit_day(days: Days) -> int:
    """The day of the month on which debits are due, one that every month has."""
    return min(28, (days.last + timedelta(days=DEBITED_IN)).day)


class Member(NamedTuple):
    """A party and the device that acts for it; of a shop, the owner's."""

    party: Party
    key: PrivateKey
    till: PrivateKey


@dataclass
class Life:
    """What happened: the people by name, and how much there was of it."""

    people: dict[str, Member]
    payments: int = 0
    refunds: int = 0
    waiting: int = 0
    statements: int = 0
    """Statements of the bank that were taken in the year."""
    placed: int = 0
    """Lines that somebody placed by hand."""


def admit(town: Town, clock: Clock, life: Life) -> None:
    """Everybody joins, on the first morning."""
    kinds = {ASSOCIATION: "association", **dict.fromkeys(PUBLIC, "public_body"), **dict.fromkeys(SHOPS, "shop")}
    first = {"association": "operator", "person": "member"}
    for name in (ASSOCIATION, *PUBLIC, *SHOPS, *PERSONS):
        clock.now += 20_000_000
        kind = kinds.get(name, "person")
        party = parties.admit(town, kind, name)
        key = _join(town, party, first.get(kind, "owner"), name)
        till = _join(town, party, "cashier", f"{name}, caisse") if kind in ("shop", "public_body") else key
        life.people[name] = Member(party, key, till)
    association = life.people[ASSOCIATION].party
    for name in TREASURERS:
        clock.now += 20_000_000
        person = life.people[name].party
        code = parties.invite(town, association, "treasurer", person=person)
        parties.join(town, code, treasurer_key(name).public, f"{name}, trésorerie")


def acting(town: Town, key: PrivateKey, request: str, body: str = "") -> Town:
    """The town while it carries out what that device asked for: a request such as "POST /v1/invites", and its body."""
    method, _blank, path = request.partition(" ")
    text = proofs.act_text(method, path, body)
    salt, until = town.book.entropy(proofs.SALT_BYTES), town.now() // 1_000_000 + 60
    return town.acting(acts.sign(key, town.charter.network, until, salt, text))


def treasurer_key(name: str) -> PrivateKey:
    """The key with which that person signs for the association."""
    return key_of(f"{name}, trésorerie")


def _join(town: Town, party: Party, role: str, device: str) -> PrivateKey:
    key = key_of(device)
    parties.join(town, parties.invite(town, party, role), key.public, role)
    return key
