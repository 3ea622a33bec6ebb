"""`patard convert` and `reconversions`: euros in, units back, mistakes, the reserve."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.home import open_town
from ledger.currency import parties
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Run, begun
from tests.towns import BANK, CASH


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


def test_a_conversion(run: Run, town: Town) -> None:
    done = run("convert", "Alice Martin", "50", "--cash", "bon 17", "--date", "2025-06-15")
    assert done.code == 0
    assert (done.json["amount_cents"], done.json["reserve"], done.json["reference"]) == (5_000, CASH, "BON17")
    again = run("convert", "alice martin", "50,00", "--cash", "BON17", "--date", "2025-06-15")
    assert again.code == 0 and again.json == {**done.json, "replay": True}
    assert run("convert", "Alice Martin", "51", "--cash", "BON17").error["code"] == "conversion_taken"
    assert run("convert", "Alice Martin", "50", "--bank", "VIR1").json["balance_cents"] == 10_000
    report = run("reserve").json
    assert (report["circulation"], report["guarantee"], report["reserve"]) == (10_000,) * 3
    assert [bank["ledger"] for bank in report["banks"]] == [5_000, 5_000]
    assert report["covered"] is True


def test_a_mistyped_conversion_taken_back(run: Run, town: Town) -> None:
    made = run("convert", "Alice Martin", "500", "--cash", "S17").json
    assert "patard unconvert S17" in run("convert", "Alice Martin", "50", "--cash", "S17").error["message"]
    done = run("unconvert", "s 17")
    assert done.code == 0
    assert (done.json["corrects"], done.json["amount_cents"], done.json["balance_cents"]) == (made["id"], 50_000, 0)
    assert run("unconvert", "S17", "--reserve", CASH).json == {**done.json, "replay": True}
    assert "S17/2" in run("unconvert", "S17", plain=True).out
    assert run("convert", "Alice Martin", "50", "--cash", "S17/2").code == 0
    assert run("unconvert", "S18").error["code"] == "not_found"
    assert run("unconvert", "S17", "--reserve", BANK).error["code"] == "not_found"
    assert run("unconvert", "é").error["code"] == "reference_malformed"
    run("convert", "Alice Martin", "1", "--bank", "S17/2")
    both = run("unconvert", "S17/2")
    assert (both.code, both.error["code"]) == (2, "reserve_account_unknown")
    assert run("unconvert", "S17/2", "--reserve", BANK).code == 0
    assert run("check").json["ok"] is True


@pytest.mark.parametrize(
    ("code", "name", "args"),
    [
        (1, "not_covered", ("Alice Martin", "50")),
        (1, "not_covered", ("Alice Martin", "50", "--cash", "S1", "--euros", "49.99")),
        (1, "conversion_uneven", ("Alice Martin", "50", "--cash", "S1", "--euros", "50.01")),
        (2, "usage", ("Alice Martin", "50", "--cash", "S1", "--bank", "V1")),
        (2, "reserve_account_unknown", ("Alice Martin", "50", "--cash", "S1", "--reserve", BANK)),
        (1, "reference_malformed", ("Alice Martin", "50", "--cash", "é")),
        (1, "not_found", ("Bob", "50", "--cash", "S1")),
        (2, "amount_sign", ("Alice Martin", "--", "-50")),
        (2, "amount_malformed", ("Alice Martin", "0", "--cash", "S1")),
        (2, "amount_decimals", ("Alice Martin", "1.0005", "--cash", "S1")),
        (2, "date_malformed", ("Alice Martin", "50", "--cash", "S1", "--date", "yesterday")),
        (1, "date_future", ("Alice Martin", "50", "--cash", "S1", "--date", "2099-12-31")),
        (2, "date_outside", ("Alice Martin", "50", "--cash", "S1", "--date", "9999-12-31")),
        (2, "date_outside", ("Alice Martin", "50", "--cash", "S1", "--date", "0336-07-24")),
        (1, "amount_malformed", ("Alice Martin", "99999999", "--cash", "S1")),
        (2, "usage", ("Alice Martin",)),
    ],
)
def test_a_conversion_that_is_refused(run: Run, town: Town, code: int, name: str, args: tuple[str, ...]) -> None:
    args = (*args[:1], "--json", *args[1:]) if "--" in args else (*args, "--json")
    ran = run("convert", *args, plain=True)
    assert (ran.code, ran.error["code"]) == (code, name)
    assert run("reserve").json["circulation"] == 0


def test_no_unit_without_a_euro_in_words(run: Run, town: Town) -> None:
    ran = run("convert", "Alice Martin", "50", plain=True)
    assert ran.out == "" and ran.err.startswith("patard: ") and len(ran.err.splitlines()) == 1


def test_changing_back(run: Run, town: Town, tmp_path: Path) -> None:
    run("convert", "Boulangerie", "100", "--cash", "S1")
    opened = open_town(tmp_path / "home")
    party = parties.named(opened, "Boulangerie")
    shop = towns.Member(party, towns.join(opened, party, "owner", "till"))
    ids = [towns.ask_back(opened, shop, amount).hex() for amount in (4_000, 2_000)]
    opened.book.close()
    listed = run("reconvert", "list").json
    assert [(one["id"], one["amount_cents"], one["fee_cents"], one["payout_cents"]) for one in listed] == [
        (ids[0], 4_000, 200, 3_800), (ids[1], 2_000, 100, 1_900)
    ]  # fmt: skip
    assert ids[0][-8:] in run("reconvert", "list", plain=True).out
    assert run("reconvert", "accept", ids[0][-8:]).json["replay"] is False
    assert run("reconvert", "accept", ids[0]).json["replay"] is True
    assert run("reconvert", "refuse", ids[0]).error["code"] == "reconversion_decided"
    assert run("reconvert", "refuse", ids[1]).json["name"] == "Boulangerie"
    assert run("reconvert", "list").json == []
    for wrong in ("zz", "00" * 16, ids[0][-3:], ""):
        ran = run("reconvert", "accept", wrong)
        assert (ran.code, ran.error["code"]) == (1, "not_found")
    report = run("reserve").json
    assert (report["circulation"], report["payouts_due"], report["fees"]) == (6_000, 3_800, 200)
    assert run("reserve", plain=True).code == 0
    assert run("check").json["ok"] is True


def test_a_reserve_that_does_not_add_up_exits_with_1(run: Run, town: Town, tmp_path: Path) -> None:
    (tmp_path / "past.csv").write_text(
        "id,at,from,to,amount,unit,kind\n1,2024-01-01,asso,Alice Martin,9,PATARD,issue\n"
    )
    assert run("import", str(tmp_path / "past.csv"), "--issuer", "asso").code == 0
    ran = run("reserve")
    assert ran.code == 1 and ran.error["code"] == "not_covered"
    assert ran.json["covered"] is False and ran.json["imported"] == 900
