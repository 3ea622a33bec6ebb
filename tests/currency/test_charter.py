"""The charter: a right one reads back equal, a wrong one is refused line by line, and days end at local midnight."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.charter import (
    Charter,
    CharterError,
    Limits,
    PartyKind,
    ReserveAccount,
    ReserveKind,
)
from ledger.currency.text import TextError, clean_text

IBAN = "FR7630006000011234567890189"
MINIMAL = """code = "PATARD"
name = "Le Patard"
symbol = "P"
network = "5a1e0c7d"
reconversion_fee_bp = 500
public_url = "https://pay.example.org"
[[reserve]]
name = "Banque coopérative"
kind = "bank"
"""
FULL = """# The rules
code = "MLC2"
name = "Monnaie d'ici"
symbol = "€₤"
network = "00FFab01"
decimals = 2
timezone = "Indian/Reunion"
public_url = "https://Pay.Example.org:443/"
reconversion_fee_bp = 0
reconversion_by = ["shop", "association"]

[limits]
per_payment = "500.00"
per_day = "1 000"
session_hours = 24
request_seconds = 600

[[reserve]]
name = "Banque"
kind = "bank"
iban = "fr76 3000 6000 0112 3456 7890 189"

[[reserve]]
name = "Caisse"
kind = "cash"
"""


def a_charter(**changes: Any) -> Charter:
    return dataclasses.replace(Charter.loads(MINIMAL), **changes)


def problems(text: str) -> list[tuple[int | None, str, str]]:
    with pytest.raises(CharterError) as caught:
        Charter.loads(text)
    return [(problem.line, problem.key, problem.reason) for problem in caught.value.problems]


def the_problem(text: str) -> tuple[int | None, str, str]:
    found = problems(text)
    assert len(found) == 1, found
    return found[0]


def test_what_is_left_out_has_a_default() -> None:
    assert Charter.loads(MINIMAL) == Charter(
        code="PATARD",
        name="Le Patard",
        symbol="P",
        network=bytes.fromhex("5a1e0c7d"),
        reconversion_fee_bp=500,
        public_url="https://pay.example.org",
        reserve=(ReserveAccount(name="Banque coopérative", kind=ReserveKind.BANK),),
        reconversion_by=frozenset({PartyKind.SHOP}),
        limits=Limits(per_payment=None, per_day=None, session_hours=12, request_seconds=300),
        timezone="Europe/Paris",
    )


def test_every_key_is_read() -> None:
    charter = Charter.loads(FULL)
    assert charter.network == b"\x00\xff\xab\x01"
    assert charter.decimals == 2
    assert charter.public_url == "https://pay.example.org"
    assert charter.limits == Limits(per_payment=50000, per_day=100000, session_hours=24, request_seconds=600)
    assert charter.reserve[0].iban == IBAN
    assert charter.reserve[1] == ReserveAccount(name="Caisse", kind=ReserveKind.CASH, iban=None)
    assert charter.timezone == "Indian/Reunion"
    assert [kind for kind in PartyKind if charter.may_reconvert(kind)] == ["shop", "association"]
    assert charter.may_reconvert("shop")
    assert not charter.may_reconvert("person")
    assert hash(charter) == hash(Charter.loads(FULL))


def clean(text: str) -> str:
    try:
        return clean_text(text, max_chars=60)
    except TextError:
        return ""


names = st.text(min_size=1, max_size=20).map(clean).filter(bool)
hosts = st.sampled_from(["https://a.example", "https://a.example:8443", "http://127.0.0.1:8000", "http://localhost"])


@st.composite
def charters(draw: st.DrawFn) -> Charter:
    limits = sorted(draw(st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1))))
    per_payment, per_day = (value if draw(st.booleans()) else None for value in limits)
    kinds = st.sampled_from(list(ReserveKind))
    accounts = draw(st.lists(st.tuples(names, kinds), min_size=1, max_size=4, unique_by=lambda a: a[0].casefold()))
    return Charter(
        code=draw(st.from_regex(r"[A-Z][A-Z0-9]{1,7}", fullmatch=True).filter(lambda c: c != "EUR")),
        name=draw(names),
        symbol=draw(st.sampled_from(["P", "€", "Ƀ", "MLC", "é", "☀"])),
        network=draw(st.binary(min_size=4, max_size=4)),
        reconversion_fee_bp=draw(st.integers(0, 10_000)),
        public_url=draw(hosts),
        reserve=tuple(
            ReserveAccount(name=name, kind=kind, iban=IBAN if index == 0 and kind == "bank" else None)
            for index, (name, kind) in enumerate(accounts)
        ),
        reconversion_by=draw(st.frozensets(st.sampled_from(list(PartyKind)))),
        limits=Limits(
            per_payment=per_payment,
            per_day=per_day,
            session_hours=draw(st.integers(1, 720)),
            request_seconds=draw(st.integers(10, 86_400)),
        ),
        timezone=draw(st.sampled_from(["Europe/Paris", "America/Cayenne", "Pacific/Noumea", "UTC"])),
    )


@given(charters(), st.sampled_from(["fr", "en"]))
def test_what_is_written_reads_back_equal(charter: Charter, lang: str) -> None:
    text = charter.dumps(lang)
    assert Charter.loads(text) == charter
    assert Charter.loads(text.replace("\n", "\r\n")) == charter
    assert all(len(line) <= 120 for line in text.split("\n") if line.startswith("#"))


def test_the_file_explains_itself_in_both_languages() -> None:
    french, english = (Charter.loads(MINIMAL).dumps(lang) for lang in ("fr", "en"))
    assert "monnaie" in french
    assert "currency" in english
    assert Charter.loads(MINIMAL).dumps() == french
    # What is not set is shown as a line to take the # off.
    assert '\n# per_payment = "500.00"\n' in french
    assert Charter.loads(french.replace("# per_payment", "per_payment")).limits.per_payment == 50000
    for text in (french, english):
        keys = [line for line in text.split("\n") if line and not line.startswith(("#", "["))]
        assert len(keys) == 16


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
        ("FR76-3000-6000-0112", "no IBAN"),
        ("", "no IBAN"),
    ],
)
def test_a_wrong_iban_is_refused(iban: str, reason: str) -> None:
    found = the_problem(MINIMAL + f'iban = "{iban}"\n')
    assert found[:2] == (10, "[[reserve]] 1, iban")
    assert reason in found[2]


@pytest.mark.parametrize(
    "iban",
    ["BE68 5390 0754 7034", "DE89370400440532013000", "GB29 NWBK 6016 1331 9268 19", "MT84MALT011000012345MTLCAST001S"],
)
def test_a_right_iban_is_kept_without_spaces(iban: str) -> None:
    assert Charter.loads(MINIMAL + f'iban = "{iban}"\n').reserve[0].iban == iban.replace(" ", "")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://pay.example.org", "https://pay.example.org"),
        ("HTTPS://PAY.example.org/", "https://pay.example.org"),
        ("https://pay.example.org:443", "https://pay.example.org"),
        ("https://pay.example:8443", "https://pay.example:8443"),
        ("https://abcdefgh.abcdefghijk.org", "https://abcdefgh.abcdefghijk.org"),
        ("https://xn--caf-dma.example", "https://xn--caf-dma.example"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://localhost:80/", "http://localhost"),
        ("https://localhost", "https://localhost"),
    ],
)
def test_public_urls_have_one_form(url: str, kept: str) -> None:
    assert Charter.loads(MINIMAL.replace("https://pay.example.org", url)).public_url == kept


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


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "charte.toml"
    with pytest.raises(CharterError, match=r"charte\.toml: 1 thing to mend\n  the file cannot be read: No such file"):
        Charter.load(path)
    path.write_bytes(b"\xef\xbb\xbf" + MINIMAL.replace("\n", "\r\n").encode())
    assert Charter.load(path) == Charter.load(str(path)) == Charter.loads(MINIMAL)
    path.write_bytes(MINIMAL.encode("latin-1"))
    with pytest.raises(CharterError, match="line 8: this is not UTF-8"):
        Charter.load(path)
    with pytest.raises(CharterError, match="cannot be read"):
        Charter.load(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"code": "eur"},
        {"code": None},
        {"network": b"abc"},
        {"network": "5a1e0c7d"},
        {"reserve": ()},
        {"reserve": None},
        {"public_url": "https://pay.example.org/"},
        {"name": "e\u0301"},
        {"reconversion_by": frozenset({"nobody"})},
        {"limits": Limits(per_payment=0)},
        {"limits": Limits(per_payment=5.5)},  # type: ignore[arg-type]
        {"limits": Limits(per_payment=-5)},
        {"reserve": (ReserveAccount(name="a", kind=ReserveKind.BANK, iban="FR76 3000 6000 0112 3456 7890 189"),)},
        {"timezone": "Europe/Atlantis"},
    ],
)
def test_a_charter_made_by_hand_keeps_the_same_rules(changes: dict[str, Any]) -> None:
    with pytest.raises(CharterError):
        a_charter(**changes)


@pytest.mark.parametrize(
    ("amount", "bp", "fee"),
    [
        (10_000, 500, 500),
        (0, 500, 0),
        (9, 500, 0),  # 0.45 of a cent
        (10, 500, 1),  # half a cent goes up
        (30, 500, 2),  # and so does 1.5, where rounding to even would agree
        (50, 500, 3),  # and 2.5, where it would not
        (1, 10_000, 1),
        (1, 5_000, 1),
        (1, 4_999, 0),
        (12_345, 0, 0),
    ],
)
def test_the_fee_is_rounded_to_the_cent_half_up(amount: int, bp: int, fee: int) -> None:
    assert a_charter(reconversion_fee_bp=bp).fee(amount) == fee


@given(st.integers(0, 2**53), st.integers(0, 10_000))
def test_the_fee_is_the_nearest_cent_and_never_above_the_amount(amount: int, bp: int) -> None:
    fee = a_charter(reconversion_fee_bp=bp).fee(amount)
    assert 0 <= fee <= amount
    assert -5_000 < fee * 10_000 - amount * bp <= 5_000


def test_no_fee_of_a_negative_amount() -> None:
    with pytest.raises(ValueError, match="zero or more"):
        Charter.loads(MINIMAL).fee(-1)


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


def test_days_in_paris() -> None:
    charter = Charter.loads(MINIMAL)
    assert charter.local_day_start(us("2026-07-01T21:59:59+00:00")) == (
        date(2026, 7, 1),
        us("2026-06-30T22:00:00+00:00"),
    )
    assert charter.local_day_start(us("2026-07-01T22:00:00+00:00")) == (
        date(2026, 7, 2),
        us("2026-07-01T22:00:00+00:00"),
    )
    hours = [
        (end - start) / 3_600_000_000 for start, end in map(charter.day_bounds, (date(2026, 3, 29), date(2026, 10, 25)))
    ]
    assert hours == [23, 25]


# Zones whose clocks skip or repeat midnight, or a whole day, beside quiet ones.
ZONES = ["Europe/Paris", "America/Cayenne", "America/Havana", "America/Asuncion", "Africa/Cairo", "Asia/Beirut", "UTC"]


@given(
    st.sampled_from([*ZONES, "Pacific/Apia", "America/Sao_Paulo", "Asia/Amman", "Australia/Lord_Howe"]),
    st.datetimes(datetime(2008, 1, 1), datetime(2040, 1, 1)),
)
def test_a_day_holds_its_moments_and_no_others(zone: str, moment: datetime) -> None:
    charter = a_charter(timezone=zone)
    at = us(moment.replace(tzinfo=UTC, microsecond=0).isoformat()) + moment.microsecond
    day, start = charter.local_day_start(at)
    assert charter.day_bounds(day)[0] == start
    end = charter.day_bounds(day)[1]
    assert start <= at < end
    assert charter.local_date(start) == day
    assert charter.local_date(end - 1) == day
    assert charter.local_date(start - 1) < day < charter.local_date(end)
