"""Composition root of the notifications service."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.notifications import api
from services.notifications.domain.subscriber import SUBSCRIBER
from services.notifications.handlers import Handlers
from services.notifications.projection import AGGREGATES, OWN, SHAPE, TOPICS
from services.notifications.sending.emails import Emails
from services.notifications.sending.sender import Sender
from services.notifications.sending.settings import NotificationSettings
from services.notifications.subscribers import Policies
from shared import composition
from shared.composition import Parts
from shared.http.persons import persons
from shared.privacy import key_ring
from shared.privacy.erasure import redo_erasures
from shared.privacy.key_ring import KeyRing
from shared.projection.state_query import facet_index
from shared.runtime.process import run
from shared.runtime.telemetry import Pulse

SERVICE = "notifications"
INDEXES = {**composition.INDEXES, **key_ring.INDEXES}
INDEXES |= {"states": [*INDEXES["states"], facet_index("standing")]}


def make(settings: NotificationSettings) -> FastAPI:
    """Compose the service."""
    parts = Parts(SERVICE, settings, OWN, AGGREGATES, SHAPE, TOPICS, INDEXES)
    keys, sender_pulse = KeyRing(parts.database), Pulse("sender")
    emails = Emails(parts.commands, keys, parts.journal, settings.smtp_sender)
    sender = Sender(parts.commands, parts.states, emails, settings, sender_pulse, parts.relay_pulse)
    handlers = Handlers(parts.commands, keys, sender)
    projector = parts.projector(policies=Policies(handlers, parts.states, parts.journal))
    return parts.application(
        projector,
        routers=[
            api.router(handlers, parts.states, keys, parts.journal),
            *parts.routers(projector),
            persons("/subscribers", SUBSCRIBER.kind, parts.store, keys),
        ],
        prepare=[
            parts.relay.check,
            projector.prepare,
            partial(redo_erasures, parts.store, keys, SUBSCRIBER.kind),
        ],
        loops=[(sender_pulse, sender.run)],
        measures=[sender.measure],
    )


if __name__ == "__main__":
    run(SERVICE, make, NotificationSettings)
