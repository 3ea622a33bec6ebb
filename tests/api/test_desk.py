"""The desk over HTTP: every refusal by its name, which comes first, and that nothing moves twice or in part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from ledger.core.ids import b32encode, new_account_number
from ledger.currency import conversion, parties
from ledger.currency.chart import own_number
from ledger.currency.charter import Limits, PartyKind
from ledger.currency.errors import CurrencyError
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import NO_REFERENCE, Purpose, SignedOrder, SignedRequest
from ledger.currency.town import Town
from merchants import requests
from merchants.desk import Desk, Submission, Taken
from tests import towns
from tests.served import (
    Cast,
    Served,
    answer,
    ask_back_order,
    balances,
    cast,
    is_problem,
    one_time,
    refund_order,
    served,
    shown,
    units_sum_to_zero,
    unmoved,
)
from tests.towns import BANK, Member


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


# What goes well


def test_a_payment_from_account_to_account(api: Served, people: Cast) -> None:
    receipt = api.taken(pay(api, people, 450)).receipt
    assert (balance(api, people.alice), balance(api, people.shop)) == (99_550, 450)
    head = api.town.book.head()
    assert (receipt.seq, receipt.size, receipt.root, receipt.at) == (head.seq, head.seq, head.root, head.at)
    units_sum_to_zero(api.town)


@pytest.mark.parametrize("signer", ["owner", "cashier"])
def test_a_one_time_code(api: Served, people: Cast, signer: str) -> None:
    key = people.shop.key if signer == "owner" else people.cashier
    request = one_time(api.town, people.shop, 450, key=key, label="Table 2")
    state = api.client.get(f"/v1/requests/{request.text}").json()
    assert (state["paid"], state["expired"], state["amount_cents"], state["label"]) == (False, False, 450, "Table 2")
    order = answer(api.town, people.alice, request)
    api.taken(order, request)
    state = api.client.get(f"/v1/requests/{request.text}").json()
    assert state["paid"] and state["payment_id"] == order.order.id.hex()
    for member in (people.alice, people.shop):
        headers = api.session(member.key)
        entry = api.client.get(f"/v1/accounts/{shown(member)}/entries", headers=headers).json()["entries"][0]
        assert (entry["memo"], entry["id"]) == ("Table 2", order.order.id.hex())


def test_the_payer_chooses_where_the_code_leaves_it(api: Served, people: Cast) -> None:
    request = one_time(api.town, people.shop, 0)
    api.taken(answer(api.town, people.alice, request, 777), request)
    assert balance(api, people.shop) == 777


def _static(api: Served, people: Cast, key: PrivateKey, amount: int = 0) -> SignedRequest:
    return requests.static(api.town.charter.network, people.shop.account, key, amount=amount, label="Comptoir")


def test_a_static_code_is_paid_again_and_again(api: Served, people: Cast) -> None:
    for key in (people.shop.key, people.cashier, api.town.key):
        code = _static(api, people, key)
        for payer in (people.alice, people.alice, people.bob):
            api.taken(answer(api.town, payer, code, 100), code)
    assert balance(api, people.shop) == 900
    state = api.client.get(f"/v1/requests/{code.text}").json()
    assert (state["payment_id"], state["expires_at"], state["paid"], state["expired"]) == (None, None, False, False)
    towns.clock(api.town).forward(40 * 365 * 86_400)
    api.taken(answer(api.town, people.alice, code, 100), code)


def test_a_static_code_with_an_amount(api: Served, people: Cast) -> None:
    code = _static(api, people, people.shop.key, 250)
    order = answer(api.town, people.alice, code)
    api.refused("request_amount_differs", changed(order, people.alice.key, amount=249), code)
    api.taken(order, code)


# The same again


def _nothing(api: Served, people: Cast, order: SignedOrder) -> None:
    pass


def _expire(api: Served, people: Cast, order: SignedOrder) -> None:
    towns.clock(api.town).forward(30 * 86_400)


def _revoke(api: Served, people: Cast, order: SignedOrder) -> None:
    parties.revoke(api.town, parties.device(api.town, order.key), last_too=True)


def _spend(api: Served, people: Cast, order: SignedOrder) -> None:
    api.taken(towns.order(api.town, people.alice, people.bob.account, balance(api, people.alice)))


def _close(api: Served, people: Cast, order: SignedOrder) -> None:
    _spend(api, people, order)
    parties.close(api.town, people.alice.party)


def _give_back(api: Served, people: Cast, order: SignedOrder) -> None:
    api.taken(refund_order(api.town, people.shop, people.alice, order.order.amount, order.order.id))


def _bury(api: Served, people: Cast, order: SignedOrder) -> None:
    for _ in range(30):
        api.taken(pay(api, people, 1))


@pytest.mark.parametrize("meanwhile", [_nothing, _expire, _revoke, _spend, _close, _give_back, _bury])
@pytest.mark.parametrize("with_request", [False, True], ids=["bare", "request"])
def test_the_same_order_is_answered_again(
    api: Served, people: Cast, meanwhile: Callable[[Served, Cast, SignedOrder], None], with_request: bool
) -> None:
    request = one_time(api.town, people.shop, 450, label="Table 2") if with_request else None
    order = answer(api.town, people.alice, request) if request else pay(api, people, 450)
    first = api.taken(order, request).receipt
    meanwhile(api, people, order)
    with unmoved(api.town):
        again = api.taken(order, request, replay=True).receipt
        without = api.taken(order, None, replay=True).receipt
    head = api.town.book.head()
    assert (again.seq, again.at, again.order_hash) == (first.seq, first.at, first.order_hash)
    assert (again.size, again.root) == (head.seq, head.root) == (without.size, without.root)


def test_an_id_is_taken_by_what_came_first(api: Served, people: Cast) -> None:
    order = pay(api, people, 450)
    api.taken(order)
    for changes in (
        {"amount": 451}, {"payee": people.bob.account}, {"expires_at": order.order.expires_at + 1},
        {"reference": b"\1" * 16, "purpose": Purpose.REFUND},
    ):  # fmt: skip
        api.refused("id_taken", changed(order, people.alice.key, **changes))
    other = towns.join(api.town, people.alice.party, "member", "Alice's phone")
    api.refused("id_taken", order.order.sign(other))
    api.refused("id_taken", changed(order, people.bob.key, payer=people.bob.account))
    # It stays so when that order could not even be taken any more.
    late = changed(order, people.alice.key, amount=451, expires_at=seconds(api.town) - 10)
    api.refused("id_taken", late)


def test_an_id_of_something_else_is_taken(api: Served, people: Cast) -> None:
    """An admission, a key, a conversion: all in one log, all with ids."""
    for id_ in (people.alice.party.id, conversion.conversion_id(api.town, BANK, "OPENING-0")):
        api.refused("id_taken", pay(api, people, 1, id_=id_))


def test_what_was_refused_may_be_tried_again(api: Served, people: Cast) -> None:
    order = pay(api, people, 100_001)
    api.refused("below_floor", order)
    api.refused("below_floor", order)
    conversion.convert(api.town, people.alice.party, 1, reserve=BANK, reference="TOP-UP")
    api.taken(order)
    assert balance(api, people.alice) == 0


def test_one_code_is_paid_by_one_payer(api: Served, people: Cast) -> None:
    request = one_time(api.town, people.shop, 450)
    first, second = (answer(api.town, payer, request) for payer in (people.alice, people.bob))
    assert first.order.id == second.order.id
    api.taken(first, request)
    api.refused("id_taken", second, request)
    towns.clock(api.town).forward(301)
    api.refused("id_taken", second, request)
    api.taken(first, request, replay=True)


# Refusals, one by one


def test_orders_that_are_not_signed_by_their_key(api: Served, people: Cast) -> None:
    order = pay(api, people, 450)
    for bad in (
        replace(order, signature=bytes(64)),
        replace(order, signature=order.signature[:-1] + bytes([order.signature[-1] ^ 1])),
        replace(order, key=people.bob.key.public),
        replace(order, order=replace(order.order, amount=449)),
        replace(order, order=replace(order.order, payee=people.bob.account)),
        replace(order, signature=people.alice.key.sign(order.order.body())),  # without the domain
        replace(order, signature=people.alice.key.sign(b"patard/join/1\0" + order.order.body())),
    ):
        api.refused("signature_invalid", bad)


@pytest.mark.parametrize(
    ("code", "key"),
    [("key_weak", bytes(32)), ("key_weak", b"\1" + bytes(31)), ("key_weak", b"\xec" + b"\xff" * 30 + b"\x7f"),
     ("key_malformed", b"\xef" + b"\xff" * 30 + b"\x7f"), ("key_malformed", b"\2" + bytes(31))],
)  # fmt: skip
def test_keys_that_anybody_could_sign_for(api: Served, people: Cast, code: str, key: bytes) -> None:
    order = pay(api, people, 450)
    # R = the neutral point and s = 0: right for every message under a key of small order, to a lax verifier.
    for signature in (b"\1" + bytes(63), bytes(64), order.signature):
        api.refused(code, replace(order, key=key, signature=signature))
    body = {"code": "AAAAA-AAAAA", "key": key.hex(), "label": "x", "signature": (b"\1" + bytes(63)).hex()}
    is_problem(api.client.post("/v1/joins", json=body), code)


def test_small_order_keys_are_refused_even_if_registered(api: Served, people: Cast) -> None:
    """Had one slipped in by another way, it must still not pay."""
    from sqlalchemy import insert

    from ledger.currency.tables import DEVICE_KEY

    weak = b"\1" + bytes(31)
    with api.town.book.store.writing() as store:
        store.connection.execute(
            insert(DEVICE_KEY).values(key=weak, party=people.alice.party.id, role="member", label="weak", added_at=1)
        )
    api.refused("key_weak", replace(pay(api, people, 450), key=weak, signature=b"\1" + bytes(63)))


def test_orders_of_another_currency(api: Served, people: Cast) -> None:
    order = pay(api, people, 450)
    api.refused("message_wrong_network", changed(order, people.alice.key, network=b"\0\0\0\1"))
    api.refused("unit_differs", changed(order, people.alice.key, unit="EUR"))
    api.refused("unit_differs", changed(order, people.alice.key, unit="PATARDS"))


def test_orders_to_oneself(api: Served, people: Cast) -> None:
    api.refused("same_account", changed(pay(api, people, 450), people.alice.key, payee=people.alice.account))


def test_orders_by_keys_that_do_not_act_for_the_payer(api: Served, people: Cast) -> None:
    api.refused("key_unknown", pay(api, people, 450, key=towns.key_of("never joined")))
    api.refused("key_unknown", pay(api, people, 450, key=people.bob.key))
    api.refused("key_unknown", pay(api, people, 450, key=people.operator))
    api.refused("key_unknown", pay(api, people, 450, key=api.town.key))
    order = pay(api, people, 450)
    api.refused("key_unknown", changed(order, people.alice.key, payer=new_account_number(b"\7" * 8)))
    api.refused("key_unknown", changed(order, people.alice.key, payer=api.town.chart.circulation))
    _revoke(api, people, order)
    api.refused("key_unknown", order)


def test_roles_that_may_not(api: Served, people: Cast) -> None:
    """A till takes and gives back; it does not spend. A member pays; only who sold gives back."""
    api.taken(pay(api, people, 1_000))
    to_bob = towns.order(api.town, people.shop, people.bob.account, 5)
    api.refused("role_insufficient", to_bob.order.sign(people.cashier))
    ask = ask_back_order(api.town, people.shop, 5)
    api.refused("role_insufficient", ask.order.sign(people.cashier))
    given = towns.order(api.town, people.bob, people.alice.account, 5)
    api.taken(given)
    api.refused("role_insufficient", refund_order(api.town, people.alice, people.bob, 5, given.order.id))
    for key in (people.operator, people.treasurer, people.auditor):
        bureau = Member(people.office, key)
        api.refused("role_insufficient", towns.order(api.town, bureau, people.bob.account, 1))
    api.taken(to_bob)


def test_the_last_second_of_an_order(api: Served, people: Cast) -> None:
    first, second = pay(api, people, 1, seconds=10), pay(api, people, 2, seconds=10)
    towns.clock(api.town).forward(10.999999)
    api.taken(first)
    towns.clock(api.town).forward(0.000001)
    api.refused("order_expired", second)
    api.taken(first, replay=True)


def test_an_order_stays_open_for_a_day(api: Served, people: Cast) -> None:
    api.taken(pay(api, people, 1, seconds=86_400 + 3_600))
    api.refused("order_too_long", pay(api, people, 1, seconds=86_400 + 3_601))
    api.refused("order_too_long", changed(pay(api, people, 1), people.alice.key, expires_at=2**32 - 1))


def test_paying_what_is_no_member(api: Served, people: Cast) -> None:
    """Least of all the currency's own accounts: that would destroy units and leave their euros."""
    chart = api.town.chart
    for payee in (
        chart.circulation, chart.waiting, chart.guarantee, chart.payouts, chart.income, chart.suspense,
        chart.operations, *chart.reserve.values(), own_number(b"\0\0\0\1", "circulation"), 1, 2**63 - 1,
    ):  # fmt: skip
        api.refused("payee_unknown", changed(pay(api, people, 5), people.alice.key, payee=payee))


