"""What a person decides about a line in suspense, and the entry that it becomes.

| way | of euros that came | of euros that went | moves (debit -> credit) |
|---|---|---|---|
| member | a top-up without its reference | | circulation -> member; suspense -> guarantee |
| split | one transfer for several things | | as `member`, `own`, `claim` and `cash`, each for its share |
| own | membership fees, a grant, a gift | a bill of the association | suspense <-> operations |
| fees | | fees moved out of the reserve | income -> suspense |
| charge | a charge given back | the bank's charges | income <-> suspense |
| claim | a member pays what they owe | | suspense -> claims |
| debt | | a member got it who was not owed it: twice paid, say | claims -> suspense |
| known | a conversion that was typed by hand | | suspense -> bank account that it was typed on |
| cash | cash paid in | cash taken out | suspense <-> cash box |
| transit | from an account of ours | to an account of ours | suspense <-> transit |
| pair | and the same sum the other way | | nothing: the two lines explain each other |
| returned | | a top-up that went back | as a return that was recognised |
| payout | a payout that came back | a payout | as if it had been recognised, with suspense for the bank |
| debits | our direct debits, as one sum or one | one that came back | as a line that was recognised |
| cover | euros behind imported units | | suspense -> guarantee; circulation -> issuers |

An entry counts for the day on which the bank booked the line, for that is when the euros came or went: once everything
is placed, no day of the past has anything in suspense. Units are there from the moment of the decision.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from ledger.core.model import Evidence, Instruction, Note, Transaction, Transfer
from ledger.currency import parties, reserve
from ledger.currency.bank import claims, ours, require, topups, typed, went
from ledger.currency.bank.boxes import may_be_cash
from ledger.currency.bank.indexing import PAIRED, RETURN
from ledger.currency.bank.lines import Line
from ledger.currency.bank.mandates import matching as mandates
from ledger.currency.bank.payouts import placing as payouts
from ledger.currency.bank.require import uneven
from ledger.currency.bank.went import between
from ledger.currency.chart import EUR, Chart
from ledger.currency.charter import ReserveKind
from ledger.currency.conversion import CONSOLE
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import MAX_TRANSFERS, OPENING
from ledger.currency.told import Cents, tell
from ledger.currency.town import Town

PLACED = "bank_placed"
"""Kind of placings that are neither a conversion, nor a return, nor an opening, nor a pair."""
MAX_SHARES = 40
NAMING = ("conversion", "returns", "batch", "payout", "other")
"""Keys of evidence that say what else a decision names."""


class Way(StrEnum):
    """What a line is placed as."""

    MEMBER = "member"
    SPLIT = "split"
    OWN = "own"
    FEES = "fees"
    CHARGE = "charge"
    CLAIM = "claim"
    DEBT = "debt"
    KNOWN = "known"
    CASH = "cash"
    TRANSIT = "transit"
    PAIR = "pair"
    RETURNED = "returned"
    PAYOUT = "payout"
    DEBITS = "debits"
    COVER = "cover"


_SOMEBODYS = frozenset({Way.MEMBER, Way.SPLIT, Way.OWN, Way.FEES, Way.CHARGE, Way.CLAIM, Way.KNOWN, Way.COVER})
"""What euros are that did not come from an account of ours."""


class Share(NamedTuple):
    """A part of a split, in cents. `way` is member, own, claim or cash; `holder` the member's account, `cash` the name
    of a cash box.
    """

    way: Way
    amount: int
    holder: int | None = None
    cash: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a person decides. `holder` is a member's account (member, claim, debt), `other` the id of a conversion
    (known), of another line (pair, returned), of a reconversion or a file of payouts (payout), `cash` the name of a
    cash box.
    """

    way: Way
    holder: int | None = None
    other: bytes | None = None
    cash: str | None = None
    shares: tuple[Share, ...] = ()

    def plain(self) -> Decision:
        """The same decision in its one form: shares have no order."""
        return replace(self, shares=tuple(sorted(self.shares, key=str)))


class Placing(NamedTuple):
    """What a decision comes to: kind and transfers of its entry (none: a note), and what its evidence adds."""

    kind: str
    transfers: tuple[Transfer, ...]
    evidence: Evidence


def placing(town: Town, line: Line, decision: Decision, other: Line | None = None) -> Placing:
    """What placing an open line so comes to. `other` is the line that `decision.other` names, where it names one.

    Raises `CurrencyError`: placing_uneven, claim_exceeded, not_found, conversion_named, payout_paid, party_closed,
    reserve_account_unknown, below_floor where a cash box holds less, line_typed where somebody typed what it may be.
    """
    if decision.way in _SOMEBODYS:
        ours.require_not_ours(town, line)
    return _WAYS[decision.way](town, line, decision, other)


def entry(line: Line, id_: bytes, way: str, made: Placing, by: str = CONSOLE) -> Instruction:
    """The entry of the log for a placing."""
    evidence = {
        "by": by, "line": line.id.hex(), "reserve": f"{line.reserve:016x}", "reference": line.reference, "as": str(way),
        **made.evidence,
    }  # fmt: skip
    if made.transfers:
        return Transaction(id_, made.kind, made.transfers, line.booked_on, evidence=evidence)
    return Note(id_, made.kind, evidence, line.booked_on)


