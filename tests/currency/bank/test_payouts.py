"""Payouts: one file of what is due, signed, fetched once; what the bank makes of it; euros or units, never both."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ledger.currency import chartered, conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, claims, details, suspense, taking
from ledger.currency.bank.formats.nodes import xml_nodes
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts import batches, contents, index, owed, undoing
from ledger.currency.bank.payouts import lines as payout_lines
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH
from ledger.currency.bank.reference import shown
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.charter import BankRules, ReserveAccount, ReserveKind
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import (
    BROUGHT,
    SHOP_IBANS,
    Town3,
    accept,
    credit,
    debit,
    now,
    sent,
    settle,
    sign,
    treasurer,
)
from tests.currency.bank.scene import DAY, SAVINGS_IBAN, adds_up, balances, bring, line, opened, statement
from tests.towns import BANK, CASH

NEXT = DAY + timedelta(days=1)
HELD = 3 * BROUGHT


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


def refusal(code: str, call: object, *args: object, **more: object) -> str:
    """Hold that a call is refused with that code and that nothing was written down; the detail."""
    assert callable(call)
    with pytest.raises(CurrencyError) as caught:
        call(*args, **more)
    assert caught.value.code == code, caught.value.detail
    return caught.value.detail


def clean(town: Town, *, missing: int = 0, claimed: int = 0) -> None:
    """Hold that nothing is wrong, but for euros that went from the bank and that nobody has explained yet."""
    done = audit(town)
    assert [finding.code for finding in done.findings] == (["reserve_short"] if missing else []), done.findings
    assert adds_up(town) is not bool(missing or claimed)
    assert balances(town).get("claims", 0) == claimed
    if missing:
        assert balances(town)["suspense"] == -missing


# --- where shops are paid ----------------------------------------------------------------------------------


def test_an_iban_is_checked_and_kept_beside_the_log(town: Town, paying: Town3) -> None:
    shop = paying.shops[0].party
    details.put(town, shop, "be71 0961 2345 6769", "Boulangerie SARL", by="console")
    found = details.find(town, shop)
    assert found is not None
    assert (found.iban, found.holder, found.set_by) == ("BE71096123456769", "Boulangerie SARL", "console")
    clean(town)
    details.erase(town, shop)
    assert details.find(town, shop) is None
    clean(town)
    with town.book.store.reading() as store:
        log = b"".join(row.record for row in store.log(0, 1_000))
    assert b"BE71096123456769" not in log and b"Boulangerie SARL" not in log


@pytest.mark.parametrize(
    ("iban", "holder", "code"),
    [("BE71096123456768", "", "iban_wrong"), ("BE7109612345676", "", "iban_wrong"), ("", "", "iban_wrong"),
     (SAVINGS_IBAN, "", "iban_wrong"), ("BE71096123456769", "日本", "text_malformed"),
     ("BE71096123456769", "a\u202eb", "text_malformed"), ("BE71096123456769", "x" * 71, "text_malformed")],
)  # fmt: skip
def test_what_is_no_place_to_be_paid(town: Town, paying: Town3, iban: str, holder: str, code: str) -> None:
    refusal(code, details.put, town, paying.shops[0].party, iban, holder)
    kept = details.find(town, paying.shops[0].party)
    assert kept is not None and kept.iban == SHOP_IBANS[0]


# --- a file ------------------------------------------------------------------------------------------------


def test_everything_due_becomes_one_file(town: Town, paying: Town3) -> None:
    made = [accept(town, shop, 10_000 * n) for n, shop in enumerate(paying.shops, 1)]
    details.erase(town, paying.shops[2].party)
    assert [(one.payout.amount, one.iban, one.batch) for one in owed.due(town)] == [
        (9_500, SHOP_IBANS[0], 0), (19_000, SHOP_IBANS[1], 0), (28_500, "", 0)
    ]  # fmt: skip
    batch = batches.order(town, on=town.charter.local_date(town.now()) + timedelta(days=2))
    assert (batch.number, batch.total, batch.transfers, batch.people, batch.state) == (1, 28_500, 2, 1, "ordered")
    sign(town, batch, paying.alice)
    file = batches.fetch(town, batch)
    orders = [
        (node.value("PmtId", "EndToEndId"), node.value("Amt", "InstdAmt"), node.value("Cdtr", "Nm"),
         node.value("CdtrAcct", "Id", "IBAN"), node.value("RmtInf", "Ustrd"))
        for _parent, node in xml_nodes(file, ["CdtTrfTxInf"])
    ]  # fmt: skip
    assert orders == [
        (made[0].reference, "95.00", "Boulangerie", SHOP_IBANS[0], f"PATARD {shown(made[0].reference)}"),
        (made[1].reference, "190.00", "Cafe Elise + Cie", SHOP_IBANS[1], f"PATARD {shown(made[1].reference)}"),
    ]
    assert batch.message.encode() in file and batch.requested_on.isoformat().encode() in file
    # What waits for an IBAN makes the next one.
    assert "iban" in refusal("payouts_none", batches.order, town).lower()
    details.put(town, paying.shops[2].party, SHOP_IBANS[2])
    assert batches.order(town).total == 28_500
    clean(town)


def test_a_payout_goes_where_it_was_ordered_to(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    batch = sent(paying)
    details.put(town, paying.shops[0].party, "BE71096123456769")
    assert [one.iban for one in contents.transfers_of(town, batch.id)] == [SHOP_IBANS[0]]
    assert [one.iban for one in owed.due(town)] == [SHOP_IBANS[0]]


def test_an_iban_that_was_never_paid_to_shows(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    day = iter(DAY + timedelta(days=n) for n in range(1, 5))

    def new(iban: str) -> list[bool]:
        details.put(town, shop.party, iban)
        payout = accept(town, shop, 10_000)
        found = [one.is_new for one in contents.transfers_of(town, sent(paying).id)]
        bring(town, statement([debit(payout, next(day))], town.book.balance(town.chart.reserve[BANK])))
        return found

    assert [new(SHOP_IBANS[0]), new(SHOP_IBANS[0]), new("BE71096123456769"), new(SHOP_IBANS[0])] == [
        [True], [False], [True], [False]
    ]  # fmt: skip


@pytest.mark.parametrize("days", [-1, 61])
def test_a_file_is_for_today_or_soon(town: Town, paying: Town3, days: int) -> None:
    accept(town, paying.shops[0], 10_000)
    today = town.charter.local_date(town.now())
    refusal("payouts_date", batches.order, town, on=today + timedelta(days=days))


def test_a_charter_without_a_bank_account_pays_nobody(tmp_path: Path) -> None:
    with opened(tmp_path / "home", reserve=(ReserveAccount(name=CASH, kind=ReserveKind.CASH),), bank=BankRules(),
                mandates=None) as town:  # fmt: skip
        refusal("payout_unavailable", batches.order, town)


def test_what_is_in_a_file_is_in_no_other(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(town, paying.shops[0], 10_000)
    stale = owed.due(town)
    batches.order(town)
    # Another process that looked at the list a moment before.
    answers = iter([stale])
    monkeypatch.setattr(batches, "due", lambda town: next(answers, None) or owed.due(town))
    refusal("payouts_none", batches.order, town)
    assert len(batches.every(town)) == 1


def test_more_than_one_file_holds_waits_for_the_next(
    town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "MAX_PAYOUTS", 2)
    for shop in paying.shops:
        accept(town, shop, 1_000)
    assert [batches.order(town).transfers, batches.order(town).transfers] == [2, 1]
    monkeypatch.setattr(batches, "MAX_PACKED", 3)
    for shop in paying.shops:
        accept(town, shop, 1_000)
    assert batches.order(town).transfers == 1
    clean(town)


def test_a_charter_changed_elsewhere_stops_the_order(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    stricter = Town(
        towns.charter(reserve=town.charter.reserve, bank=BankRules(second_signature_above=0)), town.book, town.key,
        town.engine, town.machine,
    )  # fmt: skip
    chartered.keep(stricter, chartered.latest(stricter))
    refusal("charter_changed", batches.order, town)
    assert batches.order(stricter).people == 2


# --- signing -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "units", "people"), [(None, 200_000, 1), (0, 100, 2), (95_000, 100_000, 1),
                                                        (94_999, 100_000, 2)])  # fmt: skip
def test_how_many_people_sign(tmp_path: Path, limit: int | None, units: int, people: int) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=limit)) as town:
        paying = settle(town)
        accept(town, paying.shops[0], units)
        batch = batches.order(town)
        assert batch.people == people
        for key in (paying.alice, paying.bob)[:people]:
            refusal("payouts_unsigned", batches.fetch, town, batch)
            sign(town, batch, key)
        assert batches.find(town, "1").state == "signed"
        batches.fetch(town, batch)
        clean(town)


@pytest.fixture
def big(town: Town, paying: Town3) -> batches.Batch:
    """A file that two people sign."""
    accept(town, paying.shops[0], 200_000)
    batch = batches.order(town)
    assert batch.people == 2
    return batch


def test_two_keys_of_one_person_are_one_person(town: Town, paying: Town3) -> None:
    phone = treasurer(town, paying.office, "Alice", "Alice's phone")
    accept(town, paying.shops[0], 200_000)
    big = batches.order(town)
    sign(town, big, paying.alice)
    sign(town, big, paying.alice)  # the same again changes nothing
    assert "Alice" in refusal("signature_same_person", sign, town, big, phone)
    refusal("payouts_unsigned", batches.fetch, town, big)
    sign(town, big, paying.bob)
    assert [one.name for one in batches.find(town, "1").signatures] == ["Alice", "Bob"]
    batches.fetch(town, big)
    clean(town)


def test_a_key_of_nobody_in_particular_is_no_second_person(town: Town, paying: Town3, big: batches.Batch) -> None:
    assert "--person" in refusal(
        "signature_person_unknown", sign, town, big, treasurer(town, paying.office, None, "the office's PC")
    )


def test_one_signature_needs_no_name(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    batch = batches.order(town)
    sign(town, batch, treasurer(town, paying.office, None, "the office's PC"))
    batches.fetch(town, batch)
    clean(town)


def test_who_signs_is_a_treasurer_and_signs_this_file(town: Town, paying: Town3, big: batches.Batch) -> None:
    operator = towns.join(town, paying.office, "operator", "operator's PC")
    refusal("role_insufficient", sign, town, big, operator)
    for wrong in (big._replace(total=1), big._replace(sha256=bytes(32)), big._replace(id=bytes(15) + b"\1"),
                  big._replace(transfers=2)):  # fmt: skip
        refusal("signature_invalid", sign, town, wrong, paying.alice)
    parties.revoke(town, parties.device(town, paying.alice.public))
    refusal("key_unknown", sign, town, big, paying.alice)


def test_a_key_revoked_meanwhile_counts_no_more(town: Town, paying: Town3, big: batches.Batch) -> None:
    sign(town, big, paying.alice)
    sign(town, big, paying.bob)
    parties.revoke(town, parties.device(town, paying.bob.public))
    refusal("payouts_unsigned", batches.fetch, town, big)
    # Whoever joins when the file is there signs the next one: nobody makes keys for a file that waits.
    phone = treasurer(town, paying.office, "Bob", "Bob's new phone")
    assert "after it was ordered" in refusal("signature_person_unknown", sign, town, big, phone)
    batches.withdraw(town, big)
    again = batches.order(town)
    for key in (paying.alice, phone):
        sign(town, again, key)
    batches.fetch(town, again)
    clean(town)


def test_a_person_is_a_person(town: Town, paying: Town3) -> None:
    bob = parties.admit(town, "person", "Bruno")
    parties.close(town, bob)
    for person in (paying.shops[0].party, parties.by_account(town, bob.account)):
        refusal("person_wrong", parties.invite, town, paying.office, "treasurer", person=person)
    alice = parties.named(town, "Alice")
    refusal("person_wrong", parties.invite, town, alice, "member", person=alice)


# --- fetching and withdrawing ------------------------------------------------------------------------------


def test_a_file_is_fetched_once(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    batch = sent(paying)
    assert "somebody at the machine" in refusal("payouts_fetched", batches.fetch, town, batch)
    key = paying.alice.public.hex()
    assert "--again" in refusal("payouts_fetched", batches.fetch, town, batch, by=key)
    acting = towns.acting(town, paying.alice, f"GET /v1/payouts/batches/{batch.id.hex()}/file?again=true")
    assert batches.fetch(acting, batch, by=key, again=True) == batches.fetch(town, batch, again=True)
    found = batches.find(town, "1")
    assert (found.fetched_at, found.fetched_by) == (batch.fetched_at, "console")
    refusal("payouts_fetched", sign, town, batch, paying.bob)
    clean(town)


def test_a_file_that_was_changed_does_not_leave(town: Town, paying: Town3) -> None:
    accept(town, paying.shops[0], 10_000)
    batch = batches.order(town)
    sign(town, batch, paying.alice)
    with town.book.store.writing() as store:
        store.connection.execute(update(PAYOUT_BATCH).values(file=b"<Document/>"))
    refusal("payouts_changed", batches.fetch, town, batch)
    assert [one.code for one in audit(town).findings] == ["payout_file_changed"]


def test_a_file_is_given_up_and_its_payouts_go_into_another(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    first = batches.order(town)
    sign(town, first, paying.alice)
    batches.withdraw(town, first)
    batches.withdraw(town, first, by="ab" * 32)
    batches.withdraw(town, batches.find(town, "1"))
    for call in (batches.fetch, lambda town, batch: sign(town, batch, paying.bob)):
        refusal("payouts_withdrawn", call, town, first)
    second = sent(paying)
    refusal("payouts_fetched", batches.withdraw, town, second)
    batches.withdraw(town, second, fetched_too=True)
    third = sent(paying)
    # Should the bank execute the second all the same, it is found, and the third pays nobody twice unseen.
    bring(town, statement([debit(payout, NEXT), debit(payout, NEXT)], HELD))
    assert [one.became for one in lines(town, BANK_LINE.c.amount < 0)] == ["bank_payout", "bank_suspense"]
    assert batches.find(town, "3").state == "settled"
    refusal("payouts_settled", batches.withdraw, town, batches.find(town, str(third.number)), fetched_too=True)
    clean(town, missing=9_500)


# --- what the bank makes of it -----------------------------------------------------------------------------


def test_an_executed_payout_is_settled(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    assert bring(town, statement([debit(payout, NEXT)], HELD)).kinds == {"bank_payout": 1}
    assert owed.due(town) == []
    assert balances(town) == {
        "circulation": HELD - 10_000, "guarantee": HELD - 10_000, "members": HELD - 10_000, "income": 500,
        BANK: HELD - 9_500,
    }  # fmt: skip
    [row] = lines(town, BANK_LINE.c.amount < 0)
    assert row.holder == paying.shops[0].account
    assert payout_lines.reason(town, row) is not None
    clean(town)


def test_a_payout_without_a_file_is_found_too(town: Town, paying: Town3) -> None:
    """A small town types it into the bank's page, with the reference."""
    payout = accept(town, paying.shops[0], 10_000)
    bring(town, statement([line(-9_500, f"Virement {shown(payout.reference)}", NEXT)], HELD))
    assert now(town, payout).paid_by
    clean(town)


