"""Which departure an arrival ends, where several are as much: what somebody took is not covered up by what arrives."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from ledger.currency import acts, conversion, parties, proofs, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import withdrawing
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.charter import ReserveAccount, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, IBAN, SAVINGS, SAVINGS_IBAN, bring, line, statement, token
from tests.threats.test_one_euro import check_finds, once
from tests.towns import BANK, CASH

DAYS = timedelta(days=1)
GONE = "left an account of the reserve on {}, and by {} it arrived on none"


class Banks:
    """The statements of both accounts, a day each, as they follow one another; the clock goes along."""

    def __init__(self, town: Town, alice: Party) -> None:
        self.town, self._held = town, {IBAN: 0, SAVINGS_IBAN: 0}
        self.says(IBAN, DAY, 100_000, token(town, alice))

    def says(self, account: str, day: date, amount: int, text: str, other: str = "") -> None:
        start, _end = self.town.charter.day_bounds(day)
        clock = towns.clock(self.town)
        clock.now = max(clock.now, start + 43_200_000_000)
        told = statement([line(amount, text, day, iban=other)], self._held[account], account=account)
        bring(self.town, told)
        self._held[account] = told.closing

    def transfer(self, day: date, *, named: bool, arrives: timedelta = 2 * DAYS) -> None:
        """The month's 100.00 for the savings account; whether the banks say whose account is on the other side."""
        self.says(IBAN, day, -10_000, "VIR PERMANENT", SAVINGS_IBAN if named else "")
        self.says(SAVINGS_IBAN, day + arrives, 10_000, "VIR RECU", IBAN if named else "")
        self.place_all()

    def place_all(self) -> None:
        for one in open_lines(self.town):
            place(self.town, one.line.id, Decision(way=Way.TRANSIT))


def test_a_theft_is_not_what_arrives_every_month(town: Town, alice: Party) -> None:
    banks = Banks(town, alice)
    for named in (True, False):
        day = DAY + (DAYS if named else 200 * DAYS)
        banks.says(IBAN, day, -10_000, "CHEQUE 0001")
        banks.place_all()
        for month in range(4):
            banks.transfer(day + (5 + 30 * month) * DAYS, named=named)
        report = reserve.report(town)
        assert [one.on for one in report.moving][-1:] == [day] and not report.covered
    check_finds(town, GONE.format("2025-06-11", "2025-06-21"), GONE.format("2025-12-27", "2026-01-06"))


def test_transfers_that_arrive_are_found_in_whatever_order_statements_come(town: Town, alice: Party) -> None:
    banks = Banks(town, alice)
    for month in range(3):
        day = DAY + (1 + 30 * month) * DAYS
        banks.says(IBAN, day, -10_000, "VIR PERMANENT", SAVINGS_IBAN if month else "")
        banks.place_all()
    for month in range(3):  # the savings account has a statement a quarter
        banks.says(SAVINGS_IBAN, DAY + (3 + 30 * month) * DAYS, 10_000, "VIR RECU", IBAN)
    once(town, 100_000)
    # The other account's statement is there first, and the bank that sends dates later than the one that receives.
    day = DAY + 100 * DAYS
    banks.says(SAVINGS_IBAN, day, 10_000, "VIR RECU", IBAN)
    report = reserve.report(town)
    assert ([one.amount for one in report.moving], report.covered, report.sound) == ([-10_000], True, True)
    banks.says(IBAN, day + DAYS, -10_000, "VIR EMIS", SAVINGS_IBAN)
    once(town, 100_000)


def test_an_arrival_ends_the_last_departure_before_it(town: Town, alice: Party) -> None:
    """One that is still on its way is not taken for the one that came."""
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "VIR", SAVINGS_IBAN)
    banks.says(IBAN, DAY + 8 * DAYS, -10_000, "VIR", SAVINGS_IBAN)
    banks.says(SAVINGS_IBAN, DAY + 2 * DAYS, 10_000, "VIR RECU", IBAN)
    [one] = reserve.report(town).moving
    assert one.on == DAY + 8 * DAYS


