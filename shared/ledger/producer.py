"""Records on a topic, in whole batches for each partition: a producer's `send` costs ten times more for each record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import DefaultPartitioner

_STREAMS_REMEMBERED = 65_536
_partitioner = DefaultPartitioner()


class OutgoingRecord(NamedTuple):
    """What is published: the bytes of an event, under its stream."""

    stream: str
    value: bytes
    headers: Sequence[tuple[str, bytes]]


async def publish(producer: AIOKafkaProducer, topic: str, records: Iterable[OutgoingRecord]) -> None:
    """Publish records in order, all of a stream to the same partition; return when all brokers have them.

    Nothing of a partition's next batch is handed over before its last one was taken to be sent.
    """
    partitions = tuple(sorted(await producer.partitions_for(topic)))
    building: dict[int, Any] = {}
    sent: list[asyncio.Future[Any]] = []

    async def send(partition: int) -> None:
        batch = building.pop(partition)
        batch.close()
        sent.append(await producer.send_batch(batch, topic, partition=partition))

    for record in records:
        partition = _partition_of(record.stream, partitions)
        if partition in building and _added(building[partition], record):
            continue
        if partition in building:
            await send(partition)
        building[partition] = producer.create_batch()
        _added(building[partition], record)
    for partition in list(building):
        await send(partition)
    await asyncio.gather(*sent)


def _added(batch: Any, record: OutgoingRecord) -> bool:
    """Add a record to a batch, if it holds it; an empty one holds any."""
    added = batch.append(timestamp=None, key=record.stream.encode(), value=record.value, headers=record.headers)
    return added is not None


@lru_cache(maxsize=_STREAMS_REMEMBERED)
def _partition_of(stream: str, partitions: tuple[int, ...]) -> int:
    partition: int = _partitioner(stream.encode(), partitions, partitions)
    return partition
