"""Orders for the bank: two that are right, and any that are."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from ledger.currency.bank.pain import Debit, OwnAccount, SequenceType, Transfer, credit_transfers, direct_debits
from ledger.currency.charter.ibans import rib_key

OURS = OwnAccount("Association Le Patard", "FR1420041010050500013M02606", "PSSTFRPPPAR")
SHOP = "FR7630006000011234567890189"
ICS = "FR72ZZZ123456"
NOW = datetime(2026, 11, 23, 15, 5, 55, tzinfo=UTC)
DAY = date(2026, 12, 1)


def transfer(number: int = 1, **more: Any) -> Transfer:
    values: dict[str, Any] = {"end_to_end": f"RC{number:06d}", "amount": 12345, "name": "Boulangerie", "iban": SHOP}
    return Transfer(**{**values, **more})


def debit(number: int = 1, **more: Any) -> Debit:
    values: dict[str, Any] = {
        "end_to_end": f"DD{number:06d}", "amount": 3000, "name": "Jeanne Martin", "iban": SHOP,
        "mandate": f"PATARD-{number:05d}", "signed_on": date(2026, 1, 10), "sequence": SequenceType.RECURRENT,
    }  # fmt: skip
    return Debit(**{**values, **more})


def transfers(*orders: Transfer, ours: OwnAccount = OURS, **more: Any) -> bytes:
    values: dict[str, Any] = {"message_id": "PATARD-1", "created_at": NOW, "requested_on": DAY}
    return credit_transfers(debtor=ours, transfers=orders, **{**values, **more})


def debits(*orders: Debit, ours: OwnAccount = OURS, **more: Any) -> bytes:
    values: dict[str, Any] = {"message_id": "PATARD-1", "created_at": NOW, "collect_on": DAY, "creditor_id": ICS}
    return direct_debits(creditor=ours, debits=orders, **{**values, **more})


some_ids = st.text("ABCabc019?:().,'+-/", min_size=1, max_size=35).filter(
    lambda text: not (text.startswith("/") or text.endswith("/") or "//" in text)
)
some_names = st.text(max_size=90).map(lambda text: "M" + text)
some_texts = st.text(max_size=40)
some_days = st.dates(date(2000, 1, 1), date(2099, 12, 31))
some_moments = st.datetimes(
    datetime(2000, 1, 1), datetime(2099, 1, 1), timezones=st.sampled_from([UTC, timezone(timedelta(hours=2))])
)
some_amounts = st.integers(1, 99_999_999_999)


@st.composite
def some_ibans(draw: st.DrawFn) -> str:
    country = draw(st.sampled_from(["FR", "BE", "DE", "MT", "NO"]))
    form = {"FR": "n10c11", "BE": "n12", "DE": "n18", "MT": "a4n5c18", "NO": "n11"}[country]
    bban = ""
    for kind, size in re.findall("([a-z])([0-9]+)", form):
        some = {"n": "0123456789", "a": "ABCXYZ", "c": "0123456789ABCXYZ"}[kind]
        bban += draw(st.text(some, min_size=int(size), max_size=int(size)))
    bban += rib_key(bban) if country == "FR" else ""
    checks = 98 - int("".join(str(int(char, 36)) for char in bban + country + "00")) % 97
    return f"{country}{checks:02d}{bban}"


some_bics = st.sampled_from([None, "AGRIFRPP", "PSSTFRPPPAR", "KREDBEBB"])
some_accounts = st.builds(OwnAccount, some_names, some_ibans(), some_bics)
some_transfers = st.lists(
    st.builds(Transfer, some_ids, some_amounts, some_names, some_ibans(), some_texts, some_bics),
    min_size=1, max_size=6, unique_by=lambda order: order.end_to_end,
)  # fmt: skip
some_debits = st.lists(
    st.builds(
        Debit, some_ids, some_amounts, some_names, some_ibans(), some_ids, some_days, st.sampled_from(SequenceType),
        some_texts, some_bics,
    ),
    min_size=1, max_size=6, unique_by=lambda order: order.end_to_end,
)  # fmt: skip
