"""The read side of the recommendations service on a real database, for tests that feed it records."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from services.recommendations.app import INDEXES
from services.recommendations.projection import AGGREGATES, STATES_SHAPE, Traces
from services.recommendations.trace import trace_bytes
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import KafkaRecord
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.store.indexes import ensure
from tests.proofs import a_decoder


@dataclass
class Reading:
    """A projector, and the states and traces that it stores."""

    database: AsyncIOMotorDatabase[Any]
    projector: Projector
    traces: Traces

    async def take(self, *records: KafkaRecord) -> None:
        """Project the records one by one."""
        for record in records:
            await self.projector.project([record])

    async def restarted(self) -> Reading:
        """Return another read side on the same database, prepared as at the start of a service."""
        reading = reading_of(self.database)
        await reading.projector.prepare()
        await reading.traces.prepare()
        await reading.projector.resume()
        return reading

    async def forget(self) -> None:
        """Delete everything consumed, but not the dead letters and the decisions on them."""
        for collection in ("journal", "states", "traces"):
            await self.database[collection].delete_many({})

    async def version(self, stream: str) -> int:
        """Return the stored version of a stream."""
        return (await self.projector.states.read([stream]))[stream].version

    async def stored(self) -> dict[str, bytes]:
        """Return the compared bytes of each stored trace."""
        return {trace["_id"]: trace_bytes(trace) async for trace in self.database.traces.find()}

    async def dead_letters(self, standing: str | None = "open") -> dict[str, str]:
        """Return the reasons of dead letters by their origin."""
        documents = await self.projector.dead_letters.find(standing)
        return {document["_id"]: document["reason"] for document in documents}


def reading_of(database: AsyncIOMotorDatabase[Any]) -> Reading:
    """Compose the read side as a service does."""
    states, journal = StateStore(database, AGGREGATES, STATES_SHAPE), Journal(database)
    traces = Traces(database, states, journal)
    dead_letters = DeadLetters(database, "recommendations")
    projector = Projector(journal, states, dead_letters, a_decoder(), traces.compose_for, compose_faults=traces.faults)
    return Reading(database, projector, traces)


@asynccontextmanager
async def a_reading(uri: str) -> AsyncIterator[Reading]:
    """Yield a read side on an empty database of its own."""
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(uri)
    name = f"reading_{uuid4().hex}"
    try:
        reading = reading_of(client[name])
        await ensure(reading.database, INDEXES)
        yield reading
    finally:
        await client.drop_database(name)
        client.close()


def elsewhere(record: KafkaRecord, offset: int, **changes: Any) -> KafkaRecord:
    """Return a copy of a record at another offset, with other fields changed."""
    return replace(record, offset=offset, **changes)
