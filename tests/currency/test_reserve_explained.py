"""The difference between ledger and statement is explained to the cent, whatever was typed, taken, placed or undone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from api.home import open_town
from ledger.core.model import Transaction, Transfer
from ledger.currency import conversion, parties, reserve
from ledger.currency.bank import booking, suspense, taking
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import BankLine, StatementError
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.chart import EUR
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.reserve import AccountState, Keeper, Why
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, bring, line, statement, token
from tests.towns import BANK, CASH


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with scene.opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice")


def bank(town: Town) -> AccountState:
    """The bank account in a report that explains every account to the cent, however it is put together."""
    report = reserve.report(town)
    for account in report.banks:
        if account.statement is None:
            assert (account.difference, account.statement_on, account.explanation) == (None, None, ())
        else:
            assert sum(one.amount for one in account.explanation) == account.difference
            assert all(one.amount for one in account.explanation)
    return report.banks[0]


def why(account: AccountState) -> list[tuple[str, int]]:
    return [(str(one.why), one.amount) for one in account.explanation]


def typed(town: Town, party: Party, amount: int, reference: str, day: date | None = None) -> bytes:
    return conversion.convert(town, party, amount, reserve=BANK, reference=reference, booked_on=day).id


def test_no_statement_no_difference(town: Town, alice: Party) -> None:
    typed(town, alice, 500, "V1")
    account = bank(town)
    assert (account.ledger, account.statement, account.difference) == (500, None, None)


def test_ledger_and_statement_meet(town: Town, alice: Party) -> None:
    bring(town, statement([line(2_500, token(town, alice)), line(-300, "frais"), line(700, "?")]))
    account = bank(town)
    assert (account.ledger, account.statement, account.statement_on) == (2_900, 2_900, DAY)
    assert (account.difference, account.explanation) == (0, ())


def test_what_was_typed_is_explained_until_its_line_comes(town: Town, alice: Party) -> None:
    bring(town, statement([line(100, token(town, alice))]))
    id_ = typed(town, alice, 4_000, "V2", DAY + timedelta(days=1))
    [one] = bank(town).explanation
    assert (one.why, one.amount, one.what, one.reference, one.id) == (
        Why.AFTER_STATEMENT,
        4_000,
        "conversion",
        "V2",
        id_,
    )
    # The bank's line has the reference that was typed: one is the other.
    bring(town, statement([line(4_000, "VIR", DAY + timedelta(days=1), bank_ref="V2")], 100))
    account = bank(town)
    assert (account.ledger, account.statement, account.explanation) == (4_100, 4_100, ())


def test_what_no_statement_has_is_told_from_what_the_next_should_have(town: Town, alice: Party) -> None:
    typed(town, alice, 250, "V1", DAY - timedelta(days=1))
    bring(town, statement([line(100, "?", DAY - timedelta(days=3)), line(100, "?")]))
    typed(town, alice, 130, "V2", DAY + timedelta(days=1))
    account = bank(town)
    assert why(account) == [("not_on_statement", 250), ("after_statement", 130)]
    assert ([one.reference for one in account.unexplained], account.awaited) == (["V1"], 130)
    # In time it was expected; then nobody believes it any more.
    towns.clock(town).forward(10 * 86_400)
    assert why(bank(town))[1] == ("after_statement", 130)
    towns.clock(town).forward(86_400)
    account = bank(town)
    assert why(account)[1] == ("overdue", 130)
    assert ([one.reference for one in account.unexplained], account.awaited) == (["V1", "V2"], 0)


def test_a_line_that_was_known_when_it_was_booked_and_is_put_back(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 4_000, "V7", DAY)
    bring(town, statement([line(4_000, "VIR", bank_ref="V7")]))
    suspense.put_back(town, lines(town)[0].id)
    [one] = bank(town).explanation
    assert (one.amount, one.id) == (4_000, id_)
    conversion.correct(town, id_)
    assert bank(town).explanation == ()


def test_a_slip_of_the_pen_taken_back_leaves_nothing_to_explain(town: Town, alice: Party) -> None:
    bring(town, statement([line(100, "?")]))
    conversion.correct(town, typed(town, alice, 5_000, "V1"))
    assert bank(town).explanation == ()


def test_taken_back_after_a_statement_that_had_it(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, "V1", DAY - timedelta(days=2))
    bring(town, statement([line(100, "?")], 5_000))
    assert bank(town).explanation == ()
    conversion.correct(town, id_)
    assert [amount for _why, amount in why(bank(town))] == [-5_000]


def test_euros_from_before_the_first_statement(town: Town) -> None:
    bring(town, statement([line(100, "?")], 8_000), opening=True)
    account = bank(town)
    assert (account.ledger, account.statement, account.explanation) == (8_100, 8_100, ())


def test_taken_and_not_booked(town: Town, alice: Party) -> None:
    taking.take(town, [statement([line(900, token(town, alice)), line(-200, "frais")], 8_000)], opening=True)
    account = bank(town)
    assert (account.ledger, account.statement, account.difference) == (0, 8_700, -8_700)
    assert sorted(why(account)) == [("not_booked", -8_000), ("not_booked", -900), ("not_booked", 200)]
    booking.book(town)
    assert bank(town).explanation == ()


def test_a_corrected_statement(town: Town, alice: Party) -> None:
    bring(town, statement([line(900, token(town, alice)), line(50, "?")]))
    taking.take(town, [statement([line(900, token(town, alice)), line(60, "?")])], corrected=True)
    account = bank(town)
    assert (account.ledger, account.statement) == (950, 960)
    assert why(account) == [("not_booked", -60), ("withdrawn", 50)]
    booking.book(town)
    account = bank(town)
    assert (account.ledger, account.statement, account.explanation) == (960, 960, ())


def test_a_line_placed_as_what_was_typed_and_put_back(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 4_000, "CARNET-7", DAY)
    bring(town, statement([line(4_000, "VIR DUPONT")]))
    assert why(bank(town)) == [("not_on_statement", 4_000)]
    [open_] = suspense.open_lines(town)
    suspense.place(town, open_.line.id, Decision(way=Way.KNOWN, other=id_))
    assert bank(town).explanation == ()
    suspense.put_back(town, open_.line.id)
    assert why(bank(town)) == [("not_on_statement", 4_000)]


def test_an_entry_of_a_line_that_moved_another_sum(town: Town) -> None:
    """No program of ours books so; the report shows it all the same."""
    taking.take(town, [statement([line(900, "?")])])
    [taken] = lines(town)
    chart = town.chart
    transfers = (Transfer(taken.reserve, chart.suspense, 700, EUR), Transfer(taken.reserve, chart.operations, 100, EUR))
    town.post(Transaction(taken.id, "bank_suspense", transfers, DAY, evidence={"by": "console"}))
    booking.book(town)
    account = bank(town)
    assert (account.ledger, account.statement, why(account)) == (800, 900, [("other_amount", -100)])


def test_personal_texts_erased_change_nothing(town: Town, alice: Party) -> None:
    typed(town, alice, 4_000, "V2", DAY)
    bring(town, statement([line(4_000, "VIR", bank_ref="V2"), line(70, "?")]))
    before = bank(town)
    with town.engine.begin() as connection:
        connection.execute(update(BANK_LINE).values(name="", iban="", text="", bank_ref="", end_to_end="", parts="[]"))
    assert bank(town) == before
    assert before.difference == 0


def test_both_databases_say_the_same(tmp_path: Path, fresh_postgres: str) -> None:
    told = []
    for place, url in (("sqlite", None), ("postgres", fresh_postgres)):
        with scene.opened(tmp_path / place, url) as made:
            member = parties.admit(made, "person", "Alice")
            keeper = Keeper(made)
            typed(made, member, 4_000, "V2", DAY)
            sent = [line(4_000, "VIR", bank_ref="V2"), line(700, token(made, member)), line(-50, "frais")]
            bring(made, statement(sent, 900), opening=True)
            keeper.report()
            taking.take(made, [statement([*sent[:2], line(-60, "frais")], 900)], corrected=True)
            typed(made, member, 130, "V3", DAY + timedelta(days=1))
            half = bank(made)
            booking.book(made)
            assert keeper.report() == reserve.report(made)
            told.append((half, keeper.report()))
    assert told[0] == told[1]
    assert told[0][0].reasons() == {Why.NOT_BOOKED: 60, Why.WITHDRAWN: -50, Why.AFTER_STATEMENT: 130}


# --- anything, in any order -----------------------------------------------------------------------------


class Office:
    """A treasurer, a bank and a program that stops anywhere, on one town. A deed may be refused; none is an error."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.keeper = Keeper(town)
        self.party = parties.admit(town, "person", "Alice")
        self.day, self.closing = DAY, 0
        self.last: tuple[int, list[BankLine]] | None = None
        self.typed: list[bytes] = []
        self.number = 0

    def type_in(self, cents: int, back: int, reference: bool) -> None:
        self.number += 1
        name = "VIR" if reference else f"V{self.number}"
        self.typed.append(typed(self.town, self.party, cents, name, self.day + timedelta(days=1 - back)))

    def take_back(self, which: int) -> None:
        if self.typed:
            conversion.correct(self.town, self.typed[which % len(self.typed)])

    def statement(self, amounts: list[tuple[int, str]], before: int, stops: bool) -> None:
        self.day += timedelta(days=1)
        towns.clock(self.town).forward(86_400)
        if self.last is None:
            self.closing = before
        texts = {"member": token(self.town, self.party), "known": "VIR", "?": "?"}
        sent = [
            line(cents, texts[text], self.day, bank_ref="VIR" if text == "known" else "")
            for cents, text in amounts
            if cents
        ]
        made = statement(sent, self.closing, first=self.day, last=self.day)
        taking.take(self.town, [made], opening=True)
        self.last, self.closing = (self.closing, sent), made.closing
        if not stops:
            booking.book(self.town)

    def corrected(self, gone: int, instead: int, stops: bool) -> None:
        if self.last is None or not self.last[1]:
            return
        opening, sent = self.last
        left = [one for index, one in enumerate(sent) if index != gone % len(sent)] + [line(instead, "?", self.day)]
        made = statement(left, opening, first=self.day, last=self.day)
        taking.take(self.town, [made], corrected=True)
        self.last, self.closing = (opening, left), made.closing
        if not stops:
            booking.book(self.town)

    def place(self, which: int, way: Way) -> None:
        open_ = suspense.open_lines(self.town)
        if not open_:
            return
        one = open_[which % len(open_)].line
        others = {Way.KNOWN: self.typed[which % len(self.typed)] if self.typed else None}
        decision = Decision(way=way, holder=self.party.account, other=others.get(way), cash=CASH)
        suspense.place(self.town, one.id, decision)

    def put_back(self, which: int) -> None:
        placed = lines(self.town, BANK_LINE.c.placed_seq.is_not(None))
        if placed:
            suspense.put_back(self.town, placed[which % len(placed)].id)

    def otherwise(self, cents: int, kind: str, about: int) -> None:
        """An entry of a kind that nobody has invented yet, which names another."""
        chart = self.town.chart
        number = chart.reserve[BANK]
        transfer = Transfer(number, chart.operations, cents, EUR) if cents > 0 else Transfer(
            chart.operations, number, -cents, EUR
        )  # fmt: skip
        named = {"of": self.typed[about % len(self.typed)].hex()} if self.typed else {}
        self.town.post(Transaction(self.town.new_id(), kind, (transfer,), evidence=named))

    def book(self) -> None:
        booking.book(self.town)


