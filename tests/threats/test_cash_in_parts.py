"""Cash of several boxes, or with other euros, that was paid in as one sum: a share of a split is cash of a box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.currency import conversion, parties
from ledger.currency.audit.charged import FORMS
from ledger.currency.audit.walk import audit
from ledger.currency.bank import said
from ledger.currency.bank.lines import Line
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.charter import ReserveAccount, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, balances, bring, charter, decide, line, opened, statement
from tests.threats.test_cash_before_first import begins
from tests.threats.test_cash_of_the_box import officer, unasked
from tests.towns import BANK, CASH

SECOND = "Caisse 2"


@pytest.fixture
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """With two cash boxes: 60 in the first, 40 in the second."""
    accounts = (*charter().reserve, ReserveAccount(name=SECOND, kind=ReserveKind.CASH))
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with opened(tmp_path / "home", url, reserve=accounts) as made:
        for name, amount, box in (("Bob", 6_000, CASH), ("Carol", 4_000, SECOND)):
            conversion.convert(made, parties.admit(made, "person", name), amount, reserve=box, reference=f"S-{amount}")
        yield made


pytestmark = pytest.mark.parametrize(
    "town", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def came(town: Town, amount: int, text: str = "VERSEMENT ESPECES", kind: LineKind = LineKind.CASH) -> Line:
    bring(town, statement([line(amount, text, kind=kind)]))
    [one] = open_lines(town)
    return one.line


def split(*shares: Share) -> Decision:
    return Decision(way=Way.SPLIT, shares=shares).plain()


def cash(amount: int, box: str = CASH) -> Share:
    return Share(Way.CASH, amount, cash=box)


@pytest.mark.parametrize("rest", [0, 1_000])
def test_what_was_paid_in_as_one_sum_is_an_operators(town: Town, rest: int) -> None:
    """All that lies in the boxes, and a membership: what is left can be cash of none of them."""
    one = came(town, 10_000 + rest)
    own = (Share(Way.OWN, rest),) if rest else ()
    posted = decide(town, officer(town, "operator"), one.id, split(cash(6_000), cash(4_000, SECOND), *own))
    held, done = balances(town), audit(town)
    assert CASH not in held and SECOND not in held and held[BANK] == 10_000 + rest
    assert done.clean and not [notice for notice in done.notices if notice.seq == posted.seq]
    put_back(town, one.id)
    assert (balances(town)[CASH], balances(town)[SECOND]) == (6_000, 4_000) and audit(town).clean


@pytest.mark.parametrize("way", [Way.OWN, Way.MEMBER])
def test_while_there_is_more_in_a_box_the_rest_may_be_that(town: Town, way: Way) -> None:
    one, alice = came(town, 7_000), parties.admit(town, "person", "Alice")
    decision = split(cash(6_000), Share(way, 1_000, alice.account if way is Way.MEMBER else None))
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may") as refused:
        decide(town, operator, one.id, decision)
    assert refused.value.code == "role_insufficient"
    posted = decide(town, treasurer, one.id, decision)
    done = audit(town)
    assert done.clean and [notice for notice in done.notices if notice.seq == posted.seq]


OTHER = ("DE BOB DUBOIS", LineKind.OTHER)


def test_where_the_bank_calls_it_nothing_it_is_a_treasurers_word(town: Town) -> None:
    one, decision = came(town, 11_000, *OTHER), split(cash(6_000), cash(4_000, SECOND), Share(Way.OWN, 1_000))
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="treasurer may") as refused:
        decide(town, operator, one.id, decision)
    assert refused.value.code == "role_insufficient"
    posted = decide(town, treasurer, one.id, decision)
    done = audit(town)
    assert done.clean and [one.form for one in done.notices if one.seq == posted.seq] == [FORMS["cash"]]


def test_check_finds_an_operators_word(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    one, decision = came(town, 11_000, *OTHER), split(cash(6_000), cash(4_000, SECOND), Share(Way.OWN, 1_000))
    with monkeypatch.context() as patched:
        patched.setattr(said, "explains", lambda *_given, **_more: True)
        decide(town, officer(town, "operator"), one.id, decision)
    assert [found.code for found in audit(town).findings] == ["role_insufficient"]


def test_check_knows_what_the_desk_did_not_ask(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """That the rest may be cash of a box that still holds some."""
    one, operator = came(town, 7_000), officer(town, "operator")
    unasked(monkeypatch, "boxed")
    with monkeypatch.context() as patched:
        patched.setattr("ledger.currency.bank.boxes.Boxes.may_be", lambda *_given: False)
        posted = decide(town, operator, one.id, split(cash(6_000), Share(Way.OWN, 1_000)))
    assert [(found.code, found.seq) for found in audit(town).findings] == [("role_insufficient", posted.seq)]


def test_part_of_what_was_there_before_the_first_statement(town: Town) -> None:
    one = begins(town, 50_000)
    parts = split(cash(6_000), cash(4_000, SECOND), Share(Way.OWN, 40_000))
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, one.id, parts)
    decide(town, treasurer, one.id, parts)
    assert CASH not in balances(town) and audit(town).clean


@pytest.mark.parametrize(
    "decision",
    [Decision(way=Way.CASH, cash=CASH), split(cash(10_000)), split(cash(5_000), cash(5_000, SECOND))],
)
def test_it_says_what_a_box_holds(town: Town, decision: Decision) -> None:
    one = came(town, 10_000)
    with (
        towns.nothing_moves(town),
        pytest.raises(CurrencyError, match=r"holds [46]0\.00, and .*: split the line") as no,
    ):
        place(town, one.id, decision)
    assert no.value.code == "below_floor"


@pytest.mark.parametrize(
    ("said", "shares", "code"),
    [
        (line(5_999, "LOYER", kind=LineKind.TRANSFER), (cash(5_999),), "placing_uneven"),
        (line(6_000, "VERSEMENT"), (cash(5_000), cash(1_000)), "placing_uneven"),
        (line(6_000, "VERSEMENT"), (cash(6_000, BANK),), "reserve_account_unknown"),
        (line(6_000, "VERSEMENT"), (Share(Way.CASH, 6_000),), "reserve_account_unknown"),
    ],
)
def test_what_is_no_share_of_cash(town: Town, said: BankLine, shares: tuple[Share, ...], code: str) -> None:
    bring(town, statement([said]))
    [one] = open_lines(town)
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as refused:
        place(town, one.line.id, split(*shares))
    assert refused.value.code == code


# --- what was paid in and is to come back ------------------------------------------------------------------


@pytest.mark.parametrize("spent", [0, 1])
@pytest.mark.parametrize("how", ["as cash", "in parts"])
def test_a_slip_that_was_paid_in_is_taken_back(town: Town, spent: int, how: str) -> None:
    """The deposit is put back first; what the member lacks, if anything, is another matter."""
    carol, wrong = towns.member(town, "person", "Carol Dupont"), towns.member(town, "person", "Alice Martin")
    typed = conversion.convert(town, wrong.party, 500, reserve=CASH, reference="S-5").id
    lines = (line(6_000, "VERSEMENT", kind=LineKind.CASH), line(500, "VERSEMENT", DAY, kind=LineKind.CASH),
             line(1_000, "VERSEMENT", kind=LineKind.CASH))  # fmt: skip
    bring(town, statement(lines))
    ids = {one.line.amount: one.line.id for one in open_lines(town)}
    whole = Decision(way=Way.CASH, cash=CASH)
    place(town, ids[6_000], whole if how == "as cash" else split(cash(6_000)))
    place(town, ids[500], split(cash(400), Share(Way.OWN, 100)))
    if spent:
        towns.pay(town, wrong, carol, spent)
    match = "units are not there" if spent else f"holds 1.00, .*: 4.00 of .*{DAY}.*back {ids[500].hex()[-8:]}`"
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match=match) as refused:
        conversion.correct(town, typed)
    assert refused.value.code == "below_floor"
    if spent:
        return
    place(town, ids[1_000], split(cash(100), Share(Way.OWN, 900)))
    with pytest.raises(CurrencyError, match=f"back {ids[6_000].hex()[-8:]}`"):
        conversion.correct(town, typed)
    put_back(town, ids[6_000])
    conversion.correct(town, typed)
    conversion.convert(town, carol.party, 500, reserve=CASH, reference="S-5/2")
    place(town, ids[6_000], whole)
    assert CASH not in balances(town) and audit(town).clean


def test_what_was_taken_out_and_was_paid_in_since(town: Town) -> None:
    bring(town, statement([line(9_000, "don"), line(-1_000, "RETRAIT", kind=LineKind.CASH),
                           line(7_000, "VERSEMENT", kind=LineKind.CASH)]))  # fmt: skip
    ids = {one.line.amount: one.line.id for one in open_lines(town)}
    for amount in (-1_000, 7_000):
        place(town, ids[amount], Decision(way=Way.CASH, cash=CASH))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match=f"back {ids[7_000].hex()[-8:]}`") as refused:
        put_back(town, ids[-1_000])
    assert refused.value.code == "below_floor"
    for amount in (7_000, -1_000):
        put_back(town, ids[amount])
    for amount in (-1_000, 7_000):
        place(town, ids[amount], Decision(way=Way.CASH, cash=CASH))
    assert audit(town).clean
