"""Policies: what a service does by itself when it consumes an event, run once for each event.

A void takes back what followed from the event that it voids: docs/policies.md has each policy and its inverse.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import count
from typing import Protocol

import structlog
from more_itertools import chunked

from shared.consumer.record import ConsumedEvent
from shared.domain.voids import voids_of
from shared.events.catalogue import Recorded
from shared.events.event import Voiding
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.store.event_store import EventStore
from shared.store.policies import Handle, void_effect
from shared.tracing.spans import tracing

_STREAMS_PER_READ = 200

log = structlog.get_logger()

Handles = Callable[[Recorded], bool]


class Policies(Protocol):
    """The policies of a service. Run a second time on an event, they change nothing."""

    @property
    def handle(self) -> Handle:
        """The service's command handler."""

    def handles(self, event: Recorded) -> bool:
        """Tell whether an event has consequences."""

    async def react(self, event: Recorded) -> None:
        """Carry out the consequences of an event."""

    async def affected(self, event: Recorded) -> Iterable[str]:
        """Return the streams in which consequences of an event may be recorded."""


def is_handled(policies: Policies, event: Recorded) -> bool:
    """Tell whether an event has consequences: one that a policy handles, or a void, which takes some back."""
    return isinstance(event.data, Voiding) or policies.handles(event)


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
            await self._react_to_later_voids(chunk)
            await self.states.mark_policies_run(reached)

    async def _react_to_later_voids(self, states: Sequence[FoldedState]) -> None:
        """React to voids that were journalled while the policies ran.

        Another instance may have reacted to such a void before there was an effect to take back.
        """
        later = await self.journal.after({state.stream: state.version for state in states})
        for state in states:
            following = zip(later[state.stream], count(state.version + 1), strict=False)
            events = [event for event, version in following if event.recorded.streamversion == version]
            if any(isinstance(event.recorded.data, Voiding) for event in events):
                await self._react(state._replace(version=state.version + len(events)), events)

    async def _react(self, state: FoldedState, events: Sequence[ConsumedEvent]) -> int:
        """React to a stream's next events that hold; return the version up to which the policies have run."""
        folded = [event for event in events if event.recorded.streamversion <= state.version]
        held = {event.streamversion for event in _holding([event.recorded for event in folded])}
        for event in folded:
            version = event.recorded.streamversion
            if version in held and is_handled(self.policies, event.recorded):
                if not await self._is_stored(event):
                    log.error("own_event_not_stored", stream=state.stream, version=version, origin=event.origin)
                    return version - 1
                with tracing().in_event(event.origin):
                    await self._react_to(event.recorded, state.version)
        return state.version

    async def _react_to(self, event: Recorded, version: int) -> None:
        """React to an event of a stream that is folded up to a version."""
        if isinstance(event.data, Voiding) and event.data.voids < event.streamversion and self.store is not None:
            history = (await self.journal.after({event.subject: 0}))[event.subject]
            await self._take_back(event, [each.recorded for each in history[:version]], self.store)
        if self.policies.handles(event):
            await self.policies.react(event)

    async def _take_back(self, void: Recorded, history: Sequence[Recorded], store: EventStore) -> None:
        """Void what followed from events that a void takes out of account; react to those that it lets hold again."""
        named = _named_by(void, history)
        before = [event for event in history[: void.streamversion - 1] if not isinstance(event.data, Voiding)]
        scope = [*named, *before] if named[-1].streamversion == 1 else named
        affected = {stream for event in scope if self.policies.handles(event)
                    for stream in await self.policies.affected(event)}  # fmt: skip
        causes = {event.id for event in (before if named[0].streamversion == 1 else named[:1])}
        for stream in sorted(affected):
            await self._void_effects(void, (await store.read(stream))[1], causes)
        again = before if len(named) > 1 and named[1].streamversion == 1 else named[1:2]
        versions = {event.streamversion for event in again}
        for event in _holding(history):
            if event.streamversion in versions:
                await self._react_to(event, history[-1].streamversion)

    async def _void_effects(self, void: Recorded, recorded: Sequence[Recorded], causes: Set[str]) -> None:
        """Void, command by command, what a policy recorded because of some events."""
        voids = voids_of(recorded)
        effects = [each for each in recorded if each.role == "system" and each.causationid in causes]
        for effect in {each.commandid: each for each in effects if each.streamversion not in voids}.values():
            await void_effect(self.policies.handle, void, effect)

    async def _is_stored(self, event: ConsumedEvent) -> bool:
        if self.store is None or event.recorded.data.service != self.service:
            return True
        stream, version = event.key
        raws = await self.store.read_bytes(stream)
        return version <= len(raws) and raws[version - 1] == event.raw


def _named_by(void: Recorded, history: Sequence[Recorded]) -> list[Recorded]:
    """Return the event that a void names; where that is a void, then the event that it names, and so on."""
    named = [void]
    while isinstance(data := named[-1].data, Voiding) and data.voids < named[-1].streamversion:
        named.append(history[data.voids - 1])
    return named[1:]


def _holding(history: Sequence[Recorded]) -> list[Recorded]:
    """Return the events that are not void; where version 1 is, only voids hold."""
    voids = voids_of(history)
    return [
        event
        for event in history
        if event.streamversion not in voids and (1 not in voids or isinstance(event.data, Voiding))
    ]


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
