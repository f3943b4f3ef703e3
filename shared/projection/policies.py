"""Policies: what a service does by itself when it consumes an event, run once for each event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

import structlog
from more_itertools import chunked

from shared.consumer.record import ConsumedEvent
from shared.events.catalogue import Recorded
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.store.event_store import EventStore

_STREAMS_PER_READ = 200

log = structlog.get_logger()

Handles = Callable[[Recorded], bool]


class Policies(Protocol):
    """The policies of a service. Run a second time on an event, they change nothing."""

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event has consequences."""

    async def react(self, event: Recorded) -> None:
        """Carry out the consequences of an event."""


@dataclass
class PolicyRunner:
    """Runs the policies of one service on the events that they have not run on.

    An event of the service's own log is acted on only where its own store holds the same bytes.
    """

    policies: Policies
    journal: Journal
    states: StateStore
    service: str
    store: EventStore | None = None

    async def run(self, folded: Mapping[str, FoldedState]) -> None:
        """Run the policies on the events of these streams, from their policy version up to their version."""
        behind = [state for state in folded.values() if state.policy_version < state.version]
        for chunk in chunked(behind, _STREAMS_PER_READ):
            events = await self.journal.after({state.stream: state.policy_version for state in chunk})
            reached = [state._replace(policy_version=await self._react(state, events[state.stream])) for state in chunk]
            await self.states.mark_policies_run(reached)

    async def _react(self, state: FoldedState, events: Sequence[ConsumedEvent]) -> int:
        """React to a stream's next events; return the version up to which the policies have run."""
        for event in events:
            version = event.recorded.streamversion
            if version <= state.version and self.policies.handles(event.recorded):
                if not await self._is_stored(event):
                    log.error("own_event_not_stored", stream=state.stream, version=version, origin=event.origin)
                    return version - 1
                await self.policies.react(event.recorded)
        return state.version

    async def _is_stored(self, event: ConsumedEvent) -> bool:
        if self.store is None or event.recorded.data.service != self.service:
            return True
        stream, version = event.key
        raws = await self.store.read_bytes(stream)
        return version <= len(raws) and raws[version - 1] == event.raw


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


def agreed_version(before: str, after: str) -> int:
    """Return the version up to which two lists of ledger references name the same bytes."""
    leaves = ([reference.partition(":")[2] for reference in refs.split()] for refs in (before, after))
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(*leaves, strict=False)))
