"""Queries beyond the stored trace: facts past due today, blocked streams, rows of lists, coverage both ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Literal

from services.recommendations.domain.instrument import Registered
from services.recommendations.domain.registers import OnRecord
from services.recommendations.projection import Traces
from services.recommendations.trace.overdue import past_due
from shared.events.envelope import stamp
from shared.events.values import ACRONYM
from shared.projection.state_store import StateStore

Stage = Literal[
    "drafted", "adopted", "transmitted", "disposed", "withdrawn", "superseded", "merged", "split", "void"
]  # fmt: skip
_Ref = tuple[str, str]
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


def today_of(
    trace: Mapping[str, Any], stalled: Mapping[str, int], as_of: date | None = None, known_at: datetime | None = None
) -> dict[str, Any]:
    """Return the facts past due on the day of a trace, and the streams behind it that wait for a version today."""
    day = as_of or (known_at or datetime.now(UTC)).date()
    based_on = {stream for stream, *_ in trace["based_on"]}
    waiting = {stream: version for stream, version in sorted(stalled.items()) if stream in based_on}
    known = {"known_at": stamp(known_at)} if known_at else {}
    return {"date": day.isoformat(), "past_due": past_due(trace, day), "stalled": waiting, **known}


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


async def coverage_of_recommendations(traces: Traces, limit: int, after: str | None) -> dict[str, Any]:
    """Return a page of recommendations, each with its coverage."""
    page = await traces.find(_HOLDS, limit, after, {"coverage": 1})
    items = [{"reference": trace["_id"], "coverage": trace["coverage"]} for trace in page]
    return {"items": items} | ({"next": page[-1]["_id"]} if len(page) == limit else {})


async def coverage_of_provisions(states: StateStore, traces: Traces, limit: int, after: str | None) -> dict[str, Any]:
    """Return the provisions of a page of instruments, each with the recommendations and initiatives that rest on it."""
    page = await states.listed("instrument", {}, limit, after)
    instruments = [folded.state for folded in page if isinstance(folded.state, Registered)]
    refs = [(each.registered.data.instrument, item.data.provision) for each in instruments for item in each.provisions]
    cited, supported = await _cited(traces, refs), await _supported(states, refs)
    items = [row for each in instruments for row in _provisions(each, cited, supported)]
    return {"items": items} | ({"next": page[-1].stream} if len(page) == limit else {})


async def _cited(traces: Traces, refs: Sequence[_Ref]) -> dict[_Ref, list[dict[str, str]]]:
    """Return the citations of provisions, each with the standing of the mandate."""
    cited: dict[_Ref, list[dict[str, str]]] = {ref: [] for ref in refs}
    for trace in await traces.citing([provision for _, provision in refs]):
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
