"""The last gate: one person who tries to be two, by every path that leads to a second key."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api import home
from ledger.core.model import Note, Posted
from ledger.currency import chartered, parties, persons, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import batches, index
from ledger.currency.bank.payouts.approval import signing_id
from ledger.currency.bank.payouts.noted import fetching_id
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.conftest import paying, paying_home  # noqa: F401 (fixtures)
from tests.currency.bank.paying import Town3, settle, sign, treasurer
from tests.currency.bank.scene import opened
from tests.threats.gate import big, finds, refused


class Alice:
    """A treasurer, and whatever keys she makes: all she has is her own key."""

    def __init__(self, town3: Town3) -> None:
        self.town, self.office, self.key = town3.town, town3.office, town3.alice
        self.person = parties.named(self.town, "Alice")

    def joins(self, party: Party, role: str, person: Party | None = None, by: PrivateKey | None = None) -> PrivateKey:
        """A key that she invites, with her own or with `by`, and joins herself."""
        device = f"PC {self.town.book.head().seq}"
        return towns.join(self.town, party, role, device, by=by or self.key, person=person)

    def invents(self, name: str, by: PrivateKey | None = None, confirms: bool = True) -> PrivateKey:
        """A treasurer's key of a person whom she made up, who confirms it with a key as a member that she made."""
        person = parties.admit(self.town, "person", name)
        key = self.joins(self.office, "treasurer", person, by)
        if confirms:
            own = self.joins(person, "member", by=by)
            confirm(self.town, key, own)
        return key


def confirm(town: Town, key: PrivateKey, by: PrivateKey) -> Posted:
    """Confirm a key with another, as its device asks for it."""
    acting = towns.acting(town, by, f"POST /v1/keys/{key.public.hex()}/confirmation")
    return persons.confirm(acting, key.public, by=parties.device(town, by.public))


def second_key(alice: Alice) -> list[PrivateKey]:
    return [alice.key, alice.joins(alice.office, "treasurer", alice.person)]


def machine_twice(alice: Alice) -> list[PrivateKey]:
    return [alice.key, treasurer(alice.town, alice.office, "Alice", "Alice's phone")]


def invented(alice: Alice) -> list[PrivateKey]:
    return [alice.key, alice.invents("Bernard Petit", confirms=False)]


def invented_and_confirmed(alice: Alice) -> list[PrivateKey]:
    return [alice.key, alice.invents("Bernard Petit")]


def two_invented(alice: Alice) -> list[PrivateKey]:
    return [alice.invents("Bernard Petit"), alice.invents("Cécile Grand")]


def by_way_of_the_invented(alice: Alice) -> list[PrivateKey]:
    first = alice.invents("Bernard Petit")
    return [first, alice.invents("Cécile Grand", by=first)]


def through_an_operator(alice: Alice) -> list[PrivateKey]:
    """Her own operator's key, of nobody in particular, which the machine invited, invites the treasurer."""
    operator = towns.join(alice.town, alice.office, "operator", "the office's PC")
    return [alice.key, alice.invents("Bernard Petit", by=operator)]


def through_a_named_operator(alice: Alice) -> list[PrivateKey]:
    code = parties.invite(alice.town, alice.office, "operator", person=alice.person)
    operator = towns.key_of("Alice's operator key")
    parties.join(alice.town, code, operator.public, "PC")
    return [alice.key, alice.invents("Bernard Petit", by=operator)]


def as_bob(alice: Alice) -> list[PrivateKey]:
    """In the name of a treasurer who exists, confirmed with a key as a member that she made for him."""
    bob = parties.named(alice.town, "Bob")
    key, own = alice.joins(alice.office, "treasurer", bob), alice.joins(bob, "member")
    confirm(alice.town, key, own)
    return [alice.key, key]


def revoke_and_come_again(alice: Alice) -> list[PrivateKey]:
    """Her invented colleague brings her in again under another name, after her own key is gone."""
    colleague = alice.invents("Bernard Petit")
    again = alice.invents("Alice M.", by=colleague)
    parties.revoke(alice.town, parties.device(alice.town, alice.key.public))
    return [colleague, again]


