"""The pages without a browser: what each says, in which language, to whom; and that nothing from outside runs."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from starlette.applications import Starlette

from ledger.core.ids import account_text
from ledger.currency import conversion, join_codes, parties
from ledger.currency.keys import PrivateKey
from ledger.currency.links import make_link
from ledger.currency.messages import SignedRequest
from ledger.currency.town import Town
from merchants import codes, pages, requests
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.towns import Member

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another httpx
    from starlette.testclient import TestClient

NASTY = "<img src=x onerror=alert(1)>"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def shop(town: Town) -> Member:
    return towns.member(town, "shop", f"Chez {NASTY} & Fils")


@pytest.fixture
def client(town: Town) -> TestClient:
    headers = {"Accept-Language": "fr", "Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    return TestClient(Starlette(routes=pages.routes(town)), headers=headers)


def one_time(town: Town, shop: Member, *, label: str = "", amount: int = 1250, key: PrivateKey | None = None):
    last = town.now() // 1_000_000 + 300
    return requests.one_time(town.charter.network, shop.account, amount, label, last, key or shop.key, b"12345678")


class Page(HTMLParser):
    """A page taken apart, strictly: every element closed, no id twice."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []
        ids = [attributes["id"] for _, attributes in self.elements if "id" in attributes]
        assert len(ids) == len(set(ids))
        for name, attributes in self.elements:
            if name == "label" and "for" in attributes:
                assert attributes["for"] in ids

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def addresses(town: Town, shop: Member) -> list[str]:
    signed = one_time(town, shop, label="<b>&'\"")
    lasting = requests.static(town.charter.network, shop.account, shop.key)
    return [
        "/", "/till", "/office", "/directory", f"/P/{signed.text}", f"/P/{lasting.text}", "/J/K7QF2-M9X1A", "/P/ABC",
        "/J/x", "/no", f"/P/{quote(NASTY, safe='')}", f"/J/{quote(NASTY, safe='')}", f"/{quote(NASTY)}",
    ]  # fmt: skip


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_page_is_safe_and_speaks_one_language(client: TestClient, town: Town, shop: Member, lang: str) -> None:
    """Well-formed, nothing inline, nothing from elsewhere, no cookie; what came from outside is text and only text."""
    for address in addresses(town, shop):
        response = client.get(address, headers={"Accept-Language": lang})
        page = Page(response.text)
        names = {name for name, _ in page.elements}
        assert "style" not in names
        for name, attributes in page.elements:
            assert not [key for key in attributes if key.startswith("on") or key == "style"], (address, name)
            assert attributes.get("src", "/").startswith(("/static/", "/P/")) or "src" not in attributes  # type: ignore[union-attr]
            if name == "script":
                assert attributes["type"] == "module"
                assert attributes["src"].startswith("/static/")  # type: ignore[union-attr]
            if name == "link":
                assert attributes["href"].startswith(("/static/", "/till.webmanifest"))  # type: ignore[union-attr]
            if name == "img":
                assert "alt" in attributes
        assert NASTY not in response.text
        html = next(attributes for name, attributes in page.elements if name == "html")
        assert html["lang"] == response.headers["content-language"] == lang
        assert any(a.get("hreflang") == {"fr": "en", "en": "fr"}[lang] for _, a in page.elements)
        assert "set-cookie" not in response.headers
        assert response.headers["vary"] == "Accept-Language"
        assert response.headers["cache-control"] == "no-store"


def test_headers_are_on_everything(client: TestClient, town: Town, shop: Member) -> None:
    picture = f"/P/{one_time(town, shop).text}"
    files = ("till/main.js", "office/main.js", "base.css")
    others = [f"{picture}.svg", f"{picture}.png", *(f"/static/{name}" for name in files), "/till.webmanifest"]
    for address in [*addresses(town, shop), *others]:
        headers = client.get(address).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("query", "header", "lang"),
    [
        ("", None, "fr"),
        ("", "de", "fr"),
        ("", "en-US,en;q=0.9", "en"),
        ("?lang=en", "fr", "en"),
        ("?lang=fr", "en", "fr"),
        ("?lang=de", "en", "en"),
        ("?lang=", "fr", "fr"),
    ],
)
def test_languages(client: TestClient, query: str, header: str | None, lang: str) -> None:
    response = client.get(f"/{query}", headers={"Accept-Language": header or ""})
    assert response.headers["content-language"] == lang
    assert ("Commerces" in response.text or "commerces" in response.text) == (lang == "fr")
    kept = f'href="/till?lang={lang}"' in response.text
    assert kept == (query in ("?lang=en", "?lang=fr"))  # a choice goes along with every link, a guess does not


