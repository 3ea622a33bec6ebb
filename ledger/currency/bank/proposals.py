"""What a line in suspense may be, best first: pure, from the line and what is known of members, claims and other lines.

A proposal is a decision with the reasons that speak for it. It is never carried out without a person.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from ledger.currency.bank.boxes import is_deposit, may_pair
from ledger.currency.bank.lines import Line, said_of
from ledger.currency.bank.mandates.matching import Open
from ledger.currency.bank.names import Names, said, words
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.payouts.placing import OpenFile
from ledger.currency.bank.placing import MAX_SHARES, Decision, Share, Way
from ledger.currency.bank.reference import cut_in, found_in
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.typed import NEAR, Typed

MOST = 6
"""Proposals for one line."""
_TOLD = 3
"""Names that a reason tells."""


class Why(StrEnum):
    """A reason. `Reason.facts` has what its sentence needs."""

    REFERENCE_CUT = "reference_cut"
    REFERENCE = "reference"
    REFERENCES = "references"
    IBAN_SEEN = "iban_seen"
    NAME_PAID = "name_paid"
    NAME_SAID = "name_said"
    NAME_PART = "name_part"
    AMOUNT_BEFORE = "amount_before"
    OWES = "owes"
    OWN_NAME = "own_name"
    WORDS = "words"
    BANK_SAYS = "bank_says"
    FEES_THERE = "fees_there"
    OPPOSITE = "opposite"
    SAME_ACCOUNT = "same_account"
    TYPED = "typed"
    ON_ITS_WAY = "on_its_way"
    TOPUP_OF = "topup_of"
    OWED = "owed"
    PAID_OUT = "paid_out"
    PAYOUT_FILE = "payout_file"
    PAID_ALREADY = "paid_already"
    GIVEN_BACK = "given_back"
    FILE = "file"
    DEBITED = "debited"
    BEFORE_FIRST = "before_first"
    UNCOVERED = "uncovered"
    PARTS = "parts"
    PARTS_REST = "parts_rest"


SENTENCES = {
    Why.REFERENCE_CUT: "the text ends in the middle of the reference of {name}",
    Why.REFERENCE: "the text has the reference of {name}",
    Why.REFERENCES: "the text has the reference of {name}, and another",
    Why.IBAN_SEEN: "{name} paid from this account before, on {day}",
    Why.NAME_PAID: "the payer is called {name}",
    Why.NAME_SAID: "the text names {name}",
    Why.NAME_PART: "the payer's name fits {name}",
    Why.AMOUNT_BEFORE: "{name} sent the same amount on {day}",
    Why.OWES: "{name} owes {cents}",
    Why.OWN_NAME: "the other account is the association's, by its name",
    Why.WORDS: "the text says so: {word}",
    Why.BANK_SAYS: "the bank calls it so",
    Why.FEES_THERE: "fees of {cents} wait to be moved out",
    Why.OPPOSITE: "as much went the other way on {day}",
    Why.SAME_ACCOUNT: "to and from the same account",
    Why.TYPED: "a conversion of {name} was typed in, with as much, for {day}",
    Why.ON_ITS_WAY: "{cents} are on their way between the reserve's accounts",
    Why.TOPUP_OF: "{name} topped up as much on {day}",
    Why.OWED: "{name} is owed as much for units changed back",
    Why.PAID_OUT: "{name} was paid as much for units changed back",
    Why.PAYOUT_FILE: "it is what is left to pay of file {name}",
    Why.PAID_ALREADY: "it pays {name} what was paid on {day} already",
    Why.GIVEN_BACK: "it pays {name}, who had the units back on {day}",
    Why.FILE: "of the direct debits of {name}, {cents} are open",
    Why.DEBITED: "{name} was debited as much on {day}",
    Why.BEFORE_FIRST: "it was on the account before the first statement",
    Why.UNCOVERED: "imported units of {cents} have no euros behind them",
    Why.PARTS: "its parts are of {name}",
    Why.PARTS_REST: "parts of it are of {name}, and {cents} of nobody who is known",
}
"""Each reason in words. `day` is a date, `cents` an amount of euros, `name` and `word` are texts."""


class Reason(NamedTuple):
    """Why a line may be what is proposed, and how much that says (0 to 100)."""

    why: Why
    points: int
    facts: dict[str, str | int | date]


class Proposal(NamedTuple):
    """What a line may be. `reasons` come strongest first."""

    decision: Decision
    reasons: tuple[Reason, ...]

    @property
    def points(self) -> int:
        """How likely it is: the strongest reason, and a little for each more."""
        return self.reasons[0].points + 4 * (len(self.reasons) - 1)


class Seen(NamedTuple):
    """A line that was for a member before."""

    holder: int
    booked_on: date


class NotOwed(NamedTuple):
    """What a line paid that was not owed: to whom, why (paid_already, given_back), and since when."""

    holder: int
    why: Why
    day: date


@dataclass
class Known:
    """What lines in suspense are held against. Amounts are cents, members are account numbers."""

    names: Names
    """Open members by the words of their names."""
    references: dict[str, int] = field(default_factory=dict)
    beginnings: dict[str, set[int]] = field(default_factory=dict)
    """Of references that a text may have been cut in; see `reference.cuts`."""
    ibans: dict[str, list[Seen]] = field(default_factory=dict)
    """Who was paid for from an account, the latest line of each member first."""
    amounts: dict[tuple[int, int], date] = field(default_factory=dict)
    """The last day on which a member sent an amount: (member, amount)."""
    claims: dict[int, int] = field(default_factory=dict)
    fees: int = 0
    uncovered: int = 0
    in_transit: int = 0
    bound: frozenset[bytes] = frozenset()
    """Lines of what was there before a first statement, and as much as left for it; see `ours.was_bound`."""
    own_names: tuple[frozenset[str], ...] = ()
    """Words of the names in which the reserve's accounts are held."""
    cash: tuple[str, ...] = ()
    open: dict[int, list[Line]] = field(default_factory=dict)
    """Lines in suspense by their amount."""
    typed: dict[int, list[Typed]] = field(default_factory=dict)
    """By amount, on accounts that a bank keeps."""
    payouts: dict[int, list[Payout]] = field(default_factory=dict)
    """Payouts by amount: those that are due, and those that were paid and did not come back."""
    payout_files: dict[int, list[OpenFile]] = field(default_factory=dict)
    """Files of payouts that are not settled, by what is left of them."""
    not_owed: dict[bytes, NotOwed] = field(default_factory=dict)
    """Lines that pay what was not owed any more, by their id."""
    debits: dict[bytes, list[Open]] = field(default_factory=dict)
    """What of our direct debits a line may be, by the line's id."""
    topups: dict[int, list[Line]] = field(default_factory=dict)
    """Lines that brought units to one member and stand, by amount, the latest first."""


