"""Stalled streams: those blocked by a gap, a broken chain, a fault or an open dead letter; and traces with a fault."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from shared.consumer.dead_letters import DeadLetters
from shared.projection.state_store import StateStore
from shared.runtime.telemetry import STALLED

ComposeFaults = Callable[[], Awaitable[Mapping[str, str]]]


async def no_compose_faults() -> Mapping[str, str]:
    """Return no faults: the service has no documents made of several streams."""
    return {}


@dataclass
class StalledStreams:
    """The stalled streams of one service.

    `compose_faults` returns the streams whose own document cannot be composed or stored, with the reason in words.
    """

    states: StateStore
    dead_letters: DeadLetters
    compose_faults: ComposeFaults = no_compose_faults

    async def find(self) -> dict[str, int]:
        """Return the stalled streams with the version that each lacks, and set the gauge of their number."""
        stalled = {**await self._behind(), **await self.states.blocked()}
        STALLED.labels(self.dead_letters.service).set(len(stalled.keys() | (await self.compose_faults()).keys()))
        return stalled

    async def reasons(self) -> dict[str, str]:
        """Return the reason, in words, why each stream is stalled, or why the document composed of it is absent."""
        behind, faults = await self._behind(), await self.states.faults()
        awaited = {**behind, **await self.states.blocked()}
        says = {
            stream: f"version {version} is {'a dead letter' if stream in behind else 'missing'}"
            for stream, version in awaited.items()
        }
        says |= {stream: f"version {awaited[stream]} cannot be taken: {faults[stream]}" for stream in faults}
        for stream, fault in (await self.compose_faults()).items():
            absent = f"its trace is not shown: {fault}"
            says[stream] = f"{says[stream]}; {absent}" if stream in says else absent
        return says

    async def _behind(self) -> dict[str, int]:
        awaited = await self.dead_letters.awaited_versions()
        states = await self.states.read(awaited)
        return {stream: version for stream, version in awaited.items() if states[stream].version < version}
