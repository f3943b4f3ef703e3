"""Reads a topic up to its present end, outside any consumer group."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
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

    A partition in `starts` is read from that offset on, and its `last` records before it; if it is shorter, it is read
    as one without a start. Offsets are not counted as records: the markers of transactions have some too.
    """
    async with _consumer(kafka, topic) as consumer:
        for partition in sorted(consumer.assignment()):
            if partitions is not None and partition.partition not in partitions:
                continue
            end = (await consumer.end_offsets([partition]))[partition]
            begin = (await consumer.beginning_offsets([partition]))[partition]
            consumer.pause(*consumer.assignment())
            consumer.resume(partition)
            start = starts.get(partition.partition, end + 1)
            if start > end:
                start = begin if last is None else end
            for record in await _last_before(consumer, partition, begin, start, last or 0):
                yield record
            consumer.seek(partition, max(begin, start))
            async for record in _until(consumer, partition, end):
                yield record


async def _last_before(
    consumer: AIOKafkaConsumer, partition: TopicPartition, begin: int, end: int, count: int
) -> Sequence[KafkaRecord]:
    """Return the last `count` records of a partition before an offset: look back until there are as many."""
    span = count
    while span:
        first = max(begin, end - span)
        consumer.seek(partition, first)
        records = deque([record async for record in _until(consumer, partition, end)], maxlen=count)
        if len(records) == count or first == begin:
            return records
        span *= 4
    return ()


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
        while waiting := consumer.assignment() - values.keys():
            polled = await consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            for place in waiting:
                if place in polled:
                    first = polled[place][0]
                    values[place] = (first.value or b"") if first.offset == offsets[place] else None
                elif await consumer.position(place) > offsets[place]:  # the marker of a transaction is no record
                    values[place] = None
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
