"""The application: routes, guards, error answers, and the pages, over one town."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool

from api import orders as order_path
from api import problems
from api.auth import Services
from api.headers import Headers
from api.heads import Heads
from api.routes import (
    accounts,
    bank,
    confirmations,
    devices,
    mandates,
    office,
    orders,
    payouts,
    public,
    reserve,
    suspense,
)
from api.schemas.town import OrderIn, PostedOut, ProblemOut
from api.strict import BodyGuard
from ledger.core.writer import Writer
from ledger.currency.reserve import Keeper
from ledger.currency.town import Town
from merchants import pages


def create_app(town: Town, *, inbox: Path | None = None, heads: Path | None = None) -> FastAPI:
    """The application over `town`. It owns a writer thread from start-up to shut-down, not the town.

    Statements that are put into the folder `inbox` are taken, where one is given; `heads` is the file of signed heads.
    """

    keeper = Keeper(town)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        services = Services(town, None, keeper)
        signing = Heads(town, heads)
        with Writer(services.desk.take) as writer:
            services.writer = writer
            app.state.services = services
            services.imports.start(inbox)
            signing.start()
            yield
            await services.live.close()
            await run_in_threadpool(services.imports.stop)
        await run_in_threadpool(signing.stop)

    app = FastAPI(
        title="Patard",
        version=version("patard"),
        summary="The ledger of a citizen local currency.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
        # They name the host that the request did: whoever sends a request through a cache would send others elsewhere.
        redirect_slashes=False,
        # What a generator calls its functions; unique, and a test holds that.
        generate_unique_id_function=lambda route: route.name,
        responses={"default": {"model": ProblemOut, "description": "RFC 9457 problem details with a stable code."}},
    )
    problems.handle(app)
    held = (devices, confirmations, accounts, orders)
    for module in (public, *held, office, payouts, bank, suspense, mandates, reserve):
        app.include_router(module.router)
    app.router.routes.extend(pages.routes(town, keeper, devices.FAILED_JOINS))
    app.add_middleware(BodyGuard)
    app.add_middleware(order_path.Orders, state=app.state)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    # Around all of it: what an unexpected error is answered with passes no middleware.
    inside = app.build_middleware_stack
    app.build_middleware_stack = lambda: Headers(inside())  # type: ignore[method-assign]
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document, with the body of the orders, which are read by hand, and the problem media type."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        schemas = schema["components"]["schemas"]
        for model in (OrderIn, PostedOut):
            schemas[model.__name__] = model.model_json_schema()
        for path, item in order_path.paths().items():
            schema["paths"].setdefault(path, {}).update(item)
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None) if "requestBody" not in operation else None
                for status, response in operation["responses"].items():
                    if status == "default" or status >= "4":
                        response["content"] = {
                            "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}
                        }
                        response.setdefault("description", "Problem")
        app.openapi_schema = schema
    return app.openapi_schema
