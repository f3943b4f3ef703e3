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
from shared.domain.visibility import Viewer, readers, reads_its_own, sees, within
from shared.http.auth import Principal
from shared.http.paths import has_form, parts_of, set_signature
from shared.http.problems import FieldError, Refused, invalid
from shared.projection.facet_counts import count_by_facet
from shared.projection.fold import FoldedState
from shared.projection.newest_first import newest_first
from shared.projection.state_query import known_states
from shared.projection.state_store import StateStore, StoredState

AtLeast = Annotated[int, Query(ge=0, description="answer only once this service has consumed this version")]
Limit = Annotated[int, Query(ge=1, le=1_000)]
Filter = Annotated[str | None, Query(max_length=500)]
After = Annotated[str | None, Query(max_length=500, description="the `next` of the page before")]
Counts = Annotated[
    bool, Query(description="count all that match by the words of each filter, as if that filter were not given")
]
Wait = Annotated[float, Query(ge=0, le=30, allow_inf_nan=False, description="seconds to wait for that version")]
_Sort = Annotated[Literal["id", "newest"], Query(description="by the numbers in the ids, or the newest first")]
_NOT_ON_RECORD = frozenset({"absent", "unheard"})
Reading = TypeVar("Reading")
Show = Callable[[Sequence[FoldedState], StateStore, Principal], Awaitable[Sequence[dict[str, Any]]]]
Gaps = Callable[[Sequence[FoldedState], StateStore, Principal], Awaitable[Mapping[str, Sequence[str]]]]


@dataclass(frozen=True)
class QueryRoute:
    """The queries of a kind of stream: one by its path, all by their facets, as `shared/domain/visibility.py` shows it.

    `facets` gives the words that each facet may have; an empty list is any text. `show` returns the states of a page,
    and may decrypt them. `gaps` returns, by stream and in words, what does not fit other records. `row` is the row of
    the table of what is seen, where that has not the name of the kind.
    """

    plural: str
    one: str
    kind: str
    stream: str
    facets: Mapping[str, Sequence[str]] = field(default_factory=dict)
    show: Show | None = None
    gaps: Gaps | None = None
    row: str = ""

    @property
    def sight(self) -> str:
        """The kind of record in the table of what is seen."""
        return self.row or self.kind

    @property
    def roles(self) -> frozenset[str]:
        """The roles that see any record of this kind."""
        return readers(self.sight)

    newest: str = ""
    """The facet, if any, by which the list can be sorted, the greatest first."""


def add_queries(router: APIRouter, query_routes: Sequence[QueryRoute], states: StateStore) -> None:
    """Add the two queries of each kind of stream to the router."""
    for query_route in query_routes:
        _add_one(router, query_route, states)
        _add_all(router, query_route, states)


def _add_one(router: APIRouter, route: QueryRoute, states: StateStore) -> None:
    async def endpoint(**arguments: Any) -> Response:
        stream = route.stream.format_map({part: arguments[part] for part in parts_of(route.one)})
        caller: Principal = arguments["caller"]

        async def read() -> tuple[FoldedState, int]:
            folded = (await states.read([stream]))[stream]
            seen = sees(caller, route.sight, states.aggregate_of(stream).facets(folded.state))
            return (folded, folded.version) if seen else (folded._replace(version=0), 0)

        folded = await wait_for_version(read, stream, arguments["at_least"], arguments["wait"])
        if not folded.version:
            raise _not_seen(caller, route.sight, stream)
        [shown] = await _shown(route, [folded], caller, states)
        return Response(orjson.dumps(shown), media_type="application/json", headers={"ETag": f'"{folded.version}"'})

    set_signature(endpoint, route.one, route.roles, at_least=(AtLeast, 0), wait=(Wait, 5.0))
    router.add_api_route(
        route.one, endpoint, methods=["GET"], name=f"one_{route.kind}", tags=["queries"],
        operation_id=f"one_{route.kind}",
        summary=f"One {route.kind.replace('_', ' ')}, as this service knows it",
    )  # fmt: skip