def test_what_the_other_account_should_have_had_by_now(town: Town, alice: Party) -> None:
    """The bank says where it went, and the statements of that account go on without it: that is no cover."""
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "VIR", SAVINGS_IBAN)
    banks.says(SAVINGS_IBAN, DAY + 12 * DAYS, 5, "INTERETS")
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.OWN))
    check_finds(town, GONE.format("2025-06-11", "2025-06-21"))
    assert reserve.report(town).coverage_bp == 9_000


def test_what_arrived_and_left_none_of_ours(town: Town, alice: Party) -> None:
    """Somebody's euros, said to be a transfer of ours: they would hide as much that goes."""
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, 10_000, "pour mes unités")
    banks.place_all()
    report = reserve.report(town)
    assert (report.awaited, report.coverage_bp, report.sound) == (0, 10_000, True)
    towns.clock(town).forward(11 * 86_400)
    came = "of 10000 cents came to an account of the reserve on 2025-06-11, and by 2025-06-25 it had left none"
    check_finds(town, came)
    banks.says(IBAN, DAY + 10 * DAYS, -10_000, "CHEQUE 3")
    banks.place_all()
    towns.clock(town).forward(11 * 86_400)
    check_finds(town, came, GONE.format("2025-06-20", "2025-07-06"))


def test_the_deadline_runs_from_the_first_time_that_somebody_said_so(town: Town, alice: Party) -> None:
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "CHEQUE 1")
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.TRANSIT))
    for _ in range(3):
        towns.clock(town).forward(9 * 86_400)
        put_back(town, one.line.id)
        place(town, one.line.id, Decision(way=Way.TRANSIT))
    check_finds(town, GONE.format("2025-06-11", "2025-06-25"))


def test_an_entry_names_nothing_by_its_salt(town: Town, alice: Party) -> None:
    """A device makes up the salt of what it signs: it is no id of what a correction takes back."""
    Banks(town, alice)
    office = parties.admit(town, "association", "Bureau")
    key = towns.join(town, office, "treasurer", "poste")
    first = conversion.convert(town, alice, 5_000, reserve=BANK, reference="EN-AVANCE")
    towns.clock(town).forward(9 * 86_400)
    # Ids decide which of several goes first: the one that is named must be the lesser, so one is looked for.
    reference = next(f"E{n}" for n in range(100) if conversion.conversion_id(town, BANK, f"E{n}") > first.id)
    later = conversion.convert(town, alice, 5_000, reserve=BANK, reference=reference)
    text = proofs.act_text("POST", f"/v1/conversions/{later.id.hex()}/correction", "")
    act = acts.sign(key, town.charter.network, town.now() // 1_000_000 + 300, first.id, text)
    conversion.correct(town.acting(act), later.id, by=key.public.hex())
    towns.clock(town).forward(3 * 86_400)
    check_finds(town, "conversion EN-AVANCE of 5000 cents")
    assert [one.id for one in reserve.report(town).banks[0].explanation] == [first.id]
    assert not audit(town).clean


def test_what_arrives_from_our_own_account_is_nobodys_top_up(town: Town, alice: Party) -> None:
    """The savings account's bank names no account; a person says who sent it, and is told what is on its way."""
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "VIR PERMANENT", SAVINGS_IBAN)
    banks.says(SAVINGS_IBAN, DAY + 3 * DAYS, 10_000, "VIR RECU")
    [one] = open_lines(town)
    for decision in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.OWN)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="has not arrived: place this line"):
            place(town, one.line.id, decision)
    banks.place_all()
    # It has arrived: another of as much is somebody's.
    banks.says(SAVINGS_IBAN, DAY + 5 * DAYS, 10_000, "VIR RECU")
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    once(town, 110_000)


def test_a_transfer_that_came_back_or_arrived_in_part(town: Town, alice: Party) -> None:
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "VIR", SAVINGS_IBAN)
    banks.says(SAVINGS_IBAN, DAY + DAYS, 6_000, "VIR RECU", IBAN)
    banks.says(IBAN, DAY + 2 * DAYS, 4_000, "RETOUR PLAFOND", SAVINGS_IBAN)
    banks.says(IBAN, DAY + 3 * DAYS, -7_000, "VIR", SAVINGS_IBAN)
    banks.says(IBAN, DAY + 4 * DAYS, 7_000, "VIR REJETE", SAVINGS_IBAN)
    once(town, 100_000)
    banks.says(IBAN, DAY + 5 * DAYS, -10_000, "CHEQUE 1")
    banks.says(SAVINGS_IBAN, DAY + 40 * DAYS, 5, "INTERETS")
    [gone, own] = open_lines(town)
    place(town, own.line.id, Decision(way=Way.OWN))
    place(town, gone.line.id, Decision(way=Way.TRANSIT))
    check_finds(town, GONE.format("2025-06-15", "2025-06-25"))


