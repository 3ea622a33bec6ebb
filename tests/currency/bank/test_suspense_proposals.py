"""What is proposed for lines in suspense: who it is from, what it is, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ledger.currency import conversion, parties
from ledger.currency.bank.lines import lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.proposals import Why
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import find_open, open_lines, place
from ledger.currency.bank.taking import take
from ledger.currency.errors import CurrencyError
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank.scene import DAY, IBAN, SAVINGS, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.currency.bank.waiting import ALICES, NEXT, audited, best, owes, refused, waits
from tests.towns import BANK, CASH


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with audited(tmp_path / "home") as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


SENDERS: list[tuple[int, str, dict[str, Any], list[Why]]] = [
    (2_601, "{token:.14}", {}, [Why.REFERENCE_CUT]),
    (2_602, "merci", {"iban": ALICES}, [Why.IBAN_SEEN]),
    (2_603, "VIR", {"name": "MME MARTIN ALICE"}, [Why.NAME_PAID]),
    (2_604, "virement d'ALICE  MARTIN pour le patard", {}, [Why.NAME_SAID]),
    (2_605, "x", {"name": "M OU MME MARTIN"}, [Why.NAME_PART]),
    (2_500, "", {"iban": ALICES, "name": "martin alice"}, [Why.IBAN_SEEN, Why.NAME_PAID, Why.AMOUNT_BEFORE]),
]


def test_who_it_is_from(town: Town, alice: Party) -> None:
    parties.admit(town, "person", "Alicia Martinez")
    parties.admit(town, "shop", "Épicerie Dubois")
    mine = token(town, alice)
    bring(town, statement([line(2_500, mine, iban=ALICES)]))
    given = [line(amount, text.format(token=mine), NEXT, **more) for amount, text, more, _why in SENDERS]
    found = {one.line.amount: one for one in waits(town, *given, opening=2_500)}
    for amount, _text, _more, why in SENDERS:
        assert best(found[amount]) == (Decision(way=Way.MEMBER, holder=alice.account), why)


def test_two_references_are_two_proposals(town: Town, alice: Party) -> None:
    bob = parties.admit(town, "person", "Bob")
    [one] = waits(town, line(4_000, f"{token(town, alice)} {token(town, bob)}"))
    assert {proposal.decision.holder for proposal in one.proposals} == {alice.account, bob.account}


@pytest.mark.parametrize(
    ("text", "name", "first"),
    [
        ("{alice}", "", "alice"),
        ("{alice}", "BOB MARTIN", "alice"),
        ("{bob}", "", "typed"),
        ("{bob}", "MARTIN ALICE", "typed"),
        ("VIR", "MARTIN ALICE", "alice"),
        ("VIR", "M. OU MME MARTIN", "typed"),
        ("VIR", "SCI LES TILLEULS", "typed"),
        ("VIR", "", "typed"),
    ],
)
def test_what_was_typed_for_somebody_else_is_not_the_first(
    town: Town, alice: Party, text: str, name: str, first: str
) -> None:
    """A line that says whose it is, by a reference before a name, is hardly another's conversion of as much."""
    bob = parties.admit(town, "person", "Bob Martin")
    [gift] = waits(town, line(1, "don"))
    place(town, gift.line.id, Decision(way=Way.OWN))
    typed = conversion.convert(town, bob, 5_000, reserve=BANK, reference="V-1").id
    said = text.format(alice=token(town, alice), bob=token(town, bob))
    [one] = waits(town, line(5_000, said, NEXT, name=name), opening=1)
    ways = {"alice": Decision(way=Way.MEMBER, holder=alice.account), "typed": Decision(way=Way.KNOWN, other=typed)}
    assert one.proposals[0].decision == ways[first]
    assert ways["typed"] in [proposal.decision for proposal in one.proposals]


def test_a_reference_says_more_than_an_account(town: Town, alice: Party) -> None:
    """Somebody pays for Alice from the account that Bob pays from; as much was typed for Bob."""
    bob = parties.admit(town, "person", "Bob Durand")
    bring(town, statement([line(2_500, token(town, bob), iban=ALICES)]))
    conversion.convert(town, bob, 5_000, reserve=BANK, reference="V-1")
    [one] = waits(town, line(5_000, token(town, alice), NEXT, iban=ALICES), opening=2_500)
    assert best(one) == (Decision(way=Way.MEMBER, holder=alice.account), [Why.REFERENCE])