def come_again_in_her_name(alice: Alice) -> list[PrivateKey]:
    colleague = alice.invents("Bernard Petit")
    parties.revoke(alice.town, parties.device(alice.town, alice.key.public))
    return [colleague, treasurer(alice.town, alice.office, "Alice", "Alice's new phone")]


def seconded_by_the_invented(alice: Alice) -> list[PrivateKey]:
    first = alice.invents("Bernard Petit")
    second = alice.invents("Cécile Grand", confirms=False)
    confirm(alice.town, second, first)
    return [first, second]


def brought_in(alice: Alice) -> list[PrivateKey]:
    """Two members whom an operator admitted in good faith, whose wallets she keeps: she makes both treasurers."""
    return [brings_in(alice, name) for name in ("Denise Lenoir", "Émile Roche")]


def brought_in_and_seconded(alice: Alice) -> list[PrivateKey]:
    """One of them is a second treasurer, who confirms the other."""
    first, second = brought_in(alice)
    confirm(alice.town, second, first)
    return [first, second]


def brings_in(alice: Alice, name: str) -> PrivateKey:
    wallet = towns.member(alice.town, "person", name)
    key = alice.joins(alice.office, "treasurer", wallet.party)
    confirm(alice.town, key, wallet.key)
    return key


PATHS: dict[str, Callable[[Alice], list[PrivateKey]]] = {
    "directly": lambda alice: [alice.key, alice.key], "a second key of her own": second_key,
    "two keys from the machine": machine_twice, "an invented person": invented,
    "an invented person's own key": invented_and_confirmed, "two invented persons": two_invented,
    "an invented person invites another": by_way_of_the_invented, "an operator's key": through_an_operator,
    "an operator's key in her name": through_a_named_operator, "in a colleague's name": as_bob,
    "revoked and come again": revoke_and_come_again, "revoked and invited anew": come_again_in_her_name,
    "seconded by the invented": seconded_by_the_invented, "two wallets that she keeps": brought_in,
    "two wallets, one for the other": brought_in_and_seconded,
}  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_one_person_does_not_sign_as_two(paying: Town3, path: str) -> None:  # noqa: F811
    town = paying.town
    keys = PATHS[path](Alice(paying))
    batch = big(paying)
    codes = []
    for key in keys:
        try:
            sign(town, batch, key)
        except CurrencyError as error:
            codes.append(error.code)
    assert set(codes) <= {
        "signature_same_person",
        "signature_sponsored",
        "signature_person_unknown",
        "signature_key_newer",
    }
    assert bool(codes) is (path != "directly")
    found = batches.find(town, "1")
    assert found.signed < 2 and found.state == "ordered"
    code, said = refused(batches.fetch, town, batch)
    assert code == "payouts_unsigned" and said.startswith("people who have to sign this file: 2; who have: ")
    # Nor does `check` count them as two, should the desk have been got round.
    for key in {key.public: key for key in keys}.values():
        signature = proofs.sign_payouts(key, town.charter.network, batch.id, batch.sha256, batch.total, batch.transfers)
        evidence = {"batch": batch.id.hex(), "key": key.public.hex(), "signature": signature.hex()}
        if town.book.find(signing_id(batch.id, key.public)) is None:
            town.post(Note(signing_id(batch.id, key.public), index.SIGNED, evidence))
    town.post(Note(fetching_id(batch.id), index.FETCHED, {"batch": batch.id.hex(), "by": "console"}))
    finds(town, "signatures_missing", "file 1 was fetched, signed by ")


