"""Payouts on statements: the day on which the bank tells of them, and what is wrong then."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.statement import BankLine
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests.currency.bank.paying import BROUGHT
from tests.currency.bank.scene import DAY, adds_up, balances, line

NEXT = DAY + timedelta(days=1)
HELD = 3 * BROUGHT


def refusal(code: str, call: object, *args: object, **more: object) -> str:
    """Hold that a call is refused with that code and that nothing was written down; the detail."""
    assert callable(call)
    with pytest.raises(CurrencyError) as caught:
        call(*args, **more)
    assert caught.value.code == code, caught.value.detail
    return caught.value.detail


def clean(town: Town, *, missing: int = 0, claimed: int = 0) -> None:
    """Hold that nothing is wrong, but for euros that went from the bank and that nobody has explained yet."""
    done = audit(town)
    assert [finding.code for finding in done.findings] == (["reserve_short"] if missing else []), done.findings
    assert adds_up(town) is not bool(missing or claimed)
    assert balances(town).get("claims", 0) == claimed
    if missing:
        assert balances(town)["suspense"] == -missing


def batch_line(batch: batches.Batch, amount: int, *parts: BankLine) -> BankLine:
    return line(amount, "VIREMENTS SEPA", NEXT, end_to_end=batch.message, parts=parts)
