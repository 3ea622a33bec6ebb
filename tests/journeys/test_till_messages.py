"""The browser's code for messages, money and labels, run in Chromium against what Python makes of the same input."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from ledger.core.ids import account_text, b32encode
from ledger.currency.join_codes import plain_code
from ledger.currency.messages import MAX_LABEL_BYTES
from ledger.currency.money import AmountError, format_cents, parse_amount
from ledger.currency.text import TextError, clean_text
from tests.journeys.stall import Stall
from tests.vectors import messages

pytestmark = pytest.mark.browser

VECTORS = messages()
SEEDS = {key["name"]: key["seed"] for key in VECTORS["keys"]}
# What stands before an Ed25519 seed in PKCS#8 (RFC 8410), the one form in which WebCrypto takes a private key.
PKCS8 = "302e020100300506032b657004220420"
HELPERS = """
const bytes = await import("/static/bytes.js");
const messages = await import("/static/messages.js");
const { hex, unhex } = bytes;
const signer = (seed) => crypto.subtle.importKey("pkcs8", unhex(PKCS8 + seed), { name: "Ed25519" }, false, ["sign"]);
const sign = async (seed, message) => new Uint8Array(await crypto.subtle.sign("Ed25519", await signer(seed), message));
""".replace("PKCS8", f'"{PKCS8}"')


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page of the till's own origin, from which its modules can be had."""
    stall = Stall(tmp_path_factory.mktemp("vectors"))
    stall.start()
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{stall.url}/till")
    yield opened
    context.close()
    stall.stop()
    stall.town.book.close()


def run(page: Page, body: str, argument: Any) -> Any:
    return page.evaluate(f"async (given) => {{ {HELPERS} {body} }}", argument)


def test_base32(page: Page) -> None:
    found = run(
        page,
        """return given.map(({ hex: raw, text }) =>
            [bytes.b32encode(unhex(raw)), hex(bytes.b32decode(text))]);""",
        VECTORS["base32"],
    )
    assert found == [[one["text"], one["hex"]] for one in VECTORS["base32"]]


def test_base32_of_every_length(page: Page) -> None:
    pieces = [hashlib.shake_256(str(size).encode()).digest(size).hex() for size in range(200)]
    found = run(page, "return given.map((raw) => bytes.b32encode(unhex(raw)));", pieces)
    assert found == [b32encode(bytes.fromhex(piece)) for piece in pieces]


@pytest.mark.parametrize("text", ["I0", "u0", "0", "01", "000", "ZZ", "a0", "0 0", "É0"])
def test_base32_is_strict(page: Page, text: str) -> None:
    assert run(page, "try { bytes.b32decode(given); return 'taken'; } catch { return 'refused'; }", text) == "refused"


def test_account_numbers(page: Page) -> None:
    numbers = [int(one["number"]) for one in VECTORS["accounts"]]
    numbers += [random.Random(7).randrange(1, 2**63) for _ in range(50)]
    texts = [account_text(number) for number in numbers]
    found = run(
        page,
        "return given.map((text) => [bytes.accountNumber(text)]).map(([n]) => [String(n), bytes.accountText(n)]);",
        texts,
    )
    assert found == [[str(number), text] for number, text in zip(numbers, texts, strict=True)]
    lenient = run(page, "return String(bytes.accountNumber(given));", texts[3].lower().replace("0", "o"))
    assert lenient == str(numbers[3])
    wrong = texts[3][:-1] + ("0" if texts[3][-1] != "0" else "1")
    assert run(page, "try { bytes.accountNumber(given); return 1; } catch { return 0; }", wrong) == 0


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda one: one["name"])
def test_requests(page: Page, vector: dict[str, Any]) -> None:
    found = run(
        page,
        """const body = messages.requestBody({
            network: unhex(given.network), payee: BigInt(given.payee), nonce: unhex(given.nonce), amount: given.amount,
            expiresAt: given.expires_at, label: given.label, keyId: await messages.keyId(unhex(given.public)),
        });
        const signature = await sign(given.seed, messages.underDomain(messages.REQUEST_DOMAIN, body));
        const id = given.expires_at ? hex(await messages.paymentId(body, given.expires_at)) : null;
        return [hex(body), hex(signature), messages.signedRequestText(body, signature), id];""",
        {**vector, "seed": SEEDS[vector["key"]], "public": _public(vector["key"])},
    )
    assert found == [vector["body"], vector["signature"], vector["text"], vector.get("payment_id")]


@pytest.mark.parametrize("vector", VECTORS["orders"], ids=lambda one: one["name"])
def test_orders(page: Page, vector: dict[str, Any]) -> None:
    found = run(
        page,
        """const body = messages.orderBody({
            network: unhex(given.network), purpose: given.purpose, id: unhex(given.id), payer: BigInt(given.payer),
            payee: BigInt(given.payee), amount: given.amount, unit: given.unit, expiresAt: given.expires_at,
            reference: unhex(given.reference),
        });
        const signature = await sign(given.seed, messages.underDomain(messages.ORDER_DOMAIN, body));
        return [hex(body), hex(signature), messages.signedOrderText(body, unhex(given.public), signature)];""",
        {**vector, "seed": SEEDS[vector["key"]], "public": _public(vector["key"])},
    )
    assert found == [vector["body"], vector["signature"], vector["text"]]


