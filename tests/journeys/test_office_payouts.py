"""Payouts in the back office, in a real Chromium: signed by two people, and nobody signs another file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from ledger.currency import conversion, parties
from ledger.currency.bank import details
from ledger.currency.bank.payouts import batches, owed
from ledger.currency.charter import BankRules
from tests import towns
from tests.currency.bank.test_payees import found
from tests.journeys.bureau import SHOPS, Bureau, desk

pytestmark = pytest.mark.browser


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    """A town in which two people sign whatever is paid."""
    made = Bureau(tmp_path, bank=BankRules(second_signature_above=0))
    made.start()
    yield made
    made.stop()
    made.town.book.close()


def test_a_payout_is_signed_by_two_people(browser: Browser, bureau: Bureau) -> None:
    """Asked, accepted, an IBAN typed, a file made, signed twice by different people, fetched once: by keys alone."""
    town, shop = bureau.town, bureau.shop
    conversion.convert(town, shop.party, 20_000, reserve=towns.CASH, reference="VENTES")
    towns.ask_back(town, shop, 20_000)
    odile, paul = (parties.admit(town, "person", name) for name in ("Odile Carlier", "Paul Six"))
    with desk(browser, bureau) as one, desk(browser, bureau) as two:
        page = one.pair("treasurer", "PC d’Odile", person=odile).press("3").page
        expect(page.locator("#tab-payouts .count")).to_have_text("1")
        expect(page.locator("#asked > li")).to_have_count(1)
        one.press("Enter")
        expect(page.locator("#asked-payout")).to_have_text("190,00\u202f€")
        one.press("a")
        expect(page.locator("#due .outcome")).to_have_text("IBAN manquant")
        expect(page.locator("#order-form")).to_be_hidden()
        one.press("j", "Enter")
        page.locator("#iban").fill("DE00 3704 0044 0532 0130 00")
        one.press("Enter")
        expect(page.locator("#due-error")).to_contain_text("Les chiffres de cet IBAN ne vont pas ensemble")
        page.locator("#iban").fill(SHOPS)
        one.press("Enter")
        expect(page.locator("#order-form")).to_be_visible()
        # Who signs a file for which two people sign was known before it was made.
        other = two.pair("treasurer", "PC de Paul", person=paul).page
        one.press("f")
        expect(page.locator("#batch-transfers")).to_contain_text("nouveau compte")
        expect(page.locator("#batch-state")).to_have_text("à signer\u00a0: 0 sur 2")
        one.press("s")
        expect(page.locator("#batch-state")).to_have_text("à signer\u00a0: 1 sur 2")
        expect(page.locator("#batch-sign")).to_be_hidden()
        expect(page.locator("#batch-fetch")).to_be_hidden()
        two.press("3")
        expect(other.locator("#batches .row")).to_be_visible()
        two.press("Enter")
        expect(other.locator("#batch-sign")).to_be_visible()
        two.press("s")
        expect(other.locator("#batch-signatures")).to_contain_text("Odile Carlier")
        expect(other.locator("#batch-signatures")).to_contain_text("Paul Six")
        with other.expect_download() as saved:
            two.press("f")
        file = Path(saved.value.path()).read_bytes()
        assert saved.value.suggested_filename.endswith(".xml")
        assert SHOPS.encode() in file
        expect(other.locator("#batch-state")).to_have_text("téléchargé, à la banque")
        two.press("f")  # once more: no key does that, and a click asks first
        expect(other.locator("#batch-fetch")).to_have_text("Le télécharger encore")
        other.locator("#batch-fetch").click()
        expect(other.locator("#batch-fetch")).to_contain_text("Sûr")
        for each in (page, other):
            each.locator("#batch-close").click()
        # The bank will not execute it: as many people say so, and each sees that the other did.
        for desk_, told in ((two, "quelqu’un d’autre doit le dire aussi"), (one, "a de nouveau ses unités")):
            desk_.open("payouts")
            desk_.page.locator("#due .row").click()
            # The row that is clicked may be that of before the section was read anew.
            said_by = page.locator("#due-facts", has_text="Paul Six : quelqu’un d’autre doit le dire aussi")
            for _again in range(20 if desk_ is one and not said_by.count() else 0):
                page.keyboard.press("Escape")
                page.wait_for_timeout(100)
                page.locator("#due .row").click()
                if said_by.count():
                    break
            if desk_ is one:
                expect(said_by).to_be_visible()
            desk_.page.locator("#reject > summary").click()
            desk_.page.locator("#reject-go").click()
            desk_.page.locator("#reject-go").click()
            expect(desk_.page.get_by_text(told)).to_be_visible()


def test_what_the_bank_found_of_the_holder_stands_beside_the_payout(browser: Browser, bureau: Bureau) -> None:
    town, shop = bureau.town, bureau.shop
    with desk(browser, bureau) as office:
        page = office.pair("operator", "PC du bureau").page
        conversion.convert(town, shop.party, 20_000, reserve=towns.CASH, reference="VENTES")
        conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 20_000)))
        details.put(town, shop.party, SHOPS)
        made = batches.order(town)
        [payout] = owed.due(town)
        office.open("payouts")
        expect(page.locator("#due .outcome")).to_have_text("dans le fichier 1")
        vop = found(made.message, (payout.payout.reference, "RVMC", ["EPICERIE LEFEBVRE SARL"]))
        office.open("statements").drop(("vop.xml", vop))
        expect(office.upload("vop.xml")).to_contain_text("presque le titulaire 1")
        office.open("payouts")
        expect(page.locator("#due .outcome")).to_have_text("presque le titulaire")
        page.locator("#due .row").click()
        expect(page.locator("#due-facts")).to_contain_text("EPICERIE LEFEBVRE SARL")
        page.locator("#due-close").click()
        page.locator("#batches .row").click()
        expect(page.locator("#batch-transfers .payee")).to_have_text(
            "presque le titulaire\u00a0: EPICERIE LEFEBVRE SARL"
        )


def test_nobody_signs_what_is_not_the_file_that_was_made(browser: Browser, bureau: Bureau) -> None:
    """What is shown is read from the file's bytes; one that was changed in the database is not signed."""
    town, shop = bureau.town, bureau.shop
    odile = parties.admit(town, "person", "Odile Carlier")
    with desk(browser, bureau) as office:
        page = office.pair("treasurer", "PC d’Odile", person=odile).page
        conversion.convert(town, shop.party, 20_000, reserve=towns.CASH, reference="VENTES")
        conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 20_000)))
        details.put(town, shop.party, SHOPS)
        made = batches.order(town)
        with town.book.store.writing() as store:
            store.connection.execute(text("UPDATE payout_order SET iban = 'BE68539007547034', name = 'Autre'"))
        office.open("payouts")
        page.locator("#batches .row").click()
        expect(page.locator("#batch-transfers")).to_contain_text("DE89 3704 0044 0532 0130 00")
        expect(page.locator("#batch-transfers")).not_to_contain_text("BE68")
        expect(page.locator("#batch-sign")).to_be_visible()
        page.locator("#batch-close").click()
        changed = batches.content(town, made).replace(SHOPS.encode(), b"BE68539007547034")
        content = f"**/v1/payouts/batches/{made.number}/content"
        page.route(
            content, lambda route: route.fulfill(json={"sha256": made.sha256.hex(), "content": changed.decode()})
        )
        page.locator("#batches .row").click()
        expect(page.locator("#batch-error")).to_have_text(
            "Ce fichier n’est pas celui qui est à signer : ne le signez pas."
        )
        expect(page.locator("#batch-sign")).to_be_hidden()
        page.locator("#batch-close").click()
        page.unroute(content)
        with town.book.store.writing() as store:
            store.connection.execute(text("UPDATE payout_batch SET file = :file"), {"file": changed})
        page.locator("#batches .row").click()
        expect(page.locator("#batch-error")).to_contain_text("la base de données a été modifiée")
        expect(page.locator("#batch-sign")).to_be_hidden()
        page.locator("#batch-withdraw").click()
        page.locator("#batch-withdraw").click()
        expect(page.locator("#batch-state")).to_have_text("abandonné")