def decision_of(chart: Chart, placed: Instruction) -> Decision:
    """The decision that an entry carries out, in its one form. Raises `LookupError`, `ValueError` for others."""
    evidence = placed.evidence
    way = Way(str(evidence["as"]))
    other = next((evidence[key] for key in NAMING if key in evidence), None)
    boxes = {f"{number:016x}": name for name, number in chart.reserve.items()}
    shares: list[Share] = []
    if way is Way.SPLIT and isinstance(placed, Transaction):
        for t in placed.transfers:
            if t.debit == chart.circulation:
                shares.append(Share(Way.MEMBER, t.amount, t.credit))
            elif t.credit == chart.operations:
                shares.append(Share(Way.OWN, t.amount))
            elif t.credit == chart.claims:
                shares.append(Share(Way.CLAIM, t.amount, claims.owing(evidence)))
            elif (box := boxes.get(f"{t.credit:016x}")) is not None:
                shares.append(Share(Way.CASH, t.amount, cash=box))
    return Decision(
        way=way,
        holder=int(str(evidence["holder"]), 16) if way in (Way.MEMBER, Way.CLAIM, Way.DEBT) else None,
        other=bytes.fromhex(str(other)) if other else None,
        cash=boxes.get(str(evidence.get("cash"))),
        shares=tuple(shares),
    ).plain()


# --- ways ------------------------------------------------------------------------------------------------


