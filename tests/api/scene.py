"""A scene for the tests of all routes: a town in use, one open session for each caller, new things to act upon."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import httpx

from ledger.core.ids import account_number
from ledger.currency import conversion, parties, proofs
from ledger.currency.bank import details, lead, standing, suspense
from ledger.currency.bank.mandates import collecting, files, model, notices, register
from ledger.currency.bank.mandates.text import Content, mandate_text
from ledger.currency.bank.payouts import approval, batches, owed
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.charter import MandateRules, ReserveAccount, ReserveKind
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import SIGNED, iban, items
from tests.currency.bank.scene import SAVINGS, SAVINGS_IBAN, bring, line, statement
from tests.served import Cast, Headers, Served, answer, ask_back_order, one_time, refund_order, shown
from tests.towns import BANK

NOBODY, STRANGER, OWNER, CASHIER = "nobody", "stranger", "owner", "cashier"
OPERATOR, TREASURER, AUDITOR = "operator", "treasurer", "auditor"
CALLERS = (NOBODY, STRANGER, OWNER, CASHIER, OPERATOR, TREASURER, AUDITOR)

MANDATES = MandateRules(creditor_id="FR72ZZZ123456", day=16, notice_days=1)
"""Debits are due on the day after the clock of `towns` begins, a Monday: announced and ordered on the same day."""
RESERVE = (*towns.charter().reserve, ReserveAccount(name=SAVINGS, kind=ReserveKind.BANK, iban=SAVINGS_IBAN))
"""With an account whose statements nothing else here needs."""

_numbers = count(1)


class Scene:
    """A town with a payment in it, one open session for each caller, and new things to act upon."""

    def __init__(self, town: Town, people: Cast, api: Served) -> None:
        self.town, self.people, self.api = town, people, api
        self.keys = {
            STRANGER: people.bob.key, OWNER: people.shop.key, CASHIER: people.cashier,
            OPERATOR: people.operator, TREASURER: people.treasurer, AUDITOR: people.auditor,
        }  # fmt: skip
        self.headers: dict[str, Headers] = {NOBODY: {}} | {who: api.session(key) for who, key in self.keys.items()}
        self.payment = self.paid(200)
        self.request = one_time(town, people.shop, 450)
        self._lines: list[str] = []
        self.last_line = ""

    def paid(self, amount: int) -> str:
        order = towns.order(self.town, self.people.alice, self.people.shop.account, amount)
        self.api.taken(order)
        return order.order.id.hex()

    def asked(self) -> str:
        self.paid(100)
        order = ask_back_order(self.town, self.people.shop, 100)
        self.api.taken(order)
        return order.order.id.hex()

    def new_party(self) -> str:
        return shown(parties.admit(self.town, "person", f"Visiteur {next(_numbers)}"))

    def new_key(self) -> str:
        return towns.join(self.town, self.people.shop.party, "cashier", f"till {next(_numbers)}").public.hex()

    def unconfirmed_key(self) -> str:
        """A key that the office invited, said to be the stranger's."""
        number, by = next(_numbers), self.people.treasurer.public.hex()
        code = parties.invite(self.town, self.people.office, "operator", by=by, person=self.people.bob.party)
        key = towns.key_of(f"officer {number}").public
        parties.join(self.town, code, key, f"officer {number}")
        return key.hex()

    def join_body(self) -> dict[str, str]:
        key = towns.key_of(f"device {next(_numbers)}")
        # A party of its own: the codes that may wait for one are counted.
        code = parties.invite(self.town, parties.admit(self.town, "shop", f"Nouvelle {next(_numbers)}"), "cashier")
        signature = proofs.sign_join(key, self.town.charter.network, code)
        return {"code": code, "key": key.public.hex(), "label": "Caisse", "signature": signature.hex()}

    def session_body(self) -> dict[str, str]:
        key, network = self.people.shop.key, self.town.charter.network
        challenge = self.api.client.post("/v1/challenges", json={"key": key.public.hex()}).json()["challenge"]
        signature = proofs.sign_session(key, network, bytes.fromhex(challenge)).hex()
        return {"key": key.public.hex(), "challenge": challenge, "signature": signature}

    def conversion_body(self) -> dict[str, Any]:
        account = shown(self.people.shop)
        return {"account": account, "amount_cents": 100, "reserve": BANK, "reference": f"SLIP-{next(_numbers)}"}

    def converted(self) -> str:
        reference = f"MISTYPED-{next(_numbers)}"
        return conversion.convert(self.town, self.people.shop.party, 100, reserve=BANK, reference=reference).id.hex()

    def line_in_suspense(self) -> str:
        """A bank line that nobody could place, another one each time; `last_line` is its id from then on."""
        if not self._lines:
            # Before any conversion that is typed here, which the first statement would have to have.
            bring(self.town, statement(line(cents, "?", date(2025, 5, 31)) for cents in range(1_001, 1_601)))
            self._lines = [one.line.id.hex() for one in suspense.open_lines(self.town)]
        self.last_line = self._lines.pop()
        return self.last_line

    def first_statement(self) -> str:
        """The first statement of an account, which may be withdrawn."""
        [number] = [number for name, number in self.town.chart.reserve.items() if name == SAVINGS]
        with self.town.reading() as connection:
            row = standing.first_standing(connection, number)
        if row is not None:
            return str(row.id.hex())
        there = line(next(_numbers), "?", date(2025, 5, 31))
        bring(self.town, statement([there], account=SAVINGS_IBAN))
        return self.first_statement()

    def placed_line(self) -> str:
        id = self.line_in_suspense()
        suspense.place(self.town, bytes.fromhex(id), Decision(way=Way.OWN))
        return id

    def placing_body(self) -> dict[str, Any]:
        self.line_in_suspense()
        return {"way": "own", "account": None, "other": None, "cash": None, "shares": [], "turn": 0}

    def putting_back_body(self) -> dict[str, Any]:
        self.placed_line()
        return {"turn": 0}

    def payout(self) -> str:
        """A payout that is due, and where it goes; its reference."""
        details.put(self.town, self.people.shop.party, "BE71096123456769")
        asked = conversion.find_asked(self.town, bytes.fromhex(self.asked()))
        return owed.find(self.town, conversion.accept(self.town, asked).id.hex()).reference

    def batch(self, *, signed: bool = False) -> int:
        """A file of payouts; its number."""
        self.payout()
        self._batch = batches.order(self.town)
        if signed:
            key = parties.device(self.town, self.people.treasurer.public)
            signature = bytes.fromhex(self.signature_body()["signature"])
            approval.sign(self.town, self._batch, key, signature)
        return self._batch.number

    def batch_body(self) -> dict[str, str]:
        """What orders a file for the first day on which the bank can; something is due."""
        self.payout()
        return {"on": lead.payouts_from(self.town).isoformat()}

    def signature_body(self) -> dict[str, str]:
        """The treasurer's signature of the last file."""
        key, made = self.people.treasurer, self._batch
        return {
            "signature": proofs.sign_payouts(
                key, self.town.charter.network, made.id, made.sha256, made.total, made.transfers
            ).hex()
        }

    def payment_body(self) -> dict[str, str]:
        request = one_time(self.town, self.people.shop, 5)
        return {"order": answer(self.town, self.people.alice, request).text, "request": request.text}

    def refund_body(self) -> dict[str, str]:
        payment = bytes.fromhex(self.paid(5))
        return {"order": refund_order(self.town, self.people.shop, self.people.alice, 5, payment).text}

    def ask_body(self) -> dict[str, str]:
        self.paid(5)
        return {"order": ask_back_order(self.town, self.people.shop, 5).text}

    def mandate_body(self) -> dict[str, Any]:
        """A mandate that the shop's owner signs; it has none."""
        stands = model.live(self.town, self.people.shop.account)
        if stands is not None:
            register.end(self.town, stands)
        content = Content(self.town.new_id(), "Boulangerie", iban(1), 3_000, 1, SIGNED)
        return {"id": content.id.hex(), "iban": content.iban, "holder": content.holder, **self._signed(content)}

    def mandate(self) -> str:
        """The shop's mandate; its id."""
        stands = model.live(self.town, self.people.shop.account)
        if stands is None:
            shop = self.people.shop.party
            stands, _new = register.sign(self.town, shop, iban=iban(1), amount=3_000, signed_on=SIGNED)
        return stands.id.hex()

    def amount_body(self) -> dict[str, Any]:
        """The next amount of the shop's mandate, signed by its owner."""
        of = model.find(self.town, bytes.fromhex(self.mandate()))
        content = Content(of.id, of.holder, of.iban, of.amount + 1, of.version + 1, SIGNED)
        return {"version": content.version, **self._signed(content)}

    def _signed(self, content: Content) -> dict[str, Any]:
        network = self.town.charter.network
        text = mandate_text("fr", model.terms(self.town), content)
        signature = proofs.sign_mandate(self.people.shop.key, network, text).hex()
        return {"amount_cents": content.amount, "signed_on": content.signed_on.isoformat(), "lang": "fr",
                "signature": signature}  # fmt: skip

    def paper_body(self) -> dict[str, Any]:
        return {"account": self.new_party(), "iban": iban(2), "amount_cents": 2_000, "signed_on": SIGNED.isoformat()}

    def collection_body(self) -> dict[str, Any]:
        """What orders this month's debits; somebody was told, and there is no file of it."""
        for made in files.every(self.town):
            if made.state != "withdrawn":
                collecting.withdraw(self.town, made, fetched_too=True)
        visitor = parties.by_account(self.town, account_number(self.new_party()))
        register.sign(self.town, visitor, iban=iban(3), amount=1_000, signed_on=SIGNED)
        notices.give(self.town)
        return {}

    def collection(self) -> int:
        """A file of debits that nobody fetched; its number."""
        self.collection_body()
        return collecting.collect(self.town)[0].number

    def debit(self) -> str:
        """A debit of such a file; its reference."""
        number = self.collection()
        return next(one.reference for one in items(self.town) if one.file == number)

    def send(self, method: str, path: str, body: object, who: str) -> httpx.Response:
        return self.api.client.request(method, path, json=body, headers=self.headers[who])
