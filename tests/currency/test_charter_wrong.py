"""A charter that is wrong is refused line by line: values, IBANs, addresses, what is no TOML, what is missing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.charter import Charter, CharterError
from tests.currency.charter_files import FULL, IBAN, MINIMAL, problems, the_problem


def replaced(line: str, new: str) -> str:
    assert line in FULL.split("\n")
    return FULL.replace(line + "\n", new + "\n", 1)


@pytest.mark.parametrize(
    ("line", "new", "number", "key", "reason"),
    [
        ('code = "MLC2"', 'code = "mlc2"', 2, "code", "capital letters"),
        ('code = "MLC2"', 'code = "M"', 2, "code", "2 to 8"),
        ('code = "MLC2"', 'code = "MONNAIELOCALE"', 2, "code", "2 to 8"),
        ('code = "MLC2"', 'code = "2MLC"', 2, "code", "starting with a letter"),
        ('code = "MLC2"', 'code = "MLÉ"', 2, "code", "A to Z"),
        ('code = "MLC2"', 'code = "\uff2d\uff2c\uff23"', 2, "code", "A to Z"),
        ('code = "MLC2"', 'code = "MLC\\n"', 2, "code", "A to Z"),
        ('code = "MLC2"', 'code = "EUR"', 2, "code", "euros"),
        ('code = "MLC2"', "code = 12", 2, "code", "in quotes"),
        ('code = "MLC2"', 'code = ["MLC2"]', 2, "code", "in quotes"),
        ('name = "Monnaie d\'ici"', 'name = " "', 3, "name", "needed"),
        ('name = "Monnaie d\'ici"', 'name = "a\\u202Eb"', 3, "name", "U+202E"),
        ('name = "Monnaie d\'ici"', 'name = "a\\nb"', 3, "name", "U+000A"),
        ('name = "Monnaie d\'ici"', f'name = "{"a" * 61}"', 3, "name", "60"),
        ('symbol = "€₤"', 'symbol = "12"', 4, "symbol", "letters or currency signs"),
        ('symbol = "€₤"', 'symbol = "-"', 4, "symbol", "letters or currency signs"),
        ('symbol = "€₤"', 'symbol = "P."', 4, "symbol", "letters or currency signs"),
        ('symbol = "€₤"', 'symbol = ""', 4, "symbol", "needed"),
        ('symbol = "€₤"', 'symbol = "PATAR"', 4, "symbol", "4 characters"),
        ('network = "00FFab01"', 'network = "00FFab0"', 5, "network", "8 of the digits"),
        ('network = "00FFab01"', 'network = "0xFFab01"', 5, "network", "8 of the digits"),
        ('network = "00FFab01"', "network = 12345678", 5, "network", "quotes"),
        ("decimals = 2", "decimals = 3", 6, "decimals", "2 decimals"),
        ("decimals = 2", "decimals = 2.0", 6, "decimals", "2 decimals"),
        ("decimals = 2", "decimals = true", 6, "decimals", "2 decimals"),
        ('timezone = "Indian/Reunion"', 'timezone = "Europe/Pari"', 7, "timezone", 'did you mean "Europe/Paris"?'),
        ('timezone = "Indian/Reunion"', 'timezone = "europe/paris"', 7, "timezone", '"Europe/Paris"'),
        ('timezone = "Indian/Reunion"', 'timezone = "localtime"', 7, "timezone", "no such time zone"),
        ('timezone = "Indian/Reunion"', 'timezone = "../../etc/passwd"', 7, "timezone", "no such time zone"),
        ('timezone = "Indian/Reunion"', 'timezone = "Europe/"', 7, "timezone", "no such time zone"),
        ('timezone = "Indian/Reunion"', 'timezone = "a/\\u0000"', 7, "timezone", "no such time zone"),
        ("reconversion_fee_bp = 0", "reconversion_fee_bp = 10001", 9, "reconversion_fee_bp", "between 0 and 10000"),
        ("reconversion_fee_bp = 0", "reconversion_fee_bp = -1", 9, "reconversion_fee_bp", "between 0 and 10000"),
        ("reconversion_fee_bp = 0", "reconversion_fee_bp = 5.0", 9, "reconversion_fee_bp", "500 is 5 %"),
        ("reconversion_fee_bp = 0", 'reconversion_fee_bp = "5"', 9, "reconversion_fee_bp", "without quotes"),
        ("reconversion_fee_bp = 0", "reconversion_fee_bp = true", 9, "reconversion_fee_bp", "whole number"),
        (
            'reconversion_by = ["shop", "association"]',
            'reconversion_by = ["shop",\n "asociation"]',
            11,
            "reconversion_by",
            'did you mean "association"?',
        ),
        ('reconversion_by = ["shop", "association"]', 'reconversion_by = "shop"', 10, "reconversion_by", "a list"),
        ('reconversion_by = ["shop", "association"]', "reconversion_by = [[]]", 10, "reconversion_by", '"shop"'),
        (
            'reconversion_by = ["shop", "association"]',
            'reconversion_by = ["shop","shop"]',
            10,
            "reconversion_by",
            "twice",
        ),
        ('per_payment = "500.00"', "per_payment = 500.00", 13, "limits.per_payment", "not kept exactly"),
        ('per_payment = "500.00"', "per_payment = 500", 13, "limits.per_payment", '"500.00"'),
        ('per_payment = "500.00"', 'per_payment = "500.001"', 13, "limits.per_payment", "two ways"),
        ('per_payment = "500.00"', 'per_payment = "-5"', 13, "limits.per_payment", "sign"),
        ('per_payment = "500.00"', 'per_payment = "5e2"', 13, "limits.per_payment", "in full"),
        ('per_payment = "500.00"', 'per_payment = "0.00"', 13, "limits.per_payment", "leave the line out"),
        ('per_payment = "500.00"', 'per_payment = "42949672.96"', 13, "limits.per_payment", "42949672.95"),
        ('per_payment = "500.00"', "per_payment = nan", 13, "limits.per_payment", "not kept exactly"),
        ('per_payment = "500.00"', "per_payment = 2024-01-01", 13, "limits.per_payment", "in quotes"),
        ('per_payment = "500.00"', 'per_payment = "1000.01"', 13, "limits.per_payment", "above per_day"),
        ('per_day = "1 000"', 'per_day = "1.000"', 14, "limits.per_day", "two ways"),
        ("session_hours = 24", "session_hours = 0", 15, "limits.session_hours", "between 1 and 720 hours"),
        ("session_hours = 24", 'session_hours = "24"', 15, "limits.session_hours", "without quotes"),
        ("request_seconds = 600", "request_seconds = 5", 16, "limits.request_seconds", "between 10 and"),
        ("[limits]", "[limit]", 12, "limit", "did you mean limits?"),
        ("[limits]", "[[limits]]", 12, "limits", "a line [limits]"),
        ("session_hours = 24", "sesion_hours = 24", 15, "limits.sesion_hours", "did you mean session_hours?"),
        ("session_hours = 24", "colour = 24", 15, "limits.colour", "the keys are per_payment, per_day"),
        ("session_hours = 24", '"\\u001b[2J" = 1', 15, "limits.'\\x1b[2J'", "no such key"),
        ("session_hours = 24", 'kind = "bank"', 15, "limits.kind", "belongs under a [[reserve]]"),
        ("decimals = 2", 'per_day = "1.00"', 6, "per_day", "belongs under [limits]"),
        ('name = "Banque"', 'name = "CAISSE"', 24, "[[reserve]] 2, name", "[[reserve]] 1, name is the same"),
        (
            'kind = "cash"',
            f'kind = "bank"\niban = "{IBAN}"',
            26,
            "[[reserve]] 2, iban",
            "[[reserve]] 1, iban is the same",
        ),
        ('kind = "cash"', f'kind = "cash"\niban = "{IBAN[:-2]}90"', 26, "[[reserve]] 2, iban", "check digits"),
        ('kind = "cash"', 'kind = "cash"\niban = "BE68539007547034"', 26, "[[reserve]] 2, iban", "cash has no IBAN"),
        ('kind = "cash"', 'kind = "csah"', 25, "[[reserve]] 2, kind", 'did you mean "cash"?'),
        ('kind = "cash"', "kind = 3", 25, "[[reserve]] 2, kind", 'write "bank" or "cash"'),
        ('kind = "cash"', "# none", 23, "[[reserve]] 2, kind", "missing"),
        ('kind = "cash"', 'knd = "cash"', 25, "[[reserve]] 2, knd", "did you mean kind?"),
        ('kind = "cash"', 'kind = "cash"\ntimezone = "UTC"', 26, "[[reserve]] 2, timezone", "above the first [table]"),
        ('name = "Caisse"', 'name = ""', 24, "[[reserve]] 2, name", "needed"),
    ],
)
def test_a_wrong_line_is_refused_with_its_number(line: str, new: str, number: int, key: str, reason: str) -> None:
    found = the_problem(replaced(line, new))
    assert found[:2] == (number, key)
    assert reason in found[2]


@pytest.mark.parametrize(
    ("iban", "reason"),
    [
        ("FR7630006000011234567890188", "check digits"),
        ("FR7630006000011234567890198", "check digits"),
        ("FR763000600001123456789018", "27 characters and this one has 26"),
        ("FR76", "no IBAN"),
        ("7630006000011234567890189", "no IBAN"),
        ("FR76-3000-6000-0112", "27 characters and this one has 16"),
        ("", "no IBAN"),
    ],
)
def test_a_wrong_iban_is_refused(iban: str, reason: str) -> None:
    found = the_problem(MINIMAL + f'iban = "{iban}"\n')
    assert found[:2] == (10, "[[reserve]] 1, iban")
    assert reason in found[2]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://pay.example.org", "https://"),
        ("http://127.0.0.1.example.org", "https://"),
        ("http://0.0.0.0:8000", "https://"),
        ("ftp://pay.example.org", "https://"),
        ("pay.example.org", "https://"),
        ("", "such as"),
        ("https://", "host name"),
        ("https://pay.example.org/pay", "without a path"),
        ("https://pay.example.org?", "without a path"),
        ("https://pay.example.org/#", "without a path"),
        ("https://me@pay.example.org", "without a path, a name"),
        ("https://pay.example.org:99999", "no web address"),
        ("https://pay.example.org:x", "no web address"),
        ("https://pay.example.org:", "host name"),
        ("https://pay.example.org:0", "host name"),
        ("https://pay..org", "host name"),
        ("https://pay.example.org.", "host name"),
        ("https://-pay.org", "host name"),
        ("https://pay_me.org", "host name"),
        ("https://[::1]", "host name"),
        ("https://[", "no web address"),
        ("https://pay.exa mple.org", "spaces or accents"),
        ("https://café.org", "spaces or accents"),
        ("https://pay.example.org\\n", "spaces or accents"),
        ("https://abcdefgh.abcdefghijkl.org", "has 25 characters and may have 24"),
        ("https://abcdefgh.abcdefg.org:8443", "has 25 characters and may have 24"),
    ],
)
def test_a_wrong_public_url_is_refused(url: str, reason: str) -> None:
    found = the_problem(MINIMAL.replace("https://pay.example.org", url))
    assert found[:2] == (6, "public_url")
    assert reason in found[2]


@pytest.mark.parametrize(
    ("text", "number", "reason"),
    [
        ("code = PATARD\n", 1, "not TOML"),
        ('code = "A"\n\nname = \n', 3, "not TOML"),
        ('code = "A"\nname = "a\n', 2, "not TOML"),
        ('code = "A"\ncode = "B"\n', 2, "already"),
        ("[limits]\n\n[limits]\n", 3, "already"),
        ("[limits]\nper_payment = 500,00\n", 2, "not TOML"),
        ('a = 1\nb = """\n', 2, "not TOML"),
        ("a = 1\nb = " + "9" * 5000, 2, "too long"),
        ("a = " + "[" * 20_000, None, "nested"),
        ("#" * 100_000, None, "at most"),
        ("a = 1\x00", 1, "not TOML"),
    ],
)
def test_what_is_not_toml_is_refused_with_its_line(text: str, number: int | None, reason: str) -> None:
    found = the_problem(text)
    assert found[0] == number
    assert reason in found[2]


