"""A statement proves what was there on its last day; from long ago, it proves nothing of today."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency import reserve
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
