"""Who may do what: every route as nobody, a stranger, an owner, a cashier and the three keys of the office.

The table below is the reference. A route that has no row fails the test, so none can be added without saying whom
it serves. The shop is the owner of what is asked for; Bob, a member with an account of his own, is the stranger.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from api.live import Live
from api.routes.devices import FAILED_JOINS
from ledger.core.ids import account_text
from tests import towns
from tests.api.scene import (
    AUDITOR,
    CALLERS,
    CASHIER,
    MANDATES,
    NOBODY,
    OPERATOR,
    OWNER,
    RESERVE,
    STRANGER,
    TREASURER,
    Scene,
)
from tests.served import cast, endpoints, inviting, is_problem, served, shown


class Row(NamedTuple):
    """What one route answers. `path` and `body` are made anew for each call; `unknown` is a path to nothing."""

    answers: dict[str, int | str]
    path: Callable[[Scene], str]
    body: Callable[[Scene], object] = lambda s: None
    unknown: str = ""


def _all(status: int) -> dict[str, int | str]:
    return dict.fromkeys(CALLERS, status)


def _only(status: int, *allowed: str, stranger: str = "role_insufficient") -> dict[str, int | str]:
    """`status` for those; nobody is asked for a session, a stranger sees `stranger`, others lack the role."""
    others = {who: status if who in allowed else "role_insufficient" for who in CALLERS}
    return others | {NOBODY: "session_missing", STRANGER: status if STRANGER in allowed else stranger}


SESSION = _only(200, *CALLERS[1:])
OWN_OR_AUDIT = _only(200, OWNER, CASHIER, OPERATOR, TREASURER, AUDITOR, stranger="not_found")
OFFICE = (OPERATOR, TREASURER)
AUDIT = (OPERATOR, TREASURER, AUDITOR)
NO_ACCOUNT = account_text(4711)
NO_ID = "00" * 15 + "01"


def _account(rest: str = "") -> Callable[[Scene], str]:
    return lambda s: f"/v1/accounts/{shown(s.people.shop)}{rest}"


TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/openapi.json"): Row(_all(200), lambda s: "/openapi.json"),
    ("GET", "/health"): Row(_all(200), lambda s: "/health"),
    ("GET", "/v1/currency"): Row(_all(200), lambda s: "/v1/currency"),
    ("GET", "/v1/log"): Row(_all(200), lambda s: "/v1/log"),
    ("GET", "/v1/directory"): Row(_all(200), lambda s: "/v1/directory"),
    ("GET", "/v1/directory/{account}"): Row(_all(200), lambda s: f"/v1/directory/{shown(s.people.alice)}"),
    ("GET", "/v1/requests/{text}"): Row(_all(200), lambda s: f"/v1/requests/{s.request.text}"),
    ("POST", "/v1/joins"): Row(_all(201), lambda s: "/v1/joins", Scene.join_body),
    ("POST", "/v1/challenges"): Row(_all(201), lambda s: "/v1/challenges", lambda s: {"key": "00" * 32}),
    ("POST", "/v1/sessions"): Row(_all(201), lambda s: "/v1/sessions", Scene.session_body),
    ("DELETE", "/v1/sessions/current"): Row(_only(204, *CALLERS[1:]), lambda s: "/v1/sessions/current"),
    ("GET", "/v1/me"): Row(SESSION, lambda s: "/v1/me"),
    ("GET", "/v1/keys"): Row(_only(200, STRANGER, OWNER, *AUDIT), lambda s: "/v1/keys"),
    ("DELETE", "/v1/keys/{key}"): Row(
        _only(204, OWNER, *OFFICE, stranger="not_found"), lambda s: f"/v1/keys/{s.new_key()}",
        unknown=f"/v1/keys/{'07' * 32}",
    ),
    ("GET", "/v1/confirmations"): Row(_only(200, STRANGER, TREASURER), lambda s: "/v1/confirmations"),
    # Somebody else's key is as unknown to a member as any; a treasurer whom nobody vouched for vouches for nobody.
    ("POST", "/v1/keys/{key}/confirmation"): Row(
        {**_only(201, STRANGER), TREASURER: "signature_person_unknown"},
        lambda s: f"/v1/keys/{s.unconfirmed_key()}/confirmation", unknown=f"/v1/keys/{'07' * 32}/confirmation",
    ),
    ("POST", "/v1/invites"): Row(
        _only(201, OWNER, *OFFICE, stranger="not_found"), lambda s: "/v1/invites",
        lambda s: inviting("cashier", account=shown(s.people.shop)),
    ),
    ("GET", "/v1/accounts/{account}"): Row(OWN_OR_AUDIT, _account(), unknown=f"/v1/accounts/{NO_ACCOUNT}"),
    ("GET", "/v1/accounts/{account}/entries"): Row(
        OWN_OR_AUDIT, _account("/entries"), unknown=f"/v1/accounts/{NO_ACCOUNT}/entries"
    ),
    ("GET", "/v1/accounts/{account}/day"): Row(
        OWN_OR_AUDIT, _account("/day"), unknown=f"/v1/accounts/{NO_ACCOUNT}/day"
    ),
    ("GET", "/v1/accounts/{account}/events"): Row(
        OWN_OR_AUDIT, _account("/events"), unknown=f"/v1/accounts/{NO_ACCOUNT}/events"
    ),
    # An order is its own authority: who brings it does not matter.
    ("POST", "/v1/payments"): Row(_all(201), lambda s: "/v1/payments", Scene.payment_body),
    ("POST", "/v1/refunds"): Row(_all(201), lambda s: "/v1/refunds", Scene.refund_body),
    ("POST", "/v1/reconversions"): Row(_all(201), lambda s: "/v1/reconversions", Scene.ask_body),
    ("GET", "/v1/payments/{id}"): Row(
        OWN_OR_AUDIT, lambda s: f"/v1/payments/{s.payment}", unknown=f"/v1/payments/{NO_ID}"
    ),
    ("GET", "/v1/parties"): Row(_only(200, *AUDIT), lambda s: "/v1/parties"),
    ("POST", "/v1/parties"): Row(
        _only(201, *OFFICE), lambda s: "/v1/parties", lambda s: {"kind": "person", "name": "Nouvelle", "again": True}
    ),
    ("DELETE", "/v1/parties/{account}"): Row(
        _only(204, *OFFICE), lambda s: f"/v1/parties/{s.new_party()}", unknown=f"/v1/parties/{NO_ACCOUNT}"
    ),
    ("POST", "/v1/conversions"): Row(_only(201, *OFFICE), lambda s: "/v1/conversions", Scene.conversion_body),
    ("POST", "/v1/conversions/{id}/correction"): Row(
        _only(201, TREASURER), lambda s: f"/v1/conversions/{s.converted()}/correction",
        unknown=f"/v1/conversions/{NO_ID}/correction",
    ),
    ("GET", "/v1/reconversions"): Row(_only(200, *AUDIT), lambda s: "/v1/reconversions"),
    ("POST", "/v1/reconversions/{id}/acceptance"): Row(
        _only(201, TREASURER), lambda s: f"/v1/reconversions/{s.asked()}/acceptance",
        unknown=f"/v1/reconversions/{NO_ID}/acceptance",
    ),
    ("POST", "/v1/reconversions/{id}/refusal"): Row(
        _only(201, TREASURER), lambda s: f"/v1/reconversions/{s.asked()}/refusal",
        unknown=f"/v1/reconversions/{NO_ID}/refusal",
    ),
    ("GET", "/v1/topup"): Row(_only(200, OWNER, STRANGER), lambda s: "/v1/topup"),
    ("GET", "/v1/bank/statements"): Row(_only(200, *AUDIT), lambda s: "/v1/bank/statements"),
    ("POST", "/v1/bank/statements/{id}/withdrawal"): Row(
        _only(201, TREASURER), lambda s: f"/v1/bank/statements/{s.first_statement()}/withdrawal",
        unknown=f"/v1/bank/statements/{NO_ID}/withdrawal",
    ),
    ("GET", "/v1/bank/lines"): Row(_only(200, *AUDIT), lambda s: "/v1/bank/lines"),
    # A body that is no statement: whoever may import is told so, others are not asked for it.
    ("POST", "/v1/bank/imports"): Row(
        _only(201) | dict.fromkeys(OFFICE, "media_type_wrong"), lambda s: "/v1/bank/imports", lambda s: {}
    ),
    ("GET", "/v1/bank/imports/{id}"): Row(
        _only(200) | dict.fromkeys(AUDIT, "not_found"), lambda s: f"/v1/bank/imports/{NO_ID}"
    ),
    ("GET", "/v1/bank/suspense"): Row(_only(200, *AUDIT), lambda s: "/v1/bank/suspense?limit=1"),
    ("GET", "/v1/bank/suspense/{id}"): Row(
        _only(200, *AUDIT), lambda s: f"/v1/bank/suspense/{s.line_in_suspense()}", unknown=f"/v1/bank/suspense/{NO_ID}"
    ),
    ("POST", "/v1/bank/lines/{id}/placing"): Row(
        _only(201, *OFFICE), lambda s: f"/v1/bank/lines/{s.line_in_suspense()}/placing", lambda s: {"way": "own"},
        unknown=f"/v1/bank/lines/{NO_ID}/placing",
    ),
    ("POST", "/v1/bank/lines/{id}/putting_back"): Row(
        _only(201, *OFFICE), lambda s: f"/v1/bank/lines/{s.placed_line()}/putting_back", lambda s: {"turn": None},
        unknown=f"/v1/bank/lines/{NO_ID}/putting_back",
    ),
    ("GET", "/v1/bank/claims"): Row(_only(200, *AUDIT), lambda s: "/v1/bank/claims"),
    ("GET", "/v1/bank-details"): Row(_only(200, OWNER, STRANGER), lambda s: "/v1/bank-details"),
    ("PUT", "/v1/bank-details"): Row(
        _only(200, OWNER, STRANGER), lambda s: "/v1/bank-details", lambda s: {"iban": "BE71 0961 2345 6769"}
    ),
    ("GET", "/v1/parties/{account}/bank-details"): Row(
        _only(200, *AUDIT), lambda s: f"/v1/parties/{shown(s.people.shop)}/bank-details",
        unknown=f"/v1/parties/{NO_ACCOUNT}/bank-details",
    ),
    ("PUT", "/v1/parties/{account}/bank-details"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/parties/{shown(s.people.shop)}/bank-details",
        lambda s: {"iban": "BE71096123456769", "holder": "Boulangerie SARL"},
        unknown=f"/v1/parties/{NO_ACCOUNT}/bank-details",
    ),
    ("GET", "/v1/payouts"): Row(_only(200, *AUDIT), lambda s: "/v1/payouts"),
    ("POST", "/v1/payouts/{reference}/rejection"): Row(
        _only(201, TREASURER), lambda s: f"/v1/payouts/{s.payout()}/rejection", lambda s: {"reason": "AC04"},
        unknown="/v1/payouts/0000000000/rejection",
    ),
    ("GET", "/v1/payouts/batches"): Row(_only(200, *AUDIT), lambda s: "/v1/payouts/batches?all=true"),
    ("POST", "/v1/payouts/batches"): Row(
        _only(201, *OFFICE), lambda s: "/v1/payouts/batches", Scene.batch_body
    ),
    ("GET", "/v1/payouts/batches/{batch}"): Row(
        _only(200, *AUDIT), lambda s: f"/v1/payouts/batches/{s.batch()}", unknown="/v1/payouts/batches/99999",
    ),
    ("GET", "/v1/payouts/batches/{batch}/content"): Row(
        _only(200, TREASURER), lambda s: f"/v1/payouts/batches/{s.batch()}/content",
        unknown="/v1/payouts/batches/99999/content",
    ),
    ("POST", "/v1/payouts/batches/{batch}/signatures"): Row(
        _only(201, TREASURER), lambda s: f"/v1/payouts/batches/{s.batch()}/signatures", Scene.signature_body,
        unknown="/v1/payouts/batches/99999/signatures",
    ),
    ("GET", "/v1/payouts/batches/{batch}/file"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/payouts/batches/{s.batch(signed=True)}/file",
        unknown="/v1/payouts/batches/99999/file",
    ),
    ("POST", "/v1/payouts/batches/{batch}/withdrawal"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/payouts/batches/{s.batch()}/withdrawal", lambda s: {},
        unknown="/v1/payouts/batches/99999/withdrawal",
    ),
    ("GET", "/v1/monthly"): Row(_only(200, OWNER, STRANGER), lambda s: "/v1/monthly"),
    ("GET", "/v1/mandates"): Row(_only(200, *AUDIT), lambda s: "/v1/mandates"),
    # It is signed by the shop's own device, for the shop.
    ("POST", "/v1/mandates"): Row(
        _only(201, OWNER, stranger="signature_invalid"), lambda s: "/v1/mandates", Scene.mandate_body
    ),
    ("POST", "/v1/mandates/paper"): Row(
        _only(201, *OFFICE), lambda s: "/v1/mandates/paper", Scene.paper_body
    ),
    ("POST", "/v1/mandates/{id}/amounts"): Row(
        _only(201, OWNER, stranger="not_found") | dict.fromkeys(OFFICE, "signature_invalid"),
        lambda s: f"/v1/mandates/{s.mandate()}/amounts", Scene.amount_body,
    ),
    ("DELETE", "/v1/mandates/{id}"): Row(
        _only(200, OWNER, *OFFICE, stranger="not_found"), lambda s: f"/v1/mandates/{s.mandate()}",
        unknown=f"/v1/mandates/{NO_ID}",
    ),
    ("POST", "/v1/mandates/{id}/resumption"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/mandates/{s.mandate()}/resumption",
        unknown=f"/v1/mandates/{NO_ID}/resumption",
    ),
    ("GET", "/v1/notices"): Row(_only(200, *AUDIT), lambda s: "/v1/notices"),
    ("POST", "/v1/notices"): Row(_only(201, *OFFICE), lambda s: "/v1/notices", lambda s: {}),
    ("GET", "/v1/collections"): Row(_only(200, *AUDIT), lambda s: "/v1/collections"),
    ("POST", "/v1/collections"): Row(_only(201, *OFFICE), lambda s: "/v1/collections", Scene.collection_body),
    ("GET", "/v1/collections/{collection}/debits"): Row(
        _only(200, *AUDIT), lambda s: f"/v1/collections/{s.collection()}/debits",
        unknown="/v1/collections/99999/debits",
    ),
    ("GET", "/v1/collections/{collection}/file"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/collections/{s.collection()}/file",
        unknown="/v1/collections/99999/file",
    ),
    ("POST", "/v1/collections/{collection}/withdrawal"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/collections/{s.collection()}/withdrawal", lambda s: {},
        unknown="/v1/collections/99999/withdrawal",
    ),
    ("POST", "/v1/debits/{reference}/rejection"): Row(
        _only(200, *OFFICE), lambda s: f"/v1/debits/{s.debit()}/rejection", lambda s: {"reason": "AC04"},
        unknown="/v1/debits/0000000000/rejection",
    ),
    ("POST", "/v1/releases"): Row(_only(200, *OFFICE), lambda s: "/v1/releases"),
    ("GET", "/v1/reserve"): Row(_only(200, *AUDIT), lambda s: "/v1/reserve"),
    ("GET", "/v1/reserve/public"): Row(_all(200), lambda s: "/v1/reserve/public"),
    ("GET", "/v1/reserve/fragment"): Row(_only(200, *AUDIT), lambda s: "/v1/reserve/fragment"),
    ("GET", "/v1/reserve/pdf"): Row(_only(200, *AUDIT), lambda s: "/v1/reserve/pdf?lang=en"),
}  # fmt: skip

# Pages are for everybody, and what they show depends on no session: one rule holds for all of them.
PAGE_PARAMETERS: dict[str, Callable[[Scene], str]] = {
    "text": lambda s: s.request.text,
    "code": lambda s: "ABCDEFGH12",
    "path": lambda s: "none.css",
}


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    town = towns.found(
        Path(tmp_path_factory.mktemp("access")) / "home", towns.charter(mandates=MANDATES, reserve=RESERVE)
    )
    people = cast(town)
    with served(town) as api:
        yield Scene(town, people, api)
    town.book.close()


@pytest.fixture(autouse=True)
def _streams_that_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a stream may be opened is asked here; what flows through it is asked in `test_live`."""

    async def stream(*_: object) -> AsyncIterator[bytes]:
        yield b": connected\n\n"

    monkeypatch.setattr(Live, "stream", stream)


