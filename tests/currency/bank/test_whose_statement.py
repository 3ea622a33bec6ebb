"""Whose statements are taken, and from which file, as the log says it: in the charter's notes and in theirs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from ledger.core.ids import account_text
from ledger.core.model import Instruction, Note
from ledger.currency import acts, chartered, conversion, proofs, salted
from ledger.currency.audit.walk import audit
from ledger.currency.bank import taking, withdrawing
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.statement import Statement, StatementError
from ledger.currency.charter import BankRules, Limits, ReserveAccount, ReserveKind
from ledger.currency.charter.ibans import iban
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.lies import NEXT
from tests.currency.bank.scene import IBAN, SAVINGS, SAVINGS_IBAN, bring, line, opened, statement
from tests.threats.forger import Forger
from tests.towns import BANK, CASH, nothing_moves

BANKED = ReserveAccount(name=BANK, kind=ReserveKind.BANK, iban=IBAN)
SAVED = ReserveAccount(name=SAVINGS, kind=ReserveKind.BANK, iban=SAVINGS_IBAN)
BOX = ReserveAccount(name=CASH, kind=ReserveKind.CASH)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with opened(tmp_path / "home", reserve=(BANKED, SAVED, BOX), bank=BankRules(), mandates=None) as made:
        yield made


def by(town: Town, *reserve: ReserveAccount, **changes: Any) -> Town:
    """The town by another charter, which nobody noted."""
    rules = towns.charter(reserve=reserve, **changes)
    return Town(rules, town.book, town.key, town.engine, town.machine)


def noted(town: Town) -> Town:
    """The same, once its charter was noted, as opening it does."""
    chartered.keep(town, chartered.latest(town))
    town.found()
    return town


def codes(town: Town) -> list[str]:
    return [one.code for one in audit(town).findings]


def bank(name: str, of: str | None) -> ReserveAccount:
    return ReserveAccount(name=name, kind=ReserveKind.BANK, iban=of)


def box(name: str) -> ReserveAccount:
    return ReserveAccount(name=name, kind=ReserveKind.CASH)


def statements(town: Town) -> list[Any]:
    """What the notes of statements say."""
    found = (town.book.find(row.id) for row in taking.statements(town))
    return [record.instruction.evidence for record in found if record is not None]


# --- the charter's note --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reserve",
    [
        (box(BANK), SAVED, BOX),
        (BANKED, box(SAVINGS), BOX),
        (BANKED, SAVED, bank(CASH, None)),
        (bank(BANK, SAVINGS_IBAN), bank(SAVINGS, IBAN), BOX),
        (bank(BANK, None), SAVED, BOX),
        (bank(BANK, "DE89370400440532013000"), SAVED, BOX),
    ],
)
def test_kinds_and_ibans_are_held_to_the_note(town: Town, reserve: tuple[ReserveAccount, ...]) -> None:
    assert codes(town) == []
    other = by(town, *reserve)
    assert codes(other) == ["charter_differs"]
    assert codes(noted(other)) == []
    assert codes(town) == ["charter_differs"]


def test_the_note_says_an_iban_as_a_hash_that_stays(town: Town) -> None:
    rules = chartered.latest(town)
    assert rules is not None and rules.kinds == ("bank", "bank", "cash")
    assert rules.ibans == (*(salted.reserve_iban(town.key, one) for one in (IBAN, SAVINGS_IBAN)), "")
    assert chartered.read(chartered.note_of(rules).evidence) == rules
    assert not any(IBAN in str(value) for value in chartered.note_of(rules).evidence.values())
    other = PrivateKey.from_seed(bytes(31) + b"x")
    assert len({salted.reserve_iban(key, of) for key in (town.key, other) for of in (IBAN, SAVINGS_IBAN)}) == 4
    assert rules.kind_of("nobody") is rules.iban_of("nobody") is None


@pytest.mark.parametrize(
    "change",
    [{"kinds": "bank,cash"}, {"ibans": ""}, {"ibans": None}, {"kinds": None}, {"kinds": "bank,bank,cash,cash"}],
)
def test_a_note_that_says_them_wrong(town: Town, change: dict[str, str | None]) -> None:
    rules = chartered.latest(town)
    assert rules is not None
    right = chartered.note_of(rules._replace(version=2))
    told = {key: value for key, value in {**right.evidence, **change}.items() if value is not None}
    town.post(Note(right.id, right.kind, told))
    assert codes(town) == ["charter_malformed"]


def test_a_note_that_says_them_no_more(town: Town) -> None:
    rules = chartered.latest(town)
    assert rules is not None
    town.post(chartered.note_of(rules._replace(version=2, kinds=None, ibans=None)))
    assert codes(town) == ["charter_malformed"]


@pytest.mark.parametrize("how", ["statement", "typed"])
def test_a_bank_account_with_entries_does_not_become_cash(town: Town, how: str) -> None:
    alice = towns.member(town, "person", "Alice").party
    if how == "statement":
        bring(town, statement([line(500, "?")]))
    else:
        conversion.convert(town, alice, 500, reserve=BANK, reference="V-1")
    other = by(town, box(BANK), SAVED, BOX)
    with nothing_moves(town), pytest.raises(CurrencyError) as caught:
        noted(other)
    assert caught.value.code == "charter_kind_changed" and '"Banque"' in caught.value.detail
    # Who notes it all the same is found out: no statement would explain its euros any more.
    town.post(chartered.note_of(chartered.rules_of(other, 2)))
    assert "charter_changed" in codes(other)


def test_limits_go_by_the_kinds_of_their_time(tmp_path: Path) -> None:
    limits = Limits(cash_per_day=2_000, ahead_per_day=2_000)
    with opened(tmp_path / "home", reserve=(BANKED, BOX), bank=BankRules(), mandates=None, limits=limits) as town:
        alice, office = towns.member(town, "person", "Alice").party, towns.member(town, "association", "Bureau").key

        def convert(town: Town, reserve: str, reference: str) -> None:
            asks = {"account": account_text(alice.account), "reserve": reserve, "reference": reference}
            acting = towns.acting(town, office, "POST /v1/conversions", amount_cents=1_500, **asks)
            conversion.convert(acting, alice, 1_500, reserve=reserve, reference=reference, by=office.public.hex())

        convert(town, BANK, "V-1")
        convert(town, CASH, "S-1")
        assert codes(town) == []
        later = noted(by(town, BANKED, bank(CASH, None), box("Coffre"), limits=limits))
        convert(later, "Coffre", "S-2")
        assert codes(later) == []
        with pytest.raises(CurrencyError):
            convert(later, BANK, "V-2")


# --- whose statement it is -----------------------------------------------------------------------------------


def test_a_statement_says_whose_it_is(town: Town) -> None:
    bring(town, statement([line(500, "?")]), statement([line(700, "?")], account=SAVINGS_IBAN))
    hashes = {salted.reserve_iban(town.key, of) for of in (IBAN, SAVINGS_IBAN)}
    assert {one["iban"] for one in statements(town)} == hashes and len(hashes) == 2
    assert codes(town) == [] and audit(town).notices == []


@pytest.mark.parametrize("to", ["another", "new"])
def test_the_same_euros_do_not_come_once_more_under_another_name(
    town: Town, monkeypatch: pytest.MonkeyPatch, to: str
) -> None:
    euros = statement([line(500, "?")])
    bring(town, euros)
    moved = (bank(SAVINGS, IBAN),) if to == "another" else (SAVED, bank("Nouvelle", IBAN))
    other = noted(by(town, bank(BANK, None), *moved, BOX))
    with nothing_moves(other), pytest.raises(StatementError) as caught:
        bring(other, euros)
    assert caught.value.code == "statement_account_moved" and '"Banque"' in caught.value.detail
    assert codes(other) == [] and any("another IBAN, or none" in one.text for one in audit(other).notices)
    # Whoever takes it all the same is found out.
    monkeypatch.setattr(taking, "require_not_another", lambda *_: None)
    bring(other, euros)
    [found] = [one for one in audit(other).findings if one.code == "statement_account"]
    assert "it counts twice" in found.text and "'Banque'" in found.text


def test_ibans_that_were_mixed_up_are_put_right(town: Town) -> None:
    """No statement was taken yet, or of the other account only: nothing counts twice."""
    mixed = noted(by(town, bank(BANK, SAVINGS_IBAN), bank(SAVINGS, None), BOX))
    bring(mixed, statement([line(500, "?")], account=SAVINGS_IBAN))
    right = noted(by(town, bank(BANK, SAVINGS_IBAN), bank(SAVINGS, IBAN), BOX))
    bring(right, statement([line(700, "?")]))
    assert codes(right) == []


def test_once_withdrawn_they_are_the_right_account_s(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """The charter gave the account another one's IBAN; what was taken so was withdrawn, and all was put right."""
    euros = statement([line(500, "?")], account=SAVINGS_IBAN)
    mixed = noted(by(town, bank(BANK, SAVINGS_IBAN), bank(SAVINGS, IBAN), BOX))
    bring(mixed, euros, statement([line(200, "?", NEXT)], 500, account=SAVINGS_IBAN))
    withdrawing.withdraw(mixed, BANK)
    bring(mixed, euros)
    right = noted(by(town, BANKED, SAVED, BOX))
    with nothing_moves(right), pytest.raises(StatementError, match="withdraw them first") as caught:
        bring(right, euros)
    assert caught.value.code == "statement_account_moved"
    withdrawing.withdraw(right, BANK)
    bring(right, euros)
    bring(right, statement([line(700, "?")]))
    assert codes(right) == []
    # Now they are that account's, and no other's.
    mixed = noted(by(town, bank(BANK, SAVINGS_IBAN), bank(SAVINGS, IBAN), BOX))
    with nothing_moves(mixed), pytest.raises(StatementError) as caught:
        bring(mixed, euros)
    assert caught.value.code == "statement_account_moved"
    monkeypatch.setattr(taking, "require_not_another", lambda *_: None)
    withdrawing.withdraw(mixed, BANK)
    bring(mixed, euros)
    assert "statement_account" in codes(mixed)


