"""The sections `priority` and `work`: the priority, then origin, discussions and adoption with their meetings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.state import Recommendation
from services.recommendations.domain.texts import Texts, number_of
from services.recommendations.trace.provenance import ProvenanceTracker, certainty, known_fields
from services.recommendations.trace.void import day_of
from services.recommendations.trace.window import Window
from shared.events.event import Event
from shared.events.recommendations import RecommendationAdopted


def priority(state: Recommendation, tracker: ProvenanceTracker) -> dict[str, Any] | None:
    """Return the priority that the recommendation serves."""
    key = state.priority_of(item for item in state.revised if tracker.window.sees(item.data.on))
    if key is None:
        return None
    stream = f"priority/{key}"
    selected = tracker.recorded(stream)
    if selected is None:
        return {"priority": key}
    if not tracker.window.sees(selected.data.on):
        return None
    tracker.note("priority", stream, selected.versions)
    data = selected.data
    return known_fields(
        priority=data.priority,
        title=data.title,
        themes=list(data.themes) or None,
        outcome=data.outcome,
        timeline_from=data.timeline_from,
        timeline_to=data.timeline_to,
        provisions=[ref.model_dump() for ref in data.provisions] or None,
        meeting=data.meeting,
        selected_on=data.on,
        dated=tracker.window.mark(data.on),
        **certainty(data),
        closed=_closing(stream, tracker),
    )


def _closing(stream: str, tracker: ProvenanceTracker) -> dict[str, Any] | None:
    closing = tracker.closing(stream)
    if closing is None or not tracker.window.sees(closing.data.on):
        return None
    tracker.note("priority", stream, closing.versions)
    data = closing.data
    return known_fields(reason=data.reason, on=data.on, dated=tracker.window.mark(data.on), **certainty(data))


Dated = Sequence[tuple[RecordedFact[RecommendationAdopted], str | None]]


def work(state: Recommendation, adopted: Dated, texts: Texts, tracker: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return origin, discussions and adoption, each with the meeting where it took place as far as known."""
    steps: list[tuple[str, RecordedFact[Any], str | None]] = [
        *(("origin", item, item.data.on or _day_of(item.data.meeting, tracker)) for item in state.origins),
        *(("discussion", item, item.data.on or _day_of(item.data.meeting, tracker)) for item in state.discussed),
    ]
    visible = [step for step in steps if tracker.window.sees(step[2])]
    items = [_step(f"work/{index}", *step, tracker) for index, step in enumerate(visible)]
    for adoption, day in adopted:
        step = _step(f"work/{len(items)}", "adoption", adoption, day, tracker)
        items.append(step | {"text_version": number_of(adoption, texts)})
    return items


def adoptions(state: Recommendation, tracker: ProvenanceTracker) -> Dated:
    """Return the adoptions up to the window's day, each with its day: that of its meeting, where it has none."""
    dated = [(item, item.data.adopted_on or _day_of(item.data.meeting, tracker)) for item in state.adoptions]
    return [(item, day) for item, day in dated if tracker.window.sees(day)]


def _day_of(meeting: str | None, tracker: ProvenanceTracker) -> str | None:
    if meeting and (void := tracker.void(f"meeting/{meeting}")) is not None:
        return day_of(void)
    replica = tracker.meeting(meeting) if meeting else None
    return replica.day if replica else None


def _step(
    statement: str, role: str, item: RecordedFact[Any], day: str | None, tracker: ProvenanceTracker
) -> dict[str, Any]:
    tracker.own_fact(statement, item)
    data = item.data
    return known_fields(
        role=role,
        **_place(statement, data, tracker),
        **_decision(data, tracker),
        on=getattr(data, "adopted_on", None) or getattr(data, "on", None),
        dated=tracker.window.mark(day),
        **certainty(data),
    )


def _decision(data: Event, tracker: ProvenanceTracker) -> dict[str, str]:
    """Return the decision on which an adoption rests; its standing where that decision is not on record."""
    if not isinstance(data, RecommendationAdopted) or data.outcome is None:
        return {}
    replica = tracker.meeting(data.meeting) if data.meeting else None
    missing = replica is not None and data.outcome not in replica.decisions
    return {"outcome": data.outcome} | ({"outcome_standing": "void"} if missing else {})


def _place(statement: str, data: Event, tracker: ProvenanceTracker) -> dict[str, Any]:
    meeting: str | None = getattr(data, "meeting", None)
    if meeting is not None:
        return {"meeting": meeting, **_meeting(statement, meeting, tracker)}
    return known_fields(
        document=getattr(data, "document", None),
        symbol=getattr(data, "symbol", None),
        symbol_status=getattr(data, "symbol_status", None),
        paragraph=getattr(data, "paragraph", None),
    )


def _meeting(statement: str, key: str, tracker: ProvenanceTracker) -> dict[str, Any]:
    replica, stream = tracker.meeting(key), f"meeting/{key}"
    if replica is None:
        return {}
    tracker.note(statement, stream, replica.versions)
    return known_fields(
        title=replica.title,
        kind=replica.kind,
        meeting_standing=replica.stage,
        meeting_status=replica.status or "unknown",
        meeting_source=replica.source,
        meeting_dated=tracker.window.mark(replica.day),
        starts_at=replica.starts_at,
        ends_at=replica.ends_at,
        modality=replica.modality,
        members=list(replica.members),
        in_room=replica.in_room,
        remote=replica.remote,
        documents=_documents(replica, tracker.window) or None,
        outside_term=[dict(entry) for entry in replica.outside_term] or None,
    )


def _documents(replica: MeetingReplica, window: Window) -> list[dict[str, str]]:
    """Return the documents of a meeting that were disseminated by the day."""
    dated = [(paper, paper.get("disseminated_on")) for paper in replica.documents]
    return [paper | known_fields(dated=window.mark(on)) for paper, on in dated if window.sees(on)]