def test_paying_a_party_that_was_closed(api: Served, people: Cast) -> None:
    parties.close(api.town, people.shop.party)
    api.refused("account_closed", pay(api, people, 5))


def test_what_is_not_there_cannot_be_spent(api: Served, people: Cast) -> None:
    api.refused("below_floor", pay(api, people, 100_001))
    api.taken(pay(api, people, 100_000))
    api.refused("below_floor", pay(api, people, 1))
    api.refused("below_floor", changed(pay(api, people, 1), people.alice.key, amount=2**32 - 1))


def test_requests_that_do_not_fit(api: Served, people: Cast) -> None:
    town, alice = api.town, people.alice
    request = one_time(town, people.shop, 450)
    order = answer(town, alice, request)

    def altered(**changes: Any) -> SignedRequest:
        return replace(request.request, **changes).sign(people.shop.key)

    def fitting(other: SignedRequest, **changes: Any) -> SignedOrder:
        return changed(answer(town, alice, other), alice.key, **changes)

    api.refused("request_missing", order)
    api.refused("request_network_differs", order, altered(network=b"\0\0\0\1"))
    api.refused("request_payee_differs", order, altered(payee=people.bob.account))
    api.refused("request_amount_differs", order, altered(amount=451))
    api.refused("request_amount_differs", changed(order, alice.key, amount=449), request)
    api.refused("order_id_differs", changed(order, alice.key, id=town.new_id()), request)
    api.refused("request_hash_differs", changed(order, alice.key, reference=b"\1" * 16), request)
    api.refused("request_hash_differs", changed(order, alice.key, reference=NO_REFERENCE), request)
    # A request with the right content that somebody else signed, or that nobody signed.
    for forged in (
        replace(request, signature=bytes(64)),
        replace(request, signature=people.bob.key.sign(b"patard/request/1\0" + request.request.body())),
        replace(request.request, key_id=people.bob.key.id).sign(people.bob.key),
        replace(request.request, key_id=people.operator.id).sign(people.operator),
    ):
        api.refused("request_signature_invalid", fitting(forged), forged)
    # Another code of the same shop, that asks for the same.
    other = one_time(town, people.shop, 450)
    api.refused("order_id_differs", order, other)
    api.taken(order, request)


