"""The audit finds what the engine lets through: every planted wrong is named with its transaction."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import text

from ledger.core.ids import account_text, derived_id
from ledger.core.model import Account, Instruction, Note, Opening, Side, Transaction, Transfer
from ledger.currency import acts, conversion, parties, salted
from ledger.currency.audit.walk import audit
from ledger.currency.imported import announcement, import_id, issuer_number, open_reserve
from ledger.currency.messages import ORDER_DOMAIN, Purpose, SignedOrder
from ledger.currency.town import Town
from tests import towns
from tests.currency.wrongs import UNIT, clean, finds, signed_transaction
from tests.towns import BANK, CASH, Member, key_of


@pytest.fixture
def people(town: Town) -> tuple[Member, Member]:
    """Alice, who has 100.00, and a bakery."""
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 10_000, reserve=CASH, reference="S1")
    return alice, shop


# --- nothing wrong ---------------------------------------------------------------------------------------


def test_a_new_town_is_clean(town: Town) -> None:
    done = clean(town)
    assert done.entries == town.book.head().seq and done.root == town.book.head().root


def test_everything_a_town_does_is_clean(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    payment = towns.pay(town, alice, shop, 6_000)
    till = towns.join(town, shop.party, "cashier", "Caisse 1")
    towns.refund(town, shop._replace(key=till), alice, 1_000, payment)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 2_000)))
    conversion.refuse(town, conversion.find_asked(town, towns.ask_back(town, shop, 1_000)))
    towns.ask_back(town, shop, 500)
    office = towns.member(town, "association", "L'association", "treasurer")
    asks = {"account": account_text(alice.account), "amount_cents": 700, "reserve": BANK, "reference": "V1"}
    acting = towns.acting(town, office.key, "POST /v1/conversions", **asks)
    conversion.convert(acting, alice.party, 700, reserve=BANK, reference="V1", by=office.key.public.hex())
    parties.revoke(town, parties.device(town, till.public))
    parties.close(town, parties.admit(town, "person", "Bob"))
    assert clean(town).orders == 5


def test_a_revoked_key_had_its_time(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    towns.pay(town, alice, shop, 100)
    towns.join(town, alice.party, "member", "another")
    parties.revoke(town, parties.device(town, alice.key.public))
    clean(town)


def test_an_import_and_its_cover_are_clean(town: Town) -> None:
    holder = parties.admit(town, "person", "Alice")
    issuer, id_ = mint(town, holder.account, 900)
    # Until the euros are booked, these are units that nothing stands behind.
    assert [notice.id for notice in audit(town).notices] == [id_]
    open_reserve(town, BANK, 899, "2025-05")
    assert [notice.id for notice in audit(town).notices] == [id_]
    open_reserve(town, BANK, 1, "2025-06")
    assert clean(town).notices == []
    towns.join(town, holder, "member", "phone")
    clean(town)
    # From now on only Alice's signature moves her units.
    forged = import_id(town.charter.network, "2")
    bring(town, Transaction(forged, "import", (Transfer(holder.account, issuer, 1, UNIT),)))
    finds(town, "import_after_joining", id_=forged)


def bring(town: Town, *entries: Instruction) -> None:
    """Post entries as an import does: announced, in one commit."""
    town.post_all([announcement(town.charter.network, entries), *entries])


def mint(town: Town, account: int, amount: int) -> tuple[int, bytes]:
    """Units as an import makes them: out of an issuer's account. That account and the id of the import."""
    network = town.charter.network
    issuer = Account(issuer_number(network, "asso"), UNIT, Side.CREDIT, floor=None)
    opening = Opening(derived_id("patard/import/issuer", network, "asso"), issuer, evidence={"issuer": 1})
    id_ = import_id(network, "1")
    bring(town, opening, Transaction(id_, "import", (Transfer(issuer.number, account, amount, UNIT),)))
    return issuer.number, id_


