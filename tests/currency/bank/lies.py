"""Lies about bank lines, for the tests of their audit: entries as somebody posts them who is no friend of the rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from ledger.core.model import Instruction, Note, Transaction, Transfer
from ledger.currency.audit.walk import Audit, Finding, audit
from ledger.currency.bank import taking
from ledger.currency.bank.lines import Line, back_id, lines
from ledger.currency.bank.suspense import placed_id
from ledger.currency.chart import EUR
from ledger.currency.imported import open_reserve
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, bring, line, statement
from tests.towns import CASH, Member

UNIT = "PATARD"
NEXT = DAY + timedelta(days=1)


def clean(town: Town) -> Audit:
    done = audit(town)
    assert done.clean, done.findings
    return done


def wrong(town: Town) -> list[Finding]:
    """What is found, but for what the lines' own texts say: here they say nothing, and the log is judged by itself."""
    done = audit(town)
    assert done.total < 100
    return [finding for finding in done.findings if finding.code != "line_otherwise"]


def finds(town: Town, *codes: str, id_: bytes | None = None) -> None:
    """The audit finds exactly these, all at the entry `id_` if one is given."""
    found = wrong(town)
    assert [finding.code for finding in found] == list(codes), found
    if id_ is not None:
        assert {finding.id for finding in found} == {id_}


def finds_at(town: Town, id_: bytes, *codes: str) -> None:
    """The audit finds these at the entry, whatever else the lie leads to elsewhere."""
    found = wrong(town)
    assert [finding.code for finding in found if finding.id == id_] == list(codes), found


Changes = dict[str, tuple[list[str], dict[str, Any]]]
"""Lies by name: what is found at each, and in what it differs from the truth."""


def judged(town: Town, lies: dict[str, tuple[list[str], Instruction]]) -> None:
    """Post each lie, then find at each what is wrong with it, and that only."""
    ids = {name: town.post(instruction).id for name, (_codes, instruction) in lies.items()}
    found = wrong(town)
    for name, (codes, _instruction) in lies.items():
        assert [finding.code for finding in found if finding.id == ids[name]] == codes, name


def many(town: Town, count: int, *amounts: int) -> list[list[Line]]:
    """So many lines of each amount, taken and not booked; bank and guarantee hold more than is needed."""
    bring(town, statement([line(50_000, "don")]))
    open_reserve(town, CASH, 10_000, "M1")
    taking.take(town, [statement([line(amount, "?", NEXT) for amount in amounts for _ in range(count)], 50_000)])
    every = lines(town)[1:]
    return [every[start : start + count] for start in range(0, len(every), count)]


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


def topup(town: Town, one: Line, alice: Member, *, units: int = 2_500, euros: int = 2_500, **more: Any) -> Instruction:
    chart = town.chart
    to = more.pop("to", alice.account)
    return of_line(
        town, one, "conversion", Transfer(chart.circulation, to, units, UNIT),
        Transfer(more.pop("bank", one.reserve), chart.guarantee, euros, EUR), **{"holder": alice.account, **more},
    )  # fmt: skip


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


def undoing(town: Town, one: Line, *transfers: Transfer, **more: Any) -> Instruction:
    told = {"id": back_id(one.id, 0), "line": one.id, "undoes": placed_id(one.id, 0), **more}
    return of_line(town, one, "bank_back", *transfers, **told)
