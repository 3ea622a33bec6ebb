"""The reserve report as the API and the command line give it: whole cents, days as ISO dates."""

from __future__ import annotations

from pydantic import BaseModel

from api.schemas.fields import rfc3339
from ledger.currency.reserve import THRESHOLD, AccountState, Explained, Reserve
from ledger.currency.town import Town


class ReasonOut(BaseModel):
    """What a part of a difference comes from; see `ledger.currency.reserve.Why`."""

    why: str
    amount: int


class ExplainedOut(BaseModel):
    """A line of an explanation. `what` is the kind of the entry or line, `seq` its place in the log, if it has one.

    `until` is the last day on which a statement may still have it.
    """

    why: str
    amount: int
    on: str
    what: str
    reference: str
    id: str | None
    seq: int | None
    until: str | None


class PublicBankOut(BaseModel):
    """An account of the reserve. `difference` is `ledger` - `statement`; `reasons` sum to it.

    `proved` is what the bank shows for sure, `awaited` what its next statement should bring. `by_word`: it never had a
    statement, and holds something for longer than one is awaited.
    """

    name: str
    kind: str
    liquid: bool
    ledger: int
    statement: int | None
    statement_on: str | None
    difference: int | None
    proved: int
    awaited: int
    by_word: bool
    reasons: list[ReasonOut]


class BankOut(PublicBankOut):
    """The same for auditors: `explanation` sums to `difference`."""

    explanation: list[ExplainedOut]


class IdentityOut(BaseModel):
    name: str
    left: int
    relation: str
    right: int
    holds: bool


class MonthOut(BaseModel):
    """A month (2026-11): units converted and changed back in it, and all that were out at its end."""

    month: str
    conversions: int
    reconversions: int
    circulation: int


class YearOut(BaseModel):
    """Twelve months, both days in them. From `threshold` on, in and out together, the issuer must declare itself."""

    first: str
    last: str
    inflow: int
    outflow: int
    total: int
    threshold: int
    share_bp: int


class _Sums(BaseModel):
    unit: str
    circulation: int
    imported: int
    waiting: int
    maturing: int
    guarantee: int
    payouts_due: int
    suspense: int
    unplaced: int
    """What came and waits in suspense: no cover."""
    missed: int
    """What went out and waits in suspense: nobody said what for."""
    fees: int
    operations: int
    claims: int
    transit: int
    reserve: int
    liquid: int
    placed: int
    backing: int
    """Euros that the banks prove, less what is owed to shops: what `coverage_bp` is of."""
    coverage_bp: int | None
    liquid_bp: int | None
    identities: list[IdentityOut]
    covered: bool
    proved_on: str | None
    """The day of the oldest of the banks' last statements; from long ago it is not `covered`, nor without."""
    awaited: int
    unexplained: int
    """Entries that no line of a bank explains: how many."""
    months: list[MonthOut]
    year: YearOut
    on: str
    at: str
    size: int
    root: str


class PublicReserveOut(_Sums):
    """The report for everybody."""

    banks: list[PublicBankOut]


class ReserveOut(_Sums):
    """The report for auditors, its differences explained line by line."""

    banks: list[BankOut]


def reserve_out(town: Town, report: Reserve) -> ReserveOut:
    """The report for auditors."""
    return ReserveOut(**_sums(town, report).model_dump(), banks=[_bank(bank) for bank in report.banks])


def public_reserve_out(town: Town, report: Reserve) -> PublicReserveOut:
    """The report for everybody."""
    banks = [PublicBankOut(**_bank(bank).model_dump(exclude={"explanation"})) for bank in report.banks]
    return PublicReserveOut(**_sums(town, report).model_dump(), banks=banks)


def _sums(town: Town, r: Reserve) -> _Sums:
    year = r.year
    return _Sums(
        unit=town.charter.code, circulation=r.circulation, imported=r.imported, waiting=r.waiting, maturing=r.maturing,
        guarantee=r.guarantee, payouts_due=r.payouts_due, suspense=r.suspense, unplaced=r.unplaced, missed=r.missed,
        fees=r.fees, operations=r.operations,
        claims=r.claims, transit=r.transit, reserve=r.reserve, liquid=r.liquid, placed=r.placed,
        backing=r.backing, coverage_bp=r.coverage_bp, liquid_bp=r.liquid_bp,
        identities=[IdentityOut(**one._asdict()) for one in r.identities], covered=r.covered,
        proved_on=r.proved_on.isoformat() if r.proved_on else None,
        awaited=r.awaited, unexplained=sum(len(bank.unexplained) for bank in r.banks),
        months=[
            MonthOut(month=f"{m.start:%Y-%m}", conversions=m.conversions, reconversions=m.reconversions,
                     circulation=m.circulation)
            for m in r.months
        ],
        year=YearOut(
            first=year.first.isoformat(), last=year.last.isoformat(), inflow=year.inflow, outflow=year.outflow,
            total=year.total, threshold=THRESHOLD, share_bp=year.share_bp,
        ),
        on=r.on.isoformat(), at=rfc3339(r.at), size=r.seq, root=r.root.hex(),
    )  # fmt: skip


def _bank(bank: AccountState) -> BankOut:
    return BankOut(
        name=bank.name, kind=bank.kind, liquid=bank.liquid, ledger=bank.ledger, statement=bank.statement,
        statement_on=bank.statement_on.isoformat() if bank.statement_on else None, difference=bank.difference,
        proved=bank.proved, awaited=bank.awaited, by_word=bank.by_word is not None and bank.ledger != 0,
        reasons=[ReasonOut(why=str(why), amount=amount) for why, amount in bank.reasons().items()],
        explanation=[_explained(one) for one in bank.explanation],
    )  # fmt: skip


def _explained(one: Explained) -> ExplainedOut:
    return ExplainedOut(
        why=str(one.why), amount=one.amount, on=one.on.isoformat(), what=one.what, reference=one.reference,
        id=one.id.hex() or None, seq=one.seq, until=one.until.isoformat() if one.until else None,
    )  # fmt: skip
