"""`patard payouts` and `patard party iban`: from what is due to a file for the bank, and its answer."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.commands.console import Exit
from api.home import open_town
from ledger.currency import clocked, conversion, parties, proofs
from ledger.currency.bank.payouts import approval, batches
from ledger.currency.town import Town
from tests import towns
from tests.api.command import Run
from tests.currency.bank import paying, scene
from tests.currency.bank.scene import IBAN as OURS
from tests.currency.bank.test_payees import found
from tests.currency.bank.test_payout_answers import answer
from tests.towns import BANK, Member

INIT = ("init", "--code", "PATARD", "--name", "Le Patard", "--bank", f"{BANK}:{OURS}", "--fee-bp", "500",
        "--association", "L'association")  # fmt: skip
IBAN = "DE89370400440532013000"


@pytest.fixture
def home(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A currency made by `patard init`, and a bakery to which 95.00 are owed."""
    monkeypatch.chdir(tmp_path)
    for command in (INIT, ("party", "add", "shop", "Boulangerie"), ("party", "add", "person", "Alice Martin"),
                    ("convert", "Boulangerie", "100", "--bank", "V1")):  # fmt: skip
        assert run(*command).code == 0
    with opened(tmp_path / "home") as town:
        shop = Member(parties.named(town, "Boulangerie"), towns.key_of("shop"))
        parties.join(town, parties.invite(town, shop.party, "owner"), shop.key.public, "shop")
        asked = conversion.find_asked(town, towns.ask_back(town, shop, 10_000))
        conversion.accept(town, asked)
    return tmp_path / "home"