def test_lines_that_name_their_accounts_go_together(tmp_path: Path) -> None:
    """On one day one transfer left for a third account and as much came from the second; the third says so first."""
    third = ReserveAccount(name="Epargne", kind=ReserveKind.BANK, iban="DE89370400440532013000", liquid=False)
    with scene.opened(tmp_path / "home", reserve=(*scene.charter().reserve, third)) as town:
        banks, day = Banks(town, parties.admit(town, "person", "Alice Martin")), DAY + 4 * DAYS
        banks.transfer(DAY + DAYS, named=True)
        bring(town, statement([line(10_000, "VIR RECU", day, iban=IBAN)], account=third.iban))
        both = [line(-10_000, "VIR", day, iban=third.iban), line(10_000, "VIR RECU", day, iban=SAVINGS_IBAN)]
        bring(town, statement(both, 90_000))
        banks.says(SAVINGS_IBAN, day, -10_000, "VIR", IBAN)
        assert not reserve.report(town).moving
        once(town, 100_000)


# --- what statements told stays told ---------------------------------------------------------------------------

EPARGNE = "DE89370400440532013000"
THIRD = ReserveAccount(name="Epargne", kind=ReserveKind.BANK, iban=EPARGNE, liquid=False)


def test_an_account_without_statements_did_not_have_what_was_sent_to_another(tmp_path: Path) -> None:
    """The charter has a third account, of which nobody ever saw a statement: the line does not name it."""
    with scene.opened(tmp_path / "home", reserve=(*scene.charter().reserve, THIRD)) as town:
        banks = Banks(town, parties.admit(town, "person", "Alice Martin"))
        banks.says(IBAN, DAY + DAYS, -10_000, "VIR", SAVINGS_IBAN)
        towns.clock(town).forward(9 * 86_400)
        bring(town, statement([], first=DAY, last=DAY + 11 * DAYS, account=SAVINGS_IBAN))
        assert reserve.report(town).sound  # it may have come on the next day
        bring(town, statement([], first=DAY + 12 * DAYS, last=DAY + 12 * DAYS, account=SAVINGS_IBAN))
        check_finds(town, GONE.format("2025-06-11", "2025-06-21"))
        assert not reserve.report(town).sound
        # What may have come to the third, as the bank says, is on its way for as long as its statement takes.
        banks.says(IBAN, DAY + 13 * DAYS, -20_000, "VIR", EPARGNE)
        check_finds(town, GONE.format("2025-06-11", "2025-06-21"))


def test_that_it_had_not_come_is_known_though_the_statements_are_withdrawn(town: Town, alice: Party) -> None:
    banks = Banks(town, alice)
    banks.says(IBAN, DAY + DAYS, -10_000, "VIR", SAVINGS_IBAN)
    towns.clock(town).forward(9 * 86_400)
    bring(town, statement([], first=DAY, last=DAY + 12 * DAYS, account=SAVINGS_IBAN))
    keeper = reserve.Keeper(town)
    for _ in range(2):
        check_finds(town, GONE.format("2025-06-11", "2025-06-21"))
        report = keeper.report()
        assert (report.sound, report.backed, report.coverage_bp) == (False, False, 9_000)
        assert report == reserve.report(town)
        if not report.banks[1].withdrawn:
            withdrawing.withdraw(town, SAVINGS)
    # The true ones have it.
    bring(town, statement([line(10_000, "VIR RECU", DAY + 2 * DAYS, iban=IBAN)], account=SAVINGS_IBAN))
    once(town, 100_000)


