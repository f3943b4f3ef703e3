"""Publishes records to a topic in one batch per partition: a producer's `send` costs ten times more for each record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.partitioner import DefaultPartitioner

from shared.consumer.clients import stop
from shared.runtime.kafka_access import KafkaAccess

STOP_SECONDS = 10
_STREAMS_CACHED = 65_536
_partitioner = DefaultPartitioner()

log = structlog.get_logger()


class Appended(NamedTuple):
    """The offsets that one publish appended to a partition: the first, -1 where Kafka did not tell, and the next."""

    first: int
    end: int


class OutgoingRecord(NamedTuple):
    """A record to publish: the bytes of an event, under its stream as key."""

    stream: str
    value: bytes
    headers: Sequence[tuple[str, bytes]]


@asynccontextmanager
async def idempotent_producer(kafka: KafkaAccess) -> AsyncIterator[AIOKafkaProducer]:
    """Start an idempotent producer that waits for all replicas; stop it at the end."""
    producer = AIOKafkaProducer(
        **kafka.client(),
        enable_idempotence=True,
        acks="all",
        max_batch_size=256 * 1024,
        max_request_size=1024 * 1024,
        request_timeout_ms=15_000,
    )
    try:
        await producer.start()
        yield producer
    finally:
        try:
            await asyncio.wait_for(stop(producer), STOP_SECONDS)
        except (KafkaError, OSError, TimeoutError) as error:
            log.warning("producer_stop_failed", error=type(error).__name__)


async def publish(producer: AIOKafkaProducer, topic: str, records: Iterable[OutgoingRecord]) -> dict[int, Appended]:
    """Publish records in order, all of a stream to one partition; return when all brokers have acknowledged them.

    A partition's next batch is sent only after the producer has taken its last one. Return what each partition took.
    """
    partitions = tuple(sorted(await producer.partitions_for(topic)))
    building: dict[int, Any] = {}
    sent: list[asyncio.Future[Any]] = []
    counts: list[int] = []

    async def send(partition: int) -> None:
        batch = building.pop(partition)
        batch.close()
        counts.append(batch.record_count())
        sent.append(await producer.send_batch(batch, topic, partition=partition))

    for record in records:
        partition = _partition_of(record.stream, partitions)
        if partition in building and _appended(building[partition], record):
            continue
        if partition in building:
            await send(partition)
        building[partition] = producer.create_batch()
        _appended(building[partition], record)
    for partition in list(building):
        await send(partition)
    return _appended_by_partition(await asyncio.gather(*sent), counts)


def _appended_by_partition(answers: Sequence[Any], counts: Sequence[int]) -> dict[int, Appended]:
    appended: dict[int, Appended] = {}
    for answer, count in zip(answers, counts, strict=True):
        first = appended[answer.partition].first if answer.partition in appended else answer.offset
        appended[answer.partition] = Appended(first, answer.offset + count if answer.offset >= 0 else 0)
    return appended


def _appended(batch: Any, record: OutgoingRecord) -> bool:
    """Append a record to a batch; False if the batch is full. An empty batch takes any record."""
    metadata = batch.append(timestamp=None, key=record.stream.encode(), value=record.value, headers=record.headers)
    return metadata is not None


@lru_cache(maxsize=_STREAMS_CACHED)
def _partition_of(stream: str, partitions: tuple[int, ...]) -> int:
    partition: int = _partitioner(stream.encode(), partitions, partitions)
    return partition
