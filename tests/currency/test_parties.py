"""Who takes part: admitting, finding, closing; join codes; the keys that act, and their notes in the log."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from ledger.core.ids import account_text
from ledger.core.model import Note
from ledger.currency import conversion, join_codes, parties, salted
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.tables import DEVICE_KEY, HOLDING, INVITE, PARTY, SALT
from ledger.currency.town import Town
from tests import towns
from tests.towns import CASH, key_of, nothing_moves


def refused(code: str, call, *args, **kwargs) -> CurrencyError:
    with pytest.raises(CurrencyError) as caught:
        call(*args, **kwargs)
    assert caught.value.code == code, caught.value
    assert code in ERRORS
    return caught.value


def rows(town: Town, table) -> int:
    with town.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


# --- admitting -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["person", "shop", "association", "public_body"])
def test_an_admitted_party_has_an_account(town: Town, kind: str) -> None:
    party = parties.admit(town, kind, "  Café  de la Gare ")
    assert party.name == "Café de la Gare"
    assert party.kind == kind and party.closed_at is None
    assert town.book.balance(party.account) == 0
    assert parties.by_account(town, party.account) == party
    state = town.book.account(party.account)
    assert (state.unit, state.floor) == ("PATARD", 0)


def test_the_log_holds_no_name(town: Town) -> None:
    party = parties.admit(town, "person", "Alexandrine Quelquun")
    record = town.book.find(party.id)
    assert record is not None and record.instruction.evidence.keys() == {"by", "name", "party", "signature"}
    with town.reading() as connection:
        salt = connection.execute(select(SALT.c.salt).where(SALT.c.id == party.id)).scalar_one()
    assert record.instruction.evidence["name"] == salted.salted(salted.NAME, salt, ["Alexandrine Quelquun"])
    with town.book.store.reading() as store:
        assert b"Alexandrine" not in b"".join(row.record for row in store.log(0, 1000))


def test_the_same_id_admits_once(town: Town) -> None:
    id_ = town.new_id()
    first = parties.admit(town, "shop", "Boulangerie", id_)
    with nothing_moves(town):
        assert parties.admit(town, "shop", "Boulangerie", id_) == first
        refused("id_taken", parties.admit, town, "person", "Boulangerie", id_)
    assert rows(town, PARTY) == rows(town, HOLDING) == 1


@pytest.mark.parametrize("name", ["", "  ", "a\u202eb", "a\0b", "x" * 61, "\u200b"])
def test_names_that_are_none(town: Town, name: str) -> None:
    with nothing_moves(town):
        refused("text_malformed", parties.admit, town, "person", name)


def test_a_kind_that_is_none(town: Town) -> None:
    with nothing_moves(town):
        refused("party_kind_unknown", parties.admit, town, "bank", "Banque")


# --- finding ---------------------------------------------------------------------------------------------


def test_found_by_name_or_number(town: Town) -> None:
    party = parties.admit(town, "shop", "Épicerie Lefèvre")
    for text in ("Épicerie Lefèvre", "épicerie lefèvre", " ÉPICERIE LEFÈVRE ", account_text(party.account),
                 account_text(party.account).lower().replace("-", "")):  # fmt: skip
        assert parties.named(town, text) == party


def test_a_name_that_nobody_has_suggests_a_near_one(town: Town) -> None:
    parties.admit(town, "shop", "Épicerie Lefèvre")
    assert "Épicerie Lefèvre" in refused("not_found", parties.named, town, "lefèvre").detail
    assert "party list" in refused("not_found", parties.named, town, "Zoé").detail
    refused("not_found", parties.named, town, "")


def test_a_name_that_two_have_is_ambiguous(town: Town) -> None:
    first = parties.admit(town, "person", "Jean Martin")
    second = parties.admit(town, "person", "Jean MARTIN")
    refused("party_ambiguous", parties.named, town, "jean martin")
    assert parties.named(town, account_text(second.account)) == second
    parties.close(town, second)
    assert parties.named(town, "jean martin") == first


def test_every_party_in_the_order_of_names(town: Town) -> None:
    for kind, name in (("shop", "b"), ("person", "A"), ("person", "c")):
        parties.admit(town, kind, name)
    assert [p.name for p in parties.every(town)] == ["A", "b", "c"]
    assert [p.name for p in parties.every(town, kinds=frozenset({"shop"}))] == ["b"]


# --- closing ---------------------------------------------------------------------------------------------


def test_only_an_empty_party_closes_and_its_keys_with_it(town: Town) -> None:
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    conversion.convert(town, alice.party, 500, reserve=CASH, reference="S1")
    with nothing_moves(town):
        refused("account_not_empty", parties.close, town, alice.party)
    towns.pay(town, alice, bob, 500)
    parties.close(town, alice.party)
    assert parties.by_account(town, alice.account).closed_at == town.book.head().at
    assert parties.device(town, alice.key.public).revoked_at is not None
    assert [p.name for p in parties.every(town, open_only=True)] == ["Bob"]
    refused("party_closed", parties.invite, town, parties.by_account(town, alice.account), "member")
    with nothing_moves(town):
        parties.close(town, alice.party)
        assert towns.refusal(town, towns.order(town, alice, bob.account, 1)).code == "key_unknown"
        assert towns.refusal(town, towns.order(town, bob, alice.account, 1)).code == "account_closed"


def test_a_code_given_before_the_closing_is_worth_nothing_after(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member")
    parties.close(town, party)
    with nothing_moves(town):
        refused("join_code_invalid", parties.join, town, code, key_of("late").public, "late")


# --- joining ---------------------------------------------------------------------------------------------


def test_a_code_joins_one_key(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member")
    key = key_of("phone").public
    device, joined = parties.join(town, join_codes.shown_code(code).lower().replace("0", "o"), key, "Téléphone")
    assert joined == party
    assert (device.role, device.label, device.account) == ("member", "Téléphone", party.account)
    assert device.revoked_at is None
    with nothing_moves(town):
        assert parties.join(town, code, key, "Téléphone") == (device, joined)
        refused("join_code_invalid", parties.join, town, code, key_of("thief").public, "thief")


def test_a_joining_is_noted_in_the_log_without_its_label(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    with town.book.store.reading() as store:
        last = store.log(town.book.head().seq - 1, 1)[0]
    record = town.book.find(last.id)
    assert record is not None and isinstance(record.instruction, Note)
    assert record.instruction.kind == "key_added"
    said = dict(record.instruction.evidence)
    assert len(str(said.pop("code"))) == 64 and len(str(said.pop("signature"))) == 128
    assert said == {
        "account": f"{alice.account:016x}", "by": "console", "key": alice.key.public.hex(), "role": "member"
    }  # fmt: skip


def test_a_code_dies_after_its_time(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member", seconds=60)
    towns.clock(town).forward(61)
    with nothing_moves(town):
        refused("join_code_invalid", parties.join, town, code, key_of("late").public, "late")


def test_one_key_joins_once(town: Town) -> None:
    alice = towns.member(town, "person", "Alice")
    other = parties.admit(town, "person", "Bob")
    code = parties.invite(town, other, "member")
    with nothing_moves(town):
        refused("key_taken", parties.join, town, code, alice.key.public, "again")
    parties.join(town, code, key_of("bob").public, "the code was not used up")


def test_only_the_hash_of_a_code_is_kept(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member")
    with town.reading() as connection:
        kept = connection.execute(select(INVITE)).one()
    assert code.encode() not in bytes(kept.code_hash) and len(kept.code_hash) == 32


@pytest.mark.parametrize(
    ("kind", "role"),
    [("person", "owner"), ("person", "cashier"), ("shop", "member"), ("shop", "operator"), ("public_body", "treasurer"),
     ("shop", "king"), ("person", "")],
)  # fmt: skip
def test_roles_that_a_party_cannot_have(town: Town, kind: str, role: str) -> None:
    party = parties.admit(town, kind, "Alice")
    error = refused("role_not_for_kind", parties.invite, town, party, role)
    assert ("member" if kind == "person" else "owner") in error.detail


def test_weak_and_broken_keys_do_not_join(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member")
    with nothing_moves(town):
        refused("key_weak", parties.join, town, code, bytes(32), "zero")
        refused("key_malformed", parties.join, town, code, bytes(31), "short")
        refused("text_malformed", parties.join, town, code, key_of("x").public, "\u202e")
        refused("join_code_invalid", parties.join, town, "AAAAA-AAAAA", key_of("x").public, "x")


def test_of_many_at_once_one_key_gets_the_code(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    code = parties.invite(town, party, "member")
    outcomes: list[str] = []

    def race(number: int) -> None:
        try:
            parties.join(town, code, key_of(f"racer {number}").public, "racer")
            outcomes.append("joined")
        except CurrencyError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=race, args=(n,)) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["join_code_invalid"] * 11 + ["joined"]
    assert rows(town, DEVICE_KEY) == 1


def test_a_joining_sent_again_while_the_first_is_under_way_stands(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both have read the unused code when the second commits; also with the second at any other moment before."""
    for moment in ("post", "reading"):
        party = parties.admit(town, "person", "Alice")
        code, key = parties.invite(town, party, "member"), key_of(moment).public
        second: list[object] = []
        whole = getattr(Town, moment)

        def overtaken(self: Town, *args, code=code, key=key, whole=whole, second=second, moment=moment):
            monkeypatch.setattr(Town, moment, whole)
            second.append(parties.join(town, code, key, "phone"))
            return whole(self, *args)

        monkeypatch.setattr(Town, moment, overtaken)
        assert [parties.join(town, code, key, "phone")] == second
        assert len(parties.devices(town, party)) == 1


