"""The rules: accounts and a batch in, what is posted or refused out. No I/O, no clock, no randomness.

Both databases run these rules, so both give the same answers, the same records and the same log root. The
fold takes the instructions in order; each stands or falls alone and sees what the ones before it did. The
order of the checks is that of `refusals`: idempotency, accounts, units, corrections, bounds, cover.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from ledger.core import record, tree
from ledger.core.model import (
    MAX_TOTAL,
    Account,
    Answer,
    Closing,
    Head,
    Instruction,
    Note,
    Opening,
    Posted,
    Refused,
    Transaction,
    Transfer,
)

ROW_BYTES = 6
NODE_BYTES = 1 + ROW_BYTES
"""One node of a spine: the rank of a skew-binary tree (u8), the row of its root (u48)."""
_RANKS = [bytes((rank,)) for rank in range(256)]


class State:
    """An account as a batch sees and changes it.

    `spine` is the skew-binary list of the account's transfers (Myers, "An applicative random-access stack",
    1983): pairs of rank and row, newest first. From it the next transfer's two pointers follow without
    reading an old row. `last` is its first row, 0 when there is none.
    """

    __slots__ = ("ceiling", "closed", "cover", "credits", "debits", "floor", "guards", "last", "normal", "number",
                 "opened", "spine", "unit")  # fmt: skip

    def __init__(
        self,
        number: int,
        unit: str,
        normal: int,
        floor: int | None,
        ceiling: int | None,
        cover: int | None,
        opened: int,
        closed: int,
        debits: int,
        credits: int,
        spine: bytes,
    ) -> None:
        self.number = number
        self.unit = unit
        self.normal = normal
        self.floor = floor
        self.ceiling = ceiling
        self.cover = cover
        self.opened = opened
        self.closed = closed
        self.debits = debits
        self.credits = credits
        self.spine = spine
        self.last = int.from_bytes(spine[1:NODE_BYTES])
        self.guards: tuple[tuple[State, State], ...] = ()

    @classmethod
    def new(cls, account: Account, seq: int) -> State:
        """The state of an account that the log opened at `seq`."""
        return cls(account.number, account.unit, int(account.normal), account.floor, account.ceiling, account.cover,
                   seq, 0, 0, 0, b"")  # fmt: skip

    @property
    def balance(self) -> int:
        """Balance in cents, seen from the side on which the account grows."""
        return self.normal * (self.debits - self.credits)

    def push(self, place: int, row: bytes) -> int:
        """Take the transfer at `place`, which is `row` in 6 bytes, on the spine; return its jump (0: none)."""
        spine = self.spine
        if len(spine) > NODE_BYTES and spine[0] == spine[NODE_BYTES]:
            # Two trees of one rank become the branches of the new node, which jumps over both.
            jump = int.from_bytes(spine[2 * NODE_BYTES + 1 : 3 * NODE_BYTES])
            self.spine = _RANKS[spine[0] + 1] + row + spine[2 * NODE_BYTES :]
        else:
            jump = self.last
            self.spine = _RANKS[1] + row + spine
        self.last = place
        return jump


class Original(NamedTuple):
    """A transaction that somebody corrects: its record, and the records that correct it already."""

    record: bytes
    corrections: Sequence[bytes]


class LogRow(NamedTuple):
    """A log entry as it is stored. `leaf` is the record's RFC 6962 leaf hash."""

    seq: int
    id: bytes
    at: int
    corrects: bytes | None
    leaf: bytes
    record: bytes


class TransferRow(NamedTuple):
    """A transfer as it is stored: for each side the balance after it and the chain back through the account."""

    place: int
    debit: int
    credit: int
    amount: int
    debit_after: int
    credit_after: int
    debit_previous: int
    credit_previous: int
    debit_jump: int
    credit_jump: int


class Fold(NamedTuple):
    """What a batch comes to: the answers, and everything that one commit has to write.

    `log` and `transfers` are what `LogRow` and `TransferRow` hold, as plain tuples: those of numbers and bytes the
    garbage collector looks at once and never again, named ones it visits at every collection.
    """

    answers: list[Answer]
    log: list[tuple[int, bytes, int, bytes | None, bytes, bytes]]
    transfers: list[tuple[int, int, int, int, int, int, int, int, int, int]]
    opened: list[State]
    changed: list[State]
    head: Head


def guard(accounts: Mapping[int, State]) -> None:
    """Tie each covered account of `accounts` to the account that covers it, on both sides."""
    for covered in accounts.values():
        if covered.cover is not None and not covered.closed:
            tie(covered, accounts[covered.cover])


def tie(covered: State, covering: State) -> None:
    """From now on `covered` may hold at most what `covering` holds."""
    pair = (covered, covering)
    if pair not in covered.guards:
        covered.guards += (pair,)
        covering.guards += (pair,)


