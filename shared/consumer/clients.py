"""The start and the stop of Kafka's clients."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, TypeVar


class Stoppable(Protocol):
    """Something that connects to Kafka."""

    async def stop(self) -> None:
        """Disconnect."""


class Client(Stoppable, Protocol):
    """A consumer or producer of aiokafka."""

    async def start(self) -> None:
        """Connect."""


C = TypeVar("C", bound=Client)
CLOSE_SECONDS = 3.0
_closing: set[asyncio.Task[None]] = set()


@asynccontextmanager
async def running(client: C) -> AsyncIterator[C]:
    """Start a client, and stop it at the end, also where it could not start. Raises KafkaError."""
    try:
        await client.start()
        yield client
    finally:
        await _stop_within(client, CLOSE_SECONDS)


async def _stop_within(client: Client, seconds: float) -> None:
    """Stop a client, and leave it to itself after a while.

    A broker that still held a fetch does not answer the end of TLS, and the client would wait for 30 seconds.
    """
    task = asyncio.ensure_future(stop(client))
    _closing.add(task)
    task.add_done_callback(_closing.discard)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    for each in done:
        each.result()


async def stop(client: Stoppable) -> None:
    """Stop a client. A client whose own routine was cancelled raises CancelledError: that cancels nobody else."""
    try:
        await client.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
