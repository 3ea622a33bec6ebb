"""The bank: how a member sends euros; statements in, and what became of their lines."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request, Response

from api.auth import Actor, Caller, Served, acting_with_file, hex_bytes, need
from api.problems import words_for
from api.routes.accounts import cursor_of, cursor_text
from api.routes.office import BOOKED, TREASURER, booked
from api.schemas.bank import (
    BankLinesOut,
    ImportOut,
    StatementsOut,
    TopupOut,
    import_out,
    lines_out,
    statement_out,
)
from api.schemas.fields import EuroCents, Limit, SignedCents
from api.schemas.town import BookedOut
from api.strict import StrictRoute, read_file_body
from ledger.currency import parties
from ledger.currency.bank import advice, taking, withdrawing
from ledger.currency.bank.lines import lines
from ledger.currency.bank.looking import STATES, Looked
from ledger.currency.bank.tables import BANK_LINE
from ledger.currency.errors import CurrencyError
from ledger.currency.told import tell

router = APIRouter(tags=["bank"], route_class=StrictRoute)


@router.get("/v1/topup", response_model=TopupOut)
def topup(found: Served, caller: Caller, amount_cents: Annotated[EuroCents | None, Query()] = None) -> TopupOut:
    """Where to send euros, and the reference that brings the units to the caller's account."""
    need(caller, parties.SPEND)
    told = advice.topup(found.town, caller.account, amount_cents)
    return TopupOut(
        holder=told.holder, iban=told.iban, bic=told.bic, reference=told.reference, text=told.text,
        amount_cents=told.amount, epc=told.epc,
    )  # fmt: skip


@router.get("/v1/bank/statements", response_model=StatementsOut)
def statements(found: Served, caller: Caller) -> StatementsOut:
    """The statements that were taken, in the order in which they were."""
    need(caller, parties.AUDIT)
    names = {number: name for name, number in found.town.chart.reserve.items()}
    gone = withdrawing.withdrawn(found.town)
    rows = taking.statements(found.town)
    return StatementsOut(statements=[statement_out(row, names, withdrawn=row.id in gone) for row in rows])


@router.post("/v1/bank/statements/{id}/withdrawal", status_code=201, response_model=BookedOut, responses=BOOKED)
def withdraw_statements(id: str, acting: Actor, response: Response) -> BookedOut:
    """Withdraw an account's statements from its first on, which proved wrong: `id` is that first one.

    Only while no line of them was placed, and members still have the units that lines brought. The next statement of
    the account is its first then.
    """
    need(acting.caller, TREASURER)
    town = acting.town
    try:
        first = hex_bytes(id, 16)
    except ValueError:
        raise CurrencyError("not_found", tell("no statement has this id")) from None
    names = {number: name for name, number in town.chart.reserve.items()}
    of = next((names[row.reserve] for row in taking.statements(town) if row.id == first), None)
    if of is None:
        raise CurrencyError("not_found", tell("no statement has this id"))
    return booked(withdrawing.withdraw(town, of, first=first, by=acting.by).posted, response)


@router.get("/v1/bank/lines", response_model=BankLinesOut)
def bank_lines(
    found: Served,
    caller: Caller,
    limit: Annotated[Limit, Query()] = 100,
    cursor: Annotated[str | None, Query(max_length=32)] = None,
    state: Annotated[str, Query(max_length=10)] = "all",
    reserve: Annotated[str | None, Query(max_length=120)] = None,
    statement: Annotated[str | None, Query(max_length=32)] = None,
    amount_cents: Annotated[SignedCents | None, Query()] = None,
    text: Annotated[str, Query(max_length=140)] = "",
) -> BankLinesOut:
    """The lines of statements, the latest first, and what became of each.

    `state` is all, waiting, recognised, suspense, placed or undone; `text` is a part of a name, IBAN, text or
    reference, or an amount.
    """
    need(caller, parties.AUDIT)
    if state not in STATES:
        raise CurrencyError("body_malformed", tell("state is one of {names}", names=tuple(STATES)))
    town = found.town
    if reserve is not None and reserve not in town.chart.reserve:
        raise CurrencyError("reserve_account_unknown", tell("the charter has no reserve account {reserve!r}",
                                                            reserve=reserve[:60]))  # fmt: skip
    try:
        of = None if statement is None else hex_bytes(statement, 16)
    except ValueError:
        raise CurrencyError("not_found", tell("no statement has this id")) from None
    number = None if reserve is None else town.chart.reserve[reserve]
    where = list(Looked(state, number, of, amount_cents, text).where())
    before = cursor_of(cursor)
    if before is not None:
        where.append(BANK_LINE.c.place < before)
    rows = lines(town, *where, limit=limit + 1, order=(BANK_LINE.c.place.desc(),))
    following = cursor_text(rows[limit - 1].place) if len(rows) > limit else None
    return BankLinesOut(lines=lines_out(town, rows[:limit]), next_cursor=following)


@router.post("/v1/bank/imports", status_code=201, response_model=ImportOut)
async def bring_in(
    request: Request,
    found: Served,
    caller: Caller,
    name: Annotated[str, Query(max_length=200)] = "",
    opening: Annotated[bool, Query()] = False,
    corrected: Annotated[bool, Query()] = False,
    quiet_days: Annotated[bool, Query()] = False,
) -> ImportOut:
    """Take a statement: the body is the bank's file as it is (application/octet-stream).

    Its lines are booked afterwards: `GET /v1/bank/imports/{id}` tells how far that is. A file that cannot be taken is
    refused whole, with a code that begins with `statement_`.
    """
    need(caller, parties.OFFICE)
    data = await read_file_body(request)
    acting = acting_with_file(request, found.town, caller, data)
    take = partial(
        found.imports.take, town=acting.town, by=acting.by, opening=opening, corrected=corrected, quiet_days=quiet_days
    )
    taken = await to_thread.run_sync(take, data, name or "upload", limiter=found.imports.readers)
    return import_out(taken, words_for(request))


@router.get("/v1/bank/imports/{id}", response_model=ImportOut)
def progress(id: str, request: Request, found: Served, caller: Caller) -> ImportOut:
    """How far an import is. Known for as long as the server runs."""
    need(caller, parties.AUDIT)
    return import_out(found.imports.find(id), words_for(request))
