"""Queries of traces over HTTP: one of any time, its events, lists, what rests on a stream, and coverage."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import Response

from services.recommendations.domain.lineage import noted_in
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.projection import Traces
from services.recommendations.queries.coverage import (
    Cited,
    coverage_counts,
    coverage_of_provisions,
    coverage_of_recommendations,
)
from services.recommendations.queries.proceedings import proceedings_of
from services.recommendations.queries.traces import Stage, is_seen, rows, seen_by, today_of, with_text
from services.recommendations.queries.waiting import suspects_by_supersession
from services.recommendations.trace import trace_bytes
from shared.domain.visibility import readers
from shared.events.envelope import SUBJECT, stamp
from shared.events.words import DispositionOutcome
from shared.http.auth import Principal, allow
from shared.http.paths import Committee, Meeting, Number, Year
from shared.http.problems import FieldError, Refused, invalid
from shared.http.queries import After, AtLeast, Filter, Limit, Wait, check_after, wait_for_version
from shared.http.query_times import Day, Moment
from shared.projection.natural_order import natural_order
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore

_REFERENCE = "{committee}/{year}/{number}"
_TRACE = f"/traces/{_REFERENCE}"
_FILTERS = {
    "stage": "recommendation.standing",
    "theme": "recommendation.themes",
    "standing": "mandates.standing",
    "coverage": "coverage",
    "disposition": "dispositions.outcome",
    "provision": "mandates.provision",
}
_OF_WHOM = {"actor": None, "role": None}
_AsOf = Annotated[Day | None, Query(description="facts up to this day in the world")]
_KnownAt = Annotated[Moment | None, Query(description="what had been recorded by this time, UTC")]
_Caller = Annotated[Principal, allow(readers(RECOMMENDATION.kind))]
_Reach = Literal["uncovered", "shallow", "deep"]
_Citation = Literal["live", "suspect", "uncited", "void"]


def add_one_trace(routes: APIRouter, traces: Traces, projector: Projector) -> None:
    """Add the endpoints of one trace: itself, the places of the events behind it, and these events."""

    @routes.get(_TRACE, tags=["queries"], summary="One trace")
    async def one_trace(
        committee: Committee,
        year: Year,
        number: Number,
        caller: _Caller,
        as_of: _AsOf = None,
        known_at: _KnownAt = None,
        at_least: AtLeast = 0,
        wait: Wait = 5.0,
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        own = f"recommendation/{reference}"

        async def read() -> tuple[dict[str, Any] | None, int]:
            trace = await traces.get(reference)
            if trace is None or not is_seen(trace, caller):
                return trace, 0
            return trace, next(
                (version for stream, version, *_ in trace.get("based_on", ()) if stream == own), at_least
            )

        stored = await wait_for_version(read, own, at_least, wait)
        trace = await _shown(traces, caller, reference, stored, as_of, known_at)
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
        caller: _Caller,
        as_of: _AsOf = None,
        known_at: _KnownAt = None,
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        trace = await _shown(traces, caller, reference, await traces.get(reference), as_of, known_at)
        today = today_of(trace, await projector.stalled(), as_of, known_at)
        hidden = {} if caller.role in readers("event") else _OF_WHOM
        events = [place._asdict() | hidden for place in await traces.places_of(trace)]
        return _answer(trace, {"today": today, "events": events})

    @routes.get(f"{_TRACE}/events", tags=["queries"], summary="One trace, and all that it is based on")
    async def trace_events(
        committee: Committee, year: Year, number: Number, caller: Annotated[Principal, allow(readers("event"))]
    ) -> Response:
        reference = f"{committee}/{year}/{number}"
        trace = await _shown(traces, caller, reference, await traces.get(reference))
        events = [
            {"service": event.recorded.data.service, "position": event.position, "event": orjson.Fragment(event.raw)}
            for event in await traces.events_of(trace)
        ]
        return _answer(trace, {"events": events})


def add_lists_of_traces(routes: APIRouter, traces: Traces, states: StateStore) -> None:
    """Add the endpoints that list traces: all, those that rest on a stream, and coverage."""

    @routes.get("/traces", tags=["queries"], summary="Every trace, filtered, in pages")
    async def all_traces(
        caller: _Caller,
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
        after: After = None,
    ) -> Response:
        check_after(after, _REFERENCE)
        filters = {
            "stage": stage, "theme": theme, "standing": standing, "coverage": coverage,
            "disposition": disposition, "provision": provision,
        }  # fmt: skip
        query: dict[str, Any] = {_FILTERS[name]: value for name, value in filters.items() if value is not None}
        query |= seen_by(caller) | (with_text(text) if text is not None else {})
        if view == "row":
            items = await rows(traces, query, limit, after)
        else:
            items = [orjson.loads(trace_bytes(trace)) for trace in await traces.find(query, limit, after)]
        more = {"next": items[-1].get("recommendation", items[-1])["reference"]} if len(items) == limit else {}
        return Response(orjson.dumps({"items": items, **more}), media_type="application/json")

    @routes.get("/dependants", tags=["queries"], summary="The traces that rest on a stream, and change with it")
    async def dependants(
        caller: _Caller,
        stream: Annotated[str, Query(pattern=SUBJECT, examples=["instrument/75-4"])],
        limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    ) -> dict[str, Any]:
        folded = (await states.read([stream]))[stream]
        resting = await traces.dependants({stream}) | noted_in(folded.state) if folded.version else set()
        if seen := seen_by(caller):
            resting = await traces.matching(resting, seen)
        references = sorted(resting, key=natural_order)
        return {"stream": stream, "count": len(references), "traces": references[:limit]}

    @routes.get("/proceedings/{meeting}", tags=["queries"], summary="A meeting's part in each recommendation")
    async def proceedings(meeting: Meeting, caller: _Caller) -> dict[str, Any]:
        if (shown := await proceedings_of(states, caller, meeting)) is None:
            raise Refused(404, "NotOnRecord", f"meeting/{meeting} is not on record here")
        return shown

    @routes.get("/suspect-citations", tags=["queries"], summary="Suspect citations, by the supersession to answer")
    async def suspect(caller: _Caller, limit: Limit = 100, after: After = None) -> dict[str, Any]:
        check_after(after, "{instrument} {instrument}")
        return await suspects_by_supersession(traces, seen_by(caller), limit, after)

    @routes.get("/coverage/counts", tags=["queries"], summary="Coverage in numbers, both ways")
    async def counts(caller: _Caller) -> dict[str, Any]:
        return await coverage_counts(states, traces, seen_by(caller))

    @routes.get("/coverage", tags=["queries"], summary="Coverage, both ways, in pages")
    async def both_ways(
        caller: _Caller,
        by: Annotated[
            Literal["provision", "recommendation"],
            Query(description="the provisions of `limit` instruments, or `limit` recommendations"),
        ] = "provision",
        cited: Annotated[
            Cited | None, Query(description="by provision, those that a recommendation cites, or that none does")
        ] = None,
        limit: Limit = 100,
        after: After = None,
    ) -> dict[str, Any]:
        check_after(after, _REFERENCE if by == "recommendation" else "instrument/{instrument}")
        if by == "recommendation":
            if cited is not None:
                raise invalid([FieldError.of("query.cited", "of_provisions", "is a filter of provisions")])
            return await coverage_of_recommendations(traces, seen_by(caller), limit, after)
        return await coverage_of_provisions(states, traces, seen_by(caller), limit, after, cited)


async def _shown(
    traces: Traces,
    caller: Principal,
    reference: str,
    stored: dict[str, Any] | None,
    as_of: date | None = None,
    known_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the trace that was asked for: the stored one, or one of another time. Raises Refused.

    The caller must see the recommendation as it now stands, and as it stood at that time: a draft is not on record.
    """
    trace = stored if stored is None or is_seen(stored, caller) else None
    if (as_of is not None or known_at is not None) and trace is stored:
        trace = await traces.at(reference, as_of, stamp(known_at) if known_at else None)
    if trace is None or not is_seen(trace, caller):
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
