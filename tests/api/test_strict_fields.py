"""What comes in must have one meaning: every field of every body, with what a careless reader would take."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable, Iterator

import pytest

from ledger.core.ids import b32decode
from tests import towns
from tests.api.bodies import MALFORMED, PLACING, PUTTING_BACK, ROUTES, _text, nothing_happens, send
from tests.api.scene import MANDATES, Scene
from tests.served import cast, is_problem, served


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    town = towns.found(tmp_path_factory.mktemp("strict") / "home", towns.charter(mandates=MANDATES))
    people = cast(town)
    with served(town) as api:
        yield Scene(town, people, api)
    town.book.close()


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
