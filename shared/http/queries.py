"""Queries over HTTP: one QueryRoute for each kind of stream."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response

from shared.domain.aggregate import Aggregate
from shared.http.auth import READERS, Principal
from shared.http.paths import parts_of, set_signature
from shared.http.problems import Refused
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore

AtLeast = Annotated[int, Query(ge=0, description="answer only once this service has consumed this version")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Filter = Annotated[str | None, Query(max_length=500)]
Wait = Annotated[float, Query(ge=0, le=30, allow_inf_nan=False, description="seconds to wait for that version")]
_NOT_ON_RECORD = frozenset({"absent", "unheard"})
Reading = TypeVar("Reading")
Show = Callable[[FoldedState, Principal], Awaitable[dict[str, Any]]]
Gaps = Callable[[Sequence[FoldedState], StateStore], Awaitable[Mapping[str, Sequence[str]]]]


@dataclass(frozen=True)
class QueryRoute:
    """The queries of a kind of stream: one by its path, all by their facets. `show` may decrypt a state.

    `facets` gives the words that each facet may have; an empty list is any text. `own` is the facet, and the attribute
    of a state, that names the owning member: a focal point reads only the records of its own member. `gaps` returns,
    by stream and in words, what does not fit other records.
    """

    plural: str
    one: str
    kind: str
    stream: str
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    roles: frozenset[str] = READERS
    show: Show | None = None
    own: str | None = None
    gaps: Gaps | None = None


def add_queries(router: APIRouter, query_routes: Sequence[QueryRoute], states: StateStore) -> None:
    """Add the two queries of each kind of stream to the router."""
    for query_route in query_routes:
        _add_one(router, query_route, states)
        _add_all(router, query_route, states)


def _add_one(router: APIRouter, route: QueryRoute, states: StateStore) -> None:
    async def endpoint(**arguments: Any) -> Response:
        stream = route.stream.format_map({part: arguments[part] for part in parts_of(route.one)})

        async def read() -> tuple[FoldedState, int]:
            folded = (await states.read([stream]))[stream]
            _withhold_from_others(route, folded, arguments["caller"])
            return folded, folded.version

        folded = await wait_for_version(read, stream, arguments["at_least"], arguments["wait"])
        if not folded.version:
            raise Refused(404, "NotOnRecord", f"{stream} is not on record here")
        [shown] = await _shown(route, [folded], arguments["caller"], states)
        return Response(orjson.dumps(shown), media_type="application/json", headers={"ETag": f'"{folded.version}"'})

    set_signature(endpoint, route.one, route.roles, at_least=(AtLeast, 0), wait=(Wait, 5.0))
    router.add_api_route(
        route.one, endpoint, methods=["GET"], name=f"one_{route.kind}", tags=["queries"],
        operation_id=f"one_{route.kind}",
        summary=f"One {route.kind.replace('_', ' ')}, as this service knows it",
    )  # fmt: skip


def _add_all(router: APIRouter, route: QueryRoute, states: StateStore) -> None:
    async def endpoint(**arguments: Any) -> Response:
        chosen = {name: arguments[name] for name in route.facets if arguments[name] is not None}
        facets = _restricted(route, arguments["caller"], chosen)
        page = await states.listed(route.kind, facets, arguments["limit"], arguments["after"])
        shown = await _shown(route, page, arguments["caller"], states)
        more = {"next": page[-1].stream} if len(page) == arguments["limit"] else {}
        return Response(orjson.dumps({"items": shown, **more}), media_type="application/json")

    facets = {name: (one_of(words), None) for name, words in route.facets.items()}
    set_signature(endpoint, route.plural, route.roles, limit=(Limit, 100), after=(Filter, None), **facets)
    router.add_api_route(
        route.plural, endpoint, methods=["GET"], name=f"all_{route.kind}", tags=["queries"],
        operation_id=f"all_{route.kind}",
        summary=f"Every {route.kind.replace('_', ' ')}, filtered, in pages",
    )  # fmt: skip


def one_of(words: Sequence[str]) -> Any:
    """Return the type of a filter that takes one of these words; any text where there are none."""
    return Literal[tuple(words)] | None if words else Filter


def stages_of(aggregate: Aggregate[Any]) -> tuple[str, ...]:
    """Return the stages that a record of this kind may be in."""
    schema: Any = aggregate.states.core_schema
    while "choices" not in schema:
        schema = schema["schema"]
    return tuple(stage for stage in schema["choices"] if stage not in _NOT_ON_RECORD)


def _restricted(route: QueryRoute, caller: Principal, facets: dict[str, Any]) -> dict[str, Any]:
    """Restrict a focal point to its own member's records, where members own them. Raises Refused."""
    if route.own is None or caller.role != "focal_point":
        return facets
    if facets.get(route.own, caller.member) != caller.member:
        raise Refused(403, "NotYoursToRead", f"a focal point reads what is of its own {route.own}")
    return facets | {route.own: caller.member}


def _withhold_from_others(route: QueryRoute, folded: FoldedState, caller: Principal) -> None:
    """Refuse a focal point another member's record, before its version is told or waited for."""
    if route.own is None or caller.role != "focal_point" or not folded.version:
        return
    if getattr(folded.state, route.own) != caller.member:
        raise Refused(403, "NotYoursToRead", f"{folded.stream} is not of your own {route.own}")


async def wait_for_version(
    read: Callable[[], Awaitable[tuple[Reading, int]]], stream: str, version: int, wait: float
) -> Reading:
    """Return a reading once its stream is at `version`; refuse as NotHeardYet after `wait` seconds."""
    until = time.monotonic() + wait
    while True:
        reading, current = await read()
        if current >= version:
            return reading
        if time.monotonic() >= until:
            raise Refused(
                409,
                "NotHeardYet",
                f"{stream} is at version {current} here, not yet at {version}; ask again",
                headers={"Retry-After": "1"},
                kind="reference",
            )
        await asyncio.sleep(0.05)


async def _shown(
    route: QueryRoute, page: Sequence[FoldedState], caller: Principal, states: StateStore
) -> list[dict[str, Any]]:
    gaps = await route.gaps(page, states) if route.gaps is not None else {}
    return [
        {
            "stream": folded.stream,
            "version": folded.version,
            "waits": folded.blocked,
            "state": await _state_of(route, folded, caller),
            **({} if route.gaps is None else {"gaps": list(gaps.get(folded.stream, ()))}),
        }
        for folded in page
    ]


async def _state_of(route: QueryRoute, folded: FoldedState, caller: Principal) -> dict[str, Any]:
    if route.show is not None:
        return await route.show(folded, caller)
    state: dict[str, Any] = folded.state.model_dump(mode="json", exclude_none=True)
    return state
