"""Whatever order statements come in, however they overlap and repeat, wherever one is killed: the same books."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.home import open_town
from ledger.currency import parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, taking
from ledger.currency.bank.statement import BankLine, LineKind, Statement, StatementError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import IBAN, balances, opened, token

FIRST = date(2025, 6, 1)
DAYS = 8
MEMBERS = ("Alice", "Bob", "Chloé")


class Written(NamedTuple):
    """A line as the test draws it: the day, cents, whose reference it carries (None: nobody's), or a return."""

    day: int
    cents: int
    member: int | None
    back: bool = False


LINES = st.lists(
    st.builds(
        Written, st.integers(0, DAYS - 1), st.sampled_from([500, 1_000, 1_500, 2_000]),
        st.sampled_from([None, 0, 1, 2]), st.booleans(),
    ),
    min_size=1, max_size=24,
)  # fmt: skip
# An example makes two currencies: to make a failing one smaller would take all the time that CI has.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
SPANS = st.lists(st.tuples(st.integers(0, DAYS - 1), st.integers(0, DAYS - 1)), max_size=8)


def history(written: Sequence[Written], town: Town, people: Sequence[Party]) -> list[BankLine]:
    """The account's lines, oldest first. A return goes out, and only what came in by then can."""
    lines: list[BankLine] = []
    held = 0
    for one in sorted(written, key=lambda one: one.day):
        text = token(town, people[one.member]) if one.member is not None else "sans référence"
        amount = -one.cents if one.back and one.cents <= held else one.cents
        held += amount
        kind = LineKind.RETURN if amount < 0 else LineKind.TRANSFER
        lines.append(BankLine(booked_on=FIRST + timedelta(days=one.day), amount=amount, text=text, kind=kind))
    return lines


def cut(lines: Sequence[BankLine], first: int, last: int, style: str = "camt.053") -> Statement:
    """The statement of those days."""
    begin, end = FIRST + timedelta(days=first), FIRST + timedelta(days=last)
    opening = sum(line.amount for line in lines if line.booked_on < begin)
    within = tuple(line for line in lines if begin <= line.booked_on <= end)
    closing = opening + sum(line.amount for line in within)
    return Statement(
        format=style, account=IBAN, opening=opening, closing=closing, first=begin, last=end, lines=within
    )  # fmt: skip


def feed(town: Town, statements: Sequence[Statement], stop: random.Random) -> None:
    """Take all of them, each again and again until it fits; some runs end before everything is booked."""
    waiting = list(statements)
    while waiting:
        left = []
        for statement in waiting:
            try:
                taking.take(town, [statement])
            except StatementError as error:
                # One that begins before the account's first statement brings euros that nobody knows of.
                assert error.code in ("statement_gap", "statement_days_missing", "statement_opening"), error
                left.append(statement)
                continue
            if stop.random() < 0.5:
                interrupted(town, stop)
        if len(left) == len(waiting):
            return
        waiting = left


def interrupted(town: Town, stop: random.Random) -> None:
    """Book until somewhere in the middle."""
    end = stop.randrange(1, 4)

    def progress(done: int, total: int) -> None:
        if done >= end:
            raise InterruptedError

    try:
        booking.book(town, progress=progress)
    except InterruptedError:
        pass


def state(town: Town, people: Sequence[Party]) -> tuple[dict[str, int], list[int], list[tuple[str, int]]]:
    """All balances, and every conversion with its amount."""
    circulation = town.book.statement(town.chart.circulation, limit=1_000).entries
    conversions = sorted((entry.kind, entry.change) for entry in circulation)
    return balances(town), [town.book.balance(person.account) for person in people], conversions


@settings(max_examples=12, deadline=None, phases=PHASES, suppress_health_check=[HealthCheck.too_slow])
@given(LINES, SPANS, st.randoms(use_true_random=False))
def test_any_order_overlap_and_repetition(
    written: list[Written], spans: list[tuple[int, int]], mix: random.Random
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
        with opened(Path(folder, "straight")) as town:
            people = [parties.admit(town, "person", name) for name in MEMBERS]
            lines = history(written, town, people)
            for day in range(DAYS):
                taking.take(town, [cut(lines, day, day)])
                booking.book(town)
            right = state(town, people)
        with opened(Path(folder, "mixed")) as town:
            people = [parties.admit(town, "person", name) for name in MEMBERS]
            statements = [cut(lines, min(span), max(span)) for span in spans]
            statements += [cut(lines, day, day, "cfonb120") for day in range(DAYS)]
            mix.shuffle(statements)
            # The very first must be there before anything else can fit; the rest comes as it comes.
            feed(town, [cut(lines, 0, 0), *statements, *statements], mix)
            booking.book(town)
            assert state(town, people) == right
            assert booking.book(town).kinds == {}


KILLED = """
import sys
from pathlib import Path
from api.home import open_town
from ledger.currency.bank import booking, taking
from tests.currency.bank.test_any_order import long_history
town = open_town(Path(sys.argv[1]))
print("ready", flush=True)
booking.BATCH = 20
for statement in long_history(town):
    taking.take(town, [statement])
    booking.book(town)
print("done", flush=True)
"""


def long_history(town: Town) -> list[Statement]:
    """Statements that overlap by days, with some three hundred lines."""
    people = parties.every(town)
    dice = random.Random(7)
    written = [
        Written(
            dice.randrange(DAYS), dice.choice([500, 1_000, 1_500]), dice.choice([None, 0, 1, 2]), dice.random() < 0.2
        )
        for _ in range(300)
    ]
    lines = history(written, town, people)
    return [cut(lines, day, min(DAYS - 1, day + 2)) for day in range(DAYS)]


def test_killed_anywhere(tmp_path: Path) -> None:
    with opened(tmp_path / "home") as town:
        people = [parties.admit(town, "person", name) for name in MEMBERS]
    towns.told(tmp_path / "home")
    with opened(tmp_path / "straight") as town:
        for name in MEMBERS:
            parties.admit(town, "person", name)
        for statement in long_history(town):
            taking.take(town, [statement])
        booking.book(town)
        right = state(town, people)
    dice, kills = random.Random(3), 0
    for _ in range(100):
        call = [sys.executable, "-c", KILLED, str(tmp_path / "home")]
        with subprocess.Popen(call, stdout=subprocess.PIPE, text=True) as run:
            assert run.stdout is not None
            assert run.stdout.readline() == "ready\n"
            # Longer each time, so that it comes to its end on a slow machine as well.
            timer = threading.Timer(dice.random() * 0.02 * 1.3**kills, run.kill)
            timer.start()
            done = run.stdout.readline() == "done\n"
            timer.cancel()
        if done:
            break
        assert run.returncode == -signal.SIGKILL
        kills += 1
    assert done and kills >= 5
    town = open_town(tmp_path / "home")
    try:
        assert state(town, people) == right
        # What came and what went wait in suspense, and nobody placed any of it.
        assert [one.code for one in audit(town).findings] == ["reserve_short"]
    finally:
        town.book.close()
