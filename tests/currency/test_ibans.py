"""One rule for IBANs: every country of SEPA in its own form, nothing outside, and the reason why not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.charter import ibans, rules
from ledger.currency.charter.ibans import SEPA, IbanWrong, iban
from tests.currency.bank.orders import some_ibans

_WORDS = """
    AD1200012030200359100100 AL47212110090000000235698741 AT611904300234573201 BE68539007547034
    BG80BNBG96611020345678 CH9300762011623852957 CY17002001280000001200527600 CZ6508000000192000145399
    DE89370400440532013000 DK5000400440116243 EE382200221020145685 ES9121000418450200051332 FI2112345600000785
    FR1420041010050500013M02606 GB29NWBK60161331926819 GI75NWBK000000007099453 GR1601101250000000012300695
    HR1210010051863000160 HU42117730161111101800000000 IE29AIBK93115212345678 IS140159260076545510730339
    IT60X0542811101000000123456 LI21088100002324013AA LT121000011101001000 LU280019400644750000
    LV80BANK0000435195001 MC5811222000010123456789030 MD24AG000225100013104168 ME25505000012345678951
    MK07250120000058984 MT84MALT011000012345MTLCAST001S NL91ABNA0417164300 NO9386011117947
    PL61109010140000071219812874 PT50000201231234567890154 RO49AAAA1B31007593840000 RS35260005601001611379
    SE4550000000058398257466 SI56263300012039086 SK3112000000198742637541 SM86U0322509800000000270100
    VA59001123000012345678
"""
EXAMPLES = _WORDS.split()
"""Of the registry, and for France and Monaco one with a right key: each country that SEPA has in 2026."""


def code_of(text: str) -> tuple[str, str]:
    with pytest.raises(IbanWrong) as caught:
        iban(text)
    return caught.value.code, caught.value.reason


def test_every_country_of_sepa_is_taken_in_its_form() -> None:
    assert [iban(one) for one in EXAMPLES] == EXAMPLES
    assert {one[:2] for one in EXAMPLES} == SEPA and len(SEPA) == 42


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: one[:2])
def test_one_character_more_or_less_is_refused_by_its_length(example: str) -> None:
    for wrong in (example[:-1], example + "0"):
        code, why = code_of(wrong)
        assert code == "iban_wrong" and f"has {len(example)} characters and this one has {len(wrong)}" in why


@pytest.mark.parametrize("outside", ["TN5910006035183598478831", "XK051212012345678906", "FO6264600001631634"])
def test_outside_sepa_is_said_as_such(outside: str) -> None:
    code, why = code_of(outside)
    assert code == "iban_outside" and outside[:2] in why and "outside SEPA" in why


@pytest.mark.parametrize("country", ["RE", "GP", "NC", "MQ"])
def test_accounts_overseas_have_french_ibans(country: str) -> None:
    code, why = code_of(country + "7613088090720000000001119")
    assert code == "iban_wrong" and "begin with FR" in why
    assert iban("FR76 1308 8090 7200 0000 0001 119") == "FR7613088090720000000001119"


@given(some_ibans())
def test_check_digits_that_no_bank_writes_are_refused(right: str) -> None:
    checks = int(right[2:4])
    assert 2 <= checks <= 98
    for other in (checks - 97, checks + 97):  # the same rest by 97
        if 0 <= other <= 99:
            code, why = code_of(f"{right[:2]}{other:02d}{right[4:]}")
            assert code == "iban_check" and "02 to 98" in why


@given(st.sampled_from(["FR", "MC"]), st.text(string.digits, min_size=21, max_size=21), st.integers(1, 99))
def test_the_french_key_is_held_though_the_check_digits_fit(country: str, account: str, other: int) -> None:
    key = int(ibans.rib_key(account))
    wrong = (key + other) % 100
    checks = 98 - int(f"{account}{wrong:02d}{int(country[0], 36)}{int(country[1], 36)}00") % 97
    text = f"{country}{checks:02d}{account}{wrong:02d}"
    # With digits only a right key has these two check digits: nothing else is left to be wrong.
    right = f"{country}{'76' if country == 'FR' else '58'}{account}{key:02d}"
    assert iban(right) == right
    if wrong == key:
        assert text == right
    else:
        code, why = code_of(text)
        assert code == "iban_check" and "key" in why


def test_a_french_account_with_letters_has_other_check_digits() -> None:
    assert iban("FR14 2004 1010 0505 0001 3M02 606").startswith("FR14")
    assert code_of("FR1520041010050500013M02606")[0] == "iban_check"


@given(some_ibans(), st.data())
def test_what_stands_between_groups_is_left_out(right: str, data: st.DataObject) -> None:
    between = st.sampled_from([*"  \t\u00a0\u2007\u2009\u202f\u3000", *"-\u2010\u2011\u2012\u2013\u2014\u2212",
                               "\u200b\ufeff\u00ad\u202a"])  # fmt: skip
    groups = [right[at : at + 4] for at in range(0, len(right), 4)]
    text = "".join(group + data.draw(between) for group in groups)
    assert iban(text.lower()) == right


@pytest.mark.parametrize("text", ["", "FR76", "ΑT611904300234573201", "FR76.3000", "FR76３０006000011234567890189"])
def test_what_is_no_iban_is_refused(text: str) -> None:
    assert code_of(text)[0] == "iban_wrong"


def test_other_numbers_are_copied_like_that_too() -> None:
    assert rules.bic("PSST\u2009FRPP\u2011PAR") == "PSSTFRPPPAR"
    assert rules.creditor_id("FR72\u2007ZZZ\u2013123456") == "FR72ZZZ123456"
    assert rules.siren("732\u2009829\u2009320") == "732829320"


def test_a_letter_where_the_country_has_digits_is_refused() -> None:
    digits = "3704004405320130A0"
    checks = 98 - int("".join(str(int(char, 36)) for char in digits + "DE00")) % 97
    code, why = code_of(f"DE{checks:02d}{digits}")
    assert code == "iban_wrong" and "other places" in why
