"""Commands over HTTP: one CommandRoute each, from which the endpoint and its OpenAPI follow."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.canonical import NotCanonical
from shared.http.auth import WRITERS, Principal
from shared.http.paths import parts_of, set_signature
from shared.http.preconditions import CommandId, IfMatch, expected_versions
from shared.http.problems import FieldError, Refused, invalid, refused
from shared.http.routes import StrictRoute
from shared.runtime.telemetry import COMMAND_SECONDS, COMMANDS
from shared.store.command_handler import Validated
from shared.store.correcting import CorrectRecord
from shared.store.event_store import Commit, Conflict, StoreFenced
from shared.store.voiding import VoidRecord

log = structlog.get_logger()

_OF_EVERY_KIND = (CorrectRecord, VoidRecord)
Handler = Callable[[str, Any, Context, Container[int] | None], Awaitable[Commit | Rejection]]


Validate = Annotated[
    bool, Query(description="decide only: answer what the command would record, or why it is refused; record neither")
]


class RecordedEvent(BaseModel):
    """An event that a command recorded."""

    id: str | None = Field(None, description="left out where nothing was recorded")
    type: str
    version: int
    data: dict[str, Any] | None = Field(None, description="given where nothing was recorded")


class CommandAccepted(BaseModel):
    """The result of a command: the stream, its version after the command, the recorded events."""

    stream: str = Field(examples=["recommendation/CED/2022/R1"])
    version: int = Field(examples=[3])
    events: list[RecordedEvent]
    replayed: bool = Field(description="true if this command id was executed before")
    validated: bool = Field(False, description="true if the command was only validated: nothing was recorded")


@dataclass(frozen=True)
class CommandRoute:
    """A command over HTTP. The path's parts fill `stream`, and for a new stream the body's fields do."""

    path: str
    command: type[Command]
    stream: str
    roles: frozenset[str] = WRITERS


def add_commands(router: APIRouter, service: str, command_routes: Sequence[CommandRoute], handler: Handler) -> None:
    """Add the endpoint of each command to the router."""
    for command_route in command_routes:
        _add_command(router, service, command_route, handler)


def _add_command(router: APIRouter, service: str, route: CommandRoute, handler: Handler) -> None:
    name = route.command.__name__.removesuffix("Request")
    seconds, parts = COMMAND_SECONDS.labels(service), parts_of(route.stream)

    async def endpoint(**arguments: Any) -> Response:
        command: Command = arguments["body"]
        context = _context(
            arguments["request"], arguments["caller"], arguments["command_id"], only_validate=arguments["validate"]
        )
        ids = {part: arguments[part] if part in arguments else _id(command, part, context) for part in parts}
        stream = route.stream.format_map(ids)
        expected = expected_versions(arguments["if_match"])
        try:
            with seconds.time():
                outcome = await _execute(handler, stream, command, context, expected)
        except Validated as validated:
            log.info("command_validated", command=name, stream=stream)
            return _validated(validated.commit)
        if isinstance(outcome, Rejection):
            COMMANDS.labels(service, name, outcome.rule).inc()
            log.info("command_refused", command=name, stream=stream, rule=outcome.rule)
            raise refused(outcome)
        COMMANDS.labels(service, name, "replayed" if outcome.replayed else "accepted").inc()
        log.info("command_accepted", command=name, stream=stream, version=outcome.last, replayed=outcome.replayed)
        return _accepted(outcome)

    set_signature(
        endpoint,
        route.path,
        route.roles,
        request=Request,
        body=route.command,
        command_id=CommandId,
        if_match=(IfMatch, None),
        validate=(Validate, False),
    )
    router.add_api_route(
        route.path,
        endpoint,
        methods=["POST"],
        name=name,
        operation_id=f"{name}_{route.stream.partition('/')[0]}" if route.command in _OF_EVERY_KIND else name,
        summary=(inspect.getdoc(route.command) or name).splitlines()[0],
        response_model=CommandAccepted,
        status_code=200,
        tags=["commands"],
        route_class_override=StrictRoute,
    )


def _id(command: Command, part: str, context: Context) -> str:
    """Return the id that a command gives to its new stream, or a new id."""
    chosen = getattr(command, part)
    return context.new_id(part) if chosen is None else str(chosen)


async def _execute(
    handler: Handler, stream: str, command: Command, context: Context, expected: Container[int] | None
) -> Commit | Rejection:
    try:
        return await handler(stream, command, context, expected)
    except StoreFenced as fenced:
        raise Refused(503, fenced.rule, str(fenced), headers={"Retry-After": "30"}) from None
    except NotCanonical as error:
        raise invalid([_not_canonical(error)]) from None
    except Conflict:
        raise Refused(
            503,
            "TooManyWriters",
            "others kept writing to this record; send the command again",
            headers={"Retry-After": "1"},
        ) from None


def _context(request: Request, caller: Principal, command_id: str, *, only_validate: bool) -> Context:
    return Context(
        now=datetime.now(UTC),
        actor=caller.actor,
        role=caller.role,
        command_id=command_id,
        correlation_id=request.state.correlation_id,
        member=caller.member,
        only_validate=only_validate,
    )


def _not_canonical(error: NotCanonical) -> FieldError:
    """Return the error of the field that an event cannot hold, from a message like `$.body.data.title: ...`."""
    path, _, what = str(error).removeprefix("$.").rpartition(": ")
    return FieldError.of(path or "body", "not_canonical", f"{what}; leave out what is not known")


def _validated(commit: Commit) -> Response:
    """Return what a command would record; of one that was executed before, what it recorded.

    A person's details stay out of it, encrypted as they are: whoever guesses them could compare the ciphertexts.
    """
    if commit.replayed:
        return _accepted(commit)
    events = [orjson.loads(raw) for raw in commit.events]
    for event in events:
        event["data"].pop("sealed", None)
    content = {
        "stream": commit.stream,
        "version": commit.last,
        "events": [{"type": e["type"], "version": e["streamversion"], "data": e["data"]} for e in events],
        "replayed": False,
        "validated": True,
    }
    return Response(orjson.dumps(content), media_type="application/json", headers={"ETag": f'"{commit.first - 1}"'})


def _accepted(commit: Commit) -> Response:
    events = [orjson.loads(raw) for raw in commit.events]
    content = {
        "stream": commit.stream,
        "version": commit.last,
        "events": [{"id": e["id"], "type": e["type"], "version": e["streamversion"]} for e in events],
        "replayed": commit.replayed,
    }
    return Response(orjson.dumps(content), media_type="application/json", headers={"ETag": f'"{commit.last}"'})
