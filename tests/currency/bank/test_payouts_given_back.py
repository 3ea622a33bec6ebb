"""Units that go back for a payout whose file left: on the word of as many people as let it leave."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from ledger.core.model import Posted
from ledger.currency import chartered, logged, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import answers, batches, undoing
from ledger.currency.bank.payouts.answers import Rejected, Report
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.keys import PrivateKey
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import (
    BROUGHT,
    Town3,
    accept,
    debit,
    now,
    refuse,
    sent,
    settle,
    treasurer,
)
from tests.currency.bank.payout_lines import HELD, NEXT, clean, refusal
from tests.currency.bank.scene import balances, bring, opened, statement

LARGE = 200_000
"""Units whose euros two people let leave."""


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def out(town: Town, paying: Town3) -> Payout:
    """A payout in a file that two people signed and that was fetched."""
    payout = accept(town, paying.shops[0], LARGE)
    sent(paying)
    return payout


def hand_in(town: Town, payout: Payout, key: PrivateKey | None = None) -> answers.Answered:
    """The bank's answer that rejects it, as a device hands it in, or somebody at the machine."""
    report = Report(batches.every(town)[0].message, "", (Rejected(payout.reference, "AC04", ""),))
    if key is None:
        return answers.take(town, report)
    acting = towns.acting(town, key, "POST /v1/bank/imports", file=f"sha256:{'0' * 64}")
    return answers.take(acting, report, by=key.public.hex())


def holds(town: Town, paying: Town3, payout: Payout, units: int) -> None:
    """Hold that the shop has so many units, and that its payout is owed if they are not back."""
    assert town.book.balance(paying.shops[0].account) == units
    assert now(town, payout).is_due is (units < BROUGHT)
    assert balances(town).get("payouts", 0) == (payout.amount if units < BROUGHT else 0)
    clean(town)


def test_one_treasurer_says_so_and_nothing_moves(town: Town, paying: Town3, out: Payout) -> None:
    for _ in range(2):  # the same again is answered again
        assert undoing.is_word(refuse(town, out, paying.alice), out)
        holds(town, paying, out, BROUGHT - LARGE)
    # The bank executes it: the shop was paid, once.
    assert bring(town, statement([debit(out, NEXT)], HELD)).kinds == {"bank_payout": 1}
    refusal("payout_paid", refuse, town, out, paying.bob)
    clean(town)


@pytest.mark.parametrize("second", ["another", "the machine"])
def test_two_say_so(town: Town, paying: Town3, out: Payout, second: str) -> None:
    refuse(town, out, paying.alice)
    posted = undoing.reject(town, out) if second == "the machine" else refuse(town, out, paying.bob)
    assert not undoing.is_word(posted, out)
    holds(town, paying, out, BROUGHT)
    assert refuse(town, out, paying.alice).replay