def fold(
    head: Head,
    batch: Sequence[Instruction],
    *,
    now: int,
    salts: bytes,
    posted: Mapping[bytes, bytes],
    accounts: dict[int, State],
    originals: dict[bytes, Original],
    times: Sequence[int] | None = None,
) -> Fold:
    """Fold `batch` into the book whose end is `head`.

    `now` is microseconds since the epoch (`times`, for a replay: one an instruction); `salts` 16 bytes an instruction;
    `posted` the records, by id, of the ids of the batch that are in the log; `accounts` every open or closed account
    it names and every covered or covering one (changed in place); `originals` what its corrections name, by id.
    """
    answers: list[Answer] = []
    log: list[tuple[int, bytes, int, bytes | None, bytes, bytes]] = []
    transfers: list[tuple[int, int, int, int, int, int, int, int, int, int]] = []
    opened: dict[int, State] = {}
    changed: dict[int, State] = {}
    known = dict(posted)
    left: dict[bytes, Left] = {}
    seq, at = head.seq, head.at
    for index, (instruction, salt) in enumerate(zip(batch, salts.hex(" ", 16).split(), strict=True)):
        id_ = instruction.id
        stood = known.get(id_)
        if stood is not None:
            answers.append(_again(instruction, stood))
            continue
        corrects = None
        if type(instruction) is Transaction:
            corrects = instruction.corrects
            if corrects is not None and corrects not in left:
                if corrects in known and corrects not in originals:
                    originals[corrects] = Original(known[corrects], [])
                if corrects in originals:
                    left[corrects] = given_back(originals[corrects])
            refusal = _move(instruction, seq + 1, accounts, left, transfers, changed)
        elif type(instruction) is Opening:
            refusal = _open(instruction, seq + 1, accounts, opened)
        elif type(instruction) is Closing:
            refusal = _close(instruction, seq + 1, accounts, changed)
        else:
            assert type(instruction) is Note
            refusal = None
        if refusal is not None:
            answers.append(Refused(id_, *refusal))
            continue
        seq += 1
        if times is not None:
            now = times[index]
        at = now if now > at else at + 1
        data = record.encode(instruction, seq, at, salt)
        known[id_] = data
        log.append((seq, id_, at, corrects, tree.leaf_hash(data), data))
        answers.append(Posted(id_, seq, at))
        if corrects is not None:
            assert type(instruction) is Transaction
            for t in instruction.transfers:
                left[corrects][t.debit, t.credit, t.unit] -= t.amount
    if not log:
        return Fold(answers, log, transfers, [], [], head)
    peaks = tree.split(head.frontier)
    tree.append(peaks, head.seq, [row[4] for row in log])
    end = Head(seq, at, b"".join(peaks), tree.root(peaks))
    updated = [changed[n] for n in sorted(changed) if n not in opened]  # sorted: neighbours lie on one page
    return Fold(answers, log, transfers, [*opened.values()], updated, end)


def _again(instruction: Instruction, stood: bytes) -> Answer:
    """The answer to an id that is in the log: the same again, or refused when its content is another."""
    if record.same_content(stood, instruction):
        old = record.parse(stood)
        return Posted(instruction.id, old.seq, old.at, replay=True)
    return Refused(instruction.id, "id_taken", f"id {instruction.id.hex()} stands in the log with other content")


Move: TypeAlias = "tuple[Transfer, State, State, int, int]"
"""A transfer, the accounts it debits and credits, and their balances after it."""


def _move(
    transaction: Transaction,
    seq: int,
    accounts: Mapping[int, State],
    left: Mapping[bytes, Left],
    rows: list[tuple[int, int, int, int, int, int, int, int, int, int]],
    changed: dict[int, State],
) -> tuple[str, str] | None:
    """Post the transfers of `transaction`, or leave everything as it was and say why not."""
    refusal = None
    moves: list[Move] = []
    balances: dict[State, int] = {}
    for t in transaction.transfers:
        debit, credit, unit, amount = accounts.get(t.debit), accounts.get(t.credit), t.unit, t.amount
        if (
            debit is None
            or credit is None
            or debit.closed
            or credit.closed
            or debit.unit != unit
            or credit.unit != unit
        ):
            refusal = _unusable(t, accounts)
            break
        debit.debits += amount
        credit.credits += amount
        balances[debit] = debit_after = debit.normal * (debit.debits - debit.credits)
        balances[credit] = credit_after = credit.normal * (credit.debits - credit.credits)
        moves.append((t, debit, credit, debit_after, credit_after))
    if refusal is None and transaction.corrects is not None:
        refusal = _correction(transaction, left.get(transaction.corrects, {}))
    if refusal is None:
        refusal = _bounds(balances)
    if refusal is not None:
        for t, debit, credit, _, _ in moves:
            debit.debits -= t.amount
            credit.credits -= t.amount
        return refusal
    place = seq << 8
    for t, debit, credit, debit_after, credit_after in moves:
        row = place.to_bytes(ROW_BYTES)
        debit_previous, credit_previous = debit.last, credit.last
        rows.append((place, debit.number, credit.number, t.amount, debit_after, credit_after,
                     debit_previous, credit_previous, debit.push(place, row), credit.push(place, row)))  # fmt: skip
        changed[debit.number] = debit
        changed[credit.number] = credit
        place += 1
    return None


