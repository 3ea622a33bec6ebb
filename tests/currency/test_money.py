"""Amounts as people write them: what is shown can be read back, and what is unclear is refused by name."""

from __future__ import annotations

from decimal import Decimal

import pytest
from babel.numbers import format_decimal
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.money import MAX_CENTS, AmountError, decimal_text, format_cents, parse_amount

cents = st.integers(min_value=0, max_value=MAX_CENTS)


@pytest.mark.parametrize(
    ("amount", "lang", "symbol", "shown"),
    [
        (123456, "fr", "€", "1\u202f234,56\u202f€"),
        (123456, "fr", "", "1\u202f234,56"),
        (123456, "en", "", "1,234.56"),
        (123456, "en", "€", "€1,234.56"),
        (123456, "en", "MLC", "MLC\u00a01,234.56"),
        (0, "fr", "P", "0,00\u202fP"),
        (5, "fr", "", "0,05"),
        (-5, "fr", "", "-0,05"),
        (-123456, "en", "€", "-€1,234.56"),
        (100000000, "fr", "", "1\u202f000\u202f000,00"),
        (123456, "de", "", "1\u202f234,56"),
        (10**30 + 1, "en", "", "10," + "000," * 8 + "000.01"),
    ],
)
def test_shown(amount: int, lang: str, symbol: str, shown: str) -> None:
    assert format_cents(amount, lang, symbol) == shown


@given(st.integers(min_value=-MAX_CENTS, max_value=MAX_CENTS), st.sampled_from(["fr", "en"]))
def test_shown_as_the_unicode_locale_data_shows_it(amount: int, lang: str) -> None:
    assert format_cents(amount, lang) == format_decimal(Decimal(amount) / 100, "#,##0.00", locale=lang)


@given(cents, st.sampled_from(["fr", "en"]))
def test_what_is_shown_reads_back(amount: int, lang: str) -> None:
    assert parse_amount(format_cents(amount, lang)) == amount
    assert parse_amount(decimal_text(amount)) == amount


@given(st.integers())
def test_decimal_text_is_exact(amount: int) -> None:
    assert Decimal(decimal_text(amount)).as_tuple().exponent == -2
    assert int(decimal_text(amount).replace(".", "")) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12", 1200),
        ("12,5", 1250),
        ("12,50", 1250),
        ("12.50", 1250),
        ("12.5", 1250),
        ("0", 0),
        ("0,01", 1),
        ("007", 700),
        ("  12,50\n", 1250),
        ("\u00a012,50\u202f", 1250),
        ("1 234,56", 123456),
        ("1\u202f234\u202f567", 123456700),
        ("1\u00a0234.5", 123450),
        ("1,234.56", 123456),
        ("1.234,56", 123456),
        ("1,234,567.89", 123456789),
        ("90071992547409,91", MAX_CENTS),
    ],
)
def test_read(text: str, amount: int) -> None:
    assert parse_amount(text) == amount


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "amount_empty"),
        (" \u202f\t", "amount_empty"),
        ("-5", "amount_sign"),
        ("+5", "amount_sign"),
        ("\u22125", "amount_sign"),
        ("(5)", "amount_sign"),
        ("1e3", "amount_exponent"),
        ("1.2E-3", "amount_exponent"),
        ("\uff11\uff12", "amount_digits"),
        ("١٢", "amount_digits"),
        ("12½", "amount_digits"),
        ("1²", "amount_digits"),
        ("12,505", "amount_grouping"),
        ("1,234", "amount_grouping"),
        ("1.234", "amount_grouping"),
        ("1234,567", "amount_decimals"),
        ("0.0001", "amount_decimals"),
        ("1,234,567", "amount_grouping"),
        ("12 34", "amount_grouping"),
        ("1'234.50", "amount_grouping"),
        ("1\u2019234", "amount_grouping"),
        ("1_000", "amount_grouping"),
        ("1,23.45", "amount_grouping"),
        ("1,234.567", "amount_grouping"),
        ("1.234.56", "amount_grouping"),
        ("1 234 56,00", "amount_grouping"),
        ("90071992547409,92", "amount_range"),
        ("9" * 16, "amount_range"),
        ("9" * 400, "amount_range"),
        ("12 €", "amount_malformed"),
        ("€12", "amount_malformed"),
        ("12,", "amount_malformed"),
        (",50", "amount_malformed"),
        (".5", "amount_malformed"),
        ("0x10", "amount_malformed"),
        ("nan", "amount_malformed"),
        ("Infinity", "amount_malformed"),
        ("douze", "amount_malformed"),
        ("12\u200b,50", "amount_malformed"),
        ("1\n2", "amount_malformed"),
        ("1\x00", "amount_malformed"),
    ],
)
def test_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(AmountError) as caught:
        parse_amount(text)
    assert caught.value.code == code
    assert str(caught.value)


def test_a_maximum_is_named_in_the_refusal() -> None:
    assert parse_amount("500", maximum=50000) == 50000
    with pytest.raises(AmountError, match=r"500\.00"):
        parse_amount("500,01", maximum=50000)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        amount = parse_amount(text)
    except AmountError as error:
        code = error.code
        assert code.startswith("amount_")
    else:
        assert type(amount) is int
        assert 0 <= amount <= MAX_CENTS


@given(st.text(alphabet="0123456789.,+-eE ", max_size=12))
def test_amount_like_texts_are_read_with_one_meaning(text: str) -> None:
    try:
        amount = parse_amount(text)
    except AmountError:
        return
    # The last mark followed by one or two digits is the decimal mark; all the rest are group marks.
    body = text.strip().replace(" ", "")
    mark = max(body.rfind("."), body.rfind(","))
    whole, rest = (body, "") if mark < 0 else (body[:mark], body[mark + 1 :])
    assert len(rest) <= 2
    assert amount == int(whole.replace(",", "").replace(".", "")) * 100 + int(rest.ljust(2, "0"))
