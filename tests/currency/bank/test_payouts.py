"""Payouts: where shops are paid; one file of what is due, ordered, fetched once, given up."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from ledger.currency import chartered, conversion
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.bank.formats.nodes import xml_nodes
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts import batches, contents, index, owed
from ledger.currency.bank.payouts.tables import PAYOUT_BATCH
from ledger.currency.bank.reference import shown
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.charter import BankRules, ReserveAccount, ReserveKind
from ledger.currency.tables import BANK_DETAILS
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept, debit, sent, settle, sign
from tests.currency.bank.payout_lines import HELD, NEXT, clean, refusal
from tests.currency.bank.scene import DAY, SAVINGS_IBAN, bring, opened, statement
from tests.towns import BANK, CASH


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


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
    [("BE71096123456768", "", "iban_check"), ("BE7109612345676", "", "iban_wrong"), ("", "", "iban_wrong"),
     (SAVINGS_IBAN, "", "iban_own"), ("IL620108000000099999999", "", "iban_outside"),
     ("BE71096123456769", "日本", "text_malformed"),
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


def test_an_iban_of_before_that_is_refused_today_waits_for_another(town: Town, paying: Town3) -> None:
    for shop in paying.shops:
        accept(town, shop, 10_000)
    before = update(BANK_DETAILS).where(BANK_DETAILS.c.party == paying.shops[0].party.id)
    with town.book.store.writing() as store:
        store.connection.execute(before.values(iban="MA64011519000001205000534921"))
    assert [one.iban for one in owed.due(town)] == ["", *SHOP_IBANS[1:3]]
    assert batches.order(town).transfers == 2
    details.put(town, paying.shops[0].party, SHOP_IBANS[0])
    assert batches.order(town).transfers == 1


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


# --- forms and limits --------------------------------------------------------------------------------------


def test_places_in_evidence_have_one_form() -> None:
    assert index.packed([17, 3, 4]) == "3,1,13" and index.unpacked("3,1,13") == [3, 4, 17]
    for wrong in ("", "3,0", "3,-1", "03", "3, 1", "3,", "+3", "³"):
        with pytest.raises(ValueError, match=r".*"):
            index.unpacked(wrong)


# --- at the same moment ------------------------------------------------------------------------------------


def test_a_reconversion_that_leaves_nothing_to_pay(tmp_path: Path) -> None:
    with opened(tmp_path / "home", reconversion_fee_bp=10_000) as town:
        paying = settle(town)
        asked = conversion.find_asked(town, towns.ask_back(town, paying.shops[0], 1_000))
        conversion.accept(town, asked)
        assert owed.due(town) == []
        clean(town)
