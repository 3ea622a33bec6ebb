"""The desk over HTTP: payments, the same again, refunds; nothing moves twice or in part."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.currency import conversion, parties
from ledger.currency.messages import Purpose, SignedOrder
from tests import towns
from tests.api.orders import _revoke, _static, balance, changed, pay, seconds
from tests.served import Cast, Served, answer, is_problem, one_time, refund_order, shown, units_sum_to_zero, unmoved
from tests.towns import BANK

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
