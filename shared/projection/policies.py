"""Policies: what a service does by itself when it consumes an event, run once for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from more_itertools import chunked

from shared.consumer.record import ConsumedEvent
from shared.events.catalogue import Recorded
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore

_STREAMS_PER_READ = 200

Handles = Callable[[Recorded], bool]


class Policies(Protocol):
    """The policies of a service. Run a second time on an event, they change nothing."""

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event has consequences."""

    async def react(self, event: Recorded) -> None:
        """Carry out the consequences of an event."""


@dataclass
class PolicyRunner:
    """Runs the policies of one service on the events that they have not run on."""

    policies: Policies
    journal: Journal
    states: StateStore

    async def run(self, folded: Mapping[str, FoldedState]) -> None:
        """Run the policies on the events of these streams, from their policy version up to their version."""
        behind = [stream for stream, state in folded.items() if state.policy_version < state.version]
        for chunk in chunked(behind, _STREAMS_PER_READ):
            events = await self.journal.after({stream: folded[stream].policy_version for stream in chunk})
            for stream in chunk:
                for event in events[stream]:
                    if event.recorded.streamversion <= folded[stream].version and self.policies.handles(event.recorded):
                        await self.policies.react(event.recorded)
            await self.states.mark_policies_run({stream: folded[stream].version for stream in chunk})


def raise_policy_version(
    before: FoldedState, after: FoldedState, events: Sequence[ConsumedEvent], handles: Handles | None
) -> FoldedState:
    """Return the state after a fold with its policy version raised, if no policy handles the events up to there."""
    if handles is None or before.policy_version < before.version or before.policy_version >= after.version:
        return after
    new = range(before.policy_version + 1, after.version + 1)
    if any(event.recorded.streamversion in new and handles(event.recorded) for event in events):
        return after
    return after._replace(policy_version=after.version)
