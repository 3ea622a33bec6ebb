"""The reserve report over HTTP and at the machine: the same sums everywhere, lines for auditors only."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from pypdf import PdfReader

from api import cli
from api.commands.console import CONSOLE
from api.home import open_town
from ledger.currency import conversion, parties
from ledger.currency.reserve import THRESHOLD
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, line, statement, token
from tests.served import Served, served
from tests.towns import BANK, Member

TYPED = "CHEQUE-118"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(tmp_path_factory.mktemp("reserve")) / "home"


@pytest.fixture(scope="module")
def town(home: Path) -> Iterator[Town]:
    """A top-up, a line that nobody placed, and a conversion that no statement has yet."""
    with scene.opened(home) as made:
        alice = parties.admit(made, "person", "Alice Martin")
        lines = [line(10_000, token(made, alice), name="MARTIN ALICE"), line(700, "DON ANONYME")]
        scene.bring(made, statement(lines))
        conversion.convert(made, alice, 2_500, reserve=BANK, reference=TYPED, booked_on=DAY.replace(day=12))
        yield made


@pytest.fixture(scope="module")
def auditor(town: Town) -> Member:
    return towns.member(town, "association", "Bureau", "auditor")


@pytest.fixture(scope="module")
def api(town: Town, auditor: Member) -> Iterator[Served]:
    with served(town) as made:
        yield made


def asked(api: Served, auditor: Member, path: str) -> httpx.Response:
    response = api.client.get(path, headers=api.session(auditor.key))
    assert response.status_code == 200, response.text
    return response


def test_auditors_see_each_line(api: Served, auditor: Member) -> None:
    report = asked(api, auditor, "/v1/reserve").json()
    assert (report["circulation"], report["guarantee"], report["suspense"], report["claims"]) == (
        12_500,
        12_500,
        700,
        0,
    )
    # What was typed ahead of the statement counts when the bank has it, and what is not placed is nobody's.
    assert (report["payouts_due"], report["covered"], report["coverage_bp"]) == (0, False, 8_000)
    assert (report["awaited"], report["unexplained"]) == (2_500, 0)
    [bank, savings, cash] = report["banks"]
    assert (bank["ledger"], bank["statement"], bank["statement_on"], bank["difference"]) == (
        13_200, 10_700, "2025-06-10", 2_500
    )  # fmt: skip
    assert (bank["proved"], bank["awaited"]) == (10_700, 2_500)
    [one] = bank["explanation"]
    assert one["until"] == "2025-06-25"
    assert (one["why"], one["amount"], one["on"], one["reference"]) == ("after_statement", 2_500, "2025-06-12", TYPED)
    assert bank["reasons"] == [{"why": "after_statement", "amount": 2_500}]
    assert (savings["liquid"], cash["statement"], cash["difference"], cash["explanation"]) == (False, None, None, [])
    assert report["months"] == [{"month": "2025-06", "conversions": 12_500, "reconversions": 0, "circulation": 12_500}]
    assert (report["year"]["total"], report["year"]["threshold"]) == (12_500, THRESHOLD)


def test_everybody_sees_the_same_sums_and_no_line(api: Served, auditor: Member, town: Town) -> None:
    everything = asked(api, auditor, "/v1/reserve").json()
    public = api.client.get("/v1/reserve/public").json()
    for bank in everything["banks"]:
        del bank["explanation"]
    assert public == everything
    page = api.client.get("/reserve").text
    for said in (json.dumps(public), page):
        assert TYPED not in said and "Martin" not in said and "MARTIN" not in said
        assert scene.IBAN not in said


def test_the_public_report_is_a_minute_old_at_most_and_that_of_auditors_is_not(
    api: Served, auditor: Member, town: Town
) -> None:
    before = api.client.get("/v1/reserve/public").json()
    towns.member(town, "shop", "Boulangerie")
    assert asked(api, auditor, "/v1/reserve").json()["size"] > before["size"]
    fresh = api.client.get("/v1/reserve/public").json()
    towns.member(town, "shop", "Brasserie")
    assert api.client.get("/v1/reserve/public").json() == fresh
    towns.clock(town).forward(61)
    assert api.client.get("/v1/reserve/public").json()["size"] == town.book.head().seq


@pytest.mark.parametrize(("lang", "said"), [("fr", "L’écart, ligne par ligne"), ("en", "The difference, line by line")])
def test_the_office_s_piece_of_a_page(api: Served, auditor: Member, lang: str, said: str) -> None:
    response = asked(api, auditor, f"/v1/reserve/fragment?lang={lang}")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in response.headers["content-security-policy"]
    assert said in response.text and TYPED in response.text
    assert "<html" not in response.text and "<script" not in response.text and "style=" not in response.text


def test_an_unknown_language_is_refused(api: Served, auditor: Member) -> None:
    response = api.client.get("/v1/reserve/pdf?lang=de", headers=api.session(auditor.key))
    assert response.status_code == 422


def test_on_paper(api: Served, auditor: Member, town: Town) -> None:
    response = asked(api, auditor, "/v1/reserve/pdf?lang=en")
    assert response.headers["content-type"] == "application/pdf"
    assert 'filename="patard-reserve-2025-06-15.pdf"' in response.headers["content-disposition"]
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(response.content)).pages)
    assert TYPED in text and town.book.head().root.hex() in text


# --- at the machine --------------------------------------------------------------------------------------


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Machine = Callable[..., Ran]


@pytest.fixture
def machine(town: Town, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Machine:
    """Runs `patard reserve` on the same town."""
    monkeypatch.setenv("PATARD_HOME", str(home))
    # By the town's clock: by that of this machine, what was typed is long overdue.
    monkeypatch.setattr("api.commands.opened.open_town", partial(open_town, clock=town.book.clock))
    monkeypatch.delenv("PATARD_DATABASE_URL", raising=False)

    def ran(*args: str) -> Ran:
        capsys.readouterr()
        code = cli.run(["reserve", *args])
        CONSOLE.as_json = False
        return Ran(code, *capsys.readouterr())

    return ran


def test_the_machine_gives_what_the_api_gives(api: Served, auditor: Member, machine: Machine) -> None:
    served_, typed = asked(api, auditor, "/v1/reserve").json(), json.loads(machine("--json").out)
    for report in (served_, typed):
        for name in ("on", "months", "year"):  # by the clock of this machine, which is not the town's
            del report[name]
    assert typed == served_


def test_the_machine_shows_it_in_80_columns(machine: Machine) -> None:
    short, long = machine(), machine("--lines")
    assert short.code == long.code == 0
    assert max(len(text) for text in (short.out + long.out).splitlines()) <= 80
    assert TYPED in long.out and TYPED not in short.out
    for sum_ in ("125,00\u202fP", "132,00\u202f€", "107,00\u202f€", "+25,00\u202f€", "80,00\u202f%"):
        assert sum_ in short.out and sum_ in long.out
    assert "  garantie <= " in short.out  # what its sums are of
    assert "frais compris" in short.out


def test_the_machine_writes_it_on_paper(machine: Machine, tmp_path: Path) -> None:
    file = tmp_path / "reserve.pdf"
    assert machine("--pdf", str(file)).code == 0
    assert TYPED in "".join(page.extract_text() for page in PdfReader(file).pages)
    refused = machine("--pdf", str(tmp_path / "nowhere" / "reserve.pdf"), "--json")
    assert (refused.code, json.loads(refused.err)["error"]["code"], refused.out) == (2, "file_unwritable", "")
