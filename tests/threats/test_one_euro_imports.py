"""Units imported into a currency at work: nobody passes on what no euro is behind, at the desk and in the commit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, select

from ledger.currency import conversion, importer, parties, reserve
from ledger.currency.audit.cover import MOVED_ON
from ledger.currency.audit.walk import audit
from ledger.currency.bank.statement import LineKind
from ledger.currency.errors import CurrencyError
from ledger.currency.import_accounts import Accounts
from ledger.currency.imported import open_reserve
from ledger.currency.tables import UNCOVERED_ACCOUNT
from ledger.currency.town import Town
from merchants.desk import Desk, Submission
from tests import towns
from tests.currency.bank import scene
from tests.threats.test_one_euro import imports, once
from tests.towns import CASH


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with scene.opened(tmp_path / "home", url) as made:
        yield made


def test_reserve_units_imported_into_a_currency_at_work(town: Town, tmp_path: Path) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00", "2,2024-02-02,asso,Zoé,7.00")
    report = reserve.report(town)
    assert (report.imported, report.covered, report.coverage_bp) == (5_700, False, 1_000 * 10_000 // 6_700)
    # The desk: nobody passes on what no euro is behind, nor what lies beside it.
    error = towns.refusal(town, towns.order(town, bob, shop.account, 100))
    assert (error.code, "have no euros behind them yet" in error.detail) == ("account_uncovered", True)
    assert audit(town).clean
    open_reserve(town, CASH, 5_700, "M1")
    towns.pay(town, bob, shop, 6_000)
    once(town, 6_700)


def test_reserve_check_finds_who_paid_all_the_same(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00")
    monkeypatch.setattr("ledger.currency.uncovered.held", lambda town, connection, accounts: set())
    id_ = towns.pay(town, bob, shop, 100)
    [found] = audit(town).findings
    assert (found.code, found.id) == ("account_uncovered", id_)
    assert f"account {bob.account:016x} paid before its imported units had euros behind them" in found.text


def test_reserve_an_import_between_the_desks_look_and_its_commit(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    limits = Desk._limits
    done: list[importer.Imported] = []

    def meanwhile(*args: object) -> None:
        if not done:
            done.append(imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00"))
        limits(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(Desk, "_limits", meanwhile)
    [result] = Desk(town).take([Submission(towns.order(town, bob, shop.account, 100))])
    assert isinstance(result, CurrencyError) and result.code == "account_uncovered"


def test_reserve_who_joins_while_it_runs_is_not_taken_from(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00", "2,2024-02-01,asso,Zoé,50.00")
    bob, take = parties.named(town, "Bob"), importer._Post._take

    def meanwhile(self: importer._Post, rows: object) -> None:
        if not joined:
            joined.append(towns.join(town, bob, "member", "Bob's"))
        take(self, rows)  # type: ignore[arg-type]

    joined: list[object] = []
    monkeypatch.setattr(importer._Post, "_take", meanwhile)
    with pytest.raises(importer.FileRefused) as caught:
        imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00", "2,2024-02-01,asso,Zoé,50.00",
                "3,2024-02-03,Bob,Zoé,20.00")  # fmt: skip
    assert caught.value.code == "import_stopped" and "has joined with a key" in caught.value.detail
    assert town.book.balance(bob.account) == 5_000


# --- who waits ----------------------------------------------------------------------------------------------


def waiting(town: Town) -> set[int]:
    with town.reading() as connection:
        return set(connection.scalars(select(UNCOVERED_ACCOUNT.c.account)))


def test_who_waits_is_what_the_log_says(town: Town, tmp_path: Path) -> None:
    bob, shop = towns.member(town, "person", "Bob"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00", "2,2024-02-02,asso,Zoé,7.00")
    assert len(waiting(town)) == 2 and audit(town).clean
    for change in (
        insert(UNCOVERED_ACCOUNT).values(account=shop.account, seq=5),
        delete(UNCOVERED_ACCOUNT).where(UNCOVERED_ACCOUNT.c.account == bob.account),
        delete(UNCOVERED_ACCOUNT),
    ):
        with town.engine.begin() as connection:
            before = connection.execute(select(UNCOVERED_ACCOUNT)).mappings().all()
            connection.execute(change)
        assert {one.code for one in audit(town).findings} == {"uncovered_differs"}
        with town.engine.begin() as connection:
            connection.execute(delete(UNCOVERED_ACCOUNT))
            connection.execute(insert(UNCOVERED_ACCOUNT), [dict(row) for row in before])
    assert audit(town).clean


def test_who_waits_when_imports_follow_each_other(town: Town, tmp_path: Path) -> None:
    """What was covered is forgotten by the next import; where issuers have nothing out, nobody waits."""
    imports(town, tmp_path, "1,2024-02-01,asso,Yann,50.00")
    open_reserve(town, CASH, 5_000, "M1")
    bob, zoe = towns.member(town, "person", "Bob"), towns.member(town, "person", "Zoé")
    conversion.convert(town, bob.party, 1_000, reserve=CASH, reference="S1")
    imports(town, tmp_path, "2,2024-02-01,Yann,Zoé,5.00")
    assert waiting(town) == {zoe.account} and audit(town).clean
    towns.pay(town, zoe, bob, 100)
    assert audit(town).clean
    imports(town, tmp_path, "3,2024-02-01,Yann,Bob,5.00", "4,2024-02-01,asso,Yann,5.00")
    assert zoe.account not in waiting(town) and len(waiting(town)) == 2 and audit(town).clean
    assert towns.refusal(town, towns.order(town, bob, zoe.account, 100)).code == "account_uncovered"
    imports(town, tmp_path, "5,2024-02-01,asso,Xavier,5.00")
    assert len(waiting(town)) == 3 and audit(town).clean
    open_reserve(town, CASH, 1_000, "M2")
    towns.pay(town, bob, zoe, 100)
    assert len(waiting(town)) == 3 and audit(town).clean
    imports(town, tmp_path, "6,2024-02-01,asso,Wanda,5.00")
    assert len(waiting(town)) == 1 and audit(town).clean


# --- from whom an import takes ------------------------------------------------------------------------------

TAKEN = "9,2024-06-01,Zoé,Mallory,10.00"


def at_work(town: Town, tmp_path: Path, opened: str) -> None:
    """Zoé, without a key, admitted by the office or opened by an import, has units; all is covered and works."""
    if opened == "by hand":
        parties.admit(town, "person", "Zoé")
    if opened != "by hand":
        imports(town, tmp_path, "1,2024-02-01,asso,Zoé,50.00")
        open_reserve(town, CASH, 5_000, "M1")
    if opened != "by import":
        zoe = parties.named(town, "Zoé")
        scene.bring(town, scene.statement([scene.line(5_000, scene.token(town, zoe), kind=LineKind.TRANSFER)]))
    else:
        conversion.convert(town, parties.admit(town, "person", "Bob"), 100, reserve=CASH, reference="S1")


@pytest.mark.parametrize("opened", ["by hand", "by import, then topped up"])
def test_an_import_takes_no_members_units_in_a_currency_at_work(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: str
) -> None:
    at_work(town, tmp_path, opened)
    with towns.nothing_moves(town), pytest.raises(importer.ImportRefused) as caught:
        imports(town, tmp_path, TAKEN)
    assert [(one.line, one.code) for one in caught.value.problems] == [(2, "account_members")]
    monkeypatch.setattr(Accounts, "_is_members", lambda *_args: False)
    monkeypatch.setattr(Accounts, "others_since", lambda *_args: False)
    imports(town, tmp_path, TAKEN)
    assert [one.code for one in audit(town).findings] == ["import_of_members"]


def test_what_only_imports_moved_an_import_may_move_on(town: Town, tmp_path: Path) -> None:
    at_work(town, tmp_path, "by import")
    imports(town, tmp_path, TAKEN, "10,2024-06-02,Mallory,Yann,3.00", "11,2024-06-02,asso,Yann,3.00")
    # Zoé's were covered, and hers to spend: `check` names them. What the import itself brought moves on unseen.
    audited = audit(town)
    assert audited.clean
    moved = [one.values for one in audited.notices if one.form == MOVED_ON]
    assert moved == [{"amount": 1_000, "account": parties.named(town, "Zoé").account}]


def test_before_a_currency_works_an_import_brings_its_past(town: Town, tmp_path: Path) -> None:
    parties.admit(town, "person", "Zoé")
    imports(town, tmp_path, "1,2024-02-01,asso,Zoé,50.00", TAKEN)
    assert audit(town).clean


def test_who_is_topped_up_while_it_runs_is_not_taken_from(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_work(town, tmp_path, "by import")
    zoe, since, given = parties.named(town, "Zoé"), Town.commit, list[object]()

    def commit(self: Town, *args: Any, **how: Any) -> Any:
        # The entries are made: Zoé is topped up before they are posted.
        if not given:
            given.append(0)
            conversion.convert(town, zoe, 700, reserve=CASH, reference="S2")
        return since(self, *args, **how)

    monkeypatch.setattr(Town, "commit", commit)
    with pytest.raises(importer.FileRefused) as caught:
        imports(town, tmp_path, TAKEN)
    assert caught.value.code == "import_stopped" and "line 2" in caught.value.detail
    assert town.book.balance(zoe.account) == 5_700
