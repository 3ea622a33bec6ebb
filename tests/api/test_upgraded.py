"""A book of before the log held hashes, limits and signatures: brought up to date, it checks; what is old is told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from api.home import Home, open_town
from ledger.core.model import Instruction, Note, Opening
from ledger.currency import chartered, conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.town import Town
from tests import towns
from tests.threats.forger import Forger
from tests.towns import CASH

LATER = towns.START + 3_600_000_000
"""An hour after the book's last entry."""
MACHINE = ("by", "machine", "vouched")
"""What a note of the charter says of the machine's key."""


def as_before(instruction: Instruction) -> Instruction:
    """The entry as the program wrote it before: no limits, IBANs and machine's key in the charter's note, no hash of a
    name, and nothing signed."""
    if isinstance(instruction, Opening) and "name" in instruction.evidence:
        return replace(instruction, evidence={"party": instruction.evidence["party"]})
    gone = ["signature"]
    if isinstance(instruction, Note) and instruction.kind == chartered.KIND:
        gone += [*chartered.LIMITS, "timezone", "kinds", "ibans", *MACHINE]
    return replace(instruction, evidence={k: v for k, v in instruction.evidence.items() if k not in gone})


def opened(home: Home) -> Town:
    """The book as a program of today opens it."""
    return open_town(home, clock=towns.Clock(LATER), entropy=towns.Entropy("later"))


@pytest.fixture
def older(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    town = towns.found(home.folder)
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 5_000, reserve=CASH, reference="S1")
    details.put(town, shop.party, "BE68539007547034")
    records = Forger(town, home.book).records()
    Forger(town, home.book).rewrite(
        [
            one._replace(instruction=as_before(one.instruction))
            for one in records
            if getattr(one.instruction, "kind", "") != details.KIND
        ]
    )
    with town.engine.begin() as connection:
        connection.execute(text("DELETE FROM salt"))
    town.book.close()
    return home


def test_an_older_book_opens_and_checks(older: Home) -> None:
    town = opened(older)
    done = audit(town)
    assert done.clean, done.findings
    unsigned, notice = done.notices
    assert "is of before it was signed" in unsigned.text
    assert "2 names of parties" in notice.text and "bank details" not in notice.text
    rules = chartered.latest(town)
    assert rules is not None and rules.says_all and rules.version == 2
    # Where shops are paid is held from now on.
    with town.engine.begin() as connection:
        connection.execute(text("UPDATE bank_details SET iban = 'NL91ABNA0417164300'"))
    assert [one.code for one in audit(town).findings] == ["details_differ"]
    town.book.close()
    again = opened(older)
    assert chartered.latest(again) == rules
    again.book.close()


def test_an_older_note_is_not_taken_after_the_first_of_the_new_kind(older: Home) -> None:
    town = opened(older)
    parties.admit(town, "person", "Bob")
    rules = chartered.latest(town)
    assert rules is not None
    nothing: dict[str, Any] = dict.fromkeys(chartered.LIMITS)
    silent = rules._replace(version=3, **nothing)
    town.post(chartered.note_of(silent))
    assert "charter_malformed" in [one.code for one in audit(town).findings]
    town.book.close()


def test_a_name_without_its_hash_is_a_finding_by_then(older: Home) -> None:
    town = opened(older)
    id_ = town.new_id()
    account = parties.holding(town.charter.network, id_, town.charter.code)
    town.post(Opening(id_, account, evidence={"by": "console", "party": "person"}))
    assert [one.code for one in audit(town).findings] == ["name_missing", "party_missing"]
    town.book.close()


def test_details_are_taken_in_once(older: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[Town] = []
    monkeypatch.setattr(details, "take_in", taken.append)
    for _ in range(3):
        opened(older).book.close()
    assert len(taken) == 1
