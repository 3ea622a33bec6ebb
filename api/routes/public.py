"""What anybody may read: the currency's rules and key, the signed directory, the end of the log."""

from __future__ import annotations

from html import escape
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import HTMLResponse

from api.auth import Served, number
from api.schemas.fields import rfc3339
from api.schemas.town import CurrencyOut, DirectoryOut, LimitsOut, LogOut
from ledger.core.ids import account_text
from ledger.currency import heads, parties
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.told import tell

router = APIRouter(tags=["public"])


@router.get("/errors", response_class=HTMLResponse)
def errors() -> HTMLResponse:
    """Every code that a problem can have, with its status and meaning: where a problem's `type` points."""
    rows = "".join(
        # On a phone a long code breaks at its underscores, or the table would be wider than the page.
        f'<tr id="{code}"><td><code>{code.replace("_", "_<wbr>")}</code></td>'
        f"<td>{status}</td><td>{escape(meaning)}</td></tr>"
        for code, (status, meaning) in ERRORS.items()
    )
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Patard: errors</title>'
        '<meta name="viewport" content="width=device-width"><h1>Errors</h1>'
        f"<table><tr><th>code<th>HTTP status<th>meaning</tr>{rows}</table></html>"
    )


@router.get("/health")
def health(found: Served) -> dict[str, str]:
    """Answers when the database does."""
    found.town.book.head()
    return {"status": "ok"}


@router.get("/v1/currency", response_model=CurrencyOut)
def currency(found: Served) -> CurrencyOut:
    """The charter's rules as a wallet or till needs them, and the key that signs receipts and the directory."""
    town, charter = found.town, found.town.charter
    return CurrencyOut(
        code=charter.code,
        name=charter.name,
        symbol=charter.symbol,
        network=charter.network.hex(),
        public_url=charter.public_url,
        key=town.key.public.hex(),
        reconversion_fee_bp=charter.reconversion_fee_bp,
        reconversion_by=sorted(str(kind) for kind in charter.reconversion_by),
        limits=LimitsOut(per_payment_cents=charter.limits.per_payment, per_day_cents=charter.limits.per_day),
        session_seconds=charter.limits.session_hours * 3600,
        request_seconds=charter.limits.request_seconds,
        timezone=charter.timezone,
        waiting_account=account_text(town.chart.waiting),
    )


@router.get("/v1/directory", response_model=DirectoryOut)
def directory(found: Served) -> Response:
    """Shops, associations and public bodies, with the keys that sign their requests; signed by the currency."""
    return Response(found.directory.listed(), media_type="application/json")


@router.get("/v1/directory/{account}", response_model=DirectoryOut)
def directory_of(account: str, found: Served) -> DirectoryOut:
    """One party. Persons are not listed, but whoever was given an account number may see whose it is."""
    party = parties.by_account(found.town, number(account))
    if party.closed_at is not None:
        raise CurrencyError("not_found", tell("no party holds this account"))
    return found.directory.one(party)


@router.get("/v1/log", response_model=LogOut)
def log(found: Served, at: Annotated[int | None, Query(ge=1, le=2**53)] = None) -> LogOut:
    """The end of the log, signed by the currency: entries, Merkle root (RFC 6962), time of the last.

    `at` asks for the log as it was when it had so many entries; log_shorter when it never had.
    """
    head = heads.newest(found.town) if at is None else heads.at_size(found.town, at)
    return LogOut(
        size=head.size, root=head.root.hex(), at=rfc3339(head.at), at_us=head.at, signature=head.signature.hex()
    )
