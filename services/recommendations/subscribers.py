"""Who hears what, on one screen.

| heard | from | what follows |
|---|---|---|
| every event of recommendations and meetings | Kafka | journal, fold, compose the traces that depend on it |
| RecommendationSuperseded / Merged / Split (the closing side) | own topic | the other side is noted: `NoteLineage` |
"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import NAMESPACE_URL, uuid5

import structlog

from services.recommendations.domain.lineage import meant_for
from services.recommendations.handlers import Handlers
from shared.domain.aggregate import Context
from shared.domain.rejections import Rejection
from shared.events.catalogue import Recorded

log = structlog.get_logger()


class Policies:
    """What this service does of itself when it hears an event; a second time, nothing."""

    def __init__(self, handlers: Handlers) -> None:
        self._handlers = handlers

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event is one that something follows from."""
        return bool(meant_for(event.data, event.subject.partition("/")[2]))

    async def react(self, event: Recorded) -> None:
        """Note in other recommendations what an event of one of them means for them."""
        for reference, command in meant_for(event.data, event.subject.partition("/")[2]).items():
            context = Context(
                now=datetime.now(UTC),
                actor="policy:note-lineage",
                role="system",
                command_id=str(uuid5(NAMESPACE_URL, f"{event.id}:note-lineage:{reference}")),
                correlation_id=event.correlationid,
                causation_id=event.id,
            )
            outcome = await self._handlers(f"recommendation/{reference}", command, context)
            if isinstance(outcome, Rejection):
                log.error("policy_refused", policy="note-lineage", event_id=event.id, rule=outcome.rule)
