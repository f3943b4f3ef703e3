"""The notifications service: everything it is made of, put together once."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.notifications import api
from services.notifications.domain.subscriber import SUBSCRIBER
from services.notifications.handlers import Handlers
from services.notifications.projection import OWN, SHAPE, TOPICS
from services.notifications.sending.emails import Emails
from services.notifications.sending.sender import Sender
from services.notifications.sending.settings import NotificationSettings
from services.notifications.subscribers import Policies
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.http.app import make_app
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
from shared.runtime.telemetry import Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals

SERVICE = "notifications"


def make(settings: NotificationSettings) -> FastAPI:
    """Put the service together."""
    database = connect(settings, SERVICE)
    relaying, reading, sending = Pulse("relay"), Pulse("subscriber"), Pulse("sender")
    log_keys, sealing = settings.log_keys(SERVICE), Pulse("sealer")
    store, journal, refusals, keys = EventStore(database), Journal(database), Refusals(database), KeyRing(database)
    states = StateStore(database, OWN, SHAPE)
    ledgers = CommandHandler(store, refusals, OWN, states.known)
    letters = Emails(ledgers, keys, journal, settings.smtp_sender)
    sender = Sender(ledgers, states, letters, settings, sending, relaying)
    handlers = Handlers(ledgers, keys, sender)
    policies = Policies(handlers, states, journal)
    projection = Projector(journal, states, DeadLetters(database, SERVICE), act=policies)
    relay = Relay(database, store, settings.kafka, SERVICE, relaying, log_keys.verifiers)
    sealer = CheckpointSigner(database, relay, settings, log_keys, SERVICE, sealing)
    subscriber = Subscriber(settings, SERVICE, TOPICS, projection, OffsetStore(database), reading)
    loops = [(relaying, relay.run), (reading, subscriber.run), (sending, sender.run), (sealing, sealer.run)]
    return make_app(
        SERVICE,
        settings,
        database,
        [
            api.router(handlers, states, keys),
            operations(projection, store, refusals),
            tiled_log_router(sealer.checkpoints, log_keys),
            persons("/subscribers", SUBSCRIBER.kind, store, keys),
        ],
        [relaying, reading, sending, sealing],
        lifespan_of(
            database,
            [
                store.prepare,
                relay.check,
                projection.prepare,
                partial(redo_erasures, store, keys, SUBSCRIBER.kind),
            ],
            loops,
        ),
    )


if __name__ == "__main__":
    run(SERVICE, make, NotificationSettings)