def test_the_last_second_of_a_request(api: Served, people: Cast) -> None:
    request = one_time(api.town, people.shop, 450, seconds=60)
    early, late = answer(api.town, people.alice, request), one_time(api.town, people.shop, 451, seconds=60)
    towns.clock(api.town).forward(60.999999)
    api.taken(early, request)
    towns.clock(api.town).forward(0.000001)
    stale = changed(answer(api.town, people.alice, late), people.alice.key, expires_at=seconds(api.town) + 60)
    api.refused("request_expired", stale, late)
    assert api.client.get(f"/v1/requests/{late.text}").json()["expired"] is True


def test_requests_of_a_till_that_was_stolen(api: Served, people: Cast) -> None:
    request = one_time(api.town, people.shop, 450, key=people.cashier)
    printed = _static(api, people, people.cashier)
    parties.revoke(api.town, parties.device(api.town, people.cashier.public))
    api.refused("request_signature_invalid", answer(api.town, people.alice, request), request)
    api.refused("request_signature_invalid", answer(api.town, people.alice, printed, 5), printed)


def test_only_payments_answer_requests(api: Served, people: Cast) -> None:
    """Or whoever refunds could put a memo there that nobody signed."""
    order = pay(api, people, 450)
    api.taken(order)
    forged = replace(one_time(api.town, people.shop, 450, label="Je vous dois tout"), signature=bytes(64))
    refund = refund_order(api.town, people.shop, people.alice, 450, order.order.id)
    api.refused("request_hash_differs", refund, forged)
    api.refused("request_hash_differs", ask_back_order(api.town, people.shop, 50), forged)
    api.taken(refund)
    headers = api.session(people.alice.key)
    entry = api.client.get(f"/v1/accounts/{shown(people.alice)}/entries", headers=headers).json()["entries"][0]
    assert (entry["kind"], entry["memo"]) == ("refund", None)


