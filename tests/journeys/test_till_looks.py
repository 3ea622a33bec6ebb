"""How the pages look and feel: on a phone and a tablet, in the dark, in English, to the eye and to the thumb."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger.currency.links import parse_link
from tests.journeys.stall import PHONE, TABLET, Stall, Till, till

pytestmark = pytest.mark.browser

NARROWEST = {"width": 320, "height": 568}

TOO_SMALL = """() => [...document.querySelectorAll("button, a, input, summary")]
    .filter((one) => one.checkVisibility({ visibilityProperty: true }))
    .map((one) => [one.id || one.className || one.textContent.trim(), one.getBoundingClientRect()])
    .filter(([, box]) => box.width < 44 || box.height < 44)
    .map(([name, box]) => `${name}: ${box.width} x ${box.height}`)"""

# Every text that is seen, against what is painted behind it: 4.5 to 1, or 3 to 1 where it is large (WCAG 2.2, 1.4.3).
TOO_PALE = """() => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        pen.clearRect(0, 0, 1, 1);
        pen.fillStyle = color;
        pen.fillRect(0, 0, 1, 1);
        const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
        return [r, g, b, a / 255];
    };
    const over = (front, back, share) => front.map((value, at) => value * share + back[at] * (1 - share));
    const light = (color) => {
        const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        const [r, g, b] = color.map((v) => linear(v / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (element) => {
        if (!element) return [255, 255, 255];
        const [r, g, b, a] = rgba(getComputedStyle(element).backgroundColor);
        return a === 1 ? [r, g, b] : over([r, g, b], behind(element.parentElement), a);
    };
    const seen = (element) => (element ? Number(getComputedStyle(element).opacity) * seen(element.parentElement) : 1);
    const found = [];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        const text = texts.currentNode.textContent.trim();
        const box = element.getBoundingClientRect();
        if (!text || box.width < 2 || !element.checkVisibility({ visibilityProperty: true })) continue;
        if (element.closest(":disabled")) continue;
        const style = getComputedStyle(element);
        const back = behind(element);
        const [r, g, b, a] = rgba(style.color);
        const front = over([r, g, b], back, a * seen(element));
        const [high, low] = [light(front), light(back)].sort((x, y) => y - x);
        const ratio = (high + 0.05) / (low + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        if (ratio < (large ? 3 : 4.5)) found.push(`${text}: ${ratio.toFixed(2)}`);
    }
    return found;
}"""


def fits(page: Page) -> None:
    """Nothing is wider than the screen, nothing that is touched is too small, nothing that is read too pale."""
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    assert page.evaluate(TOO_SMALL) == []
    assert page.evaluate(TOO_PALE) == []


def walk(shop: Till, look: Callable[[Page], None]) -> None:
    """Look at every screen of a till in turn."""
    page, stall = shop.page, shop.stall
    page.goto(f"{stall.url}/till")
    expect(page.locator("#pair-code")).to_be_focused()
    look(page)
    shop.pair("Comptoir du fond, près de la fenêtre")
    look(page)
    shop.type("1234,5")
    look(page)
    shop.press("Escape")
    link = shop.ask("12,5", "Tarte & café")
    look(page)
    page.context.set_offline(True)
    shop.is_offline()
    look(page)
    page.context.set_offline(False)
    shop.is_online()
    stall.pay(link, stall.bob)
    shop.shows_paid()
    look(page)
    shop.next()
    page.locator(".refund-button").click()
    expect(page.locator("#refund")).to_be_visible()
    look(page)
    page.locator("#refund-amount").fill("2")
    page.locator("#refund-go").click()
    expect(page.locator(".back")).to_have_text("-2,00\u202fP")
    page.locator(".about summary").click()
    look(page)
    page.locator("#open-poster").click()
    expect(page.locator("#poster-qr[data-drawn]")).to_be_visible()
    look(page)


@pytest.mark.parametrize("viewport", [NARROWEST, PHONE, TABLET], ids=["320", "360", "1024"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_screen_of_the_till(browser: Browser, stall: Stall, viewport: dict[str, int], scheme: str) -> None:
    with till(browser, stall, viewport=viewport, color_scheme=scheme, reduced_motion="reduce") as shop:
        walk(shop, fits)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_other_page(browser: Browser, stall: Stall, scheme: str) -> None:
    with till(browser, stall, viewport=PHONE, color_scheme=scheme) as shop:
        link = shop.pair().ask("3", "Un café")
        path = link[len(stall.url) :]
        for address in ("/", "/directory", path, f"{path}?lang=en", f"/J/{stall.code()}", "/J/K7QF2-M9X1A", "/P/ABC"):
            shop.page.goto(stall.url + address)
            fits(shop.page)
        stall.pay(link, stall.alice)
        shop.page.goto(stall.url + path)
        expect(shop.page.locator(".stamp")).to_have_text("Payé")
        fits(shop.page)


def test_a_phone_shows_the_whole_keypad_at_once(browser: Browser, stall: Stall) -> None:
    """Without scrolling: amount, keys, the button and the day's total; and the whole code, large enough to scan."""
    with till(browser, stall, viewport=PHONE) as shop:
        page = shop.pair().page
        for name in ("#display", "#keys", "#show", "#total"):
            box = page.locator(name).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= PHONE["height"], name
        shop.ask("5")
        box = page.locator("#qr").bounding_box()
        assert box is not None
        assert box["width"] >= 300
        assert box["y"] + box["height"] <= PHONE["height"]


@pytest.mark.parametrize("viewport", [{"width": 740, "height": 360}, {"width": 915, "height": 412}])
def test_a_phone_on_its_side(browser: Browser, stall: Stall, viewport: dict[str, int]) -> None:
    with till(browser, stall, viewport=viewport) as shop:
        page = shop.pair().page
        for name in ("#display", "#keys", "#show"):
            box = page.locator(name).bounding_box()
            assert box is not None
            assert box["y"] + box["height"] <= viewport["height"], name
        fits(page)
        shop.ask("5")
        fits(page)


def test_a_tablet_has_two_columns(browser: Browser, stall: Stall) -> None:
    """Keypad or code on the left, the payments on the right, all of it without scrolling."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        shop.ask("5")
        frame, journal, cancel = (page.locator(name).bounding_box() for name in ("#frame", "#journal", "#cancel"))
        assert frame and journal and cancel
        assert frame["x"] + frame["width"] <= journal["x"]
        assert frame["width"] >= 350
        assert cancel["y"] + cancel["height"] <= TABLET["height"]


def test_nothing_moves_for_those_who_ask_for_calm(browser: Browser, stall: Stall) -> None:
    with till(browser, stall, reduced_motion="reduce") as shop:
        stall.pay(shop.pair().ask("1"), stall.alice)
        shop.shows_paid()
        assert shop.page.evaluate("document.getAnimations().length") == 0


def test_in_english(browser: Browser, stall: Stall) -> None:
    """By the browser's language, or by the link that every page has; amounts as the English write them."""
    with till(browser, stall, locale="en-GB") as shop:
        page = shop.pair("Counter").page
        expect(page.locator("html")).to_have_attribute("lang", "en")
        link = shop.ask("1234.5", "Cake")
        assert parse_link(link).signed.request.amount == 123_450
        expect(page.locator("#asked")).to_have_text("P\u00a01,234.50")
        shop.press("Escape")
        link = shop.ask("8.4")
        stall.pay(link, stall.alice)
        shop.shows_paid("Paid", "P\u00a08.40", "Alice Delattre").next()
        expect(page.locator("#count")).to_have_text("1 payment")
        page.get_by_role("link", name="Français").click()
        shop.is_online()
        expect(page.locator("html")).to_have_attribute("lang", "fr")
        expect(page.locator("#count")).to_have_text("1 paiement")


def test_the_page_of_a_link_turns_over_when_it_is_paid(browser: Browser, stall: Stall) -> None:
    """Somebody who scanned with a plain camera sees what to do, then that it is done."""
    with till(browser, stall) as shop, till(browser, stall, viewport=PHONE) as camera:
        link = shop.pair().ask("4,20", "<b>Tarte</b>")
        page = camera.page
        page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=stall.url)
        page.goto(stall.url + link[len(stall.url) :])
        expect(page.locator("article")).to_contain_text("<b>Tarte</b>")
        page.locator("[data-copy]").click()
        expect(page.locator("[data-copy]")).to_have_text("Copié")
        assert page.evaluate("navigator.clipboard.readText()") == f"wallet pay {link}"
        stall.pay(link, stall.bob)
        expect(page.locator(".stamp")).to_have_text("Payé", timeout=8_000)


def test_after_a_refund_a_phone_is_back_at_the_keypad(browser: Browser, stall: Stall) -> None:
    """The keypad, the amount and what is wrong with it are on the screen when they are needed."""
    with till(browser, stall, viewport=PHONE) as shop:
        page = shop.pair().page
        stall.pay(shop.ask("3"), stall.bob)
        shop.shows_paid().next()
        page.locator(".refund-button").click()
        assert page.evaluate("scrollY") > 0  # the list is below the keypad
        page.locator("#refund-go").click()
        expect(page.locator("#refund")).to_be_hidden()
        expect(page.locator("#display")).to_be_in_viewport(ratio=1)
        for keys, seen in (("4", "#display"), ("Escape", "#display")):
            page.evaluate("scrollTo(0, document.body.scrollHeight)")
            shop.press(keys)
            expect(page.locator(seen)).to_be_in_viewport(ratio=1)
        page.evaluate("document.activeElement.blur(); scrollTo(0, document.body.scrollHeight)")
        shop.press("Enter")
        expect(page.locator("#keypad-error")).not_to_be_empty()
        expect(page.locator("#keypad-error")).to_be_in_viewport(ratio=1)


def test_a_payment_of_another_year_says_its_year_on_one_line(browser: Browser, stall: Stall) -> None:
    with till(browser, stall, viewport={"width": 1280, "height": 800}) as shop:
        page = shop.pair().page
        stall.pay(shop.ask("3"), stall.bob)
        shop.shows_paid().next()
        when = page.locator("#payments .when")
        line = when.evaluate("one => one.offsetHeight")
        shown = when.evaluate("""async (one) => {
            const { listTime } = await import("/static/times.js");
            const at = (text) => new Date(text);
            const now = at("2026-03-02T12:00:00Z");
            return ["2026-03-02T08:00:00Z", "2026-02-27T12:00:00Z", "2025-09-28T12:00:00Z"].map((text) => {
                one.textContent = listTime(at(text), now);
                return [one.textContent, one.offsetHeight];
            });
        }""")
        assert [height for _, height in shown] == [line] * 3
        assert "2026" not in shown[1][0] and "févr." in shown[1][0]
        assert shown[2][0] == "28 sept. 2025"
