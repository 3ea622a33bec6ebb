"""Lines that went out and that a member pays for: the bank says so, or a treasurer does and everybody sees it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.ids import account_text
from ledger.currency import chartered, parties, proofs
from ledger.currency.audit.charged import BEFORE
from ledger.currency.audit.walk import Audit, audit
from ledger.currency.bank import details, went
from ledger.currency.bank.indexing import RETURN
from ledger.currency.bank.lines import lines
from ledger.currency.bank.mandates import model, register
from ledger.currency.bank.mandates.text import Content, mandate_text
from ledger.currency.bank.placing import Decision, Way
from ledger.currency.bank.statement import LineKind
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import monthly
from tests.currency.bank.scene import DAY, bring, decide, line, opened, statement, token, undecide, undeciding

THERE, ELSEWHERE = "NL91ABNA0417164300", "BE68539007547034"
NEXT_DAY = timedelta(days=1)
NEXT = DAY + NEXT_DAY


def officer(town: Town, role: str) -> PrivateKey:
    return towns.join(town, parties.admit(town, "association", f"Bureau {role}"), role, role)


def gone(town: Town, alice: Party, way: Way, *, booked: bool = True, **how: Any) -> tuple[bytes, Decision]:
    """Alice's top-up, and as much that went out and waits, if not by itself then put back; with what one says of it."""
    came = line(400_000, token(town, alice), kind=LineKind.TRANSFER, iban=THERE, end_to_end="ALICE-2025-06")
    bring(town, statement([came]))
    bring(town, statement([line(-400_000, "CHEQUE 0000124", NEXT, **how)], 400_000))
    for known in lines(town) if not booked else ():
        if known.became == RETURN:
            put_back(town, known.id)
    [one] = open_lines(town)
    [topup] = [each for each in lines(town) if each.amount > 0]
    other = {"holder": alice.account} if way is Way.DEBT else {"other": topup.id}
    return one.line.id, Decision(way=way, **other)


def role_missing(done: Audit) -> list[tuple[str, int]]:
    return [(one.code, one.seq) for one in done.findings]


@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_no_member_pays_on_an_operators_word(town: Town, alice: Party, way: Way) -> None:
    id_, decision = gone(town, alice, way)
    operator, head = officer(town, "operator"), town.book.head()
    with pytest.raises(CurrencyError) as refused:
        decide(town, operator, id_, decision)
    assert refused.value.code == "role_insufficient"
    assert town.book.head() == head
    assert [one.code for one in audit(town).findings] == ["reserve_short"]


@pytest.mark.parametrize("who", ["treasurer", "machine"])
@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_a_treasurer_may_and_check_names_it(town: Town, alice: Party, way: Way, who: str) -> None:
    id_, decision = gone(town, alice, way)
    key = officer(town, "treasurer")
    posted = place(town, id_, decision) if who == "machine" else decide(town, key, id_, decision)
    done = audit(town)
    assert done.clean
    [told] = [one.values for one in done.notices if one.seq == posted.seq and "treasurer" in one.form]
    assert told == {"amount": 400_000, "line": "20250611/-400000/1", "account": alice.account}
    claims = [one.text for one in done.notices if "members owe 400000" in one.text]
    assert [("paid to them and not owed" in one) for one in claims] == ([True] if way is Way.DEBT else [])


def named(done: Audit, seq: int) -> bool:
    """Whether `check --notices` names what the entry charged a member with."""
    return bool([one for one in done.notices if one.seq == seq and "went out with the line" in one.form])


@pytest.mark.parametrize(
    ("way", "how"),
    [
        (Way.DEBT, {"iban": THERE}),
        (Way.RETURNED, {"iban": THERE}),
        (Way.RETURNED, {"kind": LineKind.RETURN, "mandate": "HERS"}),
    ],
    ids=["debt, account", "returned, account", "returned, member"],
)
def test_what_the_bank_says_an_operator_places(town: Town, alice: Party, way: Way, how: dict[str, Any]) -> None:
    more = {**how, "mandate": token(town, alice)} if "mandate" in how else how
    id_, decision = gone(town, alice, way, booked=False, **more)
    posted = decide(town, officer(town, "operator"), id_, decision)
    done = audit(town)
    assert done.clean and not named(done, posted.seq)


