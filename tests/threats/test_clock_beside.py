"""What stands beside the log and ends by itself, sessions, join codes, challenges: a wrong clock ends none of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Table, func, select

from api.home import found_home
from ledger.core.clock import SECOND, ClockDiffers
from ledger.currency import clocked, conversion, parties, proofs, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import suspense
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.sessions import CHALLENGE_SECONDS, Session, Sessions
from ledger.currency.tables import INVITE, SESSION
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene as a_bank
from tests.threats.machine import DAY, HOUR, Machine, Scene, ok, refused
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


# --- what was typed while a clock was wrong ----------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def bank(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Machine, Town]]:
    """A town with two bank accounts whose clock can be moved; one of them has a statement."""
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    machine = Machine()
    town = found_home(
        tmp_path / "bank", a_bank.charter(), url, clock=machine.now, steady=machine.boot, entropy=towns.Entropy()
    )
    day = town.charter.local_date(town.now())
    a_bank.bring(town, a_bank.statement([a_bank.line(5_000, "don", day)]))
    yield machine, town
    town.book.close()


def in_2035(machine: Machine, town: Town, member: Party | None, reserve: str = a_bank.SAVINGS) -> None:
    """The clock is ten years ahead, somebody says that it is right, types one, and says so of the right one again."""
    machine.forward(60)
    machine.jump(3_650 * DAY)
    clocked.confirm(town)
    if member is not None:
        conversion.convert(town, member, 1_000, reserve=reserve, reference="EN-2035")
    machine.forward(60)
    machine.jump(-3_650 * DAY)
    clocked.confirm(town)


def test_what_was_typed_while_a_clock_was_wrong_is_awaited_by_the_right_one(bank: tuple[Machine, Town]) -> None:
    machine, town = bank
    in_2035(machine, town, parties.admit(town, "person", "Alice"))
    machine.forward(11 * DAY)
    [found] = audit(town).findings
    assert (found.code, "a statement should have had it by 2025-06-25" in found.text) == ("bank_unexplained", True)
    assert not reserve.report(town).sound


def test_each_day_behind_a_wrong_clock_is_a_day_of_its_own(bank: tuple[Machine, Town]) -> None:
    """What one person converts a day is not what they convert for ever after."""
    machine, town = bank
    office, alice = parties.admit(town, "association", "Bureau"), parties.admit(town, "person", "Alice")
    key = towns.join(town, office, "operator", "poste")
    in_2035(machine, town, None)
    for number in range(2):
        machine.forward(2 * DAY)
        clocked.keep(town, town.now())
        conversion.convert(town, alice, 190_000, reserve=CASH, reference=f"S-{number}", by=key.public.hex())
    with pytest.raises(CurrencyError) as caught:
        conversion.convert(town, alice, 20_000, reserve=CASH, reference="S-9", by=key.public.hex())
    assert caught.value.code == "limit_conversion"
    assert not [one for one in audit(town).findings if one.code == "limit_conversion"]


def an_operator(town: Town) -> str:
    return towns.join(town, parties.admit(town, "association", "Poste"), "operator", "poste").public.hex()


def paid_in(machine: Machine, town: Town, member: Party, amount: int) -> dict[str, int]:
    """The next day's statement has so much cash that was paid in under the member's reference; what became of it."""
    first = town.charter.local_date(town.now())
    machine.forward(DAY)
    day = town.charter.local_date(town.now())
    deposit = a_bank.line(amount, f"VERSEMENT {a_bank.token(town, member)}", day)
    return a_bank.bring(town, a_bank.statement([deposit], 5_000, first=first, last=day)).kinds


@pytest.mark.parametrize("when", ["while it was wrong", "after it"])
def test_cash_and_what_is_paid_in_are_one_euro_after_a_wrong_clock(bank: tuple[Machine, Town], when: str) -> None:
    machine, town = bank
    alice, operator = parties.admit(town, "person", "Alice"), an_operator(town)
    in_2035(machine, town, alice if when == "while it was wrong" else None, CASH)
    if when == "after it":
        conversion.convert(town, alice, 1_000, reserve=CASH, reference="S-1")
    assert paid_in(machine, town, alice, 1_000) == {"bank_suspense": 1}
    waits = next(one for one in suspense.open_lines(town) if one.line.amount == 1_000)
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        suspense.place(town, waits.line.id, Decision(way=Way.MEMBER, holder=alice.account), by=operator)
    assert caught.value.code == "role_insufficient"
    assert audit(town).clean


def test_what_was_typed_long_ago_is_no_line_of_today_after_a_wrong_clock(tmp_path: Path) -> None:
    """The log says of all that was typed since that it was one day: the days are the clock's."""
    machine = Machine()
    town = found_home(
        tmp_path / "bank", a_bank.charter(), clock=machine.now, steady=machine.boot, entropy=towns.Entropy()
    )
    alice = parties.admit(town, "person", "Alice")
    in_2035(machine, town, None)
    conversion.convert(town, alice, 1_000, reserve=a_bank.SAVINGS, reference="V-1")
    for _ in range(4):
        machine.forward(6 * DAY)
        clocked.keep(town, town.now())
    line = a_bank.line(2_000, a_bank.token(town, alice), town.charter.local_date(town.now()))
    assert a_bank.bring(town, a_bank.statement([line])).kinds == {"conversion": 1}
    town.book.close()


def test_slips_that_come_to_a_deposit_are_it_after_a_wrong_clock(bank: tuple[Machine, Town]) -> None:
    machine, town = bank
    alice, operator = parties.admit(town, "person", "Alice"), an_operator(town)
    in_2035(machine, town, None)
    assert paid_in(machine, town, alice, 1_500) == {"conversion": 1}
    conversion.convert(town, alice, 900, reserve=CASH, reference="S-1")
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        conversion.convert(town, alice, 600, reserve=CASH, reference="S-2", by=operator)
    assert caught.value.code == "conversion_on_statement"
    conversion.convert(town, alice, 601, reserve=CASH, reference="S-3")
    assert audit(town).clean


def test_joins_go_on_behind_a_wrong_clock(bank: tuple[Machine, Town]) -> None:
    """So many join in an hour; that hour ends by the clock, not by what the log counts."""
    machine, town = bank
    shop = parties.admit(town, "shop", "Boulangerie")
    in_2035(machine, town, None)

    def joins(name: str) -> None:
        key = towns.join(town, shop, "cashier", name)
        parties.revoke(town, parties.device(town, key.public))

    for number in range(21):
        machine.forward(300)
        joins(f"till {number}")
    machine.forward(3_600 + 60)
    for number in range(20):
        joins(f"other till {number}")
    with pytest.raises(CurrencyError) as caught:
        joins("one more")
    assert caught.value.code == "joins_too_many"
    assert audit(town).clean
