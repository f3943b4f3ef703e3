"""The relay: gives every stored event its position, then publishes it. Nobody else publishes.

Store a ledger batch, publish it, raise the published position: killed between any two of these, the next relay
publishes again from the published position. A second or stale relay meets a duplicate key in the ledger.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError, PyMongoError

from shared.events.canonical import leaf_hash
from shared.ledger.commit_feed import CommitFeed, StoredCommit, TokenTooOld, bytes_of
from shared.ledger.ledger import Batch, Entry, Ledger, LedgerMoved, Token
from shared.ledger.producer import OutgoingRecord, publish
from shared.ledger.restore_check import LedgerBehindTopic, check
from shared.runtime.telemetry import RELAY_POSITION, RELAYED, Pulse
from shared.store.event_store import DISCONNECTED, EventStore
from shared.tlog.notes import Verifier

LEASE_MS = 5_000
BATCH_COMMITS = 2_000
WAIT_MS = 500
MANY_COMMITS = 32
GATHER_SECONDS = 0.2
CHECK_SECONDS = 2.0
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another relay may have taken over."""


class Lease:
    """Which relay of a service works: kept rare by time, kept harmless by the ledger's keys."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._leases = database.get_collection("relay")
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4()}"

    async def take(self) -> bool:
        """Take or renew the lease, by the database's clock; False while another holds it."""
        free = {"$or": [{"owner": self._owner}, {"$expr": {"$lt": ["$until", "$$NOW"]}}]}
        mine = {"$set": {"owner": self._owner, "until": {"$add": ["$$NOW", LEASE_MS]}}}
        if (await self._leases.update_one({"_id": "lease", **free}, [mine])).matched_count:
            return True
        if await self._leases.find_one({"_id": "lease"}) is not None:
            return False
        try:
            await self._leases.insert_one(
                {"_id": "lease", "owner": self._owner, "until": datetime.fromtimestamp(0, UTC)}
            )
        except DuplicateKeyError:
            return False
        return await self.take()

    async def release(self) -> None:
        """Give the lease back, so that another need not wait."""
        expired = {"$set": {"until": {"$subtract": ["$$NOW", 1]}}}
        await self._leases.update_one({"_id": "lease", "owner": self._owner}, [expired])


