"""The last gate before the bank: what an attacker edits, what is refused, and what `check` says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from ledger.core.clock import Watch
from ledger.currency import clocked
from ledger.currency.audit.walk import audit
from ledger.currency.bank.payouts import batches
from ledger.currency.bank.payouts.batches import Batch
from ledger.currency.errors import CurrencyError
from ledger.currency.town import Town
from tests import towns
from tests.currency.bank.paying import SHOP_IBANS, Town3, accept
from tests.currency.bank.scene import DAY

NEXT = DAY + timedelta(days=1)
THIEF = "FR7630006000011234567890189"


def edit(town: Town, sql: str, **values: Any) -> None:
    """What whoever may write to the database does."""
    with town.book.store.writing() as store:
        assert store.connection.execute(text(sql), values).rowcount


def refused(call: Callable[..., object], *args: Any, **more: Any) -> tuple[str, str]:
    """The code and the sentence with which it is refused; and nothing was written down."""
    assert args
    town = next(one for one in args if isinstance(one, Town))
    with towns.nothing_moves(town), pytest.raises(CurrencyError) as caught:
        call(*args, **more)
    return caught.value.code, caught.value.detail


def finds(town: Town, code: str, sentence: str) -> None:
    """`check` says it in that sentence."""
    said = [one.text for one in audit(town).findings if one.code == code]
    assert any(sentence in one for one in said), audit(town).findings


def clock_set(town: Town, days: int) -> None:
    """The clock is set so many days ahead, or back, and somebody at the machine says so a minute later."""
    clock = towns.clock(town)
    town.book.watch = Watch(town.charter.network, lambda: clock.now)
    clock.forward(days * 86_400 + 60)
    clocked.confirm(town)


def stolen(file: bytes) -> bytes:
    """The file with another IBAN in it."""
    data = file.replace(SHOP_IBANS[0].encode(), THIEF.encode())
    assert data != file
    return data


def big(paying: Town3) -> Batch:
    """A file that two people sign."""
    accept(paying.town, paying.shops[0], 200_000)
    return batches.order(paying.town)
