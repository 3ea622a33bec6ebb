"""Orders to the desk: Alice pays the shop, in a town with limits or without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ledger.currency import parties
from ledger.currency.charter import Limits
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import SignedOrder, SignedRequest
from ledger.currency.town import Town
from merchants import requests
from tests import towns
from tests.served import Cast, Served, cast, served
from tests.towns import Member


def pay(api: Served, people: Cast, amount: int, **changes: Any) -> SignedOrder:
    """Alice's order to the shop."""
    return towns.order(api.town, people.alice, people.shop.account, amount, **changes)


def changed(signed: SignedOrder, key: PrivateKey, **changes: Any) -> SignedOrder:
    """The order with other fields, signed again."""
    return replace(signed.order, **changes).sign(key)


def balance(api: Served, member: Member) -> int:
    return api.town.book.balance(member.account)


def seconds(town: Town) -> int:
    return town.now() // 1_000_000


def _static(api: Served, people: Cast, key: PrivateKey, amount: int = 0) -> SignedRequest:
    return requests.static(api.town.charter.network, people.shop.account, key, amount=amount, label="Comptoir")


def _revoke(api: Served, people: Cast, order: SignedOrder) -> None:
    parties.revoke(api.town, parties.device(api.town, order.key), last_too=True)


@contextmanager
def limited(folder: Path, per_payment: int | None, per_day: int | None) -> Iterator[tuple[Served, Cast]]:
    town = towns.found(folder / "home", towns.charter(limits=Limits(per_payment=per_payment, per_day=per_day)))
    people = cast(town)
    with served(town) as api:
        yield api, people
    town.book.close()