def test_what_is_said_to_whoever_tries(paying: Town3) -> None:  # noqa: F811
    town, alice = paying.town, Alice(paying)
    unknown, sponsored = alice.invents("Bernard Petit", confirms=False), alice.invents("Cécile Grand")
    other = alice.invents("Denis Moyen")
    batch = big(paying)
    code, said = refused(sign, town, batch, unknown)
    assert code == "signature_person_unknown" and "stands on one person's word" in said
    assert "wallet keys confirm" in said and "`patard invite` at the machine" in said
    sign(town, batch, paying.alice)
    code, said = refused(sign, town, batch, sponsored)
    assert code == "signature_sponsored" and said.startswith("Alice signed this file, and one of you two invited")
    batches.withdraw(town, batch)
    again = batches.order(town)
    sign(town, again, sponsored)
    code, said = refused(sign, town, again, other)
    assert code == "signature_sponsored" and "one person alone could have made both keys" in said


def test_whose_key_another_person_confirmed_counts(paying: Town3) -> None:  # noqa: F811
    """Alice invites Carol, who has a key as a member from the machine: with Bob, Carol is a second person."""
    town, alice = paying.town, Alice(paying)
    carol = towns.member(town, "person", "Carol")
    key = alice.joins(alice.office, "treasurer", carol.party)
    [waiting] = persons.unconfirmed(town, carol.account)
    assert (waiting.key, waiting.name, waiting.inviter, waiting.role) == (key.public, "Carol", "Alice", "treasurer")
    early = big(paying)
    assert not confirm(town, key, carol.key).replay
    assert confirm(town, key, carol.key).replay
    assert persons.unconfirmed(town, carol.account) == []
    code, said = refused(sign, town, early, key)
    assert code == "signature_key_newer" and "older than your key" in said and "patard payouts order" in said
    batches.withdraw(town, early)
    batch = batches.order(town)
    sign(town, batch, key)
    assert refused(sign, town, batch, paying.alice)[0] == "signature_sponsored"
    sign(town, batch, paying.bob)
    batches.fetch(town, batch)
    assert audit(town).findings == []
    told = [one.text for one in audit(town).notices]
    assert any(f"key {key.public.hex()[:16]} became treasurer, said to be held by account" in one for one in told)


def test_somebody_else_vouches_for_one_of_two_whom_she_brought_in(paying: Town3) -> None:  # noqa: F811
    town, alice = paying.town, Alice(paying)
    first, second = brought_in(alice)
    batch = big(paying)
    sign(town, batch, first)
    code, said = refused(sign, town, batch, second)
    assert code == "signature_sponsored" and "brought in both of you" in said
    assert "a second treasurer, whom that person did not bring in, confirms one" in said
    # Bob, whom the machine invited, sees both on his list, though their own keys confirmed them.
    assert [one.key for one in persons.unconfirmed(town)] == [first.public, second.public]
    confirm(town, second, paying.bob)
    assert [one.key for one in persons.unconfirmed(town)] == [first.public]
    batches.withdraw(town, batch)
    again = batches.order(town)
    for key in (first, second):
        sign(town, again, key)
    batches.fetch(town, again)
    assert audit(town).findings == []


def test_two_treasurers_bring_in_a_third(paying: Town3) -> None:  # noqa: F811
    town, alice = paying.town, Alice(paying)
    key = alice.joins(alice.office, "treasurer", parties.admit(town, "person", "Carol"))
    assert refused(confirm, town, key, paying.alice) == (
        "signature_same_person", "you invited this key; another treasurer, or its holder, confirms"
    )  # fmt: skip
    confirm(town, key, paying.bob)
    dan = treasurer(town, paying.office, "Dan")
    batch = big(paying)
    sign(town, batch, key)
    for sponsor in (paying.alice, paying.bob):
        assert refused(sign, town, batch, sponsor)[0] == "signature_sponsored"
    sign(town, batch, dan)
    batches.fetch(town, batch)
    assert audit(town).findings == []


