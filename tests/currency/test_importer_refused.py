"""What an import refuses, line by line; what may be left out; and whose account a name is."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.core.ids import account_text
from ledger.currency import conversion, importer, parties
from ledger.currency.audit.walk import audit
from ledger.currency.importer import ImportRefused, Options
from ledger.currency.town import Town
from tests import towns
from tests.currency.past import ASSO, HEADER, SMALL, Write, balance, line, problems, writing
from tests.towns import CASH, nothing_moves


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return writing(tmp_path / "past.csv")


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
    assert audit(town).findings == []


def test_a_good_line_whose_id_a_bad_one_has_too(town: Town, write: Write) -> None:
    """The first that can be taken is; whatever comes of the same id, before or after, is left out. Any number may."""
    short = "".join(line(id="2", from_="Alice", to="Bob", amount=str(9 + n)) for n in range(20))
    text = HEADER + line(id="1", amount="5.00") + short + line(id="2", from_="Alice", to="Bob", amount="4")
    text += line(id="3", from_="Bob", to="Carol", amount="3") + line(id="2", amount="7")
    text += line(id="4", from_="Dora", to="Emil", amount="1")
    path, options = write(text), Options(ASSO.issuers, skip_bad=True)
    done = importer.run(town, path, options)
    # Nobody is opened for the sake of a line that is left out.
    assert (done.lines, done.posted, done.left_out, done.accounts, done.cents) == (25, 3, 22, 4, 1_200)
    assert [balance(town, name) for name in ("Alice", "Bob", "Carol")] == [100, 100, 300]
    assert audit(town).findings == []
    with nothing_moves(town):
        assert importer.run(town, path, options).posted == 0


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