def test_who_owes_pays_first(town: Town, alice: Party) -> None:
    owes(town, alice, 1_800)
    less, more = waits(town, line(1_000, "x", NEXT, name="Alice Martin"), line(2_500, "y", NEXT, name="Alice Martin"),
                       opening=500)  # fmt: skip
    assert less.proposals[0].decision == Decision(way=Way.CLAIM, holder=alice.account)
    assert more.proposals[0].decision == Decision(
        way=Way.SPLIT, shares=(Share(Way.CLAIM, 1_800, alice.account), Share(Way.MEMBER, 700, alice.account))
    )
    assert best(more)[1][0] is Why.OWES


KINDS_OF_LINES: list[tuple[int, str, dict[str, Any], dict[str, Any]]] = [
    (-301, "FRAIS TENUE DE COMPTE", {}, {"way": Way.CHARGE}),
    (-302, "", {"kind": LineKind.CHARGE}, {"way": Way.CHARGE}),
    (-303, "cotisation carte", {}, {"way": Way.CHARGE}),
    (304, "Cotisation 2025", {}, {"way": Way.OWN}),
    (-305, "RETRAIT DAB 10/06", {}, {"way": Way.CASH, "cash": CASH}),
    (306, "", {"kind": LineKind.CASH}, {"way": Way.CASH, "cash": CASH}),
    (-307, "vir", {"name": "ASSOCIATION LE PATARD"}, {"way": Way.OWN}),
    (-308, "edf", {"kind": LineKind.DEBIT}, {"way": Way.OWN}),
]


def test_what_it_is(town: Town) -> None:
    given = [line(amount, text, **more) for amount, text, more, _decision in KINDS_OF_LINES]
    found = {one.line.amount: one for one in waits(town, line(9_000, "z"), *given)}
    for amount, text, _more, decision in KINDS_OF_LINES:
        assert best(found[amount])[0] == Decision(**decision), text


def test_what_nothing_is_known_of_has_no_proposals(town: Town, alice: Party) -> None:
    [one] = waits(town, line(4_000, "?", name="Inconnu"))
    assert one.proposals == ()


def test_two_lines_of_one_sum_are_a_pair(town: Town) -> None:
    came, went = waits(town, line(900, "x", iban=ALICES), line(-900, "retour", NEXT, iban=ALICES))
    assert best(came) == (Decision(way=Way.PAIR, other=went.line.id), [Why.SAME_ACCOUNT, Why.OPPOSITE])
    assert best(find_open(town, went.line.id)) == (
        Decision(way=Way.PAIR, other=came.line.id), [Why.SAME_ACCOUNT, Why.OPPOSITE]
    )  # fmt: skip
    assert best(open_lines(town, limit=1)[0])[0] == Decision(way=Way.PAIR, other=went.line.id)


def test_euros_on_their_way_arrive(town: Town) -> None:
    bring(town, statement([line(9_000, "don"), line(-4_000, "placement", iban=SAVINGS_IBAN)]))
    bring(town, statement([line(4_000, "placement")], account=SAVINGS_IBAN))
    _gift, one = open_lines(town)
    assert best(one) == (Decision(way=Way.TRANSIT), [Why.ON_ITS_WAY])
    place(town, one.line.id, Decision(way=Way.TRANSIT))
    assert balances(town) == {"suspense": 9_000, BANK: 5_000, SAVINGS: 4_000}


def test_a_line_is_proposed_as_what_it_was_typed_as(town: Town, alice: Party) -> None:
    conversion.convert(town, alice, 2_500, reserve=BANK, reference="V1", booked_on=DAY)
    taken = conversion.convert(town, alice, 2_500, reserve=BANK, reference="V2").id
    conversion.correct(town, taken)
    [one] = waits(town, line(2_500, "?"))
    assert [(p.decision.way, p.decision.other) for p in one.proposals] == [
        (Way.KNOWN, conversion.conversion_id(town, BANK, "V1"))
    ]
    place(town, one.line.id, one.proposals[0].decision)


def test_a_line_that_is_not_there(town: Town) -> None:
    refused("not_found", town, bytes(15) + b"x", Decision(way=Way.OWN))
    with pytest.raises(CurrencyError) as caught:
        find_open(town, bytes(15) + b"x")
    assert caught.value.code == "not_found"


def test_a_line_that_is_not_booked(town: Town) -> None:
    take(town, [statement([line(900, "a")], account=IBAN)])
    [only] = lines(town)
    refused("line_not_open", town, only.id, Decision(way=Way.OWN))
