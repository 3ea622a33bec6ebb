"""The bodies of the API about lines in suspense: what each may be, and what a person decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated

from pydantic import BaseModel, Field

from api.schemas.bank import BankLineOut, lines_out
from api.schemas.fields import Account, Id, In
from ledger.core.ids import account_number, account_text
from ledger.currency import parties
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import MAX_SHARES, Decision, Share, Way
from ledger.currency.bank.proposals import Reason
from ledger.currency.bank.suspense import OpenLine
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.told import tell
from ledger.currency.town import Town

WayText = Annotated[str, Field(max_length=16, examples=["member"])]
BoxName = Annotated[str, Field(max_length=120)]
EuroAmount = Annotated[int, Field(ge=1, lt=10**13)]


class ShareIn(In):
    way: WayText
    amount_cents: EuroAmount
    account: Account | None = None
    cash: BoxName | None = None


class PlacingIn(In):
    way: WayText
    account: Account | None = None
    other: Id | None = None
    cash: BoxName | None = None
    shares: Annotated[list[ShareIn], Field(max_length=MAX_SHARES)] = []
    turn: Annotated[int, Field(ge=0, lt=2**31)] | None = None


class PutBackIn(In):
    turn: Annotated[int, Field(ge=0, lt=2**31)] | None


class ShareOut(BaseModel):
    way: str
    amount_cents: int
    account: str | None
    name: str | None
    cash: str | None


class DecisionOut(BaseModel):
    way: str
    account: str | None
    name: str | None
    other: str | None
    cash: str | None
    shares: list[ShareOut]


class ReasonOut(BaseModel):
    why: str
    points: int
    name: str | None
    day: str | None
    amount_cents: int | None
    word: str | None


class ProposalOut(BaseModel):
    decision: DecisionOut
    points: int
    reasons: list[ReasonOut]
    beside: BankLineOut | None
    """The other line that the decision names, where it names one."""


class OpenLineOut(BaseModel):
    line: BankLineOut
    turn: int
    proposals: list[ProposalOut]


class SuspenseOut(BaseModel):
    left: int
    lines: list[OpenLineOut]
    cash: list[str]
    fees_cents: int
    transit_cents: int


class ClaimOut(BaseModel):
    account: str
    name: str
    amount_cents: int


class ClaimsOut(BaseModel):
    claims: list[ClaimOut]


def decision_in(body: PlacingIn) -> Decision:
    """The decision that a body says. Raises `CurrencyError`: body_malformed."""
    return Decision(
        way=_way(body.way), holder=None if body.account is None else account_number(body.account),
        other=None if body.other is None else bytes.fromhex(body.other), cash=body.cash,
        shares=tuple(
            Share(
                _way(one.way), one.amount_cents, None if one.account is None else account_number(one.account), one.cash
            )
            for one in body.shares
        ),
    )  # fmt: skip


def _way(text: str) -> Way:
    try:
        return Way(text)
    except ValueError:
        raise CurrencyError("body_malformed", tell("way: one of {names}", names=tuple(Way))) from None


def open_lines_out(town: Town, found: Sequence[OpenLine]) -> list[OpenLineOut]:
    """Open lines with their proposals, as the API shows them."""
    decisions = [proposal.decision for one in found for proposal in one.proposals]
    others = {decision.other for decision in decisions if decision.way in (Way.PAIR, Way.RETURNED)} - {None}
    beside = lines(town, BANK_LINE.c.id.in_(sorted(other for other in others if other))) if others else []
    shown = dict(zip((line.id for line in beside), lines_out(town, beside), strict=True))
    parts: list[Decision | Share] = [*decisions, *(share for decision in decisions for share in decision.shares)]
    accounts = {one.holder for one in parts if one.holder}
    with town.reading() as connection:
        who = parties.by_accounts(connection, accounts)
    return [
        OpenLineOut(
            line=line,
            turn=one.turn,
            proposals=[
                ProposalOut(
                    decision=_decision_out(proposal.decision, who), points=proposal.points,
                    reasons=[_reason_out(reason) for reason in proposal.reasons],
                    beside=shown.get(proposal.decision.other or b""),
                )
                for proposal in one.proposals
            ],
        )
        for one, line in zip(found, lines_out(town, [one.line for one in found]), strict=True)
    ]  # fmt: skip


def _decision_out(decision: Decision, who: Mapping[int, Party]) -> DecisionOut:
    def named(holder: int | None) -> tuple[str | None, str | None]:
        return (None, None) if holder is None else (account_text(holder), who[holder].name)

    shares = []
    for share in decision.shares:
        account, name = named(share.holder)
        shares.append(ShareOut(way=share.way, amount_cents=share.amount, account=account, name=name, cash=share.cash))
    account, name = named(decision.holder)
    return DecisionOut(
        way=decision.way, account=account, name=name, other=decision.other.hex() if decision.other else None,
        cash=decision.cash, shares=shares,
    )  # fmt: skip


def _reason_out(reason: Reason) -> ReasonOut:
    name, day, cents, word = (reason.facts.get(key) for key in ("name", "day", "cents", "word"))
    return ReasonOut(
        why=reason.why, points=reason.points, name=None if name is None else str(name),
        day=day.isoformat() if isinstance(day, date) else None,
        amount_cents=cents if isinstance(cents, int) else None, word=None if word is None else str(word),
    )  # fmt: skip
