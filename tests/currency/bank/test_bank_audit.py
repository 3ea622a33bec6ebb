"""The audit of bank lines: honest books are clean, and every lie that somebody plants is named with its entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from ledger.core.ids import derived_id
from ledger.core.model import Account, Instruction, Note, Opening, Side, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.audit.walk import Audit, audit
from ledger.currency.bank import taking
from ledger.currency.bank.booking import book
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.payouts.index import payout_reference
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import back_id, open_lines, place, placed_id
from ledger.currency.bank.tables import BANK_LINE, BANK_STATEMENT
from ledger.currency.bank.taking import line_id, statement_id
from ledger.currency.bank.withdrawing import withdrawn_id
from ledger.currency.chart import EUR
from ledger.currency.imported import issuer_number, open_reserve
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import (
    DAY,
    SAVINGS_IBAN,
    bring,
    bring_in,
    decide,
    line,
    opened,
    statement,
    token,
    undecide,
    undeciding,
)  # fmt: skip
from tests.towns import BANK, CASH, Member, key_of

UNIT = "PATARD"
NEXT = DAY + timedelta(days=1)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Member:
    return towns.member(town, "person", "Alice")


def clean(town: Town) -> Audit:
    done = audit(town)
    assert done.clean, done.findings
    return done


def finds(town: Town, *codes: str, id_: bytes | None = None) -> None:
    """The audit finds exactly these, all at the entry `id_` if one is given."""
    done = audit(town)
    assert [finding.code for finding in done.findings] == list(codes), done.findings
    if id_ is not None:
        assert {finding.id for finding in done.findings} == {id_}


def finds_at(town: Town, id_: bytes, *codes: str) -> None:
    """The audit finds these at the entry, whatever else the lie leads to elsewhere."""
    done = audit(town)
    assert [finding.code for finding in done.findings if finding.id == id_] == list(codes), done.findings


Changes = dict[str, tuple[list[str], dict[str, Any]]]
"""Lies by name: what is found at each, and in what it differs from the truth."""


def judged(town: Town, lies: dict[str, tuple[list[str], Instruction]]) -> None:
    """Post each lie, then find at each what is wrong with it, and that only."""
    ids = {name: town.post(instruction).id for name, (_codes, instruction) in lies.items()}
    done = audit(town)
    for name, (codes, _instruction) in lies.items():
        assert [finding.code for finding in done.findings if finding.id == ids[name]] == codes, name
    assert done.total < 100


def many(town: Town, count: int, *amounts: int) -> list[list[Line]]:
    """So many lines of each amount, taken and not booked; bank and guarantee hold more than is needed."""
    bring(town, statement([line(50_000, "don")]))
    open_reserve(town, CASH, 10_000, "M1")
    taking.take(town, [statement([line(amount, "?", NEXT) for amount in amounts for _ in range(count)], 50_000)])
    every = lines(town)[1:]
    return [every[start : start + count] for start in range(0, len(every), count)]


# --- honest books ------------------------------------------------------------------------------------------


def test_a_month_with_everything_in_it(town: Town, alice: Member) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    treasurer = towns.member(town, "association", "L'association", "treasurer")
    mine = token(town, alice.party)
    typed = conversion.convert(town, alice.party, 700, reserve=BANK, reference="42", booked_on=DAY).id
    bring(
        town,
        statement(
            [line(5_000, mine), line(700, "?", bank_ref="42"), line(2_000, mine), line(6_000, "don"),
             line(-1_000, "livret", iban=SAVINGS_IBAN), line(900, "x"), line(-900, "y"), line(1_100, "z"),
             line(-2_000, mine, NEXT, kind=LineKind.RETURN), line(-30, "FRAIS", NEXT), line(-400, "RETRAIT", NEXT),
             line(1_500, "tous", NEXT)]
        ),
    )  # fmt: skip
    bring(town, statement([line(1_000, "de banque")], account=SAVINGS_IBAN))
    clean(town)
    found = {(one.line.amount, one.line.text): one for one in open_lines(town)}
    gift, came, went, other = (found[key] for key in ((6_000, "don"), (900, "x"), (-900, "y"), (1_100, "z")))
    charge, cash, split = (found[key] for key in ((-30, "FRAIS"), (-400, "RETRAIT"), (1_500, "tous")))
    arrived = found[1_000, "de banque"]
    for one, decision in (
        (gift, Decision(way=Way.OWN)), (came, Decision(way=Way.PAIR, other=went.line.id)),
        (other, Decision(way=Way.MEMBER, holder=alice.account)), (charge, Decision(way=Way.CHARGE)),
        (cash, Decision(way=Way.CASH, cash=CASH)), (arrived, Decision(way=Way.TRANSIT)),
        (split, Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 1_000, alice.account), Share(Way.OWN, 500)))),
    ):  # fmt: skip
        decide(town, treasurer.key, one.line.id, decision)
    clean(town)
    for id_ in (other.line.id, went.line.id, lines(town)[1].id):
        undecide(town, treasurer.key, id_)
    # What was typed is on a day of the statement, and no line of it is that any more.
    finds(town, "bank_unexplained", id_=typed)
    acting = towns.acting(town, treasurer.key, f"POST /v1/conversions/{typed.hex()}/correction")
    conversion.correct(acting, typed, by=treasurer.key.public.hex())
    towns.pay(town, alice, shop, 1_800)
    assert clean(town).notices == []


def test_claims_explain_a_shortage(town: Town, alice: Member) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    mine = token(town, alice.party)
    bring(town, statement([line(2_500, mine), line(900, mine)]))
    towns.pay(town, alice, shop, 3_000)
    bring(town, statement([line(-2_500, mine, NEXT, kind=LineKind.RETURN)], 3_400))
    [notice] = clean(town).notices
    assert "lacks 2100 cents" in notice.text and notice.id == lines(town)[-1].id
    bring(town, statement([line(2_100, "?", NEXT)], 900))
    place(town, open_lines(town)[0].line.id, Decision(way=Way.CLAIM, holder=alice.account))
    assert clean(town).notices == []


def test_a_claim_on_somebody_who_still_had_units_is_told(town: Town, alice: Member) -> None:
    bring(town, statement([line(2_500, token(town, alice.party)), line(5_000, "x")]))
    topup = lines(town)[0]
    chart = town.chart
    transfers = (
        Transfer(alice.account, chart.circulation, 2_000, UNIT),
        Transfer(chart.guarantee, chart.reserve[BANK], 2_000, EUR),
        Transfer(chart.claims, chart.reserve[BANK], 500, EUR),
    )
    taking.take(town, [statement([line(-2_500, "r", NEXT)], 7_500)])
    town.post(of_line(town, lines(town)[-1], "bank_return", *transfers, returns=topup.id, holder=alice.account))
    notices = audit(town).notices
    assert any("held 500 in units" in notice.text for notice in notices)


def test_imported_units_that_a_line_covers(town: Town, alice: Member) -> None:
    network = town.charter.network
    issuer = Account(issuer_number(network, "asso"), UNIT, Side.CREDIT, floor=None)
    holder = parties.admit(town, "person", "Bob")
    minted = Transfer(issuer.number, holder.account, 4_000, UNIT)
    bring_in(
        town,
        Opening(derived_id("patard/import/issuer", network, "asso"), issuer, evidence={"issuer": 1}),
        Transaction(derived_id("patard/import", network, "1"), "import", (minted,)),
    )
    bring(town, statement([], 4_000), opening=True)
    place(town, open_lines(town)[0].line.id, Decision(way=Way.COVER))
    assert clean(town).notices == []


# --- lies about lines --------------------------------------------------------------------------------------


def of_line(town: Town, one: Line, kind: str, *transfers: Transfer, **more: Any) -> Instruction:
    """An entry of a bank line as somebody posts it who is no friend of the rules."""
    evidence: dict[str, Any] = {"by": "console", "reserve": one.reserve, "reference": one.reference}
    id_, day = more.pop("id", one.id), more.pop("day", one.booked_on)
    told = {key: value for key, value in {**evidence, **more}.items() if value is not None}
    for key, value in told.items():
        if key in ("reserve", "holder", "claim", "cash"):
            told[key] = f"{value:016x}"
        elif isinstance(value, bytes):
            told[key] = value.hex()
    if transfers:
        return Transaction(id_, kind, transfers, day, evidence=told)
    return Note(id_, kind, told, day)


@pytest.fixture
def taken(town: Town, alice: Member) -> list[Line]:
    """Lines that were taken and are not booked: +25.00 and -9.00; before them 90.00 are in suspense."""
    bring(town, statement([line(9_000, "don")]))
    taking.take(town, [statement([line(2_500, "?", NEXT), line(-900, "?", NEXT)], 9_000)])
    return lines(town)[1:]


def topup(town: Town, one: Line, alice: Member, *, units: int = 2_500, euros: int = 2_500, **more: Any) -> Instruction:
    chart = town.chart
    to = more.pop("to", alice.account)
    return of_line(
        town, one, "conversion", Transfer(chart.circulation, to, units, UNIT),
        Transfer(more.pop("bank", one.reserve), chart.guarantee, euros, EUR), **{"holder": alice.account, **more},
    )  # fmt: skip


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


# --- lies about decisions ------------------------------------------------------------------------------------


def decided(town: Town, one: Line, way: str, *transfers: Transfer, **more: Any) -> Instruction:
    """A placing as somebody posts it who is no friend of the rules."""
    kind = more.pop("kind", "bank_placed")
    return of_line(town, one, kind, *transfers, **{"id": placed_id(one.id, 0), "line": one.id, "as": way, **more})


def came(town: Town, account: str | int, cents: int = 2_500) -> Transfer:
    to = town.chart.own()[account] if isinstance(account, str) else account
    return Transfer(town.chart.suspense, to, cents, EUR)


def went(town: Town, account: str, cents: int = 900) -> Transfer:
    return Transfer(town.chart.own()[account], town.chart.suspense, cents, EUR)


def units(town: Town, to: int, cents: int = 2_500) -> Transfer:
    return Transfer(town.chart.circulation, to, cents, UNIT)


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
        told = {"kind": "bank_payout", "payout": payout, **change}
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


def undoing(town: Town, one: Line, *transfers: Transfer, **more: Any) -> Instruction:
    told = {"id": back_id(one.id, 0), "line": one.id, "undoes": placed_id(one.id, 0), **more}
    return of_line(town, one, "bank_back", *transfers, **told)


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
    finds_at(town, posted.id, "return_unrelated")


# --- lies about what the bank took away ------------------------------------------------------------------------


def test_withdrawals(town: Town) -> None:
    changes: Changes = {
        "right": ([], {}),
        "less": (["line_shape"], {"cents": 2_499}),
        "another id": (["id_not_derived"], {"id": bytes(15) + b"x"}),
        "of nothing": (["return_unrelated"], {"returns": bytes(16)}),
        "of another": (["return_unrelated"], {"reference": "20250611/-900/1"}),
        "by nobody": (["role_insufficient"], {"by": "nobody"}),
    }
    [found] = many(town, len(changes), 2_500)
    book(town)
    lies = {}
    with town.engine.begin() as connection:  # the tables have them withdrawn, so that the bank has them no longer
        connection.execute(text("UPDATE bank_line SET withdrawn = statement WHERE amount = 2500"))
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


# --- lies about statements -------------------------------------------------------------------------------------


def noted(town: Town, **change: Any) -> Note:
    """The note of a second statement, without lines."""
    reserve = town.chart.reserve[BANK]
    number = change.get("number", 2)
    evidence = {
        "by": "console", "reserve": f"{reserve:016x}", "number": number, "format": "ofx", "first": "2025-06-11",
        "last": "2025-06-12", "opening": 900, "closing": 900, "lines": 0, "gone": 0,
        "digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "content": "00" * 32,
    }  # fmt: skip
    id_ = change.pop("id", statement_id(town.charter.network, BANK, number))
    told = {key: value for key, value in {**evidence, **change}.items() if value is not None}
    return Note(id_, "bank_statement", told)


@pytest.mark.parametrize(
    ("codes", "change"),
    [
        ([], {}),
        (["statement_number"], {"number": 3}),
        (["id_not_derived"], {"id": bytes(15) + b"x"}),
        (["statement_gap"], {"opening": 901, "closing": 901}),
        (["role_insufficient"], {"by": "nobody"}),
    ],
)
def test_statements(town: Town, codes: list[str], change: dict[str, Any]) -> None:
    bring(town, statement([line(900, "x")]))
    # It is posted by hand, so there is no row of it; what is judged here is the note.
    finds_at(town, town.post(noted(town, **change)).id, *codes, "statement_missing")


def test_statements_that_say_nothing(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    changes: list[dict[str, Any]] = [
        {"opening": -1}, {"digest": "00"}, {"last": "2025-06-10"}, {"first": "yesterday"}, {"reserve": "00"},
        {"closing": None}, {"lines": "many"}, {"content": "00"},
    ]  # fmt: skip
    judged(town, {str(change): (["note_malformed"], noted(town, id=town.new_id(), **change)) for change in changes})


def test_lines_that_do_not_lead_to_the_closing_balance(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    town.post(noted(town, closing=1_000))
    finds(town, "statement_missing", "statement_balance")


def test_a_statement_that_stops_in_the_middle_of_the_last_day(town: Town) -> None:
    friday, sunday = DAY + timedelta(days=3), DAY + timedelta(days=5)
    bring(town, statement([line(50, "a", friday)]))
    bring(town, statement([line(100, "b", sunday), line(200, "c", sunday)], 50))
    bring(town, statement([line(100, "b", sunday)], 50, first=friday + timedelta(days=1)))
    bring(town, statement([line(10, "d", sunday + timedelta(days=1))], 350))
    clean(town)


# --- tables ------------------------------------------------------------------------------------------------------


ON_TABLES: list[tuple[set[str], str]] = [
    ({"line_unlogged"}, "UPDATE bank_line SET holder = NULL WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET became = 'bank_suspense' WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET seq = 1152921504606846976 WHERE became = 'conversion'"),
    ({"line_unlogged"}, "UPDATE bank_line SET placed_as = 'fees' WHERE placed_as = 'own'"),
    ({"line_unlogged"}, "UPDATE bank_line SET placed_as = NULL, placed_seq = NULL WHERE placed_as = 'own'"),
    ({"line_unlogged"}, "UPDATE bank_line SET undone_seq = NULL WHERE undone_seq IS NOT NULL"),
    ({"line_unlogged"}, "UPDATE bank_line SET became = NULL, seq = NULL WHERE amount = 800"),
    ({"statement_lines"}, "UPDATE bank_line SET place = place + 1000 WHERE amount = 800"),
    ({"statement_lines", "bank_unexplained"}, "UPDATE bank_line SET amount = 801 WHERE amount = 800"),
    ({"statement_lines", "statement_balance", "bank_unexplained", "statement_texts"},
     "UPDATE bank_line SET kind = 'opening' WHERE amount = 800"),
    ({"statement_lines", "statement_balance"}, "UPDATE bank_line SET withdrawn = statement WHERE amount = 800"),
    ({"statement_lines", "line_missing"}, "DELETE FROM bank_line WHERE amount = 800"),
    ({"statement_lines", "statement_balance"},
     "INSERT INTO bank_line SELECT randomblob(16), place + 99, statement, reserve, booked_on, 5, 1, NULL, kind, '', "
     "'', '', '', '', '', '', '[]', NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM bank_line WHERE amount = 800"),
    ({"statement_unlogged"}, "UPDATE bank_statement SET closing = closing + 1"),
    ({"statement_unlogged"}, "UPDATE bank_statement SET number = 7"),
    ({"statement_unlogged"},
     "INSERT INTO bank_statement SELECT randomblob(16), seq + 1, reserve, number + 1, format, '', first, last, "
     "opening, closing, '', 1, 'console' FROM bank_statement"),
]  # fmt: skip


def test_tables_that_say_something_else_than_the_log(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    day = [line(900, mine), line(800, "x"), line(700, mine), line(-700, mine, NEXT, kind=LineKind.RETURN)]
    bring(town, statement(day))
    place(town, open_lines(town)[0].line.id, Decision(way=Way.OWN))
    clean(town)
    with town.engine.connect() as connection:
        kept = {table: connection.execute(select(table)).mappings().all() for table in (BANK_STATEMENT, BANK_LINE)}
    for codes, change in ON_TABLES:
        with town.engine.connect() as connection:
            connection.execute(text(change))
            connection.commit()
        assert {finding.code for finding in audit(town).findings} == codes, change
        with town.engine.connect() as connection:
            for table in (BANK_LINE, BANK_STATEMENT):
                connection.execute(table.delete())
            for table, rows in kept.items():
                connection.execute(table.insert(), [dict(row) for row in rows])
            connection.commit()
    clean(town)


def test_a_statement_that_is_missing_from_the_tables(town: Town) -> None:
    bring(town, statement([line(900, "x")]))
    with town.engine.connect() as connection:
        connection.execute(text("DELETE FROM bank_line"))
        connection.execute(text("DELETE FROM bank_statement"))
        connection.commit()
    found = {finding.code for finding in audit(town).findings}
    assert found == {"line_missing", "statement_missing", "statement_lines"}


def test_what_happens_while_the_audit_runs_is_left_out(town: Town, alice: Member) -> None:
    mine = token(town, alice.party)
    bring(town, statement([line(900, mine), line(800, "x")]))

    def meanwhile(done: int, total: int) -> None:
        if done == total:
            place(town, open_lines(town)[0].line.id, Decision(way=Way.OWN))
            bring(town, statement([line(-900, mine, NEXT, kind=LineKind.RETURN)], 1_700))

    assert audit(town, progress=meanwhile).clean
    clean(town)


def test_lines_that_wait_to_be_booked_are_no_fault(town: Town, alice: Member) -> None:
    bring(town, statement([line(900, "x"), line(800, "y")]))
    taking.take(town, [statement([line(700, token(town, alice.party), NEXT)], 1_700)])
    clean(town)
    taking.take(town, [statement([line(900, "x"), line(5, "z")], last=NEXT)], corrected=True)
    clean(town)
    book(town)
    clean(town)
