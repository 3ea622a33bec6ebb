"""The back office in a real Chromium: a first statement that was wrong is withdrawn; the parts of a sum are shown."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.currency.bank import scene
from tests.currency.bank.test_as_banks_write import camt, month
from tests.journeys.bureau import Bureau, desk

pytestmark = pytest.mark.browser


@pytest.fixture
def bureau(tmp_path: Path) -> Iterator[Bureau]:
    made = Bureau(tmp_path)
    made.start()
    yield made
    made.stop()
    made.town.book.close()


def statement(bureau: Bureau, opening: int, parts: tuple[tuple[str, str], ...] = ()) -> bytes:
    """One day's, with one credit of 50.00, perhaps made of these parts: amount and text."""
    day = (bureau.yesterday - timedelta(days=5)).isoformat()
    told = month(str(opening), str(opening + 50), day, day, (day, "50"), iban=scene.IBAN)
    details = "".join(
        f"<TxDtls><AmtDtls><TxAmt><Amt Ccy='EUR'>{amount}</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>{text}</Ustrd></RmtInf>"
        "</TxDtls>"
        for amount, text in parts
    )
    return camt(told.replace("</Ntry>", f"<NtryDtls>{details}</NtryDtls></Ntry>") if parts else told)


def test_a_first_statement_that_was_wrong(browser: Browser, bureau: Bureau) -> None:
    with desk(browser, bureau) as office:
        page = office.pair("treasurer").page
        office.drop(("faux.xml", statement(bureau, 1_050)))
        office.upload("faux.xml").get_by_role("button", name="à placer").click()
        expect(office.upload("faux.xml")).to_contain_text("À placer 2")
        office.drop(("vrai.xml", statement(bureau, 1_000)))
        expect(office.upload("vrai.xml")).to_contain_text("si le premier relevé pris est faux, retirez-le")
        page.locator("#statements .row", has_text="faux.xml").click()
        withdraw = page.locator("#statement-withdraw")
        expect(withdraw).to_have_text("Ce premier relevé est faux\u00a0: le retirer")
        withdraw.click()
        expect(withdraw).to_contain_text("Certain")
        withdraw.click()
        expect(page.locator("#statements .row", has_text="faux.xml")).to_contain_text("retiré")
        expect(page.locator("#lines > li")).to_have_count(0)
        expect(withdraw).to_be_hidden()
        office.drop(("encore.xml", statement(bureau, 1_000)))
        office.upload("encore.xml").get_by_role("button", name="à placer").click()
        expect(page.locator("#lines > li")).to_have_count(2)


def test_the_parts_of_a_sum(browser: Browser, bureau: Bureau) -> None:
    alice, bob = bureau.alice.party, bureau.bob.party
    before = bureau.balance(bureau.alice), bureau.balance(bureau.bob)
    file = statement(bureau, 0, (("20.00", bureau.reference(alice)), ("30.00", bureau.reference(bob))))
    with desk(browser, bureau) as office:
        page = office.pair().page
        office.drop(("somme.xml", file))
        expect(office.upload("somme.xml")).to_contain_text("À placer 1")
        office.open("suspense")
        expect(page.locator("#open-parts > li")).to_have_count(2)
        expect(page.locator("#open-parts")).to_contain_text("20,00")
        expect(page.locator("#proposals .proposal").first).to_contain_text("ses parties sont de")
        office.press("Enter")
        expect(page.locator("#all-placed")).to_be_visible()
    assert (bureau.balance(bureau.alice), bureau.balance(bureau.bob)) == (before[0] + 2_000, before[1] + 3_000)
