"""The back office in a real Chromium: statements in, lines placed by keyboard, the auditor, the reserve, top-ups."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from ledger.currency import conversion, invitations, parties
from ledger.currency.bank import details, suspense
from ledger.currency.bank.fake import FakeBank, Format, accounts_of
from ledger.currency.bank.mandates import register
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.target import open_day
from ledger.currency.charter import BankRules, MandateRules
from tests import towns
from tests.currency.bank.scene import IBAN, SAVINGS_IBAN, charter
from tests.journeys.bureau import SHOPS, Bureau, desk
from tests.journeys.stall import Till

pytestmark = pytest.mark.browser

ALICES, BOBS = "FR7630001007941234567890185", "FR7610107001011234567890129"


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A town in which two people sign whatever is paid."""
    made = Bureau(tmp_path, bank=BankRules(second_signature_above=0))
    made.start()
    yield made
    made.stop()
    made.town.book.close()


@pytest.fixture
def bank(bureau: Bureau) -> FakeBank:
    """The town's bank, with two months in it: known payers, unknown ones, charges, a bill and its refund."""
    made, last = FakeBank(accounts_of(bureau.town.charter)), bureau.yesterday
    first = last - timedelta(days=50)
    alice, bob = bureau.alice.party, bureau.bob.party
    made.pay_in(IBAN, first, 5_000, "DELATTRE ALICE", ALICES, bureau.reference(alice))
    made.pay_in(IBAN, first, 2_500, "VANDENBROUCKE BOB", BOBS, bureau.reference(bob))
    made.pay_in(IBAN, last - timedelta(days=9), 3_000, "DELATTRE ALICE", ALICES, "merci")
    made.pay_in(IBAN, last - timedelta(days=8), 10_000, "MAIRIE DE LILLE", "", "subvention")
    made.pay_in(IBAN, last - timedelta(days=7), 4_000, "M OU MME X", "", "cadeau et adhesion")
    made.book(IBAN, last - timedelta(days=6), -900, LineKind.CHARGE, "FRAIS DE TENUE DE COMPTE")
    return made


def month(bureau: Bureau, bank: FakeBank, name: str, since: int, until: int, format: Format) -> tuple[str, bytes]:
    """A statement over the days that lie so many before yesterday."""
    first, last = (bureau.yesterday - timedelta(days=back) for back in (since, until))
    return name, bank.statement(IBAN, first, last, format)


