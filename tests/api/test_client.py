"""The API's client: every answer typed, sessions renewed, and a second try only where it cannot do harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from api.client import ApiError, Client, ServerUnreachable, plain_code
from ledger.core.ids import account_text
from ledger.currency import join_codes, parties
from ledger.currency.messages import SignedReceipt
from ledger.currency.town import Town
from tests import towns
from tests.served import Cast, Served, ask_back_order, cast, one_time, refund_order, serving
from tests.wallet_cli.network import (
    Fault,
    Network,
    bad_gateway,
    broken_off,
    login_page,
    lost_answer,
    lost_request,
    problem,
    refused_connection,
)

FRESH = bytes(6) + b"\x70\x00\x80" + bytes(6) + b"1"
"""A UUIDv7."""


def clock_ahead(town: Town) -> float:
    """Seconds by which the town's clock is ahead of this machine's: what a real server's answers tell a client."""
    return town.now() / 1_000_000 - time.time()


@pytest.fixture
def network(api: Served) -> Network:
    return Network(api.client._transport)


@pytest.fixture
def client(network: Network, town: Town) -> Iterator[Client]:
    with Client("http://127.0.0.1", transport=network, sleep=lambda _: None) as made:
        made._wire._clock_ahead = clock_ahead(town)
        yield made


def text(member: towns.Member) -> str:
    return account_text(member.account)


# --- what it reads ---------------------------------------------------------------------------------------


def test_what_anybody_may_read(client: Client, town: Town, people: Cast) -> None:
    client.health()
    currency = client.currency()
    assert (currency.code, currency.network, currency.key) == ("PATARD", town.charter.network, town.key.public)
    assert currency.waiting_account == account_text(town.chart.waiting)
    assert client.log().size == town.book.head().seq
    signed = one_time(town, people.shop, 450, label="Pain")
    state = client.request(signed)
    assert (state.amount_cents, state.label, state.paid, state.payee.name) == (450, "Pain", False, "Boulangerie")
    assert state.payment_id == signed.request.payment_id().hex()
    assert "Boulangerie" in client.directory().content
    assert "Alice" in client.directory(text(people.alice)).content


def test_a_members_life(client: Client, town: Town, people: Cast) -> None:
    key = towns.key_of("a new phone")
    code = parties.invite(town, people.alice.party, "member")
    me = client.join(key, f"{code[:5].lower()}-{code[5:]}", "Poche")
    assert (me.party.name, me.role, me.label, me.key) == ("Alice", "member", "Poche", key.public)
    assert client.join(key, code, "Poche") == me
    assert client.me() == me
    assert client.balance(me.party.account).cents == 100_000

    taken = client.send_order(towns.order(town, people.alice, people.shop.account, 450))
    assert not taken.replay
    SignedReceipt.parse(taken.receipt).verify(town.charter.network, town.key.public)
    payment = client.payment(taken.id.hex())
    assert (payment.payer.name, payment.payee.name, payment.amount_cents) == ("Alice", "Boulangerie", 450)
    newest, first = client.entries(me.party.account).entries
    assert (newest.id, newest.change_cents, newest.balance_cents) == (taken.id.hex(), -450, 99_550)
    assert first.kind == "conversion"
    page = client.entries(me.party.account, limit=1)
    assert page.next_cursor is not None
    assert client.entries(me.party.account, limit=1, cursor=page.next_cursor).entries == (first,)
    assert client.entries(me.party.account, since=newest.at).entries == (newest,)
    assert client.entries(me.party.account, until=newest.at - timedelta(microseconds=1)).entries == (first,)
    assert client.balance(me.party.account, at=first.at).cents == 100_000

    keys = client.keys()
    assert {k.label for k in keys} == {"Alice", "Poche"}
    invite = client.invite("member")
    assert plain_code(invite.code) in invite.link
    client.revoke(people.alice.key.public)
    with pytest.raises(ApiError) as caught:
        client.send_order(towns.order(town, people.alice, people.shop.account, 1))
    assert (caught.value.code, caught.value.status, caught.value.is_final) == ("key_unknown", 403, True)
    client.close_session()


