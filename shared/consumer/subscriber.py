"""Kafka, read by FastStream: raw batches, acknowledged only when their effects are stored.

FastStream's own parser reads headers (one that is not UTF-8 loses a whole batch) and its decoder parses JSON, so both
are replaced; records.py sees to the names of headers. An error in a handler makes it take the next batch: on any error
each partition is wound back first.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import KafkaMessage

from shared.consumer.lenient_fetcher import to_record
from shared.consumer.offsets import OffsetStore, StoredOffsetListener
from shared.consumer.record import KafkaRecord
from shared.runtime.settings import Settings
from shared.runtime.telemetry import BATCH_SECONDS, CONSUMED, LAG, Pulse

log = structlog.get_logger()
Records = tuple["ConsumerRecord[bytes, bytes]", ...]
RETRY_SECONDS = 1.0
SETTLE_RECORDS = 500_000
SETTLE_SECONDS = 30.0
LOOK_SECONDS = 2.0


class BatchHandler(Protocol):
    """Who takes what is read."""

    async def hear(self, arrivals: Sequence[KafkaRecord]) -> None:
        """Take a batch; its effects may wait to be stored until it is settled."""

    async def settle(self) -> None:
        """Store all effects of what was heard."""

    def forget(self) -> None:
        """Drop what was not settled: it will be heard again."""


@dataclass
class UncommittedOffsets:
    """Which records were heard and are not settled: by partition the first and the one to come, and how many."""

    since: float = 0.0
    firsts: dict[TopicPartition, int] = field(default_factory=dict)
    nexts: dict[TopicPartition, int] = field(default_factory=dict)
    topics: Counter[str] = field(default_factory=Counter)

    def add(self, records: Records) -> None:
        """Note the records of a batch."""
        self.since = self.since or monotonic()
        firsts = {(record.topic, record.partition): record.offset for record in reversed(records)}
        lasts = {(record.topic, record.partition): record.offset for record in records}
        for place, last in lasts.items():
            self.firsts.setdefault(TopicPartition(*place), firsts[place])
            self.nexts[TopicPartition(*place)] = last + 1
        self.topics.update(record.topic for record in records)

    def is_due(self) -> bool:
        """Tell whether it is long enough, or has lasted long enough."""
        heard = self.topics.total()
        return heard >= SETTLE_RECORDS or (heard > 0 and monotonic() - self.since > SETTLE_SECONDS)


class Subscriber:
    """One subscriber for all the topics that a service hears, in one consumer group.

    A static member of its group: a process that was killed and comes back takes its partitions up at once.
    """

    def __init__(
        self,
        settings: Settings,
        service: str,
        topics: Sequence[str],
        reader: BatchHandler,
        offsets: OffsetStore,
        pulse: Pulse,
    ) -> None:
        self._service = service
        self._reader = reader
        self._offsets = offsets
        self._pulse = pulse
        self._batch_records = settings.batch_records
        self._working = asyncio.Lock()
        self._unsettled = UncommittedOffsets()
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
            listener=StoredOffsetListener(offsets, lambda: self._consumer, lambda: self._unsettled.nexts),
            ack_policy=AckPolicy.MANUAL,
            parser=self._parse,
            decoder=_leave,
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
        """Consume until cancelled; begin again when the broker is not there at start."""
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

    async def _parse(self, records: Records) -> KafkaMessage:
        return KafkaMessage(body=b"", raw_message=records, headers={}, consumer=self._consumer)

    async def _handle(self, message: Message) -> None:
        records: Records = message.raw_message  # type: ignore[assignment]
        async with self._working, self._all_or_nothing():
            self._unsettled.add(records)
            await self._reader.hear([to_record(record) for record in records])
            if self._behind() < self._batch_records or self._unsettled.is_due():
                await self._settle()
            self._pulse.beat()

    async def _settle(self) -> None:
        """Store the effects of all that was heard, then that it was; while far behind, once for many batches."""
        await self._reader.settle()
        await self._offsets.reached(self._unsettled.nexts)
        settled, self._unsettled = self._unsettled, UncommittedOffsets()
        await self._commit(settled.nexts)
        for topic, count in settled.topics.items():
            CONSUMED.labels(self._service, topic).inc(count)

    def _behind(self) -> int:
        """Return how many records are known to wait in the partitions of this consumer."""
        mine = self._consumer.assignment()
        for partition, offset in self._unsettled.nexts.items():
            if partition in mine:
                self._lags[partition] = (self._consumer.highwater(partition) or 0) - offset
        return sum(lag for partition, lag in self._lags.items() if partition in mine)

    @asynccontextmanager
    async def _all_or_nothing(self) -> AsyncIterator[None]:
        """On any error, read again from the first record that is not settled."""
        try:
            with BATCH_SECONDS.labels(self._service).time():
                yield
        except Exception as error:
            self._pulse.fault(f"batch: {type(error).__name__}")
            log.exception("batch_failed", records=self._unsettled.topics.total())
            self._reader.forget()
            for partition, offset in self._unsettled.firsts.items():
                with suppress(IllegalStateError):  # revoked meanwhile: its new owner begins where the database is
                    self._consumer.seek(partition, offset)
            self._unsettled = UncommittedOffsets()
            await asyncio.sleep(RETRY_SECONDS)

    async def _commit(self, nexts: dict[TopicPartition, int]) -> None:
        """Tell Kafka too, for those who watch the lag; where to begin is read from the database."""
        mine = self._consumer.assignment()
        offsets = {partition: offset for partition, offset in nexts.items() if partition in mine}
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except KafkaError as error:  # the effects are stored; what is not committed is taken again, to no effect
            log.warning("commit_failed", error=type(error).__name__)

    @property
    def _consumer(self) -> Any:
        return self._subscriber.consumer

    async def _watch(self) -> None:
        """Watch progress rather than the connection: a consumer may hang and not say so. Raises DatabaseWentBack."""
        while True:
            try:
                async with asyncio.timeout(10):
                    await self._look()
            except (KafkaError, TimeoutError, OSError, IllegalStateError) as error:
                self._pulse.fault(f"Kafka: {type(error).__name__}")
            await self._settle_what_waits()
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        mine = self._consumer.assignment()
        await self._offsets.check(mine)
        ends = await self._consumer.end_offsets(mine) if mine else {}
        positions = {partition: await self._consumer.position(partition) for partition in mine}
        lag = sum(max(0, ends[partition] - position) for partition, position in positions.items())
        LAG.labels(self._service).set(lag)
        if lag == 0 and not self._working.locked():
            self._pulse.beat()

    async def _settle_what_waits(self) -> None:
        """Settle what no further batch has settled: its successor may be long in coming."""
        if self._unsettled.is_due() and not self._working.locked():
            async with self._working, self._all_or_nothing():
                await self._settle()


async def _leave(message: KafkaMessage) -> Any:
    return message.body
