"""The fake bank executes files of orders: sums with parts, fates, days, refusals, and its answer as a file."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.currency.bank.fake import Answer, Entry, Fate, Fates, Format
from ledger.currency.bank.formats.read import read
from ledger.currency.bank.pain import OwnAccount
from ledger.currency.bank.statement import BankLine, LineKind
from tests.currency.bank.faked import (
    FIRST,
    LAST,
    MONDAY,
    PAYER,
    SATURDAY,
    A,
    B,
    bank_with,
    collect,
    day,
    lines,
    order,
    statement,
)
from tests.currency.bank.orders import SHOP, debit, debits, transfer, transfers
from tests.currency.bank.schemas import valid


def short(found: BankLine | Entry) -> tuple[Any, ...]:
    return found.booked_on, found.amount, found.kind, found.end_to_end, found.mandate, found.reason


def test_a_file_is_one_sum_with_parts() -> None:
    bank = bank_with()
    answer = order(bank, transfer(1, amount=1000, text="Reconversion 1"), transfer(2, amount=500))
    assert (answer.status, answer.executed_on, answer.rejected) == ("ACCP", {"PAY-1": day(10)}, ())
    (line,) = statement(bank).lines
    assert short(line) == (day(10), -1500, LineKind.TRANSFER, "PAY-1", "", "")
    assert [short(part) for part in line.parts] == [
        (day(10), -1000, LineKind.TRANSFER, "RC000001", "", ""), (day(10), -500, LineKind.TRANSFER, "RC000002", "", "")
    ]  # fmt: skip
    assert [(part.name, part.iban, part.text) for part in line.parts] == [
        ("Boulangerie", SHOP, "Reconversion 1"), ("Boulangerie", SHOP, "")
    ]  # fmt: skip
    for format in (Format.CFONB, Format.OFX):
        (line,) = statement(bank, format).lines
        assert (line.amount, line.parts) == (-1500, ())
        assert "PAY-1" in line.text


def test_debits_are_one_gross_sum_or_single() -> None:
    orders = [debit(1, amount=1000), debit(2, amount=500)]
    together, single = bank_with(("DD000002", Fate(back="AM04"))), bank_with(singly=True)
    for bank in (together, single):
        assert collect(bank, *orders).status == "ACCP"
    line, unpaid = statement(together).lines
    assert short(line) == (day(10), 1500, LineKind.DEBIT, "DD-1", "", "")
    assert [(part.end_to_end, part.mandate, part.amount) for part in line.parts] == [
        ("DD000001", "PATARD-00001", 1000), ("DD000002", "PATARD-00002", 500)
    ]  # fmt: skip
    assert short(unpaid) == (day(12), -500, LineKind.RETURN, "DD000002", "PATARD-00002", "AM04")
    assert [short(line) for line in statement(single).lines] == [
        (day(10), 1000, LineKind.DEBIT, "DD000001", "PATARD-00001", ""),
        (day(10), 500, LineKind.DEBIT, "DD000002", "PATARD-00002", ""),
    ]


def test_a_file_that_asks_for_it_is_booked_singly() -> None:
    bank = bank_with()
    file = transfers(transfer(1), transfer(2), requested_on=day(10)).replace(b"<BtchBookg>true", b"<BtchBookg>false")
    assert bank.submit(file, MONDAY).accepted
    assert lines(bank) == [(day(10), -12345)] * 2


def test_a_sum_need_not_say_what_is_in_it() -> None:
    bank = bank_with(parts=False)
    order(bank, transfer(1), transfer(2))
    data = bank.statement(A, FIRST, LAST, Format.CAMT_08)
    valid(data)
    (line,) = read(data)[0].lines
    assert (line.end_to_end, line.parts) == ("PAY-1", ())


def test_three_thousand_debits_in_one_sum() -> None:
    bank = bank_with()
    assert collect(bank, *(debit(n) for n in range(3_000))).accepted
    (line,) = statement(bank).lines
    assert (line.amount, len(line.parts)) == (3_000 * 3_000, 3_000)


@pytest.mark.parametrize(
    ("fate", "status", "booked"),
    [
        (Fate(), "ACCP", [(10, -300)]),
        (Fate(reject="AC04"), "PART", [(10, -300), (10, 200)]),
        (Fate(reject="AC04", booked=False), "PART", [(10, -100)]),
        (Fate(reject="AC04", back="MD06", delay=3), "PART", [(10, -300), (10, 200)]),
        (Fate(back="AC04", after=0), "ACCP", [(10, -300), (10, 200)]),
        (Fate(back="MD06", after=4), "ACCP", [(10, -300), (16, 200)]),
        (Fate(delay=4), "ACCP", [(10, -100), (16, -200)]),
        (Fate(delay=1, back="AM04", after=1), "ACCP", [(10, -100), (11, -200), (12, 200)]),
    ],
)
@pytest.mark.parametrize("by", ["RC000002", PAYER])
def test_fates(by: str, fate: Fate, status: str, booked: list[tuple[int, int]]) -> None:
    bank = bank_with((by, fate))
    answer = order(bank, transfer(1, amount=100), transfer(2, amount=200, iban=PAYER))
    assert answer.status == status
    assert [one.end_to_end for one in answer.rejected] == (["RC000002"] if status == "PART" else [])
    assert lines(bank) == [(day(number), amount) for number, amount in booked]
    for line in statement(bank).lines:
        if line.amount > 0:
            assert (line.kind, line.end_to_end, line.iban) == (LineKind.RETURN, "RC000002", PAYER)
            assert line.reason == (fate.reject or fate.back)


def test_a_return_names_both_sides_as_the_first_payment_did() -> None:
    bank = bank_with(("RC000001", Fate(back="AC04")), ("DD000001", Fate(back="MD06")))
    order(bank, transfer(1))
    collect(bank, debit(1))
    root = valid(bank.statement(A, FIRST, LAST, Format.CAMT_08))
    returns = [node for node in root.iterfind(".//{*}Ntry") if node.findtext("{*}RvslInd") == "true"]
    sides = [[node.findtext(f".//{{*}}{side}//{{*}}Nm") for side in ("Dbtr", "Cdtr")] for node in returns]
    assert sides == [[None, "Boulangerie"], ["Jeanne Martin", None]]


def test_fates_may_be_told_later_or_by_a_function() -> None:
    bank = bank_with()
    assert isinstance(bank.fate, Fates)
    bank.fate["DD000001"] = Fate(back="MD06", after=20)
    collect(bank, debit(1))
    assert lines(bank) == [(day(10), 3000)]
    assert bank.balance(A, date(2026, 12, 8)) == 1_000_000
    unlucky = bank_with()
    unlucky.fate = lambda one: Fate(back="AM04") if one.amount > 100 else Fate()
    collect(unlucky, debit(1, amount=100), debit(2, amount=101))
    assert lines(unlucky) == [(day(10), 201), (day(12), -101)]


def test_days_of_execution() -> None:
    bank = bank_with()
    assert order(bank, transfer(1), on=SATURDAY, for_=SATURDAY, message="1").executed_on == {"1": MONDAY}
    assert order(bank, transfer(1), on=MONDAY, for_=date(2026, 10, 1), message="2").executed_on == {"2": MONDAY}
    assert collect(bank, debit(1), on=MONDAY, for_=MONDAY, message="3").executed_on == {"3": day(10)}
    assert collect(bank, debit(1), on=MONDAY, for_=day(14), message="4").executed_on == {"4": day(16)}
    bank.statement(A, FIRST, day(18), Format.OFX)
    assert order(bank, transfer(1), on=MONDAY, for_=MONDAY, message="5").executed_on == {"5": day(19)}


def refusal(answer: Answer) -> str:
    assert answer.status == "RJCT" and not answer.executed_on and not answer.accepted
    return answer.reason


def test_refused_files_book_nothing() -> None:
    bank = bank_with(opening=1000)
    elsewhere = OwnAccount("Patard", SHOP)
    assert refusal(bank.submit(b"nonsense", MONDAY)) == "FF01"
    assert refusal(bank.submit(transfers(transfer(), ours=elsewhere), MONDAY)) == "AC02"
    assert refusal(bank.submit(debits(debit(), ours=elsewhere), MONDAY)) == "AC03"
    assert refusal(bank.submit(debits(debit(), creditor_id="DE98ZZZ09999999999"), MONDAY)) == "BE05"
    assert refusal(order(bank, transfer(1), for_=MONDAY + timedelta(days=400))) == "DT01"
    assert refusal(order(bank, transfer(1, amount=1001))) == "AM04"
    assert lines(bank) == [] == lines(bank, B)
    assert order(bank, transfer(1, amount=1000)).accepted  # under the id of a file that was refused
    assert refusal(order(bank, transfer(2, amount=1))) == "DU01"
    assert lines(bank) == [(day(10), -1000)]


def test_what_is_ordered_already_is_no_longer_there() -> None:
    bank = bank_with(opening=1000)
    assert order(bank, transfer(1, amount=800), for_=day(20), message="1").accepted
    assert refusal(order(bank, transfer(2, amount=201), message="2")) == "AM04"
    assert order(bank, transfer(2, amount=200), message="3").accepted
    bank.pay_in(A, day(12), 500, "", "", "")
    assert refusal(order(bank, transfer(3, amount=501), message="4")) == "AM04"
    assert order(bank, transfer(3, amount=500), for_=day(12), message="5").accepted
    assert min(bank.balance(A, day(n)) for n in range(1, 31)) == 0


def test_the_answer_as_a_file() -> None:
    bank = bank_with(("RC000002", Fate(reject="AC04")))
    answer = order(bank, transfer(1, amount=100), transfer(2, amount=200))
    assert (
        answer.pain002.decode()
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
 <CstmrPmtStsRpt>
  <GrpHdr>
   <MsgId>PAIN002-20261109-000001</MsgId>
   <CreDtTm>2026-11-09T18:30:00+01:00</CreDtTm>
  </GrpHdr>
  <OrgnlGrpInfAndSts>
   <OrgnlMsgId>PAY-1</OrgnlMsgId>
   <OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
   <OrgnlNbOfTxs>2</OrgnlNbOfTxs>
   <OrgnlCtrlSum>3.00</OrgnlCtrlSum>
   <GrpSts>PART</GrpSts>
  </OrgnlGrpInfAndSts>
  <OrgnlPmtInfAndSts>
   <OrgnlPmtInfId>PAY-1</OrgnlPmtInfId>
   <PmtInfSts>PART</PmtInfSts>
   <TxInfAndSts>
    <OrgnlEndToEndId>RC000002</OrgnlEndToEndId>
    <TxSts>RJCT</TxSts>
    <StsRsnInf>
     <Rsn>
      <Cd>AC04</Cd>
     </Rsn>
    </StsRsnInf>
    <OrgnlTxRef>
     <Amt>
      <InstdAmt Ccy="EUR">2.00</InstdAmt>
     </Amt>
    </OrgnlTxRef>
   </TxInfAndSts>
  </OrgnlPmtInfAndSts>
 </CstmrPmtStsRpt>
</Document>
"""
    )
    again = order(bank, transfer(1))
    assert again.pain002.count(b"<GrpSts>RJCT</GrpSts>") == again.pain002.count(b"<Cd>DU01</Cd>") == 1
    assert b"<OrgnlMsgId>PAY-1</OrgnlMsgId>" in again.pain002
    assert b"<OrgnlMsgId>NOTPROVIDED</OrgnlMsgId>" in bank.submit(b"", MONDAY).pain002