def test_a_shop_and_the_office(client: Client, town: Town, people: Cast) -> None:
    paid = client.send_order(towns.order(town, people.alice, people.shop.account, 1_000))
    back = client.send_order(refund_order(town, people.shop, people.alice, 200, paid.id))
    asked = client.send_order(ask_back_order(town, people.shop, 500))
    client.key = people.shop.key
    assert client.payment(paid.id.hex()).refunded_cents == 200
    assert client.payment(back.id.hex()).kind == "refund"
    day = client.day(text(people.shop))
    assert (day.payments, day.received_cents, day.refunded_cents, day.total_cents) == (1, 1_000, 200, 800)

    with Client("http://127.0.0.1", transport=client._wire.http._transport, key=people.treasurer) as office:
        office._wire._clock_ahead = clock_ahead(town)
        assert [one["id"] for one in office.reconversions()] == [asked.id.hex()]
        assert office.accept(asked.id.hex()).replay is False
        assert office.accept(asked.id.hex()).replay is True
        with pytest.raises(ApiError, match="reconversion_decided"):
            office.refuse(asked.id.hex())
        new = office.admit("person", "Chloé", FRESH)
        assert office.admit("person", "Chloé", FRESH) == new
        for replay in (False, True):
            slip = {"reserve": towns.BANK, "reference": "A-1"}
            assert office.convert(new.account, 700, **slip, booked_on=date(2025, 6, 1)).replay is replay
        assert office.balance(new.account).cents == 700
        assert {party.name for party in office.parties()} >= {"Chloé", "Alice"}
        assert office.reserve()["covered"] is True
        empty = office.admit("person", "David")
        office.close_party(empty.account)


def test_live_events(town: Town, people: Cast) -> None:
    with serving(town, heartbeat=0.2) as url, Client(url, key=people.shop.key) as client:
        first = client.send_order(towns.order(town, people.alice, people.shop.account, 1))
        stream = client.events(text(people.shop), after=0)
        assert next(stream).id == first.id.hex()
        second = client.send_order(towns.order(town, people.alice, people.shop.account, 2))
        entry = next(stream)
        assert (entry.id, entry.change_cents) == (second.id.hex(), 2)
        stream.close()  # type: ignore[attr-defined]
        with pytest.raises(ApiError, match="not_found"):
            next(client.events(text(people.alice)))


def test_typed_codes_are_the_servers(town: Town) -> None:
    for typed in ("abcde-fghjk", " ABCDE FGHJK ", "O1lIo-00000"):
        assert plain_code(typed) == join_codes.plain_code(typed)


# --- sessions --------------------------------------------------------------------------------------------


def test_a_session_that_ended_is_renewed_once(client: Client, town: Town, people: Cast, network: Network) -> None:
    client.key = people.alice.key
    client.me()
    towns.clock(town).forward(10 * 86_400)
    client.me()
    assert [seen.path for seen in network.seen].count("/v1/sessions") == 2
    network.fail("/v1/me", problem(401, "session_missing"))
    with pytest.raises(ApiError, match="session_missing"):
        client.me()
    assert [seen.path for seen in network.seen].count("/v1/sessions") == 3


def test_reading_needs_a_key(client: Client) -> None:
    with pytest.raises(ValueError, match="key"):
        client.me()


# --- silence ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [refused_connection, lost_answer, broken_off, bad_gateway, problem(503, "busy")])
def test_an_order_is_sent_again_as_it_was(
    client: Client, town: Town, people: Cast, network: Network, fault: Fault
) -> None:
    network.fail("/v1/payments", fault, times=1)
    taken = client.send_order(towns.order(town, people.alice, people.shop.account, 450))
    first, second = network.orders()
    assert first == second
    assert taken.replay is (fault in (lost_answer, broken_off, bad_gateway))
    assert town.book.balance(people.shop.account) == 450


@pytest.mark.parametrize(
    ("fault", "maybe_sent", "kind"),
    [
        (refused_connection, False, "connection"), (lost_request, True, "timeout"), (lost_answer, True, "timeout"),
        (broken_off, True, "connection"), (login_page, True, "answer"), (bad_gateway, True, "answer"),
    ],
)  # fmt: skip
def test_silence_is_told_from_refusal(
    client: Client, town: Town, people: Cast, network: Network, fault: Fault, maybe_sent: bool, kind: str
) -> None:
    network.fail("/v1/payments", fault)
    with pytest.raises(ServerUnreachable) as caught:
        client.send_order(towns.order(town, people.alice, people.shop.account, 450))
    assert (caught.value.maybe_sent, caught.value.kind) == (maybe_sent, kind)
    assert len(network.orders()) <= 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_server_that_cannot_now(client: Client, town: Town, people: Cast, network: Network, status: int) -> None:
    network.fail("/v1/payments", problem(status, "busy"))
    with pytest.raises(ApiError) as caught:
        client.send_order(towns.order(town, people.alice, people.shop.account, 450))
    assert not caught.value.is_final
    assert len(network.orders()) == 3


