"""The association's back office for journeys: a town with a bank, people of the office, and their browsers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FilePayload, Page, expect

from ledger.currency import join_codes, parties
from ledger.currency.bank.reference import member_reference, shown
from ledger.currency.parties import Party
from tests.currency.bank.scene import charter
from tests.journeys.stall import SECONDS, Complaints, Stall

SCREEN = {"width": 1280, "height": 800}
SHOPS = "DE89370400440532013000"
ROLES = {"operator": "Opérateur", "treasurer": "Trésorier", "auditor": "Vérificateur"}


class Bureau(Stall):
    """A stall whose town has bank accounts with IBANs, monthly top-ups, and an association that runs it."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        values = charter()
        kept = {"reserve": values.reserve, "bank": values.bank, "mandates": values.mandates}
        super().__init__(folder, **{**kept, **rules})
        self.association = parties.admit(self.town, "association", "Association Le Patard")

    def invite(self, role: str, person: Party | None = None) -> str:
        """A code for the office, as `patard invite ASSOCIATION --role ROLE` makes it."""
        return join_codes.shown_code(parties.invite(self.town, self.association, role, person=person))

    def reference(self, party: Party) -> str:
        """What a member writes on a transfer."""
        return f"PATARD {shown(member_reference(self.town.charter.network, party.account))}"

    @property
    def yesterday(self) -> date:
        return self.town.charter.local_date(self.town.now()) - timedelta(days=1)


class Desk(Complaints):
    """The office as somebody sees it who works there."""

    def __init__(self, page: Page, bureau: Bureau) -> None:
        super().__init__(page)
        self.bureau = bureau
        page.set_default_timeout(SECONDS)

    def pair(self, role: str = "operator", name: str = "PC", *, person: Party | None = None, lang: str = "") -> Desk:
        """Become an office with a code that is typed."""
        self.page.goto(f"{self.bureau.url}/office{lang}")
        self.page.locator("#pair-code").fill(self.bureau.invite(role, person))
        self.page.locator("#pair-label").fill(name)
        self.page.locator("#pair-go").click()
        expect(self.page.locator("#line")).to_have_attribute("data-up", "yes", timeout=15_000)
        return self

    def open(self, section: str) -> Desk:
        self.page.locator(f"#tab-{section}").click()
        expect(self.page.locator(f"#panel-{section}")).to_be_visible()
        return self

    def press(self, *keys: str) -> Desk:
        for key in keys:
            self.page.keyboard.press(key)
        return self

    def drag(self, name: str, content: str) -> Desk:
        """Let a file fall onto the page."""
        self.page.evaluate(
            """([name, content]) => {
                const dataTransfer = new DataTransfer();
                dataTransfer.items.add(new File([content], name));
                const how = { dataTransfer, bubbles: true, cancelable: true };
                for (const kind of ["dragover", "drop"]) document.body.dispatchEvent(new DragEvent(kind, how));
            }""",
            [name, content],
        )
        return self

    def drop(self, *files: tuple[str, bytes]) -> Desk:
        """Choose files of those names and contents."""
        chosen = [FilePayload(name=name, mimeType="", buffer=content) for name, content in files]
        self.page.locator("#files").set_input_files(chosen)
        return self

    def upload(self, name: str) -> Any:
        """The row of a file that was dropped."""
        return self.page.locator(".upload").filter(has_text=name)

    def rows(self, list_: str) -> list[str]:
        """The rows of a list, as text, blanks evened out."""
        return [re.sub(r"\s+", " ", row).strip() for row in self.page.locator(f"#{list_} > li").all_inner_texts()]


@contextmanager
def desk(browser: Browser, bureau: Bureau, **options: Any) -> Iterator[Desk]:
    """A fresh browser profile with nothing in it; holds at the end that the page never complained."""
    context = browser.new_context(**{"viewport": SCREEN, "locale": "fr-FR", "color_scheme": "light", **options})
    made = Desk(context.new_page(), bureau)
    yield made
    context.close()
    assert made.complaints == [], made.complaints
