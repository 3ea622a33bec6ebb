"""Who may write to the database and has no key: what tables say for an hour, or for ever, decides nothing unseen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from ledger.core.model import Instruction
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, details, matching, suspense, taking, unaltered
from ledger.currency.bank.lines import Books, Line
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind, Statement
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.bank.tables import BANK_LINE, BANK_SQUEEZED, BANK_STATEMENT
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.tables import BANK_DETAILS, SALT
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import DAY, SAVINGS_IBAN, bring, line, statement, token
from tests.towns import BANK

DAYS = timedelta(days=1)
STRANGER = "BE68539007547034"


def write(town: Town, query: Any) -> None:
    with town.book.store.writing() as store:
        store.connection.execute(query)


def found(town: Town) -> set[str]:
    return {one.code for one in audit(town).findings}


def booked_as(town: Town, come: Statement, **forged: Any) -> dict[str, int]:
    """Take a statement of one line and book it while its row says something else; then it says again what it said."""
    taking.take(town, [come], quiet_days=True)
    with town.reading() as connection:
        [row] = connection.execute(select(BANK_LINE).where(BANK_LINE.c.seq.is_(None))).mappings()
    mine = update(BANK_LINE).where(BANK_LINE.c.id == row["id"])
    write(town, mine.values(**forged))
    kinds = booking.book(town).kinds
    write(town, mine.values(**{name: row[name] for name in forged}))
    return kinds


@pytest.fixture
def mallory(town: Town) -> Party:
    return parties.admit(town, "person", "Mallory")


@pytest.mark.parametrize("names", [True, False])
def test_units_for_another_member_than_the_line_names(town: Town, alice: Party, mallory: Party, names: bool) -> None:
    come = statement([line(9_000, token(town, alice) if names else "don")])
    assert booked_as(town, come, text=token(town, mallory)) == {"conversion": 1}
    assert town.book.balance(mallory.account) == 9_000
    assert found(town) == {"line_otherwise"}


def test_units_for_one_of_two_members_that_the_line_names(town: Town, alice: Party, mallory: Party) -> None:
    come = statement([line(9_000, f"{token(town, alice)} {token(town, mallory)}")])
    assert booked_as(town, come, text=token(town, mallory)) == {"conversion": 1}
    assert found(town) == {"line_otherwise"}


def test_a_member_who_left_is_nobody_that_a_line_names(town: Town, alice: Party, mallory: Party) -> None:
    bring(town, statement([line(9_000, token(town, alice))]))
    parties.close(town, mallory)
    come = line(5_000, f"{token(town, alice)} {token(town, mallory)}", DAY + DAYS)
    assert bring(town, statement([come], 9_000)).kinds == {"conversion": 1}
    assert audit(town).clean


@pytest.mark.parametrize("later", [False, True])
def test_who_leaves_later_was_a_member_then(town: Town, alice: Party, mallory: Party, later: bool) -> None:
    """A line that names two members is what was typed for a third: it is that still when one of the two has left."""
    office = parties.admit(town, "person", "CE Usine")
    bring(town, statement([], closing=0))
    conversion.convert(town, office, 8_000, reserve=BANK, reference="VIR123456789ABC")
    if not later:
        parties.close(town, mallory)
    names = f"{token(town, alice)} {token(town, mallory)}"
    come = line(8_000, names, DAY + DAYS, bank_ref="VIR123456789ABC")
    kind = "bank_line_known" if later else "bank_suspense"
    assert bring(town, statement([come], first=DAY + DAYS)).kinds == {kind: 1}
    if later:
        parties.close(town, mallory)
    assert "line_otherwise" not in found(town)


def test_who_leaves_while_lines_are_booked(
    town: Town, alice: Party, mallory: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whom a line names is asked of those who are members when it is booked."""
    office = parties.admit(town, "person", "CE Usine")
    bring(town, statement([], closing=0))
    conversion.convert(town, office, 8_000, reserve=BANK, reference="VIR123456789ABC")
    find = matching.find

    def meanwhile(books: Books, line: Line) -> Instruction:
        made = find(books, line)
        if parties.by_account(town, mallory.account).closed_at is None:
            parties.close(town, mallory)
        return made

    monkeypatch.setattr(matching, "find", meanwhile)
    names = f"{token(town, alice)} {token(town, mallory)}"
    come = line(8_000, names, DAY + DAYS, bank_ref="VIR123456789ABC")
    assert bring(town, statement([come], first=DAY + DAYS)).kinds == {"bank_suspense": 1}
    assert "line_otherwise" not in found(town)


