"""What stands beside the log and ends by itself, sessions, join codes, challenges: a wrong clock ends none of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from ledger.core.clock import SECOND, ClockDiffers
from ledger.currency import conversion, parties, proofs
from ledger.currency.errors import CurrencyError
from ledger.currency.sessions import CHALLENGE_SECONDS, Session, Sessions
from ledger.currency.tables import INVITE, SESSION
from ledger.currency.town import Town
from tests import towns
from tests.threats.machine import DAY, HOUR, Scene, ok, refused
from tests.towns import CASH, Member

SESSION_HOURS = 12
"""Of the charter of tests."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def scene(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Scene]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    made = Scene(tmp_path / "home", url=url, per_day=100_000)
    yield made
    made.close()


def opened(made: Sessions, member: Member, challenge: bytes | None = None) -> Session:
    challenge = challenge or made.challenge()[0]
    return made.open(member.key.public, challenge, proofs.sign_session(member.key, towns.NETWORK, challenge))


def stands(made: Sessions, session: Session) -> bool:
    """Whether a session goes on, asked for itself and among others."""
    try:
        made.find(session.token)
        one = True
    except CurrencyError as error:
        assert error.code == "session_missing"
        one = False
    assert (session.token in made.standing([session.token])) == one
    return one


def rows(town: Town, table: Table) -> int:
    with town.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


@pytest.mark.parametrize("seconds", [60 * DAY, 2 * HOUR, 10 * 365 * DAY])
def test_a_session_opened_at_one_wrong_look_ends_nobody_elses(scene: Scene, seconds: int) -> None:
    made = Sessions(scene.town)
    ok(scene.pay())
    alice = opened(made, scene.alice)
    scene.machine.forward(60)
    scene.machine.jump(seconds)
    wrong = opened(made, scene.shop)
    scene.machine.jump(-seconds)
    assert stands(made, alice)
    # And it ends as it would have by a right clock: neither then, nor weeks later.
    assert wrong.expires_at == scene.machine.wall + SESSION_HOURS * HOUR * SECOND
    assert stands(made, wrong)
    scene.machine.forward(SESSION_HOURS * HOUR + 1)
    assert not stands(made, wrong) and not stands(made, alice)


def test_a_program_that_begins_with_a_wrong_clock_ends_no_session(scene: Scene) -> None:
    alice = opened(Sessions(scene.town), scene.alice)
    scene.machine.jump(60 * DAY)
    other = Sessions(scene.other())
    wrong = opened(other, scene.shop)
    scene.machine.jump(-60 * DAY)
    made = Sessions(scene.town)
    assert stands(made, alice)
    # It had nothing to go by but that clock; but no session is good for longer than the charter says.
    assert not stands(made, wrong)


def test_a_clock_that_is_set_a_little_back_ends_no_session(scene: Scene) -> None:
    made = Sessions(scene.town)
    alice = opened(made, scene.alice)
    scene.machine.jump(-4)
    assert stands(made, alice)


def test_sessions_that_are_over_are_swept_once_the_log_is_past_them(scene: Scene) -> None:
    made = Sessions(scene.town)
    opened(made, scene.alice)
    scene.machine.forward(SESSION_HOURS * HOUR + 1)
    opened(made, scene.shop)
    assert rows(scene.town, SESSION) == 2
    conversion.convert(scene.town, scene.alice.party, 100, reserve=CASH, reference="S-2")
    opened(made, scene.shop)
    assert rows(scene.town, SESSION) == 2


def test_a_log_ahead_of_the_clock_ends_no_session(scene: Scene) -> None:
    """An entry of a wrong clock says that everything is over."""
    made = Sessions(scene.town)
    alice = opened(made, scene.alice)
    scene.machine.jump(5 * DAY)
    ok(scene.pay(town=scene.other()))
    scene.machine.jump(-5 * DAY)
    opened(made, scene.shop)
    assert stands(made, alice)


@pytest.mark.parametrize("seconds", [60 * DAY, -HOUR])
def test_nobody_is_invited_by_a_wrong_clock(scene: Scene, seconds: int) -> None:
    """A code that is good for a day must not be so in two months."""
    town = scene.town
    code = parties.invite(town, scene.alice.party, "member")
    scene.machine.forward(60)
    scene.machine.jump(seconds)
    with pytest.raises(ClockDiffers):
        parties.invite(town, scene.alice.party, "member")
    scene.machine.jump(-seconds)
    parties.invite(town, scene.alice.party, "member")
    with town.reading() as connection:
        last = connection.execute(select(func.max(INVITE.c.expires_at))).scalar_one()
    assert last == scene.machine.wall + parties.INVITE_SECONDS * SECOND
    parties.join(town, code, towns.key_of("phone").public, "phone")
    scene.clean()


def test_a_challenge_is_not_forgotten_at_one_wrong_look(scene: Scene) -> None:
    made = Sessions(scene.town)
    challenge, _until = made.challenge()
    opened(made, scene.alice, challenge)
    scene.machine.forward(1)
    scene.machine.jump(60 * DAY)
    opened(made, scene.shop)
    scene.machine.jump(-60 * DAY)
    with pytest.raises(CurrencyError) as caught:
        opened(made, scene.alice, challenge)
    assert caught.value.code == "signature_invalid"
    scene.machine.forward(CHALLENGE_SECONDS + 1)
    opened(made, scene.shop)
    assert len(made._used) == 1


@pytest.mark.parametrize("seconds", [-900, -2 * DAY, 60 * DAY])
def test_people_read_while_nothing_is_posted(scene: Scene, seconds: int) -> None:
    made = Sessions(scene.town)
    ok(scene.pay())
    before = opened(made, scene.alice)
    scene.machine.forward(60)
    scene.machine.jump(seconds)
    refused(scene.pay(), "clock_differs")
    assert stands(made, before) and stands(made, opened(made, scene.shop))
    scene.confirm()
    ok(scene.pay())  # it is right, says somebody at the machine: from now on they go by it
    assert stands(made, opened(made, scene.shop))
