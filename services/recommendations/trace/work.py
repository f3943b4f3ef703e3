"""The sections `priority` and `work`: what it serves, where it came from, was discussed and adopted, and by whom."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.recorded_fact import RecordedFact
from services.recommendations.domain.state import Recommendation
from services.recommendations.trace.reader import ProvenanceTracker, certainty, given
from services.recommendations.trace.window import mark
from shared.events.event import Event


def priority(state: Recommendation, reader: ProvenanceTracker) -> dict[str, Any] | None:
    """Return the priority that the recommendation serves."""
    if state.priority is None:
        return None
    stream = f"priority/{state.priority}"
    selected = reader.recorded(stream)
    if selected is None:
        return {"priority": state.priority}
    if not reader.window.sees(selected.data.on):
        return None
    reader.note("priority", stream, selected.versions)
    data = selected.data
    return given(
        priority=data.priority,
        title=data.title,
        themes=list(data.themes) or None,
        outcome=data.outcome,
        timeline_from=data.timeline_from,
        timeline_to=data.timeline_to,
        provisions=[ref.model_dump() for ref in data.provisions] or None,
        meeting=data.meeting,
        selected_on=data.on,
        dated=mark(reader.window.see(data.on)),
        **certainty(data),
    )


def work(state: Recommendation, reader: ProvenanceTracker) -> list[dict[str, Any]]:
    """Return origin, discussions and adoption, each with the meeting where it took place as far as known."""
    steps: list[tuple[str, RecordedFact[Any], str | None]] = [
        *(("origin", item, item.data.on or _day_of(item.data.meeting, reader)) for item in state.origins),
        *(("discussion", item, item.data.on or _day_of(item.data.meeting, reader)) for item in state.discussed),
    ]
    if state.adopted is not None:
        data = state.adopted.data
        steps.append(("adoption", state.adopted, data.adopted_on or _day_of(data.meeting, reader)))
    seen = [step for step in steps if reader.window.sees(step[2])]
    return [_step(f"work/{index}", *step, reader) for index, step in enumerate(seen)]


def _day_of(meeting: str | None, reader: ProvenanceTracker) -> str | None:
    heard = reader.meeting(meeting) if meeting else None
    return heard.starts_at[:10] if heard and heard.starts_at else None


def _step(
    statement: str, role: str, item: RecordedFact[Any], day: str | None, reader: ProvenanceTracker
) -> dict[str, Any]:
    reader.own_fact(statement, item)
    data = item.data
    return given(
        role=role,
        **_place(statement, data, reader),
        on=getattr(data, "adopted_on", None) or getattr(data, "on", None),
        dated=mark(reader.window.see(day)),
        **certainty(data),
    )


def _place(statement: str, data: Event, reader: ProvenanceTracker) -> dict[str, Any]:
    meeting: str | None = getattr(data, "meeting", None)
    if meeting is not None:
        return {"meeting": meeting, **_meeting(statement, meeting, reader)}
    return given(
        document=getattr(data, "document", None),
        symbol=getattr(data, "symbol", None),
        symbol_status=getattr(data, "symbol_status", None),
        paragraph=getattr(data, "paragraph", None),
    )


def _meeting(statement: str, key: str, reader: ProvenanceTracker) -> dict[str, Any]:
    heard, stream = reader.meeting(key), f"meeting/{key}"
    if heard is None:
        return {}
    reader.note(statement, stream, heard.versions)
    return given(
        title=heard.title,
        kind=heard.kind,
        meeting_standing=heard.stage,
        meeting_status=heard.status or "unknown",
        meeting_source=heard.source,
        starts_at=heard.starts_at,
        ends_at=heard.ends_at,
        modality=heard.modality,
        members=list(heard.members),
        in_room=heard.in_room,
        remote=heard.remote,
        documents=list(heard.documents) or None,
    )