def test_what_is_dropped_leaves_the_page_where_it_was(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    with desk(browser, bureau) as office:
        page = office.pair("operator").page
        page.set_viewport_size({"width": 1280, "height": 400})
        page.evaluate("Element.prototype.scrollIntoView = () => {}")  # which is for results that are out of sight
        for count, name in ((1, "un.xml"), (2, "deux.xml")):
            office.drop(month(bureau, bank, name, 60, 0, Format.CAMT_08))
            expect(page.locator(".upload")).to_have_count(count)
            expect(office.upload(name)).not_to_contain_text("attend")
            assert page.evaluate("scrollY") == 0
        office.open("payouts").page.go_back()  # the address leads from section to section as well
        expect(page.locator("#panel-statements")).to_be_visible()


def test_statements_come_in_whatever_their_order(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    """Formats and accounts dropped at once, the later first; one of another kind, one cut; the same once more."""
    bank.move(IBAN, SAVINGS_IBAN, bureau.yesterday - timedelta(days=5), 1_000, "placement")
    days = (bureau.yesterday - timedelta(days=60), bureau.yesterday)
    savings = ("livret.ofx", bank.statement(SAVINGS_IBAN, *days, Format.OFX))
    first = month(bureau, bank, "z-premier.xml", 60, 31, Format.CAMT_08)
    second = month(bureau, bank, "a-second.txt", 30, 0, Format.CFONB)
    with desk(browser, bureau) as office:
        page = office.pair().page
        expect(page.locator("#no-lines")).to_have_text("Pas encore de ligne\u00a0: importez les relevés de la banque.")
        office.drop(first, second, savings, ("coupe.xml", first[1][:1500])).drag("photo.pdf", "%PDF-1.7")
        expect(office.upload("a-second.txt")).to_contain_text("5 nouvelles lignes · À placer 4, Entre nos comptes 1")
        expect(office.upload("livret.ofx")).to_contain_text("1 nouvelle ligne")
        expect(office.upload("z-premier.xml")).to_contain_text("2 nouvelles lignes · Change 2")
        expect(office.upload("photo.pdf")).to_contain_text("Ceci est un PDF : il est fait pour être lu ; demandez")
        expect(office.upload("coupe.xml")).to_contain_text("Ligne ")
        expect(office.upload("coupe.xml")).to_contain_text("récupérez le fichier à nouveau")
        office.drop(first)
        expect(office.upload("z-premier.xml").first).to_contain_text("Déjà connu")
        expect(page.locator("#tab-suspense .count")).to_have_text("5")
        assert sorted(row.split(" · ")[-1].replace("\u202f", " ") for row in office.rows("statements")) == [
            "a-second.txt 226,00 €", "livret.ofx 10,00 €", "z-premier.xml 75,00 €",
        ]  # fmt: skip
        expect(page.locator("#lines > li")).to_have_count(8)
        page.locator("#lines-reserve").select_option("Livret")
        expect(page.locator("#lines > li")).to_have_count(1)
        page.locator("#lines-reserve").select_option("")
        page.locator("#statements .row", has_text="z-premier.xml").click()
        expect(page.locator("#lines > li")).to_have_count(2)
        page.locator("#lines-of-clear").click()
        expect(page.locator("#lines > li")).to_have_count(8)
        office.press("/").page.keyboard.type("alice")
        expect(page.locator("#lines > li")).to_have_count(2)
        page.locator("#lines-state").select_option("recognised")
        expect(page.locator("#lines > li")).to_have_count(1)
        page.locator("#lines-text").press("Enter")
        office.press("Enter")
        expect(page.locator("#line-outcome")).to_have_text("Change\u00a0: Alice Delattre")
        expect(page.locator("#line-facts")).to_contain_text("FR76 3000 1007")
        page.locator("#line-put-back").click()
        expect(page.locator("#line-put-back")).to_have_text("Sûr\u202f? Les unités repartent")
        office.press("Escape")
        page.locator("#lines-text").fill("99,99")
        expect(page.locator("#no-lines")).to_have_text("Aucune ligne ne correspond.")
    assert bureau.balance(bureau.alice) == 105_000


def test_a_statement_that_the_bank_corrected(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    """The office says what is wrong and offers the one thing that helps."""
    first = month(bureau, bank, "juin.xml", 60, 0, Format.CAMT_08)
    wrong = next(entry for entry in bank.entries(IBAN, bureau.yesterday - timedelta(days=60), bureau.yesterday)
                 if entry.amount == 2_500)  # fmt: skip
    bank.strike(wrong, IBAN)
    second = month(bureau, bank, "juin-bis.xml", 60, 0, Format.CAMT_08)
    with desk(browser, bureau) as office:
        office.pair().drop(first)
        expect(office.upload("juin.xml")).to_contain_text("6 nouvelles lignes")
        office.drop(second)
        expect(office.upload("juin-bis.xml")).to_contain_text("importez-le comme corrigé")
        assert bureau.balance(bureau.bob) == 102_500
        office.upload("juin-bis.xml").get_by_role("button", name="L’importer comme corrigé").click()
        expect(office.upload("juin-bis.xml")).to_contain_text("ôtées 1")
    assert bureau.balance(bureau.bob) == 100_000


def test_lines_are_placed_by_keyboard_alone(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    """The best proposal by Enter, others by their letters, a split; an Enter too many places nothing; one goes back."""
    files = [month(bureau, bank, "tout.xml", 60, 0, Format.CAMT_08)]
    with desk(browser, bureau) as office:
        page = office.pair().drop(*files).page
        expect(office.upload("tout.xml")).to_contain_text("À placer 4")
        page.locator("body").press("2")  # the second section
        expect(page.locator("#open-amount")).to_have_text("+30,00\u202f€")
        expect(page.locator("#proposals .proposal").first).to_contain_text("Change\u00a0: Alice Delattre")
        office.press("Enter", "Enter", "1")  # all but the first come too soon for the next line
        expect(page.locator("#last-words")).to_have_text("+30,00\u202f€\u00a0: Change\u00a0: Alice Delattre")
        expect(page.locator("#open-amount")).to_have_text("+100,00\u202f€")
        expect(page.locator("#suspense-left")).to_have_text("3")
        assert bureau.balance(bureau.alice) == 108_000
        office.press("u")
        expect(page.locator("#suspense-left")).to_have_text("4")
        expect(page.locator("#open-amount")).to_have_text("+30,00\u202f€")
        assert bureau.balance(bureau.alice) == 105_000
        office.press("m").page.keyboard.type("vanden")
        expect(page.locator("[role=option]")).to_have_count(1)
        office.press("Enter")
        expect(page.locator("#way-go")).to_be_focused()
        expect(page.locator("#way-go")).to_have_text("Placer +30,00\u202f€")
        office.press("Enter")
        expect(page.locator("#suspense-left")).to_have_text("3")
        assert bureau.balance(bureau.bob) == 105_500
        office.press("o", "Enter")
        expect(page.locator("#last-words")).to_have_text("+100,00\u202f€\u00a0: À l’association")
        office.press("j", "c", "Enter")  # the charge, which lies after the gift
        expect(page.locator("#suspense-left")).to_have_text("1")
        office.press("s")
        expect(page.locator(".share-way")).to_be_focused()
        office.press("Tab").page.keyboard.type("bob")
        office.press("Enter").page.keyboard.type("25")
        expect(page.locator(".rest")).to_have_text("Reste\u00a0: 15,00\u202f€")
        expect(page.locator("#way-go")).to_be_disabled()
        page.get_by_role("button", name="Une autre part").press("Enter")
        expect(page.locator(".share-way").nth(1)).to_be_focused()
        office.press("ArrowDown")  # the association's own
        expect(page.locator(".share-amount").nth(1)).to_have_value("15,00")
        expect(page.locator(".rest")).to_have_text("Le compte y est.")
        page.locator("#way-go").press("Enter")
        expect(page.locator("#all-placed")).to_be_visible()
        expect(page.locator("#tab-suspense .count")).to_be_hidden()
    assert bureau.balance(bureau.bob) == 108_000
    assert bureau.town.book.balance(bureau.town.chart.suspense) == 0


def test_somebody_else_was_quicker(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    """Whoever is later is told so, and sees the lines as they are now."""
    files = [month(bureau, bank, "tout.xml", 60, 0, Format.CAMT_08)]
    with desk(browser, bureau) as office:
        page = office.pair().drop(*files).page
        expect(office.upload("tout.xml")).to_contain_text("À placer 4")
        office.open("suspense")
        expect(page.locator("#open-amount")).to_have_text("+30,00\u202f€")
        member = Decision(way=Way.MEMBER, holder=bureau.alice.account)
        suspense.place(bureau.town, suspense.open_lines(bureau.town)[0].line.id, member)
        office.press("o", "Enter")
        expect(page.locator("#toasts")).to_contain_text("Quelqu’un d’autre vient de placer cette ligne")
        expect(page.locator("#suspense-left")).to_have_text("3")
    assert bureau.balance(bureau.alice) == 108_000


def test_an_auditor_sees_everything_and_can_change_nothing(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    conversion.convert(bureau.town, bureau.shop.party, 20_000, reserve=towns.CASH, reference="VENTES")
    towns.ask_back(bureau.town, bureau.shop, 10_000)
    asked = conversion.find_asked(bureau.town, towns.ask_back(bureau.town, bureau.shop, 10_000))
    conversion.accept(bureau.town, asked)
    details.put(bureau.town, bureau.shop.party, SHOPS)
    with desk(browser, bureau) as office:
        office.pair("operator").drop(month(bureau, bank, "tout.xml", 60, 0, Format.CAMT_08))
        expect(office.upload("tout.xml")).to_contain_text("À placer 4")
    with desk(browser, bureau) as office:
        page = office.pair("auditor").page
        expect(page.locator("#lines > li")).to_have_count(6)
        page.locator("#lines .row").first.click()
        expect(page.locator("#line-facts")).to_contain_text("Notre référence")
        office.press("Escape").open("suspense")
        expect(page.locator("#proposals .proposal").first).to_contain_text("Alice")
        office.press("Enter", "m", "u").open("payouts")
        expect(page.locator("#due > li")).to_have_count(1)
        page.locator("#asked .row").click()
        expect(page.locator("#asked-units")).to_have_text("100,00\u202fP")
        office.press("Escape").open("reserve")
        # The bank's charges wait, and nothing of the association's own is there to pay them.
        expect(page.locator(".verdict .stamp")).to_have_text("Non couvert")
        for act in ("#drop", "#line-put-back", "#line-place", "button.proposal", "#ways", "#undo-last", "#order-form",
                    "#asked-accept", "#iban-form", "#reject", "#batch-sign", "#batch-fetch", "#batch-withdraw",
                    "#month-tell", "#mandate-end", "#collection-fetch"):  # fmt: skip
            expect(page.locator(act)).to_have_count(0)
        with page.expect_download() as saved:
            page.locator("#reserve-pdf").click()
        assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")
        page.get_by_role("link", name="English").click()
        expect(page.locator("#reserve-report")).to_contain_text("Not covered")
        expect(page.locator("#tab-suspense")).to_contain_text("To place")
        assert page.url.endswith("?lang=en#reserve")
        office.press("ArrowRight")  # from the last section to the first
        expect(page.locator("#lines .amount").first).to_have_text("-€9.00")
    assert bureau.town.book.balance(bureau.town.chart.suspense) == 16_100


def test_the_server_is_away(browser: Browser, bureau: Bureau, bank: FakeBank) -> None:
    """It says so, keeps what was typed, and goes on by itself when the server is back."""
    with desk(browser, bureau) as office:
        page = office.pair().drop(month(bureau, bank, "tout.xml", 60, 31, Format.CAMT_08)).page
        expect(office.upload("tout.xml")).to_contain_text("2 nouvelles lignes")
        rest = month(bureau, bank, "reste.xml", 30, 0, Format.CAMT_08)
        bureau.stop()
        office.drop(rest)
        expect(page.locator("#lost")).to_be_visible()
        expect(office.upload("reste.xml")).to_contain_text("renvoyé tout seul")
        bureau.start()
        expect(office.upload("reste.xml")).to_contain_text("À placer 4", timeout=20_000)
        expect(page.locator("#lost")).to_be_hidden()
        office.open("suspense")
        expect(page.locator("#open-amount")).to_be_visible()
        office.press("m").page.keyboard.type("bob")
        expect(page.locator("[role=option]")).to_have_count(1)
        office.press("Enter")
        bureau.stop()
        office.press("Enter")
        expect(page.locator("#place-error")).to_contain_text("Le serveur ne répond pas")
        expect(page.locator(".finder-input")).to_have_value("Bob Vandenbroucke")
        bureau.start()
        expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
        expect(page.locator(".finder-input")).to_have_value("Bob Vandenbroucke")
        page.locator("#way-go").press("Enter")
        expect(page.locator("#suspense-left")).to_have_text("3")
    assert bureau.balance(bureau.bob) == 105_500


def test_an_office_and_a_till_in_one_browser(browser: Browser, bureau: Bureau) -> None:
    """Each has its key; forgetting one leaves the other; a code of one is none for the other."""
    with desk(browser, bureau) as office:
        page = office.page
        page.goto(f"{bureau.url}/office")
        code = bureau.code()
        page.locator("#pair-code").fill(code)
        page.locator("#pair-go").click()
        expect(page.locator("#pair-error")).to_contain_text("pour une caisse ou un portefeuille")
        assert invitations.find(bureau.town, code) is not None  # it was not used
        page.goto(f"{bureau.url}/J/{bureau.invite('treasurer')}")
        page.get_by_role("link", name="Faire de ce navigateur un bureau").click()
        page.locator("#pair-go").click()
        expect(page.locator("#who")).to_contain_text("Trésorier")
        till = Till(page, bureau).pair()
        page.locator(".about summary").click()
        page.locator("#unpair").click()
        page.locator("#unpair-yes").click()
        expect(page.locator("#screen-pair")).to_be_visible()
        page.goto(f"{bureau.url}/office")
        expect(page.locator("#who")).to_contain_text("Trésorier")
        [key] = [k for k in parties.devices(bureau.town, bureau.association) if k.role == "treasurer"]
        parties.revoke(bureau.town, key)
        page.reload()
        expect(page.locator("#screen-revoked")).to_be_visible()
        assert till.complaints == []


@pytest.fixture
def monthly(tmp_path: Path) -> Iterator[Bureau]:
    """A town whose members can be told today for the last time, so that the file can be made today as well."""
    today = charter().local_date(time.time_ns() // 1_000)
    due = next(
        day for days in range(3, 15) if (day := today + timedelta(days=days)).day <= 28 and open_day(day) == day
    )  # fmt: skip
    rules = MandateRules(creditor_id="FR72ZZZ123456", account=towns.BANK, day=due.day, notice_days=(due - today).days)
    made = Bureau(tmp_path, mandates=rules)
    made.start()
    yield made
    made.stop()
    made.town.book.close()


def test_monthly_top_ups(browser: Browser, monthly: Bureau) -> None:
    """Who gave a mandate, the list of whom to tell, the month's file."""
    bureau, today = monthly, monthly.yesterday + timedelta(days=1)
    register.sign(bureau.town, bureau.alice.party, iban=ALICES, amount=2_000, holder="Alice Delattre", signed_on=today)
    with desk(browser, bureau) as office:
        page = office.pair().open("mandates").page
        expect(page.locator("#mandates > li")).to_have_count(1)
        assert office.rows("mandates") == ["Alice Delattre FR76 3000 1007 9412 3456 7890 185 Actif 20,00 €"]
        with page.expect_download() as saved:
            page.locator("#month-tell").click()
        assert "Alice Delattre" in Path(saved.value.path()).read_text("utf-8")
        expect(page.locator("#month-words")).to_contain_text("1 adhérent prévenu")
        expect(page.locator("#next-words")).to_contain_text("1 prélèvement, 20,00\u202f€ en tout")
        office.press("f")
        expect(page.locator("#collection-heading")).to_contain_text("20,00\u202f€")
        with page.expect_download() as saved:
            office.press("f")
        assert ALICES.encode() in Path(saved.value.path()).read_bytes()
        expect(page.locator("#collection-state")).to_have_text("téléchargé, à la banque")
        office.press("Escape")
        expect(page.locator("#next-file")).to_be_hidden()
        page.locator("#mandates .row").click()
        page.locator("#mandate-end").click()
        page.locator("#mandate-end").click()
        expect(page.locator("#no-mandates")).to_be_visible()