def propose(line: Line, known: Known) -> tuple[Proposal, ...]:
    """What the line may be, best first."""
    found: dict[Decision, list[Reason]] = defaultdict(list)
    for decision, reason in (_came if line.amount > 0 else _went)(line, known):
        if all(reason.why is not other.why for other in found[decision]):
            found[decision].append(reason)
    made = [
        Proposal(decision, tuple(sorted(reasons, key=lambda reason: -reason.points)))
        for decision, reasons in found.items()
    ]
    return tuple(sorted(made, key=lambda proposal: -proposal.points)[:MOST])


_Found = Iterator[tuple[Decision, Reason]]


def _came(line: Line, known: Known) -> _Found:
    yield from _either(line, known)
    if line.kind == LineKind.OPENING:
        yield Decision(way=Way.OWN), Reason(Why.BEFORE_FIRST, 50, {})
        if line.amount <= known.uncovered:
            yield Decision(way=Way.COVER), Reason(Why.UNCOVERED, 80, {"cents": known.uncovered})
    for typed in known.typed.get(line.amount, ()):
        facts = _facts(known, typed.holder, day=typed.booked_on)
        # Somebody chose the wrong account, or it is another line's that is still to come.
        points = _likely(line, known, typed) - (0 if typed.reserve == line.reserve else 20)
        yield Decision(way=Way.KNOWN, other=typed.id), Reason(Why.TYPED, points, facts)
    if line.kind == LineKind.OPENING:
        return
    yield from _for_parts(line, known)
    for holder, reason in _members(line, known):
        yield _for_member(line, known, holder), reason
        if known.claims.get(holder):
            owes = Reason(Why.OWES, reason.points + 2, _facts(known, holder, cents=known.claims[holder]))
            yield _for_member(line, known, holder), owes
    yield from _for_payouts(line, known)
    for file in known.debits.get(line.id, ()):
        exact = file.cents == line.amount
        reason = Reason(Why.FILE, 40 + 30 * exact + 15 * file.is_named, {"name": file.name, "cents": file.cents})
        yield Decision(way=Way.DEBITS, other=file.id), reason
    if (word := said(f"{line.name} {line.text}", "membership")) is not None:
        yield Decision(way=Way.OWN), Reason(Why.WORDS, 55, {"word": word})
    for box in known.cash:
        yield from _for_cash(line, box, "deposit" if is_deposit(line) else "cash in")


