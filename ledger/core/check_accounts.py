"""The accounts as the records tell them, and whether each record kept the rules. For `check` alone.

Written apart from `rules` on purpose: two ways to the same numbers. Here a transaction is applied even when it
breaks a rule, so that what comes after is judged by what the log says.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from ledger.core.check_record import TRANSACTION, Reader, Unreadable
from ledger.core.check_report import Findings

MAX_TOTAL = 2**62
_NO_BOUND = 2**80

Way: TypeAlias = "tuple[str, str, str]"
"""Debited account, credited account and unit, as records write them."""


class Holder:
    """One account, and the places of its transfers that the next two pointers are made of (Myers 1983).

    `ranks` and `places` are the skew-binary list, oldest first: trees of 2^rank - 1 transfers by their newest.
    """

    __slots__ = ("ceiling", "chain_findings", "closed", "cover", "credits", "debits", "floor", "guards", "high", "low",
                 "normal", "number", "open", "opened", "places", "ranks", "seen", "skew", "unit")  # fmt: skip

    def __init__(self, number: int, unit: str) -> None:
        self.number = number
        self.unit = unit
        self.normal = 1
        self.floor: int | None = None
        self.ceiling: int | None = None
        self.cover: int | None = None
        self.low, self.high = -_NO_BOUND, _NO_BOUND
        self.opened = self.closed = self.debits = self.credits = 0
        self.open = self.seen = False
        self.ranks: list[int] = []
        self.places: list[int] = []
        self.guards: list[tuple[Holder, Holder]] = []
        self.skew = self.chain_findings = 0

    @property
    def balance(self) -> int:
        return self.normal * (self.debits - self.credits)

    @property
    def last(self) -> int:
        return self.places[-1] if self.places else 0

    def push(self, place: int) -> tuple[int, int]:
        """Takes a transfer at `place`; its previous and its jump."""
        ranks, places = self.ranks, self.places
        if not places:
            ranks.append(1)
            places.append(place)
            return 0, 0
        previous = jump = places[-1]
        if len(ranks) > 1 and ranks[-1] == ranks[-2]:
            # Two trees of one size become children of the new one, which jumps over both.
            ranks.pop()
            ranks[-1] += 1
            del places[-2:]
            jump = places[-1] if places else 0
        else:
            ranks.append(1)
        places.append(place)
        return previous, jump

    def row(self) -> tuple[Any, ...]:
        """The account as it should be stored, in the order of `check_rows.ACCOUNT`."""
        spine = b"".join(
            rank.to_bytes() + place.to_bytes(6) for rank, place in zip(self.ranks[::-1], self.places[::-1], strict=True)
        )
        return (self.number, self.unit.encode(), self.normal, self.floor, self.ceiling, self.cover, self.opened,
                self.closed, self.debits, self.credits, self.last, spine)  # fmt: skip


class Ledger:
    """Every account that the log so far speaks of, by number as records write it."""

    def __init__(self, findings: Findings, find: Callable[[bytes], Any]) -> None:
        self.accounts: dict[str, Holder] = {}
        self._findings = findings
        self._find = find
        self._reader = Reader()
        # What can still be given back of each transaction that was ever corrected: few of them are.
        self._left: dict[str, dict[Way, int]] = {}

    def transaction(self, seq: int, body: dict[str, Any]) -> list[tuple[int, ...]]:
        """Applies a transaction; its rows as they should be stored, in the order of `check_rows.TRANSFER`."""
        accounts = self.accounts
        place = seq << 8
        rows: list[tuple[int, ...]] = []
        touched: list[Holder] = []
        if "corrects" in body:
            self._correction(seq, body)
        for d, c, amount, unit in body["transfers"]:
            debit, credit = accounts.get(d), accounts.get(c)
            if (
                debit is None
                or credit is None
                or not (debit.open and credit.open)
                or debit.unit != unit
                or credit.unit != unit
            ):
                debit, credit = self._unusable(d, unit), self._unusable(c, unit)
            debit.debits += amount
            credit.credits += amount
            debit_previous, debit_jump = debit.push(place)
            credit_previous, credit_jump = credit.push(place)
            rows.append((
                place, debit.number, credit.number, amount,
                debit.normal * (debit.debits - debit.credits), credit.normal * (credit.debits - credit.credits),
                debit_previous, credit_previous, debit_jump, credit_jump,
            ))  # fmt: skip
            touched += (debit, credit)
            place += 1
        for holder in touched:
            if (
                not holder.low <= holder.normal * (holder.debits - holder.credits) <= holder.high
                or holder.debits >= MAX_TOTAL
                or holder.credits >= MAX_TOTAL
                or holder.guards
            ):
                self._bounds(dict.fromkeys(touched))
                break
        return rows

    def adopt(self, row: tuple[Any, ...]) -> None:
        """Applies a stored transfer whose record is lost, so that later balances can still be judged."""
        place, debit, credit, amount = row[:4]
        if type(debit) is int and type(credit) is int and type(amount) is int and debit > 0 < credit:
            for number, side in ((debit, "debits"), (credit, "credits")):
                holder = self.accounts.setdefault(f"{number:016x}", Holder(number, ""))
                setattr(holder, side, getattr(holder, side) + amount)
                holder.push(place)

    def opening(self, seq: int, body: dict[str, Any]) -> None:
        """Applies an opening."""
        shown = body["account"]
        text = shown["number"]
        holder = self.accounts.get(text)
        if holder is not None and holder.opened:
            self._findings.add("account_exists", f"account {text} was opened before, as entry {holder.opened}")
            return
        if holder is None:
            holder = self.accounts[text] = Holder(int(text, 16), shown["unit"])
        holder.unit, holder.normal = shown["unit"], 1 if shown["normal"] == "debit" else -1
        holder.floor, holder.ceiling = shown.get("floor"), shown.get("ceiling")
        holder.low = -_NO_BOUND if holder.floor is None else holder.floor
        holder.high = _NO_BOUND if holder.ceiling is None else holder.ceiling
        holder.opened, holder.open = seq, True
        if "cover" in shown:
            holder.cover = int(shown["cover"], 16)
            covering = self._usable(shown["cover"])
            if covering.cover is not None:
                self._findings.add("cover_chained", f"account {shown['cover']} is itself covered")
            if covering.balance < 0:
                self._findings.add("not_covered", f"account {shown['cover']} holds {covering.balance}")
            pair = (holder, covering)
            holder.guards.append(pair)
            covering.guards.append(pair)

    def closing(self, seq: int, body: dict[str, Any]) -> None:
        """Applies a closing."""
        holder = self._usable(body["closes"])
        if not holder.open:
            return
        if holder.balance:
            self._findings.add(
                "account_not_empty", f"account {body['closes']} held {holder.balance} when it was closed"
            )
        for covered, covering in holder.guards:
            if covering is holder and covered.open:
                self._findings.add("account_not_empty", f"account {body['closes']} covered {covered.number:016x}")
        holder.closed, holder.open = seq, False

    def _usable(self, text: str) -> Holder:
        """The account, which should be open."""
        holder = self.accounts.get(text)
        if holder is None:
            holder = self.accounts[text] = Holder(int(text, 16), "")
        if not holder.opened:
            self._findings.add("account_unknown", f"no entry so far opened account {text}")
        elif holder.closed:
            self._findings.add("account_closed", f"account {text} was closed, as entry {holder.closed}")
        return holder

    def _unusable(self, text: str, unit: str) -> Holder:
        """One account of a transfer of which at least one cannot be used."""
        holder = self._usable(text)
        if holder.opened and holder.unit != unit:
            self._findings.add("unit_differs", f"account {text} counts {holder.unit}, the transfer {unit}")
        return holder

    def _bounds(self, touched: dict[Holder, None]) -> None:
        """Says which bounds the accounts of the transaction just applied break."""
        add = self._findings.add
        pairs: dict[tuple[Holder, Holder], None] = {}
        for holder in touched:
            balance, number = holder.balance, f"{holder.number:016x}"
            if balance < holder.low:
                add("below_floor", f"account {number} held {balance} after it, its floor is {holder.floor}")
            if balance > holder.high:
                add("above_ceiling", f"account {number} held {balance} after it, its ceiling is {holder.ceiling}")
            if holder.debits >= MAX_TOTAL or holder.credits >= MAX_TOTAL:
                add("total_too_large", f"account {number} has moved 2^62 or more")
            pairs.update(dict.fromkeys(holder.guards))
        for covered, covering in pairs:
            if covered.open and covered.balance > covering.balance:
                lack = covered.balance - covering.balance
                add("not_covered", f"account {covered.number:016x} held {lack} more than what covers it")

    def _correction(self, seq: int, body: dict[str, Any]) -> None:
        """Says where a correction gives back what its original did not move, or more than that."""
        named = body["corrects"]
        left = self._left.get(named)
        if left is None:
            left = self._original(seq, named)
            if left is None:
                self._findings.add("correction_unknown", f"no transaction before it has the id {named}")
                return
            self._left[named] = left
        for debit, credit, amount, unit in body["transfers"]:
            way = (debit, credit, unit)
            if way not in left:
                self._findings.add("correction_unrelated", f"{named} moved nothing from {credit} to {debit}")
                continue
            left[way] -= amount
            if left[way] < 0:
                self._findings.add("correction_exceeds", f"of {named}, {-left[way]} too much was given back")

    def _original(self, seq: int, named: str) -> dict[Way, int] | None:
        """What transaction `named` moved, by the way back; None when no entry before `seq` is that transaction."""
        row = self._find(bytes.fromhex(named))
        if row is None or not row[0] < seq:
            return None
        try:
            sort, body = self._reader.read(row[1])
        except Unreadable:
            return None
        if sort != TRANSACTION or body["id"] != named:
            return None
        left: dict[Way, int] = {}
        for debit, credit, amount, unit in body["transfers"]:
            left[credit, debit, unit] = left.get((credit, debit, unit), 0) + amount
        return left
