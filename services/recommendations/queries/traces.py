"""Traces in lists and searches, as a viewer sees them, and what is past due in one today."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.projection import Traces
from services.recommendations.trace import phase_of
from services.recommendations.trace.overdue import past_due
from shared.domain.visibility import Viewer, sees, within
from shared.events.envelope import stamp
from shared.events.values import ACRONYM
from shared.projection.state_query import seen_query

Stage = Literal[
    "drafted", "adopted", "transmitted", "disposed", "withdrawn", "superseded", "merged", "split", "void"
]  # fmt: skip
_OPERATORS = re.compile('["-]+')
_REFERENCE = re.compile(f"{ACRONYM}/[0-9]{{4}}/R[0-9]+", re.IGNORECASE)
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
