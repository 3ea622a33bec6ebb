"""What a charter says of banks, direct debits and bookkeeping: read back equal, and refused line by line."""

from __future__ import annotations

from datetime import time

import pytest

from ledger.currency.charter import (
    Agents,
    BankRules,
    Bookkeeping,
    Charter,
    CharterError,
    MandateRules,
    ReserveAccount,
    ReserveKind,
)

RULES = """[bank]
topup = "Banque"
payout = "Banque"
second_signature_above = "1000.00"
cutoff = "16:00"
agents = "notprovided"
[mandates]
creditor_id = "FR72 ZZZ 123456"
day = 5
notice_days = 10
risk_days = 60
per_month = "150.00"
lead_days = 2
cutoff = "10:30"
[bookkeeping]
siren = "123 456 782"
year_end = "06-30"
fees = "7061"
"""
ACCOUNTS = """[[reserve]]
name = "Banque"
kind = "bank"
iban = "FR14 2004 1010 0505 0001 3M02 606"
bic = "psstfrpppar"
holder = "ASSOCIATION LE PATARD"
number = "5121"
[[reserve]]
name = "Livret"
kind = "bank"
liquid = false
[[reserve]]
name = "Caisse"
kind = "cash"
"""
TOP = """code = "PATARD"
name = "Le Patard"
symbol = "P"
network = "5a1e0c7d"
reconversion_fee_bp = 500
public_url = "https://pay.example.org"
"""
WHOLE = TOP + RULES + ACCOUNTS


def test_a_whole_charter() -> None:
    charter = Charter.loads(WHOLE)
    assert charter.bank == BankRules(topup="Banque", payout="Banque", second_signature_above=100_000,
                                     cutoff=time(16), agents=Agents.NOT_PROVIDED)  # fmt: skip
    assert charter.mandates == MandateRules(
        creditor_id="FR72ZZZ123456", day=5, notice_days=10, risk_days=60, per_month=15_000, lead_days=2,
        cutoff=time(10, 30),
    )  # fmt: skip
    assert charter.bookkeeping == Bookkeeping(siren="123456782", year_end=(6, 30), fees="7061")
    assert charter.reserve[0] == ReserveAccount(
        name="Banque", kind=ReserveKind.BANK, iban="FR1420041010050500013M02606", bic="PSSTFRPPPAR",
        holder="ASSOCIATION LE PATARD", number="5121",
    )  # fmt: skip
    assert [account.liquid for account in charter.reserve] == [True, False, True]
    assert charter.topup_account == charter.payout_account == charter.mandate_account == charter.reserve[0]


@pytest.mark.parametrize("lang", ["fr", "en"])
@pytest.mark.parametrize("text", [WHOLE, TOP + ACCOUNTS])
def test_it_is_written_as_it_is_read(text: str, lang: str) -> None:
    charter = Charter.loads(text)
    assert Charter.loads(charter.dumps(lang)) == charter


def test_without_a_bank_there_is_nowhere_to_send_euros() -> None:
    charter = Charter.loads(TOP + '[[reserve]]\nname = "Caisse"\nkind = "cash"\n')
    assert charter.topup_account is charter.payout_account is charter.mandate_account is None
    assert charter.mandates is None


@pytest.mark.parametrize(
    ("line", "instead", "key", "reason"),
    [
        ('topup = "Banque"', 'topup = "Livret"', "bank.topup", "has an iban"),
        ('payout = "Banque"', 'payout = "Bank"', "bank.payout", '"Banque"'),
        ('"1000.00"', "1000", "bank.second_signature_above", "in quotes"),
        ("FR72 ZZZ 123456", "FR73ZZZ123456", "mandates.creditor_id", "check digits"),
        ("FR72 ZZZ 123456", "72", "mandates.creditor_id", "creditor identifier"),
        ("day = 5", "day = 31", "mandates.day", "between 1 and 28"),
        ('"10:30"', '"24:00"', "mandates.cutoff", "hours and minutes"),
        ('"10:30"', '"9:30"', "mandates.cutoff", "hours and minutes"),
        ('"10:30"', "10", "mandates.cutoff", "hours and minutes"),
        ("lead_days = 2", "lead_days = 0", "mandates.lead_days", "between 1 and 10"),
        ('cutoff = "16:00"', "lead_days = 11", "bank.lead_days", "between 0 and 10"),
        ('"notprovided"', '"not provided"', "bank.agents", 'did you mean "notprovided"'),
        ("[bookkeeping]", '[bookkeeping]\ncutoff = "16:00"', "bookkeeping.cutoff", "under [bank], for payouts"),
        ("risk_days = 60", 'risk_days = "60"', "mandates.risk_days", "without quotes"),
        ("123 456 782", "123 456 789", "bookkeeping.siren", "SIREN"),
        ("06-30", "06-29", "bookkeeping.year_end", "last day of a month"),
        ('fees = "7061"', "fees = 7061", "bookkeeping.fees", "quotes"),
        ('fees = "7061"', 'fees = "9061"', "bookkeeping.fees", "chart of accounts"),
        ("psstfrpppar", "psst", "[[reserve]] 1, bic", "8 or 11"),
        ("liquid = false", 'liquid = "no"', "[[reserve]] 2, liquid", "true or false"),
        ('kind = "cash"', 'kind = "cash"\nbic = "PSSTFRPPPAR"', "[[reserve]] 3, bic", "cash has no BIC"),
        ("[mandates]", "[mandate]", "mandate", "did you mean mandates"),
        ("[bank]", "bank = 3\n[banks]", "bank", "[bank]"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, instead: str, key: str, reason: str) -> None:
    assert line in WHOLE
    with pytest.raises(CharterError) as caught:
        Charter.loads(WHOLE.replace(line, instead, 1))
    found = [problem for problem in caught.value.problems if problem.key == key]
    assert len(found) == 1, caught.value.problems
    assert reason in found[0].reason and found[0].line


def test_direct_debits_need_a_bank_account() -> None:
    text = TOP + '[mandates]\ncreditor_id = "FR72ZZZ123456"\n[[reserve]]\nname = "Caisse"\nkind = "cash"\n'
    with pytest.raises(CharterError, match="give a \\[\\[reserve\\]\\] its iban"):
        Charter.loads(text)
