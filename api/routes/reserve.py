"""The reserve report: sums for everybody, and for auditors the lines that explain each difference."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Query, Response

from api.auth import Caller, Served, need
from api.schemas.reserve import PublicReserveOut, ReserveOut, public_reserve_out, reserve_out
from api.strict import StrictRoute
from ledger.currency import parties
from ledger.i18n import Lang, translator
from merchants.pages import HEADERS
from merchants.reserve.page import FRESH_SECONDS, fragment

router = APIRouter(tags=["reserve"], route_class=StrictRoute)
Language: TypeAlias = Annotated[Lang, Query(description="The language of its words.")]


def _answer(media_type: str, told: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}, "description": told}}


@router.get("/v1/reserve", response_model=ReserveOut)
def reserve_report(found: Served, caller: Caller) -> ReserveOut:
    """Circulation against reserve, in cents; each account against its last statement, line by line."""
    need(caller, parties.AUDIT)
    return reserve_out(found.town, found.reserve.report())


@router.get("/v1/reserve/public", response_model=PublicReserveOut)
def reserve_public(found: Served) -> PublicReserveOut:
    """The sums of the report, at most a minute old."""
    return public_reserve_out(found.town, found.reserve.report(seconds=FRESH_SECONDS))


@router.get("/v1/reserve/fragment", response_class=Response, responses=_answer("text/html", "A piece of a page."))
def reserve_fragment(found: Served, caller: Caller, lang: Language = "fr") -> Response:
    """The report in words, as HTML to be put into the office's page; `/static/reserve.css` gives it its looks."""
    need(caller, parties.AUDIT)
    content = fragment(found.reserve.report(), found.town.charter, translator("merchants", lang))
    return Response(content, media_type="text/html", headers={**HEADERS, "Cache-Control": "no-store"})


@router.get("/v1/reserve/pdf", response_class=Response, responses=_answer("application/pdf", "The report, A4."))
def reserve_pdf(found: Served, caller: Caller, lang: Language = "fr") -> Response:
    """The report on paper."""
    from merchants.reserve.pdf import pdf  # it takes its time to load, and is rarely asked for

    need(caller, parties.AUDIT)
    made = found.reserve.report()
    content = pdf(made, found.town.charter, translator("merchants", lang))
    name = f"{found.town.charter.code.lower()}-reserve-{made.on}.pdf"
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/pdf", headers=headers)
