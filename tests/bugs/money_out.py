"""Bugs of money that leaves: where it may go, what the bank answers, the days on which it goes."""

from __future__ import annotations

from tests.bugs import Bug, bug

IBANS, RULES, DETAILS = (
    "ledger/currency/charter/ibans.py",
    "ledger/currency/charter/rules.py",
    ("ledger/currency/bank/details.py"),
)
OWED, MONTHLY = "ledger/currency/bank/payouts/owed.py", "wallet_cli/monthly.py"
TEST_IBANS = "tests/currency/test_ibans.py -k "

BUGS: tuple[Bug, ...] = (
    # IBANs, by one rule at every door.
    bug(
        "iban: check digits of one that no bank writes",
        TEST_IBANS + "no_bank_writes",
        IBANS,
        "if not 2 <= int(text[2:4]) <= 98:",
        "if False:",
    ),
    bug("iban: Gibraltar is outside", TEST_IBANS + "every_country", IBANS, "FR GB GI GR", "FR GB GR"),
    bug("iban: North Macedonia is outside", TEST_IBANS + "every_country", IBANS, "ME MK MT", "ME MT"),
    bug(
        "iban: all that has the form is inside",
        TEST_IBANS + "outside_sepa",
        IBANS,
        "if country not in SEPA:",
        "if False:",
    ),
    bug("iban: Martinique has one of its own", TEST_IBANS + "overseas", IBANS, "if country in _FRENCH:", "if False:"),
    bug(
        "iban: France has no key",
        TEST_IBANS + "french_key",
        IBANS,
        'if country in ("FR", "MC") and',
        'if country == "MC" and',
    ),
    bug(
        "iban: Monaco has no key",
        TEST_IBANS + "french_key",
        IBANS,
        'if country in ("FR", "MC") and',
        'if country == "FR" and',
    ),
    bug(
        "iban: the Belgian list of banks counts",
        TEST_IBANS + "every_country",
        IBANS,
        "registry.validate(text, check_country=False)",
        "registry.validate(text)",
    ),
    bug(
        "iban: thin spaces are characters",
        TEST_IBANS + "'between_groups or copied_like'",
        RULES,
        "char.isspace() or",
        'char == " " or',
    ),
    bug(
        "iban: dashes are characters",
        TEST_IBANS + "'between_groups or copied_like'",
        RULES,
        'category(char) in ("Pd", "Cf")',
        'category(char) == "Cf"',
    ),
    bug(
        "iban: our own is mistyped",
        "tests/currency/bank/test_payouts.py tests/currency/bank/test_mandates.py -k 'no_place or cannot_be'",
        DETAILS,
        '"iban_own"',
        '"iban_wrong"',
    ),
    bug(
        "iban: a file of before is none of ours",
        "tests/currency/bank/test_read_back.py -k of_before",
        "ledger/currency/bank/pain_read.py",
        "iban=ibans.iban_of_before",
        "iban=ibans.iban",
    ),
    bug(
        "iban: one of before holds up all others",
        "tests/currency/bank/test_payouts.py -k of_before",
        OWED,
        "_payable(there.iban)",
        "there.iban",
    ),
    bug(
        "iban: the wallet signs it with its hyphens",
        "tests/wallet_cli/test_monthly.py -k 'shown_before or wrongly'",
        MONTHLY,
        "        return ibans.iban(typed)",
        "        return typed",
    ),
)
