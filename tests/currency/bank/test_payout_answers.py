"""The bank's answer to a file of payouts (pain.002): what it rejects is back at once; the rest a person sees to."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank import inbox
from ledger.currency.bank.markup import Tree, document
from ledger.currency.bank.payouts import answers, batches, owed
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.bank.payouts.owed import Payout
from ledger.currency.bank.statement import StatementError
from ledger.currency.money import decimal_text
from ledger.currency.town import Town
from tests.currency.bank.paying import BROUGHT, Town3, accept, credit, debit, now, sent
from tests.currency.bank.scene import DAY, bring, line, statement

NEXT = DAY + timedelta(days=1)
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"


@pytest.fixture
def town(paying: Town3) -> Town:
    return paying.town


@pytest.fixture
def three(town: Town, paying: Town3) -> list[Payout]:
    """Three payouts in a file that was fetched."""
    made = [accept(town, shop, 10_000) for shop in paying.shops]
    sent(paying)
    return [now(town, payout) for payout in made]


def file(town: Town) -> Batch:
    return batches.find(town, "1")


def answer(message: str, *rejected: Payout | str, status: str = "PART", reason: str = "AC04", amount: int = 0) -> bytes:
    """A pain.002 that rejects these."""

    def one(payout: Payout | str) -> Tree:
        reference = payout if isinstance(payout, str) else payout.reference
        cents = amount or (0 if isinstance(payout, str) else payout.amount)
        return [
            ("OrgnlEndToEndId", reference), ("TxSts", "RJCT"), ("StsRsnInf", [("Rsn", [("Cd", reason)])]),
            ("OrgnlTxRef", [("Amt", [('InstdAmt Ccy="EUR"', decimal_text(cents))])]),
        ]  # fmt: skip

    whole = status == "RJCT"
    report: Tree = [
        ("GrpHdr", [("MsgId", "X1"), ("CreDtTm", "2025-06-15T18:30:00+02:00")]),
        ("OrgnlGrpInfAndSts", [("OrgnlMsgId", message), ("OrgnlMsgNmId", "pain.001.001.09"), ("GrpSts", status),
                               ("StsRsnInf", [("Rsn", [("Cd", reason)])] if whole else None)]),
        ("OrgnlPmtInfAndSts", [("OrgnlPmtInfId", message), *(("TxInfAndSts", one(payout)) for payout in rejected)]),
    ]  # fmt: skip
    return document(NAMESPACE, [("CstmrPmtStsRpt", report)])


def take(town: Town, data: bytes) -> answers.Answered:
    assert answers.is_report(data)
    return answers.take(town, answers.read(data), by="console")


def test_what_the_bank_rejects_is_back_at_once(town: Town, paying: Town3, three: list[Payout]) -> None:
    data = answer(file(town).message, three[1])
    assert take(town, data) == answers.Answered([three[1]], [])
    assert town.book.balance(paying.shops[1].account) == BROUGHT
    assert [one.payout.reference for one in owed.due(town)] == [three[0].reference, three[2].reference]
    [entry] = town.book.statement(paying.shops[1].account, limit=1).entries
    assert (entry.kind, entry.evidence["reason"]) == ("payout_rejected", "AC04")
    size = town.book.head()
    assert [payout.reference for payout in take(town, data).undone] == [three[1].reference]
    assert town.book.head() == size
    bring(town, statement([line(-19_000, "VIR", NEXT, end_to_end=file(town).message)], 3 * BROUGHT))
    assert owed.due(town) == []
    assert audit(town).clean


def test_an_answer_that_comes_after_the_statement(town: Town, paying: Town3, three: list[Payout]) -> None:
    whole = line(-28_500, "VIR", NEXT, end_to_end=file(town).message)
    bring(town, statement([whole, credit(three[1], NEXT)], 3 * BROUGHT))
    assert town.book.balance(paying.shops[1].account) == BROUGHT
    done = take(town, answer(file(town).message, three[1], three[2]))
    assert done.undone == [] and [left.code for left in done.left] == ["payout_paid", "payout_paid"]
    assert audit(town).clean


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"amount": 9_499}, "not_found"), ({"reason": "AM05"}, "payout_paid"), ({"reason": "DUPL"}, "payout_paid")],
)
def test_what_a_person_has_to_look_at(town: Town, three: list[Payout], changes: dict[str, object], code: str) -> None:
    done = take(town, answer(file(town).message, three[0], **changes))  # type: ignore[arg-type]
    assert done.undone == [] and [left.code for left in done.left] == [code]
    assert now(town, three[0]).is_due


def test_a_transfer_that_is_none_of_the_file(town: Town, paying: Town3, three: list[Payout]) -> None:
    other = accept(town, paying.shops[0], 5_000)
    done = take(town, answer(file(town).message, other, "NOTPROVIDED", three[0]))
    assert [payout.reference for payout in done.undone] == [three[0].reference]
    assert [left.code for left in done.left] == ["not_found", "not_found"]
    assert now(town, other).is_due


def test_a_file_that_is_refused_as_a_whole_is_ordered_anew(town: Town, paying: Town3, three: list[Payout]) -> None:
    done = take(town, answer(file(town).message, status="RJCT", reason="FF01"))
    [left] = done.left
    assert (done.undone, left.code) == ([], "payouts_refused") and "withdraw 1 --refused" in left.detail
    assert len(owed.due(town)) == 3
    batches.withdraw(town, file(town), fetched_too=True)
    again = sent(paying)
    # What comes late of the first file says nothing of the second.
    done = take(town, answer(file(town).message, three[0]))
    assert done.undone == [] and [left.code for left in done.left] == ["not_found"]
    assert take(town, answer(file(town).message, status="RJCT", reason="FF01")).left == []
    bring(town, statement([debit(payout, NEXT) for payout in three], 3 * BROUGHT))
    assert batches.find(town, str(again.number)).state == "settled"
    assert audit(town).clean


def test_a_file_that_the_bank_has_already(town: Town, three: list[Payout]) -> None:
    [left] = take(town, answer(file(town).message, status="RJCT", reason="DU01")).left
    assert "withdraw" not in left.detail
    assert len(owed.due(town)) == 3


def test_an_answer_to_somebody_elses_file(town: Town, three: list[Payout]) -> None:
    with pytest.raises(StatementError) as caught:
        take(town, answer("SOMEBODY-1", three[0]))
    assert caught.value.code == "statement_format_unknown"


def test_a_damaged_answer(town: Town, three: list[Payout]) -> None:
    data = answer(file(town).message, three[0])
    for wrong in (data[:-20], data.replace(b"OrgnlMsgId", b"OtherMsgId"), b"<!DOCTYPE x>" + data):
        with pytest.raises(StatementError) as caught:
            take(town, wrong)
        assert caught.value.code == "statement_unreadable"
    assert len(owed.due(town)) == 3


def test_an_answer_in_the_inbox(town: Town, paying: Town3, three: list[Payout], tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.xml").write_bytes(answer(file(town).message, three[0]))
    (folder / "b.xml").write_bytes(answer(file(town).message, status="RJCT", reason="FF01"))
    done = list(inbox.take_all(town, folder, settled=0))
    assert [(one.file, one.refusal is None, one.booked.kinds) for one in done] == [
        ("a.xml", True, {"payout_rejected": 1}), ("b.xml", False, {})
    ]  # fmt: skip
    assert "withdraw 1" in (folder / "refused" / "b.xml.txt").read_text()
    assert (folder / "taken" / "a.xml").exists()
    assert town.book.balance(paying.shops[0].account) == BROUGHT