@pytest.mark.parametrize("meanwhile", ["another says so", "it leaves in another file"])
def test_two_things_at_the_same_moment(
    town: Town, paying: Town3, out: Payout, meanwhile: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say, done = undoing._say, list[Any]()

    def and_then(*args: Any) -> Posted:
        if not done:
            done.append(None)
            if meanwhile == "another says so":
                done.append(refuse(town, out, paying.bob))
            else:
                batches.withdraw(town, batches.find(town, "1"), fetched_too=True)
                sent(paying)
        return say(*args)

    monkeypatch.setattr(undoing, "_say", and_then)
    waits = meanwhile != "another says so"
    assert undoing.is_word(refuse(town, out, paying.alice), out) is waits
    holds(town, paying, out, BROUGHT - LARGE if waits else BROUGHT)
    # It was said of the file that left last.
    refuse(town, out, paying.bob)
    holds(town, paying, out, BROUGHT)


def test_words_are_found_by_what_they_are_about(
    town: Town, paying: Town3, out: Payout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log of years is not read through for them, with all writing waiting."""
    read = Mock(side_effect=AssertionError("the whole log"))
    monkeypatch.setattr(logged, "of_kinds", read)
    refuse(town, out, paying.alice)
    refuse(town, out, paying.bob)
    monkeypatch.undo()
    holds(town, paying, out, BROUGHT)


def test_two_keys_of_one_person_are_one(town: Town, paying: Town3, out: Payout) -> None:
    phone = treasurer(town, paying.office, "Alice", "Alice's phone")
    for key in (paying.alice, phone, paying.alice):
        assert undoing.is_word(refuse(town, out, key), out)
    undoing.reject(town, out)
    holds(town, paying, out, BROUGHT)


def test_the_machine_alone_is_one(town: Town, paying: Town3, out: Payout) -> None:
    for reason in ("AC04", "MD07"):
        assert undoing.is_word(undoing.reject(town, out, reason=reason), out)
    holds(town, paying, out, BROUGHT - LARGE)


def test_a_key_that_ended_is_no_word(town: Town, paying: Town3, out: Payout) -> None:
    refuse(town, out, paying.alice)
    parties.revoke(town, parties.device(town, paying.alice.public))
    assert undoing.is_word(refuse(town, out, paying.bob), out)
    holds(town, paying, out, BROUGHT - LARGE)


@pytest.mark.parametrize("who", ["operator", "treasurer", "machine"])
def test_the_banks_answer_is_the_word_of_who_hands_it_in(town: Town, paying: Town3, out: Payout, who: str) -> None:
    key = {"operator": towns.join(town, paying.office, "operator", "op"), "treasurer": paying.alice}.get(who)
    for _ in range(2):
        done = hand_in(town, out, key)
        [left] = done.left
        assert (done.undone, left.code) == ([], "payout_rejection_waits")
        holds(town, paying, out, BROUGHT - LARGE)
    # With a treasurer's answer another treasurer is the second; a file that nobody known handed in says nothing.
    assert undoing.is_word(refuse(town, out, paying.bob), out) is (who != "treasurer")
    if who != "treasurer":
        assert hand_in(town, out, paying.alice).undone == [out._replace(batch=now(town, out).batch)]
    holds(town, paying, out, BROUGHT)


@pytest.mark.parametrize("asked", [True, False])
def test_an_answer_at_the_machine_is_no_second_word(
    town: Town, paying: Town3, out: Payout, asked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a treasurer says so, and leaves an answer of their own make in the folder that somebody imports."""
    refuse(town, out, paying.alice)
    if asked:
        [left] = hand_in(town, out).left
        assert left.code == "payout_rejection_waits"
        holds(town, paying, out, BROUGHT - LARGE)
        undoing.reject(town, out)
        holds(town, paying, out, BROUGHT)
        return
    monkeypatch.setattr(undoing, "_waits", lambda *_args: None)
    hand_in(town, out)
    assert [one.code for one in audit(town).findings] == ["signatures_missing"]


def test_a_file_that_is_withdrawn_may_be_at_the_bank_all_the_same(town: Town, paying: Town3, out: Payout) -> None:
    batches.withdraw(town, batches.find(town, "1"), fetched_too=True)
    assert undoing.is_word(refuse(town, out, paying.alice), out)
    holds(town, paying, out, BROUGHT - LARGE)


def test_what_was_said_of_one_file_is_not_said_of_the_next(town: Town, paying: Town3, out: Payout) -> None:
    refuse(town, out, paying.alice)
    batches.withdraw(town, batches.find(town, "1"), fetched_too=True)
    sent(paying)
    assert undoing.is_word(refuse(town, out, paying.bob), out)
    holds(town, paying, out, BROUGHT - LARGE)
    refuse(town, out, paying.alice)
    holds(town, paying, out, BROUGHT)


def test_what_one_person_let_leave_one_gives_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 50_000)
    sent(paying)
    assert not undoing.is_word(refuse(town, payout, paying.bob), payout)
    holds(town, paying, payout, BROUGHT)


def test_of_small_files_that_two_had_to_sign(town: Town, paying: Town3) -> None:
    made = []
    for _ in range(2):
        made.append(accept(town, paying.shops[0], 60_000))
        sent(paying)
    assert [undoing.is_word(refuse(town, one, paying.alice), one) for one in made] == [False, True]
    clean(town)


@pytest.mark.parametrize("kind", ["treasurer", "answer"])
def test_check_knows_what_the_desk_did_not_ask(
    town: Town, paying: Town3, out: Payout, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "_waits", lambda *_args: None)
    if kind == "treasurer":
        refuse(town, out, paying.alice)
    else:
        hand_in(town, out, towns.join(town, paying.office, "operator", "op"))
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    assert [one.code for one in audit(town).findings] == ["signatures_missing"]


def test_before_the_charter_said_so_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules, waits = chartered.rules_of, undoing._waits
    monkeypatch.setattr(chartered, "rules_of", lambda *given: rules(*given)._replace(guarded=1))
    monkeypatch.setattr(undoing, "_waits", lambda *_args: None)
    with opened(tmp_path / "old") as old:
        paying = settle(old)
        first, second = (accept(old, shop, LARGE) for shop in paying.shops[:2])
        sent(paying)
        refuse(old, first, paying.alice)
        monkeypatch.setattr(chartered, "rules_of", rules)
        monkeypatch.setattr(undoing, "_waits", waits)
        assert audit(old).clean
        chartered.keep(old, chartered.latest(old))
        assert undoing.is_word(refuse(old, second, paying.alice), second)
        assert audit(old).clean