def test_the_symbol_of_the_keypad_is_on_the_side_of_its_language(client: TestClient) -> None:
    for lang, order in (("fr", ["typed", "implied", "symbol"]), ("en", ["symbol", "typed", "implied"])):
        seen = [attributes.get("id") for _, attributes in Page(client.get(f"/till?lang={lang}").text).elements]
        assert [name for name in seen if name in order] == order


def test_a_request_that_can_be_paid(client: TestClient, town: Town, shop: Member) -> None:
    signed = one_time(town, shop, label="Table 4")
    page = Page(client.get(f"/P/{signed.text}").text)
    assert shop.party.name in page.text
    assert "12,50\u202fP" in page.text
    assert "Table 4" in page.text
    assert "Valable jusqu’à 17:11" in page.text  # 15:06 in UTC, five minutes, in the currency's zone
    assert f"wallet pay {make_link(town.charter.public_url, signed)}" in page.text
    assert "Payé" not in page.text
    assert "Expiré" not in page.text
    english = Page(client.get(f"/P/{signed.text}?lang=en").text).text
    assert "P\u00a012.50" in english
    assert "Valid until 17:11" in english


def test_a_request_that_was_paid_or_is_too_old(client: TestClient, town: Town, shop: Member) -> None:
    alice = towns.member(town, "person", "Alice")
    conversion.convert(town, alice.party, 10_000, reserve=towns.BANK, reference="A")
    paid, late = one_time(town, shop), one_time(town, shop, amount=99)
    order = requests.order_for(
        paid, payer=alice.account, unit="PATARD", expires_at=2**31, id=town.new_id()
    ).sign(alice.key)  # fmt: skip
    [result] = Desk(town).take([Submission(order, paid)])
    assert isinstance(result, Taken), result
    towns.clock(town).forward(301)
    page = Page(client.get(f"/P/{paid.text}").text)
    assert "Payé" in page.text
    assert "wallet pay" not in page.text
    page = Page(client.get(f"/P/{late.text}").text)
    assert "Expiré" in page.text
    assert "wallet pay" not in page.text


def test_the_lasting_code_of_a_shop(client: TestClient, town: Town, shop: Member) -> None:
    signed = requests.static(town.charter.network, shop.account, shop.key)
    text = Page(client.get(f"/P/{signed.text}").text).text
    assert "Vous choisissez le montant" in text
    assert "il n’expire pas" in text


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (lambda signed: signed.text[:-1], "illisible"),
        (lambda signed: signed.text[:-1] + "U", "illisible"),
        (lambda signed: signed.text + "0", "illisible"),
        (lambda signed: "0" * 10_000, "illisible"),
        (lambda signed: "%00", "illisible"),
        (lambda signed: "%ED%A0%80", "illisible"),
    ],
)
def test_a_code_that_cannot_be_read(client: TestClient, town: Town, shop: Member, broken: Any, said: str) -> None:
    response = client.get(f"/P/{broken(one_time(town, shop))}")
    assert response.status_code == 404
    assert said in Page(response.text).text


def test_codes_that_must_not_be_paid(client: TestClient, town: Town, shop: Member) -> None:
    """Another currency's, a forged one, one of nobody's: each says why, and shows no command."""
    key = towns.key_of("stranger")
    network = town.charter.network
    cases: list[tuple[SignedRequest, str]] = [
        (requests.one_time(b"else", shop.account, 5, "", 2**31, shop.key, bytes(8)), "autre monnaie"),
        (one_time(town, shop, key=key), "Ne payez pas"),
        (requests.one_time(network, 4711, 5, "", 2**31, shop.key, bytes(8)), "Personne ne peut être payé"),
    ]
    for signed, said in cases:
        response = client.get(f"/P/{signed.text}")
        text = Page(response.text).text
        assert response.status_code == 404
        assert said in text
        assert "wallet pay" not in text


