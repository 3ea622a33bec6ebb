"""What comes in must have one meaning: every body route against everything that readers of JSON differ on.

Whatever is sent, the answer is a problem document with a stable code, and no money has moved.
"""

from __future__ import annotations

import json
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import func, select

from api.strict import MAX_BODY, BodyMalformed, read_object
from ledger.core.ids import b32decode
from ledger.currency.acts import MAX_TEXT
from ledger.currency.bank.payouts import batches
from ledger.currency.tables import DEVICE_KEY, INVITE, PARTY, SESSION
from tests import towns
from tests.api.scene import MANDATES, NOBODY, OPERATOR, OWNER, TREASURER, Scene
from tests.served import cast, inviting, is_problem, served, serving, unmoved

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
        OPERATOR, lambda s: {"kind": "person", "name": "Zoé", "id": s.town.new_id().hex()}, frozenset({"id"})
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


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    town = towns.found(tmp_path_factory.mktemp("strict") / "home", towns.charter(mandates=MANDATES))
    people = cast(town)
    with served(town) as api:
        yield Scene(town, people, api)
    town.book.close()


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


def test_every_route_with_a_body_is_here(scene: Scene) -> None:
    paths: dict[str, Any] = scene.api.client.get("/openapi.json").json()["paths"]
    with_a_body = {
        (method.upper(), path)
        for path, item in paths.items()
        for method, operation in item.items()
        if "requestBody" in operation
    }
    assert with_a_body == {(route.method, path) for path, route in ROUTES.items()}


@pytest.mark.parametrize("path", ROUTES)
def test_the_good_bodies_are_good(scene: Scene, path: str) -> None:
    """Or the tests below would hold for the wrong reason."""
    route = ROUTES[path]

    def good(**changed: Any) -> None:
        content = json.dumps({**route.body(scene), **changed}).encode()
        response = send(scene, path, content, at=route.ready(scene))
        assert response.status_code in (200, 201), response.text

    good()
    for name in route.optional - {"request"}:
        good(**{name: None}, **({"role": "operator"} if path == "/v1/invites" else {}))


# Whole bodies: what stands here is the text that is sent, made from a good body.


def _text(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False)


def _first(body: dict[str, Any]) -> str:
    return json.dumps(next(iter(body)))


