"""Cash: slips that were typed and paid in at the bank, and what a bank calls cash."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.core.ids import account_text
from ledger.core.model import Posted
from ledger.currency import conversion, parties
from ledger.currency.audit.boxed import SLIP, TO
from ledger.currency.audit.walk import audit
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import balances, bring, decide, line, statement, token
from tests.threats.test_one_euro import commit_refuses, once, typed
from tests.towns import BANK, CASH


def slip(town: Town, party: Party, amount: int, reference: str) -> Posted:
    return typed(town, party, amount, reference, None, CASH)


def officers(town: Town) -> dict[str, PrivateKey]:
    bureau = parties.admit(town, "association", "Bureau")
    return {role: towns.join(town, bureau, role, role) for role in ("operator", "treasurer")}


def type_in(town: Town, key: PrivateKey, party: Party, amount: int, reference: str, on: date | None = None) -> Posted:
    asks = {"account": account_text(party.account), "amount_cents": amount, "reserve": CASH, "reference": reference}
    acting = towns.acting(town, key, "POST /v1/conversions", **asks, **({"booked_on": on.isoformat()} if on else {}))
    by = key.public.hex()
    return conversion.convert(acting, party, amount, reserve=CASH, reference=reference, booked_on=on, by=by)


def typed_by_a_treasurer_alone(town: Town, party: Party, amount: int, reference: str) -> None:
    """An operator does not type the slip; where a treasurer does, it is told with line and sum."""
    keys = officers(town)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may type it") as caught:
        type_in(town, keys["operator"], party, amount, reference)
    assert caught.value.code == "conversion_on_statement"
    posted = type_in(town, keys["treasurer"], party, amount, reference)
    done = audit(town)
    [told] = [one for one in done.notices if one.seq == posted.seq]
    assert done.clean and told.form == SLIP and told.values["amount"] == amount
    assert (told.values["account"], told.values["line"]) == (party.account, lines(town)[0].reference)
    conversion.correct(town, posted.id)
    assert told not in audit(town).notices


def waits(town: Town) -> OpenLine:
    [one] = open_lines(town)
    return one


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (LineKind.CASH, ""),
        (LineKind.OTHER, "VERSEMENT ESPECES "),
        (LineKind.OTHER, "Dépôt espèces, "),
        (LineKind.OTHER, ""),
        (LineKind.CASH, "CHEQUE VIR "),
    ],
)
def test_cash_of_a_slip_that_was_paid_in(town: Town, alice: Party, kind: LineKind, said: str) -> None:
    slip(town, alice, 5_000, "S-1")
    bring(town, statement([line(5_000, said + token(town, alice), kind=kind)]))
    assert balances(town)["members"] == 5_000
    one, operator = waits(town), officers(town)["operator"]
    shares = (Share(Way.MEMBER, 4_000, alice.account), Share(Way.OWN, 1_000))
    for wrong in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.SPLIT, shares=shares)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash") as caught:
            decide(town, operator, one.line.id, wrong)
        assert caught.value.code == "role_insufficient"
    place(town, one.line.id, Decision(way=Way.CASH, cash=CASH))
    assert balances(town)[BANK] == 5_000 and CASH not in balances(town)
    once(town, 5_000)


def test_cash_that_several_slips_gave(town: Town, alice: Party) -> None:
    """Of whoever it says to be, whatever the sum: what a bank calls cash brings no units by itself."""
    for number, amount in enumerate((2_000, 3_000)):
        slip(town, alice, amount, f"S-{number}")
    bring(town, statement([line(5_000, token(town, alice), kind=LineKind.CASH)]))
    operator = officers(town)["operator"]
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash"):
        decide(town, operator, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    [best, *_others] = waits(town).proposals
    assert best.decision == Decision(way=Way.CASH, cash=CASH)
    place(town, waits(town).line.id, best.decision)
    once(town, 5_000)


def test_what_a_bank_calls_cash_waits_for_a_person(town: Town, alice: Party) -> None:
    """Though its text has a member's reference, and no slip was typed."""
    cash = line(5_000, token(town, alice), kind=LineKind.CASH)
    assert bring(town, statement([cash])).kinds == {"bank_suspense": 1}


@pytest.mark.parametrize("kind", [LineKind.CASH, LineKind.OTHER])
def test_cash_that_a_member_paid_in_is_typed_no_more(town: Town, alice: Party, kind: LineKind) -> None:
    bring(town, statement([line(5_000, f"VERSEMENT ESPECES {token(town, alice)}", kind=kind)]))
    place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    typed_by_a_treasurer_alone(town, alice, 5_000, "S-1")
    once(town, 5_000)


