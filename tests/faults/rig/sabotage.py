"""A service's own main with points at which it breaks: RIG_POINTS=FOLDER python -m tests.faults.rig.sabotage SERVICE.

The launcher patches each point before the service starts; a point does nothing until the rig arms it (points.py).
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
import runpy
import signal
import sys
from collections.abc import Awaitable, Callable
from itertools import islice
from typing import Any

from services.notifications.sending.courier import Courier
from services.notifications.sending.sender import Sender
from services.recommendations import projection as recommendations
from shared.consumer import decoding as consumer_decoding
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.domain.aggregate import Context
from shared.events.catalogue import Recorded, Undecodable
from shared.ledger.lease import Lease
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.projection.projector import Projector
from shared.store.event_store import EventStore
from tests.faults.rig import clock
from tests.faults.rig.points import Point, Points

LONGER_THAN_ANY_GRACE = 60.0
FEW_TRACES = 5
Method = Callable[..., Awaitable[Any]]
Function = Callable[..., Any]


class Injected(Exception):
    """A failure that the rig injects."""


def patch(owner: Any, name: str, around: Callable[[Function], Function]) -> None:
    """Replace a method or function by `around` of it."""
    setattr(owner, name, around(getattr(owner, name)))


def killed(points: Points, point: Point, *, after: bool = False, when: Callable[..., bool] = lambda *_: True) -> Any:
    """Kill this process by SIGKILL before a method, or right after it."""

    def around(method: Method) -> Method:
        async def dying(*arguments: Any, **named: Any) -> Any:
            if after:
                result = await method(*arguments, **named)
            if points.armed(point) and when(*arguments) and points.claim(point):
                os.kill(os.getpid(), signal.SIGKILL)
            return result if after else await method(*arguments, **named)

        return dying

    return around


def install(points: Points) -> None:
    """Patch all points, and reduce the chunk size of traces, so that a run stores them in several chunks."""
    recommendations.TRACES_PER_CHUNK = FEW_TRACES
    patch(Relay, "_publish", killed(points, "ledger stored"))
    patch(Relay, "_publish", lambda publish: half_published(publish, points))
    patch(Ledger, "raise_published", killed(points, "published"))
    patch(Projector, "_finish", killed(points, "states stored"))
    patch(OffsetStore, "commit", killed(points, "effects stored"))
    patch(Subscriber, "_commit_to_kafka", killed(points, "offsets stored"))
    patch(Projector, "consume", killed(points, "batch in hand"))
    patch(Projector, "flush", killed(points, "consumed, not flushed", when=has_unflushed))
    patch(Projector, "consume", lambda consume: long_or_failing(consume, points))
    patch(recommendations, "composed", lambda composed: slow(composed, points))
    patch(consumer_decoding, "decode", lambda decode: forgetful(decode, points))
    patch(Lease, "take", lambda take: ignored(take, points))
    patch(EventStore, "append", lambda append: stopped(append, points))
    patch(EventStore, "append", killed(points, "killed after insert", after=True, when=from_client))
    patch(Courier, "deliver", killed(points, "killed before sending"))
    patch(Sender, "_report", killed(points, "killed after sending"))


def from_client(_store: Any, _head: Any, _events: Any, context: Context, _digest: Any) -> bool:
    """Tell whether a client sent a command over HTTP, not a policy."""
    return context.role != "system"


def has_unflushed(projector: Any) -> bool:
    """Tell whether the write buffer holds unflushed effects."""
    buffer = projector._buffer
    return any((buffer._dirty, buffer._touched, buffer.deferred))


def half_published(publish: Method, points: Points) -> Method:
    """Publish the first half of a batch, flush it, and kill this process."""

    async def halved(relay: Any, producer: Any, batch: Any, raws: Any, *traceparents: Any) -> None:
        if len(raws) > 1 and points.claim("half published"):
            for record in islice(relay._records(batch, raws, *traceparents), len(raws) // 2):
                await producer.send(relay._topic, record.value, key=record.stream.encode(), headers=record.headers)
            await producer.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        await publish(relay, producer, batch, raws, *traceparents)

    return halved


def long_or_failing(consume: Method, points: Points) -> Method:
    """Hold a batch past every grace period; or fail three times out of ten, before or after its effects."""

    async def consuming(projector: Any, records: Any) -> None:
        fails = points.armed("batches fail")
        if fails and random.random() < 0.15:
            points.arm("batch failed")
            raise Injected("before anything of the batch was stored")
        if points.armed("handler runs long"):
            points.arm("handler is running")
            await asyncio.sleep(LONGER_THAN_ANY_GRACE)
        if points.armed("handled slowly"):
            await asyncio.sleep(random.uniform(0, 1))
        await consume(projector, records)
        if fails and random.random() < 0.15:
            points.arm("batch failed")
            raise Injected("after everything of the batch was stored")

    return consuming


def forgetful(decode: Callable[[bytes], Recorded], points: Points) -> Callable[[bytes], Recorded]:
    """Refuse the events of one stream as of unknown type, as older code does."""

    def decoded(raw: bytes) -> Recorded:
        event = decode(raw)
        if points.detail("older code") == event.subject:
            raise Undecodable("unknown_type", "not known to older code")
        return event

    return decoded


def slow(composed: Method, points: Points) -> Method:
    """Wait a moment between composing traces and storing them, so that another composer can store first."""

    async def waiting(*arguments: Any) -> Any:
        documents = await composed(*arguments)
        if points.armed("composing slowly"):
            await asyncio.sleep(random.uniform(0, 0.3))
        return documents

    return waiting


def ignored(take: Method, points: Points) -> Method:
    """Lead with or without the lease."""

    async def lead(lease: Any) -> bool:
        held = bool(await take(lease))
        if held or not points.armed("lease ignored"):
            return held
        points.arm("led without lease")
        return True

    return lead


def stopped(append: Method, points: Points) -> Method:
    """Stop this process (SIGSTOP) between the read of a stream and the insert, until the rig resumes it."""

    async def stopping(store: Any, head: Any, *more: Any) -> Any:
        if points.detail("stopped before insert") == head.stream and points.claim("stopped before insert"):
            os.kill(os.getpid(), signal.SIGSTOP)
        return await append(store, head, *more)

    return stopping


def main(service: str) -> None:
    """Patch the points, then run the service's own main."""
    points, app = Points.of_this_process(), f"services.{service}.app"
    importlib.import_module(app)
    install(points)
    clock.install(points)
    del sys.modules[app]
    runpy.run_module(app, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1])
