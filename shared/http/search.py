"""Search over HTTP: what is on record in one service, by name, title and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response

from shared.domain.search import SearchQuery, query_of
from shared.domain.search_entry import KINDS
from shared.domain.visibility import within
from shared.http.auth import Principal
from shared.http.paths import set_signature
from shared.http.problems import FieldError, invalid
from shared.http.queries import After, QueryRoute, check_after, one_of
from shared.projection.state_query import known_states
from shared.projection.state_search import Match, Place, StateSearch, Visible

LIMIT = 50
Looked = Annotated[
    str, Query(min_length=1, max_length=500, description="words; a reference, symbol or citation", examples=["75/4"])
]
_Limit = Annotated[int, Query(ge=1, le=100)]
_TOO_SHORT = "holds no word to search for: give two letters or digits, or one character of a script without blanks"


def add_search(
    router: APIRouter, query_routes: Sequence[QueryRoute], search: StateSearch, parts: Mapping[str, str] | None = None
) -> None:
    """Add the search in those kinds of these routes that are searched; `parts` are kinds that lie within another."""
    by_kind = {route.kind: route for route in query_routes if search.has(route.kind)}
    by_kind |= {part: by_kind[kind] for part, kind in (parts or {}).items()}
    routes = {route.kind: route for route in by_kind.values()}.values()

    async def endpoint(**arguments: Any) -> Response:
        query, kind = _query(arguments["q"]), arguments["kind"]
        searched = [by_kind[kind]] if kind in by_kind else [] if kind else routes
        seen = [each for route in searched for each in visible(route, arguments["caller"])]
        after, limit = _place(arguments["after"]), arguments["limit"]
        page = await search.find(query, seen, limit, after, kind) if seen else []
        more = {"next": "/".join(map(str, page[-1].place))} if len(page) == limit else {}
        items = [_shown(match, query) for match in page]
        return Response(orjson.dumps({"items": items, **more}), media_type="application/json")

    roles = frozenset().union(*(route.roles for route in routes))
    set_signature(
        endpoint, "/search", roles, q=Looked, kind=(one_of(KINDS), None), limit=(_Limit, LIMIT),
        after=(After, None),
    )  # fmt: skip
    router.add_api_route(
        "/search", endpoint, methods=["GET"], name="search", tags=["queries"], operation_id="search",
        summary="What matches words, a reference or a symbol, the best first",
    )  # fmt: skip


def visible(route: QueryRoute, caller: Principal) -> Visible:
    """Return what a caller sees of a kind, as its list does: here alone a search is restricted."""
    if caller.role not in route.roles:
        return ()
    return [known_states(route.kind, {}, within(caller, route.sight))]


def _query(text: str) -> SearchQuery:
    query = query_of(text)
    if query.is_too_short:
        raise invalid([FieldError.of("query.q", "too_short", _TOO_SHORT)])
    return query


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    check_after(after, "{rank}/{match}")
    return Place(*map(int, after.split("/")))


def _shown(match: Match, query: SearchQuery) -> dict[str, Any]:
    entry = match.entry
    title, extract = query.extract([entry.title]), query.extract(entry.texts)
    return {
        "kind": entry.kind,
        "stream": match.folded.stream,
        **({"key": entry.key} if entry.key else {}),
        "title": title.text,
        "names": list(entry.names),
        "stage": match.folded.state.stage,
        "extract": extract.text,
        "marks": {"title": title.marks, "extract": extract.marks},
        "rank": match.place.rank,
    }
