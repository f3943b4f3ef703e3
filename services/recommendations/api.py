"""Commands and queries over HTTP."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.recommendations import commands
from services.recommendations.domain.lineage import noted_in
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import PRIORITY
from services.recommendations.handlers import Handlers
from services.recommendations.projection import Traces
from services.recommendations.queries import (
    Stage,
    coverage_of_provisions,
    coverage_of_recommendations,
    rows,
    today_of,
    with_text,
)
from services.recommendations.trace import trace_bytes
from shared.domain.members import MEMBERS
from shared.events.envelope import SUBJECT, stamp
from shared.events.words import DispositionOutcome
from shared.http.auth import AUDITORS, READERS, Principal, allow
from shared.http.commands import CommandRoute, add_commands
from shared.http.paths import Committee, Number, Year
from shared.http.problems import Refused
from shared.http.queries import AtLeast, Filter, Limit, QueryRoute, Wait, add_queries, stages_of, wait_for_version
from shared.http.query_times import Day, Moment
from shared.http.routes import StrictRoute
from shared.projection.natural_order import natural_order
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.store.correcting import CorrectRecord
from shared.store.voiding import VoidRecord

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
    CommandRoute(f"{_ONE}/adopt", commands.AdoptRecommendation, _STREAM),
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
    QueryRoute("/meetings-heard", "/meetings-heard/{meeting}", "meeting", "meeting/{meeting}"),
)
_TRACE = "/traces/{committee}/{year}/{number}"
_FILTERS = {
    "stage": "recommendation.standing",
    "theme": "recommendation.themes",
    "standing": "mandates.standing",
    "coverage": "coverage",
    "disposition": "dispositions.outcome",
    "provision": "mandates.provision",
}
_AsOf = Annotated[Day | None, Query(description="facts up to this day in the world")]
_KnownAt = Annotated[Moment | None, Query(description="what had been recorded by this time, UTC")]
_Reach = Literal["uncovered", "shallow", "deep"]
_Citation = Literal["live", "suspect", "uncited", "void"]


def router(handlers: Handlers, traces: Traces, projector: Projector) -> APIRouter:
    """Return this service's endpoints."""
    routes = APIRouter(route_class=StrictRoute)
    add_commands(routes, "recommendations", COMMAND_ROUTES, handlers.handle)
    add_queries(routes, QUERY_ROUTES, projector.states)
    _add_one_trace(routes, traces, projector)
    _add_lists_of_traces(routes, traces, projector.states)
    return routes


