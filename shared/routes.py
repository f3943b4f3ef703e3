"""Commands and views as HTTP: one row of a table each, with the OpenAPI that follows from it."""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
import structlog
from fastapi import APIRouter, Header, Path, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, Field

from shared.aggregates import Command, Context
from shared.event_store import Commit, Conflict, StoreClosed
from shared.events.canonical import NotCanonical
from shared.folding import States
from shared.folds import Folded
from shared.handling import CorrectRecord
from shared.identity import READERS, WRITERS, Principal, allow
from shared.problems import ProblemDetails, Refused, refused
from shared.rejections import Rejection
from shared.telemetry import COMMAND_SECONDS, COMMANDS

log = structlog.get_logger()

Committee = Annotated[str, Path(pattern=r"^[A-Z]{2,10}$", examples=["CED"])]
Year = Annotated[str, Path(pattern=r"^[12][0-9]{3}$", examples=["2022"])]
Number = Annotated[str, Path(pattern=r"^R[1-9][0-9]{0,4}$", examples=["R1"])]
Session = Annotated[int, Path(ge=1, le=999, examples=[7])]
PATH_PARTS: dict[str, Any] = {"committee": Committee, "year": Year, "number": Number, "session": Session}
_ID = Annotated[str, Path(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
_COMMAND_ID = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        pattern=r"^[A-Za-z0-9._:-]{8,100}$",
        description="the command's id: send it again with a retry, and the command happens once",
        examples=["0197f0a4-5b1e-7c3a-9d52-3c1b7f0e8a11"],
    ),
]
_IF_MATCH = Annotated[str | None, Header(alias="If-Match", description='the version decided upon, as `"5"`')]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": ProblemDetails, "description": words, "content": {"application/problem+json": {}}}
    for status, words in {
        400: "not understood",
        401: "no valid token",
        403: "the role may not",
        404: "not on record",
        409: "out of order, or not heard yet (Retry-After)",
        412: "another version",
        422: "refused by schema or rule",
    }.items()
}
Handler = Callable[[str, Any, Context, int | None], Awaitable[Commit | Rejection]]
Show = Callable[[Folded, Principal], Awaitable[dict[str, Any] | None]]


class RecordedEvent(BaseModel):
    """An event that a command recorded."""

    id: str
    type: str
    version: int


class CommandAccepted(BaseModel):
    """What a command did: the stream, its version after it, the events recorded."""

    stream: str = Field(examples=["recommendation/CED/2022/R1"])
    version: int = Field(examples=[3])
    events: list[RecordedEvent]
    replayed: bool = Field(description="true where this command id had been carried out before")


@dataclass(frozen=True)
class Post:
    """A command over HTTP. `stream` is filled from the path's parts and, for what it creates, the body's fields."""

    path: str
    command: type[Command]
    stream: str
    roles: frozenset[str] = WRITERS


@dataclass(frozen=True)
class View:
    """A kind of stream to be read: one by its path, all by its facets. `show` may open or withhold."""

    plural: str
    one: str
    kind: str
    stream: str
    facets: tuple[str, ...] = ()
    roles: frozenset[str] = READERS
    show: Show | None = None


def add_commands(router: APIRouter, service: str, posts: Sequence[Post], handler: Handler) -> None:
    """Give every command its endpoint."""
    for post in posts:
        _add_command(router, service, post, handler)


def _add_command(router: APIRouter, service: str, post: Post, handler: Handler) -> None:
    name = post.command.__name__.removesuffix("Request")
    parts = _parts(post.path)

    async def endpoint(**given: Any) -> JSONResponse:
        caller: Principal = given["caller"]
        command: Command = given["body"]
        stream = post.stream.format_map({**{part: given[part] for part in parts}, **_ids(command, given["command_id"])})
        context = _context(given["request"], caller, given["command_id"])
        with COMMAND_SECONDS.labels(service).time():
            outcome = await _carried_out(handler, stream, command, context, _version(given["if_match"]))
        if isinstance(outcome, Rejection):
            COMMANDS.labels(service, name, outcome.rule).inc()
            log.info("command_refused", command=name, stream=stream, rule=outcome.rule)
            raise refused(outcome)
        COMMANDS.labels(service, name, "replayed" if outcome.replayed else "accepted").inc()
        log.info("command_accepted", command=name, stream=stream, version=outcome.last, replayed=outcome.replayed)
        return _accepted(outcome)

    _sign(endpoint, parts, request=Request, body=post.command, command_id=_COMMAND_ID, if_match=_IF_MATCH)
    _depend(endpoint, allow(post.roles))
    router.add_api_route(
        post.path,
        endpoint,
        methods=["POST"],
        name=name,
        operation_id=f"{name}_{post.stream.partition('/')[0]}" if post.command is CorrectRecord else name,
        summary=(inspect.getdoc(post.command) or name).splitlines()[0],
        response_model=CommandAccepted,
        responses=PROBLEMS,
        status_code=200,
        tags=["commands"],
    )


def _ids(command: Command, command_id: str) -> dict[str, Any]:
    context = Context(datetime.now(UTC), "", "", command_id, command_id)
    given = dict(command)
    return {name: context.new_id(name) if value is None else value for name, value in given.items()}


async def _carried_out(
    handler: Handler, stream: str, command: Command, context: Context, if_match: int | None
) -> Commit | Rejection:
    try:
        return await handler(stream, command, context, if_match)
    except StoreClosed as closed:
        raise Refused(503, "StoreClosed", str(closed), headers={"Retry-After": "30"}) from None
    except NotCanonical as error:
        raise Refused(422, "NotCanonical", f"the body holds what no event can hold: {error}") from None
    except Conflict:
        raise Refused(
            503,
            "TooManyWriters",
            "others kept writing to this record; send the command again",
            headers={"Retry-After": "1"},
        ) from None


