"""Every read model of a service made again from its journal, in place, under live writes; no policy acts again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import islice

from shared.consumer.record import ConsumedEvent
from shared.projection.fold import FoldedState, fold_on
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore

EVENTS_AT_ONCE = 4_000
CAREFULLY_AT_ONCE = 200
TELL_SECONDS = 1.0


async def rebuild(projection: Projector) -> AsyncIterator[tuple[int, int]]:
    """Fold every stream, then compose once what depends on any; yield how many events are folded, of how many."""
    done, of = 0, await projection.journal.count()
    streams: list[str] = []
    irregular: list[str] = []
    writing = asyncio.ensure_future(projection.states.write([]))
    yield done, of
    async with aclosing(_lots(projection.journal)) as lots:
        async for lines in lots:
            streams += lines
            folded = await _folded(projection.states, lines)
            irregular += lines.keys() - folded.keys()
            irregular += await writing
            writing = asyncio.ensure_future(projection.states.write(folded.values()))
            done += sum(map(len, lines.values()))
            yield done, max(done, of)
    irregular += await writing
    remaining = iter(irregular)
    while chunk := set(islice(remaining, CAREFULLY_AT_ONCE)):
        await projection.fold_again(chunk)
        yield done, max(done, of)
    composing = asyncio.ensure_future(projection.compose(set(streams)))
    try:
        while not composing.done():
            await asyncio.wait([composing], timeout=TELL_SECONDS)
            yield done, max(done, of)
        await composing
    finally:
        composing.cancel()


async def _lots(journal: Journal) -> AsyncGenerator[dict[str, list[ConsumedEvent]], None]:
    """Yield all of the journal in lots of whole streams."""
    lines: dict[str, list[ConsumedEvent]] = {}
    async with aclosing(journal.lots(EVENTS_AT_ONCE)) as lots:
        async for events in lots:
            for event in events:
                lines.setdefault(event.recorded.subject, []).append(event)
            last = events[-1].recorded.subject
            unfinished = {last: lines.pop(last)}
            if lines:
                yield lines
            lines = unfinished
    if lines:
        yield lines


async def _folded(states: StateStore, lines: dict[str, list[ConsumedEvent]]) -> dict[str, FoldedState]:
    """Return the new states of whole streams, but of those that live folding is ahead of, or that are not regular."""
    stored = await states.heads(lines)
    folded: dict[str, FoldedState] = {}
    for stream, events in lines.items():
        head = stored[stream]
        outcome = fold_on(states.aggregate_of(stream), states.nothing(stream, head.revision, head.acted), events)
        if outcome is not None and not outcome.folded.waits and head.version <= outcome.folded.version:
            folded[stream] = outcome.folded
    return folded
