"""Account numbers, transaction ids and base32: round trips, every mistake found, and texts that must never change."""

from __future__ import annotations

import base64
import hashlib
import uuid

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core import ids

numbers = st.integers(1, ids.MAX_ACCOUNT_NUMBER)

# Printed on cards and invoices: if one of these changes, every card in town is void.
ACCOUNT_VECTORS = [
    (1, "00000-00000-001W"),
    (31, "00000-00000-00ZP"),
    (32, "00000-00000-010E"),
    (0x0123456789ABCDEF, "028T5-CY4TQ-KFFD"),
    (2**62, "40000-00000-0008"),
    (2**63 - 1, "7ZZZZ-ZZZZZ-ZZZV"),
]


@pytest.mark.parametrize(("number", "text"), ACCOUNT_VECTORS)
def test_account_vectors(number: int, text: str) -> None:
    assert ids.account_text(number) == text
    assert ids.account_number(text) == number


@given(numbers)
def test_account_round_trip(number: int) -> None:
    text = ids.account_text(number)
    assert [len(group) for group in text.split("-")] == [5, 5, 4]
    assert ids.account_number(text) == number


@given(numbers)
def test_account_reading_is_lenient(number: int) -> None:
    text = ids.account_text(number)
    for form in (
        text.lower(),
        text.replace("-", ""),
        text.replace("-", " "),
        text.replace("-", "\u00a0"),
        text.replace("-", "\u2011"),
        text.replace("0", "O"),
        text.replace("0", "o"),
        text.replace("1", "I"),
        text.replace("1", "l"),
        f"  {text}\r\n",
        " ".join(text),
    ):
        assert ids.account_number(form) == number


@settings(max_examples=20, deadline=None)
@given(numbers)
def test_every_single_wrong_character_is_found(number: int) -> None:
    text = ids.account_text(number).replace("-", "")
    for place, right in enumerate(text):
        for wrong in ids.ALPHABET:
            if wrong != right:
                with pytest.raises(ids.AccountNumberError) as error:
                    ids.account_number(text[:place] + wrong + text[place + 1 :])
                assert error.value.code == "account_check_wrong"


@settings(max_examples=20, deadline=None)
@given(numbers)
def test_every_swap_of_two_characters_is_found(number: int) -> None:
    text = ids.account_text(number).replace("-", "")
    for i in range(14):
        for j in range(i + 1, 14):
            if text[i] != text[j]:
                chars = list(text)
                chars[i], chars[j] = chars[j], chars[i]
                with pytest.raises(ids.AccountNumberError):
                    ids.account_number("".join(chars))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "00000-00000-001",  # a character short
        "00000-00000-001W0",  # one too many
        "U0000-00000-001W",
        "00000-00000-001*",
        "\uff10\uff10000-00000-001W",  # full-width digits
        "\u0660\u0660000-00000-001W",  # Arabic-Indic digits
        "00000-00000-00\u01311W",  # a dotless i, which upper() turns into I
        "00000-0\u200b0000-001W",  # a zero-width space is not a blank
        "0" * 1_000_000,
        "00000_00000_001W",
    ],
)
def test_not_an_account_number(text: str) -> None:
    with pytest.raises(ids.AccountNumberError) as error:
        ids.account_number(text)
    assert error.value.code == "account_malformed"
    assert len(str(error.value)) < 200


def _text_of_any(number: int) -> str:
    """The text with a right check character of a number that is out of range."""
    digits = [(number >> shift) & 31 for shift in range(60, -1, -5)]
    return "".join(ids.ALPHABET[digit] for digit in [*digits, ids._check_digit(digits)])


@pytest.mark.parametrize("number", [0, 2**63, 2**64, 2**65 - 1])
def test_numbers_out_of_range_are_refused_both_ways(number: int) -> None:
    with pytest.raises(ValueError, match="account number"):
        ids.account_text(number)
    with pytest.raises(ids.AccountNumberError) as error:
        ids.account_number(_text_of_any(number))
    assert error.value.code == "account_malformed"


def test_the_check_weights_are_distinct_and_neither_0_nor_1() -> None:
    weights = [row[1] for row in ids._WEIGHTED]
    assert weights == [2, 4, 8, 16, 5, 10, 20, 13, 26, 17, 7, 14, 28]  # alpha^1 .. alpha^13, worked by hand
    assert len({0, 1, *weights}) == 15
    assert all(sorted(row) == list(range(32)) for row in ids._WEIGHTED)


def test_new_account_number() -> None:
    assert ids.new_account_number(bytes(7) + b"\x01") == 1
    assert ids.new_account_number(b"\xff" * 8) == 2**63 - 1
    for bad in (b"", bytes(7), bytes(9), bytes(8), b"\x80" + bytes(7)):
        with pytest.raises(ValueError, match="random bytes"):
            ids.new_account_number(bad)


# --- transaction ids ---


