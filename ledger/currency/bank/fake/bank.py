"""The fake bank itself: what it books, and when."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from enum import StrEnum

from ledger.currency.bank.fake.answers import Answer, Rejected
from ledger.currency.bank.fake.camt import camt053
from ledger.currency.bank.fake.cfonb import cfonb120
from ledger.currency.bank.fake.days import later
from ledger.currency.bank.fake.entries import Account, Drawn, Entry, Ledger, Manners, Writing
from ledger.currency.bank.fake.fates import Fate, Fates
from ledger.currency.bank.fake.ofx import ofx
from ledger.currency.bank.fake.orders import Group, OrderFile, OrderRefused, read_orders
from ledger.currency.bank.fake.report import Report
from ledger.currency.bank.latin import latin
from ledger.currency.bank.pain import Debit, Transfer
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.target import open_day
from ledger.currency.charter import Charter

_DAY = timedelta(days=1)
FEE = "TENUE DE COMPTE"
_IBAN = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}\Z")


class Format(StrEnum):
    """What a statement is written in."""

    CAMT_02 = "camt.053.001.02"
    CAMT_08 = "camt.053.001.08"
    CFONB = "cfonb120"
    OFX = "ofx"


def accounts_of(charter: Charter, opening: Mapping[str, int] | None = None) -> list[Account]:
    """The accounts of a charter's reserve that have an IBAN; `opening` has cents by the reserve account's name."""
    creditor_id = charter.mandates.creditor_id if charter.mandates else None
    return [
        Account(
            one.iban, one.bic or "PATAFRPPXXX", one.holder or charter.name, (opening or {}).get(one.name, 0),
            creditor_id=creditor_id,
        )
        for one in charter.reserve
        if one.iban
    ]  # fmt: skip


class FakeBank:
    """A bank with those accounts of ours. Whoever drives it says the day with every call.

    `fate` says what goes wrong with an order (a `Fates`, or any function); `singly` books every order by itself
    whatever its file asks for, and `parts` tells in a camt what a sum consists of. What contradicts itself (an account
    that is not here, an amount of nothing, a day that a statement has closed) is a `ValueError`.
    """

    def __init__(
        self, accounts: Iterable[Account], *, entropy: Callable[[int], bytes] | None = None,
        fate: Callable[[Transfer | Debit], Fate] | None = None, manners: Manners | None = None,
        singly: bool = False, parts: bool = True,
    ) -> None:  # fmt: skip
        self.fate = Fates() if fate is None else fate  # one that is empty may be filled later
        self.singly = singly
        self.parts = parts
        self._writing = Writing(manners or Manners(), entropy or Drawn("the fake bank"))
        self._ledgers = {account.iban: Ledger(account) for account in accounts}
        self._messages: set[str] = set()
        self._answers = 0
        self._statements: dict[str, list[tuple[date, date]]] = {}

    # --- what happens by itself ---

    def pay_in(
        self, ours: str, day: date, amount: int, name: str, iban: str, text: str, *, end_to_end: str = "",
        instant: bool = False, late: bool = False,
    ) -> Entry:  # fmt: skip
        """A transfer that somebody makes to us, on the next banking day unless `instant`.

        `late` books it on a day that a statement has covered already, which the bank then corrects.
        """
        return self.book(
            ours, day, amount, LineKind.TRANSFER, text, name=name, iban=iban, end_to_end=end_to_end, instant=instant,
            late=late,
        )  # fmt: skip

    def give_back(self, entry: Entry, ours: str, day: date, reason: str = "FOCR") -> Entry:
        """A transfer to us that its payer's bank takes back, or a debit that comes back unpaid (MD06: within 8 weeks).

        `entry` is one of the account `ours`, or a part of one.
        """
        return self.book(
            ours, day, -entry.amount, LineKind.RETURN, entry.text, name=entry.name, iban=entry.iban,
            end_to_end=entry.end_to_end, mandate=entry.mandate, reason=reason,
        )  # fmt: skip

    def move(self, source: str, target: str, day: date, amount: int, text: str = "", days: int = 0) -> list[Entry]:
        """A transfer between two accounts of ours, `days` banking days on its way: what left, what arrived."""
        left, arrived = self._ledger(source).account, self._ledger(target).account
        out = self.book(source, day, -amount, LineKind.TRANSFER, text, name=arrived.holder, iban=arrived.iban)
        arrives = later(out.booked_on, days)
        came = self.book(target, arrives, amount, LineKind.TRANSFER, text, name=left.holder, iban=left.iban)
        return [out, came]

    def book(
        self, ours: str, day: date, amount: int, kind: LineKind, text: str = "", *, name: str = "", iban: str = "",
        end_to_end: str = "", mandate: str = "", reason: str = "", instant: bool = False, late: bool = False,
    ) -> Entry:  # fmt: skip
        """Any entry: cash, charges, what others collect from us. On the next banking day, unless `instant`."""
        ledger = self._ledger(ours)
        if not instant:
            day = open_day(day)
        if ledger.reported and day <= ledger.reported and not late:
            raise ValueError(f"a statement has covered {day} on {ours}: say late=True, and have it corrected")
        if not amount:
            raise ValueError("no bank books nothing")
        if iban and not _IBAN.match(iban) or end_to_end and latin(end_to_end) != end_to_end:
            raise ValueError(f"no bank has seen the IBAN {iban!r} or the end-to-end id {end_to_end!r}")
        name, text, wrap = self._writing(name, text)
        return ledger.add(
            Entry(
                number=ledger.next_number(), booked_on=day, amount=amount, kind=kind, name=name, iban=iban, text=text,
                end_to_end=end_to_end, mandate=mandate, reason=reason, instant=instant, wrap=wrap,
            )
        )  # fmt: skip

    def strike(self, entry: Entry, ours: str) -> None:
        """Take an entry away again that was never right: statements from now on are without it."""
        self._ledger(ours).entries.remove(entry)

    # --- orders ---

    def submit(self, data: bytes, on: date) -> Answer:
        """Take a file of orders on that day, or refuse it; execute it when it asks for, or as soon as may be.

        Refused: what `read_orders` refuses, DU01 a file of this id before, AC02 and AC03 not an account of ours, BE05
        another creditor identifier, DT01 a day more than a year ahead, AM04 not enough on the account on that day.
        """
        self._answers += 1
        try:
            file = read_orders(data)
        except OrderRefused as refused:
            return self._refused(on, refused)
        try:
            if file.message in self._messages:
                raise OrderRefused("DU01", f"a file {file.message} was taken before")
            days = {group.id: self._day_of(group, on) for group in file.groups}
            self._check_funds(file, days)
        except OrderRefused as refused:
            refused.message = file.message
            return self._refused(on, refused, file)
        self._messages.add(file.message)
        rejected: list[Rejected] = []
        for group in file.groups:
            rejected += self._execute(group, days[group.id])
        return Answer(
            number=self._answers, on=on, message=file.message, status="PART" if rejected else "ACCP",
            rejected=tuple(rejected), executed_on=days, file=file,
        )  # fmt: skip

    def _refused(self, on: date, refused: OrderRefused, file: OrderFile | None = None) -> Answer:
        return Answer(
            number=self._answers, on=on, message=refused.message, status="RJCT", reason=refused.reason,
            detail=refused.detail, executed_on={}, file=file,
        )  # fmt: skip

    def _day_of(self, group: Group, on: date) -> date:
        ledger = self._ledgers.get(group.account.iban)
        debits = isinstance(group.orders[0], Debit)
        if ledger is None:
            raise OrderRefused("AC03" if debits else "AC02", f"{group.account.iban} is no account of yours")
        if debits and ledger.account.creditor_id not in (None, group.creditor_id):
            raise OrderRefused("BE05", f"{group.creditor_id} is not your creditor identifier")
        if group.day > on + 366 * _DAY:
            raise OrderRefused("DT01", f"{group.day} is more than a year ahead")
        # Payers' banks have a debit a banking day before.
        return self._open(ledger, max(group.day, open_day(on + _DAY) if debits else on))

    def _open(self, ledger: Ledger, day: date) -> date:
        """That day, or the first banking day after it that no statement has closed."""
        return open_day(max(day, ledger.reported + _DAY) if ledger.reported else day)

    def _check_funds(self, file: OrderFile, days: dict[str, date]) -> None:
        """That transfers do not overdraw an account, on their day or, by what is ordered already, later."""
        needed: dict[str, int] = {}
        for group in sorted(file.groups, key=lambda group: days[group.id]):
            if isinstance(group.orders[0], Transfer):
                iban = group.account.iban
                needed[iban] = needed.get(iban, 0) + group.total
                ledger = self._ledger(iban)
                self._charge(ledger, days[group.id])
                if min(ledger.balances(days[group.id])) < needed[iban]:
                    raise OrderRefused("AM04", f"{iban} has not enough on {days[group.id]}")

    def _execute(self, group: Group, day: date) -> list[Rejected]:
        """Book a group's orders and what will come back of them, and say which are rejected."""
        fates = [(order, self.fate(order)) for order in group.orders]
        rejected = [
            Rejected(order.end_to_end, order.amount, fate.reject, group.id) for order, fate in fates if fate.reject
        ]
        # What is neither in the sum nor delayed is never booked at all.
        together = [order for order, fate in fates if (fate.booked if fate.reject else not fate.delay)]
        if group.batch and not self.singly:
            self._book_sum(group, together, day)
        else:
            for order in together:
                self._book_one(group, order, day)
        for order, fate in fates:
            done = later(day, fate.delay)
            if fate.reject:
                if fate.booked:
                    self._take_back(group, order, day, fate.reject)
                continue
            if fate.delay:
                self._book_one(group, order, done)
            if fate.back:
                self._take_back(group, order, later(done, fate.after), fate.back)
            else:
                self._arrive(group, order, done)
        return rejected

    def _arrive(self, group: Group, order: Transfer | Debit, day: date) -> None:
        """Book a transfer on the account that it is for, where that is one of ours as well."""
        if isinstance(order, Transfer) and order.iban in self._ledgers:
            ours = group.account
            day = self._open(self._ledger(order.iban), day)
            self.book(order.iban, day, order.amount, LineKind.TRANSFER, order.text, name=ours.name, iban=ours.iban,
                      end_to_end=order.end_to_end)  # fmt: skip

    def _book_sum(self, group: Group, orders: Sequence[Transfer | Debit], day: date) -> None:
        if not orders:
            return
        ledger = self._ledger(group.account.iban)
        number = ledger.next_number()
        parts = tuple(self._entry(order, number, day) for order in orders)
        total = sum(part.amount for part in parts)
        ledger.add(
            Entry(number=number, booked_on=day, amount=total, kind=parts[0].kind, batch=group.id, parts=parts)
        )  # fmt: skip

    def _book_one(self, group: Group, order: Transfer | Debit, day: date) -> None:
        ledger = self._ledger(group.account.iban)
        ledger.add(self._entry(order, ledger.next_number(), day))

    def _take_back(self, group: Group, order: Transfer | Debit, day: date, reason: str) -> None:
        ledger = self._ledger(group.account.iban)
        entry = self._entry(order, ledger.next_number(), day)
        ledger.add(replace(entry, amount=-entry.amount, kind=LineKind.RETURN, reason=reason))

    def _entry(self, order: Transfer | Debit, number: int, day: date) -> Entry:
        debit = isinstance(order, Debit)
        name, text, wrap = self._writing(order.name, order.text)
        return Entry(
            number=number, booked_on=day, amount=order.amount if debit else -order.amount,
            kind=LineKind.DEBIT if debit else LineKind.TRANSFER, name=name, iban=order.iban, text=text,
            end_to_end=order.end_to_end, mandate=order.mandate if isinstance(order, Debit) else "", wrap=wrap,
        )  # fmt: skip

    # --- statements ---

    def balance(self, ours: str, day: date) -> int:
        """Cents on the account when that day ends."""
        ledger = self._ledger(ours)
        self._charge(ledger, day)
        return next(ledger.balances(day))

    def entries(self, ours: str, first: date, last: date) -> list[Entry]:
        """What is booked on those days, both in it, as statements tell it."""
        ledger = self._ledger(ours)
        self._charge(ledger, last)
        return ledger.between(first, last)

    def statement(self, ours: str, first: date, last: date, format: str) -> bytes:
        """The statement of those days, both in it, in a `Format`. From now on these days are closed.

        Statements are numbered as they are first asked for; one of the same days is the same one, in any format.
        """
        if first > last:
            raise ValueError(f"a statement from {first} cannot end on {last}")
        ledger = self._ledger(ours)
        entries = self.entries(ours, first, last)
        ledger.reported = max(last, ledger.reported or last)
        numbered = self._statements.setdefault(ours, [])
        if (first, last) not in numbered:
            numbered.append((first, last))
        report = Report(
            account=ledger.account, number=numbered.index((first, last)) + 1, first=first, last=last,
            opening=self.balance(ours, first - _DAY), entries=tuple(entries), parts=self.parts,
        )  # fmt: skip
        match Format(format):
            case Format.CFONB:
                return cfonb120(report)
            case Format.OFX:
                return ofx(report)
            case camt:
                return camt053(report, str(camt))

    def _ledger(self, iban: str) -> Ledger:
        if iban not in self._ledgers:
            raise ValueError(f"{iban} is no account of ours at this bank")
        return self._ledgers[iban]

    def _charge(self, ledger: Ledger, until: date) -> None:
        """Book the fees that are due up to that day."""
        account = ledger.account
        if not account.fee or account.fee_since is None:
            return
        month = _next_month(ledger.charged) if ledger.charged else account.fee_since.replace(day=1)
        while (day := open_day(month)) <= until:
            ledger.charged = month
            if day >= account.fee_since:
                self.book(account.iban, day, -account.fee, LineKind.CHARGE, FEE)
            month = _next_month(month)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + 32 * _DAY).replace(day=1)
