"""Lineage: recommendations that close in favour of other recommendations, and the notes in those."""

from __future__ import annotations

from typing import Any

from services.recommendations.commands import (
    MergeRecommendation,
    NoteLineage,
    SplitRecommendation,
    SupersedeRecommendation,
    WithdrawRecommendation,
)
from services.recommendations.domain import rules
from services.recommendations.domain.state import Closed, Recommendation
from shared.domain.aggregate import Command, Decision, event_from
from shared.domain.rejections import OutOfOrder
from shared.domain.voids import Void
from shared.events import recommendations as events
from shared.events.event import Event


def decide(state: Recommendation | Void, command: Command, *, stream: str) -> Decision:
    """Close a recommendation, or note the closing of another one in it, open or closed."""
    own = stream.partition("/")[2]
    match command:
        case NoteLineage():
            return [_noted(command)]
        case _ if isinstance(state, Closed):
            return OutOfOrder(type(command).__name__, stream, state.stage)
        case WithdrawRecommendation():
            return [event_from(command, events.RecommendationWithdrawn)]
        case SupersedeRecommendation(by=other) | MergeRecommendation(into=other) if other == own:
            return rules.NamesUnknownRecommendation(other)
        case SplitRecommendation(into=parts) if own in parts:
            return rules.NamesUnknownRecommendation(own)
        case SupersedeRecommendation():
            return [event_from(command, events.RecommendationSuperseded)]
        case MergeRecommendation():
            return [event_from(command, events.RecommendationMerged)]
        case _:
            return [event_from(command, events.RecommendationSplit)]


def _noted(command: NoteLineage) -> Event:
    if command.supersedes:
        return event_from(command, events.RecommendationSuperseded)
    if command.absorbs:
        return event_from(command, events.RecommendationMerged)
    return event_from(command, events.RecommendationSplit)


def meant_for(event: Event, reference: str) -> dict[str, NoteLineage]:
    """Return the commands that follow from an event in other recommendations, by reference: as certain as the event."""
    match event:
        case events.RecommendationSuperseded(by=str(other)):
            return {other: NoteLineage(supersedes=reference, **_known_of(event))}
        case events.RecommendationMerged(into=str(other)):
            return {other: NoteLineage(absorbs=reference, **_known_of(event))}
        case events.RecommendationSplit(into=tuple(parts)):
            return {part: NoteLineage(split_from=reference, **_known_of(event)) for part in parts}
        case _:
            return {}


def noted_in(state: object) -> set[str]:
    """Return the other recommendations in which the closing of one is noted."""
    if not isinstance(state, Recommendation):
        return set()
    closings = (*state.superseded, *state.merged, *state.split)
    return {other for fact in closings for other in meant_for(fact.data, state.drafted.data.reference)}


def _known_of(event: Event) -> dict[str, Any]:
    return event.model_dump(include={"on", "status", "source"}, exclude_none=True)
