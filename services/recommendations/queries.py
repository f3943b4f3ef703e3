"""Queries beyond the stored trace: facts past due today, blocked streams, rows of lists, coverage both ways."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal, NamedTuple

from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.proceedings import parts_of
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.registers import OnRecord
from services.recommendations.domain.state import OnRecord as RecommendationOnRecord
from services.recommendations.domain.texts import latest, texts_of
from services.recommendations.domain.waiting import dated
from services.recommendations.projection import Traces
from services.recommendations.trace import phase_of
from services.recommendations.trace.overdue import past_due
from shared.domain.visibility import Viewer, sees, within
from shared.domain.waiting import Waiting
from shared.events.envelope import stamp
from shared.events.values import ACRONYM
from shared.projection.awaiting import by_session
from shared.projection.facet_counts import total
from shared.projection.natural_order import natural_order
from shared.projection.state_query import seen_query
from shared.projection.state_store import StateStore

Stage = Literal[
    "drafted", "adopted", "transmitted", "disposed", "withdrawn", "superseded", "merged", "split", "void"
]  # fmt: skip
_Ref = tuple[str, str]
MOST_TRACES = 100_000
_OPERATORS = re.compile('["-]+')
_REFERENCE = re.compile(f"{ACRONYM}/[0-9]{{4}}/R[0-9]+", re.IGNORECASE)
_HOLDS = {"recommendation.standing": {"$ne": "void"}}
_ROW = {
    "recommendation.reference": 1,
    "recommendation.title": 1,
    "recommendation.standing": 1,
    "coverage": 1,
    "dispositions.outcome": 1,
    "mandates.standing": 1,
    "gaps": {"$size": "$gaps"},
}


_OPEN = ("drafted", "adopted", "transmitted", "disposed")
_SHOWN_OF_A_MEETING = {"title", "kind", "stage", "starts_at", "ends_at", "agenda", "outcomes"}
_SUSPECT = {"mandates.standing": "suspect", "recommendation.standing": {"$in": _OPEN}}
_CITATIONS = {
    "recommendation.reference": 1,
    "recommendation.title": 1,
    "mandates": {"$filter": {"input": "$mandates", "cond": {"$eq": ["$$this.standing", "suspect"]}}},
}


class SuspectCitation(NamedTuple):
    """A citation whose instrument was superseded, and that nobody has reconfirmed against the later one since."""

    reference: str
    title: str
    mandate: Mapping[str, Any]
    why: Mapping[str, Any]


async def suspect_citations(traces: Traces, seen: Mapping[str, Any]) -> list[SuspectCitation]:
    """Return the suspect citations of every open recommendation, one for each supersession."""
    return [
        SuspectCitation(trace["recommendation"]["reference"], trace["recommendation"]["title"], mandate, why)
        for trace in await traces.find({**_SUSPECT, **seen}, MOST_TRACES, None, _CITATIONS)
        for mandate in trace["mandates"]
        for why in mandate.get("why", ())
    ]


async def matters_beside(states: StateStore, traces: Traces, kinds: Sequence[str]) -> list[Waiting]:
    """Return what waits by more than one stream: with the days of its session, or by the trace of its citation."""
    matters = await by_session(states.database)
    sessions = await states.read({each.session for each in matters if each.session})
    on = {stream: folded.state.recorded.data for stream, folded in sessions.items() if _is_on_record(folded.state)}
    of_sessions = [dated(each, on.get(each.session or "")) for each in matters]
    return of_sessions + (
        [_on_citation(each) for each in await suspect_citations(traces, {})] if "citation" in kinds else []
    )


def _is_on_record(state: object) -> bool:
    return isinstance(state, OnRecord)


def _on_citation(suspect: SuspectCitation) -> Waiting:
    mandate, later = suspect.mandate, suspect.why
    return Waiting(
        kind="citation", stream=f"recommendation/{suspect.reference}", title=suspect.title, since=later.get("on"),
        about=f"{mandate['instrument']} {mandate['provision']} {later['superseded_by']}", roles=("secretariat",),
        why=f"Its citation of {mandate['cite']} is suspect: superseded by {later.get('cite', later['superseded_by'])}.",
    )  # fmt: skip


async def suspects_by_supersession(
    traces: Traces, seen: Mapping[str, Any], limit: int, after: str | None
) -> dict[str, Any]:
    """Return a page of supersessions, each with the citations that it makes suspect."""
    by_pair: dict[str, dict[str, Any]] = {}
    for reference, title, mandate, why in await suspect_citations(traces, seen):
        key = f"{mandate['instrument']} {why['superseded_by']}"
        named = {"instrument": mandate["instrument"], "cite": mandate["cite"], "superseded_by": why["superseded_by"]}
        known = {"superseded_by_cite": why.get("cite"), "on": why.get("on"), "status": why.get("status")}
        group = by_pair.setdefault(key, {**named, **_known(known), "citations": []})
        cited = {"reference": reference, "title": title, "provision": mandate["provision"]}
        group["citations"].append(
            cited | _known({"paragraph": mandate.get("paragraph"), "on": mandate.get("cited_on")})
        )
    left = [key for key in sorted(by_pair) if after is None or key > after]
    items = [by_pair[key] for key in left[:limit]]
    return {"items": items} | ({"next": left[limit - 1]} if len(left) > limit else {})


async def proceedings_of(states: StateStore, reader: Viewer, meeting: str) -> dict[str, Any] | None:
    """Return a meeting on record here with its part in each recommendation that a reader sees; else None."""
    stream = f"meeting/{meeting}"
    replica = (await states.read([stream]))[stream].state
    if not isinstance(replica, MeetingReplica):
        return None
    resting = await states.read(await states.dependants([stream], kind="recommendation"))
    seen = [
        resting[each].state
        for each in sorted(resting, key=natural_order)
        if sees(reader, RECOMMENDATION.kind, RECOMMENDATION.facets(resting[each].state))
    ]
    rows = [_part_row(state, meeting) for state in seen]
    shown = replica.model_dump(mode="json", exclude_none=True, include=_SHOWN_OF_A_MEETING)
    return {"meeting": meeting, **shown, "recommendations": [row for row in rows if row]}


def _part_row(state: object, meeting: str) -> dict[str, Any] | None:
    if not isinstance(state, RecommendationOnRecord) or not (parts := parts_of(state, meeting)):
        return None
    return {
        "reference": state.drafted.data.reference,
        "title": latest(texts_of(state)).title,
        "stage": state.stage,
        "parts": [_known(part._asdict()) for part in parts],
    }


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def today_of(
    trace: Mapping[str, Any], stalled: Mapping[str, int], as_of: date | None = None, known_at: datetime | None = None
) -> dict[str, Any]:
    """Return the facts past due on the day of a trace, and the streams behind it that wait for a version today."""
    day = as_of or (known_at or datetime.now(UTC)).date()
    based_on = {stream for stream, *_ in trace["based_on"]}
    waiting = {stream: version for stream, version in sorted(stalled.items()) if stream in based_on}
    known = {"known_at": stamp(known_at)} if known_at else {}
    return {"date": day.isoformat(), "past_due": past_due(trace, day), "stalled": waiting, **known}


def seen_by(viewer: Viewer) -> dict[str, Any]:
    """Return the query for the traces that a viewer sees."""
    return seen_query(within(viewer, RECOMMENDATION.kind))


def is_seen(trace: Mapping[str, Any], viewer: Viewer) -> bool:
    """Tell whether a viewer sees a trace, as of the day and time for which it was composed."""
    return sees(viewer, RECOMMENDATION.kind, {"phase": phase_of(trace)})


def with_text(text: str) -> dict[str, Any]:
    """Return the search for words; a reference finds its recommendation, and the texts that hold it as it is.

    MongoDB reads a hyphen before a word as a negation, and quotes as a phrase: neither is meant here.
    """
    words = _OPERATORS.sub(" ", text)
    if _REFERENCE.fullmatch(text.strip()) is None:
        return {"$text": {"$search": words}}
    return {"$or": [{"_id": text.strip().upper()}, {"$text": {"$search": f'"{text.strip()}"'}}]}


async def rows(traces: Traces, query: Mapping[str, Any], limit: int, after: str | None) -> list[dict[str, Any]]:
    """Return what a list shows of each trace that matches: no more is read of it."""
    return [_row(trace) for trace in await traces.find(query, limit, after, _ROW)]


def _row(trace: Mapping[str, Any]) -> dict[str, Any]:
    standings = [mandate["standing"] for mandate in trace["mandates"]]
    return {
        "reference": trace["recommendation"]["reference"],
        "title": trace["recommendation"]["title"],
        "stage": trace["recommendation"]["standing"],
        "coverage": trace["coverage"],
        "dispositions": [disposition["outcome"] for disposition in trace["dispositions"]],
        "mandates": {"live": standings.count("live"), "all": len(standings)},
        "gaps": trace["gaps"],
    }


async def coverage_of_recommendations(
    traces: Traces, seen: Mapping[str, Any], limit: int, after: str | None
) -> dict[str, Any]:
    """Return a page of those recommendations that are seen, each with its coverage."""
    page = await traces.find({**_HOLDS, **seen}, limit, after, {"coverage": 1})
    items = [{"reference": trace["_id"], "coverage": trace["coverage"]} for trace in page]
    return {"items": items} | ({"next": page[-1]["_id"]} if len(page) == limit else {})


async def coverage_counts(states: StateStore, traces: Traces, seen: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many provisions are on record and cited, and how many recommendations are seen, by their coverage."""
    number, cited, reached = await asyncio.gather(
        total(states.database, "instrument", "provisions"),
        traces.cited({**_HOLDS, **seen}),
        traces.by_coverage({**_HOLDS, **seen}),
    )
    return {
        "provisions": {"all": number, "cited": cited, "uncited": max(0, number - cited)},
        "recommendations": {reach: reached.get(reach, 0) for reach in ("uncovered", "shallow", "deep")},
    }


