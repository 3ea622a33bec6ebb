"""The charter: a right one reads back equal, fees are rounded half up, and days end at local midnight."""

from __future__ import annotations

import dataclasses
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.charter import Charter, CharterError, Limits, PartyKind, ReserveAccount, ReserveKind
from ledger.currency.text import TextError, clean_text
from tests.currency.charter_files import FULL, IBAN, MINIMAL


def a_charter(**changes: Any) -> Charter:
    return dataclasses.replace(Charter.loads(MINIMAL), **changes)


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
        assert len(keys) == 17


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
