"""How the office looks: every screen of it on a phone, a tablet and a screen, by day and by night."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ledger.currency import conversion
from ledger.currency.bank import details
from ledger.currency.bank.fake import FakeBank, Format, accounts_of
from ledger.currency.bank.mandates import register
from tests import towns
from tests.currency.bank.scene import IBAN
from tests.journeys.bureau import Bureau, Desk, desk
from tests.journeys.test_till_looks import TOO_PALE

pytestmark = pytest.mark.browser

PHONE, TABLET, SCREEN = ({"width": w, "height": h} for w, h in ((360, 740), (768, 1024), (1280, 800)))

# What is touched on a phone is 44 px or more; a box to tick is touched by its label.
TOUCHED = "button, a, select, summary, label:has(input), input:not(label input)"
TOO_SMALL = """(touched) => [...document.querySelectorAll(touched)]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.classList.contains("unseen"))
    .filter((one) => !document.querySelector("dialog[open]") || one.closest("dialog[open]"))
    .map((one) => [one.id || one.className || one.textContent.trim(), one.getBoundingClientRect()])
    .filter(([, box]) => box.height < 44 || box.width < 44)
    .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""

# Words that end in "…" or are cut off: two lines of a bank's text are all that a list shows of it.
CUT = """() => [...document.querySelectorAll("body *")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }) && !one.closest(".unseen, .line"))
    .filter((one) => getComputedStyle(one).overflowX === "hidden" && one.scrollWidth > one.clientWidth + 1)
    .map((one) => `${one.id || one.className}: ${one.textContent.trim().slice(0, 60)}`)"""


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path)
    made.start()
    yield made
    made.stop()
    made.town.book.close()


def look(office: Desk, name: str) -> None:
    """Nothing is wider than the screen, nothing that is touched is too small, nothing that is read too pale."""
    page = office.page
    for viewport in (TABLET, SCREEN, PHONE):
        page.set_viewport_size(viewport)  # type: ignore[arg-type]
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (name, viewport)
        assert page.evaluate(CUT) == [], (name, viewport)
    assert page.evaluate(TOO_SMALL, TOUCHED) == [], name
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert page.evaluate(TOO_PALE) == [], (name, scheme)
    assert page.evaluate("document.getAnimations().length") == 0


def test_every_screen_of_the_office(browser: Browser, bureau: Bureau) -> None:
    town, day = bureau.town, bureau.yesterday - timedelta(days=9)
    bank = FakeBank(accounts_of(town.charter))
    bank.pay_in(IBAN, day, 2_500, "VANDENBROUCKE BOB", "", bureau.reference(bureau.bob.party))
    bank.pay_in(IBAN, day, 123_456, "UN PAYEUR AU NOM BIEN PLUS LONG QUE TOUT ECRAN", "", "UNLIBELLESANSBLANC" * 7)
    bank.pay_in(IBAN, day, 3_000, "DELATTRE ALICE", "", "merci")
    file = bank.statement(IBAN, bureau.yesterday - timedelta(days=60), bureau.yesterday, Format.CAMT_08)
    for cents in (20_000, 10_000):
        conversion.convert(town, bureau.shop.party, cents, reserve=towns.BANK, reference=f"VENTES-{cents}")
        asked = conversion.find_asked(town, towns.ask_back(town, bureau.shop, cents))
        if cents == 20_000:
            conversion.accept(town, asked)
    details.put(town, bureau.shop.party, "DE89370400440532013000")
    today = bureau.yesterday + timedelta(days=1)
    register.sign(
        town, bureau.alice.party, iban="FR7630001007941234567890185", amount=2_000, holder="", signed_on=today
    )
    with desk(browser, bureau) as office:
        page = office.page
        page.goto(f"{bureau.url}/office")
        expect(page.locator("#pair-code")).to_be_focused()
        look(office, "pairing")
        office.pair("treasurer", "L’ordinateur du bureau au fond")
        look(office, "nothing yet")
        office.drop(("releve.xml", file), ("photo.pdf", b"%PDF-1.7"))
        expect(office.upload("releve.xml")).to_contain_text("À placer 2")
        expect(page.locator("#lines > li")).to_have_count(3)
        look(office, "statements")
        page.locator("#lines .row").first.click()
        look(office, "a line")
        office.press("Escape").open("suspense")
        expect(page.locator("#open-amount")).to_be_visible()
        look(office, "lines to place")
        for letter in "msp":
            office.press(letter)
            expect(page.locator("#way-form")).to_be_visible()
            look(office, f"placing by {letter}")
            office.press("Escape", "Escape")
            expect(page.locator("#way-form")).to_be_hidden()
        office.open("payouts")
        expect(page.locator("#due > li")).to_have_count(1)
        look(office, "payouts")
        for list_ in ("asked", "due"):
            page.locator(f"#{list_} .row").click()
            look(office, list_)
            office.press("Escape")
        page.locator("#order-go").click()
        expect(page.locator("#batch-sign")).to_be_visible()
        look(office, "a file")
        office.press("Escape").open("mandates")
        expect(page.locator("#mandates > li")).to_have_count(1)
        look(office, "monthly")
        page.locator("#mandates .row").click()
        look(office, "a mandate")
        office.press("Escape").open("reserve")
        expect(page.locator(".verdict")).to_be_visible()
        look(office, "the reserve")
        office.press("?")
        look(office, "the keys")