cents = st.integers(-4, 6).filter(bool).map(lambda n: n * 100)
some = st.integers(0, 5)
deeds = st.one_of(
    st.tuples(st.just("type_in"), st.sampled_from([100, 200, 300]), st.integers(0, 4), st.booleans()),
    st.tuples(st.just("take_back"), some),
    st.tuples(
        st.just("statement"), st.lists(st.tuples(cents, st.sampled_from(["member", "known", "?"])), max_size=3),
        st.sampled_from([0, 500]), st.booleans(),
    ),
    st.tuples(st.just("corrected"), some, cents, st.booleans()),
    st.tuples(st.just("place"), some, st.sampled_from([Way.MEMBER, Way.OWN, Way.KNOWN, Way.CASH, Way.TRANSIT])),
    st.tuples(st.just("put_back"), some),
    st.tuples(st.just("otherwise"), cents, st.sampled_from(["bank_fee", "gift", "bank_unheard_of"]), some),
    st.tuples(st.just("book")),
)  # fmt: skip


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = Path(tmp_path_factory.mktemp("founded")) / "home"
    with scene.opened(home):
        pass
    return home


@given(st.lists(deeds, min_size=4, max_size=16))
@settings(max_examples=25, deadline=None)
def test_whatever_happens_every_cent_is_explained(founded: Path, done: list[tuple[Any, ...]]) -> None:
    with TemporaryDirectory() as folder:
        home = shutil.copytree(founded, Path(folder) / "home")
        town = open_town(home, clock=towns.Clock(), entropy=towns.Entropy("again"))
        try:
            office = Office(town)
            for deed, *how in done:
                try:
                    getattr(office, deed)(*how)
                except (CurrencyError, StatementError):
                    pass  # a rule was in the way, which is as good a deed as any
                account = bank(town)
                assert account.ledger == town.book.balance(town.chart.reserve[BANK])
                assert account.statement == (None if office.last is None else office.closing)
                # A server that has read on from report to report says the same as one that was just started.
                assert office.keeper.report() == reserve.report(town)
        finally:
            town.book.close()
