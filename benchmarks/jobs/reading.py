"""The reading side of the recommendations service, put together as services/recommendations/app.py does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pydantic import SecretStr

from services.recommendations.app import INDEXES
from services.recommendations.handlers import Handlers
from services.recommendations.projection import AGGREGATES, OWN, STATES_SHAPE, Traces
from services.recommendations.subscribers import Policies
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decoder import RecordDecoder
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.runtime.database import connect
from shared.runtime.settings import Settings
from shared.store.event_store import EventStore
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tools.simulate.log_keys import synthetic_trust

SERVICE = "recommendations"


@dataclass
class Reading:
    """A projector, what it writes to, and the store of the policies that act on it."""

    database: AsyncIOMotorDatabase[Any]
    store: EventStore
    projector: Projector
    traces: Traces

    async def prepare(self) -> None:
        """Make indexes, as a deployment does, then prepare as the service does."""
        await ensure(self.database, INDEXES)
        await self.projector.prepare()
        await self.traces.prepare()


def settings_for(kafka: dict[str, Any], mongodb: str, database: str, instance: str) -> Settings:
    """Return the settings of a service on these servers."""
    return Settings(**kafka, mongodb=SecretStr(mongodb), database=database, jwks="none", instance=instance)


def reading_of(settings: Settings) -> Reading:
    """Put the reading side together."""
    database = connect(settings, SERVICE)
    store, journal, refusals = EventStore(database), Journal(database), Refusals(database)
    states = StateStore(database, AGGREGATES, STATES_SHAPE)
    traces = Traces(database, states, journal)
    handlers = Handlers(store, refusals, OWN, states.known)
    dead_letters = DeadLetters(database, SERVICE)
    projector = Projector(
        journal, states, dead_letters, RecordDecoder(synthetic_trust()), traces.compose_for, Policies(handlers)
    )
    return Reading(database, store, projector, traces)
