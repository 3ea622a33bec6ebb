"""Fixtures that every test may ask for: a real PostgreSQL, a fresh database in it, a real Chromium."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres_server import create_database, drop_database, running_postgres

_MEMORY = Path("/dev/shm")
_ENOUGH = 4 * 2**30
_SLOW = ("tests/journeys/", "tests/wallet_cli/", "tests/api/")


def pytest_configure(config: pytest.Config) -> None:
    """Put what tests write into memory where there is room: no test pulls the plug, and thousands of fsyncs wait.

    A process killed with -9 loses nothing that it had written either way; how fast a real disk is, the benchmarks
    measure. `--basetemp` or TMPDIR say otherwise.
    """
    if config.option.basetemp or "TMPDIR" in os.environ or not os.access(_MEMORY, os.W_OK):
        return
    if shutil.disk_usage(_MEMORY).free < _ENOUGH:
        return
    folder = tempfile.mkdtemp(prefix="patard-tests-", dir=_MEMORY)
    os.chmod(folder, 0o755)  # PostgreSQL runs as another user there
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


_database_names = (f"patard_test_{os.getpid()}_{n}" for n in itertools.count(1))


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a running PostgreSQL server (its database `postgres`); ended when the session ends.

    PATARD_TEST_POSTGRES_URL names another server instead, to run the tests on another version: its user must be
    allowed to create databases.
    """
    given = os.environ.get("PATARD_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with running_postgres() as url:
        yield url


@pytest.fixture
def fresh_postgres(postgres_url: str) -> Iterator[str]:
    """URL of an empty database made for one test, and dropped after it."""
    name = next(_database_names)
    yield create_database(postgres_url, name)
    drop_database(postgres_url, name)


def _find_chromium() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        found = shutil.which(name)
        if found:
            return found
    try:
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            path = playwright.chromium.executable_path
    except Exception:  # playwright without its driver, or on a system it does not know: the same as no browser
        return None
    return path if Path(path).exists() else None


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """Path of a Chromium, for `playwright.chromium.launch(executable_path=..., args=["--no-sandbox"])`.

    Without one the test is skipped; with PATARD_REQUIRE_BROWSER=1, as in CI, it fails.
    """
    path = _find_chromium()
    if path is None:
        message = "no Chromium found: `make browser` gets one where it can"
        if os.environ.get("PATARD_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return path


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What waits for browsers and servers comes first: a long file that is begun last keeps one worker busy alone."""
    items.sort(key=lambda item: not item.nodeid.startswith(_SLOW))
