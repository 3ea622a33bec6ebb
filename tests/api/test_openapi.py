"""The OpenAPI document: whole, usable by a generator, and true: what the server answers is what it says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.strict import FILES
from ledger.currency.bank.mandates import files
from ledger.currency.town import Town
from tests import towns
from tests.api.scene import AUDITOR, MANDATES, NOBODY, OPERATOR, OWNER, RESERVE, STRANGER, TREASURER, Scene
from tests.served import Cast, Served, inviting, shown

METHODS = {"get", "post", "put", "patch", "delete"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency in which everything that a charter may have is."""
    made = towns.found(tmp_path / "home", towns.charter(mandates=MANDATES, reserve=RESERVE))
    yield made
    made.book.close()


@pytest.fixture
def document(api: Served) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/openapi.json").json()
    return found


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert method in METHODS
            yield path, method, operation


def _walk(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for inner in value.values():
            yield from _walk(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner)


def _resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = document
    for part in reference[2:].split("/"):
        found = found[part]
    return found


def test_it_says_what_it_is(document: dict[str, Any]) -> None:
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert document["info"]["title"] == "Patard" and document["info"]["version"]


def test_every_reference_leads_somewhere_and_everything_is_referred_to(document: dict[str, Any]) -> None:
    references = {part["$ref"] for part in _walk(document) if "$ref" in part}
    for reference in references:
        assert isinstance(_resolve(document, reference), dict)
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert schemas == references


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in _operations(document)]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in names)


