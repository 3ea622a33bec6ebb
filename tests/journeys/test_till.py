"""The till in a real Chromium: paid by the code on its screen, seen at once; refunds; the day; lost lines."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Request, Route, expect

from ledger.currency import join_codes, parties
from ledger.currency.charter import Limits
from ledger.currency.links import parse_link
from ledger.currency.messages import Purpose, SignedOrder
from merchants import codes
from tests.journeys.stall import PHONE, SHOP, Stall, till

pytestmark = pytest.mark.browser

WHY_NOT = (
    ("0", "0,01\u202fP au moins"), ("abc", "comme 12,50"), ("-1", "comme 12,50"), ("1,234", "deux décimales au plus"),
    ("10,01", "au plus"), ("", "comme 12,50"),
)  # fmt: skip


def test_a_sale_from_the_code_to_paid(browser: Browser, stall: Stall) -> None:
    """Pair, type, show, scan the screenshot, pay: "paid" stands there within a second of the commit."""
    with till(browser, stall) as shop:
        shop.pair()
        expect(shop.page.locator("#shop")).to_have_text(SHOP)
        link = shop.ask("12,5", "Table 4")
        request = parse_link(link).signed.request
        assert (request.payee, request.amount, request.label) == (stall.shop.account, 1250, "Table 4")
        shop.watch_for_paid()
        receipt = stall.pay(link, stall.alice)
        shop.shows_paid("Payé", "12,50\u202fP", "Alice Delattre", "Table 4")
        seconds = shop.seconds_after(receipt)
        print(f"paid on the screen {seconds * 1000:.0f} ms after the commit began")
        assert seconds < 1
        assert receipt.receipt.id == request.payment_id()
        expect(shop.page.locator("#announce")).to_have_text("Payé\u00a0: 12,50\u202fP par Alice Delattre")
        shop.next()
        assert [re.sub(r"^\d\d:\d\d ", "", row) for row in shop.rows()] == ["Alice Delattre Table 4 12,50 P"]
        expect(shop.page.locator("#total")).to_have_text("12,50\u202fP")
        expect(shop.page.locator("#count")).to_have_text("1 paiement")
        expect(shop.page.locator("#typed")).to_have_text("")  # ready for the next customer
        assert stall.balance(stall.shop) == 1250


def test_paid_by_the_real_wallet_from_a_screenshot(browser: Browser, stall: Stall, tmp_path: Path) -> None:
    """The `wallet` process reads the picture and pays; the same picture again moves nothing."""
    environ = {
        **os.environ, "WALLET_HOME": str(tmp_path / "wallet"), "PATARD_LANG": "en", "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip

    def wallet(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "import sys; from wallet_cli.main import main; sys.exit(main())", *arguments]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60)

    code = join_codes.shown_code(parties.invite(stall.town, stall.alice.party, "member"))
    joined = wallet("join", code, "--server", stall.url, "--no-passphrase")
    assert joined.returncode == 0, joined.stderr
    with till(browser, stall, viewport=PHONE) as shop:
        shop.pair().ask("7,20")
        shot = tmp_path / "shot.png"
        shop.page.screenshot(path=shot)
        paid = wallet("pay", str(shot), "--yes")
        assert paid.returncode == 0, paid.stderr
        shop.shows_paid("7,20\u202fP", "Alice Delattre").next()
        again = wallet("pay", str(shot), "--yes")
        assert again.returncode == 4, again.stdout + again.stderr
        assert len(shop.rows()) == 1
    assert stall.balance(stall.shop) == 720


def test_keyboard_only(browser: Browser, stall: Stall) -> None:
    """Pair, sell, go on, cancel and refund without a mouse."""
    with till(browser, stall) as shop:
        page = shop.page
        page.goto(f"{stall.url}/till")
        expect(page.locator("#pair-code")).to_be_focused()
        shop.type(stall.code().lower()).press("Enter").is_online()
        shop.type("1x2.345").press("Backspace").type("9")
        expect(page.locator("#display")).to_have_text("12,39P")
        shop.press("Escape").type("3").press("Enter")
        shop.press("Escape")  # changed their mind
        expect(page.locator("#pane-keypad")).to_be_visible()
        shop.press("Enter")
        expect(page.locator("#keypad-error")).to_have_text("Tapez d’abord un montant.")
        stall.pay(shop.ask("8"), stall.alice)
        shop.shows_paid("8,00")
        expect(page.locator("#paid-next")).to_be_focused()
        shop.type("5")  # the next amount, straight away
        expect(shop.paid).to_be_hidden()
        expect(page.locator("#display")).to_have_text("5,00P")
        shop.press("Escape")
        button = page.get_by_role("button", name="Rembourser 8,00\u202fP, Alice Delattre")
        for _ in range(40):
            shop.press("Tab")
            if button.evaluate("one => one === document.activeElement"):
                break
        expect(button).to_be_focused()
        shop.press("Enter")
        expect(page.locator("#refund-amount")).to_be_focused()
        shop.type("3").press("Enter")
        expect(page.locator("#refund-go")).to_be_focused()  # one Enter gives no money back
        assert stall.balance(stall.shop) == 800
        shop.press("Enter")
        expect(page.locator("#refund")).to_be_hidden()
        expect(page.locator("#total")).to_have_text("5,00\u202fP")


def test_refund_in_parts_up_to_what_is_left(browser: Browser, stall: Stall) -> None:
    """Two parts signed by the till; never more than is left; the list and the day say so."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        stall.pay(shop.ask("10", "Gâteau"), stall.bob)
        shop.shows_paid().next()
        row = page.locator("#payments li")
        for amount, back, total in (("4", "-4,00\u202fP", "6,00\u202fP"), ("6", "-10,00\u202fP", "0,00\u202fP")):
            row.locator(".refund-button").click()
            page.locator("#refund-amount").fill("10,01")
            expect(page.locator("#refund-go")).to_be_disabled()
            for typed, why in WHY_NOT:
                page.locator("#refund-amount").fill(typed)
                expect(page.locator("#refund-error")).to_contain_text(why)
                expect(page.locator("#refund-go")).to_be_disabled()
            page.locator("#refund-amount").fill(amount)
            expect(page.locator("#refund-error")).to_be_empty()
            page.locator("#refund-go").click()
            expect(row.locator(".back")).to_have_text(back)
            expect(page.locator("#total")).to_have_text(total)
        expect(row.locator(".refund-button")).to_be_hidden()
        expect(page.locator("#count")).to_have_text("1 paiement · remboursé\u00a0: 10,00\u202fP")
        page.reload()
        shop.is_online()
        expect(row.locator(".back")).to_have_text("-10,00\u202fP")
    assert stall.balance(stall.shop) == 0
    assert stall.balance(stall.bob) == 100_000


