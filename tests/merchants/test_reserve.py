"""The reserve report for people, as a page, a picture and on paper: each says every sum, in two languages."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from starlette.applications import Starlette

from ledger.currency import conversion, parties
from ledger.currency.charter import ReserveAccount, ReserveKind
from ledger.currency.reserve import AccountState, Explained, Identity, Month, Reserve, Why, Year
from ledger.currency.town import Town
from ledger.i18n import LANGUAGES, Lang, translator
from merchants import pages
from merchants.reserve import words
from merchants.reserve.chart import Bar, Dot, Label, draw, svg
from merchants.reserve.chart import Path as Line
from merchants.reserve.page import fragment, values
from merchants.reserve.pdf import MOST_LINES, latin, pdf
from merchants.reserve.shown import MONTHS, percent, show
from tests import towns
from tests.currency.bank import scene
from tests.merchants.test_pages import NASTY, Page
from tests.towns import BANK, CASH

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have another httpx
    from starlette.testclient import TestClient

NAME = f"Crédit {NASTY} & Cie"


def reserve(
    months: int = 14, lines: int = 3, *, covered: bool = True, why: Why = Why.AFTER_STATEMENT, short: int = 0
) -> Reserve:
    """A report with something of everything. `short` is what the second bank has less than is needed."""
    one = Explained(why, 100, date(2026, 7, 20), "conversion", "CHEQUE-118", b"\1" * 16, 9)
    late = one._replace(why=Why.AFTER_STATEMENT, reference="RÉF-Ł", what="bank_unheard_of")
    told = tuple([one] * lines + [late])
    banks = [
        AccountState(NAME, "bank", 1, True, 1_234_567, 1_234_567 - 100 * (lines + 1), date(2026, 7, 27), told),
        AccountState("Livret", "bank", 2, False, 500_000, 500_000 - short, date(2026, 6, 30)),
        AccountState(CASH, "cash", 3, True, 6_789),
    ]
    held = [
        Month(date(2025 + number // 12, number % 12 + 1, 1), 50_000 + number, 30_000 - number, 90_000 + 20_000 * number)
        for number in range(months)
    ]
    identities = [
        Identity("circulation + imported <= guarantee", 1_700_300, "<=", 1_700_000 + 300 * covered, covered),
        Identity("guarantee <= reserve accounts + in transit - payouts due", 1_700_300, "<=", 1_741_000, True),
        Identity("guarantee + payouts due + suspense + fees = reserve accounts + operations + claims + transit",
                 1_746_156, "=", 1_746_156, True),
    ]  # fmt: skip
    return Reserve(
        circulation=1_700_000, imported=300, waiting=1_100, maturing=2_200, guarantee=1_700_300, payouts_due=3_300,
        suspense=-444, unplaced=0, fees=555, operations=66, claims=7_777, transit=-88, moving=(), banks=banks,
        identities=identities, months=held, year=Year(date(2025, 7, 29), date(2026, 7, 28), 7_000_000, 812_345),
        on=date(2026, 7, 28), seq=123_456, at=1_785_240_000_000_000, root=bytes(range(32)),
    )  # fmt: skip


CHARTER = towns.charter(
    reserve=(
        ReserveAccount(name="Banque", kind=ReserveKind.BANK), ReserveAccount(name="Livret", kind=ReserveKind.BANK),
        ReserveAccount(name=CASH, kind=ReserveKind.CASH),
    )
)  # fmt: skip
SUMS: dict[Lang, list[str]] = {
    "fr": ["17 003,00 P", "11,00 P", "22,00 P", "3,00 P", "17 003,00 €", "33,00 €", "4,44 €", "5,55 €", "0,66 €",
           "77,77 €", "-0,88 €", "12 345,67 €", "5 000,00 €", "67,89 €", "+4,00 €", "78 123,45 €", "1 000 000 €",
           "7,81 %", "17 375,68 €", "372,68 €", "102,19 %", "71,28 %", "123 456",
           "28 juillet 2026", "27/07/2026", bytes(range(32)).hex()],
    "en": ["P 17,003.00", "P 11.00", "P 22.00", "P 3.00", "€17,003.00", "€33.00", "€4.44", "€5.55", "€0.66", "€77.77",
           "-€0.88", "€12,345.67", "€5,000.00", "€67.89", "+€4.00", "€78,123.45", "€1,000,000", "7.81%",
           "€17,375.68", "€372.68", "102.19%", "71.28%", "123,456", "28 July 2026", "27/07/2026",
           bytes(range(32)).hex()],
}  # fmt: skip
"""What every form of the report holds, with plain spaces."""


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u202f", " ").replace("\u00a0", " "))


def read(paper: bytes) -> tuple[int, str]:
    """The pages of a PDF file, and its text."""
    found = PdfReader(io.BytesIO(paper))
    return len(found.pages), plain(" ".join(page.extract_text() for page in found.pages))


# --- the page -------------------------------------------------------------------------------------------


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with scene.opened(tmp_path / "home") as made:
        alice = parties.admit(made, "person", "Alice Martin")
        scene.bring(made, scene.statement([scene.line(10_000, scene.token(made, alice), name="MARTIN ALICE")]))
        conversion.convert(made, alice, 2_500, reserve=BANK, reference="CHEQUE-118", booked_on=date(2025, 6, 12))
        yield made


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_is_whole_public_and_safe(town: Town, lang: Lang) -> None:
    client = TestClient(Starlette(routes=pages.routes(town)), headers={"Accept-Language": lang})
    response = client.get("/reserve")
    page = Page(response.text)
    names = [name for name, _attributes in page.elements]
    assert "script" not in names and "style" not in names
    assert not [a for _name, a in page.elements if "style" in a or any(key.startswith("on") for key in a)]
    text = plain(page.text)
    shown = {"fr": ("125,00 P", "125,00 €", "100,00 €", "+25,00 €", "100,00 %"),
             "en": ("P 125.00", "€125.00", "€100.00", "+€25.00", "100.00%")}  # fmt: skip
    for sum_ in (*shown[lang], town.book.head().root.hex()):
        assert sum_ in text
    # Sums are for everybody; who brought which euro, and by which slip, is not.
    for private in ("Martin", "MARTIN", "CHEQUE", scene.IBAN):
        assert private not in response.text
    assert names.count("svg") == 4 and names.count("table") == 1
    home = Page(client.get("/").text)
    assert ("a", "/reserve") in [(name, attributes.get("href")) for name, attributes in home.elements]


def test_a_town_without_a_unit_has_a_page(tmp_path: Path) -> None:
    made = towns.found(tmp_path / "home")
    client = TestClient(Starlette(routes=pages.routes(made)))
    text = plain(Page(client.get("/reserve").text).text)
    made.book.close()
    assert "Couvert" in text and "0,00 P" in text and "Mois par mois" not in text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_fragment_says_every_sum_and_every_line(lang: Lang) -> None:
    html = fragment(reserve(), CHARTER, translator("merchants", lang))
    page = Page(html)
    assert NASTY not in html and NASTY in page.text
    text = plain(page.text)
    for sum_ in SUMS[lang]:
        assert sum_ in text, sum_
    assert text.count("CHEQUE-118") == 3
    assert "bank unheard of" in text
    tables = [attributes for name, attributes in page.elements if name == "th" and "scope" not in attributes]
    assert not tables  # who listens to a table is told which head goes with a cell


@pytest.mark.parametrize("covered", [True, False])
def test_what_does_not_hold_is_said_so(covered: bool) -> None:
    texts = translator("merchants", "fr")
    html = fragment(reserve(covered=covered), CHARTER, texts)
    assert ("Non couvert" in html, html.count("Faux :")) == (not covered, int(not covered))
    assert ("Non couvert" in read(pdf(reserve(covered=covered), CHARTER, texts))[1]) is not covered


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_proof_of_long_ago_is_said_so(lang: Lang) -> None:
    """Page and paper say the days of the banks' figures, and not that it is covered when that is long ago."""
    texts = translator("merchants", lang)
    of = texts("The banks' figures are of {first} to {last}.").format(first="30/06/2026", last="27/07/2026")
    last = texts("Last proved on {day}").format(day="30/06/2026")
    for report, outdated in ((reserve(), False), (reserve()._replace(on=date(2026, 10, 30)), True)):
        for text in (plain(Page(fragment(report, CHARTER, texts)).text), read(pdf(report, CHARTER, texts))[1]):
            assert of in text
            assert (last in text, texts("Not covered") in text) == (outdated, False)
            assert (f"{texts('Covered')} " in text.replace(texts("Coverage"), "")) is not outdated


