"""One euro, once: the nine ways in which a bank line issued its units twice, a race, and euros booked by hand.

Each test says who notices, the commit or `check`, and in which sentence. What nobody can tell apart waits in suspense.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from api.home import open_town
from ledger.core.model import Posted
from ledger.currency import conversion, importer, parties, reserve
from ledger.currency.audit.walk import audit
from ledger.currency.bank import booking, matching, taking
from ledger.currency.bank.lines import Books, Line, lines
from ledger.currency.bank.placing import Decision, Share, Way
from ledger.currency.bank.suspense import open_lines, place, put_back
from ledger.currency.errors import CurrencyError
from ledger.currency.imported import open_reserve
from ledger.currency.parties import Party
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank import scene
from tests.currency.bank.scene import DAY, SAVINGS, SAVINGS_IBAN, balances, bring, line, statement, token
from tests.threats.expected import WAYS, fits
from tests.towns import BANK, CASH

TODAY = date(2025, 6, 15)
"""By the clock of `towns`: five days after the statement."""
REFERENCE = "2025061000042"
PLACE_IT = "Nothing is typed that a statement brings: place the line (`patard bank suspense list`)"


SAID: list[str] = []
"""What the tests of this module heard, as it is printed."""


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    url = request.getfixturevalue("fresh_postgres") if request.param == "postgres" else None
    with scene.opened(tmp_path / "home", url) as made:
        yield made


@pytest.fixture
def alice(town: Town) -> Party:
    return parties.admit(town, "person", "Alice Martin")


def typed(
    town: Town, party: Party, amount: int, reference: str, day: date | None = None, account: str = BANK
) -> Posted:
    return conversion.convert(town, party, amount, reserve=account, reference=reference, booked_on=day)


def commit_refuses(code: str, sentence: str, town: Town, party: Party, amount: int, *args: object) -> None:
    """The commit of a conversion refuses it, in this sentence."""
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        typed(town, party, amount, *args)  # type: ignore[arg-type]
    assert (caught.value.code, sentence in caught.value.detail) == (code, True), caught.value.detail
    SAID.append(f"{code}: {caught.value.detail}")


def check_finds(town: Town, *sentences: str) -> None:
    """`check` finds just this, and nobody calls the reserve covered."""
    found = audit(town).findings
    assert [one.code for one in found] == ["bank_unexplained"] * len(sentences), found
    for one, sentence in zip(found, sentences, strict=True):
        assert sentence in one.text, one.text
        SAID.append(f"{one.code}: {one.text}")
    report = reserve.report(town)
    assert not report.covered and not report.sound


def once(town: Town, units: int) -> None:
    """Members hold so much and no more, the bank has it, nothing is found."""
    assert balances(town).get("members", 0) == units
    assert audit(town).clean, audit(town).findings
    assert reserve.report(town).covered


def waiting(town: Town) -> Line:
    """The one line in suspense."""
    [one] = open_lines(town)
    return one.line


def refused(code: str, sentence: str, town: Town, id_: bytes, decision: Decision) -> None:
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        place(town, id_, decision)
    assert (caught.value.code, sentence in caught.value.detail) == (code, True), caught.value.detail
    SAID.append(f"{code}: {caught.value.detail}")


# --- the nine ways ---------------------------------------------------------------------------------------


def test_a_the_statement_brought_it_and_it_is_typed(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, token(town, alice), bank_ref=REFERENCE)]))
    commit_refuses(
        "conversion_on_statement",
        f"{REFERENCE} is the reference of the line 20250610/5000/1, which was for Alice Martin. {PLACE_IT}",
        town, alice, 5_000, REFERENCE,
    )  # fmt: skip
    # Written otherwise, for a day of the statement, for today, for less: the euros are the same.
    commit_refuses("conversion_on_statement", "is the reference of the line", town, alice, 100, "20250610-00042")
    commit_refuses(
        "conversion_on_statement", "the statements of this account reach to 2025-06-10, and euros of 2025-06-10 are on",
        town, alice, 5_000, "OTHER", DAY,
    )  # fmt: skip
    commit_refuses(
        "conversion_on_statement", "it may be the line 20250610/5000/1, which was for Alice Martin",
        town, alice, 5_000, "OTHER", TODAY,
    )  # fmt: skip
    once(town, 5_000)


def test_b_typed_under_another_reference_than_the_banks(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, "CHEQUE-7", DAY).id
    assert bring(town, statement([line(5_000, token(town, alice), bank_ref=REFERENCE)])).kinds == {"bank_suspense": 1}
    check_finds(
        town,
        "conversion CHEQUE-7 of 5000 cents counts for 2025-06-10 on 'Banque' (statements to 2025-06-10), and no line "
        "of a statement explains it",
    )
    [one] = open_lines(town)
    assert one.proposals[0].decision == Decision(way=Way.KNOWN, other=id_)
    place(town, one.line.id, one.proposals[0].decision)
    once(town, 5_000)


def test_c_typed_with_a_mistyped_amount(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, REFERENCE, DAY).id
    bring(town, statement([line(6_000, token(town, alice), bank_ref=REFERENCE)]))
    check_finds(town, f"conversion {REFERENCE} of 5000 cents counts for 2025-06-10")
    one = waiting(town)
    refused("line_typed", f"a conversion of 50.00 was typed as {REFERENCE} for 2025-06-10", town, one.id,
            Decision(way=Way.MEMBER, holder=alice.account))  # fmt: skip
    conversion.correct(town, id_)
    place(town, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    once(town, 6_000)


@pytest.mark.parametrize(
    ("told", "reference"),
    [
        ("BQ*2025/06_10 #42", "BQ2025/06-10.42"),
        ("VIR-2025-06-10-AAAAAAAAAA-BBBBBBBBBB-CCCCCCCCCC-42", "VIR-2025-06-10-AAAAAAAAAA-BBBBBBBBB"),
    ],
)
def test_d_a_bank_reference_that_cannot_be_typed(town: Town, alice: Party, told: str, reference: str) -> None:
    id_ = typed(town, alice, 5_000, reference).id
    done = bring(town, statement([line(5_000, "VIR", bank_ref=told)]))
    if len(told) <= 35:  # what can be typed of it says it all
        assert done.kinds == {"bank_line_known": 1}
    else:
        assert done.kinds == {"bank_suspense": 1}
        bob = parties.admit(town, "person", "Bob")
        refused(
            "line_typed", "this line may be it", town, waiting(town).id, Decision(way=Way.MEMBER, holder=bob.account)
        )
        place(town, waiting(town).id, Decision(way=Way.KNOWN, other=id_))
    once(town, 5_000)


def test_d_typed_after_the_statement(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, token(town, alice), bank_ref="VIR-2025-06-10-AAAAAAAAAA-BBBBBBBBBB-CCCCCCCC")]))
    commit_refuses(
        "conversion_on_statement", "is the reference of the line 20250610/5000/1",
        town, alice, 700, "VIR-2025-06-10-AAAAAAAAAA-BBBBBBBBB", TODAY,
    )  # fmt: skip
    once(town, 5_000)


def test_e_a_line_in_suspense_is_typed_by_hand(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "VIREMENT")]))
    commit_refuses(
        "conversion_on_statement", "it may be the line 20250610/5000/1, which waits in suspense",
        town, alice, 5_000, "BY-HAND",
    )  # fmt: skip
    # Typed before, and placed as the member's although it is proposed as known.
    place(town, waiting(town).id, Decision(way=Way.MEMBER, holder=alice.account))
    once(town, 5_000)


def test_e_typed_before_and_placed_as_the_members(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, "BY-HAND", DAY).id
    bring(town, statement([line(5_000, "VIREMENT")]))
    one = waiting(town)
    sentence = "place it as known, or take back what was typed (`patard unconvert BY-HAND`)"
    for decision in (
        Decision(way=Way.MEMBER, holder=alice.account),
        Decision(way=Way.SPLIT, shares=(Share(Way.MEMBER, 4_000, alice.account), Share(Way.OWN, 1_000))),
    ):
        refused("line_typed", sentence, town, one.id, decision)
    place(town, one.id, Decision(way=Way.KNOWN, other=id_))
    once(town, 5_000)


def test_f_typed_under_the_reference_that_is_shown_here(town: Town, alice: Party) -> None:
    sentence = "20250610/5000/1 is how a line of a statement is called here"
    for account in (BANK, SAVINGS, CASH):
        commit_refuses("conversion_on_statement", sentence, town, alice, 5_000, "20250610/5000/1", None, account)
    bring(town, statement([line(5_000, token(town, alice))]))
    commit_refuses("conversion_on_statement", sentence, town, alice, 5_000, "20250610/5000/1")
    commit_refuses("conversion_on_statement", "20250610-5000-1 is the reference of the line 20250610/5000/1",
                   town, alice, 700, "20250610-5000-1", TODAY)  # fmt: skip
    once(town, 5_000)


@pytest.mark.parametrize("account", [SAVINGS, BANK])
def test_g_typed_on_the_wrong_reserve_account(town: Town, alice: Party, account: str) -> None:
    """`account` is where the line comes, the other where it was typed."""
    iban, other = (SAVINGS_IBAN, BANK) if account == SAVINGS else (scene.IBAN, SAVINGS)
    id_ = typed(town, alice, 5_000, REFERENCE, None, other).id
    done = bring(town, statement([line(5_000, token(town, alice), bank_ref=REFERENCE)], account=iban))
    assert done.kinds == {"bank_suspense": 1}
    one = waiting(town)
    refused("line_typed", f"typed as {REFERENCE}", town, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    conversion.correct(town, id_)
    place(town, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    commit_refuses("conversion_on_statement", "is the reference of the line", town, alice, 700, "2025-0610-00042", None,
                   other)  # fmt: skip
    once(town, 5_000)


def test_g_typed_as_cash_under_the_banks_reference(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, REFERENCE, None, CASH).id
    done = bring(town, statement([line(5_000, token(town, alice), bank_ref=REFERENCE)]))
    assert done.kinds == {"bank_suspense": 1}
    one = waiting(town)
    refused("line_typed", f"typed as {REFERENCE}", town, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    refused("placing_uneven", "it is not this line", town, one.id, Decision(way=Way.KNOWN, other=id_))
    conversion.correct(town, id_)
    place(town, one.id, Decision(way=Way.MEMBER, holder=alice.account))
    commit_refuses("conversion_on_statement", "is the reference of the line", town, alice, 5_000, "2025-0610-00042",
                   None, CASH)  # fmt: skip
    once(town, 5_000)


@pytest.mark.parametrize("format_", ["cfonb120", "ofx"])
def test_h_typed_with_camts_reference_and_the_statement_is_another(town: Town, alice: Party, format_: str) -> None:
    id_ = typed(town, alice, 5_000, REFERENCE).id
    ref = "" if format_ == "cfonb120" else "FITID77"
    done = bring(town, statement([line(5_000, token(town, alice), bank_ref=ref)], format=format_))
    assert done.kinds == {"bank_suspense": 1}
    place(town, waiting(town).id, Decision(way=Way.KNOWN, other=id_))
    once(town, 5_000)


def test_i_recognised_as_typed_put_back_and_placed(town: Town, alice: Party) -> None:
    id_ = typed(town, alice, 5_000, REFERENCE, DAY).id
    assert bring(town, statement([line(5_000, "VIR", bank_ref=REFERENCE)])).kinds == {"bank_line_known": 1}
    once(town, 5_000)
    [one] = lines(town)
    put_back(town, one.id)
    check_finds(town, f"conversion {REFERENCE} of 5000 cents")
    bob = parties.admit(town, "person", "Bob")
    for holder in (alice, bob):
        refused("line_typed", "this line may be it", town, one.id, Decision(way=Way.MEMBER, holder=holder.account))
    place(town, one.id, Decision(way=Way.KNOWN, other=id_))
    once(town, 5_000)


# --- the race ----------------------------------------------------------------------------------------------


def test_race_one_process_types_while_another_books(
    town: Town, alice: Party, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what booking reads and its commit somebody types: what may be one of these lines, and what may not."""
    other = open_town(tmp_path / "home", clock=towns.clock(town), entropy=towns.Entropy("other"))
    said: list[str] = []
    find, today = matching.find, TODAY

    def slowly(books: Books, one: Line) -> object:
        made = find(books, one)
        if not said:
            for reference, amount, account in (("V1", 5_000, BANK), (REFERENCE, 700, BANK), ("V2", 900, BANK)):
                try:
                    said.append(typed(other, alice, amount, reference, today, account).id.hex())
                except CurrencyError as error:
                    said.append(error.detail)
        return made

    monkeypatch.setattr(matching, "find", slowly)
    taking.take(town, [statement([line(5_000, token(town, alice), bank_ref=REFERENCE), line(300, "don")])])
    done = booking.book(town)
    other.book.close()
    assert "it may be the line 20250610/5000/1, which is being booked" in said[0]
    assert "is the reference of the line 20250610/5000/1, which is being booked" in said[1]
    SAID.append(f"conversion_on_statement: {said[0]}")
    # The third is of another amount and for the next statement. Booking found it in its commit, and so has doubts.
    assert len(said[2]) == 32 and done.kinds == {"bank_suspense": 2}
    assert balances(town)["members"] == 900
    report = reserve.report(town)
    assert (report.awaited, report.sound) == (900, True)
    assert audit(town).clean


