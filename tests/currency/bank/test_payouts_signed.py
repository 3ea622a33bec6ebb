"""Payout files are signed: by how many people, by which keys, and who is a person."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.currency import parties
from ledger.currency.bank.payouts import batches
from ledger.currency.charter import BankRules
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import Town3, accept, settle, sign, treasurer
from tests.currency.bank.payout_lines import clean, refusal
from tests.currency.bank.scene import opened


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.mark.parametrize(("limit", "units", "people"), [(None, 200_000, 1), (0, 100, 2), (95_000, 100_000, 1),
                                                        (94_999, 100_000, 2)])  # fmt: skip
def test_how_many_people_sign(tmp_path: Path, limit: int | None, units: int, people: int) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=limit)) as town:
        paying = settle(town)
        accept(town, paying.shops[0], units)
        batch = batches.order(town)
        assert batch.people == people
        for key in (paying.alice, paying.bob)[:people]:
            refusal("payouts_unsigned", batches.fetch, town, batch)
            sign(town, batch, key)
        assert batches.find(town, "1").state == "signed"
        batches.fetch(town, batch)
        clean(town)


@pytest.fixture
def big(town: Town, paying: Town3) -> batches.Batch:
    """A file that two people sign."""
    accept(town, paying.shops[0], 200_000)
    batch = batches.order(town)
    assert batch.people == 2
    return batch


def test_two_keys_of_one_person_are_one_person(town: Town, paying: Town3) -> None:
    phone = treasurer(town, paying.office, "Alice", "Alice's phone")
    accept(town, paying.shops[0], 200_000)
    big = batches.order(town)
    sign(town, big, paying.alice)
    sign(town, big, paying.alice)  # the same again changes nothing
    assert "Alice" in refusal("signature_same_person", sign, town, big, phone)
    refusal("payouts_unsigned", batches.fetch, town, big)
    sign(town, big, paying.bob)
    assert [one.name for one in batches.find(town, "1").signatures] == ["Alice", "Bob"]
    batches.fetch(town, big)
    clean(town)


def test_a_key_of_nobody_in_particular_is_no_second_person(town: Town, paying: Town3, big: batches.Batch) -> None:
    assert "--person" in refusal(
        "signature_person_unknown", sign, town, big, treasurer(town, paying.office, None, "the office's PC")
    )


def test_one_signature_needs_no_name(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    batch = batches.order(town)
    sign(town, batch, treasurer(town, paying.office, None, "the office's PC"))
    batches.fetch(town, batch)
    clean(town)


def test_who_signs_is_a_treasurer_and_signs_this_file(town: Town, paying: Town3, big: batches.Batch) -> None:
    operator = towns.join(town, paying.office, "operator", "operator's PC")
    refusal("role_insufficient", sign, town, big, operator)
    for wrong in (big._replace(total=1), big._replace(sha256=bytes(32)), big._replace(id=bytes(15) + b"\1"),
                  big._replace(transfers=2)):  # fmt: skip
        refusal("signature_invalid", sign, town, wrong, paying.alice)
    parties.revoke(town, parties.device(town, paying.alice.public))
    refusal("key_unknown", sign, town, big, paying.alice)


def test_a_key_revoked_meanwhile_counts_no_more(town: Town, paying: Town3, big: batches.Batch) -> None:
    sign(town, big, paying.alice)
    sign(town, big, paying.bob)
    parties.revoke(town, parties.device(town, paying.bob.public))
    refusal("payouts_unsigned", batches.fetch, town, big)
    # Whoever joins when the file is there signs the next one: nobody makes keys for a file that waits.
    phone = treasurer(town, paying.office, "Bob", "Bob's new phone")
    assert "after it was ordered" in refusal("signature_key_newer", sign, town, big, phone)
    batches.withdraw(town, big)
    again = batches.order(town)
    for key in (paying.alice, phone):
        sign(town, again, key)
    batches.fetch(town, again)
    clean(town)


def test_what_left_was_signed_by_whoever_had_signed_it(town: Town, paying: Town3, big: batches.Batch) -> None:
    """A treasurer who goes is struck out of no file that went before; of one that waits she is, and stays so."""
    sign(town, big, paying.alice)
    batches.withdraw(town, big)
    left = batches.order(town)
    sign(town, left, paying.alice)
    sign(town, left, paying.bob)
    batches.fetch(town, left)
    parties.revoke(town, parties.device(town, paying.alice.public))
    signatures = {one.name: one.counts for one in batches.find(town, str(left.number)).signatures}
    assert signatures == {"Alice": True, "Bob": True}
    assert batches.find(town, str(left.number)).signed == 2
    assert [one.counts for one in batches.find(town, str(big.number)).signatures] == [True]
    # Her name stays; her key lets nothing out any more, not even once more.
    assert "revoked since it was fetched" in refusal("payouts_signer_revoked", batches.fetch, town, left, again=True)
    assert "only once" in refusal("payouts_fetched", batches.fetch, town, left)
    batches.withdraw(town, left, fetched_too=True)
    waiting = batches.order(town)
    sign(town, waiting, paying.bob)
    parties.revoke(town, parties.device(town, paying.bob.public))
    assert [one.counts for one in batches.find(town, str(waiting.number)).signatures] == [False]
    batches.withdraw(town, waiting)
    assert [one.counts for one in batches.find(town, str(waiting.number)).signatures] == [False]
    assert batches.find(town, str(left.number)).signed == 2
    clean(town)


def test_a_person_is_a_person(town: Town, paying: Town3) -> None:
    bob = parties.admit(town, "person", "Bruno")
    parties.close(town, bob)
    for person in (paying.shops[0].party, parties.by_account(town, bob.account)):
        refusal("person_wrong", parties.invite, town, paying.office, "treasurer", person=person)
    alice = parties.named(town, "Alice")
    refusal("person_wrong", parties.invite, town, alice, "member", person=alice)
