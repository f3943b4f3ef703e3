"""Corrections: an earlier event's complete data with one field changed."""

from __future__ import annotations

from shared.events.catalogue import event_class
from shared.events.event import Event
from shared.store.correcting import CorrectRecord
from tools.simulate.commits import SimulatedCommit
from tools.simulate.world import World


def correct(world: World, stream: str, kind: type[Event], **change: object) -> SimulatedCommit | None:
    """Correct the latest uncorrected event of a kind in a stream; return None if there is none."""
    facts = [fact for fact in world.platform.facts(stream) if isinstance(fact.data, kind) and len(fact.versions) == 1]
    if not facts:
        return None
    original = facts[-1]
    data = original.data.model_dump(mode="json", exclude_none=True) | change
    command = CorrectRecord(corrects=original.versions[0], data=data, reason="A synthetic slip of the pen.")
    corrected = event_class(original.data.service, "RecordCorrected")
    fields = command.model_dump(exclude_none=True) | {"data": data, "data_type": original.data.type_name()}
    correction = corrected.model_validate(fields)
    return world.platform.amend(stream, correction, command, world.now)
