"""Direct debits: brought by the bank however it tells of them, released after the delay, whatever happens meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, matching, suspense
from ledger.currency.bank.mandates import collecting, index, notices, rejecting, release, review
from ledger.currency.bank.payouts import answers
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind, StatementError
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import (
    DUE,
    MONTH,
    RELEASED,
    batch,
    brought,
    collected,
    debit,
    item_of,
    items,
    sign,
    signed_by_many,
    states,
    until,
)
from tests.currency.bank.scene import balances, bring, line, opened, statement
from tests.towns import BANK


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


@pytest.fixture(params=["sqlite", "postgres"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """A town on each of the databases: they lock in ways of their own."""
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with opened(tmp_path / "home", url) as made:
        yield made


# --- the bank --------------------------------------------------------------------------------------------


def test_three_thousand_in_one_batch(town: Town) -> None:
    signed_by_many(town, [1_000 + number % 7 * 500 for number in range(3_000)])
    file = collected(town)
    assert file.debits == 3_000
    done = bring(town, statement([batch(file)]))
    assert done.kinds == {"bank_collection": 1}
    held = {"circulation": file.total, "guarantee": file.total, BANK: file.total}
    assert balances(town) == {**held, "maturing": file.total}
    until(town, RELEASED - timedelta(days=1))
    assert release.release(town, towns.sure(town)).debits == 0
    until(town, RELEASED)
    assert release.release(town, towns.sure(town))[:2] == (3_000, file.total)
    assert balances(town) == {**held, "members": file.total}
    with towns.nothing_moves(town):
        assert release.release(town, towns.sure(town)).debits == 0


@pytest.mark.parametrize("how", ["reference", "text", "parts", "one by one", "by mandate"])
def test_a_bank_tells_of_a_file_in_its_own_way(town: Town, how: str) -> None:
    mandates = [sign(town, name, 1_000 * place)[1] for place, name in enumerate(("Alice", "Bob", "Chloé"), 1)]
    file = collected(town)
    debits = [debit(item_of(town, one)) for one in mandates]
    code = town.charter.code
    by_mandate = [replace(d, end_to_end="", text=f"{code}-{m.reference}".lower()) for d, m in
                  zip(debits, mandates, strict=True)]  # fmt: skip
    lines = {
        "reference": [batch(file)],
        "text": [batch(file, end_to_end="", name=f"REM {file.reference[:5]} {file.reference[5:]}")],
        "parts": [batch(file, end_to_end="", parts=tuple(debits))],
        "one by one": debits,
        "by mandate": by_mandate,
    }[how]
    done = bring(town, statement(lines))
    assert done.kinds == {"bank_collection": len(lines)}
    assert balances(town)["maturing"] == 6_000
    assert states(town) == {"maturing": 3}
    until(town, RELEASED)
    release.release(town, towns.sure(town))
    assert [town.book.balance(one.account) for one in mandates] == [1_000, 2_000, 3_000]
    assert audit(town).clean


def test_a_batch_net_of_what_was_rejected_is_told_by_its_parts(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob", "Chloé")]
    file = collected(town)
    alice, bob, chloe = (item_of(town, one) for one in mandates)
    parts = (debit(alice), debit(bob), debit(chloe), debit(bob, sign=-1, reason="AM04"))
    net = line(6_000, "REMISE", DUE, kind=LineKind.DEBIT, end_to_end=file.message, parts=parts)
    assert bring(town, statement([net])).kinds == {"bank_collection": 1}
    assert balances(town) == {"circulation": 6_000, "guarantee": 6_000, BANK: 6_000, "maturing": 6_000}
    assert [one.state for one in items(town)] == ["maturing", "unpaid", "maturing"]
    assert item_of(town, mandates[1]).unpaid_reason == "AM04"


def test_a_batch_without_one_of_its_debits_waits_for_that(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob", "Chloé")]
    collected(town)
    alice, bob, chloe = (item_of(town, one) for one in mandates)
    some = line(6_000, "REMISE", DUE, kind=LineKind.DEBIT, parts=(debit(alice), debit(chloe)))
    bring(town, statement([some]))
    assert [one.state for one in items(town)] == ["maturing", "ordered", "maturing"]
    brought(town, debit(bob))
    assert states(town) == {"maturing": 3}


def test_a_difference_that_nobody_explains_is_for_a_person(town: Town) -> None:
    mandates = [sign(town, name, amount)[1] for name, amount in (("Alice", 3_000), ("Bob", 200))]
    file = collected(town)
    short = replace(batch(file), amount=3_000)
    assert bring(town, statement([short])).kinds == {"bank_suspense": 1}
    [waits] = suspense.open_lines(town)
    [proposal] = [one for one in waits.proposals if one.decision.way is Way.DEBITS]
    assert [reason.facts for reason in proposal.reasons] == [{"name": MONTH, "cents": 3_200}]
    with pytest.raises(CurrencyError, match="patard mandate reject"):
        suspense.place(town, waits.line.id, proposal.decision)
    rejecting.reject(town, item_of(town, mandates[1]), reason="AC04")
    suspense.place(town, waits.line.id, proposal.decision)
    assert states(town) == {"maturing": 1, "unpaid": 1}
    assert balances(town) == {"circulation": 3_000, "guarantee": 3_000, BANK: 3_000, "maturing": 3_000}
    suspense.put_back(town, waits.line.id)
    assert (states(town), balances(town)) == ({"ordered": 1, "unpaid": 1}, {"suspense": 3_000, BANK: 3_000})
    suspense.place(town, waits.line.id, proposal.decision)
    until(town, RELEASED)
    assert release.release(town, towns.sure(town)).debits == 1
    with pytest.raises(CurrencyError, match="released"):
        suspense.put_back(town, waits.line.id)
    assert audit(town).clean


def test_a_return_that_names_nothing_is_for_a_person(town: Town) -> None:
    alice = towns.member(town, "person", "Alice Martin")
    _party, made = sign(town, alice.party)
    sign(town, "Bob")
    file = collected(town)
    bring(town, statement([batch(file)]))
    until(town, RELEASED)
    release.release(town, towns.sure(town))
    towns.pay(town, alice, towns.member(town, "shop", "Épicerie"), 1_000)
    brought(town, line(-3_000, "IMPAYE ALICE MARTIN", RELEASED, kind=LineKind.RETURN))
    [waits] = suspense.open_lines(town)
    first = waits.proposals[0]
    assert first.decision == Decision(way=Way.DEBITS, other=item_of(town, made).id)
    suspense.place(town, waits.line.id, first.decision)
    assert (balances(town)["claims"], item_of(town, made).claim) == (1_000, 1_000)
    assert audit(town).clean
    suspense.put_back(town, waits.line.id)
    assert (balances(town).get("claims"), item_of(town, made).state) == (None, "released")
    suspense.place(town, waits.line.id, first.decision)
    assert (balances(town)["claims"], item_of(town, made).claim) == (1_000, 1_000)
    assert audit(town).clean


def test_a_batch_net_of_what_the_bank_said_it_rejects(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob", "Chloé")]
    file = collected(town)
    bob = item_of(town, mandates[1])
    told = rejecting.take(town, file.message, [(bob.reference.lower(), "AC04"), ("nobody's", "AC04")])
    assert told is not None and [one.id for one in told.rejected] == [bob.id]
    assert [code for _reference, code, _detail in told.left] == ["not_found"]
    assert rejecting.take(town, "another file", []) is None
    assert rejecting.reject(town, bob, by="another").state == "unpaid"
    assert [one.name for one in review.review(town)] == ["Bob"]
    net = replace(batch(file), amount=6_000)
    assert bring(town, statement([net])).kinds == {"bank_collection": 1}
    assert [one.state for one in items(town)] == ["maturing", "unpaid", "maturing"]
    with pytest.raises(CurrencyError, match="a statement says already"):
        rejecting.reject(town, item_of(town, mandates[0]))
    assert audit(town).clean


def answer(message: str, *rejected: tuple[str, str], refused: str = "") -> bytes:
    """A bank's answer to a file (pain.002)."""
    status = "RJCT" if refused else "PART"
    why = f"<StsRsnInf><Rsn><Cd>{refused}</Cd></Rsn></StsRsnInf>" if refused else ""
    each = "".join(
        f"<TxInfAndSts><OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>RJCT</TxSts>"
        f"<StsRsnInf><Rsn><Cd>{reason}</Cd></Rsn></StsRsnInf></TxInfAndSts>"
        for reference, reason in rejected
    )
    return (
        '<?xml version="1.0"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt>'
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId><GrpSts>{status}</GrpSts>{why}</OrgnlGrpInfAndSts>"
        f"<OrgnlPmtInfAndSts>{each}</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>"
    ).encode()