@pytest.mark.parametrize("lang", LANGUAGES)
def test_never_covered_over_what_no_line_explains_nor_below_what_is_owed(lang: Lang) -> None:
    texts = translator("merchants", lang)
    not_covered, covered, awaiting = (texts(text) for text in ("Not covered", "Covered", "Awaited"))
    for report, said in (
        (reserve(), covered), (reserve(why=Why.NOT_ON_STATEMENT), not_covered), (reserve(why=Why.OVERDUE), not_covered),
        (reserve(short=37_000), covered), (reserve(short=37_500), awaiting),
    ):  # fmt: skip
        assert {text for text in (not_covered, awaiting) if text in fragment(report, CHARTER, texts)} == (
            {said} - {covered}
        )
        assert said in read(pdf(report, CHARTER, texts))[1]
    sum_ = {"fr": "3,00 €", "en": "€3.00"}[lang]
    told = texts("{sum} are in the ledger and on no statement of the bank.").format(sum=sum_)
    assert plain(told) in plain(fragment(reserve(why=Why.OVERDUE), CHARTER, texts))


def test_every_identity_and_reason_has_its_words() -> None:
    assert words.WHY.keys() == set(Why)
    for one in reserve().identities:
        assert set(re.findall(r"[a-z]+(?: [a-z]+)*", one.name)) <= words.TERMS.keys()
    assert len(words.SENTENCES) == len(reserve().identities)


