"""A meeting's part in recommendations."""

from __future__ import annotations

from typing import Any

from services.recommendations.domain.foreign import MeetingReplica
from services.recommendations.domain.proceedings import parts_of
from services.recommendations.domain.recommendation import RECOMMENDATION
from services.recommendations.domain.state import OnRecord
from services.recommendations.domain.texts import latest, texts_of
from shared.domain.visibility import Viewer, sees
from shared.projection.natural_order import natural_order
from shared.projection.state_store import StateStore

_SHOWN_OF_A_MEETING = {"title", "kind", "stage", "starts_at", "ends_at", "agenda", "outcomes"}


async def proceedings_of(states: StateStore, reader: Viewer, meeting: str) -> dict[str, Any] | None:
    """Return a meeting on record here with its part in each recommendation that a reader sees; else None."""
    stream = f"meeting/{meeting}"
    replica = (await states.read([stream]))[stream].state
    if not isinstance(replica, MeetingReplica):
        return None
    resting = await states.read(await states.dependants([stream], kind="recommendation"))
    seen = [
        resting[each].state
        for each in sorted(resting, key=natural_order)
        if sees(reader, RECOMMENDATION.kind, RECOMMENDATION.facets(resting[each].state))
    ]
    rows = [_part_row(state, meeting) for state in seen]
    shown = replica.model_dump(mode="json", exclude_none=True, include=_SHOWN_OF_A_MEETING)
    return {"meeting": meeting, **shown, "recommendations": [row for row in rows if row]}


def _part_row(state: object, meeting: str) -> dict[str, Any] | None:
    if not isinstance(state, OnRecord) or not (parts := parts_of(state, meeting)):
        return None
    return {
        "reference": state.drafted.data.reference,
        "title": latest(texts_of(state)).title,
        "stage": state.stage,
        "parts": [{name: value for name, value in part._asdict().items() if value is not None} for part in parts],
    }
