"""What the desk refuses: every refusal by its name, and which of two comes first."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.core.ids import b32encode, new_account_number
from ledger.currency import parties
from ledger.currency.chart import own_number
from ledger.currency.charter import Limits
from ledger.currency.errors import CurrencyError
from ledger.currency.messages import NO_REFERENCE, SignedOrder, SignedRequest
from merchants.desk import Desk, Submission
from tests import towns
from tests.api.orders import _revoke, _static, changed, pay, seconds
from tests.served import Cast, Served, answer, ask_back_order, is_problem, one_time, refund_order, shown, unmoved
from tests.towns import Member

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


# Batches


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
