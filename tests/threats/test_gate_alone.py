"""The last gate, cut small: what one person lets leave alone counts together, and so does what nobody saw arrive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from ledger.core.ids import account_text
from ledger.core.model import Note
from ledger.currency import chartered, conversion
from ledger.currency.audit.walk import audit
from ledger.currency.bank import ahead, withdrawing
from ledger.currency.bank.payouts import batches, index
from ledger.currency.bank.payouts.noted import fetching_id
from ledger.currency.charter import BankRules
from ledger.currency.keys import PrivateKey
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.conftest import paying, paying_home  # noqa: F401 (fixtures)
from tests.currency.bank.paying import BROUGHT, Town3, accept, settle, sign, treasurer
from tests.currency.bank.scene import DAY, bring, line, opened, statement
from tests.threats.gate import NEXT, clock_set, edit, finds, refused
from tests.threats.test_gate_people import Alice, brings_in, brought_in
from tests.towns import BANK, Member

DAYS = 86_400
SLICE = 40_000
"""Units of which 380.00 are paid: two such files are under the charter's 1,000.00, three are not."""


def small(paying: Town3, units: int = SLICE) -> batches.Batch:  # noqa: F811
    """A file that comes to less than the charter's limit."""
    accept(paying.town, paying.shops[0], units)
    batch = batches.order(paying.town)
    assert batch.people == 1
    return batch


def leaves(paying: Town3, *keys: PrivateKey, units: int = SLICE) -> batches.Batch:  # noqa: F811
    """Such a file, signed with these keys and fetched."""
    batch = small(paying, units)
    for key in keys:
        sign(paying.town, batch, key)
    batches.fetch(paying.town, batch)
    return batch


def slips_out(town: Town, batch: batches.Batch) -> None:
    """The file leaves, the desk having been got round."""
    town.post(Note(fetching_id(batch.id), index.FETCHED, {"batch": batch.id.hex(), "by": "console"}))


def test_many_small_files_are_one_large_one(paying: Town3) -> None:  # noqa: F811
    town = paying.town
    for _ in range(2):
        leaves(paying, paying.alice)
    third = small(paying)
    sign(town, third, paying.alice)
    found = batches.find(town, str(third.number))
    assert (found.people, found.signed, found.state) == (2, 1, "ordered")
    code, said = refused(batches.fetch, town, third)
    assert code == "payouts_unsigned" and said.startswith("people who have to sign this file: 2; who have: 1. ")
    assert "let 760.00 leave alone within 30 days, and one person lets 1000.00 at most" in said
    phone = treasurer(town, paying.office, "Alice", "Alice's phone")
    assert refused(sign, town, third, phone)[0] == "signature_key_newer"  # it came after the file
    sign(town, third, paying.bob)
    assert batches.find(town, str(third.number)).state == "signed"
    batches.fetch(town, third)
    # Bob let nothing leave alone so far; nor did either with the file that both signed.
    leaves(paying, paying.bob, units=80_000)
    assert audit(town).findings == []


def test_it_counts_for_thirty_days(paying: Town3) -> None:  # noqa: F811
    town, clock = paying.town, towns.clock(paying.town)
    leaves(paying, paying.alice, units=80_000)
    clock.forward(chartered.ALONE_DAYS * DAYS - 60)
    late = small(paying)
    sign(town, late, paying.alice)
    assert refused(batches.fetch, town, late)[0] == "payouts_unsigned"
    clock.forward(120)
    batches.fetch(town, late)
    assert audit(town).findings == []


