"""Commands and queries over HTTP."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter

from services.meetings import commands
from services.meetings.domain.meeting import MEETING
from services.meetings.domain.terms import gaps_of, memberships_of
from services.meetings.handlers import Handlers
from shared.domain.members import MEMBERS
from shared.events.words import MeetingKind, Modality, words
from shared.http.auth import WRITERS
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, add_queries, stages_of
from shared.http.routes import StrictRoute
from shared.projection.fold import FoldedState
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
    CommandRoute(f"{_ONE}/documents", commands.DisseminateDocument, _STREAM),
    CommandRoute(f"{_ONE}/attendance", commands.RecordAttendance, _STREAM),
    CommandRoute(f"{_ONE}/hold", commands.HoldMeeting, _STREAM),
    CommandRoute(f"{_ONE}/outcomes", commands.RecordOutcome, _STREAM),
    CommandRoute(f"{_ONE}/correct", CorrectRecord, _STREAM),
    CommandRoute(f"{_ONE}/void", VoidRecord, _STREAM),
)


async def _of_meetings(page: Sequence[FoldedState], states: StateStore) -> dict[str, list[str]]:
    """Return the gaps between attendances and memberships, as this service knows them by now."""
    attending = {stream for each in page for stream in memberships_of(each.state)}
    memberships = {stream: folded.state for stream, folded in (await states.read(attending)).items()}
    return {each.stream: gaps_of(each.state, memberships) for each in page}


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
        },
        gaps=_of_meetings,
    ),
    QueryRoute("/memberships-heard", "/memberships-heard/{membership}", "membership", "membership/{membership}"),
    QueryRoute("/priorities-heard", "/priorities-heard/{priority}", "priority", "priority/{priority}"),
    QueryRoute("/instruments-heard", "/instruments-heard/{instrument}", "instrument", "instrument/{instrument}"),
)


def router(handlers: Handlers, states: StateStore) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "meetings", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, QUERY_ROUTES, states)
    return routes
