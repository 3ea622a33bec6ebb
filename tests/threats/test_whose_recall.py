"""What the bank takes back, and whose top-up that was: the likeliest of all that came in, or a person says."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.currency import chartered, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import said, topups
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.recalled import SURE, Candidate, Recall, recall
from ledger.currency.bank.reference import found_in, member_references
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests.currency.bank import monthly
from tests.currency.bank.scene import DAY, bring, line, opened, statement, token
from tests.threats.test_tables_believed import booked_as, found, write

HERS, OTHERS = "DE89370400440532013000", "NL91ABNA0417164300"
ONE = timedelta(days=1)
CENTS = 40_000


@pytest.fixture
def bob(town: Town) -> Party:
    return parties.admit(town, "person", "Bob Martin")


def came(town: Town, *sent: BankLine) -> dict[str, int]:
    """A statement of its own for each."""
    kinds: dict[str, int] = {}
    for one in sent:
        opening = sum(each.amount for each in lines(town))
        for kind, count in bring(town, statement([one], opening)).kinds.items():
            kinds[kind] = kinds.get(kind, 0) + count
    return kinds


def sent(text: str, days: int = 0, **more: Any) -> BankLine:
    return line(CENTS, text, DAY + days * ONE, kind=LineKind.TRANSFER, **more)


def back(text: str = "", **more: Any) -> BankLine:
    return line(-CENTS, f"RAPPEL {text}", DAY + 5 * ONE, **{"kind": LineKind.RETURN, **more})


def held(town: Town, *whose: Party) -> list[int]:
    return [town.book.balance(one.account) for one in whose]


HOW: dict[str, dict[str, Any]] = {
    "order and account": {"iban": OTHERS, "end_to_end": "MALLORY-1"},
    "account": {"iban": OTHERS},
    "order": {"end_to_end": "MALLORY-1"},
    "nothing": {},
}


@pytest.mark.parametrize(
    "hers", [{}, {"iban": HERS}, {"end_to_end": "ALICE-0001"}, {"iban": HERS, "end_to_end": "A-1"}]
)
@pytest.mark.parametrize("how", list(HOW))
@pytest.mark.parametrize("trick", ["depot especes", "two"])
def test_what_waits_is_what_was_called_back(
    town: Town, alice: Party, bob: Party, how: str, hers: dict[str, Any], trick: str
) -> None:
    """It names Alice and waits; its recall takes nothing of hers."""
    text = f"{token(town, alice)} et {token(town, bob)}" if trick == "two" else f"{trick} {token(town, alice)}"
    assert came(town, sent(token(town, alice), **hers), sent(text, 1, **HOW[how])) == {
        "conversion": 1, "bank_suspense": 1
    }  # fmt: skip
    assert came(town, back(token(town, alice), **HOW[how])) == {"bank_suspense": 1}
    assert held(town, alice) == [CENTS]
    one, other = (each.line.id for each in open_lines(town))
    place(town, one, Decision(way=Way.PAIR, other=other))
    assert audit(town).clean


@pytest.mark.parametrize("order", [True, False])
@pytest.mark.parametrize("first", ["alice", "bob"])
def test_two_members_with_one_account(town: Town, alice: Party, bob: Party, first: str, order: bool) -> None:
    """Whose top-up comes back, the line says; the other's is as near."""
    both = [sent(token(town, one), days, iban=HERS, end_to_end=f"{one.name}-000001" if order else "")
            for days, one in enumerate((alice, bob) if first == "alice" else (bob, alice))]  # fmt: skip
    assert came(town, *both) == {"conversion": 2}
    recalled = back(token(town, bob), iban=HERS, end_to_end=f"{bob.name}-000001" if order else "")
    assert came(town, recalled) == {"bank_return": 1}
    assert held(town, alice, bob) == [CENTS, 0]
    assert audit(town).clean


def test_most_that_is_right_counts(town: Town, alice: Party, bob: Party) -> None:
    """Alice's came later and from the same account, and its order is not known."""
    his = sent(token(town, bob), iban=HERS, end_to_end="BOB-2025-06")
    assert came(town, his, sent(token(town, alice), 1, iban=HERS)) == {"conversion": 2}
    assert came(town, back(iban=HERS, end_to_end="BOB-2025-06")) == {"bank_return": 1}
    assert held(town, alice, bob) == [CENTS, 0]


def test_as_likely_is_nobodys(town: Town, alice: Party, bob: Party) -> None:
    assert came(town, sent(token(town, alice), iban=HERS), sent(token(town, bob), 1, iban=HERS)) == {"conversion": 2}
    assert came(town, back(iban=HERS)) == {"bank_suspense": 1}
    assert held(town, alice, bob) == [CENTS, CENTS]