def test_a_key_that_joins_with_two_codes_at_once_joins_with_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = (parties.admit(town, "person", name) for name in ("Alice", "Bob"))
    whole = Town.post
    for number, other in enumerate((alice, bob)):
        key = key_of(f"double {number}").public
        first, second = parties.invite(town, alice, "member"), parties.invite(town, other, "member")

        def overtaken(self: Town, *args, key=key, second=second):
            monkeypatch.setattr(Town, "post", whole)
            parties.join(town, second, key, "phone")
            return whole(self, *args)

        monkeypatch.setattr(Town, "post", overtaken)
        refused("key_taken", parties.join, town, first, key, "phone")
        assert parties.device(town, key).party == other.id
        parties.join(town, first, key_of(f"spare {number}").public, "the code was not used up")


def test_whoever_was_closed_while_a_device_joined_gets_none(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    party = parties.admit(town, "person", "Alice")
    code, whole = parties.invite(town, party, "member"), Town.post

    def overtaken(self: Town, *args):
        monkeypatch.setattr(Town, "post", whole)
        parties.close(town, party)
        return whole(self, *args)

    monkeypatch.setattr(Town, "post", overtaken)
    refused("join_code_invalid", parties.join, town, code, key_of("late").public, "late")
    assert rows(town, DEVICE_KEY) == 0


def test_one_wrong_look_at_the_clock_takes_no_code_away(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    codes = [parties.invite(town, party, "member") for _ in range(parties.MAX_OPEN_INVITES)]
    towns.clock(town).forward(10 * 365 * 86_400)
    parties.invite(town, party, "member")  # those that have expired are not in its way, whoever says so
    towns.clock(town).forward(-10 * 365 * 86_400)
    for number, code in enumerate(codes[:2]):
        parties.join(town, code, key_of(f"phone {number}").public, "phone")


def test_a_log_ahead_of_the_clock_takes_no_code_away(town: Town) -> None:
    party = parties.admit(town, "person", "Alice")
    parties.invite(town, party, "member")
    towns.clock(town).forward(10 * 365 * 86_400)
    town.book.post([Note(town.new_id(), "of_2035", {})])
    towns.clock(town).forward(-10 * 365 * 86_400)
    parties.invite(town, party, "member")
    assert rows(town, INVITE) == 2


def test_a_party_has_so_many_open_codes_and_expired_ones_are_swept(town: Town) -> None:
    alice, bob = (parties.admit(town, "person", name) for name in ("Alice", "Bob"))
    codes = [parties.invite(town, alice, "member") for _ in range(parties.MAX_OPEN_INVITES)]
    refused("invites_too_many", parties.invite, town, alice, "member")
    parties.invite(town, bob, "member")
    parties.join(town, codes[0], key_of("phone").public, "phone")
    parties.invite(town, alice, "member")
    refused("invites_too_many", parties.invite, town, alice, "member")
    towns.clock(town).forward(parties.INVITE_SECONDS + 1)
    parties.admit(town, "person", "Carol")
    parties.invite(town, alice, "member")
    assert rows(town, INVITE) == 2
    with nothing_moves(town):
        parties.join(town, codes[0], key_of("phone").public, "phone")  # the used one still answers


# --- revoking --------------------------------------------------------------------------------------------


def test_a_revoked_key_pays_no_more(town: Town) -> None:
    alice, bob = towns.member(town, "person", "Alice"), towns.member(town, "person", "Bob")
    conversion.convert(town, alice.party, 500, reserve=CASH, reference="S1")
    second = towns.join(town, alice.party, "member", "Alice's laptop")
    parties.revoke(town, parties.device(town, alice.key.public))
    with nothing_moves(town):
        assert towns.refusal(town, towns.order(town, alice, bob.account, 1)).code == "key_unknown"
        parties.revoke(town, parties.device(town, alice.key.public))
    towns.take(town, towns.order(town, alice, bob.account, 1, key=second))
    assert [d.revoked_at is None for d in parties.devices(town, alice.party)] == [False, True]


def test_the_last_key_that_spends_stays(town: Town) -> None:
    shop = towns.member(town, "shop", "Boulangerie")
    till = towns.join(town, shop.party, "cashier", "Caisse 1")
    with nothing_moves(town):
        refused("key_last", parties.revoke, town, parties.device(town, shop.key.public))
    parties.revoke(town, parties.device(town, till.public))
    parties.revoke(town, parties.device(town, shop.key.public), last_too=True)
    assert all(d.revoked_at for d in parties.devices(town, shop.party))


def test_whoever_was_revoked_comes_back_by_no_code_of_its_own(town: Town) -> None:
    office = parties.admit(town, "association", "L'association")
    first, second = key_of("first"), key_of("second")
    for key in (first, second):
        parties.join(town, parties.invite(town, office, "treasurer"), key.public, "PC")
    own, other = (parties.invite(town, office, "treasurer", by=key.public.hex()) for key in (first, second))
    parties.revoke(town, parties.device(town, first.public))
    with nothing_moves(town), pytest.raises(CurrencyError, match="join code") as caught:
        parties.join(town, own, key_of("third").public, "PC")
    assert caught.value.code == "join_code_invalid"
    assert parties.join(town, other, key_of("third").public, "PC")[1] == office


def test_two_devices_that_revoke_each_other_at_once_leave_one(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    alice = towns.member(town, "person", "Alice")
    second = towns.join(town, alice.party, "member", "Alice's laptop")
    whole = Town.post

    def overtaken(self: Town, *args):
        monkeypatch.setattr(Town, "post", whole)
        parties.revoke(town, parties.device(town, second.public))
        return whole(self, *args)

    monkeypatch.setattr(Town, "post", overtaken)
    refused("key_last", parties.revoke, town, parties.device(town, alice.key.public))
    assert [d.revoked_at is None for d in parties.devices(town, alice.party)] == [True, False]


def test_the_office_closes_only_at_the_machine(town: Town) -> None:
    office = parties.admit(town, "association", "Bureau")
    key = towns.join(town, office, "treasurer", "treasurer")
    with nothing_moves(town):
        refused("party_is_office", parties.close, town, office, office_too=False)
    assert parties.device(town, key.public).revoked_at is None
    parties.close(town, office)
    assert parties.device(town, key.public).revoked_at is not None


def test_a_till_takes_and_gives_back_but_does_not_pay(town: Town) -> None:
    shop, alice = towns.member(town, "shop", "Boulangerie"), towns.member(town, "person", "Alice")
    conversion.convert(town, alice.party, 500, reserve=CASH, reference="S1")
    till = towns.join(town, shop.party, "cashier", "Caisse 1")
    payment = towns.pay(town, alice, shop, 300)
    with nothing_moves(town):
        assert towns.refusal(town, towns.order(town, shop, alice.account, 1, key=till)).code == "role_insufficient"
    towns.refund(town, shop._replace(key=till), alice, 100, payment)
    assert town.book.balance(alice.account) == 300
