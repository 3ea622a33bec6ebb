"""Time is not taken on trust: every way in which a clock can be wrong, at the desk, at the timer and for check."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from api.cli import run
from api.commands import opened
from api.home import open_town
from ledger.core.clock import AHEAD, CONFIRMED, KEPT, SECOND, ClockDiffers, Watch, note
from ledger.core.model import Note
from ledger.currency import clocked, conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank.mandates import daily, release
from ledger.currency.errors import CurrencyError
from ledger.currency.sure import Looks, Said
from ledger.currency.tables import DEVICE_KEY
from ledger.currency.town import Town
from merchants.desk import Desk, Submission
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import bring, statement
from tests.currency.bank.scene import opened as bank_town
from tests.threats.machine import DAY, HOUR, TELLS, Machine, Scene, ok, refused
from tests.towns import CASH, NETWORK


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path / "home", per_day=1_000)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    """The same on each database."""
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    made = Scene(tmp_path / "home", url=url, per_day=1_000)
    yield made
    made.close()


# --- the clock is set while the server runs ----------------------------------------------------------------


@pytest.mark.parametrize("seconds", [-900, -70, 70, 2 * HOUR, 60 * DAY, 10 * 365 * DAY])
def test_a_jump_while_the_server_runs(scene: Scene, seconds: int) -> None:
    first = scene.order()
    ok(scene.taken(scene.desk, [first])[0])
    scene.machine.forward(60)
    scene.machine.jump(seconds)
    head = scene.town.book.head()
    error = refused(scene.pay(), "clock_differs")
    assert TELLS in error.detail
    assert scene.town.book.head() == head
    # What stands is confirmed all the same.
    assert ok(scene.taken(scene.desk, [first])[0]).replay
    # The clock is set right again: nothing has to be said.
    scene.machine.jump(-seconds)
    scene.machine.forward(30)
    ok(scene.pay())
    scene.clean()


@pytest.mark.parametrize("seconds", [-900, -70, 70, 2 * HOUR])
def test_a_clock_that_was_wrong_before_and_is_right_now(scene: Scene, seconds: int) -> None:
    ok(scene.pay())
    scene.machine.forward(60)
    scene.machine.jump(seconds)
    refused(scene.pay(), "clock_differs")
    scene.confirm()
    ok(scene.pay())
    late = scene.order(seconds=10)
    scene.machine.forward(60)
    refused(scene.taken(scene.desk, [late])[0], "order_expired")
    ok(scene.pay())
    scene.machine.forward(HOUR)
    ok(scene.pay())
    scene.clean()


def test_a_confirmation_of_before_the_jump_says_nothing_about_it(scene: Scene) -> None:
    scene.confirm()
    ok(scene.pay())
    scene.machine.jump(600)
    refused(scene.pay(), "clock_differs")
    refused(scene.pay(), "clock_differs")
    scene.clean()


def test_small_steps_and_a_long_night_are_no_jump(scene: Scene) -> None:
    for step in (-4, 50, -3, 30):
        scene.machine.forward(60)
        scene.machine.jump(step)
        ok(scene.pay(10))
    scene.machine.forward(20 * DAY)  # a quiet fortnight and more: the server kept looking at a steady clock
    scene.machine.jump(90)
    ok(scene.pay(10))
    scene.clean()


# --- one entry of a wrong clock ----------------------------------------------------------------------------


def test_two_hours_ahead_for_one_payment(either: Scene) -> None:
    scene = either
    scene.machine.forward(60)
    scene.machine.jump(2 * HOUR)
    wrong = scene.other()  # a program that begins now has nothing to hold the clock against but the log
    ok(scene.pay(town=wrong))
    scene.machine.jump(-2 * HOUR)
    assert TELLS in refused(scene.pay(), "clock_differs").detail
    scene.confirm()
    ok(scene.pay())
    # Orders are judged by the clock, though the log is two hours ahead.
    late = scene.order(seconds=10)
    scene.machine.forward(30)
    refused(scene.taken(scene.desk, [late])[0], "order_expired")
    ok(scene.pay(seconds=1))
    scene.machine.forward(3 * HOUR)
    last = ok(scene.pay())
    assert abs(last.receipt.receipt.at - scene.machine.wall) < SECOND
    scene.clean()


def test_2036_is_refused(scene: Scene) -> None:
    scene.machine.jump(10 * 365 * DAY)
    wrong = scene.other()
    assert TELLS in refused(scene.pay(town=wrong), "clock_differs").detail
    with pytest.raises(ClockDiffers):
        conversion.convert(wrong, scene.alice.party, 100, reserve=CASH, reference="S-2")
    scene.machine.jump(-10 * 365 * DAY)
    ok(scene.pay())
    scene.clean()


def test_2036_stands_in_a_book_of_before(either: Scene) -> None:
    scene = either
    ok(scene.pay(300))
    scene.machine.forward(60)
    scene.machine.jump(10 * 365 * DAY)
    old = scene.other(believing=True)
    conversion.convert(old, scene.alice.party, 100, reserve=CASH, reference="S-2")
    scene.machine.jump(-10 * 365 * DAY)
    refused(scene.pay(), "clock_differs")
    scene.confirm()
    # Of 1,000 a day 300 are spent, in 2036 as well as today.
    ok(scene.pay(600))
    refused(scene.pay(200), "limit_day")
    ok(scene.pay(100))
    refused(scene.pay(1), "limit_day")
    for _ in range(3):
        scene.machine.forward(DAY)
        ok(scene.pay(700))
        refused(scene.pay(400), "limit_day")
        # Another program, begun on that day, counts the same.
        refused(scene.pay(400, town=scene.other()), "limit_day")
        ok(scene.pay(300, town=scene.other()))
        scene.machine.forward(HOUR)
        refused(scene.pay(1), "limit_day")
    scene.clean()


def test_behind_the_log_the_clock_is_still_held_to_what_it_said(scene: Scene) -> None:
    scene.machine.jump(5 * DAY)
    ok(scene.pay(town=scene.other()))
    scene.machine.jump(-5 * DAY)
    scene.confirm()
    ok(scene.pay(10))
    scene.machine.forward(HOUR)
    ok(scene.pay(10))
    scene.machine.jump(-600)
    refused(scene.pay(10), "clock_differs")
    refused(scene.pay(10, town=scene.other()), "clock_differs")
    scene.machine.jump(600 + 10 * DAY)
    refused(scene.pay(10), "clock_differs")
    refused(scene.pay(10, town=scene.other()), "clock_differs")
    scene.machine.jump(-10 * DAY)
    ok(scene.pay(10))
    scene.clean()


def test_a_quiet_book_that_is_opened_after_weeks(scene: Scene) -> None:
    scene.machine.forward(AHEAD // SECOND - 10)
    ok(scene.pay(town=scene.other()))
    scene.machine.forward(AHEAD // SECOND + 10)
    fresh = scene.other()
    assert clocked.state(fresh).wrong is not None
    assert "7 days after the last entry" in refused(scene.pay(town=fresh), "clock_differs").detail
    scene.confirm()
    assert clocked.state(fresh).wrong is None
    ok(scene.pay(town=fresh))
    scene.clean()


# --- the timer ---------------------------------------------------------------------------------------------


def maturing(folder: Path) -> Iterator[Town]:
    with bank_town(folder, mandates=monthly_rules()) as town:
        monthly.signed_by_many(town, [1_000] * 5)
        bring(town, statement([monthly.batch(monthly.collected(town))]))
        yield town


def monthly_rules() -> object:
    from tests.currency.bank.scene import charter

    return charter().mandates


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    yield from maturing(tmp_path / "bank")


def test_60_days_ahead_for_one_look_releases_nothing(town: Town) -> None:
    machine = Machine()
    machine.wall = town.now()
    town.book.clock = machine.now
    town.book.watch = Watch(NETWORK, machine.boot)
    looks = Looks()
    assert daily.run(town, looks).is_nothing
    machine.forward(600)
    machine.jump(60 * DAY)
    done = daily.run(town, looks)
    assert (done.released.debits, done.released.once) == (0, 5)
    machine.forward(600)
    machine.jump(-60 * DAY)
    assert daily.run(town, looks).released == (0, 0, [], 0)
    # It is wrong once more: the look of before counts no longer.
    machine.forward(600)
    machine.jump(60 * DAY)
    assert daily.run(town, looks).released.debits == 0
    # And a clock that stays wrong meets the log.
    machine.forward(600)
    with pytest.raises(ClockDiffers):
        daily.run(town, looks)
    machine.jump(-60 * DAY)
    assert audit(town).clean


def test_two_looks_ten_minutes_apart_release(town: Town) -> None:
    monthly.until(town, monthly.RELEASED)
    looks = Looks()
    assert daily.run(town, looks).released.once == 5
    towns.clock(town).forward(599)
    assert daily.run(town, looks).released == (0, 0, [], 5)
    assert daily.run(town, Looks()).released.debits == 0  # another program, another first look
    towns.clock(town).forward(1)
    assert daily.run(town, looks).released.debits == 5
    assert daily.run(town, looks).is_nothing
    assert audit(town).clean


def test_a_person_says_what_day_it_is(town: Town) -> None:
    monthly.until(town, monthly.RELEASED)
    with pytest.raises(CurrencyError, match="the clock has"):
        release.release(town, Said(monthly.DUE))
    assert release.release(town, Said(monthly.RELEASED)).debits == 5


# --- check -------------------------------------------------------------------------------------------------


def test_check_holds_an_order_to_the_very_second(scene: Scene) -> None:
    """What an older program posted within a minute of its look is let be; since the charter says so, nothing is."""
    order = scene.order(seconds=0)
    instruction = scene.desk._instruction(order)
    scene.machine.forward(1)
    scene.town.book.post([instruction])
    assert [finding.code for finding in audit(scene.town).findings] == ["order_expired"]


def test_check_finds_an_order_of_a_revoked_key(scene: Scene) -> None:
    second = towns.join(scene.town, scene.alice.party, "member", "second")
    order = Submission(towns.order(scene.town, scene.alice, scene.shop.account, 100, key=second))
    instruction = scene.desk._instruction(order)
    parties.revoke(scene.town, parties.device(scene.town, second.public))
    scene.town.book.post([instruction])
    assert [finding.code for finding in audit(scene.town).findings] == ["key_revoked"]
    with scene.town.reading() as connection:
        assert connection.execute(select(DEVICE_KEY.c.revoked_at).where(DEVICE_KEY.c.key == second.public)).scalar()


@pytest.mark.parametrize("what", ["kept", "number", "id", "by", "clock"])
def test_check_finds_notes_about_the_clock_that_nobody_made(scene: Scene, what: str) -> None:
    scene.machine.forward(1)
    scene.confirm()
    right = note(NETWORK, 2, CONFIRMED, scene.machine.wall, "console")
    made = {
        "kept": note(NETWORK, 2, KEPT, scene.machine.wall, "console"),
        "number": note(NETWORK, 3, CONFIRMED, scene.machine.wall, "console"),
        "id": Note(scene.town.new_id(), CONFIRMED, right.evidence),
        "by": note(NETWORK, 2, CONFIRMED, scene.machine.wall, scene.alice.key.public.hex()),
        "clock": Note(right.id, CONFIRMED, {"by": "console", "number": 2, "clock": "soon"}),
    }[what]
    scene.town.book.post([made])
    code = {"kept": "clock_unasked", "by": "role_insufficient", "clock": "note_malformed"}.get(what, "id_not_derived")
    assert [finding.code for finding in audit(scene.town).findings] == [code]


def test_while_the_log_counts_check_goes_by_the_clock_that_was_told(scene: Scene) -> None:
    scene.machine.jump(5 * DAY)
    ok(scene.pay(town=scene.other()))
    scene.machine.jump(-5 * DAY)
    scene.confirm()
    order = scene.order(seconds=30)
    scene.machine.forward(120)
    ok(scene.pay())
    scene.clean()
    scene.town.book.post([scene.desk._instruction(order)])
    assert [finding.code for finding in audit(scene.town).findings] == ["order_expired"]


def test_the_command_shows_the_clock_and_asks(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        opened, "open_town", lambda home, **how: open_town(scene.folder, clock=scene.machine.now,
                                                           steady=scene.machine.boot, **how)
    )  # fmt: skip
    monkeypatch.setenv("PATARD_LANG", "fr")

    def patard(*args: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = run(list(args))
        told = capsys.readouterr()
        return code, told.out + told.err

    code, told = patard("clock")
    assert code == 0 and "Europe/Paris" in told
    scene.machine.forward(8 * DAY)
    head = scene.town.book.head()
    code, told = patard("clock")
    assert code == 1 and TELLS in told
    assert json.loads(patard("clock", "--json")[1].split('\n{"error')[0])["ok"] is False
    # Nothing is noted unless somebody says yes; and every other command says what to do.
    assert patard("clock", "--confirm", typed="n\n")[0] != 0
    assert patard("clock", "--confirm")[0] != 0
    code, told = patard("party", "add", "person", "Zoé")
    assert code == 3 and TELLS in told
    assert scene.town.book.head() == head
    assert patard("clock", "--confirm", typed="oui\n")[0] == 0
    assert patard("party", "add", "person", "Zoé")[0] == 0
    ok(scene.pay())
    scene.clean()


def test_steady_is_a_clock_of_this_machine() -> None:
    watch = Watch(NETWORK)
    before = watch.steady()
    time.sleep(0.01)
    assert 10_000 <= watch.steady() - before < 10 * SECOND


def test_desks_of_two_programs_do_not_mix_their_looks(either: Scene) -> None:
    scene = either
    other = Desk(scene.other())
    for _ in range(5):
        ok(scene.pay(10))
        ok(scene.taken(other, [scene.order(10)])[0])
    scene.clean()
