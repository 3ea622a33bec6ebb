"""The bodies of the API about the bank: statements, lines, imports, top-ups."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from api.imports import Import
from api.schemas import rfc3339
from ledger.currency.bank.lines import Line
from ledger.currency.bank.taking import Taken


class TopupOut(BaseModel):
    holder: str
    iban: str
    bic: str | None
    reference: str
    text: str
    amount_cents: int | None
    epc: str


class StatementOut(BaseModel):
    id: str
    reserve: str
    number: int
    format: str
    first: str
    last: str
    opening_cents: int
    closing_cents: int
    file: str
    taken_at: str


class StatementsOut(BaseModel):
    statements: list[StatementOut]


class BankLineOut(BaseModel):
    id: str
    reserve: str
    reference: str
    booked_on: str
    amount_cents: int
    kind: str
    name: str
    iban: str
    text: str
    became: str | None
    placed_as: str | None
    holder: str | None
    seq: int | None


class BankLinesOut(BaseModel):
    lines: list[BankLineOut]
    next_cursor: str | None


class TakenOut(BaseModel):
    reserve: str
    format: str
    first: str
    last: str
    opening_cents: int
    closing_cents: int
    lines: int
    new: int
    gone: int


class StuckOut(BaseModel):
    reference: str
    amount_cents: int
    code: str
    detail: str


class ImportOut(BaseModel):
    id: str
    file: str
    state: str
    done: int
    total: int
    statements: list[TakenOut]
    booked: dict[str, int]
    stuck: list[StuckOut]
    why: str


def taken_out(one: Taken) -> TakenOut:
    """A statement that was taken, as the API shows it."""
    s = one.statement
    return TakenOut(
        reserve=one.account.name, format=s.format, first=s.first.isoformat(), last=s.last.isoformat(),
        opening_cents=s.opening, closing_cents=s.closing, lines=len(s.lines), new=one.new, gone=one.gone,
    )  # fmt: skip


def import_out(one: Import) -> ImportOut:
    """An import, as the API shows it."""
    return ImportOut(
        id=one.id, file=one.file, state=one.state, done=one.done, total=one.total,
        statements=[taken_out(taken) for taken in one.taken], booked=dict(one.kinds),
        stuck=[
            StuckOut(reference=s.line.reference, amount_cents=s.line.amount, code=s.code, detail=s.detail)
            for s in one.stuck
        ],
        why=one.why,
    )  # fmt: skip


def statement_out(row: Any, names: dict[int, str]) -> StatementOut:
    """A row of the statements, as the API shows it."""
    return StatementOut(
        id=row.id.hex(), reserve=names.get(row.reserve, ""), number=row.number, format=row.format, first=row.first,
        last=row.last, opening_cents=row.opening, closing_cents=row.closing, file=row.file,
        taken_at=rfc3339(row.taken_at),
    )  # fmt: skip


def line_out(line: Line, names: dict[int, str], holders: dict[int, str]) -> BankLineOut:
    """A bank line, as the API shows it. `holders` are names by account."""
    return BankLineOut(
        id=line.id.hex(), reserve=names.get(line.reserve, ""), reference=line.reference,
        booked_on=line.booked_on.isoformat(), amount_cents=line.amount, kind=line.kind, name=line.name, iban=line.iban,
        text=line.text, became=line.became, placed_as=line.placed_as,
        holder=holders.get(line.holder) if line.holder else None, seq=line.seq,
    )  # fmt: skip
