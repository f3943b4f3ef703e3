"""Coverage, both ways: provisions with what rests on them, recommendations with how far they reach."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.registers import OnRecord
from services.recommendations.projection import CITES, Traces
from shared.projection.facet_counts import total
from shared.projection.fold import FoldedState
from shared.projection.natural_order import natural_order
from shared.projection.state_store import StateStore

Cited = Literal["yes", "no"]
_Ref = tuple[str, str]
_HOLDS = {"recommendation.standing": {"$ne": "void"}}


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
    states: StateStore,
    traces: Traces,
    seen: Mapping[str, Any],
    limit: int,
    after: str | None,
    cited: Cited | None = None,
) -> dict[str, Any]:
    """Return the provisions of a page of instruments, each with what rests on it of initiatives and what is seen.

    With `cited`, those alone that some recommendation cites, or that none does; a page is empty only if it is the last.
    """
    while True:
        page = await _instruments(states, traces, seen, limit, after, cited)
        rows = await _rows(states, traces, seen, page)
        items = [row for row in rows if cited in (None, _is_cited(row))]
        more = {"next": page[-1].stream} if len(page) == limit else {}
        if items or not more or cited is None:
            return {"items": items} | more
        after = more["next"]


async def _instruments(
    states: StateStore, traces: Traces, seen: Mapping[str, Any], limit: int, after: str | None, cited: Cited | None
) -> Sequence[FoldedState]:
    """Return a page of instruments that may have provisions so cited."""
    if cited != "yes":
        return await states.listed("instrument", {"provisions": {"$gt": 0}} if cited else {}, limit, after)
    named = (f"instrument/{each}" for each in await traces.instruments({**_HOLDS, **seen}))
    streams = [stream for stream in sorted(named, key=natural_order) if _is_after(stream, after)][:limit]
    read = await states.read(streams)
    return [read[stream] for stream in streams]


def _is_after(stream: str, after: str | None) -> bool:
    return after is None or natural_order(stream) > natural_order(after)


def _is_cited(row: Mapping[str, Any]) -> Cited:
    return "yes" if any(each["standing"] in CITES for each in row["recommendations"]) else "no"


async def _rows(
    states: StateStore, traces: Traces, seen: Mapping[str, Any], page: Sequence[FoldedState]
) -> list[dict[str, Any]]:
    instruments = [folded.state for folded in page if isinstance(folded.state, Registered)]
    refs = [(each.registered.data.instrument, item.data.provision) for each in instruments for item in each.provisions]
    cited, supported = await _cited(traces, refs, seen), await _supported(states, refs)
    return [row for each in instruments for row in _provisions(each, cited, supported)]


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
