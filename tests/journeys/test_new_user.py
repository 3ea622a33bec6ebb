"""What somebody meets who is new to a till: each sentence true, none hidden, and said before it costs anything."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger.currency import parties
from ledger.currency.keys import shown_key
from merchants import codes
from tests.journeys.stall import Stall, till

pytestmark = pytest.mark.browser


def toasts(page: Page) -> str:
    return " ".join(page.locator("#toasts .toast").all_inner_texts())


def test_a_code_that_was_cancelled_may_still_be_paid(browser: Browser, stall: Stall) -> None:
    """The till says so, and until when; it then says that it was paid. One that was paid is not said to be payable."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        link = shop.ask("12,5", "Tarte")
        page.locator("#cancel").click()
        expect(page.locator("#toasts")).to_contain_text("Qui l’a scanné peut encore le payer jusqu’à")
        expect(page.locator("#toasts")).to_contain_text("12,50\u202fP")
        stall.pay(link, stall.bob)
        expect(page.locator("#toasts")).to_contain_text("Payé 12,50\u202fP")
        expect(page.locator("#payments li")).to_have_count(1)
        for way in ("Escape", "poster"):
            shop.page.evaluate("document.getElementById('toasts').replaceChildren()")
            shop.ask("3")
            if way == "poster":
                page.locator("#open-poster").click()
            else:
                shop.press("Escape")
            expect(page.locator("#toasts")).to_contain_text("3,00\u202fP n’est plus à l’écran")
        page.locator("#close-poster").click()
        page.evaluate("document.getElementById('toasts').replaceChildren()")
        stall.pay(shop.ask("7"), stall.bob)
        shop.shows_paid("7,00").next()
        assert "à l’écran" not in toasts(page)


def test_a_refund_is_confirmed_where_it_is_seen(browser: Browser, stall: Stall) -> None:
    """The dialog closes over nothing that was said in it."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        stall.pay(shop.ask("12,5"), stall.bob)
        shop.shows_paid().next()
        page.locator(".refund-button").click()
        page.locator("#refund-amount").fill("2")
        page.locator("#refund-go").click()
        expect(page.locator("#refund")).to_be_hidden()
        expect(page.get_by_text("Remboursé\u00a0: 2,00\u202fP à Bob Vandenbroucke")).to_be_visible()


def test_two_payments_of_the_lasting_code_at_once(browser: Browser, stall: Stall) -> None:
    """Both stand there until somebody goes on; then neither does. Nobody is told to hold up a screen as proof."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        page.locator("#open-poster").click()
        expect(page.locator("#poster-qr[data-drawn]")).to_be_visible()
        expect(page.locator(".poster-how")).not_to_contain_text("montrez")
        [link] = codes.read(page.screenshot(full_page=True))
        stall.pay(link, stall.bob, 300)
        stall.pay(link, stall.alice, 450)
        shop.shows_paid("4,50", "Alice Delattre", "3,00", "Bob Vandenbroucke")
        shop.next()
        stall.pay(shop.ask("1"), stall.bob)
        shop.shows_paid("1,00")
        expect(page.locator("#paid-before li")).to_have_count(0)


SEEN_AGAIN = """async (opens) => {
    const { Live } = await import("/static/live.js");
    const told = [], asked = [];
    const gone = (signal, reject) => signal.addEventListener("abort", () => reject(new Error("gone")));
    const never = (signal) => new Promise((_, reject) => gone(signal, reject));
    const live = new Live({
        lastSeq: 0, onEntry() {}, onRefused() {},
        onState: (up) => told.push([up, Math.round(performance.now())]),
        open: async (seq, signal) => {
            asked.push(seq);
            if (asked.length > 1 && !opens) return never(signal);
            return new Response(new ReadableStream({
                start(controller) { gone(signal, (error) => controller.error(error)); },
            }));
        },
    });
    live.run();
    await new Promise((resolve) => setTimeout(resolve, 2200));
    const seen = performance.now();
    document.dispatchEvent(new Event("visibilitychange"));
    await new Promise((resolve) => setTimeout(resolve, 1000));
    live.stop();
    return { states: told.map(([up]) => up), lines: asked.length, after: told.slice(1).map(([, at]) => at - seen) };
}"""