def _routes(scene: Scene) -> set[tuple[str, str]]:
    from api.orders import PATHS

    app: Any = scene.api.client.app  # type: ignore[attr-defined]
    return {(method, path) for method, path, _ in endpoints(app.routes)} | {("POST", path) for path in PATHS}


def _is_page(path: str) -> bool:
    return not path.startswith("/v1/") and path not in ("/health", "/openapi.json")


def test_every_route_has_a_row(scene: Scene) -> None:
    routes = {route for route in _routes(scene) if not _is_page(route[1])}
    assert routes == TABLE.keys()


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("route", TABLE, ids=" ".join)
def test_route(scene: Scene, route: tuple[str, str], who: str) -> None:
    row = TABLE[route]
    if route == ("DELETE", "/v1/sessions/current") and who != NOBODY:
        response = scene.api.client.delete("/v1/sessions/current", headers=scene.api.session(scene.keys[who]))
    else:
        path, body = row.path(scene), row.body(scene)
        before = scene.town.book.head()
        response = scene.send(route[0], path, body, who)
    wanted = row.answers[who]
    if isinstance(wanted, str):
        is_problem(response, wanted)
        assert scene.town.book.head() == before
    else:
        assert response.status_code == wanted, response.text
    assert "set-cookie" not in response.headers


