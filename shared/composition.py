"""Composition of a service: the parts that every service has, wired in one place.

Each `services/<name>/app.py` is the composition root of its process: it adds its handlers, routers and policies, and
lists the steps of preparation in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.consumer.dead_letters import DeadLetters
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.domain.aggregate import Aggregate
from shared.http.app import make_app
from shared.http.operations import operations
from shared.http.tiled_log import tiled_log_router
from shared.ledger.checkpoint_signer import CheckpointSigner
from shared.ledger.relay import Relay
from shared.projection.journal import Journal
from shared.projection.policies import Policies
from shared.projection.projector import Compose, Projector, compose_nothing
from shared.projection.stalled import ComposeFaults, no_compose_faults
from shared.projection.state_store import StateStore
from shared.runtime.process import Loop, Prepare, connect, lifespan_of
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import EventStore
from shared.store.refusals import Refusals


class Parts:
    """The stores, the command handler, the relay and the checkpoint signer of one service.

    The service decides on its `own` aggregates; it folds all of `aggregates`, in projection version `shape`.
    """

    def __init__(
        self,
        service: str,
        settings: Settings,
        own: dict[str, Aggregate[Any]],
        aggregates: Mapping[str, Aggregate[Any]],
        shape: int,
    ) -> None:
        self.service, self.settings = service, settings
        self.database = connect(settings, service)
        self.store, self.refusals = EventStore(self.database), Refusals(self.database)
        self.journal, self.states = Journal(self.database), StateStore(self.database, aggregates, shape)
        self.commands = CommandHandler(self.store, self.refusals, own, self.states.known)
        keys, self.relay_pulse, self._signer_pulse = settings.log_keys(service), Pulse("relay"), Pulse("sealer")
        self.relay = Relay(self.database, self.store, settings.kafka, service, self.relay_pulse, keys.verifiers)
        self._signer = CheckpointSigner(self.database, self.relay, settings, keys, service, self._signer_pulse)
        self._log = tiled_log_router(self._signer.checkpoints, keys)

    def projector(
        self,
        compose: Compose = compose_nothing,
        policies: Policies | None = None,
        compose_faults: ComposeFaults = no_compose_faults,
    ) -> Projector:
        """Return the projector of the service's topics."""
        dead_letters = DeadLetters(self.database, self.service)
        return Projector(self.journal, self.states, dead_letters, compose, policies, compose_faults)

    def routers(self, projector: Projector) -> list[APIRouter]:
        """Return the routers that every service has."""
        return [operations(projector, self.store, self.refusals), self._log]

    def application(
        self,
        projector: Projector,
        topics: Sequence[str],
        routers: Sequence[APIRouter],
        prepare: Sequence[Prepare],
        loops: Sequence[Loop] = (),
    ) -> FastAPI:
        """Return the HTTP application, whose lifespan prepares, then runs the loops of every service and `loops`."""
        offsets, pulse = OffsetStore(self.database), Pulse("subscriber")
        subscriber = Subscriber(self.settings, self.service, topics, projector, offsets, pulse)
        every: list[Loop] = [
            (self.relay_pulse, self.relay.run),
            (pulse, subscriber.run),
            *loops,
            (self._signer_pulse, self._signer.run),
        ]
        pulses = [pulse for pulse, _ in every]
        lifespan = lifespan_of(self.database, prepare, every)
        return make_app(self.service, self.settings, self.database, routers, pulses, lifespan)