class Relay:
    """The relay of one service."""

    term: object | None = None
    """While this relay leads, something that no other term of any relay has."""
    published: int = 0
    """How many events of the ledger this relay knows to be published, in its term; never more than are."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Any],
        store: EventStore,
        kafka: str,
        service: str,
        pulse: Pulse,
        keys: Sequence[Verifier] = (),
    ) -> None:
        self._keys = keys
        self._database = database
        self._store = store
        self._kafka = kafka
        self._service = service
        self._topic = f"throughline.{service}"
        self._pulse = pulse
        self._lease = Lease(database)
        self._ledger = Ledger(database)
        self._heads: dict[str, int] = {}
        self._end = 0

    async def check(self) -> bool:
        """Tell whether the ledger may be extended; where its topic is ahead of it, close the store and say so.

        Without Kafka there is nothing to compare with, and commands are taken: the check is made again before relaying.
        """
        pool_cleared_count = self._store.pool_cleared_count
        try:
            await asyncio.wait_for(check(self._ledger, self._kafka, self._service, self._keys), 60)
        except LedgerBehindTopic as finding:
            self._store.fence(str(finding))
            self._pulse.stop(str(finding))
            log.error("history_ahead", finding=str(finding))
            return False
        except (KafkaError, OSError, TimeoutError) as error:
            self._pulse.fault(f"Kafka: {type(error).__name__}")
            if self._store.fence_reason == DISCONNECTED:
                self._store.unfence(pool_cleared_count)
            return False
        self._store.unfence(pool_cleared_count)
        return True

    async def run(self) -> None:
        """Relay until cancelled; after trouble with a server, begin again.

        A database that was away may come back as an older backup of itself, so the store is closed until it is checked.
        """
        checked = False
        try:
            while True:
                try:
                    if not checked or self._store.fence_reason:
                        checked = await self.check()
                    if not checked:
                        await asyncio.sleep(CHECK_SECONDS)
                    elif await self._lease.take():
                        await self._lead()
                    else:
                        self._pulse.beat()
                        await asyncio.sleep(LEASE_MS / 3_000)
                except (PyMongoError, KafkaError, LeaseLost, OSError) as error:
                    checked = False
                    if isinstance(error, PyMongoError):
                        self._store.fence(self._store.fence_reason or DISCONNECTED)
                    self._pulse.fault(f"{type(error).__name__}: {error}")
                    log.warning("relay_interrupted", error=type(error).__name__, detail=str(error)[:300])
                    await asyncio.sleep(0.5)
        finally:
            await asyncio.shield(_quietly(self._lease.release()))

    async def _lead(self) -> None:
        async with self._producer() as producer, await self._database.client.start_session() as session:
            feed = CommitFeed(self._database, session)
            keeper = asyncio.create_task(self._keep_lease())
            try:
                await self._follow(feed, producer, keeper)
            finally:
                self.term = None
                keeper.cancel()

    @asynccontextmanager
    async def _producer(self) -> AsyncIterator[AIOKafkaProducer]:
        producer = AIOKafkaProducer(
            bootstrap_servers=self._kafka,
            enable_idempotence=True,
            acks="all",
            max_batch_size=256 * 1024,
            max_request_size=1024 * 1024,
            request_timeout_ms=15_000,
        )
        await producer.start()
        try:
            yield producer
        finally:
            await _quietly(asyncio.wait_for(producer.stop(), 10))

    async def _keep_lease(self) -> None:
        held = True
        while held:
            await asyncio.sleep(LEASE_MS / 3_000)
            held = await self._lease.take()

    async def _follow(self, feed: CommitFeed, producer: AIOKafkaProducer, keeper: asyncio.Task[None]) -> None:
        last = await self._ledger.last()
        self._heads = await self._ledger.heads()
        self._end = last.end if last else 0
        self.published = await self._ledger.published()
        self.term = object()
        await self._publish_from_ledger(feed, producer)
        token = last.token if last else None
        while True:
            try:
                await self._follow_from(token, feed, producer, keeper)
            except TokenTooOld:
                log.warning("token_too_old", ledger=self._end)
                token = None

    async def _follow_from(
        self, token: Token | None, feed: CommitFeed, producer: AIOKafkaProducer, keeper: asyncio.Task[None]
    ) -> None:
        opened = await feed.open(token)
        if token is None:
            await self._catch_up(feed, producer, opened)
        async with aclosing(feed.batches(BATCH_COMMITS, WAIT_MS)) as batches:
            async for commits, reached in batches:
                await self._enter_and_publish(feed, producer, commits, reached)
                if keeper.done():
                    keeper.result()
                    raise LeaseLost
                if self._store.fence_reason:
                    raise LeaseLost
                self._pulse.beat()
                if MANY_COMMITS <= len(commits) < BATCH_COMMITS:  # more will come: readers take them better together
                    await asyncio.sleep(GATHER_SECONDS)

    async def _catch_up(self, feed: CommitFeed, producer: AIOKafkaProducer, token: Token) -> None:
        """Enter what the ledger lacks, by comparing heads; the stream was opened before, so nothing falls between."""
        pending: list[StoredCommit] = []
        async for commit in feed.after(await feed.behind(self._heads)):
            pending.append(commit)
            if len(pending) >= BATCH_COMMITS:
                await self._enter_and_publish(feed, producer, pending, token)
                self._pulse.beat()
                pending = []
        await self._enter_and_publish(feed, producer, pending, token)

    async def _enter_and_publish(
        self, feed: CommitFeed, producer: AIOKafkaProducer, commits: Sequence[StoredCommit], token: Token
    ) -> None:
        while new := await self._new(feed, commits):
            raws = [(commit.stream, commit.first + n, raw) for commit in new for n, raw in enumerate(commit.events)]
            entries = tuple(Entry(stream, version, leaf_hash(raw)) for stream, version, raw in raws)
            batch = Batch(self._end, entries, token)
            try:
                await self._ledger.enter(batch)
            except LedgerMoved:
                await self._learn(self._end)
                continue
            self._took(batch)
            if self.published == batch.first:
                await self._publish(producer, batch, [raw for _, _, raw in raws])
            else:
                await self._publish_from_ledger(feed, producer)
            return

    async def _new(self, feed: CommitFeed, commits: Sequence[StoredCommit]) -> list[StoredCommit]:
        """Return the commits that the ledger lacks, each the successor of its stream's last ledgered version."""
        heads: dict[str, int] = {}
        new: list[StoredCommit] = []
        for commit in commits:
            head = heads.get(commit.stream, self._heads.get(commit.stream, 0))
            if commit.last <= head:
                continue
            missing = [commit]
            if commit.first != head + 1:
                missing = [earlier async for earlier in feed.after({commit.stream: head})]
            new += missing
            heads[commit.stream] = missing[-1].last
        return new

    async def _learn(self, position: int) -> None:
        async for batch in self._ledger.since(position):
            self._took(batch)
        self.published = max(self.published, await self._ledger.published())

    def _took(self, batch: Batch) -> None:
        for entry in batch.entries:
            self._heads[entry.stream] = entry.version
        self._end = batch.end

    async def _publish_from_ledger(self, feed: CommitFeed, producer: AIOKafkaProducer) -> None:
        async for batch in self._ledger.since(self.published):
            raws = await bytes_of(self._database, batch.entries)
            await self._publish(producer, batch, [raws[entry.stream, entry.version] for entry in batch.entries])

    async def _publish(self, producer: AIOKafkaProducer, batch: Batch, raws: Sequence[bytes]) -> None:
        await publish(producer, self._topic, _records(batch, raws))
        await self._ledger.raise_published(batch.end)
        self.published = batch.end
        RELAYED.labels(self._service).inc(len(raws))
        RELAY_POSITION.labels(self._service).set(batch.end)


def _records(batch: Batch, raws: Sequence[bytes]) -> Iterator[OutgoingRecord]:
    for position, (entry, raw) in enumerate(zip(batch.entries, raws, strict=True), start=batch.first):
        headers = [CONTENT_TYPE, ("position", str(position).encode()), ("leaf", entry.leaf.encode())]
        yield OutgoingRecord(entry.stream, raw, headers)


async def _quietly(work: Any) -> None:
    try:
        await work
    except (PyMongoError, KafkaError, OSError, TimeoutError) as error:
        log.warning("relay_cleanup_failed", error=type(error).__name__)
