"""Composition root of the meetings service."""

from __future__ import annotations

from fastapi import FastAPI

from services.meetings import api, projection
from services.meetings.projection import AGGREGATES, OWN, SHAPE, TOPICS
from services.meetings.subscribers import Policies
from shared import composition
from shared.composition import Parts
from shared.http import documents
from shared.http.auth import WRITERS
from shared.http.documents import Documents, documents_router
from shared.runtime.process import run
from shared.runtime.settings import Settings

SERVICE = "meetings"
INDEXES = {**composition.INDEXES, **projection.INDEXES, **documents.INDEXES}


def make(settings: Settings) -> FastAPI:
    """Compose the service."""
    parts = Parts(SERVICE, settings, OWN, AGGREGATES, SHAPE, TOPICS, INDEXES)
    projector = parts.projector(policies=Policies(parts.commands, parts.states.by_facet))
    return parts.application(
        projector,
        routers=[
            api.router(parts.commands, parts.states, parts.search),
            documents_router(Documents(parts.database), WRITERS, "meeting_document"),
            *parts.routers(projector),
        ],
        prepare=[parts.relay.check, projector.prepare],
    )


if __name__ == "__main__":
    run(SERVICE, make, Settings)
