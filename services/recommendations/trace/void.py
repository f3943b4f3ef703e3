"""Void records in a trace: a recommendation that is void, and the gaps where it rests on a record that is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.recommendations.trace.provenance import ProvenanceTracker, known_fields
from services.recommendations.trace.window import Window
from shared.domain.dates import day_in_the_world
from shared.domain.voids import Void
from shared.projection.fold import FoldedState


def day_of(void: Void) -> str | None:
    """Return the date in the world of a void: that of the fact which it voids."""
    return day_in_the_world(void.recorded)


def sections(state: Void, tracker: ProvenanceTracker) -> dict[str, Any]:
    """Return the sections of a void recommendation: its draft, the void, and nothing else."""
    tracker.note("recommendation", tracker.own, state.versions)
    return {
        "recommendation": known_fields(
            reference=state.recorded["reference"],
            title=state.recorded["title"],
            kinds=state.recorded.get("kinds", []),
            addressees=state.recorded.get("addressees", []),
            themes=state.recorded.get("themes", []),
            drafted_on=day_of(state),
            dated=tracker.window.mark(day_of(state)),
            status=state.recorded.get("status", "unknown"),
            void=known_fields(reason=state.reason, source=state.source, note=state.note, status=state.status),
        ),
        **{name: [] for name in ("mandates", "work", "transmission", "dispositions", "follow_up")},
        "lineage": {},
    }


def gaps(own: str, states: Mapping[str, FoldedState], window: Window, priority: str | None) -> list[str]:
    """Return, in words, the void records that a trace rests on: its own alone, or those of others.

    Only what the recommendation names itself counts, and of the priorities that it served the present one.
    """
    voids = {stream: folded.state for stream, folded in sorted(states.items()) if isinstance(folded.state, Void)}
    if (itself := voids.get(own)) is not None:
        return [f"It is void, recorded by mistake: {itself.reason}"]
    return [
        f"It rests on {stream}, which is void: {void.reason}"
        for stream, void in voids.items()
        if window.sees(day_of(void)) and stream in states[own].depends_on and not _was_served(stream, priority)
    ]


def _was_served(stream: str, priority: str | None) -> bool:
    return stream.startswith("priority/") and stream != f"priority/{priority}"
