"""Kafka consumer of a service, run by FastStream: raw batches, acknowledged only when their effects are stored.

FastStream's own parser reads headers (one that is not UTF-8 loses a whole batch) and its decoder parses JSON, so both
are replaced. After an error in a handler FastStream would deliver the next batch, so each partition is rewound first.

A group consumer of a topic that is deleted and made again gets no error and hears nothing: the watch finds it, and a
new consumer begins at offset 0. What it consumes again has no effect.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import KafkaMessage
from pymongo.errors import PyMongoError

from shared.consumer import lenient_fetcher, patient_fetcher
from shared.consumer.clients import stop
from shared.consumer.consumed_topics import ConsumedTopics, TopicLost
from shared.consumer.event_spans import EventSpans
from shared.consumer.kafka_authorization import ConsumeErrors, raise_if_refused
from shared.consumer.lag_age import LagAge
from shared.consumer.offsets import OffsetStore, StoredOffsetListener
from shared.consumer.record import KafkaRecord
from shared.consumer.uncommitted_offsets import UncommittedOffsets
from shared.runtime.settings import Settings
from shared.runtime.telemetry import BATCH_SECONDS, CONSUMED, LAG, LAG_SECONDS, Pulse

log = structlog.get_logger()
Records = tuple["ConsumerRecord[bytes, bytes]", ...]
RETRY_SECONDS = 1.0
WATCH_SECONDS = 2.0
METADATA_MS = 10_000  # a group that was assigned partitions of a topic just made may have missed some


class BatchHandler(Protocol):
    """The consumer of batches, which may buffer their effects until it flushes."""

    async def resume(self) -> None:
        """Try again what earlier code could not take, before the first batch."""

    async def consume(self, records: Sequence[KafkaRecord]) -> None:
        """Take a batch; its effects may be buffered until the flush."""

    async def flush(self) -> None:
        """Store all buffered effects."""

    def discard(self) -> None:
        """Drop what is not flushed: Kafka delivers it again."""


class Subscriber:
    """The consumer of all the topics that a service reads, in one consumer group.

    It is a static member of its group: a process that was killed and restarts gets its partitions back immediately.
    """

    def __init__(
        self,
        settings: Settings,
        service: str,
        topics: Sequence[str],
        handler: BatchHandler,
        offsets: OffsetStore,
        pulse: Pulse,
    ) -> None:
        lenient_fetcher.install()
        self._service = service
        self._handler = handler
        self._offsets = offsets
        self._pulse = pulse
        self._batch_records = settings.batch_records
        self._working = asyncio.Lock()
        self._uncommitted, self._lag_age = UncommittedOffsets(), LagAge()
        self._event_spans = EventSpans(f"throughline.{service}")
        self._settings, self._topics = settings, tuple(topics)
        self._consumed_topics = ConsumedTopics(settings.kafka_access(), topics, offsets)
        self._connect()

    def _connect(self) -> None:
        """Make a broker with one subscriber, which are used for one start only."""
        settings, kafka = self._settings, self._settings.kafka_access()
        self._lags: dict[TopicPartition, int] = {}
        self._kafka, self._errors = kafka, ConsumeErrors()
        self._broker = KafkaBroker(
            kafka.servers,
            security=kafka.security(),
            client_id=f"throughline-{self._service}",
            logger=self._errors,
            allow_auto_create_topics=False,
            metadata_max_age_ms=METADATA_MS,
            graceful_timeout=15.0,
        )
        self._subscriber = self._broker.subscriber(
            *self._topics,
            batch=True,
            group_id=f"throughline.{self._service}",
            group_instance_id=settings.instance or f"{socket.gethostname()}-{settings.port}",
            auto_offset_reset="earliest",
            listener=StoredOffsetListener(self._offsets, lambda: self._consumer, lambda: self._uncommitted.next),
            ack_policy=AckPolicy.MANUAL,
            parser=self._parse,
            decoder=_undecoded,
            max_records=settings.batch_records,
            batch_timeout_ms=40,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=512 * 1024,
            session_timeout_ms=10_000,
            heartbeat_interval_ms=2_000,
            max_poll_interval_ms=300_000,
        )
        self._subscriber(self._handle)

    async def run(self) -> None:
        """Consume until cancelled; retry while the broker is not there, begin again where a topic was lost.

        Raises KafkaRefused.
        """
        await self._resume()
        while True:
            try:
                await self._consumed_topics.adopt()
                await self._broker.start()
                patient_fetcher.install(self._consumer)
                await self._watch_until_lost()
            except asyncio.CancelledError:
                self._leave_group()
                raise
            except (KafkaError, PyMongoError, OSError) as error:
                self._pulse.fault(f"consumer not started: {type(error).__name__}")
                log.warning("consumer_not_started", error=type(error).__name__, detail=str(error)[:300])
                await raise_if_refused(error, self._kafka)
                await asyncio.sleep(RETRY_SECONDS)
            finally:
                await stop(self._broker)
            self._connect()

    async def _watch_until_lost(self) -> None:
        """Watch until a topic is lost, then leave it."""
        try:
            await self._watch()
        except TopicLost as loss:
            self._leave_group()
            await stop(self._broker)
            await self._leave_topics(loss.partitions)

    def _leave_group(self) -> None:
        """Let the consumer leave its group when it stops: its partitions would be nobody's for a whole session."""
        if (coordinator := getattr(self._consumer, "_coordinator", None)) is not None:
            coordinator._group_instance_id = None  # a static member never leaves

    async def _leave_topics(self, partitions: Sequence[TopicPartition]) -> None:
        """Store the effects of what was consumed, without its offsets, which are those of records that are no more."""
        async with self._working:
            self._uncommitted = UncommittedOffsets()
            try:
                with self._event_spans.flush():
                    await self._handler.flush()
            except Exception:  # the journal has the events, and their repeats fold them
                log.exception("flush_failed")
                self._handler.discard()
        await self._offsets.begin_again(partitions)

    async def _resume(self) -> None:
        resumed = False
        while not resumed:
            async with self._all_or_nothing():
                await self._handler.resume()
                resumed = True

    async def _parse(self, records: Records) -> KafkaMessage:
        return KafkaMessage(body=b"", raw_message=records, headers={}, consumer=self._consumer)

    async def _handle(self, message: Message) -> None:
        records: Records = message.raw_message  # type: ignore[assignment]
        async with self._working, self._all_or_nothing():
            self._lag_age.consumed(self._uncommitted.add(records))
            with self._event_spans.batch(records):
                await self._consume(records)
            self._pulse.beat()

    async def _consume(self, records: Records) -> None:
        await self._handler.consume([lenient_fetcher.to_record(record) for record in records])
        if await self._behind() < self._batch_records or self._uncommitted.is_due():
            await self._flush()

    async def _flush(self) -> None:
        """Store the effects of all consumed records, then commit; in a backlog, once for many batches."""
        with self._event_spans.flush():
            await self._handler.flush()
        await self._offsets.commit(self._uncommitted.next, self._uncommitted.last)
        committed, self._uncommitted = self._uncommitted, UncommittedOffsets()
        await self._commit_to_kafka(committed.next)
        for topic, count in committed.counts.items():
            CONSUMED.labels(self._service, topic).inc(count)

    async def _behind(self) -> int:
        """Return the consumer lag of the assigned partitions, as far as it is known."""
        assigned = self._consumer.assignment()
        for partition in self._uncommitted.next.keys() & assigned:
            with suppress(IllegalStateError):  # revoked meanwhile
                position = await self._consumer.position(partition)
                self._lags[partition] = (self._consumer.highwater(partition) or 0) - position
        return sum(lag for partition, lag in self._lags.items() if partition in assigned)

    @asynccontextmanager
    async def _all_or_nothing(self) -> AsyncIterator[None]:
        """On any error, discard the buffer and rewind to the first uncommitted record."""
        try:
            with BATCH_SECONDS.labels(self._service).time(), self._pulse.long_work():
                yield
        except Exception as error:
            self._pulse.fault(f"batch: {type(error).__name__}")
            log.exception("batch_failed", records=len(self._uncommitted))
            self._handler.discard()
            for partition, offset in self._uncommitted.first.items():
                with suppress(IllegalStateError):  # revoked meanwhile: its new owner starts at the stored offset
                    self._consumer.seek(partition, offset)
            self._uncommitted = UncommittedOffsets()
            await asyncio.sleep(RETRY_SECONDS)

    async def _commit_to_kafka(self, next_offsets: dict[TopicPartition, int]) -> None:
        """Commit to Kafka too, for lag monitors; the service itself starts at the offsets in its database."""
        assigned = self._consumer.assignment()
        offsets = {partition: offset for partition, offset in next_offsets.items() if partition in assigned}
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except KafkaError as error:  # the effects are stored, and a redelivered record has none
            log.warning("commit_failed", error=type(error).__name__)

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer

    async def _watch(self) -> None:
        """Watch progress rather than the connection: a consumer may hang silently.

        Raises DatabaseRolledBack, KafkaRefused, TopicLost.
        """
        while True:
            try:
                async with asyncio.timeout(10):
                    await self._consumed_topics.look_if_due()
                    self._pulse.warning = self._consumed_topics.warning
                    await self._check_progress()
            except (KafkaError, TimeoutError, OSError, IllegalStateError) as error:
                self._pulse.fault(f"Kafka: {type(error).__name__}")
                await raise_if_refused(error, self._kafka)
            if self._errors.refusal is not None:
                await raise_if_refused(self._errors.refusal, self._kafka)
            await self._flush_if_due()
            await asyncio.sleep(WATCH_SECONDS)

    async def _check_progress(self) -> None:
        assigned = self._consumer.assignment()
        await self._offsets.check(assigned)
        reached = self._offsets.reached()  # before the ends: a batch may be committed meanwhile
        ends = await self._consumer.end_offsets(assigned) if assigned else {}
        if lost := self._offsets.past(ends, reached):
            raise TopicLost(lost)
        positions = {partition: await self._consumer.position(partition) for partition in assigned}
        lags = {partition: max(0, ends[partition] - position) for partition, position in positions.items()}
        lag = sum(lags.values())
        LAG.labels(self._service).set(lag)
        LAG_SECONDS.labels(self._service).set(self._lag_age.measure(lags))
        if lag == 0 and not self._working.locked():
            self._pulse.beat()

    async def _flush_if_due(self) -> None:
        """Flush what no further batch has flushed: the next one may be long in coming."""
        if self._uncommitted.is_due() and not self._working.locked():
            async with self._working, self._all_or_nothing():
                await self._flush()


async def _undecoded(message: KafkaMessage) -> Any:
    return message.body
