"""The small currency of `towns`, served: over HTTP in this process, or by a real server on a port.

with served(town) as desk:                  # a client without a network, quick
    desk.send(towns.order(...)).json()
    desk.client.get("/v1/me", headers=desk.session(alice.key))

with serving(town) as url:                  # uvicorn in a thread, for streams and many connections
    httpx.get(url + "/health")
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from os import urandom
from typing import Any, NamedTuple

import httpx
from starlette.routing import BaseRoute

from api import orders
from api.app import create_app
from api.routes.devices import FAILED_JOINS
from api.server import Server
from ledger.core.ids import account_text
from ledger.currency import conversion, join_codes, parties, proofs
from ledger.currency.errors import ERRORS
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import Purpose, SignedOrder, SignedReceipt, SignedRequest
from ledger.currency.parties import Party
from ledger.currency.town import Town
from merchants import requests
from tests import towns
from tests.towns import BANK, Member

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have httpx2; api.client, and so the tests, use httpx
    from starlette.testclient import TestClient

PATH = {purpose: path for path, purpose in orders.PATHS.items()}
Headers = dict[str, str]


class Served:
    """A client of one town's API, and what tests do with it again and again."""

    def __init__(self, town: Town, client: httpx.Client) -> None:
        self.town = town
        self.client = client
        self._keys: dict[str, PrivateKey] = {}
        client.event_hooks = {"request": [self._sign]}

    def _sign(self, request: httpx.Request) -> None:
        """Sign what a device asks for, as devices do. A test that sends `Patard-Act` itself is left alone."""
        key = self._keys.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if key is None or "patard-act" in request.headers or (request.method == "GET" and not _is_file(request)):
            return
        request.headers["Patard-Act"] = act_header(self.town, key, request)

    def session(self, key: PrivateKey) -> Headers:
        """The header of a new session of that device."""
        challenge = self.client.post("/v1/challenges", json={"key": key.public.hex()}).json()["challenge"]
        signature = proofs.sign_session(key, self.town.charter.network, bytes.fromhex(challenge))
        body = {"key": key.public.hex(), "challenge": challenge, "signature": signature.hex()}
        opened = self.client.post("/v1/sessions", json=body)
        assert opened.status_code == 201, opened.text
        self._keys[opened.json()["token"]] = key
        return {"Authorization": f"Bearer {opened.json()['token']}"}

    def join(self, code: str, key: PrivateKey, label: str = "test", **more: Any) -> httpx.Response:
        """Join a device with the code that it was given; `more` is said beside it."""
        signature = proofs.sign_join(key, self.town.charter.network, join_codes.plain_code(code))
        body = {"code": code, "key": key.public.hex(), "label": label, "signature": signature.hex(), **more}
        return self.client.post("/v1/joins", json=body)

    def send(self, signed: SignedOrder, request: SignedRequest | None = None) -> httpx.Response:
        """Send an order to the path of its purpose."""
        body = {"order": signed.text} | ({"request": request.text} if request else {})
        return self.client.post(PATH[signed.order.purpose], json=body)

    def taken(
        self, signed: SignedOrder, request: SignedRequest | None = None, *, replay: bool = False
    ) -> SignedReceipt:
        """Send an order, hold that it stands and that the receipt is good."""
        response = self.send(signed, request)
        assert response.status_code == (200 if replay else 201), response.text
        answer = response.json()
        receipt = SignedReceipt.parse(answer["receipt"])
        receipt.verify(self.town.charter.network, self.town.key.public)
        assert receipt.is_for(signed.order)
        assert answer["replay"] is replay
        assert (answer["id"], answer["seq"]) == (signed.order.id.hex(), receipt.receipt.seq)
        return receipt

    def refused(self, code: str, signed: SignedOrder, request: SignedRequest | None = None) -> str:
        """Send an order, hold that it is refused with `code` and that nothing moved; the detail."""
        with unmoved(self.town):
            return is_problem(self.send(signed, request), code)


def new_code() -> str:
    """A join code, as whoever invites makes it."""
    return join_codes.code_of(urandom(join_codes.CODE_BYTES))


def inviting(role: str, code: str = "", **more: Any) -> dict[str, Any]:
    """The body that invites a key of that role with a code."""
    return {"role": role, "code_hash": join_codes.code_hash(code or new_code()).hex(), **more}


def _is_file(request: httpx.Request) -> bool:
    """Whether it fetches a file for the bank, which is noted."""
    return request.url.path.endswith("/file")


def act_header(town: Town, key: PrivateKey, request: httpx.Request, *, until: int | None = None) -> str:
    """`Patard-Act` for a request: the device's signature over what is sent."""
    body = request.read()
    said = body.decode("utf-8", "replace")
    if request.headers.get("content-type") == "application/octet-stream":
        said = f"sha256:{sha256(body).hexdigest()}"
    text = proofs.act_text(request.method, request.url.raw_path.decode(), said)
    salt, until = urandom(proofs.SALT_BYTES), until or town.now() // 1_000_000 + 300
    return f"{until} {salt.hex()} {proofs.sign_act(key, town.charter.network, until, salt, text).hex()}"


