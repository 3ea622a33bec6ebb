"""What came while cash lay in the box: it is that cash, or a treasurer says that it is not, and everybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.ids import account_text
from ledger.currency import chartered, conversion, parties
from ledger.currency.audit.walk import audit
from ledger.currency.bank import boxes, require, typed
from ledger.currency.bank.lines import Line, lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.statement import BankLine, LineKind
from ledger.currency.bank.suspense import open_lines, place
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.scene import DAY, balances, bring, decide, line, opened, statement, token, undecide
from tests.towns import BANK, CASH

DEPOSIT = line(5_000, "VERSEMENT ESPECES", kind=LineKind.CASH)
ONE = timedelta(days=1)


def officer(town: Town, role: str, name: str = "") -> PrivateKey:
    return towns.join(town, parties.admit(town, "association", f"Bureau {role} {name}"), role, role + name)


def slip(town: Town, amount: int = 5_000, reference: str = "S-1", party: Party | None = None) -> Party:
    giver = party or parties.admit(town, "person", "Bob")
    conversion.convert(town, giver, amount, reserve=CASH, reference=reference)
    return giver


def came(town: Town, *lines: BankLine) -> Line:
    """The first of these lines, which came and waits."""
    bring(town, statement(lines or [DEPOSIT], balances(town).get(BANK, 0)))
    found = {one.line.amount: one.line for one in open_lines(town)}
    return found[(lines or [DEPOSIT])[0].amount]


def otherwise(town: Town, alice: Party, way: str, amount: int) -> Decision:
    """What the cash of others may be placed as."""
    if way == "known":
        id_ = conversion.convert(town, alice, amount, reserve=BANK, reference="AHEAD-1").id
        return Decision(way=Way.KNOWN, other=id_)
    if way == "split":
        shares = (Share(Way.MEMBER, 1, alice.account), Share(Way.OWN, amount - 1))
        return Decision(way=Way.SPLIT, shares=shares).plain()
    return Decision(way=Way(way), holder=alice.account if way == "member" else None)


@pytest.mark.parametrize("way", ["member", "split", "own", "charge", "known"])
@pytest.mark.parametrize(
    ("amount", "said", "kind"),
    [
        (5_000, "", LineKind.CASH),
        (4_321, "VERSEMENT ESPECES", LineKind.OTHER),
        (9_999, "DEPOT", LineKind.OTHER),
        (5_000, "MALLORY", LineKind.OTHER),
        (7_000, "", LineKind.OTHER),
    ],
)
def test_an_operator_places_it_as_cash_and_as_nothing_else(
    town: Town, alice: Party, way: str, amount: int, said: str, kind: LineKind
) -> None:
    slip(town)
    slip(town, 2_000, "S-2")
    bring(town, statement([]))
    decision = otherwise(town, alice, way, amount)
    bring(town, statement([line(amount, said, DAY + 6 * ONE, kind=kind)]))
    [one] = [each.line for each in open_lines(town)]
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    head = town.book.head()
    with pytest.raises(CurrencyError, match="a treasurer may") as refused:
        decide(town, operator, one.id, decision)
    assert refused.value.code == "role_insufficient" and town.book.head() == head
    posted = decide(town, treasurer, one.id, decision)
    done = audit(town)
    assert done.clean
    [told] = [notice for notice in done.notices if notice.seq == posted.seq]
    assert "cash lay in the box" in told.form
    whose = {"account": alice.account} if way in ("member", "split", "known") else {}
    assert told.values == {"amount": amount, "line": one.reference, **whose}


def test_cash_is_an_operators(town: Town, alice: Party) -> None:
    slip(town)
    one = came(town)
    decide(town, officer(town, "operator"), one.id, Decision(way=Way.CASH, cash=CASH))
    assert CASH not in balances(town) and audit(town).clean and not audit(town).notices


NOT_THE_BOXS: dict[str, dict[str, Any]] = {
    "a transfer": {"kind": LineKind.TRANSFER}, "from an account": {"iban": "DE89370400440532013000"},
    "a cheque": {"text": "REMISE CHEQUE"}, "another sum": {"amount": 4_321},
}  # fmt: skip


@pytest.mark.parametrize("what", [*NOT_THE_BOXS, "an empty box", "taken back"])
def test_other_euros_are_an_operators(town: Town, alice: Party, what: str) -> None:
    if what != "an empty box":
        slip(town)
    if what == "taken back":
        conversion.correct(town, conversion.conversion_id(town, CASH, "S-1"))
    says = {"amount": 5_000, "text": "DON", **NOT_THE_BOXS.get(what, {})}
    if what in ("an empty box", "taken back"):
        says = {"amount": 5_000, "text": "VERSEMENT ESPECES", "kind": LineKind.CASH}
    one = came(town, line(**says))
    posted = decide(town, officer(town, "operator"), one.id, Decision(way=Way.MEMBER, holder=alice.account))
    done = audit(town)
    assert done.clean and not [notice for notice in done.notices if notice.seq == posted.seq]


def test_a_members_own_slip_speaks_for_any_sum(town: Town, alice: Party) -> None:
    slip(town, 5_000, "S-1", alice)
    towns.clock(town).forward(30 * 86_400)
    one = came(town, line(4_321, "ALICE", town.charter.local_date(town.now())))
    operator, decision = officer(town, "operator"), Decision(way=Way.MEMBER, holder=alice.account)
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, one.id, decision)
    decide(town, officer(town, "treasurer"), one.id, decision)
    assert town.book.balance(alice.account) == 9_321 and audit(town).clean


def test_what_is_no_cash_counts_with_cash(town: Town, alice: Party) -> None:
    """Of one person in a day, whichever came first; what is put back counts no more."""
    most = town.charter.limits.cash_per_day
    slip(town, most, "S-1")
    one = came(town, line(most, "VERSEMENT"), line(most - 1, "VERSEMENT"), line(2, "VERSEMENT"))
    less, two = sorted((each.line for each in open_lines(town)), key=lambda each: -each.amount)[1:]
    treasurer = officer(town, "treasurer")
    by = treasurer.public.hex()
    to_alice = Decision(way=Way.MEMBER, holder=alice.account)

    def type_in(amount: int, reference: str) -> None:
        asks = {"account": account_text(alice.account), "amount_cents": amount, "reserve": CASH, "reference": reference}
        acting = towns.acting(town, treasurer, "POST /v1/conversions", **asks)
        conversion.convert(acting, alice, amount, reserve=CASH, reference=reference, by=by)

    decide(town, treasurer, less.id, to_alice)
    for again in (lambda: decide(town, treasurer, two.id, to_alice), lambda: type_in(2, "S-2")):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match=r"one person (converts|by cash)") as refused:
            again()
        assert refused.value.code == "limit_conversion"
    decide(town, treasurer, two.id, Decision(way=Way.OWN))
    undecide(town, treasurer, less.id)
    decide(town, treasurer, one.id, to_alice)
    decide(town, officer(town, "treasurer", "2"), less.id, to_alice)
    assert audit(town).clean


def unasked(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """The desk does not ask for this."""
    never: Callable[..., None] = lambda *_given: None  # noqa: E731
    monkeypatch.setattr(require, what, never)


def test_check_counts_it_too(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    most = town.charter.limits.cash_per_day
    slip(town, most, "S-1")
    came(town, line(most, "VERSEMENT"), line(1, "VERSEMENT"))
    treasurer, to_alice = officer(town, "treasurer"), Decision(way=Way.MEMBER, holder=alice.account)
    unasked(monkeypatch, "boxed")
    decide(town, treasurer, came_of(town, most), to_alice)
    assert audit(town).clean
    posted = decide(town, treasurer, came_of(town, 1), to_alice)
    assert [(one.code, one.seq) for one in audit(town).findings] == [("limit_conversion", posted.seq)]


def came_of(town: Town, amount: int) -> bytes:
    [found] = [one.line.id for one in open_lines(town) if one.line.amount == amount]
    return found


@pytest.mark.parametrize("says", ["nothing", "so"])
@pytest.mark.parametrize("deposit", [DEPOSIT, line(5_000, "MALLORY")])
def test_check_knows_what_the_desk_did_not_ask(
    town: Town, alice: Party, says: str, deposit: BankLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    slip(town)
    one, operator = came(town, deposit), officer(town, "operator")
    unasked(monkeypatch, "boxed")
    if says == "nothing":
        monkeypatch.setattr(boxes, "look", lambda *_given: boxes.Boxes())
    posted = decide(town, operator, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert [(one.code, one.seq) for one in audit(town).findings] == [("role_insufficient", posted.seq)]
    if says == "nothing":
        # Texts that were erased say neither.
        with town.engine.begin() as connection:
            empty = "UPDATE bank_line SET name = '', iban = '', text = '', bank_ref = '', end_to_end = '', mandate = ''"
            connection.execute(text(empty))
            connection.execute(text("DELETE FROM salt WHERE id IN (SELECT id FROM bank_statement)"))
        assert audit(town).clean


@pytest.mark.parametrize("said", ["VERSEMENT AGENCE LILLE cheque", "check", "VERSEMENT CHQ"])
def test_what_a_depositor_writes_makes_no_cheque_of_cash(town: Town, alice: Party, said: str) -> None:
    slip(town)
    bring(town, statement([line(5_000, f"{said} {token(town, alice)}", DAY + 6 * ONE)]))
    assert len(open_lines(town)) == 1 and not town.book.balance(alice.account)


@pytest.mark.parametrize("float_", [0, 2_000])
def test_a_slip_that_was_paid_in_once_is_open_no_more(town: Town, alice: Party, float_: int) -> None:
    """For desk and check alike, in a box that was empty since and in one that never is: what comes to as much, or for
    whoever gave that, is other euros.
    """
    if float_:
        slip(town, float_, "S-0")
    slip(town, 5_000, "S-1", alice)
    place(town, came(town).id, Decision(way=Way.CASH, cash=CASH))
    towns.clock(town).forward(30 * 86_400)
    slip(town, 3_000, "S-2")
    slip(town, 2_500, "S-3")
    place(
        town,
        came(town, line(3_000, "DEPOT", town.charter.local_date(town.now()))).id,
        Decision(way=Way.CASH, cash=CASH),
    )
    one = came(town, line(4_900, "ALICE", town.charter.local_date(town.now())))
    decide(town, officer(town, "operator"), one.id, Decision(way=Way.MEMBER, holder=alice.account))
    assert audit(town).clean and not audit(town).notices


@pytest.mark.parametrize("how", [{"iban": "DE89370400440532013000"}, {"parts": (line(3_000), line(2_000))}])
def test_what_the_bank_calls_cash_is_that_whoever_paid_it_in(town: Town, alice: Party, how: dict[str, Any]) -> None:
    slip(town)
    one = came(town, line(5_000, "VERSEMENT", kind=LineKind.CASH, **how))
    operator = officer(town, "operator")
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    decide(town, operator, one.id, Decision(way=Way.CASH, cash=CASH))
    assert CASH not in balances(town) and audit(town).clean and not audit(town).notices


@pytest.mark.parametrize("what", ["a reference", "typed ahead"])
def test_check_knows_what_booking_did_not_ask(
    town: Town, alice: Party, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slip(town)
    says, number = f"DEPOT {token(town, alice)}", "G123456789012"
    if what == "typed ahead":
        bring(town, statement([]))
        conversion.convert(town, alice, 4_321, reserve=BANK, reference=number)
        says = "DEPOT"
    monkeypatch.setattr(typed, "look", lambda *_given: boxes.Boxes())
    bring(town, statement([line(4_321, says, DAY + 6 * ONE, bank_ref=number)]))
    assert not open_lines(town)
    assert [(one.code, one.id) for one in audit(town).findings] == [("line_otherwise", lines(town)[0].id)]


# --- pairs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("went", "may"),
    [
        (line(-5_000, "CHEQUE 55", DAY + ONE), False),
        (line(-5_000, "VIR MALLORY", DAY + ONE, kind=LineKind.TRANSFER), False),
        (line(-5_000, "RETRAIT", DAY + ONE, kind=LineKind.CASH), True),
        (line(-5_000, "ANNULATION VERSEMENT", DAY + ONE, kind=LineKind.RETURN), True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("side", ["came", "went"])
def test_no_theft_hides_behind_cash(town: Town, went: BankLine, may: bool, side: str) -> None:
    one = came(town, DEPOSIT, went)
    other = came_of(town, -5_000)
    first, second = (one.id, other) if side == "came" else (other, one.id)
    decision, operator = Decision(way=Way.PAIR, other=second), officer(town, "operator")
    [proposals] = [each.proposals for each in open_lines(town) if each.line.id == first]
    assert (decision in [each.decision for each in proposals]) is may
    if may:
        decide(town, operator if went.kind == LineKind.RETURN else officer(town, "treasurer"), first, decision)
        assert audit(town).clean
        return
    for by in (operator, officer(town, "treasurer")):
        with towns.nothing_moves(town), pytest.raises(CurrencyError, match="does not say that the other gave it back"):
            decide(town, by, first, decision)


def test_check_finds_a_theft_behind_cash(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    one = came(town, DEPOSIT, line(-5_000, "CHEQUE 55", DAY + ONE))
    unasked(monkeypatch, "pair")
    posted = place(town, one.id, Decision(way=Way.PAIR, other=came_of(town, -5_000)))
    assert [(one.code, one.seq) for one in audit(town).findings] == [("placing_shape", posted.seq)]


# --- books of before -------------------------------------------------------------------------------------


def test_before_the_charter_said_so_it_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: now(*given)._replace(guarded=1))
    monkeypatch.setattr(boxes, "look", lambda *_given: boxes.Boxes())
    unasked(monkeypatch, "pair")
    with opened(tmp_path / "old") as old:
        slip(old)
        came(old, DEPOSIT, line(4_000, "VERSEMENT", kind=LineKind.CASH), line(-4_000, "CHEQUE", DAY + ONE))
        alice = parties.admit(old, "person", "Alice")
        decide(old, officer(old, "operator"), came_of(old, 5_000), Decision(way=Way.MEMBER, holder=alice.account))
        place(old, came_of(old, 4_000), Decision(way=Way.PAIR, other=came_of(old, -4_000)))
        monkeypatch.setattr(chartered, "rules_of", now)
        assert audit(old).clean
        chartered.keep(old, chartered.latest(old))
        assert audit(old).clean