def test_each_purpose_has_its_path(api: Served, people: Cast) -> None:
    orders = (
        pay(api, people, 5),
        refund_order(api.town, people.shop, people.alice, 5, b"\1" * 16),
        ask_back_order(api.town, people.shop, 5),
    )
    paths = ("/v1/payments", "/v1/refunds", "/v1/reconversions")
    with unmoved(api.town):
        for order, own in zip(orders, paths, strict=True):
            for path in set(paths) - {own}:
                detail = is_problem(api.client.post(path, json={"order": order.text}), "message_malformed")
                assert own in detail


def test_order_texts_that_are_none(api: Served, people: Cast) -> None:
    good = pay(api, people, 5)
    raw = good.raw
    for bad in (
        "", raw[:-1], raw + b"\0", bytes(len(raw)), b"\1" + raw[1:], b"\3" + raw[1:], raw[:5] + b"\0" + raw[6:],
        raw[:5] + b"\4" + raw[6:], raw[:38] + bytes(4) + raw[42:], raw[:42] + b"patard\0\0" + raw[50:],
        raw[:42] + b"PA\0TARD\0" + raw[50:], raw[:6] + bytes(16) + raw[22:], raw[:22] + b"\xff" * 8 + raw[30:],
        raw[:30] + bytes(8) + raw[38:],
    ):  # fmt: skip
        text = b32encode(bad) if isinstance(bad, bytes) and bad else "0"
        with unmoved(api.town):
            response = api.client.post("/v1/payments", json={"order": text})
            assert response.json()["code"] in ("message_malformed", "amount_out_of_range"), (bad, response.text)
            is_problem(response, response.json()["code"])
    zero = raw[:38] + bytes(4) + raw[42:]
    is_problem(api.client.post("/v1/payments", json={"order": b32encode(zero)}), "amount_out_of_range")


# Which comes first


