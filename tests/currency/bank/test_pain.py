"""Orders to the bank: valid by their schemas, exact, and refused before a bank would refuse them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.currency.bank.latin import latin
from ledger.currency.bank.pain import (
    Debit,
    OwnAccount,
    PainError,
    SequenceType,
    Transfer,
    credit_transfers,
    direct_debits,
)
from ledger.currency.charter import ibans
from tests.currency.bank.orders import (
    ICS,
    NOW,
    OURS,
    SHOP,
    debit,
    debits,
    some_accounts,
    some_days,
    some_debits,
    some_ibans,
    some_ids,
    some_moments,
    some_transfers,
    transfer,
    transfers,
)
from tests.currency.bank.schemas import valid

NAMES = {"c": "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09", "d": "urn:iso:std:iso:20022:tech:xsd:pain.008.001.08"}
BOTH: list[tuple[Any, Any]] = [(transfers, transfer), (debits, debit)]


def texts(root: Any, path: str) -> list[str]:
    return [node.text for node in root.iterfind(".//" + path, NAMES)]


TRANSFER_FILE = """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09">
 <CstmrCdtTrfInitn>
  <GrpHdr>
   <MsgId>PATARD-1</MsgId>
   <CreDtTm>2026-11-23T15:05:55+00:00</CreDtTm>
   <NbOfTxs>1</NbOfTxs>
   <CtrlSum>123.45</CtrlSum>
   <InitgPty>
    <Nm>Association Le Patard</Nm>
   </InitgPty>
  </GrpHdr>
  <PmtInf>
   <PmtInfId>PATARD-1</PmtInfId>
   <PmtMtd>TRF</PmtMtd>
   <BtchBookg>true</BtchBookg>
   <NbOfTxs>1</NbOfTxs>
   <CtrlSum>123.45</CtrlSum>
   <PmtTpInf>
    <SvcLvl>
     <Cd>SEPA</Cd>
    </SvcLvl>
   </PmtTpInf>
   <ReqdExctnDt>
    <Dt>2026-12-01</Dt>
   </ReqdExctnDt>
   <Dbtr>
    <Nm>Association Le Patard</Nm>
   </Dbtr>
   <DbtrAcct>
    <Id>
     <IBAN>FR1420041010050500013M02606</IBAN>
    </Id>
   </DbtrAcct>
   <DbtrAgt>
    <FinInstnId>
     <BICFI>PSSTFRPPPAR</BICFI>
    </FinInstnId>
   </DbtrAgt>
   <ChrgBr>SLEV</ChrgBr>
   <CdtTrfTxInf>
    <PmtId>
     <EndToEndId>RC000001</EndToEndId>
    </PmtId>
    <Amt>
     <InstdAmt Ccy="EUR">123.45</InstdAmt>
    </Amt>
    <Cdtr>
     <Nm>Elise + Cie</Nm>
    </Cdtr>
    <CdtrAcct>
     <Id>
      <IBAN>FR7630006000011234567890189</IBAN>
     </Id>
    </CdtrAcct>
    <RmtInf>
     <Ustrd>Reconversion RC-1</Ustrd>
    </RmtInf>
   </CdtTrfTxInf>
  </PmtInf>
 </CstmrCdtTrfInitn>