class opened:
    """The town of a folder, for as long as it is needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Town:
        self.town = open_town(self.folder)
        return self.town

    def __exit__(self, *_: object) -> None:
        self.town.book.close()


def sign(run: Run, home: Path, number: str, *more: str) -> None:
    """Sign a file with the key of a treasurer that `patard invite` made a code for."""
    code = run("invite", "L'association", "--role", "treasurer", *more).json["code"]
    key = towns.key_of(f"treasurer {code}")
    with opened(home) as town:
        device, _party = parties.join(town, code, key.public, "PC")
        batch = batches.find(town, number)
        signature = proofs.sign_payouts(
            key, town.charter.network, batch.id, batch.sha256, batch.total, batch.transfers
        )  # fmt: skip
        approval.sign(town, batch, device, signature)


def test_from_what_is_due_to_the_bank_and_back(run: Run, home: Path) -> None:
    [due] = run("payouts", "list").json["due"]
    assert (due["amount_cents"], due["iban"], due["batch"]) == (9_500, "", None)
    assert "patard party iban" in run("payouts", "list", plain=True).out
    none = run("payouts", "order")
    assert (none.code, none.error["code"]) == (Exit.REFUSED, "payouts_none")
    assert run("party", "iban", "boulangerie").json["iban"] is None
    assert run("party", "iban", "boulangerie", "DE89 3704 0044 0532 0130 00").json["iban"] == IBAN
    made = run("payouts", "order").json
    assert (made["number"], made["total_cents"], made["state"], made["left_out"]) == (1, 9_500, "ordered", [])
    shown = run("payouts", "show", "1", plain=True).out
    assert "wallet payouts --sign 1" in shown and "aucune signature sur 1" in shown and "par un trésorier," in shown
    early = run("payouts", "file", "1", "--out", "early.xml")
    assert (early.code, early.error["code"]) == (Exit.REFUSED, "payouts_unsigned")
    assert not Path("early.xml").exists()
    sign(run, home, "1", "--person", "alice martin")
    [shown] = run("payouts", "show", "1").json["transfers_list"]
    assert (shown["name"], shown["iban"], shown["look"]) == ("Boulangerie", IBAN, "new")
    written = run("payouts", "file", "1").json
    assert Path(written["file"]).name == f"{made['message']}.xml"
    assert made["message"].encode() in Path(written["file"]).read_bytes()
    again = run("payouts", "file", "1", "--out", "again.xml")
    assert (again.code, again.error["code"]) == (Exit.REFUSED, "payouts_fetched")
    assert run("payouts", "file", "1").error["code"] == "file_exists"
    assert run("payouts", "file", "1", "--again", "--out", "again.xml").code == 0
    assert Path("again.xml").read_bytes() == Path(written["file"]).read_bytes()
    assert run("payouts", "list").json["batches"][0]["state"] == "fetched"
    keys = run("key", "list", "L'association").json
    assert [key["person"] for key in keys] == ["Alice Martin"]
    # Before it pays, the bank says whose account it is: that is shown, here and beside the payout, and nothing moves.
    Path("vop.xml").write_bytes(found(made["message"], (due["reference"], "RVMC", ["BOULANGERIE & FILS"])))
    told = run("bank", "import", "vop.xml", plain=True)
    assert told.code == 0 and "presque le titulaire : BOULANGERIE & FILS" in told.out
    assert "rejeté" not in told.out and "Rien n'a été rendu" in told.out and "Demandez au commerce" in told.err
    payee = {"outcome": "close_match", "name": "BOULANGERIE & FILS"}
    [answered] = run("bank", "import", "vop.xml").json["answers"]
    assert answered["payees"] == [{"reference": due["reference"], **payee}] and answered["rejected"] == []
    assert run("payouts", "show", "1").json["transfers_list"][0]["payee"] == payee
    assert run("payouts", "list").json["due"][0]["payee"] == payee
    assert "presque le titulaire" in run("payouts", "show", "1", plain=True).out
    # The bank will not pay it, says so, and says it again.
    Path("answer.xml").write_bytes(answer(made["message"], due["reference"].replace("-", ""), amount=9_500))
    done = run("bank", "import", "answer.xml")
    assert (done.code, done.json["answers"][0]["rejected"]) == (0, [due["reference"]])
    assert run("payouts", "reject", due["reference"], "--reason", "ac04").json["replay"] is True
    assert run("payouts", "list").json == {"due": [], "batches": []}
    assert [one["state"] for one in run("payouts", "list", "--all").json["batches"]] == ["settled"]
    [shop] = [one for one in run("party", "list").json if one["name"] == "Boulangerie"]
    assert shop["balance_cents"] == 10_000
    assert run("check").code == 0


def test_who_said_that_the_bank_will_not_execute_it(run: Run, tmp_path: Path) -> None:
    with scene.opened(tmp_path / "home") as town:
        settled = paying.settle(town)
        payout = paying.accept(town, settled.shops[0], 200_000)
        paying.sent(settled)
    with opened(tmp_path / "home") as town:
        clocked.confirm(town)  # that town's own stood still
    for _ in range(2):
        assert run("payouts", "reject", payout.reference).json["waits"] is True
    [due] = run("payouts", "list").json["due"]
    assert due["rejected_by"] == ["somebody at the machine"]
    shown = run("payouts", "list", plain=True).out
    assert "dit quelqu'un sur la machine. Quelqu'un d'autre doit le dire aussi" in shown
    with opened(tmp_path / "home") as town:
        paying.refuse(town, payout, settled.bob)
    assert run("payouts", "list").json["due"] == []


def test_a_file_is_given_up(run: Run, home: Path) -> None:
    run("party", "iban", "Boulangerie", IBAN, "--holder", "Boulangerie SARL")
    run("payouts", "order")
    [due] = run("payouts", "list").json["due"]
    assert (due["to"], due["batch"]) == ("Boulangerie SARL", 1)
    rejected = run("payouts", "reject", due["reference"])
    assert (rejected.code, rejected.error["code"]) == (Exit.REFUSED, "payout_ordered")
    assert run("payouts", "withdraw", "1").json["state"] == "withdrawn"
    assert run("payouts", "order", "--on", "2025-01-01").error["code"] == "payouts_date"
    assert run("payouts", "order", "--on", "soon").code == Exit.USAGE
    assert run("payouts", "order").json["number"] == 2
    sign(run, home, "2")
    assert run("payouts", "file", "2").code == 0
    assert run("payouts", "withdraw", "2").error["code"] == "payouts_fetched"
    # The bank refuses it as a whole: nothing is undone, and the command says what to do.
    message = run("payouts", "show", "2").json["message"]
    Path("answer.xml").write_bytes(answer(message, status="RJCT", reason="FF01"))
    refused = run("bank", "import", "answer.xml", plain=True)
    assert refused.code == Exit.REFUSED and "withdraw 2 --refused" in refused.err
    assert run("payouts", "withdraw", "2", "--refused").code == 0
    again = run("payouts", "order", plain=True).out
    assert "Fichier 3 : 1 virement" in again and "vérifie toujours le nom d'un fichier d'un seul virement" in again
    assert run("party", "iban", "Boulangerie", "--remove").json["iban"] is None


def test_refusals(run: Run, home: Path) -> None:
    for command, code in (
        (("payouts", "show", "7"), "not_found"), (("payouts", "file", "x"), "not_found"),
        (("payouts", "reject", "0000000000"), "not_found"), (("party", "iban", "Boulangerie", "FR76"), "iban_wrong"),
        (("party", "iban", "Boulangerie", OURS), "iban_own"),
        (("party", "iban", "Boulangerie", "TN59 1000 6035 1835 9847 8831"), "iban_outside"),
        (("invite", "L'association", "--role", "treasurer", "--person", "Boulangerie"), "person_wrong"),
        (("invite", "L'association", "--role", "treasurer", "--person", "Nobody"), "not_found"),
    ):  # fmt: skip
        ran = run(*command)
        assert (ran.code, ran.error["code"]) == (Exit.REFUSED, code)


def test_a_file_that_cannot_be_written_is_not_noted_as_fetched(run: Run, home: Path) -> None:
    run("party", "iban", "Boulangerie", IBAN)
    run("payouts", "order")
    sign(run, home, "1")
    assert run("payouts", "file", "1", "--out", "nowhere/file.xml").code == Exit.UNUSABLE
    assert run("payouts", "list").json["batches"][0]["state"] == "signed"
    assert run("payouts", "file", "1").code == 0
