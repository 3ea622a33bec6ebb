"""Every transaction is one entry that balances, on the accounts that it touches in the books."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.ids import account_text
from ledger.core.model import Account, Opening, Side, Transaction
from ledger.core.record import parse
from ledger.currency import conversion, reserve
from ledger.currency.accounts import entries as entries_module
from ledger.currency.accounts import export
from ledger.currency.accounts.entries import Entry
from ledger.currency.accounts.mapping import Accounts
from ledger.currency.chart import EUR
from ledger.currency.town import Town
from tests import towns
from tests.currency.accounts import scene
from tests.currency.accounts.scene import UNIT, balances, entries, held, live, text
from tests.towns import BANK, CASH


def told(entry: Entry) -> list[tuple[str, int]]:
    """An entry's lines as account and cents, debits more than 0."""
    return [(line.account.number, line.debit - line.credit) for line in entry.lines]


def test_what_each_kind_is_in_the_books(town: Town) -> None:
    alice, shop = scene.cast(town)
    live(town, alice, shop)
    found = [(entry.journal.code, entry.text, told(entry)) for entry in entries(town)]
    assert found == [
        ("CA530", "Change", [("530", 30_000), ("46881", -30_000)]),
        ("CA530", "Change", [("530", 1_000), ("46881", -1_000)]),
        ("CA530", "Change annulé", [("46881", 1_000), ("530", -1_000)]),
        ("BQ5121", "Change", [("5121", 20_000), ("46881", -20_000)]),
        ("MU", "Paiement", [("46881", 9_000), ("46881", -9_000)]),
        ("MU", "Remboursement", [("46881", 1_000), ("46881", -1_000)]),
        ("RE", "Reconversion demandée", [("46881", 3_000), ("46881", -3_000)]),
        ("RE", "Reconversion acceptée", [("46881", 3_000), ("46883", -2_850), ("706", -150)]),
        ("RE", "Reconversion demandée", [("46881", 500), ("46881", -500)]),
        ("RE", "Reconversion refusée", [("46881", 500), ("46881", -500)]),
        ("RE", "Reconversion demandée", [("46881", 700), ("46881", -700)]),
        ("BQ5121", "Ligne de banque à identifier", [("5121", 4_200), ("471", -4_200)]),
        ("OD", "Opération suspense_placed", [("471", 4_200), ("46881", -4_200)]),
        ("BQ5121", "Change par prélèvement", [("5121", 2_500), ("46881", -2_500)]),
        ("MU", "Opération collection_matured", [("46881", 2_500), ("46881", -2_500)]),
        ("BQ5121", "Change rejeté par la banque", [("46881", 600), ("467", 300), ("5121", -600), ("5121", -300)]),
        ("CA530", "Virement interne", [("580", 5_000), ("530", -5_000)]),
        ("BQ5121", "Virement interne", [("5121", 5_000), ("580", -5_000)]),
        ("BQ5121", "Paiement de reconversions", [("46883", 2_850), ("5121", -2_850)]),
        ("BQ5121", "Opération fees_moved_out", [("5123", 100), ("5121", -100)]),
        # Euros without units: the guarantee is more than what is out.
        ("BQ5121", "Opération reserve_strengthened", [("5121", 1_500), ("46889", -1_500)]),
    ]


def test_a_currency_that_moved_in_owes_its_units_before_its_euros_are_booked(town: Town) -> None:
    alice, _ = scene.cast(town)
    scene.moved_in(town, alice)
    found = [(entry.journal.code, entry.text, told(entry)) for entry in entries(town)]
    assert found == [
        ("OD", "Reprise d'historique", [("46889", 8_000), ("46881", -8_000)]),
        ("BQ5121", "Ouverture de la réserve", [("5121", 5_000), ("46889", -5_000)]),
    ]


def test_every_transaction_of_the_log_is_an_entry_with_its_number(busy: Town) -> None:
    with busy.book.store.reading() as store:
        records = [parse(row.record) for row in store.log(0, 1_000)]
    posted = [record for record in records if isinstance(record.instruction, Transaction)]
    booked = [*entries(busy, "2025"), *list(entries(busy, "2026"))[1:]]
    assert len(booked) == len(posted) > 40
    for record, entry in zip(posted, booked, strict=True):
        assert entry.valid_on == busy.charter.local_date(record.at).isoformat()
        evidence = record.instruction.evidence
        assert entry.piece == str(evidence.get("reference", record.instruction.id.hex()[16:]))
    for year in ("2025", "2026"):
        numbers: Counter[str] = Counter()
        for entry in entries(busy, year):
            assert sum(line.debit - line.credit for line in entry.lines) == 0
            assert all(min(line.debit, line.credit) == 0 < max(line.debit, line.credit) for line in entry.lines)
            code = entry.journal.code
            numbers[code] += 1
            assert entry.number == f"{code}-{numbers[code]:06d}"


