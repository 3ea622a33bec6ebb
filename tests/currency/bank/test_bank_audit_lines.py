"""The audit of bank lines: lies about lines, about what came back, what was typed before, what the bank took away."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.model import Instruction, Transaction, Transfer
from ledger.currency import conversion
from ledger.currency.bank import taking
from ledger.currency.bank.booking import book
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import place
from ledger.currency.bank.taking import line_id
from ledger.currency.bank.withdrawing import withdrawn_id
from ledger.currency.chart import EUR
from ledger.currency.imported import open_reserve
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.lies import NEXT, UNIT, Changes, finds, finds_at, judged, many, of_line, topup
from tests.currency.bank.scene import DAY, bring, line, opened, statement, token
from tests.towns import BANK, CASH, Member


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Member:
    return towns.member(town, "person", "Alice")


# --- lies about lines --------------------------------------------------------------------------------------


def test_conversions_of_lines(town: Town, alice: Member) -> None:
    shape, chart = ["conversion_shape"], town.chart
    changes: Changes = {
        "right": ([], {}),
        "fewer units": (shape, {"units": 2_499}),
        "more euros": (["line_amount", *shape], {"units": 2_501, "euros": 2_501}),
        "for another": (shape, {"holder": 99}),
        "to nobody": (shape, {"to": chart.waiting, "holder": chart.waiting}),
        "in the cash box": (["line_amount", *shape], {"bank": chart.reserve[CASH]}),
        "another day": (["line_date"], {"day": DAY}),
        "by a member": (["role_insufficient"], {"by": alice.key.public.hex()}),
        # Its id follows from no line, nor from a slip: two such could be booked for one line.
        "another id": (["id_not_derived"], {"id": town.new_id()}),
    }
    [found] = many(town, len(changes), 2_500)
    lies = zip(changes.items(), found, strict=True)
    judged(town, {name: (codes, topup(town, one, alice, **change)) for (name, (codes, change)), one in lies})


def test_a_line_that_was_made_up(town: Town, taken: list[Line], alice: Member) -> None:
    """Units against euros of a line that no statement has."""
    one = taken[0]._replace(ordinal=7)
    made_up = one._replace(id=line_id(town.charter.network, BANK, one.reference))
    posted = town.post(topup(town, made_up, alice))
    finds(town, "line_missing", "statement_balance")
    finds_at(town, posted.id, "line_missing")


def test_lines_under_other_references(town: Town, taken: list[Line], alice: Member) -> None:
    references = ("20250611/2500/01", "20250611/+2500/1", "20251345/2500/1", "hello", "20250611/2500", "20250611/0/1")
    open_reserve(town, CASH, 10_000, "M1")
    lies = {}
    for reference in references:
        made_up = taken[0]._replace(id=line_id(town.charter.network, BANK, reference))
        lies[reference] = (["line_reference", "id_not_derived"], topup(town, made_up, alice, reference=reference))
    judged(town, lies)


def test_lines_that_go_elsewhere(town: Town, alice: Member) -> None:
    right = {"bank_suspense": "suspense", "bank_transit": "transit"}
    tried = [(kind, account) for kind in right for account in ("suspense", "transit", "operations")]
    came_in, went_out = many(town, len(tried), 2_500, -900)
    lies = {}
    for (kind, account), *both in zip(tried, came_in, went_out, strict=True):
        other = town.chart.own()[account]
        for one in both:
            pair = (one.reserve, other) if one.amount > 0 else (other, one.reserve)
            moved = Transfer(*pair, abs(one.amount), EUR)
            codes = [] if right[kind] == account else ["line_shape"]
            lies[f"{kind} {account} {one.amount}"] = (codes, of_line(town, one, kind, moved))
            again = of_line(town, one, kind, moved, id=town.new_id())
            lies[f"{kind} {account} {one.amount} again"] = (["id_not_derived"], again)
    judged(town, lies)


# --- lies about what came back -----------------------------------------------------------------------------


def given_back(
    town: Town, one: Line, alice: Member, original: bytes, units: int = 900, claim: int = 0, **more: Any
) -> Instruction:  # fmt: skip
    chart = town.chart
    euros = more.pop("euros", units)
    moved = [
        Transfer(alice.account, chart.circulation, units, UNIT),
        Transfer(chart.guarantee, one.reserve, euros, EUR),
    ]
    moved += [Transfer(chart.claims, one.reserve, claim, EUR)] if claim else []
    return of_line(town, one, "bank_return", *moved, **{"returns": original, "holder": alice.account, **more})


def test_returns(town: Town, alice: Member) -> None:
    changes: Changes = {
        "right": ([], {}),
        "a claim for the rest": ([], {"units": 400, "claim": 500}),
        "more units": (["return_shape"], {"units": 901, "euros": 900}),
        "fewer units": (["return_shape"], {"units": 899, "euros": 900}),
        "less": (["line_amount", "return_shape"], {"units": 899}),
        "of nothing": (["return_unrelated"], {"original": bytes(16)}),
        "of another": (["return_unrelated", "return_shape"], {"holder": 99}),
        "by nobody": (["role_insufficient"], {"by": "nobody"}),
        "another id": (["id_not_derived"], {"id": bytes(15) + b"x"}),
    }
    topups, backs = many(town, len(changes), 900, -900)
    for one in topups:
        town.post(topup(town, one, alice, units=900, euros=900))
    lies = {}
    for (name, (codes, change)), original, one in zip(changes.items(), topups, backs, strict=True):
        lies[name] = (codes, given_back(town, one, alice, **{"original": original.id, **change}))
    judged(town, lies)


def test_a_top_up_that_is_taken_back_twice(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    bring(town, statement([line(900, mine), line(900, mine), line(-900, mine, NEXT, kind=LineKind.RETURN)]))
    taking.take(town, [statement([line(-900, "again", NEXT)], 900)])
    latest, one = lines(town)[1], lines(town)[-1]
    posted = town.post(given_back(town, one, alice, latest.id))
    finds_at(town, posted.id, "return_twice")


def test_a_claim_of_nobody_and_one_that_is_overpaid(town: Town, alice: Member) -> None:
    chart = town.chart
    nobody, over = town.new_id(), town.new_id()
    bring(town, statement([line(900, "x")]))
    town.post(Transaction(nobody, "gift", (Transfer(chart.claims, chart.operations, 500, EUR),)))
    evidence = {"holder": f"{alice.account:016x}"}
    town.post(Transaction(over, "gift", (Transfer(chart.operations, chart.claims, 1, EUR),), evidence=evidence))
    finds_at(town, nobody, "kind_unknown", "claim_nobodys")
    finds_at(town, over, "kind_unknown", "claim_exceeded")
    shares = {"owed": f"{alice.account:016x}:2"}
    other = town.new_id()
    town.post(Transaction(other, "gift", (Transfer(chart.claims, chart.operations, 1, EUR),), evidence=shares))
    finds_at(town, other, "kind_unknown", "claim_nobodys")


# --- lies about what was typed before ------------------------------------------------------------------------


def test_lines_that_were_typed_before(town: Town, alice: Member) -> None:
    unrelated = ["conversion_unrelated"]
    changes: Changes = {
        "right": ([], {}),
        "of more": (unrelated, {"amount": 2_501}),
        "of none": (unrelated, {"conversion": bytes(16)}),
        "for another": (unrelated, {"holder": 99}),
        "in cash": (unrelated, {"reserve": CASH}),
        "by nobody": (["role_insufficient"], {"by": "nobody"}),
        "another id": (["id_not_derived"], {"id": bytes(15) + b"x"}),
    }
    ids = [
        conversion.convert(
            town, alice.party, change.pop("amount", 2_500), reserve=change.pop("reserve", BANK), reference=f"V{number}"
        ).id
        for number, (_codes, change) in enumerate(changes.values())
    ]  # fmt: skip
    [found] = many(town, len(changes), 2_500)
    lies = {}
    for (name, (codes, change)), typed, one in zip(changes.items(), ids, found, strict=True):
        told = {"conversion": typed, "holder": alice.account, **change}
        lies[name] = (codes, of_line(town, one, "bank_line_known", **told))
    judged(town, lies)


def test_a_conversion_that_is_two_lines(town: Town, alice: Member) -> None:
    typed = conversion.convert(town, alice.party, 900, reserve=BANK, reference="42").id
    bring(town, statement([line(900, "x", bank_ref="42")]))
    taking.take(town, [statement([line(900, "y", NEXT)], 900)])
    told = of_line(town, lines(town)[-1], "bank_line_known", conversion=typed, holder=alice.account)
    finds_at(town, town.post(told).id, "conversion_named")


def test_a_conversion_that_is_taken_back_though_a_line_is_it(town: Town, alice: Member) -> None:
    typed = conversion.convert(town, alice.party, 900, reserve=BANK, reference="42").id
    bring(town, statement([line(900, "x", bank_ref="42")]))
    chart = town.chart
    back = (Transfer(alice.account, chart.circulation, 900, UNIT),
            Transfer(chart.guarantee, chart.reserve[BANK], 900, EUR))  # fmt: skip
    id_ = conversion.corrected_id(typed)
    town.post(Transaction(id_, conversion.CORRECTED, back, corrects=typed, evidence={"by": "console"}))
    finds_at(town, id_, "conversion_banked")


# --- lies about what the bank took away ------------------------------------------------------------------------


def test_withdrawals(town: Town) -> None:
    changes: Changes = {
        "right": ([], {}),
        "less": (["line_shape"], {"cents": 2_499}),
        "another id": (["id_not_derived"], {"id": bytes(15) + b"x"}),
        "of nothing": (["return_unrelated"], {"returns": bytes(16)}),
        "of another": (["return_unrelated", "reserve_short"], {"reference": "20250611/-900/1"}),
        "by nobody": (["role_insufficient"], {"by": "nobody"}),
    }
    [found] = many(town, len(changes), 2_500)
    book(town)
    lies = {}
    with town.engine.begin() as connection:  # the tables have them withdrawn, so that the bank has them no longer
        another = "(SELECT max(id) FROM bank_statement WHERE id <> bank_line.statement)"
        connection.execute(text(f"UPDATE bank_line SET withdrawn = {another} WHERE amount = 2500"))
    for (name, (codes, change)), one in zip(changes.items(), found, strict=True):
        back = Transfer(town.chart.suspense, one.reserve, change.pop("cents", 2_500), EUR)
        told = {"id": withdrawn_id(one.id), "returns": one.id, **change}
        lies[name] = (codes, of_line(town, one, "bank_withdrawn", back, **told))
    judged(town, lies)


def test_a_line_that_is_withdrawn_after_it_went_back(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    bring(town, statement([line(900, mine), line(9_000, "x"), line(-900, mine, NEXT, kind=LineKind.RETURN)]))
    one = lines(town)[0]
    claim = Transfer(town.chart.claims, one.reserve, 900, EUR)
    told = {"id": withdrawn_id(one.id), "returns": one.id, "holder": alice.account}
    posted = town.post(of_line(town, one, "bank_withdrawn", claim, **told))
    finds_at(town, posted.id, "return_twice")


def test_a_placed_line_that_is_withdrawn_as_if_it_was_not(town: Town, taken: list[Line]) -> None:
    book(town)
    one = taken[0]
    place(town, one.id, Decision(way=Way.OWN))
    back = Transfer(town.chart.suspense, one.reserve, 2_500, EUR)
    posted = town.post(of_line(town, one, "bank_withdrawn", back, id=withdrawn_id(one.id), returns=one.id))
    finds_at(town, posted.id, "line_shape")
