"""From a batch of records to read models: journal, fold, compose, act. Run again, it ends the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import structlog

from shared.consumer.dead_letters import CONFLICT, DeadLetters
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison, decode_record
from shared.events.catalogue import Recorded
from shared.projection.conflicts import ConflictResolver, conflicting
from shared.projection.fold import FoldedState, Outcome, fold_on
from shared.projection.journal import Journal
from shared.projection.state_store import StateStore
from shared.projection.write_buffer import WriteBuffer, acted, slim
from shared.runtime.telemetry import STALLED

log = structlog.get_logger()

STATES_HELD = 2_000
STREAMS_AT_ONCE = 200

Compose = Callable[[set[str]], Awaitable[None]]


async def _compose_nothing(_streams: set[str]) -> None:
    return None


class Policies(Protocol):
    """The policies of a service: what it does by itself after an event, once."""

    def handles(self, event: Recorded) -> bool:
        """Tell whether a policy reacts to an event."""

    async def react(self, event: Recorded) -> None:
        """Carry out the commands that follow from an event; a second time, nothing."""


@dataclass
class Projector:
    """How one service reads: its journal, its states, what it composes of them, and the policies that act on them.

    What is heard is journalled and folded while the next batch is taken apart; states are stored and composed when it
    is settled, which may be after many batches. What was not settled is heard again.
    """

    journal: Journal
    states: StateStore
    letters: DeadLetters
    compose: Compose = _compose_nothing
    act: Policies | None = None
    _disputes: ConflictResolver = field(init=False)
    _unsettled: WriteBuffer = field(init=False)
    _afresh: set[str] = field(default_factory=set)
    _taking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _entering: asyncio.Future[list[tuple[ConsumedEvent, ConsumedEvent]]] | None = None

    def __post_init__(self) -> None:
        self._disputes = ConflictResolver(self.journal, self.letters)
        self._unsettled = WriteBuffer(self.states, self._concerns)

    @property
    def _concerns(self) -> Callable[[Recorded], bool] | None:
        return self.act.handles if self.act else None

    async def prepare(self) -> None:
        """Create indexes, and fold again what another version of this code folded."""
        await self.states.prepare()
        await self.letters.prepare()
        older = await self.states.of_another_shape()
        for lot in _lots(older):
            await self.fold_again(lot)
        if older:
            await self.compose(set(older))

    async def take(self, arrivals: Sequence[KafkaRecord]) -> None:
        """Take a batch of records: everything that it means is stored when this returns."""
        async with self._taking:
            await self.hear(arrivals)
            await self.settle()

    async def hear(self, arrivals: Sequence[KafkaRecord]) -> None:
        """Take a batch of records, of which the effects are stored when it is settled."""
        parsed = [decode_record(arrival) for arrival in arrivals]
        if poisons := [item for item in parsed if isinstance(item, Poison)]:
            await self.settle()
            await self._set_aside(poisons)
        heard = list(_each_once(item for item in parsed if isinstance(item, ConsumedEvent)))
        lines = _in_order(heard)
        open_letters = await self.letters.open_for({*lines, *(poison.stream for poison in poisons if poison.stream)})
        self._unsettled.leave_to_journal(lines.keys() & {letter["stream"] for letter in open_letters})
        disputed = {(letter["stream"], letter["version"]) for letter in open_letters if letter["reason"] == CONFLICT}
        if disputed:
            await self._set_aside([conflicting(event) for event in heard if event.key in disputed])
            heard = [event for event in heard if event.key not in disputed]
        await self._entered()
        if len(self._unsettled) >= STATES_HELD:
            await self._unsettled.store()
        self._entering = asyncio.ensure_future(self.journal.enter(heard))
        self._unsettled.take(lines)

    async def settle(self) -> None:
        """Store, compose and act upon all that was heard."""
        await self._entered()
        folded = await self._unsettled.stored()
        for lot in _lots(set(self._unsettled.irregular)):
            again = await self._fold_and_reinstate(lot, self._afresh & lot)
            folded |= {stream: slim(state) for stream, state in again.items()}
        if folded:
            await self._finish(folded)
            self.forget()

    def forget(self) -> None:
        """Drop what was heard and not settled: it will be heard again."""
        self._unsettled.forget()
        self._unsettled = WriteBuffer(self.states, self._concerns)
        self._afresh = set()
        if self._entering is not None:
            self._entering.add_done_callback(lambda entering: entering.cancelled() or entering.exception())
        self._entering = None

    async def _entered(self) -> None:
        """Wait until what was heard is journalled, settle what is disputed by it, and fold the rest."""
        if self._entering is None:
            return
        conflicts = await self._entering
        self._entering = None
        for held, newcomer in conflicts:
            await self._disputes.settle(held, newcomer)
        self._afresh |= {event.recorded.subject for event, _ in conflicts}
        self._unsettled.leave_to_journal(self._afresh)
        await self._unsettled.folded()

    async def fold(self, streams: set[str]) -> None:
        """Fold streams from the journal, compose what depends on them, let the policies act."""
        await self._finish(await self._fold_and_reinstate(streams, set()))

    async def _fold_and_reinstate(self, streams: set[str], afresh: set[str]) -> dict[str, FoldedState]:
        """Fold streams from the journal; set-aside records take their places where the chain now names them."""
        if not streams:
            return {}
        folded = await self._fold_and_store(streams, afresh)
        while again := await self._disputes.reinstate(folded):
            folded |= await self._fold_and_store(again, set())
        await self.letters.arrived({stream: state.version for stream, state in folded.items()})
        return folded

    async def _finish(self, folded: dict[str, FoldedState]) -> None:
        await asyncio.gather(self.compose(set(folded)), self._act(folded))
        if any(state.waits for state in folded.values()):
            await self.stalled()

    async def fold_again(self, streams: set[str]) -> None:
        """Fold streams from version 1, in place, under live writes; nothing is composed, and no policy acts again."""
        await self._fold_and_store(streams, streams)

    async def stalled(self) -> dict[str, int]:
        """Return the streams that wait, for a gap or for a dead letter, with the version that they wait for."""
        awaited = await self.letters.awaited()
        folded = await self.states.read(awaited)
        behind = {stream: version for stream, version in awaited.items() if folded[stream].version < version}
        stalled = {**behind, **await self.states.waiting()}
        STALLED.labels(self.letters.service).set(len(stalled))
        return stalled

    async def _fold_and_store(self, streams: set[str], afresh: set[str]) -> dict[str, FoldedState]:
        """Fold streams from the journal and store their states; begin again where another stored one meanwhile.

        `afresh` are folded from version 1.
        """
        while streams:
            before = await self.states.read(streams)
            for stream in afresh:
                before[stream] = self.states.nothing(stream, before[stream].revision, before[stream].acted)
            outcomes = await self._outcomes(before)
            broken = [outcome.broken for outcome in outcomes.values() if outcome.broken is not None]
            for event in broken:
                await self._disputes.quarantine(event)
            if broken:
                continue
            folded = {stream: outcome.folded for stream, outcome in outcomes.items()}
            if not await self.states.write(
                state for stream, state in folded.items() if stream in afresh or _moved(before[stream], state)
            ):
                return folded
        return {}

    async def _outcomes(self, before: dict[str, FoldedState]) -> dict[str, Outcome]:
        events = await self.journal.after({stream: state.version for stream, state in before.items()})
        outcomes: dict[str, Outcome] = {}
        again: dict[str, FoldedState] = {}
        for stream, state in before.items():
            outcome = fold_on(self.states.aggregate_of(stream), state, events[stream])
            if outcome is None:
                again[stream] = self.states.nothing(stream, state.revision, state.acted)
            else:
                folded = acted(state, outcome.folded, events[stream], self._concerns)
                outcomes[stream] = outcome._replace(folded=folded)
        return outcomes | await self._outcomes(again) if again else outcomes

    async def _act(self, folded: dict[str, FoldedState]) -> None:
        """Let the policies act on what they have not acted upon: on whatever was folded, or is newly theirs."""
        if self.act is None:
            return
        for lot in _lots(stream for stream, state in folded.items() if state.acted < state.version):
            heard = await self.journal.after({stream: folded[stream].acted for stream in lot})
            for stream, events in heard.items():
                for event in events:
                    if event.recorded.streamversion <= folded[stream].version and self.act.handles(event.recorded):
                        await self.act.react(event.recorded)
            await self.states.acted({stream: folded[stream].version for stream in lot})

    async def _set_aside(self, poisons: Sequence[Poison]) -> None:
        named = await self.states.read({poison.stream for poison in poisons if poison.stream})
        expected = {stream: state.version + 1 for stream, state in named.items() if state.version}
        await self.letters.keep(poisons, expected)
        for poison in poisons:
            log.warning("dead_letter", reason=poison.reason, origin=poison.arrival.origin)

    async def name(self, event: ConsumedEvent, reason: str, actor: str | None = None) -> None:
        """Journal a set-aside event as the true one of its version; other candidates for it are refused."""
        await self._disputes.name(event, reason, actor)


def _lots(streams: Iterable[str]) -> Iterator[set[str]]:
    remaining = iter(streams)
    while lot := set(islice(remaining, STREAMS_AT_ONCE)):
        yield lot


def _each_once(events: Iterable[ConsumedEvent]) -> Iterable[ConsumedEvent]:
    """Return events without repeats; of the same bytes at two positions, those at the lower one."""
    lowest: dict[str, ConsumedEvent] = {}
    for event in events:
        if lowest.setdefault(event.hash, event).position > event.position:
            lowest[event.hash] = event
    return lowest.values()


def _in_order(events: Iterable[ConsumedEvent]) -> dict[str, list[ConsumedEvent]]:
    """Return events by stream, in the order of their versions."""
    grouped: dict[str, list[ConsumedEvent]] = {}
    for event in events:
        grouped.setdefault(event.recorded.subject, []).append(event)
    for line in grouped.values():
        if len(line) > 1:
            line.sort(key=lambda event: event.recorded.streamversion)
    return grouped


def _moved(before: FoldedState, after: FoldedState) -> bool:
    return (before.version, before.waits) != (after.version, after.waits)