def test_units_that_were_minted_and_passed_on_have_no_euro(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    _, id_ = mint(town, shop.account, 5_000)
    towns.pay(town, shop, alice, 5_000)
    imported, notice = clean(town).notices
    assert imported.id == notice.id == id_ and "units of 5000 cents out" in notice.text
    assert "5000 units were imported" in imported.text and "by a currency at work" in imported.text


def test_progress_is_told(town: Town) -> None:
    told: list[tuple[int, int]] = []
    audit(town, progress=lambda done, all_: told.append((done, all_)))
    seq = town.book.head().seq
    assert told[-1] == (seq, seq)


# --- orders ----------------------------------------------------------------------------------------------


def test_the_association_cannot_move_a_members_money(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    moved = (Transfer(alice.account, shop.account, 100, UNIT),)
    ids = [town.new_id() for _ in range(3)]
    town.post(Transaction(ids[0], "payment", moved))
    town.post(Transaction(ids[1], "bonus", moved))
    nonsense = {"order": "zz", "key": "00", "signature": ""}
    town.post(Transaction(ids[2], "payment", moved, evidence=nonsense))
    done = audit(town)
    assert [(f.code, f.id) for f in done.findings] == [
        ("order_missing", ids[0]), ("kind_unknown", ids[1]), ("movement_unexplained", ids[1]),
        ("order_malformed", ids[2]),
    ]  # fmt: skip


def test_an_order_that_was_changed(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    signed = towns.order(town, alice, shop.account, 100)
    more = (Transfer(alice.account, shop.account, 101, UNIT),)
    posted = town.post(signed_transaction(signed, transfers=more))
    finds(town, "order_differs", id_=posted.id)


def test_an_order_that_somebody_else_signed(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    made = towns.order(town, alice, shop.account, 100).order
    forged = SignedOrder(made, alice.key.public, key_of("thief").sign(ORDER_DOMAIN + made.body()))
    posted = town.post(signed_transaction(forged))
    finds(town, "signature_invalid", id_=posted.id)


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("order_differs", lambda town, order, alice: {"id_": order.id, "purpose": Purpose.RECONVERSION}),
        ("order_differs", lambda town, order, alice: {"id_": town.new_id()}),
        ("key_unknown", lambda town, order, alice: {"id_": order.id, "key": key_of("stranger")}),
        ("key_unknown", lambda town, order, alice: {"id_": order.id, "key": key_of("Boulangerie")}),
        ("order_expired", lambda town, order, alice: {"id_": order.id, "seconds": -3600}),
    ],
)
def test_an_order_that_is_another(town: Town, people: tuple[Member, Member], code: str, change: Callable) -> None:
    alice, shop = people
    order = towns.order(town, alice, shop.account, 100).order
    signed = towns.order(town, alice, shop.account, 100, **change(town, order, alice))
    posted = town.post(Transaction(order.id, "payment", signed_transaction(signed).transfers,
                                   evidence=signed_transaction(signed).evidence))  # fmt: skip
    done = audit(town)
    assert code in [finding.code for finding in done.findings], done.findings
    assert {finding.id for finding in done.findings} == {posted.id}


def test_a_key_that_had_been_revoked(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    towns.join(town, alice.party, "member", "another")
    signed = towns.order(town, alice, shop.account, 100, seconds=3_600)
    parties.revoke(town, parties.device(town, alice.key.public))
    towns.clock(town).forward(120)
    posted = town.post(signed_transaction(signed))
    finds(town, "key_revoked", id_=posted.id)


def test_a_till_that_paid(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    towns.pay(town, alice, shop, 500)
    till = towns.join(town, shop.party, "cashier", "Caisse 1")
    posted = town.post(signed_transaction(towns.order(town, shop, alice.account, 100, key=till)))
    finds(town, "role_insufficient", id_=posted.id)


def test_a_payment_to_nobody(town: Town, people: tuple[Member, Member]) -> None:
    alice, _ = people
    posted = town.post(signed_transaction(towns.order(town, alice, town.chart.circulation, 100)))
    finds(town, "payee_unknown", id_=posted.id)


def test_a_refund_of_another_payment(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    first, second = towns.pay(town, alice, shop, 500), towns.pay(town, alice, shop, 500)
    signed = towns.order(town, shop, alice.account, 100, purpose=Purpose.REFUND, reference=first)
    posted = town.post(signed_transaction(signed, "refund", corrects=second))
    finds(town, "order_differs", id_=posted.id)


def test_a_person_who_changes_back_where_only_shops_may(town: Town, people: tuple[Member, Member]) -> None:
    alice, _ = people
    signed = towns.order(town, alice, town.chart.waiting, 100, purpose=Purpose.RECONVERSION)
    posted = town.post(signed_transaction(signed, "reconversion_asked"))
    finds(town, "reconversion_not_allowed", id_=posted.id)


# --- accounts and keys -----------------------------------------------------------------------------------


def test_an_account_that_may_issue(town: Town) -> None:
    id_ = town.new_id()
    town.post(Opening(id_, Account(99, UNIT, Side.CREDIT, floor=None)))
    finds(town, "account_rules", "act_missing", id_=id_)


def test_a_party_with_credit(town: Town) -> None:
    id_ = town.new_id()
    account = parties.holding(town.charter.network, id_, UNIT)
    credit = Account(account.number, UNIT, Side.CREDIT, floor=-500)
    said = {"by": "console", **salted.party_evidence("person", "Alice", bytes(16))}
    town.post(Opening(id_, credit, evidence=said))
    assert [finding.code for finding in audit(town).findings] == ["account_rules", "party_missing"]


def test_keys_that_were_noted_wrong(town: Town, people: tuple[Member, Member]) -> None:
    alice, _ = people
    account = f"{alice.account:016x}"

    def note(kind: str, key: bytes, role: str, id_: bytes | None = None, where: str = account) -> None:
        evidence = {"account": where, "by": "console", "key": key.hex(), "role": role}
        town.post(Note(id_ or derived_id("patard/key", kind, key), kind, evidence))

    note("key_added", key_of("1").public, "owner")
    note("key_added", bytes(32), "member")
    note("key_added", key_of("2").public, "member", town.new_id())
    note("key_added", key_of("3").public, "member", where="00000000000000ff")
    note("key_revoked", key_of("4").public, "member")
    town.post(Note(town.new_id(), "key_added", {"by": "console", "key": "zz"}))
    codes = [finding.code for finding in audit(town).findings]
    assert codes == ["role_not_for_kind", "key_weak", "id_not_derived", "role_not_for_kind", "key_unknown",
                     "note_malformed"] + ["key_missing"] * 4  # fmt: skip


def test_keys_that_the_office_added_are_told(town: Town, people: tuple[Member, Member]) -> None:
    alice, _ = people
    office_key = towns.member(town, "association", "L'association").key
    operator = office_key.public.hex()
    assert clean(town).notices == []
    for by in (alice.key, None, office_key):
        towns.join(town, alice.party, "member", f"invited by {by}", by=by)
    console, office = clean(town).notices
    assert f"account {alice.account:016x}" in console.text and "at the machine" in console.text
    assert operator[:16] in office.text and office.seq == town.book.head().seq


@pytest.mark.parametrize("who", ["the shop", "its till", "nobody"])
def test_a_key_that_somebody_invited_who_may_not(
    town: Town, people: tuple[Member, Member], monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    alice, shop = people
    monkeypatch.setattr(acts, "require_live", lambda *_: None)
    till = towns.join(town, shop.party, "cashier", "Caisse 1")
    by = {"the shop": shop.key, "its till": till, "nobody": key_of("nobody")}[who]
    party, role = (shop.party, "cashier") if who == "its till" else (alice.party, "member")
    towns.join(town, party, role, "guest", by=by)
    done = audit(town)
    assert [(f.code, f.seq) for f in done.findings] == [("role_insufficient", town.book.head().seq)]


@pytest.mark.parametrize(
    ("code", "statement"),
    [
        ("key_unlogged", "UPDATE device_key SET revoked_at = NULL"),
        ("key_unlogged", "UPDATE device_key SET revoked_at = 1"),
        ("key_unlogged", "UPDATE device_key SET role = 'owner' WHERE role = 'cashier'"),
        ("key_unlogged", "INSERT INTO device_key SELECT randomblob(32), party, role, label, 1, NULL "
                         "FROM device_key LIMIT 1"),
        ("key_unlogged", "UPDATE device_key SET revoked_at = revoked_at + 1 WHERE revoked_at IS NOT NULL"),
        ("key_unlogged", f"UPDATE device_key SET revoked_at = {2**60}"),
        ("key_unlogged", "INSERT INTO device_key SELECT randomblob(32), party, role, label, 1 << 60, NULL "
                         "FROM device_key LIMIT 1"),
        ("key_missing", "DELETE FROM key_name; DELETE FROM device_key WHERE revoked_at IS NULL"),
        ("party_unlogged", "UPDATE party SET kind = 'shop' WHERE kind = 'person'"),
        ("party_unlogged", "UPDATE party SET closed_at = 1 WHERE kind = 'shop'"),
        ("party_unlogged", f"UPDATE party SET closed_at = {2**60} WHERE kind = 'shop'"),
        ("party_unlogged", "UPDATE party SET closed_at = NULL"),
        ("party_unlogged", "INSERT INTO party SELECT randomblob(16), kind, name, 1 << 60, NULL FROM party LIMIT 1"),
    ],
)  # fmt: skip
def test_tables_that_say_something_else_than_the_log(
    town: Town, people: tuple[Member, Member], code: str, statement: str
) -> None:
    _, shop = people
    towns.join(town, shop.party, "cashier", "Caisse 1")
    old = towns.join(town, shop.party, "cashier", "Caisse 2")
    parties.revoke(town, parties.device(town, old.public))
    parties.close(town, parties.admit(town, "person", "Gone"))
    clean(town)
    with town.engine.connect() as connection:
        for one in statement.split("; "):
            connection.execute(text(one))
        connection.commit()
    found = {(finding.code, finding.seq) for finding in audit(town).findings}
    assert found == {(code, 0)}


def test_a_party_that_is_missing_from_the_tables(town: Town, people: tuple[Member, Member]) -> None:
    alice, _ = people
    with town.engine.connect() as connection:
        connection.execute(text("DELETE FROM key_name WHERE account = :account"), {"account": alice.account})
        for table, column in (("invite", "party"), ("device_key", "party"), ("holding", "party"), ("party", "id")):
            connection.execute(text(f"DELETE FROM {table} WHERE {column} = :id"), {"id": alice.party.id})
        connection.commit()
    assert {finding.code for finding in audit(town).findings} == {"party_missing", "key_missing"}


def test_many_findings_are_counted(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    moved = (Transfer(alice.account, shop.account, 1, UNIT),)
    town.book.post([Transaction(town.new_id(), "payment", moved) for _ in range(150)])
    done = audit(town)
    assert (done.total, len(done.findings)) == (150, 100)