def test_the_books_hold_what_the_ledger_holds(busy: Town) -> None:
    chart, found = busy.chart, balances(text(busy, "fec", "2026"))
    report = reserve.report(busy)
    with busy.book.store.reading() as store:
        states = store.all_accounts(0, 1_000)
    holders = [s for s in states if s.unit == UNIT and (s.floor == 0) and s.number != chart.circulation]
    for state in holders:
        assert found[held(busy, state.number)] == -state.balance
    for number, name in {"5121": BANK, "530": CASH}.items():
        assert found[number, ""] == busy.book.balance(chart.reserve[name])
    assert found["46883", ""] == -report.payouts_due
    assert found["471", ""] == -report.suspense
    assert found["467", ""] == busy.book.balance(chart.claims)
    assert sum(cents for (number, _), cents in found.items() if number == "46881") == -(
        report.circulation + report.imported
    )
    assert found["46889", ""] == report.circulation + report.imported - report.guarantee
    # Fees of both years, those that left included: 706 of this year, and what was carried over.
    assert found["706", ""] + found["110", ""] == -(report.fees + found["5123", ""])
    assert found["706", ""] == -150 and found["110", ""] == -150
    assert sum(found.values()) == 0


def test_an_entry_counts_on_the_day_it_names_and_never_after_the_log_took_it(town: Town) -> None:
    alice, _ = scene.cast(town)
    convert = conversion.convert
    convert(town, alice.party, 100, reserve=BANK, reference="V1", booked_on=date(2025, 6, 3))
    convert(town, alice.party, 100, reserve=BANK, reference="V2")
    chart = town.chart
    scene.move(town, "gift", (chart.reserve[BANK], chart.operations, 5, EUR), booked_on=date(2025, 6, 16))
    # A slip of the pen: no such year could be closed.
    scene.move(town, "gift", (chart.reserve[BANK], chart.operations, 5, EUR), booked_on=date(25, 6, 3))
    days = [(entry.day, entry.valid_on, entry.piece_on) for entry in entries(town)]
    day = "2025-06-15"
    assert days == [("2025-06-03", day, "2025-06-03"), (day, day, day), (day, day, day), (day, day, day)]


def test_days_are_those_of_the_currencys_time_zone(town: Town) -> None:
    alice, shop = scene.cast(town)
    conversion.convert(town, alice.party, 1_000, reserve=BANK, reference="V1")
    clock = towns.clock(town)
    midnight = 1_767_222_000_000_000  # 2026-01-01 00:00 in Paris, 23:00 UTC of the day before
    for at in (midnight - 1, midnight):
        clock.now = at
        towns.pay(town, alice, shop, 10)
    assert [entry.day for entry in entries(town, "2025")][-1] == "2025-12-31"
    assert [entry.day for entry in entries(town, "2026")] == ["2026-01-01"] * 2


def test_no_name_is_in_the_accounts_unless_asked_for(busy: Town) -> None:
    for form in export.FORMS:
        for year in ("2025", "2026"):
            plain, named = text(busy, form, year), text(busy, form, year, names=True)
            assert "Alice" not in plain and "Boulangerie" not in plain
            assert "Alice Martin" in named and "Boulangerie" in named


def test_euros_of_an_account_that_is_none_of_the_currencys_are_not_lost(town: Town) -> None:
    town.post(Opening(town.new_id(), Account(99, EUR, Side.CREDIT, floor=None)))
    scene.move(town, "misc", (town.chart.reserve[BANK], 99, 1_000, EUR))
    assert balances(text(town, "fec")) == {("5121", ""): 1_000, ("471", account_text(99)): -1_000}


def test_what_moves_nothing_in_the_books_is_no_entry(town: Town) -> None:
    alice, _ = scene.cast(town)
    issuer = scene.mint(town, alice.account, 500)
    bank, chart = town.chart.reserve[BANK], town.chart
    scene.move(town, "reserve_strengthened", (bank, chart.guarantee, 500, EUR))
    scene.move(town, "covered", (chart.circulation, issuer, 500, UNIT))
    assert [entry.text for entry in entries(town)] == ["Reprise d'historique", "Opération reserve_strengthened"]


