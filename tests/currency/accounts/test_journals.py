"""The journals for hledger, ledger-cli and beancount: the programs accept each year and several together, to the cent;
and the CSV sums to the balance.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date
from io import StringIO
from pathlib import Path

import pytest

from ledger.core.ids import account_text
from ledger.currency import conversion, parties
from ledger.currency.accounts import pcg
from ledger.currency.accounts.sheet import COLUMNS
from ledger.currency.charter import ReserveAccount, ReserveKind
from ledger.currency.town import Town
from tests import towns
from tests.currency.accounts import scene
from tests.currency.accounts.conftest import Judge
from tests.currency.accounts.scene import balances, text
from tests.towns import CASH

ENDINGS = {"hledger": "journal", "beancount": "beancount"}
PROGRAMS = {"hledger": "hledger", "ledger_cli": "hledger", "bean_check": "beancount"}
"""Programs, and the form that each reads."""


@pytest.fixture(params=PROGRAMS)
def judge(request: pytest.FixtureRequest) -> Judge:
    """One of the programs after the other; the test has the form that it reads as `form`."""
    found: Judge = request.getfixturevalue(request.param)
    return found


@pytest.fixture
def form(request: pytest.FixtureRequest) -> str:
    return PROGRAMS[request.node.callspec.params["judge"]]


def refusal(judge: Judge, file: Path, content: str) -> str:
    """What the program says against a journal; "" where it accepts it."""
    file.write_text(content, encoding="utf-8")
    done = judge(file)
    assert bool(done.returncode) == bool(done.stdout + done.stderr)
    return done.stdout + done.stderr


@pytest.mark.parametrize("names", [False, True])
def test_the_programs_accept_them(busy: Town, tmp_path: Path, judge: Judge, form: str, names: bool) -> None:
    """Each year alone, and both together: put one behind the other, or included by a third file."""
    both = [text(busy, form, year, names=names) for year in ("2025", "2026")]
    ending = ENDINGS[form]
    for year, content in zip(("2025", "2026"), both, strict=True):
        assert refusal(judge, tmp_path / f"{year}.{ending}", content) == ""
    if form == "hledger":
        assert refusal(judge, tmp_path / f"both.{ending}", "".join(both)) == ""
        union = f"include 2025.{ending}\ninclude 2026.{ending}\n"
    else:
        plugin = re.search("^plugin .*", both[0], re.MULTILINE)
        assert plugin is not None
        union = f'{plugin[0]}\ninclude "2025.{ending}"\ninclude "2026.{ending}"\n'
    assert refusal(judge, tmp_path / f"union.{ending}", union) == ""


POSTING = {"hledger": r"^    ([^;\n]+?)  (-?[0-9.]+) EUR$", "beancount": r"^  (\S+)  (-?[0-9.]+) EUR$"}


def postings(form: str, content: str) -> Counter[str]:
    """What each account comes to, in cents, by the account's number (or its holder's)."""
    found: Counter[str] = Counter()
    for account, amount in re.findall(POSTING[form], content, re.MULTILINE):
        number = re.findall(r"[0-9A-Z]{5}-[0-9A-Z]{5}-[0-9A-Z]{4}|(?<![0-9A-Z-])[0-9]{3,}", account)[-1]
        found[number] += cents(amount)
    return found


@pytest.mark.parametrize("form", ENDINGS)
def test_years_together_are_one(busy: Town, form: str) -> None:
    """What a year hands on counts once: together they hold what the last one does, and the results of both."""
    first, last = (balances(text(busy, "fec", year)) for year in ("2025", "2026"))
    expected = {auxiliary or number: total for (number, auxiliary), total in last.items() if number != "110"}
    expected["706"] += first["706", ""]
    assert first["706", ""] and last["110", ""] == first["706", ""]
    found = postings(form, text(busy, form, "2025"))
    found.update(postings(form, text(busy, form, "2026")))
    assert {key: total for key, total in found.items() if total} == {
        key: sum_ for key, sum_ in expected.items() if sum_
    }


def test_a_year_that_goes_on_is_not_closed(town: Town, busy: Town) -> None:
    assert "clopen" in text(busy, "hledger", "2025")
    content = text(busy, "hledger", "2026")
    assert "; clopen: 2026-01-01" in content and "clopen: 2027" not in content
    conversion.convert(town, scene.cast(town)[0].party, 100, reserve=CASH, reference="S1")
    assert "exercice suivant" not in text(town, "hledger") + text(town, "beancount")
    scene.days(town, 200)
    for form in ENDINGS:
        assert re.search(r"^2026-01-01 \* .*exercice suivant", text(town, form, "2025"), re.MULTILINE)


CHANGES = {
    "a balance": (r"(EUR = 250\.0|balance \S+  250\.0)0", r"\g<1>1"),
    "a line": (r"300\.00 EUR", "300.01 EUR"),
    "a payment": (r"90\.00 EUR\n(.*)-90\.00 EUR", r"89.99 EUR\n\g<1>-89.99 EUR"),
}
"""One cent more or less somewhere."""


@pytest.mark.parametrize("change", CHANGES)
def test_the_programs_see_one_cent(busy: Town, tmp_path: Path, judge: Judge, form: str, change: str) -> None:
    content = text(busy, form, "2025")
    old, new = CHANGES[change]
    changed = re.sub(old, new, content, count=1)
    assert changed != content
    assert refusal(judge, tmp_path / f"x.{ENDINGS[form]}", changed)


def test_what_is_booked_back_and_forth_in_time(town: Town, tmp_path: Path, judge: Judge, form: str) -> None:
    """Balances are those of days; in the journal entries stand by day, each month's balances behind its last."""
    alice, shop = scene.cast(town)
    for n, day in enumerate((date(2025, 5, 31), date(2025, 1, 2), date(2025, 6, 15), date(2025, 2, 28))):
        conversion.convert(town, alice.party, 1_000 + n, reserve=CASH, reference=f"S{n}", booked_on=day)
    towns.pay(town, alice, shop, 500)
    scene.days(town, 16)
    towns.pay(town, alice, shop, 500)
    content = text(town, form)
    assert refusal(judge, tmp_path / f"x.{ENDINGS[form]}", content) == ""
    asserted = re.findall(r"^(2025-\d\d-\d\d) (?:balance \S+530|\* Soldes)", content, re.MULTILINE)
    month_ends = ["2025-01-31", "2025-02-28", "2025-05-31", "2025-06-30", "2025-07-01"]
    if form == "hledger":
        days = re.findall(r"^2025-\d\d-\d\d", content, re.MULTILINE)
        assert days == sorted(days)
    the_day_after = ["2025-02-01", "2025-03-01", "2025-06-01", "2025-07-01"]
    assert asserted == (month_ends if form == "hledger" else the_day_after)