def test_addresses_in_small_letters(client: TestClient, town: Town, shop: Member) -> None:
    """As keyboards and mail programs leave them, all of it; what the page says is as if it had come as it was made."""
    signed = one_time(town, shop)
    made = client.get(f"/P/{signed.text}")
    assert made.status_code == 200
    for path in (f"/p/{signed.text.lower()}", f"/p/{signed.text}", f"/P/{signed.text.lower()}"):
        assert client.get(path).text == made.text
    code = parties.invite(town, shop.party, "cashier")
    assert client.get(f"/j/{code.lower()}").text == client.get(f"/J/{code}").text
    assert client.get(f"/p/{signed.text.lower()[:-1]}\u0131").status_code == 404


@pytest.mark.parametrize("form", ["svg", "png"])
def test_pictures(client: TestClient, town: Town, shop: Member, form: str) -> None:
    signed = one_time(town, shop, label="é" * 9)
    response = client.get(f"/P/{signed.text}.{form}")
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == {"svg": "image/svg+xml", "png": "image/png"}[form]
    link = make_link(town.charter.public_url, signed)
    if form == "png":
        assert codes.read(response.content) == [link]
    else:
        assert response.text == codes.svg(link)
    foreign = requests.one_time(b"else", shop.account, 5, "", 2**31, shop.key, bytes(8))
    for text in ("ABC", foreign.text, "HELLO"):
        assert client.get(f"/P/{text}.{form}").status_code == 404


def test_a_join_link(client: TestClient, town: Town, shop: Member) -> None:
    """The door that the code opens and no other, whose it is, and nothing used up; a code that opens none says so."""
    alice = parties.admit(town, "person", "Alice")
    office = parties.admit(town, "association", "Asso")
    doors = {
        "till": ("/till#pair={}", "link"), "office": ("/office#pair={}", "link"),
        "wallet": ("wallet join {} --server https://pay.example.org", "text"),
    }  # fmt: skip
    made = [
        (shop.party, "cashier", {"till"}), (shop.party, "owner", {"wallet"}), (alice, "member", {"wallet"}),
        *((office, role, {"office", "wallet"}) for role in ("operator", "treasurer", "auditor")),
    ]  # fmt: skip
    for party, role, opens in made:
        code = parties.invite(town, party, role)
        page = Page(client.get(f"/J/{code.lower()}").text)
        links = [attributes.get("href") for name, attributes in page.elements if name == "a"]
        for door, (form, kind) in doors.items():
            asked = form.format(join_codes.shown_code(code))
            assert (asked in (links if kind == "link" else page.text)) is (door in opens), (role, door)
        assert party.name in page.text
        parties.join(town, code, towns.key_of(f"{role} of {party.name}").public, role)
        used = client.get(f"/J/{code}")
        assert (used.status_code, party.name in used.text) == (404, False)
        assert "n’ouvre rien" in used.text
    late = parties.invite(town, alice, "member", seconds=-1)
    for code in ("K7QF2M9X1A", late):
        assert client.get(f"/J/{code}").status_code == 404
    for wrong in ("ABC", "K7QF2-M9X1U", "K7QF2-M9X1A-0", "é" * 10):
        response = client.get(f"/J/{wrong}")
        assert response.status_code == 404
        assert "n’est pas un code" in response.text


def test_the_directory_lists_who_can_be_paid_by_all(client: TestClient, town: Town, shop: Member) -> None:
    towns.member(town, "person", "Alice")
    gone = towns.member(town, "shop", "Parti")
    parties.close(town, gone.party)
    page = Page(client.get("/directory").text)
    assert shop.party.name in page.text
    assert account_text(shop.account) in page.text
    assert "Alice" not in page.text
    assert "Parti" not in page.text


def test_an_empty_directory(client: TestClient) -> None:
    assert "Personne n’a encore adhéré" in client.get("/directory").text


def test_nothing_here(client: TestClient) -> None:
    """A person reads a page; a program is left to the API, as is everything below /v1/."""
    response = client.get("/tilll")
    assert response.status_code == 404
    assert "Il n’y a rien à cette adresse" in response.text
    others = [client.get("/tilll", headers={"Accept": "*/*"}), client.get("/v1/tilll"), client.post("/tilll")]
    assert [(one.status_code, one.text) for one in others] == [(404, "Not Found")] * 3


def test_static_files_are_asked_for_again_and_stay_inside(client: TestClient) -> None:
    first = client.get("/static/till/main.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "no-cache"
    again = client.get("/static/till/main.js", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert "content-security-policy" in again.headers
    assert client.get("/static/%2e%2e/pages.py").status_code == 404


# The files themselves
