"""A file of payouts orders what the log says, whatever the tables say in the hour in which it is made or fetched."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from ledger.core.ids import account_text
from ledger.currency.audit.walk import audit
from ledger.currency.bank import details
from ledger.currency.bank.lines import lines
from ledger.currency.bank.payouts import batches, contents, owed, proven
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.payouts.tables import PAYOUT, PAYOUT_BATCH, PAYOUT_ORDER
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.tables import BANK_DETAILS, PARTY
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import BROUGHT, SHOP_IBANS, Town3, accept, debit, now, sent, sign
from tests.currency.bank.scene import DAY, bring, line, statement
from tests.threats.gate import clock_set
from tests.towns import BANK

NEXT = DAY + timedelta(days=1)
THEIRS = "NL02ABNA0123456789"
HELD = 3 * BROUGHT


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def payout(town: Town, paying: Town3) -> Payout:
    return accept(town, paying.shops[0], 10_000)


def write(town: Town, query: Any) -> None:
    with town.engine.begin() as connection:
        connection.execute(query)


def found(town: Town) -> set[str]:
    return {one.code for one in audit(town).findings}


def refused(code: str, town: Town, call: Any, *args: Any) -> str:
    head = town.book.head()
    with pytest.raises(CurrencyError) as caught:
        call(town, *args)
    assert (caught.value.code, town.book.head()) == (code, head), caught.value.detail
    return caught.value.detail


def by_party(paying: Town3, shop: int = 0) -> Any:
    return BANK_DETAILS.c.party == paying.shops[shop].party.id


EDITS: dict[str, Any] = {
    "IBAN": lambda p: update(BANK_DETAILS).where(by_party(p)).values(iban=THEIRS),
    "holder": lambda p: update(BANK_DETAILS).where(by_party(p)).values(holder="Mallory"),
    "name": lambda p: update(PARTY).where(PARTY.c.id == p.shops[0].party.id).values(name="Mallory"),
    "account": lambda _p: update(PAYOUT).values(holder=_p.shops[1].account),
    "amount": lambda _p: update(PAYOUT).values(amount=PAYOUT.c.amount + 100),
    "units": lambda _p: update(PAYOUT).values(units=PAYOUT.c.units + 100),
    "reference": lambda _p: update(PAYOUT).values(reference="A7T2DBJRS0"),
}


@pytest.mark.parametrize("what", EDITS)
def test_what_the_tables_say_for_an_hour_is_not_ordered(town: Town, paying: Town3, payout: Payout, what: str) -> None:
    write(town, EDITS[what](paying))
    detail = refused("payout_changed", town, batches.order)
    assert "the log" in detail and "patard check" in detail
    assert found(town) <= {"details_differ", "name_differs", "payout_unlogged"} != set()


def test_an_iban_that_was_never_said_is_none(town: Town, paying: Town3, payout: Payout) -> None:
    details.erase(town, paying.shops[0].party)
    row = {"party": paying.shops[0].party.id, "iban": THEIRS, "holder": "", "set_at": 1, "set_by": "console"}
    write(town, BANK_DETAILS.insert().values(**row))
    refused("payout_changed", town, batches.order)


def paid_by_hand(town: Town, payout: Payout) -> None:
    """The bank paid it, and a person says so of the line where booking does not."""
    bring(town, statement([debit(payout, NEXT)], HELD))
    for one in open_lines(town):
        place(town, one.line.id, Decision(way=Way.PAYOUT, other=payout.reconversion))
    assert now(town, payout).is_paid


def test_what_was_paid_is_not_ordered_again(town: Town, paying: Town3, payout: Payout) -> None:
    paid_by_hand(town, payout)
    write(town, update(PAYOUT).values(paid_by=None))
    assert "paid" in refused("payout_changed", town, batches.order)


def test_what_is_in_a_file_is_not_ordered_again(town: Town, paying: Town3, payout: Payout) -> None:
    batches.order(town)
    write(town, update(PAYOUT).values(batch=None))
    assert "ordered before" in refused("payout_changed", town, batches.order)


def test_what_was_put_back_is_due_again(town: Town, paying: Town3, payout: Payout) -> None:
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    with town.reading() as connection:
        [one] = proven.owed(town, connection, [payout.seq]).values()
        assert proven.settled(connection, [one]) == {payout.seq}
    put_back(town, lines(town)[0].id)
    with town.reading() as connection:
        assert not proven.settled(connection, [one])
    batches.withdraw(town, batches.find(town, "1"), fetched_too=True)
    assert batches.order(town).transfers == 1
    assert found(town) == {"reserve_short"}  # the euros of the line that waits


# --- the gate ----------------------------------------------------------------------------------------------


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """The desk believes the tables, as it did before files were held against the log."""
    monkeypatch.setattr(proven, "require_due", lambda *_: None)


def signed(paying: Town3) -> batches.Batch:
    made = batches.order(paying.town)
    sign(paying.town, made, paying.alice)
    return made


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("what", ["IBAN", "holder", "name"])
def test_a_file_to_another_account_stays_and_is_found(town: Town, paying: Town3, payout: Payout, what: str) -> None:
    name = paying.shops[0].party.name
    write(town, EDITS[what](paying))
    made = signed(paying)
    write(town, update(BANK_DETAILS).where(by_party(paying)).values(iban=SHOP_IBANS[0], holder=""))
    write(town, update(PARTY).where(PARTY.c.id == paying.shops[0].party.id).values(name=name))
    assert "another name or IBAN" in refused("payout_changed", town, batches.fetch, made)
    assert found(town) == {"payout_elsewhere"}


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("of_log", [True, False])
def test_a_file_that_pays_twice_stays(town: Town, paying: Town3, payout: Payout, of_log: bool) -> None:
    if of_log:
        sent(paying)
        bring(town, statement([debit(payout, NEXT)], HELD))
    else:
        batches.order(town)
    write(town, update(PAYOUT).values(paid_by=None, batch=None))
    made = signed(paying)
    detail = refused("payout_changed", town, batches.fetch, made)
    assert ("paid or undone" if of_log else "another file") in detail


@pytest.mark.usefixtures("blind")
def test_a_file_of_another_sum_stays(town: Town, paying: Town3, payout: Payout) -> None:
    write(town, EDITS["amount"](paying))
    made = signed(paying)
    assert "owes" in refused("payout_changed", town, batches.fetch, made)


def test_paid_while_the_file_was_signed(town: Town, paying: Town3, payout: Payout) -> None:
    """Somebody paid it by hand: the file that waits for its signatures would pay it again."""
    made = signed(paying)
    paid_by_hand(town, payout)
    assert "paid by a line" in refused("payouts_overtaken", town, batches.fetch, made)


def test_a_shop_that_moved_since_is_paid_where_it_was_ordered(town: Town, paying: Town3, payout: Payout) -> None:
    made = signed(paying)
    details.put(town, paying.shops[0].party, THEIRS)
    assert SHOP_IBANS[0].encode() in batches.fetch(town, made)
    assert audit(town).clean
    details.erase(town, paying.shops[0].party)
    assert audit(town).clean


@pytest.mark.usefixtures("blind")
@pytest.mark.parametrize("forgotten", [True, False])
def test_a_file_whose_shop_has_no_row_stays(town: Town, paying: Town3, payout: Payout, forgotten: bool) -> None:
    shop = paying.shops[0].party
    if forgotten:  # and a row put there for the moment of the order
        details.erase(town, shop)
        row = {"party": shop.id, "iban": THEIRS, "holder": "", "set_at": 1, "set_by": "console"}
        write(town, BANK_DETAILS.insert().values(**row))
    else:
        write(town, EDITS["IBAN"](paying))
    made = signed(paying)
    write(town, BANK_DETAILS.delete().where(by_party(paying)))
    assert "another name or IBAN" in refused("payout_changed", town, batches.fetch, made)
    assert "payout_elsewhere" in found(town) or not forgotten


# --- which accounts are known ------------------------------------------------------------------------------


def paid_for(paying: Town3, units: int) -> None:
    """Change units of the first shop back, and have the bank pay it."""
    town = paying.town
    payout = accept(town, paying.shops[0], units)
    sent(paying)
    opening = town.book.balance(town.chart.reserve[BANK])
    bring(town, statement([debit(payout, town.charter.local_date(town.now()))], opening))


def look(paying: Town3, units: int) -> str:
    accept(paying.town, paying.shops[0], units)
    made = batches.order(paying.town)
    [answer] = {one.look for one in contents.transfers_of(paying.town, made.id, made.people)}
    batches.withdraw(paying.town, made)
    return answer


def test_an_account_is_not_made_known_by_one_person(town: Town, paying: Town3) -> None:
    """A small file that one person signs makes nothing known to those who sign a large one."""
    paid_for(paying, 1_000)
    assert look(paying, 1_000) == ""
    assert look(paying, 110_000) == "fewer"
    towns.clock(town).forward(86_400)
    paid_for(paying, 1_000)  # with what was due before it: two people sign
    assert look(paying, 110_000) == ""


def test_an_account_that_was_set_by_the_office_is_looked_at(town: Town, paying: Town3) -> None:
    shop, office = paying.shops[0], paying.alice
    where = f"PUT /v1/parties/{account_text(shop.account)}/bank-details"
    acting = towns.acting(town, office, where, iban=THEIRS)
    details.put(acting, shop.party, THEIRS, by=office.public.hex())
    assert look(paying, 500) == "new"
    paid_for(paying, 1_000)
    assert look(paying, 1_000) == "office"
    told = [one.text for one in audit(town).notices if "said where" in one.text]
    assert told == [f"key {office.public.hex()[:16]} of the association said where account {shop.account:016x} is paid"]
    clock_set(town, 31)
    clock_set(town, -31)
    assert look(paying, 1_000) == "office"
    towns.clock(town).forward(31 * 86_400)
    assert look(paying, 1_000) == ""


def test_an_account_is_looked_at_that_is_not_the_shops_any_more(town: Town, paying: Town3, payout: Payout) -> None:
    sent(paying)
    bring(town, statement([debit(payout, NEXT)], HELD))
    accept(town, paying.shops[0], 1_000)
    made = batches.order(town)
    assert [one.look for one in contents.transfers_of(town, made.id)] == [""]
    details.put(town, paying.shops[0].party, THEIRS)
    assert [one.look for one in contents.transfers_of(town, made.id)] == ["changed"]


# --- what is kept of it ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("values", "table"), [
    ({"iban": THEIRS}, PAYOUT_ORDER), ({"name": "Mallory"}, PAYOUT_ORDER),
    ({"seq": 3}, PAYOUT), ({"reference": "A7T2DBJRS0"}, PAYOUT),
    ({"seq": 3}, PAYOUT_BATCH), ({"reserve": 7}, PAYOUT_BATCH), ({"reference": "A7T2DBJRS0"}, PAYOUT_BATCH),
    ({"made_at": 3}, PAYOUT_BATCH), ({"made_by": "x"}, PAYOUT_BATCH), ({"fetched_at": None}, PAYOUT_BATCH),
    ({"fetched_by": "x"}, PAYOUT_BATCH), ({"withdrawn_at": 3}, PAYOUT_BATCH), ({"withdrawn_by": "x"}, PAYOUT_BATCH),
])  # fmt: skip
def test_each_column_is_held_against_the_log(
    town: Town, paying: Town3, payout: Payout, values: dict[str, Any], table: Any
) -> None:
    sent(paying)
    assert audit(town).clean
    if values == {"reserve": 7}:
        values = {"reserve": town.chart.reserve["Livret"]}
    write(town, update(table).values(**values))
    assert ("payout_order_changed" if table is PAYOUT_ORDER else "payout_unlogged") in found(town)


def test_names_and_ibans_of_an_erased_file_are_those_of_the_log(town: Town, paying: Town3, payout: Payout) -> None:
    sent(paying)
    write(town, update(PAYOUT_BATCH).values(file=b""))
    assert audit(town).clean
    write(town, update(PAYOUT_ORDER).values(iban=THEIRS))
    assert found(town) == {"payout_order_changed"}


def test_references_swapped_for_an_hour_are_found_for_ever(town: Town, paying: Town3) -> None:
    """One shop's payout comes back, the other has its units: the line names the first."""
    first, second = (accept(town, shop, 10_000) for shop in paying.shops[:2])
    sent(paying)
    bring(town, statement([debit(first, NEXT), debit(second, NEXT)], HELD))

    def swap(one: str, other: str) -> None:
        for seq, reference in ((first.seq, one), (second.seq, other)):
            write(town, update(PAYOUT).where(PAYOUT.c.seq == seq).values(reference=reference))

    swap(second.reference, first.reference)
    later = NEXT + timedelta(days=1)
    back = line(first.amount, "RETOUR", later, end_to_end=first.reference, kind="return", reason="AC04")
    bring(town, statement([back], HELD - first.amount - second.amount))
    swap(first.reference, second.reference)
    assert owed.find(town, first.reference).is_paid
    assert found(town) == {"line_otherwise"}
