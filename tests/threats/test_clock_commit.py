"""Time between the look and the commit: a machine that sleeps, is paused or stopped, a key revoked meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.clock import SECOND, Late
from ledger.currency import conversion, parties
from ledger.currency.errors import CurrencyError
from merchants.desk import Submission
from tests import towns
from tests.threats.machine import HOUR, TELLS, Scene, ok, refused
from tests.towns import CASH


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


@pytest.mark.parametrize("asleep", [HOUR, 11, 9])
def test_the_machine_sleeps_between_look_and_commit(
    either: Scene, monkeypatch: pytest.MonkeyPatch, asleep: int
) -> None:
    scene = either
    short, long = scene.order(seconds=5), scene.order(seconds=2 * HOUR)
    post, slept = scene.town.book.post, list[int]()

    def sleepy(*args, **how):
        if not slept:
            slept.append(asleep)
            scene.machine.forward(asleep)
        return post(*args, **how)

    monkeypatch.setattr(scene.town.book, "post", sleepy)
    results = scene.taken(scene.desk, [short, long])
    if asleep > 10:
        refused(results[0], "order_expired")
    else:
        assert ok(results[0]).receipt.receipt.at <= short.signed.order.expires_at * SECOND + SECOND
    ok(results[1])
    scene.clean()


def test_a_virtual_machine_is_paused_between_look_and_commit(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its steady clock stands still meanwhile, and the wall clock is set by an hour when it wakes up."""
    batch = [scene.order(seconds=30), scene.order(seconds=2 * HOUR)]
    ok(scene.pay())
    post, slept = scene.town.book.post, list[int]()

    def paused(*args, **how):
        if not slept:
            slept.append(True)
            scene.machine.jump(HOUR)
        return post(*args, **how)

    monkeypatch.setattr(scene.town.book, "post", paused)
    results = scene.taken(scene.desk, batch)
    for result in results:
        assert TELLS in refused(result, "clock_differs").detail
    scene.confirm()
    results = scene.taken(scene.desk, batch)
    refused(results[0], "order_expired")
    ok(results[1])
    scene.clean()


STOPPED = """
import os, signal, sys
from pathlib import Path
from api.home import open_town
from merchants.desk import Desk, Submission
from tests import towns

home, clock, order = sys.argv[1:]
read = lambda: int(Path(clock).read_text())
town = open_town(home, clock=read, steady=read, entropy=towns.Entropy("stopped"))
look = town.book.look
def stopping(count):
    found = look(count)
    if town.book.look is stopping:
        town.book.look = look
        os.kill(os.getpid(), signal.SIGSTOP)
    return found
town.book.look = stopping
[result] = Desk(town).take([Submission.parse(order, None)])
print(getattr(result, "code", "taken"))
"""


def test_a_process_is_stopped_between_look_and_commit(scene: Scene, tmp_path: Path) -> None:
    clock = tmp_path / "clock"
    clock.write_text(str(scene.machine.wall))
    order = scene.order(seconds=60).signed.text
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(scene.folder), str(clock), order], stdout=subprocess.PIPE, text=True
    )
    try:
        _pid, status = os.waitpid(child.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        head = scene.town.book.head()
        scene.machine.forward(HOUR)
        clock.write_text(str(scene.machine.wall))
        os.kill(child.pid, signal.SIGCONT)
        said, _ = child.communicate(timeout=60)
    finally:
        if child.poll() is None:
            child.kill()
    assert said.strip() == "order_expired"
    assert scene.town.book.head() == head
    scene.clean()


def test_a_batch_lies_in_one_second(scene: Scene) -> None:
    scene.machine.wall = scene.machine.wall // SECOND * SECOND + SECOND - 3
    last = [scene.order(1, seconds=0) for _ in range(3)]
    batch = [scene.order(1, seconds=1) for _ in range(5)]
    for result in scene.taken(scene.desk, [*last, *batch]):
        if isinstance(result, CurrencyError):
            assert result.code == "order_expired"
    scene.clean()


def test_another_entry_between_look_and_commit_gives_another_look(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time is later than the look, so the order would stand at a time by which nobody judged it."""
    other, looks = scene.other(), list[int]()
    look = scene.town.book.look

    def overtaken(count):
        found = look(count)
        if not looks:
            scene.machine.forward(2)
            conversion.convert(other, scene.alice.party, 100, reserve=CASH, reference="S-2")
        looks.append(found)
        return found

    monkeypatch.setattr(scene.town.book, "look", overtaken)
    refused(scene.pay(seconds=1), "order_expired")
    assert len(looks) == 2
    scene.clean()


@pytest.mark.parametrize("mine", [True, False])
def test_a_key_that_is_revoked_between_look_and_commit(
    either: Scene, monkeypatch: pytest.MonkeyPatch, mine: bool
) -> None:
    """By a program whose clock is a little behind: the time of the log alone would not show it."""
    scene = either
    second = towns.join(scene.town, scene.alice.party, "member", "second")
    scene.machine.forward(60)
    other, revoked, found = scene.other(), list[bool](), scene.desk._devices
    other.book.clock = lambda: scene.machine.wall - 2 * SECOND

    def devices(batch):
        known = found(batch)
        if not revoked:
            revoked.append(True)
            parties.revoke(other, parties.device(other, second.public))
        return known

    monkeypatch.setattr(scene.desk, "_devices", devices)
    key = second if mine else scene.alice.key
    [result] = scene.taken(
        scene.desk, [Submission(towns.order(scene.town, scene.alice, scene.shop.account, 100, key=key))]
    )
    if mine:
        refused(result, "key_unknown")
    else:
        ok(result)
    assert revoked
    scene.clean()


def test_a_busy_machine_gives_up(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*_args, **_how):
        raise Late("always")

    stood = scene.order()
    first = ok(scene.taken(scene.desk, [stood])[0])
    monkeypatch.setattr(scene.town.book, "post", late)
    answer = scene.taken(scene.desk, [scene.order(), stood])
    refused(answer[0], "busy")
    # "Nothing was done" would be wrong of what was done before.
    again = ok(answer[1])
    assert again.replay and again.receipt.receipt.seq == first.receipt.receipt.seq
