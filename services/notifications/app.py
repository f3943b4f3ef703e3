"""The notifications service: everything it is made of, put together once."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.notifications import api
from services.notifications.domain.subscriber import SUBSCRIBER
from services.notifications.handlers import Handlers
from services.notifications.projection import OWN, SHAPE, TOPICS
from services.notifications.sending.letters import Letters
from services.notifications.sending.sender import Sender
from services.notifications.sending.settings import NotificationSettings
from services.notifications.subscribers import Policies
from shared.dead_letters import DeadLetters
from shared.event_store import EventStore
from shared.folding import States
from shared.handling import Ledgers
from shared.http import make_app
from shared.journal import Journal
from shared.messaging import Subscriber
from shared.offsets import Offsets
from shared.operations import operations
from shared.privacy import forget_again, persons
from shared.process import connect, lifespan_of, run
from shared.projecting import Projection
from shared.refusals import Refusals
from shared.relay import Relay
from shared.sealer import Sealer
from shared.sealing import KeyRing
from shared.telemetry import Pulse
from shared.tiled_log import log_router

SERVICE = "notifications"


def make(settings: NotificationSettings) -> FastAPI:
    """Put the service together."""
    database = connect(settings, SERVICE)
    relaying, reading, sending = Pulse("relay"), Pulse("subscriber"), Pulse("sender")
    log_keys, sealing = settings.log_keys(SERVICE), Pulse("sealer")
    store, journal, refusals, keys = EventStore(database), Journal(database), Refusals(database), KeyRing(database)
    states = States(database, OWN, SHAPE)
    ledgers = Ledgers(store, refusals, OWN, states.known)
    letters = Letters(ledgers, keys, journal, settings.smtp_sender)
    sender = Sender(ledgers, states, letters, settings, sending, relaying)
    handlers = Handlers(ledgers, keys, sender)
    policies = Policies(handlers, states, journal)
    projection = Projection(journal, states, DeadLetters(database, SERVICE), act=policies)
    relay = Relay(database, store, settings.kafka, SERVICE, relaying, log_keys.verifiers)
    sealer = Sealer(database, relay, settings, log_keys, SERVICE, sealing)
    subscriber = Subscriber(settings, SERVICE, TOPICS, projection, Offsets(database), reading)
    loops = [(relaying, relay.run), (reading, subscriber.run), (sending, sender.run), (sealing, sealer.run)]
    return make_app(
        SERVICE,
        settings,
        database,
        [
            api.router(handlers, states, keys),
            operations(projection, store, refusals),
            log_router(sealer.checkpoints, log_keys),
            persons("/subscribers", SUBSCRIBER.kind, store, keys),
        ],
        [relaying, reading, sending, sealing],
        lifespan_of(
            database,
            [store.prepare, relay.check, projection.prepare, partial(forget_again, store, keys, SUBSCRIBER.kind)],
            loops,
        ),
    )


if __name__ == "__main__":
    run(SERVICE, make, NotificationSettings)
