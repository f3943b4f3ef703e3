"""Kafka consumer of a service, run by FastStream: raw batches, acknowledged only when their effects are stored.

FastStream's own parser reads headers (one that is not UTF-8 loses a whole batch) and its decoder parses JSON, so both
are replaced. After an error in a handler FastStream would deliver the next batch, so each partition is rewound first.
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

from shared.consumer import lenient_fetcher
from shared.consumer.offsets import OffsetStore, StoredOffsetListener
from shared.consumer.record import KafkaRecord
from shared.consumer.uncommitted_offsets import UncommittedOffsets
from shared.runtime.settings import Settings
from shared.runtime.telemetry import BATCH_SECONDS, CONSUMED, LAG, Pulse

log = structlog.get_logger()
Records = tuple["ConsumerRecord[bytes, bytes]", ...]
RETRY_SECONDS = 1.0
WATCH_SECONDS = 2.0


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
        self._uncommitted = UncommittedOffsets()
        self._lags: dict[TopicPartition, int] = {}
        self._broker = KafkaBroker(
            settings.kafka,
            client_id=f"throughline-{service}",
            logger=None,
            allow_auto_create_topics=False,
            graceful_timeout=15.0,
        )
        self._subscriber = self._broker.subscriber(
            *topics,
            batch=True,
            group_id=f"throughline.{service}",
            group_instance_id=settings.instance or f"{socket.gethostname()}-{settings.port}",
            auto_offset_reset="earliest",
            listener=StoredOffsetListener(offsets, lambda: self._consumer, lambda: self._uncommitted.next),
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
        """Consume until cancelled; retry while the broker is not there at start."""
        await self._resume()
        while True:
            try:
                await self._broker.start()
                break
            except (KafkaError, OSError) as error:
                self._pulse.fault(f"Kafka: {type(error).__name__}")
                await self._broker.stop()
                await asyncio.sleep(RETRY_SECONDS)
        try:
            await self._watch()
        finally:
            await self._broker.stop()

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
            self._uncommitted.add(records)
            await self._handler.consume([lenient_fetcher.to_record(record) for record in records])
            if self._behind() < self._batch_records or self._uncommitted.is_due():
                await self._flush()
            self._pulse.beat()

    async def _flush(self) -> None:
        """Store the effects of all consumed records, then commit; in a backlog, once for many batches."""
        await self._handler.flush()
        await self._offsets.commit(self._uncommitted.next)
        committed, self._uncommitted = self._uncommitted, UncommittedOffsets()
        await self._commit_to_kafka(committed.next)
        for topic, count in committed.counts.items():
            CONSUMED.labels(self._service, topic).inc(count)

    def _behind(self) -> int:
        """Return the consumer lag of the assigned partitions, as far as it is known."""
        assigned = self._consumer.assignment()
        for partition, offset in self._uncommitted.next.items():
            if partition in assigned:
                self._lags[partition] = (self._consumer.highwater(partition) or 0) - offset
        return sum(lag for partition, lag in self._lags.items() if partition in assigned)

    @asynccontextmanager
    async def _all_or_nothing(self) -> AsyncIterator[None]:
        """On any error, discard the buffer and rewind to the first uncommitted record."""
        try:
            with BATCH_SECONDS.labels(self._service).time():
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
        """Watch progress rather than the connection: a consumer may hang silently. Raises DatabaseRolledBack."""
        while True:
            try:
                async with asyncio.timeout(10):
                    await self._check_progress()
            except (KafkaError, TimeoutError, OSError, IllegalStateError) as error:
                self._pulse.fault(f"Kafka: {type(error).__name__}")
            await self._flush_if_due()
            await asyncio.sleep(WATCH_SECONDS)

    async def _check_progress(self) -> None:
        assigned = self._consumer.assignment()
        await self._offsets.check(assigned)
        ends = await self._consumer.end_offsets(assigned) if assigned else {}
        positions = {partition: await self._consumer.position(partition) for partition in assigned}
        lag = sum(max(0, ends[partition] - position) for partition, position in positions.items())
        LAG.labels(self._service).set(lag)
        if lag == 0 and not self._working.locked():
            self._pulse.beat()

    async def _flush_if_due(self) -> None:
        """Flush what no further batch has flushed: the next one may be long in coming."""
        if self._uncommitted.is_due() and not self._working.locked():
            async with self._working, self._all_or_nothing():
                await self._flush()


async def _undecoded(message: KafkaMessage) -> Any:
    return message.body
