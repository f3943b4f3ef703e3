"""Folds streams from the journal: those that are irregular, and all of another shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import structlog

from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import ConsumedEvent
from shared.projection.conflicts import ConflictResolver
from shared.projection.fold import FoldedState, Outcome, fold_on
from shared.projection.journal import Journal
from shared.projection.partial_fold import fold_and_fit, stopped
from shared.projection.policies import Handles, raise_policy_version
from shared.projection.state_store import StateStore

log = structlog.get_logger()


@dataclass
class JournalFolder:
    """The fold of one service's streams from its journal.

    A stream that cannot be folded or stored stays at the longest prefix that can, with its fault; the others go on.
    """

    journal: Journal
    states: StateStore
    dead_letters: DeadLetters
    conflicts: ConflictResolver
    handles: Handles | None

    async def fold_and_reinstate(self, streams: set[str], refold: set[str]) -> dict[str, FoldedState]:
        """Fold streams from the journal; reinstate dead letters that the chain now names."""
        folded = await self.fold_and_store(streams, refold)
        while reinstated := await self.conflicts.reinstate(_without_faults(folded)):
            folded |= await self.fold_and_store(reinstated, set())
        await self.dead_letters.resolve_up_to({stream: state.version for stream, state in folded.items()})
        return folded

    async def fold_and_store(self, streams: set[str], refold: set[str]) -> dict[str, FoldedState]:
        """Fold streams from the journal and store them; retry where another instance stored one meanwhile.

        Streams in `refold` are folded from version 1.
        """
        refused: dict[str, list[str]] = {}
        while True:
            stored = await self.states.read(streams - refold) | await self.states.heads(streams & refold)
            outcomes = await self._outcomes(
                {stream: self._unfolded(state) if stream in refold | refused.keys() else state
                 for stream, state in stored.items()}, refused
            )  # fmt: skip
            broken = [outcome.broken for outcome in outcomes.values() if outcome.broken is not None]
            for event in broken:
                await self.conflicts.quarantine(event)
            if broken:
                continue
            folded = {stream: outcome.folded for stream, outcome in outcomes.items()}
            changed = [
                state for stream, state in folded.items() if stream in refold or _differs(stored[stream], state)
            ]  # fmt: skip
            written = await self.states.write(changed)
            for stream, fault in written.refused.items():
                refused.setdefault(stream, []).append(fault)
            if not written.lost and not written.refused:
                _log_faults(stored, folded)
                return folded

    def _unfolded(self, state: FoldedState) -> FoldedState:
        return self.states.initial(state.stream, state.revision, state.policy_version)

    async def _outcomes(self, before: dict[str, FoldedState], refused: Mapping[str, list[str]]) -> dict[str, Outcome]:
        """Fold the journal's events onto states; from version 1 after a correction or void, or where one raises.

        Where the events are others than those behind the stored state, the policies run again on all of them.
        """
        events = await self.journal.after({stream: state.version for stream, state in before.items()})
        heads = await self.states.heads(state.stream for state in before.values() if _is_refolded(state))
        outcomes: dict[str, Outcome] = {}
        unfolded: dict[str, FoldedState] = {}
        for stream, state in before.items():
            if stream in heads and not _continue(heads[stream], events[stream]):
                state = state._replace(policy_version=0)
            outcome = self._outcome(state, events[stream], refused.get(stream, []))
            if outcome is None:
                unfolded[stream] = self._unfolded(state)
            else:
                folded = raise_policy_version(state, outcome.folded, events[stream], self.handles)
                outcomes[stream] = outcome._replace(folded=folded)
        return outcomes | await self._outcomes(unfolded, refused) if unfolded else outcomes

    def _outcome(self, before: FoldedState, events: Sequence[ConsumedEvent], refused: Sequence[str]) -> Outcome | None:
        """Fold events onto a state; None where that takes all events of the stream.

        What was refused once is folded as far as it fits. What is refused twice, MongoDB refuses: nothing is folded.
        """
        aggregate = self.states.aggregate_of(before.stream)
        if not refused:
            with suppress(Exception):  # pure code: whatever it raises belongs to this stream
                return fold_on(aggregate, before, events)
            if before.version:
                return None
        if len(refused) < 2:
            return fold_and_fit(aggregate, before, events, self.states.shape)
        if len(refused) > 2:
            raise RuntimeError(f"MongoDB stores nothing of {before.stream}, not even why: {refused[-1]}")
        return Outcome(stopped(before, refused[-1]))


def _is_refolded(state: FoldedState) -> bool:
    return state.revision > 0 and state.version == 0


def _continue(head: FoldedState, events: Sequence[ConsumedEvent]) -> bool:
    """Tell whether a stream's events, from version 1, continue those behind a stored head."""
    return not head.version or (len(events) >= head.version and events[head.version - 1].hash == head.hash)


def _without_faults(folded: Mapping[str, FoldedState]) -> dict[str, FoldedState]:
    return {stream: state for stream, state in folded.items() if state.fault is None}


def _differs(before: FoldedState, after: FoldedState) -> bool:
    return (before.version, before.blocked, before.fault) != (after.version, after.blocked, after.fault)


def _log_faults(before: Mapping[str, FoldedState], after: Mapping[str, FoldedState]) -> None:
    for stream, state in after.items():
        if state.fault is not None and state.fault != before[stream].fault:
            log.error("stream_stopped", stream=stream, version=state.version, reason=state.fault)