async def coverage_of_provisions(
    states: StateStore, traces: Traces, seen: Mapping[str, Any], limit: int, after: str | None
) -> dict[str, Any]:
    """Return the provisions of a page of instruments, each with what rests on it of initiatives and what is seen."""
    page = await states.listed("instrument", {}, limit, after)
    instruments = [folded.state for folded in page if isinstance(folded.state, Registered)]
    refs = [(each.registered.data.instrument, item.data.provision) for each in instruments for item in each.provisions]
    cited, supported = await _cited(traces, refs, seen), await _supported(states, refs)
    items = [row for each in instruments for row in _provisions(each, cited, supported)]
    return {"items": items} | ({"next": page[-1].stream} if len(page) == limit else {})


async def _cited(traces: Traces, refs: Sequence[_Ref], seen: Mapping[str, Any]) -> dict[_Ref, list[dict[str, str]]]:
    """Return the citations of provisions by recommendations that are seen, each with the standing of the mandate."""
    cited: dict[_Ref, list[dict[str, str]]] = {ref: [] for ref in refs}
    for trace in await traces.citing([provision for _, provision in refs], seen):
        for mandate in trace["mandates"]:
            if (ref := (mandate["instrument"], mandate["provision"])) in cited:
                cited[ref].append({"reference": trace["_id"], "standing": mandate["standing"]})
    return cited


async def _supported(states: StateStore, refs: Sequence[_Ref]) -> dict[_Ref, list[str]]:
    """Return the initiatives that support provisions."""
    supported: dict[_Ref, list[str]] = {ref: [] for ref in refs}
    named = [f"{instrument} {provision}" for instrument, provision in refs]
    for folded in await states.find("initiative", {"provision": {"$in": named}}, 0):
        if not isinstance(folded.state, OnRecord):
            continue
        data = folded.state.recorded.data
        for ref in data.provisions:
            if (ref.instrument, ref.provision) in supported:
                supported[ref.instrument, ref.provision].append(data.initiative)
    return supported


def _provisions(
    instrument: Registered, cited: Mapping[_Ref, list[dict[str, str]]], supported: Mapping[_Ref, list[str]]
) -> list[dict[str, Any]]:
    data = instrument.registered.data
    return [
        {
            "instrument": data.instrument,
            "cite": data.cite,
            "provision": item.data.provision,
            "summary": item.data.summary,
            "instrument_standing": "superseded" if instrument.superseded else "live",
            "recommendations": cited[data.instrument, item.data.provision],
            "initiatives": supported[data.instrument, item.data.provision],
        }
        for item in instrument.provisions
    ]
