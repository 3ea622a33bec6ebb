"""The public page of the reserve in a real browser: it fits a phone and a screen, and breaks none of its own rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage

from ledger.currency import conversion, parties
from ledger.currency.bank.statement import LineKind
from tests.currency.bank import scene
from tests.served import serving
from tests.towns import CASH

pytestmark = pytest.mark.browser
GREAT = 12_345_678_99
"""Cents: wider than any currency's sums."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with scene.opened(Path(tmp_path_factory.mktemp("looks")) / "home") as town:
        alice = parties.admit(town, "person", "Alice")
        scene.bring(town, scene.statement([scene.line(GREAT, scene.token(town, alice), kind=LineKind.TRANSFER)]))
        conversion.convert(town, alice, GREAT, reserve=CASH, reference="V1")
        conversion.convert(town, alice, 500, reserve=CASH, reference="S1")
        with serving(town) as found:
            yield found


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize(("width", "chart"), [(320, "narrow"), (360, "narrow"), (1280, "wide")])
def test_the_reserve_fits(browser: Browser, url: str, lang: str, width: int, chart: str) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", heard)
    page.goto(f"{url}/reserve?lang={lang}")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.locator("svg.chart:visible").count() == 1
    assert page.locator(f"svg.{chart}").is_visible()
    # Nothing is cut off or lies on something else: what holds text is as wide as its text.
    cut = "els => els.filter(el => el.scrollWidth > el.clientWidth + 1).map(el => el.className || el.tagName)"
    assert page.locator(".reserve-report :is(dl, dt, section, article, li, p)").evaluate_all(cut) == []
    assert said == []
    page.close()