def test_what_arrived_by_withdrawn_statements_only_is_no_cover(town: Town, alice: Party) -> None:
    """It arrived and was taken from there: whoever withdraws that has the ledger at nothing, and nobody knows."""
    banks = Banks(town, alice)
    banks.transfer(DAY + DAYS, named=True, arrives=DAYS)
    banks.says(SAVINGS_IBAN, DAY + 3 * DAYS, -10_000, "VIR MALLORY", "NL91ABNA0417164300")
    assert not reserve.report(town).covered
    withdrawing.withdraw(town, SAVINGS)
    report = reserve.report(town)
    assert (report.covered, report.outdated, report.proved_on) == (False, True, None)
    assert "'Livret' were withdrawn" in audit(town).notices[-1].text
    towns.clock(town).forward(11 * 86_400)
    check_finds(town, GONE.format("2025-06-11", "2025-06-25"))
    assert not reserve.report(town).backed


# --- typed on the wrong one ---------------------------------------------------------------------------------


@pytest.mark.parametrize("statement_of_savings", ["never", "before", "after", "later days"])
@pytest.mark.parametrize("left", [False, True])
def test_typed_on_the_wrong_account_and_spent(town: Town, left: bool, statement_of_savings: str) -> None:
    """A slip of the pen cannot be taken back once the units are spent: the line is placed as what was typed."""
    zoe, shop = towns.member(town, "person", "Zoé Petit"), towns.member(town, "shop", "Boulangerie")

    def savings(first: date, last: date) -> None:
        if first == DAY or statement_of_savings != "never":
            bring(town, statement([], first=first, last=last, account=SAVINGS_IBAN))

    bring(town, statement([], first=DAY, last=DAY))
    if statement_of_savings == "before":
        savings(DAY, DAY)
    id_ = conversion.convert(town, zoe.party, 5_000, reserve=SAVINGS, reference="VIR-77").id
    towns.pay(town, zoe, shop, 5_000)
    if left:
        parties.close(town, zoe.party)
    towns.clock(town).forward(20 * 86_400)
    bring(town, statement([line(5_000, "VIR PETIT", DAY + DAYS)], first=DAY + DAYS, last=DAY + 20 * DAYS))
    if statement_of_savings == "after":
        savings(DAY, DAY + 20 * DAYS)
    with pytest.raises(CurrencyError) as caught:
        conversion.correct(town, id_)
    assert caught.value.code == ("account_closed" if left else "below_floor")
    [one] = open_lines(town)
    assert one.proposals[0].decision == Decision(way=Way.KNOWN, other=id_)
    for _ in range(2):
        placed = place(town, one.line.id, one.proposals[0].decision)
        assert not placed.replay and reserve.report(town).covered
        assert audit(town).clean, audit(town).findings
        put_back(town, one.line.id)
        assert not reserve.report(town).covered
    place(town, one.line.id, one.proposals[0].decision)
    if statement_of_savings in ("before", "later days"):
        savings(DAY + 3 * DAYS, DAY + 25 * DAYS)  # between the days of the line and of what was typed
    once(town, 5_000)
    bring(town, statement([line(-5_000, "REJET", DAY + 21 * DAYS)], 5_000))
    [back] = open_lines(town)
    place(town, back.line.id, Decision(way=Way.RETURNED, other=one.line.id))
    assert audit(town).clean, audit(town).findings
    assert town.book.balance(town.chart.claims) == 5_000


def test_what_check_says_of_a_line_that_is_none_of_what_was_typed(
    town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Euros of a bank's line stand for no cash that somebody typed."""
    bring(town, statement([], first=DAY, last=DAY))
    id_ = conversion.convert(town, alice, 5_000, reserve=CASH, reference="S-1").id
    bring(town, statement([line(5_000, "SUBVENTION", DAY + DAYS)]))
    [one] = open_lines(town)
    decision = Decision(way=Way.KNOWN, other=id_)
    with pytest.raises(CurrencyError, match="it is not this line"):
        place(town, one.line.id, decision)
    monkeypatch.setattr("ledger.currency.bank.typed.banks", lambda town: list(town.chart.reserve.values()))
    place(town, one.line.id, decision)
    assert {one.code for one in audit(town).findings} >= {"placing_shape", "conversion_unrelated"}