def test_a_refund_whose_answer_was_lost_is_made_once(browser: Browser, stall: Stall) -> None:
    """The same order goes out again, with the same id, when the till is back: booked once, and said so."""
    sent: list[str] = []

    def overhear(request: Request) -> None:
        if request.url.endswith("/v1/refunds"):
            sent.append(json.loads(request.post_data or "{}")["order"])

    def lose_the_answer(route: Route) -> None:
        overhear(route.request)
        route.fetch()
        route.abort()

    with till(browser, stall) as shop:
        page = shop.pair().page
        stall.pay(shop.ask("9"), stall.bob)
        shop.shows_paid().next()
        page.route("**/v1/refunds", lose_the_answer)
        page.locator(".refund-button").click()
        page.locator("#refund-go").click()
        expect(page.locator("#toasts")).to_contain_text("Pas encore de réponse")
        page.unroute("**/v1/refunds")
        page.on("request", overhear)
        page.reload()
        expect(page.locator("#toasts")).to_contain_text("Remboursé\u00a0: 9,00\u202fP à Bob Vandenbroucke")
        assert len(sent) == 2
        assert sent[0] == sent[1]
        assert SignedOrder.parse(sent[0]).order.purpose is Purpose.REFUND
    assert stall.balance(stall.bob) == 100_000


