"""A service's own main, with points at which it breaks: RIG_POINTS=FOLDER python -m tests.faults.rig.sabotage SERVICE.

Each point is patched from outside, before the service is put together, and does nothing until it is armed (points.py).
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
from typing import Any

from services.notifications.sending.courier import Courier
from services.notifications.sending.sender import Sender
from services.recommendations import projection as reading
from services.recommendations.projection import Traces
from shared.consumer import record as intake
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.domain.aggregate import Context
from shared.events.catalogue import Recorded, Undecodable
from shared.ledger.lease import Lease
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.projection.policies import PolicyRunner
from shared.projection.projector import Projector
from shared.store.event_store import EventStore
from tests.faults.rig import clock
from tests.faults.rig.points import Point, Points

LONGER_THAN_ANY_GRACE = 60.0
FEW_TRACES = 5
Method = Callable[..., Awaitable[Any]]
Function = Callable[..., Any]


class Injected(Exception):
    """A failure of the rig's making."""


def patch(owner: Any, name: str, around: Callable[[Function], Function]) -> None:
    """Put `around` about a method or function."""
    setattr(owner, name, around(getattr(owner, name)))


def killed(points: Points, point: Point, *, after: bool = False, when: Callable[..., bool] = lambda *_: True) -> Any:
    """Die by SIGKILL before a method, or right after it."""

    def around(method: Method) -> Method:
        async def dying(*arguments: Any, **named: Any) -> Any:
            if after:
                given = await method(*arguments, **named)
            if points.armed(point) and when(*arguments) and points.taken(point):
                os.kill(os.getpid(), signal.SIGKILL)
            return given if after else await method(*arguments, **named)

        return dying

    return around


def install(points: Points) -> None:
    """Patch every point; and let as few traces as a run has be stored in several chunks."""
    reading.TRACES_PER_CHUNK = FEW_TRACES
    patch(Relay, "_publish", killed(points, "ledger stored"))
    patch(Relay, "_publish", lambda publish: half_published(publish, points))
    patch(Ledger, "raise_published", killed(points, "published"))
    patch(PolicyRunner, "run", killed(points, "states stored"))
    patch(Traces, "compose_for", killed(points, "states stored"))
    patch(OffsetStore, "commit", killed(points, "effects stored"))
    patch(Subscriber, "_commit_to_kafka", killed(points, "offsets stored"))
    patch(Projector, "consume", killed(points, "batch in hand"))
    patch(Projector, "flush", killed(points, "heard, not settled", when=holds))
    patch(Projector, "consume", lambda take: long_or_failing(take, points))
    patch(reading, "_composed", lambda composed: slow(composed, points))
    patch(intake, "decode", lambda decode: forgetful(decode, points))
    patch(Lease, "take", lambda take: ignored(take, points))
    patch(EventStore, "append", lambda append: stopped(append, points))
    patch(EventStore, "append", killed(points, "killed after insert", after=True, when=from_client))
    patch(Courier, "deliver", killed(points, "killed before sending"))
    patch(Sender, "_report", killed(points, "killed after sending"))


def from_client(_store: Any, _head: Any, _events: Any, context: Context, _digest: Any) -> bool:
    """Tell whether a command came over HTTP rather than from a policy."""
    return context.role != "system"


def holds(projector: Any) -> bool:
    """Tell whether the write buffer holds effects that are not flushed."""
    buffer = projector._buffer
    return any((buffer._dirty, buffer._touched, buffer.deferred))


def half_published(publish: Method, points: Points) -> Method:
    """Publish the first half of a batch, flush it, and die."""

    async def halved(relay: Any, producer: Any, batch: Any, raws: Any) -> None:
        if len(raws) > 1 and points.taken("half published"):
            for position, (entry, raw) in enumerate(zip(batch.entries, raws, strict=True), start=batch.first):
                if position < batch.first + len(raws) // 2:
                    headers = [("position", str(position).encode()), ("leaf", entry.leaf.encode())]
                    await producer.send(relay._topic, raw, key=entry.stream.encode(), headers=headers)
            await producer.flush()
            os.kill(os.getpid(), signal.SIGKILL)
        await publish(relay, producer, batch, raws)

    return halved


def long_or_failing(take: Method, points: Points) -> Method:
    """Hold a batch past every grace; or fail three times out of ten, before or after its effects."""

    async def taking(projection: Any, arrivals: Any) -> None:
        fails = points.armed("batches fail")
        if fails and random.random() < 0.15:
            points.arm("batch failed")
            raise Injected("before anything of the batch was stored")
        if points.armed("handler runs long"):
            points.arm("handler is running")
            await asyncio.sleep(LONGER_THAN_ANY_GRACE)
        if points.armed("handled slowly"):
            await asyncio.sleep(random.uniform(0, 1))
        await take(projection, arrivals)
        if fails and random.random() < 0.15:
            points.arm("batch failed")
            raise Injected("after everything of the batch was stored")

    return taking


def forgetful(decode: Callable[[bytes], Recorded], points: Points) -> Callable[[bytes], Recorded]:
    """Do not know the events of one stream, as older code would not."""

    def decoded(raw: bytes) -> Recorded:
        event = decode(raw)
        if points.told("older code") == event.subject:
            raise Undecodable("unknown_type", "not known to older code")
        return event

    return decoded


def slow(composed: Method, points: Points) -> Method:
    """Wait a moment between composing traces and storing them, so that other composers come between."""

    async def waiting(*arguments: Any) -> Any:
        documents = await composed(*arguments)
        if points.armed("composing slowly"):
            await asyncio.sleep(random.uniform(0, 0.3))
        return documents

    return waiting


def ignored(take: Method, points: Points) -> Method:
    """Lead whether the lease was taken or not."""

    async def taken(lease: Any) -> bool:
        held = bool(await take(lease))
        if held or not points.armed("lease ignored"):
            return held
        points.arm("led without lease")
        return True

    return taken


def stopped(append: Method, points: Points) -> Method:
    """Stop the whole process between the read of a stream and the insert; somebody else lets it go on."""

    async def stopping(store: Any, head: Any, *more: Any) -> Any:
        if points.told("stopped before insert") == head.stream and points.taken("stopped before insert"):
            os.kill(os.getpid(), signal.SIGSTOP)
        return await append(store, head, *more)

    return stopping


def main(service: str) -> None:
    """Patch, then run the service as its own module runs itself."""
    points, app = Points.of_this_process(), f"services.{service}.app"
    importlib.import_module(app)
    install(points)
    clock.install(points)
    del sys.modules[app]
    runpy.run_module(app, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1])
