"""Commands and queries over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from fastapi import APIRouter

from services.meetings import commands
from services.meetings.domain.foreign import MembershipReplica, Unknown
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.terms import LIMITS, gaps_of, memberships_of
from services.meetings.domain.waiting import KINDS
from services.meetings.handlers import Handlers
from shared.domain.members import MEMBERS
from shared.domain.visibility import sees
from shared.events.words import MeetingKind, Modality, words
from shared.http.auth import WRITERS, Principal
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, add_queries, plain, stages_of
from shared.http.routes import StrictRoute
from shared.http.search import add_search
from shared.http.waiting import add_waiting
from shared.projection.fold import FoldedState
from shared.projection.state_search import StateSearch
from shared.projection.state_store import StateStore
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

_ONE, _STREAM = "/meetings/{meeting}", "meeting/{meeting}"
CONFIRMERS = WRITERS | {"chair"}

COMMAND_ROUTES = (
    CommandRoute("/meetings", commands.ProposeMeeting, _STREAM),
    CommandRoute("/recorded-meetings", commands.RecordMeeting, _STREAM),
    CommandRoute(f"{_ONE}/confirm", commands.ConfirmMeeting, _STREAM, CONFIRMERS),
    CommandRoute(f"{_ONE}/reschedule", commands.RescheduleMeeting, _STREAM),
    CommandRoute(f"{_ONE}/cancel", commands.CancelMeeting, _STREAM),
    CommandRoute(f"{_ONE}/agenda", commands.AddAgendaItem, _STREAM),
    CommandRoute(f"{_ONE}/order-agenda", commands.OrderAgenda, _STREAM),
    CommandRoute(f"{_ONE}/documents", commands.DisseminateDocument, _STREAM),
    CommandRoute(f"{_ONE}/attendance", commands.RecordAttendance, _STREAM),
    CommandRoute(f"{_ONE}/attendance-list", commands.RecordAttendanceList, _STREAM),
    CommandRoute(f"{_ONE}/hold", commands.HoldMeeting, _STREAM),
    CommandRoute(f"{_ONE}/outcomes", commands.RecordOutcome, _STREAM),
    CommandRoute(f"{_ONE}/close-action-point", commands.CloseActionPoint, _STREAM),
    CommandRoute(f"{_ONE}/correct", CorrectRecord, _STREAM),
    CommandRoute(f"{_ONE}/void", VoidRecord, _STREAM),
)


async def _of_meetings(page: Sequence[FoldedState], states: StateStore, caller: Principal) -> dict[str, list[str]]:
    """Return the gaps between attendances and those memberships that the caller sees, as this service knows them."""
    attending = {stream for each in page for stream in memberships_of(each.state)}
    memberships = {
        stream: folded.state if _is_seen(folded.state, caller) else Unknown()
        for stream, folded in (await states.read(attending)).items()
    }
    return {each.stream: gaps_of(each.state, memberships) for each in page}


async def _with_terms(page: Sequence[FoldedState], _states: StateStore, caller: Principal) -> list[dict[str, Any]]:
    """Show meetings; of an attendance its term, where the caller sees memberships of that member."""
    shown = [plain(each) for each in page]
    for entry in chain(*(state.get("proceedings", {}).get("attendance", ()) for state in shown)):
        if not sees(caller, "membership", {"stage": "active", "member": entry["fact"]["member"]}):
            entry["fact"] = {name: value for name, value in entry["fact"].items() if name not in LIMITS}
    return shown


def _is_seen(membership: MembershipReplica, caller: Principal) -> bool:
    facets = {"stage": membership.stage, "member": getattr(membership, "member", None)}
    return sees(caller, "membership", facets)


def _replica(plural: str, kind: str) -> QueryRoute:
    """Return the queries of a kind of stream of a sibling, as folded here."""
    return QueryRoute(f"/{plural}-heard", f"/{plural}-heard/{{{kind}}}", kind, f"{kind}/{{{kind}}}", row="replica")


QUERY_ROUTES = (
    QueryRoute(
        "/meetings",
        _ONE,
        "meeting",
        _STREAM,
        {
            "stage": stages_of(MEETING),
            "kind": words(MeetingKind),
            "modality": words(Modality),
            "member": tuple(MEMBERS),
            "priority": (),
            "instrument": (),
            "month": (),
        },
        _with_terms,
        _of_meetings,
    ),
    _replica("memberships", "membership"),
    _replica("priorities", "priority"),
    _replica("instruments", "instrument"),
)


def router(handlers: Handlers, states: StateStore, search: StateSearch) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "meetings", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, QUERY_ROUTES, states)
    add_waiting(routes, KINDS, states)
    add_search(routes, QUERY_ROUTES, search)
    return routes
