"""A book that e6d64c3 wrote, before acts were signed: it opens, is brought up to date, checks clean and goes on."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from api.home import open_town
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.suspense import open_lines
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import sign
from tests.currency.bank.scene import bring, line, statement, token
from tests.towns import CASH, Member

OLD = Path(__file__).parent.parent / "vectors" / "book_e6d64c3"
"""Made with the code of e6d64c3: parties, devices, conversions, a statement, lines placed, a payout signed twice, sent
and settled, a second one open, a device revoked, a party closed."""
LATER = towns.START + 3_600_000_000
"""An hour after its last entry."""
AFTER = date(2025, 6, 14)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The home as e6d64c3 left it."""
    made = tmp_path / "home"
    shutil.copytree(OLD, made, ignore=shutil.ignore_patterns("*.sql"))
    os.chmod(made / "currency.key", 0o600)
    with sqlite3.connect(made / "book.db") as connection:
        connection.executescript((OLD / "book.sql").read_text())
    connection.close()
    return made


@pytest.fixture
def town(home: Path) -> Iterator[Town]:
    opened = open_town(home, upgrade=True, clock=towns.Clock(LATER), entropy=towns.Entropy("later"))
    yield opened
    opened.book.close()


def known(town: Town, name: str) -> Member:
    return Member(parties.named(town, name), towns.key_of(name))


def test_an_old_book_checks_clean_and_says_what_nobody_signed(town: Town) -> None:
    result = audit(town)
    assert not result.findings
    texts = [one.text for one in result.notices]
    assert any("is of before it was signed" in text for text in texts)
    assert any("8 names of parties, 1 statements" in text for text in texts)
    assert reserve.report(town).sound


def test_it_goes_on(town: Town) -> None:
    alice, shop, third = (known(town, name) for name in ("Alice Martin", "Boulangerie", "Cordonnerie"))
    towns.pay(town, alice, shop, 100)
    towns.pay(town, Member(alice.party, towns.join(town, alice.party, "member", "Nouveau")), shop, 100)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 5_000)))
    [bank] = [one for one in reserve.explained(town)[0] if one.statement is not None]
    bring(town, statement([line(4_000, token(town, alice.party), AFTER), line(800, "x", AFTER)], bank.statement or 0))
    assert 800 in [one.line.amount for one in open_lines(town)]
    conversion.convert(town, third.party, 2_000, reserve=CASH, reference="S-3")
    assert not audit(town).findings


def test_the_file_that_waited_is_signed_by_two_and_sent(town: Town) -> None:
    waits = batches.find(town, "2")
    assert (waits.state, waits.people) == ("ordered", 2)
    for person in ("Alice", "Bob"):
        sign(town, waits, towns.key_of(f"treasurer {person}"))
    assert batches.fetch(town, batches.find(town, str(waits.number)))
    assert not audit(town).findings
