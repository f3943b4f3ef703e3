"""A backlog in Kafka, read into traces; its ceiling is a FastStream consumer that decodes and inserts raw bytes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from aiokafka import TopicPartition
from bson.binary import Binary
from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.annotations import KafkaMessage as Message
from faststream.kafka.message import KafkaMessage
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import WriteConcern

from benchmarks.job import Gate
from benchmarks.jobs.reading import reading_of, settings_for
from services.recommendations.projection import TOPICS
from shared.consumer.offsets import OffsetStore
from shared.consumer.record import KafkaRecord
from shared.consumer.subscriber import Subscriber
from shared.events.catalogue import decode
from shared.runtime.process import tune_gc
from shared.runtime.telemetry import Pulse


class Clock:
    """When the first batch was records, when the last one was done, and how many records there were."""

    def __init__(self) -> None:
        self.first = 0.0
        self.last = 0.0
        self.count = 0

    def begin(self) -> None:
        """Note the first batch."""
        self.first = self.first or time.time()

    def end(self, count: int) -> None:
        """Note a batch that is done."""
        self.last = time.time()
        self.count += count

    def as_dict(self) -> dict[str, Any]:
        """Return what was noted."""
        return {"first": self.first, "last": self.last, "count": self.count}


async def projecting(gate: Gate, kafka: dict[str, Any], mongodb: str, database: str, instance: str) -> dict[str, Any]:
    """Read as the recommendations service does, until stopped."""
    settings = settings_for(kafka, mongodb, database, instance)
    tune_gc()
    reading = reading_of(settings)
    await reading.prepare()
    clock = Clock()

    class Timed:
        """The projector of the service, with a clock."""

        consumed = 0

        async def consume(self, records: Sequence[KafkaRecord]) -> None:
            clock.begin()
            await reading.projector.consume(records)
            self.consumed += len(records)

        async def flush(self) -> None:
            await reading.projector.flush()
            clock.end(self.consumed)
            self.consumed = 0

        async def resume(self) -> None:
            """Resume nothing."""

        def discard(self) -> None:
            raise ValueError("a batch failed")

    subscriber = Subscriber(
        settings, "recommendations", TOPICS, Timed(), OffsetStore(reading.database), Pulse("subscriber")
    )  # fmt: skip
    await gate.go()
    running = asyncio.create_task(subscriber.run())
    await _until_stopped(gate, running)
    return clock.as_dict()


async def _until_stopped(gate: Gate, running: asyncio.Task[None]) -> None:
    stop = asyncio.create_task(gate.stop())
    await asyncio.wait([stop, running], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        await running
    running.cancel()


async def inserting(gate: Gate, kafka: dict[str, Any], mongodb: str, database: str, group: str) -> dict[str, Any]:
    """Consume, decode and bulk-insert the raw bytes, and nothing else, until stopped."""
    settings = settings_for(kafka, mongodb, database, group)
    client: AsyncIOMotorClient[Any] = AsyncIOMotorClient(mongodb)
    raw = client[database].get_collection("raw", write_concern=WriteConcern(w="majority"))
    offsets = OffsetStore(client[database])
    tune_gc()
    clock = Clock()
    access = settings.kafka_access()
    broker = KafkaBroker(access.bootstrap, security=access.security(), logger=None, allow_auto_create_topics=False)

    def consumer() -> Any:
        return subscriber.consumer

    async def parse(records: Any) -> KafkaMessage:
        return KafkaMessage(body=b"", raw_message=records, headers={}, consumer=consumer())

    async def undecoded(message: KafkaMessage) -> Any:
        return message.body

    subscriber = broker.subscriber(
        *TOPICS, batch=True, group_id=group, auto_offset_reset="earliest", ack_policy=AckPolicy.MANUAL,
        parser=parse, decoder=undecoded, max_records=settings.batch_records, batch_timeout_ms=40, fetch_max_wait_ms=100,
    )  # fmt: skip

    async def handle(message: Message) -> None:
        records: Any = message.raw_message
        clock.begin()
        for record in records:
            decode(record.value)
        await raw.insert_many([{"raw": Binary(record.value)} for record in records], ordered=False)
        next_offsets = {TopicPartition(record.topic, record.partition): record.offset + 1 for record in records}
        await offsets.commit(next_offsets)
        clock.end(len(records))
        await consumer().commit(next_offsets)

    subscriber(handle)
    await gate.go()
    await broker.start()
    await gate.stop()
    return clock.as_dict()
