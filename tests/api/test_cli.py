"""The `patard` command: what each prints for programs, how each refuses, and never a traceback."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import text

from api import cli
from api.commands import serving
from api.commands.console import CONSOLE
from api.home import open_town
from api.schemas.fields import rfc3339
from ledger.core import sqlite
from ledger.currency import conversion, parties
from ledger.currency.import_rows import KINDS
from ledger.currency.links import parse_link
from ledger.currency.town import Town
from merchants import codes
from tests import towns
from tests.towns import BANK, CASH

PATARD = Path(sys.executable).with_name("patard")
INIT = ("init", "--code", "PATARD", "--name", "Le Patard", "--bank", BANK, "--cash", CASH, "--fee-bp", "500",
        "--association", "L'association")  # fmt: skip


class Ran(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error, told as JSON on one line."""
        [line] = self.err.strip().splitlines()
        found: dict[str, Any] = json.loads(line)["error"]
        return found


Run = Callable[..., Ran]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command line in this process, with a home of its own; --json unless told otherwise."""
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("PATARD_DATABASE_URL", raising=False)

    def runner(*args: str, plain: bool = False) -> Ran:
        capsys.readouterr()
        code = cli.run([*args] if plain else [*args, "--json"])
        CONSOLE.as_json = False
        captured = capsys.readouterr()
        assert "Traceback" not in captured.err
        return Ran(code, captured.out, captured.err)

    return runner


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    """A currency made by `patard init`, with Alice and a bakery; closed, its home is that of `run`."""
    assert run(*INIT).code == 0
    assert run("party", "add", "person", "Alice Martin").code == 0
    assert run("party", "add", "shop", "Boulangerie").code == 0
    opened = open_town(tmp_path / "home")
    opened.book.close()
    return opened


def test_help_is_quick_and_narrow() -> None:
    run = subprocess.run([PATARD, "--help"], capture_output=True, text=True, env={**os.environ, "PATARD_LANG": "en"})
    assert run.returncode == 0
    assert max(map(len, run.stdout.splitlines())) <= 80
    names = ("sqlalchemy", "fastapi", "rich", "PIL", "psycopg")
    slow = f"import sys, api.cli; print([name for name in {names} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", slow], text=True).strip() == "[]"


def test_the_help_names_the_kinds_that_an_import_takes(run: Run) -> None:
    told = run("import", "--help", plain=True).out.split("--kinds")[1].split("--round")[0]
    assert re.findall(r"[a-z]{3,}", told)[-len(KINDS) :] == list(KINDS)


def test_both_languages(tmp_path: Path) -> None:
    for lang, word in (("fr", "patard init"), ("en", "there is no currency")):
        env = {**os.environ, "PATARD_LANG": lang, "PATARD_HOME": str(tmp_path / "none")}
        ran = subprocess.run([PATARD, "reserve"], capture_output=True, text=True, env=env)
        assert (ran.returncode, ran.stdout) == (3, "")
        assert word in ran.stderr and len(ran.stderr.splitlines()) == 1


def test_french_has_no_english_and_no_gender(tmp_path: Path) -> None:
    env = {**os.environ, "PATARD_LANG": "fr", "PATARD_HOME": str(tmp_path / "home")}
    told = subprocess.run([PATARD, "init"], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stderr
    assert "--bank ou --cash" in told and " or " not in told
    init = [str(PATARD), "init", "--code", "GON", "--name", "La Gonette", "--bank", BANK]
    told = subprocess.run(init, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stdout
    assert "La monnaie La Gonette est fondée dans " in told
    for page in ("--help", "convert --help", "bank suspense place --help"):
        told = subprocess.run([PATARD, *page.split()], capture_output=True, text=True, env=env).stdout
        assert told.startswith("Utilisation")
        assert not re.search(r"Usage|Options:|Arguments:|Commands|Show this|required", told)
    told = subprocess.run([PATARD, "convert", "--foo"], capture_output=True, text=True, env=env).stderr
    assert "L'option --foo n'existe pas." in told
    lost = [str(PATARD), "party", "close", "Nobody"]
    told = subprocess.run(lost, capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL).stderr
    assert "Cela n'existe pas" in told and "(" in told  # what it means in French, and exactly in English


# --- init ------------------------------------------------------------------------------------------------


def test_init_makes_a_currency(run: Run, tmp_path: Path) -> None:
    made = run(*INIT)
    assert made.code == 0
    assert re.fullmatch(r"[0-9A-Z]{5}-[0-9A-Z]{5}", made.json["join_code"])
    assert made.json["join_link"] == f"http://127.0.0.1:8000/J/{made.json['join_code']}"
    town = open_town(tmp_path / "home")
    assert town.charter.reconversion_fee_bp == 500 and [a.name for a in town.charter.reserve] == [BANK, CASH]
    _, party = parties.join(town, made.json["join_code"], towns.key_of("operator").public, "bureau")
    assert party.name == "L'association"
    town.book.close()
    again = run(*INIT)
    assert (again.code, again.error["code"]) == (3, "home_exists")


def test_init_with_everything(run: Run, tmp_path: Path) -> None:
    made = run(
        "init", "--code", "EUSKO", "--name", "L'Eusko", "--symbol", "ek", "--public-url", "https://pay.example.org",
        "--bank", "Crédit:FR76 3000 6000 0112 3456 7890 189", "--timezone", "Europe/Paris", "--per-payment", "500",
        "--per-day", "1000,50", "--network", "5a1e0c7d", "--reconversion-by", "shop,association",
    )  # fmt: skip
    assert made.code == 0 and made.json["network"] == "5a1e0c7d"
    charter = open_town(tmp_path / "home").charter
    assert (charter.limits.per_payment, charter.limits.per_day) == (50_000, 100_050)
    assert charter.reserve[0].iban == "FR7630006000011234567890189" and len(charter.reconversion_by) == 2


@pytest.mark.parametrize(
    ("code", "name", "args"),
    [
        (2, "usage", ("--name", "Le Patard", "--bank", "B")),
        (2, "usage", ("--code", "PATARD", "--name", "Le Patard")),
        (3, "charter_wrong", ("--code", "pa", "--name", "Le Patard", "--bank", "B")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "Le Patard", "--bank", "B", "--bank", "B")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", 'Le "Patard\n', "--bank", "B", "--timezone", "Mars/X")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "P", "--bank", "B", "--fee-bp", "-1")),
        (3, "charter_wrong", ("--code", "PATARD", "--name", "P", "--bank", "B", "--public-url", "http://example.org")),
    ],
)
def test_init_refuses(run: Run, tmp_path: Path, code: int, name: str, args: tuple[str, ...]) -> None:
    ran = run("init", *args)
    assert (ran.code, ran.error["code"]) == (code, name)
    assert not (tmp_path / "home" / "charter.toml").exists()


def test_init_asks_at_a_terminal(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["Le Doublon", "DOUBLON", "", "", "250", "Banque postale", "-", ""])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr(CONSOLE, "ask", lambda question, default="": next(answers) or default)
    assert run("init").code == 0
    charter = open_town(tmp_path / "home").charter
    assert (charter.name, charter.code, charter.symbol, charter.reconversion_fee_bp) == (
        "Le Doublon",
        "DOUBLON",
        "D",
        250,
    )
    assert [account.name for account in charter.reserve] == ["Banque postale"]


def test_init_completes_what_was_begun(run: Run, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "home" / "charter.toml").write_text(towns.charter().dumps())
    made = run("init")
    assert made.code == 0 and made.json["network"] == towns.NETWORK.hex()


# --- parties ---------------------------------------------------------------------------------------------


def test_parties(run: Run, town: Town) -> None:
    listed = run("party", "list")
    assert [(p["kind"], p["name"], p["balance_cents"]) for p in listed.json] == [
        ("person", "Alice Martin", 0), ("shop", "Boulangerie", 0), ("association", "L'association", 0)
    ]  # fmt: skip
    assert [p["name"] for p in run("party", "list", "--kind", "shop").json] == ["Boulangerie"]
    assert run("party", "list", "--kind", "bank").error["code"] == "party_kind_unknown"
    assert run("party", "close", "boulangerie").json["closed"] is True
    assert len(run("party", "list").json) == 2 and len(run("party", "list", "--all").json) == 3
    assert run("party", "add", "bank", "x").error["code"] == "party_kind_unknown"
    assert run("party", "close", "Zoé").error["code"] == "not_found"
    run("convert", "Alice Martin", "5", "--cash", "S1")
    ran = run("party", "close", "Alice Martin")
    assert (ran.code, ran.error["code"]) == (1, "account_not_empty")
    table = run("party", "list", plain=True).out
    assert "Alice Martin" in table and max(map(len, table.splitlines())) <= 80


def test_two_of_one_name(run: Run, town: Town) -> None:
    refused = run("party", "add", "shop", " boulangerie ")
    assert (refused.code, refused.error["code"]) == (1, "party_name_taken")
    assert "--again" in refused.error["message"]
    assert len(run("party", "list").json) == 3
    assert run("party", "add", "shop", "Boulangerie", "--again").code == 0
    person = run("party", "add", "person", "Alice Martin", plain=True)
    assert person.code == 0 and "Alice Martin" in person.err and len(person.err.splitlines()) == 1
    assert run("party", "add", "person", "Boulangerie", plain=True).err == ""
    assert run("party", "add", "shop", "Épicerie").code == 0
    assert run("party", "close", "Épicerie").code == 0
    assert run("party", "add", "shop", "Épicerie").code == 0, "a closed shop keeps no name"


def test_an_invitation_joins(run: Run, town: Town, tmp_path: Path) -> None:
    for who, role, wanted in (("Boulangerie", (), "owner"), ("Boulangerie", ("--role", "cashier"), "cashier"),
                              ("Alice Martin", (), "member"), ("L'association", (), "operator")):  # fmt: skip
        invited = run("invite", who, *role).json
        assert invited["role"] == wanted
        opened = open_town(tmp_path / "home")
        device, party = parties.join(opened, invited["code"], towns.key_of(f"{who} {wanted}").public, "x")
        assert (device.role, party.name) == (wanted, who)
        opened.book.close()
    assert run("invite", "Boulangerie", "--role", "king").error["code"] == "role_not_for_kind"


def test_an_invitation_as_a_picture(run: Run, town: Town, tmp_path: Path) -> None:
    shown = run("invite", "Boulangerie", plain=True).out
    assert "█" in shown and "/J/" in shown
    png = tmp_path / "code.png"
    invited = run("invite", "Boulangerie", "--png", str(png)).json
    assert codes.read(png.read_bytes()) == [invited["link"]]
    ran = run("invite", "Boulangerie", "--png", str(tmp_path / "none" / "x.png"))
    assert (ran.code, ran.error["code"]) == (2, "file_unwritable")


def test_a_lost_device_is_shut_out(run: Run, town: Town, tmp_path: Path) -> None:
    assert run("key", "list", "Boulangerie").json == []
    assert "Boulangerie" in run("key", "list", "Boulangerie", plain=True).out
    for label in ("Téléphone", "Tablette", "tablette"):
        code = run("invite", "Boulangerie").json["code"]
        opened = open_town(tmp_path / "home")
        parties.join(opened, code, towns.key_of(label).public, label)
        opened.book.close()
    phone, *tablets = (towns.key_of(label).public.hex() for label in ("Téléphone", "Tablette", "tablette"))
    listed = run("key", "list", "boulangerie").json
    assert [(key["key"], key["role"], key["revoked_at"]) for key in listed] == [
        (key, "owner", None) for key in (phone, *tablets)
    ]
    for which, name in (("tablette", "key_ambiguous"), ("", "key_unknown"), ("vélo", "key_unknown")):
        refused = run("key", "revoke", "Boulangerie", which)
        assert (refused.code, refused.error["code"]) == (1, name)
    assert run("key", "revoke", "Alice Martin", phone).error["code"] == "key_unknown"

    done = run("key", "revoke", "Boulangerie", tablets[0][:12].upper()).json
    assert (done["key"], done["replay"], done["keys_left"]) == (tablets[0], False, 2)
    assert run("key", "revoke", "Boulangerie", tablets[0]).json["replay"] is True
    assert run("key", "revoke", "Boulangerie", "TABLETTE").json["key"] == tablets[1]
    last = run("key", "revoke", "Boulangerie", "téléphone", plain=True)
    assert last.code == 0 and "patard invite " in last.out
    assert all(key["revoked_at"] for key in run("key", "list", "Boulangerie").json)
    table = run("key", "list", "Boulangerie", plain=True).out
    assert phone[:16] in table and max(map(len, table.splitlines())) <= 80
    assert run("check").json["ok"] is True


def test_a_code_to_print(run: Run, town: Town, tmp_path: Path) -> None:
    png, svg = tmp_path / "code.png", tmp_path / "code.svg"
    made = run("code", "Boulangerie", "--amount", "3,50", "--label", "Café", "--png", str(png), "--svg", str(svg)).json
    assert codes.read(png.read_bytes()) == [made["link"]]
    assert svg.read_text().startswith("<svg")
    signed = parse_link(made["link"]).signed
    assert (signed.request.amount, signed.request.label, signed.request.is_static) == (350, "Café", True)
    signed.verify(town.charter.network, town.key.public)
    assert run("code", "Boulangerie", "--amount", "3,50", "--label", "Café").json == made
    assert run("code", "Boulangerie").json["amount_cents"] == 0
    assert "█" in run("code", "Boulangerie", plain=True).out
    for args, code in ((("--amount", "0"), 2), (("--amount", "x"), 2), (("--label", "x" * 19), 1)):
        assert run("code", "Boulangerie", *args).code == code


# --- the office ------------------------------------------------------------------------------------------


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


# --- check and replay ------------------------------------------------------------------------------------


def damage(home: Path, *statements: str) -> None:
    engine = sqlite.open_engine(home / "book.db")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()


def test_a_clean_book(run: Run, town: Town) -> None:
    checked = run("check")
    assert checked.code == 0 and checked.json["ok"] is True and checked.json["findings"] == []
    head = town.book.head()
    assert (checked.json["seq"], checked.json["at"]) == (head.seq, rfc3339(head.at))
    assert f"l'écriture {head.seq}, du {rfc3339(head.at)}" in run("check", plain=True).out
    replayed = run("replay")
    assert replayed.code == 0 and replayed.json["root"] == checked.json["root"]
    assert run("check", plain=True).code == run("replay", plain=True).code == 0


def test_a_changed_row_is_found_and_the_transaction_named(run: Run, town: Town, tmp_path: Path) -> None:
    posted = run("convert", "Alice Martin", "50", "--cash", "S1").json
    damage(tmp_path / "home", "DROP TRIGGER transfer_no_change_update",
           "UPDATE transfer SET amount = amount + 100 WHERE place = (SELECT min(place) FROM transfer)")  # fmt: skip
    ran = run("check")
    assert (ran.code, ran.error["code"]) == (1, "findings")
    assert posted["id"] in {finding["transaction"] for finding in ran.json["findings"]}
    assert "guard_missing" in {finding["code"] for finding in ran.json["findings"]}
    assert posted["id"] in run("check", plain=True).out
    replayed = run("replay")
    assert (replayed.code, replayed.error["code"]) == (1, "differences")


def test_a_record_that_somebody_rewrote(run: Run, town: Town, tmp_path: Path) -> None:
    posted = run("convert", "Alice Martin", "50", "--cash", "S1").json
    damage(
        tmp_path / "home", "DROP TRIGGER log_no_change_update",
        "UPDATE log SET record = CAST(replace(CAST(record AS TEXT), '5000', '9000') AS BLOB) WHERE seq = "
        f"{posted['seq']}",
    )  # fmt: skip
    for command in ("check", "replay"):
        ran = run(command)
        assert ran.code == 1
    assert posted["id"] in {finding["transaction"] for finding in run("check").json["findings"]}


def test_what_only_the_audit_sees(run: Run, town: Town, tmp_path: Path) -> None:
    opened = open_town(tmp_path / "home")
    alice, shop = parties.named(opened, "Alice Martin"), parties.named(opened, "Boulangerie")
    posted = conversion.convert(opened, alice, 500, reserve=CASH, reference="S1")
    from ledger.core.model import Transaction, Transfer

    stolen = opened.post(Transaction(opened.new_id(), "bonus", (Transfer(alice.account, shop.account, 5, "PATARD"),)))
    opened.book.close()
    ran = run("check")
    assert ran.code == 1 and posted.seq < stolen.seq
    assert [(f["code"], f["transaction"]) for f in ran.json["findings"]] == [
        (code, stolen.id.hex()) for code in ("kind_unknown", "movement_unexplained")
    ]


def test_what_is_allowed_is_told_with_the_name(run: Run, town: Town, tmp_path: Path) -> None:
    opened = open_town(tmp_path / "home")
    alice = parties.named(opened, "Alice Martin")
    for device in ("one", "two"):
        parties.join(opened, parties.invite(opened, alice, "member"), towns.key_of(device).public, device)
    opened.book.close()
    assert alice.name not in run("check", plain=True).out
    ran = run("check", "--notices", plain=True)
    assert ran.code == 0 and f"account {alice.account:016x} (Alice Martin), which had one" in ran.out


def test_a_replay_that_is_kept(run: Run, town: Town, tmp_path: Path) -> None:
    kept = tmp_path / "copy.db"
    assert run("replay", "--into", str(kept)).json["into"] == str(kept)
    assert kept.exists()
    assert run("replay", "--into", str(kept)).code == 0
    run("party", "add", "person", "Bob")
    assert run("replay", "--into", str(kept)).code == 0


def test_a_book_that_is_no_book(run: Run, town: Town, tmp_path: Path) -> None:
    (tmp_path / "home" / "book.db").write_bytes(b"not a database" * 1000)
    for suffix in ("-wal", "-shm"):
        (tmp_path / "home" / f"book.db{suffix}").unlink(missing_ok=True)
    for command in ("check", "reserve", "replay"):
        ran = run(command)
        assert ran.code == 3 and ran.error["code"] != "internal", ran.err


# --- import ----------------------------------------------------------------------------------------------


def past(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "past.csv"
    file.write_text("\n".join(["id,at,from,to,amount,unit,kind", *lines]) + "\n")
    return str(file)


def test_an_import_with_its_euros(run: Run, town: Town, tmp_path: Path) -> None:
    file = past(
        tmp_path,
        "1,2024-01-01,asso,Alice Martin,90,PATARD,issue",
        "2,2024-01-02,Alice Martin,Le Bocal,10,PATARD,payment",
    )
    options = ("--issuer", "asso", "--shop", "Le Bocal", "--opening-reserve", f"{BANK}=90", "--reference", "releve-1")
    assert run("import", file, *options, "--dry-run").json["posted"] == 0
    done = run("import", file, *options)
    assert done.code == 0
    assert (done.json["posted"], done.json["imported_cents"], done.json["circulation_cents"]) == (2, 0, 9_000)
    again = run("import", file, *options)
    assert again.code == 0 and (again.json["posted"], again.json["stood"]) == (0, 2)
    assert {p["name"]: p["balance_cents"] for p in run("party", "list", "--kind", "shop").json}["Le Bocal"] == 1_000
    assert run("check").json["ok"] is True
    assert run("import", file, *options[:-4], "--opening-reserve", f"{BANK}=91", "--reference", "releve-1").code == 1


def test_an_import_that_is_refused_names_the_lines(run: Run, town: Town, tmp_path: Path) -> None:
    file = past(
        tmp_path, "1,2024-01-01,asso,asso,90,PATARD,issue", "2,2024-01-02,Alice Martin,Le Bocal,1.005,PATARD,payment"
    )
    ran = run("import", file, "--issuer", "asso")
    assert (ran.code, ran.error["code"]) == (1, "import_refused")
    assert [(p["line"], p["code"]) for p in ran.json["problems"]] == [(2, "self_transfer"), (3, "amount_decimals")]
    lines = run("import", file, "--issuer", "asso", plain=True).err.splitlines()
    assert len(lines) == 3 and "2" in lines[0] and "3" in lines[1]


@pytest.mark.parametrize(
    ("code", "args"),
    [
        (2, ("--round", "up")),
        (2, ("--opening-reserve", "Banque")),
        (2, ("--opening-reserve", "Coffre=5")),
        (2, ("--parties", "none.csv")),
        (1, ("--encoding", "klingon")),
    ],
)
def test_an_import_that_was_asked_for_wrongly(
    run: Run, town: Town, tmp_path: Path, code: int, args: tuple[str, ...]
) -> None:
    assert run("import", past(tmp_path), *args).code == code
    assert run("import", str(tmp_path / "none.csv")).code == 1


def test_kinds_of_parties_from_a_file_and_lines_from_a_pipe(run: Run, town: Town, tmp_path: Path) -> None:
    kinds = tmp_path / "kinds.csv"
    kinds.write_text('\ufeff"Le Bocal",shop\nMairie,public_body\n')
    with Path(
        past(tmp_path, "1,2024-01-01,asso,Le Bocal,9,PATARD,issue", "2,2024-01-01,asso,Mairie,9,PATARD,issue")
    ).open() as file:
        ran = subprocess.run(
            [PATARD, "import", "-", "--issuer", "asso", "--parties", str(kinds), "--json"], stdin=file,
            capture_output=True, text=True, env={**os.environ, "PATARD_HOME": str(tmp_path / "home")},
        )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    found = {p["name"]: p["kind"] for p in run("party", "list").json}
    assert (found["Le Bocal"], found["Mairie"]) == ("shop", "public_body")
    kinds.write_text("Le Bocal;shop\n")
    assert run("import", past(tmp_path), "--parties", str(kinds)).error["code"] == "party_kind_unknown"


# --- how it fails ----------------------------------------------------------------------------------------


def test_a_port_that_is_taken(run: Run, town: Town) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for command in ("serve", "demo"):
            ran = run(command, "--port", port, plain=True)
            assert ran.code == 3 and port in ran.err and len(ran.err.splitlines()) == 1
    assert run("serve", "--port", "99999", plain=True).code == 3


def test_another_port_than_that_of_the_codes_is_told(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "run", lambda *args: None)
    monkeypatch.setattr(serving, "require_free", lambda *args: None)
    assert run("serve", plain=True).err == ""
    assert "http://127.0.0.1:8000" in run("serve", "--port", "8001", plain=True).err


def test_a_name_alone_shows_the_help(run: Run) -> None:
    for args in ((), ("party",), ("key",)):
        ran = run(*args, plain=True)
        assert (ran.code, ran.out) == (2, "")
        assert ran.err == run(*args, "--help", plain=True).out


def test_wrong_usage_is_one_line(run: Run) -> None:
    for args in (
        ("bogus",),
        ("--bogus",),
        ("party",),
        ("convert", "--amount"),
        ("serve", "--port", "x"),
        ("party", "add", "shop"),
    ):
        ran = run(*args, plain=True)
        assert ran.code == 2, args
        assert args == ("party",) or len(ran.err.splitlines()) == 1, ran.err


def test_a_database_that_does_not_answer(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    for command in ("reserve", "check", "replay"):
        ran = run(command)
        assert ran.code == 3 and "secret" not in ran.err
        assert ran.error["code"] != "internal"
    monkeypatch.setenv("PATARD_DATABASE_URL", "mysql://x/y")
    assert run("reserve").error["code"] == "address_unknown"


def test_what_nobody_foresaw_is_one_line_too(run: Run, town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: object, **_named: object) -> None:
        raise RuntimeError("surprise")

    monkeypatch.setattr("ledger.currency.reserve.report", broken)
    ran = run("reserve")
    assert (ran.code, ran.error["code"]) == (3, "internal") and "surprise" in ran.error["message"]


def test_the_home_can_be_named(run: Run, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_HOME", "elsewhere")
    ran = run("--home", str(tmp_path / "home"), "party", "list")
    assert ran.code == 0 and len(ran.json) == 3


def test_version(run: Run) -> None:
    assert run("--version", plain=True).out.startswith("patard 0.")
