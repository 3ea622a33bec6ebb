"""A closed year stays as it was exported: whatever is erased, changed or booked afterwards."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text as sql

from ledger.core.ids import account_text
from ledger.core.model import Note, Posted
from ledger.currency import chartered, conversion, parties
from ledger.currency.accounts import entries as entries_module
from ledger.currency.accounts import export, fec, periods
from ledger.currency.accounts.describe import description
from ledger.currency.accounts.export import Written
from ledger.currency.accounts.periods import Closing
from ledger.currency.audit.walk import audit
from ledger.currency.charter import Bookkeeping
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.accounts import scene
from tests.currency.accounts.scene import balances, days, entries, text, work
from tests.towns import BANK, CASH, Member, nothing_moves

VECTOR_KINDS = (
    "conversion", "conversion_corrected", "payment", "refund", "reconversion_asked", "reconversion",
    "reconversion_refused", "import", "opening", "bank_suspense", "bank_placed", "bank_back", "bank_return",
    "bank_transit", "bank_withdrawn", "bank_payout", "bank_payout_return", "payout_rejected", "bank_collection",
    "bank_collection_unpaid", "monthly_released",
)  # fmt: skip
VECTORS = Path(__file__).parents[2] / "vectors"


@pytest.fixture
def people(town: Town) -> tuple[Member, Member]:
    """Alice and a bakery, after a day of 2025; it is 2026 now."""
    alice, shop = scene.cast(town)
    work(town, alice, shop)
    days(town, 250)
    return alice, shop


def refused(code: str, town: Town, year: str) -> CurrencyError:
    with nothing_moves(town), pytest.raises(CurrencyError) as caught:
        export.close(town, year)
    assert caught.value.code == code and code in ERRORS
    return caught.value


def close(town: Town, year: str) -> Closing:
    closing, replay = export.close(town, year)
    assert not replay
    return closing


def digest(fec: str) -> str:
    return hashlib.sha256(fec.encode()).hexdigest()


def test_a_year_that_was_closed_before_auxiliary_numbers_changed_stays(
    town: Town, people: tuple[Member, Member]
) -> None:
    """Their first form is that of the years that it closed; later ones are of the present form."""
    before, books = as_form(town, 1), export.read(town, "2025")
    old = Closing(date(2025, 1, 1), date(2025, 12, 31), books.seq, digest(before), 11, books.plan, "console", 1)
    town.post(periods.note_of(town.charter.network, old))
    assert text(town, "fec", "2025") == before
    account = account_text(people[0].account)
    assert f"\t{account}\t" in before and f"\t46881{account}\t" not in before
    towns.pay(town, *people, 100)
    assert f"\t46881{account}\t" in text(town, "fec", "2026")
    for year, told in (("2025", ""), ("2026", ", précédé de celui de ce compte")):
        pieces: list[bytes] = []
        shown = description(export.write(export.read(town, year), "fec", pieces.append))
        assert f"pour le compte 46881{told}\n" in shown


def test_closing_notes_what_the_file_is(town: Town, people: tuple[Member, Member]) -> None:
    before, head = text(town, "fec", "2025"), town.book.head()
    closing = close(town, "2025")
    assert closing == Closing(
        date(2025, 1, 1), date(2025, 12, 31), head.seq, digest(before), 11, closing.plan, "console"
    )
    record = town.book.find(periods.note_id(town.charter.network, closing.end))
    assert record is not None and record.seq == head.seq + 1 == town.book.head().seq
    assert isinstance(record.instruction, Note) and periods.read(record.instruction.evidence) == closing
    assert text(town, "fec", "2025") == before
    with nothing_moves(town):
        assert export.close(town, "2025") == (closing, True)
    assert audit(town).clean


def test_a_year_is_closed_after_its_last_day(town: Town) -> None:
    alice, _ = scene.cast(town)
    conversion.convert(town, alice.party, 100, reserve=CASH, reference="S1")
    clock = towns.clock(town)
    clock.now = 1_767_222_000_000_000 - 1  # the last moment of 2025 in Paris
    assert "2025-12-31" in refused("period_not_over", town, "2025").detail
    clock.now += 1
    close(town, "2025")
    assert audit(town).clean


def test_years_are_closed_in_order(town: Town, people: tuple[Member, Member]) -> None:
    days(town, 365 * 2)
    assert "the oldest of 2025-06-15" in refused("period_earlier_open", town, "2026").detail
    assert "2025-06-15" in refused("period_unknown", town, "2024").detail
    close(town, "2025")
    assert "begins on 2026-01-01" in refused("period_earlier_open", town, "2027").detail
    assert "the books begin on 2025-01-01" in refused("period_unknown", town, "2024").detail
    close(town, "2026")  # empty but for what it begins with
    close(town, "2027")
    assert [c.entries for c in periods.closings(town)] == [11, 1, 1]
    assert audit(town).clean


def test_what_is_changed_and_erased_afterwards_changes_nothing(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    before = {form: text(town, form, "2025") for form in export.FORMS}
    close(town, "2025")
    towns.pay(town, alice, shop, 100)
    with town.engine.connect() as connection:
        connection.execute(sql("UPDATE party SET name = '-'"))
        connection.commit()
    rules = towns.charter(
        name="Autre nom", timezone="Pacific/Kiritimati", reconversion_fee_bp=900, bookkeeping=Bookkeeping(
            siren="732829320", year_end=(6, 30), holders="4191", fees="7588", guarantee="1688",
        ), reserve=(*reversed(town.charter.reserve),),
    )  # fmt: skip
    changed = Town(rules, town.book, town.key, town.engine, town.machine)
    chartered.keep(changed, chartered.latest(changed))
    for form in export.FORMS:
        named = before[form].replace("Le Patard", "Autre nom")
        # hledger's first line says up to where the log was read: the closing's entry now, the log's end before.
        assert text(changed, form, "2025-12-31") == named
    books = export.read(changed, "2026")
    assert (str(books.period.start), str(books.period.end)) == ("2026-01-01", "2026-06-30")
    assert {number for number, _ in balances(text(changed, "fec", "2026"))} >= {"4191", "110", "5121"}


def test_what_comes_late_is_booked_into_the_open_year_on_the_day_it_came(
    town: Town, people: tuple[Member, Member]
) -> None:
    alice, _ = people
    late = date(2025, 12, 20)
    convert = conversion.convert
    convert(town, alice.party, 100, reserve=BANK, reference="IN-TIME", booked_on=late)
    assert [entry.day for entry in entries(town, "2025")][-1] == "2025-12-20"
    close(town, "2025")
    days(town, 1)
    convert(town, alice.party, 100, reserve=BANK, reference="LATE", booked_on=late)
    convert(town, alice.party, 100, reserve=BANK, reference="OF-JANUARY", booked_on=date(2026, 1, 10))
    found = {entry.piece: (entry.day, entry.valid_on, entry.piece_on) for entry in entries(town, "2026")}
    today = town.charter.local_date(town.now()).isoformat()
    assert found["LATE"] == (today, today, "2025-12-20")
    assert found["OF-JANUARY"] == ("2026-01-10", today, "2026-01-10")
    assert "IN-TIME" not in found and "LATE" not in text(town, "fec", "2025")


def test_what_was_posted_while_the_year_was_being_closed_is_in_the_next(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = people
    write = export.write

    def meanwhile(*args, **kwargs) -> Written:
        written = write(*args, **kwargs)
        conversion.convert(town, alice.party, 100, reserve=BANK, reference="MEANWHILE", booked_on=date(2025, 12, 20))
        return written

    monkeypatch.setattr(export, "write", meanwhile)
    closing = close(town, "2025")
    monkeypatch.undo()
    assert digest(text(town, "fec", "2025")) == closing.sha256
    assert "MEANWHILE" in text(town, "fec", "2026") and "MEANWHILE" not in text(town, "fec", "2025")
    assert audit(town).clean


def test_somebody_else_closes_it_first(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, shop = people
    write = export.write
    first: list[Closing] = []

    def meanwhile(*args, **kwargs) -> Written:
        written = write(*args, **kwargs)
        monkeypatch.setattr(export, "write", write)
        towns.pay(town, alice, shop, 10)
        first.append(close(town, "2025"))
        return written

    monkeypatch.setattr(export, "write", meanwhile)
    assert export.close(town, "2025") == (first[0], True)


def test_a_file_that_is_no_longer_what_it_was_is_told(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch
) -> None:
    closing = close(town, "2025")
    monkeypatch.setitem(entries_module.KINDS, "payment", "Achat")
    with pytest.raises(CurrencyError, match=closing.sha256) as caught:
        text(town, "fec", "2025")
    assert caught.value.code == "period_differs"
    refused("period_differs", town, "2025")


def test_the_form_of_the_file_stays(tmp_path: Path) -> None:
    """When this fails, years that are closed can no longer be exported: a new form needs a number of its own."""
    assert set(VECTOR_KINDS) == set(entries_module.KINDS)
    town = towns.found(tmp_path / "home", scene.charter())
    ids = [parties.admit(town, kind, kind, scene.fixed_id(n)) for n, kind in enumerate(("person", "shop"), 1)]
    alice, shop = (Member(party, towns.key_of(party.name)) for party in ids)
    conversion.convert(town, alice.party, 12_345, reserve=CASH, reference="S/1", booked_on=date(2025, 2, 28))
    conversion.convert(town, alice.party, 100, reserve=BANK, reference="V1", booked_on=date(2024, 12, 31))
    unit, chart = scene.UNIT, town.chart
    moves = [
        ("reconversion_asked", (alice.account, chart.waiting, 1_000, unit)),
        ("other", (chart.reserve[BANK], chart.guarantee, 7, "EUR")),
        *(("other", (number, chart.guarantee, 5, "EUR")) for number in (chart.claims, chart.transit, chart.operations)),
        *(("other", (chart.guarantee, number, 3, "EUR")) for number in (chart.payouts, chart.suspense, chart.income)),
        ("other", (chart.income, chart.reserve[BANK], 1, "EUR")),
        *((kind, (alice.account, shop.account, 1, unit)) for kind in VECTOR_KINDS),
    ]
    for number, (kind, moved) in enumerate(moves):
        posted = town.book.post([scene.transaction(scene.fixed_id(100 + number), kind, moved)])
        assert isinstance(posted.answers[0], Posted)
    now = text(town, "fec", "2025")
    assert now == (VECTORS / f"fec_form_{periods.FORM}.txt").read_bytes().decode()
    for form in range(1, periods.FORM):
        assert as_form(town, form) == (VECTORS / f"fec_form_{form}.txt").read_bytes().decode()
    town.book.close()


def as_form(town: Town, form: int) -> str:
    """The FEC of 2025 as a closing of that form would have it."""
    books = export.read(town, "2025")
    closing = Closing(books.period.start, books.period.end, books.seq, "0" * 64, 0, books.plan, "console", form)
    books.period = books.period._replace(closing=closing)
    return "".join(piece for _count, piece in fec.chunks(books))


def test_both_databases_make_the_same_file(tmp_path: Path, fresh_postgres: str) -> None:
    made = []
    for place in (None, fresh_postgres):
        town = towns.found(tmp_path / str(bool(place)), scene.charter(), place)
        work(town, *scene.cast(town))
        days(town, 250)
        made.append((close(town, "2025"), text(town, "fec", "2025"), text(town, "hledger", "2026")))
        town.book.close()
    assert made[0] == made[1]


# --- what the audit finds --------------------------------------------------------------------------------


WRONG: dict[str, Callable[[Closing], Closing]] = {
    "id_not_derived": lambda closing: closing,
    "role_insufficient": lambda closing: closing._replace(by="ab" * 32),
    "period_not_over": lambda closing: closing._replace(end=date(2026, 12, 31)),
    "period_reach": lambda closing: closing._replace(seq=closing.seq + 100),
    "note_malformed": lambda closing: closing._replace(sha256="x"),
}
"""What to change of a right closing, for the audit to find it."""


@pytest.mark.parametrize("code", WRONG)
def test_a_closing_that_is_not_right(town: Town, people: tuple[Member, Member], code: str) -> None:
    books = export.read(town, "2025")
    right = Closing(date(2025, 1, 1), date(2025, 12, 31), books.seq, "0" * 64, 0, books.plan, "console")
    note = periods.note_of(town.charter.network, WRONG[code](right))
    town.post(replace(note, id=town.new_id()) if code == "id_not_derived" else note)
    done = audit(town)
    assert [(finding.code, finding.seq) for finding in done.findings] == [(code, town.book.head().seq)]


def test_years_that_were_closed_out_of_order(town: Town, people: tuple[Member, Member]) -> None:
    closing = close(town, "2025")
    days(town, 800)
    rogue = closing._replace(start=date(2027, 1, 1), end=date(2027, 12, 31), seq=town.book.head().seq)
    town.post(periods.note_of(town.charter.network, rogue))
    assert [finding.code for finding in audit(town).findings] == ["period_order"]


# --- any life --------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.integers(1, 250)),
        st.tuples(st.just("pay"), st.integers(1, 50)),
        st.tuples(st.just("convert"), st.integers(0, 500)),
        st.tuples(st.just("back"), st.integers(10, 50)),
        st.tuples(st.just("close"), st.integers(2024, 2028)),
    ),
    min_size=4, max_size=10,
)  # fmt: skip


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_every_transaction_is_in_one_year_and_each_year_begins_as_the_last_one_ended(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    town = towns.found(tmp_path_factory.mktemp("any") / "home", scene.charter())
    try:
        alice, shop = scene.cast(town)
        conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S0")
        count, files = 1, {}
        for number, (step, value) in enumerate(steps, 1):
            if step == "wait":
                days(town, value)
            elif step == "pay":
                towns.pay(town, alice, shop, value)
                count += 1
            elif step == "convert":
                day = date.fromordinal(town.charter.local_date(town.now()).toordinal() - value)
                conversion.convert(town, alice.party, 50, reserve=BANK, reference=f"V{number}", booked_on=day)
                count += 1
            elif step == "back" and town.book.balance(shop.account) >= value:
                conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, value)))
                count += 2
            elif step == "close":
                try:
                    closing, _ = export.close(town, str(value))
                    files[str(closing.end)] = text(town, "fec", str(closing.end))
                except CurrencyError as error:
                    assert error.code in ("period_not_over", "period_earlier_open", "period_unknown")
        seen, before = 0, Counter[tuple[str, str]]()
        for year in range(2023, town.charter.local_date(town.now()).year + 1):
            fec = text(town, "fec", str(year))
            assert files.get(f"{year}-12-31", fec) == fec
            opening = [row for row in scene.rows(fec) if row["JournalCode"] == "AN"]
            seen += len({row["EcritureNum"] for row in scene.rows(fec)}) - bool(opening)
            begun = balances("\r\n".join(["", *("\t".join(row.values()) for row in opening), ""]))
            carried = sum(cents for (number, _), cents in before.items() if number[0] == "7" or number == "110")
            ended = Counter({key: cents for key, cents in before.items() if key[0][0] != "7" and key[0] != "110"})
            ended["110", ""] = carried
            assert +begun == +ended and -begun == -ended
            before = balances(fec)
        assert seen == count
        assert audit(town).clean
    finally:
        town.book.close()
