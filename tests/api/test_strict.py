"""What comes in must have one meaning: every body route against everything that readers of JSON differ on.

Whatever is sent, the answer is a problem document with a stable code, and no money has moved.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from api.strict import MAX_BODY, BodyMalformed, read_object
from ledger.currency.acts import MAX_TEXT
from tests import towns
from tests.api.bodies import MALFORMED, ROUTES, _text, nothing_happens, send
from tests.api.scene import MANDATES, NOBODY, Scene
from tests.served import cast, is_problem, served, serving


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    town = towns.found(tmp_path_factory.mktemp("strict") / "home", towns.charter(mandates=MANDATES))
    people = cast(town)
    with served(town) as api:
        yield Scene(town, people, api)
    town.book.close()


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
