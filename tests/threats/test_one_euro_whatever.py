"""Whatever is typed, imported, booked, placed, put back and corrected, in any order and by two at once: a line brings
no more units than euros, and what the bank says never exceeds what `check` explains."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from random import Random

import pytest

from api.home import open_town
from ledger.core import record as records
from ledger.core.model import Transaction
from ledger.currency import conversion, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking, withdrawing
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, Statement, StatementError
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.reserve import Why
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, line, statement, token
from tests.towns import BANK

ROOT = Path(__file__).resolve().parents[2]
AMOUNTS = (500, 700, 700, 900)
REFUSED = {
    "conversion_on_statement", "conversion_taken", "conversion_banked", "conversion_named", "line_typed", "below_floor",
    "not_covered", "line_not_open", "line_not_placed", "line_placed", "placing_uneven", "not_found", "busy",
    "reference_malformed", "claim_exceeded", "statement_placed",
}  # fmt: skip


class Bank:
    """A bank that has the transfers of members, whoever typed them before, and corrects itself now and then."""

    def __init__(self, town: Town, seed: int) -> None:
        self.random = Random(f"bank {seed}")
        self.lock = threading.Lock()
        self.clock = towns.clock(town)
        self.members = [parties.admit(town, "person", name) for name in ("Alice Martin", "Bob Dubois")]
        self.tokens = [token(town, member) for member in self.members]
        self.day, self.closing, self.number = DAY - timedelta(days=1), 0, 0
        self.last: tuple[int, list[BankLine]] = (0, [])
        self.saved = 0
        """What is on the savings account."""
        self.coming: list[tuple[int, str, int]] = []
        """Transfers that somebody heard of: member, the bank's reference, cents."""

    def heard(self, random: Random) -> tuple[int, str, int]:
        """A transfer that will be on a statement, or was, or never."""
        with self.lock:
            if self.coming and random.random() < 0.5:
                return random.choice(self.coming)
            self.number += 1
            made = (random.randrange(len(self.members)), f"B{self.number:04}", random.choice(AMOUNTS))
            self.coming.append(made)
            return made

    def statement(self) -> Statement:
        """The next day's."""
        with self.lock:
            # The bank tells of a day on the next one; whoever looks at the day sees a clock that has come so far.
            day = self.day + timedelta(days=1)
            self.clock.now = max(self.clock.now, _noon(day + timedelta(days=1)))
            self.day = day
            sent = [self._line() for _ in range(self.random.randrange(1, 5))]
            opening = self.closing
            self.last, self.closing = (opening, sent), opening + sum(one.amount for one in sent)
            return statement(sent, opening, first=self.day, last=self.day)

    def savings(self) -> Statement:
        """The savings account's of the last day, whose days nobody told of may have had nothing."""
        with self.lock:
            opening, day = self.saved, self.day
            sent = [self._line()] if self.random.random() < 0.5 else []
            self.saved += sum(one.amount for one in sent)
            return statement(sent, opening, account=SAVINGS_IBAN, first=day, last=day)

    def corrected(self) -> Statement:
        """The last day's, without one of its lines, or with another amount."""
        with self.lock:
            opening, sent = self.last
            kept = list(sent)
            if kept:
                gone = kept.pop(self.random.randrange(len(kept)))
                if self.random.random() < 0.5:
                    kept.append(replace(gone, amount=self.random.choice([800, gone.amount, *AMOUNTS])))
            self.last, self.closing = (opening, kept), opening + sum(one.amount for one in kept)
            return statement(kept, opening, first=self.day, last=self.day)

    def _line(self) -> BankLine:
        if self.coming and self.random.random() < 0.6:
            who, reference, cents = self.random.choice(self.coming)
        else:
            self.number += 1
            who, reference, cents = self.random.randrange(2), f"B{self.number:04}", self.random.choice(AMOUNTS)
        text = self.random.choice([self.tokens[who], self.members[who].name, "?"])
        told = self.random.choice([reference, reference, f"*{reference}_", "", f"OTHER{self.number}"])
        if self.random.random() < 0.25:
            # Summed up by the bank, with a transfer of the other member or of somebody.
            other = self.random.choice([self.tokens[1 - who], self.tokens[who], self.members[1 - who].name, "?"])
            parts = (line(cents, text, self.day), line(300, other, self.day))
            return line(cents + 300, "", self.day, bank_ref=told, parts=parts)
        return line(cents, text, self.day, bank_ref=told)


