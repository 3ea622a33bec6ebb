"""`wallet monthly`: a mandate is shown, signed by the wallet's key, changed, ended; its units show in the history."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from api.home import found_home
from ledger.currency import clocked, proofs
from ledger.currency.bank.mandates import collecting, model, notices, release
from ledger.currency.bank.mandates.tables import MANDATE_VERSION
from ledger.currency.bank.statement import BankLine, LineKind, Statement
from ledger.currency.charter import MandateRules
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import iban
from tests.currency.bank.scene import bring
from tests.served import Cast
from tests.towns import BANK, IBAN
from tests.wallet_cli.conftest import Run, balance
from wallet_cli.errors import Exit

RULES = MandateRules(creditor_id="FR72ZZZ123456", day=28, notice_days=1, risk_days=0, per_month=20_000)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A currency with monthly top-ups, by the clock of this machine."""
    made = found_home(tmp_path / "town", towns.charter(mandates=RULES))
    yield made
    made.book.close()


def test_a_mandate_is_shown_before_it_is_signed(wallet: Run, town: Town, people: Cast) -> None:
    declined = wallet("monthly", "30", "--iban", iban(1), typed="non\n")
    assert declined.code == Exit.DECLINED
    assert "Mandat de prélèvement SEPA" in declined.err and "FR72ZZZ123456" in declined.err
    assert "dans les 8 semaines qui suivent la date du débit." in declined.err and "…" not in declined.err
    assert model.live(town, people.alice.account) is None
    signed = wallet("monthly", "30", "--iban", "-".join(iban(1).lower()), "--json", typed="oui\n").json
    assert (signed["amount_cents"], signed["holder"], signed["iban"]) == (3_000, "Alice", iban(1))
    with town.reading() as connection:
        row = connection.execute(select(MANDATE_VERSION)).one()
    proofs.verify_mandate(town.charter.network, bytes(row.key), row.text, bytes(row.signature))
    assert "30,00 EUR par mois" in row.text
    shown = wallet("monthly", "45", typed="non\n").err
    terms, amount = "Toute demande de remboursement", "Montant n° 2 : 45,00 EUR"
    assert row.text[row.text.index(terms) :] in shown and amount in shown, "all of what is signed, to the letter"


def test_it_is_looked_at_changed_and_ended(wallet: Run, town: Town, people: Cast) -> None:
    assert wallet("monthly", "--json").json == {"mandate": None, "next": None, "past": []}
    assert wallet("monthly", "--end", "--yes", "--json").error["code"] == "not_found"
    assert wallet("monthly", "30", "--yes", "--json").error["code"] == "iban_missing"
    assert wallet("monthly", "30", "--iban", iban(1), "--yes").code == 0
    again = wallet("monthly", "30", "--iban", iban(1), "--yes", "--json").json
    assert again["version"] == 1
    assert wallet("monthly", "45,50", "--yes", "--json").json["version"] == 2
    assert wallet("monthly", "45,50", "--iban", iban(2), "--yes", "--json").error["code"] == "mandate_taken"
    assert wallet("monthly", "500", "--yes", "--json").error["code"] == "mandate_amount"
    shown = wallet("monthly").out
    assert "45,50" in shown and "PATARD-" in shown and iban(1) not in shown
    assert wallet("monthly", "--json").json["next"]["amount_cents"] == 4_550
    assert wallet("monthly", "--end", typed="o\n").code == 0
    assert model.live(town, people.alice.account) is None


def test_what_is_typed_wrongly(wallet: Run, town: Town) -> None:
    head = town.book.head()
    for args in (("--iban", iban(1)), ("30", "--end"), ("x",)):
        assert wallet("monthly", *args, "--yes").code == Exit.USAGE
    for typed, code in (("FR00", "iban_wrong"), ("FR7530006000011234567890189", "iban_check"),
                        ("TN5910006035183598478831", "iban_outside")):  # fmt: skip
        refused = wallet("monthly", "30", "--iban", typed, "--yes", "--json")
        assert (refused.code, refused.error["code"]) == (Exit.REFUSED, code)
    assert town.book.head() == head


def test_units_arrive_and_the_history_says_from_what(
    wallet: Run, town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The day comes: told, collected, brought, released."""
    assert wallet("monthly", "30", "--iban", iban(1), "--yes").code == 0
    told = notices.give(town)
    assert wallet("monthly", "--json").json["next"]["told"] is True
    day = (told.last_day + timedelta(days=0), told.due_on)
    clock = towns.Clock(town.charter.day_bounds(day[0])[0] + 1)
    monkeypatch.setattr(town.book, "clock", clock)
    clocked.confirm(town)
    file, _new = collecting.collect(town, month=told.month)
    clock.now = town.charter.day_bounds(file.collect_on)[0] + 1
    clocked.confirm(town)
    held = town.book.balance(town.chart.reserve[BANK])
    line = BankLine(booked_on=file.collect_on, amount=3_000, kind=LineKind.DEBIT, end_to_end=file.message)
    bring(
        town,
        Statement(
            format="camt.053", account=IBAN, opening=held, closing=held + 3_000, first=file.collect_on,
            last=file.collect_on, lines=(line,),
        ),
    )  # fmt: skip
    before = balance(town, people.alice)
    assert release.release(town, towns.sure(town)).debits == 1
    assert balance(town, people.alice) == before + 3_000
    shown = " ".join(wallet("history", "-n", "1").out.split())
    assert f"Change mensuel · {told.month}" in shown
    [past] = wallet("monthly", "--json").json["past"]
    assert (past["state"], date.fromisoformat(past["arrives_on"])) == ("released", file.collect_on)
