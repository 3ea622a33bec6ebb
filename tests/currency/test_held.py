"""What `check` holds against the log beside money: texts by their hashes, seals, shapes of entries, limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from ledger.core.ids import account_text, derived_id
from ledger.core.model import Note, Transaction, Transfer
from ledger.currency import chartered, conversion, parties, salted
from ledger.currency.audit.walk import Audit, audit
from ledger.currency.bank import details
from ledger.currency.charter.parts import Limits
from ledger.currency.sessions import Sessions
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene as bank
from tests.currency.test_sessions import opened
from tests.threats.scene import answer
from tests.towns import CASH, Member

UNIT = "PATARD"


@pytest.fixture
def people(town: Town) -> tuple[Member, Member]:
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 90_000, reserve=CASH, reference="S1")
    return alice, shop


def sql(town: Town, statement: str) -> None:
    with town.engine.begin() as connection:
        connection.execute(text(statement))


def codes(town: Town) -> list[str]:
    return [one.code for one in audit(town).findings]


# --- texts -------------------------------------------------------------------------------------------------


def test_what_is_erased_with_its_salt_is_no_finding(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    details.put(town, shop.party, "DE89370400440532013000")
    bank.bring(town, bank.statement([bank.line(700, "don", name="UN AMI", iban="NL91ABNA0417164300")]))
    answer(town, alice, shop, shop.key, 450, "2 baguettes")
    assert codes(town) == []
    sql(town, "UPDATE party SET name = ''")
    sql(town, "UPDATE bank_line SET name = '', iban = '', text = '', bank_ref = '', end_to_end = '', mandate = ''")
    sql(town, "DELETE FROM memo")
    assert codes(town) == ["name_differs"] * 2 + ["statement_texts"]
    sql(town, "DELETE FROM salt")
    details.erase(town, shop.party)
    assert codes(town) == []
    # A text that comes back without its salt is none that was erased.
    sql(town, "UPDATE party SET name = 'Mallory' WHERE kind = 'shop'")
    sql(town, "UPDATE bank_line SET text = 'salaire'")
    assert codes(town) == ["name_differs", "statement_texts"]


def test_bank_details_are_those_that_were_said_last(town: Town, people: tuple[Member, Member]) -> None:
    _, shop = people
    details.put(town, shop.party, "DE89370400440532013000")
    details.put(town, shop.party, "BE68539007547034", "Boulangerie SARL")
    assert codes(town) == []
    sql(town, "UPDATE bank_details SET holder = 'Mallory'")
    assert codes(town) == ["details_differ"]
    details.erase(town, shop.party)
    assert codes(town) == []
    details.erase(town, shop.party)  # again changes nothing
    back = "INSERT INTO bank_details SELECT id, 'NL91ABNA0417164300', '', 1, 'console' FROM party WHERE kind = 'shop'"
    sql(town, back)
    assert codes(town) == ["details_differ"]


def test_bank_details_are_said_by_whoever_may(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    acting = towns.acting(town, shop.key, "PUT /v1/bank-details", iban="BE68539007547034")
    details.put(acting, shop.party, "BE68539007547034", by=shop.key.public.hex())
    assert codes(town) == []
    request = f"PUT /v1/parties/{account_text(shop.account)}/bank-details"
    acting = towns.acting(town, alice.key, request, iban="DE89370400440532013000")
    details.put(acting, shop.party, "DE89370400440532013000", by=alice.key.public.hex())
    assert codes(town) == ["role_insufficient"]


@pytest.mark.parametrize(
    "change",
    ["UPDATE memo SET text = 'Table 3'", "UPDATE memo SET request = NULL", "UPDATE memo SET request = x'00'",
     "UPDATE memo SET id = (SELECT id FROM log WHERE seq = 3)", "UPDATE memo SET id = randomblob(16)"],
)  # fmt: skip
def test_a_memo_that_nobody_signed(town: Town, people: tuple[Member, Member], change: str) -> None:
    alice, shop = people
    answer(town, alice, shop, shop.key, 450, "2 baguettes")
    assert codes(town) == []
    sql(town, change)
    assert codes(town) == ["memo_differs"]


def test_a_memo_of_another_request(town: Town, people: tuple[Member, Member]) -> None:
    alice, shop = people
    for label in ("2 baguettes", "Croissants"):
        answer(town, alice, shop, shop.key, 450, label)
    # The shop signed it, and not for this payment.
    other = "(SELECT text, request FROM memo ORDER BY id DESC LIMIT 1)"
    sql(town, f"UPDATE memo SET (text, request) = {other} WHERE id = (SELECT min(id) FROM memo)")
    assert codes(town) == ["memo_differs"]


@pytest.mark.parametrize("column", ["name", "iban", "text", "bank_ref", "end_to_end", "mandate", "reason", "value_on"])
def test_every_text_of_a_line_is_held(town: Town, column: str) -> None:
    bank.bring(town, bank.statement([bank.line(700, "don"), bank.line(800, "don")]))
    assert codes(town) == []
    sql(town, f"UPDATE bank_line SET {column} = '2025-06-01' WHERE amount = 700")
    # The bank's reference stands in an index as well.
    assert codes(town) == ["statement_texts"] * (2 if column == "bank_ref" else 1)


def test_what_is_from_before_is_counted(town: Town, people: tuple[Member, Member]) -> None:
    """A book of before has neither hashes nor limits in its log; the first note that says limits begins to demand."""
    from ledger.currency.audit import walk
    from ledger.currency.audit.signatures import Signatures

    alice, shop = people
    details.put(town, shop.party, "BE68539007547034")
    answer(town, alice, shop, shop.key, 450, "2 baguettes")
    story = walk._Run(town, Signatures(0)).story
    # As if all of it had been before: the audit's own story without hashes.
    from ledger.currency.audit import texts

    story.holders = {alice.account: "person", shop.account: "shop"}
    story.demanded = town.book.head().seq + 1
    sql(town, "UPDATE memo SET request = NULL")
    assert list(texts.against(town, story)) == []
    [notice] = story.notices
    assert "2 names of parties, 1 bank details, 1 memos of payments" in notice.text


# --- who may open what ---------------------------------------------------------------------------------------


def test_sessions_and_codes_are_sealed(town: Town, people: tuple[Member, Member]) -> None:
    alice, _shop = people
    session = opened(Sessions(town), alice.key)
    code = parties.invite(town, alice.party, "member")
    assert Sessions(town).find(session.token).key == alice.key.public
    assert codes(town) == []
    for change, code_found in (
        ("UPDATE session SET expires_at = expires_at + 1", "session_forged"),
        ("UPDATE invite SET role = 'owner', party = (SELECT id FROM party WHERE kind = 'shop') WHERE used_by IS NULL",
         "invite_forged"),
    ):  # fmt: skip
        sql(town, change)
        assert code_found in codes(town)
    for call in (lambda: Sessions(town).find(session.token),
                 lambda: parties.join(town, code, towns.key_of("new").public, "x")):  # fmt: skip
        with pytest.raises(Exception) as caught:
            call()
        assert caught.value.code in ("session_missing", "join_code_invalid")  # type: ignore[attr-defined]


# --- shapes --------------------------------------------------------------------------------------------------


def test_what_an_entry_may_not_say(town: Town, people: tuple[Member, Member]) -> None:
    chart = town.chart
    made = Transaction(
        conversion.conversion_id(town, CASH, "S9"), "conversion",
        (Transfer(chart.circulation, people[0].account, 1, UNIT),
         Transfer(chart.reserve[CASH], chart.guarantee, 1, "EUR")),
        evidence={"by": "console", "reference": "S9", "reserve": f"{chart.reserve[CASH]:016x}", "note": "gift"},
    )  # fmt: skip
    town.post(made)
    assert codes(town) == ["entry_shape"]
    town.post(Note(town.new_id(), "remark", {"text": "x"}))
    assert codes(town) == ["entry_shape", "kind_unknown"]


def test_a_payment_counts_for_its_own_day(town: Town, people: tuple[Member, Member]) -> None:
    from tests.currency.wrongs import signed_transaction

    alice, shop = people
    signed = towns.order(town, alice, shop.account, 100)
    town.post(replace(signed_transaction(signed), booked_on=date(2024, 12, 31)))
    assert codes(town) == ["entry_shape"]


def test_a_key_without_its_inviter(town: Town, people: tuple[Member, Member]) -> None:
    key = towns.key_of("thief").public
    evidence = {"account": f"{people[0].account:016x}", "key": key.hex(), "role": "member"}
    town.post(Note(derived_id("patard/key", "key_added", key), "key_added", evidence))
    assert codes(town)[0] == "note_malformed"


# --- limits --------------------------------------------------------------------------------------------------


@pytest.fixture
def strict(tmp_path: Path) -> Town:
    return towns.found(tmp_path / "strict", towns.charter(limits=Limits(per_payment=5_000, per_day=8_000)))


def pay_past_the_desk(town: Town, payer: Member, payee: Member, amount: int) -> None:
    from tests.currency.wrongs import signed_transaction

    town.post(signed_transaction(towns.order(town, payer, payee.account, amount)))


def test_payments_above_the_limits_in_force(strict: Town) -> None:
    town = strict
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 90_000, reserve=CASH, reference="S1")
    for amount in (5_000, 3_000):
        pay_past_the_desk(town, alice, shop, amount)
    assert codes(town) == []
    towns.clock(town).forward(timedelta(days=1).total_seconds())
    pay_past_the_desk(town, alice, shop, 5_000)
    assert codes(town) == []
    pay_past_the_desk(town, alice, shop, 5_001)
    assert codes(town) == ["limit_payment", "limit_day"]
    town.book.close()


def test_limits_are_those_of_their_time(strict: Town) -> None:
    town = strict
    alice, shop = towns.member(town, "person", "Alice"), towns.member(town, "shop", "Boulangerie")
    conversion.convert(town, alice.party, 90_000, reserve=CASH, reference="S1")
    wider = Town(towns.charter(limits=Limits(per_payment=20_000)), town.book, town.key, town.engine, town.machine)
    assert [one.code for one in audit(wider).findings] == ["charter_differs"]
    chartered.keep(wider, chartered.latest(wider))
    pay_past_the_desk(wider, alice, shop, 20_000)
    done: Audit = audit(wider)
    assert done.clean, done.findings
    strict_again = Town(town.charter, town.book, town.key, town.engine, town.machine)
    chartered.keep(strict_again, chartered.latest(strict_again))
    pay_past_the_desk(strict_again, alice, shop, 100)
    assert codes(strict_again) == ["limit_day"]
    town.book.close()


def test_the_note_says_every_limit(strict: Town) -> None:
    rules = chartered.latest(strict)
    assert rules is not None and rules.says_all and chartered.read(chartered.note_of(rules).evidence) == rules
    assert (rules.per_payment, rules.per_day, rules.session_hours, rules.timezone) == (5_000, 8_000, 12, "Europe/Paris")
    strict.book.close()


def test_a_hash_depends_on_all_of_it() -> None:
    made = salted.salted("a", bytes(16), ["b", "c"])
    others = [("b", bytes(16), ["b", "c"]), ("a", b"x" * 16, ["b", "c"]), ("a", bytes(16), ["bc", ""]),
              ("a", bytes(16), ["", "bc"])]  # fmt: skip
    assert made not in [salted.salted(*one) for one in others]
