"""A device that was revoked has nothing done any more: not even what it asked for before, and was on its way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ledger.core.clock import Watch
from ledger.currency import acts, clocked, conversion, join_codes, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.tables import INVITE
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import line, statement
from tests.served import Cast, cast, shown
from tests.towns import CASH, nothing_moves

Asked = Callable[[], object]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = towns.found(tmp_path / "home")
    yield made
    made.book.close()


@pytest.fixture
def people(town: Town) -> Cast:
    return cast(town)


def codes(town: Town) -> list[str]:
    return [finding.code for finding in audit(town).findings]


def revoke(town: Town, key: PrivateKey) -> None:
    parties.revoke(town, parties.device(town, key.public))


def asked(town: Town, people: Cast, what: str) -> Asked:
    """What a treasurer's device asked for, and the server has looked at, but not done."""
    key, alice = people.treasurer, people.alice.party
    by = key.public.hex()
    if what == "conversion":
        asks = {"account": shown(people.alice), "amount_cents": 1_000, "reserve": CASH, "reference": "S-77"}
        acting = towns.acting(town, key, "POST /v1/conversions", **asks)
        return lambda: conversion.convert(acting, alice, 1_000, reserve=CASH, reference="S-77", by=by)
    if what == "party":
        acting = towns.acting(town, key, "POST /v1/parties", kind="person", name="Zoé")
        return lambda: parties.admit(acting, "person", "Zoé", by=by)
    if what == "import":
        acting = towns.acting(town, key, "POST /v1/bank/imports")
        file = statement([line(1_000)])
        return lambda: taking.take(acting, [file], by=by, opening=True, quiet_days=True)
    hashed = join_codes.code_hash("0123456789")
    acting = towns.acting(town, key, "POST /v1/invites", account=shown(people.alice), role="member",
                          code_hash=hashed.hex())  # fmt: skip
    return lambda: parties.invite_with(acting, alice, "member", hashed, by=by)


def invitations(town: Town) -> int:
    with town.reading() as connection:
        return connection.execute(select(func.count()).select_from(INVITE)).scalar_one()


@pytest.mark.parametrize("what", ["conversion", "party", "import", "invitation"])
def test_what_was_on_its_way_when_its_key_was_revoked(town: Town, people: Cast, what: str) -> None:
    do = asked(town, people, what)
    revoke(town, people.treasurer)
    before = invitations(town)
    with nothing_moves(town), pytest.raises(CurrencyError) as caught:
        do()
    assert (caught.value.code, invitations(town)) == ("key_unknown", before)
    assert codes(town) == []


@pytest.mark.parametrize("what", ["conversion", "party", "import", "invitation"])
def test_what_was_on_its_way_when_its_last_second_passed(town: Town, people: Cast, what: str) -> None:
    """A large file waits for others before it, and is taken late: not after the time for which it was signed."""
    do = asked(town, people, what)
    towns.clock(town).forward(300 + 1)
    before = invitations(town)
    with nothing_moves(town), pytest.raises(CurrencyError) as caught:
        do()
    assert (caught.value.code, invitations(town)) == ("act_expired", before)
    do = asked(town, people, what)
    towns.clock(town).forward(300)
    do()
    assert codes(town) == []


def test_whoever_was_invited_joins_when_the_invitation_s_act_is_over(town: Town, people: Cast) -> None:
    asked(town, people, "invitation")()
    towns.clock(town).forward(6 * 86_400)
    parties.join(town, "0123456789", towns.key_of("phone").public, "phone")
    assert codes(town) == []


def test_a_device_revokes_itself(town: Town, people: Cast) -> None:
    key = people.treasurer.public
    acting = towns.acting(town, people.treasurer, f"DELETE /v1/keys/{key.hex()}")
    parties.revoke(acting, parties.device(town, key), last_too=True, by=key.hex())
    assert parties.device(town, key).revoked_at is not None
    assert codes(town) == []


def test_what_stands_is_answered_to_a_key_that_was_revoked(town: Town, people: Cast) -> None:
    do = asked(town, people, "conversion")
    do()
    revoke(town, people.treasurer)
    with nothing_moves(town):
        do()


def test_whoever_was_invited_joins_though_the_inviter_has_left(town: Town, people: Cast) -> None:
    other = towns.member(town, "association", "Another", "treasurer")
    code, by = "0123456789", other.key.public.hex()
    hashed = join_codes.code_hash(code)
    asks = {"account": shown(people.alice), "role": "member", "code_hash": hashed.hex()}
    acting = towns.acting(town, other.key, "POST /v1/invites", **asks)
    parties.invite_with(acting, people.alice.party, "member", hashed, by=by)
    parties.close(town, other.party)
    parties.join(town, code, towns.key_of("phone").public, "phone")
    assert codes(town) == []


def test_the_clock_s_own_note_uses_up_no_act(town: Town, people: Cast) -> None:
    """While `at` only counts behind a wrong clock's entry, the machine tells the log the time before what is asked."""
    clock = towns.clock(town)
    town.book.watch = Watch(town.charter.network, lambda: clock.now)
    clock.forward(6 * 86_400)
    parties.admit(town, "person", "of next week")
    clock.forward(-6 * 86_400)
    clocked.confirm(town)
    clock.forward(120)
    before = town.book.head().seq
    asked(town, people, "conversion")()
    assert town.book.head().seq == before + 2
    assert codes(town) == []


@pytest.mark.parametrize("end", ["revoked", "closed"])
def test_check_finds_what_a_revoked_key_had_done_a_moment_later(
    town: Town, people: Cast, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    do = asked(town, people, "conversion")
    if end == "revoked":
        revoke(town, people.treasurer)
    else:
        parties.close(town, parties.by_account(town, parties.device(town, people.treasurer.public).account))
    monkeypatch.setattr(acts, "require_live", lambda *_: None)
    do()
    assert codes(town) == ["key_revoked"]