@pytest.mark.parametrize(
    ("points", "french", "english"),
    [(0, "0,00 %", "0.00%"), (7, "0,07 %", "0.07%"), (9_999, "99,99 %", "99.99%"), (-105, "-1,05 %", "-1.05%"),
     (1_234_567, "12 345,67 %", "12,345.67%")],
)  # fmt: skip
def test_percentages(points: int, french: str, english: str) -> None:
    assert (plain(percent(points, "fr")), percent(points, "en")) == (french, english)


# --- its picture ----------------------------------------------------------------------------------------


months = st.lists(
    st.tuples(st.integers(-(10**4), 10**9), st.integers(0, 10**9), st.integers(0, 10**12)), min_size=1, max_size=20
).map(lambda found: [Month(date(2020 + n // 12, n % 12 + 1, 1), *sums) for n, sums in enumerate(found)])


@given(months, st.sampled_from([340, 640]), st.sampled_from(LANGUAGES))
@settings(max_examples=60)
def test_a_picture_of_any_months(held: list[Month], width: int, lang: Lang) -> None:
    drawing = draw(held, width, translator("merchants", lang))
    assert drawing is not None
    shown = held[-MONTHS:]
    inside = range(drawing.height + 1)
    for shape in drawing.shapes:
        match shape:
            case Bar(x, y, wide, high):
                assert x >= 0 and x + wide <= width and y >= 0 and y + high <= drawing.height
            case Line(points):
                assert all(0 <= x <= width and 0 <= y <= drawing.height for x, y in points)
            case Dot(x, y) | Label(x, y):
                assert 0 <= x <= width and round(y) in inside
    # Heights tell the sums: the ground is one, and twice as much is twice as high.
    dots = [shape.y for shape in drawing.shapes if isinstance(shape, Dot)]
    assert len(dots) == len(shown)
    for (first, above), (second, below) in pairwise(zip(shown, dots, strict=True)):
        if first.circulation > second.circulation:
            assert above <= below
    legend, bars = 2, [shape for shape in drawing.shapes if isinstance(shape, Bar)]
    moved = [cents for month in shown for cents in (month.conversions, -month.reconversions) if cents]
    assert len(bars) == legend + len(moved)
    tall = [(abs(cents), bar.height) for cents, bar in zip(moved, bars[legend:], strict=True) if bar.height > 1]
    if tall:
        most, height = max(tall)
        assert all(abs(cents / most - bar / height) < 0.02 for cents, bar in tall)
    Page(str(svg(drawing, "wide")))


def test_no_month_no_picture() -> None:
    assert draw([], 640, translator("merchants", "fr")) is None
    assert values(reserve(months=0), CHARTER, translator("merchants", "fr"))["charts"] == []


def test_the_picture_is_told_to_those_who_do_not_see_it() -> None:
    texts = translator("merchants", "en")
    drawing = draw(reserve().months, 640, texts)
    assert drawing is not None
    [(_name, attributes), *_rest] = Page(str(svg(drawing, "wide"))).elements
    assert attributes["role"] == "img" and attributes["aria-label"] == drawing.told


# --- paper ----------------------------------------------------------------------------------------------


def cents(text: str) -> int:
    return int(re.sub(r"[^0-9-]", "", text))


@pytest.mark.parametrize(("euros", "beyond", "said"), [(1, 1, "dont au-delà"), (-333, 333, "manquant"), (0, None, "")])
def test_the_coverage_is_the_ratio_of_what_it_stands_beside(euros: int, beyond: int | None, said: str) -> None:
    """Euros behind it over what is out, to the last hundredth, rounded down; the rest is told as a sum."""
    even = reserve()._replace(imported=0, circulation=1_700_300)
    report = even._replace(payouts_due=even.payouts_due + even.backing - even.owed - euros)
    shown = show(report, CHARTER, translator("merchants", "fr"))
    assert cents(shown.backing) - cents(shown.circulation) == euros
    assert cents(shown.coverage or "") == cents(shown.backing) * 10_000 // cents(shown.circulation)
    assert (shown.beyond and cents(shown.beyond.sum)) == beyond
    assert (shown.beyond.name if shown.beyond else "").startswith(said)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_paper_says_every_sum_and_every_line(lang: Lang) -> None:
    count, text = read(pdf(reserve(), CHARTER, translator("merchants", lang)))
    assert count <= 2
    for sum_ in SUMS[lang]:
        assert sum_ in text, sum_
    assert text.count("CHEQUE-118") == 3
    assert "RÉF-L" in text or "RÉF-?" in text
    assert NASTY in text


def test_paper_of_many_lines_sums_up_what_it_leaves_out() -> None:
    report = reserve(lines=MOST_LINES + 40)
    count, text = read(pdf(report, CHARTER, translator("merchants", "fr")))
    assert text.count("CHEQUE-118") == MOST_LINES
    assert "et 41 autres lignes" in text and "+101,00 €" in text
    assert count <= 5


def test_the_same_report_makes_the_same_bytes() -> None:
    """Also in another process, whose sets and dicts may come in another order."""
    here = [pdf(reserve(), CHARTER, translator("merchants", "fr")) for _again in range(2)]
    assert here[0] == here[1]
    program = (
        "import hashlib; from ledger.i18n import translator; from merchants.reserve.pdf import pdf; "
        "from tests.merchants.test_reserve import CHARTER, reserve; "
        "print(hashlib.sha256(pdf(reserve(), CHARTER, translator('merchants', 'fr'))).hexdigest())"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert ran.stdout.strip() == sha256(here[0]).hexdigest()


@given(st.text(max_size=30))
def test_paper_has_a_letter_for_every_letter(text: str) -> None:
    found = latin(text)
    found.replace("≤", "").encode("cp1252")
    assert latin(found) == found


@pytest.mark.parametrize(("text", "set_"), [("1\u202f234,00\u202f€", "1\xa0234,00\xa0€"), ("Łódź ≤ 漢", "?ódz ≤ ?")])
def test_letters_on_paper(text: str, set_: str) -> None:
    assert latin(text) == set_


def test_show_gives_lines_only_when_asked() -> None:
    texts = translator("merchants", "en")
    assert [len(account.lines) for account in show(reserve(), CHARTER, texts).accounts] == [0, 0, 0]
    assert [len(account.lines) for account in show(reserve(), CHARTER, texts, lines=True).accounts] == [4, 0, 0]
