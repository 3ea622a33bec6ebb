"""A scene for the tests of all routes: a town in use, one open session for each caller, new things to act upon."""

from __future__ import annotations

from datetime import date
from itertools import count
from typing import Any

import httpx

from ledger.currency import conversion, parties, proofs
from ledger.currency.bank import suspense
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import bring, line, statement
from tests.served import Cast, Headers, Served, answer, ask_back_order, one_time, refund_order, shown
from tests.towns import BANK

NOBODY, STRANGER, OWNER, CASHIER = "nobody", "stranger", "owner", "cashier"
OPERATOR, TREASURER, AUDITOR = "operator", "treasurer", "auditor"
CALLERS = (NOBODY, STRANGER, OWNER, CASHIER, OPERATOR, TREASURER, AUDITOR)

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

    def join_body(self) -> dict[str, str]:
        key = towns.key_of(f"device {next(_numbers)}")
        # A party of its own: the codes that may wait for one are counted.
        code = parties.invite(self.town, parties.admit(self.town, "shop", "Nouvelle"), "cashier")
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
            bring(self.town, statement(line(cents, "?", date(2025, 5, 31)) for cents in range(1, 601)))
            self._lines = [one.line.id.hex() for one in suspense.open_lines(self.town)]
        self.last_line = self._lines.pop()
        return self.last_line

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

    def payment_body(self) -> dict[str, str]:
        request = one_time(self.town, self.people.shop, 5)
        return {"order": answer(self.town, self.people.alice, request).text, "request": request.text}

    def refund_body(self) -> dict[str, str]:
        payment = bytes.fromhex(self.paid(5))
        return {"order": refund_order(self.town, self.people.shop, self.people.alice, 5, payment).text}

    def ask_body(self) -> dict[str, str]:
        self.paid(5)
        return {"order": ask_back_order(self.town, self.people.shop, 5).text}

    def send(self, method: str, path: str, body: object, who: str) -> httpx.Response:
        return self.api.client.request(method, path, json=body, headers=self.headers[who])
