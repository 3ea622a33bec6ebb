"""The fake bank: what it books by itself and when, its statements, and one history in every format."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.bank.fake import Account, Entry, FakeBank, Fate, Format, Manners, accounts_of, later
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.reference import found_in
from ledger.currency.bank.statement import BankLine, LineKind, same_account
from ledger.currency.bank.target import is_open, open_day
from ledger.currency.charter import MandateRules, ReserveAccount, ReserveKind
from tests import towns
from tests.currency.bank.faked import (
    CAREFUL,
    FIRST,
    LAST,
    MONDAY,
    PAYER,
    SATURDAY,
    A,
    B,
    bank_with,
    collect,
    day,
    lines,
    order,
    statement,
)
from tests.currency.bank.orders import ICS, SHOP, debit, transfer, transfers
from tests.currency.bank.schemas import valid
from tests.towns import Entropy

# --- what happens by itself ---


@pytest.mark.parametrize(
    "closed",
    ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-12-25", "2027-03-26", "2027-03-29", "2024-12-26",
     "2026-11-07", "2026-11-08", "2038-04-26"],
)  # fmt: skip
def test_target_is_closed(closed: str) -> None:
    assert not is_open(date.fromisoformat(closed))
    assert open_day(date.fromisoformat(closed)) > date.fromisoformat(closed)


def test_target_is_open() -> None:
    assert is_open(date(2026, 7, 14)) and is_open(date(2026, 11, 11))
    assert open_day(MONDAY) == MONDAY == open_day(SATURDAY)
    assert later(SATURDAY, 0) == MONDAY
    assert later(date(2026, 4, 2), 1) == date(2026, 4, 7)  # over Easter


def test_a_transfer_arrives_on_the_next_banking_day_and_an_instant_one_at_once() -> None:
    bank = bank_with()
    bank.pay_in(A, SATURDAY, 2500, "Élise", PAYER, "PATARD 7F3K9-Q2M4T")
    bank.pay_in(A, SATURDAY, 1000, "Élise", PAYER, "", instant=True)
    assert lines(bank) == [(SATURDAY, 1000), (MONDAY, 2500)]
    assert [bank.balance(A, day(n)) for n in (6, 7, 8, 9)] == [1_000_000, 1_001_000, 1_001_000, 1_003_500]
    instant, usual = statement(bank).lines
    assert (usual.name, usual.iban, usual.text.split(" VIR ")[0]) == ("Élise", PAYER, "PATARD 7F3K9-Q2M4T")
    assert instant.kind is usual.kind is LineKind.TRANSFER


def test_between_two_accounts_of_ours() -> None:
    bank = bank_with()
    bank.move(A, B, day(6), 5000, "vers le livret", days=1)
    assert lines(bank) == [(day(6), -5000)]
    assert lines(bank, B) == [(MONDAY, 5000)]
    (left,) = statement(bank).lines
    assert (left.iban, left.kind) == (B, LineKind.TRANSFER)


def test_a_transfer_order_between_accounts_of_ours_arrives() -> None:
    bank = bank_with()
    assert order(bank, transfer(1, iban=B, amount=700), transfer(2, amount=300)).accepted
    assert lines(bank) == [(day(10), -1000)]
    assert lines(bank, B) == [(day(10), 700)]
    assert bank.entries(B, FIRST, LAST)[0].iban == A


def test_fees_are_charged_on_the_first_banking_day_of_each_month() -> None:
    bank = FakeBank([Account(A, "PSSTFRPPPAR", "Patard", 10_000, fee=250, fee_since=date(2026, 9, 2))])
    assert bank.balance(A, date(2026, 9, 30)) == 10_000
    assert bank.balance(A, date(2026, 11, 2)) == 9_500
    charged = bank.entries(A, date(2026, 9, 1), date(2027, 1, 31))
    assert [entry.booked_on for entry in charged] == [
        date(2026, 10, 1), date(2026, 11, 2), date(2026, 12, 1), date(2027, 1, 4)
    ]  # fmt: skip
    assert bank.balance(A, date(2027, 1, 31)) == 9_000
    assert [line.kind for line in statement(bank).lines] == [LineKind.CHARGE]


def test_what_the_payers_bank_takes_back() -> None:
    bank = bank_with()
    paid = bank.pay_in(A, MONDAY, 2500, "Élise", PAYER, "PATARD 7F3K9-Q2M4T", end_to_end="E2E-1")
    bank.give_back(paid, A, day(12))
    for format in Format:
        came, back = statement(bank, format).lines
        assert (came.amount, back.amount, back.kind) == (2500, -2500, LineKind.RETURN)
        assert "PATARD 7F3K9-Q2M4T" in back.text
        if format is not Format.OFX:
            assert (back.iban, back.end_to_end, back.reason) == (PAYER, "E2E-1", "FOCR")


def test_cash_charges_and_debits_of_others() -> None:
    bank = bank_with()
    bank.book(A, MONDAY, 4000, LineKind.CASH)
    bank.book(A, MONDAY, -1200, LineKind.CHARGE, "COMMISSION")
    bank.book(A, MONDAY, -990, LineKind.DEBIT, "Facture 12", name="Hébergeur", iban=PAYER, mandate="M-1")
    for format in Format:
        assert [(line.kind, line.amount) for line in statement(bank, format).lines] == [
            (LineKind.CASH, 4000), (LineKind.CHARGE, -1200), (LineKind.DEBIT, -990)
        ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [
        lambda bank: bank.pay_in(SHOP, MONDAY, 1, "", "", ""),
        lambda bank: bank.pay_in(A, MONDAY, 0, "", "", ""),
        lambda bank: bank.pay_in(A, MONDAY, 1, "", "no IBAN", ""),
        lambda bank: bank.pay_in(A, MONDAY, 1, "", "", "", end_to_end="é"),
        lambda bank: bank.balance(SHOP, MONDAY),
        lambda bank: bank.statement(A, LAST, FIRST, Format.OFX),
        lambda bank: bank.statement(A, FIRST, LAST, "mt940"),
    ],
)
def test_what_contradicts_itself(wrong: Callable[[FakeBank], object]) -> None:
    with pytest.raises(ValueError):
        wrong(bank_with())


def test_formats_of_french_account_numbers() -> None:
    bank = FakeBank([Account(PAYER, "KREDBEBB", "Patard")])
    for format in (Format.CFONB, Format.OFX):
        with pytest.raises(ValueError, match="French"):
            bank.statement(PAYER, FIRST, LAST, format)
    assert read(bank.statement(PAYER, FIRST, LAST, Format.CAMT_08))[0].account == PAYER


# --- statements ---


def test_a_statement_of_the_same_days_is_the_same_one() -> None:
    bank = bank_with()
    numbers = [
        statement(bank, format, first, last).number
        for first, last in ((day(1), day(9)), (day(10), day(20)), (day(1), day(9)), (day(1), day(30)))
        for format in (Format.CAMT_02, Format.CAMT_08)
    ]
    assert numbers == ["1", "1", "2", "2", "1", "1", "3", "3"]


def test_days_that_a_statement_covered_are_closed_but_for_corrections() -> None:
    bank = bank_with()
    wrong = bank.pay_in(A, day(10), 100, "", "", "")
    before = bank.statement(A, FIRST, day(10), Format.CAMT_08)
    with pytest.raises(ValueError, match="late=True"):
        bank.pay_in(A, day(10), 50, "", "", "")
    bank.statement(A, FIRST, day(5), Format.CAMT_08)  # an older one again opens nothing
    with pytest.raises(ValueError, match="late=True"):
        bank.pay_in(A, day(6), 50, "", "", "")
    bank.pay_in(B, day(10), 50, "", "", "")
    assert bank.statement(A, FIRST, day(10), Format.CAMT_08) == before
    bank.pay_in(A, day(10), 50, "", "", "", late=True)
    bank.strike(wrong, A)
    after = statement(bank, last=day(10))
    assert ([line.amount for line in after.lines], after.number) == ([50], "1")


def test_texts_as_banks_hand_them_on() -> None:
    text = "Réf. PATARD 7F3K9-Q2M4T pour le change de novembre, merci à vous"
    known = {"7F3K9Q2M4T": 1}

    def said(manners: Manners, format: Format) -> BankLine:
        bank = bank_with(manners=manners)
        bank.pay_in(A, MONDAY, 2500, "Anne-Élisabeth de La Rochefoucauld-Montbel", PAYER, text)
        return statement(bank, format).lines[0]

    assert said(CAREFUL, Format.CAMT_08).text.startswith(text)
    assert said(Manners(1, 0, 0), Format.CAMT_08).text.startswith("REF. PATARD 7F3K9-Q2M4T POUR LE CHANGE")
    assert said(Manners(0, 1, 0), Format.CAMT_08).text.startswith(f"{text[:35]} {text[35:]}")
    cut = said(Manners(0, 0, 1), Format.CAMT_08).text
    assert cut.startswith(text[: len(text) * 2 // 3]) and text[-20:] not in cut
    for format in Format:
        for manners in (CAREFUL, Manners(1, 1, 0), Manners(1, 1, 1), Manners()):
            line = said(manners, format)
            assert found_in([line.text], known) == {1}
            assert line.name.upper().startswith("ANNE-")
    assert said(CAREFUL, Format.OFX).name == "ANNE-ELISABETH DE LA RO"  # what is left of 32 characters
    assert "CHEFOUCAULD-MONTBEL" in said(CAREFUL, Format.OFX).text
    assert said(CAREFUL, Format.CFONB).name == "ANNE-ELISABETH DE LA ROCHEFOUCAULD-MONTBEL"


def test_the_accounts_of_a_charter() -> None:
    bank, savings = ReserveKind.BANK, ReserveAccount(name="Livret", kind=ReserveKind.BANK, iban=B)
    cash = ReserveAccount(name="Caisse", kind=ReserveKind.CASH)
    named = ReserveAccount(name="Banque", kind=bank, iban=A, bic="PSSTFRPPPAR", holder="ASSOCIATION LE PATARD")
    charter = towns.charter(reserve=(named, savings, cash), mandates=MandateRules(creditor_id=ICS))
    assert accounts_of(charter, {"Banque": 4711}) == [
        Account(A, "PSSTFRPPPAR", "ASSOCIATION LE PATARD", 4711, creditor_id=ICS),
        Account(B, "PATAFRPPXXX", "Le Patard", 0, creditor_id=ICS),
    ]


# --- any history ---

days = st.dates(date(2026, 10, 1), date(2026, 12, 31))
amounts = st.integers(1, 10_000_000)
texts = st.text(max_size=150)
fates = st.builds(
    Fate, st.sampled_from(["", "", "AC04"]), st.booleans(), st.sampled_from(["", "MD06"]), st.integers(0, 30),
    st.integers(0, 3),
)  # fmt: skip
events = st.lists(
    st.one_of(
        st.tuples(st.just("in"), days, amounts, texts, texts, st.booleans()),
        st.tuples(st.just("out"), days, st.lists(st.tuples(amounts, fates), min_size=1, max_size=3)),
        st.tuples(st.just("debits"), days, st.lists(st.tuples(amounts, fates), min_size=1, max_size=3)),
        st.tuples(st.just("move"), days, amounts, texts),
        st.tuples(st.just("charge"), days, amounts, texts),
    ),
    max_size=8,
)


def happens(bank: FakeBank, happened: list[Any]) -> None:
    for number, (what, on, *more) in enumerate(happened):
        if what == "in":
            amount, name, text, instant = more
            bank.pay_in(A, on, amount, name, PAYER, text, instant=instant)
        elif what == "move":
            bank.move(B, A, on, *more)
        elif what == "charge":
            bank.book(A, on, -more[0], LineKind.CHARGE, more[1])
        else:
            make, send = (transfer, order) if what == "out" else (debit, collect)
            orders = [make(10 * number + n, amount=amount) for n, (amount, _fate) in enumerate(more[0])]
            bank.fate.update((one.end_to_end, fate) for one, (_, fate) in zip(orders, more[0], strict=True))  # type: ignore[attr-defined]
            send(bank, *orders, on=on, for_=on, message=f"{what}-{number}")


def told(entry: Entry, format: Format) -> tuple[str, ...]:
    """What a line tells of an entry by structure; a camt tells the sum of one order as that order."""
    if len(entry.parts) == 1 and format.startswith("camt"):
        entry = entry.parts[0]
    return entry.end_to_end or entry.batch, entry.mandate, entry.reason, entry.iban


@settings(max_examples=40, deadline=None)
@given(events, st.booleans(), st.integers(-10_000, 10_000_000), st.integers(0, 91))
def test_every_format_tells_the_same_history(happened: list[Any], singly: bool, opening: int, split: int) -> None:
    first, last = date(2026, 10, 1), date(2027, 3, 31)
    middle = first + timedelta(days=split)

    def run() -> FakeBank:
        bank = bank_with(opening=opening, singly=singly, manners=Manners(), entropy=Entropy())
        happens(bank, happened)
        return bank

    bank = run()
    truth = [(entry.booked_on, entry.amount) for entry in bank.entries(A, first, last)]
    for format in Format:
        halves = [bank.statement(A, first, middle, format), bank.statement(A, middle + timedelta(days=1), last, format)]
        if format.startswith("camt"):
            for half in halves:
                valid(half)
        (one,), (two,) = map(read, halves)
        assert same_account(A, one.account)
        assert [(line.booked_on, line.amount) for line in (*one.lines, *two.lines)] == truth
        assert (one.opening, one.closing, two.closing) == (opening, two.opening, bank.balance(A, last))
        assert (one.first, one.last, two.first, two.last) == (first, middle, middle + timedelta(days=1), last)
        for line, entry in zip((*one.lines, *two.lines), bank.entries(A, first, last), strict=True):
            assert line.kind is entry.kind
            assert sum(part.amount for part in line.parts) in (0, line.amount)
            if format is not Format.OFX:
                assert (line.end_to_end, line.mandate, line.reason, line.iban) == told(entry, format)
    again = run()
    for format in Format:
        assert again.statement(A, first, middle, format) == bank.statement(A, first, middle, format)


@settings(max_examples=60, deadline=None)
@given(events, st.integers(0, 10_000_000))
def test_orders_never_overdraw_an_account(happened: list[Any], opening: int) -> None:
    bank = bank_with(opening=opening)
    happens(bank, [one for one in happened if one[0] == "out"])
    days = {entry.booked_on for entry in bank.entries(A, date(2026, 1, 1), date(2027, 12, 31))}
    assert all(bank.balance(A, day) >= 0 for day in days)


def test_the_moment_of_a_file_changes_nothing() -> None:
    one, other = bank_with(), bank_with()
    moment = datetime.fromisoformat("2026-11-01T00:00:00+02:00")
    one.submit(transfers(transfer(), requested_on=MONDAY), MONDAY)
    other.submit(transfers(transfer(), requested_on=MONDAY, created_at=moment), MONDAY)
    assert one.statement(A, FIRST, LAST, Format.CFONB) == other.statement(A, FIRST, LAST, Format.CFONB)
