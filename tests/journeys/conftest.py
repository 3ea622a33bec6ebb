"""What every journey may ask for: a served town and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.journeys.stall import Stall


@pytest.fixture(scope="session")
def browser(chromium_path: str) -> Iterator[Browser]:
    """A Chromium without a window. Every test opens a profile of its own in it."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium_path, args=["--no-sandbox"])
        yield running
        running.close()


@pytest.fixture
def stall(tmp_path: Path) -> Iterator[Stall]:
    """A town with a shop, Alice and Bob, served."""
    made = Stall(tmp_path)
    made.start()
    yield made
    made.stop()
    made.town.book.close()