def _likely(line: Line, known: Known, typed: Typed) -> int:
    """How much it says that a conversion of as much was typed: less where the line is somebody else's by its words."""
    if abs(typed.booked_on - line.booked_on) > NEAR:
        return 40
    whose = found_in(line.said, known.references)
    if typed.holder in whose:
        return 100
    if whose or known.names.all_in(line.name) - {typed.holder}:
        return 45
    strange = line.name and not words(line.name) & words(known.names.name(typed.holder))
    return 62 if strange else 85


def _for_member(line: Line, known: Known, holder: int) -> Decision:
    """What a member's euros are for: first what they owe."""
    owed = known.claims.get(holder, 0)
    if not owed:
        return Decision(way=Way.MEMBER, holder=holder)
    if line.amount <= owed:
        return Decision(way=Way.CLAIM, holder=holder)
    shares = (Share(Way.CLAIM, owed, holder), Share(Way.MEMBER, line.amount - owed, holder))
    return Decision(way=Way.SPLIT, shares=shares).plain()


def _for_parts(line: Line, known: Known) -> _Found:
    """Transfers of several that the bank booked as one sum: to each their own, and what nobody is known for, ours."""
    if not line.parts or line.kind in (LineKind.RETURN, LineKind.CASH) or any(one["amount"] < 1 for one in line.parts):
        return
    shares: Counter[tuple[Way, int | None]] = Counter()
    by_reference = True
    for part in line.parts:
        holders, left = found_in(said_of(part), known.references), part["amount"]
        if len(holders) != 1:
            by_reference = False
            holders = holders or known.names.all_in(part["name"])
        holder = next(iter(holders)) if len(holders) == 1 else None
        # One claim at most is paid by a line.
        paying = {who for way, who in shares if way is Way.CLAIM} or {holder}
        owed = known.claims.get(holder or 0, 0) - shares[Way.CLAIM, holder]
        if holder in paying and owed:
            shares[Way.CLAIM, holder] += min(left, owed)
            left -= min(left, owed)
        shares[Way.OWN if holder is None else Way.MEMBER, holder] += left
    members = sorted({known.names.name(holder) for _way, holder in shares if holder is not None})
    made = tuple(Share(way, cents, holder) for (way, holder), cents in shares.items() if cents)
    if not members or len(made) > MAX_SHARES:
        return
    decision = Decision(way=Way.SPLIT, shares=made) if made[1:] else Decision(way=made[0].way, holder=made[0].holder)
    facts: dict[str, str | int | date] = {"name": ", ".join(members[:_TOLD]) + ", …" * (len(members) > _TOLD)}
    if rest := shares[Way.OWN, None]:
        yield decision.plain(), Reason(Why.PARTS_REST, 45, {**facts, "cents": rest})
    else:
        yield decision.plain(), Reason(Why.PARTS, 95 if by_reference else 75, facts)