@pytest.mark.parametrize("way", ["own", "split", "member"])
def test_what_a_person_placed_may_be_what_was_called_back(town: Town, alice: Party, bob: Party, way: str) -> None:
    """Two share an account, and what one of them gave is called back: no top-up, it takes none of the other's."""
    assert came(town, sent(token(town, alice), iban=HERS), sent("COTISATION", 1, iban=HERS))["bank_suspense"] == 1
    shares = (Share(Way.MEMBER, 1_000, bob.account), Share(Way.OWN, CENTS - 1_000))
    decision = Decision(way=Way(way), holder=bob.account if way == "member" else None,
                        shares=shares if way == "split" else ())  # fmt: skip
    place(town, open_lines(town)[0].line.id, decision.plain() if way == "split" else decision)
    assert came(town, back(iban=HERS)) == {"bank_suspense": 1}
    assert held(town, alice) == [CENTS]


@pytest.mark.parametrize("way", ["own", "member"])
def test_a_label_keeps_one_of_two_names(town: Town, alice: Party, bob: Party, way: str) -> None:
    """Bob's transfer names Alice too, and was placed as his: called back, it may be hers by its label, and is not."""
    both = f"{token(town, alice)} et {token(town, bob)}"
    assert came(town, sent(token(town, alice)), sent(both, 1)) == {"conversion": 1, "bank_suspense": 1}
    place(town, open_lines(town)[0].line.id, Decision(way=Way(way), holder=bob.account if way == "member" else None))
    assert came(town, back(token(town, alice))) == {"bank_suspense": 1}
    assert held(town, alice) == [CENTS]


@pytest.mark.parametrize(("how", "kinds"), [
    ({}, {"bank_suspense": 1}),
    ({"iban": monthly.iban(8)}, {"bank_suspense": 1}),
    ({"alice": True}, {"bank_return": 1}),
])  # fmt: skip
def test_a_debit_of_that_account_may_be_what_came_back(town: Town, how: dict[str, Any], kinds: dict[str, int]) -> None:
    """Two with one account, the one's monthly top-up and what the other sent: unless the line names which."""
    alice = parties.admit(town, "person", "Alice Martin")
    monthly.sign(town, "Bob Dubois", 3_000, number=7)
    made, shared = monthly.collected(town), monthly.iban(7)
    hers = line(3_000, token(town, alice), monthly.DUE, kind=LineKind.TRANSFER, iban=shared)
    monthly.brought(town, hers, monthly.batch(made))
    day = monthly.DUE + timedelta(days=5)
    monthly.until(town, day + timedelta(days=1))
    text = f"REJET {token(town, alice)}" if how.get("alice") else "REJET PRELEVEMENT"
    back_ = line(-3_000, text, day, kind=LineKind.RETURN, iban=how.get("iban", shared))
    assert monthly.brought(town, back_).kinds == kinds
    ways = [each.decision.way for one in open_lines(town) for each in one.proposals]
    assert (Way.DEBITS in ways) is ("bank_suspense" in kinds)
    assert held(town, alice) == [0 if how.get("alice") else 3_000]


@pytest.mark.parametrize(
    "how",
    [
        {"iban": OTHERS, "end_to_end": "ALICE-0001"},
        {"iban": HERS, "end_to_end": "MALLORY-1"},
        {"iban": HERS, "text": "bob"},
    ],
    ids=["account", "order", "member"],
)
def test_what_contradicts_excludes(town: Town, alice: Party, bob: Party, how: dict[str, str]) -> None:
    """Two of three are right, and the third says that it is another."""
    assert came(town, sent(token(town, alice), iban=HERS, end_to_end="ALICE-0001")) == {"conversion": 1}
    text = token(town, bob) if how.get("text") else token(town, alice)
    assert came(town, back(text, **{key: value for key, value in how.items() if key != "text"})) == {"bank_suspense": 1}
    assert held(town, alice) == [CENTS]


def test_of_one_members_alike_the_one_of_that_order(town: Town, alice: Party) -> None:
    text = token(town, alice)
    came(town, *(sent(text, n, iban=HERS, end_to_end=f"ALICE-2025-0{n}" if n < 2 else "") for n in range(3)))
    assert came(town, back(text, iban=HERS, end_to_end="ALICE-2025-00")) == {"bank_return": 1}
    assert [one.undone_seq is not None for one in lines(town) if one.amount > 0] == [True, False, False]
    # A format may cut it; months of one standing order are alike.
    assert came(town, back(text, iban=HERS, end_to_end="ALICE-2025")) == {"bank_return": 1}
    assert audit(town).clean