BODIES: dict[str, Callable[[dict[str, Any]], bytes]] = {
    "empty": lambda b: b"",
    "blank": lambda b: b"  \n",
    "null": lambda b: b"null",
    "a list": lambda b: f"[{_text(b)}]".encode(),
    "a list of nothing": lambda b: b"[]",
    "text": lambda b: b'"order"',
    "a number": lambda b: b"1",
    "a boolean": lambda b: b"true",
    "an empty object": lambda b: b"{}",
    "cut": lambda b: _text(b)[:-1].encode(),
    "trailing text": lambda b: (_text(b) + " x").encode(),
    "two objects": lambda b: (_text(b) * 2).encode(),
    "a trailing comma": lambda b: (_text(b)[:-1] + ",}").encode(),
    "a comment": lambda b: (_text(b)[:-1] + "/* */}").encode(),
    "single quotes": lambda b: _text(b).replace('"', "'").encode(),
    "keys without quotes": lambda b: _text(b).replace(_first(b), next(iter(b)), 1).encode(),
    "a byte order mark": lambda b: b"\xef\xbb\xbf" + _text(b).encode(),
    "UTF-16": lambda b: _text(b).encode("utf-16"),
    "UTF-32": lambda b: _text(b).encode("utf-32"),
    "not UTF-8": lambda b: _text(b).encode().replace(b":", b":\xff", 1),
    "overlong UTF-8": lambda b: _text(b)[:-1].encode() + b',"x":"\xc0\xaf"}',
    "a surrogate in UTF-8": lambda b: _text(b)[:-1].encode() + b',"x":"\xed\xa0\x80"}',
    "a key twice": lambda b: (_text(b)[:-1] + f", {_first(b)}: {json.dumps(next(iter(b.values())))}}}").encode(),
    "a key twice, escaped": lambda b: (
        _text(b)[:-1] + f', "\\u{ord(next(iter(b))[0]):04x}{next(iter(b))[1:]}": null}}'
    ).encode(),
    "a key twice inside": lambda b: (_text(b)[:-1] + ', "x": {"a": 1, "a": 1}}').encode(),
    "an extra key": lambda b: _text({**b, "x": 1}).encode(),
    "an extra key without end": lambda b: _text({**b, "x" * 9_000: 1}).encode(),
    "an extra key of nothing": lambda b: _text({**b, "x": None}).encode(),
    "an empty key": lambda b: _text({**b, "": 1}).encode(),
    "a prototype": lambda b: _text({**b, "__proto__": {"admin": True}}).encode(),
    "another case": lambda b: _text({key.upper(): value for key, value in b.items()}).encode(),
    "NaN": lambda b: (_text(b)[:-1] + ', "x": NaN}').encode(),
    "Infinity": lambda b: (_text(b)[:-1] + ', "x": Infinity}').encode(),
    "-Infinity": lambda b: (_text(b)[:-1] + ', "x": -Infinity}').encode(),
    "a float": lambda b: (_text(b)[:-1] + ', "x": 1.0}').encode(),
    "an exponent": lambda b: (_text(b)[:-1] + ', "x": 1e2}').encode(),
    "an exponent without end": lambda b: (_text(b)[:-1] + ', "x": 1e999999999}').encode(),
    "a number without end": lambda b: (_text(b)[:-1] + f', "x": {"9" * 5_000}}}').encode(),
    "a leading zero": lambda b: (_text(b)[:-1] + ', "x": 01}').encode(),
    "a plus": lambda b: (_text(b)[:-1] + ', "x": +1}').encode(),
    "hexadecimal": lambda b: (_text(b)[:-1] + ', "x": 0x10}').encode(),
    "full-width digits": lambda b: (_text(b)[:-1] + ', "x": １２}').encode(),
    "half of a pair": lambda b: (_text(b)[:-1] + ', "x": "\\ud83d"}').encode(),
    "the other half": lambda b: (_text(b)[:-1] + ', "\\ude00": 1}').encode(),
    "a control character": lambda b: (_text(b)[:-1] + ', "x": "\x07"}').encode(),
    "NUL": lambda b: (_text(b)[:-1] + ', "x": "\x00"}').encode(),
    "NUL after the end": lambda b: _text(b).encode() + b"\0",
    "lists in lists": lambda b: (_text(b)[:-1] + ', "x": ' + "[" * 7_000 + "]" * 7_000 + "}").encode(),
    "lists in lists, just": lambda b: (_text(b)[:-1] + ', "x": ' + "[" * 850 + "]" * 850 + "}").encode(),
    "objects in objects": lambda b: (_text(b)[:-1] + ', "x": ' + '{"a":' * 2_000 + "1" + "}" * 2_001).encode(),
    "lists without end": lambda b: b"[" * 16_000,
}


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("name", BODIES)
def test_bodies(scene: Scene, path: str, name: str) -> None:
    content = BODIES[name](ROUTES[path].body(scene))
    assert len(content) <= MAX_BODY
    if name == "an empty object" and ROUTES[path].may_be_empty:
        return
    with nothing_happens(scene):
        is_problem(send(scene, path, content), MALFORMED)


# Fields: one after the other of a good body is replaced.

VALUES: dict[str, str] = {
    "true": "true", "false": "false", "null": "null", "a list": "[]", "an object": "{}", "a float": "1.5",
    "a whole float": "100.0", "an exponent": "1e2", "a large exponent": "1E400", "NaN": "NaN", "Infinity": "Infinity",
    "zero": "0", "minus zero": "-0", "negative": "-1", "2^63": str(2**63), "2^64": str(2**64), "huge": "1" * 400,
    "full-width digits": "１００", "digits as text": '"100"', "full-width digits as text": '"１００"',
    "nothing": '""', "a blank": '" "', "NUL": '"\\u0000"', "half of a pair": '"\\ud800"', "bidi": '"a\\u202eb"',
    "zero-width": '"a\\u200bb"', "control": '"a\\u0007b"', "a line": '"a\\nb"', "long": json.dumps("a" * 15_000),
    "accents without end": json.dumps("a" + "\u0301" * 100),
}  # fmt: skip
CODES = {MALFORMED, "text_malformed", "message_malformed", "join_code_invalid", "role_not_for_kind",
         "party_kind_unknown", "reserve_account_unknown", "reference_malformed", "signature_invalid"}  # fmt: skip
