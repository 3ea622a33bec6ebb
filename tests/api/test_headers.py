"""What every answer says to browsers and caches, and that nobody else's host stands in any of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from api.app import create_app
from api.headers import DEFAULTS
from api.orders import PATHS
from ledger.core.ids import account_text
from ledger.core.store import StoreError
from ledger.currency.town import Town
from tests.served import Cast, Served, endpoints, one_time, served

HOSTILE = "evil.example"
REQUIRED = [name.decode() for name, _value in DEFAULTS]


def addresses(api: Served, people: Cast) -> Iterator[tuple[str, str]]:
    """(method, address) of every route, as it is and with what makes servers redirect, with ids that exist."""
    text = one_time(api.town, people.shop, 500).text
    given = {"account": account_text(people.shop.account), "key": people.cashier.public.hex(), "text": text,
             "code": "0123456789", "path:path": "nowhere"}  # fmt: skip
    app = create_app(api.town)
    found = {(method, path) for method, path, _ in endpoints(app.routes)} | {("POST", path) for path in PATHS}
    assert len(found) > 60
    for method, path in sorted(found):
        filled = re.sub(r"{([\w:]+)}", lambda hit: given.get(hit[1], "00" * 16), path)
        for address in (filled, filled + "/", filled.rstrip("/") + "//", "//" + HOSTILE + filled):
            yield method, address


def hostile(client: httpx.Client, method: str, address: str, **more: str) -> httpx.Response:
    headers = {"Host": HOSTILE, "X-Forwarded-Host": HOSTILE, "Forwarded": f"host={HOSTILE}", **more}
    url = httpx.URL(scheme="http", host="testserver", raw_path=address.encode())
    return client.request(method, url, headers=headers, follow_redirects=False)


def test_no_answer_names_the_host_of_the_request(api: Served, people: Cast) -> None:
    session = api.session(people.auditor)
    for method, address in addresses(api, people):
        if address.split("?")[0].rstrip("/").endswith("/events"):
            continue
        for more in ({}, {"Accept": "text/html"}, session):
            answer = hostile(api.client, method, address, **more)
            asked = address.replace("//" + HOSTILE, "")
            said = answer.text.replace(asked, "") + "".join(answer.headers.values())
            assert HOSTILE not in said, (method, address, answer.status_code)
            location = answer.headers.get("location", "/")
            assert location.startswith("/") and not location.startswith("//"), (address, location)


def test_every_answer_says_what_it_is(api: Served, people: Cast) -> None:
    session = api.session(people.auditor)
    for method, address in addresses(api, people):
        if address.split("?")[0].rstrip("/").endswith("/events"):
            continue
        for more in ({}, session, {"Accept": "text/html"}):
            answer = hostile(api.client, method, address, **more)
            where = (method, address, answer.status_code)
            assert all(len(answer.headers.get_list(name)) == 1 for name in REQUIRED), where
            assert answer.headers["x-content-type-options"] == "nosniff", where
            assert "default-src 'none'" in answer.headers["content-security-policy"], where
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], where
            if address.startswith("/v1/") or address in ("/errors", "/openapi.json"):
                assert answer.headers["cache-control"] == "no-store", where


def test_static_files_keep_their_caching(api: Served) -> None:
    found = api.client.get("/static/base.css")
    assert found.headers["cache-control"] == "no-cache" and found.headers["etag"]
    again = api.client.get("/static/base.css", headers={"If-None-Match": found.headers["etag"]})
    assert again.status_code == 304 and again.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in api.client.get("/").headers["content-security-policy"]


@pytest.mark.parametrize("error", [ZeroDivisionError, StoreError("database_unusable", "away")])
def test_an_unexpected_error_says_so_too(town: Town, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """It is answered outside of everything else."""
    with served(town) as api:

        def fail(*_: object) -> None:
            raise error

        monkeypatch.setattr(type(town.book), "head", fail)
        api.client._transport.raise_server_exceptions = False  # type: ignore[attr-defined]
        answer = api.client.get("/health")
        assert answer.status_code in (500, 503)
        assert all(answer.headers[name.decode()] == value.decode() for name, value in DEFAULTS)
