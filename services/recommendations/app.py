"""The recommendations service: everything it is made of, put together once."""

from __future__ import annotations

from fastapi import FastAPI

from services.recommendations import api
from services.recommendations.handlers import Handlers
from services.recommendations.projection import AGGREGATES, OWN, TOPICS, Traces
from services.recommendations.subscribers import Policies
from services.recommendations.trace import SHAPE
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.http.app import make_app
from shared.http.operations import operations
from shared.http.tiled_log import tiled_log_router
from shared.ledger.checkpoint_signer import CheckpointSigner
from shared.ledger.relay import Relay
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.runtime.process import connect, lifespan_of, run
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals

SERVICE = "recommendations"


def make(settings: Settings) -> FastAPI:
    """Put the service together."""
    database = connect(settings, SERVICE)
    relaying, reading = Pulse("relay"), Pulse("subscriber")
    log_keys, sealing = settings.log_keys(SERVICE), Pulse("sealer")
    store, journal, refusals = EventStore(database), Journal(database), Refusals(database)
    states = StateStore(database, AGGREGATES, SHAPE)
    traces = Traces(database, states, journal)
    handlers = Handlers(CommandHandler(store, refusals, OWN, states.known))
    projection = Projector(journal, states, DeadLetters(database, SERVICE), traces.compose_for, Policies(handlers))
    relay = Relay(database, store, settings.kafka, SERVICE, relaying, log_keys.verifiers)
    sealer = CheckpointSigner(database, relay, settings, log_keys, SERVICE, sealing)
    subscriber = Subscriber(settings, SERVICE, TOPICS, projection, OffsetStore(database), reading)
    return make_app(
        SERVICE,
        settings,
        database,
        [
            api.router(handlers, traces, projection),
            operations(projection, store, refusals),
            tiled_log_router(sealer.checkpoints, log_keys),
        ],
        [relaying, reading, sealing],
        lifespan_of(
            database,
            [store.prepare, relay.check, projection.prepare, traces.prepare],
            [(relaying, relay.run), (reading, subscriber.run), (sealing, sealer.run)],
        ),
    )


if __name__ == "__main__":
    run(SERVICE, make, Settings)