# Each of these is good in that field: it is text for a name, or a number for an amount.
GOOD = {
    ("/v1/parties", "name", "digits as text"), ("/v1/parties", "name", "full-width digits as text"),
    ("/v1/joins", "label", "digits as text"), ("/v1/joins", "label", "full-width digits as text"),
    ("/v1/conversions", "reference", "digits as text"), ("/v1/conversions", "reference", "a line"),
    (PLACING, "shares", "a list"), (PLACING, "turn", "zero"), (PLACING, "turn", "minus zero"),
    (PUTTING_BACK, "turn", "zero"), (PUTTING_BACK, "turn", "minus zero"),
}  # fmt: skip


def _fields() -> Iterator[tuple[str, str, str]]:
    names = {
        "/v1/joins": ("code", "key", "label", "signature"), "/v1/challenges": ("key",),
        "/v1/sessions": ("key", "challenge", "signature"), "/v1/payments": ("order", "request"),
        "/v1/refunds": ("order",), "/v1/reconversions": ("order",), "/v1/invites": ("role", "account", "code_hash"),
        "/v1/parties": ("kind", "name", "id"),
        "/v1/conversions": ("account", "amount_cents", "reserve", "reference", "booked_on"),
        PLACING: ("way", "account", "other", "shares", "turn"), PUTTING_BACK: ("turn",),
    }  # fmt: skip
    for path, fields in names.items():
        for field in fields:
            for value in VALUES:
                if (path, field, value) not in GOOD and not (value == "null" and field in ROUTES[path].optional):
                    yield path, field, value


FIELDS = list(_fields())


@pytest.mark.parametrize(("path", "field", "value"), FIELDS, ids=map(" ".join, FIELDS))
def test_fields(scene: Scene, path: str, field: str, value: str) -> None:
    body = ROUTES[path].body(scene)
    assert field in body
    content = _text({**body, field: "HERE"}).replace('"HERE"', VALUES[value]).encode()
    with nothing_happens(scene):
        response = send(scene, path, content)
        code = response.json().get("code")
        assert code in CODES, (code, response.text)
        if VALUES[value][0] != '"':
            assert code == MALFORMED
        is_problem(response, code)


@pytest.mark.parametrize(("path", "field", "value"), sorted(GOOD), ids=map(" ".join, sorted(GOOD)))
def test_fields_that_are_good(scene: Scene, path: str, field: str, value: str) -> None:
    content = _text({**ROUTES[path].body(scene), field: "HERE"}).replace('"HERE"', VALUES[value]).encode()
    assert send(scene, path, content).status_code == 201


@pytest.mark.parametrize(
    "amount", ["0", "-1", "-100", "4294967296", "9007199254740993", "true", '"100"', "100.0", "1e2", "[100]", "null"]
)
def test_amounts_of_a_conversion(scene: Scene, amount: str) -> None:
    content = _text({**scene.conversion_body(), "amount_cents": "HERE"}).replace('"HERE"', amount).encode()
    with nothing_happens(scene):
        detail = is_problem(send(scene, "/v1/conversions", content), MALFORMED)
    assert "amount_cents" in detail or "whole number" in detail


@pytest.mark.parametrize(
    "day", ['"2025-6-1"', '"20250601"', '"2025-06-01T00:00:00"', '"2025-06-31"', '"0000-01-01"', "86400", '"86400"',
            '"２０２５-06-01"', '"2025-06-01 "', "1748736000.0"],
)  # fmt: skip
def test_days_of_a_conversion(scene: Scene, day: str) -> None:
    content = _text({**scene.conversion_body(), "booked_on": "HERE"}).replace('"HERE"', day).encode()
    with nothing_happens(scene):
        is_problem(send(scene, "/v1/conversions", content), MALFORMED)


