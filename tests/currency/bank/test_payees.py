"""What the bank finds of account holders (verification of payee) stands beside each payout, and moves nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank import details, inbox
from ledger.currency.bank.fake.orders import OrderRefused, read_orders
from ledger.currency.bank.formats.nodes import xml_nodes
from ledger.currency.bank.markup import Tree, document
from ledger.currency.bank.payouts import answers, batches, contents, owed
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.payouts.payees import Outcome, Payee
from ledger.currency.bank.reference import shown
from ledger.currency.town import Town
from tests.currency.bank.orders import debit, debits, transfer, transfers
from tests.currency.bank.paying import BROUGHT, SHOP_IBANS, Town3, accept, now, sent
from tests.currency.bank.schemas import valid
from tests.currency.bank.test_payout_answers import NAMESPACE


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def three(town: Town, paying: Town3) -> list[Payout]:
    """Three payouts in a file that was fetched."""
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    sent(paying)
    return [now(town, payout) for payout in made]


def found(message: str, *payees: tuple[str, str, list[str]], whole: str = "RVCM") -> bytes:
    """A pain.002 with what the bank found, by reference: its code, and what it adds."""
    report: Tree = [
        ("GrpHdr", [("MsgId", "V1"), ("CreDtTm", "2025-06-15T18:30:00+02:00")]),
        ("OrgnlGrpInfAndSts", [("OrgnlMsgId", message), ("OrgnlMsgNmId", "pain.001.001.09"), ("GrpSts", whole)]),
        ("OrgnlPmtInfAndSts", [("OrgnlPmtInfId", message), *(("TxInfAndSts", [
            ("OrgnlEndToEndId", reference), ("TxSts", code),
            ("StsRsnInf", [("AddtlInf", text) for text in more] if more else None)])
            for reference, code, more in payees)]),
    ]  # fmt: skip
    return document(NAMESPACE, [("CstmrPmtStsRpt", report)])


def take(town: Town, data: bytes) -> answers.Answered:
    return answers.take(town, answers.read(data), by="console")


def beside(town: Town) -> list[Payee | None]:
    """What stands beside the payouts of the first file, and beside what is due: the same."""
    batch = batches.find(town, "1")
    rows = [one.payee for one in contents.transfers_of(town, batch.id)]
    assert [one.payee for one in owed.due(town)] == rows
    return rows


def test_what_the_bank_found_stands_beside_each_payout(town: Town, paying: Town3, three: list[Payout]) -> None:
    assert beside(town) == [None, None, None]
    message, head = batches.find(town, "1").message, town.book.head()
    data = found(message, (three[0].reference, "RVMC", ["BOULANGERIE DU COIN ", "SARL"]),
                 (three[1].reference, "RVNM", ["somebody else, whose name is not told"]),
                 (shown(three[2].reference), "RVNA", []))  # fmt: skip
    for _again in range(2):
        done = take(town, data)
        expected = [Payee(Outcome.CLOSE, "BOULANGERIE DU COIN SARL"), Payee(Outcome.OTHER), Payee(Outcome.UNKNOWN)]
        assert [payee for _payout, payee in done.payees] == expected == beside(town)
        assert (done.undone, done.left, done.debits) == ([], [], ()) and not done.is_nothing
    # No units came back, nothing was booked: the payouts are due as before.
    assert town.book.head() == head and [one.is_due for one in map(lambda p: now(town, p), three)] == [True] * 3
    assert town.book.balance(paying.shops[0].account) == BROUGHT - 10_000
    # A later answer stands in the place of the one before.
    take(town, found(message, (three[1].reference, "RCVC", [])))
    assert beside(town) == [expected[0], Payee(Outcome.MATCH), expected[2]]
    assert audit(town).clean


def test_a_file_whose_holders_are_all_right(town: Town, three: list[Payout]) -> None:
    take(town, found(batches.find(town, "1").message, whole="RCVC"))
    assert beside(town) == [Payee(Outcome.MATCH)] * 3


def test_of_whom_a_file_with_faults_says_nothing_nobody_knows(town: Town, three: list[Payout]) -> None:
    take(town, found(batches.find(town, "1").message, (three[0].reference, "RVNM", [])))
    assert beside(town) == [Payee(Outcome.OTHER), None, None]


def test_a_payee_of_another_file_is_left_to_a_person(town: Town, paying: Town3, three: list[Payout]) -> None:
    other = accept(town, paying.shops[0], 5_000)
    done = take(town, found(batches.find(town, "1").message, (other.reference, "RVNM", []), ("X", "RVMC", ["Y"])))
    assert [left.code for left in done.left] == ["not_found", "not_found"] and done.payees == ()
    assert [one.payee for one in owed.due(town)] == [None] * 4


def test_an_answer_of_rejections_says_nothing_of_payees(town: Town, three: list[Payout]) -> None:
    done = take(town, found(batches.find(town, "1").message, (three[0].reference, "ACCP", ["X"]), whole="ACCP"))
    assert done.is_nothing and contents.transfers_of(town, batches.find(town, "1").id)[0].payee is None


def test_it_is_taken_from_the_inbox(town: Town, three: list[Payout], tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "vop.xml").write_bytes(found(batches.find(town, "1").message, (three[2].reference, "RVMC", ["CORDIER"])))
    [arrived] = inbox.take_all(town, folder, settled=0)
    assert (arrived.refusal, arrived.booked.kinds) == (None, {})
    assert beside(town) == [None, None, Payee(Outcome.CLOSE, "CORDIER")]


def test_the_holder_that_was_given_is_who_is_paid(town: Town, paying: Town3) -> None:
    details.put(town, paying.shops[0].party, SHOP_IBANS[0], "Chez Paul EURL")
    accept(town, paying.shops[0], 10_000)
    batch = sent(paying)
    [order] = [node for _parent, node in xml_nodes(batches.fetch(town, batch, again=True), ["CdtTrfTxInf"])]
    assert order.value("Cdtr", "Nm") == "Chez Paul EURL"


# --- addresses ---------------------------------------------------------------------------------------------

TOWN = "<TwnNm>Le Puy</TwnNm><Ctry>FR</Ctry>"
ADDRESSES = [
    ("", True),
    (f"<PstlAdr><StrtNm>Rue A</StrtNm><BldgNb>1</BldgNb><PstCd>43000</PstCd>{TOWN}</PstlAdr>", True),
    (f"<PstlAdr>{TOWN}<AdrLine>1 rue A</AdrLine></PstlAdr>", True),
    (f"<PstlAdr>{TOWN}<AdrLine>1 rue A</AdrLine><AdrLine>BP 7</AdrLine></PstlAdr>", True),
    (f"<PstlAdr>{TOWN}<AdrLine>1 rue A</AdrLine><AdrLine>BP 7</AdrLine><AdrLine>43000</AdrLine></PstlAdr>", False),
    ("<PstlAdr><AdrLine>1 rue A</AdrLine><AdrLine>43000 Le Puy</AdrLine></PstlAdr>", False),
    ("<PstlAdr><Ctry>FR</Ctry><AdrLine>1 rue A, 43000 Le Puy</AdrLine></PstlAdr>", False),
    ("<PstlAdr><StrtNm>Rue A</StrtNm><PstCd>43000</PstCd><Ctry>FR</Ctry></PstlAdr>", False),
    (f"<PstlAdr>{TOWN.replace('<Ctry>FR</Ctry>', '')}</PstlAdr>", False),
]
"""The schema takes every one of them; banks those that are right since 15 November 2026."""


@pytest.mark.parametrize(("address", "right"), ADDRESSES)
def test_an_address_is_none_or_structured_or_hybrid(address: str, right: bool) -> None:
    for file, name in ((transfers(transfer()), "Boulangerie"), (debits(debit()), "Jeanne Martin")):
        assert b"PstlAdr" not in file
        changed = file.replace(f"<Nm>{name}</Nm>".encode(), f"<Nm>{name}</Nm>{address}".encode())
        assert not address or changed != file
        valid(changed)
        if right:
            assert read_orders(changed).count == 1
        else:
            with pytest.raises(OrderRefused):
                read_orders(changed)