@pytest.mark.parametrize("route", [route for route, row in TABLE.items() if row.unknown], ids=" ".join)
def test_a_stranger_cannot_tell_unknown_from_forbidden(scene: Scene, route: tuple[str, str]) -> None:
    row = TABLE[route]
    for who in (who for who in CALLERS if isinstance(row.answers[who], str)):
        there = scene.send(route[0], row.path(scene), row.body(scene), who)
        nowhere = scene.send(route[0], row.unknown, row.body(scene), who)
        assert (there.status_code, there.content) == (nowhere.status_code, nowhere.content)
        assert there.headers == nowhere.headers


@pytest.mark.parametrize("account", [NO_ACCOUNT, "0", "x" * 70, "１２３４５-67890-1234", "' OR 1=1 --"])
def test_an_invitation_to_an_account_of_others_looks_as_one_to_none(scene: Scene, account: str) -> None:
    answers = {
        scene.send("POST", "/v1/invites", inviting("cashier", account=shown(scene.people.shop)), STRANGER).content,
        scene.send("POST", "/v1/invites", inviting("cashier", account=NO_ACCOUNT), STRANGER).content,
    }
    assert len(answers) == 1
    odd = scene.send("GET", f"/v1/accounts/{account}", None, STRANGER)
    is_problem(odd, "not_found")


