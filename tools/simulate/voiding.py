"""Voids: an event that was recorded by mistake, and sometimes the void itself."""

from __future__ import annotations

from shared.events.catalogue import event_class
from shared.events.event import Event
from shared.store.voiding import VoidRecord
from tools.simulate.commits import SimulatedCommit
from tools.simulate.world import World


def void(world: World, stream: str, kind: type[Event]) -> SimulatedCommit:
    """Void the latest event of a kind in a stream."""
    version = [fact.versions[0] for fact in world.platform.facts(stream) if isinstance(fact.data, kind)][-1]
    return void_version(world, stream, version)


def void_version(world: World, stream: str, version: int) -> SimulatedCommit:
    """Void an event, or a void."""
    command = VoidRecord(voids=version, reason="Synthetic: recorded by mistake.")
    event = event_class(world.platform.owner(stream), "RecordVoided")
    voided = event.model_validate(command.model_dump(exclude_none=True))
    return world.platform.amend(stream, voided, command, world.now)