# --- typed ahead -------------------------------------------------------------------------------------------


def test_what_is_typed_ahead_is_awaited_and_then_found(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    place(town, waiting(town).id, Decision(way=Way.OWN))
    typed(town, alice, 700, "AHEAD", DAY + timedelta(days=2))
    report = reserve.report(town)
    assert (report.covered, report.sound, report.awaited, report.coverage_bp) == (True, True, 700, 71_428)
    assert audit(town).clean
    towns.clock(town).forward(11 * 86_400)
    check_finds(
        town,
        "conversion AHEAD of 700 cents on 'Banque' (statements to 2025-06-10): a statement should have had it by "
        "2025-06-25, and none has",
    )


def test_a_later_statement_that_has_it_not(town: Town, alice: Party) -> None:
    bring(town, statement([line(5_000, "don")]))
    typed(town, alice, 700, "AHEAD", DAY + timedelta(days=2))
    assert audit(town).clean
    bring(town, statement([line(100, "don", DAY + timedelta(days=3))], 5_000))
    check_finds(town, "conversion AHEAD of 700 cents counts for 2025-06-12")


def test_between_taking_and_booking_nothing_is_found(town: Town, alice: Party) -> None:
    bring(town, statement([line(200, "don")]))
    place(town, waiting(town).id, Decision(way=Way.OWN))
    next_ = DAY + timedelta(days=2)
    typed(town, alice, 700, "AHEAD", next_)
    taking.take(town, [statement([line(700, "VIR", next_, bank_ref="AHEAD"), line(-200, "x", next_)], 200)],
                quiet_days=True)  # fmt: skip
    assert audit(town).clean and reserve.report(town).sound
    assert booking.book(town).kinds == {"bank_line_known": 1, "bank_suspense": 1}
    assert audit(town).clean


def test_an_old_book_typed_before_its_first_statement(town: Town, alice: Party) -> None:
    for number in range(3):
        typed(town, alice, 700, f"OLD-{number}", DAY - timedelta(days=1 + number))
    assert bring(town, statement([line(700, token(town, alice))], 2_100)).kinds == {"conversion": 1}
    once(town, 2_800)


# --- euros booked by hand, units imported ------------------------------------------------------------------

HEADER = "id,at,from,to,amount,unit,kind\n"
ASSO = importer.Options(issuers=frozenset({"asso"}))


def imports(town: Town, tmp_path: Path, *rows: str) -> importer.Imported:
    path = tmp_path / "past.csv"
    path.write_text(HEADER + "".join(f"{row},PATARD,payment\n" for row in rows))
    return importer.run(town, path, ASSO)


def test_reserve_euros_of_an_account_that_has_statements(town: Town, alice: Party, tmp_path: Path) -> None:
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00")
    bring(town, statement([line(5_000, "apport")]))
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        open_reserve(town, BANK, 5_000, "M1")
    assert caught.value.code == "opening_banked"
    SAID.append(f"{caught.value.code}: {caught.value.detail}")
    assert "'Banque' has statements, and its euros come by them: place the line" in caught.value.detail
    place(town, waiting(town).id, Decision(way=Way.COVER))
    once(town, 5_000)


def test_reserve_the_first_statement_after_an_opening(town: Town, tmp_path: Path) -> None:
    imports(town, tmp_path, "1,2024-02-01,asso,Bob,50.00")
    first = open_reserve(town, BANK, 5_000, "M1")
    bring(town, statement([line(300, "don", TODAY + timedelta(days=1))], 5_000))
    assert open_reserve(town, BANK, 5_000, "M1") == first._replace(replay=True)
    assert audit(town).clean and reserve.report(town).covered


def test_the_docs_say_what_was_heard(request: pytest.FixtureRequest) -> None:
    """Last of all, for it needs what the others heard; alone it knows nothing."""
    if not SAID:
        assert request.session.testscollected < 10
        return
    for way, (_done, _who, sentence) in WAYS.items():
        assert not sentence or any(fits(sentence).match(one) for one in SAID), (way, SAID)
