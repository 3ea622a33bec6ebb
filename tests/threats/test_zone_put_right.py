"""The charter's time zone is put right: what was done before keeps the day on which it was done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import pytest

from api.home import open_town
from ledger.core.ids import account_text
from ledger.currency import chartered, conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import ahead, typed
from ledger.currency.bank.suspense import open_lines
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import IBAN, SAVINGS_IBAN, bring, line, statement
from tests.threats.test_one_euro import once
from tests.towns import BANK, CASH

HOUR, DAYS = 3_600, timedelta(days=1)
MARTINIQUE, REUNION = "America/Martinique", "Indian/Reunion"
EVENING = date(2025, 6, 15)
"""The day in Paris on which the clock of `towns` begins, at 17:06."""


@contextmanager
def moved(home: Path, zone: str, done: Callable[[Town, Party], None]) -> Iterator[Town]:
    """The town after `done`, opened anew with a charter that says this time zone."""
    with scene.opened(home) as town:
        done(town, parties.admit(town, "person", "Alice Martin"))
        assert audit(town).clean
        now = town.now()
    file = home / "charter.toml"
    text = file.read_text()
    assert text.count("Europe/Paris") == 1
    file.write_text(text.replace("Europe/Paris", zone))
    town = open_town(home, clock=towns.Clock(now))
    try:
        yield town
    finally:
        town.book.close()


def typed_in_the_evening(town: Town, alice: Party) -> None:
    towns.clock(town).forward(5.5 * HOUR)  # 22:36, and 0:36 of the next day on La Réunion
    conversion.convert(town, alice, 5_000, reserve=BANK, reference="VIR-1")


def test_what_was_converted_on_two_days_was_not_on_one(tmp_path: Path) -> None:
    def done(town: Town, alice: Party) -> None:
        office = parties.admit(town, "association", "Bureau")
        key = towns.join(town, office, "operator", "poste")
        for slip, hours in (("S-1", 6.4), ("S-2", 1)):  # 23:30 and 0:30, and one evening in Martinique
            towns.clock(town).forward(hours * HOUR)
            asked = {"account": account_text(alice.account), "amount_cents": 150_000, "reserve": CASH}
            acting = towns.acting(town, key, "POST /v1/conversions", **asked, reference=slip)
            conversion.convert(acting, alice, 150_000, reserve=CASH, reference=slip, by=key.public.hex())

    with moved(tmp_path / "home", MARTINIQUE, done) as town:
        assert audit(town).clean, audit(town).findings
        zones, last = chartered.Zones(town), town.book.head().seq
        assert [zones.at(seq).timezone for seq in (1, last, last + 1)] == ["Europe/Paris", "Europe/Paris", MARTINIQUE]


def test_what_a_first_statement_began_with_it_began_with(tmp_path: Path) -> None:
    def done(town: Town, alice: Party) -> None:
        typed_in_the_evening(town, alice)
        towns.clock(town).forward(72 * HOUR)
        bring(town, statement([line(700, "DON", EVENING + DAYS)], 5_000))

    with moved(tmp_path / "home", REUNION, done) as town:
        once(town, 5_000)
        # A line of as much is not held to be what the statement began with.
        bring(town, statement([line(5_000, "x", EVENING + 2 * DAYS)], 5_700))
        [_own, one] = open_lines(town)
        assert not typed.unexplained(town, [one.line]).typed
        [made] = conversion.conversions_of(town, "VIR-1")
        conversion.correct(town, made.id)
        assert audit(town).clean, audit(town).findings


def test_a_first_statement_is_held_against_the_days_of_then(tmp_path: Path) -> None:
    with moved(tmp_path / "home", REUNION, typed_in_the_evening) as town:
        towns.clock(town).forward(14 * 24 * HOUR)
        bring(town, statement([line(700, "DON", EVENING + DAYS)], 5_000))
        once(town, 5_000)


@pytest.mark.parametrize("account", [IBAN, SAVINGS_IBAN])
def test_it_is_awaited_from_the_day_on_which_it_was_typed(tmp_path: Path, account: str) -> None:
    def done(town: Town, alice: Party) -> None:
        bring(town, statement([line(700, "DON")], account=account))
        typed_in_the_evening(town, alice)

    with moved(tmp_path / "home", REUNION, done) as town:
        until = EVENING + town.charter.limits.ahead_days * DAYS
        [made] = conversion.conversions_of(town, "VIR-1")
        assert ahead.expected_until(town, made.id) == until
        [one] = reserve.report(town).banks[0].explanation
        assert (one.on, one.until) == (EVENING, until)
