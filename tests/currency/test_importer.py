"""Importing the past: a file comes in whole and once, whatever stops it on the way; and the euros behind it."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from ledger.core.model import Transaction
from ledger.currency import conversion, importer, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.import_rows import FileRefused, Problem
from ledger.currency.import_seen import Seen
from ledger.currency.imported import open_reserve
from ledger.currency.importer import Imported, Options
from ledger.currency.town import Town
from merchants.desk import Desk
from tests import towns
from tests.currency.past import ASSO, HEADER, SMALL, Write, balance, line, problems, writing
from tests.towns import BANK, CASH, nothing_moves


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writing(tmp_path / "past.csv")


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


@pytest.mark.parametrize(
    ("first", "delimiter", "encoding"),
    [
        ("sep=;\n", ";", "utf-8"), ('"sep=;"\r\n', ";", "utf-8-sig"), ("SEP=|\n", "|", "utf-16"),
        ("\nsep=\t\n\n", "\t", "utf-8"), ('"sep=,",,,,,,\n', ",", "cp1252"), ("sep=^\n", "^", "utf-8"),
        ("\ufeffsep=:\n", ":", "utf-8-sig"),
    ],
)  # fmt: skip
def test_a_first_line_that_says_the_delimiter(
    town: Town, write: Write, first: str, delimiter: str, encoding: str
) -> None:
    rows = SMALL.replace("T23:30:00Z", "").replace(" 08:00:00", "").splitlines()
    if delimiter != ",":  # nor does it matter that another stands oftener
        rows = [row.replace(",", delimiter) + delimiter for row in rows]
        rows[0] += "a,b,c,d,e,f,g,h,i"
    path = write(first + "\n".join(rows), encoding)
    assert importer.run(town, path, ASSO).posted == 3
    # Lines are counted from the first of the file.
    path = write(first + HEADER.replace(",", delimiter) + line(amount="x").replace(",", delimiter), encoding)
    assert problems(town, path) == [(first.count("\n") + 2, "amount_malformed")]


HOURS = [  # in Paris
    ("2025-10-26 01:59", "2025-10-25T23:59:00Z", ""), ("2025-10-26 02:00", "2025-10-26T00:00:00Z", "at_twice"),
    ("2025-10-26 02:59:59", "2025-10-26T00:59:59Z", "at_twice"), ("2025-10-26 03:00", "2025-10-26T02:00:00Z", ""),
    ("2025-10-26T02:30+01:00", "2025-10-26T01:30:00Z", ""), ("2025-10-26T00:30:00Z", "2025-10-26T00:30:00Z", ""),
    ("2026-03-29 01:59", "2026-03-29T00:59:00Z", ""), ("2026-03-29 02:00", "2026-03-29T01:00:00Z", "at_never"),
    ("2026-03-29 02:59", "2026-03-29T01:59:00Z", "at_never"), ("2026-03-29 03:00", "2026-03-29T01:00:00Z", ""),
    ("2025-10-26", "2025-10-26", ""),
]  # fmt: skip


def test_hours_that_were_twice_or_never_are_named_by_line(town: Town, write: Write) -> None:
    towns.clock(town).now += 2 * 365 * 86_400_000_000
    assert town.charter.timezone == "Europe/Paris"
    path = write(HEADER + "".join(line(id=str(n), at=at) for n, (at, _moment, _doubt) in enumerate(HOURS)))
    done = importer.run(town, path, ASSO)
    expected = [(n, doubt) for n, (_at, _moment, doubt) in enumerate(HOURS, 2) if doubt]
    assert [(doubt.line, doubt.code) for doubt in done.doubts] == expected and done.doubtful == len(expected)
    assert (done.posted, done.problems) == (len(HOURS), [])
    # Posted in the order of the file, whatever their hours.
    entries = town.book.statement(parties.named(town, "Alice").account, limit=20).entries
    assert [entry.evidence["at"] for entry in reversed(entries)] == [moment for _at, moment, _doubt in HOURS]
    again = importer.run(town, path, ASSO)
    assert (again.posted, again.stood, again.doubts) == (0, len(HOURS), done.doubts)


def test_thousands_of_doubtful_hours_are_counted(town: Town, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importer, "MOST_PROBLEMS", 2)
    path = write(HEADER + "".join(line(id=str(n), at="2024-10-27 02:10") for n in range(5)))
    done = importer.run(town, path, ASSO)
    assert ([doubt.line for doubt in done.doubts], done.doubtful, done.posted) == ([2, 3], 5, 5)


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


def test_a_desk_that_looked_before_the_import(town: Town, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a program whose clock is a little behind: the time of the log alone would not show that anything came."""
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 500, reserve=CASH, reference="S1")
    towns.clock(town).forward(60)
    signed, limits, done = towns.order(town, alice, shop.account, 100), Desk._limits, list[Imported]()

    def meanwhile(*args: Any) -> None:
        if not done:
            towns.clock(town).forward(-2)
            done.append(importer.run(town, write(HEADER + line()), ASSO))
            towns.clock(town).forward(2)
        limits(*args)

    monkeypatch.setattr(Desk, "_limits", meanwhile)
    assert towns.refusal(town, signed).code == "account_uncovered"
    assert done[0].posted == 1 and balance(town, "Alice") == 600
    assert audit(town).findings == []


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