def test_pages_answer_everybody_alike(scene: Scene) -> None:
    for method, path in sorted(route for route in _routes(scene) if _is_page(route[1])):
        for name, value in PAGE_PARAMETERS.items():
            path = path.replace(f"{{{name}}}", value(scene)).replace(f"{{{name}:path}}", value(scene))
        assert "{" not in path, f"say in PAGE_PARAMETERS what stands for the parameter of {path}"
        seen = set()
        for who in CALLERS:
            FAILED_JOINS.clear()  # a wrong code that is only looked at counts as one that was tried
            response = scene.send(method, path, None, who)
            assert response.status_code < 500
            assert "set-cookie" not in response.headers
            seen.add((response.status_code, response.content))
        assert len(seen) == 1, path


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic QWxhZGRpbjpvcGVu", "Bearer x", f"Bearer {'0' * 64}", f"Bearer {'0' * 4096}",
     "Bearer é".encode().decode("latin-1"), "Bearer a b"],
)  # fmt: skip
def test_a_token_that_is_none(scene: Scene, header: str) -> None:
    response = scene.api.client.get("/v1/me", headers={b"Authorization": header.encode("latin-1")})
    is_problem(response, "session_missing")
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "TRACE", "GET"])
def test_methods_that_are_none(scene: Scene, method: str) -> None:
    """No method does what another one does, none tells more than that there is nothing."""
    paths = ["/v1/payments", "/v1/joins", "/v1/sessions"] if method == "GET" else ["/v1/payments", "/v1/me", "/health"]
    for path in paths:
        is_problem(scene.api.client.request(method, path), "not_found")
