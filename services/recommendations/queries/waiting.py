"""The waiting matters of this service that no facet tells whole; the suspect citations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from services.recommendations.domain.registers import OnRecord
from services.recommendations.domain.waiting import dated
from services.recommendations.projection import Traces
from shared.domain.waiting import Waiting
from shared.projection.awaiting import by_session
from shared.projection.state_store import StateStore

MOST_TRACES = 100_000
_OPEN = ("drafted", "adopted", "transmitted", "disposed")
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


def _known(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
