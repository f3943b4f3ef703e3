"""Commands and queries over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from services.meetings import commands
from services.meetings.handlers import Handlers
from shared.http.auth import WRITERS
from shared.http.commands import Post, add_commands
from shared.http.queries import View, add_views
from shared.projection.state_store import States
from shared.store.command_handler import CorrectRecord

_ONE, _STREAM = "/meetings/{meeting}", "meeting/{meeting}"
CONFIRMERS = WRITERS | {"chair"}

POSTS = (
    Post("/meetings", commands.ProposeMeeting, _STREAM),
    Post("/recorded-meetings", commands.RecordMeeting, _STREAM),
    Post(f"{_ONE}/confirm", commands.ConfirmMeeting, _STREAM, CONFIRMERS),
    Post(f"{_ONE}/reschedule", commands.RescheduleMeeting, _STREAM),
    Post(f"{_ONE}/cancel", commands.CancelMeeting, _STREAM),
    Post(f"{_ONE}/agenda", commands.AddAgendaItem, _STREAM),
    Post(f"{_ONE}/documents", commands.DisseminateDocument, _STREAM),
    Post(f"{_ONE}/attendance", commands.RecordAttendance, _STREAM),
    Post(f"{_ONE}/hold", commands.HoldMeeting, _STREAM),
    Post(f"{_ONE}/outcomes", commands.RecordOutcome, _STREAM),
    Post(f"{_ONE}/correct", CorrectRecord, _STREAM),
)
VIEWS = (
    View("/meetings", _ONE, "meeting", _STREAM, ("stage", "kind", "modality", "member", "priority", "instrument")),
    View("/memberships-heard", "/memberships-heard/{membership}", "membership", "membership/{membership}"),
    View("/priorities-heard", "/priorities-heard/{priority}", "priority", "priority/{priority}"),
    View("/instruments-heard", "/instruments-heard/{instrument}", "instrument", "instrument/{instrument}"),
)


def router(handlers: Handlers, states: States) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter()
    add_commands(routes, "meetings", POSTS, handlers)
    add_views(routes, VIEWS, states)
    return routes
