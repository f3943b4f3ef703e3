"""Composition of a trace: a pure function of folded states, live, rebuilt, as of a day, or from an export."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from services.recommendations.domain.state import Absent, Recommendation
from services.recommendations.trace import gaps, mandates, outcome, work
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from services.recommendations.trace.window import Window, mark
from shared.events.canonical import canonical_unchecked
from shared.projection.fold import FoldedState

SHAPE = 1
OWN_REFERENCE = "this system's own reference, not a United Nations symbol"
_STORE_FIELDS = ("_id", "revision", "made_of")  # `made_of`: in traces stored by earlier code


def needs(reference: str, states: Mapping[str, FoldedState]) -> set[str]:
    """Return the streams still to be read before composing a trace; repeat until there are none."""
    root = f"recommendation/{reference}"
    if root not in states:
        return {root}
    named = set(states[root].depends_on)
    for stream in states[root].depends_on:
        if stream.startswith("instrument/") and stream in states:
            named |= states[stream].depends_on
    return named - states.keys()


def compose(reference: str, states: Mapping[str, FoldedState], as_of: date | None = None) -> dict[str, Any] | None:
    """Compose a trace from the states that `needs` named; None if it is not on record (by `as_of`)."""
    own = f"recommendation/{reference}"
    state = states[own].state
    if isinstance(state, Absent) or not Window(as_of).sees(state.drafted.data.on):
        return None
    tracker = ProvenanceTracker(own, states, Window(as_of))
    trace: dict[str, Any] = known_fields(
        recommendation=_recommendation(state, tracker),
        mandates=mandates.mandates(state, tracker),
        priority=work.priority(state, tracker),
        work=work.work(state, tracker),
        transmission=outcome.transmission(state, tracker),
        dispositions=outcome.dispositions(state, tracker),
        follow_up=outcome.follow_up(state, tracker),
        lineage=outcome.lineage(state, tracker),
        as_of=as_of.isoformat() if as_of else None,
    )
    trace["coverage"] = gaps.coverage(trace)
    trace["gaps"] = gaps.gaps(trace)
    trace["recommendation"]["standing"] = _standing(trace)
    return trace | {"provenance": tracker.provenance(), "based_on": tracker.based_on(), "shape": SHAPE}


def trace_bytes(trace: Mapping[str, Any]) -> bytes:
    """Return the compared bytes: the canonical JSON of a trace without the fields of its store."""
    return canonical_unchecked({name: value for name, value in trace.items() if name not in _STORE_FIELDS})


def _recommendation(state: Recommendation, tracker: ProvenanceTracker) -> dict[str, Any]:
    tracker.own_fact("recommendation", state.drafted)
    fields = state.drafted.data.model_dump(mode="json", exclude_none=True)
    for revision in state.revised:
        if tracker.window.sees(revision.data.on):
            tracker.own_fact("recommendation", revision)
            fields |= revision.data.model_dump(
                mode="json", exclude_none=True, exclude={"on", "note", "source", "status"}
            )
    drafted = state.drafted.data
    return known_fields(
        reference=drafted.reference,
        reference_is=OWN_REFERENCE,
        title=fields["title"],
        text=fields.get("text"),
        kinds=fields["kinds"],
        addressees=fields["addressees"],
        themes=fields["themes"],
        drafted_on=drafted.on,
        dated=mark(tracker.window.see(drafted.on)),
        **certainty(drafted),
    )


def _standing(trace: dict[str, Any]) -> str:
    """Return the stage of the recommendation, by the facts that this trace shows."""
    for closed in ("withdrawn", "superseded_by", "merged_into", "split_into"):
        if closed in trace["lineage"]:
            return closed.split("_", maxsplit=1)[0]
    sessions = {item["session"] for item in trace["dispositions"]}
    waiting = [item for item in trace["transmission"] if item["session"] not in sessions]
    if trace["dispositions"] and not waiting:
        return "disposed"
    if trace["transmission"]:
        return "transmitted"
    return "adopted" if any(step["role"] == "adoption" for step in trace["work"]) else "drafted"
