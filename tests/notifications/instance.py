"""The service's parts on a real MongoDB; tests pass in the records of Kafka directly, all of them each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from services.notifications.app import INDEXES
from services.notifications.commands import AddSubscriptionRequest, SubscriberDetails
from services.notifications.handlers import Handlers
from services.notifications.projection import OWN, SHAPE
from services.notifications.sending.emails import Emails
from services.notifications.sending.sender import Sender
from services.notifications.sending.settings import NotificationSettings
from services.notifications.subscribers import Policies
from shared.consumer.dead_letters import DeadLetters
from shared.consumer.record import KafkaRecord, service_of_topic
from shared.domain.aggregate import Command, Context
from shared.domain.rejections import Rejection
from shared.events.canonical import ZERO_HASH
from shared.events.catalogue import decode
from shared.events.envelope import encode, hash_of, stamp
from shared.events.event import Event
from shared.events.recommendations import RecommendationAdopted
from shared.privacy.key_ring import KeyRing
from shared.projection.journal import Journal
from shared.projection.projector import Projector
from shared.projection.state_store import StateStore
from shared.runtime.database import connect
from shared.runtime.telemetry import Pulse
from shared.store.command_handler import CommandHandler
from shared.store.event_store import Commit, EventStore
from shared.store.indexes import ensure
from shared.store.refusals import Refusals
from tests.notifications.smtp import ADDRESS
from tests.patience import AT_MOST_SECONDS
from tests.proofs import a_decoder, headers_by

ADOPTED = RecommendationAdopted(status="unknown", note="synthetic")
DETAILS = SubscriberDetails(name="Synthetic Reader", address=ADDRESS)


def kafka_record(topic: str, raw: bytes, offset: int) -> KafkaRecord:
    headers = headers_by(service_of_topic(topic), raw, offset)
    return KafkaRecord(topic, 0, offset, decode(raw).subject.encode(), raw, headers)


def recommended(reference: str, at: datetime | None = None, event: Event = ADOPTED, event_id: str = "") -> KafkaRecord:
    """Return the record of a foreign event: the first of its stream, recorded after any subscription of the test."""
    return following(None, reference, event, at, event_id)


def following(
    before: KafkaRecord | None, reference: str, event: Event, at: datetime | None = None, event_id: str = ""
) -> KafkaRecord:
    """Return the record of the event of a foreign stream that follows another."""
    version = decode(before.value).streamversion + 1 if before else 1
    raw = encode(
        event,
        event_id=event_id or str(uuid4()),
        subject=f"recommendation/{reference}",
        time=stamp(at or datetime.now(UTC) + timedelta(seconds=AT_MOST_SECONDS)),
        version=version,
        actor="synthetic-actor",
        role="secretariat",
        command_id=str(uuid4()),
        correlation_id="synthetic-correlation",
        causation_id=None,
        previous_hash=hash_of(before.value) if before else ZERO_HASH,
    )
    return kafka_record("throughline.recommendations", raw, int(reference.rpartition("R")[2]) + 100 * (version - 1))


@dataclass
class Instance:
    """One instance of the service; several may share a database."""

    uri: str
    database: str
    smtp_port: int = 1
    overrides: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        patient = {"look_every": 0.02, "retry_first": 0.1, "smtp_timeout": 2.0, "interrupted_after": 60.0}
        settings = NotificationSettings(
            kafka="127.0.0.1:1",
            mongodb=self.uri,
            database=self.database,
            jwks="",
            smtp_port=self.smtp_port,
            **patient | self.overrides,
        )
        self.mongodb = connect(settings, "notifications")
        self.store, self.journal, self.keys = EventStore(self.mongodb), Journal(self.mongodb), KeyRing(self.mongodb)
        self.states = StateStore(self.mongodb, OWN, SHAPE)
        self.commands = CommandHandler(self.store, Refusals(self.mongodb), OWN, self.states.known)
        emails = Emails(self.commands, self.keys, self.journal, settings.smtp_sender)
        self.relay = Pulse("relay")
        self.sender = Sender(self.commands, self.states, emails, settings, Pulse("sender"), self.relay)
        self.handlers = Handlers(self.commands, self.keys, self.sender)
        policies = Policies(self.handlers, self.states, self.journal)
        dead = DeadLetters(self.mongodb, "notifications")
        self.projection = Projector(self.journal, self.states, dead, a_decoder(), policies=policies, store=self.store)

    async def prepare(self) -> Instance:
        await ensure(self.mongodb, INDEXES)
        await self.projection.prepare()
        return self

    async def consume(self, *siblings: KafkaRecord) -> None:
        """Consume these records and every event of this service, as from Kafka."""
        await self.projection.project([*siblings, *await self.own()])

    async def own(self) -> Sequence[KafkaRecord]:
        commits = self.mongodb["commits"].find().sort("_id", 1)
        raws = [bytes(raw) async for commit in commits for raw in commit["events"]]
        return [kafka_record("throughline.notifications", raw, offset) for offset, raw in enumerate(raws)]

    async def execute(self, stream: str, command: Command) -> Commit | Rejection:
        """Execute a person's command, as over HTTP."""
        command_id = str(uuid4())
        context = Context(datetime.now(UTC), "synthetic-person", "secretariat", command_id, "synthetic-correlation")
        return await self.handlers.handle(stream, command, context)

    async def subscribe(self, key: str = "s1", *events: str, consumed: bool = True) -> None:
        wanted = events or ("RecommendationAdopted",)
        request = AddSubscriptionRequest(subscription=key, person=f"person-{key}", details=DETAILS, events=wanted)
        assert isinstance(await self.execute(f"subscription/{key}", request), Commit)
        if consumed:
            await self.consume()

    async def history(self) -> dict[str, list[str]]:
        """Return the names of the events of each notification."""
        events: dict[str, list[str]] = {}
        async for commit in self.mongodb["commits"].find({"_id.s": {"$regex": "^notification/"}}).sort("_id", 1):
            names = [type(decode(bytes(raw)).data).__name__ for raw in commit["events"]]
            events.setdefault(commit["_id"]["s"], []).extend(name.removeprefix("Notification") for name in names)
        return events

    async def one(self) -> list[str]:
        """Return the names of the events of the only notification."""
        [(_, names)] = (await self.history()).items()
        return names

    async def last(self) -> Any:
        """Return the data of the newest event of the only notification."""
        [stream] = await self.history()
        _, recorded = await self.store.read(stream)
        return recorded[-1].data