@pytest.mark.parametrize("where", ["/v1/challenges", "/v1/sessions", "/v1/joins"])
@pytest.mark.parametrize("change", [str.upper, lambda t: t + "\n", lambda t: t[:-1], lambda t: t + "0",
                                    lambda t: "0x" + t[2:], lambda t: " " + t[1:], lambda t: t[:-1] + "g"])  # fmt: skip
def test_hex_has_one_form(scene: Scene, where: str, change: Callable[[str], str]) -> None:
    body = ROUTES[where].body(scene) | {"key": "ab" * 32}
    with nothing_happens(scene):
        is_problem(send(scene, where, _text({**body, "key": change(body["key"])}).encode()), MALFORMED)


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/refunds", "/v1/reconversions"])
@pytest.mark.parametrize(
    "change",
    [str.lower, lambda t: t + "\n", lambda t: " " + t, lambda t: t[:-1], lambda t: t + "0", lambda t: t + "=",
     lambda t: t[:10] + "-" + t[10:], lambda t: t.replace("0", "O", 1), lambda t: t[:-1] + "Z", lambda t: "１" + t[1:],
     lambda t: t * 2, lambda t: b32decode(t).hex(), lambda t: "0" * len(t)],
)  # fmt: skip
def test_an_order_has_one_text(scene: Scene, path: str, change: Callable[[str], str]) -> None:
    body = ROUTES[path].body(scene)
    with nothing_happens(scene):
        response = send(scene, path, _text({**body, "order": change(body["order"])}).encode())
        is_problem(response, response.json()["code"])
        assert response.json()["code"] in ("message_malformed", "signature_invalid")


def test_a_request_has_one_text(scene: Scene) -> None:
    body = scene.payment_body()
    for change in (str.lower, lambda t: t + "0", lambda t: t[:-1], lambda t: body["order"]):
        with nothing_happens(scene):
            is_problem(
                send(scene, "/v1/payments", _text({**body, "request": change(body["request"])}).encode()),
                "message_malformed",
            )


@pytest.mark.parametrize(
    "name",
    ["a\u202eb", "\u2066a\u2069", "a\u200bb", "a\u200db", "\ufeffa", "a\u00adb", "a\x00b", "a\tb", "a\x7fb", "\u2028",
     "", "   ", "\u3164", "x" * 61, "\ue000", "\U000e0041", "Za" + "\u0301" * 5],
)  # fmt: skip
def test_names_that_deceive(scene: Scene, name: str) -> None:
    join = {**scene.join_body(), "label": name}
    with nothing_happens(scene):
        party = send(scene, "/v1/parties", _text({"kind": "person", "name": name}).encode())
        label = send(scene, "/v1/joins", _text(join).encode())
    for response in (party, label):
        assert response.json()["code"] in ("text_malformed", MALFORMED), response.text
        is_problem(response, response.json()["code"])
    escaped = json.dumps({"kind": "person", "name": name}).encode()
    with nothing_happens(scene):
        response = send(scene, "/v1/parties", escaped)
        is_problem(response, "text_malformed" if name else MALFORMED)


def test_names_are_kept_in_one_form(scene: Scene) -> None:
    apart = unicodedata.normalize("NFD", "Crêperie  d’Élodie ")
    response = send(scene, "/v1/parties", _text({"kind": "shop", "name": apart}).encode())
    assert response.json()["name"] == "Crêperie d’Élodie"


# What surrounds a body


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "kind",
    [None, "", "text/plain", "text/json", "application/jsonx", "application/x-www-form-urlencoded",
     "multipart/form-data; boundary=x", "application/merge-patch+json", "application/octet-stream", "json", "*/*",
     "application/json, text/plain", "text/plain; application/json"],
)  # fmt: skip
def test_media_types(scene: Scene, path: str, kind: str | None) -> None:
    """A form of another site can send these without asking first; JSON it cannot."""
    content = json.dumps(ROUTES[path].body(scene)).encode()
    with nothing_happens(scene):
        is_problem(send(scene, path, content, kind), "media_type_wrong")


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_media_types_that_are_good(scene: Scene, kind: str) -> None:
    content = json.dumps(scene.payment_body()).encode()
    assert send(scene, "/v1/payments", content, kind).status_code == 201


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_has_a_limit(scene: Scene, path: str) -> None:
    body = json.dumps(ROUTES[path].body(scene)).encode()
    with nothing_happens(scene):
        is_problem(send(scene, path, body + b" " * (MAX_BODY - len(body) + 1)), "body_too_large")
    # What a device signs goes into the log, but for what is personal.
    most = MAX_BODY if ROUTES[path].who == NOBODY else MAX_TEXT - 200
    fits = body + b" " * (most - len(body))
    assert send(scene, path, fits, at=ROUTES[path].ready(scene)).status_code in (200, 201)