def _members(line: Line, known: Known) -> Iterator[tuple[int, Reason]]:
    """Members whose euros these may be."""
    likely: set[int] = set()
    whole = found_in(line.said, known.references)
    why, points = (Why.REFERENCE, 86) if len(whole) == 1 else (Why.REFERENCES, 70)
    for holder in sorted(whole):
        likely.add(holder)
        yield holder, Reason(why, points, _facts(known, holder))
    for holder in sorted(cut_in(line.said, known.beginnings) - whole):
        likely.add(holder)
        yield holder, Reason(Why.REFERENCE_CUT, 90, _facts(known, holder))
    for seen in known.ibans.get(line.iban, ()) if line.iban else ():
        likely.add(seen.holder)
        yield seen.holder, Reason(Why.IBAN_SEEN, 80, _facts(known, seen.holder, day=seen.booked_on))
    for holders, why, points in (
        (known.names.all_in(line.name), Why.NAME_PAID, 70),
        (known.names.all_in(line.text, at_least=2), Why.NAME_SAID, 50),
        (known.names.part_of(line.name), Why.NAME_PART, 30),
    ):
        for holder in holders - (likely if why is Why.NAME_PART else set()):
            likely.add(holder)
            yield holder, Reason(why, points, _facts(known, holder))
    for holder in sorted(likely):
        if (day := known.amounts.get((holder, line.amount))) is not None:
            yield holder, Reason(Why.AMOUNT_BEFORE, 20, _facts(known, holder, day=day))


def _went(line: Line, known: Known) -> _Found:
    yield from _either(line, known)
    if line.kind == LineKind.CHARGE:
        yield Decision(way=Way.CHARGE), Reason(Why.BANK_SAYS, 90, {})
    if (word := said(f"{line.name} {line.text}", "charge")) is not None:
        yield Decision(way=Way.CHARGE), Reason(Why.WORDS, 75, {"word": word})
    if 0 < -line.amount <= known.fees:
        exact = -line.amount == known.fees
        yield Decision(way=Way.FEES), Reason(Why.FEES_THERE, 70 if exact else 20, {"cents": known.fees})
        if _is_own(line, known):
            yield Decision(way=Way.FEES), Reason(Why.OWN_NAME, 65, {})
    if line.kind == LineKind.DEBIT:
        yield Decision(way=Way.OWN), Reason(Why.BANK_SAYS, 35, {})
    for box in known.cash:
        yield from _for_cash(line, box, "cash out")
    yield from _for_payouts(line, known)
    for file in known.payout_files.get(-line.amount, ()):
        yield Decision(way=Way.PAYOUT, other=file.id), Reason(Why.PAYOUT_FILE, 78, {"name": str(file.number)})
    if (paid := known.not_owed.get(line.id)) is not None:
        # Where as much came back, the two lines explain each other.
        points = 50 if known.open.get(-line.amount) else 92
        facts = _facts(known, paid.holder, day=paid.day)
        yield Decision(way=Way.DEBT, holder=paid.holder), Reason(paid.why, points, facts)
    for debit in known.debits.get(line.id, ()):
        yield from _for_debit(line, debit)
    for topup in known.topups.get(-line.amount, ()):
        yield from _for_topup(line, known, topup)


