"""Kafka, read by FastStream: raw batches, acknowledged only when their effects are stored.

FastStream's own parser reads headers (one that is not UTF-8 loses a whole batch) and its decoder parses JSON, so both
are replaced; records.py sees to the names of headers. An error in a handler makes it take the next batch: on any error
each partition is wound back first.
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import KafkaMessage

from shared.intake import Arrival
from shared.offsets import BeginWhereTheDatabaseIs, Offsets
from shared.records import arrival_of
from shared.settings import Settings
from shared.telemetry import BATCH_SECONDS, CONSUMED, LAG, Pulse

log = structlog.get_logger()
Take = Callable[[Sequence[Arrival]], Awaitable[None]]
Records = tuple["ConsumerRecord[bytes, bytes]", ...]
RETRY_SECONDS = 1.0
LOOK_SECONDS = 2.0


class Subscriber:
    """One subscriber for all the topics that a service hears, in one consumer group.

    A static member of its group: a process that was killed and comes back takes its partitions up at once.
    """

    def __init__(
        self, settings: Settings, service: str, topics: Sequence[str], take: Take, offsets: Offsets, pulse: Pulse
    ) -> None:
        self._service = service
        self._take = take
        self._offsets = offsets
        self._pulse = pulse
        self._busy = False
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
            listener=BeginWhereTheDatabaseIs(offsets, lambda: self._consumer),
            ack_policy=AckPolicy.MANUAL,
            parser=self._parse,
            decoder=_leave,
            max_records=settings.batch_records,
            batch_timeout_ms=40,
            fetch_max_wait_ms=100,
            max_partition_fetch_bytes=4 * 1024 * 1024,
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
        self._busy = True
        try:
            with BATCH_SECONDS.labels(self._service).time():
                await self._take([arrival_of(record) for record in records])
                nexts = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
                await self._offsets.reached(nexts)
        except Exception as error:
            self._pulse.fault(f"batch: {type(error).__name__}")
            log.exception("batch_failed", records=len(records))
            self._wind_back(records)
            await asyncio.sleep(RETRY_SECONDS)
            raise
        self._busy = False
        await self._commit(nexts)
        for topic, count in Counter(record.topic for record in records).items():
            CONSUMED.labels(self._service, topic).inc(count)
        self._pulse.beat()

    def _wind_back(self, records: Records) -> None:
        firsts: dict[TopicPartition, int] = {}
        for record in records:
            partition = TopicPartition(record.topic, record.partition)
            firsts[partition] = min(record.offset, firsts.get(partition, record.offset))
        for partition, offset in firsts.items():
            try:
                self._consumer.seek(partition, offset)
            except IllegalStateError:  # revoked meanwhile: its new owner starts from the committed offset
                continue

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
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self) -> None:
        mine = self._consumer.assignment()
        await self._offsets.check(mine)
        ends = await self._consumer.end_offsets(mine) if mine else {}
        positions = {partition: await self._consumer.position(partition) for partition in mine}
        lag = sum(max(0, ends[partition] - position) for partition, position in positions.items())
        LAG.labels(self._service).set(lag)
        if lag == 0 and not self._busy:
            self._pulse.beat()


async def _leave(message: KafkaMessage) -> Any:
    return message.body
