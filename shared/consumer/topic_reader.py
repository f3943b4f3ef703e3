"""Reads a topic up to its present end, outside any consumer group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.lenient_fetcher import install, to_record
from shared.consumer.record import KafkaRecord
from shared.runtime.kafka_access import KafkaAccess

POLL_MS = 500
POLL_RECORDS = 5_000
FROM_THE_BEGINNING: Mapping[int, int] = {}


async def read_topic(
    kafka: KafkaAccess,
    topic: str,
    last: int | None = None,
    partitions: Collection[int] | None = None,
    starts: Mapping[int, int] = FROM_THE_BEGINNING,
) -> AsyncIterator[KafkaRecord]:
    """Yield the records of a topic, partition by partition: all of each, or its `last` ones.

    A partition in `starts` is read from that offset on; if it is shorter, it was replaced, and is read whole.
    """
    async with _consumer(kafka, topic) as consumer:
        for partition in sorted(consumer.assignment()):
            if partitions is not None and partition.partition not in partitions:
                continue
            end = (await consumer.end_offsets([partition]))[partition]
            begin = (await consumer.beginning_offsets([partition]))[partition]
            consumer.pause(*consumer.assignment())
            consumer.resume(partition)
            first = starts.get(partition.partition, end - last if last is not None else begin)
            consumer.seek(partition, first if begin <= first <= end else begin)
            async for record in _until(consumer, partition, end):
                yield record


async def values_at(kafka: KafkaAccess, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes | None]:
    """Return the value of the record at an offset of each partition; None where there is none."""
    install()
    consumer = AIOKafkaConsumer(**kafka.client(), auto_offset_reset="earliest", fetch_max_wait_ms=20)
    try:
        await consumer.start()
        ends = await consumer.end_offsets(list(offsets))
        values: dict[TopicPartition, bytes | None] = {place: None for place, at in offsets.items() if at >= ends[place]}
        consumer.assign(list(offsets.keys() - values.keys()))
        for place in consumer.assignment():
            consumer.seek(place, offsets[place])
        while consumer.assignment() - values.keys():
            for place, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)).items():
                first = records[0]
                values.setdefault(place, (first.value or b"") if first.offset == offsets[place] else None)
        return values
    finally:
        await consumer.stop()


@asynccontextmanager
async def _consumer(kafka: KafkaAccess, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    install()
    consumer = AIOKafkaConsumer(topic, **kafka.client(), auto_offset_reset="earliest", fetch_max_wait_ms=20)
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def _until(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> AsyncIterator[KafkaRecord]:
    while await consumer.position(partition) < end:
        polled = await consumer.getmany(partition, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        for records in polled.values():
            for record in records:
                if record.offset < end:
                    yield to_record(record)
