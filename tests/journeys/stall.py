"""A market stall for journeys: a small currency served on a port, people who pay, and a till in a real browser."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from api.client import Client
from api.home import found_home
from api.routes.devices import FAILED_JOINS
from api.server import Server
from ledger.core.ids import account_text
from ledger.currency import conversion, parties
from ledger.currency.links import parse_link
from ledger.currency.messages import NO_REFERENCE, Order, Purpose, SignedReceipt
from ledger.currency.town import Town
from merchants import codes, requests
from tests import towns
from tests.towns import Member

PHONE = {"width": 360, "height": 640}
TABLET = {"width": 1024, "height": 768}
SHOP = "Boulangerie du Vieux-Lille"
SECONDS = 5_000  # of patience, in ms


class Stall:
    """A town on the machine's own clock, with a server that can be stopped and started on the same port."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.town: Town = found_home(folder / "home", towns.charter(public_url=self.url, **rules))
        self.shop = towns.member(self.town, "shop", SHOP)
        self.alice = towns.member(self.town, "person", "Alice Delattre")
        self.bob = towns.member(self.town, "person", "Bob Vandenbroucke")
        for number, member in enumerate((self.alice, self.bob)):
            # By cash: what was typed on the bank account would be awaited on its statements.
            conversion.convert(self.town, member.party, 100_000, reserve=towns.CASH, reference=f"DEPART-{number}")
        self._server: Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        FAILED_JOINS.clear()
        up = threading.Event()
        self._server = Server(self.town, "127.0.0.1", self.port, ready=up.set)
        self._thread = threading.Thread(target=self._server.run, name="server")
        self._thread.start()
        assert up.wait(20), "the server did not start"

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(30)
            assert not self._thread.is_alive(), "the server did not end"
        self._server = self._thread = None

    def code(self, role: str = "cashier") -> str:
        """A join code for a device of the shop."""
        return parties.shown_code(parties.invite(self.town, self.shop.party, role))

    def pay(self, link: str, payer: Member, amount: int | None = None) -> SignedReceipt:
        """Pay a link as a wallet does; the receipt."""
        signed = parse_link(link).signed
        order = requests.order_for(
            signed, payer=payer.account, unit=self.town.charter.code, expires_at=int(time.time()) + 300,
            id=self.town.new_id(), amount=amount,
        ).sign(payer.key)  # fmt: skip
        with Client(self.url) as client:
            return SignedReceipt.parse(client.send_order(order, signed).receipt)

    def transfer(self, payer: Member, payee: Member, amount: int, id_: bytes) -> httpx.Response:
        """Send an order without a request, under an id of one's choice."""
        order = Order(
            self.town.charter.network, Purpose.PAYMENT, id_, payer.account, payee.account, amount,
            self.town.charter.code, int(time.time()) + 300, NO_REFERENCE,
        ).sign(payer.key)  # fmt: skip
        return httpx.post(f"{self.url}/v1/payments", json={"order": order.text})

    def balance(self, member: Member) -> int:
        return self.town.book.balance(member.account)

    @property
    def account(self) -> str:
        return account_text(self.shop.account)


class Complaints:
    """A page, and everything that it complains of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._heard)

    def _heard(self, message: ConsoleMessage) -> None:
        # Chromium calls every refusal and every lost line an error; those are part of the stories, but not of files.
        story = message.text.startswith("Failed to load resource") and "/static/" not in message.location["url"]
        if message.type == "error" and not story:
            self.complaints.append(message.text)


class Till(Complaints):
    """A till as a shopkeeper sees it: what is typed, tapped and read."""

    def __init__(self, page: Page, stall: Stall) -> None:
        super().__init__(page)
        self.stall = stall
        page.set_default_timeout(SECONDS)

    def pair(self, name: str = "Comptoir", *, role: str = "cashier", lang: str = "") -> Till:
        """Become a till of the shop with a code that is typed."""
        self.page.goto(f"{self.stall.url}/till{lang}")
        self.page.locator("#pair-code").fill(self.stall.code(role))
        self.page.locator("#pair-label").fill(name)
        self.page.locator("#pair-go").click()
        return self.is_online()

    def is_online(self) -> Till:
        expect(self.page.locator("#line")).to_have_attribute("data-up", "yes", timeout=15_000)
        return self

    def is_offline(self) -> Till:
        expect(self.page.locator("#line")).to_have_attribute("data-up", "no", timeout=15_000)
        expect(self.page.locator("#lost")).to_be_visible()
        return self

    def type(self, keys: str) -> Till:
        self.page.keyboard.type(keys)
        return self

    def press(self, key: str) -> Till:
        self.page.keyboard.press(key)
        return self

    def ask(self, amount: str, label: str = "") -> str:
        """Type an amount, show its code; the link that zxing reads from a screenshot of the whole screen."""
        self.type(amount)
        if label:
            self.page.locator("#label").fill(label)
        self.press("Enter")
        return self.scanned()

    def scanned(self) -> str:
        expect(self.page.locator("#pane-code #qr[data-drawn]")).to_be_visible()
        [link] = codes.read(self.page.screenshot())
        return link

    @property
    def paid(self) -> Any:
        return self.page.locator("#paid")

    def shows_paid(self, *texts: str) -> Till:
        expect(self.paid).to_be_visible()
        for text in texts:
            expect(self.paid).to_contain_text(text)
        return self

    def next(self) -> Till:
        self.press("Enter")
        expect(self.paid).to_be_hidden()
        return self

    def rows(self) -> list[str]:
        """The last payments, as text, blanks evened out."""
        return [re.sub(r"\s+", " ", row).strip() for row in self.page.locator("#payments li").all_inner_texts()]

    def watch_for_paid(self) -> None:
        """Note the moment at which "paid" stands on the screen, to the millisecond."""
        self.page.evaluate(
            """() => {
                const screen = document.getElementById("paid");
                window.paidAt = new Promise((resolve) => {
                    const look = () => { if (!screen.hidden) resolve(Date.now()); };
                    new MutationObserver(look).observe(screen, { attributes: true });
                });
            }"""
        )

    def seconds_after(self, receipt: SignedReceipt) -> float:
        """From the moment that the log gave the payment to the moment that the screen said so."""
        shown: float = self.page.evaluate("() => window.paidAt")
        return shown / 1_000 - receipt.receipt.at / 1_000_000


@contextmanager
def till(browser: Browser, stall: Stall, **options: Any) -> Iterator[Till]:
    """A fresh browser profile with nothing in it; holds at the end that the page never complained."""
    context = browser.new_context(**{"viewport": TABLET, "locale": "fr-FR", "color_scheme": "light", **options})
    made = Till(context.new_page(), stall)
    yield made
    context.close()
    assert made.complaints == [], made.complaints
