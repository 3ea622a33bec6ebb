"""Which number each account has: the charter's, or the usual one, never the same twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ledger.currency import chartered
from ledger.currency.accounts import pcg
from ledger.currency.accounts.plan import ROLES, Plan, plain
from ledger.currency.charter import Bookkeeping, Charter, ReserveAccount, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns


def account(name: str, kind: str = "bank", number: str | None = None) -> ReserveAccount:
    return ReserveAccount(name=name, kind=ReserveKind(kind), number=number)


def plan(tmp_path: Path, *reserve: ReserveAccount, **numbers: Any) -> Plan:
    town = towns.found(tmp_path / "home", towns.charter(reserve=reserve, bookkeeping=Bookkeeping(**numbers)))
    try:
        return Plan.of(town)
    finally:
        town.book.close()


def changed(town: Town, charter: Charter) -> Town:
    """The town after its charter was changed, as opening it does."""
    other = Town(charter, town.book, town.key, town.engine, town.machine)
    chartered.keep(other, chartered.latest(other))
    other.found()
    return other


def test_the_usual_numbers_step_around_those_that_are_taken(tmp_path: Path) -> None:
    found = plan(
        tmp_path, account("A"), account("B"), account("C"), account("D", number="5122"), account("E"),
        account("F", "cash"), account("G", "cash"), account("H", "cash", "5302"),
    )  # fmt: skip
    # 5123 is that of operations.
    assert found.reserve == {
        "A": "5121", "B": "5124", "C": "5125", "D": "5122", "E": "5126", "F": "530", "G": "5303", "H": "5302"
    }  # fmt: skip
    assert (found.transit, found.holders, found.siren) == ("580", "46881", "")


def test_a_new_account_renumbers_no_other(tmp_path: Path) -> None:
    town = towns.found(tmp_path / "home", towns.charter(reserve=(account("A"), account("B"))))
    town = changed(town, towns.charter(reserve=(account("C"), account("B"), account("A"))))
    assert Plan.of(town).reserve == {"A": "5121", "B": "5122", "C": "5124"}
    town.book.close()


@pytest.mark.parametrize(
    ("reserve", "numbers", "named"),
    [
        ((account("A", number="51"), account("B", number="510")), {}, "'A' and 'B' have the same number 510"),
        ((account("A", number="5123"),), {}, "'operations' and 'A'"),
        ((account("A"),), {"claims": "471"}, "'suspense' and 'claims'"),
        ((account("A", number="58"),), {"transit": "580"}, "'transit' and 'A' have the same number 580"),
        ((account("A", number="51A"),), {}, "51A of 'A' does not begin with 3 digits"),
    ],
)
def test_numbers_that_cannot_be_used(
    tmp_path: Path, reserve: tuple[ReserveAccount, ...], numbers: dict[str, str], named: str
) -> None:
    with pytest.raises(CurrencyError) as caught:
        plan(tmp_path, *reserve, **numbers)
    assert caught.value.code == "accounts_numbers" and named in caught.value.detail


def test_a_plan_is_kept_as_text(tmp_path: Path) -> None:
    found = plan(tmp_path, account("Crédit « coop » | été"), fees="7061", siren="123456782")
    assert Plan.loads(found.dumps()) == found
    for text in ("{}", "[]", "x", found.dumps().replace("fees", "fee")):
        with pytest.raises(ValueError):
            Plan.loads(text)


def test_labels_begin_with_the_title_of_the_chart_of_accounts(tmp_path: Path) -> None:
    found = plan(tmp_path, account("A|B"), account("Placements", number="508"), fees="7588")
    labels = {used.number: used.label for used in found.uses()}
    assert len(labels) == len(ROLES) + 2
    assert labels["46881"] == "Divers comptes créditeurs et charges à payer : unités des adhérents"
    assert labels["5121"] == "Banques : A/B"
    assert labels["508"] == "Valeurs mobilières de placement : Placements"
    assert labels["7588"] == "Indemnités et autres produits : contributions de reconversion"


def test_every_number_has_a_title_and_a_side() -> None:
    for number in range(100, 900):
        assert pcg.title(str(number)) and pcg.side(str(number)) in (pcg.DEBIT, pcg.CREDIT)
    debit = {number for number in ("5121", "530", "580", "467", "411", "627") if pcg.side(number) == pcg.DEBIT}
    credit = {number for number in ("46881", "471", "706", "110", "4191") if pcg.side(number) == pcg.CREDIT}
    assert len(debit) == 6 and len(credit) == 5


@pytest.mark.parametrize(("text", "cleaned"), [("a|b", "a/b"), ("a\tb\r\nc", "a b  c"), ("a\x85b", "a b"), ("é", "é")])
def test_texts_hold_no_separator(text: str, cleaned: str) -> None:
    assert plain(text) == cleaned
