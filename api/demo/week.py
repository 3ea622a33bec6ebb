"""The last week in the demo's town, up to now: people buy, shops buy from each other, some give back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from api.demo import town as place
from api.demo.town import Clock, Days, Entropy, Life, Member
from ledger.currency import conversion
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import NO_REFERENCE, Order, Purpose, SignedOrder
from ledger.currency.town import Town
from merchants import requests
from merchants.desk import Desk, Submission, Taken


class Story:
    """Tells what people do, one thing after the other, in the order of the clock."""

    def __init__(self, town: Town, clock: Clock, dice: Entropy, life: Life, days: Days) -> None:
        self.town = town
        self.days = days
        self.clock = clock
        self.dice = dice
        self.life = life
        self.desk = Desk(town)
        self.payments: list[tuple[Member, Member, int, bytes]] = []

    def day(self, day: int) -> None:
        """The week's day of that number from morning to evening, or till now, with what is special about it."""
        special: dict[int, Callable[[], None]] = {
            1: self.refund, 2: self.suppliers, 3: self.change_back, 4: self.refund, 5: self.ask_back, 6: self.suppliers
        }  # fmt: skip
        step = (place.CLOSES - place.OPENS) * 3600 // place.RUSHES_A_DAY
        date = self.days.week + timedelta(days=day)
        for number in range(place.RUSHES_A_DAY):
            # The day begins at the baker's, within minutes: the till that is looked at has something of today to show.
            seconds = place.OPENS * 3600 + number * step + self.dice.below(step - 60 if number else 300)
            if place.moment(date, seconds + 60) > self.days.until:
                return
            self.clock.set(date, seconds)
            self.rush("" if number else place.SHOP)
            if number == place.RUSHES_A_DAY // 2 and day in special:
                self.clock.now += 20_000_000
                special[day]()

    def rush(self, only: str = "") -> None:
        """A few people buy something at once, there or anywhere, each if the purse allows it. One commit for all."""
        people = [self.life.people[name] for name in place.PERSONS]
        with self.town.book.store.reading() as store:
            accounts = store.accounts([member.party.account for member in people])
        first = self.dice.below(len(people))
        bought = []
        for number in range(place.RUSH):
            buyer = people[(first + number * 5) % len(people)]
            name = only or list(place.SHOPS)[self.dice.below(len(place.SHOPS))]
            what, price = place.SHOPS[name][self.dice.below(len(place.SHOPS[name]))]
            shop = self.life.people[name]
            if accounts[buyer.party.account].balance >= price:
                bought.append((buyer, shop, price, self.answer(buyer, shop, price, what)))
        self.clock.now += 7_000_000
        self.take(*(submission for *_who, submission in bought))
        self.payments += [(buyer, shop, price, taken.signed.order.id) for buyer, shop, price, taken in bought]
        self.life.payments += len(bought)

    def answer(self, buyer: Member, shop: Member, price: int, what: str) -> Submission:
        """The till asks, the buyer's wallet answers."""
        request = requests.one_time(
            place.NETWORK, shop.party.account, price, what, self.seconds(300), shop.till, self.dice(8)
        )
        order = requests.order_for(
            request, payer=buyer.party.account, unit="PATARD", expires_at=self.seconds(120), id=b""
        )
        return Submission(order.sign(buyer.key), request)

    def suppliers(self) -> None:
        """Shops buy from each other."""
        farm, bakery = self.life.people["Ferme des Weppes"], self.life.people[place.SHOP]
        for name in ("Café de la Place", "Estaminet du Moulin", "Épicerie Le Bocal"):
            for supplier in (farm, bakery):
                buyer = self.life.people[name]
                price = self.town.book.balance(buyer.party.account) // 5
                if price:
                    self.take(Submission(self.order(buyer, supplier.party.account, price, Purpose.PAYMENT)))
                    self.life.payments += 1

    def refund(self) -> None:
        """The last payment but two is given back, half of it or all."""
        buyer, shop, price, id_ = self.payments[-3]
        part = price if self.dice.below(2) else (price + 1) // 2
        order = self.order(shop, buyer.party.account, part, Purpose.REFUND, reference=id_, key=shop.till)
        self.take(Submission(order))
        self.life.refunds += 1

    def change_back(self) -> None:
        """A shop changes half of what it has back to euros; the association says yes."""
        asked = self.ask("Ferme des Weppes")
        self.clock.now += 1_800_000_000
        conversion.accept(self.town, conversion.find_asked(self.town, asked))

    def ask_back(self) -> None:
        """Another one asks, and waits for the office to open."""
        self.ask("Fromagerie du Beffroi")
        self.life.waiting += 1

    def ask(self, name: str) -> bytes:
        shop = self.life.people[name]
        half = self.town.book.balance(shop.party.account) // 2
        order = self.order(shop, self.town.chart.waiting, half, Purpose.RECONVERSION)
        self.take(Submission(order))
        return order.order.id

    def order(
        self, payer: Member, payee: int, amount: int, purpose: Purpose, *, reference: bytes = NO_REFERENCE,
        key: PrivateKey | None = None,
    ) -> SignedOrder:  # fmt: skip
        order = Order(place.NETWORK, purpose, self.town.new_id(), payer.party.account, payee, amount, "PATARD",
                      self.seconds(120), reference)  # fmt: skip
        return order.sign(key or payer.key)

    def seconds(self, more: int) -> int:
        return self.clock.now // 1_000_000 + more

    def take(self, *submissions: Submission) -> None:
        for result in self.desk.take(submissions):
            if not isinstance(result, Taken):
                raise result


def live(story: Story) -> None:
    """Let the week happen."""
    for day in range(place.DAYS):
        story.day(day)