def _add_all(router: APIRouter, route: QueryRoute, states: StateStore) -> None:
    async def endpoint(**arguments: Any) -> Response:
        newest = arguments.get("sort") == "newest"
        check_after(arguments["after"], f"{{{route.newest}}} {route.stream}" if newest else route.stream)
        chosen = {name: arguments[name] for name in route.facets if arguments[name] is not None}
        caller: Principal = arguments["caller"]
        check_own(caller, route.sight, chosen)
        seen = within(caller, route.sight)
        limit, after = arguments["limit"], arguments["after"]
        page: Sequence[FoldedState | StoredState]
        places: Mapping[str, str] = {}
        if newest:
            query = known_states(route.kind, chosen, seen) | {"shape": states.shape}
            places = await newest_first(states.database, query, route.newest, limit, after)
            read = [*(await states.read(places)).values()]
            page, shown = read, await _shown(route, read, caller, states)
        elif route.show is None and route.gaps is None:
            stored = await states.listed_as_stored(route.kind, chosen, limit, after, seen)
            page, shown = stored, [_item(each, orjson.Fragment(each.state)) for each in stored]
        else:
            listed = await states.listed(route.kind, chosen, limit, after, seen)
            page, shown = listed, await _shown(route, listed, caller, states)
        last = page[-1].stream if len(page) == limit else None
        more: dict[str, Any] = {"next": places.get(last, last)} if last else {}
        if arguments["counts"]:
            more["counts"] = await count_by_facet(states.database, route.kind, seen, chosen, closed)
        return Response(orjson.dumps({"items": shown, **more}), media_type="application/json")

    facets = {name: (one_of(words), None) for name, words in route.facets.items()}
    closed = [name for name, words in route.facets.items() if words]
    more: dict[str, Any] = {"counts": (Counts, False)} | ({"sort": (_Sort, "id")} if route.newest else {})
    set_signature(endpoint, route.plural, route.roles, limit=(Limit, 100), after=(After, None), **more, **facets)
    router.add_api_route(
        route.plural, endpoint, methods=["GET"], name=f"all_{route.kind}", tags=["queries"],
        operation_id=f"all_{route.kind}",
        summary=f"Every {route.kind.replace('_', ' ')}, filtered, in pages",
    )  # fmt: skip


def check_after(after: str | None, template: str) -> None:
    """Refuse an `after` that has not the form of the keys by which a list is ordered. Raises Refused."""
    if after is not None and not has_form(after, template):
        says = f"is no place in this list: give the `next` of the page before, of the form {template}"
        raise invalid([FieldError.of("query.after", "no_place", says)])


def one_of(words: Sequence[str]) -> Any:
    """Return the type of a filter that takes one of these words; any text where there are none."""
    return Literal[tuple(words)] | None if words else Filter


def stages_of(aggregate: Aggregate[Any]) -> tuple[str, ...]:
    """Return the stages that a record of this kind may be in."""
    schema: Any = aggregate.states.core_schema
    while "choices" not in schema:
        schema = schema["schema"]
    return tuple(stage for stage in schema["choices"] if stage not in _NOT_ON_RECORD)


def check_own(caller: Principal, kind: str, facets: Mapping[str, Any]) -> None:
    """Refuse a focal point that lists what is another member's. Raises Refused."""
    if caller.member and reads_its_own(caller, kind) and facets.get("member", caller.member) != caller.member:
        raise Refused(403, "NotYoursToRead", "a focal point reads what is of its own member")


def _not_seen(caller: Viewer, kind: str, stream: str) -> Refused:
    """Return the refusal of a record that is not on record, or that a reader does not see: it tells no difference."""
    if not reads_its_own(caller, kind):
        return Refused(404, "NotOnRecord", f"{stream} is not on record here")
    says = f"the role {caller.role} reads its own here, and what all its like may read: {stream} is neither"
    return Refused(403, "NotYoursToRead", f"{says}, or not on record")


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
    shown = await route.show(page, states, caller) if route.show is not None else [plain(each) for each in page]
    gaps = await route.gaps(page, states, caller) if route.gaps is not None else {}
    return [
        _item(folded, state) | ({} if route.gaps is None else {"gaps": list(gaps.get(folded.stream, ()))})
        for folded, state in zip(page, shown, strict=True)
    ]


def _item(folded: FoldedState | StoredState, state: Any) -> dict[str, Any]:
    return {"stream": folded.stream, "version": folded.version, "waits": folded.blocked, "state": state}


def plain(folded: FoldedState) -> dict[str, Any]:
    """Return a state as JSON has it, with its boxes closed."""
    state: dict[str, Any] = folded.state.model_dump(mode="json", exclude_none=True)
    return state
