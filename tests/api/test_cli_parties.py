"""`patard party`, `invite` and `key`: who is a member, whose devices act for them, codes to print."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.home import open_town
from ledger.currency import parties
from ledger.currency.keys import shown_key
from ledger.currency.links import parse_link
from ledger.currency.town import Town
from merchants import codes
from tests import towns
from tests.api.command import INIT, Run, begun


@pytest.fixture
def town(run: Run, tmp_path: Path) -> Town:
    return begun(run, tmp_path / "home")


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
    assert "particulier" in table and "person" not in table  # one types `--kind person`, and reads French
    assert "Alice Martin" in table and max(map(len, table.splitlines())) <= 80


def test_names_are_listed_as_french_sorts(run: Run, town: Town) -> None:
    for name in ("Zoé", "Épicerie", "Œuvre", "ferme du lac", "Café"):
        assert run("party", "add", "shop", name).code == 0
    names = [party["name"] for party in run("party", "list", "--kind", "shop").json]
    assert names == ["Boulangerie", "Café", "Épicerie", "ferme du lac", "Œuvre", "Zoé"]


def test_two_of_one_name(run: Run, town: Town) -> None:
    refused = run("party", "add", "shop", " boulangerie ")
    assert (refused.code, refused.error["code"]) == (1, "party_name_taken")
    assert "--again" in refused.error["message"]
    assert len(run("party", "list").json) == 3
    assert run("party", "add", "shop", "Boulangerie", "--again").code == 0
    for name in ("Alice Martin", "ALICE  MARTIN"):
        person = run("party", "add", "person", name)
        assert (person.code, person.error["code"]) == (1, "party_name_taken"), "a person's name stands as a shop's does"
    person = run("party", "add", "person", "Alice Martin", "--again", plain=True)
    assert person.code == 0 and "Alice Martin" in person.err and len(person.err.splitlines()) == 1
    assert run("party", "add", "person", "Boulangerie", plain=True).err == ""
    assert run("party", "add", "shop", "Épicerie").code == 0
    assert run("party", "close", "Épicerie").code == 0
    assert run("party", "add", "shop", "Épicerie").code == 0, "a closed shop keeps no name"


def test_a_name_however_it_is_typed(run: Run, town: Town) -> None:
    """Two blanks, accents made of two characters, another apostrophe: whoever was admitted is found, and once."""
    assert run("party", "add", "shop", "L\u2019Épicerie  d\u2019Hélène").json["name"] == "L\u2019Épicerie d\u2019Hélène"
    for typed in (
        "L\u2019Épicerie  d\u2019Hélène", "l'épicerie d'hélène", "L'E\u0301picerie d'He\u0301le\u0300ne",
        " L'ÉPICERIE\u00a0D'HÉLÈNE ", "l'e\u0301picerie\u202f d\u02bche\u0301lène",
    ):  # fmt: skip
        assert run("invite", typed).code == 0, typed
        assert run("party", "add", "shop", typed).error["code"] == "party_name_taken", typed
    for other in ("L'Epicerie d'Helene", "L'Épicerie dHélène", "L'Épicerie d'Hélène 2"):
        assert run("invite", other).error["code"] == "not_found", other
    assert "L\u2019Épicerie d\u2019Hélène" in run("invite", "e\u0301picerie").error["message"]


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


@pytest.mark.parametrize(
    ("who", "role", "door", "other"),
    [
        ("Boulangerie", None, "wallet join", "/till"), ("Boulangerie", "cashier", "/till", "wallet join"),
        ("Alice Martin", None, "wallet join", "/till"), ("L'association", "treasurer", "/office", "/till"),
    ],
)  # fmt: skip
def test_an_invitation_says_which_door_it_opens(
    run: Run, town: Town, who: str, role: str | None, door: str, other: str
) -> None:
    """What `init` and `party add` go on to is a code for a till where a till is meant: it takes, and pays nothing."""
    shown = run("invite", who, *(("--role", role) if role else ()), plain=True).out
    assert door in shown and other not in shown
    assert "treasurer" not in shown


def test_what_comes_next_is_right(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATARD_HOME", str(tmp_path / "another"))
    made = run(*INIT, plain=True)
    assert next(line for line in made.out.splitlines() if "patard invite" in line).endswith("--role cashier")
    shop, person = (run("party", "add", kind, f"Chez {kind}", plain=True).out for kind in ("shop", "person"))
    assert "--role cashier" in shop and "--role cashier" not in person


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
    table = run("key", "list", "boulangerie", plain=True).out
    assert "propriétaire" in table and "owner" not in table
    assert run("key", "revoke", tablets[0]).error["code"] == "usage"
    assert all(shown_key(bytes.fromhex(key)) in table for key in (phone, *tablets))
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
