"""The last gate: what leaves for the bank is what people were shown and signed, whatever stands in the tables.

Each row of an attacker with full rights on the database: plain SQL, then the desk is asked and `check` is run; the
numbers are those of the table in the docs. One person who tries to be two: see `test_gate_people.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.core.model import Note
from ledger.currency import chartered, parties, proofs
from ledger.currency.bank import details
from ledger.currency.bank.mandates import collecting, files, model, notices, register
from ledger.currency.bank.mandates.proven import proven
from ledger.currency.bank.payouts import approval, batches, contents, index, noted
from ledger.currency.bank.payouts.approval import signing_id
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.conftest import paying, paying_home  # noqa: F401 (fixtures)
from tests.currency.bank.monthly import SIGNED, collected, iban, until
from tests.currency.bank.monthly import sign as sign_mandate
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept, debit, sent, settle, sign, treasurer
from tests.currency.bank.scene import bring, opened, statement
from tests.threats.gate import NEXT, big, edit, finds, refused, stolen
from tests.towns import BANK


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town3]:
    """A town that pays its shops, on either database; the log names the machine's key."""
    if request.param == "sqlite":
        made: Town3 = request.getfixturevalue("paying")
        assert chartered.machine_since(made.town) == 1
        yield made
        return
    with opened(tmp_path / "postgres", request.getfixturevalue("fresh_postgres")) as town:
        assert chartered.machine_since(town) == 1
        yield settle(town)


# --- payout files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash_too", [False, True], ids=["row 19", "row 20"])
def test_bytes_changed_after_two_people_signed(gate: Town3, hash_too: bool) -> None:
    town, batch = gate.town, big(gate)
    for key in (gate.alice, gate.bob):
        sign(town, batch, key)
    data = stolen(batches.content(town, batch))
    edit(town, "UPDATE payout_batch SET file = :file", file=data)
    if hash_too:
        edit(town, "UPDATE payout_batch SET sha256 = :hash", hash=sha256(data).digest())
    for again in (False, True):
        code, said = refused(batches.fetch, town, batches.find(town, "1"), again=again)
        assert code == "payouts_changed"
        assert said.startswith("the stored file is not the one that was ordered and signed") and "withdraw 1`" in said
    finds(town, "payout_file_changed", "the stored file 1 is not the one that was ordered and signed")
    if hash_too:
        finds(town, "payout_unlogged", "number, day, sums, people or hash of file 1 are others in the tables")
    # What to do: give it up, and order anew.
    batches.withdraw(town, batches.find(town, "1"))
    assert batches.order(town).total == batch.total


@pytest.mark.parametrize("hash_too", [False, True])
def test_bytes_changed_before_they_sign(gate: Town3, hash_too: bool) -> None:
    """The list that they were shown untouched: nobody signs, nor is shown, what was not ordered."""
    town, batch = gate.town, big(gate)
    data = stolen(batches.content(town, batch))
    edit(town, "UPDATE payout_batch SET file = :file", file=data)
    if hash_too:
        edit(town, "UPDATE payout_batch SET sha256 = :hash", hash=sha256(data).digest())
    forged = batch._replace(sha256=sha256(data).digest())
    network = town.charter.network
    signature = proofs.sign_payouts(gate.alice, network, batch.id, forged.sha256, batch.total, batch.transfers)
    assert refused(approval.sign, town, forged, parties.device(town, gate.alice.public), signature)[0] == (
        "payouts_changed"
    )
    for call in (batches.content, lambda town, batch: contents.transfers_of(town, batch.id)):
        assert refused(call, town, batch)[0] == "payouts_changed"
    finds(town, "payout_file_changed", "the stored file 1 is not the one that was ordered and signed")


def test_row_21_never_paid_to_before(gate: Town3) -> None:
    """An account that was never paid to is new, whatever the rows of an old file say."""
    town = gate.town
    payout = accept(town, gate.shops[0], 10_000)
    sent(gate)
    bring(town, statement([debit(payout, NEXT)], town.book.balance(town.chart.reserve[BANK])))
    details.put(town, gate.shops[0].party, "BE71096123456769")
    edit(town, "UPDATE payout_order SET iban = 'BE71096123456769'")
    accept(town, gate.shops[0], 10_000)
    [one] = contents.transfers_of(town, batches.order(town).id)
    assert (one.iban, one.is_new) == ("BE71096123456769", True)
    finds(town, "payout_order_changed", "file 1 pays to other names or IBANs than the tables say that it does")


@pytest.mark.parametrize("whose", ["holder", "paid_by"])
def test_an_account_that_somebody_else_was_paid_to_is_new(gate: Town3, whose: str) -> None:
    """The rows that say who was paid, or that it was paid, are believed for nothing either."""
    town = gate.town
    other = accept(town, gate.shops[1], 10_000)
    sent(gate)
    if whose == "holder":
        bring(town, statement([debit(other, NEXT)], town.book.balance(town.chart.reserve[BANK])))
        edit(town, "UPDATE payout SET holder = :holder", holder=gate.shops[0].account)
        details.put(town, gate.shops[0].party, SHOP_IBANS[1])
        accept(town, gate.shops[0], 10_000)
    else:
        edit(town, "UPDATE payout SET paid_by = :entry", entry=other.reconversion)
        accept(town, gate.shops[1], 10_000)
    assert [one.is_new for one in contents.transfers_of(town, batches.order(town).id)] == [True]
    finds(town, "payout_unlogged", "the payout of entry" if whose == "holder" else "what became of the payout")


