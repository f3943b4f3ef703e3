"""Subscribed topics and policies, as one table.

| event | from | effect |
|---|---|---|
| every event of recommendations and meetings | Kafka | journal, fold, compose the traces that depend on it |
| RecommendationSuperseded / Merged / Split (the closing side) | own topic | the other side notes it: `NoteLineage` |
| RecordVoided | own topic | what followed from the void event is voided, by the inverse in docs/policies.md |
"""

from __future__ import annotations

from services.recommendations.domain.lineage import meant_for
from services.recommendations.handlers import Handlers
from shared.domain.aggregate import Command
from shared.events.catalogue import Recorded
from shared.store.policies import Handle, react


class Policies:
    """The policies of this service; a second reaction to an event does nothing."""

    def __init__(self, handlers: Handlers) -> None:
        self.handle: Handle = handlers.handle

    def handles(self, event: Recorded) -> bool:
        """Tell whether a policy reacts to an event."""
        return bool(_notes(event))

    async def react(self, event: Recorded) -> None:
        """Note in other recommendations how an event of this one concerns them."""
        for reference, command in _notes(event).items():
            stream = f"recommendation/{reference}"
            await react(self.handle, event, "note-lineage", stream, command, target=reference)

    async def affected(self, event: Recorded) -> list[str]:
        """Return the other recommendations that note an event."""
        return [f"recommendation/{reference}" for reference in _notes(event)]


def _notes(event: Recorded) -> dict[str, Command]:
    return {**meant_for(event.data, event.subject.partition("/")[2])}
