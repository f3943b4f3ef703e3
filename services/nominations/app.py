"""Composition root of the nominations service."""

from __future__ import annotations

from functools import partial

from fastapi import FastAPI

from services.nominations import api, projection
from services.nominations.domain.expert import EXPERT
from services.nominations.handlers import Handlers
from services.nominations.projection import AGGREGATES, OWN, SHAPE, TOPICS
from services.nominations.subscribers import Policies
from shared import composition
from shared.composition import Parts
from shared.http import documents
from shared.http.documents import Documents, documents_router
from shared.http.persons import persons
from shared.http.staff import staff_router
from shared.privacy import key_ring, staff
from shared.privacy.erasure import redo_erasures
from shared.privacy.key_ring import KeyRing
from shared.privacy.staff import Staff
from shared.projection.newest_first import newest_index
from shared.runtime.process import run
from shared.runtime.settings import Settings

SERVICE = "nominations"
INDEXES = {
    **composition.INDEXES,
    **projection.INDEXES,
    **documents.INDEXES,
    **key_ring.INDEXES,
    **staff.INDEXES,
}

INDEXES |= {"states": [*INDEXES["states"], newest_index("submitted")]}


def make(settings: Settings) -> FastAPI:
    """Compose the service."""
    parts = Parts(SERVICE, settings, OWN, AGGREGATES, SHAPE, TOPICS, INDEXES)
    keys, named = KeyRing(parts.database), Staff(parts.database)
    handlers = Handlers(parts.commands, keys)
    policies = Policies(handlers, parts.commands.known, parts.store.read, parts.states.namesakes)
    projector = parts.projector(policies=policies)
    return parts.application(
        projector,
        routers=[
            api.router(handlers, parts.states, keys, parts.search),
            documents_router(Documents(parts.database), api.GOVERNMENTS, "nomination_document"),
            *parts.routers(projector),
            persons("/experts", EXPERT.kind, parts.store, keys, named),
            staff_router(named),
        ],
        prepare=[
            parts.relay.check,
            projector.prepare,
            partial(redo_erasures, parts.store, keys, EXPERT.kind),
        ],
    )


if __name__ == "__main__":
    run(SERVICE, make, Settings)