def _unusable(transfer: Transfer, accounts: Mapping[int, State]) -> tuple[str, str]:
    """Why the first account of `transfer` that it cannot use is no use to it."""
    for number in (transfer.debit, transfer.credit):
        state = accounts.get(number)
        if state is None:
            return "account_unknown", f"no account {number:016x}"
        if state.closed:
            return "account_closed", f"account {number:016x} is closed"
        if state.unit != transfer.unit:
            return "unit_differs", f"account {number:016x} counts {state.unit}, the transfer {transfer.unit}"
    raise AssertionError("both accounts can be used")


def _bounds(balances: Mapping[State, int]) -> tuple[str, str] | None:
    """The first bound that accounts with these new balances break."""
    covers: Iterable[tuple[State, State]] = ()
    for state, balance in balances.items():
        if state.floor is not None and balance < state.floor:
            return "below_floor", f"account {state.number:016x} would hold {balance}, its floor is {state.floor}"
        if state.ceiling is not None and balance > state.ceiling:
            return "above_ceiling", f"account {state.number:016x} would hold {balance}, its ceiling is {state.ceiling}"
        if state.debits >= MAX_TOTAL or state.credits >= MAX_TOTAL:
            return "total_too_large", f"account {state.number:016x} has moved as much as an account can"
        if state.guards:
            covers = (*covers, *state.guards)
    for covered, covering in covers:
        if covered.balance > covering.balance and not covered.closed:
            lack = covered.balance - covering.balance
            return "not_covered", f"account {covered.number:016x} would hold {lack} more than what covers it"
    return None


Left: TypeAlias = "dict[tuple[int, int, str], int]"
"""What can still be given back of a transaction: cents by (debit, credit, unit) of the way back."""


def given_back(original: Original) -> Left:
    """What can still be given back of a transaction; nothing, not even a way, when it moved no money."""
    left: Left = {}
    instruction = record.parse(original.record).instruction
    if type(instruction) is Transaction:
        for t in instruction.transfers:
            way = (t.credit, t.debit, t.unit)
            left[way] = left.get(way, 0) + t.amount
    for data in original.corrections:
        correction = record.parse(data).instruction
        assert type(correction) is Transaction
        for t in correction.transfers:
            left[t.debit, t.credit, t.unit] -= t.amount
    return left


def _correction(transaction: Transaction, left: Left) -> tuple[str, str] | None:
    assert transaction.corrects is not None
    named = transaction.corrects.hex()
    if not left:
        return "correction_unknown", f"no transaction {named} to correct"
    taken: Left = {}
    for t in transaction.transfers:
        way = (t.debit, t.credit, t.unit)
        if way not in left:
            return "correction_unrelated", f"transaction {named} moved nothing from {t.credit:016x} to {t.debit:016x}"
        taken[way] = taken.get(way, 0) + t.amount
        if taken[way] > left[way]:
            rest = left[way] + t.amount - taken[way]
            return "correction_exceeds", f"of transaction {named}, {rest} can still be given back"
    return None


def _open(opening: Opening, seq: int, accounts: dict[int, State], opened: dict[int, State]) -> tuple[str, str] | None:
    account = opening.account
    if account.number in accounts:
        return "account_exists", f"account {account.number:016x} exists"
    state = State.new(account, seq)
    if account.cover is not None:
        covering = accounts.get(account.cover)
        if covering is None:
            return "account_unknown", f"no account {account.cover:016x}"
        if covering.closed:
            return "account_closed", f"account {account.cover:016x} is closed"
        if covering.cover is not None:
            return "cover_chained", f"account {account.cover:016x} is itself covered"
        if covering.balance < 0:
            return "not_covered", f"account {account.cover:016x} holds {covering.balance} and can cover nothing"
        tie(state, covering)
    accounts[account.number] = opened[account.number] = state
    return None


def _close(
    closing: Closing, seq: int, accounts: Mapping[int, State], changed: dict[int, State]
) -> tuple[str, str] | None:
    number = closing.number
    state = accounts.get(number)
    if state is None:
        return "account_unknown", f"no account {number:016x}"
    if state.closed:
        return "account_closed", f"account {number:016x} is closed"
    if state.balance:
        return "account_not_empty", f"account {number:016x} holds {state.balance}"
    if any(covering is state and not covered.closed for covered, covering in state.guards):
        return "account_not_empty", f"account {number:016x} covers another open account"
    state.closed = seq
    changed[number] = state
    return None
