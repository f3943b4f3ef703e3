"""What was heard since the last settling, folded in memory: it is stored at once, however many batches it came in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from shared.consumer.record import ConsumedEvent
from shared.events.catalogue import Recorded
from shared.projection.fold import FoldedState, advance
from shared.projection.state_store import StateStore


@dataclass
class WriteBuffer:
    """Streams whose next events came in order, with their new states; and those to be folded from the journal instead.

    A stream goes to the journal for any irregularity: a gap, a correction, a broken chain, an open letter. Events that
    its state already has are nothing new; that they are the same ones is for the journal to find.
    """

    states: StateStore
    concerns: Callable[[Recorded], bool] | None = None
    irregular: set[str] = field(default_factory=set)
    _heard: Mapping[str, Sequence[ConsumedEvent]] = field(default_factory=dict)
    _reading: asyncio.Future[dict[str, FoldedState]] | None = None
    _folded: dict[str, FoldedState] = field(default_factory=dict)
    _repeated: dict[str, FoldedState] = field(default_factory=dict)
    _stored: dict[str, FoldedState] = field(default_factory=dict)
    _being_stored: dict[str, FoldedState] = field(default_factory=dict)
    _storing: asyncio.Future[set[str]] | None = None

    def __len__(self) -> int:
        """Return how many states are held that nobody stores yet."""
        return len(self._folded)

    async def store(self) -> None:
        """Begin to store the new states, once those before them are stored."""
        await self._until_stored()
        self._being_stored = {
            stream: state._replace(depends_on=self.states.aggregate_of(stream).depends_on(state.state))
            for stream, state in self._folded.items()
        }
        self._folded.clear()
        self._storing = asyncio.ensure_future(self.states.write(self._being_stored.values()))

    async def stored(self) -> dict[str, FoldedState]:
        """Store all that is held, and return what was heard of: the versions of streams, without their states."""
        await self.store()
        await self._until_stored()
        return self._repeated | self._stored

    async def _until_stored(self) -> None:
        """Wait for what is being stored; what another stored meanwhile is left to the journal."""
        if self._storing is None:
            return
        lost = await self._storing
        self._storing = None
        self._stored |= {stream: slim(state) for stream, state in self._being_stored.items()}
        self._being_stored = {}
        self.leave_to_journal(lost)

    def take(self, lines: Mapping[str, Sequence[ConsumedEvent]]) -> None:
        """Begin to read the states of what was heard; what was taken before it is folded by then."""
        held = self._folded.keys() | self._being_stored.keys()
        self._heard = lines
        self._reading = asyncio.ensure_future(self.states.read(lines.keys() - held - self.irregular))

    async def folded(self) -> None:
        """Fold on each stream what was taken of it."""
        if self._reading is None:
            return
        read = await self._reading
        lines, self._heard, self._reading = self._heard, {}, None
        for stream, events in lines.items():
            if stream not in self.irregular:
                self._fold(self._held(stream) or read[stream], events)

    def _held(self, stream: str) -> FoldedState | None:
        if (folded := self._folded.get(stream)) is not None:
            return folded
        storing = self._being_stored.get(stream)
        return storing and storing._replace(revision=storing.revision + 1)

    def _fold(self, before: FoldedState, events: Sequence[ConsumedEvent]) -> None:
        stream = before.stream
        if events[0].recorded.streamversion <= before.version:
            events = [event for event in events if event.recorded.streamversion > before.version]
            if not events and not before.waits:
                self._repeated.setdefault(stream, slim(before))
                return
        if before.waits or events[0].recorded.streamversion != before.version + 1:
            self.leave_to_journal([stream])
            return
        outcome = advance(self.states.aggregate_of(stream), before, events)
        if outcome is None or outcome.folded.waits:
            self.leave_to_journal([stream])
        else:
            self._folded[stream] = acted(before, outcome.folded, events, self.concerns)

    def leave_to_journal(self, streams: Iterable[str]) -> None:
        """Fold these from the journal when it is settled."""
        for stream in streams:
            self._folded.pop(stream, None)
            self.irregular.add(stream)

    def forget(self) -> None:
        """Leave what is being read or stored to itself; if it fails, nobody waits for it."""
        for begun in (self._reading, self._storing):
            if begun is not None:
                begun.add_done_callback(lambda done: done.cancelled() or done.exception())


def acted(
    before: FoldedState,
    after: FoldedState,
    events: Sequence[ConsumedEvent],
    concerns: Callable[[Recorded], bool] | None,
) -> FoldedState:
    """Return the state with `acted` raised to its version, if no policy is due before these events or by them."""
    if concerns is None or before.acted < before.version or before.acted >= after.version:
        return after
    new = range(before.acted + 1, after.version + 1)
    if any(event.recorded.streamversion in new and concerns(event.recorded) for event in events):
        return after
    return after._replace(acted=after.version)


def slim(folded: FoldedState) -> FoldedState:
    """Return what is left to do for a state that is stored; a stretch may touch very many."""
    return folded._replace(state=None, line="", depends_on=frozenset())
