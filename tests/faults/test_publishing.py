"""Records that are published in whole batches lie where a producer would have put each of them, and in order."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.ledger.producer import OutgoingRecord, publish
from tests.faults.relaying import a_site
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
STREAMS = [f"instrument/s{n}" for n in range(40)]
ROUNDS = 75
BATCH_BYTES = 64 * 1024


def records(rounds: range, size: int = 1_000) -> list[OutgoingRecord]:
    """One record of each stream in every round, all together many times what one batch holds."""
    return [
        OutgoingRecord(stream, b"%d " % number + b"x" * size, [("position", b"%d" % number)])
        for number in rounds
        for stream in STREAMS
    ]


async def found(kafka: str, topic: str) -> dict[str, list[tuple[int, bytes, bytes]]]:
    """Return the partition, the number and the header of every record, by stream and in the order in which it lies."""
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, n) for n in range(3)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        lying: dict[str, list[tuple[int, bytes, bytes]]] = {}
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for taken in (await consumer.getmany(timeout_ms=500)).values():
                for record in taken:
                    told = record.partition, record.value.partition(b" ")[0], dict(record.headers)["position"]
                    lying.setdefault(record.key.decode(), []).append(told)
        return lying
    finally:
        await consumer.stop()


async def test_many_batches_keep_every_stream_in_order_in_its_own_partition(servers: Stack):
    async with a_site(servers) as site:
        topic = f"throughline.{site.service}"
        producer = AIOKafkaProducer(
            bootstrap_servers=servers.kafka, enable_idempotence=True, acks="all", max_batch_size=BATCH_BYTES
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
        lying = await found(servers.kafka, topic)
        assert lying.keys() == set(STREAMS)
        for told in lying.values():
            assert [int(number) for _, number, _ in told] == list(range(ROUNDS + 2))
            assert all(number == position for _, number, position in told)
            assert len({partition for partition, _, _ in told}) == 1