def test_uuid7_vectors() -> None:
    assert ids.uuid7(0, bytes(10)).hex() == "00000000000070008000000000000000"
    assert ids.uuid7(1_700_000_000_123_999, bytes(range(10))).hex() == "018bcfe5687b70018203040506070809"
    # The example of RFC 9562, appendix A.6.
    example = bytes.fromhex("017F22E279B07CC398C4DC0C0C07398F")
    assert ids.uuid7(0x017F22E279B0 * 1000, example[6:]) == example


@given(st.integers(0, (1 << 48) * 1000 - 1), st.binary(min_size=10, max_size=10))
def test_uuid7_is_a_uuid_in_order_of_time(at_us: int, random10: bytes) -> None:
    made = ids.uuid7(at_us, random10)
    parsed = uuid.UUID(bytes=made)
    assert (parsed.version, parsed.variant, len(made)) == (7, uuid.RFC_4122, 16)
    assert int.from_bytes(made[:6], "big") == at_us // 1000
    if at_us >= 1000:
        assert ids.uuid7(at_us - 1000, b"\xff" * 10) < made


def test_uuid7_refuses_what_does_not_fit() -> None:
    for at_us, random10 in ((-1, bytes(10)), ((1 << 48) * 1000, bytes(10)), (0, bytes(9)), (0, bytes(11))):
        with pytest.raises(ValueError, match="id"):
            ids.uuid7(at_us, random10)


def test_derived_id_vectors() -> None:
    assert ids.derived_id("patard/bank-line/1").hex() == "7057bbf0e7828e49ae770a8220b390f1"
    made = ids.derived_id("patard/bank-line/1", "FR7612345987650123456789014", "REF-42")
    assert made.hex() == "e31f2f1ae42f8a3680bd3f4646b3b438"
    assert (uuid.UUID(bytes=made).version, uuid.UUID(bytes=made).variant) == (8, uuid.RFC_4122)


@given(st.lists(st.binary(max_size=6), max_size=4), st.lists(st.binary(max_size=6), max_size=4))
def test_derived_ids_differ_when_the_parts_do(one: list[bytes], other: list[bytes]) -> None:
    assert (ids.derived_id("d", *one) == ids.derived_id("d", *other)) == (one == other)


def test_derived_id_takes_text_as_utf8_and_keeps_domains_apart() -> None:
    assert ids.derived_id("d", "é") == ids.derived_id("d", "é".encode())
    assert ids.derived_id("d", "a") != ids.derived_id("da") != ids.derived_id("", "da")
    plain = hashlib.sha256(b"\0\0\0\1d\0\0\0\1a").digest()[:16]
    made = ids.derived_id("d", "a")
    assert made[:6] == plain[:6] and made[9:] == plain[9:]


# --- base32 ---

_RFC_TO_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ids.ALPHABET.encode())


@given(st.binary(max_size=400))
def test_base32_is_the_standard_one_in_crockfords_letters(data: bytes) -> None:
    text = ids.b32encode(data)
    assert text == base64.b32encode(data).rstrip(b"=").translate(_RFC_TO_CROCKFORD).decode()
    assert ids.b32decode(text) == data


@pytest.mark.parametrize("size", range(40))
def test_base32_of_every_small_size_at_its_ends(size: int) -> None:
    for data in (bytes(size), b"\xff" * size):
        assert ids.b32decode(ids.b32encode(data)) == data


def test_base32_vectors() -> None:
    assert ids.b32encode(b"") == "" and ids.b32decode("") == b""
    assert ids.b32encode(bytes.fromhex("0123456789abcdef")) == "04HMASW9NF6YY"
    assert ids.b32encode(b"Patard") == "A1GQ8RBJCG"


@given(st.text(alphabet=ids.ALPHABET, max_size=40))
def test_only_one_text_for_each_run_of_bytes(text: str) -> None:
    try:
        data = ids.b32decode(text)
    except ValueError:
        return
    assert ids.b32encode(data) == text


@pytest.mark.parametrize(
    "text",
    [
        *("0", "000", "000000"),  # no whole number of bytes
        *("04HMASW9NF6YZ", "01"),  # bits left over that are not 0
        *("04hmasw9nf6yy", "O4HMASW9NF6YY", "I0", "L0", "U0"),  # lenient forms are for people only
        *("04HMASW9NF6YY=", "04HMASW9NF6Y Y", "0_0_0_0_", "+0", "-0", " 0", "0\n"),
        *("\uff10\uff10", "\u0660\u0660", "0\u00e9", "\ud8000"),
    ],
)
def test_base32_reading_is_strict(text: str) -> None:
    with pytest.raises(ValueError, match=r"allowed|whole"):
        ids.b32decode(text)


def test_long_texts_are_read_in_linear_time() -> None:
    data = hashlib.shake_256(b"long").digest(300_000)
    assert ids.b32decode(ids.b32encode(data)) == data