class Office:
    """Somebody of the office, with a process of their own, who does this and that."""

    def __init__(self, town: Town, bank: Bank, seed: str) -> None:
        self.town, self.bank, self.random = town, bank, Random(seed)
        self.refusals: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    def work(self, steps: int) -> None:
        deeds = [self.type_in, self.type_in, self.type_in, self.statement, self.book, self.book, self.decide,
                 self.decide, self.put_back, self.unconvert, self.correct,
                 self.withdraw, self.save]  # fmt: skip
        for _ in range(steps):
            deed = self.random.choice(deeds)
            try:
                deed()
                self.done[deed.__name__] += 1
            except (CurrencyError, StatementError) as error:
                self.refusals[error.code] += 1
                if isinstance(error, CurrencyError) and not isinstance(error, StatementError):
                    assert error.code in REFUSED, (deed.__name__, error.code, error.detail)

    def type_in(self) -> None:
        who, reference, cents = self.bank.heard(self.random)
        told = self.random.choice([reference, reference, reference.lower(), f"{reference[0]}-{reference[1:]}",
                                   f"V{self.random.randrange(50)}"])  # fmt: skip
        amount = self.random.choice([cents, cents, cents, 500])
        day = self.random.choice([None, None, self.bank.day, self.bank.day + timedelta(days=1)])
        account = self.random.choice([BANK, BANK, BANK, SAVINGS])
        member = self.bank.members[who if self.random.random() < 0.9 else 1 - who]
        conversion.convert(self.town, member, amount, reserve=account, reference=told, booked_on=day)

    def statement(self) -> None:
        taking.take(self.town, [self.bank.statement()], opening=True)

    def save(self) -> None:
        if self.random.random() < 0.3:
            taking.take(self.town, [self.bank.savings()], opening=True, quiet_days=True)

    def withdraw(self) -> None:
        if self.random.random() < 0.3:
            withdrawing.withdraw(self.town, self.random.choice([BANK, BANK, SAVINGS]))

    def correct(self) -> None:
        if self.random.random() < 0.4:
            taking.take(self.town, [self.bank.corrected()], corrected=True)

    def book(self) -> None:
        booking.book(self.town)

    def decide(self) -> None:
        waiting = open_lines(self.town)
        if not waiting:
            return
        one = self.random.choice(waiting)
        if one.proposals and self.random.random() < 0.5:
            decision = self.random.choice(one.proposals).decision
        else:
            who: Party = self.random.choice(self.bank.members)
            decision = self.random.choice([
                Decision(way=Way.MEMBER, holder=who.account), Decision(way=Way.OWN),
                Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 300, who.account),
                                                Share(Way.OWN, max(1, one.line.amount - 300)))),
            ])  # fmt: skip
        place(self.town, one.line.id, decision, turn=one.turn)

    def put_back(self) -> None:
        placed = [one for one in lines(self.town) if one.placed_seq or one.became in ("conversion", "bank_line_known")]
        if placed:
            put_back(self.town, self.random.choice(placed).id)

    def unconvert(self) -> None:
        reference = f"B{self.random.randrange(1, self.bank.number + 2):04}"
        for one in conversion.conversions_of(self.town, reference):
            conversion.correct(self.town, one.id)


def _noon(day: date) -> int:
    return (day.toordinal() - date(1970, 1, 1).toordinal()) * 86_400_000_000 + 43_200_000_000


def units_by_line(town: Town) -> Counter[bytes]:
    """The units that each line brought and nobody took back, whether it made or was found to be a conversion."""
    found: Counter[bytes] = Counter()
    typed: dict[bytes, int] = {}
    known: dict[bytes, bytes] = {}
    chart, after = town.chart, 0
    there = {one.id for one in lines(town)}
    while True:
        with town.book.store.reading() as store:
            rows = store.log(after, 1_000)
        for row in rows:
            one = records.parse(row.record).instruction
            evidence = one.evidence
            units = 0
            if isinstance(one, Transaction):
                units = sum(t.amount * ((t.debit == chart.circulation) - (t.credit == chart.circulation))
                            for t in one.transfers)  # fmt: skip
            of = next((bytes.fromhex(str(evidence[key])) for key in ("line", "returns") if key in evidence), one.id)
            if of in there or "line" in evidence or "returns" in evidence:
                found[of] += units
            elif getattr(one, "kind", "") == "conversion":
                typed[one.id] = units
            if "conversion" in evidence:
                known[of] = bytes.fromhex(str(evidence["conversion"]))
            elif getattr(one, "kind", "") in ("bank_back", "bank_withdrawn"):
                known.pop(of, None)
        if len(rows) < 1_000:
            break
        after = rows[-1].seq
    for of, conversion_ in known.items():
        found[of] += typed[conversion_]
    return found