@pytest.mark.parametrize("what", ["returned", "known"])
def test_parts_name_members_to_check_as_they_do_to_booking(town: Town, alice: Party, what: str) -> None:
    if what == "returned":
        bring(town, statement([line(5_000, token(town, alice), kind=LineKind.TRANSFER)]))
        part = BankLine(booked_on=DAY + DAYS, amount=-5_000, text=f"RETOUR {token(town, alice)}")
        come = line(-5_000, "RETOUR DE VIREMENT", DAY + DAYS, kind=LineKind.RETURN, parts=(part,))
        assert bring(town, statement([come], 5_000)).kinds == {"bank_return": 1}
    else:
        office = parties.admit(town, "person", "CE Usine")
        bring(town, statement([], closing=0))
        conversion.convert(town, office, 8_000, reserve=BANK, reference="VIR123456789ABC")
        texts = ((5_000, token(town, alice)), (3_000, "M DUPONT"))
        parts = tuple(BankLine(booked_on=DAY + DAYS, amount=cents, text=text) for cents, text in texts)
        come = line(8_000, "VIREMENT CE USINE", DAY + DAYS, bank_ref="VIR123456789ABC", parts=parts)
        assert bring(town, statement([come], first=DAY + DAYS)).kinds == {"bank_line_known": 1}
    assert audit(town).clean, audit(town).findings


def test_what_was_put_back_was_not_booked_by_itself(town: Town, alice: Party, mallory: Party) -> None:
    come = statement([line(9_000, token(town, alice))])
    booked_as(town, come, text=token(town, mallory))
    with town.reading() as connection:
        row = bytes(connection.execute(select(BANK_LINE.c.id)).scalar_one())
    put_back(town, row)
    place(town, row, Decision(way=Way.MEMBER, holder=alice.account))
    assert audit(town).clean


@pytest.mark.parametrize("names", [True, False])
def test_a_typed_conversion_of_another_line(town: Town, alice: Party, mallory: Party, names: bool) -> None:
    """The row of Alice's line says for a moment that nobody is named, or that it has the reference which was typed."""
    bring(town, statement([line(50_000, token(town, alice))]))
    conversion.convert(town, mallory, 9_000, reserve=BANK, reference="2025061600042")
    day, number = DAY + 6 * DAYS, "2025061600042" if names else "2025061600099"
    towns.clock(town).forward(86_400)
    come = line(9_000, token(town, alice) if names else "?", day, bank_ref=number)
    forged = {"text": "?"} if names else {"bank_ref": "2025061600042"}
    kinds = booked_as(town, statement([come], 50_000, first=DAY + DAYS), **forged)
    assert kinds == {"bank_line_known": 1}
    assert found(town) == {"line_otherwise"}


def test_euros_that_left_for_a_stranger_are_no_transit(town: Town, alice: Party) -> None:
    bring(town, statement([line(9_000, token(town, alice))]))
    gone = statement([line(-9_000, "VIR", DAY + DAYS, iban=STRANGER, kind=LineKind.TRANSFER)], 9_000)
    assert booked_as(town, gone, iban=SAVINGS_IBAN) == {"bank_transit": 1}
    assert found(town) == {"line_otherwise"}


def test_a_payment_to_a_stranger_takes_no_top_up_back(town: Town, alice: Party) -> None:
    bring(town, statement([line(9_000, token(town, alice), end_to_end="ALICE-2025-06")]))
    gone = statement([line(-9_000, "LOYER", DAY + DAYS, iban=STRANGER, kind=LineKind.TRANSFER)], 9_000)
    assert booked_as(town, gone, kind="return", end_to_end="ALICE-2025-06") == {"bank_return": 1}
    assert found(town) == {"line_otherwise"}


