"""Direct debits that come back: before and after their release, as one sum, by a correction; mandates suspended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.core.book import Book
from ledger.core.model import Note
from ledger.currency import parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking
from ledger.currency.bank.mandates import collecting, daily, files, model, notices, register, rejecting, release, review
from ledger.currency.bank.mandates.model import Mandate
from ledger.currency.bank.statement import LineKind
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import (
    DUE,
    RELEASED,
    SIGNED,
    batch,
    brought,
    collected,
    debit,
    iban,
    item_of,
    items,
    sign,
    signed_by_many,
    states,
    until,
)
from tests.currency.bank.scene import balances, bring, line, opened, statement
from tests.currency.bank.test_booking import pay
from tests.towns import BANK


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


# --- unpaid ----------------------------------------------------------------------------------------------


def test_a_debit_that_comes_back_before_its_release(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    sign(town, "Bob")
    file = collected(town)
    back = debit(item_of(town, made), DUE + timedelta(days=1), -1, reason="AM04")
    until(town, DUE + timedelta(days=1))
    assert bring(town, statement([batch(file), back])).kinds == {"bank_collection": 1, "bank_collection_unpaid": 1}
    assert balances(town) == {"circulation": 3_000, "guarantee": 3_000, BANK: 3_000, "maturing": 3_000}
    until(town, RELEASED + timedelta(days=1))
    assert release.release(town, towns.sure(town)).debits == 1
    assert town.book.balance(made.account) == 0
    assert audit(town).clean


@pytest.mark.parametrize("spent", [0, 1_200, 3_000])
@pytest.mark.parametrize("days", [1, 330])
def test_a_debit_that_comes_back_after_its_release(town: Town, spent: int, days: int) -> None:
    alice, made = sign(town, "Alice")
    bob = parties.admit(town, "shop", "Bob")
    file = collected(town)
    bring(town, statement([batch(file)]))
    until(town, RELEASED)
    release.release(town, towns.sure(town))
    if spent:
        pay(town, alice, bob, spent)
    day = RELEASED + timedelta(days=days)
    until(town, day)
    brought(town, line(9_000, "autre", RELEASED))
    back = debit(item_of(town, made), day, -1, reason="MD06")
    assert brought(town, back).kinds == {"bank_collection_unpaid": 1}
    held = balances(town)
    assert held.get("claims", 0) == held.get("circulation", 0) == held.get("members", 0) == spent
    assert (held[BANK], item_of(town, made).claim) == (9_000, spent)


def test_a_debit_comes_back_once(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    sign(town, "Bob")
    file = collected(town)
    back = debit(item_of(town, made), sign=-1)
    done = bring(town, statement([batch(file), back, back]))
    assert done.kinds == {"bank_collection": 1, "bank_collection_unpaid": 1, "bank_suspense": 1}
    assert balances(town)["maturing"] == 3_000


def test_who_topped_up_by_transfer_as_well_is_not_confused(town: Town) -> None:
    """A debit that came back is no transfer that came back, though payer and amount are the same."""
    from tests.currency.bank.scene import token

    alice, made = sign(town, "Alice", number=1)
    file = collected(town)
    transfer = line(3_000, token(town, alice), DUE, iban=iban(1), kind=LineKind.TRANSFER)
    back = debit(item_of(town, made), sign=-1, iban=iban(1))
    done = bring(town, statement([batch(file), transfer, back]))
    assert done.kinds == {"bank_collection": 1, "conversion": 1, "bank_collection_unpaid": 1}
    assert town.book.balance(alice.account) == 3_000


def test_one_that_comes_back_before_it_is_brought_is_owed_until_then(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    sign(town, "Bob")
    file = collected(town)
    early = debit(item_of(town, made), sign=-1)
    bring(town, statement([line(5_000, "autre", DUE), early]))
    assert balances(town) == {"suspense": 5_000, "claims": 3_000, BANK: 2_000}
    brought(town, batch(file))
    assert balances(town) == {
        "suspense": 5_000, "circulation": 3_000, "guarantee": 3_000, BANK: 8_000, "maturing": 3_000,
    }  # fmt: skip
    until(town, RELEASED)
    assert release.release(town, towns.sure(town)).debits == 1
    assert audit(town).clean


def test_several_that_come_back_as_one_sum(town: Town) -> None:
    people = [towns.member(town, "person", name) for name in ("Alice", "Bob", "Chloé")]
    mandates = [sign(town, one.party)[1] for one in people]
    file = collected(town)
    bring(town, statement([batch(file)]))
    until(town, RELEASED)
    release.release(town, towns.sure(town))
    alice, bob, _chloe = (item_of(town, one) for one in mandates)
    shop = towns.member(town, "shop", "Épicerie")
    towns.pay(town, people[0], shop, 3_000)
    towns.pay(town, people[1], shop, 500)
    parts = tuple(debit(one, RELEASED, -1, reason=why) for one, why in ((alice, "MD01"), (bob, "AM04")))
    unpaid = line(-6_000, "IMPAYES", RELEASED, kind=LineKind.RETURN, parts=parts)
    assert brought(town, unpaid).kinds == {"bank_collection_unpaid": 1}
    assert balances(town)["claims"] == 3_500
    assert [(one.state, one.claim, one.unpaid_reason) for one in items(town)] == [
        ("unpaid", 3_000, "MD01"), ("unpaid", 500, "AM04"), ("released", 0, ""),
    ]  # fmt: skip
    assert audit(town).clean


def test_a_whole_batch_that_is_taken_back(town: Town) -> None:
    signed_by_many(town, [1_000] * 300)
    file = collected(town)
    back = replace(batch(file), amount=-file.total, kind=LineKind.RETURN)
    done = bring(town, statement([batch(file), back]))
    assert done.kinds == {"bank_collection": 1, "bank_collection_unpaid": 1}
    assert balances(town) == {}
    assert states(town) == {"unpaid": 300}


def test_a_corrected_statement_undoes_and_brings_anew(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob")]
    file = collected(town)
    alice = item_of(town, mandates[0])
    bring(town, statement([batch(file), debit(alice, sign=-1)]))
    assert states(town) == {"unpaid": 1, "maturing": 1}
    bring(town, statement([batch(file), line(-2_900, "loyer", DUE)]), corrected=True)
    assert states(town) == {"maturing": 2}
    bring(town, statement([line(5_900, "autre", DUE), line(-2_900, "loyer", DUE)]), corrected=True)
    assert states(town) == {"ordered": 2}
    assert balances(town) == {"suspense": 3_000, BANK: 3_000}
    brought(town, batch(file, text="autre remise"))
    assert states(town) == {"maturing": 2}
    # The rent waits, and nothing that came and waits as well pays for it.
    assert {one.code for one in audit(town).findings} == {"reserve_short"}


def test_what_was_released_is_taken_back_from_members_by_a_correction(town: Town) -> None:
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Bob")
    sign(town, alice.party)
    file = collected(town)
    bring(town, statement([batch(file), line(5_000, "don", DUE)]))
    until(town, RELEASED)
    release.release(town, towns.sure(town))
    towns.pay(town, alice, bob, 1_000)
    done = bring(town, statement([line(5_000, "don", DUE), line(100, "intérêts", DUE)]), corrected=True)
    assert done.stuck == []
    assert balances(town) == {
        "suspense": 5_100, "claims": 1_000, "circulation": 1_000, "guarantee": 1_000, "members": 1_000, BANK: 5_100,
    }  # fmt: skip
    assert states(town) == {"unpaid": 1}
    assert audit(town).clean


# --- suspended -------------------------------------------------------------------------------------------


def test_a_mandate_is_suspended_when_that_will_not_pass(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    _bob, other = sign(town, "Bob")
    file = collected(town)
    lines = [batch(file), debit(item_of(town, made), sign=-1, reason="AC04"),
             debit(item_of(town, other), sign=-1, reason="AM04")]  # fmt: skip
    bring(town, statement(lines))
    assert [(one.name, one.suspended_why) for one in review.review(town)] == [("Alice", "AC04")]
    assert review.review(town) == []
    assert [one.name for one in notices.give(town).notices] == ["Bob"]
    assert review.resume(town, model.find(town, made.id)).state == "active"
    assert review.review(town) == []
    assert [one.name for one in notices.give(town).notices] == ["Alice"]


def test_a_mandate_is_suspended_after_two_in_a_row(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    sign(town, "Bob")
    file = collected(town)
    bring(town, statement([batch(file), debit(item_of(town, made), sign=-1, reason="AM04")]))
    notices.give(town, "2025-08")
    until(town, date(2025, 7, 25))
    second, _new = collecting.collect(town)
    assert (second.month, second.collect_on, second.total) == ("2025-08", date(2025, 8, 5), 6_000)
    until(town, second.collect_on)
    back = debit(item_of(town, made), second.collect_on, -1, reason="AM04")
    brought(town, batch(second), back)
    assert [one.name for one in review.review(town)] == ["Alice"]
    notices.give(town)
    until(town, date(2025, 8, 25))
    assert collecting.collect(town)[0].total == 3_000


def test_a_mandate_that_was_not_used_for_36_months_lapses(town: Town) -> None:
    _alice, used = sign(town, "Alice")
    bring(town, statement([batch(collected(town))]))
    _bob, unused = sign(town, "Bob")
    notices.give(town, "2025-08")
    until(town, date(2025, 7, 25))
    collecting.withdraw(town, collecting.collect(town)[0])  # what no bank got is no use
    until(town, SIGNED + timedelta(days=register.LAPSE_DAYS))
    assert daily.run(town, towns.sure(town)).lapsed == []
    until(town, SIGNED + timedelta(days=register.LAPSE_DAYS + 1))
    assert (
        daily.run(town, towns.sure(town)).lapsed == [model.find(town, unused.id)]
        and model.find(town, unused.id).state == "ended"
    )
    until(town, DUE + timedelta(days=register.LAPSE_DAYS))
    assert daily.run(town, towns.sure(town)).is_nothing
    until(town, DUE + timedelta(days=register.LAPSE_DAYS + 1))
    assert [one.id for one in daily.run(town, towns.sure(town)).lapsed] == [used.id]
    with towns.nothing_moves(town):
        assert daily.run(town, towns.sure(town)).is_nothing
    assert audit(town).findings == []


# --- two at once -----------------------------------------------------------------------------------------


def give_up(town: Town, made: Mandate) -> None:
    collecting.withdraw(town, files.every(town)[0], fetched_too=True)


def end(town: Town, made: Mandate) -> None:
    register.end(town, made)


def refuse(town: Town, made: Mandate) -> None:
    """The bank says that it will not debit, which suspends the mandate."""
    rejecting.reject(town, item_of(town, made), reason="AC04")


@pytest.mark.parametrize(
    ("before", "action", "meanwhile", "code"),
    [
        ([], lambda town, made: rejecting.reject(town, item_of(town, made)), give_up, "collection_withdrawn"),
        ([refuse], lambda town, made: review.review(town), end, None),
        ([refuse], lambda town, made: review.review(town), give_up, None),
        ([refuse, lambda town, made: review.review(town)],
         lambda town, made: review.resume(town, model.find(town, made.id)), end, "mandate_ended"),
        ([], lambda town, made: brought(town, debit(item_of(town, made), sign=-1)), give_up, None),
    ],
    ids=["rejected", "suspended-ended", "suspended-given-up", "resumed-ended", "back-given-up"],
)  # fmt: skip
def test_what_changes_while_something_is_decided(
    town: Town, monkeypatch: pytest.MonkeyPatch, before: list[Any], action: Any, meanwhile: Any, code: str | None
) -> None:
    """What was read before the lock is looked at again under it: log and tables say the same."""
    _alice, made = sign(town, "Alice")
    collecting.fetch(town, collected(town))
    bring(town, statement([line(10_000, "?", day=DUE - timedelta(days=2))]))
    for step in before:
        step(town, made)
    post, last = Book.post, []

    def once(self: Book, *args: Any, **how: Any) -> Any:
        # The last instruction is the one that acts on what was decided: that of a bank line comes after its statement.
        if isinstance(args[0][0], Note) and args[0][0].kind == taking.KIND:
            return post(self, *args, **how)
        monkeypatch.setattr(Book, "post", post)
        last.append(meanwhile(town, made))
        return post(self, *args, **how)

    monkeypatch.setattr(Book, "post", once)
    if code:
        with pytest.raises(CurrencyError) as caught:
            action(town, made)
        assert caught.value.code == code
    else:
        action(town, made)
    assert last == [None]
    assert audit(town).findings == []
