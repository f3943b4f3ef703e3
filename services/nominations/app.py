"""The nominations service: everything it is made of, put together once."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.nominations import api
from services.nominations.domain.expert import EXPERT
from services.nominations.handlers import Handlers
from services.nominations.projection import AGGREGATES, OWN, SHAPE, TOPICS
from services.nominations.subscribers import Policies
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.http.app import make_app
from shared.http.auth import WRITERS
from shared.http.documents import Documents, documents_router
from shared.http.operations import operations
from shared.http.persons import persons
from shared.http.tiled_log import tiled_log_router
from shared.ledger.checkpoint_signer import CheckpointSigner
from shared.ledger.relay import Relay
from shared.privacy.erasure import redo_erasures
from shared.privacy.key_ring import KeyRing
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.runtime.process import connect, lifespan_of, run
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals

SERVICE = "nominations"


def make(settings: Settings) -> FastAPI:
    """Put the service together."""
    database = connect(settings, SERVICE)
    relaying, reading = Pulse("relay"), Pulse("subscriber")
    log_keys, sealing = settings.log_keys(SERVICE), Pulse("sealer")
    store, journal, refusals, keys = EventStore(database), Journal(database), Refusals(database), KeyRing(database)
    states = StateStore(database, AGGREGATES, SHAPE)
    ledgers = CommandHandler(store, refusals, OWN, states.known)
    handlers = Handlers(ledgers, keys)
    letters, policies = DeadLetters(database, SERVICE), Policies(handlers, ledgers.known)
    projection = Projector(journal, states, letters, act=policies)
    relay = Relay(database, store, settings.kafka, SERVICE, relaying, log_keys.verifiers)
    sealer = CheckpointSigner(database, relay, settings, log_keys, SERVICE, sealing)
    subscriber = Subscriber(settings, SERVICE, TOPICS, projection, OffsetStore(database), reading)
    return make_app(
        SERVICE,
        settings,
        database,
        [
            api.router(handlers, states, keys),
            documents_router(Documents(database), api.GOVERNMENTS, WRITERS),
            operations(projection, store, refusals),
            tiled_log_router(sealer.checkpoints, log_keys),
            persons("/experts", EXPERT.kind, store, keys),
        ],
        [relaying, reading, sealing],
        lifespan_of(
            database,
            [store.prepare, relay.check, projection.prepare, partial(redo_erasures, store, keys, EXPERT.kind)],
            [(relaying, relay.run), (reading, subscriber.run), (sealing, sealer.run)],
        ),
    )


if __name__ == "__main__":
    run(SERVICE, make, Settings)
