"""Errors as they leave: RFC 9457 problem details with the stable code, one HTTP status a code."""

from __future__ import annotations

import logging
from collections.abc import Mapping

import orjson
import psycopg
import pysqlite3
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from api.limiter import RateLimited
from ledger.core.book import UnknownAccount
from ledger.core.clock import ClockDiffers, Late
from ledger.core.model import Malformed
from ledger.core.store import StoreError
from ledger.core.writer import WriterBusy, WriterClosed
from ledger.currency.bank.statement import StatementError
from ledger.currency.errors import ERRORS, CurrencyError
from ledger.currency.keys import KeyRefused
from ledger.currency.told import Told, detail_of, tell, why
from ledger.i18n import Lang, Translator, from_accept_language, translator

LOGGER = logging.getLogger("patard")


def problem(
    code: str, detail: str, headers: Mapping[str, str] | None = None, *, line: int | None = None, lang: Lang = "en"
) -> Response:  # fmt: skip
    """The response for `code`; its status and title come from `ERRORS`. `line` is that of a file that was refused.

    `detail` is said in the language `lang`; the title is that of programs.
    """
    status, title = ERRORS[code]
    if lang != "en":
        detail, headers = why(code, detail, translator("api", lang)), {"Content-Language": lang, **(headers or {})}
    body = {"code": code, "detail": detail, "status": status, "title": title, "type": f"/errors#{code}"}
    if line is not None:
        body["line"] = line
    if status == 401:
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return Response(orjson.dumps(body), status, headers, "application/problem+json")


def answer_for(error: Exception, lang: Lang = "en") -> Response:
    """The problem that `error` leaves as, its detail in the language asked for."""
    if isinstance(error, (WriterBusy, WriterClosed, Late)):
        again = tell("nothing was done; send the same request again")
        return problem("busy", again, {"Retry-After": "1"}, lang=lang)
    if isinstance(error, (StoreError, SQLAlchemyError, pysqlite3.Error, psycopg.Error)):
        LOGGER.error("database: %s", error)
        later = tell("send the same request again later")
        return problem("store_unavailable", later, {"Retry-After": "5"}, lang=lang)
    if isinstance(error, UnknownAccount):
        return problem("not_found", tell("there is no such account, or it is none of yours"), lang=lang)
    if isinstance(error, RateLimited):
        return problem(error.code, error.detail, {"Retry-After": str(error.wait)}, lang=lang)
    code = getattr(error, "code", None)
    if isinstance(code, str) and code in ERRORS:
        detail = detail_of(error)
        # What is wrong with a request is said to who wrote the program that sent it.
        said = "en" if code == "body_malformed" and not isinstance(detail, Told) else lang
        return problem(code, detail, line=getattr(error, "line", None), lang=said)
    LOGGER.error("unexpected", exc_info=error)
    return problem("internal", tell("send the same request again to learn what became of it"), lang=lang)


def language(asked: str | None) -> Lang:
    """That of an Accept-Language header. A program that asks for none gets English: what is here is for programs."""
    return from_accept_language(asked) if asked else "en"


def words_for(request: Request) -> Translator:
    """The words of the language that is asked for."""
    return translator("api", language(request.headers.get("accept-language")))


def handle(app: FastAPI) -> None:
    """Install the handlers: whatever goes wrong leaves as a problem."""

    def any_error(request: Request, error: Exception) -> Response:
        return answer_for(error, language(request.headers.get("accept-language")))

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "body")
        # Never the value itself: it may be a secret, or 10 MB of something.
        code = "cursor_malformed" if place.endswith("cursor") else "body_malformed"
        return problem(code, f"{place[:60] or 'body'}: {first['msg']}")

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        if error.status_code in (404, 405):
            lang = language(request.headers.get("accept-language"))
            return problem("not_found", tell("there is nothing at this address"), lang=lang)
        # FastAPI wraps what reading a body raised; the reason is the cause.
        reason = error.__cause__ or error.detail
        return problem("body_malformed" if error.status_code < 500 else "internal", str(reason))

    coded = (CurrencyError, StatementError, Malformed, KeyRefused, UnknownAccount, WriterBusy, WriterClosed, StoreError,
             ClockDiffers, Late)  # fmt: skip
    for kind in (*coded, SQLAlchemyError, pysqlite3.Error, psycopg.Error, Exception):
        app.add_exception_handler(kind, any_error)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