def test_row_27_signatures_slipped_in(gate: Town3) -> None:
    town, batch = gate.town, big(gate)
    for key in (gate.alice, gate.bob):
        edit(
            town, "INSERT INTO payout_signature (batch, key, person, signed_at) VALUES (:batch, :key, NULL, 1)",
            batch=batch.id, key=key.public,
        )  # fmt: skip
    found = batches.find(town, "1")
    assert (found.state, found.signatures, found.signed) == ("ordered", (), 0)
    code, said = refused(batches.fetch, town, batch)
    assert code == "payouts_unsigned" and said.startswith("people who have to sign this file: 2; who have: 0.")
    finds(town, "payout_unlogged", f"the signature of key {gate.alice.public.hex()[:16]} is in the log or in the table")


def test_a_signature_in_the_log_that_is_none(gate: Town3) -> None:
    """A note that somebody signed, with rows to it, is no signature unless the key made it over this file."""
    town, batch = gate.town, big(gate)
    for key in (gate.alice, gate.bob):
        evidence = {"batch": batch.id.hex(), "key": key.public.hex(), "signature": "ab" * 64}
        town.post(Note(signing_id(batch.id, key.public), index.SIGNED, evidence))
        edit(
            town, "INSERT INTO payout_signature (batch, key, person, signed_at) VALUES (:batch, :key, NULL, 1)",
            batch=batch.id, key=key.public,
        )  # fmt: skip
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"
    finds(town, "signature_invalid", "the signature is not the key's over this file")


@pytest.mark.parametrize(
    ("edits", "signers", "code"),
    [("people = 1", 1, "payouts_unsigned"), ("people = 0", 0, "payouts_unsigned"),
     ("withdrawn_at = NULL, withdrawn_by = NULL", 2, "payouts_withdrawn"),
     ("fetched_at = NULL, fetched_by = NULL", 2, "payouts_fetched")],
)  # fmt: skip
def test_the_row_of_a_file_decides_nothing(gate: Town3, edits: str, signers: int, code: str) -> None:
    town, batch = gate.town, big(gate)
    for key in (gate.alice, gate.bob)[:signers]:
        sign(town, batch, key)
    if code == "payouts_fetched":
        batches.fetch(town, batch)
    if code == "payouts_withdrawn":
        batches.withdraw(town, batch)
    edit(town, f"UPDATE payout_batch SET {edits}")
    for by in ("console", gate.alice.public.hex()):
        assert refused(batches.fetch, town, batches.find(town, "1"), by=by)[0] == code


def test_sums_in_the_row_are_not_what_is_signed(gate: Town3) -> None:
    town, batch = gate.town, big(gate)
    edit(town, "UPDATE payout_batch SET total = 1, transfers = 7, requested_on = '2020-01-01', number = 9")
    found = batches.find(town, "1")
    assert (found.total, found.transfers, found.requested_on) == (batch.total, 1, batch.requested_on)
    sign(town, batch, gate.alice)
    finds(town, "payout_unlogged", "number, day, sums, people or hash of file 1 are others in the tables")


def test_a_file_slipped_into_the_tables(gate: Town3) -> None:
    """A row and its bytes, which the log never ordered, are no file."""
    town, batch = gate.town, big(gate)
    edit(
        town, "INSERT INTO payout_batch SELECT :id, seq + 1, number + 1, reserve, message, reference, requested_on, "
        "total, transfers, 1, sha256, file, made_at, made_by, NULL, NULL, NULL, NULL FROM payout_batch",
        id=noted.batch_id(town.charter.network, 2),
    )  # fmt: skip
    assert [one.number for one in batches.every(town)] == [1]
    assert refused(batches.find, town, "2")[0] == "not_found"
    finds(town, "payout_unlogged", "stands in the tables and was never ordered in the log")
    assert batch.number == 1


def test_row_33_a_person_behind_a_key_changed(gate: Town3) -> None:
    town = gate.town
    phone = treasurer(town, gate.office, "Alice", "Alice's phone")
    batch, bob = big(gate), parties.named(town, "Bob")
    edit(town, "UPDATE key_person SET person = :bob WHERE key = :key", bob=bob.account, key=phone.public)
    sign(town, batch, gate.alice)
    code, said = refused(sign, town, batch, phone)
    assert (code, said) == (
        "signature_same_person", "Alice signed this file before, with another key: another person signs"
    )  # fmt: skip
    finds(
        town, "person_wrong", f"key {phone.public.hex()[:16]} is held by another person in the tables than in the log"
    )


# --- debits ------------------------------------------------------------------------------------------------

