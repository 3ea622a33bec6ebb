"""Reading an account: balance now or then, statement pages, the day, live events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse

from api.auth import Caller, Served, Token, readable
from api.schemas.fields import Limit, Place, moment, rfc3339
from api.schemas.town import AccountOut, DayOut, EntriesOut, entry_out
from ledger.core.ids import account_text, b32decode, b32encode
from ledger.currency import parties
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell
from merchants import statement

router = APIRouter(prefix="/v1/accounts", tags=["accounts"])


def _moment(name: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        found = moment(text)
    except (ValueError, OverflowError) as error:
        raise CurrencyError("body_malformed", tell("{name}: {error}", name=name, error=error)) from None
    if not 0 <= found < 2**62:
        raise CurrencyError("body_malformed", tell("{name}: outside of what a book can hold", name=name))
    return found


def cursor_of(text: str | None) -> int | None:
    """The place that a cursor stands for. Raises `CurrencyError`: cursor_malformed."""
    if text is None:
        return None
    try:
        raw = b32decode(text)
    except ValueError:
        raw = b""
    if len(raw) != 8 or not 0 < int.from_bytes(raw) < 2**62:
        raise CurrencyError("cursor_malformed", tell("this cursor is not one that this list gave"))
    return int.from_bytes(raw)


def cursor_text(place: int) -> str:
    """The cursor that stands for a place; opaque to whoever gets it."""
    return b32encode(place.to_bytes(8))


@router.get("/{account}", response_model=AccountOut)
def account(
    account: str, found: Served, caller: Caller, at: Annotated[str | None, Query(max_length=40)] = None
) -> AccountOut:
    """The balance, now or as it was at a past moment."""
    number = readable(caller, account)
    then = _moment("at", at)
    state = found.town.book.account(number)
    with found.town.reading() as connection:
        party = parties.by_accounts(connection, {number}).get(number)
    return AccountOut(
        account=account_text(number),
        unit=state.unit,
        balance_cents=state.balance if then is None else found.town.book.balance(number, then),
        at=rfc3339(found.town.now() if then is None else then),
        name=party.name if party else None,
        kind=party.kind if party else None,
    )


@router.get("/{account}/entries", response_model=EntriesOut)
def entries(
    account: str,
    found: Served,
    caller: Caller,
    limit: Limit = 50,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    since: Annotated[str | None, Query(max_length=40)] = None,
    until: Annotated[str | None, Query(max_length=40)] = None,
) -> EntriesOut:
    """A statement page, newest entry first; `since` and `until` are both inclusive."""
    page = statement.statement(
        found.town, readable(caller, account), limit=limit, before=cursor_of(cursor), since=_moment("since", since),
        until=_moment("until", until),
    )  # fmt: skip
    following = cursor_text(page.next) if page.next else None
    return EntriesOut(entries=[entry_out(line) for line in page.lines], next_cursor=following)


@router.get("/{account}/day", response_model=DayOut)
def day(account: str, found: Served, caller: Caller) -> DayOut:
    """What the account took today, in the currency's time zone, from the charter's hour on."""
    today = statement.today(found.town, readable(caller, account))
    return DayOut(
        date=today.date, count=today.payments, received_cents=today.received, refunded_cents=today.refunded,
        total_cents=today.received - today.refunded,
    )  # fmt: skip


_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": "A stream without end."}
}


@router.get("/{account}/events", response_class=StreamingResponse, responses=_STREAM)
async def events(
    account: str,
    found: Served,
    bearer: Token,
    after: Place | None = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> StreamingResponse:
    """Server-sent events, one an entry; the event id is the log sequence, from which a stream goes on."""
    caller = await found.live.enter(lambda: found.sessions.find(bearer))
    number = readable(caller, account)
    seq = int(last_event_id) if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 16 else after
    return StreamingResponse(
        found.live.stream(number, seq, bearer, caller),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
