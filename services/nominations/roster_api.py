"""Queries of the group and of Governments over HTTP: the roster as at a day, the members, who answered a call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from services.nominations.domain.call import Closed, Open
from services.nominations.queries.members import answers, members, tallies
from services.nominations.queries.roster import roster
from shared.domain.members import MEMBERS, MemberKind
from shared.domain.visibility import readers
from shared.events.words import Capacity, Category, words
from shared.http.auth import Principal
from shared.http.paths import set_signature
from shared.http.problems import Refused
from shared.http.queries import Filter, Limit, check_after, check_own, one_of
from shared.http.query_times import Day
from shared.privacy.key_ring import KeyRing
from shared.projection.state_store import StateStore

SEE_THE_GROUP = readers("membership")
_FILTERS: dict[str, Any] = {
    "member": one_of(tuple(MEMBERS)),
    "category": one_of(words(Category)),
    "theme": Filter,
    "capacity": one_of(words(Capacity)),
}
_On = Annotated[Day | None, Query(description="the day, YYYY-MM-DD; today in UTC where it is left out")]
_After = Annotated[str | None, Query(max_length=5_000, description="the `next` of the page before")]
_Nominated = Annotated[
    Literal["ever", "never"] | None,
    Query(description="those that ever nominated, or that never did, by what the caller sees; a void one is none"),
]
_Under = Annotated[str | None, Query(max_length=100, description="count only nominations under this call")]
_Answer = Annotated[
    Literal["yes", "no"] | None,
    Query(description="those that have answered, or that have not, by what the caller sees"),
]


def add_roster(routes: APIRouter, states: StateStore, keys: KeyRing) -> None:
    """Add the query of the roster to the router."""

    async def endpoint(**arguments: Any) -> dict[str, Any]:
        caller: Principal = arguments["caller"]
        check_after(arguments["after"], "{member} {rest}")
        chosen = {name: arguments[name] for name in _FILTERS if arguments[name] is not None}
        check_own(caller, "membership", chosen)
        on = arguments["on"] or datetime.now(UTC).date()
        return await roster(states, keys, caller, on, chosen, arguments["limit"], arguments["after"])

    filters = {name: (kind, None) for name, kind in _FILTERS.items()}
    set_signature(
        endpoint, "/roster", SEE_THE_GROUP, on=(_On, None), limit=(Limit, 100), after=(_After, None), **filters
    )
    _add(routes, "/roster", endpoint, "roster", "The members of the group on a day, filtered, in pages, with counts")


def add_members(routes: APIRouter, states: StateStore) -> None:
    """Add the queries of the members of ESCAP, and of their answers to a call, to the router."""

    async def every(**arguments: Any) -> dict[str, Any]:
        if arguments["call"] is not None:
            await _call(states, arguments["call"])
        counted = await tallies(states, arguments["caller"], arguments["call"])
        return members(counted, _seen_by(arguments["caller"]), arguments["nominated"], arguments["kind"])

    async def answering(**arguments: Any) -> Any:
        call = await _call(states, arguments["call"])
        counted = await tallies(states, arguments["caller"], arguments["call"])
        return answers(call, counted, _seen_by(arguments["caller"]), arguments["answered"])

    kind = one_of(words(MemberKind))
    set_signature(
        every, "/members", SEE_THE_GROUP, nominated=(_Nominated, None), kind=(kind, None), call=(_Under, None)
    )
    _add(routes, "/members", every, "members", "The members and associate members of ESCAP, with what each nominated")
    path = "/calls/{call}/answers"
    set_signature(answering, path, SEE_THE_GROUP, answered=(_Answer, None))
    _add(routes, path, answering, "answers", "A call with its deadline, and who has answered it and who has not")


def _add(routes: APIRouter, path: str, endpoint: Any, name: str, summary: str) -> None:
    routes.add_api_route(
        path, endpoint, methods=["GET"], name=name, operation_id=name, tags=["queries"], summary=summary
    )


def _seen_by(caller: Principal) -> list[str]:
    return [member for member in MEMBERS if caller.member in (None, member)]


async def _call(states: StateStore, call: str) -> Open | Closed:
    """Return a call on record. Raises Refused."""
    stream = f"call/{call}"
    state = (await states.read([stream]))[stream].state
    if not isinstance(state, Open | Closed):
        raise Refused(404, "NotOnRecord", f"{stream} is not on record here, or is void")
    return state
