"""Stalled streams: those blocked by a gap or a broken chain, or by an open dead letter."""

from __future__ import annotations

from dataclasses import dataclass

from shared.consumer.dead_letters import DeadLetters
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import STALLED


@dataclass
class StalledStreams:
    """The stalled streams of one service."""

    states: StateStore
    dead_letters: DeadLetters

    async def find(self) -> dict[str, int]:
        """Return the stalled streams with the version that each lacks, and set the gauge of their number."""
        awaited = await self.dead_letters.awaited_versions()
        states = await self.states.read(awaited)
        behind = {stream: version for stream, version in awaited.items() if states[stream].version < version}
        stalled = {**behind, **await self.states.blocked()}
        STALLED.labels(self.dead_letters.service).set(len(stalled))
        return stalled