def test_every_operation_is_described(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        where = f"{method} {path}"
        assert operation.get("summary") or operation.get("description"), where
        assert operation["tags"], where
        placed = {p["name"] for p in operation.get("parameters", []) if p["in"] == "path"}
        assert placed == set(re.findall(r"{(\w+)}", path)), where
        for parameter in operation.get("parameters", []):
            assert parameter["schema"], where


def test_bodies_and_answers_have_types(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        where = f"{method} {path}"
        if "requestBody" in operation:
            body = operation["requestBody"]
            assert body["required"] is True, where
            assert list(body["content"]) == ["application/json"], where
            schema = _resolve(document, body["content"]["application/json"]["schema"]["$ref"])
            assert schema["additionalProperties"] is False, where
        answers = operation["responses"]
        assert any(status.startswith("2") for status in answers), where
        for status, answer in answers.items():
            assert answer["description"], where
            if status == "204":
                assert "content" not in answer, where
                continue
            [(kind, content)] = answer["content"].items()
            assert content["schema"], f"{where} {status}"
            if not status.startswith("2"):
                assert kind == "application/problem+json", where
                assert content["schema"] == {"$ref": "#/components/schemas/ProblemOut"}, where
        assert "default" in answers, where


def test_money_is_whole_cents_and_no_keyword_is_made_up(document: dict[str, Any]) -> None:
    known = {
        "$ref", "type", "title", "properties", "required", "items", "anyOf", "additionalProperties", "format",
        "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMaximum", "exclusiveMinimum", "examples",
        "default", "description", "maxItems", "enum",
    }  # fmt: skip
    schemas = [*document["components"]["schemas"].values()]
    schemas += [p["schema"] for _, _, o in _operations(document) for p in o.get("parameters", [])]
    for schema in schemas:
        for part in _walk(schema):
            if "type" in part and isinstance(part["type"], str):
                assert part.keys() <= known, part
                assert part["type"] != "number", "no floats"
        for name, part in schema.get("properties", {}).items():
            if name.endswith("_cents"):
                assert "integer" in {part.get("type"), *(option["type"] for option in part.get("anyOf", []))}


def test_what_needs_a_session_says_so(document: dict[str, Any]) -> None:
    from tests.api.test_access import TABLE

    schemes = document["components"]["securitySchemes"]
    assert [scheme["scheme"] for scheme in schemes.values()] == ["bearer"]
    for path, method, operation in _operations(document):
        row = TABLE.get((method.upper(), path))
        if row is not None:
            needed = row.answers[NOBODY] == "session_missing"
            assert bool(operation.get("security")) is needed, f"{method} {path}"


# Whether it is true: answers of a town in use against what the document says of them.


def _fits(document: dict[str, Any], schema: dict[str, Any], value: Any, where: str) -> None:
    if "$ref" in schema:
        schema = _resolve(document, schema["$ref"])
    if "anyOf" in schema:
        failures = []
        for option in schema["anyOf"]:
            try:
                return _fits(document, option, value, where)
            except AssertionError as error:
                failures.append(error)
        raise failures[0]
    types = {"string": str, "integer": int, "boolean": bool, "null": type(None), "object": dict, "array": list}
    right = type(value) is types[schema["type"]]
    assert right, f"{where}: {value!r} is no {schema['type']}"
    if "pattern" in schema:
        assert re.search(schema["pattern"], value), where
    if schema["type"] == "array":
        for index, item in enumerate(value):
            _fits(document, schema["items"], item, f"{where}[{index}]")
    elif schema["type"] == "object" and "properties" in schema:
        assert value.keys() <= schema["properties"].keys(), where
        assert set(schema.get("required", ())) <= value.keys(), where
        for name, inner in value.items():
            _fits(document, schema["properties"][name], inner, f"{where}.{name}")


def test_answers_are_what_the_document_says(town: Town, people: Cast, api: Served, document: dict[str, Any]) -> None:
    scene = Scene(town, people, api)
    account = shown(people.shop)
    asked, other = scene.asked(), scene.asked()
    order, placing, batch = scene.payment_body(), scene.line_in_suspense(), f"/v1/payouts/batches/{scene.batch()}"
    calls: list[tuple[str, str, str, Any, str]] = [
        ("get", "/v1/currency", "/v1/currency", None, NOBODY),
        ("get", "/health", "/health", None, NOBODY),
        ("get", "/v1/log", "/v1/log", None, NOBODY),
        ("get", "/v1/directory", "/v1/directory", None, NOBODY),
        ("get", "/v1/directory/{account}", f"/v1/directory/{account}", None, NOBODY),
        ("get", "/v1/requests/{text}", f"/v1/requests/{scene.request.text}", None, NOBODY),
        ("post", "/v1/joins", "/v1/joins", scene.join_body(), NOBODY),
        ("post", "/v1/challenges", "/v1/challenges", {"key": "00" * 32}, NOBODY),
        ("post", "/v1/sessions", "/v1/sessions", scene.session_body(), NOBODY),
        ("get", "/v1/me", "/v1/me", None, OWNER),
        ("get", "/v1/keys", "/v1/keys", None, OWNER),
        ("get", "/v1/confirmations", "/v1/confirmations", None, STRANGER),
        ("post", "/v1/invites", "/v1/invites", inviting("cashier"), OWNER),
        ("post", "/v1/payments", "/v1/payments", order, NOBODY),
        ("post", "/v1/payments", "/v1/payments", order, NOBODY),
        ("post", "/v1/refunds", "/v1/refunds", scene.refund_body(), NOBODY),
        ("post", "/v1/reconversions", "/v1/reconversions", scene.ask_body(), NOBODY),
        ("get", "/v1/payments/{id}", f"/v1/payments/{scene.payment}", None, OWNER),
        ("get", "/v1/accounts/{account}", f"/v1/accounts/{account}", None, OWNER),
        ("get", "/v1/accounts/{account}/entries", f"/v1/accounts/{account}/entries", None, OWNER),
        ("get", "/v1/accounts/{account}/day", f"/v1/accounts/{account}/day", None, OWNER),
        ("get", "/v1/parties", "/v1/parties", None, AUDITOR),
        ("post", "/v1/parties", "/v1/parties", {"kind": "person", "name": "Zoé"}, OPERATOR),
        ("post", "/v1/conversions", "/v1/conversions", scene.conversion_body(), OPERATOR),
        ("post", "/v1/conversions/{id}/correction", f"/v1/conversions/{scene.converted()}/correction", None, TREASURER),
        ("get", "/v1/reconversions", "/v1/reconversions", None, AUDITOR),
        ("post", "/v1/reconversions/{id}/acceptance", f"/v1/reconversions/{asked}/acceptance", None, TREASURER),
        ("post", "/v1/reconversions/{id}/acceptance", f"/v1/reconversions/{asked}/acceptance", None, TREASURER),
        ("post", "/v1/reconversions/{id}/refusal", f"/v1/reconversions/{other}/refusal", None, TREASURER),
        ("get", "/v1/reserve", "/v1/reserve", None, AUDITOR),
        ("get", "/v1/reserve/public", "/v1/reserve/public", None, NOBODY),
        ("get", "/v1/topup", "/v1/topup?amount_cents=5000", None, OWNER),
        ("get", "/v1/bank/statements", "/v1/bank/statements", None, AUDITOR),
        (
            "post",
            "/v1/bank/statements/{id}/withdrawal",
            f"/v1/bank/statements/{scene.first_statement()}/withdrawal",
            None,
            TREASURER,
        ),
        ("get", "/v1/bank/lines", "/v1/bank/lines", None, AUDITOR),
        ("get", "/v1/bank/suspense", "/v1/bank/suspense?limit=3", None, AUDITOR),
        ("get", "/v1/bank/suspense/{id}", f"/v1/bank/suspense/{scene.line_in_suspense()}", None, AUDITOR),
        ("get", "/v1/bank/claims", "/v1/bank/claims", None, AUDITOR),
        ("post", "/v1/bank/lines/{id}/placing", f"/v1/bank/lines/{placing}/placing", {"way": "own"}, OPERATOR),
        ("post", "/v1/bank/lines/{id}/putting_back", f"/v1/bank/lines/{placing}/putting_back", {"turn": 0}, OPERATOR),
        ("get", "/v1/bank-details", "/v1/bank-details", None, OWNER),
        ("put", "/v1/bank-details", "/v1/bank-details", {"iban": "BE71096123456769"}, OWNER),
        ("get", "/v1/parties/{account}/bank-details", f"/v1/parties/{account}/bank-details", None, AUDITOR),
        (
            "put",
            "/v1/parties/{account}/bank-details",
            f"/v1/parties/{account}/bank-details",
            {"iban": "BE71096123456769"},
            OPERATOR,
        ),
        ("get", "/v1/payouts", "/v1/payouts", None, AUDITOR),
        ("post", "/v1/payouts/batches/{batch}/signatures", f"{batch}/signatures", scene.signature_body(), TREASURER),
        ("get", "/v1/payouts/batches/{batch}/content", f"{batch}/content", None, TREASURER),
        ("get", "/v1/payouts/batches/{batch}", batch, None, AUDITOR),
        ("post", "/v1/keys/{key}/confirmation", f"/v1/keys/{scene.unconfirmed_key()}/confirmation", None, STRANGER),
        ("post", "/v1/payouts/batches/{batch}/withdrawal", f"{batch}/withdrawal", {}, OPERATOR),
        ("post", "/v1/payouts/batches", "/v1/payouts/batches", {"on": None}, OPERATOR),
        ("get", "/v1/payouts/batches", "/v1/payouts/batches?all=true", None, AUDITOR),
        ("post", "/v1/payouts/{reference}/rejection", f"/v1/payouts/{scene.payout()}/rejection", {}, TREASURER),
        *_monthly(scene),
        ("get", "/v1/me", "/v1/me", None, NOBODY),
        ("post", "/v1/payments", "/v1/payments", {}, NOBODY),
    ]
    seen = set()
    for method, path, address, body, who in calls:
        response: httpx.Response = scene.send(method, address, body, who)
        described = document["paths"][path][method]["responses"]
        answer = described.get(str(response.status_code), described["default"])
        [(kind, content)] = answer["content"].items()
        assert response.headers["content-type"] == kind, address
        _fits(document, content["schema"], response.json(), f"{method} {path}")
        seen.add((path, method))
    left = {
        (path, method)
        for path, method, o in _operations(document)
        if "200" in o["responses"] or "201" in o["responses"]
    }
    assert {path for path, _ in left - seen} <= {
        "/v1/accounts/{account}/events",
        "/errors",
        *FILES,
        "/v1/bank/imports/{id}",
        "/v1/payouts/batches/{batch}/file",
        "/v1/collections/{collection}/file",
        "/v1/reserve/fragment",
        "/v1/reserve/pdf",
    }  # what answers files is in test_bank, test_payouts, test_mandates and test_reserve


def _monthly(scene: Scene) -> list[tuple[str, str, str, Any, str]]:
    """Calls about monthly top-ups."""
    mandate, debit = f"/v1/mandates/{scene.mandate()}", f"/v1/debits/{scene.debit()}"
    file = f"/v1/collections/{files.every(scene.town)[0].number}"
    return [
        ("get", "/v1/monthly", "/v1/monthly", None, OWNER),
        ("post", "/v1/mandates/{id}/amounts", f"{mandate}/amounts", scene.amount_body(), OWNER),
        ("post", "/v1/mandates/{id}/resumption", f"{mandate}/resumption", None, OPERATOR),
        ("post", "/v1/mandates/paper", "/v1/mandates/paper", scene.paper_body(), OPERATOR),
        ("get", "/v1/mandates", "/v1/mandates?all=true", None, AUDITOR),
        ("post", "/v1/notices", "/v1/notices", {}, OPERATOR),
        ("get", "/v1/notices", "/v1/notices", None, AUDITOR),
        ("get", "/v1/collections", "/v1/collections", None, AUDITOR),
        ("get", "/v1/collections/{collection}/debits", f"{file}/debits", None, AUDITOR),
        ("post", "/v1/collections", "/v1/collections", {}, OPERATOR),
        ("post", "/v1/collections/{collection}/withdrawal", f"{file}/withdrawal", {}, OPERATOR),
        ("post", "/v1/debits/{reference}/rejection", f"{debit}/rejection", {}, OPERATOR),
        ("post", "/v1/releases", "/v1/releases", None, OPERATOR),
        ("delete", "/v1/mandates/{id}", mandate, None, OPERATOR),
        ("post", "/v1/mandates", "/v1/mandates", {}, OWNER),
        ("get", "/v1/monthly", "/v1/monthly", None, OWNER),
    ]


def test_the_document_is_the_same_each_time(api: Served, document: dict[str, Any]) -> None:
    assert api.client.get("/openapi.json").json() == document
    assert "testserver" not in json.dumps(document)