def test_which_refusal_comes_first(api: Served, people: Cast) -> None:
    """Fault upon fault on one order: each later one is named before those that were there."""
    town, alice = api.town, people.alice
    limited = replace(town.charter, limits=Limits(per_payment=200_000, per_day=300_000))
    object.__setattr__(town, "charter", limited)
    request = one_time(town, people.shop, 100_001)
    order, key = answer(town, alice, request), alice.key

    def refused(code: str) -> None:
        api.refused(code, order.order.sign(key) if order.key != key.public else order, request)

    api.refused("below_floor", order, request)
    object.__setattr__(town, "charter", replace(limited, limits=Limits(per_payment=100_001, per_day=100_001)))
    bob_pays = towns.order(town, people.bob, alice.account, 50_000)
    api.taken(bob_pays)
    api.taken(pay(api, people, 1))
    refused("limit_day")
    object.__setattr__(town, "charter", replace(limited, limits=Limits(per_payment=1_000, per_day=1_000)))
    refused("limit_payment")
    request = replace(request, signature=bytes(64))
    order = changed(order, key, reference=request.reference)
    refused("request_signature_invalid")
    order = changed(order, key, reference=b"\1" * 16)
    refused("request_hash_differs")
    order = changed(order, key, id=town.new_id())
    refused("order_id_differs")
    order = changed(order, key, amount=100_002)
    refused("request_amount_differs")
    order = changed(order, key, payee=people.bob.account)
    refused("request_payee_differs")
    request = replace(request, request=replace(request.request, expires_at=seconds(town) - 1))
    refused("request_expired")
    request = replace(request, request=replace(request.request, network=b"\0\0\0\1"))
    refused("request_network_differs")
    order = changed(order, key, payee=town.chart.circulation)
    refused("payee_unknown")
    order = changed(order, key, expires_at=seconds(town) + 10**6)
    refused("order_too_long")
    order = changed(order, key, expires_at=seconds(town) - 1)
    refused("order_expired")
    order, key = changed(order, people.cashier, payer=people.shop.account), people.cashier
    refused("role_insufficient")
    key = people.auditor
    order = order.order.sign(key)
    refused("key_unknown")
    order = changed(order, key, id=bob_pays.order.id)
    refused("id_taken")
    order = changed(order, key, payee=order.order.payer)
    refused("same_account")
    order = changed(order, key, unit="EUR")
    refused("unit_differs")
    order = changed(order, key, network=b"\0\0\0\1")
    refused("message_wrong_network")
    with unmoved(town):
        is_problem(api.client.post("/v1/refunds", json={"order": order.text}), "message_malformed")
    order = replace(order, signature=bytes(64))
    api.refused("signature_invalid", order, request)
    order = replace(order, key=bytes(32))
    api.refused("key_weak", order, request)
    body = {"order": order.text[:-1] + "-", "request": request.text}
    is_problem(api.client.post("/v1/payments", json=body), "message_malformed")
    is_problem(api.client.post("/v1/payments", json={**body, "x": 1}), "body_malformed")


# Limits


@contextmanager
def limited(folder: Path, per_payment: int | None, per_day: int | None) -> Iterator[tuple[Served, Cast]]:
    town = towns.found(folder / "home", towns.charter(limits=Limits(per_payment=per_payment, per_day=per_day)))
    people = cast(town)
    with served(town) as api:
        yield api, people
    town.book.close()