def test_a_top_up_is_put_back_whose_return_the_bank_took_away(town: Town, alice: Party, mallory: Party) -> None:
    """It is another's then, and was Alice's when her name in the line said that it came back."""
    bring(town, statement([line(9_000, token(town, alice))]))
    gone = line(-9_000, f"REJET {token(town, alice)}", DAY + DAYS, kind=LineKind.RETURN)
    assert bring(town, statement([gone], 9_000)).kinds == {"bank_return": 1}
    bring(town, statement([], 9_000, first=DAY + DAYS, last=DAY + DAYS), corrected=True)
    with town.reading() as connection:
        row = bytes(connection.execute(select(BANK_LINE.c.id).where(BANK_LINE.c.amount > 0)).scalar_one())
    put_back(town, row)
    place(town, row, Decision(way=Way.MEMBER, holder=mallory.account))
    assert audit(town).clean


def test_a_line_of_others_brings_no_debits(town: Town, alice: Party) -> None:
    monthly.sign(town, alice)
    made = monthly.collected(town)
    come = line(made.total, "DON", made.collect_on, kind=LineKind.DEBIT)
    assert booked_as(town, statement([come]), end_to_end=made.message) == {"bank_collection": 1}
    assert found(town) == {"line_otherwise"}


def test_what_lines_say_is_what_booking_saw(town: Town, alice: Party) -> None:
    """The same kinds, as they come."""
    monthly.sign(town, alice)
    made = monthly.collected(town)
    day, one = made.collect_on, "ALICE-2025-06"
    monthly.until(town, day + 2 * DAYS)
    bring(town, statement([monthly.batch(made)]))
    bring(town, statement([line(9_000, token(town, alice), day + DAYS, end_to_end=one)], made.total))
    bring(town, statement([
        line(-9_000, "RETOUR", day + 2 * DAYS, kind=LineKind.RETURN, end_to_end=one),
        line(-1_000, "VIR", day + 2 * DAYS, iban=SAVINGS_IBAN, kind=LineKind.TRANSFER),
    ], made.total + 9_000))  # fmt: skip
    with town.reading() as connection:
        became = set(connection.scalars(select(BANK_LINE.c.became)))
    assert became == {"bank_collection", "conversion", "bank_return", "bank_transit"}
    assert found(town) == set()


def test_texts_that_were_erased_say_nothing(town: Town, alice: Party) -> None:
    bring(town, statement([line(9_000, token(town, alice), bank_ref="123456789")]))
    assert audit(town).clean
    write(town, update(BANK_LINE).values(text="", bank_ref=""))
    write(town, delete(BANK_SQUEEZED))
    write(town, delete(SALT).where(SALT.c.id.in_(select(BANK_STATEMENT.c.id))))
    assert audit(town).clean


# --- what people decide by ---------------------------------------------------------------------------------


def waits(town: Town) -> bytes:
    """A line of 500.00 that waits for a person, beside one that was booked."""
    hers = line(50_000, "VIR BOB DUBOIS", kind=LineKind.TRANSFER, iban=STRANGER, name="BOB DUBOIS")
    bring(town, statement([hers, line(100, "don")]))
    return next(one.line.id for one in open_lines(town) if one.line.amount == 50_000)


TEXTS: list[dict[str, Any]] = [
    {"text": "VIR M MAUVAIS"}, {"name": "MALLORY"}, {"iban": "NL91ABNA0417164300"}, {"kind": "cash"},
    {"amount": 50_001}, {"booked_on": "2025-06-09"}, {"value_on": "2025-06-09"},
]  # fmt: skip


@pytest.mark.parametrize("values", TEXTS)
@pytest.mark.parametrize("when", ["shown", "shown alone", "placed", "in between"])
def test_nobody_decides_by_texts_that_were_changed(
    town: Town, mallory: Party, monkeypatch: pytest.MonkeyPatch, values: dict[str, Any], when: str
) -> None:
    id_ = waits(town)
    forge = update(BANK_LINE).where(BANK_LINE.c.id == id_).values(**values)
    decision = Decision(way=Way.MEMBER, holder=mallory.account)
    if when == "in between":
        require, held = unaltered.require, [forge]

        def then(*given: Any) -> None:
            require(*given)
            if held:
                write(town, held.pop())

        monkeypatch.setattr(unaltered, "require", then)
    else:
        write(town, forge)
    looks = {"shown": lambda: open_lines(town), "shown alone": lambda: suspense.find_open(town, id_)}
    if when == "in between" and values == TEXTS[-1]:
        return  # no line that is read has it, and nobody sees it
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as refused:
        looks.get(when, lambda: place(town, id_, decision))()
    assert refused.value.code == "texts_changed"


