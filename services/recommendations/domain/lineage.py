"""Lineage: recommendations that close in favour of other recommendations, and the notes in those."""

from __future__ import annotations

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
    """Return the commands that follow from an event in other recommendations, by reference."""
    match event:
        case events.RecommendationSuperseded(by=other, on=on) if other:
            return {other: NoteLineage(supersedes=reference, on=on)}
        case events.RecommendationMerged(into=other, on=on) if other:
            return {other: NoteLineage(absorbs=reference, on=on)}
        case events.RecommendationSplit(into=parts, on=on) if parts:
            return {part: NoteLineage(split_from=reference, on=on) for part in parts}
        case _:
            return {}
