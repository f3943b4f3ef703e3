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


@asynccontextmanager
async def running(client: C) -> AsyncIterator[C]:
    """Start a client, and stop it at the end, also where it could not start. Raises KafkaError."""
    try:
        await client.start()
        yield client
    finally:
        await stop(client)


async def stop(client: Stoppable) -> None:
    """Stop a client. A client whose own routine was cancelled raises CancelledError: that cancels nobody else."""
    try:
        await client.stop()
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
