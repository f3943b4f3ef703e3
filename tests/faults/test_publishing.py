"""Records published in batches are in order, in the partitions that a producer chooses by their key."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.ledger.producer import OutgoingRecord, publish
from shared.runtime.kafka_access import KafkaAccess
from tests.faults.relaying import a_site
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
STREAMS = [f"instrument/s{n}" for n in range(40)]
ROUNDS = 75
BATCH_BYTES = 64 * 1024


def records(rounds: range, size: int = 1_000) -> list[OutgoingRecord]:
    """Return one record of each stream in every round; all records are many times the size of a batch."""
    return [
        OutgoingRecord(stream, b"%d " % number + b"x" * size, [("position", b"%d" % number)])
        for number in rounds
        for stream in STREAMS
    ]


async def consumed(kafka: KafkaAccess, topic: str) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """Return partition, number and position header of each record by stream, in order."""
    consumer = AIOKafkaConsumer(**kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, n) for n in range(3)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        by_stream: dict[str, list[tuple[int, bytes, bytes]]] = {}
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for polled in (await consumer.getmany(timeout_ms=500)).values():
                for record in polled:
                    row = record.partition, record.value.partition(b" ")[0], dict(record.headers)["position"]
                    by_stream.setdefault(record.key.decode(), []).append(row)
        return by_stream
    finally:
        await consumer.stop()


async def test_many_batches_keep_every_stream_in_order_in_its_own_partition(servers: Stack):
    async with a_site(servers) as site:
        topic = f"throughline.{site.service}"
        producer = AIOKafkaProducer(
            **servers.kafka_admin.client(), enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES
        )
        await producer.start()
        try:
            await publish(producer, topic, records(range(ROUNDS)))
            await publish(producer, topic, records(range(ROUNDS, ROUNDS + 1)))
            for stream in STREAMS:
                number = b"%d" % (ROUNDS + 1)
                await producer.send_and_wait(topic, number + b" ", key=stream.encode(), headers=[("position", number)])
        finally:
            await producer.stop()
        records_by_stream = await consumed(servers.kafka_admin, topic)
        assert records_by_stream.keys() == set(STREAMS)
        for rows in records_by_stream.values():
            assert [int(number) for _, number, _ in rows] == list(range(ROUNDS + 2))
            assert all(number == position for _, number, position in rows)
            assert len({partition for partition, _, _ in rows}) == 1
