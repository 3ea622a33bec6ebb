"""Every route with a body: who asks, a good body, how it is sent, and that nothing happens when it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
from sqlalchemy import func, select

from ledger.currency.bank.payouts import batches
from ledger.currency.tables import DEVICE_KEY, INVITE, PARTY, SESSION
from tests.api.scene import NOBODY, OPERATOR, OWNER, TREASURER, Scene
from tests.served import inviting, unmoved

MALFORMED = "body_malformed"


class Route(NamedTuple):
    """A route with a body: who asks, a good body, and which of its fields are text, whole numbers and optional."""

    who: str
    body: Callable[[Scene], dict[str, Any]]
    optional: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    at: Callable[[Scene], str] | None = None
    """The address, of a path with a parameter: of what the last `body` was made for."""
    method: str = "POST"
    ready: Callable[[Scene], str | None] = lambda s: None
    """Where a good body goes, once what it is for is there; a bad one is refused before anybody looks for that."""
    may_be_empty: bool = False


def _signature_body(scene: Scene) -> dict[str, str]:
    scene.batch()
    return scene.signature_body()


PLACING, PUTTING_BACK = "/v1/bank/lines/{id}/placing", "/v1/bank/lines/{id}/putting_back"
BATCHES, COLLECTIONS = "/v1/payouts/batches", "/v1/collections"
ROUTES: dict[str, Route] = {
    "/v1/joins": Route(NOBODY, Scene.join_body),
    "/v1/challenges": Route(NOBODY, lambda s: {"key": "00" * 32}),
    "/v1/sessions": Route(NOBODY, Scene.session_body),
    "/v1/payments": Route(NOBODY, Scene.payment_body, frozenset({"request"})),
    "/v1/refunds": Route(NOBODY, Scene.refund_body),
    "/v1/reconversions": Route(NOBODY, Scene.ask_body),
    "/v1/invites": Route(
        OPERATOR, lambda s: inviting("member", account=_account(s)), frozenset({"account"})
    ),
    "/v1/parties": Route(
        OPERATOR, lambda s: {"kind": "person", "name": "Zoé", "id": s.town.new_id().hex(), "again": True},
        frozenset({"id"}),
    ),
    "/v1/conversions": Route(
        OPERATOR, lambda s: {**s.conversion_body(), "booked_on": "2025-06-01"}, frozenset({"booked_on"}),
        frozenset({"amount_cents"}),
    ),
    PLACING: Route(
        OPERATOR, Scene.placing_body, frozenset({"account", "other", "cash", "turn"}), frozenset({"turn"}),
        lambda s: f"/v1/bank/lines/{s.last_line}/placing",
    ),
    PUTTING_BACK: Route(
        OPERATOR, Scene.putting_back_body, frozenset({"turn"}), frozenset({"turn"}),
        lambda s: f"/v1/bank/lines/{s.last_line}/putting_back",
    ),
    "/v1/bank-details": Route(OWNER, lambda s: {"iban": "BE71 0961 2345 6769", "holder": "Jean"}, method="PUT"),
    "/v1/parties/{account}/bank-details": Route(
        OPERATOR, lambda s: {"iban": "BE71 0961 2345 6769", "holder": "Jean"}, method="PUT",
        ready=lambda s: f"/v1/parties/{_account(s)}/bank-details",
    ),
    "/v1/payouts/{reference}/rejection": Route(
        TREASURER, lambda s: {"reason": "AC04"}, ready=lambda s: f"/v1/payouts/{s.payout()}/rejection",
        may_be_empty=True,
    ),
    BATCHES: Route(
        OPERATOR, lambda s: {"on": None}, frozenset({"on"}), ready=lambda s: s.payout() and BATCHES, may_be_empty=True
    ),
    f"{BATCHES}/{{batch}}/signatures": Route(
        TREASURER, _signature_body,
        ready=lambda s: f"{BATCHES}/{batches.every(s.town)[0].number}/signatures",
    ),
    f"{BATCHES}/{{batch}}/withdrawal": Route(
        OPERATOR, lambda s: {"refused": False}, ready=lambda s: f"{BATCHES}/{s.batch()}/withdrawal", may_be_empty=True
    ),
    "/v1/mandates": Route(OWNER, Scene.mandate_body),
    "/v1/mandates/paper": Route(OPERATOR, lambda s: {**s.paper_body(), "holder": "", "id": None}, frozenset({"id"})),
    "/v1/mandates/{id}/amounts": Route(
        OWNER, Scene.amount_body, ready=lambda s: f"/v1/mandates/{s.mandate()}/amounts"
    ),
    "/v1/notices": Route(OPERATOR, lambda s: {"month": None}, frozenset({"month"}), may_be_empty=True),
    COLLECTIONS: Route(
        OPERATOR, lambda s: {"month": None, "on": None}, frozenset({"month", "on"}),
        ready=lambda s: str(s.collection_body()) and COLLECTIONS, may_be_empty=True,
    ),
    "/v1/debits/{reference}/rejection": Route(
        OPERATOR, lambda s: {"reason": "AC04"}, ready=lambda s: f"/v1/debits/{s.debit()}/rejection", may_be_empty=True
    ),
    f"{COLLECTIONS}/{{collection}}/withdrawal": Route(
        OPERATOR, lambda s: {"refused": False}, ready=lambda s: f"{COLLECTIONS}/{s.collection()}/withdrawal",
        may_be_empty=True,
    ),
}  # fmt: skip


def _account(scene: Scene) -> str:
    from tests.served import shown

    return shown(scene.people.alice)


@contextmanager
def nothing_happens(scene: Scene) -> Iterator[None]:
    """No balance, no log entry, and no row of the currency's tables either."""

    def rows() -> list[int]:
        with scene.town.reading() as connection:
            tables = (DEVICE_KEY, INVITE, PARTY, SESSION)
            return [connection.execute(select(func.count()).select_from(t)).scalar_one() for t in tables]

    before = rows()
    with unmoved(scene.town):
        yield
    assert rows() == before


def send(
    scene: Scene, path: str, content: bytes, kind: str | None = "application/json", *, at: str | None = None
) -> httpx.Response:
    route = ROUTES[path]
    headers = dict(scene.headers[route.who])
    if kind is not None:
        headers["Content-Type"] = kind
    from api.routes.devices import FAILED_JOINS

    FAILED_JOINS.clear()
    address = at or (route.at(scene) if route.at else path)
    return scene.api.client.request(route.method, address, content=content, headers=headers)


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)