def holds(town: Town) -> None:
    """What must hold, whatever was done."""
    every = {one.id: one for one in lines(town)}
    for id_, units in units_by_line(town).items():
        if id_ in every:
            # An opening below what the ledger had is a line that takes units, and brings none.
            assert min(0, every[id_].amount) <= units <= max(0, every[id_].amount), every[id_]
    report = reserve.report(town)
    found = audit(town)
    assert {one.code for one in found.findings} <= {"bank_unexplained", "reserve_short"}, found.findings
    # With what an account begins is no entry's.
    told = {one.id or b"" for one in found.findings if one.code == "bank_unexplained"}
    there = 0
    for bank in report.banks:
        if bank.statement is None:
            there += bank.ledger
            continue
        assert sum(one.amount for one in bank.explanation) == bank.ledger - bank.statement
        # What the ledger has and the bank has not is told: by `check`, or as a line that is awaited or being booked.
        coming = {Why.AFTER_STATEMENT, Why.NOT_BOOKED, Why.WITHDRAWN}
        assert all(one.why in coming or one.id in told or one not in bank.unexplained for one in bank.explanation)
        more = {Why.AFTER_STATEMENT, Why.WITHDRAWN}
        there += bank.statement + sum(
            max(0, one.amount) for one in bank.explanation if one.why in more or one.id in told
        )
    assert report.circulation <= report.guarantee and report.circulation <= there
    if told:
        assert not report.covered and not report.sound
    # What nobody proves any more, nobody calls covered.
    assert not (report.covered and any(bank.withdrawn and bank.ledger for bank in report.banks))
    if report.covered:
        assert sum(bank.proved for bank in report.banks) >= report.circulation


@pytest.mark.parametrize("seed", range(6))
def test_one_after_another(tmp_path: Path, seed: int) -> None:
    with scene.opened(tmp_path / "home") as town:
        office = Office(town, Bank(town, seed), f"office {seed}")
        for _ in range(5):
            office.work(14)
            holds(town)
        booking.book(town)
        holds(town)
        assert office.done["type_in"] and office.done["statement"] and office.refusals["conversion_on_statement"]


def two_at_once(home: Path, seed: int, steps: int, url: str | None = None) -> None:
    with scene.opened(home, url) as town:
        bank = Bank(town, seed)
        other = open_town(home, url, clock=bank.clock, entropy=towns.Entropy("other"))
        offices = [Office(town, bank, f"one {seed}"), Office(other, bank, f"two {seed}")]
        failed: list[BaseException] = []

        def work(office: Office) -> None:
            try:
                office.work(steps)
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work, args=(office,)) for office in offices]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failed, failed
        booking.book(town)
        holds(town)
        other.book.close()


@pytest.mark.parametrize("seed", range(4))
def test_two_at_once(tmp_path: Path, seed: int) -> None:
    two_at_once(tmp_path / "home", seed, 60)


@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(2))
def test_two_at_once_on_postgresql(tmp_path: Path, fresh_postgres: str, seed: int) -> None:
    two_at_once(tmp_path / "home", 100 + seed, 60, fresh_postgres)


TYPIST = """
import sys
from pathlib import Path
from api.home import open_town
from ledger.currency import conversion, parties
from ledger.currency.errors import CurrencyError
from tests import towns
town = open_town(Path(sys.argv[1]), sys.argv[2] or None, clock=towns.Clock(), entropy=towns.Entropy("typist"))
members = sorted(parties.every(town), key=lambda party: int(party.name.split()[1]))
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    try:
        conversion.convert(town, members[number % len(members)], 100 + number, reserve="Banque",
                           reference=f"R{number}")
        print("typed", flush=True)
    except CurrencyError as error:
        print(error.code, flush=True)
town.book.close()
"""


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_two_processes(tmp_path: Path, request: pytest.FixtureRequest, database: str) -> None:
    """One types 60 transfers of the statement that the other takes and books: each of them has its units once."""
    url = request.getfixturevalue("fresh_postgres") if database == "postgres" else None
    count, home = 60, tmp_path / "home"
    with scene.opened(home, url) as town:
        members = [parties.admit(town, "person", f"Member {number}") for number in range(count)]
        scene.bring(town, statement([line(50, "?", DAY - timedelta(days=1))]))
        sent = [line(100 + n, token(town, member), bank_ref=f"R{n}") for n, member in enumerate(members)]
        other = subprocess.Popen(
            [sys.executable, "-c", TYPIST, str(home), url or "", str(count)], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert other.stdin is not None and other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.stdin.write("go\n")
        other.stdin.flush()
        answers = [other.stdout.readline().strip() for _ in range(count // 4)]
        taking.take(town, [statement(sent, 50)])
        booking.book(town)
        answers += other.stdout.read().split()
        assert other.wait(60) == 0
        other.stdin.close()
        other.stdout.close()
        booking.book(town)
        assert len(answers) == count and set(answers) <= {"typed", "conversion_on_statement"}
        holds(town)
        # By today nothing is ambiguous: what was typed first is its line, the rest is the line's own.
        assert sorted(town.book.balance(member.account) for member in members) == [100 + n for n in range(count)]
        assert audit(town).clean