ODD = [
    'Chez "Léa" \\ Cie; || : * (SARL)',
    "  =A1+B1 @home  ",
    "Ōsaka 東京 🍞 ﬁn",
    "{x} [y] <z> # ; tag:value, date:2020-01-01",
    "%s",
]


def test_names_of_any_kind(tmp_path: Path, judge: Judge, form: str) -> None:
    reserve = tuple(ReserveAccount(name=name.strip(), kind=ReserveKind.BANK) for name in ODD)
    town = towns.found(tmp_path / "home", towns.charter(reserve=reserve, name='Le "Sou" \\; x'))
    for n, name in enumerate(ODD):
        party = parties.admit(town, "shop", name)
        conversion.convert(town, party, 100, reserve=name.strip(), reference=f"V{n}")
    content = text(town, form, names=True)
    assert refusal(judge, tmp_path / f"x.{ENDINGS[form]}", content) == ""
    if form == "hledger":
        assert content.isascii()
    town.book.close()


def test_an_empty_year(town: Town, tmp_path: Path, judge: Judge, form: str) -> None:
    assert refusal(judge, tmp_path / f"x.{ENDINGS[form]}", text(town, form)) == ""


# --- CSV -------------------------------------------------------------------------------------------------


def read(sheet: str) -> list[dict[str, str]]:
    lines = list(csv.DictReader(StringIO(sheet)))
    assert sheet.startswith(",".join(COLUMNS) + "\n")
    return lines


def cents(amount: str) -> int:
    assert re.fullmatch(r"-?[0-9]+\.[0-9]{2}", amount)
    return int(amount.replace(".", ""))


@pytest.mark.parametrize("year", ["2025", "2026"])
def test_the_sheet_sums_to_the_balances(busy: Town, year: str) -> None:
    sums: Counter[tuple[str, str]] = Counter()
    for row in read(text(busy, "csv", year)):
        key = row["account"], row["auxiliary"]
        amount = cents(row["amount"])
        assert amount == pcg.side(row["account"]) * (cents(row["debit"]) - cents(row["credit"]))
        sums[key] += amount
        assert cents(row["balance"]) == sums[key]
    fec = balances(text(busy, "fec", year))
    assert {key: pcg.side(key[0]) * total for key, total in sums.items()} == dict(fec)


def test_one_accounts_sheet(busy: Town) -> None:
    for party in parties.every(busy):
        rows = read(text(busy, "csv", "2026", only=account_text(party.account)))
        assert {row["auxiliary"] for row in rows} <= {account_text(party.account)}
        held = busy.book.balance(party.account)
        assert sum(cents(row["amount"]) for row in rows) == held
        assert not rows or cents(rows[-1]["balance"]) == held
        assert not rows or rows[0]["journal"] == "AN"
    rows = read(text(busy, "csv", "2026", only="530"))
    assert sum(cents(row["amount"]) for row in rows) == busy.book.balance(busy.chart.reserve[CASH])


def test_no_cell_is_a_formula(town: Town) -> None:
    party = parties.admit(town, "shop", '=HYPERLINK("x")')
    conversion.convert(town, party, 100, reserve=CASH, reference="S1")
    rows = read(text(town, "csv", names=True))
    assert rows[1]["auxiliary_label"] == '\'=HYPERLINK("x")'