def test_payments_made_while_the_line_was_down(browser: Browser, stall: Stall) -> None:
    """Amber at once, never a wrong word; what was missed appears by itself, the code on the screen first of all."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        link = shop.ask("15")
        page.context.set_offline(True)
        shop.is_offline()
        expect(page.locator("#code-state")).to_contain_text("on ne sait pas encore")
        expect(shop.paid).to_be_hidden()
        stall.pay(link, stall.alice)
        page.context.set_offline(False)
        shop.shows_paid("15,00").is_online().next()
        assert len(shop.rows()) == 1


def test_a_code_asked_for_without_a_line(browser: Browser, stall: Stall) -> None:
    """Nobody saw it: so it says that it cannot be drawn, counts nothing down, and is drawn when the line is back."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        page.context.set_offline(True)
        shop.is_offline().type("15").press("Enter")
        expect(page.locator("#frame-text")).to_contain_text("le code ne peut pas être dessiné")
        page.wait_for_timeout(1_000)
        for id_ in ("left", "code-state"):
            expect(page.locator(f"#{id_}")).to_have_text("")
        expect(page.locator("#left-bar")).to_be_hidden()
        page.context.set_offline(False)
        expect(page.locator("#qr[data-drawn]")).to_be_visible(timeout=15_000)
        expect(page.locator("#frame-text")).to_be_hidden()
        expect(page.locator("#left")).not_to_have_text("")
        stall.pay(shop.scanned(), stall.alice)
        shop.shows_paid("15,00")


def test_the_server_restarts(browser: Browser, stall: Stall) -> None:
    """The till comes back by itself, with the same code on its screen, which is then paid."""
    with till(browser, stall) as shop:
        link = shop.pair().ask("6,66")
        stall.stop()
        shop.is_offline()
        stall.start()
        shop.is_online()
        assert shop.scanned() == link
        shop.watch_for_paid()
        assert shop.seconds_after(stall.pay(link, stall.bob)) < 1
        shop.shows_paid("6,66", "Bob Vandenbroucke")


def test_a_page_loaded_again_goes_on_with_its_code(browser: Browser, stall: Stall) -> None:
    """Reloading pairs nothing anew and loses no code; one paid meanwhile is seen."""
    with till(browser, stall) as shop:
        link = shop.pair().ask("2")
        shop.page.reload()
        assert shop.is_online().scanned() == link
        shop.page.goto("about:blank")
        stall.pay(link, stall.alice)
        shop.page.goto(f"{stall.url}/till")
        shop.shows_paid("2,00", "Alice Delattre").next()


def test_a_code_that_nobody_paid(browser: Browser, tmp_path: Path) -> None:
    """It counts down, says "expired" only when the server said so, and Enter makes a new one."""
    stall = Stall(tmp_path, limits=Limits(request_seconds=10))
    stall.start()
    try:
        with till(browser, stall) as shop:
            first = shop.pair().ask("3,10", "Pain")
            expect(shop.page.locator("#left")).to_contain_text("encore valable 0:")
            expect(shop.page.locator("#frame-text")).to_have_text("Expiré. Rien n’a été payé.", timeout=20_000)
            shop.press("Enter")
            second = shop.scanned()
            assert second != first
            stall.pay(second, stall.alice)
            shop.shows_paid("3,10", "Pain")
    finally:
        stall.stop()
        stall.town.book.close()