def test_all_problems_come_at_once_in_the_order_of_lines() -> None:
    text = MINIMAL.replace('"PATARD"', '"p"').replace("500", "5.0").replace('kind = "bank"\n', "")
    with pytest.raises(CharterError) as caught:
        Charter.loads(text, "charte.toml")
    assert str(caught.value) == (
        "charte.toml: 3 things to mend\n"
        '  line 1: code: use 2 to 8 capital letters A to Z and digits, starting with a letter, such as "PATARD"\n'
        "  line 5: reconversion_fee_bp: write a whole number of basis points without quotes or decimals (500 is 5 %)\n"
        '  line 7: [[reserve]] 1, kind: this is missing; write kind = "bank" or kind = "cash"'
    )


def test_every_missing_key_is_named_with_a_line_to_write() -> None:
    found = problems("")
    assert [line for line, _, _ in found] == [None] * 7
    assert {key for _, key, _ in found} == {
        "code",
        "name",
        "symbol",
        "network",
        "public_url",
        "reconversion_fee_bp",
        "reserve",
    }
    assert all("write " in reason for _, _, reason in found)


@pytest.mark.parametrize("reserve", ["reserve = []", "reserve = 3", "[reserve]\nname = 'a'\nkind = 'bank'"])
def test_the_reserve_is_a_list_of_accounts(reserve: str) -> None:
    found = the_problem(MINIMAL.partition("[[")[0] + reserve)
    assert found[:2] == (7, "reserve")
    assert "[[reserve]]" in found[2]


def test_a_key_in_the_wrong_table_is_not_missing_too() -> None:
    text = MINIMAL.replace('code = "PATARD"\n', "") + '[limits]\ncode = "PATARD"\n'
    found = the_problem(text)
    assert found == (10, "limits.code", "this belongs above the first [table] of the file, not here")


@given(st.text(max_size=200))
def test_any_text_is_refused_in_order(text: str) -> None:
    with pytest.raises(CharterError):
        Charter.loads(text)
