"""Commands and queries over HTTP; those of traces are in `trace_api`."""

from __future__ import annotations

from functools import partial

from fastapi import APIRouter

from services.recommendations import commands
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import PRIORITY
from services.recommendations.domain.searched import PARTS
from services.recommendations.domain.waiting import KINDS
from services.recommendations.handlers import Handlers
from services.recommendations.projection import Traces
from services.recommendations.queries.waiting import matters_beside
from services.recommendations.trace_api import add_lists_of_traces, add_one_trace
from shared.domain.members import MEMBERS
from shared.http.auth import WRITERS
from shared.http.commands import CommandRoute, add_commands
from shared.http.queries import QueryRoute, add_queries, stages_of
from shared.http.routes import StrictRoute
from shared.http.search import add_search
from shared.http.waiting import add_waiting
from shared.projection.projector import Projector
from shared.projection.state_search import StateSearch
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

ADOPTERS = WRITERS | {"chair"}
_ONE = "/recommendations/{committee}/{year}/{number}"
_STREAM = "recommendation/{committee}/{year}/{number}"
_INSTRUMENT = ("/instruments/{instrument}", "instrument/{instrument}")
_PRIORITY = ("/priorities/{priority}", "priority/{priority}")
_INITIATIVE = ("/initiatives/{initiative}", "initiative", "initiative/{initiative}")
_DELIVERABLE = ("/deliverables/{deliverable}", "deliverable", "deliverable/{deliverable}")

COMMAND_ROUTES = (
    CommandRoute("/instruments", commands.RegisterInstrument, "instrument/{instrument}"),
    CommandRoute(f"{_INSTRUMENT[0]}/provisions", commands.RegisterProvision, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/discharge-reporting-duty", commands.DischargeReportingDuty, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/supersede", commands.SupersedeInstrument, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/reaffirm", commands.ReaffirmInstrument, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/carry", commands.CarryInstrument, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/endorse", commands.EndorseInstrument, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/correct", CorrectRecord, _INSTRUMENT[1]),
    CommandRoute(f"{_INSTRUMENT[0]}/void", VoidRecord, _INSTRUMENT[1]),
    CommandRoute("/sessions", commands.RecordCommitteeSession, "session/{session}"),
    CommandRoute("/sessions/{session}/correct", CorrectRecord, "session/{session}"),
    CommandRoute("/sessions/{session}/void", VoidRecord, "session/{session}"),
    CommandRoute("/body-sessions", commands.RecordBodySession, "body_session/{key}"),
    CommandRoute("/body-sessions/{key}/correct", CorrectRecord, "body_session/{key}"),
    CommandRoute("/body-sessions/{key}/void", VoidRecord, "body_session/{key}"),
    CommandRoute("/priorities", commands.SelectPriority, "priority/{priority}"),
    CommandRoute(f"{_PRIORITY[0]}/close", commands.ClosePriority, _PRIORITY[1]),
    CommandRoute(f"{_PRIORITY[0]}/correct", CorrectRecord, _PRIORITY[1]),
    CommandRoute(f"{_PRIORITY[0]}/void", VoidRecord, _PRIORITY[1]),
    CommandRoute("/initiatives", commands.RegisterInitiative, "initiative/{initiative}"),
    CommandRoute("/initiatives/{initiative}/correct", CorrectRecord, "initiative/{initiative}"),
    CommandRoute("/initiatives/{initiative}/void", VoidRecord, "initiative/{initiative}"),
    CommandRoute("/deliverables", commands.RecordDeliverable, "deliverable/{deliverable}"),
    CommandRoute("/deliverables/{deliverable}/correct", CorrectRecord, "deliverable/{deliverable}"),
    CommandRoute("/deliverables/{deliverable}/void", VoidRecord, "deliverable/{deliverable}"),
    CommandRoute("/recommendations", commands.DraftRecommendation, "recommendation/{reference}"),
    CommandRoute(f"{_ONE}/revise", commands.ReviseRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/cite", commands.CiteMandate, _STREAM),
    CommandRoute(f"{_ONE}/uncite", commands.UnciteMandate, _STREAM),
    CommandRoute(f"{_ONE}/reconfirm", commands.ReconfirmCitation, _STREAM),
    CommandRoute(f"{_ONE}/origin", commands.RecordOrigin, _STREAM),
    CommandRoute(f"{_ONE}/discuss", commands.DiscussRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/adopt", commands.AdoptRecommendation, _STREAM, ADOPTERS),
    CommandRoute(f"{_ONE}/transmit", commands.TransmitRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/dispose", commands.RecordDisposition, _STREAM),
    CommandRoute(f"{_ONE}/carry", commands.RecordCarriage, _STREAM),
    CommandRoute(f"{_ONE}/follow-up", commands.ReportFollowUp, _STREAM),
    CommandRoute(f"{_ONE}/supersede", commands.SupersedeRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/merge", commands.MergeRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/split", commands.SplitRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/withdraw", commands.WithdrawRecommendation, _STREAM),
    CommandRoute(f"{_ONE}/correct", CorrectRecord, _STREAM),
    CommandRoute(f"{_ONE}/void", VoidRecord, _STREAM),
)
QUERY_ROUTES = (
    QueryRoute(
        "/instruments",
        _INSTRUMENT[0],
        "instrument",
        _INSTRUMENT[1],
        {"cite": (), "body": (), "standing": ("live", "superseded", "void")},
    ),
    QueryRoute("/sessions", "/sessions/{session}", "session", "session/{session}"),
    QueryRoute("/body-sessions", "/body-sessions/{key}", "body_session", "body_session/{key}"),
    QueryRoute("/priorities", _PRIORITY[0], "priority", _PRIORITY[1], {"stage": stages_of(PRIORITY), "theme": ()}),
    QueryRoute("/initiatives", *_INITIATIVE, {"member": tuple(MEMBERS), "provision": ()}),
    QueryRoute("/deliverables", *_DELIVERABLE, {"year": (), "body": ()}),
    QueryRoute(
        "/recommendations",
        _ONE,
        "recommendation",
        _STREAM,
        {"stage": stages_of(RECOMMENDATION), "priority": (), "theme": ()},
    ),
    QueryRoute("/meetings-heard", "/meetings-heard/{meeting}", "meeting", "meeting/{meeting}", row="replica"),
)


def router(handlers: Handlers, traces: Traces, projector: Projector, search: StateSearch) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "recommendations", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, QUERY_ROUTES, projector.states)
    add_search(routes, QUERY_ROUTES, search, PARTS)
    add_one_trace(routes, traces, projector)
    add_lists_of_traces(routes, traces, projector.states)
    add_waiting(routes, KINDS, projector.states, partial(matters_beside, projector.states, traces))
    return routes