@pytest.mark.parametrize(
    "vector", [p for p in VECTORS["proofs"] if p["kind"] not in ("directory", "head")], ids=lambda p: p["kind"]
)
def test_proofs(page: Page, vector: dict[str, Any]) -> None:
    found = run(
        page,
        """const [network, key] = [unhex(given.network), unhex(given.public)];
        const { total, count } = given;
        const file = () => ({ batch: unhex(given.batch), sha256: unhex(given.sha256), total, count });
        const message = {
            join: () => messages.joinMessage(network, key, given.code),
            session: () => messages.sessionMessage(network, key, unhex(given.challenge)),
            payouts: () => messages.payoutsMessage(network, file()),
        }[given.kind]();
        return [hex(message), hex(await sign(given.seed, message))];""",
        {**vector, "seed": SEEDS[vector["key"]], "public": _public(vector["key"])},
    )
    assert found == [vector["message"], vector["signature"]]


def _public(name: str) -> str:
    return str(next(key["public"] for key in VECTORS["keys"] if key["name"] == name))


LABELS = [
    "", "Table 4", "  Table   4 ", "Café crème", "Cafe\u0301", "pain d\u2019épices", "\u00a0pain\u00a0",
    "a\u00a0\u00a0b",
    "\u202fa", "x" * 18, "x" * 19, "é" * 9, "é" * 10, "\U0001f950", "\U0001f950\ufe0f", "☕\ufe0f crème", "a\u200bb",
    "a\u200db", "\u202eabc", "a\tb", "a\nb", "\ttab", "a\u2009b", "a\u3000b", "\ue000", "\u0378", "\u0301a",
    "a \u0301", "a\u0301\u0302\u0303", "a\u0301\u0302\u0303\u0304", "\u2800", "قهوة", "שלום", "日本茶",
    "\u034f", "a\u115fb", "\U000e0100", "1/2 <b>&amp;", "«\u00a0bio\u00a0»", "\u1160", "\ufff9x",
]  # fmt: skip


def test_labels(page: Page) -> None:
    """The till cleans a label as the server does, and refuses what the server would."""
    found = run(
        page,
        'const { cleanLabel } = await import("/static/label.js"); return given.map((text) => cleanLabel(text));',
        LABELS,
    )
    assert dict(zip(LABELS, found, strict=True)) == {label: _clean(label) for label in LABELS}


def _clean(label: str) -> str | None:
    try:
        return clean_text(label, max_chars=MAX_LABEL_BYTES, max_bytes=MAX_LABEL_BYTES, empty=True)
    except TextError:
        return None


def test_money_is_shown_as_the_server_shows_it(page: Page) -> None:
    cents = [0, 1, 9, 10, 99, 100, 123, 100_000, 123_456, 99_999_999, 100_000_000, 2**32 - 1, 2**53 - 1, -5, -123_456]
    symbols = ["", "P", "€", "MLC", "ƒ"]
    given = [(c, lang, symbol) for c in cents for lang in ("fr", "en") for symbol in symbols]
    found = run(
        page,
        'const { formatCents } = await import("/static/money.js"); return given.map((one) => formatCents(...one));',
        given,
    )
    assert found == [format_cents(*one) for one in given]


def test_typed_amounts(page: Page) -> None:
    """Key by key, as on the keypad; what would make no amount is not taken."""
    typed = {
        "": 0, "1": 100, "12,5": 1250, "12,50": 1250, "12,505": 1250, ",5": 50, "0,05": 5, "007": 700, "1,,2": 120,
        "12<": 100, "12,5<<": 1200, "123456789": 1234567800, "42949672,95": 2**32 - 1, "42949672,96": 4294967290,
        "99999999": 999999900, "12x": 0,
    }  # fmt: skip
    found = run(
        page,
        """const { TypedAmount } = await import("/static/money.js");
        return given.map((keys) => {
            const amount = new TypedAmount();
            for (const key of keys) amount.press({ "<": "back", x: "clear" }[key] ?? key);
            return amount.cents;
        });""",
        list(typed),
    )
    assert dict(zip(typed, found, strict=True)) == typed


def test_amounts_of_a_refund_are_read_as_the_server_reads_them(page: Page) -> None:
    texts = [
        "",
        "0",
        "5",
        "5,5",
        "5.50",
        "5,505",
        "1 234,56",
        "1\u202f234,56",
        "-5",
        "+5",
        "1e3",
        "5,",
        ",5",
        "5 €",
        "٣",
    ]
    found = run(
        page,
        'const { parseAmount } = await import("/static/money.js"); return given.map((text) => parseAmount(text));',
        texts,
    )
    assert dict(zip(texts, found, strict=True)) == {text: _amount(text) for text in texts}


def _amount(text: str) -> int | None:
    try:
        return parse_amount(text, maximum=2**32 - 1)
    except AmountError:
        return None


def test_codes_are_read_as_the_server_reads_them(page: Page) -> None:
    texts = ["k7qf2-m9x1a", "K7QF2M9X1A", " K7QF2 M9X1A ", "oOiIlL0011"]
    found = run(page, "return given.map((text) => messages.plainCode(text));", texts)
    assert found == [plain_code(text) for text in texts]


def test_events_come_whole_however_they_are_cut(page: Page) -> None:
    """Server-sent events as the standard writes them: any line end, comments, cut at any place."""
    stream = "retry: 1000\n: hello\n\nid: 7\nevent: entry\ndata: {\ndata: }\n\n"
    stream += "id: 8\r\nevent: entry\r\ndata:x\r\n\r\n: end\n\n"
    found = run(
        page,
        """const { EventReader } = await import("/static/live.js");
        return Array.from(given, (_, size) => {
            const reader = new EventReader();
            const step = size + 1;
            const events = [];
            for (let at = 0; at < given.length; at += step) events.push(...reader.feed(given.slice(at, at + step)));
            return JSON.stringify(events.map(({ id, event, data }) => [id, event, data]));
        });""",
        stream,
    )
    assert set(found) == {'[["7","entry","{\\n}"],["8","entry","x"]]'}
