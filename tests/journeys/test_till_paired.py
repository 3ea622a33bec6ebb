"""Pairing a till in a real Chromium: by a link or a code, revoked, its session ended, its key kept in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import delete

from ledger.currency import parties
from ledger.currency.tables import SESSION
from tests.journeys.stall import PHONE, SHOP, Stall, till

pytestmark = pytest.mark.browser


def test_a_till_that_was_revoked(browser: Browser, stall: Stall) -> None:
    """It says so and offers to be paired again, with a key of its own that is new."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        [key] = [k for k in parties.devices(stall.town, stall.shop.party) if k.role == "cashier"]
        shop.ask("5")
        parties.revoke(stall.town, key)
        expect(page.locator("#screen-revoked")).to_be_visible(timeout=30_000)  # by itself
        expect(page.locator("#pane-code")).to_be_hidden()
        page.reload()
        expect(page.locator("#screen-revoked")).to_be_visible()
        page.locator("#pair-again").click()
        expect(page.locator("#screen-pair")).to_be_visible()
        shop.pair("Encore")
        keys = [k for k in parties.devices(stall.town, stall.shop.party) if k.role == "cashier"]
        assert len(keys) == 2


def test_sessions_end_and_nobody_notices(browser: Browser, stall: Stall) -> None:
    """The till signs a new challenge by itself; what was paid meanwhile is there."""
    with till(browser, stall) as shop:
        link = shop.pair().ask("7")
        with stall.town.book.store.writing() as store:
            store.connection.execute(delete(SESSION))
        stall.pay(link, stall.alice)
        shop.shows_paid("7,00").next()
        stall.pay(shop.is_online().ask("8"), stall.alice)
        shop.shows_paid("8,00").next()
        expect(shop.page.locator("#total")).to_have_text("15,00\u202fP")


def test_paired_by_a_link(browser: Browser, stall: Stall) -> None:
    """The link of a code leads to the till with the code filled in, and out of the address once used."""
    with till(browser, stall, viewport=PHONE) as shop:
        page = shop.page
        page.goto(f"{stall.url}/J/{stall.code()}")
        page.get_by_role("link", name="Faire de cet appareil une caisse").click()
        expect(page.locator("#pair-code")).not_to_have_value("")
        page.locator("#pair-go").click()
        shop.is_online()
        assert page.url == f"{stall.url}/till"
        page.goto(f"{stall.url}/till#pair={stall.code()}")  # again, on a till that is one already
        expect(page.locator("#pair-already")).to_contain_text(SHOP)
        page.locator("#pair-back").click()
        shop.is_online()


@pytest.mark.parametrize(
    ("typed", "said"),
    [("ABC", "dix signes"), ("00000-00000", "mal tapé, déjà utilisé ou expiré"), ("used", "déjà utilisé")],
)
def test_a_code_that_pairs_nothing(browser: Browser, stall: Stall, typed: str, said: str) -> None:
    code = stall.code()
    if typed == "used":
        with till(browser, stall) as first:
            first.page.goto(f"{stall.url}/till#pair={code}")
            first.page.locator("#pair-go").click()
            first.is_online()
        typed = code
    with till(browser, stall) as shop:
        shop.page.goto(f"{stall.url}/till")
        shop.page.locator("#pair-code").fill(typed)
        shop.page.locator("#pair-go").click()
        expect(shop.page.locator("#pair-error")).to_contain_text(said)


def test_the_key_cannot_be_taken_out(browser: Browser, stall: Stall) -> None:
    """Not by this page, nor by anything that gets to run in it; and no cookie is ever set."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        found = page.evaluate(
            """() => new Promise((resolve) => {
                const asked = indexedDB.open("patard-till");
                asked.onsuccess = () => {
                    const got = asked.result.transaction("kept").objectStore("kept").get("device");
                    got.onsuccess = async () => {
                        const key = got.result.privateKey;
                        const tries = ["raw", "pkcs8", "jwk"].map((form) => crypto.subtle.exportKey(form, key));
                        const outcomes = await Promise.allSettled(tries);
                        resolve([key.extractable, ...outcomes.map((outcome) => outcome.status)]);
                    };
                };
            })"""
        )
        assert found == [False, "rejected", "rejected", "rejected"]
        assert page.context.cookies() == []


def test_a_browser_without_ed25519_is_told_so(browser: Browser, stall: Stall) -> None:
    with till(browser, stall) as shop:
        shop.page.add_init_script("SubtleCrypto.prototype.generateKey = () => Promise.reject(new Error('unknown'))")
        shop.page.goto(f"{stall.url}/till")
        expect(shop.page.locator("#obstacle-text")).to_contain_text("Ed25519")
