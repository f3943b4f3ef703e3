"""Queries beyond the stored trace: facts past due today, blocked streams, coverage both ways."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.registers import OnRecord
from services.recommendations.projection import Traces
from services.recommendations.trace.overdue import past_due
from shared.projection.state_store import StateStore

_ALL = 1_000_000


def today_of(trace: Mapping[str, Any], stalled: Mapping[str, int], today: date) -> dict[str, Any]:
    """Return the facts past due, and the streams behind this trace that wait for a version."""
    based_on = {stream for stream, _ in trace["based_on"]}
    waiting = {stream: version for stream, version in sorted(stalled.items()) if stream in based_on}
    return {"date": today.isoformat(), "past_due": past_due(trace, today), "stalled": waiting}


async def coverage(states: StateStore, traces: Traces) -> dict[str, Any]:
    """Return every provision with the recommendations on it, and every recommendation by its coverage."""
    cited: dict[tuple[str, str], list[dict[str, str]]] = {}
    reach: dict[str, list[str]] = {"uncovered": [], "shallow": [], "deep": []}
    for trace in await traces.find({}, _ALL, None):
        if trace["recommendation"]["standing"] == "void":
            continue
        reach[trace["coverage"]].append(trace["_id"])
        for mandate in trace["mandates"]:
            entry = {"reference": trace["_id"], "standing": mandate["standing"]}
            cited.setdefault((mandate["instrument"], mandate["provision"]), []).append(entry)
    supported = await _supported(states)
    provisions = []
    for folded in await states.find("instrument", {}, _ALL):
        if isinstance(folded.state, Registered):
            provisions += _provisions(folded.state, cited, supported)
    return {"provisions": provisions, "recommendations": reach}


async def _supported(states: StateStore) -> dict[tuple[str, str], list[str]]:
    supported: dict[tuple[str, str], list[str]] = {}
    for folded in await states.find("initiative", {}, _ALL):
        if not isinstance(folded.state, OnRecord):
            continue
        data = folded.state.recorded.data
        for ref in data.provisions:
            supported.setdefault((ref.instrument, ref.provision), []).append(data.initiative)
    return supported


def _provisions(
    instrument: Registered,
    cited: dict[tuple[str, str], list[dict[str, str]]],
    supported: dict[tuple[str, str], list[str]],
) -> list[dict[str, Any]]:
    data = instrument.registered.data
    return [
        {
            "instrument": data.instrument,
            "cite": data.cite,
            "provision": item.data.provision,
            "summary": item.data.summary,
            "instrument_standing": "superseded" if instrument.superseded else "live",
            "recommendations": cited.get((data.instrument, item.data.provision), []),
            "initiatives": supported.get((data.instrument, item.data.provision), []),
        }
        for item in instrument.provisions
    ]