def batch_line(batch: batches.Batch, amount: int, *parts: BankLine) -> BankLine:
    return line(amount, "VIREMENTS SEPA", NEXT, end_to_end=batch.message, parts=parts)


@pytest.mark.parametrize("told", ["parts", "message", "text"])
def test_a_file_that_the_bank_booked_as_one_sum(town: Town, paying: Town3, told: str) -> None:
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    row = batch_line(batch, -28_500)
    if told == "parts":
        row = line(-28_500, "VIREMENTS SEPA", NEXT, parts=tuple(debit(payout, NEXT) for payout in made))
    elif told == "text":
        row = line(-28_500, f"3 VIR EMIS {batch.message.lower()}"[:31], NEXT)
    assert bring(town, statement([row], HELD)).kinds == {"bank_payout": 1}
    assert owed.due(town) == [] and batches.find(town, "1").state == "settled"
    assert balances(town)[BANK] == HELD - 28_500
    clean(town)


def test_one_sum_less_what_was_rejected_before(town: Town, paying: Town3) -> None:
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    undoing.reject(town, made[1], reason="AC04")
    assert bring(town, statement([batch_line(batch, -19_000)], HELD)).kinds == {"bank_payout": 1}
    # One of them comes back, and then the other, in one line.
    back = line(19_000, batch.message, NEXT + timedelta(days=1), kind=LineKind.RETURN)
    assert bring(town, statement([back], HELD - 19_000)).kinds == {"bank_payout_return": 1}
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    clean(town)