@pytest.mark.parametrize("leaving", ["before it", "while it is ahead"])
def test_a_clock_set_ahead_and_back_empties_no_purse(paying: Town3, leaving: str) -> None:  # noqa: F811
    """Thirty days are the clock's days, not what the log counts; and whoever reads the notices sees it."""
    town = paying.town
    if leaving == "before it":
        leaves(paying, paying.alice, units=80_000)
    clock_set(town, 31)
    if leaving == "while it is ahead":
        leaves(paying, paying.alice, units=80_000)
    clock_set(town, -31)
    batch = small(paying)
    sign(town, batch, paying.alice)
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"
    done = audit(town)
    assert done.findings == []
    assert [one.text for one in done.notices if "clock" in one.text] == [
        "somebody at the machine said that the clock is right: "
        "it had 2025-07-16 15:07:40 UTC, after an entry of 2025-06-15 15:06:40 UTC",
        "somebody at the machine said that the clock is right: "
        "it had 2025-06-15 15:08:40 UTC, after an entry of 2025-07-16 15:07:40 UTC",
    ]
    slips_out(town, batch)
    finds(town, "signatures_missing", "was fetched, signed by 1 of 2 people: one person let 76000 cents leave alone")


def test_thirty_days_end_behind_a_wrong_clock(paying: Town3) -> None:  # noqa: F811
    town, clock = paying.town, towns.clock(paying.town)
    clock_set(town, 3_650)
    clock_set(town, -3_650)
    leaves(paying, paying.alice, units=80_000)
    clock.forward(chartered.ALONE_DAYS * DAYS - 120)
    late = small(paying)
    sign(town, late, paying.alice)
    assert refused(batches.fetch, town, late)[0] == "payouts_unsigned"
    clock.forward(240)
    batches.fetch(town, late)
    assert audit(town).findings == []


@pytest.mark.parametrize("whose", ["hers", "a colleague's whom she brought in", "nobody's in particular"])
def test_another_key_is_no_other_purse(paying: Town3, whose: str) -> None:  # noqa: F811
    town = paying.town
    if whose == "hers":
        key = treasurer(town, paying.office, "Alice", "Alice's phone")
    elif whose == "nobody's in particular":
        key = treasurer(town, paying.office, None, "the office's PC")
    else:
        key = brings_in(Alice(paying), "Denise Lenoir")
    leaves(paying, paying.alice, units=80_000)
    batch = small(paying)
    if whose == "nobody's in particular":
        assert refused(sign, town, batch, key)[0] == "signature_person_unknown"
        sign(town, batch, paying.alice)
        assert refused(sign, town, batch, key)[0] == "signature_person_unknown"
    else:
        sign(town, batch, key)
        assert refused(sign, town, batch, paying.alice)[0] in ("signature_same_person", "signature_sponsored")
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"
    assert audit(town).findings == []
    slips_out(town, batch)
    finds(town, "signatures_missing", "was fetched, signed by 1 of 2 people: one person let 76000 cents leave alone")


def test_a_file_that_was_given_up_after_it_left_had_left(paying: Town3) -> None:  # noqa: F811
    """Whoever says that the bank refused a file does not get its sum again: the bank may have it."""
    town = paying.town
    batches.withdraw(town, leaves(paying, paying.alice, units=80_000), fetched_too=True)
    again = batches.order(town)
    sign(town, again, paying.alice)
    assert refused(batches.fetch, town, again)[0] == "payouts_unsigned"
    sign(town, again, paying.bob)
    batches.fetch(town, again)
    assert audit(town).findings == []


@pytest.mark.parametrize("edited", ["its signature", "when it was fetched"])
def test_no_row_hides_what_left(paying: Town3, edited: str) -> None:  # noqa: F811
    town = paying.town
    leaves(paying, paying.alice, units=80_000)
    batch = small(paying)
    sign(town, batch, paying.alice)
    if edited == "its signature":
        edit(town, "DELETE FROM payout_signature WHERE batch != :id", id=batch.id)
    else:
        edit(town, "UPDATE payout_batch SET fetched_at = NULL, fetched_by = NULL")
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"


def test_an_association_in_which_one_signs_goes_on_alone(tmp_path: Path) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=None)) as town:
        alone = settle(town)
        for _ in range(3):
            leaves(alone, alone.alice, units=90_000)
        assert audit(town).findings == []


