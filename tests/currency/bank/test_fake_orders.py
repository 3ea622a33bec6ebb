"""What the fake bank takes as a file of orders, and that it refuses everything else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from ledger.currency.bank.fake import OrderRefused, read_orders
from ledger.currency.bank.latin import latin
from ledger.currency.bank.pain import Debit, OwnAccount, SequenceType, Transfer, credit_transfers, direct_debits
from tests.currency.bank.orders import (
    DAY,
    ICS,
    NOW,
    OURS,
    SHOP,
    debit,
    debits,
    some_accounts,
    some_days,
    some_debits,
    some_ids,
    some_moments,
    some_transfers,
    transfer,
    transfers,
)

SAMPLES = Path(__file__).parent / "samples"


def as_written(order: Any) -> Any:
    return replace(order, name=latin(order.name)[:70].rstrip(), text=latin(order.text))


def of_account(account: OwnAccount) -> OwnAccount:
    return replace(account, name=latin(account.name)[:70].rstrip())


@settings(max_examples=40, deadline=None)
@given(some_ids, some_moments, some_days, some_accounts, some_transfers)
def test_transfers_come_through(
    message: str, moment: datetime, day: date, ours: OwnAccount, orders: Sequence[Transfer]
) -> None:
    file = read_orders(credit_transfers(message, moment, day, ours, orders))
    (group,) = file.groups
    assert (file.kind, file.message, file.created_at) == ("pain.001.001.09", message, moment.replace(microsecond=0))
    assert (group.id, group.batch, group.day, group.account) == (message, True, day, of_account(ours))
    assert list(group.orders) == [as_written(order) for order in orders]


@settings(max_examples=40, deadline=None)
@given(some_ids.filter(lambda text: len(text) <= 30), some_moments, some_days, some_accounts, some_debits)
def test_debits_come_through(
    message: str, moment: datetime, day: date, ours: OwnAccount, orders: Sequence[Debit]
) -> None:
    file = read_orders(direct_debits(message, moment, day, ours, ICS, orders))
    assert (file.kind, file.message, file.count) == ("pain.008.001.08", message, len(orders))
    for kind, group in zip([k for k in SequenceType if any(o.sequence is k for o in orders)], file.groups, strict=True):
        assert (group.batch, group.day, group.account) == (True, day, of_account(ours))
        assert group.creditor_id == ICS
        assert list(group.orders) == [as_written(order) for order in orders if order.sequence is kind]


def test_files_of_another_writer() -> None:
    """Made with a library, with structured addresses: the same orders must be read from them."""
    paid = read_orders((SAMPLES / "pain_001_elsewhere.xml").read_bytes())
    assert paid.groups[0].orders == (
        Transfer("RC000123", 12345, "Boulangerie du Plot", SHOP, "Reconversion MLC RC-000123", "AGRIFRPPXXX"),
    )
    assert paid.groups[0].account == OwnAccount("Association La Monnaie Test", OURS.iban, "PSSTFRPPPAR")
    assert paid.groups[0].day == date(2026, 12, 1)
    collected = read_orders((SAMPLES / "pain_008_elsewhere.xml").read_bytes())
    assert collected.groups[0].orders == (
        Debit(
            "DD2026120042", 3000, "Jeanne Martin", SHOP, "MLC-00042", date(2026, 1, 10), SequenceType.RECURRENT,
            "Change mensuel MLC 12/2026", "AGRIFRPPXXX",
        ),
    )  # fmt: skip
    assert collected.groups[0].creditor_id == ICS


PAID = transfers(transfer(1, text="Reconversion"), transfer(2, bic="AGRIFRPP")).decode()
COLLECTED = debits(debit(1, text="Change"), debit(2)).decode()


def refused(data: str | bytes) -> OrderRefused:
    with pytest.raises(OrderRefused) as error:
        read_orders(data.encode() if isinstance(data, str) else data)
    return error.value


CHANGES = [
    ("FF01", "<Cd>SEPA</Cd>", "<Cd>URGP</Cd>"),
    ("FF01", "<ChrgBr>SLEV</ChrgBr>", "<ChrgBr>DEBT</ChrgBr>"),
    ("FF01", "<BtchBookg>true</BtchBookg>", "<BtchBookg>yes</BtchBookg>"),
    ("FF01", "<InitgPty>", "<InitgPty><PstlAdr/>"),
    ("FF01", "<Nm>Association Le Patard</Nm>", "<Nm>Association Le Patard &amp; Cie</Nm>"),
    ("FF01", "<Nm>Association Le Patard</Nm>", "<Nm></Nm>"),
    ("FF01", "<Nm>Association Le Patard</Nm>", f"<Nm>{'A' * 71}</Nm>"),
    ("FF01", "<Nm>Association Le Patard</Nm>", "<Nm>A</Nm><Nm>B</Nm>"),
    ("FF01", "<Nm>Association Le Patard</Nm>", "<Nm>A</Nm><PstlAdr><AdrLine>1 rue A</AdrLine></PstlAdr>"),
    ("FF01", "<GrpHdr>", "text<GrpHdr>"),
    ("FF01", "<GrpHdr>", '<GrpHdr xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.03">'),
    ("FF01", "<MsgId>PATARD-1</MsgId>", "<MsgId>/PATARD-1</MsgId>"),
    ("FF01", "<MsgId>PATARD-1</MsgId>", f"<MsgId>{'P' * 36}</MsgId>"),
    ("FF01", 'Ccy="EUR"', 'Ccy="USD"'),
    ("FF01", 'Ccy="EUR"', ""),
    ("FF01", "<Document xmlns", "<!DOCTYPE Document><Document xmlns"),
    ("FF01", "<Document xmlns", '<!DOCTYPE D [<!ENTITY a "b">]><Document xmlns'),
    ("AM18", "<NbOfTxs>2</NbOfTxs>", "<NbOfTxs>3</NbOfTxs>"),
    ("AC01", SHOP, SHOP[:-1] + "8"),
    ("AC01", OURS.iban, OURS.iban[:-1]),
    ("RC01", "<BICFI>PSSTFRPPPAR</BICFI>", "<BICFI>PSSTFRPP1</BICFI>"),
    ("DT01", "2026-12-01", "2026-12-32"),
    ("DT01", "2026-11-23T15:05:55+00:00", "23/11/2026"),
]
OF_TRANSFERS = [
    ("FF01", "pain.001.001.09", "pain.001.001.03"),
    ("FF01", "pain.001.001.09", "pain.008.001.08"),
    ("FF01", "<PmtMtd>TRF</PmtMtd>", "<PmtMtd>CHK</PmtMtd>"),
    ("FF01", ">123.45<", ">123.456<"),
    ("FF01", ">123.45<", ">-123.45<"),
    ("AM10", ">123.45<", ">123.46<"),
    ("AM12", ">123.45<", ">0.00<"),
    ("AM12", ">123.45<", ">1000000000.00<"),
    ("DU04", "RC000002", "RC000001"),
    ("AM10", "<CtrlSum>246.90</CtrlSum>", "<CtrlSum>246.91</CtrlSum>"),
]
OF_DEBITS = [
    ("FF01", "<Cd>CORE</Cd>", "<Cd>B2B</Cd>"),
    ("FF01", "<SeqTp>RCUR</SeqTp>", "<SeqTp>LAST</SeqTp>"),
    ("FF01", "<SeqTp>RCUR</SeqTp>", ""),
    ("FF01", ICS, "FR73ZZZ123456"),
    ("FF01", "<MndtId>PATARD-00001</MndtId>", ""),
    ("DT01", "2026-01-10", "2026-02-30"),
]


@pytest.mark.parametrize(
    ("file", "reason", "old", "new"),
    [
        *((PAID, *change) for change in (*CHANGES, *OF_TRANSFERS)),
        *((COLLECTED, *change) for change in (*CHANGES, *OF_DEBITS)),
    ],
)
def test_one_fault_refuses_the_file(file: str, reason: str, old: str, new: str) -> None:
    assert file.count(old) >= 1
    assert refused(file.replace(old, new, 1)).reason == reason


def test_a_refusal_tells_which_file() -> None:
    error = refused(PAID.replace("RC000002", "RC000001"))
    assert (error.message, error.reason) == ("PATARD-1", "DU04")
    assert refused("<a/>").message == refused("").message == refused("not XML").message == ""


@pytest.mark.parametrize("file", [PAID, COLLECTED])
def test_a_file_cut_anywhere_is_refused(file: str) -> None:
    whole = file.rstrip()
    assert read_orders(whole.encode()).count == 2
    for end in range(0, len(whole), 7):
        assert refused(whole[:end]).reason == "FF01"
    assert refused(whole[:-1]).reason == "FF01"


MAY_GO = ["Nm", "InitgPty", "BtchBookg", "NbOfTxs", "CtrlSum", "ChrgBr", "RmtInf", "CdtrAgt"]


@pytest.mark.parametrize("file", [PAID, COLLECTED])
def test_every_element_is_needed_but_those_that_are_not(file: str) -> None:
    lines = file.splitlines()
    gone = 0
    for place, line in enumerate(lines):
        found = re.fullmatch(r"( *)<(\w+)[^>]*>.*", line)
        if found is None or found[2] == "Document":
            continue
        end = next(at for at in range(place, len(lines)) if f"</{found[2]}>" in lines[at] and
                   lines[at].startswith(found[1] + "<"))  # fmt: skip
        without = "\n".join(lines[:place] + lines[end + 1 :])
        try:
            read_orders(without.encode())
        except OrderRefused:
            gone += 1
        else:
            assert found[2] in MAY_GO, found[2]
    assert gone > 40


def test_what_is_left_out_may_be() -> None:
    plain = re.sub(r" *<(BtchBookg|ChrgBr)>.*\n", "", PAID)
    assert "BtchBookg" not in plain
    assert not read_orders(plain.encode()).groups[0].batch
    assert (read_orders(PAID.encode()).groups[0].day, NOW.tzinfo) == (DAY, UTC)