def test_a_pair_is_not_one_with_a_line_that_was_changed(town: Town) -> None:
    bring(town, statement([line(50_000, "VIR"), line(100, "don")]))
    later = statement([line(-50_000, "VIR", DAY + DAYS), line(5, "?", DAY + DAYS)], 50_100, first=DAY + DAYS)
    bring(town, later)
    there = {one.line.amount: one.line.id for one in open_lines(town)}
    write(town, update(BANK_LINE).where(BANK_LINE.c.amount == 5).values(text="!"))
    with pytest.raises(CurrencyError, match="patard check"):
        place(town, there[50_000], Decision(way=Way.PAIR, other=there[-50_000]))


def test_by_texts_that_were_erased_nobody_decides(town: Town, mallory: Party) -> None:
    """What waits nobody erases; of what was erased `check` tells."""
    id_ = waits(town)
    write(town, delete(SALT).where(SALT.c.id.in_(select(BANK_STATEMENT.c.id))))
    empty = dict.fromkeys(("name", "iban", "text", "bank_ref", "end_to_end", "mandate"), "")
    write(town, update(BANK_LINE).values(**empty, kind="return"))
    with pytest.raises(CurrencyError, match="says something else"):
        open_lines(town)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="says something else"):
        place(town, id_, Decision(way=Way.MEMBER, holder=mallory.account))
    done = audit(town)
    assert done.clean and [told.values["number"] for told in done.notices if "were erased" in told.form] == [1]


# --- columns that decide -----------------------------------------------------------------------------------


def test_when_a_statement_was_taken_the_log_says(town: Town, alice: Party, mallory: Party) -> None:
    """A bank takes a line away whose units were spent: no row says that it is being undone for ever."""
    day = DAY + DAYS
    bring(town, statement([line(500_000, token(town, alice))]))
    shop = towns.member(town, "shop", "Boulangerie")
    thief = towns.member(town, "person", "Oscar")
    kept = line(500, "don", day)
    bring(town, statement([line(80_000, "?", day), kept], 500_000))
    [one] = [one for one in open_lines(town) if one.line.amount == 80_000]
    shares = (Share(Way.MEMBER, 79_900, thief.account), Share(Way.OWN, 100))
    place(town, one.line.id, Decision(way=Way.SPLIT, shares=shares))
    towns.pay(town, thief, shop, 79_900)
    taking.take(town, [statement([kept], 500_000)], corrected=True)  # and nobody books
    towns.clock(town).forward(7_200)
    assert found(town) == {"bank_unexplained"}
    later = town.now() + 10**15
    write(town, update(BANK_STATEMENT).values(taken_at=later))
    assert found(town) == {"bank_unexplained", "statement_unlogged"}
    assert not reserve.report(town).covered


@pytest.mark.parametrize("values", [
    {"taken_at": 3}, {"taken_by": "x"}, {"format": "ofx"}, {"bank_number": "2025/07"},
])  # fmt: skip
def test_each_column_of_statements_is_held(town: Town, alice: Party, values: dict[str, Any]) -> None:
    bring(town, statement([line(9_000, token(town, alice))], number="2025/06"))
    assert audit(town).clean
    write(town, update(BANK_STATEMENT).values(**values))
    assert found(town) == {"statement_unlogged"}


def test_the_index_of_the_banks_references_is_held(town: Town, alice: Party) -> None:
    bring(town, statement([line(9_000, token(town, alice), bank_ref="2025061600042"), line(100, "don")]))
    assert found(town) == set()
    for edit in (
        update(BANK_SQUEEZED).values(squeezed="2025061600043"),
        delete(BANK_SQUEEZED),
        insert(BANK_SQUEEZED).values(line=b"x" * 16, squeezed="1"),
    ):
        write(town, edit)
        assert found(town) == {"statement_texts"}


def test_bank_details_that_are_gone_are_found(town: Town, alice: Party) -> None:
    details.put(town, alice, STRANGER)
    assert audit(town).clean
    write(town, delete(BANK_DETAILS))
    assert found(town) == {"details_differ"}