def _at(town: Town, *when: int) -> None:
    towns.clock(town).now = int(datetime(*when, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[misc,arg-type]


def test_a_limit_for_one_payment(tmp_path: Path) -> None:
    with limited(tmp_path, 500, None) as (api, people):
        api.taken(pay(api, people, 500))
        api.refused("limit_payment", pay(api, people, 501))
        for _ in range(5):
            api.taken(pay(api, people, 500))
        # Refunds and changing back are no payments.
        big = towns.order(api.town, people.shop, api.town.chart.waiting, 3_000, purpose=Purpose.RECONVERSION)
        api.taken(big)


def test_a_limit_for_one_day(tmp_path: Path) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        first = pay(api, people, 600)
        api.taken(first)
        api.refused("limit_day", pay(api, people, 401))
        api.taken(pay(api, people, 400))
        api.refused("limit_day", pay(api, people, 1))
        api.taken(first, replay=True)
        # What comes back does not count as not paid, and another payer is another payer.
        api.taken(refund_order(api.town, people.shop, people.alice, 600, first.order.id))
        api.refused("limit_day", pay(api, people, 1))
        api.taken(towns.order(api.town, people.bob, people.shop.account, 1_000))
        api.taken(towns.order(api.town, people.shop, people.alice.account, 900))


@pytest.mark.parametrize(
    ("before", "midnight"),
    [
        pytest.param((2025, 6, 15, 21, 59, 59), (2025, 6, 15, 22, 0, 0), id="summer"),
        pytest.param((2025, 12, 1, 22, 59, 59), (2025, 12, 1, 23, 0, 0), id="winter"),
        pytest.param((2025, 10, 25, 21, 59, 59), (2025, 10, 25, 22, 0, 0), id="the night before the clocks go back"),
        pytest.param((2025, 10, 26, 22, 59, 59), (2025, 10, 26, 23, 0, 0), id="the day of 25 hours"),
        pytest.param((2026, 3, 29, 21, 59, 59), (2026, 3, 29, 22, 0, 0), id="the day of 23 hours"),
    ],
)
def test_a_day_ends_at_midnight_in_paris(tmp_path: Path, before: tuple[int, ...], midnight: tuple[int, ...]) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        _at(api.town, *before)
        api.taken(pay(api, people, 1_000))
        towns.clock(api.town).forward(0.999_999)
        late = pay(api, people, 1)
        api.refused("limit_day", late)
        _at(api.town, *midnight)
        api.taken(late)
        api.taken(pay(api, people, 999))
        api.refused("limit_day", pay(api, people, 1))
        headers = api.session(people.shop.key)
        day = api.client.get(f"/v1/accounts/{shown(people.shop)}/day", headers=headers).json()
        assert (day["count"], day["received_cents"], day["total_cents"]) == (2, 1_000, 1_000)


def test_the_limit_holds_across_desks_and_restarts(tmp_path: Path) -> None:
    with limited(tmp_path, None, 1_000) as (api, people):
        api.taken(pay(api, people, 600))
        other = Desk(api.town)
        for amount, code in ((401, "limit_day"), (400, None), (1, "limit_day")):
            [result] = other.take([Submission(pay(api, people, amount))])
            assert result.code == code if isinstance(result, CurrencyError) else code is None
        api.refused("limit_day", pay(api, people, 1))


def test_a_batch_counts_its_own_payments(tmp_path: Path) -> None:
    """However the writer happens to gather them: a double tap counts once, what stands already not at all."""
    with limited(tmp_path, None, 1_000) as (api, people):
        desk = Desk(api.town)
        standing = pay(api, people, 300)
        api.taken(standing)
        twice, last, over = pay(api, people, 400), pay(api, people, 300), pay(api, people, 1)
        results = desk.take([Submission(s) for s in (standing, twice, twice, standing, last, over, twice, last)])
        codes = [r.code if isinstance(r, CurrencyError) else r.replay for r in results]
        assert codes == [True, False, True, True, False, "limit_day", True, True]
        assert balance(api, people.alice) == 99_000
        # And so it is told when it comes again.
        assert isinstance(desk.take([Submission(last)])[0], Taken)


def test_a_batch_where_one_refusal_must_not_take_others_with_it(api: Served, people: Cast) -> None:
    good, poor = pay(api, people, 1), pay(api, people, 10**6)
    late = pay(api, people, 2, seconds=-1)
    foreign = changed(pay(api, people, 3), people.alice.key, network=b"\0\0\0\1")
    request = one_time(api.town, people.shop, 5)
    wrong = answer(api.town, people.bob, one_time(api.town, people.shop, 5))
    batch = [Submission(s) for s in (poor, good, late, foreign)] + [Submission(wrong, request), Submission(good)]
    results = Desk(api.town).take(batch)
    codes = [r.code if isinstance(r, CurrencyError) else r.replay for r in results]
    assert codes == ["below_floor", False, "order_expired", "message_wrong_network", "order_id_differs", True]


# Refunds


def test_a_refund_in_parts(api: Served, people: Cast) -> None:
    payment = pay(api, people, 450)
    api.taken(payment)
    id_ = payment.order.id
    first = refund_order(api.town, people.shop, people.alice, 200, id_)
    api.taken(first)
    api.taken(first, replay=True)
    by_till = refund_order(api.town, people.shop, people.alice, 249, id_)
    api.taken(by_till.order.sign(people.cashier))
    api.refused("correction_exceeds", refund_order(api.town, people.shop, people.alice, 2, id_))
    api.taken(refund_order(api.town, people.shop, people.alice, 1, id_))
    api.refused("correction_exceeds", refund_order(api.town, people.shop, people.alice, 1, id_))
    assert (balance(api, people.alice), balance(api, people.shop)) == (100_000, 0)
    state = api.client.get(f"/v1/payments/{id_.hex()}", headers=api.session(people.alice.key)).json()
    assert (state["amount_cents"], state["refunded_cents"]) == (450, 450)


def test_refunds_that_fit_no_payment(api: Served, people: Cast) -> None:
    payment = pay(api, people, 450)
    api.taken(payment)
    api.taken(towns.order(api.town, people.bob, people.shop.account, 450))
    other = towns.member(api.town, "shop", "Épicerie")
    conversion.convert(api.town, other.party, 1_000, reserve=BANK, reference="EPICERIE")
    id_ = payment.order.id
    api.refused("correction_unknown", refund_order(api.town, people.shop, people.alice, 5, b"\1" * 16))
    api.refused("correction_unknown", refund_order(api.town, people.shop, people.alice, 5, people.alice.party.id))
    api.refused("correction_unrelated", refund_order(api.town, people.shop, people.bob, 5, id_))
    api.refused("correction_unrelated", refund_order(api.town, other, people.alice, 5, id_))
    api.refused("correction_exceeds", refund_order(api.town, people.shop, people.alice, 451, id_))
    conversion_id = conversion.conversion_id(api.town, BANK, "EPICERIE")
    unit_back = towns.order(api.town, other, api.town.chart.circulation, 5, purpose=Purpose.REFUND,
                            reference=conversion_id)  # fmt: skip
    api.refused("payee_unknown", unit_back)
    own = changed(payment, people.alice.key, id=api.town.new_id(), purpose=Purpose.REFUND, reference=id_)
    api.refused("role_insufficient", own)


def test_a_refund_needs_what_it_gives_back(api: Served, people: Cast) -> None:
    payment = pay(api, people, 450)
    api.taken(payment)
    api.taken(towns.order(api.town, people.shop, people.bob.account, 400))
    api.refused("below_floor", refund_order(api.town, people.shop, people.alice, 51, payment.order.id))
    api.taken(refund_order(api.town, people.shop, people.alice, 50, payment.order.id))


def test_a_refund_to_a_party_that_was_closed(api: Served, people: Cast) -> None:
    payment = pay(api, people, 100_000)
    api.taken(payment)
    parties.close(api.town, people.alice.party)
    api.refused("account_closed", refund_order(api.town, people.shop, people.alice, 5, payment.order.id))


# Changing back


@pytest.mark.parametrize("kind", list(PartyKind))
@pytest.mark.parametrize("allowed", [frozenset(), frozenset({"shop"}), frozenset(PartyKind)], ids=len)
def test_who_may_change_back(tmp_path: Path, kind: PartyKind, allowed: frozenset[str]) -> None:
    town = towns.found(tmp_path / "home", towns.charter(reconversion_by=frozenset(map(PartyKind, allowed))))
    role = {"person": "member"}.get(kind, "owner")
    member = towns.member(town, kind, "Qui", role)
    conversion.convert(town, member.party, 1_000, reserve=BANK, reference="S-1")
    with served(town) as api:
        order = ask_back_order(town, member, 400)
        if kind in allowed:
            api.taken(order)
            assert town.book.balance(town.chart.waiting) == 400
        else:
            api.refused("reconversion_not_allowed", order)
    town.book.close()


def test_changing_back_goes_to_the_waiting_account(api: Served, people: Cast) -> None:
    api.taken(pay(api, people, 1_000))
    ask = ask_back_order(api.town, people.shop, 400)
    for payee in (api.town.chart.circulation, people.alice.account, api.town.chart.payouts):
        api.refused("request_payee_differs", changed(ask, people.shop.key, payee=payee))
    api.refused("below_floor", ask_back_order(api.town, people.shop, 1_001))
    api.taken(ask)


@pytest.mark.parametrize("first", ["acceptance", "refusal"])
def test_changing_back_is_decided_once(api: Served, people: Cast, first: str) -> None:
    api.taken(pay(api, people, 1_000))
    ask = ask_back_order(api.town, people.shop, 400)
    api.taken(ask)
    headers = api.session(people.treasurer)
    path = f"/v1/reconversions/{ask.order.id.hex()}"
    second = "refusal" if first == "acceptance" else "acceptance"
    waiting = api.client.get("/v1/reconversions", headers=headers).json()["reconversions"]
    assert [(w["amount_cents"], w["fee_cents"], w["payout_cents"]) for w in waiting] == [(400, 20, 380)]
    assert api.client.post(f"{path}/{first}", headers=headers).status_code == 201
    with unmoved(api.town):
        again = api.client.post(f"{path}/{first}", headers=headers)
        assert (again.status_code, again.json()["replay"]) == (200, True)
        is_problem(api.client.post(f"{path}/{second}", headers=headers), "reconversion_decided")
    assert api.client.get("/v1/reconversions", headers=headers).json() == {"reconversions": []}
    chart = api.town.chart
    expected = (600, 0, 20, 380) if first == "acceptance" else (1_000, 0, 0, 0)
    accounts = (people.shop.account, chart.waiting, chart.income, chart.payouts)
    assert tuple(map(balances(api.town).__getitem__, accounts)) == expected
    units_sum_to_zero(api.town)


@pytest.mark.parametrize("id_", ["", "zz", "00", "00" * 16, "é", "ab" * 17])
def test_decisions_on_nothing(api: Served, people: Cast, id_: str) -> None:
    headers = api.session(people.treasurer)
    for decision in ("acceptance", "refusal"):
        is_problem(api.client.post(f"/v1/reconversions/{id_}/{decision}", headers=headers), "not_found")
    payment = pay(api, people, 5)
    api.taken(payment)
    is_problem(api.client.post(f"/v1/reconversions/{payment.order.id.hex()}/acceptance", headers=headers), "not_found")


# Reading what became of it


def test_ids_are_read_in_one_form(api: Served, people: Cast) -> None:
    order = pay(api, people, 5)
    api.taken(order)
    headers, id_ = api.session(people.alice.key), order.order.id.hex()
    assert api.client.get(f"/v1/payments/{id_}", headers=headers).json()["id"] == id_
    for other in (id_.upper(), f"{id_[:2]} {id_[2:]}", f"{id_} ", id_[:-1], id_ + "00", "0x" + id_):
        is_problem(api.client.get(f"/v1/payments/{other}", headers=headers), "not_found")


def test_the_receipt_is_made_again_from_the_log(api: Served, people: Cast) -> None:
    order = pay(api, people, 5)
    first = api.taken(order)
    again = api.client.get(f"/v1/payments/{order.order.id.hex()}", headers=api.session(people.shop.key)).json()
    assert again["receipt"] == first.text
    assert (again["kind"], again["payer"]["name"], again["payee"]["name"]) == ("payment", "Alice", "Boulangerie")


@pytest.mark.parametrize("cursor", ["x", "", "0" * 13, "Z" * 13, "a" * 13, "0000000000000", "%00", "1" * 40])
def test_cursors_that_are_none(api: Served, people: Cast, cursor: str) -> None:
    url = f"/v1/accounts/{shown(people.alice)}/entries"
    response = api.client.get(url, params={"cursor": cursor}, headers=api.session(people.alice.key))
    is_problem(response, "cursor_malformed")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "limit=1.0", "limit=x", "limit=-1", "since=yesterday", "since=2025-06-15",
              "until=2025-06-15T10:00:00", f"since={'2' * 5_000}", "since=1969-12-31T23:59:59Z", "until=",
              "limit="],
)  # fmt: skip
def test_pages_that_are_none(api: Served, people: Cast, query: str) -> None:
    url = f"/v1/accounts/{shown(people.alice)}/entries?{query}"
    is_problem(api.client.get(url, headers=api.session(people.alice.key)), "body_malformed")