@pytest.mark.parametrize("who", ["another member", "a shop", "an operator", "a revoked key", "a closed account"])
def test_who_may_not_confirm(paying: Town3, who: str) -> None:  # noqa: F811
    town, alice = paying.town, Alice(paying)
    carol = towns.member(town, "person", "Carol")
    key = alice.joins(alice.office, "treasurer", carol.party)
    device = parties.device(town, carol.key.public)
    if who == "another member":
        device = parties.device(town, towns.member(town, "person", "Dan").key.public)
    elif who == "a shop":
        device = parties.device(town, paying.shops[0].key.public)
    elif who == "an operator":
        device = parties.device(town, towns.join(town, alice.office, "operator", "PC").public)
    elif who == "a revoked key":
        parties.revoke(town, device, last_too=True)
    else:
        parties.close(town, carol.party)
    code, _said = refused(persons.confirm, town, key.public, by=device)
    assert code == {
        "another member": "not_found",
        "a shop": "role_insufficient",
        "an operator": "role_insufficient",
    }.get(who, "key_unknown")


@pytest.mark.parametrize("whose", ["a shop's", "another member's"])
def test_a_confirmation_slipped_into_the_log_is_found(paying: Town3, whose: str) -> None:  # noqa: F811
    town, alice = paying.town, Alice(paying)
    other = paying.shops[0] if whose == "a shop's" else towns.member(town, "person", "Dan")
    key, carol = alice.invents("Carol", confirms=False), parties.named(town, "Carol")
    evidence = {"by": other.key.public.hex(), "key": key.public.hex(), "person": f"{carol.account:016x}"}
    town.post(Note(persons.key_id(persons.CONFIRMED, key.public), persons.CONFIRMED, evidence))
    batch = big(paying)
    assert refused(sign, town, batch, key)[0] == "signature_person_unknown"
    finds(town, "confirmation_wrong", "who may not")


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town3]:
    """A town of before the machine had a key: nothing in it is signed by one."""
    with monkeypatch.context() as patched:
        patched.setattr(home, "_machine", lambda *_: None)
        made = opened(tmp_path / "before")
        town = made.__enter__()
    try:
        assert town.machine is None and chartered.machine_since(town) is None
        yield settle(town)
    finally:
        made.__exit__(None, None, None)


def test_what_left_before_the_machine_had_a_key_is_judged_as_it_was(before: Town3) -> None:
    """A book of before: Alice invited Bernard with a name, and that was enough."""
    town, alice = before.town, Alice(before)
    keys = [before.alice, alice.invents("Bernard Petit", confirms=False)]
    batch = big(before)

    def done(sql: str, **values: Any) -> Callable[[Connection, Posted], None]:
        def also(connection: Connection, posted: Posted) -> None:
            connection.execute(text(sql), {**values, "at": posted.at})

        return also

    for key in keys:
        signature = proofs.sign_payouts(key, town.charter.network, batch.id, batch.sha256, batch.total, batch.transfers)
        evidence = {"batch": batch.id.hex(), "key": key.public.hex(), "signature": signature.hex()}
        row = "INSERT INTO payout_signature (batch, key, person, signed_at) VALUES (:batch, :key, NULL, :at)"
        note = Note(signing_id(batch.id, key.public), index.SIGNED, evidence)
        town.post(note, done(row, batch=batch.id, key=key.public))
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"
    note = Note(fetching_id(batch.id), index.FETCHED, {"batch": batch.id.hex(), "by": "console"})
    town.post(note, done("UPDATE payout_batch SET fetched_at = :at, fetched_by = 'console'"))
    assert audit(town).findings == []
    later = replace(town, machine=towns.key_of("the machine"))
    chartered.keep(later, chartered.latest(later))
    assert chartered.machine_since(later) == later.book.head().seq
    assert audit(later).findings == []


def test_a_key_whose_note_does_not_say_who_invited_it() -> None:
    assert persons.inviter("console", 5, 3) is None and persons.inviter(None, 2, 3) is None
    assert persons.inviter(None, 2, None) is None
    assert persons.inviter(None, 3, 3) == persons.inviter("nobody", 1, 3) == b""
    assert persons.inviter("ab" * 32, 1, 3) == b"\xab" * 32
