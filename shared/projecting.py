"""From a batch of records to read models: journal, fold, compose, act. Run again, it ends the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from shared.dead_letters import CONFLICT, DeadLetters
from shared.disputes import Disputes, conflicting
from shared.events.catalogue import Recorded
from shared.folding import States
from shared.folds import Folded, Outcome, fold_on
from shared.intake import Arrival, Heard, Poison, take_apart
from shared.journal import Journal
from shared.telemetry import STALLED

log = structlog.get_logger()

Compose = Callable[[set[str]], Awaitable[None]]
Act = Callable[[Recorded], Awaitable[None]]


async def _compose_nothing(_streams: set[str]) -> None:
    return None


@dataclass
class Projection:
    """How one service reads: its journal, its states, what it composes of them, and the policies that act on them."""

    journal: Journal
    states: States
    letters: DeadLetters
    compose: Compose = _compose_nothing
    act: Act | None = None
    acts_on: frozenset[str] = field(default_factory=frozenset)
    _disputes: Disputes = field(init=False)

    def __post_init__(self) -> None:
        self._disputes = Disputes(self.journal, self.letters)

    async def prepare(self) -> None:
        """Create indexes, and fold again what another version of this code folded."""
        await self.states.prepare()
        await self.letters.prepare()
        if older := await self.states.of_another_shape():
            await self.refold(older)

    async def take(self, arrivals: Sequence[Arrival]) -> None:
        """Take a batch of records: everything that it means is stored when this returns."""
        parsed = [take_apart(arrival) for arrival in arrivals]
        poisons = [item for item in parsed if isinstance(item, Poison)]
        heard = list({(*item.key, item.hash): item for item in parsed if isinstance(item, Heard)}.values())
        if poisons:
            await self._set_aside(poisons)
        streams = {event.recorded.subject for event in heard} | {poison.stream for poison in poisons if poison.stream}
        open_letters = await self.letters.open_for(streams)
        disputed = {(letter["stream"], letter["version"]) for letter in open_letters if letter["reason"] == CONFLICT}
        touched = {event.recorded.subject for event in heard}
        entering = asyncio.ensure_future(self.journal.enter([event for event in heard if event.key not in disputed]))
        try:
            folded = None if open_letters else await self._fold_and_store(touched, set(), _in_order(heard), entering)
        finally:
            await asyncio.wait([entering])
        conflicts = await entering
        if folded is not None:
            await self._finish(folded)
            return
        for held, newcomer in conflicts:
            await self._disputes.settle(held, newcomer)
        if disputed:
            await self._set_aside([conflicting(event) for event in heard if event.key in disputed])
        await self.fold(touched, {event.recorded.subject for event, _ in conflicts})

    async def fold(self, streams: set[str], afresh: Iterable[str] = ()) -> None:
        """Fold streams from the journal, compose what depends on them, let the policies act.

        `afresh` are folded from version 1. Set-aside records take their places where the chain now names them.
        """
        folded = await self._fold_and_store(streams, set(afresh)) or {}
        while again := await self._disputes.reinstate(folded):
            folded |= await self._fold_and_store(again, set()) or {}
        await self.letters.arrived({stream: state.version for stream, state in folded.items()})
        await self._finish(folded)

    async def _finish(self, folded: dict[str, Folded]) -> None:
        await self.compose(set(folded))
        await self._act(folded)
        if any(state.waits for state in folded.values()):
            await self.stalled()

    async def refold(self, streams: Sequence[str]) -> None:
        """Fold streams again from version 1, in place, under live writes; no policy acts a second time."""
        for start in range(0, len(streams), 200):
            chunk = set(streams[start : start + 200])
            await self._fold_and_store(chunk, chunk)
            await self.compose(chunk)

    async def stalled(self) -> dict[str, int]:
        """Return the streams that wait, for a gap or for a dead letter, with the version that they wait for."""
        awaited = await self.letters.awaited()
        folded = await self.states.read(awaited)
        behind = {stream: version for stream, version in awaited.items() if folded[stream].version < version}
        stalled = {**behind, **await self.states.waiting()}
        STALLED.labels(self.letters.service).set(len(stalled))
        return stalled

    async def _fold_and_store(
        self,
        streams: set[str],
        afresh: set[str],
        arrived: Mapping[str, list[Heard]] | None = None,
        entering: asyncio.Future[list[tuple[Heard, Heard]]] | None = None,
    ) -> dict[str, Folded] | None:
        """Fold streams and store their states; begin again where another instance stored one meanwhile.

        `arrived` are being journalled (`entering`), so that those that continue their stream need not be read back.
        Nothing is stored before they are, and nothing at all (None) where they conflict with what is journalled.
        """
        while streams:
            before = await self.states.read(streams)
            for stream in afresh:
                before[stream] = self.states.nothing(stream, before[stream].revision, before[stream].acted)
            outcomes = await self._outcomes(before, arrived or {}, entering)
            if entering is not None and await entering:
                return None
            broken = [outcome.broken for outcome in outcomes.values() if outcome.broken is not None]
            for event in broken:
                await self._disputes.break_off(event)
            if broken:
                arrived = None
                continue
            folded = {stream: outcome.folded for stream, outcome in outcomes.items()}
            if await self.states.write(
                state for stream, state in folded.items() if stream in afresh or _moved(before[stream], state)
            ):
                return folded
        return {}

    async def _outcomes(
        self,
        before: dict[str, Folded],
        arrived: Mapping[str, list[Heard]],
        entering: asyncio.Future[list[tuple[Heard, Heard]]] | None = None,
    ) -> dict[str, Outcome]:
        events = {stream: _continuing(state, arrived.get(stream, ())) for stream, state in before.items()}
        unread = {stream: state.version for stream, state in before.items() if state.waits or not events[stream]}
        if unread:
            if entering is not None:
                await entering
            events |= await self.journal.after(unread)
        outcomes: dict[str, Outcome] = {}
        again: dict[str, Folded] = {}
        for stream, state in before.items():
            outcome = fold_on(self.states.aggregate_of(stream), state, events[stream])
            if outcome is None:
                again[stream] = self.states.nothing(stream, state.revision, state.acted)
            elif outcome.folded.waits and stream in arrived and not state.waits:
                again[stream] = state  # what is missing here may lie in the journal
            else:
                outcomes[stream] = outcome
        return outcomes | await self._outcomes(again, {}, entering) if again else outcomes

    async def _act(self, folded: dict[str, Folded]) -> None:
        if self.act is None:
            return
        due = {
            stream: state.acted
            for stream, state in folded.items()
            if state.acted < state.version and stream.partition("/")[0] in self.acts_on
        }
        for stream, events in (await self.journal.after(due) if due else {}).items():
            version = folded[stream].version
            for event in events:
                if event.recorded.streamversion <= version:
                    await self.act(event.recorded)
            await self.states.acted(stream, version)

    async def _set_aside(self, poisons: Sequence[Poison]) -> None:
        named = await self.states.read({poison.stream for poison in poisons if poison.stream})
        expected = {stream: state.version + 1 for stream, state in named.items() if state.version}
        await self.letters.keep(poisons, expected)
        for poison in poisons:
            log.warning("dead_letter", reason=poison.reason, origin=poison.arrival.origin)

    async def name(self, event: Heard, reason: str, actor: str | None = None) -> None:
        """Journal a set-aside event as the true one of its version; other candidates for it are refused."""
        await self._disputes.name(event, reason, actor)


def _in_order(events: Iterable[Heard]) -> dict[str, list[Heard]]:
    """Return events by stream, in the order of their versions."""
    grouped: dict[str, list[Heard]] = {}
    for event in events:
        grouped.setdefault(event.recorded.subject, []).append(event)
    for line in grouped.values():
        line.sort(key=lambda event: event.recorded.streamversion)
    return grouped


def _moved(before: Folded, after: Folded) -> bool:
    return (before.version, before.waits) != (after.version, after.waits)


def _continuing(state: Folded, arrived: Sequence[Heard]) -> list[Heard]:
    """Return those that arrived that come after a state, if the first of them is the very next; else none."""
    later = [event for event in arrived if event.recorded.streamversion > state.version]
    return later if later and later[0].recorded.streamversion == state.version + 1 else []
