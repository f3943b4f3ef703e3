"""The section `proceedings`: agenda and outcomes of the meetings that a trace rests on, each meeting once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.recommendations.trace.provenance import ProvenanceTracker, known_fields
from services.recommendations.trace.window import Window

Section = list[dict[str, Any]]


def proceedings(sections: Mapping[str, Any], tracker: ProvenanceTracker) -> Section | None:
    """Return the meetings of the work and of the evidence that have an agenda or outcomes on record by the day.

    Agenda items that name only other priorities and provisions than the trace are counted, as `other_items`.
    """
    items: Section = []
    for key in _meetings(sections["work"], sections["follow_up"]):
        replica = tracker.meeting(key)
        if replica is None or not (replica.agenda or replica.outcomes) or not tracker.window.sees(replica.day):
            continue
        tracker.note(f"proceedings/{len(items)}", f"meeting/{key}", replica.versions)
        agenda = [item for item in replica.agenda if _is_about(item, sections)]
        items.append(
            known_fields(
                meeting=key,
                title=replica.title,
                dated=tracker.window.mark(replica.day),
                agenda=agenda or None,
                other_items=len(replica.agenda) - len(agenda) or None,
                outcomes=[_outcome(each, tracker.window) for each in replica.outcomes] or None,
            )
        )
    return items or None


def _outcome(outcome: Mapping[str, Any], window: Window) -> dict[str, Any]:
    """Return an outcome, with its closing where that was done by the day."""
    closed = outcome.get("closed")
    if closed is None or not window.sees(closed.get("on")):
        return {name: value for name, value in outcome.items() if name != "closed"}
    return {**outcome, "closed": closed | known_fields(dated=window.mark(closed.get("on")))}


def _meetings(work: Section, follow_up: Section) -> list[str]:
    of_evidence = (item.get("evidence", {}) for item in follow_up)
    return list(dict.fromkeys(item["meeting"] for item in (*work, *of_evidence) if "meeting" in item))


def _is_about(item: Mapping[str, Any], sections: Mapping[str, Any]) -> bool:
    """Tell whether an agenda item names the priority or a provision of a trace, or neither any."""
    if "priority" not in item and "provisions" not in item:
        return True
    cited = [(each["instrument"], each["provision"]) for each in sections["mandates"]]
    shared = any((ref["instrument"], ref["provision"]) in cited for ref in item.get("provisions", ()))
    return shared or ("priority" in item and item["priority"] == sections.get("priority", {}).get("priority"))