@pytest.mark.parametrize(
    ("way", "how"),
    [
        (Way.DEBT, {"kind": LineKind.RETURN}),
        (Way.RETURNED, {"kind": LineKind.RETURN}),
        (Way.RETURNED, {"kind": LineKind.RETURN, "mandate": "BOB"}),
        (Way.RETURNED, {"kind": LineKind.TRANSFER, "mandate": "HERS"}),
        (Way.RETURNED, {"kind": LineKind.TRANSFER, "end_to_end": "ALICE-2025-06"}),
        (Way.RETURNED, {"kind": LineKind.RETURN, "mandate": "HERS", "end_to_end": "MALLORY-2025"}),
    ],
    ids=["debt", "alone", "another", "ordered", "order", "other order"],
)
def test_that_it_is_a_return_does_not_say_whose(town: Town, alice: Party, way: Way, how: dict[str, Any]) -> None:
    """Nor does what whoever ordered a transfer wrote."""
    who = {"HERS": alice, "BOB": parties.admit(town, "person", "Bob")}
    more = {**how, "mandate": token(town, who[how["mandate"]])} if "mandate" in how else how
    id_, decision = gone(town, alice, way, booked=False, **more)
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, officer(town, "operator"), id_, decision)
    posted = decide(town, officer(town, "treasurer"), id_, decision)
    done = audit(town)
    assert done.clean and named(done, posted.seq)


def said_by(town: Town, key: PrivateKey, holder: Party, iban: str) -> None:
    """Whoever has that key says where the member is paid."""
    mine = parties.device(town, key.public).account == holder.account
    path = "/v1/bank-details" if mine else f"/v1/parties/{account_text(holder.account)}/bank-details"
    details.put(towns.acting(town, key, f"PUT {path}", iban=iban), holder, iban, by=key.public.hex())


def on_paper(town: Town, key: PrivateKey, holder: Party, iban: str) -> None:
    day = town.charter.local_date(town.now())
    asks = {"account": account_text(holder.account), "iban": iban, "amount_cents": 1_000, "holder": ""}
    acting = towns.acting(town, key, "POST /v1/mandates/paper", signed_on=day.isoformat(), **asks)
    register.sign(acting, holder, iban=iban, amount=1_000, signed_on=day, by=key.public.hex())


def by_device(town: Town, who: towns.Member, iban: str) -> None:
    """The member's device signs a mandate."""
    said, id_, day = model.terms(town), town.new_id(), monthly.SIGNED
    shown = mandate_text("fr", said, Content(id_, who.party.name, iban, 1_000, 1, day))
    signature = register.Signature(who.key.public, proofs.sign_mandate(who.key, said.network, shown), "fr")
    asks = {"id": id_.hex(), "iban": iban, "amount_cents": 1_000, "signed_on": day.isoformat()}
    register.sign(
        towns.acting(town, who.key, "POST /v1/mandates", **asks), who.party, iban=iban, amount=1_000, signed_on=day,
        id_=id_, signature=signature, by=who.key.public.hex(),
    )  # fmt: skip


def cents(town: Town, key: PrivateKey, holder: Party, iban: str, *, placed: bool) -> None:
    """A cent from there, with the member's reference or placed as theirs."""
    opening, text = sum(one.amount for one in lines(town)), "?" if placed else token(town, holder)
    bring(town, statement([line(1, text, NEXT, kind=LineKind.TRANSFER, iban=iban)], opening))
    for one in open_lines(town) if placed else ():
        if one.line.amount == 1:
            decide(town, key, one.line.id, Decision(way=Way.MEMBER, holder=holder.account))


BY_THE_OFFICE: dict[str, Callable[[Town, PrivateKey, Party, str], None]] = {
    "details": said_by,
    "paper": on_paper,
    "a cent": partial(cents, placed=False),
    "a cent by hand": partial(cents, placed=True),
}


