"""The audit of bank lines: lies about what people decided, placings and putting back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.core.model import Instruction, Transaction, Transfer
from ledger.currency import conversion
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.bank.booking import book
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import place, placed_id
from ledger.currency.chart import EUR
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.lies import NEXT, UNIT, Changes, came, decided, finds_at, judged, many, undoing, units, went
from tests.currency.bank.scene import DAY, bring, decide, line, opened, statement, token, undeciding
from tests.towns import Member, key_of


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Member:
    return towns.member(town, "person", "Alice")


Placing = Callable[[Town, Line, Line, Member], Instruction]
SHAPE = ["placing_shape"]
PLACINGS: dict[str, tuple[list[str], Placing]] = {
    "own": ([], lambda t, i, o, a: decided(t, i, "own", came(t, "operations"))),
    "fees": ([], lambda t, i, o, a: decided(t, o, "fees", went(t, "income"))),
    "a member": ([], lambda t, i, o, a: decided(
        t, i, "member", units(t, a.account), came(t, "guarantee"), kind="conversion", holder=a.account)),
    "less than the line": (SHAPE, lambda t, i, o, a: decided(t, i, "own", came(t, "operations", 2_499))),
    "to another account": (SHAPE, lambda t, i, o, a: decided(t, i, "own", came(t, "income"))),
    "the wrong way round": (SHAPE, lambda t, i, o, a: decided(t, i, "own", went(t, "operations", 2_500))),
    "fees that came": (SHAPE, lambda t, i, o, a: decided(t, i, "fees", came(t, "income"))),
    "a way that there is not": (SHAPE, lambda t, i, o, a: decided(t, i, "gift", came(t, "operations"))),
    "a member who is none": (SHAPE, lambda t, i, o, a: decided(
        t, i, "member", units(t, t.chart.waiting), came(t, "guarantee"), kind="conversion", holder=t.chart.waiting)),
    "another member": (SHAPE, lambda t, i, o, a: decided(
        t, i, "member", units(t, a.account), came(t, "guarantee"), kind="conversion", holder=99)),
    "more units than euros": (SHAPE, lambda t, i, o, a: decided(
        t, i, "split", units(t, a.account), came(t, "guarantee", 2_499), came(t, "operations", 1), kind="conversion")),
    "a split": ([], lambda t, i, o, a: decided(
        t, i, "split", units(t, a.account, 2_499), came(t, "guarantee", 2_499), came(t, "operations", 1),
        kind="conversion")),
    "a split that lacks": (SHAPE, lambda t, i, o, a: decided(
        t, i, "split", units(t, a.account, 2_400), came(t, "guarantee", 2_400), kind="conversion")),
    "a split with fees": (SHAPE, lambda t, i, o, a: decided(t, i, "split", came(t, "income"))),
    "a claim of nobody": (["claim_nobodys", "claim_exceeded"], lambda t, i, o, a: decided(
        t, i, "claim", came(t, "claims", 2_500))),
    "units as own": (SHAPE, lambda t, i, o, a: decided(
        t, i, "own", units(t, a.account), came(t, "guarantee"), kind="conversion")),
    "cash that is no cash box": (SHAPE, lambda t, i, o, a: decided(
        t, i, "cash", came(t, "operations"), cash=t.chart.operations)),
    "cash in the bank": (SHAPE, lambda t, i, o, a: decided(
        t, i, "cash", came(t, i.reserve), cash=i.reserve)),
    "a conversion that there is not": (["conversion_unrelated"], lambda t, i, o, a: decided(
        t, i, "known", came(t, i.reserve), conversion=bytes(16), holder=a.account)),
    "a pair that is none": ([*SHAPE, "pair_alone"], lambda t, i, o, a: decided(
        t, i, "pair", kind="bank_paired", other=o.id)),
    "a return of nothing": (["return_unrelated"], lambda t, i, o, a: decided(
        t, o, "returned", went(t, "claims"), kind="bank_return", returns=i.id, holder=a.account)),
    "cover for nobody": (SHAPE, lambda t, i, o, a: decided(
        t, i, "cover", units(t, a.account), came(t, "guarantee"), kind="opening")),
    "another line": (["placing_unrelated"], lambda t, i, o, a: decided(
        t, i, "own", came(t, "operations"), reference=o.reference)),
    "no line": (["placing_unrelated"], lambda t, i, o, a: decided(
        t, i, "own", came(t, "operations"), line=bytes(16))),
    "another day": (["line_date"], lambda t, i, o, a: decided(t, i, "own", came(t, "operations"), day=DAY)),
    "an id of its own": (["id_not_derived"], lambda t, i, o, a: decided(
        t, i, "own", came(t, "operations"), id=t.new_id())),
    "the next id": (["id_not_derived"], lambda t, i, o, a: decided(
        t, i, "own", came(t, "operations"), id=placed_id(i.id, 1))),
    "nobody's decision": (["role_insufficient"], lambda t, i, o, a: decided(
        t, i, "own", came(t, "operations"), by=a.key.public.hex())),
}  # fmt: skip


def test_placings(town: Town, alice: Member) -> None:
    came_in, went_out = many(town, len(PLACINGS), 2_500, -900)
    book(town)
    # Somebody owes, so that the engine lets a wrong claim through.
    debt = Transfer(town.chart.claims, town.chart.operations, 2_500, EUR)
    town.post(Transaction(town.new_id(), "gift", (debt,), evidence={"holder": f"{alice.account:016x}"}))
    lies = {}
    for (name, (codes, lie)), one, other in zip(PLACINGS.items(), came_in, went_out, strict=True):
        lies[name] = (codes, lie(town, one, other, alice))
    judged(town, lies)


def test_payouts_that_people_found(town: Town) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    changes: Changes = {
        "right": ([], {}),
        "less": (["placing_shape"], {"cents": 9_499}),
        "as if a file let it leave": (["payout_beside"], {"beside": 0}),
        "another account": (["payout_shape"], {"account": "income"}),
        "another kind": (["placing_shape"], {"kind": "bank_placed"}),
        "of nothing": (["payout_unknown"], {"payout": bytes(16)}),
    }
    bring(town, statement([line(90_000, token(town, shop.party))]))
    owed = []
    for _ in changes:
        asked = conversion.find_asked(town, towns.ask_back(town, shop, 10_000))
        owed.append(conversion.accept(town, asked).id)
    taking.take(town, [statement([line(-9_500, "?", NEXT) for _ in changes], 90_000)])
    book(town)
    lies = {}
    for (name, (codes, change)), payout, one in zip(changes.items(), owed, lines(town)[1:], strict=True):
        moved = went(town, change.pop("account", "payouts"), change.pop("cents", 9_500))
        told = {"kind": "bank_payout", "payout": payout, "beside": 9_500, **change}
        lies[name] = (codes, decided(town, one, "payout", moved, **told))
    judged(town, lies)


def test_a_payout_that_is_unpaid_although_it_came_back(town: Town) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    bring(town, statement([line(10_000, token(town, shop.party))]))
    payout = conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 10_000))).id
    mine = payout_reference(town.charter.network, payout)
    bring(town, statement([line(-9_500, mine, NEXT), line(9_500, mine, NEXT, kind=LineKind.RETURN)], 10_000))
    paid = lines(town)[1]
    moved = Transfer(town.chart.suspense, town.chart.payouts, 9_500, EUR)
    posted = town.post(undoing(town, paid, moved, undoes=paid.id))
    assert "payout_undone" in [finding.code for finding in audit(town).findings if finding.id == posted.id]


def test_a_line_that_is_placed_twice(town: Town, taken: list[Line], alice: Member) -> None:
    book(town)
    one = taken[0]
    place(town, one.id, Decision(way=Way.OWN))
    again = town.post(decided(town, one, "own", came(town, "operations"), id=placed_id(one.id, 1)))
    finds_at(town, again.id, "placing_unrelated", "id_not_derived")


def test_half_a_pair(town: Town, alice: Member) -> None:
    bring(town, statement([line(900, "x"), line(-900, "y", NEXT)]))
    one, other = lines(town)
    posted = town.post(decided(town, one, "pair", kind="bank_paired", other=other.id))
    finds_at(town, posted.id, "pair_alone")


def way_back(town: Town, alice: Member, cents: int = 2_500, euros: int = 2_500) -> list[Transfer]:
    chart = town.chart
    return [Transfer(alice.account, chart.circulation, cents, UNIT),
            Transfer(chart.guarantee, chart.suspense, euros, EUR)]  # fmt: skip


def test_putting_back(town: Town, alice: Member) -> None:
    all_ = way_back(town, alice)
    unrelated = ["placing_unrelated"]
    changes: dict[str, tuple[list[str], list[Transfer], dict[str, Any]]] = {
        "right": ([], all_, {}),
        "less": (SHAPE, way_back(town, alice, 2_400, 2_400), {}),
        "units alone": (SHAPE, all_[:1], {}),
        "another entry": (unrelated, all_, {"undoes": bytes(16)}),
        "no line": (unrelated, all_, {"line": bytes(16)}),
        "another id": (["id_not_derived"], all_, {"id": bytes(15) + b"x"}),
        "by a member": (["role_insufficient"], all_, {"by": alice.key.public.hex()}),
        "by who takes no units from members": (["role_insufficient"], all_, {"by": operator(town)}),
        "by who had given them": ([], all_, {"by": key_of("L'association").public.hex()}),
    }
    [found] = many(town, len(changes), 2_500)
    book(town)
    lies = {}
    for (name, (codes, moved, change)), one in zip(changes.items(), found, strict=True):
        decision, lie = Decision(way=Way.MEMBER, holder=alice.account), undoing(town, one, *moved, **change)
        if name == "by who had given them":
            key = key_of("L'association")
            decide(town, key, one.id, decision)
            lie = undeciding(town, key, one.id).signed(lie)
        else:
            place(town, one.id, decision)
        lies[name] = (codes, lie)
    judged(town, lies)


def operator(town: Town) -> str:
    """The key of somebody who takes no units from members."""
    return towns.member(town, "association", "L'association").key.public.hex()


def test_putting_back_what_was_not_placed(town: Town, taken: list[Line]) -> None:
    book(town)
    posted = town.post(undoing(town, taken[0], undoes=taken[0].id))
    done = audit(town)
    assert "placing_unrelated" in [finding.code for finding in done.findings if finding.id == posted.id]


def test_putting_back_a_return_without_saying_what_stands_again(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    bring(town, statement([line(900, mine), line(-900, mine, NEXT, kind=LineKind.RETURN), line(900, "x", NEXT)]))
    one = lines(town)[1]
    chart = town.chart
    back = [Transfer(chart.circulation, alice.account, 900, UNIT),
            Transfer(chart.suspense, chart.guarantee, 900, EUR)]  # fmt: skip
    posted = town.post(undoing(town, one, *back, undoes=one.id))
    # What went waits now beside as much that came: neither is the other.
    finds_at(town, posted.id, "return_unrelated", "reserve_short")