@pytest.mark.parametrize(
    ("amount", "parts", "code"),
    [(-9_400, (), "amount_differs"), (-9_500, (-9_400, -100), None), (-19_000, (-9_500, -9_500), None)],
)
def test_a_line_that_does_not_fit_to_the_cent(
    town: Town, paying: Town3, amount: int, parts: tuple[int, ...], code: str | None
) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    row = line(amount, payout.reference, NEXT, parts=tuple(debit(payout, NEXT, -part) for part in parts))
    assert bring(town, statement([row], HELD)).kinds == {"bank_suspense": 1}
    [kept] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, kept)
    assert (why and why.code) == code
    assert now(town, payout).is_due
    clean(town, missing=-amount)


def test_the_same_payout_executed_twice(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    later = NEXT + timedelta(days=3)
    assert bring(town, statement([debit(payout, later)], HELD - 9_500)).kinds == {"bank_suspense": 1}
    [_first, second] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, second)
    assert why is not None and (why.code, why.on) == ("paid_already", NEXT)
    clean(town, missing=9_500)
    # A person sees why, and that the shop owes it back; when it sends it, that is proposed too.
    shop = paying.shops[0]
    best = suspense.open_lines(town)[0].proposals[0]
    assert (best.decision.way, best.decision.holder) == ("debt", shop.account)
    assert best.reasons[0].facts == {"name": "Boulangerie", "day": NEXT}
    suspense.place(town, second.id, best.decision)
    assert claims.owed(town) == {shop.account: 9_500}
    clean(town, claimed=9_500)
    suspense.put_back(town, second.id)
    assert claims.owed(town) == {}
    suspense.place(town, second.id, best.decision)
    back = line(9_500, "rendu, erreur", later + timedelta(days=1), name="BOULANGERIE")
    bring(town, statement([back], HELD - 19_000))
    [one] = suspense.open_lines(town)
    assert one.proposals[0].decision.way == "claim"
    suspense.place(town, one.line.id, one.proposals[0].decision)
    assert claims.owed(town) == {}
    clean(town)