# --- a book of before ----------------------------------------------------------------------------------------


@pytest.fixture
def before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town3]:
    """A town whose charter does not say yet for how long what one person does counts."""
    monkeypatch.setattr(chartered, "ALONE_DAYS", None)
    with opened(tmp_path / "before") as town:
        assert chartered.alone_since(town) is None
        yield settle(town)


@pytest.mark.parametrize("days", [31, 10])
def test_the_logs_days_of_before(days: int, paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    """Programs of before counted by `at`, which notes about the clock that they wrote tell."""
    monkeypatch.setattr("ledger.core.clock.FORM", 1)
    town = paying.town
    leaves(paying, paying.alice, units=80_000)
    clock_set(town, days)
    clock_set(town, -days)
    batch = small(paying)
    sign(town, batch, paying.alice)
    slips_out(town, batch)
    assert ("signatures_missing" in [one.code for one in audit(town).findings]) == (days == 10)


def test_what_was_ordered_before_goes_on_as_before(before: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    town = before.town
    first, second = brought_in(Alice(before))
    leaves(before, before.alice, units=80_000)
    sliced = small(before, 90_000)
    accept(town, before.shops[1], 200_000)
    large = batches.order(town)
    sign(town, sliced, before.alice)
    sign(town, large, first)
    monkeypatch.undo()
    chartered.keep(town, chartered.latest(town))
    assert chartered.alone_since(town) == town.book.head().seq
    sign(town, large, second)
    for batch in (sliced, large):
        batches.fetch(town, batch)
    assert audit(town).findings == []
    # What is ordered from here on is not; what left before is no file of hers yet.
    leaves(before, before.alice, units=80_000)
    batch = small(before)
    sign(town, batch, before.alice)
    assert refused(batches.fetch, town, batch)[0] == "payouts_unsigned"
    assert refused(sign, town, batch, first)[0] == "signature_sponsored"
    assert audit(town).findings == []


def test_a_charter_that_says_it_says_it_for_good(paying: Town3, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    town = paying.town
    monkeypatch.setattr(chartered, "ALONE_DAYS", None)
    chartered.keep(town, chartered.latest(town))
    finds(town, "charter_malformed", "no longer says for how long what one person does is counted")


# --- units whose euros nobody saw yet ------------------------------------------------------------------------


@pytest.fixture
def banked(paying: Town3) -> Town3:  # noqa: F811
    """The bank's statements have begun: what is typed from now on is for one that is still to come."""
    opening = BROUGHT * len(paying.shops)
    bring(paying.town, statement([], opening, first=DAY + timedelta(days=1), last=NEXT))
    return paying


def types(town: Town, key: PrivateKey, shop: Member, amount: int, reference: str) -> None:
    asks = {"account": account_text(shop.account), "reserve": BANK, "reference": reference}
    acting = towns.acting(town, key, "POST /v1/conversions", amount_cents=amount, **asks)
    conversion.convert(acting, shop.party, amount, reserve=BANK, reference=reference, by=key.public.hex())


def lets(town: Town, asked: bytes, key: PrivateKey) -> None:
    """Accept that units are changed back, as a device does."""
    acting = towns.acting(town, key, f"POST /v1/reconversions/{asked.hex()}/acceptance")
    conversion.accept(acting, conversion.find_asked(town, asked), by=key.public.hex())


def test_who_says_that_euros_will_come_does_not_let_euros_leave(banked: Town3) -> None:
    town, shop = banked.town, banked.shops[0]
    types(town, banked.alice, shop, 100_000, "V-1")
    lets(town, towns.ask_back(town, shop, 1_000), banked.alice)
    types(town, banked.alice, banked.shops[1], 1, "V-2")
    asked = towns.ask_back(town, shop, 1_000)
    code, said = refused(lets, town, asked, banked.alice)
    assert code == "reconversion_ahead" and said.startswith("1000.01 that you typed")
    assert "let a colleague accept this" in said
    colleague = brings_in(Alice(banked), "Denise Lenoir")
    nameless = treasurer(town, banked.office, None, "the office's PC")
    for key in (colleague, nameless):
        assert refused(lets, town, asked, key)[0] == "reconversion_ahead"
    lets(town, asked, banked.bob)
    conversion.accept(town, conversion.find_asked(town, towns.ask_back(town, shop, 1_000)))
    assert audit(town).findings == []
    # When the line has come, she does.
    today = town.charter.local_date(town.now())
    came = [line(100_000, "?", today, bank_ref="V-1"), line(1, "?", today, bank_ref="V-2")]
    bring(town, statement(came, BROUGHT * 3, first=NEXT + timedelta(days=1)))
    lets(town, towns.ask_back(town, shop, 1_000), banked.alice)
    assert audit(town).findings == []


def test_it_is_found_where_the_desk_was_got_round(banked: Town3, monkeypatch: pytest.MonkeyPatch) -> None:
    town, shop = banked.town, banked.shops[0]
    types(town, banked.alice, shop, 100_001, "V-1")
    asked = towns.ask_back(town, shop, 1_000)
    monkeypatch.setattr(ahead, "require_proved", lambda *_: None)
    lets(town, asked, banked.alice)
    finds(town, "reconversion_ahead", "accepted it, and 100001 cents that its person typed ahead of statements had no")


def test_taken_back_it_is_typed_no_longer(banked: Town3) -> None:
    town, shop = banked.town, banked.shops[0]
    types(town, banked.alice, shop, 100_001, "V-1")
    conversion.correct(town, conversion.conversion_id(town, BANK, "V-1"))
    lets(town, towns.ask_back(town, shop, 1_000), banked.alice)
    assert audit(town).findings == []


def test_where_two_never_sign_it_is_what_one_types_in_a_day(tmp_path: Path) -> None:
    with opened(tmp_path / "home", bank=BankRules(second_signature_above=None)) as town:
        alone = settle(town)
        shop = alone.shops[0]
        # Before the first statement nothing is awaited: there is no bank to ask.
        types(town, alone.alice, shop, 200_000, "V-0")
        lets(town, towns.ask_back(town, shop, 1_000), alone.alice)
        towns.clock(town).forward(DAYS)
        today = town.charter.local_date(town.now())
        bring(town, statement([], BROUGHT * 3 + 200_000, first=today, last=today))
        towns.clock(town).forward(DAYS)
        types(town, alone.alice, shop, 200_000, "V-1")
        lets(town, towns.ask_back(town, shop, 1_000), alone.alice)
        towns.clock(town).forward(DAYS)
        types(town, alone.alice, shop, 1, "V-2")
        assert refused(lets, town, towns.ask_back(town, shop, 1_000), alone.alice)[0] == "reconversion_ahead"
        assert audit(town).findings == []


def test_what_the_machine_typed_is_nobody_s_of_the_office(banked: Town3) -> None:
    town, shop = banked.town, banked.shops[0]
    conversion.convert(town, shop.party, 300_000, reserve=BANK, reference="V-9")
    lets(town, towns.ask_back(town, shop, 1_000), banked.alice)
    assert audit(town).findings == []


@pytest.mark.parametrize("anew", [False, True])
def test_what_was_typed_is_awaited_still_when_the_statements_are_withdrawn(banked: Town3, anew: bool) -> None:
    """Desk and check both count from the first statement that the account ever had."""
    town, shop = banked.town, banked.shops[0]
    types(town, banked.alice, shop, 100_001, "V-1")
    withdrawing.withdraw(town, BANK)
    if anew:
        bring(town, statement([], BROUGHT * len(banked.shops), first=DAY + timedelta(days=1), last=NEXT))
    asked = towns.ask_back(town, shop, 1_000)
    assert refused(lets, town, asked, banked.alice)[0] == "reconversion_ahead"
    lets(town, asked, banked.bob)
    assert audit(town).findings == []
