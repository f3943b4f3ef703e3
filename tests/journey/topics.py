"""A reader of whole topics, without a consumer group."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer

from shared.consumer.lenient_fetcher import install, to_record
from shared.consumer.record import KafkaRecord
from shared.runtime.kafka_access import KafkaAccess


def everything_on(kafka: KafkaAccess, *services: str) -> list[KafkaRecord]:
    """Return every record on the services' topics, up to their present ends."""
    return asyncio.run(_read(kafka, [f"throughline.{service}" for service in services]))


async def _read(kafka: KafkaAccess, topics: list[str]) -> list[KafkaRecord]:
    install()
    consumer = AIOKafkaConsumer(*topics, **kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = consumer.assignment()
        ends = await consumer.end_offsets(partitions)
        records_read: list[KafkaRecord] = []
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=500)).values():
                records_read += [to_record(record) for record in records]
        return records_read
    finally:
        await consumer.stop()