def _context(request: Request, caller: Principal, command_id: str) -> Context:
    return Context(
        now=datetime.now(UTC),
        actor=caller.actor,
        role=caller.role,
        command_id=command_id,
        correlation_id=request.state.correlation_id,
        member=caller.member,
    )


def _version(if_match: str | None) -> int | None:
    if if_match is None:
        return None
    text = if_match.strip().removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refused(400, "IfMatchNotAVersion", 'If-Match is the version in quotes, as in If-Match: "5"')
    return int(text)


def _accepted(commit: Commit) -> JSONResponse:
    events = [orjson.loads(raw) for raw in commit.events]
    content = CommandAccepted(
        stream=commit.stream,
        version=commit.last,
        events=[RecordedEvent(id=e["id"], type=e["type"], version=e["streamversion"]) for e in events],
        replayed=commit.replayed,
    )
    return JSONResponse(content.model_dump(), headers={"ETag": f'"{commit.last}"'})


def add_views(router: APIRouter, views: Sequence[View], states: States) -> None:
    """Give every kind of stream its two queries."""
    for view in views:
        _add_one(router, view, states)
        _add_all(router, view, states)


def _add_one(router: APIRouter, view: View, states: States) -> None:
    parts = _parts(view.one)

    async def endpoint(**given: Any) -> Response:
        stream = view.stream.format_map({part: given[part] for part in parts})
        folded = await heard_up_to(states, stream, given["at_least"], given["wait"])
        if not folded.version:
            raise Refused(404, "NotOnRecord", f"{stream} is not on record here")
        shown = await _shown(view, folded, given["caller"])
        if shown is None:
            raise Refused(403, "NotYoursToRead", f"{stream} is not for the role {given['caller'].role} to read here")
        return Response(orjson.dumps(shown), media_type="application/json", headers={"ETag": f'"{folded.version}"'})

    at_least = Annotated[int, Query(ge=0, description="answer only when this version has been heard")]
    wait = Annotated[float, Query(ge=0, le=30, description="seconds to wait for that version")]
    _sign(endpoint, parts, at_least=(at_least, 0), wait=(wait, 5.0))
    _depend(endpoint, allow(view.roles))
    router.add_api_route(
        view.one, endpoint, methods=["GET"], name=f"one_{view.kind}", responses=PROBLEMS, tags=["queries"],
        summary=f"One {view.kind.replace('_', ' ')}, as this service has heard it",
    )  # fmt: skip


def _add_all(router: APIRouter, view: View, states: States) -> None:
    async def endpoint(**given: Any) -> Response:
        facets = {name: given[name] for name in view.facets if given[name] is not None}
        found = await states.find(view.kind, facets, given["limit"], given["after"])
        shown = [item for folded in found if (item := await _shown(view, folded, given["caller"])) is not None]
        more = {"next": found[-1].stream} if len(found) == given["limit"] else {}
        return Response(orjson.dumps({"items": shown, **more}), media_type="application/json")

    limit = Annotated[int, Query(ge=1, le=1_000)]
    text = Annotated[str | None, Query(max_length=500)]
    _sign(endpoint, (), limit=(limit, 100), after=(text, None), **dict.fromkeys(view.facets, (text, None)))
    _depend(endpoint, allow(view.roles))
    router.add_api_route(
        view.plural, endpoint, methods=["GET"], name=f"all_{view.kind}", responses=PROBLEMS, tags=["queries"],
        summary=f"Every {view.kind.replace('_', ' ')}, filtered, in pages",
    )  # fmt: skip


async def heard_up_to(states: States, stream: str, version: int, wait: float) -> Folded:
    """Return a stream's state once it is at `version`, or refuse as not heard yet after `wait` seconds."""
    until = time.monotonic() + wait
    while (folded := (await states.read([stream]))[stream]).version < version:
        if time.monotonic() >= until:
            raise Refused(
                409,
                "NotHeardYet",
                f"{stream} has been heard up to version {folded.version} here, not yet {version}; ask again",
                headers={"Retry-After": "1"},
                kind="reference",
            )
        await asyncio.sleep(0.05)
    return folded


async def _shown(view: View, folded: Folded, caller: Principal) -> dict[str, Any] | None:
    if view.show is not None:
        state = await view.show(folded, caller)
    else:
        state = folded.state.model_dump(mode="json", exclude_none=True)
    if state is None:
        return None
    return {"stream": folded.stream, "version": folded.version, "waits": folded.waits, "state": state}


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.split("}")[0] for part in path.split("{")[1:])


def _sign(endpoint: Any, parts: Sequence[str], **arguments: Any) -> None:
    """Give an endpoint the signature that FastAPI reads: path parts, then arguments (type, or (type, default))."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    signature = [inspect.Parameter(part, keyword, annotation=PATH_PARTS.get(part, _ID)) for part in parts]
    for name, given in arguments.items():
        annotation, default = given if isinstance(given, tuple) else (given, inspect.Parameter.empty)
        if name == "if_match":
            default = None
        signature.append(inspect.Parameter(name, keyword, annotation=annotation, default=default))
    endpoint.__signature__ = inspect.Signature(signature)


def _depend(endpoint: Any, dependency: Any) -> None:
    caller = inspect.Parameter("caller", inspect.Parameter.KEYWORD_ONLY, annotation=Principal, default=dependency)
    signature = endpoint.__signature__
    endpoint.__signature__ = signature.replace(parameters=[*signature.parameters.values(), caller])