def test_an_account_goes_on_under_a_new_iban(town: Town) -> None:
    """Banks merge: the account stays, and its IBAN is another."""
    new = iban("DE89 3704 0044 0532 0130 00")
    bring(town, statement([line(500, "?")]))
    other = noted(by(town, bank(BANK, new), SAVED, BOX))
    bring(other, statement([line(200, "?", NEXT)], 500, account=new))
    assert codes(other) == []
    assert len({one["iban"] for one in statements(other)}) == 2


# --- books of before -----------------------------------------------------------------------------------------


def as_before(town: Town, book: Path) -> None:
    """The book as a program wrote it that said nothing of kinds, IBANs and files, and signed that at the machine."""
    forger = Forger(town, book)

    def before(instruction: Instruction) -> Instruction:
        gone = {"kinds", "ibans", "iban", "file"} & instruction.evidence.keys()
        if not gone:
            return instruction
        gone.add("signature")
        kept = {key: value for key, value in instruction.evidence.items() if key not in gone}
        return town.signed(replace(instruction, evidence=kept))

    forger.rewrite([one._replace(instruction=before(one.instruction)) for one in forger.records()])


def test_a_book_of_before_goes_on(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(town, statement([line(500, "?")]))
    as_before(town, tmp_path / "home" / "book.db")
    rules = chartered.latest(town)
    assert rules is not None and not rules.says_accounts and "iban" not in statements(town)[0]
    done = audit(town)
    assert done.clean and ["1 statements that do not say whose they are" in one.text for one in done.notices] == [True]
    # What the note does not say, nobody can hold the charter to.
    assert codes(by(town, box(BANK), SAVED, BOX)) == []
    bring(noted(town), statement([line(200, "?", NEXT)], 500))
    assert codes(town) == []
    # From now on its first statements are of the IBAN that the account had then.
    other = noted(by(town, bank(BANK, "DE89370400440532013000"), bank(SAVINGS, IBAN), BOX))
    with pytest.raises(StatementError) as caught:
        bring(other, statement([line(500, "?")]))
    assert caught.value.code == "statement_account_moved"
    monkeypatch.setattr(taking, "require_not_another", lambda *_: None)
    bring(other, statement([line(500, "?")]))
    assert "statement_account" in codes(other)


def test_a_book_of_before_whose_iban_moved_at_once(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(town, statement([line(500, "?")]))
    as_before(town, tmp_path / "home" / "book.db")
    noted(town)
    other = noted(by(town, bank(BANK, None), bank(SAVINGS, IBAN), BOX))
    with pytest.raises(StatementError):
        bring(other, statement([line(500, "?")]))
    monkeypatch.setattr(taking, "require_not_another", lambda *_: None)
    bring(other, statement([line(500, "?")]))
    assert "statement_account" in codes(other)


# --- the file it is read from --------------------------------------------------------------------------------

OFX = b"""OFXHEADER:100
DATA:OFXSGML

<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>EUR<BANKACCTFROM><BANKID>20041<BRANCHID>01005<ACCTID>0500013M026
<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST><DTSTART>20250610<DTEND>20250610
<STMTTRN><TRNTYPE>CREDIT<DTPOSTED>20250610<TRNAMT>5.00<FITID>1<NAME>X</STMTTRN></BANKTRANLIST>
<LEDGERBAL><BALAMT>5.00<DTASOF>20250610</LEDGERBAL></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>
"""


def sending(town: Town, key: PrivateKey, data: bytes) -> Town:
    """The town while it takes a file that a device of the office sends, whose hash it signed."""
    salt, until = bytes(16), town.now() // 1_000_000 + 300
    said = proofs.act_text("POST", "/v1/bank/imports?name=x", f"sha256:{sha256(data).hexdigest()}")
    return town.acting(acts.sign(key, town.charter.network, until, salt, said))


def test_a_statement_says_what_file_it_was_read_from(town: Town) -> None:
    [one] = read(OFX)
    [again] = read(OFX + b"\n")
    assert one == again and one.file == sha256(OFX).hexdigest() != again.file
    bring(town, one)
    assert statements(town)[0]["file"] == sha256(OFX).hexdigest()
    assert codes(town) == []


@pytest.mark.parametrize("wrong", [False, True])
def test_it_is_the_file_that_was_signed(town: Town, wrong: bool) -> None:
    office = towns.member(town, "association", "Bureau").key
    [one] = read(OFX + b"\n" if wrong else OFX)
    taking.take(sending(town, office, OFX), [one], file="x", by=office.public.hex())
    assert codes(town) == (["act_differs"] if wrong else [])


def test_a_statement_that_a_device_sent_says_the_file(town: Town) -> None:
    office = towns.member(town, "association", "Bureau").key
    one: Statement = statement([line(500, "?")])
    taking.take(sending(town, office, OFX), [one], file="x", by=office.public.hex())
    assert codes(town) == ["act_differs"]
