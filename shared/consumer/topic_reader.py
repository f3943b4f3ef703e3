"""Reads a topic up to its present end, outside any consumer group."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AbstractAsyncContextManager

from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.consumer.clients import running
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

    A partition in `starts` is read from that offset on; if it is shorter, it is read as one without a start.
    """
    async with _consumer(kafka, topic) as consumer:
        for partition in sorted(consumer.assignment()):
            if partitions is not None and partition.partition not in partitions:
                continue
            end = (await consumer.end_offsets([partition]))[partition]
            begin = (await consumer.beginning_offsets([partition]))[partition]
            consumer.pause(*consumer.assignment())
            consumer.resume(partition)
            latest = begin if last is None else max(begin, end - last)
            first = starts.get(partition.partition, latest)
            consumer.seek(partition, max(begin, first) if first <= end else latest)
            async for record in _until(consumer, partition, end):
                yield record


async def values_at(kafka: KafkaAccess, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, bytes | None]:
    """Return the value of the record at an offset of each partition; None where there is none."""
    async with _consumer(kafka) as consumer:
        begins, ends = await consumer.beginning_offsets(list(offsets)), await consumer.end_offsets(list(offsets))
        values: dict[TopicPartition, bytes | None] = {
            place: None for place, at in offsets.items() if not begins[place] <= at < ends[place]
        }
        consumer.assign(list(offsets.keys() - values.keys()))
        for place in consumer.assignment():
            consumer.seek(place, offsets[place])
        while consumer.assignment() - values.keys():
            for place, records in (await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)).items():
                first = records[0]
                values.setdefault(place, (first.value or b"") if first.offset == offsets[place] else None)
        return values


def _consumer(kafka: KafkaAccess, *topics: str) -> AbstractAsyncContextManager[AIOKafkaConsumer]:
    install()
    return running(AIOKafkaConsumer(*topics, **kafka.client(), auto_offset_reset="earliest", fetch_max_wait_ms=20))


async def _until(consumer: AIOKafkaConsumer, partition: TopicPartition, end: int) -> AsyncIterator[KafkaRecord]:
    while await consumer.position(partition) < end:
        polled = await consumer.getmany(partition, timeout_ms=POLL_MS, max_records=POLL_RECORDS)
        for records in polled.values():
            for record in records:
                if record.offset < end:
                    yield to_record(record)
