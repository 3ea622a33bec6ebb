"""The last gate: what leaves for the bank is what people were shown and signed, whatever stands in the tables.

Each row of an attacker with full rights on the database: plain SQL, then the desk is asked and `check` is run; the
numbers are those of the table in the docs. And one person who tries to be two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from api import home
from ledger.core.model import Note, Posted
from ledger.currency import chartered, parties, persons, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.bank.mandates import collecting, files, model, notices, register
from ledger.currency.bank.mandates.proven import proven
from ledger.currency.bank.payouts import approval, batches, contents, index
from ledger.currency.bank.payouts.approval import signing_id
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.bank.payouts.noted import fetching_id
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.conftest import paying, paying_home  # noqa: F401 (fixtures)
from tests.currency.bank.monthly import SIGNED, collected, iban, until
from tests.currency.bank.monthly import sign as sign_mandate
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept, debit, sent, settle, sign, treasurer
from tests.currency.bank.scene import DAY, bring, opened, statement
from tests.towns import BANK

NEXT = DAY + timedelta(days=1)
THIEF = "FR7630006000011234567890189"


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


def edit(town: Town, sql: str, **values: Any) -> None:
    """What whoever may write to the database does."""
    with town.book.store.writing() as store:
        assert store.connection.execute(text(sql), values).rowcount


def refused(call: Callable[..., object], *args: Any, **more: Any) -> tuple[str, str]:
    """The code and the sentence with which it is refused; and nothing was written down."""
    assert args
    town = next(one for one in args if isinstance(one, Town))
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        call(*args, **more)
    return caught.value.code, caught.value.detail


def finds(town: Town, code: str, sentence: str) -> None:
    """`check` says it in that sentence."""
    said = [one.text for one in audit(town).findings if one.code == code]
    assert any(sentence in one for one in said), audit(town).findings


def stolen(file: bytes) -> bytes:
    """The file with another IBAN in it."""
    data = file.replace(SHOP_IBANS[0].encode(), THIEF.encode())
    assert data != file
    return data


def big(paying: Town3) -> Batch:  # noqa: F811
    """A file that two people sign."""
    accept(paying.town, paying.shops[0], 200_000)
    return batches.order(paying.town)


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
        id=batches.batch_id(town.charter.network, 2),
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
    "text": ("UPDATE mandate_version SET text = replace(text, '30.00', '39.00')", "is not the one that was signed"),
    "text and salt": ("UPDATE mandate_version SET text = '', salt = salt", ""),
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
    if sentence:
        finds(town, "mandate_differs" if "of mandate" in sentence else "mandate_text_changed", sentence)


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


# --- one person who tries to be two ------------------------------------------------------------------------


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


PATHS: dict[str, Callable[[Alice], list[PrivateKey]]] = {
    "directly": lambda alice: [alice.key, alice.key], "a second key of her own": second_key,
    "two keys from the machine": machine_twice, "an invented person": invented,
    "an invented person's own key": invented_and_confirmed, "two invented persons": two_invented,
    "an invented person invites another": by_way_of_the_invented, "an operator's key": through_an_operator,
    "an operator's key in her name": through_a_named_operator, "in a colleague's name": as_bob,
    "revoked and come again": revoke_and_come_again, "revoked and invited anew": come_again_in_her_name,
    "seconded by the invented": seconded_by_the_invented,
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
    assert set(codes) <= {"signature_same_person", "signature_sponsored", "signature_person_unknown"}
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
    assert code == "signature_person_unknown" and "after it was ordered" in said
    batches.withdraw(town, early)
    batch = batches.order(town)
    sign(town, batch, key)
    assert refused(sign, town, batch, paying.alice)[0] == "signature_sponsored"
    sign(town, batch, paying.bob)
    batches.fetch(town, batch)
    assert audit(town).findings == []
    told = [one.text for one in audit(town).notices]
    assert any(f"key {key.public.hex()[:16]} became treasurer, said to be held by account" in one for one in told)


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
    town.post(note, done("UPDATE payout_batch SET fetched_at = :at"))
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
