"""The desk: signed orders in, receipts out. Payments, refunds and requests to change back all pass here.

`Desk.take` is made for the writer's thread: it works on a batch, so that a hundred orders cost one look-up of
keys and one commit. Idempotency comes first here too: an order that stands in the log is confirmed again,
whatever became of its key, its limits or its last moment since.

What the desk looked at, the clock and the keys, is what stands at the commit: a batch that was overtaken, because a key
was revoked or the machine slept in between, is judged anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from sqlalchemy import Connection, select

from ledger.core import record
from ledger.core.clock import ClockDiffers, Late
from ledger.core.ids import is_fresh
from ledger.core.model import Head, Instruction, Outcome, Posted, Refused, Transaction, Transfer
from ledger.currency import clocked, named, parties, uncovered
from ledger.currency.charter import PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import Order, Purpose, Receipt, SignedOrder, SignedReceipt, SignedRequest
from ledger.currency.tables import MEMO
from ledger.currency.told import Cents, detail_of, tell, word
from ledger.currency.town import Town
from merchants import requests

LONGEST_ORDER_SECONDS = 86_400 + 3_600
"""An order stays open for a day at most (and an hour for clocks that differ)."""
PAID = frozenset({"payment", "import"})
"""Kinds of transactions that a refund can give back."""
_TRIES = 20
"""Looks at the clock and the tables: beside other programs that write without a pause, the first are often too late."""
KINDS = {Purpose.PAYMENT: "payment", Purpose.REFUND: "refund", Purpose.RECONVERSION: "reconversion_asked"}


@dataclass(frozen=True, slots=True)
class Submission:
    """An order as it arrives, with the request that it answers, if any."""

    signed: SignedOrder
    request: SignedRequest | None = None

    def __post_init__(self) -> None:
        # Here and not at the desk: it costs more than all the rest, without the GIL, and so runs beside the
        # writer's thread instead of in it. What is not signed by the key it carries cannot become a submission.
        self.signed.verify(self.signed.order.network)

    @classmethod
    def parse(cls, order: str, request: str | None) -> Submission:
        """From the texts. Raises `MessageError`, also when the signature is not right."""
        return cls(SignedOrder.parse(order), SignedRequest.parse(request) if request is not None else None)


class Taken(NamedTuple):
    """The order is in the log; `replay` when it stood there before."""

    receipt: SignedReceipt
    replay: bool


Result: TypeAlias = Taken | CurrencyError


class Desk:
    """Takes orders for one town. One desk a process, used by one thread at a time (the writer's)."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self._spent: dict[int, _Day] = {}
        self._members: set[int] = set()
        self._held: set[int] = set()

    def take(self, batch: Sequence[Submission]) -> list[Result]:
        """One result for each submission, in order; every one that stands was committed before this returns."""
        for _ in range(_TRIES):
            try:
                return self._take(batch)
            except (Late, _Overtaken):
                continue
        return [self._never_in_time(submission) for submission in batch]

    def _take(self, batch: Sequence[Submission]) -> list[Result]:
        results: list[Result | None] = [None] * len(batch)
        town = self.town
        now, seen = town.book.look(len(batch)), town.book.seen.seq
        devices = self._devices(batch)
        ready: list[int] = []
        instructions: list[Transaction] = []
        spending: dict[int, set[Order]] = {}
        try:
            clocked.keep(town, now)
        except (ClockDiffers, CurrencyError):
            pass  # it is said of each order, where that is posted
        for index, submission in enumerate(batch):
            try:
                instruction = self._instruction(submission)
            except CurrencyError as error:
                results[index] = error
                continue
            try:
                self._authorise(submission, devices, now)
                self._limits(submission.signed.order, now, spending)
            except CurrencyError as error:
                results[index] = self._stood(instruction, submission, error)
                continue
            ready.append(index)
            instructions.append(instruction)
        if ready:
            asked = [batch[index].request for index in ready]

            def also(connection: Connection, outcome: Outcome) -> None:
                new = sum(1 for answer in outcome.answers if isinstance(answer, Posted) and not answer.replay)
                if outcome.head.seq - new != seen and self._found(connection, batch) != (devices, self._held):
                    raise _Overtaken
                _keep_memos(connection, outcome, asked)

            try:
                outcome = town.commit(instructions, also, looked=now)
            except (ClockDiffers, CurrencyError) as error:
                # Of the program and not of an order: what stood before stands all the same.
                why = error if isinstance(error, CurrencyError) else CurrencyError(error.code, detail_of(error))
                for index, instruction in zip(ready, instructions, strict=True):
                    results[index] = self._stood(instruction, batch[index], why)
                return [result for result in results if result is not None]
            for index, answer in zip(ready, outcome.answers, strict=True):
                if isinstance(answer, Refused):
                    results[index] = CurrencyError(answer.code, answer.detail)
                else:
                    order = batch[index].signed.order
                    results[index] = Taken(self._receipt(order, answer, outcome.head), answer.replay)
        return [result for result in results if result is not None]

    def receipt(self, id_: bytes) -> SignedReceipt | None:
        """The receipt, made again, of the order that the log holds under `id_`."""
        found = self.town.book.find(id_)
        order = found and order_of(found.instruction)
        if found is None or order is None:
            return None
        posted = Posted(id_, found.seq, found.at, replay=True)
        return self._receipt(order.order, posted, self.town.book.head())

    def _never_in_time(self, submission: Submission) -> Result:
        """What is answered where every look was too late: nothing was done now, but what stood before stands."""
        try:
            instruction = self._instruction(submission)
        except CurrencyError as error:
            return error
        busy = CurrencyError("busy", tell("nothing was done; send the same order again in a moment"))
        return self._stood(instruction, submission, busy)

    # One step each, in the order in which they are taken.

    def _devices(self, batch: Sequence[Submission]) -> dict[bytes, parties.DeviceKey]:

        if len(self._members) >= 65_536:
            self._members.clear()
        unknown = {s.signed.order.payee for s in batch} - self._members
        with self.town.reading() as connection:
            if unknown:
                # Whoever holds an account holds it for good, so this is asked once for each.
                self._members |= parties.by_accounts(connection, unknown).keys()
            devices, self._held = self._found(connection, batch)
            return devices

    def _found(
        self, connection: Connection, batch: Sequence[Submission]
    ) -> tuple[dict[bytes, parties.DeviceKey], set[int]]:
        """The keys that sign the batch and the tills that its requests name; who cannot pay yet (see `uncovered`)."""
        keys = {s.signed.key for s in batch}
        tills = {(s.signed.order.payee, s.request.request.key_id) for s in batch if s.request is not None}
        held = uncovered.held(self.town, connection, {s.signed.order.payer for s in batch})
        return {d.key: d for d in named.find(connection, keys, tills)}, held

    def _instruction(self, submission: Submission) -> Transaction:
        signed, order = submission.signed, submission.signed.order
        if order.network != self.town.charter.network:
            raise CurrencyError("message_wrong_network", tell("this order belongs to another currency"))
        if order.unit != self.town.charter.code:
            raise CurrencyError("unit_differs", tell("this currency counts {code}, not {unit}",
                                                     code=self.town.charter.code, unit=order.unit))  # fmt: skip
        if order.payer == order.payee:
            raise CurrencyError("same_account", tell("payer and payee are one account; nothing would move"))
        return Transaction(
            order.id,
            KINDS[order.purpose],
            (Transfer(order.payer, order.payee, order.amount, order.unit),),
            corrects=order.reference if order.purpose is Purpose.REFUND else None,
            evidence={"key": signed.key.hex(), "order": order.body().hex(), "signature": signed.signature.hex()},
        )

    def _authorise(self, submission: Submission, devices: dict[bytes, parties.DeviceKey], now: int) -> None:
        order, seconds = submission.signed.order, now // 1_000_000
        device = devices.get(submission.signed.key)
        if device is None or device.revoked_at is not None or device.account != order.payer:
            raise CurrencyError("key_unknown", tell("this key does not act for the account that would pay"))
        allowed = parties.TAKE if order.purpose is Purpose.REFUND else parties.SPEND
        if device.role not in allowed:
            raise CurrencyError("role_insufficient", tell("a {role}'s key cannot do this; an owner's can",
                                                          role=word(device.role)))  # fmt: skip
        if order.is_expired(seconds):
            raise CurrencyError("order_expired", tell("the order's last moment has passed; nothing was moved"))
        if order.expires_at > seconds + LONGEST_ORDER_SECONDS:
            raise CurrencyError("order_too_long", tell("an order may stay open for a day at most"))
        if order.payer in self._held:
            raise CurrencyError(
                "account_uncovered", tell("units that were imported into this account have no euros behind them yet")
            )
        if order.purpose is Purpose.RECONVERSION:
            self._check_reconversion(order)
        elif order.payee not in self._members:
            # The currency's own accounts are in the book too: paying those would destroy units and leave the euros,
            # and so would "refunding" a conversion.
            raise CurrencyError("payee_unknown", tell("this account is not one of a member of this currency"))
        elif order.purpose is Purpose.PAYMENT:
            self._check_request(submission, devices, seconds)
        else:
            self._check_refund(order)
        request = submission.request
        if request is not None and order.purpose is not Purpose.PAYMENT:
            # Its label would become a memo, though nobody has looked at who signed it.
            raise CurrencyError("request_hash_differs", tell("only a payment answers a request"))
        if (request is None or request.request.is_static) and not is_fresh(order.id):
            raise CurrencyError(
                "id_reserved", tell("an order that answers no one-time request has a UUIDv7 of its own")
            )

    def _check_request(self, submission: Submission, devices: dict[bytes, parties.DeviceKey], seconds: int) -> None:
        order, request = submission.signed.order, submission.request
        if request is None:
            if any(order.reference):
                raise CurrencyError("request_missing", tell("the order names a request; send the request with it"))
            return
        tills = [
            d.key for d in devices.values()
            if d.account == order.payee and d.revoked_at is None and d.role in parties.TAKE | parties.SPEND
        ]  # fmt: skip
        requests.match(order, request, seconds, tills, self.town.key.public)

    def _check_refund(self, order: Order) -> None:
        """A payment can be given back, a refund cannot: the till of whoever got it would pay it out again."""
        found = self.town.book.find(order.reference)
        if found is not None and (type(found.instruction) is not Transaction or found.instruction.kind not in PAID):
            raise CurrencyError("correction_unknown", tell("only a payment can be given back, and this is none"))

    def _check_reconversion(self, order: Order) -> None:
        if order.payee != self.town.chart.waiting:
            raise CurrencyError(
                "request_payee_differs", tell("a reconversion is paid to the currency's waiting account")
            )
        party = parties.by_account(self.town, order.payer)
        if PartyKind(party.kind) not in self.town.charter.reconversion_by:
            raise CurrencyError("reconversion_not_allowed", tell("the charter does not let a {kind} change back",
                                                                 kind=word(party.kind)))  # fmt: skip

    def _limits(self, order: Order, now: int, spending: dict[int, set[Order]]) -> None:
        """The charter's limits on payments. Within a batch, earlier orders count whether or not they stand.

        One order counts once: neither a double tap in one batch nor one that stands already is spent again.
        """
        limits = self.town.charter.limits
        if order.purpose is not Purpose.PAYMENT:
            return
        if limits.per_payment is not None and order.amount > limits.per_payment:
            raise CurrencyError("limit_payment", tell("one payment is {limit} at most",
                                                      limit=Cents(limits.per_payment)))  # fmt: skip
        if limits.per_day is None:
            return
        day, earlier = self._today(order.payer, now), spending.setdefault(order.payer, set())
        if order.id in day.ids or order in earlier:
            return
        before = day.spent + sum(other.amount for other in earlier)
        if before + order.amount > limits.per_day:
            raise CurrencyError("limit_day", tell("{before} of {limit} a day are spent already",
                                                  before=Cents(before), limit=Cents(limits.per_day)))  # fmt: skip
        earlier.add(order)

    def _today(self, account: int, now: int) -> _Day:
        """What was paid from `account` since midnight in the charter's time zone. Reads only what is new to it."""
        _, midnight = self.town.charter.local_day_start(now)
        day = self._spent.get(account)
        if day is None or day.midnight != midnight:
            if len(self._spent) >= 65_536:
                self._spent.clear()
            day = self._spent[account] = _Day(midnight)
        before = None
        newest = day.newest
        since = clocked.since(self.town, now, midnight)
        while True:
            page = self.town.book.statement(account, limit=100, before=before, since=since)
            for entry in page.entries:
                if entry.place <= day.newest:
                    break
                newest = max(newest, entry.place)
                if entry.kind == "payment" and entry.change < 0 and entry.id not in day.ids:
                    day.spent -= entry.change
                    day.ids.add(entry.id)
            else:
                if page.next:
                    before = page.next
                    continue
            break
        day.newest = newest
        return day

    def _stood(self, instruction: Instruction, submission: Submission, error: CurrencyError) -> Result:
        """`error`, unless exactly this order is in the log: then what was answered when it was posted."""
        row = self._row(instruction.id)
        if row is None:
            return error
        stood = record.parse(row)
        if not record.same_content(row, instruction):
            return CurrencyError("id_taken", tell("another transaction stands in the log under this id"))
        posted = Posted(instruction.id, stood.seq, stood.at, replay=True)
        return Taken(self._receipt(submission.signed.order, posted, self.town.book.head()), True)

    def _row(self, id_: bytes) -> bytes | None:
        with self.town.book.store.reading() as store:
            row = store.find(id_)
        return row.record if row else None

    def _receipt(self, order: Order, posted: Posted, head: Head) -> SignedReceipt:
        receipt = Receipt(order.network, order.hash(), order.id, posted.seq, posted.at, head.seq, head.root)
        return receipt.sign(self.town.key)


class _Overtaken(Exception):
    """A key was revoked, or joined, or an account came to wait for euros, between look and commit: look again."""


class _Day:
    """What an account paid since `midnight` with which payments, and the newest entry that was counted."""

    __slots__ = ("ids", "midnight", "newest", "spent")

    def __init__(self, midnight: int) -> None:
        self.ids: set[bytes] = set()
        self.midnight = midnight
        self.newest = 0
        self.spent = 0


def order_of(instruction: Instruction) -> SignedOrder | None:
    """The signed order that a posted payment, refund or request to change back carries."""
    evidence = instruction.evidence
    if not isinstance(instruction, Transaction) or "order" not in evidence:
        return None
    order, key, signature = (bytes.fromhex(str(evidence[name])) for name in ("order", "key", "signature"))
    return SignedOrder(Order.from_bytes(order), key, signature)


def _keep_memos(connection: Connection, outcome: Outcome, asked: Sequence[SignedRequest | None]) -> None:
    rows = [
        {"id": answer.id, "text": request.request.label, "request": request.raw}
        for answer, request in zip(outcome.answers, asked, strict=True)
        if isinstance(answer, Posted) and not answer.replay and request is not None and request.request.label
    ]
    if rows:
        connection.execute(MEMO.insert(), rows)


def memos(connection: Connection, ids: set[bytes]) -> dict[bytes, str]:
    """The memos of those transactions, by id."""
    rows = connection.execute(select(MEMO.c.id, MEMO.c.text).where(MEMO.c.id.in_(sorted(ids))))
    return {row.id: row.text for row in rows}


__all__ = ["Desk", "Result", "Submission", "Taken", "memos", "order_of"]