@pytest.mark.parametrize("how", list(BY_THE_OFFICE))
@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_an_account_that_the_office_wrote_is_not_the_members(town: Town, alice: Party, way: Way, how: str) -> None:
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    bring(town, statement([line(400_000, token(town, alice), kind=LineKind.TRANSFER, end_to_end="ALICE-2025-06")]))
    BY_THE_OFFICE[how](town, operator, alice, ELSEWHERE)
    there = sum(one.amount for one in lines(town))
    bring(town, statement([line(-400_000, "VIR", NEXT + NEXT_DAY, kind=LineKind.TRANSFER, iban=ELSEWHERE)], there))
    [one] = open_lines(town)
    [topup] = [each for each in lines(town) if each.amount == 400_000]
    decision = Decision(way=way, **({"holder": alice.account} if way is Way.DEBT else {"other": topup.id}))
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, one.line.id, decision)
    posted = decide(town, treasurer, one.line.id, decision)
    done = audit(town)
    assert done.clean and named(done, posted.seq)


def test_as_much_goes_back_to_an_account_as_came_from_it(town: Town, alice: Party) -> None:
    """What somebody without a reference of hers sent, or what went back before, does not count."""
    operator = officer(town, "operator")
    hers: dict[str, Any] = {"kind": LineKind.TRANSFER, "iban": THERE}
    came = [line(cents, token(town, alice), **hers) for cents in (3_000, 2_000)]
    bring(town, statement([*came, line(9, "?", **hers), line(2, "don")]))
    outs = (-4_000, -1_000, -1, -10)  # less, and more, than what somebody sent
    bring(town, statement([line(cents, "VIR", NEXT, **hers) for cents in outs], 5_011))
    open_ = {one.line.amount: one.line.id for one in open_lines(town)}
    decision = Decision(way=Way.DEBT, holder=alice.account)
    for amount in outs[:2]:
        decide(town, operator, open_[amount], decision)
    for amount in outs[2:]:
        with pytest.raises(CurrencyError, match="a treasurer may"):
            decide(town, operator, open_[amount], decision)
    treasurer = officer(town, "treasurer")
    posted = [decide(town, treasurer, open_[amount], decision).seq for amount in outs[2:]]
    done = audit(town)
    assert done.clean
    assert [one.seq for one in done.notices if "went out with the line" in one.form] == posted


@pytest.mark.parametrize("signed", [False, True], ids=["came", "key"])
def test_a_line_that_names_anothers_is_not_theirs(town: Town, monkeypatch: pytest.MonkeyPatch, signed: bool) -> None:
    """Whatever account it went to."""
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    holder, bob = towns.member(town, "person", "Alice"), parties.admit(town, "person", "Bob")
    if signed:
        by_device(town, holder, THERE)
    hers: dict[str, Any] = {"kind": LineKind.TRANSFER, "iban": THERE}
    texts = (f"REMBOURSEMENT {token(town, bob)}", f"{token(town, bob)} {token(town, holder.party)}")
    bring(town, statement([line(50_000, token(town, holder.party), **hers)]))
    bring(town, statement([line(-4_000 - i, text, NEXT, **hers) for i, text in enumerate(texts)], 50_000))
    decision = Decision(way=Way.DEBT, holder=holder.party.account)
    first, second = (one.line.id for one in open_lines(town))
    for id_ in (first, second):
        with pytest.raises(CurrencyError, match="a treasurer may"):
            decide(town, operator, id_, decision)
    posted = decide(town, treasurer, first, decision)
    assert named(audit(town), posted.seq)
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    posted = decide(town, operator, second, decision)
    assert role_missing(audit(town)) == [("role_insufficient", posted.seq)]


OF_BOBS: dict[str, tuple[int, Way | None, bool]] = {
    "as much": (4_000, None, False),
    "less": (3_999, None, True),
    "by hand": (4_000, Way.MEMBER, False),
    "waits": (4_000, Way.OWN, False),
}
"""Cents that came for Bob from an account; as what they were placed (`own`: not yet), None with his reference; whether
what went there is Alice's then."""