def test_nobody_can_make_the_till_say_paid_but_by_paying(browser: Browser, stall: Stall) -> None:
    """A stranger who saw the code sends orders under its id: to another account, or a cent to the shop."""
    with till(browser, stall) as shop:
        request = parse_link(shop.pair().ask("50")).signed.request
        answers = [
            stall.transfer(stall.bob, stall.alice, 5000, request.payment_id()),
            stall.transfer(stall.bob, stall.shop, 1, request.payment_id()),
        ]
        shop.page.wait_for_timeout(6_000)  # longer than the till waits between two looks at its code
        expect(shop.paid).to_be_hidden()
        expect(shop.page.locator("#qr[data-drawn]")).to_be_visible()
        assert all(answer.status_code in (201, 409, 422) for answer in answers)


def test_the_lasting_code_of_the_shop(browser: Browser, stall: Stall) -> None:
    """Printed alone on its page, paid by two people; the till shows each."""
    with till(browser, stall) as shop:
        page = shop.pair().page
        page.locator("#open-poster").click()
        expect(page.locator("#poster-qr[data-drawn]")).to_be_visible()
        page.emulate_media(media="print")
        [link] = codes.read(page.screenshot())
        assert page.locator("#print-poster").is_hidden()
        page.emulate_media(media="screen")
        signed = parse_link(link).signed
        assert (signed.request.is_static, signed.request.amount) == (True, 0)
        stall.pay(link, stall.alice, 450)
        shop.shows_paid("4,50", "Alice Delattre")
        shop.press("Escape")
        expect(page.locator("#pane-keypad")).to_be_visible()
        stall.pay(link, stall.bob, 320)  # while the till stands at its keypad
        expect(page.locator("#toasts")).to_contain_text("Payé 3,20\u202fP")
        assert len(shop.rows()) == 2
        page.locator("#open-poster").click()
        expect(page.locator("#poster-qr[data-drawn]")).to_be_visible()
        assert codes.read(page.screenshot()) == [link]  # the same again


def test_two_tills_of_one_shop(browser: Browser, stall: Stall) -> None:
    """Each says "paid" for its own code, and only mentions the other's."""
    with till(browser, stall) as one, till(browser, stall) as two:
        one.pair("Caisse 1")
        two.pair("Caisse 2")
        first, second = one.ask("1"), two.ask("2")
        stall.pay(second, stall.alice)
        two.shows_paid("2,00")
        expect(one.page.locator("#toasts")).to_contain_text("Payé 2,00\u202fP")
        expect(one.paid).to_be_hidden()
        assert one.scanned() == first


def test_a_tablet_with_a_wrong_clock(browser: Browser, stall: Stall) -> None:
    """An hour behind: its codes count by the server's clock, so they are not born expired."""
    with till(browser, stall) as shop:
        shop.page.add_init_script("const right = Date.now; Date.now = () => right() - 3600000;")
        link = shop.pair().ask("1,10")
        stall.pay(link, stall.alice)
        shop.shows_paid("1,10")


def test_sound_is_asked_for_and_can_be_muted(browser: Browser, stall: Stall) -> None:
    """Two notes for "paid"; none once muted, and the choice stays."""
    with till(browser, stall) as shop:
        shop.page.add_init_script(
            """window.notes = 0;
            const start = OscillatorNode.prototype.start;
            OscillatorNode.prototype.start = function (...when) {
                window.notes += 1;
                return start.apply(this, when);
            };"""
        )
        shop.pair()
        stall.pay(shop.ask("1"), stall.alice)
        shop.shows_paid()
        assert shop.page.evaluate("window.notes") == 4  # each note with its first overtone
        shop.next()
        shop.page.locator("#sound").click()
        expect(shop.page.locator("#sound")).to_have_attribute("aria-pressed", "false")
        stall.pay(shop.ask("1"), stall.alice)
        shop.shows_paid()
        assert shop.page.evaluate("window.notes") == 4
        shop.page.reload()
        expect(shop.page.locator("#sound")).to_have_attribute("aria-pressed", "false")