MANDATE_EDITS = {
    "iban": ("UPDATE mandate SET iban = :thief", "holder or IBAN of mandate"),
    "iban and text": (
        "UPDATE mandate_version SET text = replace(text, (SELECT iban FROM mandate), :thief); "
        "UPDATE mandate SET iban = :thief",
        "is not the one that was signed",
    ),
    "holder": ("UPDATE mandate SET holder = 'Somebody else'", "holder or IBAN of mandate"),
    "day": ("UPDATE mandate SET signed_on = '2024-01-01'", "amount or day of mandate"),
    "text": ("UPDATE mandate_version SET text = replace(text, '30,00', '39,00')", "is not the one that was signed"),
    "text and salt": ("UPDATE mandate_version SET text = '', salt = salt", "is not there any more"),
    "gone": ("UPDATE mandate SET iban = :thief; DELETE FROM mandate_version", "is not there any more"),
}


@pytest.mark.parametrize("what", MANDATE_EDITS)
@pytest.mark.parametrize("paper", [True, False], ids=["paper", "device"])
def test_row_29_whom_the_next_file_debits(gate: Town3, what: str, paper: bool) -> None:
    town = gate.town
    member = towns.member(town, "person", "Zoé")
    if paper:
        _party, mandate = sign_mandate(town, member.party)
    else:
        mandate = by_device(town, member)
    notices.give(town)
    until(town, date(2025, 6, 24))
    sql, sentence = MANDATE_EDITS[what]
    for one in sql.split("; "):
        edit(town, one, **({"thief": iban(7)} if ":thief" in one else {}))
    code, said = refused(collecting.collect, town)
    assert code == "mandate_changed" and said.startswith(f"mandate {mandate.reference} of Zoé: ")
    assert files.every(town) == []
    changed = model.find(town, mandate.id)
    assert refused(register.change, town, changed, 1_000, version=2, signed_on=SIGNED)[0] == "mandate_changed"
    codes = {"is not there any more": "mandate_text_gone", "is not the one that was signed": "mandate_text_changed"}
    finds(town, codes.get(sentence, "mandate_differs"), sentence)


def by_device(town: Town, member: towns.Member) -> model.Mandate:
    """A mandate that a member's device signed."""
    from ledger.currency.bank.mandates.text import Content, mandate_text

    content = Content(town.new_id(), member.party.name, iban(1), 3_000, 1, SIGNED)
    signature = proofs.sign_mandate(
        member.key, town.charter.network, mandate_text("fr", model.terms(town), content)
    )  # fmt: skip
    made, _new = register.sign(
        town, member.party, iban=content.iban, amount=3_000, signed_on=SIGNED, id_=content.id,
        signature=register.Signature(member.key.public, signature, "fr"), by=member.key.public.hex(),
    )  # fmt: skip
    return made


def test_a_file_that_debited_another_account(gate: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    """The column put back after the month's file was made with it: its bytes still say whom it debits."""
    town = gate.town
    sign_mandate(town, "Zoé")

    def cheated(*args: Any) -> Any:
        return {id_: one._replace(iban=iban(7)) for id_, one in proven(*args).items()}

    monkeypatch.setattr(collecting, "proven", cheated)
    collected(town)
    finds(town, "collection_unsigned", "another account than the mandate that was signed names")


@pytest.mark.parametrize("hash_too", [False, True])
def test_row_30_a_collection_changed_before_it_is_fetched(gate: Town3, hash_too: bool) -> None:
    town = gate.town
    sign_mandate(town, "Zoé", number=1)
    made = collected(town)
    with town.reading() as connection:
        data = files.content(connection, made).replace(iban(1).encode(), iban(7).encode())
    edit(town, "UPDATE collection SET file = :file", file=data)
    if hash_too:
        edit(town, "UPDATE collection SET sha256 = :hash", hash=sha256(data).digest())
    code, said = refused(collecting.fetch, town, files.find(town, "1"))
    assert code == "collection_changed" and "patard mandate withdraw 1" in said
    finds(town, "collection_file_changed", "the stored file 1 is not the one that was ordered")


def test_debits_changed_beside_the_file(gate: Town3) -> None:
    town = gate.town
    sign_mandate(town, "Zoé")
    made = collected(town)
    edit(town, "UPDATE collection_item SET account = :account", account=gate.shops[0].account)
    assert refused(collecting.fetch, town, made)[0] == "collection_changed"
    finds(town, "collection_differs", "the debits of file 1 in the tables are not those that were ordered")


def test_a_month_is_not_collected_twice_by_an_edit(gate: Town3) -> None:
    town = gate.town
    sign_mandate(town, "Zoé")
    made = collected(town)
    collecting.fetch(town, made)
    edit(town, "UPDATE collection SET withdrawn_at = 1, fetched_at = NULL")
    again, new = collecting.collect(town, month=made.month)
    assert (again.id, again.state, new) == (made.id, "fetched", False)
    assert refused(collecting.fetch, town, again)[0] == "collection_fetched"
    assert refused(collecting.withdraw, town, again)[0] == "collection_fetched"