def test_a_statement_in_pages_is_the_statement(api: Served, people: Cast) -> None:
    for amount in range(1, 24):
        api.taken(pay(api, people, amount))
    url, headers = f"/v1/accounts/{shown(people.alice)}/entries", api.session(people.alice.key)
    whole = api.client.get(url, headers=headers).json()["entries"]
    assert len(whole) == 24 and whole[0]["balance_cents"] == balance(api, people.alice)
    assert sum(entry["change_cents"] for entry in whole) == whole[0]["balance_cents"]
    for limit in (1, 5, 23, 24, 25):
        pages, cursor = [], None
        while True:
            page = api.client.get(url, params={"limit": limit} | ({"cursor": cursor} if cursor else {}),
                                  headers=headers).json()  # fmt: skip
            pages += page["entries"]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert pages == whole
    then = api.client.get(f"/v1/accounts/{shown(people.alice)}", params={"at": whole[5]["at"]}, headers=headers).json()
    assert then["balance_cents"] == whole[5]["balance_cents"]
    since = api.client.get(url, params={"since": whole[5]["at"]}, headers=headers).json()["entries"]
    assert since == whole[:6]
    until = api.client.get(url, params={"until": whole[5]["at"]}, headers=headers).json()["entries"]
    assert until == whole[5:]