def is_problem(response: httpx.Response, code: str) -> str:
    """Hold that a response is the RFC 9457 problem of that code, and nothing else; the detail."""
    assert response.headers["content-type"] == "application/problem+json", (response.status_code, response.text)
    body: dict[str, Any] = response.json()
    assert body.keys() - {"line"} == {"type", "title", "status", "detail", "code"}
    assert body["code"] == code, body
    assert response.status_code == body["status"] == ERRORS[code][0]
    assert body["type"].endswith(f"#{code}")
    assert "set-cookie" not in response.headers
    assert len(body["detail"]) < 500
    detail: str = body["detail"]
    return detail


@contextmanager
def unmoved(town: Town) -> Iterator[None]:
    """Holds that nothing moved: every balance and the end of the log are read again."""
    before = balances(town), town.book.head()
    yield
    assert (balances(town), town.book.head()) == before


def balances(town: Town) -> dict[int, int]:
    """Every account's balance, read from the database."""
    with town.book.store.reading() as store:
        return {state.number: state.balance for state in store.all_accounts(0, 10_000)}


def units_sum_to_zero(town: Town) -> None:
    """Hold that in each unit the debits are the credits."""
    totals: dict[str, int] = {}
    with town.book.store.reading() as store:
        for state in store.all_accounts(0, 10_000):
            totals[state.unit] = totals.get(state.unit, 0) + state.debits - state.credits
    assert set(totals.values()) <= {0}, totals


@contextmanager
def served(town: Town) -> Iterator[Served]:
    """The town's API, in this process and without a network."""
    FAILED_JOINS.clear()
    with TestClient(create_app(town)) as client:
        yield Served(town, client)


@contextmanager
def serving(town: Town, **settings: float) -> Iterator[str]:
    """The town's API on a port of 127.0.0.1, by a real server in a thread; its URL. `settings` are those of Live."""
    FAILED_JOINS.clear()
    up = threading.Event()
    server = Server(town, "127.0.0.1", 0, ready=up.set)
    thread = threading.Thread(target=server.run, name="server")
    thread.start()
    try:
        assert up.wait(20), "the server did not start"
        for name, value in settings.items():
            setattr(server.config.app.state.services.live, name, value)  # type: ignore[union-attr]
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive(), "the server did not end"


def endpoints(routes: Sequence[BaseRoute]) -> Iterator[tuple[str, str, Any]]:
    """Every (method, path, route) of an application's routes, those of included routers and the order paths too."""
    for route in routes:
        inside = getattr(route, "original_router", None) or getattr(route, "app", None)
        if hasattr(route, "methods"):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield method, route.path, route  # type: ignore[attr-defined]
        elif inside is not None and hasattr(inside, "routes"):
            yield from endpoints(inside.routes)
        else:
            yield "GET", route.path, route  # type: ignore[attr-defined]


class Cast(NamedTuple):
    """Who is in most stories: a payer, a stranger, a shop with a till, the association's office."""

    alice: Member
    bob: Member
    shop: Member
    cashier: PrivateKey
    office: Party
    operator: PrivateKey
    treasurer: PrivateKey
    auditor: PrivateKey


def cast(town: Town, *, cents: int = 100_000, account: str = BANK) -> Cast:
    """The cast, with `cents` on Alice's account and on Bob's, against euros on an account of the reserve."""
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    shop = towns.member(town, "shop", "Boulangerie")
    office = parties.admit(town, "association", "Bureau")
    for number, member in enumerate((alice, bob)):
        conversion.convert(town, member.party, cents, reserve=account, reference=f"OPENING-{number}")
    return Cast(
        alice, bob, shop, towns.join(town, shop.party, "cashier", "Caisse 1"), office,
        *(towns.join(town, office, role, role) for role in ("operator", "treasurer", "auditor")),
    )  # fmt: skip


def one_time(
    town: Town, shop: Member, amount: int, *, key: PrivateKey | None = None, label: str = "", seconds: int = 300,
    nonce: bytes | None = None,
) -> SignedRequest:  # fmt: skip
    """A till's request for one payment."""
    last = town.now() // 1_000_000 + seconds
    random = nonce or town.book.entropy(8)
    return requests.one_time(town.charter.network, shop.account, amount, label, last, key or shop.key, random)


def answer(town: Town, payer: Member, request: SignedRequest, amount: int | None = None) -> SignedOrder:
    """The order with which `payer` answers a request."""
    last = town.now() // 1_000_000 + 300
    made = requests.order_for(
        request, payer=payer.account, unit=town.charter.code, expires_at=last, id=town.new_id(), amount=amount
    )
    return made.sign(payer.key)


def refund_order(town: Town, shop: Member, payer: Member, amount: int, payment: bytes) -> SignedOrder:
    """An order that gives back `amount` of a payment."""
    return towns.order(town, shop, payer.account, amount, purpose=Purpose.REFUND, reference=payment)


def ask_back_order(town: Town, shop: Member, amount: int) -> SignedOrder:
    """An order that asks to change `amount` back."""
    return towns.order(town, shop, town.chart.waiting, amount, purpose=Purpose.RECONVERSION)


def shown(member: Member | Party) -> str:
    """The account's number as the API writes it."""
    return account_text(member.account)