@pytest.mark.parametrize("what", OF_BOBS)
def test_an_account_that_several_use_is_not_one_members(town: Town, alice: Party, what: str) -> None:
    """As much came from there for another: it may be theirs that went back. What a third owes is no matter."""
    came, way, is_hers = OF_BOBS[what]
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    bob, carol = (parties.admit(town, "person", name) for name in ("Bob", "Carol"))
    theirs: dict[str, Any] = {"kind": LineKind.TRANSFER, "iban": THERE}
    bobs = line(came, "?" if way else token(town, bob), **theirs)
    bring(town, statement([line(5_000, token(town, alice), **theirs), bobs]))
    for one in open_lines(town) if way is Way.MEMBER else ():
        decide(town, treasurer, one.line.id, Decision(way=Way.MEMBER, holder=bob.account))
    outs = [line(cents, "VIR", NEXT, **theirs) for cents in (-4_000, -4_001)]
    bring(town, statement(outs, 5_000 + came))
    there = {one.line.amount: one.line.id for one in open_lines(town)}
    decide(town, treasurer, there[-4_001], Decision(way=Way.DEBT, holder=carol.account))
    decision = Decision(way=Way.DEBT, holder=alice.account)
    if not is_hers:
        with pytest.raises(CurrencyError, match="a treasurer may"):
            decide(town, operator, there[-4_000], decision)
    posted = decide(town, operator if is_hers else treasurer, there[-4_000], decision)
    done = audit(town)
    assert role_missing(done) == [] or what == "waits"
    assert named(done, posted.seq) is not is_hers


@pytest.mark.parametrize("role", ["operator", "treasurer"])
@pytest.mark.parametrize("before", [True, False])
def test_check_holds_it_against_whose_it_was_then(
    town: Town, alice: Party, role: str, before: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What came from there for Bob is put back later, and placed as the association's own; or the other way round."""
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    treasurer, bob = officer(town, "treasurer"), parties.admit(town, "person", "Bob")
    theirs: dict[str, Any] = {"kind": LineKind.TRANSFER, "iban": THERE}
    bring(town, statement([line(5_000, token(town, alice), **theirs), line(4_500, "?", **theirs)]))
    bring(town, statement([line(-4_000, "VIR", NEXT, **theirs)], 9_500))
    bobs, out = (one.line.id for one in open_lines(town))
    ways = [Decision(way=Way.MEMBER, holder=bob.account), Decision(way=Way.OWN)][:: 1 if before else -1]
    decide(town, treasurer, bobs, ways[0])
    key = treasurer if role == "treasurer" else officer(town, role)
    posted = decide(town, key, out, Decision(way=Way.DEBT, holder=alice.account))
    for _later in range(2):
        done = audit(town)
        assert role_missing(done) == ([("role_insufficient", posted.seq)] if before and role == "operator" else [])
        assert named(done, posted.seq) is (before and role == "treasurer")
        if _later == 0:
            undecide(town, treasurer, bobs)
            decide(town, treasurer, bobs, ways[1])


def test_what_was_placed_by_hand_counts_for_nothing(town: Town, alice: Party) -> None:
    operator = officer(town, "operator")
    theirs: dict[str, Any] = {"kind": LineKind.TRANSFER, "iban": ELSEWHERE}
    bring(town, statement([line(5_000, "?", **theirs)]))
    [came] = open_lines(town)
    decide(town, operator, came.line.id, Decision(way=Way.MEMBER, holder=alice.account))
    bring(town, statement([line(-4_000, "VIR", NEXT, **theirs)], 5_000))
    [one] = open_lines(town)
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, one.line.id, Decision(way=Way.DEBT, holder=alice.account))


@pytest.fixture
def holder(town: Town) -> towns.Member:
    return towns.member(town, "person", "Alice Martin")