@pytest.mark.parametrize("kind", [LineKind.CASH, LineKind.OTHER])
@pytest.mark.parametrize("mine", [6_000, 10_000])
def test_one_deposit_in_parts_is_typed_no_more(town: Town, alice: Party, kind: LineKind, mine: int) -> None:
    """Split among members, or one's whole: neither its parts nor its sum are slips as well."""
    bob = parties.admit(town, "person", "Bob")
    bring(town, statement([line(10_000, "VERSEMENT", kind=kind)]))
    shares = (Share(Way.MEMBER, mine, alice.account), Share(Way.MEMBER, 10_000 - mine, bob.account))
    whole = Decision(way=Way.MEMBER, holder=alice.account)
    place(town, waits(town).line.id, whole if mine == 10_000 else Decision(way=Way.SPLIT, shares=shares))
    operator = officers(town)["operator"]
    parts = [(alice, 10_000)] if mine == 10_000 else [(alice, mine), (bob, 10_000 - mine), (bob, 10_000)]
    for number, (party, amount) in enumerate(parts):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="it may be cash that was paid in"):
            type_in(town, operator, party, amount, f"S-{number}")
    once(town, 10_000)


@pytest.mark.parametrize(("kind", "said"), [(LineKind.CASH, ""), (LineKind.OTHER, "VERSEMENT ESPECES")])
def test_a_part_of_a_deposit_is_typed_no_more(town: Town, alice: Party, kind: LineKind, said: str) -> None:
    bring(town, statement([line(10_000, said, kind=kind)]))
    place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    typed_by_a_treasurer_alone(town, alice, 4_000, "S-1")
    slip(town, alice, 10_001, "S-2")
    slip(town, parties.admit(town, "person", "Bob"), 4_000, "S-3")


def test_slips_that_come_to_what_no_bank_called_cash(town: Town, alice: Party) -> None:
    bring(town, statement([line(10_000, token(town, alice))]))
    slip(town, alice, 4_000, "S-1")
    slip(town, alice, 1_000, "S-2")
    conversion.correct(town, conversion.conversion_id(town, CASH, "S-2"))
    typed_by_a_treasurer_alone(town, alice, 6_000, "S-3")
    slip(town, alice, 5_000, "S-4")


@pytest.mark.parametrize("how", ["from an account", "a transfer", "called so", "paid in since", "another member"])
def test_cash_is_no_reason_to_doubt_a_transfer(town: Town, alice: Party, how: str) -> None:
    giver = parties.admit(town, "person", "Bob") if how == "another member" else alice
    slip(town, giver, 4_000, "S-1")
    if how == "paid in since":
        bring(town, statement([line(4_000, "VERSEMENT", kind=LineKind.CASH)]))
        place(town, waits(town).line.id, Decision(way=Way.CASH, cash=CASH))
        days_pass(town, 30)
        slip(town, parties.admit(town, "person", "Bob"), 3_000, "S-2")
    day, there = town.charter.local_date(town.now()), balances(town).get(BANK, 0)
    says: dict[str, dict[str, Any]] = {
        "from an account": {"iban": "DE89370400440532013000"}, "a transfer": {"kind": LineKind.TRANSFER}
    }  # fmt: skip
    text = f"VIR SEPA {token(town, alice)}" if how == "called so" else token(town, alice)
    done = bring(town, statement([line(5_000, text, day, **says.get(how, {}))], there))
    assert done.kinds == {"conversion": 1}


def days_pass(town: Town, days: int) -> date:
    towns.clock(town).forward(days * 86_400)
    return town.charter.local_date(town.now())


@pytest.mark.parametrize("days", [15, 16, 400])
@pytest.mark.parametrize("said", ["VERSEMENT ", "Dépôt du 14 ", ""])
def test_cash_does_not_age(town: Town, alice: Party, days: int, said: str) -> None:
    """It lay in the box for whatever time, and its deposit has the member's reference."""
    slip(town, alice, 5_000, "S-1")
    day = days_pass(town, days)
    assert bring(town, statement([line(5_000, said + token(town, alice), day)])).kinds == {"bank_suspense": 1}
    place(town, waits(town).line.id, Decision(way=Way.CASH, cash=CASH))
    once(town, 5_000)


