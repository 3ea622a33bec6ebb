"""The calls of the API, by whom they are for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import httpx

from api.client.answers import (
    Balance,
    Booked,
    Day,
    DeviceKey,
    Entry,
    Fields,
    Invite,
    LogHead,
    Me,
    Page,
    Party,
    Payment,
    RequestState,
    SignedDirectory,
    Taken,
)
from api.client.bank import BankCalls
from api.client.confirming import ConfirmationCalls
from api.client.connection import Connection
from api.client.monthly import MonthlyCalls
from api.client.payouts import PayoutCalls
from api.client.wire import unreachable
from ledger.currency import proofs
from ledger.currency.join_codes import CODE_BYTES, code_hash, code_of, plain_code
from ledger.currency.keys import PrivateKey
from ledger.currency.messages import Purpose, SignedOrder, SignedRequest

_ORDERS = {Purpose.PAYMENT: "/v1/payments", Purpose.REFUND: "/v1/refunds", Purpose.RECONVERSION: "/v1/reconversions"}


class Client(BankCalls, ConfirmationCalls, MonthlyCalls, PayoutCalls, Connection):
    """Every call of the API, over one `Connection`."""

    # Anybody

    def health(self) -> None:
        """Return if the server and its database answer."""
        self._get("/health", lambda f: f.text("status"))

    def log(self, at: int | None = None) -> LogHead:
        """The end of the log, or its end when it had `at` entries. The caller checks the signature."""
        return self._get("/v1/log" if at is None else f"/v1/log?at={at}", LogHead.read)

    def directory(self, account: str | None = None) -> SignedDirectory:
        """Everybody that is listed, or the one party that holds `account`. The caller checks the signature."""
        return self._get("/v1/directory" + (f"/{account}" if account else ""), SignedDirectory.read)

    def request(self, signed: SignedRequest) -> RequestState:
        """What the server knows of a payment request."""
        return self._get(f"/v1/requests/{signed.text}", RequestState.read)

    def join(self, key: PrivateKey, code: str, label: str) -> Me:
        """Register `key` with a join code, however it was typed, and use the key from now on."""
        code = plain_code(code)
        signature = proofs.sign_join(key, self._network(), code)
        body = {"code": code, "key": key.public.hex(), "label": label, "signature": signature.hex()}
        me = self._read(Me.read, self._wire.send("POST", "/v1/joins", body, safe=True))
        self.key, self._token = key, None
        return me

    # Orders: authorised by their own signature, no session needed

    def send_order(self, order: SignedOrder, request: SignedRequest | None = None) -> Taken:
        """Send an order of any purpose. The same bytes again get the same answer, so time-outs are tried again."""
        return self.send_order_text(order.order.purpose, order.text, request.text if request else None)

    def send_order_text(self, purpose: Purpose, order: str, request: str | None = None) -> Taken:
        """`send_order` for texts kept from before."""
        body = {"order": order} if request is None else {"order": order, "request": request}
        return self._read(Taken.read, self._wire.send("POST", _ORDERS[purpose], body, safe=True))

    # Those who hold a key

    def me(self) -> Me:
        """Whose key this is."""
        return self._mine("GET", "/v1/me", Me.read)

    def balance(self, account: str, at: datetime | None = None) -> Balance:
        """The balance, now or at a past moment."""
        return self._mine("GET", f"/v1/accounts/{account}", Balance.read, params=_given(at=_rfc3339(at)))

    def entries(
        self,
        account: str,
        *,
        limit: int = 50,
        cursor: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> Page:
        """A statement page, newest first; `limit` to 500, `since` and `until` both inclusive."""
        params = _given(limit=str(limit), cursor=cursor, since=_rfc3339(since), until=_rfc3339(until))
        return self._mine("GET", f"/v1/accounts/{account}/entries", Page.read, params=params)

    def day(self, account: str) -> Day:
        """What the account took today."""
        return self._mine("GET", f"/v1/accounts/{account}/day", Day.read)

    def events(self, account: str, after: int | None = None) -> Iterator[Entry]:
        """Entries as they come, from after log entry `after` (None: from now), until the connection ends.

        Raises `ServerUnreachable` when it breaks: go on with the `seq` of the last entry.
        """
        params = _given(after=None if after is None else str(after))
        headers = {**self._bearer(), "Accept": "text/event-stream"}
        # Twice the heartbeat: a line that is silent for longer is dead.
        timeout = httpx.Timeout(10.0, read=40.0)
        try:
            with self._wire.http.stream(
                "GET", f"/v1/accounts/{account}/events", params=params, headers=headers, timeout=timeout
            ) as response:
                if response.status_code != 200:
                    response.read()
                    raise self._wire.problem(response)
                for line in response.iter_lines():
                    if line.startswith("data:"):
                        yield Entry.read(Fields(httpx.Response(200, content=line[5:]).json()))
        except (httpx.TransportError, ValueError) as error:
            raise unreachable(error, maybe_sent=True) from error

    def payment(self, id: str) -> Payment:
        """A payment, refund or request to change back that one is a side of."""
        return self._mine("GET", f"/v1/payments/{id}", Payment.read)

    def keys(self) -> list[DeviceKey]:
        """The keys of one's own party."""
        return self._mine("GET", "/v1/keys", lambda f: [DeviceKey.read(k) for k in f.objects("keys")])

    def revoke(self, key: bytes) -> None:
        """Revoke a key of one's own party (the association's office: any)."""
        self._mine("DELETE", f"/v1/keys/{key.hex()}", lambda _: None)

    def invite(self, role: str, account: str | None = None) -> Invite:
        """A one-time join code for one more device of one's own party (the office: of any). It is made here."""
        code = code_of(os.urandom(CODE_BYTES))
        body = _given(role=role, account=account, code_hash=code_hash(code).hex())
        return self._mine("POST", "/v1/invites", lambda f: Invite.read(f, code), body=body, safe=False)

    # The association's office

    def parties(self) -> list[Party]:
        """Every party."""
        return self._mine("GET", "/v1/parties", lambda f: [Party.read(p) for p in f.objects("parties")])

    def admit(self, kind: str, name: str, id: bytes | None = None) -> Party:
        """Admit a party. With an `id` of 16 bytes a repeat is recognised, and so a time-out is tried again."""
        body = _given(kind=kind, name=name, id=id.hex() if id else None)
        return self._mine("POST", "/v1/parties", Party.read, body=body, safe=id is not None)

    def close_party(self, account: str) -> None:
        """Close a party whose account is empty."""
        self._mine("DELETE", f"/v1/parties/{account}", lambda _: None)

    def convert(
        self, account: str, amount_cents: int, *, reserve: str, reference: str, booked_on: date | None = None
    ) -> Booked:
        """Issue units against euros; the slip or bank reference makes a repeat the same."""
        body: dict[str, Any] = {
            "account": account,
            "amount_cents": amount_cents,
            "reserve": reserve,
            "reference": reference,
        }
        if booked_on is not None:
            body["booked_on"] = booked_on.isoformat()
        return self._mine("POST", "/v1/conversions", Booked.read, body=body)

    def reconversions(self) -> list[dict[str, Any]]:
        """Requests to change back that wait, as the server lists them."""
        return self._mine("GET", "/v1/reconversions", lambda f: [one.all() for one in f.objects("reconversions")])

    def accept(self, id: str) -> Booked:
        """Accept a request to change back (treasurers)."""
        return self._mine("POST", f"/v1/reconversions/{id}/acceptance", Booked.read)

    def refuse(self, id: str) -> Booked:
        """Refuse a request to change back (treasurers): the units go back."""
        return self._mine("POST", f"/v1/reconversions/{id}/refusal", Booked.read)

    def reserve(self) -> dict[str, Any]:
        """The reserve report, as the server gives it."""
        return self._mine("GET", "/v1/reserve", lambda f: f.all())


def _given(**values: str | None) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _rfc3339(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
