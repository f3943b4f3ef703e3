"""A database and a topic of one test, relays on them, and the assertion of G2."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase

from shared.consumer.decoder import RecordDecoder
from shared.consumer.decoding import decode_record
from shared.consumer.lenient_fetcher import to_record
from shared.consumer.record import ConsumedEvent
from shared.domain.aggregate import Context
from shared.events.canonical import leaf_hash
from shared.events.recommendations import ProvisionRegistered
from shared.events.services import RegisteredService
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.telemetry import Pulse
from shared.store.event_store import INDEXES, EventStore
from shared.store.indexes import ensure
from shared.tlog.keys import LogKeys
from shared.tlog.notes import Signer
from shared.tlog.trust import LogTrust
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack


@dataclass
class Site:
    """The database and topic of one test, whose events are of recommendations, and the keys of its log."""

    database: AsyncIOMotorDatabase[Any]
    kafka: KafkaAccess
    service: str
    keys: LogKeys
    appended: int = 0

    def decoder(self) -> RecordDecoder:
        """Return a decoder that believes the keys of this site's log."""
        return RecordDecoder(LogTrust(self.keys.verifiers))

    async def append(self, streams: int, commits: int, store: EventStore | None = None) -> None:
        """Append commits of one or three events to several streams concurrently."""
        store = store or EventStore(self.database)
        await ensure(self.database, INDEXES)
        await asyncio.gather(*(self._stream(store, f"instrument/s{n}", commits) for n in range(streams)))

    async def _stream(self, store: EventStore, stream: str, commits: int) -> None:
        for _ in range(commits):
            head, _ = await store.read(stream)
            size = random.choice([1, 1, 3])
            events = [ProvisionRegistered(provision=f"p{head.version + n}", summary="Synthetic") for n in range(size)]
            context = Context(datetime.now(UTC), "synthetic-actor", "secretariat", str(uuid4()), "synthetic")
            await store.append(head, events, context, "0" * 64)
            self.appended += size

    def relay(self, kind: type[Relay] = Relay, pulse: Pulse | None = None) -> Relay:
        """Return a new relay of this site."""
        pulse = pulse or Pulse("relay")
        return kind(self.database, EventStore(self.database), self.kafka, self.service, pulse, self.keys)

    @property
    def topic(self) -> str:
        """Return the name of the site's topic."""
        return f"throughline.{self.service}"

    async def create_topic(self) -> None:
        """Create the topic."""
        async with administrator(self.kafka) as admin:
            answer: Any = await admin.create_topics([NewTopic(self.topic, 3, 1)])
            assert [code for _, code, _ in answer.topic_errors] == [0]

    async def delete_topic(self) -> None:
        """Delete the topic."""
        async with administrator(self.kafka) as admin:
            await admin.delete_topics([self.topic])

    async def published(self) -> list[tuple[str, int, bytes, int, str]]:
        """Return stream, version, bytes, position and leaf of each signed record on the topic."""
        trust = LogTrust(self.keys.verifiers)
        consumer = AIOKafkaConsumer(**self.kafka.client(), auto_offset_reset="earliest")
        await consumer.start()
        try:
            partitions = [TopicPartition(self.topic, n) for n in range(3)]
            consumer.assign(partitions)
            ends = await consumer.end_offsets(partitions)
            rows = []
            while any([await consumer.position(p) < ends[p] for p in partitions]):
                for records in (await consumer.getmany(timeout_ms=500)).values():
                    decoded = [decode_record(to_record(record), trust) for record in records]
                    rows += [self._row(item) for item in decoded if isinstance(item, ConsumedEvent)]
            return rows
        finally:
            await consumer.stop()

    @staticmethod
    def _row(event: ConsumedEvent) -> tuple[str, int, bytes, int, str]:
        return *event.key, event.raw, event.position, event.leaf

    async def until(self, count: int, seconds: float = AT_MOST_SECONDS) -> None:
        """Wait until this many events are published. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            published = 0
            while published < count:
                await asyncio.sleep(0.05)
                published = await Ledger(self.database).published()

    async def verify(self, in_order: bool = True) -> None:
        """Assert G2: store, ledger and topic agree, and each stream's first deliveries are in order."""
        stored = {}
        async for commit in self.database.commits.find():
            for n, raw in enumerate(commit["events"]):
                stored[commit["_id"]["s"], commit["_id"]["v"] + n] = bytes(raw)
        entries = [entry async for batch in Ledger(self.database).since(0) for entry in batch.entries]
        batches = [batch async for batch in Ledger(self.database).since(0)]
        assert [batch.first for batch in batches] == [0, *(batch.end for batch in batches[:-1])]
        ledgered = {(entry.stream, entry.version): entry.leaf for entry in entries}
        assert len(entries) == len(ledgered) == len(stored) == self.appended
        assert ledgered == {key: leaf_hash(raw) for key, raw in stored.items()}
        delivered: set[tuple[str, int]] = set()
        for stream, version, raw, position, leaf in await self.published():
            assert stored[stream, version] == raw
            assert leaf == leaf_hash(raw)
            assert (entries[position].stream, entries[position].version) == (stream, version)
            assert version == 1 or (stream, version - 1) in delivered or not in_order
            delivered.add((stream, version))
        assert delivered == stored.keys()


@asynccontextmanager
async def administrator(kafka: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**kafka.client())
    await admin.start()
    try:
        yield admin
    finally:
        await admin.close()


@asynccontextmanager
async def a_site(servers: Stack) -> AsyncIterator[Site]:
    service = f"t{uuid4().hex[:12]}"
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(servers.mongodb_admin_uri)
    keys = LogKeys(Signer.generate(f"throughline.synthetic/{service}"))
    site = Site(client[f"relay_{service}"], servers.kafka_admin, service, keys)
    try:
        await site.create_topic()
        with (
            patch.dict("shared.events.services._BY_NAME", {service: RegisteredService(service, 0)}),
            patch("shared.consumer.decoding.publisher_of", lambda _recorded: service),
        ):
            yield site
    finally:
        await site.delete_topic()
        await client.drop_database(f"relay_{service}")
        client.close()


@asynccontextmanager
async def running(relay: Relay) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(relay.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
