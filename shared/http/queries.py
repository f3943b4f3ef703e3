"""Queries as HTTP: one row of a table for each kind of stream that may be read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response

from shared.http.auth import READERS, Principal
from shared.http.paths import parts_of, sign
from shared.http.problems import Refused
from shared.projection.fold import FoldedState
from shared.projection.state_store import StateStore

AtLeast = Annotated[int, Query(ge=0, description="answer only when this version has been heard")]
Wait = Annotated[float, Query(ge=0, le=30, allow_inf_nan=False, description="seconds to wait for that version")]
Reading = TypeVar("Reading")
Show = Callable[[FoldedState, Principal], Awaitable[dict[str, Any] | None]]


@dataclass(frozen=True)
class QueryRoute:
    """A kind of stream to be read: one by its path, all by its facets. `show` may open or withhold.

    `own` is the facet that names the member whose record it is: a list for a focal point holds that member's only.
    """

    plural: str
    one: str
    kind: str
    stream: str
    facets: tuple[str, ...] = ()
    roles: frozenset[str] = READERS
    show: Show | None = None
    own: str | None = None


def add_queries(router: APIRouter, views: Sequence[QueryRoute], states: StateStore) -> None:
    """Give every kind of stream its two queries."""
    for view in views:
        _add_one(router, view, states)
        _add_all(router, view, states)


def _add_one(router: APIRouter, view: QueryRoute, states: StateStore) -> None:
    async def endpoint(**given: Any) -> Response:
        stream = view.stream.format_map({part: given[part] for part in parts_of(view.one)})

        async def read() -> tuple[FoldedState, int]:
            found = (await states.read([stream]))[stream]
            return found, found.version

        folded = await heard_up_to(read, stream, given["at_least"], given["wait"])
        if not folded.version:
            raise Refused(404, "NotOnRecord", f"{stream} is not on record here")
        shown = await _shown(view, folded, given["caller"])
        if shown is None:
            raise Refused(403, "NotYoursToRead", f"{stream} is not for the role {given['caller'].role} to read here")
        return Response(orjson.dumps(shown), media_type="application/json", headers={"ETag": f'"{folded.version}"'})

    sign(endpoint, view.one, view.roles, at_least=(AtLeast, 0), wait=(Wait, 5.0))
    router.add_api_route(
        view.one, endpoint, methods=["GET"], name=f"one_{view.kind}", tags=["queries"],
        operation_id=f"one_{view.kind}",
        summary=f"One {view.kind.replace('_', ' ')}, as this service has heard it",
    )  # fmt: skip


def _add_all(router: APIRouter, view: QueryRoute, states: StateStore) -> None:
    async def endpoint(**given: Any) -> Response:
        facets = _asked(view, given["caller"], {name: given[name] for name in view.facets if given[name] is not None})
        found = await states.find(view.kind, facets, given["limit"], given["after"])
        shown = [item for folded in found if (item := await _shown(view, folded, given["caller"])) is not None]
        more = {"next": found[-1].stream} if len(found) == given["limit"] else {}
        return Response(orjson.dumps({"items": shown, **more}), media_type="application/json")

    limit = Annotated[int, Query(ge=1, le=1_000)]
    text = Annotated[str | None, Query(max_length=500)]
    facets = dict.fromkeys(view.facets, (text, None))
    sign(endpoint, view.plural, view.roles, limit=(limit, 100), after=(text, None), **facets)
    router.add_api_route(
        view.plural, endpoint, methods=["GET"], name=f"all_{view.kind}", tags=["queries"],
        operation_id=f"all_{view.kind}",
        summary=f"Every {view.kind.replace('_', ' ')}, filtered, in pages",
    )  # fmt: skip


def _asked(view: QueryRoute, caller: Principal, facets: dict[str, Any]) -> dict[str, Any]:
    """Hold a focal point to what is its own member's, where a member owns the record."""
    if view.own is None or caller.role != "focal_point":
        return facets
    if facets.get(view.own, caller.member) != caller.member:
        raise Refused(403, "NotYoursToRead", f"a focal point reads what is of its own {view.own}")
    return facets | {view.own: caller.member}


async def heard_up_to(
    read: Callable[[], Awaitable[tuple[Reading, int]]], stream: str, version: int, wait: float
) -> Reading:
    """Return what is read of a stream once it is at `version`, or refuse as not heard yet after `wait` seconds."""
    until = time.monotonic() + wait
    while True:
        reading, heard = await read()
        if heard >= version:
            return reading
        if time.monotonic() >= until:
            raise Refused(
                409,
                "NotHeardYet",
                f"{stream} has been heard up to version {heard} here, not yet {version}; ask again",
                headers={"Retry-After": "1"},
                kind="reference",
            )
        await asyncio.sleep(0.05)


async def _shown(view: QueryRoute, folded: FoldedState, caller: Principal) -> dict[str, Any] | None:
    if view.show is not None:
        state = await view.show(folded, caller)
    else:
        state = folded.state.model_dump(mode="json", exclude_none=True)
    if state is None:
        return None
    return {"stream": folded.stream, "version": folded.version, "waits": folded.blocked, "state": state}