def _for_payouts(line: Line, known: Known) -> _Found:
    """Payouts that the line may be, or that it may bring back."""
    named = known.names.all_in(f"{line.name} {line.text}")
    for payout in known.payouts.get(abs(line.amount), ()):
        if payout.is_due is (line.amount > 0):
            continue
        decision = Decision(way=Way.PAYOUT, other=payout.reconversion)
        why = Why.OWED if line.amount < 0 else Why.PAID_OUT
        # A shop that owes as much sends what it owes; only the bank sends a payout back.
        owes = line.kind != LineKind.RETURN and 0 < line.amount <= known.claims.get(payout.holder, 0)
        sure = line.amount < 0 or line.kind == LineKind.RETURN or payout.holder in named
        yield decision, Reason(why, 62 if sure and not owes else 30, _facts(known, payout.holder))
        if payout.holder in named and not owes:
            yield decision, Reason(Why.NAME_PAID, 84, _facts(known, payout.holder))


def _for_debit(line: Line, debit: Open) -> _Found:
    decision = Decision(way=Way.DEBITS, other=debit.id)
    points = 85 if debit.is_named else 58 if line.kind == LineKind.RETURN else 25
    yield decision, Reason(Why.DEBITED, points, {"name": debit.name, "day": debit.day})
    if words(debit.name) <= words(f"{line.name} {line.text}"):
        yield decision, Reason(Why.NAME_PAID, 80, {"name": debit.name})


def _for_topup(line: Line, known: Known, topup: Line) -> _Found:
    assert topup.holder is not None
    if topup.booked_on > line.booked_on:
        return
    decision = Decision(way=Way.RETURNED, other=topup.id)
    facts = _facts(known, topup.holder, day=topup.booked_on)
    to_them = bool(line.iban) and line.iban == topup.iban
    named = topup.holder in known.names.all_in(f"{line.name} {line.text}", at_least=2)
    if to_them or named or line.kind == LineKind.RETURN:
        yield decision, Reason(Why.TOPUP_OF, 60 if line.kind == LineKind.RETURN else 45, facts)
    if to_them:
        yield decision, Reason(Why.SAME_ACCOUNT, 80, {})
    if named:
        yield decision, Reason(Why.NAME_SAID, 70, _facts(known, topup.holder))


def _either(line: Line, known: Known) -> _Found:
    """What euros may be whichever way they went."""
    for other in (one for one in known.open.get(-line.amount, ()) if may_pair(line, one)):
        decision = Decision(way=Way.PAIR, other=other.id)
        near = abs(other.booked_on - line.booked_on) <= NEAR
        yield decision, Reason(Why.OPPOSITE, 60 if near else 25, {"day": other.booked_on})
        if line.iban and line.iban == other.iban:
            yield decision, Reason(Why.SAME_ACCOUNT, 88, {})
    # Euros that left one account of ours are missed there until they arrive: a balance above nothing is on its way.
    may_be = line.kind != LineKind.OPENING or line.id in known.bound
    if may_be and ((known.in_transit >= line.amount > 0) or (known.in_transit <= line.amount < 0)):
        yield Decision(way=Way.TRANSIT), Reason(Why.ON_ITS_WAY, 65, {"cents": abs(known.in_transit)})
    if _is_own(line, known):
        yield Decision(way=Way.OWN), Reason(Why.OWN_NAME, 60, {})


def _for_cash(line: Line, box: str, what: str) -> _Found:
    decision = Decision(way=Way.CASH, cash=box)
    if line.kind == LineKind.CASH:
        yield decision, Reason(Why.BANK_SAYS, 95, {})
    if (word := said(f"{line.name} {line.text}", what)) is not None:
        yield decision, Reason(Why.WORDS, 88, {"word": word})


def _is_own(line: Line, known: Known) -> bool:
    there = words(line.name)
    return any(name and name <= there for name in known.own_names)


def _facts(known: Known, holder: int, **more: int | date) -> dict[str, str | int | date]:
    return {"name": known.names.name(holder), **more}
