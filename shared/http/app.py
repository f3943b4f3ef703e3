"""The HTTP application of a service: authentication, correlation, problems, health, metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, PlainTextResponse
from motor.motor_asyncio import AsyncIOMotorDatabase
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from shared.events.wording import sentence_of
from shared.http.api_page import OPENAPI_PATH, add_api_page
from shared.http.auth import CALLERS, Principal, Tokens, allow
from shared.http.correlation import Correlation
from shared.http.keys import KeyState
from shared.http.openapi import openapi_document
from shared.http.preconditions import unquoted
from shared.http.problems import FieldError, Refused, invalid
from shared.http.routes import StrictRoute, methods_of, other_parameters
from shared.runtime.process import Lifespan
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.batching import RequestBatcher
from shared.store.database_clock import DatabaseClock
from shared.store.refusals import Refusals

log = structlog.get_logger()

_COMMAND_ID = re.compile(r"[A-Za-z0-9._:-]{1,100}")
_UNRECORDED = frozenset({401, 404})


def make_app(
    service: str,
    settings: Settings,
    database: AsyncIOMotorDatabase[Any],
    routers: Sequence[APIRouter],
    pulses: Sequence[Pulse],
    lifespan: Lifespan,
    clock: DatabaseClock | None = None,
) -> FastAPI:
    """Build a service's application."""
    app = FastAPI(
        title=f"Throughline {service}",
        version="1",
        description=f"Commands and queries of the {service} service. Refusals are RFC 9457 problems.",
        lifespan=lifespan,
        openapi_url=None,
        redirect_slashes=False,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.tokens = Tokens(service, settings, clock)
    app.state.refusals = Refusals(database)
    app.router.route_class = StrictRoute
    app.add_middleware(Correlation)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(PyMongoError, _on_database)
    for router in routers:  # include_router would have each request matched twice
        app.router.routes.extend(router.routes)
    _add_health(app, settings, database, pulses)
    _add_me(app)
    add_api_page(app)
    app.openapi = partial(openapi_document, app, settings.root_path)  # type: ignore[method-assign]
    return app


def _add_health(app: FastAPI, settings: Settings, database: AsyncIOMotorDatabase[Any], pulses: Sequence[Pulse]) -> None:
    async def ping(requests: Sequence[None]) -> Sequence[None]:
        await database.command("ping", maxTimeMS=2_000)
        return requests

    pings: RequestBatcher[None, None] = RequestBatcher(ping)

    @app.get("/healthz", tags=["health"], summary="The process answers")
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", tags=["health"], summary="The process makes progress")
    async def readyz() -> JSONResponse:
        troubles = {
            pulse.name: pulse.trouble or f"no progress for {pulse.silent_for():.0f} s"
            for pulse in pulses
            if pulse.trouble == "not started" or pulse.silent_for() > settings.not_ready_after
        }
        keys: KeyState = await app.state.tokens.key_state()
        if keys.trouble:
            troubles["keys"] = keys.trouble
        try:
            await pings.submit(None)
        except PyMongoError as error:
            troubles["mongodb"] = type(error).__name__
        warnings = {pulse.name: pulse.warning for pulse in pulses if pulse.warning and pulse.name not in troubles}
        warnings |= {"keys": keys.warning} if keys.warning else {}
        warnings |= {"people": people} if (people := app.state.tokens.people_warning()) else {}
        answer = {"ready": not troubles, "troubles": troubles} | ({"warnings": warnings} if warnings else {})
        return JSONResponse(answer, 503 if troubles else 200)

    @app.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=PlainTextResponse)
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


def _add_me(app: FastAPI) -> None:
    @app.get("/me", tags=["callers"], summary="Who the caller is to this service: actor, role, member, expert")
    async def me(caller: Annotated[Principal, allow(CALLERS)]) -> dict[str, str]:
        known = {"actor": caller.actor, "role": caller.role, "member": caller.member, "expert": caller.expert}
        return {name: value for name, value in known.items() if value is not None}


async def _on_refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    recordable = error.status < 500 and error.status not in _UNRECORDED and error.rule != "NotHeardYet"
    recordable &= not (error.rule == "SchemaViolation" and request.query_params.get("validate") == "true")
    if recordable and not error.recorded:
        await _record(request, error.rule)
    return error.response()


async def _on_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    route = request.scope.get("route")
    return await _on_refused(request, invalid(_field_error(route, each) for each in error.errors()))


def _field_error(route: object, error: Mapping[str, Any]) -> FieldError:
    place, sentence = error["loc"], sentence_of(error)
    if place[0] == "query" and error["type"] == "literal_error":
        sentence += other_parameters(route, place[1], error["input"])
    return FieldError.of(".".join(map(str, place)), error["type"], sentence)


async def _on_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    match error.status_code:
        case 404:
            detail, headers = f"nothing is at this address: {OPENAPI_PATH} lists what is", {}
        case 405:
            allowed = ", ".join(methods_of(request.app.router.routes, request.scope))
            detail, headers = f"this address answers {allowed}", {"Allow": allowed}
        case _:
            detail, headers = str(error.detail), dict(error.headers or {})
    return Refused(error.status_code, "NotServed", detail, headers=headers).response()


async def _on_database(_request: Request, error: Exception) -> Response:
    log.error("database_unavailable", error=type(error).__name__)
    return Refused(
        503,
        "StoreUnavailable",
        "the database did not answer; nothing is acknowledged: send the same command id again",
        headers={"Retry-After": "2"},
    ).response()


async def _record(request: Request, rule: str) -> None:
    caller = getattr(request.state, "principal", None)
    if caller is None:
        return
    refusals: Refusals = request.app.state.refusals
    route = request.scope.get("route")
    command_id = unquoted(request.headers.get("Idempotency-Key", ""))
    try:
        await refusals.record(
            caller.actor,
            caller.role,
            rule,
            request=f"{request.method} {getattr(route, 'path', '?')}",
            command_id=command_id if _COMMAND_ID.fullmatch(command_id) else None,
        )
    except PyMongoError as failure:
        log.error("refusal_not_recorded", error=type(failure).__name__, rule=rule)