def _member(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    require.came(line, tell("units of a member"))
    holder = _holder(town, decision.holder)
    require.untyped(town, line, {holder: line.amount})
    return Placing("conversion", _units(town, holder, line.amount), {"holder": f"{holder:016x}"})


def _split(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    require.came(line, tell("a split"))
    shares = decision.shares
    keys = [(share.way, share.holder, share.cash) for share in shares]
    if not 0 < len(shares) <= MAX_SHARES or len(set(keys)) != len(keys) or any(s.amount < 1 for s in shares):
        raise uneven(tell("a split has 1 to {most} shares, each of another purpose, above 0", most=MAX_SHARES))
    if sum(share.amount for share in shares) != line.amount:
        told, line_ = Cents(sum(share.amount for share in shares)), Cents(line.amount)
        raise uneven(tell("the shares come to {sum} and the line is of {line}: change a share", sum=told, line=line_))
    transfers: list[Transfer] = []
    evidence: dict[str, str | int] = {}
    members = [share for share in shares if share.way is Way.MEMBER]
    for share in shares:
        if share.way is Way.MEMBER:
            holder = _holder(town, share.holder)
            transfers.append(Transfer(town.chart.circulation, holder, share.amount, town.charter.code))
            if len(members) == 1:
                evidence["holder"] = f"{holder:016x}"
        elif share.way is Way.OWN:
            transfers.append(Transfer(town.chart.suspense, town.chart.operations, share.amount, EUR))
        elif share.way is Way.CLAIM and "claim" not in evidence:
            holder = _owing(town, share.holder, share.amount)
            evidence["claim"] = f"{holder:016x}"
            transfers.append(Transfer(town.chart.suspense, town.chart.claims, share.amount, EUR))
        elif share.way is Way.CASH:
            box = _box(town, line, share.cash, share.amount)
            transfers.append(Transfer(town.chart.suspense, box, share.amount, EUR))
        else:
            raise uneven(tell("shares are members', the association's own, cash of a box, and one claim at most"))
    require.untyped(town, line, {share.holder or 0: share.amount for share in members})
    if not members:
        return Placing(PLACED, tuple(transfers), evidence)
    backed = sum(share.amount for share in members)
    return Placing(
        "conversion", (*transfers, Transfer(town.chart.suspense, town.chart.guarantee, backed, EUR)), evidence
    )


def _own(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(PLACED, (between(town, line, town.chart.operations),), {})


def _fees(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(PLACED, went.fees(town, line), {})


def _charge(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    # Whatever the fees come to: the euros are gone. Where they do not suffice, the reserve is short and says so.
    return Placing(PLACED, (between(town, line, town.chart.income),), {})


def _claim(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    require.came(line, tell("the payment of a claim"))
    holder = _owing(town, decision.holder, line.amount)
    return Placing(PLACED, (between(town, line, town.chart.claims),), {"holder": f"{holder:016x}"})


def _debt(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(PLACED, *went.debt(town, line, decision.holder or 0))


def _known(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    require.came(line, tell("a conversion"))
    found = require.typed_as(town, line, decision.other or b"")
    evidence = {"conversion": found.id.hex(), "holder": f"{found.account:016x}"}
    # Typed on another account by a slip of the pen: there the ledger has the euros that are on this one.
    return Placing(PLACED, (between(town, line, town.chart.reserve[found.reserve]),), evidence)


def _cash(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    box = _box(town, line, decision.cash, line.amount)
    return Placing(PLACED, (between(town, line, box),), {"cash": f"{box:016x}"})


def _transit(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    banks = [account for account in town.charter.reserve if account.kind == ReserveKind.BANK]
    if len(banks) < 2 or (line.iban and line.iban not in {account.iban for account in banks}):
        raise uneven(tell("this was not to or from another account of the reserve, by its IBAN"))
    arrived = topups.arrived(town, line)
    if arrived is not None:
        raise uneven(tell(
            "as much came to another account of the reserve with {reference}, and became a member's units: if that is "
            "it, put that line back into suspense first", reference=arrived.reference,
        ))  # fmt: skip
    return Placing(PLACED, (between(town, line, town.chart.transit),), {})


def _pair(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    if other is None or other.amount != -line.amount:
        raise uneven(tell("two lines explain each other when one brought what the other took"))
    require.same_side(line, other)
    require.pair(line, other)
    return Placing(PAIRED, (), {"other": other.id.hex()})


def _returned(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(RETURN, *went.returned(town, line, other))


def _payout(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(*payouts.placed(town, line, decision.other or b""))


def _debits(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    return Placing(*mandates.placed(town, line, decision.other or b""))


def _cover(town: Town, line: Line, decision: Decision, other: Line | None) -> Placing:
    require.came(line, tell("cover for imported units"))
    chart, left = town.chart, line.amount
    transfers = [Transfer(chart.suspense, chart.guarantee, line.amount, EUR)]
    for issuer in reserve.issuers(town)[:MAX_TRANSFERS]:
        part = min(left, max(0, -town.book.balance(issuer)))
        if part:
            transfers.append(Transfer(chart.circulation, issuer, part, town.charter.code))
            left -= part
    if left:
        raise uneven(tell(
            "imported units lack {amount} of cover, and the line is of {total}: place it as the association's own, "
            "and the cover with `patard import`", amount=Cents(line.amount - left), total=Cents(line.amount),
        ))  # fmt: skip
    return Placing(OPENING, tuple(transfers), {})


_WAYS: dict[Way, Callable[[Town, Line, Decision, Line | None], Placing]] = {
    Way.MEMBER: _member, Way.SPLIT: _split, Way.OWN: _own, Way.FEES: _fees, Way.CHARGE: _charge, Way.CLAIM: _claim,
    Way.DEBT: _debt, Way.KNOWN: _known, Way.CASH: _cash, Way.TRANSIT: _transit, Way.PAIR: _pair,
    Way.RETURNED: _returned, Way.PAYOUT: _payout, Way.DEBITS: _debits, Way.COVER: _cover,
}  # fmt: skip


# --- their parts -----------------------------------------------------------------------------------------


def _units(town: Town, holder: int, amount: int) -> tuple[Transfer, ...]:
    chart = town.chart
    return (
        Transfer(chart.circulation, holder, amount, town.charter.code),
        Transfer(chart.suspense, chart.guarantee, amount, EUR),
    )


def _holder(town: Town, account: int | None) -> int:
    party = parties.by_account(town, account or 0)
    if party.closed_at is not None:
        closed = tell("{name} was closed: its euros go back, or are the association's own", name=party.name)
        raise CurrencyError("party_closed", closed)
    return party.account


def _box(town: Town, line: Line, name: str | None, amount: int) -> int:
    """The cash box of that name, if so much (cents; below 0 where it was taken out) of the line may be its cash.

    Raises `CurrencyError`: reserve_account_unknown, placing_uneven, below_floor where the box holds less.
    """
    boxes = [account.name for account in town.charter.reserve if account.kind == ReserveKind.CASH]
    if name not in boxes:
        names = tuple(map(repr, boxes)) or tell("none")
        raise CurrencyError("reserve_account_unknown", tell(
            "no cash box {cash!r}; the charter has {names}", cash=name, names=names
        ))  # fmt: skip
    box = town.chart.reserve[name]
    # Typed as a slip of cash by mistake: then the ledger has in the box what came by the bank.
    if not may_be_cash(line) and not typed.has_slip(town, line, box, amount):
        raise uneven(tell("the bank says that this is no cash: it names an account, a transfer or a cheque"))
    if amount > town.book.balance(box):
        raise CurrencyError("below_floor", tell(
            "the box {cash!r} holds {held}, and {amount} would come out of it: split the line, with a share of cash "
            "for each box and the rest as what it is; or type the slips that were forgotten first",
            cash=name, held=Cents(town.book.balance(box)), amount=Cents(amount),
        ))  # fmt: skip
    return box


def _owing(town: Town, account: int | None, amount: int) -> int:
    party = parties.by_account(town, account or 0)
    owed = claims.owed(town).get(party.account, 0)
    if amount > owed:
        raise CurrencyError("claim_exceeded", tell("{name} owes {owed} and would pay {amount}: split the line",
            name=party.name, owed=Cents(owed), amount=Cents(amount)))  # fmt: skip
    return party.account
