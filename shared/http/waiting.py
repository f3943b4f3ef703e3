"""The query `/waiting`: what waits for the caller, of one service, the earliest due first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query

from shared.domain.waiting import Due, Waiting, span_of
from shared.http.auth import CALLERS, Principal
from shared.http.paths import set_signature
from shared.http.queries import Limit, check_after, one_of
from shared.projection.awaiting import Wanted, awaiting
from shared.projection.state_store import StateStore

READS_ALL = frozenset({"auditor"})
WAITED_FOR = CALLERS - {"operator"}
Beside = Callable[[Sequence[str]], Awaitable[Iterable[Waiting]]]
_After = Annotated[str | None, Query(max_length=1_000, description="the `next` of the page before")]
_Due = Annotated[Due | None, Query(description="overdue, due within two weeks, or later or without a date")]


async def nothing_beside(_kinds: Sequence[str]) -> Iterable[Waiting]:
    """Return no matters: all that wait in a service are in the facets of its states."""
    return ()


def add_waiting(router: APIRouter, kinds: Sequence[str], states: StateStore, beside: Beside = nothing_beside) -> None:
    """Add the query to the router; `beside` returns those matters of some kinds that no facet tells whole."""

    async def endpoint(**arguments: Any) -> dict[str, Any]:
        check_after(arguments["after"], "{day} {rest}")
        wanted = _wanted(arguments, kinds)
        others = [each for each in await beside(wanted.kinds) if wanted.takes(each)]
        matters = {each.key: each for each in (*await awaiting(states.database, wanted), *others)}
        page = sorted(matters)[: arguments["limit"]]
        items = [{"due": None} | matters[key].model_dump(mode="json", exclude_none=True) for key in page]
        return {"items": items} | ({"next": page[-1]} if len(page) < len(matters) else {})

    set_signature(
        endpoint, "/waiting", WAITED_FOR, kind=(one_of(kinds), None), due=(_Due, None), limit=(Limit, 100),
        after=(_After, None),
    )  # fmt: skip
    router.add_api_route(
        "/waiting", endpoint, methods=["GET"], name="waiting", tags=["queries"], operation_id="waiting",
        summary="What waits for the caller, the earliest due first, in pages; an auditor reads what waits for anybody",
    )  # fmt: skip


def _wanted(arguments: dict[str, Any], kinds: Sequence[str]) -> Wanted:
    caller: Principal = arguments["caller"]
    first, end = span_of(arguments["due"], datetime.now(UTC).date())
    return Wanted(
        kinds=kinds if arguments["kind"] is None else [arguments["kind"]],
        role=None if caller.role in READS_ALL else caller.role,
        member=caller.member,
        first=max(first, f"{arguments['after']}\0") if arguments["after"] is not None else first,
        end=end,
        limit=arguments["limit"] + 1,
    )
