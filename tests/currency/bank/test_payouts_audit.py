"""The audit finds what was done to payouts against the rules: each lie in log, tables or files is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, text, update

from ledger.core.ids import derived_id
from ledger.core.model import Note, Transaction, Transfer
from ledger.currency import parties, proofs
from ledger.currency.audit.walk import audit
from ledger.currency.bank.pain import OwnAccount, credit_transfers
from ledger.currency.bank.pain import Transfer as BankTransfer
from ledger.currency.bank.payouts import batches, index, undoing
from ledger.currency.bank.payouts.approval import signing_id
from ledger.currency.bank.payouts.batches import Batch, batch_reference
from ledger.currency.bank.payouts.noted import batch_id, fetching_id, withdrawal_id
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER, PAYOUT_SIGNATURE
from ledger.currency.bank.payouts.undoing import rejection_id
from ledger.currency.bank.taking import line_id
from ledger.currency.chart import EUR
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import KEY_PERSON, SALT
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import BROUGHT, SHOP_IBANS, Town3, accept, credit, debit, sent, sign, treasurer
from tests.currency.bank.scene import DAY, bring, statement
from tests.towns import BANK

NEXT = DAY + timedelta(days=1)
HELD = 3 * BROUGHT
Evidence = dict[str, Any]


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def payout(town: Town, paying: Town3) -> Payout:
    return accept(town, paying.shops[0], 10_000)


def found(town: Town) -> list[str]:
    return [finding.code for finding in audit(town).findings]


def note(town: Town, id_: bytes, kind: str, **evidence: Any) -> None:
    town.post(Note(id_, kind, {"by": "console", **evidence}))


def order_note(town: Town, *payouts: Payout, number: int = 1, **changes: Any) -> Evidence:
    """What orders these payouts in the log, without a word in the tables; with changes."""
    charter, id_ = town.charter, batch_id(town.charter.network, number)
    evidence: Evidence = {
        "number": number, "reserve": f"{town.chart.reserve[BANK]:016x}", "sha256": "ab" * 32, "people": 1,
        "message": f"{charter.code}-P{number}-{batch_reference(charter.network, id_)}", "requested_on": "2025-06-15",
        "total": sum(one.amount for one in payouts), "count": len(payouts),
        "payouts": index.packed(one.seq for one in payouts), **changes,
    }  # fmt: skip
    note(town, id_, index.ORDERED, **evidence)
    return evidence


def test_a_file_in_the_log_only(town: Town, payout: Payout) -> None:
    order_note(town, payout)
    assert found(town) == ["payout_unlogged", "payout_missing"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"total": 1}, "payout_shape"), ({"count": 2}, "payout_shape"), ({"people": 2}, "signatures_missing"),
     ({"message": "PATARD-P1-0000000000"}, "id_not_derived"), ({"payouts": "1"}, "payout_ordered"),
     ({"sha256": "ab"}, "note_malformed"), ({"payouts": "0,1"}, "note_malformed"), ({"number": 2}, "id_not_derived"),
     ({"reserve": "00"}, "note_malformed"), ({"by": "ab" * 32}, "role_insufficient")],
)  # fmt: skip
def test_a_file_that_is_not_what_it_has_to_be(town: Town, payout: Payout, changes: Evidence, code: str) -> None:
    order_note(town, payout, **changes)
    assert code in found(town)


def test_a_payout_in_two_files(town: Town, paying: Town3, payout: Payout) -> None:
    batches.order(town)
    order_note(town, payout, number=2)
    assert "payout_ordered" in found(town)


@pytest.fixture
def big(town: Town, paying: Town3) -> Batch:
    """A file that two people sign."""
    accept(town, paying.shops[0], 200_000)
    return batches.order(town)


def signed(town: Town, batch: Batch, name: str, **changes: Any) -> None:
    """A note that the key of that device signed the file, without a word in the tables."""
    key = towns.key_of(name)
    what = {"batch": batch.id, "sha256": batch.sha256, "total": batch.total, "count": batch.transfers, **changes}
    signature = proofs.sign_payouts(key, town.charter.network, **what)
    evidence = {"batch": batch.id.hex(), "key": key.public.hex(), "signature": signature.hex()}
    town.post(Note(signing_id(batch.id, key.public), index.SIGNED, evidence))


def test_signatures_that_are_none(town: Town, paying: Town3, big: Batch) -> None:
    towns.join(town, paying.office, "operator", "operator's PC")
    signed(town, big, "operator's PC")
    signed(town, big, "nobody's")
    signed(town, big, "treasurer Alice", total=1)
    assert found(town) == ["role_insufficient", "role_insufficient", "signature_invalid"]


def test_a_signature_of_a_key_that_was_revoked(town: Town, paying: Town3, big: Batch) -> None:
    parties.revoke(town, parties.device(town, paying.alice.public))
    towns.clock(town).forward(120)
    signed(town, big, "treasurer Alice")
    assert "key_revoked" in found(town)


@pytest.mark.parametrize("how", ["one", "same person", "nobody"])
def test_a_file_that_left_without_enough_signatures(town: Town, paying: Town3, big: Batch, how: str) -> None:
    sign(town, big, paying.alice)
    if how == "same person":
        treasurer(town, paying.office, "Alice", "Alice's phone")
        signed(town, big, "Alice's phone")
    elif how == "nobody":
        treasurer(town, paying.office, None, "the office's PC")
        signed(town, big, "the office's PC")
    note(town, fetching_id(big.id), index.FETCHED, batch=big.id.hex())
    assert found(town)[0] == "signatures_missing"


def test_a_file_that_left_or_was_signed_after_its_end(town: Town, paying: Town3, big: Batch) -> None:
    sign(town, big, paying.alice)
    sign(town, big, paying.bob)
    batches.withdraw(town, big)
    note(town, fetching_id(big.id), index.FETCHED, batch=big.id.hex())
    assert found(town)[0] == "payout_ordered"


def test_an_operator_withdraws_what_may_be_at_the_bank(town: Town, paying: Town3, payout: Payout) -> None:
    batch = sent(paying)
    operator = towns.join(town, paying.office, "operator", "operator's PC").public.hex()
    batches.withdraw(town, batch, by=operator, fetched_too=True)
    assert found(town) == ["role_insufficient"]


@pytest.mark.parametrize("kind", [index.SIGNED, index.FETCHED, index.WITHDRAWN])
def test_notes_about_no_file(town: Town, kind: str) -> None:
    note(town, withdrawal_id(b"x" * 16), kind, batch="78" * 16)
    assert "payout_unknown" in found(town)


# --- entries that move money -------------------------------------------------------------------------------


def book(town: Town, kind: str, amount: int, *transfers: Transfer, **evidence: Any) -> None:
    """An entry with the id of a bank line, as booking would not make it."""
    reference = f"{NEXT:%Y%m%d}/{amount}/1"
    told = {"by": "console", "reserve": f"{town.chart.reserve[BANK]:016x}", "reference": reference, **evidence}
    town.post(Transaction(line_id(town.charter.network, BANK, reference), kind, transfers, NEXT, evidence=told))


def pays(town: Town, amount: int) -> Transfer:
    return Transfer(town.chart.payouts, town.chart.reserve[BANK], amount, EUR)


def test_a_payout_that_is_paid_twice(town: Town, paying: Town3, payout: Payout) -> None:
    accept(town, paying.shops[1], 50_000)
    bring(town, statement([debit(payout, DAY + timedelta(days=1))], HELD))
    again = f"{NEXT:%Y%m%d}/{-payout.amount}/2"
    evidence = {
        "by": "console", "reserve": f"{town.chart.reserve[BANK]:016x}", "reference": again,
        "payout": payout.reconversion.hex(), "holder": f"{payout.holder:016x}",
    }  # fmt: skip
    id_ = line_id(town.charter.network, BANK, again)
    town.post(Transaction(id_, index.PAID, (pays(town, payout.amount),), NEXT, evidence=evidence))
    assert found(town)[0] == "payout_twice"


@pytest.mark.parametrize(
    ("amount", "evidence", "code"),
    [(9_400, {}, "payout_shape"), (9_500, {"payout": "ab" * 16}, "payout_unknown"),
     (9_500, {"payout": "x"}, "payout_unknown")],
)  # fmt: skip
def test_what_is_paid_is_what_is_owed(town: Town, payout: Payout, amount: int, evidence: Evidence, code: str) -> None:
    named = {"payout": payout.reconversion.hex(), **evidence}
    book(town, index.PAID, -amount, pays(town, amount), **named)
    assert code in found(town)


def test_a_payout_that_no_line_shows(town: Town, payout: Payout) -> None:
    evidence = {"by": "console", "payout": payout.reconversion.hex()}
    town.post(Transaction(town.new_id(), index.PAID, (pays(town, 9_500),), evidence=evidence))
    assert "id_not_derived" in found(town)


@pytest.mark.parametrize("paid", [False, True])
def test_a_rejection_of_less_or_of_what_was_paid(town: Town, paying: Town3, payout: Payout, paid: bool) -> None:
    other = accept(town, paying.shops[1], 50_000)
    if paid:
        bring(town, statement([debit(payout, NEXT)], HELD))
    transfers = undoing.undoing(town, [payout])
    if not paid:
        transfers = (replace_amount(transfers[0], 9_000), *transfers[1:-1], replace_amount(transfers[-1], 9_500))
    evidence = {"by": "console", "payout": payout.reconversion.hex()}
    town.post(Transaction(rejection_id(payout.reconversion), index.REJECTED, transfers, evidence=evidence))
    assert "payout_shape" in found(town)
    assert other.is_due


def replace_amount(transfer: Transfer, amount: int) -> Transfer:
    return Transfer(transfer.debit, transfer.credit, amount, transfer.unit)


def test_a_rejection_under_another_id_or_by_an_operator(town: Town, paying: Town3, payout: Payout) -> None:
    operator = towns.join(town, paying.office, "operator", "operator's PC").public.hex()
    evidence = {"by": operator, "payout": payout.reconversion.hex()}
    town.post(Transaction(town.new_id(), index.REJECTED, undoing.undoing(town, [payout]), evidence=evidence))
    assert found(town)[:2] == ["role_insufficient", "id_not_derived"]


def test_a_rejection_while_the_file_could_still_pay(town: Town, payout: Payout) -> None:
    batches.order(town)
    evidence = {"by": "console", "payout": payout.reconversion.hex()}
    id_ = rejection_id(payout.reconversion)
    town.post(Transaction(id_, index.REJECTED, undoing.undoing(town, [payout]), evidence=evidence))
    assert "payout_ordered" in found(town)


def test_a_return_of_what_never_left(town: Town, paying: Town3, payout: Payout) -> None:
    accept(town, paying.shops[1], 50_000)
    transfers = undoing.undoing(town, [payout], town.chart.reserve[BANK])
    book(town, index.RETURNED, 9_500, *transfers, payout=payout.reconversion.hex())
    assert "payout_shape" in found(town)


def test_units_for_a_shop_that_is_not_the_one(town: Town, paying: Town3, payout: Payout) -> None:
    bring(town, statement([debit(payout, NEXT)], HELD))
    stolen = replace_credit(undoing.undoing(town, [payout], town.chart.reserve[BANK]), paying.shops[2].account)
    book(town, index.RETURNED, 9_500, *stolen, payout=payout.reconversion.hex())
    assert "payout_shape" in found(town)


def replace_credit(transfers: tuple[Transfer, ...], account: int) -> tuple[Transfer, ...]:
    last = transfers[-1]
    return (*transfers[:-1], Transfer(last.debit, account, last.amount, last.unit))


# --- tables and files --------------------------------------------------------------------------------------


def change(town: Town, statement_: Any) -> None:
    with town.book.store.writing() as store:
        store.connection.execute(statement_)


OTHER = "(SELECT max(account) FROM holding WHERE account <> payout.holder)"
LIES: dict[str, tuple[Callable[[], Any], str]] = {
    "another amount": (lambda: update(PAYOUT).values(amount=1), "payout_unlogged"),
    "another shop": (lambda: update(PAYOUT).values(holder=text(OTHER)), "payout_unlogged"),
    "paid": (lambda: update(PAYOUT).values(paid_by=b"x" * 16), "payout_unlogged"),
    "undone": (lambda: update(PAYOUT).values(undone_by=b"x" * 16), "payout_unlogged"),
    "away": (lambda: update(PAYOUT).values(away_by=b"x" * 16), "payout_unlogged"),
    "in no file": (lambda: update(PAYOUT).values(batch=None), "payout_unlogged"),
    "signed by nobody": (lambda: delete(PAYOUT_SIGNATURE), "payout_unlogged"),
    "held by nobody": (lambda: delete(KEY_PERSON), "person_wrong"),
    "another file": (lambda: update(PAYOUT_BATCH).values(file=b"<Document/>"), "payout_file_changed"),
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_tables_that_say_something_else(town: Town, paying: Town3, payout: Payout, lie: str) -> None:
    sent(paying)
    assert found(town) == []
    make, code = LIES[lie]
    change(town, make())
    assert set(found(town)) == {code}


def test_rows_that_are_gone(town: Town, paying: Town3, payout: Payout) -> None:
    sent(paying)
    for table in (PAYOUT_SIGNATURE, PAYOUT_ORDER):
        change(town, delete(table))
    change(town, delete(PAYOUT))
    change(town, delete(PAYOUT_BATCH))
    assert set(found(town)) == {"payout_unlogged", "payout_missing"}


def test_a_file_that_was_erased_cannot_be_looked_at(town: Town, paying: Town3, payout: Payout) -> None:
    sent(paying)
    change(town, update(PAYOUT_BATCH).values(file=b""))
    change(town, update(PAYOUT_ORDER).values(name="", iban=""))
    # Whoever erases a text erases its salt.
    assert found(town) == ["payout_order_changed"]
    change(town, delete(SALT))
    assert "payout_order_changed" not in found(town)


def test_a_file_that_orders_something_else_than_it_says(
    town: Town, paying: Town3, payout: Payout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can change the program could slip a transfer into a file: its sum is right, and it is signed."""

    def slip(message: str, at: Any, on: Any, debtor: OwnAccount, transfers: list[BankTransfer]) -> bytes:
        [one] = transfers
        stolen = replace(one, amount=500, iban=SHOP_IBANS[2], end_to_end="STOLEN")
        return credit_transfers(message, at, on, debtor, [replace(one, amount=one.amount - 500), stolen])

    monkeypatch.setattr(batches, "credit_transfers", slip)
    with pytest.raises(CurrencyError) as caught:
        sent(paying)
    assert caught.value.code == "payouts_changed" and "sum" in caught.value.detail
    signed(town, batches.find(town, "1"), "treasurer Alice")
    assert found(town) == ["payout_file_wrong", "payout_unlogged"]


def test_what_happens_while_the_audit_reads(
    town: Town, paying: Town3, payout: Payout, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A book in use: files, signatures and payouts that are younger than the audited head are no findings."""
    from ledger.currency.audit import tables

    read = tables.rows_of

    def and_more(town_: Town) -> Any:
        rows = read(town_)
        accept(town, paying.shops[1], 50_000)
        sent(paying)
        bring(town, statement([debit(payout, NEXT), credit(payout, NEXT)], HELD))
        return rows

    monkeypatch.setattr(tables, "rows_of", and_more)
    assert found(town) == []
    monkeypatch.undo()
    assert found(town) == []


def test_a_key_of_a_person_who_is_none(town: Town, paying: Town3) -> None:
    key = towns.key_of("made up")
    evidence = {
        "account": f"{paying.office.account:016x}", "key": key.public.hex(), "role": "treasurer", "by": "console",
        "person": f"{paying.shops[0].account:016x}",
    }  # fmt: skip
    town.post(Note(derived_id("patard/key", "key_added", key.public), "key_added", evidence))
    assert "person_wrong" in found(town)