# The office


def test_conversions(api: Served, people: Cast) -> None:
    headers = api.session(people.operator)
    body = {"account": shown(people.alice), "amount_cents": 500, "reserve": BANK, "reference": "vir 1"}

    def send(**changes: Any) -> Any:
        return api.client.post("/v1/conversions", json={**body, **changes}, headers=headers)

    assert send().status_code == 201
    with unmoved(api.town):
        assert (send().status_code, send().json()["replay"]) == (200, True)
        is_problem(send(amount_cents=501), "conversion_taken")
        is_problem(send(account=shown(people.bob)), "conversion_taken")
        is_problem(send(reserve="Coffre"), "reserve_account_unknown")
        is_problem(send(reference="-"), "reference_malformed")
        is_problem(send(account="0KX7Q-92MAB-4TZ9"), "body_malformed")
        circulation = parties.Party(b"", "", "", api.town.chart.circulation, 0, None)
        is_problem(send(account=shown(circulation), reference="X"), "not_found")
    units_sum_to_zero(api.town)
    parties.close(api.town, people.shop.party)
    with unmoved(api.town):
        is_problem(send(account=shown(people.shop), reference="Y"), "account_closed")


def test_parties(api: Served, people: Cast) -> None:
    headers = api.session(people.operator)

    def admit(**body: Any) -> Any:
        return api.client.post("/v1/parties", json={"kind": "shop", "name": "Nouvelle", **body}, headers=headers)

    id_ = api.town.new_id().hex()
    first = admit(id=id_).json()
    with unmoved(api.town):
        assert admit(id=id_).json() == first
        is_problem(admit(id=id_, kind="person"), "id_taken")
        is_problem(admit(kind="king"), "party_kind_unknown")
        is_problem(admit(id="00" * 16), "id_reserved")
        is_problem(admit(id=people.alice.party.id.hex()), "id_taken")
        path = f"/v1/parties/{shown(people.alice)}"
        is_problem(api.client.delete(path, headers=headers), "account_not_empty")
    towns.take(api.town, towns.order(api.town, people.alice, people.bob.account, 100_000))
    assert api.client.delete(f"/v1/parties/{shown(people.alice)}", headers=headers).status_code == 204


# When the server cannot


def test_a_queue_that_is_full(api: Served, people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    services = api.client.app.state.services  # type: ignore[attr-defined]
    monkeypatch.setattr(services.writer, "_max_waiting", 0)
    order = pay(api, people, 5)
    with unmoved(api.town):
        response = api.send(order)
        is_problem(response, "busy")
        assert response.headers["retry-after"] == "1"
    monkeypatch.undo()
    api.taken(order)


@pytest.mark.parametrize("trouble", ["disk", "bug"])
def test_a_database_that_fails(api: Served, people: Cast, monkeypatch: pytest.MonkeyPatch, trouble: str) -> None:
    import pysqlite3

    error = pysqlite3.OperationalError("database or disk is full") if trouble == "disk" else RuntimeError("a bug")

    def post(*_: object, **__: object) -> None:
        raise error

    order = pay(api, people, 5)
    monkeypatch.setattr(api.town.book, "post", post)
    with unmoved(api.town):
        detail = is_problem(api.send(order), "store_unavailable" if trouble == "disk" else "internal")
    assert str(error) not in detail
    monkeypatch.undo()
    api.taken(order)
