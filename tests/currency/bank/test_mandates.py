"""Monthly top-ups: signed by a device or on paper, announced in time, collected once a month."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from ledger.currency import parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.mandates import collecting, files, model, notices, register, release
from ledger.currency.bank.mandates.model import terms
from ledger.currency.bank.mandates.tables import MANDATE_VERSION
from ledger.currency.bank.mandates.text import Content, mandate_text, older_text
from ledger.currency.charter import MandateRules
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.monthly import (
    DUE,
    MONTH,
    SIGNED,
    batch,
    brought,
    collected,
    debit,
    iban,
    item_of,
    sign,
    signed_by_many,
    until,
)
from tests.currency.bank.scene import IBAN, bring, opened, statement
from tests.towns import BANK


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home") as made:
        yield made


def refusal(call: Any, *given: Any, **more: Any) -> str:
    with pytest.raises(CurrencyError) as caught:
        call(*given, **more)
    return caught.value.code


# --- mandates --------------------------------------------------------------------------------------------


def test_a_device_signs_the_text_that_was_shown(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    id_, said = town.new_id(), terms(town)
    text = mandate_text("fr", said, Content(id_, "Alice", iban(1), 3_000, 1, SIGNED))
    good = proofs.sign_mandate(alice.key, said.network, text)
    values: dict[str, Any] = {"iban": iban(1), "amount": 3_000, "signed_on": SIGNED, "id_": id_, "by": "x"}
    for wrong in ({"amount": 9_000}, {"iban": iban(2)}, {"signed_on": SIGNED + timedelta(days=1)}):
        signature = register.Signature(alice.key.public, good, "fr")
        code = refusal(register.sign, town, alice.party, **{**values, **wrong}, signature=signature)
        assert code == "signature_invalid"
    with towns.nothing_moves(town):
        english = register.Signature(alice.key.public, good, "en")
        assert refusal(register.sign, town, alice.party, **values, signature=english) == "signature_invalid"
    made, new = register.sign(town, alice.party, **values, signature=register.Signature(alice.key.public, good, "fr"))
    assert new and made.id == id_ and made.state == "active"
    note = town.book.find(_id("mandate-signed", id_))
    assert note is not None and iban(1) not in str(note) and "Alice" not in str(note)
    assert note.instruction.evidence["amount"] == 3_000


def test_a_wallet_of_before_signs_the_older_text_and_check_reads_it(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    id_, said = town.new_id(), terms(town)
    text = older_text("fr", said, Content(id_, "Alice", iban(1), 3_000, 1, SIGNED))
    signature = register.Signature(alice.key.public, proofs.sign_mandate(alice.key, said.network, text), "fr")
    register.sign(town, alice.party, iban=iban(1), amount=3_000, signed_on=SIGNED, id_=id_, signature=signature)
    with town.reading() as connection:
        assert connection.execute(select(MANDATE_VERSION.c.text)).scalar_one() == text
    assert audit(town).findings == []


def _id(what: str, *parts: bytes | str) -> bytes:
    from ledger.core.ids import derived_id

    return derived_id(f"patard/{what}", *parts)


def test_a_party_has_one_mandate_that_lives(town: Town) -> None:
    party, made = sign(town, "Alice", number=1)
    again, new = register.sign(town, party, iban=iban(1), amount=3_000, signed_on=SIGNED)
    assert (again, new) == (made, False)
    assert refusal(register.sign, town, party, iban=iban(2), amount=3_000, signed_on=SIGNED) == "mandate_taken"
    assert register.end(town, made).state == "ended"
    register.end(town, made, by="another")
    other, new = register.sign(town, party, iban=iban(2), amount=3_000, signed_on=SIGNED)
    assert new and other.id != made.id


IMPOSSIBLE: list[tuple[dict[str, Any], str]] = [
    ({"iban": "FR1420041010050500013M02607"}, "iban_check"),
    ({"iban": IBAN}, "iban_own"),
    ({"iban": "FR76 3000 6000 0112 3456 7890 18"}, "iban_wrong"),
    ({"iban": "GE29NB0000000101904917"}, "iban_outside"),
    ({"holder": "ⴰⵍⵉⵙ"}, "text_malformed"),
    ({"holder": "A\nB"}, "text_malformed"),
    ({"amount": 0}, "amount_malformed"),
    ({"amount": 20_001}, "mandate_amount"),
    ({"signed_on": SIGNED + timedelta(days=2)}, "mandate_date"),
    ({"signed_on": date(2022, 6, 14)}, "mandate_date"),
    ({"id_": bytes(15) + b"1"}, "id_reserved"),
]


def test_mandates_that_cannot_be(tmp_path: Path) -> None:
    rules = MandateRules(creditor_id="FR72ZZZ123456", account=BANK, per_month=20_000)
    with opened(tmp_path / "home", mandates=rules) as town:
        party = parties.admit(town, "person", "Alice")
        for changes, code in IMPOSSIBLE:
            values: dict[str, Any] = {"iban": iban(1), "amount": 20_000, "signed_on": SIGNED, **changes}
            with towns.nothing_moves(town):
                assert refusal(register.sign, town, party, **values) == code, changes


def test_a_currency_without_mandates_has_none(tmp_path: Path) -> None:
    with opened(tmp_path / "home", mandates=None) as town:
        party = parties.admit(town, "person", "Alice")
        for call in (lambda: sign(town, "Bob"), lambda: notices.give(town), lambda: collecting.collect(town)):
            assert refusal(call) == "mandate_unavailable"
        assert (release.release(town, towns.sure(town)).debits, model.live(town, party.account)) == (0, None)


def test_an_amount_is_changed_by_the_next_version(town: Town) -> None:
    _party, made = sign(town, "Alice")
    changed, new = register.change(town, made, 4_500, version=2, signed_on=SIGNED)
    assert new and (changed.amount, changed.version) == (4_500, 2)
    assert register.change(town, made, 4_500, version=2, signed_on=SIGNED) == (changed, False)
    for version in (1, 2, 4):
        assert refusal(register.change, town, made, 9_900, version=version, signed_on=SIGNED) == "mandate_version"
    register.end(town, made)
    assert refusal(register.change, town, made, 9_900, version=3, signed_on=SIGNED) == "mandate_ended"


def test_a_party_is_not_closed_while_euros_are_on_their_way(town: Town) -> None:
    party, made = sign(town, "Alice")
    assert refusal(parties.close, town, party) == "mandate_open"
    file = collected(town)
    register.end(town, made)
    assert refusal(parties.close, town, party) == "mandate_open"
    bring(town, statement([batch(file)]))
    assert refusal(parties.close, town, party) == "mandate_open"
    until(town, DUE + timedelta(days=1))
    brought(town, debit(item_of(town, made), DUE + timedelta(days=1), -1))
    parties.close(town, party)


# --- notices ---------------------------------------------------------------------------------------------


def test_everybody_is_told_once_a_month(town: Town) -> None:
    sign(town, "Alice"), sign(town, "Bob", 1_000)
    first = notices.give(town)
    assert (first.month, first.due_on, first.last_day) == (MONTH, DUE, date(2025, 6, 23))
    assert [(one.name, one.amount) for one in first.notices] == [("Alice", 3_000), ("Bob", 1_000)]
    assert "30,00 euros seront prélevés le 07/07/2025" in notices.letter("fr", terms(town), first.notices[0])
    with towns.nothing_moves(town):
        assert notices.give(town).notices == []
    assert notices.given(town, MONTH) == first
    sign(town, "Chloé")
    assert [one.name for one in notices.give(town).notices] == ["Chloé"]


def test_who_was_not_told_in_time_is_not_debited(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    sign(town, "Bob")
    notices.give(town)
    until(town, date(2025, 6, 24))
    register.change(town, made, 4_500, version=2, signed_on=date(2025, 6, 24))
    sign(town, "Chloé")
    assert refusal(notices.give, town, MONTH) == "notice_late"
    assert [one.name for one in notices.give(town).notices] == ["Alice", "Bob", "Chloé"]
    file, _new = collecting.collect(town)
    assert (file.month, file.total, file.debits) == (MONTH, 3_000, 1)


def test_a_new_amount_is_told_anew_while_there_is_time(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    notices.give(town)
    register.change(town, made, 4_500, version=2, signed_on=SIGNED)
    assert [one.amount for one in notices.give(town).notices] == [4_500]
    assert [one.amount for one in notices.given(town, MONTH).notices] == [4_500]
    assert collected(town).total == 4_500


def test_a_month_that_nobody_was_told_of_is_said_to_be_lost(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    assert notices.missed(town) == []
    until(town, date(2025, 6, 24))
    assert notices.missed(town) == [MONTH]
    assert notices.give(town).month == "2025-08"
    with pytest.raises(CurrencyError, match=r"by 2025-06-23: the next month that can be told is 2025-08"):
        collecting.collect(town, month=MONTH)
    register.end(town, made)
    assert notices.missed(town) == []


# --- collecting ------------------------------------------------------------------------------------------


def test_a_month_is_collected_once(town: Town) -> None:
    sign(town, "Alice")
    file = collected(town)
    for by in ("console", "somebody else"):
        assert collecting.collect(town, month=MONTH, by=by) == (file, False)
    data = collecting.fetch(town, file)
    assert data == collecting.fetch(town, file, again=True)
    assert refusal(collecting.fetch, town, file, by="somebody else") == "collection_fetched"
    assert file.message.encode() in data and b"<SeqTp>RCUR</SeqTp>" in data


def test_when_a_file_can_be_made(town: Town) -> None:
    assert refusal(collecting.collect, town) == "collection_none"
    _alice, made = sign(town, "Alice")
    notices.give(town)
    assert refusal(collecting.collect, town) == "collection_early"
    until(town, date(2025, 6, 24))
    for day in (date(2025, 7, 5), date(2025, 7, 6), date(2025, 7, 12)):
        assert refusal(collecting.collect, town, on=day) == "collection_date"
    until(town, date(2025, 7, 11))
    # Late: the bank gets it on a Friday and can debit on Monday.
    assert refusal(collecting.collect, town, on=date(2025, 7, 11)) == "collection_date"
    register.end(town, made)
    assert refusal(collecting.collect, town) == "collection_none"
    sign(town, "Bob")
    with towns.nothing_moves(town):
        assert refusal(collecting.collect, town, month=MONTH) == "collection_none"


def test_a_late_file_is_debited_on_the_next_day_that_banks_work(town: Town) -> None:
    sign(town, "Alice")
    notices.give(town)
    until(town, date(2025, 7, 11))
    assert collecting.collect(town)[0].collect_on == date(2025, 7, 14)


def test_a_file_that_is_too_late_is_none(town: Town) -> None:
    sign(town, "Alice")
    notices.give(town)
    until(town, date(2025, 7, 17))
    assert refusal(collecting.collect, town, month=MONTH) == "collection_date"
    assert refusal(collecting.collect, town) == "collection_none"
    notices.give(town)
    until(town, date(2025, 7, 23))
    assert refusal(collecting.collect, town, on=date(2025, 8, 18)) == "collection_date"
    assert collecting.collect(town)[0].collect_on == date(2025, 8, 5)


def test_a_day_that_slips_into_the_next_month(tmp_path: Path) -> None:
    """The 28th of February 2026 is a Saturday."""
    rules = MandateRules(creditor_id="FR72ZZZ123456", account=BANK, day=28)
    with opened(tmp_path / "home", mandates=rules) as town:
        until(town, date(2026, 2, 1))
        party = parties.admit(town, "person", "Alice")
        register.sign(town, party, iban=iban(1), amount=3_000, signed_on=date(2026, 2, 1))
        assert notices.give(town).due_on == date(2026, 3, 2)
        until(town, date(2026, 3, 1))
        made, _new = collecting.collect(town)
        assert (made.month, made.collect_on) == ("2026-02", date(2026, 3, 2))
        assert refusal(collecting.collect, town) == "collection_none"


def test_a_file_that_the_bank_refused_is_withdrawn_and_made_anew(town: Town) -> None:
    _alice, made = sign(town, "Alice")
    file = collected(town, date(2025, 6, 24))
    collecting.fetch(town, file)
    assert refusal(collecting.withdraw, town, file) == "collection_fetched"
    gone = collecting.withdraw(town, file, fetched_too=True)
    assert gone.state == "withdrawn" and collecting.withdraw(town, gone) == gone
    assert refusal(collecting.fetch, town, file) == "collection_withdrawn"
    again, new = collecting.collect(town)
    assert new and again.id != file.id and again.attempt == 2
    until(town, DUE)
    bring(town, statement([batch(again)]))
    assert refusal(collecting.withdraw, town, again, fetched_too=True) == "collection_begun"
    assert item_of(town, made).collection == again.id


def test_a_file_made_in_between_is_the_file(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody saw no file of the month, and looks at its members once somebody else has made it."""
    sign(town, "Alice")
    notices.give(town)
    until(town, date(2025, 6, 24))
    first: list[files.Collection] = []
    day_of = collecting._collection_day

    def meanwhile(*args: Any) -> date:
        monkeypatch.undo()
        first.append(collecting.collect(town, by="one")[0])
        return day_of(*args)

    monkeypatch.setattr(collecting, "_collection_day", meanwhile)
    assert collecting.collect(town, by="two") == (first[0], False)
    assert len(files.every(town)) == 1


def test_a_file_made_between_two_looks_is_the_file(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look saw no file, the next one counts it: no database promises that both see the same."""
    sign(town, "Alice")
    notices.give(town)
    until(town, date(2025, 6, 24))
    first: list[files.Collection] = []
    told = notices.collectable

    def meanwhile(connection: Any, month: str) -> Any:
        monkeypatch.undo()
        first.append(collecting.collect(town)[0])
        return told(connection, month)

    monkeypatch.setattr(notices, "collectable", meanwhile)
    assert collecting.collect(town, month=MONTH) == (first[0], False)
    assert len(files.every(town)) == 1 and audit(town).findings == []


def test_two_at_once_make_one_file(town: Town) -> None:
    signed_by_many(town, [1_000] * 40)
    notices.give(town)
    until(town, date(2025, 6, 24))
    made: list[Any] = []
    threads = [
        threading.Thread(target=lambda by=by: made.append(collecting.collect(town, by=by))) for by in ("one", "two")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [new for _file, new in sorted(made, key=lambda item: item[1])] == [False, True]
    assert made[0][0] == made[1][0]
    assert len(files.every(town)) == 1
