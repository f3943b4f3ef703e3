"""The projector: from a batch of records to read models. Run again on the same records, it ends the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

import structlog
from more_itertools import chunked

from shared.consumer.dead_letters import CONFLICT, DeadLetters
from shared.consumer.dead_letters import to_record as record_of_dead_letter
from shared.consumer.decoder import RecordDecoder
from shared.consumer.record import UNSIGNED, ConsumedEvent, KafkaRecord, Poison
from shared.projection.conflicts import ConflictResolver, conflicting
from shared.projection.fold import FoldedState
from shared.projection.journal import Journal
from shared.projection.journal_folder import JournalFolder
from shared.projection.policies import Handles, Policies, PolicyRunner, is_handled
from shared.projection.stalled import ComposeFaults, StalledStreams, no_compose_faults
from shared.projection.state_store import StateStore
from shared.projection.write_buffer import EventsByStream, WriteBuffer
from shared.store.event_store import EventStore

log = structlog.get_logger()

STREAMS_PER_FOLD = 200
DEAD_LETTERS_PER_CHUNK = 500

Compose = Callable[[set[str]], Awaitable[None]]


async def compose_nothing(_streams: set[str]) -> None:
    """Compose nothing: the service has no documents made of several streams."""


@dataclass
class Projector:
    """The read side of one service: journal, states, composed documents, and policies beside them.

    `store` is the service's own event store: of the service's own events, policies act only on those that it holds.

    `consume` journals and folds a batch; `flush` stores the states, composes what depends on them and runs the
    policies, for all batches since the last flush. Kafka delivers again what was not flushed. Both take one caller at a
    time; `project` serves several.
    """

    journal: Journal
    states: StateStore
    dead_letters: DeadLetters
    decoder: RecordDecoder
    compose: Compose = compose_nothing
    policies: Policies | None = None
    store: EventStore | None = None
    compose_faults: ComposeFaults = no_compose_faults
    _conflicts: ConflictResolver = field(init=False)
    _folder: JournalFolder = field(init=False)
    _stalled: StalledStreams = field(init=False)
    _buffer: WriteBuffer = field(init=False)
    _with_fault: set[str] = field(default_factory=set)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._conflicts = ConflictResolver(self.journal, self.dead_letters, self.decoder.trust)
        self._folder = JournalFolder(self.journal, self.states, self.dead_letters, self._conflicts, self._handles)
        self._stalled = StalledStreams(self.states, self.dead_letters, self.compose_faults)
        self._buffer = self.new_buffer()

    @property
    def _handles(self) -> Handles | None:
        return partial(is_handled, self.policies) if self.policies else None

    def new_buffer(self) -> WriteBuffer:
        """Return an empty write buffer."""
        return WriteBuffer(self.states, self._handles)

    async def prepare(self) -> None:
        """Refold the states of another shape."""
        self._with_fault |= (await self.states.faults()).keys()
        outdated = await self.states.of_another_shape()
        for chunk in chunked(outdated, STREAMS_PER_FOLD):
            await self.refold(set(chunk))
        if outdated:
            await self.compose(set(outdated))

    async def resume(self) -> None:
        """Try again, once at each start, the streams with a fault and the dead letters that newer code may decode.

        Their policies run too. A fault is tried again here and at each further event of its stream, never by itself.
        """
        for chunk in chunked(self._with_fault, STREAMS_PER_FOLD):
            await self.fold(set(chunk))
        taken = 0
        async with aclosing(self.dead_letters.undecoded(DEAD_LETTERS_PER_CHUNK)) as chunks:
            async for dead_letters in chunks:
                records = [record_of_dead_letter(each) for each in dead_letters]
                items = await self.decoder.decode(records)
                decoded = [record for record, item in zip(records, items, strict=True) if not isinstance(item, Poison)]
                if decoded:
                    await self.project(decoded)
                    taken += len(decoded)
        if taken:
            log.info("dead_letters_taken_again", count=taken)

    async def project(self, records: Sequence[KafkaRecord]) -> None:
        """Consume a batch and flush it: all its effects are stored when this returns."""
        async with self._lock:
            await self.consume(records)
            await self.flush()

    async def consume(self, records: Sequence[KafkaRecord]) -> None:
        """Decode a batch, journal it, and fold it into the buffer."""
        decoded = await self.decoder.decode(records)
        poisons = [item for item in decoded if isinstance(item, Poison)]
        if any(poison.reason != UNSIGNED for poison in poisons):
            await self.flush()
        if poisons:
            await self._add_dead_letters(poisons)
        events = _deduplicated(item for item in decoded if isinstance(item, ConsumedEvent))
        events_by_stream = _by_stream(events)
        events = await self._without_disputed(events, {*events_by_stream, *(poison.stream or "" for poison in poisons)})
        conflicts, states = await asyncio.gather(
            self.journal.insert(events), self._buffer.load(events_by_stream.keys())
        )  # fmt: skip
        for held, newcomer in conflicts:
            await self._conflicts.resolve(held, newcomer)
        await self.dead_letters.resolve_proven([event.leaf for event in events])
        self._buffer.defer({held.recorded.subject for held, _ in conflicts}, refold=True)
        self._buffer.fold(states, events_by_stream)

    async def flush(self) -> None:
        """Store the buffered states and refold what was deferred; then compose, and run the policies."""
        buffer = self._buffer
        folded = await buffer.flush()
        for chunk in chunked(buffer.deferred, STREAMS_PER_FOLD):
            refolded = await self._folder.fold_and_reinstate(set(chunk), buffer.refold & set(chunk))
            folded |= {stream: state.without_state() for stream, state in refolded.items()}
        if folded:
            await self._finish(folded)
        self.discard()

    def discard(self) -> None:
        """Drop what is not flushed: Kafka delivers it again."""
        self._buffer = self.new_buffer()

    async def fold(self, streams: set[str]) -> None:
        """Fold streams from the journal, compose what depends on them, and run the policies."""
        await self._finish(await self._folder.fold_and_reinstate(streams, set()))

    async def refold(self, streams: set[str]) -> None:
        """Fold streams from version 1, in place, beside live writes; compose nothing, and run no policy again."""
        await self._folder.fold_and_store(streams, streams)

    async def accept(self, event: ConsumedEvent, reason: str, actor: str | None = None) -> None:
        """Journal a dead letter's event as the true one of its version, and refuse its other candidates."""
        await self._conflicts.accept(event, reason, actor)

    async def set_aside_unproven(self, events_by_stream: EventsByStream) -> set[str]:
        """Move journalled events whose proof does not hold any more to the dead letters; return their streams.

        Events without a proof stay: they were journalled before records were signed.
        """
        events = [event for stream_events in events_by_stream.values() for event in stream_events if event.proof]
        unproven = [event for event in events if not self._conflicts.is_proven(event)]
        for event in unproven:
            await self._conflicts.set_aside_unproven(event)
        return {event.recorded.subject for event in unproven}

    async def stalled(self) -> dict[str, int]:
        """Return the stalled streams, with the version that each lacks."""
        return await self._stalled.find()

    async def stalled_because(self) -> dict[str, str]:
        """Return the reason, in words, why each stream is stalled, or why its composed document is absent."""
        return await self._stalled.reasons()

    async def _add_dead_letters(self, poisons: Sequence[Poison]) -> None:
        states = await self.states.read({poison.stream for poison in poisons if poison.stream})
        expected = {stream: state.version + 1 for stream, state in states.items() if state.version}
        await self.dead_letters.add(poisons, expected)
        for poison in poisons:
            log.warning("dead_letter", reason=poison.reason, origin=poison.record.origin)

    async def _without_disputed(self, events: list[ConsumedEvent], streams: set[str]) -> list[ConsumedEvent]:
        """Defer streams with open dead letters; quarantine and leave out further candidates for a disputed version."""
        dead_letters = await self.dead_letters.open_for(streams)
        self._buffer.defer({event.recorded.subject for event in events} & {each["stream"] for each in dead_letters})
        disputed = {(each["stream"], each["version"]) for each in dead_letters if each["reason"] == CONFLICT}
        if not disputed:
            return events
        await self._add_dead_letters([conflicting(event) for event in events if event.key in disputed])
        return [event for event in events if event.key not in disputed]

    async def _finish(self, folded: dict[str, FoldedState]) -> None:
        """Compose what depends on folded streams and run the policies on them, concurrently."""
        policies = [self._policy_runner(self.policies).run(folded)] if self.policies else []
        await asyncio.gather(self.compose(set(folded)), *policies)
        if any(state.blocked for state in folded.values()):
            await self.stalled()

    def _policy_runner(self, policies: Policies) -> PolicyRunner:
        return PolicyRunner(policies, self.journal, self.states, self.dead_letters.service, self.store)


def _deduplicated(events: Iterable[ConsumedEvent]) -> list[ConsumedEvent]:
    """Return events without repeats; of the same bytes at two positions, those at the lower one."""
    lowest: dict[str, ConsumedEvent] = {}
    for event in events:
        if lowest.setdefault(event.hash, event).position > event.position:
            lowest[event.hash] = event
    return list(lowest.values())


def _by_stream(events: Iterable[ConsumedEvent]) -> dict[str, list[ConsumedEvent]]:
    """Return events by stream, in the order of their versions."""
    grouped: dict[str, list[ConsumedEvent]] = {}
    for event in events:
        grouped.setdefault(event.recorded.subject, []).append(event)
    for stream_events in grouped.values():
        if len(stream_events) > 1:
            stream_events.sort(key=lambda event: event.recorded.streamversion)
    return grouped
