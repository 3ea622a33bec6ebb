"""Hypothesis looks for a series of batches after which a store and a few lines of plain Python disagree."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from ledger.core.book import Book
from ledger.core.model import Closing, Instruction, Note, Opening, Transaction
from tests.conformance.conftest import Grounds
from tests.conformance.town import (
    BANK,
    CAPPED,
    CIRCULATION,
    CLOSED,
    FREE,
    GUARANTEE,
    NOBODY,
    A,
    B,
    C,
    Clock,
    closing,
    codes,
    dump,
    note,
    opening,
    t,
    town,
    tx,
)


class Model:
    """A book as one would write it in an afternoon: no batches, no chains, no log."""

    def __init__(self) -> None:
        self.accounts: dict[int, dict[str, Any]] = {}
        self.said: dict[bytes, Instruction] = {}
        self.lines: dict[int, list[tuple[int, int]]] = {}
        """Of each account (number of the instruction in the log, balance after it), oldest first."""

    def post(self, instruction: Instruction) -> str:
        if instruction.id in self.said:
            return "replay" if self.said[instruction.id] == instruction else "id_taken"
        if isinstance(instruction, Transaction):
            refusal = self.move(instruction)
        elif isinstance(instruction, Opening):
            refusal = self.open(instruction)
        elif isinstance(instruction, Closing):
            refusal = self.close(instruction.number)
        else:
            assert isinstance(instruction, Note)
            refusal = None
        if refusal is None:
            self.said[instruction.id] = instruction
        return refusal or "posted"

    def open(self, instruction: Opening) -> str | None:
        account = instruction.account
        if account.number in self.accounts:
            return "account_exists"
        if account.cover is not None:
            if (refusal := self.usable(account.cover)) is not None:
                return refusal
            if self.accounts[account.cover]["cover"] is not None:
                return "cover_chained"
            if self.balance(account.cover) < 0:
                return "not_covered"
        self.accounts[account.number] = {
            "unit": account.unit, "sign": int(account.normal), "floor": account.floor, "ceiling": account.ceiling,
            "cover": account.cover, "closed": False, "net": 0,
        }  # fmt: skip
        self.lines[account.number] = []
        return None

    def close(self, number: int) -> str | None:
        if (refusal := self.usable(number)) is not None:
            return refusal
        covers = any(a["cover"] == number and not a["closed"] for a in self.accounts.values())
        if self.balance(number) or covers:
            return "account_not_empty"
        self.accounts[number]["closed"] = True
        return None

    def usable(self, number: int, unit: str | None = None) -> str | None:
        account = self.accounts.get(number)
        if account is None:
            return "account_unknown"
        if account["closed"]:
            return "account_closed"
        return "unit_differs" if unit and account["unit"] != unit else None

    def balance(self, number: int) -> int:
        account = self.accounts[number]
        net: int = account["sign"] * account["net"]
        return net

    def move(self, transaction: Transaction) -> str | None:
        for transfer in transaction.transfers:
            for number in (transfer.debit, transfer.credit):
                if (refusal := self.usable(number, transfer.unit)) is not None:
                    return refusal
        if transaction.corrects is not None and (refusal := self.correction(transaction)) is not None:
            return refusal
        moved: list[int] = []
        after: list[tuple[int, int]] = []
        for transfer in transaction.transfers:
            self.accounts[transfer.debit]["net"] += transfer.amount
            self.accounts[transfer.credit]["net"] -= transfer.amount
            for number in (transfer.debit, transfer.credit):
                moved.append(number)
                after.append((number, self.balance(number)))
        if (refusal := self.bounds(moved)) is not None:
            for transfer in transaction.transfers:
                self.accounts[transfer.debit]["net"] -= transfer.amount
                self.accounts[transfer.credit]["net"] += transfer.amount
            return refusal
        for number, balance in after:
            self.lines[number].append((len(self.said) + 1, balance))
        return None

    def bounds(self, moved: list[int]) -> str | None:
        for number in moved:
            account, balance = self.accounts[number], self.balance(number)
            if account["floor"] is not None and balance < account["floor"]:
                return "below_floor"
            if account["ceiling"] is not None and balance > account["ceiling"]:
                return "above_ceiling"
        for number, account in self.accounts.items():
            if (
                account["cover"] is not None
                and not account["closed"]
                and self.balance(number) > self.balance(account["cover"])
            ):
                return "not_covered"
        return None

    def correction(self, transaction: Transaction) -> str | None:
        original = self.said.get(transaction.corrects or b"")
        if not isinstance(original, Transaction):
            return "correction_unknown"
        earlier = [x for x in self.said.values() if isinstance(x, Transaction) and x.corrects == original.id]
        for n, transfer in enumerate(transaction.transfers):
            way = (transfer.debit, transfer.credit, transfer.unit)
            moved = [x.amount for x in original.transfers if (x.credit, x.debit, x.unit) == way]
            given = [x.amount for e in earlier for x in e.transfers if (x.debit, x.credit, x.unit) == way]
            given += [x.amount for x in transaction.transfers[: n + 1] if (x.debit, x.credit, x.unit) == way]
            if not moved:
                return "correction_unrelated"
            if sum(given) > sum(moved):
                return "correction_exceeds"
        return None


NEW = st.integers(61, 66)
NUMBERS = st.one_of(st.sampled_from((A, B, C, FREE)), st.sampled_from((CAPPED, CIRCULATION, CLOSED, NOBODY)), NEW)
IDS = st.integers(100, 140)
CENTS = st.one_of(st.integers(1, 300), st.sampled_from((500, 501, 1_000, 1_001)))
LEGS = st.lists(
    st.tuples(NUMBERS, NUMBERS, CENTS).filter(lambda leg: leg[0] != leg[1]).map(lambda leg: t(*leg)),
    min_size=1,
    max_size=3,
)
ISSUES = st.tuples(IDS, CENTS).map(
    lambda of: tx(of[0], t(CIRCULATION, A, of[1]), t(BANK, GUARANTEE, of[1], "EUR"), kind="conversion")
)
COVERS = st.sampled_from((None, None, GUARANTEE, FREE, CIRCULATION, CLOSED, 61))
INSTRUCTIONS = st.one_of(
    st.tuples(IDS, LEGS).map(lambda of: tx(of[0], *of[1])),
    st.tuples(IDS, LEGS, IDS).map(lambda of: tx(of[0], *of[1], corrects=of[2])),
    st.tuples(IDS, IDS, CENTS).map(lambda of: tx(of[0], t(B, A, of[2]), corrects=of[1])),
    st.tuples(IDS, CENTS).map(lambda of: tx(of[0], t(A, B, of[1]))),
    ISSUES,
    st.tuples(IDS, NEW, COVERS, st.sampled_from((0, None, -100)))
    .filter(lambda of: of[1] != of[2])
    .map(lambda of: opening(of[0], of[1], cover=of[2], floor=of[3])),
    st.tuples(IDS, NUMBERS).map(lambda of: closing(*of)),
    IDS.map(lambda n: note(n, what="said")),
)


class Machine(RuleBasedStateMachine):
    """One book, one model. Subclasses say where the book is kept."""

    grounds: Grounds
    kind: str

    @initialize()
    def settle(self) -> None:
        self.ground = self.grounds.make(self.kind)
        self.model = Model()
        self.clock = Clock(step=10)
        self.book: Book = self.ground.book(self.clock)
        self.post(town())

    @rule(batch=st.lists(INSTRUCTIONS, max_size=6))
    def post(self, batch: list[Instruction]) -> None:
        assert codes(self.book.post(batch).answers) == [self.model.post(each) for each in batch]

    @rule()
    def another_book(self) -> None:
        """As if the process had ended and another had begun."""
        self.book = self.ground.book(self.clock, seed=2)

    @rule(step=st.sampled_from((-1_000, 0, 1, 1_000)))
    def clock_runs(self, step: int) -> None:
        self.clock.step = step

    @rule(number=NUMBERS, limit=st.integers(1, 5))
    def read_back(self, number: int, limit: int) -> None:
        if number not in self.model.accounts:
            return
        expected = self.model.lines[number][::-1]
        before, read = None, []
        while before != 0:
            page = self.book.statement(number, limit=limit, before=before)
            read += [(entry.seq, entry.balance) for entry in page.entries]
            before = page.next
        assert read == expected

    @rule(number=NUMBERS, data=st.data())
    def look_back(self, number: int, data: st.DataObject) -> None:
        if number not in self.model.accounts:
            return
        seq = data.draw(st.integers(1, len(self.model.said)))
        with self.book.store.reading() as store:
            at = store.log(seq - 1, 1)[0].at
        expected = [balance for line, balance in self.model.lines[number] if line <= seq]
        assert self.book.balance(number, at) == (expected[-1] if expected else 0)

    @invariant()
    def agree(self) -> None:
        everything = dump(self.book)
        assert everything.balances() == {number: self.model.balance(number) for number in self.model.accounts}
        assert [row.id for row in everything.log] == list(self.model.said)
        closed = {row.number for row in everything.accounts if row.closed}
        assert closed == {number for number, account in self.model.accounts.items() if account["closed"]}

    def teardown(self) -> None:
        if hasattr(self, "ground"):
            self.grounds.take_back(self.ground)


@pytest.mark.parametrize(("kind", "examples", "steps"), [("memory", 40, 25), ("sqlite", 40, 25), ("postgres", 6, 25)])
def test_no_series_of_batches_parts_a_store_from_the_model(
    grounds: Grounds, kind: str, examples: int, steps: int
) -> None:
    machine = type(f"Machine_{kind}", (Machine,), {"grounds": grounds, "kind": kind})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