def hidden(town: Town, alice: Party) -> set[str]:
    """Booked while somebody hid in the tables what the recall was of; gives what `check` finds then."""
    hers, waits = sent(token(town, alice)), sent(f"depot especes {token(town, alice)}", 1, **HOW["order and account"])
    came(town, hers, waits)
    [one] = open_lines(town)
    mine = update(BANK_LINE).where(BANK_LINE.c.id == one.line.id)
    write(town, mine.values(undone_seq=1))
    assert came(town, back(token(town, alice), **HOW["order and account"])) == {"bank_return": 1}
    write(town, mine.values(undone_seq=None))
    return found(town)


def test_check_looks_at_all_that_came(town: Town, alice: Party) -> None:
    assert hidden(town, alice) == {"line_otherwise"}


def test_check_looks_at_what_contradicts(town: Town, alice: Party) -> None:
    came(town, sent(token(town, alice), iban=HERS))
    recalled = statement([back(token(town, alice), iban=OTHERS)], CENTS)
    assert booked_as(town, recalled, iban=HERS) == {"bank_return": 1}
    assert found(town) == {"line_otherwise"}


def test_what_was_booked_before_is_judged_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: now(*given)._replace(guarded=1))
    with opened(tmp_path / "old") as old:
        assert hidden(old, parties.admit(old, "person", "Alice")) == set()
        monkeypatch.setattr(chartered, "rules_of", now)
        assert audit(old).clean
        chartered.keep(old, chartered.latest(old))
        rules = chartered.latest(old)
        assert rules is not None and rules.guarded == chartered.GUARDED
        assert audit(old).clean


def test_what_came_in_between_is_seen_in_the_commit(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line that waits is there only when the recall was looked at."""
    came(town, sent(token(town, alice)), sent(f"depot especes {token(town, alice)}", 1, **HOW["account"]))
    looked = topups.candidates
    done: list[object] = []

    def meanwhile(*given: Any) -> Any:
        seen = looked(*given)
        if not done:
            done.append(seen)
            return [one for one in seen if one.holder is not None]
        return seen

    monkeypatch.setattr(topups, "candidates", meanwhile)
    assert came(town, back(token(town, alice), **HOW["account"])) == {"bank_suspense": 1}
    assert done and held(town, alice) == [CENTS]
    # What waits makes up for nothing that went out.
    assert [one.code for one in audit(town).findings] == ["reserve_short"]


def answers(back_: Recall, candidates: list[Candidate], every: list[Line]) -> list[object]:
    """What is booked by itself, and what an operator may say that it is."""
    best = back_.best(candidates)
    by_itself = best is not None and best.holder is not None and back_.right(best) >= SURE
    theirs = [one for one in every if one.holder is not None]
    fits = [said.is_return(back_.line, one, back_.fits(Candidate(one, one.holder), candidates)) for one in theirs]
    return [best.line.id if best is not None and by_itself else None, *fits]


def test_only_lines_with_a_sign_are_read_and_the_answers_are_the_same(town: Town, alice: Party, bob: Party) -> None:
    """There may be thousands of one sum, and each return is looked at under the lock of all writing."""
    ibans, orders = ("", HERS, OTHERS), ("", "NOTPROVIDED", "ORDER-77XZ", "MALLORY-1")
    texts = ("", token(town, alice), token(town, bob), f"{token(town, alice)} {token(town, bob)}")
    bring(town, statement([sent(t, iban=i, end_to_end=e) for t, i, e in product(texts, ibans, orders[1:])]))
    every = sorted(lines(town), key=lambda one: (one.booked_on, one.place), reverse=True)
    assert {one.holder for one in every} == {None, alice.account, bob.account}
    members = member_references(town.charter.network, (alice.account, bob.account))
    for text, iban, order, kind in product(texts, ibans, orders, (LineKind.RETURN, LineKind.TRANSFER)):
        went = every[0]._replace(
            amount=-CENTS, kind=kind, iban=iban, text=text, end_to_end=order, mandate="", name="", holder=None
        )
        this = recall(went, lambda said_: found_in(said_, members))
        with town.reading() as connection:
            read = topups.candidates(connection, this)
        all_ = [Candidate(one, one.holder) for one in every]
        assert answers(this, read, every) == answers(this, all_, every)
        assert [one for one in all_ if this.right(one) >= SURE and one not in read] == []
        assert not [one for one in read if one.holder and not this._replace(line=went._replace(kind="")).right(one)]
