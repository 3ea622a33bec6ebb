"""A statement proves what was there on its last day; from long ago, it proves nothing of today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import conversion, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import withdrawing
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.parties import Party
from ledger.currency.reserve import model
from ledger.currency.town import Town
from ledger.i18n import translator
from merchants.reserve.shown import show
from tests import towns
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, bring, line, statement, token
from tests.threats.test_one_euro import TODAY, typed
from tests.towns import BANK


def later(town: Town, days: int) -> None:
    """So many days after the last statement's last one."""
    towns.clock(town).forward((days - (TODAY - DAY).days) * 86_400)


def said(town: Town) -> list[str]:
    """What `check` notices; it finds nothing."""
    found = audit(town)
    assert found.clean
    return [one.text for one in found.notices]


@pytest.mark.parametrize(("days", "proves"), [(45, True), (46, False)])
def test_an_account_in_use_proves_for_a_month(town: Town, alice: Party, days: int, proves: bool) -> None:
    bring(town, statement([line(5_000, token(town, alice))]))
    later(town, days)
    report = reserve.report(town)
    assert (report.covered, report.backed, report.sound, report.coverage_bp) == (proves, True, True, 10_000)
    assert (report.proved_on, report.outdated) == (DAY, not proves)
    shown = show(report, town.charter, translator("merchants", "en"))
    stamp = None if proves else "Last proved on 10/06/2025"
    assert (shown.covered, shown.outdated, shown.awaits) == (proves, stamp, None)
    assert shown.proved == "The banks' figures are of 10/06/2025."
    told = [] if proves else [
        f"the last statement of {BANK!r} is of 2025-06-10, 46 days ago: what the bank has since then nobody knows; "
        "import a newer one"
    ]  # fmt: skip
    assert said(town) == told
    bring(town, statement([], 5_000, first=DAY + timedelta(days=1), last=DAY + timedelta(days=30)))
    assert reserve.report(town).covered and said(town) == []


@pytest.mark.parametrize(("days", "proves"), [(100, True), (101, False)])
def test_a_savings_account_proves_for_a_quarter(town: Town, days: int, proves: bool) -> None:
    bring(town, statement([line(5_000, "don")], account=SAVINGS_IBAN))
    [one] = open_lines(town)
    place(town, one.line.id, Decision(way=Way.OWN))
    later(town, days)
    assert reserve.report(town).covered is proves
    assert [SAVINGS in text for text in said(town)] == ([] if proves else [True])


def test_an_account_that_holds_nothing_needs_no_proof(town: Town) -> None:
    bring(town, statement([line(5_000, "don"), line(-5_000, "LOYER")]))
    later(town, 400)
    report = reserve.report(town)
    assert (report.covered, report.proved_on, said(town)) == (True, None, [])


def test_what_is_not_covered_is_not_called_outdated(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, token(town, alice)), line(-100, "frais")]))
    later(town, 100)
    shown = show(reserve.report(town), town.charter, translator("merchants", "en"))
    assert (shown.covered, shown.outdated) == (False, None)


def test_the_oldest_proof_counts(town: Town, alice: Party) -> None:
    """The oldest of the accounts' proofs is that of all of them."""
    bring(town, statement([line(5_000, token(town, alice))]))
    bring(town, statement([line(700, "don", DAY - timedelta(days=3))], account=SAVINGS_IBAN))
    report = reserve.report(town)
    assert (report.proved_on, report.proved_to) == (DAY - timedelta(days=3), DAY)
    said_so = show(report, town.charter, translator("merchants", "fr")).proved
    assert said_so == "Les chiffres des banques sont du 07/06/2025 au 10/06/2025."
    assert model.MONTH < model.QUARTER


@pytest.mark.parametrize(("days", "believed"), [(10, True), (11, False)])
def test_an_account_that_never_had_a_statement(town: Town, alice: Party, days: int, believed: bool) -> None:
    """Of others nobody asks more than of what is typed ahead: as long as a line is awaited, it is taken for true."""
    typed(town, alice, 700, "V-1", DAY, SAVINGS)
    bring(town, statement([line(5_000, token(town, alice))]))
    towns.clock(town).forward(days * 86_400)
    report = reserve.report(town)
    assert (report.covered, report.backed, report.outdated) == (believed, True, not believed)
    assert report.proved_on == (DAY if believed else None)
    shown = show(report, town.charter, translator("merchants", "en"))
    assert shown.outdated == (None if believed else "In part by word only")
    sentence = "No statement of Livret was ever imported: €7.00 rest on the association's word alone."
    assert shown.limits == ([] if believed else [sentence])
    notice = (
        f"no statement of {SAVINGS!r} was ever imported: what is on it rests on the word of whoever typed it; import "
        "its statements"
    )
    assert said(town) == ([] if believed else [notice])
    first = [line(700, "x", DAY, bank_ref="V-1")]
    bring(town, statement(first, account=SAVINGS_IBAN, last=DAY + timedelta(days=1)))
    assert not reserve.report(town).by_word and said(town) == []


def test_what_nobody_has_on_such_an_account_needs_no_statement(town: Town, alice: Party) -> None:
    conversion.correct(town, typed(town, alice, 700, "V-1", DAY, SAVINGS).id)
    bring(town, statement([line(5_000, token(town, alice))]))
    towns.clock(town).forward(20 * 86_400)
    assert reserve.report(town).covered and said(town) == []


@pytest.mark.parametrize(("days", "named"), [(62, False), (63, True)])
def test_an_account_that_is_proved_up_to_a_day_long_ago(town: Town, alice: Party, days: int, named: bool) -> None:
    bring(town, statement([line(700, token(town, alice))], account=SAVINGS_IBAN))
    later(town, days)
    last = DAY + timedelta(days=days - 5)
    bring(town, statement([line(5_000, token(town, alice), last)]))
    report = reserve.report(town)
    shown = show(report, town.charter, translator("merchants", "fr"))
    assert report.covered  # a savings account has a statement a quarter
    assert shown.limits == (["Livret n’est prouvé que jusqu’au 10/06/2025."] if named else [])


@pytest.mark.parametrize("beside", [False, True])
def test_withdrawn_statements_prove_nothing(town: Town, alice: Party, beside: bool) -> None:
    """Not even of the days that they told: they were wrong."""
    typed(town, alice, 700, "V-1", DAY - timedelta(days=3))
    bring(town, statement([], 700, first=DAY, last=DAY))
    if beside:
        bring(town, statement([line(300, "don")], account=SAVINGS_IBAN))
        [one] = open_lines(town)
        place(town, one.line.id, Decision(way=Way.OWN))
    assert reserve.report(town).covered
    keeper = reserve.Keeper(town)
    keeper.report()
    withdrawing.withdraw(town, BANK)
    report = reserve.report(town)
    assert (report.covered, report.backed, report.outdated, report.proved_on) == (False, True, True, None)
    assert keeper.report() == report
    stamp = show(report, town.charter, translator("merchants", "en")).outdated
    assert stamp == "Statements withdrawn"
    assert said(town) == [
        f"the statements of {BANK!r} were withdrawn, and none came since: what the bank has nobody knows; import the "
        "true ones"
    ]
    bring(town, statement([], 700, first=DAY, last=DAY))
    assert reserve.report(town).covered and said(town) == []
