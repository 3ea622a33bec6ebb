"""The bodies of the API about the bank: statements, lines, imports, top-ups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from api.imports import Counts, Import
from api.schemas.fields import rfc3339
from ledger.core.ids import account_text
from ledger.currency import parties
from ledger.currency.bank.lines import Line
from ledger.currency.parties import Party
from ledger.currency.told import why
from ledger.currency.town import Town
from ledger.i18n import Translator


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
    withdrawn: bool


class StatementsOut(BaseModel):
    statements: list[StatementOut]


class PartOut(BaseModel):
    amount_cents: int
    name: str
    iban: str
    text: str
    end_to_end: str
    mandate: str
    reason: str


class BankLineOut(BaseModel):
    id: str
    statement: str
    reserve: str
    reference: str
    booked_on: str
    amount_cents: int
    kind: str
    bank_ref: str
    name: str
    iban: str
    text: str
    end_to_end: str
    mandate: str
    reason: str
    parts: list[PartOut]
    became: str | None
    placed_as: str | None
    holder: str | None
    holder_account: str | None
    seq: int | None
    placed_seq: int | None
    undone_seq: int | None


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


def taken_out(one: Counts) -> TakenOut:
    """A statement that was taken, as the API shows it."""
    return TakenOut(
        reserve=one.reserve, format=one.format, first=one.first.isoformat(), last=one.last.isoformat(),
        opening_cents=one.opening, closing_cents=one.closing, lines=one.lines, new=one.new, gone=one.gone,
    )  # fmt: skip


def import_out(one: Import, words: Translator) -> ImportOut:
    """An import, as the API shows it, with sentences in the language of `words`."""
    return ImportOut(
        id=one.id, file=one.file, state=one.state, done=one.done, total=one.total,
        statements=[taken_out(taken) for taken in one.taken], booked=dict(one.kinds),
        stuck=[
            StuckOut(reference=s.reference, amount_cents=s.amount, code=s.code, detail=why(s.code, s.detail, words))
            for s in one.stuck
        ],
        why="\n".join(why("", said, words) for said in one.why),
    )  # fmt: skip


def statement_out(row: Any, names: dict[int, str], *, withdrawn: bool) -> StatementOut:
    """A row of the statements, as the API shows it."""
    return StatementOut(
        id=row.id.hex(), reserve=names.get(row.reserve, ""), number=row.number, format=row.format, first=row.first,
        last=row.last, opening_cents=row.opening, closing_cents=row.closing, file=row.file,
        taken_at=rfc3339(row.taken_at), withdrawn=withdrawn,
    )  # fmt: skip


def lines_out(town: Town, rows: Sequence[Line]) -> list[BankLineOut]:
    """Bank lines, as the API shows them."""
    names = {number: name for name, number in town.chart.reserve.items()}
    with town.reading() as connection:
        holders = parties.by_accounts(connection, {row.holder for row in rows if row.holder})
    return [_line_out(row, names, holders) for row in rows]


def _line_out(line: Line, names: Mapping[int, str], holders: Mapping[int, Party]) -> BankLineOut:
    party = holders.get(line.holder) if line.holder else None
    return BankLineOut(
        id=line.id.hex(), statement=line.statement.hex(), reserve=names.get(line.reserve, ""),
        reference=line.reference, booked_on=line.booked_on.isoformat(), amount_cents=line.amount, kind=line.kind,
        bank_ref=line.bank_ref, name=line.name, iban=line.iban, text=line.text, end_to_end=line.end_to_end,
        mandate=line.mandate, reason=line.reason, parts=[_part_out(part) for part in line.parts], became=line.became,
        placed_as=line.placed_as, holder=party.name if party else None,
        holder_account=account_text(party.account) if party else None, seq=line.seq, placed_seq=line.placed_seq,
        undone_seq=line.undone_seq,
    )  # fmt: skip


def _part_out(part: Mapping[str, Any]) -> PartOut:
    texts = {name: str(part[name]) for name in ("name", "iban", "text", "end_to_end", "mandate", "reason")}
    return PartOut(amount_cents=part["amount"], **texts)
