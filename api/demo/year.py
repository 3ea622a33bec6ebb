"""The year before that week: every euro of it comes from, and goes to, a bank that is not there.

Members send euros with their reference, some forget it; a few pay by direct debit; shops change back and are paid by
files that two people sign; the bank sends an account back, a payer takes euros back. Every month the treasurer imports
the bank's statements, each month in another format, and works off what is in suspense. What the office has
to do in the week after it is left to whoever looks at the demo.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, timedelta
from hashlib import sha256
from itertools import cycle
from typing import Any

from api.demo import town as place
from api.demo.town import Clock, Entropy, Life, iban, treasurer_key
from api.demo.week import Story
from ledger.core.ids import account_text
from ledger.currency import conversion, parties, proofs
from ledger.currency.bank import booking, details, suspense, taking
from ledger.currency.bank.fake.bank import FakeBank, Format, accounts_of
from ledger.currency.bank.fake.entries import Entry
from ledger.currency.bank.fake.fates import Fate, Fates
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.mandates import collecting, notices, register, release
from ledger.currency.bank.payouts import approval, batches, owed
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.target import open_day
from ledger.currency.sure import Said
from ledger.currency.town import Town

_DAY = timedelta(days=1)
FORMATS = (Format.CAMT_08, Format.CFONB, Format.CAMT_02, Format.OFX)

MONTHLY = place.PERSONS[1:17]
"""Who sends euros every month by standing order, with the reference."""
BY_DEBIT = place.PERSONS[17:22]
"""Who pays by direct debit instead."""
FORGETFUL = "Yanis Haddad"
"""Writes what he likes; the treasurer knows his account by now."""
BOUNCED = "Hugo Vandenbroucke"
"""Takes a transfer back when the units are spent, and pays what he owes a month later."""
MOVED = "Cordonnerie Vasseur"
"""Has closed the account that the association knows."""
PAYS_IN = 2
"""The day of the month of the standing orders."""
ANNOUNCED, COLLECTED = 18, 9
"""Days before the day of the debits."""


class Year:
    """Tells the year day by day. `bank` lives on: it has the statement of the week after."""

    def __init__(self, town: Town, clock: Clock, dice: Entropy, life: Life, story: Story) -> None:
        self.town = town
        self.days = story.days
        self.clock = clock
        self.dice = dice
        self.life = life
        self.story = story
        self.fates = Fates()
        self.bank = FakeBank(accounts_of(town.charter), entropy=Entropy("bank"), fate=self.fates)
        self.office = life.people[place.ASSOCIATION].key
        self.treasurer = treasurer_key(place.TREASURERS[0])
        self.account, self.savings = iban(1), iban(2)
        self.shops = cycle(place.SHOPS)
        self.formats = cycle(FORMATS)
        self.taken_until = self.days.first - _DAY
        self.bounced: Entry | None = None

    def tell(self) -> None:
        """All of it, up to the evening before the week."""
        for name in place.SHOPS:
            number = 200 + list(place.SHOPS).index(name)
            party = self.life.people[name].party
            acting = self._office(f"PUT /v1/parties/{account_text(party.account)}/bank-details", iban=iban(number))
            details.put(acting, party, iban(number), by=self.office.public.hex())
        self.fates[iban(200 + list(place.SHOPS).index(MOVED))] = Fate(back="AC04", after=2)
        self._sign_mandates()
        day = self.days.first
        while day < self.days.week:
            self.day(day)
            day += _DAY

    def day(self, day: date) -> None:
        """What happens on that day, in its order."""
        month, eve = self.days.month(day), self.days.week - _DAY
        happens: list[tuple[bool, int, Callable[[date], None]]] = [
            (day == self.days.first, 9, self._found),
            (day.day == PAYS_IN, 8, self._pay_in),
            (day.day == 15 and month in (2, 8), 10, self._put_aside),
            (day.day == 16, 11, self._change_back),
            (self._before_debits(day, ANNOUNCED), 9, self._announce),
            (self._before_debits(day, COLLECTED), 9, self._collect),
            (day.day == 3 and month in (5, 8, 11), 14, self._move_fees),
            ((month, day.day) == (4, 20), 9, self._bounce),
            ((month, day.day) == (6, 6), 9, self._pay_claim),
            (day.weekday() == 5, 10, self._shop),
            (day == eve, 19, self._unclear),
            ((day + _DAY).day == 1 or day == eve, 20, self._import),
        ]
        for wanted, hour, act in happens:
            if wanted:
                self.clock.set(day, hour * 3600)
                act(day)

    def _before_debits(self, day: date, days: int) -> bool:
        return (day + days * _DAY).day == place.debit_day(self.days)

    def _office(self, request: str, **body: Any) -> Town:
        """The town while it carries out what the office's device asked for."""
        return place.acting(self.town, self.office, request, json.dumps(body) if body else "")

    # --- euros in ---

    def _found(self, day: date) -> None:
        """The first euros: everybody begins with some, the town hall with more."""
        for number, name in enumerate(place.PERSONS):
            if name not in BY_DEBIT:
                self._transfer(name, day + _DAY, 60_000 if name == place.MEMBER else 12_000 + 1_500 * (number % 5))
        for name in place.PUBLIC:
            self._transfer(name, day + 2 * _DAY, 50_000)

    def _pay_in(self, day: date) -> None:
        for number, name in enumerate(MONTHLY):
            self._transfer(name, day + (number % 3) * _DAY, 3_000 + 1_000 * (number % 4))
        self._transfer(place.MEMBER, day, 8_000)
        self.bank.pay_in(self.account, day, 4_500, "M HADDAD YANIS", self._iban(FORGETFUL), "MONNAIE LOCALE")

    def _unclear(self, day: date) -> None:
        """Somebody pays for somebody, without a reference."""
        self.bank.pay_in(self.account, day, 3_500, "M ROUSSEAU", iban(778), "pour manon", instant=True)

    def _transfer(self, name: str, day: date, amount: int) -> Entry:
        party = self.life.people[name].party
        reference = shown(member_reference(place.NETWORK, party.account))
        wrote = (f"PATARD {reference}", reference.lower(), f"change {reference} merci")[self.dice.below(3)]
        entry = self.bank.pay_in(self.account, day, amount, name, self._iban(name), wrote)
        if name == BOUNCED and self.days.month(day) == 4:
            self.bounced = entry
        return entry

    def _iban(self, name: str) -> str:
        return iban(300 + (*place.PERSONS, *place.PUBLIC).index(name))

    def _put_aside(self, day: date) -> None:
        """Some of the reserve is placed: it leaves one account, and is on the other two days later."""
        self.bank.move(self.account, self.savings, day, 60_000, "PLACEMENT", days=2)

    # --- euros back ---

    def _change_back(self, day: date) -> None:
        """Three shops change back half of what they have; two people sign, and the bank pays."""
        for _ in range(3):
            name = next(self.shops)
            if self.town.book.balance(self.life.people[name].party.account) < 1_000:
                continue
            self.clock.now += 60_000_000
            asked = self.story.ask(name)
            self.clock.now += 600_000_000
            acting = place.acting(self.town, self.treasurer, f"POST /v1/reconversions/{asked.hex()}/acceptance")
            conversion.accept(acting, conversion.find_asked(self.town, asked), by=self.treasurer.public.hex())
        if not any(one.iban and not one.batch for one in owed.due(self.town)):
            return
        on = open_day(day + _DAY)
        acting = self._office("POST /v1/payouts/batches", on=on.isoformat())
        batch = batches.order(acting, by=self.office.public.hex(), on=on)
        for person in place.TREASURERS:
            if batches.find(self.town, str(batch.number)).state != "ordered":
                break
            self.clock.now += 900_000_000
            key = treasurer_key(person)
            signature = proofs.sign_payouts(key, place.NETWORK, batch.id, batch.sha256, batch.total, batch.transfers)
            approval.sign(self.town, batch, parties.device(self.town, key.public), signature)
        self.clock.now += 60_000_000
        acting = place.acting(self.town, self.treasurer, f"GET /v1/payouts/batches/{batch.number}/file")
        answer = self.bank.submit(batches.fetch(acting, batch, by=self.treasurer.public.hex()), on)
        assert answer.accepted, answer

    def _bounce(self, day: date) -> None:
        """Somebody takes a transfer back after he spent it."""
        assert self.bounced is not None
        self.bank.give_back(self.bounced, self.account, day)

    def _pay_claim(self, day: date) -> None:
        owed = self.town.book.balance(self.town.chart.claims)
        if owed:
            self.bank.pay_in(self.account, day, owed, BOUNCED, self._iban(BOUNCED), "ce que je dois, pardon")

    def _move_fees(self, day: date) -> None:
        """What changing back cost so far leaves the reserve for the association's own account."""
        fees = self.town.book.balance(self.town.chart.income)
        if fees > 0:
            self.bank.book(self.account, day + _DAY, -fees, LineKind.TRANSFER, "CONTRIBUTIONS AU FONCTIONNEMENT",
                           name="ASSOCIATION LE PATARD", iban=iban(9))  # fmt: skip

    # --- direct debits ---

    def _sign_mandates(self) -> None:
        for name in BY_DEBIT:
            party, signed_on = self.life.people[name].party, self.town.charter.local_date(self.town.now())
            acting = self._office(
                "POST /v1/mandates/paper", account=account_text(party.account), iban=self._iban(name),
                amount_cents=3_000, signed_on=signed_on.isoformat(),
            )  # fmt: skip
            register.sign(
                acting, party, iban=self._iban(name), amount=3_000, signed_on=signed_on, by=self.office.public.hex()
            )

    def _announce(self, day: date) -> None:
        notices.give(self._office("POST /v1/notices"), by=self.office.public.hex())

    def _collect(self, day: date) -> None:
        """The file for the next debits; once one member's account is empty."""
        due = day + COLLECTED * _DAY
        if due - ANNOUNCED * _DAY < self.days.first:
            return  # nobody was there to be told
        month = f"{due:%Y-%m}"
        if self.days.month(due) == 6:
            self.fates[self._iban(BY_DEBIT[-1])] = Fate(back="AM04", after=3)
        by = self.office.public.hex()
        collection, _new = collecting.collect(self._office("POST /v1/collections", month=month), month=month, by=by)
        acting = self._office(f"GET /v1/collections/{collection.number}/file")
        data = collecting.fetch(acting, collection, by=by)
        assert self.bank.submit(data, day).accepted
        self.fates.pop(self._iban(BY_DEBIT[-1]), None)

    # --- the office ---

    def _shop(self, day: date) -> None:
        """Saturday: people buy."""
        for hour in (10, 16):
            self.clock.set(day, hour * 3600 + self.dice.below(3_600))
            self.story.rush()

    def _import(self, day: date) -> None:
        """The month's statements, and what nobody could place."""
        for account in (self.account, self.savings):
            data = self.bank.statement(account, self.taken_until + _DAY, day, next(self.formats))
            file, hashed = f"releve-{day:%Y-%m}-{account[-4:]}", sha256(data).hexdigest()
            acting = place.acting(self.town, self.office, f"POST /v1/bank/imports?name={file}", f"sha256:{hashed}")
            taking.take(acting, read(data), file=file, by=self.office.public.hex())
            self.life.statements += 1
        self.taken_until = day
        booking.book(self.town)  # as a server does, at the machine
        release.release(self.town, Said(day))
        if day < self.days.week - _DAY:  # what came in the last days waits for whoever looks at the demo
            self._place()

    def _place(self) -> None:
        for line in suspense.open_lines(self.town):
            self.clock.now += 40_000_000
            if line.line.amount < 0:
                decision = Decision(way=Way.FEES)
            elif line.proposals:
                decision = line.proposals[0].decision
            else:
                decision = Decision(way=Way.MEMBER, holder=self.life.people[FORGETFUL].party.account)
            acting = self._office(f"POST /v1/bank/lines/{line.line.id.hex()}/placing", **_body(decision))
            suspense.place(acting, line.line.id, decision, by=self.office.public.hex())
            self.life.placed += 1


def _body(decision: Decision) -> dict[str, Any]:
    """A decision, as a request has it."""
    shares = [
        {
            "way": share.way,
            "amount_cents": share.amount,
            "account": share.holder and account_text(share.holder),
            "cash": share.cash,
        }
        for share in decision.shares
    ]
    named = {"account": decision.holder and account_text(decision.holder), "other": decision.other and
             decision.other.hex(), "cash": decision.cash, "shares": shares}  # fmt: skip
    return {"way": decision.way, **{key: value for key, value in named.items() if value}}


def last_statement(year: Year) -> bytes:
    """The statement of the week after the year, up to the day before the last; nobody imported it yet."""
    first = year.days.week
    for day in (first + number * _DAY for number in range(place.DAYS)):
        if day.day == PAYS_IN:
            year._pay_in(day)
    for number, name in enumerate((place.PERSONS[2], place.PERSONS[5], place.PERSONS[9])):
        year._transfer(name, first + number * _DAY, 5_000 + 500 * number)
    year.bank.pay_in(year.account, first + 2 * _DAY, 2_500, "MME MERCIER", iban(777), "pour les patards")
    return year.bank.statement(year.account, first, year.days.last - _DAY, Format.CAMT_08)