def test_where_a_member_is_paid_is_theirs_and_no_other(town: Town, holder: towns.Member) -> None:
    id_, decision = gone(town, holder.party, Way.DEBT, iban=ELSEWHERE)
    operator, bob = officer(town, "operator"), towns.member(town, "person", "Bob")
    said_by(town, bob.key, bob.party, ELSEWHERE)
    with pytest.raises(CurrencyError, match="a treasurer may"):
        decide(town, operator, id_, decision)
    said_by(town, holder.key, holder.party, ELSEWHERE)
    posted = decide(town, operator, id_, decision)
    done = audit(town)
    assert done.clean and not named(done, posted.seq)
    # What was said then is not there any more, and nobody can look at it.
    said_by(town, operator, holder.party, THERE)
    assert audit(town).clean


@pytest.mark.parametrize("role", ["operator", "treasurer"])
def test_what_is_said_later_says_nothing_of_it(
    town: Town, holder: towns.Member, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, decision = gone(town, holder.party, Way.DEBT, iban=ELSEWHERE)
    key = officer(town, role)
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    posted = decide(town, key, id_, decision)
    for say in (partial(cents, placed=False), on_paper, said_by):
        say(town, key, holder.party, ELSEWHERE)
        done = audit(town)
        assert named(done, posted.seq) is (role == "treasurer")
        assert role_missing(done) == ([("role_insufficient", posted.seq)] if role == "operator" else [])
    said_by(town, holder.key, holder.party, THERE)
    assert named(audit(town), posted.seq) is (role == "treasurer")


def test_what_a_member_signs_later_says_nothing_of_it(town: Town, holder: towns.Member) -> None:
    id_, decision = gone(town, holder.party, Way.DEBT, iban=ELSEWHERE)
    posted = decide(town, officer(town, "treasurer"), id_, decision)
    by_device(town, holder, ELSEWHERE)
    done = audit(town)
    assert done.clean and named(done, posted.seq)


def test_the_account_of_a_mandate_that_a_member_signed_is_theirs(town: Town, holder: towns.Member) -> None:
    by_device(town, holder, ELSEWHERE)
    id_, decision = gone(town, holder.party, Way.DEBT, iban=ELSEWHERE)
    posted = decide(town, officer(town, "operator"), id_, decision)
    done = audit(town)
    assert done.clean and not named(done, posted.seq)


def test_what_the_bank_took_a_treasurer_puts_back(town: Town, alice: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else its units were there again, and somebody else's would go."""
    bring(town, statement([line(9_000, token(town, alice), iban=THERE)]))
    bring(town, statement([line(-9_000, "REJET", NEXT, kind=LineKind.RETURN, iban=THERE)], 9_000))
    [id_] = [one.id for one in lines(town) if one.amount < 0]
    operator, treasurer = officer(town, "operator"), officer(town, "treasurer")
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as refused:
        put_back(undeciding(town, operator, id_), id_, by=operator.public.hex(), treasurer=False)
    assert refused.value.code == "role_insufficient"
    undecide(town, treasurer, id_)
    [topup] = [one for one in lines(town) if one.amount > 0]
    decide(town, operator, id_, Decision(way=Way.RETURNED, other=topup.id))
    # What they said themselves, they take back.
    put_back(undeciding(town, operator, id_), id_, by=operator.public.hex(), treasurer=False)
    decide(town, treasurer, id_, Decision(way=Way.DEBT, holder=alice.account))
    with towns.nothing_moves(town), pytest.raises(CurrencyError):
        put_back(undeciding(town, operator, id_), id_, by=operator.public.hex(), treasurer=False)
    assert audit(town).clean
    monkeypatch.setattr(went, "is_charge", lambda *_args: False)
    posted = put_back(undeciding(town, operator, id_), id_, by=operator.public.hex(), treasurer=False)
    assert ("role_insufficient", posted.seq) in role_missing(audit(town))


@pytest.mark.parametrize("way", [Way.DEBT, Way.RETURNED])
def test_check_knows_what_the_desk_did_not_ask(
    town: Town, alice: Party, way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    id_, decision = gone(town, alice, way)
    operator = officer(town, "operator")
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    posted = decide(town, operator, id_, decision)
    assert role_missing(audit(town)) == [("role_insufficient", posted.seq)]
    # Texts that were erased say neither.
    with town.engine.begin() as connection:
        empty = "UPDATE bank_line SET name = '', iban = '', text = '', bank_ref = '', end_to_end = '', mandate = ''"
        connection.execute(text(empty))
        connection.execute(text("DELETE FROM salt WHERE id IN (SELECT id FROM bank_statement)"))
    assert audit(town).clean


@pytest.mark.parametrize("guarded", [0, 1])
def test_before_the_charter_said_so_it_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, guarded: int
) -> None:
    now = chartered.rules_of
    monkeypatch.setattr(chartered, "rules_of", lambda *given: now(*given)._replace(guarded=guarded))
    monkeypatch.setattr(went, "require_may", lambda *_args: None)
    with opened(tmp_path / "old") as old:
        id_, decision = gone(old, parties.admit(old, "person", "Alice"), Way.DEBT)
        posted = decide(old, officer(old, "operator"), id_, decision)
        monkeypatch.setattr(chartered, "rules_of", now)
        for again in (False, True):
            if again:
                chartered.keep(old, chartered.latest(old))
            done = audit(old)
            # Of who was held to nothing yet nobody says more; else it is named, and who it was.
            told = [one for one in done.notices if one.seq == posted.seq and "members owe" not in one.text]
            assert done.clean and [one.form for one in told] == ([BEFORE] if guarded else [])
            assert [one.values["amount"] for one in told] == [400_000] * guarded


def test_monthly_top_ups_that_went_back(tmp_path: Path) -> None:
    with opened(tmp_path / "monthly") as town:
        _party, mandate = monthly.sign(town, "Alice")
        file = monthly.collected(town)
        monthly.brought(town, monthly.batch(file))
        item = monthly.item_of(town, mandate)
        monthly.brought(town, line(-item.amount, "CHEQUE 0000124", monthly.DUE + timedelta(days=1)))
        [one] = open_lines(town)
        decision = Decision(way=Way.DEBITS, other=item.id)
        with pytest.raises(CurrencyError, match="a treasurer may"):
            decide(town, officer(town, "operator"), one.line.id, decision)
        posted = decide(town, officer(town, "treasurer"), one.line.id, decision)
        done = audit(town)
        assert done.clean
        assert [one.seq for one in done.notices if "monthly top-ups of account" in one.form] == [posted.seq]


@pytest.mark.parametrize(
    ("how", "is_said"),
    [
        ({"kind": LineKind.RETURN}, False),
        ({"kind": LineKind.RETURN, "end_to_end": "DEBITS"}, True),
        ({"kind": LineKind.TRANSFER, "end_to_end": "DEBITS"}, False),
        ({"kind": LineKind.TRANSFER, "iban": "MANDATE"}, True),
        ({"kind": LineKind.TRANSFER, "iban": ELSEWHERE}, False),
    ],
    ids=["return", "named", "ordered", "account", "another"],
)
def test_debits_that_a_line_takes_back(tmp_path: Path, how: dict[str, Any], is_said: bool) -> None:
    """An operator says so where it went back to the account that was debited, or the bank names the debit."""
    with opened(tmp_path / "monthly") as town:
        _party, mandate = monthly.sign(town, "Alice")
        other = monthly.sign(town, "Bob")[1]
        file = monthly.collected(town)
        monthly.brought(town, monthly.batch(file))
        item = monthly.item_of(town, mandate)
        # It names two debits and is of one: so it waits.
        words = {"DEBITS": f"{item.reference} {monthly.item_of(town, other).reference}", "MANDATE": mandate.iban}
        more = {key: words.get(value, value) for key, value in how.items()}
        monthly.brought(town, line(-item.amount, "RETOUR", monthly.DUE + timedelta(days=1), **more))
        [one] = open_lines(town)
        decision = Decision(way=Way.DEBITS, other=item.id)
        operator = officer(town, "operator")
        if is_said:
            posted = decide(town, operator, one.line.id, decision)
        else:
            with pytest.raises(CurrencyError, match="a treasurer may"):
                decide(town, operator, one.line.id, decision)
            posted = decide(town, officer(town, "treasurer"), one.line.id, decision)
        done = audit(town)
        assert done.clean and named(done, posted.seq) is not is_said