@pytest.mark.parametrize(
    ("amount", "said"),
    [(2_000, ""), (3_000, ""), (6_000, ""), (5_000, ""), (9_000, ""), (1_234, "VERSEMENT "), (9_999, "VRST DEPOT ")],
)
def test_what_may_be_cash_of_others(town: Town, alice: Party, amount: int, said: str) -> None:
    """A slip, the oldest ones, all that is there, or whatever the bank says was paid in: the reference of another
    member is what somebody wrote at the counter.
    """
    conversion.convert(town, parties.admit(town, "person", "Bob"), 2_000, reserve=CASH, reference="S-1")
    slip(town, parties.admit(town, "person", "Carol"), 3_000, "S-2")
    slip(town, parties.admit(town, "person", "Dan"), 4_000, "S-3")
    slip(town, parties.admit(town, "person", "Eve"), 1_000, "S-4")
    conversion.correct(town, conversion.conversion_id(town, CASH, "S-4"))
    slip(town, parties.admit(town, "person", "Fay"), 6_000, "S-5")
    day = days_pass(town, 20)
    done = bring(town, statement([line(amount, said + token(town, alice), day), line(10_000, token(town, alice), day)]))
    assert done.kinds == {"bank_suspense": 1, "conversion": 1}
    assert town.book.balance(alice.account) == 10_000


def test_a_deposit_is_not_what_was_typed_ahead(town: Town, alice: Party) -> None:
    """Under the very number that the counter gave: the euros may be those of a slip."""
    slip(town, alice, 5_000, "S-1")
    bring(town, statement([]))
    typed(town, parties.admit(town, "person", "Mallory"), 5_000, "G123456789012", None)
    day = days_pass(town, 1)
    cash = line(5_000, "VERSEMENT", day, kind=LineKind.CASH, bank_ref="G123456789012")
    assert bring(town, statement([cash])).kinds == {"bank_suspense": 1}


@pytest.mark.parametrize(("back", "late"), [(16, 0), (400, 0), (0, 16), (0, 400)])
def test_a_slip_that_was_typed_long_after_its_deposit(town: Town, alice: Party, back: int, late: int) -> None:
    day = days_pass(town, 500)
    bring(town, statement([line(5_000, "VERSEMENT " + token(town, alice), day)]))
    booked_on = day - timedelta(days=back) if back else None
    days_pass(town, late)
    keys = officers(town)
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="a treasurer may type it") as caught:
        type_in(town, keys["operator"], alice, 5_000, "S-1", booked_on)
    assert caught.value.code == "conversion_on_statement"
    if not back:
        type_in(town, keys["operator"], alice, 4_999, "S-2", booked_on)
    posted = type_in(town, keys["treasurer"], alice, 5_000, "S-1", booked_on)
    done = audit(town)
    assert done.clean and [one.form for one in done.notices if one.seq == posted.seq] == [SLIP]


def test_the_slip_of_an_empty_box_says_nothing_of_a_line(town: Town, alice: Party) -> None:
    """Its cash is in the bank: what comes now is other euros, which anybody of the office places."""
    slip(town, alice, 1_000, "S-1")
    bring(town, statement([line(1_000, "VERSEMENT", kind=LineKind.CASH)]))
    place(town, waits(town).line.id, Decision(way=Way.CASH, cash=CASH))
    day = days_pass(town, 1)
    bring(town, statement([line(1_000, token(town, alice), day)], 1_000))
    decide(town, officers(town)["operator"], waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert not [one for one in audit(town).notices if "line" in one.values]
    once(town, 2_000)


def test_what_is_other_cash_a_treasurer_says(town: Town, alice: Party) -> None:
    """By the slip's member, while the box has it: and the line and its sum are told."""
    slip(town, alice, 5_000, "S-1")
    bring(town, statement([line(5_000, token(town, alice))]))
    one = waits(town).line
    posted = decide(town, officers(town)["treasurer"], one.id, Decision(way=Way.MEMBER, holder=alice.account))
    done = audit(town)
    [told] = [each for each in done.notices if each.seq == posted.seq]
    assert done.clean and told.form == TO
    assert told.values == {"amount": 5_000, "line": one.reference, "account": alice.account}


@pytest.mark.parametrize("amount", [5_000, -5_000])
def test_what_a_bank_calls_a_transfer_is_no_cash(town: Town, amount: int) -> None:
    bring(town, statement([line(9_000, "don"), line(amount, "LOYER", kind=LineKind.TRANSFER)]))
    [one] = [one for one in open_lines(town) if one.line.amount == amount]
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="this is no cash"):
        place(town, one.line.id, Decision(way=Way.CASH, cash=CASH))


def test_one_slip_written_in_several_ways(town: Town, alice: Party) -> None:
    slip(town, alice, 5_000, "S-0117")
    for again in ("S0117", "S/0117", "S-O117"):
        commit_refuses("conversion_taken", f"S-0117 on this account has issued units before: {again} is the same",
                       town, alice, 5_000, again, None, CASH)  # fmt: skip
    once(town, 5_000)
