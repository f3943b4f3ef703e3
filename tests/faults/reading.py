"""The reading side of the recommendations service on a real database, for tests that feed it records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from services.recommendations.projection import AGGREGATES, Traces
from services.recommendations.trace import SHAPE, trace_bytes
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import KafkaRecord
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore


@dataclass
class Reading:
    """A projector and what it stores."""

    database: AsyncIOMotorDatabase[Any]
    projector: Projector
    traces: Traces

    async def take(self, *arrivals: KafkaRecord) -> None:
        """Take the records one by one, as they would arrive."""
        for arrival in arrivals:
            await self.projector.project([arrival])

    async def forget(self) -> None:
        """Lose all that was read, but not what was set aside and decided."""
        for collection in ("journal", "states", "traces"):
            await self.database[collection].delete_many({})

    async def version(self, stream: str) -> int:
        """Return the version at which a stream is shown."""
        return (await self.projector.states.read([stream]))[stream].version

    async def stored(self) -> dict[str, bytes]:
        """Return the compared bytes of every trace."""
        return {trace["_id"]: trace_bytes(trace) async for trace in self.database.traces.find()}

    async def dead_letters(self, standing: str | None = "open") -> dict[str, str]:
        """Return the reasons of dead letters by their place."""
        return {letter["_id"]: letter["reason"] for letter in await self.projector.dead_letters.find(standing)}


def reading_of(database: AsyncIOMotorDatabase[Any]) -> Reading:
    """Return the reading side as a process would put it together."""
    states, journal = StateStore(database, AGGREGATES, SHAPE), Journal(database)
    traces = Traces(database, states, journal)
    dead_letters = DeadLetters(database, "recommendations")
    return Reading(database, Projector(journal, states, dead_letters, traces.compose_for), traces)


@asynccontextmanager
async def a_reading(uri: str) -> AsyncIterator[Reading]:
    """Yield a reading side on an empty database of its own."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri)
    name = f"reading_{uuid4().hex}"
    try:
        reading = reading_of(client[name])
        await reading.projector.prepare()
        await reading.traces.prepare()
        yield reading
    finally:
        await client.drop_database(name)
        client.close()


def elsewhere(arrival: KafkaRecord, offset: int, **changes: Any) -> KafkaRecord:
    """Return the record at another offset, changed."""
    return replace(arrival, offset=offset, **changes)
