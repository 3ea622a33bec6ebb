"""Cash: slips that were typed and paid in at the bank, and what a bank calls cash."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.core.model import Posted
from ledger.currency import conversion, parties
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import OpenLine, open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import balances, bring, line, statement, token
from tests.threats.test_one_euro import commit_refuses, once, typed
from tests.towns import BANK, CASH


def slip(town: Town, party: Party, amount: int, reference: str) -> Posted:
    return typed(town, party, amount, reference, None, CASH)


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
    ],
)
def test_cash_of_a_slip_that_was_paid_in(town: Town, alice: Party, kind: LineKind, said: str) -> None:
    slip(town, alice, 5_000, "S-1")
    bring(town, statement([line(5_000, said + token(town, alice), kind=kind)]))
    assert balances(town)["members"] == 5_000
    one = waits(town)
    shares = (Share(Way.MEMBER, 4_000, alice.account), Share(Way.OWN, 1_000))
    for wrong in (Decision(way=Way.MEMBER, holder=alice.account), Decision(way=Way.SPLIT, shares=shares)):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash") as caught:
            place(town, one.line.id, wrong)
        assert caught.value.code == "line_typed"
    place(town, one.line.id, Decision(way=Way.CASH, cash=CASH))
    assert balances(town)[BANK] == 5_000 and CASH not in balances(town)
    once(town, 5_000)


def test_cash_that_several_slips_gave(town: Town, alice: Party) -> None:
    """Of whoever it says to be, whatever the sum: what a bank calls cash brings no units by itself."""
    for number, amount in enumerate((2_000, 3_000)):
        slip(town, alice, amount, f"S-{number}")
    bring(town, statement([line(5_000, token(town, alice), kind=LineKind.CASH)]))
    with towns.nothing_moves(town), pytest.raises(CurrencyError, match="place it as cash"):
        place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
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
    commit_refuses(
        "conversion_on_statement", "it may be the line 20250610/5000/1, which was for Alice Martin",
        town, alice, 5_000, "S-1", None, CASH,
    )  # fmt: skip
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
    parts = [(alice, 10_000)] if mine == 10_000 else [(alice, mine), (bob, 10_000 - mine), (bob, 10_000)]
    for number, (party, amount) in enumerate(parts):
        commit_refuses("conversion_on_statement", "it may be the line 20250610/10000/1, which",
                       town, party, amount, f"S-{number}", None, CASH)  # fmt: skip
    once(town, 10_000)


@pytest.mark.parametrize(("kind", "said"), [(LineKind.CASH, ""), (LineKind.OTHER, "VERSEMENT ESPECES")])
def test_a_part_of_a_deposit_is_typed_no_more(town: Town, alice: Party, kind: LineKind, said: str) -> None:
    bring(town, statement([line(10_000, said, kind=kind)]))
    place(town, waits(town).line.id, Decision(way=Way.MEMBER, holder=alice.account))
    commit_refuses("conversion_on_statement", "it may be the line 20250610/10000/1, which was for Alice Martin",
                   town, alice, 4_000, "S-1", None, CASH)  # fmt: skip
    slip(town, alice, 10_001, "S-2")
    slip(town, parties.admit(town, "person", "Bob"), 4_000, "S-3")


def test_slips_that_come_to_what_no_bank_called_cash(town: Town, alice: Party) -> None:
    bring(town, statement([line(10_000, token(town, alice))]))
    slip(town, alice, 4_000, "S-1")
    slip(town, alice, 1_000, "S-2")
    conversion.correct(town, conversion.conversion_id(town, CASH, "S-2"))
    commit_refuses("conversion_on_statement", "it may be the line 20250610/10000/1, which was for Alice Martin",
                   town, alice, 6_000, "S-3", None, CASH)  # fmt: skip
    slip(town, alice, 5_000, "S-4")


@pytest.mark.parametrize("how", ["from an account", "a transfer", "another day", "another member"])
def test_cash_is_no_reason_to_doubt_a_transfer(town: Town, alice: Party, how: str) -> None:
    giver = parties.admit(town, "person", "Bob") if how == "another member" else alice
    slip(town, giver, 5_000, "S-1")
    if how == "another day":
        towns.clock(town).forward(30 * 86_400)
    day = town.charter.local_date(town.now())
    says: dict[str, dict[str, Any]] = {
        "from an account": {"iban": "DE89370400440532013000"}, "a transfer": {"kind": LineKind.TRANSFER}
    }  # fmt: skip
    done = bring(town, statement([line(5_000, token(town, alice), day, **says.get(how, {}))]))
    assert done.kinds == {"conversion": 1}


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