def _add_one_trace(routes: APIRouter, traces: Traces, projector: Projector) -> None:
    @routes.get(_TRACE, tags=["queries"], summary="One trace")
    async def one_trace(
        committee: Committee,
        year: Year,
        number: Number,
        _caller: Annotated[Principal, allow(READERS)],
        as_of: _AsOf = None,
        known_at: _KnownAt = None,
        at_least: AtLeast = 0,
        wait: Wait = 5.0,
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        own = f"recommendation/{reference}"

        async def read() -> tuple[dict[str, Any] | None, int]:
            trace = await traces.get(reference)
            based_on = trace.get("based_on", ()) if trace else ()
            return trace, next((version for stream, version, *_ in based_on if stream == own), at_least if trace else 0)

        stored = await wait_for_version(read, own, at_least, wait)
        trace = await _shown(traces, reference, stored, as_of, known_at)
        today = today_of(trace, await projector.stalled(), as_of, known_at)
        revision = stored["revision"] if stored else 0
        return _answer(trace, {"revision": revision, "today": today}, headers={"ETag": f'"{revision}"'})

    @routes.get(
        f"{_TRACE}/provenance", tags=["queries"], summary="One trace, and the place in its log of each event behind it"
    )
    async def trace_provenance(
        committee: Committee,
        year: Year,
        number: Number,
        _caller: Annotated[Principal, allow(READERS)],
        as_of: _AsOf = None,
        known_at: _KnownAt = None,
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        trace = await _shown(traces, reference, await traces.get(reference), as_of, known_at)
        today = today_of(trace, await projector.stalled(), as_of, known_at)
        return _answer(trace, {"today": today, "events": [place._asdict() for place in await traces.places_of(trace)]})

    @routes.get(f"{_TRACE}/events", tags=["queries"], summary="One trace, and all that it is based on")
    async def trace_events(
        committee: Committee, year: Year, number: Number, _caller: Annotated[Principal, allow(AUDITORS)]
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        trace = await _shown(traces, reference, await traces.get(reference))
        events = [
            {"service": event.recorded.data.service, "position": event.position, "event": orjson.Fragment(event.raw)}
            for event in await traces.events_of(trace)
        ]
        return _answer(trace, {"events": events})


def _add_lists_of_traces(routes: APIRouter, traces: Traces, states: StateStore) -> None:
    @routes.get("/traces", tags=["queries"], summary="Every trace, filtered, in pages")
    async def all_traces(
        _caller: Annotated[Principal, allow(READERS)],
        stage: Annotated[Stage | None, Query(description="of the recommendation")] = None,
        standing: Annotated[_Citation | None, Query(description="of a cited mandate")] = None,
        coverage: _Reach | None = None,
        disposition: DispositionOutcome | None = None,
        theme: Filter = None,
        provision: Filter = None,
        text: Annotated[
            str | None, Query(max_length=500, description="words in title, text, summaries, cites; or a reference")
        ] = None,
        view: Annotated[Literal["trace", "row"], Query(description="whole traces, or what a list shows")] = "trace",
        limit: Limit = 100,
        after: Filter = None,
    ) -> Response:
        filters = {
            "stage": stage, "theme": theme, "standing": standing, "coverage": coverage,
            "disposition": disposition, "provision": provision,
        }  # fmt: skip
        query: dict[str, Any] = {_FILTERS[name]: value for name, value in filters.items() if value is not None}
        query |= with_text(text) if text is not None else {}
        if view == "row":
            items = await rows(traces, query, limit, after)
        else:
            items = [orjson.loads(trace_bytes(trace)) for trace in await traces.find(query, limit, after)]
        more = {"next": items[-1].get("recommendation", items[-1])["reference"]} if len(items) == limit else {}
        return Response(orjson.dumps({"items": items, **more}), media_type="application/json")

    @routes.get("/dependants", tags=["queries"], summary="The traces that rest on a stream, and change with it")
    async def dependants(
        _caller: Annotated[Principal, allow(READERS)],
        stream: Annotated[str, Query(pattern=SUBJECT, examples=["instrument/75-4"])],
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        folded = (await states.read([stream]))[stream]
        resting = await traces.dependants({stream}) | noted_in(folded.state) if folded.version else set()
        references = sorted(resting, key=natural_order)
        return {"stream": stream, "count": len(references), "traces": references[:limit]}

    @routes.get("/coverage", tags=["queries"], summary="Coverage, both ways, in pages")
    async def both_ways(
        _caller: Annotated[Principal, allow(READERS)],
        by: Annotated[
            Literal["provision", "recommendation"],
            Query(description="the provisions of `limit` instruments, or `limit` recommendations"),
        ] = "provision",
        limit: Limit = 100,
        after: Filter = None,
    ) -> dict[str, Any]:
        if by == "recommendation":
            return await coverage_of_recommendations(traces, limit, after)
        return await coverage_of_provisions(states, traces, limit, after)


async def _shown(
    traces: Traces,
    reference: str,
    stored: dict[str, Any] | None,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the trace that was asked for: the stored one, or one of another time. Raises Refused."""
    trace = stored
    if as_of is not None or known_at is not None:
        trace = await traces.at(reference, as_of, stamp(known_at) if known_at else None)
    if trace is None:
        raise Refused(404, "NotOnRecord", f"no trace of {reference} is on record for what was asked")
    if "fault" in trace:
        says = (
            f"the trace of {reference} is not shown: {trace['fault']}; ask for it as it was `known_at` an earlier time"
        )
        raise Refused(409, "TraceHasFault", says, kind="order")
    return trace


def _answer(trace: dict[str, Any], beside: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Return the trace, byte for byte as compared, beside facts that are not compared."""
    body = orjson.dumps(beside | {"trace": orjson.Fragment(trace_bytes(trace))})
    return Response(body, media_type="application/json", headers=headers)
