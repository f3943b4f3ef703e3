"""Rebuild of every read model of a service: the projector with the journal as its source, in place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from more_itertools import chunked

from shared.projection.projector import STREAMS_PER_FOLD, Projector

EVENTS_PER_BATCH = 4_000
PROGRESS_SECONDS = 1.0


async def rebuild(projector: Projector) -> AsyncIterator[tuple[int, int]]:
    """Fold every stream from version 1 beside live writes, then compose what depends on any; run no policy again.

    An event whose proof does not hold any more is set aside first, since its key was called compromised.

    Yield how many events are folded, and of how many. A stream that the live side folded further meanwhile, or that is
    irregular, is refolded by itself.
    """
    states, buffer = projector.states, projector.new_buffer()
    done, total = 0, await projector.journal.count()
    yield done, total
    await projector.decoder.follow_rotations()
    async with aclosing(projector.journal.streams(EVENTS_PER_BATCH)) as batches:
        async for events_by_stream in batches:
            unproven = await projector.set_aside_unproven(events_by_stream)
            buffer.defer(unproven)
            for stream in unproven:
                del events_by_stream[stream]
            heads = await states.heads(events_by_stream)
            buffer.defer(stream for stream, head in heads.items() if head.version > len(events_by_stream[stream]))
            initial = {
                stream: states.initial(stream, head.revision, head.policy_version) for stream, head in heads.items()
            }
            buffer.fold(initial, events_by_stream)
            await buffer.store()
            done += sum(map(len, events_by_stream.values()))
            yield done, max(done, total)
    folded = await buffer.flush()
    for chunk in chunked(buffer.deferred, STREAMS_PER_FOLD):
        await projector.refold(set(chunk))
        yield done, max(done, total)
    composing = asyncio.ensure_future(projector.compose({*folded, *buffer.deferred}))
    try:
        while not composing.done():
            await asyncio.wait([composing], timeout=PROGRESS_SECONDS)
            yield done, max(done, total)
        await composing
    finally:
        composing.cancel()