@pytest.mark.parametrize("path", ["/v1/payments", "/v1/joins", "/v1/conversions"])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
def test_ten_megabytes(scene: Scene, path: str, chunked: bool) -> None:
    """Over a real connection: the answer comes after little was read, not after all of it."""
    with serving(scene.town) as url, nothing_happens(scene):
        status, head, body, sent = _upload(url, path, 10_000_000, chunked=chunked)
        assert status == 413
        assert b"application/problem+json" in head.lower()
        assert json.loads(body)["code"] == "body_too_large"
        assert sent < 9_000_000
        # The server is none the worse for it.
        assert httpx.get(url + "/health").status_code == 200


def _upload(url: str, path: str, size: int, *, chunked: bool) -> tuple[int, bytes, bytes, int]:
    """Send a body bit by bit until an answer comes; (status, head, body, bytes sent of it)."""
    address = urlsplit(url)
    assert address.hostname and address.port
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        how = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {size}"
        head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n{how}\r\n\r\n"
        connection.sendall(head.encode())
        answered = threading.Event()
        received = bytearray()

        def receive() -> None:
            try:
                while data := connection.recv(65_536):
                    received.extend(data)
                    if b"\r\n\r\n" in received and received.endswith(b"}"):
                        answered.set()
            except OSError:
                pass  # reset, since what was sent after the answer is not read
            answered.set()

        reader = threading.Thread(target=receive)
        reader.start()
        sent, block = 0, b" " * 10_000
        try:
            while sent < size and not answered.wait(0.005):
                connection.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n" if chunked else block)
                sent += len(block)
        except OSError:
            pass
        assert answered.wait(10)
        try:
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # reset before
        reader.join()
    top, _, body = bytes(received).partition(b"\r\n\r\n")
    return int(top.split()[1]), top, body, sent


# The reader by itself


@pytest.mark.parametrize("depth", [1, 10, 100, 500, 900, 950, 980, 990, 995, 1_000, 5_000])
def test_any_depth_is_answered(depth: int) -> None:
    """Near Python's limit on recursion too, wherever that is hit."""
    for left, right in (("[", "]"), ('{"a":', "}")):
        body = ('{"x":' + left * depth + "0" + right * depth + "}").encode()
        try:
            assert "x" in read_object(body)
        except BodyMalformed as error:
            assert "deep" in str(error)
            assert depth > 100


# These are JSON of one meaning; that no route has such a body is for the routes to say.
PLAIN = {"an empty object", "an extra key", "an extra key of nothing", "an extra key without end", "an empty key",
         "a prototype", "another case", "lists in lists, just"}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_the_reader_refuses_it_by_itself(name: str) -> None:
    """Whatever the route and its model would say: the reader is what a route without a model has."""
    content = BODIES[name]({"order": "A", "request": "B"})
    if name in PLAIN:
        assert read_object(content) is not None
    else:
        with pytest.raises(BodyMalformed):
            read_object(content)


def test_the_reader_takes_what_is_plain() -> None:
    body = '{"a":"é😀\\ud83d\\ude00","b":[1,-2,true,null],"c":{"d":18446744073709551615}}'
    assert read_object(body.encode()) == json.loads(body)


def test_details_never_hold_what_was_sent(scene: Scene) -> None:
    """A token or a name that was sent to the wrong field must not come back in an answer that somebody logs."""
    secret = "s3cr3t" * 20
    for path, route in ROUTES.items():
        for field in route.body(scene):
            response = send(scene, path, _text({**route.body(scene), field: secret}).encode())
            if response.status_code >= 400 and field not in ("kind", "reserve", "role", "account"):
                assert secret not in response.text, (path, field)
