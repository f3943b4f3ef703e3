"""The section `proceedings`: agenda and outcomes of the meetings that a trace rests on, each meeting once."""

from __future__ import annotations

from typing import Any

from services.recommendations.trace.provenance import ProvenanceTracker, known_fields


def proceedings(
    work: list[dict[str, Any]], follow_up: list[dict[str, Any]], tracker: ProvenanceTracker
) -> list[dict[str, Any]] | None:
    """Return the meetings of the work and of the evidence that have an agenda or outcomes on record by the day."""
    of_evidence = (item.get("evidence", {}) for item in follow_up)
    keys = dict.fromkeys(item["meeting"] for item in (*work, *of_evidence) if "meeting" in item)
    items: list[dict[str, Any]] = []
    for key in keys:
        replica = tracker.meeting(key)
        if replica is None or not (replica.agenda or replica.outcomes) or not tracker.window.sees(replica.day):
            continue
        tracker.note(f"proceedings/{len(items)}", f"meeting/{key}", replica.versions)
        items.append(
            known_fields(
                meeting=key,
                title=replica.title,
                dated=tracker.window.mark(replica.day),
                agenda=list(replica.agenda) or None,
                outcomes=list(replica.outcomes) or None,
            )
        )
    return items or None
