"""Importing the past: a file taken whole or refused line by line, once, whatever stops it on the way."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.core.ids import account_text
from ledger.core.model import Transaction
from ledger.currency import conversion, importer, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.import_rows import FileRefused, Problem
from ledger.currency.import_seen import Seen
from ledger.currency.imported import open_reserve
from ledger.currency.importer import Imported, ImportRefused, Options
from ledger.currency.town import Town
from tests import towns
from tests.towns import BANK, CASH, nothing_moves

HEADER = "id,at,from,to,amount,unit,kind\n"
ASSO = Options(issuers=frozenset({"asso"}))
SMALL = (
    HEADER + "1,2024-01-31T23:30:00Z,asso,Alice,100.00,PATARD,conversion\n"
    "2,2024-02-01,Alice,Boulangerie,12.50,PATARD,payment\n"
    "3,2024-02-02 08:00:00,Boulangerie,asso,2.50,PATARD,reconversion\n"
)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def writer(text: str | bytes, encoding: str = "utf-8") -> Path:
        path = tmp_path / "past.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
        return path

    return writer


Write = Callable[..., Path]


def problems(town: Town, path: Path, options: Options = ASSO) -> list[tuple[int, str]]:
    """The file is refused with these, and nothing moved."""
    with nothing_moves(town), pytest.raises(ImportRefused) as caught:
        importer.run(town, path, options)
    return [(problem.line, problem.code) for problem in caught.value.problems]


def line(**changes: str) -> str:
    """One payment of the issuer to Alice, with changes."""
    values = {"id": "1", "at": "2024-02-01", "from": "asso", "to": "Alice", "amount": "1.00", "unit": "PATARD",
              "kind": "payment"}  # fmt: skip
    return ",".join({**values, **{key.rstrip("_"): value for key, value in changes.items()}}.values()) + "\n"


def balance(town: Town, name: str) -> int:
    return town.book.balance(parties.named(town, name).account)


# --- what comes in ---------------------------------------------------------------------------------------


def test_a_small_file(town: Town, write: Write) -> None:
    done = importer.run(
        town, write(SMALL), Options(issuers=frozenset({"asso"}), parties={"Boulangerie": PartyKind.SHOP})
    )
    assert done == Imported(3, 3, 0, 0, 3, 11_500, [])
    assert (balance(town, "Alice"), balance(town, "Boulangerie")) == (8_750, 1_000)
    assert [(p.kind, p.name) for p in parties.every(town)] == [("person", "Alice"), ("shop", "Boulangerie")]
    [page] = [town.book.statement(parties.named(town, "Alice").account).entries]
    assert [(entry.kind, str(entry.booked_on)) for entry in page] == [("import", "2024-02-01")] * 2
    assert [dict(entry.evidence) for entry in page] == [
        {"at": "2024-02-01", "kind": "payment"}, {"at": "2024-01-31T23:30:00Z", "kind": "conversion"}
    ]  # fmt: skip
    # Nothing is wrong but that no euro stands behind these units yet.
    audited = audit(town)
    assert audited.findings == [] and len(audited.notices) == 1


def test_a_second_run_changes_nothing(town: Town, write: Write) -> None:
    path = write(SMALL)
    importer.run(town, path, ASSO)
    with nothing_moves(town):
        assert importer.run(town, path, ASSO) == Imported(3, 0, 3, 0, 0, 0, [])
        # Its issuers are known by now.
        assert importer.run(town, path).stood == 3


def test_a_file_that_grew_adds_what_is_new(town: Town, write: Write) -> None:
    importer.run(town, write(SMALL), ASSO)
    done = importer.run(town, write(SMALL + "4,2024-02-03,Alice,Boulangerie,1.00,PATARD,payment\n"), ASSO)
    assert (done.posted, done.stood, balance(town, "Alice")) == (1, 3, 8_650)


def test_two_towns_agree_on_the_accounts(tmp_path: Path, write: Write) -> None:
    numbers = []
    for name in ("one", "two"):
        town = towns.found(tmp_path / name)
        importer.run(town, write(SMALL), ASSO)
        numbers.append([party.account for party in parties.every(town)])
        town.book.close()
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (SMALL, "utf-8-sig"),
        (SMALL.replace(",", ";"), "utf-8"),
        (SMALL.replace(",", ";").replace("100.00", "100,00").replace("12.50", "12,5"), "cp1252"),
        (SMALL.replace(",", "\t"), "utf-16"),
        (SMALL.replace("\n", "\r\n"), "utf-8"),
        (SMALL.replace("Alice", '"Alice"').replace("100.00", '"1""00"').replace('"1""00"', '"100"'), "utf-8"),
        ("\n" + SMALL.replace("id,at", " ID , At "), "utf-8"),
        (SMALL.replace("\n", "\n\n"), "utf-8"),
        ("note," + SMALL.replace("\n1", "\nx,1").replace("\n2", "\n,2").replace("\n3", '\n"a\nb",3'), "utf-8"),
        (SMALL.rstrip("\n"), "utf-8"),
    ],
)
def test_forms_that_files_have(town: Town, write: Write, text: str, encoding: str) -> None:
    text = text.replace("Boulangerie", "Boulangerie Lefèvre")
    done = importer.run(town, write(text, encoding), ASSO)
    assert (done.posted, balance(town, "Boulangerie Lefèvre")) == (3, 1_000)


def test_columns_in_any_order(town: Town, write: Write) -> None:
    importer.run(town, write("kind,unit,amount,to,from,at,id,x\npayment,patard,1,Alice,asso,2024-01-01,7,\n"), ASSO)
    assert balance(town, "Alice") == 100


@pytest.mark.parametrize("text", ["", "\n\n", "a,b\n1,2\n", HEADER.replace("kind", "sort"), "id," + HEADER])
def test_a_file_without_the_columns(town: Town, write: Write, text: str) -> None:
    with nothing_moves(town), pytest.raises(FileRefused) as caught:
        importer.run(town, write(text))
    assert caught.value.code == "import_columns"


def test_a_file_that_cannot_be_read(town: Town, tmp_path: Path, write: Write) -> None:
    accented = write(HEADER + line(to="é"), "cp1252")
    for path, options in (
        (tmp_path / "none.csv", ASSO),
        (tmp_path, ASSO),
        (accented, Options(encoding="utf-8")),
        (accented, Options(encoding="klingon")),
    ):
        with nothing_moves(town), pytest.raises(FileRefused) as caught:
            importer.run(town, path, options)
        assert caught.value.code == "import_unreadable"


def test_an_empty_file_with_a_header(town: Town, write: Write) -> None:
    with nothing_moves(town):
        assert importer.run(town, write(HEADER)) == Imported(0, 0, 0, 0, 0, 0, [])


# --- what is refused -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("self_transfer", {"to": "asso"}),
        ("self_transfer", {"to": " asso  "}),
        ("kind_unknown", {"kind": "theft"}),
        ("kind_unknown", {"kind": "gift"}),
        ("kind_unknown", {"kind": "topup"}),
        ("kind_unknown", {"kind": ""}),
        ("unit_unknown", {"unit": "EUR"}),
        ("unit_unknown", {"unit": ""}),
        ("amount_decimals", {"amount": "1.005"}),
        ("amount_decimals", {"amount": "1.0000"}),
        ("amount_sign", {"amount": "-1.00"}),
        ("amount_sign", {"amount": "+1.00"}),
        ("amount_zero", {"amount": "0.00"}),
        ("amount_exponent", {"amount": "1e3"}),
        ("amount_digits", {"amount": "１２"}),
        ("amount_malformed", {"amount": "NaN"}),
        ("amount_empty", {"amount": ""}),
        ("amount_range", {"amount": "99999999999999.99"}),
        ("at_malformed", {"at": "31/01/2024"}),
        ("at_malformed", {"at": "2024-02-30"}),
        ("at_malformed", {"at": "2024-01-01T25:00:00Z"}),
        ("at_malformed", {"at": "2024W01"}),
        ("at_malformed", {"at": ""}),
        ("at_future", {"at": "2999-01-01"}),
        ("name_malformed", {"to": ""}),
        ("name_malformed", {"from_": "a\u202eb"}),
        ("name_malformed", {"to": "x" * 61}),
        ("id_malformed", {"id": " "}),
        ("id_malformed", {"id": "x" * 201}),
        ("row_malformed", {"kind": "payment,more"}),
        ("row_malformed", {"id": '"1"2'}),
        ("account_unknown", {"to": account_text(4711)}),
        ("below_floor", {"from_": "Alice", "to": "asso"}),
    ],
)
def test_a_wrong_line_is_named(town: Town, write: Write, code: str, changes: dict[str, str]) -> None:
    path = write(HEADER + line(id="0") + line(**changes).replace("from_", "from") + line(id="2"))
    if code == "below_floor":
        path = write(HEADER + line(id="0") + line(from_="Alice", to="asso", amount="1.01") + line(id="2"))
    assert problems(town, path) == [(3, code)]


def test_every_wrong_line_is_named_at_once(town: Town, write: Write) -> None:
    text = HEADER + line(id="1") + line(id="2", to="asso") + '"a\nb",2024\n' + line(id="3", kind="x") + line(id="1")
    assert problems(town, write(text)) == [
        (3, "self_transfer"),
        (4, "row_malformed"),
        (6, "kind_unknown"),
        (7, "id_repeated"),
    ]


def test_thousands_of_wrong_lines_are_counted(town: Town, write: Write) -> None:
    with pytest.raises(ImportRefused) as caught:
        importer.run(town, write(HEADER + "".join(line(id=str(n), kind="x") for n in range(3_000))))
    assert (len(caught.value.problems), caught.value.total, caught.value.lines) == (1_000, 3_000, 3_000)


def test_one_account_short_is_told_once(town: Town, write: Write) -> None:
    text = HEADER + "".join(line(id=str(n), from_="Alice", to="Bob").replace("asso", "Alice") for n in range(50))
    text += line(id="x", from_="Bob", to="Carol", amount="60.00")
    assert problems(town, write(text)) == [(2, "below_floor")]


def test_a_bad_line_does_not_make_good_ones_bad(town: Town, write: Write) -> None:
    text = HEADER + line(id="1") + line(id="2", kind="x", amount="50.00") + line(id="3", from_="Alice", to="Bob")
    assert problems(town, write(text)) == [(3, "kind_unknown")]


def test_an_unclosed_quote_does_not_swallow_the_memory(town: Town, write: Write) -> None:
    text = HEADER + '"' + line(id="1") + "".join(line(id=str(n)) for n in range(20_000))
    assert (2, "row_malformed") in problems(town, write(text))


@pytest.mark.parametrize(
    ("rounding", "amount", "cents"),
    [
        ("half-even", "1.005", 100), ("half-even", "1.015", 102), ("half-even", "1.0051", 101),
        ("half-even", "1.0049", 100),
        ("half-up", "1.005", 101), ("half-up", "1.0049", 100), ("half-up", "0.995", 100), ("down", "1.009", 100),
        ("down", "1.0000", 100), ("half-even", "1.2500000000000000000001", 125), ("half-even", "7.125000000001", 713),
    ],
)  # fmt: skip
def test_amounts_are_rounded_as_told(town: Town, write: Write, rounding: str, amount: str, cents: int) -> None:
    importer.run(town, write(HEADER + line(amount=amount)), Options(issuers=ASSO.issuers, rounding=rounding))
    assert balance(town, "Alice") == cents


def test_rounding_makes_nothing_of_nothing_and_no_thousands_of_a_comma(town: Town, write: Write) -> None:
    rounded = Options(issuers=ASSO.issuers, rounding="down")
    assert problems(town, write(HEADER + line(amount="0.009")), rounded) == [(2, "amount_zero")]
    assert problems(town, write(HEADER + line(amount='"1,234"')), rounded) == [(2, "amount_grouping")]


def test_kinds_and_unit_are_what_the_caller_says(town: Town, write: Write) -> None:
    path = write(HEADER + line(kind="Don", unit="doublon"))
    assert [code for _, code in problems(town, path)] == ["unit_unknown"]
    done = importer.run(town, path, Options(ASSO.issuers, kinds=frozenset({"don"}), unit="Doublon"))
    assert done.posted == 1


def test_a_kind_that_nobody_named_is_told_by_line(town: Town, write: Write) -> None:
    path = write(
        HEADER + line(id="1") + line(id="2", kind="gift") + line(id="3", kind="Payment") + line(id="4", kind="dû")
    )
    assert problems(town, path) == [(3, "kind_unknown"), (5, "kind_unknown")]
    done = importer.run(town, path, Options(ASSO.issuers, kinds=frozenset({"payment", "gift", "dû"})))
    assert done.posted == 4


# --- lines left out --------------------------------------------------------------------------------------


def test_bad_lines_left_out(town: Town, write: Write) -> None:
    text = (
        HEADER
        + line(id="1", amount="5.00")
        + line(id="2", kind="x")
        + line(id="3", from_="Alice", to="Bob", amount="9")
    )
    text += line(id="4", from_="Alice", to="Bob", amount="4") + line(id="1", amount="5.00") + line(id="4", amount="3")
    path, options = write(text), Options(ASSO.issuers, skip_bad=True)
    done = importer.run(town, path, options)
    assert [(p.line, p.code) for p in done.problems] == [
        (3, "kind_unknown"), (4, "below_floor"), (6, "id_repeated"), (7, "id_repeated")
    ]  # fmt: skip
    assert (done.lines, done.posted, done.left_out) == (6, 2, 4)
    assert (balance(town, "Alice"), balance(town, "Bob")) == (100, 400)
    with nothing_moves(town):
        again = importer.run(town, path, options)
    assert again.posted == 0 and balance(town, "Bob") == 400


# --- whose account ---------------------------------------------------------------------------------------


def test_a_party_that_stands_is_the_one_that_is_named(town: Town, write: Write) -> None:
    shop = parties.admit(town, "shop", "Boulangerie Lefèvre")
    numbered = parties.admit(town, "person", "Zoé")
    text = HEADER + line(id="1", to="Boulangerie Lefèvre") + line(id="2", to=account_text(numbered.account))
    assert importer.run(town, write(text), ASSO).accounts == 1
    assert [town.book.balance(party.account) for party in (shop, numbered)] == [100, 100]


def test_a_name_that_two_have(town: Town, write: Write) -> None:
    for _ in range(2):
        parties.admit(town, "person", "Jean Martin")
    assert problems(town, write(HEADER + line(to="Jean Martin"))) == [(2, "party_ambiguous")]


def test_a_namesake_admitted_later_is_another(town: Town, write: Write) -> None:
    path = write(SMALL)
    importer.run(town, path, ASSO)
    parties.admit(town, "person", "Alice")
    with nothing_moves(town):
        assert importer.run(town, path, ASSO).stood == 3


def test_nothing_is_taken_from_whoever_has_a_key(town: Town, write: Write) -> None:
    alice = towns.member(town, "person", "Alice")
    conversion.convert(town, alice.party, 500, reserve=CASH, reference="S1")
    assert problems(town, write(HEADER + line(from_="Alice", to="Bob"))) == [(2, "account_joined")]
    assert importer.run(town, write(HEADER + line(to="Alice")), ASSO).posted == 1


def test_nothing_goes_to_a_closed_account_or_the_currencys_own(town: Town, write: Write) -> None:
    importer.run(town, write(HEADER + line(to="Alice")), ASSO)
    importer.run(town, write(HEADER + line(id="2", from_="Alice", to="asso")), ASSO)
    parties.close(town, parties.named(town, "Alice"))
    assert problems(town, write(HEADER + line(id="3", to="Alice"))) == [(2, "account_closed")]
    own = account_text(town.chart.circulation)
    assert problems(town, write(HEADER + line(id="3", to=own))) == [(2, "account_unknown")]


def test_the_same_id_with_other_content(town: Town, write: Write) -> None:
    importer.run(town, write(SMALL), ASSO)
    changed = write(SMALL.replace("12.50", "12.51"))
    assert problems(town, changed) == [(3, "id_taken")]
    assert problems(town, write(SMALL.replace("Boulangerie,12", "Boucherie,12"))) == [(3, "id_taken")]


def test_an_issuer_that_was_forgotten(town: Town, write: Write) -> None:
    assert problems(town, write(SMALL), Options()) == [(2, "below_floor")]


# --- stopping and going on -------------------------------------------------------------------------------


def many(lines: int, members: int = 40) -> str:
    rows = [line(id=f"i{n}", to=f"membre {n}", amount="500.00", kind="conversion") for n in range(members)]
    for n in range(lines - members):
        payer, payee = n % members, (n * 7 + 1 + n // members) % members
        payee = payee if payee != payer else (payee + 1) % members
        rows.append(line(id=f"p{n}", from_=f"membre {payer}", to=f"membre {payee}", amount="0.10"))
    return HEADER + "".join(rows)


class Stop(Exception):
    pass


def test_stopped_half_way_and_completed(town: Town, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(many(9_000))
    commits = 0
    post = town.book.post

    def stopping(batch: Any, also: Any = None, **how: Any) -> Any:
        nonlocal commits
        commits += 1
        if commits == 3:
            raise Stop
        return post(batch, also, **how)

    monkeypatch.setattr(town.book, "post", stopping)
    with pytest.raises(Stop):
        importer.run(town, path, ASSO)
    monkeypatch.undo()
    half = reserve.report(town)
    assert half.imported == 40 * 50_000
    done = importer.run(town, path, ASSO)
    assert (done.lines, done.stood, done.posted) == (9_000, 5_400, 3_600)
    with nothing_moves(town):
        assert importer.run(town, path, ASSO).stood == 9_000
    assert sum(town.book.balance(party.account) for party in parties.every(town)) == 40 * 50_000
    open_reserve(town, BANK, 40 * 50_000, "releve")
    assert audit(town).clean


def test_a_book_that_changes_under_the_import_stops_it(
    town: Town, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(SMALL)
    monkeypatch.setattr(importer._Trial, "_row", lambda self, id_, row, stood: setattr(self, "first_new", 2))
    text = SMALL + line(id="9", from_="Boulangerie", to="Bob", amount="99.00")
    with pytest.raises(FileRefused) as caught:
        importer.run(town, write(text), ASSO)
    assert caught.value.code == "import_stopped" and "line 5" in caught.value.detail
    monkeypatch.undo()
    assert importer.run(town, write(SMALL), ASSO).lines == 3, path


def test_memory_does_not_grow_with_the_file(town: Town, write: Write) -> None:
    def peak(lines: int) -> int:
        path = write(many(lines))
        tracemalloc.start()
        importer.run(town, path, ASSO)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    small, large = peak(6_000), peak(20_000)
    assert large < small * 1.3 + 1_000_000, (small, large)
    assert large < 40_000_000


def test_progress_is_told(town: Town, write: Write) -> None:
    told: list[tuple[str, int, int]] = []
    path = write(many(6_000))
    importer.run(town, path, ASSO, lambda *now: told.append(now))
    size = path.stat().st_size
    assert [phase for phase, _, _ in told] == ["check"] * 3 + ["import"] * 3
    assert told[2] == ("check", size, size) and told[-1] == ("import", size, size)


def test_ids_that_stand_twice_are_found_in_any_file() -> None:
    ids = [n.to_bytes(16, "big") for n in range(1, 5_001)]
    with Seen() as seen:
        for place, id_ in enumerate([*ids, ids[7], ids[4_000], ids[7]]):
            seen.add(id_, place)
        assert sorted(seen.repeated()) == [(5_000, 7), (5_001, 4_000), (5_002, 7)]


# --- the euros behind it ---------------------------------------------------------------------------------


def test_imported_units_are_covered_once_the_euros_are_booked(town: Town, write: Write) -> None:
    importer.run(town, write(SMALL), ASSO)
    report = reserve.report(town)
    assert (report.imported, report.circulation, report.covered) == (9_750, 0, False)
    first = open_reserve(town, BANK, 9_000, "releve 2024-02")
    report = reserve.report(town)
    assert (report.imported, report.circulation, report.guarantee, report.covered) == (750, 9_000, 9_000, False)
    with nothing_moves(town):
        assert open_reserve(town, BANK, 9_000, "RELEVE2024-02") == first._replace(replay=True)
        with pytest.raises(CurrencyError) as caught:
            open_reserve(town, BANK, 9_001, "RELEVE2024-02")
        assert caught.value.code == "opening_taken"
    open_reserve(town, CASH, 1_000, "comptage")
    report = reserve.report(town)
    assert (report.imported, report.circulation, report.guarantee, report.covered) == (0, 9_750, 10_000, True)
    assert audit(town).clean
    record = town.book.find(first.id)
    assert record is not None and isinstance(record.instruction, Transaction)


@pytest.mark.parametrize(
    ("code", "args"),
    [
        ("amount_malformed", (BANK, 0, "R")),
        ("amount_malformed", (BANK, 1.5, "R")),
        ("reserve_account_unknown", ("Coffre", 1, "R")),
        ("reference_malformed", (BANK, 1, "")),
    ],
)
def test_an_opening_that_is_none(town: Town, code: str, args: tuple[Any, ...]) -> None:
    with nothing_moves(town), pytest.raises(CurrencyError) as caught:
        open_reserve(town, *args)
    assert caught.value.code == code


def test_a_problem_reads_well() -> None:
    assert Problem(3, "x", "y")._asdict() == {"line": 3, "code": "x", "reason": "y"}
