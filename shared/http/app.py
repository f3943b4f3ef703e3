"""The HTTP application of a service: authentication, correlation, problems, health, metrics."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError
from starlette.exceptions import HTTPException

from shared.events.wording import sentence_of
from shared.http.api_page import OPENAPI_PATH, add_api_page
from shared.http.auth import CALLERS, Principal, Tokens, allow
from shared.http.correlation import Correlation
from shared.http.health import Health, Measure, add_health
from shared.http.openapi import openapi_document
from shared.http.preconditions import unquoted
from shared.http.problems import FieldError, Refused, invalid
from shared.http.routes import StrictRoute, methods_of, other_parameters
from shared.runtime.process import Lifespan
from shared.runtime.settings import Settings
from shared.runtime.telemetry import REFUSALS, Pulse
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals
from shared.tracing.requests import NO_NATIVE_TELEMETRY, TracedRequests
from shared.tracing.spans import tracing

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
    store: EventStore | None = None,
    measures: Sequence[Measure] = (),
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
        telemetry=NO_NATIVE_TELEMETRY,
    )
    app.state.tokens = Tokens(service, settings, store.clock if store else None)
    app.state.refusals, app.state.service = Refusals(database), service
    app.router.route_class = StrictRoute
    app.add_middleware(Correlation)
    if tracing().is_on:
        app.add_middleware(TracedRequests, continues=True)
    app.add_exception_handler(Refused, _on_refused)
    app.add_exception_handler(RequestValidationError, _on_invalid)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(PyMongoError, _on_database)
    for router in routers:  # include_router would have each request matched twice
        app.router.routes.extend(router.routes)
    add_health(app, Health(service, settings, database, pulses, app.state.tokens, store, measures))
    _add_me(app)
    add_api_page(app)
    app.openapi = partial(openapi_document, app, settings.root_path)  # type: ignore[method-assign]
    return app


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
    return _counted(request, error)


def _counted(request: Request, refused: Refused) -> Response:
    REFUSALS.labels(request.app.state.service, refused.rule, refused.status).inc()
    return refused.response()


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
    return _counted(request, Refused(error.status_code, "NotServed", detail, headers=headers))


async def _on_database(request: Request, error: Exception) -> Response:
    log.error("database_unavailable", error=type(error).__name__)
    detail = "the database did not answer; nothing is acknowledged: send the same command id again"
    return _counted(request, Refused(503, "StoreUnavailable", detail, headers={"Retry-After": "2"}))


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
