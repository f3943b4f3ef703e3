"""The relay: enters every stored event into the ledger, then publishes it. No other process publishes.

Store a ledger batch, publish it, raise the published position: after a crash between any two of these, the next relay
publishes again from the published position. A second or stale relay meets a duplicate key in the ledger.

A topic that lost what was published to it gets the whole ledger again, when an operator requests it: before anything
new, so that each stream is delivered in order.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from shared.consumer.decoder import RecordDecoder, Rotations
from shared.consumer.kafka_authorization import raise_if_refused, trouble_of
from shared.consumer.record import headers_of, topic_of
from shared.ledger.commit_feed import CommitFeed, TokenTooOld, by_version, bytes_of, commits_of, traceparents_of
from shared.ledger.key_rotation import WrongKey, announce_key
from shared.ledger.lease import RENEW_SECONDS, Lease
from shared.ledger.ledger import Batch, Ledger, LedgerMoved, Token
from shared.ledger.ledger_writer import EnteredBatch, LedgerWriter
from shared.ledger.producer import OutgoingRecord, idempotent_producer, publish
from shared.ledger.relay_check import RelayCheck
from shared.ledger.republication import Republication
from shared.ledger.topic_check import TopicBehindLedger, TopicCheck
from shared.runtime.kafka_access import KafkaAccess
from shared.runtime.telemetry import RELAY_POSITION, RELAYED, Pulse
from shared.store.commits import StoredCommit
from shared.store.event_store import DISCONNECTED, EventStore
from shared.tlog.batches import prove
from shared.tlog.keys import LogKeys
from shared.tlog.trust import LogTrust
from shared.tracing.messaging import sending
from shared.tracing.traceparent import TRACEPARENT

BATCH_COMMITS = 2_000
WAIT_MS = 500
MANY_COMMITS = 32
GATHER_SECONDS = 0.2
CHECK_SECONDS = 2.0
RETRY_SECONDS = 0.5
REQUEST_SECONDS = 2.0
CONTENT_TYPE = ("content-type", b"application/cloudevents+json; charset=UTF-8")

log = structlog.get_logger()


class LeaseLost(Exception):
    """Another relay may lead by now."""


class Relay:
    """The relay of one service."""

    term: int | None = None
    """The number of this relay's present term, from 1; None while it does not lead."""
    published: int = 0
    """The published position as far as this relay knows it in its term; never more than the true one."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Any],
        store: EventStore,
        kafka: KafkaAccess,
        service: str,
        pulse: Pulse,
        keys: LogKeys,
        decoder: RecordDecoder | None = None,
    ) -> None:
        self._keys = keys
        self.decoder = decoder or RecordDecoder(LogTrust(keys.verifiers))
        self._database = database
        self._store = store
        self._kafka = kafka
        self._service = service
        self._topic = topic_of(service)
        self._pulse = pulse
        self._lease = Lease(database)
        self._ledger = Ledger(database)
        self._topic_check = TopicCheck(database, kafka, service)
        self._republication = Republication(database)
        self._check = RelayCheck(store, self._ledger, self._topic_check, kafka, service, pulse, self.decoder)
        self._terms = 0

    async def check(self) -> bool:
        """Tell whether the ledger may be extended and published; fence the store where it may not be extended.

        Raises KafkaRefused.
        """
        return await self._check.passes()

    async def run(self) -> None:
        """Relay until cancelled; after an error of a server, start again.

        A database may come back from an outage as an older backup of itself: a PyMongoError fences the store until the
        next check. Raises KafkaRefused.
        """
        checked = False
        try:
            while True:
                try:
                    if not checked or self._store.fence_reason:
                        with self._pulse.long_work():
                            checked = await self.check()
                    if not checked:
                        await asyncio.sleep(CHECK_SECONDS)
                    elif await self._lease.take():
                        await self._lead()
                    else:
                        self._pulse.beat()
                        await self._topic_check.look_if_due()
                        await asyncio.sleep(RENEW_SECONDS)
                except TopicBehindLedger as finding:
                    checked = False
                    self._check.report(finding)
                except (PyMongoError, KafkaError, LeaseLost, OSError) as error:
                    checked = False
                    if isinstance(error, KafkaError):
                        await raise_if_refused(error, self._kafka)
                    if isinstance(error, PyMongoError):
                        self._store.fence(self._store.fence_reason or DISCONNECTED)
                    self._pulse.fault(trouble_of(error))
                    log.warning("relay_interrupted", error=type(error).__name__, detail=str(error)[:300])
                    await asyncio.sleep(RETRY_SECONDS)
        except WrongKey as finding:  # what this instance would sign counts for nothing: it relays no more
            await self._release_lease()
            self._pulse.stop(str(finding))
            log.error("wrong_key", finding=str(finding))
            await asyncio.Future()
        finally:
            await asyncio.shield(self._release_lease())

    async def _release_lease(self) -> None:
        try:
            await self._lease.release()
        except (PyMongoError, OSError) as error:
            log.warning("lease_release_failed", error=type(error).__name__)

    async def _lead(self) -> None:
        """Lead for one term: publish again what is requested and what is unpublished, then follow the commit feed."""
        async with (
            idempotent_producer(self._kafka) as producer,
            await self._database.client.start_session() as session,
        ):
            feed = CommitFeed(self._database, session)
            holding = asyncio.create_task(self._lease.hold())
            try:
                writer = LedgerWriter(self._ledger, feed)
                with self._pulse.long_work():
                    token = await writer.load()
                    rotations = Rotations(self._kafka, [self._service], self.decoder.trust)
                    await announce_key(self._ledger, rotations, self._service, self._keys, writer.end)
                # what another relay publishes from here on may be signed by a key that is replaced
                self.published = min(await self._ledger.published(), writer.end)
                self._terms += 1
                self.term = self._terms
                await self._topic_check.load()
                await self._publish_again(producer, holding)
                await self._publish_from_ledger(producer)
                await self._follow(token, feed, writer, producer, holding)
            finally:
                self.term = None
                holding.cancel()

    async def _follow(
        self,
        token: Token | None,
        feed: CommitFeed,
        writer: LedgerWriter,
        producer: AIOKafkaProducer,
        holding: asyncio.Task[None],
    ) -> None:
        """Enter and publish what is committed, until the lease is lost or the ledger is to be published again."""
        looked = time.monotonic()
        while True:
            try:
                opened = await feed.open(token)
                if token is None:
                    await self._catch_up(feed, writer, producer, opened)
                async with aclosing(feed.batches(BATCH_COMMITS, WAIT_MS)) as batches:
                    async for commits, reached in batches:
                        await self._enter_and_publish(writer, producer, commits, reached)
                        self._ensure_leading(holding)
                        if time.monotonic() - looked >= REQUEST_SECONDS:
                            looked = time.monotonic()
                            if await self._republication.remaining() is not None:
                                return
                            await self._topic_check.look_if_due()
                        self._pulse.beat()
                        if MANY_COMMITS <= len(commits) < BATCH_COMMITS:  # let more commits gather: larger batches
                            await asyncio.sleep(GATHER_SECONDS)
            except TokenTooOld:
                log.warning("token_too_old", ledger=writer.end)
                token = None

    def _ensure_leading(self, holding: asyncio.Task[None]) -> None:
        """Raise LeaseLost where another relay may lead, or the store is fenced."""
        if holding.done():
            holding.result()
            raise LeaseLost
        if self._store.fence_reason:
            raise LeaseLost

    async def _publish_again(self, producer: AIOKafkaProducer, holding: asyncio.Task[None]) -> None:
        """Publish the whole ledger again if that is requested, from where a relay before this one stopped."""
        if (start := await self._topic_check.start_of_republication()) is None:
            return
        log.info("republishing", start=start)
        async for batch in self._ledger.since(start):
            await self._publish(producer, batch, _raws(batch, await bytes_of(self._database, batch.entries)))
            await self._republication.advance(batch.end)
            self._ensure_leading(holding)
            self._pulse.beat()
        await self._republication.finish()
        log.info("republished", end=self.published)

    async def _catch_up(self, feed: CommitFeed, writer: LedgerWriter, producer: AIOKafkaProducer, token: Token) -> None:
        """Enter the commits that the ledger lacks, by comparing heads. The feed is open already, so it misses none."""
        pending: list[StoredCommit] = []
        with self._pulse.long_work():
            behind = await feed.behind(writer.heads)
        async for commit in feed.after(behind):
            pending.append(commit)
            if len(pending) >= BATCH_COMMITS:
                await self._enter_and_publish(writer, producer, pending, token)
                self._pulse.beat()
                pending = []
        await self._enter_and_publish(writer, producer, pending, token)

    async def _enter_and_publish(
        self, writer: LedgerWriter, producer: AIOKafkaProducer, commits: Sequence[StoredCommit], token: Token
    ) -> None:
        entered = await self._entered(writer, commits, token)
        if entered is not None and self.published == entered.batch.first:
            await self._publish(producer, entered.batch, entered.raws, entered.traceparents)
        elif self.published < writer.end:
            await self._publish_from_ledger(producer)

    async def _entered(
        self, writer: LedgerWriter, commits: Sequence[StoredCommit], token: Token
    ) -> EnteredBatch | None:
        while True:
            try:
                return await writer.enter(commits, token)
            except LedgerMoved:
                await writer.reload()

    async def _publish_from_ledger(self, producer: AIOKafkaProducer) -> None:
        async for batch in self._ledger.since(self.published):
            commits = await commits_of(self._database, batch.entries)
            await self._publish(producer, batch, _raws(batch, by_version(commits)), traceparents_of(batch, commits))
            self._pulse.beat()

    async def _publish(
        self,
        producer: AIOKafkaProducer,
        batch: Batch,
        raws: Sequence[bytes],
        traceparents: Mapping[int, str] = MappingProxyType({}),
    ) -> None:
        with sending(self._topic, len(raws), traceparents.values()):
            appended = await publish(producer, self._topic, self._records(batch, raws, traceparents))
        await self._ledger.raise_published(batch.end, await self._topic_check.confirm(appended))
        self.published = max(self.published, batch.end)
        RELAYED.labels(self._service).inc(len(raws))
        RELAY_POSITION.labels(self._service).set(self.published)

    def _records(
        self, batch: Batch, raws: Sequence[bytes], traceparents: Mapping[int, str]
    ) -> Iterator[OutgoingRecord]:
        """Yield the batch's records, each with the proof that the log's key signed it, and its traceparent if any."""
        proofs = prove(self._keys.signer, batch.first, [bytes.fromhex(entry.leaf) for entry in batch.entries])
        signed = zip(batch.entries, raws, proofs, strict=True)
        for position, (entry, raw, proof) in enumerate(signed, start=batch.first):
            headers = [CONTENT_TYPE, *headers_of(position, entry.leaf, proof)]
            if position in traceparents:
                headers.append((TRACEPARENT, traceparents[position].encode()))
            yield OutgoingRecord(entry.stream, raw, headers)


def _raws(batch: Batch, raws: Mapping[tuple[str, int], bytes]) -> list[bytes]:
    return [raws[entry.stream, entry.version] for entry in batch.entries]
