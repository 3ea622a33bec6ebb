"""What is signed is read back strictly: a file of payouts from its bytes, a mandate from its text."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.currency.bank.mandates.text import LANGUAGES, Content, Terms, mandate_text, older_text, read_text
from ledger.currency.bank.pain import OwnAccount, PainError, Transfer, credit_transfers, written_name
from ledger.currency.bank.pain_read import read_transfers

OURS = OwnAccount("ASSOCIATION LE PATARD", "FR1420041010050500013M02606", "PSSTFRPPPAR")
ORDERS = (
    Transfer("7F3K9Q2M4T", 9_500, "Café Élise & Cie", "DE89370400440532013000", "PATARD 7F3K9-Q2M4T"),
    Transfer("8G4L0R3N5V", 1, "Œuvre «Ça» <b>", "BE68539007547034", bic="GKCCBEBB"),
)
AT = datetime(2025, 6, 15, 15, 6, 40, 123456, tzinfo=UTC)
FILE = credit_transfers("PATARD-P1-ABCDEFGHJK", AT, date(2025, 6, 16), OURS, ORDERS)


def test_a_file_says_what_was_ordered() -> None:
    found = read_transfers(FILE)
    assert (found.message, found.requested_on, found.debtor) == ("PATARD-P1-ABCDEFGHJK", date(2025, 6, 16), OURS)
    assert [(one.end_to_end, one.amount, one.name, one.iban, one.text, one.bic) for one in found.transfers] == [
        (one.end_to_end, one.amount, written_name(one.name), one.iban, one.text, one.bic) for one in ORDERS
    ]
    assert found.total == 9_501


def test_a_file_of_before_is_read_though_its_ibans_would_be_refused_today() -> None:
    outside, no_key = "TN5910006035183598478831", "FR5430006000011234567890100"
    was = FILE.replace(b"DE89370400440532013000", outside.encode()).replace(b"BE68539007547034", no_key.encode())
    assert [one.iban for one in read_transfers(was).transfers] == [outside, no_key]
    with pytest.raises(PainError) as caught:
        credit_transfers("PATARD-P1-ABCDEFGHJK", AT, date(2025, 6, 16), OURS, read_transfers(was).transfers)
    assert caught.value.code == "pain_iban"


GROUP = FILE[FILE.index(b"<PmtInf>") : FILE.index(b"</PmtInf>") + len(b"</PmtInf>")]
TRANSFER = FILE[FILE.index(b"<CdtTrfTxInf>") : FILE.index(b"</CdtTrfTxInf>") + len(b"</CdtTrfTxInf>")]


@pytest.mark.parametrize(
    "data",
    [
        b"", b"<Document/>", b"not xml", FILE[:-20], FILE.replace(b"\n", b"\r\n"), b"\xef\xbb\xbf" + FILE,
        FILE.replace(b"<CstmrCdtTrfInitn>", b"<CstmrCdtTrfInitn><!-- -->"),
        FILE.replace(b"<Document", b"<!DOCTYPE x [<!ENTITY a 'b'>]><Document"),
        FILE.replace(GROUP, GROUP + b"\n" + GROUP), FILE.replace(TRANSFER, TRANSFER + TRANSFER),
        FILE.replace(b"<CtrlSum>95.01", b"<CtrlSum>95.02"), FILE.replace(b"<NbOfTxs>2", b"<NbOfTxs>1"),
        FILE.replace(b'Ccy="EUR"', b'Ccy="USD"'), FILE.replace(b">95.00<", b">95,00<"),
        FILE.replace(b">95.00<", b">95<"),
        FILE.replace(b"DE89370400440532013000", b"DE89370400440532013001"),
        FILE.replace(b"DE89370400440532013000", b" DE89370400440532013000"),
        FILE.replace(b"<Cdtr>", b"<UltmtCdtr><Nm>x</Nm></UltmtCdtr><Cdtr>"),
        FILE.replace(b"pain.001.001.09", b"pain.001.001.03"), FILE.replace(b"2025-06-16", b"2025-02-30"),
        b"<a>" * 50_000,
    ],
)  # fmt: skip
def test_whatever_else_stands_in_a_file_makes_it_none(data: bytes) -> None:
    assert data != FILE
    with pytest.raises(PainError) as caught:
        read_transfers(data)
    assert caught.value.code == "pain_unreadable"


TERMS = Terms("PATARD", bytes.fromhex("5a1e0c7d"), "ASSOCIATION, identifiant FR1", "FR72ZZZ123456", 5, 14, 56, None)
ID = bytes(15) + b"\7"


@pytest.mark.parametrize("lang", LANGUAGES)
@given(
    holder=st.sampled_from(["Zoé", "A, compte DE89370400440532013000", "A, account X", "(.*)", "{iban}", "é" * 70]),
    amount=st.integers(1, 2**32 - 1), version=st.integers(1, 999),
)  # fmt: skip
def test_a_mandate_says_what_was_signed(lang: str, holder: str, amount: int, version: int) -> None:
    content = Content(ID, holder, "FR7630006000011234567890189", amount, version, date(2025, 6, 15))
    for text in (mandate_text(lang, TERMS, content), older_text(lang, TERMS, content)):
        assert read_text(text, TERMS.network, ID) == content
        assert read_text(text, TERMS.network, bytes(16)) is None  # another mandate's
        wrong = text.replace("2025-06-15", "2025-06-31").replace("15/06/2025", "31/06/2025")
        for other in (text + "\n", text[1:], wrong, "mandate 1", ""):
            assert read_text(other, TERMS.network, ID) is None


def test_a_mandate_in_french_has_french_days_and_amounts_and_one_of_before_stays_as_it_was() -> None:
    content = Content(ID, "Zoé", "FR7630006000011234567890189", 123_456, 1, date(2025, 6, 15))
    new, old = mandate_text("fr", TERMS, content), older_text("fr", TERMS, content)
    assert ": 1234,56 EUR par mois" in new and "Signé le 15/06/2025\n" in new
    assert ": 1234.56 EUR par mois" in old and "Signé le 2025-06-15\n" in old
    mixed = new.replace("1234,56", "1234.56")
    assert read_text(mixed, TERMS.network, ID) is None