def test_a_refusal_after_a_silence_says_so(client: Client, town: Town, people: Cast, network: Network) -> None:
    network.fail("/v1/payments", lost_request, times=1)
    with pytest.raises(ApiError) as caught:
        client.send_order(towns.order(town, people.alice, people.shop.account, 1_000_000))
    assert (caught.value.code, caught.value.unanswered_before) == ("below_floor", True)
    with pytest.raises(ApiError) as caught:
        client.send_order(towns.order(town, people.alice, people.shop.account, 1_000_000))
    assert caught.value.unanswered_before is False


def test_what_the_server_would_not_recognise_is_sent_once(client: Client, people: Cast, network: Network) -> None:
    client.key = people.treasurer
    client.me()
    for path, call in (
        ("/v1/invites", lambda: client.invite("operator")),
        ("/v1/parties", lambda: client.admit("person", "Zoé")),
        ("/v1/sessions", client.open_session),
    ):
        network.seen.clear()
        network.fail(path, broken_off)
        with pytest.raises(ServerUnreachable):
            call()
        assert [seen.path for seen in network.seen].count(path) == 1
        network.heal()


def test_a_long_wait_is_not_waited_for(town: Town) -> None:
    waits: list[float] = []

    def busy(request: httpx.Request) -> httpx.Response:
        body = {"code": "busy", "detail": "later"}
        kind = {"content-type": "application/problem+json", "retry-after": "30"}
        return httpx.Response(503, json=body, headers=kind)

    with Client("http://127.0.0.1", transport=httpx.MockTransport(busy), sleep=waits.append) as client:
        with pytest.raises(ApiError) as caught:
            client.currency()
        assert (caught.value.retry_after, waits) == (30, [])


# --- answers of another shape ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b"{"), httpx.Response(200, json=[]), httpx.Response(200, json={}),
        httpx.Response(200, json={"size": "7", "root": "00" * 32, "at": None}),
        httpx.Response(200, json={"size": True, "root": "00" * 32, "at": None}),
        httpx.Response(200, json={"size": 7.0, "root": "00" * 32, "at": None}),
        httpx.Response(200, json={"size": 7, "root": "xx", "at": None}),
        httpx.Response(200, json={"size": 7, "root": "00" * 32, "at": "2026-11-23T10:00:00"}),
        httpx.Response(200, json={"size": 7, "root": "00" * 32, "at": "today"}),
        httpx.Response(200, content=b"[" * 100_000), httpx.Response(302, headers={"location": "/"}),
        httpx.Response(404, html="nginx"), httpx.Response(404, json={"detail": "Not Found"}),
        httpx.Response(404, content=b"{", headers={"content-type": "application/problem+json"}),
        httpx.Response(404, json={"code": 7}, headers={"content-type": "application/problem+json"}),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_of_this_api(answer: httpx.Response) -> None:
    with Client("http://127.0.0.1", transport=httpx.MockTransport(lambda _: answer), sleep=lambda _: None) as client:
        with pytest.raises(ServerUnreachable) as caught:
            client.log()
        assert caught.value.kind == "answer"


def test_the_servers_clock() -> None:
    def with_date(shown: str) -> Callable[[httpx.Request], httpx.Response]:
        answer = {"size": 0, "root": "", "at": None, "at_us": 0, "signature": ""}
        return lambda _: httpx.Response(200, json=answer, headers={"date": shown})

    for shown, ahead in (("Wed, 01 Jan 2099 00:00:00 GMT", True), ("nonsense", False)):
        with Client("http://127.0.0.1", transport=httpx.MockTransport(with_date(shown))) as client:
            client.log()
            there = datetime.fromtimestamp(client.server_time(), UTC)
            assert (there.year == 2099) is ahead


def test_no_proxy_to_this_machine(monkeypatch: pytest.MonkeyPatch, town: Town) -> None:
    """A proxy in the environment is for the world outside."""
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://192.0.2.1:9")
    cast(town)
    with serving(town) as url, Client(url, timeout=5) as client:
        client.health()