def test_the_banks_answer_to_a_file(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob")]
    file = collected(town)
    alice = item_of(town, mandates[0])
    done = answers.take(town, answers.read(answer(file.message, (alice.reference, "MD01"))))
    assert ([one.reference for one in done.debits], done.left) == ([alice.reference], [])
    assert item_of(town, mandates[0]).unpaid_reason == "MD01"
    whole = answers.take(town, answers.read(answer(file.message, refused="RC01")))
    assert "patard mandate withdraw 1 --refused" in whole.left[0].detail
    with pytest.raises(StatementError, match="none of ours"):
        answers.take(town, answers.read(answer("another", refused="RC01")))


def test_a_statement_knows_better_than_a_rejection(town: Town) -> None:
    mandates = [sign(town, name)[1] for name in ("Alice", "Bob")]
    file = collected(town)
    rejecting.reject(town, item_of(town, mandates[1]))
    bring(town, statement([batch(file)]))
    assert states(town) == {"maturing": 2}
    until(town, RELEASED)
    assert release.release(town, towns.sure(town)).debits == 2
    assert audit(town).clean


def test_nothing_is_brought_twice(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    file = collected(town)
    once = statement([batch(file)])
    bring(town, once)
    again = [batch(file, bank_ref="other"), debit(item_of(town, made), text="again")]
    assert bring(town, once).kinds == {}
    assert brought(town, *again).kinds == {"bank_suspense": 2}
    assert balances(town)["maturing"] == 3_000


# --- whatever happens in between -------------------------------------------------------------------------


def test_release_goes_on_where_it_stopped(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_by_many(town, [1_000] * 25)
    bring(town, statement([batch(collected(town))]))
    until(town, RELEASED)
    monkeypatch.setattr(release, "BATCH", 10)
    real = release._post

    def stop(*given: Any) -> Any:
        done = real(*given)
        if states(town)["released"] == 20:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(release, "_post", stop)
    with pytest.raises(KeyboardInterrupt):
        release.release(town, towns.sure(town))
    assert states(town) == {"released": 20, "maturing": 5}
    monkeypatch.undo()
    assert release.release(town, towns.sure(town)).debits == 5
    assert balances(town)["members"] == 25_000


def test_one_that_comes_back_while_it_is_released_is_not(either: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its return is booked between the release's look and its commit; and the other way round."""
    town = either
    mandates = signed_by_many(town, [1_000] * 3)
    bring(town, statement([batch(collected(town))]))
    until(town, RELEASED)
    first, second = item_of(town, mandates[0]), item_of(town, mandates[1])
    real_post, real_find = release._post, matching.find

    def returned_meanwhile(*given: Any) -> Any:
        monkeypatch.setattr(release, "_post", real_post)
        brought(town, debit(first, RELEASED, -1))
        return real_post(*given)

    monkeypatch.setattr(release, "_post", returned_meanwhile)
    assert release.release(town, towns.sure(town)).debits == 2
    assert states(town) == {"released": 2, "unpaid": 1}
    assert balances(town) == {"circulation": 2_000, "guarantee": 2_000, BANK: 2_000, "members": 2_000}

    due = {}
    for month, day in (("2025-10", date(2025, 9, 25)), ("2025-11", date(2025, 10, 25))):
        notices.give(town, month)
        until(town, day)
        due[month], _new = collecting.collect(town, month=month)
        until(town, due[month].collect_on)
        brought(town, batch(due[month]))
    # November's still mature when October's are released.
    file = due["2025-10"]
    until(town, file.collect_on + timedelta(days=56))
    second = next(one for one in items(town) if one.collection == file.id and one.mandate == mandates[1].id)

    def released_meanwhile(*given: Any) -> Any:
        found = real_find(*given)
        monkeypatch.setattr(matching, "find", real_find)
        release.release(town, towns.sure(town))
        return found

    monkeypatch.setattr(matching, "find", released_meanwhile)
    back = debit(second, file.collect_on + timedelta(days=56), -1)
    assert brought(town, back).kinds == {"bank_collection_unpaid": 1}
    [taken] = [one for one in items(town) if one.id == second.id]
    assert (taken.state, taken.claim, town.book.balance(second.account)) == ("unpaid", 0, 1_000)
    assert balances(town)["maturing"] == due["2025-11"].total
    assert audit(town).clean


def test_two_that_release_at_once(either: Town) -> None:
    town = either
    signed_by_many(town, [1_000] * 60)
    bring(town, statement([batch(collected(town))]))
    until(town, RELEASED)
    done: list[release.Released] = []
    threads = [
        threading.Thread(target=lambda by=by: done.append(release.release(town, towns.sure(town), by)))
        for by in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(one.debits for one in done) >= 60 and balances(town)["members"] == 60_000
    assert states(town) == {"released": 60}


def test_a_batch_is_booked_again_after_a_kill(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The index is written in the commit of the entry: killed before it, neither stands."""
    sign(town, "Alice")
    file = collected(town)

    def killed(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(index, "_brought", killed)
    with pytest.raises(KeyboardInterrupt):
        bring(town, statement([batch(file)]))
    assert (states(town), balances(town)) == ({"ordered": 1}, {})
    monkeypatch.undo()
    assert booking.book(town).kinds == {"bank_collection": 1}
    assert states(town) == {"maturing": 1}