@pytest.mark.parametrize(("way", "number"), [("fees", "5123"), ("charge", "627")])
def test_euros_of_fees_that_leave_the_reserve_and_what_the_bank_charges(town: Town, way: str, number: str) -> None:
    alice, shop = scene.cast(town)
    live(town, alice, shop)
    bank, chart = town.chart.reserve[BANK], town.chart

    def changed(before: Counter[tuple[str, str]]) -> dict[str, int]:
        after = balances(text(town, "fec"))
        return {key[0]: after[key] - before[key] for key in after | before if after[key] != before[key]}

    before = balances(text(town, "fec"))
    scene.move(town, "bank_suspense", (chart.suspense, bank, 50, EUR))
    placed = scene.move(town, "bank_placed", (chart.income, chart.suspense, 50, EUR), evidence={"as": way})
    assert changed(before) == {number: 50, "5121": -50}
    scene.days(town, 365)
    carried = text(town, "fec", "2026")
    assert ("627" in carried, "\t5123\t" in carried) == (False, True)
    scene.move(town, "bank_back", (chart.suspense, chart.income, 50, EUR), evidence={"undoes": placed.hex()})
    before = balances(text(town, "fec", "2025"))
    after = balances(text(town, "fec", "2026"))
    assert after[number, ""] == (before[number, ""] if number == "5123" else 0) - 50
    assert after["471", ""] == before["471", ""] + 50
    scene.move(town, "bank_placed", (chart.suspense, chart.income, 20, EUR), evidence={"as": "charge"})
    assert balances(text(town, "fec", "2026"))["627", ""] == after["627", ""] - 20


CENTS = st.integers(1, 2**40)


@pytest.fixture(scope="module")
def accounts(busy: Town) -> Accounts:
    """The accounts of the books, by those of the ledger."""
    return export.read(busy, "2026").accounts


@given(data=st.data())
def test_any_transaction_balances(busy: Town, accounts: Accounts, data: st.DataObject) -> None:
    """Of any kind, those that nobody thought of too: nothing here looks at the kind."""
    own = busy.chart.own()
    numbers = [own[name] for name in own if name not in ("circulation", "waiting", "maturing")]
    euros = [f"{number:016x}" for number in (*numbers, *busy.chart.reserve.values())]
    units = [number for number in accounts.places if number not in (*euros, "charges")]
    assert f"{own['circulation']:016x}" in units and len(units) == 7
    transfers: list[tuple[str, str, int, str]] = []
    evidence = data.draw(st.sampled_from([{}, {"as": "charge"}, {"as": "fees"}, {"as": "own"}]))
    for _ in range(data.draw(st.integers(1, 6))):
        of_unit = data.draw(st.sampled_from([euros, units]))
        debit, credit = data.draw(st.lists(st.sampled_from(of_unit), min_size=2, max_size=2, unique=True))
        transfers.append((debit, credit, data.draw(CENTS), "X"))
    lines, journal = accounts.entered({"transfers": transfers, "evidence": evidence})
    assert sum(line.debit for line in lines) == sum(line.credit for line in lines)
    assert all(min(line.debit, line.credit) == 0 < max(line.debit, line.credit) for line in lines)
    sides = [line.debit > 0 for line in lines]
    assert all(first >= second for first, second in pairwise(sides)) and journal.code
    pot = {number for number, account in accounts.places.items() if account == accounts.pot}
    assert len(pot) == 3  # guarantee, circulation and the issuer
    rest = sum((debit in pot) * cents - (credit in pot) * cents for debit, credit, cents, _ in transfers)
    assert sum(line.debit - line.credit for line in lines if line.account == accounts.pot) == rest


@pytest.mark.parametrize("form", export.FORMS)
def test_a_long_year_needs_no_more_memory_than_a_short_one(
    busy: Town, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    books = export.read(busy, "2026")
    real = entries_module._log
    [(seq, at, body)] = list(real(busy, books.last - 1, books.last, None))
    assert body["kind"] == "payment"

    def peak(count: int) -> int:
        # The same payment, over and over, as the log would give it.
        monkeypatch.setattr(entries_module, "_log", lambda *_: ((seq, at, body) for _ in range(count)))
        tracemalloc.start()
        written = export.write(books, form, lambda _data: None)
        size = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert written.entries >= count
        return size

    peak(10)
    assert peak(2_000) < peak(200) + 50_000
