"""Composition root of the recommendations service."""

from __future__ import annotations

from fastapi import FastAPI

from services.recommendations import api, projection
from services.recommendations.projection import AGGREGATES, OWN, STATES_SHAPE, TOPICS, Traces
from services.recommendations.subscribers import Policies
from shared import composition
from shared.composition import Parts
from shared.runtime.process import run
from shared.runtime.settings import Settings

SERVICE = "recommendations"
INDEXES = {**composition.INDEXES, **projection.INDEXES}


def make(settings: Settings) -> FastAPI:
    """Compose the service."""
    parts = Parts(SERVICE, settings, OWN, AGGREGATES, STATES_SHAPE, TOPICS, INDEXES)
    traces = Traces(parts.database, parts.states, parts.journal)
    projector = parts.projector(traces.compose_for, Policies(parts.commands, parts.states.namesakes), traces.faults)
    return parts.application(
        projector,
        routers=[api.router(parts.commands, traces, projector, parts.search), *parts.routers(projector)],
        prepare=[parts.relay.check, projector.prepare, traces.prepare],
    )


if __name__ == "__main__":
    run(SERVICE, make, Settings)