</Document>
"""


def test_a_transfer_byte_for_byte() -> None:
    order = transfer(name="Élise & Cie", iban="FR76 3000 6000 0112 3456 7890 189", text="Reconversion RC-1")
    assert transfers(order).decode() == TRANSFER_FILE


def test_a_debit_has_what_a_bank_needs() -> None:
    root = valid(debits(debit(text="Change mensuel"), ours=OwnAccount("Association", OURS.iban)))
    said = {path.split(":")[-1]: texts(root, path) for path in (
        "d:PmtMtd", "d:BtchBookg", "d:SeqTp", "d:LclInstrm/d:Cd", "d:ReqdColltnDt", "d:MndtId", "d:DtOfSgntr",
        "d:CdtrSchmeId//d:Id/d:PrvtId/d:Othr/d:Id", "d:CdtrAgt//d:Othr/d:Id", "d:DbtrAgt//d:Othr/d:Id", "d:InstdAmt",
        "d:DbtrAcct//d:IBAN", "d:CdtrAcct//d:IBAN", "d:Ustrd", "d:EndToEndId", "d:Dbtr/d:Nm",
    )}  # fmt: skip
    assert said == {
        "PmtMtd": ["DD"], "BtchBookg": ["true"], "SeqTp": ["RCUR"], "Cd": ["CORE"], "ReqdColltnDt": ["2026-12-01"],
        "MndtId": ["PATARD-00001"], "DtOfSgntr": ["2026-01-10"], "Id": ["NOTPROVIDED"], "InstdAmt": ["30.00"],
        "IBAN": [OURS.iban], "Ustrd": ["Change mensuel"], "EndToEndId": ["DD000001"], "Nm": ["Jeanne Martin"],
    }  # fmt: skip
    assert texts(root, "d:CdtrSchmeId/d:Id/d:PrvtId/d:Othr/d:Id") == [ICS]
    assert texts(root, "d:DbtrAcct//d:IBAN") == [SHOP]


def test_no_file_has_an_address() -> None:
    assert b"PstlAdr" not in transfers(transfer()) + debits(debit())


def test_a_name_is_cut_to_what_banks_carry() -> None:
    root = valid(transfers(transfer(name="Œ" * 34 + "a b c")))
    assert texts(root, "c:Cdtr/c:Nm") == ["OE" * 34 + "a"]


def test_a_sequence_type_is_a_group() -> None:
    """A group holds one of them only; the bank books each by itself."""
    mixed = [debit(n, sequence=kind, amount=n) for n, kind in enumerate(["RCUR", "FRST", "RCUR", "OOFF"], 1)]
    root = valid(debits(*mixed))
    assert texts(root, "d:PmtInf/d:PmtInfId") == ["PATARD-1-FRST", "PATARD-1-RCUR", "PATARD-1-OOFF"]
    assert texts(root, "d:PmtInf/d:NbOfTxs") == ["1", "2", "1"]
    assert texts(root, "d:PmtInf/d:CtrlSum") == ["0.02", "0.04", "0.04"]
    assert texts(root, "d:GrpHdr/d:CtrlSum") == ["0.10"]
    assert texts(valid(debits(*mixed[::2])), "d:PmtInf/d:PmtInfId") == ["PATARD-1"]


# --- any input ---


@settings(max_examples=60, deadline=None)
@given(some_ids, some_moments, some_days, some_accounts, some_transfers)
def test_any_transfers_are_valid(
    message: str, moment: datetime, day: date, ours: OwnAccount, orders: list[Transfer]
) -> None:
    data = credit_transfers(message, moment, day, ours, orders)
    root = valid(data)
    for level in ("c:GrpHdr", "c:PmtInf"):
        assert texts(root, f"{level}/c:NbOfTxs") == [str(len(orders))]
        assert [cents(text) for text in texts(root, f"{level}/c:CtrlSum")] == [sum(order.amount for order in orders)]
    assert texts(root, "c:EndToEndId") == [order.end_to_end for order in orders]
    assert [cents(text) for text in texts(root, "c:InstdAmt")] == [order.amount for order in orders]
    assert texts(root, "c:CdtrAcct//c:IBAN") == [order.iban for order in orders]
    assert credit_transfers(message, moment, day, ours, tuple(orders)) == data


@settings(max_examples=60, deadline=None)
@given(some_ids.filter(lambda text: len(text) <= 30), some_moments, some_days, some_accounts, some_debits)
def test_any_debits_are_valid(message: str, moment: datetime, day: date, ours: OwnAccount, orders: list[Debit]) -> None:
    data = direct_debits(message, moment, day, ours, ICS, orders)
    root = valid(data)
    kinds = [kind for kind in SequenceType if any(order.sequence is kind for order in orders)]
    assert texts(root, "d:SeqTp") == kinds
    groups = [[order for order in orders if order.sequence is kind] for kind in kinds]
    assert texts(root, "d:PmtInf/d:NbOfTxs") == [str(len(group)) for group in groups]
    assert [cents(text) for text in texts(root, "d:PmtInf/d:CtrlSum")] == [
        sum(order.amount for order in group) for group in groups
    ]
    in_order = [order for group in groups for order in group]
    assert texts(root, "d:MndtId") == [order.mandate for order in in_order]
    assert [cents(text) for text in texts(root, "d:InstdAmt")] == [order.amount for order in in_order]
    assert texts(root, "d:DbtrAcct//d:IBAN") == [order.iban for order in in_order]
    assert direct_debits(message, moment, day, ours, ICS, tuple(orders)) == data


def test_three_thousand_debits() -> None:
    orders = [debit(n, amount=1_000 + n % 7) for n in range(3_000)]
    root = valid(debits(*orders))
    total = sum(order.amount for order in orders)
    assert texts(root, "d:PmtInf/d:NbOfTxs") == texts(root, "d:GrpHdr/d:NbOfTxs") == ["3000"]
    assert texts(root, "d:PmtInf/d:CtrlSum") == texts(root, "d:GrpHdr/d:CtrlSum") == [f"{total // 100}.{total % 100}"]
    assert sum(map(cents, texts(root, "d:InstdAmt"))) == total


def cents(text: str) -> int:
    assert re.fullmatch(r"(0|[1-9][0-9]*)\.[0-9]{2}", text)
    return int(text.replace(".", ""))


# --- refusals ---

REFUSED_IDS = ["", "x" * 36, "/x", "x/", "x//y", "é", "a b", "x\n", "x&y"]


@pytest.mark.parametrize(
    ("code", "change"),
    [
        *(("pain_id", {"end_to_end": wrong}) for wrong in REFUSED_IDS),
        *(("pain_amount", {"amount": wrong}) for wrong in (0, -1, 100_000_000_000, 1.5, True, "5")),
        *(("pain_name", {"name": wrong}) for wrong in ("", " ", "✿✿", "Ελλάς", "\x00")),
        *(("pain_iban", {"iban": wrong}) for wrong in ("", SHOP[:-1] + "8", SHOP[:-1], "NOTPROVIDED", SHOP + "\n1")),
        *(("pain_bic", {"bic": wrong}) for wrong in ("X", "AGRIFRP", "1GRIFRPP")),
        ("pain_text", {"text": "x" * 141}),
        ("pain_text", {"text": "œ" * 71}),
    ],
)
def test_an_order_that_no_bank_would_take(code: str, change: dict[str, Any]) -> None:
    for write, order in BOTH:
        with pytest.raises(PainError) as error:
            write(order(1), order(2, **change))
        assert error.value.code == code
        assert error.value.order == change.get("end_to_end", order(2).end_to_end)


@pytest.mark.parametrize("wrong", REFUSED_IDS)
def test_an_identifier_that_no_bank_would_take(wrong: str) -> None:
    tries: list[tuple[Any, Any, dict[str, str]]] = [
        (transfers, transfer(), {"message_id": wrong}),
        (debits, debit(), {"message_id": wrong}),
        (debits, debit(mandate=wrong), {}),
    ]
    for write, order, more in tries:
        with pytest.raises(PainError) as error:
            write(order, **more)
        assert error.value.code == "pain_id"


def test_the_file_as_a_whole() -> None:
    def code_of(write: Any, *orders: Any, **more: Any) -> str:
        with pytest.raises(PainError) as error:
            write(*orders, **more)
        return error.value.code

    for write, order in BOTH:
        assert code_of(write) == "pain_empty"
        assert code_of(write, order(1), order(2), order(1)) == "pain_repeated"
        assert code_of(write, order(), created_at=NOW.replace(tzinfo=None)) == "pain_moment"
        assert code_of(write, order(), ours=OwnAccount("Association", SHOP[:-1] + "8")) == "pain_iban"
        assert code_of(write, order(), ours=OwnAccount("Association", SHOP, "X")) == "pain_bic"
        assert code_of(write, order(), ours=OwnAccount("", SHOP)) == "pain_name"
    assert code_of(debits, debit(), creditor_id="FR73ZZZ123456") == "pain_creditor"


# --- the character set ---


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Élise & Cie", "Elise + Cie"),
        ("L’Œuf « à la coque » – 3 €", "L'OEuf ' a la coque ' - 3 EUR"),
        ("Straße_12; Łódź [B]", "Strasse-12, Lodz (B)"),
        ("ŒUVRE ÆGIS Þór Øre", "OEUVRE AEGIS THor Ore"),
        ("a@b.fr #1 50%", "a.b.fr .1 50."),
        ("  two\tand\nmore\u00a0\u202f ", "two and more"),
        ("ﬁn ½ n°", "fin 1/2 n."),
        ("Ελλάς 😀", "..... ."),
        ("aZ09/-?:().,'+ x", "aZ09/-?:().,'+ x"),
    ],
)
def test_texts_as_banks_write_them(text: str, written: str) -> None:
    assert latin(text) == written


@given(st.text())
def test_any_text_is_in_the_character_set(text: str) -> None:
    written = latin(text)
    assert re.fullmatch(r"[A-Za-z0-9/?:().,'+ -]*", written)
    assert latin(written) == written == written.strip()


@given(some_ibans())
def test_the_ibans_of_these_tests_are_right(iban: str) -> None:
    assert ibans.iban(iban) == iban
