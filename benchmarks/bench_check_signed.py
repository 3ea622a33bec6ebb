"""The whole check of a book of signed payments; the floor is verifying as many signatures, one after the other.

PATARD_BENCH_SIGNED says how many payments (20,000). More than 1 is the work of several processors.
"""

from __future__ import annotations

import os
import random
import time
from pathlib import Path
from typing import Any

from api.commands.checking import look
from api.home import Home, found_home
from benchmarks.figures import measure
from ledger.core.model import Refused, Transaction, Transfer
from ledger.currency import conversion, parties
from ledger.currency.charter import Charter, ReserveAccount, ReserveKind
from ledger.currency.keys import PrivateKey, verify
from ledger.currency.messages import NO_REFERENCE, ORDER_DOMAIN, Order, Purpose
from ledger.currency.parties import Party
from ledger.currency.town import Town

PAYMENTS = int(os.environ.get("PATARD_BENCH_SIGNED", "20000"))
PAYERS, SHOPS, BATCH = 200, 20, 2_000
CHARTER = Charter(
    code="PATARD", name="Le Patard", symbol="P", network=b"\0\1\2\3", reconversion_fee_bp=500,
    public_url="http://127.0.0.1:8000", reserve=(ReserveAccount(name="Banque", kind=ReserveKind.BANK),),
)  # fmt: skip

Job = tuple[bytes, bytes, bytes]
"""Key, signature and message."""


def furnish(town: Town) -> list[Job]:
    """Members with units pay shops, as the desk would book it; what they signed."""
    pick = random.Random(11)
    payers = [_party(town, "person", f"Payeuse {n}", "member", n) for n in range(1, PAYERS + 1)]
    shops = [_party(town, "shop", f"Boutique {n}", "owner", 1_000 + n)[0] for n in range(SHOPS)]
    for number, (payer, _) in enumerate(payers):
        conversion.convert(town, payer, 100_000_000, reserve="Banque", reference=f"B{number}")
    signed: list[Job] = []
    while len(signed) < PAYMENTS:
        batch, last = [], int(time.time()) + 3_000
        for _ in range(min(BATCH, PAYMENTS - len(signed))):
            (payer, key), shop = pick.choice(payers), pick.choice(shops)
            amount, id_ = pick.randrange(1, 500), town.new_id()
            order = Order(CHARTER.network, Purpose.PAYMENT, id_, payer.account, shop.account, amount, CHARTER.code,
                          last, NO_REFERENCE)  # fmt: skip
            made = order.sign(key)
            evidence = {"key": made.key.hex(), "order": order.body().hex(), "signature": made.signature.hex()}
            moved = (Transfer(payer.account, shop.account, amount, CHARTER.code),)
            batch.append(Transaction(id_, "payment", moved, evidence=evidence))
            signed.append((made.key, made.signature, ORDER_DOMAIN + order.body()))
        assert not any(isinstance(answer, Refused) for answer in town.book.post(batch).answers)
    return signed


def _party(town: Town, kind: str, name: str, role: str, number: int) -> tuple[Party, PrivateKey]:
    party, key = parties.admit(town, kind, name), PrivateKey.from_seed(number.to_bytes(32))
    parties.join(town, parties.invite(town, party, role), key.public, "bench")
    return party, key


def test_check_signed(benchmark: Any, tmp_path: Path) -> None:
    town = found_home(tmp_path / "home", CHARTER)
    signed = furnish(town)
    town.book.close()

    def work() -> int:
        report, audited, _ = look(Home(tmp_path / "home"))
        assert report.ok and not isinstance(audited, Exception), audited
        assert audited.clean and audited.orders == PAYMENTS, audited.findings
        return PAYMENTS

    def floor() -> int:
        assert all(verify(*job) for job in signed)
        return PAYMENTS

    measure(benchmark, "check_signed", "sqlite", work, floor, rounds=5)
