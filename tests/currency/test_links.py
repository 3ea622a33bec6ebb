"""Payment links: small scheme and host where the code stays small, read in whatever case they came back, refused with a
word of help.
"""

from __future__ import annotations

from typing import Any

import pytest

from ledger.currency.keys import PrivateKey
from ledger.currency.links import check_public_url, make_link, parse_link
from ledger.currency.messages import MessageError, Request, SignedRequest
from merchants import codes
from tests.vectors import messages as load_vectors

TILL = PrivateKey.from_seed(bytes(range(32)))
SIGNED = Request(b"pata", 7, bytes(8), 1250, 1_800_000_000, "Table 4", TILL.id).sign(TILL)
LINK = make_link("https://pay.patard.example", SIGNED)


@pytest.mark.parametrize("vector", load_vectors()["requests"], ids=lambda vector: str(vector["name"]))
def test_link_vectors(vector: dict[str, Any]) -> None:
    signed = SignedRequest.parse(vector["text"])
    assert make_link(vector["public_url"], signed) == vector["link"]
    assert parse_link(vector["link"]) == (vector["public_url"], signed)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://pay.patard.example", "https://pay.patard.example"),
        ("https://pay.patard.example/", "https://pay.patard.example"),
        ("HTTPS://Pay.Patard.Example", "https://pay.patard.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("https://xn--caf-dma.example", "https://xn--caf-dma.example"),
    ],
)
def test_public_urls(url: str, origin: str) -> None:
    assert check_public_url(url) == origin
    link = make_link(url, SIGNED)
    assert link == f"{origin}/P/{SIGNED.text}"
    assert parse_link(link) == (origin, SIGNED)


@pytest.mark.parametrize(
    "url",
    [
        *("", "pay.patard.example", "ftp://x.example", "https://", " https://x.example", "https://x.example\n"),
        *("https://x.example/patard", "https://x.example?a", "https://x.example#a", "https://x.example//"),
        *("https://a@x.example", "https://[::1]:8000", "https://x.example:", "https://x.example:123456"),
        *("https://-x.example", "https://x_y.example", "https://café.example", "https://\u212aelvin.example"),
    ],
)
def test_public_urls_that_would_not_do(url: str) -> None:
    with pytest.raises(MessageError) as error:
        check_public_url(url)
    assert error.value.code == "link_malformed"


@pytest.mark.parametrize(
    "text",
    [
        LINK,
        LINK.upper(),
        LINK.lower(),
        LINK.replace("https://pay.patard.example", "Https://Pay.Patard.example"),
        LINK.replace("/P/", "/p/"),
        LINK[:-1] + LINK[-1].lower(),
        f"  {LINK}\r\n",
    ],
)
def test_links_in_any_case(text: str) -> None:
    assert parse_link(text) == ("https://pay.patard.example", SIGNED)


@pytest.mark.parametrize(
    ("text", "code", "help"),
    [
        ("", "link_malformed", "begins with https://"),
        ("bonjour", "link_malformed", "begins with https://"),
        (SIGNED.text, "link_malformed", "begins with https://"),
        ("bitcoin:1abc", "link_malformed", "begins with https://"),
        ("javascript:alert(1)", "link_malformed", "begins with https://"),
        ("https://pay.patard.example", "link_malformed", "not a payment link"),
        ("https://pay.patard.example/menu", "link_malformed", "not a payment link"),
        ("https://evil.example@pay.patard.example/P/0", "link_malformed", "not a payment link"),
        (LINK.replace("/P/", "/Q/"), "link_malformed", "not a payment link"),
        (LINK.replace("https:/", "https://:@/"), "link_malformed", "begins with https://"),
        (LINK.lower() + "\u0131", "link_malformed", "not a payment"),  # whose capital is I
        (LINK.lower()[:-1] + "\u017f", "link_malformed", "not a payment"),  # whose capital is S
        (LINK + "?utm_source=mail", "link_malformed", "'?'"),
        (LINK + "#top", "link_malformed", "'#'"),
        (LINK + "/", "link_malformed", "'/'"),
        (LINK + "%20", "link_malformed", "'%'"),
        (LINK + " " + LINK, "link_malformed", "' '"),
        (LINK + "\u0660", "link_malformed", "belong"),
        (LINK + "A" * 1000, "link_malformed", "too long"),
        (LINK[:-1], "message_malformed", "request"),
        (LINK[:-40], "message_malformed", "request"),
        (LINK + "0", "message_malformed", "request"),
        ("https://pay.patard.example/P/", "message_malformed", "request"),
        (LINK[:-1] + "U", "message_malformed", "'U'"),
    ],
)
def test_refusals_help(text: str, code: str, help: str) -> None:
    with pytest.raises(MessageError) as error:
        parse_link(text)
    assert error.value.code == code
    assert help in error.value.detail
    assert len(error.value.detail) < 200


def test_the_longest_link_on_a_24_character_host() -> None:
    signed = Request(b"pata", 2**63 - 1, b"\xff" * 8, 2**32 - 1, 2**32 - 1, "x" * 18, TILL.id).sign(TILL)
    link = make_link("https://" + "a" * 16 + ".example", signed)
    assert len(link) == 221 and link == link.upper()  # exactly what version 8-M holds


ALPHANUMERIC = set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")


@pytest.mark.parametrize("label", ["", "x" * 9, "x" * 18])
def test_small_where_the_code_stays_at_version_8(label: str) -> None:
    """The host at which it changes is the longest whose code in small letters is of version 8."""
    signed = Request(b"pata", 7, bytes(8), 1250, 1_800_000_000, label, TILL.id).sign(TILL)
    hosts = ["https://" + "a" * size + ".example" for size in range(1, 40)]
    links = [make_link(host, signed) for host in hosts]
    small = [link for link in links if not set(link) <= ALPHANUMERIC]
    assert 0 < len(small) < len(links) and small == links[: len(small)]
    assert all(link.partition("/P/")[0] in hosts for link in small)
    for link in small:
        assert codes.version(link) <= 8
        assert codes.read(codes.png(link)) == [link]
    taller = f"{hosts[len(small)]}/P/{signed.text}"
    assert codes.version(taller) == 9