def test_a_line_that_died_while_nobody_looked(browser: Browser, stall: Stall) -> None:
    """Within a second of being seen again the page no longer says that it is connected, or is anew without a word."""
    with till(browser, stall) as shop:
        shop.page.goto(f"{stall.url}/till")
        dead = shop.page.evaluate(SEEN_AGAIN, False)
        assert dead["states"][:2] == [True, False]
        assert 0 <= dead["after"][0] < 1_000
        alive = shop.page.evaluate(SEEN_AGAIN, True)
        assert (alive["states"], alive["lines"]) == ([True, True], 2)


def test_what_a_code_would_be_lost_to_is_said_before(browser: Browser, stall: Stall) -> None:
    """A key that cannot be kept, one that may be lost, no line for another page: none has used a code up."""
    with till(browser, stall) as shop:
        page = shop.page
        page.add_init_script("navigator.storage.persisted = navigator.storage.persist = async () => false")
        page.goto(f"{stall.url}/till")
        expect(page.locator("#pair-fleeting")).to_contain_text("fenêtre privée")
        page.goto(f"{stall.url}/till?lang=en")
        expect(page.locator("#pair-fleeting")).to_contain_text("private window")
    with till(browser, stall) as shop:
        page = shop.page
        page.add_init_script("navigator.storage.persisted = async () => true")
        page.goto(f"{stall.url}/till")
        expect(page.locator("#pair-code")).to_be_visible()
        expect(page.locator("#pair-fleeting")).to_be_hidden()
    put = "const put = IDBObjectStore.prototype.put; IDBObjectStore.prototype.put = function (value, ...rest) {"
    old = (
        "if (value?.privateKey) throw new DOMException('', 'DataCloneError'); return put.call(this, value, ...rest); }"
    )
    for wrong, said in (
        (put + old, "Firefox 136"),
        (put + "throw new DOMException('', 'QuotaExceededError'); }", "navigation privée"),
    ):  # fmt: skip
        with till(browser, stall) as shop:
            shop.page.add_init_script(wrong)
            shop.page.goto(f"{stall.url}/till#pair={stall.code()}")
            expect(shop.page.locator("#obstacle-text")).to_contain_text(said)


def test_a_page_too_many(browser: Browser, stall: Stall) -> None:
    """A browser has six lines to a server. The page that would find none says so; one that is closed makes room."""
    with till(browser, stall) as shop:
        shop.pair()
        others = [shop.page.context.new_page() for _ in range(5)]
        for other in others:
            other.goto(f"{stall.url}/till")
            expect(other.locator("#screen-boot")).to_be_hidden()
        expect(others[-2].locator("#screen-till")).to_be_visible()
        expect(others[-1].locator("#obstacle-text")).to_contain_text("Cinq pages")
        others[0].close()
        others[-1].reload()
        expect(others[-1].locator("#screen-till")).to_be_visible()


@pytest.mark.parametrize(("typed", "over"), [("Crème brûlée maison", 4), ("Tarte à la rhubarbe", 2), ("éééééééééé", 2)])
def test_a_label_that_does_not_fit(browser: Browser, stall: Stall, typed: str, over: int) -> None:
    """How much too long it is, at once and in letters, not when the code is asked for."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        page.locator("#label").fill(typed)
        expect(page.locator("#keypad-error")).to_contain_text(f"dépasse de {over}")
        expect(page.locator("#keypad-error")).to_contain_text("compte pour deux")
        page.locator("#label").fill(typed[:9])
        expect(page.locator("#keypad-error")).to_be_empty()


def test_a_device_has_one_name(browser: Browser, stall: Stall) -> None:
    """The page calls its key what commands call it, so that a lost one is found and shut out by what is read there."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        page.locator(".about summary").click()
        [key] = [one for one in parties.devices(stall.town, stall.shop.party) if one.role == "cashier"]
        expect(page.locator("#about-till")).to_contain_text(shown_key(key.key))
        assert key.key.hex().startswith(shown_key(key.key))