def test_a_payout_that_comes_back(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT), credit(payout, NEXT)], HELD))
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    assert town.book.balance(shop.account) == BROUGHT
    [entry] = town.book.statement(shop.account, limit=1).entries
    assert (entry.kind, entry.change, entry.evidence["reason"]) == ("bank_payout_return", 10_000, "AC04")
    clean(town)
    # It is over: whatever the bank sends of it now is for a person to look at.
    again = NEXT + timedelta(days=1)
    bring(town, statement([debit(payout, again), credit(payout, again)], HELD))
    assert [one.became for one in lines(town, BANK_LINE.c.booked_on == again.isoformat())] == ["bank_suspense"] * 2
    # The shop may ask anew, under another reference.
    assert accept(town, shop, 10_000).reference != payout.reference
    clean(town)


def test_it_comes_back_before_it_left(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    assert bring(town, statement([credit(payout, NEXT)], HELD)).kinds == {"bank_suspense": 1}
    [row] = lines(town, BANK_LINE.c.booked_on == NEXT.isoformat())
    why = payout_lines.reason(town, row)
    assert why is not None and why.code == "not_paid"
    clean(town)


def test_it_comes_back_to_a_shop_that_has_left(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, BROUGHT)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    parties.close(town, shop.party)
    done = bring(town, statement([credit(payout, NEXT + timedelta(days=1))], HELD - payout.amount))
    assert (done.kinds, done.stuck) == ({"bank_suspense": 1}, [])
    [row] = lines(town, BANK_LINE.c.booked_on > NEXT.isoformat())
    why = payout_lines.reason(town, row)
    assert why is not None and why.code == "no_account"
    clean(town)


def test_a_fee_that_was_moved_out_is_owed_back(town: Town, paying: Town3) -> None:
    """The shop has all of its units again, and the reserve report says what the association has to put back."""
    from ledger.core.model import Transaction, Transfer
    from ledger.currency.chart import EUR

    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    chart = town.chart
    fees = Transfer(chart.income, chart.reserve[BANK], 500, EUR)
    town.post(Transaction(town.new_id(), "fees_moved", (fees,)))
    bring(town, statement([debit(payout, NEXT), credit(payout, NEXT)], HELD))
    held = balances(town)
    assert (held["circulation"], held["guarantee"], held["income"]) == (HELD, HELD, -500)
    assert not adds_up(town)


def test_a_corrected_statement_takes_a_payout_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    batch = sent(paying)
    bring(town, statement([debit(payout, NEXT), line(500, "?", NEXT)], HELD))
    bring(town, statement([line(400, "?", NEXT)], HELD), corrected=True)
    assert now(town, payout).is_due and now(town, payout).batch == batch.id
    assert balances(town) == {
        "circulation": HELD - 10_000, "guarantee": HELD - 10_000, "members": HELD - 10_000, "payouts": 9_500,
        "income": 500, BANK: HELD + 400, "suspense": 400,
    }  # fmt: skip


def test_a_corrected_statement_takes_a_return_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    back = NEXT + timedelta(days=1)
    bring(town, statement([credit(payout, back), line(-1, "?", back)], HELD - 9_500))
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    bring(town, statement([line(2, "?", back)], HELD - 9_500), corrected=True)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    assert now(town, payout).undone_by is None and now(town, payout).paid_by
    assert owed.due(town) == []


def test_a_corrected_statement_takes_both_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    back = NEXT + timedelta(days=1)
    bring(town, statement([debit(payout, NEXT), credit(payout, back)], HELD))
    assert now(town, payout).undone_by
    bring(town, statement([line(3, "?", NEXT), line(-3, "?", back)], HELD), corrected=True)
    assert now(town, payout).is_due
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    assert town.book.balance(town.chart.payouts) == 9_500


def test_what_a_withdrawn_file_had_paid_can_be_ordered_when_it_is_due_again(town: Town, paying: Town3) -> None:
    paid, due = (accept(town, shop, 10_000) for shop in paying.shops[:2])
    batch = sent(paying)
    bring(town, statement([debit(paid, NEXT), line(1_000, "?", NEXT)], HELD))
    batches.withdraw(town, batch, fetched_too=True)
    bring(town, statement([line(1_500, "?", NEXT)], HELD), corrected=True)
    assert batches.order(town).total == paid.amount + due.amount


# --- rejected ----------------------------------------------------------------------------------------------


def test_a_rejected_payout_is_back_on_the_shops_account(town: Town, paying: Town3) -> None:
    shop = paying.shops[0]
    payout = accept(town, shop, 10_000)
    batch = batches.order(town)
    refusal("reason_malformed", undoing.reject, town, payout, reason="because")
    assert "withdraw" in refusal("payout_ordered", undoing.reject, town, payout)
    sign(town, batch, paying.alice)
    batches.fetch(town, batch)
    first = undoing.reject(town, payout, reason="AC04")
    again = undoing.reject(town, payout, reason="MD07", by="ab" * 32)
    assert (again.id, again.replay) == (first.id, True)
    assert balances(town) == {"circulation": HELD, "guarantee": HELD, "members": HELD, BANK: HELD}
    assert town.book.balance(shop.account) == BROUGHT
    # The bank executes it all the same: the shop has units for it, so a person decides.
    bring(town, statement([debit(payout, NEXT)], HELD))
    [row] = lines(town, BANK_LINE.c.amount < 0)
    why = payout_lines.reason(town, row)
    assert row.became == "bank_suspense" and why is not None and why.code == "given_back"
    clean(town, missing=9_500)
    [proposal] = [one for one in suspense.open_lines(town)[0].proposals if one.decision.way == "debt"]
    assert proposal.reasons[0].why == "given_back"
    suspense.place(town, row.id, proposal.decision)
    clean(town, claimed=9_500)


def test_one_that_nobody_ordered_can_be_given_back(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    undoing.reject(town, payout)
    assert owed.due(town) == []
    clean(town)


def test_one_that_was_paid_is_not_rejected(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    assert NEXT.isoformat() in refusal("payout_paid", undoing.reject, town, payout)
    # Nor when other payouts would cover it.
    accept(town, paying.shops[1], 50_000)
    refusal("payout_paid", undoing.reject, town, payout)
    bring(town, statement([credit(payout, NEXT + timedelta(days=1))], HELD - 9_500))
    refusal("payout_paid", undoing.reject, town, payout)
    clean(town)


def test_a_shop_that_has_left_stays_owed(town: Town, paying: Town3) -> None:
    payout = accept(town, paying.shops[0], BROUGHT)
    sent(paying)
    parties.close(town, paying.shops[0].party)
    assert "iban" in refusal("account_closed", undoing.reject, town, payout)
    assert now(town, payout).is_due


@pytest.mark.parametrize("told", ["parts", "message"])
def test_what_was_rejected_is_in_the_sum_all_the_same(town: Town, paying: Town3, told: str) -> None:
    """As many banks do it: a report of what they reject, the whole sum booked, and the rejected ones back by a line."""
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    batch = sent(paying)
    undoing.reject(town, made[1], reason="AC04")
    parts = tuple(debit(payout, NEXT) for payout in made) if told == "parts" else ()
    whole, back = batch_line(batch, -28_500, *parts), credit(made[1], NEXT + timedelta(days=1))
    assert bring(town, statement([whole], HELD)).kinds == {"bank_payout": 1}
    shop = paying.shops[1]
    assert owed.due(town) == [] and town.book.balance(shop.account) == BROUGHT
    # Its euros are away although it has the units, so it owes them until they are back.
    assert claims.owed(town) == {shop.account: 9_500}
    clean(town, claimed=9_500)
    assert bring(town, statement([back], HELD - 28_500)).kinds == {"bank_payout_return": 1}
    assert claims.owed(town) == {}
    assert balances(town)[BANK] == HELD - 19_000
    clean(town)
    # Once is enough.
    again = credit(made[1], NEXT + timedelta(days=2))
    assert bring(town, statement([again], HELD - 19_000)).kinds == {"bank_suspense": 1}
    bring(town, statement([line(7, "?", NEXT + timedelta(days=2))], HELD - 19_000), corrected=True)
    clean(town)


def test_the_second_payment_comes_back(town: Town, paying: Town3) -> None:
    """The shop was paid once and keeps it: the two other lines explain each other, and a person says so."""
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    days = [NEXT + timedelta(days=n) for n in range(4)]
    bring(town, statement([debit(payout, days[0]), debit(payout, days[1]), credit(payout, days[2])], HELD))
    assert [one.became for one in lines(town)] == ["bank_payout", "bank_suspense", "bank_suspense"]
    why = payout_lines.reason(town, lines(town)[2])
    assert why is not None and why.code == "paid_already"
    opened_ = suspense.open_lines(town)
    best = opened_[0].proposals[0].decision
    assert best.way == "pair"
    suspense.place(town, opened_[0].line.id, best)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    clean(town)
    # Now it comes back for good.
    bring(town, statement([credit(payout, days[3])], HELD - 9_500))
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    clean(town)


# --- at the same moment ------------------------------------------------------------------------------------


def test_a_payout_that_is_rejected_while_its_line_is_booked(
    town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Booking has decided what the line is, and somebody rejects the payout before it stands; others are owed more."""
    payout, other = accept(town, paying.shops[0], 10_000), accept(town, paying.shops[1], 50_000)
    sent(paying)
    found = payout_lines.executed

    def and_then(books: object, row: object) -> object:
        entry = found(books, row)  # type: ignore[arg-type]
        if entry is not None and now(town, payout).is_due:
            undoing.reject(town, payout)
        return entry

    monkeypatch.setattr("ledger.currency.bank.matching.FINDERS", (and_then,))
    assert bring(town, statement([debit(payout, NEXT)], HELD)).kinds == {"bank_suspense": 1}
    assert town.book.balance(paying.shops[0].account) == BROUGHT
    assert town.book.balance(town.chart.payouts) == other.amount
    clean(town, missing=9_500)


def test_a_payout_that_is_paid_while_it_is_rejected(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    payout, _other = accept(town, paying.shops[0], 10_000), accept(town, paying.shops[1], 50_000)
    sent(paying)
    make = undoing.undoing

    def and_then(*args: object, **more: object) -> object:
        bring(town, statement([debit(payout, NEXT)], HELD))
        return make(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(undoing, "undoing", and_then)
    refusal("payout_paid", undoing.reject, town, payout)
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    clean(town)


def test_two_who_book_the_same_line(town: Town, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    payout = accept(town, paying.shops[0], 10_000)
    sent(paying)
    taking.take(town, [statement([debit(payout, NEXT)], HELD)])
    found = payout_lines.executed
    first = [True]

    def and_then(books: object, row: object) -> object:
        entry = found(books, row)  # type: ignore[arg-type]
        if first.pop() if first else False:
            booking.book(town)
        return entry

    monkeypatch.setattr("ledger.currency.bank.matching.FINDERS", (and_then,))
    assert booking.book(town).kinds == {"bank_payout": 1}
    assert town.book.balance(town.chart.payouts) == 0
    clean(town)


def test_places_in_evidence_have_one_form() -> None:
    assert index.packed([17, 3, 4]) == "3,1,13" and index.unpacked("3,1,13") == [3, 4, 17]
    for wrong in ("", "3,0", "3,-1", "03", "3, 1", "3,", "+3", "³"):
        with pytest.raises(ValueError, match=r".*"):
            index.unpacked(wrong)


def test_a_reconversion_that_leaves_nothing_to_pay(tmp_path: Path) -> None:
    with opened(tmp_path / "home", reconversion_fee_bp=10_000) as town:
        paying = settle(town)
        asked = conversion.find_asked(town, towns.ask_back(town, paying.shops[0], 1_000))
        conversion.accept(town, asked)
        assert owed.due(town) == []
        clean(town)
