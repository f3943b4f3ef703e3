"""The write buffer: folded states that are not stored yet, one for each stream, however many batches made them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field

from shared.consumer.record import ConsumedEvent
from shared.projection.fold import FoldedState, advance
from shared.projection.policies import Handles, raise_policy_version
from shared.projection.state_store import StateStore

STATES_HELD = 2_000

EventsByStream = Mapping[str, Sequence[ConsumedEvent]]


@dataclass
class WriteBuffer:
    """The folded states since the last flush, and the streams that the flush must fold from the journal instead.

    A stream is deferred to the journal for any irregularity: a gap, a correction, a void, a broken chain, an open
    dead letter, an event that cannot be folded or stored, a state that another instance stored meanwhile. Events that
    a state already contains are skipped; the journal finds out whether they are the same ones. Streams in `refold` are
    folded from version 1.
    """

    states: StateStore
    handles: Handles | None = None
    deferred: set[str] = field(default_factory=set)
    refold: set[str] = field(default_factory=set)
    _dirty: dict[str, FoldedState] = field(default_factory=dict)
    _touched: dict[str, FoldedState] = field(default_factory=dict)

    async def load(self, streams: Set[str]) -> dict[str, FoldedState]:
        """Return the states that the next events of streams are folded onto; store a full buffer first."""
        if len(self._dirty) >= STATES_HELD:
            await self.store()
        buffered = {stream: self._dirty[stream] for stream in streams & self._dirty.keys()}
        return buffered | await self.states.read(streams - self._dirty.keys() - self.deferred)

    def fold(self, states: Mapping[str, FoldedState], events_by_stream: EventsByStream) -> None:
        """Fold the next events of streams onto their states, and buffer the results."""
        for stream, before in states.items():
            if stream not in self.deferred:
                self._fold(before, events_by_stream[stream])

    def _fold(self, before: FoldedState, events: Sequence[ConsumedEvent]) -> None:
        if events[0].recorded.streamversion <= before.version:
            events = [event for event in events if event.recorded.streamversion > before.version]
            if not events and not before.blocked:
                self._touched.setdefault(before.stream, before.without_state())
                return
        if before.blocked or events[0].recorded.streamversion != before.version + 1:
            self.defer([before.stream])
            return
        try:
            outcome = advance(self.states.aggregate_of(before.stream), before, events)
        except Exception:  # noqa: BLE001 - pure code: whatever it raises belongs to this stream
            outcome = None
        if outcome is None or outcome.folded.blocked:
            self.defer([before.stream])
        else:
            self._dirty[before.stream] = raise_policy_version(before, outcome.folded, events, self.handles)

    def defer(self, streams: Iterable[str], *, refold: bool = False) -> None:
        """Leave streams to be folded from the journal at the flush, from version 1 with `refold`."""
        for stream in streams:
            self._dirty.pop(stream, None)
            self.deferred.add(stream)
            if refold:
                self.refold.add(stream)

    async def store(self) -> None:
        """Store the buffered states; defer those that another instance stored meanwhile, and those that are refused."""
        dirty, self._dirty = self._dirty, {}
        written = await self.states.write(dirty.values())
        self._touched |= {stream: state.without_state() for stream, state in dirty.items()}
        self.defer({*written.lost, *written.refused})

    async def flush(self) -> dict[str, FoldedState]:
        """Store the buffer; return all streams that had events since the last flush, without their states."""
        await self.store()
        return self._touched
