"""Composition of a service: the parts that every service has, wired in one place.

Each `services/<name>/app.py` is the composition root of its process: it adds its handlers, routers and policies, and
lists the steps of preparation in their order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.consumer import dead_letters, offsets
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.decoder import RecordDecoder, Rotations
from shared.consumer.offsets import OffsetStore
from shared.consumer.record import service_of_topic
from shared.consumer.servers_answer import servers_answer
from shared.consumer.subscriber import Subscriber
from shared.domain.aggregate import Aggregate
from shared.http.app import make_app
from shared.http.health import Measure
from shared.http.operations import operations
from shared.http.tiled_log import tiled_log_router
from shared.ledger import checkpoints, ledger
from shared.ledger.backlog import Backlog
from shared.ledger.checkpoint_signer import CheckpointSigner
from shared.ledger.relay import Relay
from shared.ledger.republication import Republication
from shared.ledger.topic_settings import TopicSettingsWatch
from shared.projection import journal, state_store
from shared.projection.journal import Journal
from shared.projection.policies import Policies
from shared.projection.projector import Compose, Projector, compose_nothing
from shared.projection.stalled import ComposeFaults, no_compose_faults
from shared.projection.state_search import StateSearch
from shared.projection.state_store import StateStore
from shared.runtime.database import connect
from shared.runtime.database_watch import DatabaseWatch
from shared.runtime.process import Loop, Prepare, lifespan_of
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store import event_store, indexes, refusals
from shared.store.command_handler import CommandHandler
from shared.store.event_store import EventStore
from shared.store.indexes import Indexes
from shared.store.refusals import Refusals

INDEXES: Indexes = {
    **event_store.INDEXES,
    **refusals.INDEXES,
    **ledger.INDEXES,
    **checkpoints.INDEXES,
    **journal.INDEXES,
    **state_store.INDEXES,
    **dead_letters.INDEXES,
    **offsets.INDEXES,
}
"""The collections that every service has, and their indexes."""


class Parts:
    """The stores, the command handler, the relay and the checkpoint signer of one service.

    The service decides on its `own` aggregates; it folds all of `aggregates`, in projection version `shape`. Its
    database must hold the collections and indexes that are `declared`.
    """

    def __init__(
        self,
        service: str,
        settings: Settings,
        own: dict[str, Aggregate[Any]],
        aggregates: Mapping[str, Aggregate[Any]],
        shape: int,
        topics: Sequence[str],
        declared: Indexes,
    ) -> None:
        self.service, self.settings, self._topics = service, settings, topics
        self.database = connect(settings, service)
        self.store, self.refusals = EventStore(self.database), Refusals(self.database)
        self.journal, self.states = Journal(self.database), StateStore(self.database, aggregates, shape)
        self.search = StateSearch(self.database, self.states)
        self.commands = CommandHandler(self.store, self.refusals, own, self.states.known, self.states.namesakes)
        keys, self.relay_pulse, self._signer_pulse = settings.log_keys(service), Pulse("relay"), Pulse("sealer")
        kafka, consumed = settings.kafka_access(), [service_of_topic(topic) for topic in topics]
        trust = settings.log_trust(service, keys, consumed)
        self.decoder = RecordDecoder(trust, Rotations(kafka, {service, *consumed}, trust))
        self.relay = Relay(self.database, self.store, kafka, service, self.relay_pulse, keys, self.decoder)
        self._signer = CheckpointSigner(self.database, self.relay, settings, keys, service, self._signer_pulse)
        self._topic_pulse = Pulse("topic")
        self._topic_settings = TopicSettingsWatch(
            settings.kafka_access(), service, settings.declared_topics(), self._topic_pulse
        )
        self._log = tiled_log_router(self._signer.checkpoints, keys)
        self._watch_pulse, differences = Pulse("database"), partial(indexes.differences, self.database, declared)
        self._watch = DatabaseWatch(service, self.store.clock, differences, self._watch_pulse, settings.not_ready_after)

    def projector(
        self,
        compose: Compose = compose_nothing,
        policies: Policies | None = None,
        compose_faults: ComposeFaults = no_compose_faults,
    ) -> Projector:
        """Return the projector of the service's topics."""
        dead_letters = DeadLetters(self.database, self.service)
        return Projector(
            self.journal, self.states, dead_letters, self.decoder, compose, policies, self.store, compose_faults
        )

    def routers(self, projector: Projector) -> list[APIRouter]:
        """Return the routers that every service has."""
        return [operations(projector, self.store, self.refusals, Republication(self.database)), self._log]

    def application(
        self,
        projector: Projector,
        routers: Sequence[APIRouter],
        prepare: Sequence[Prepare],
        loops: Sequence[Loop] = (),
        measures: Sequence[Measure] = (),
    ) -> FastAPI:
        """Return the HTTP application, whose lifespan prepares, then runs the loops of every service and `loops`.

        Its metrics are those of every service, and what `measures` set.
        """
        committed, pulse = OffsetStore(self.database), Pulse("subscriber")
        subscriber = Subscriber(self.settings, self.service, self._topics, projector, committed, pulse)
        every: list[Loop] = [
            (self.relay_pulse, self.relay.run),
            (pulse, subscriber.run),
            *loops,
            (self._signer_pulse, self._signer.run),
            (self._topic_pulse, self._topic_settings.run),
            (self._watch_pulse, self._watch.run),
        ]
        pulses, steps = [pulse for pulse, _ in every], [self._watch.prepare, *prepare]
        answers = partial(servers_answer, self.database, self.settings.kafka_access(), self.service)
        lifespan = lifespan_of(self.database, steps, every, answers, self.settings.hung_after)
        backlog = Backlog(self.database, self.service, self.relay, self._signer.checkpoints)
        measures = [backlog.measure, projector.dead_letters.measure, projector.stalled, *measures]
        return make_app(self.service, self.settings, self.database, routers, pulses, lifespan, self.store, measures)
