"""Offsets are no records: the markers of transactions have offsets too, and deleted records have had some."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import RecordsToDelete

from shared.consumer.record import KafkaRecord
from shared.consumer.topic_reader import read_topic, values_at
from tests.faults.relaying import Site, a_site, administrator, running
from tests.patience import AT_MOST_SECONDS
from tools.client.errors import Failure
from tools.local.stack import Stack
from tools.replay.completeness import Positions, ensure_complete
from tools.replay.history import from_kafka
from tools.replay.replayer import Replayer

PARTITIONS = range(3)


@asynccontextmanager
async def published(servers: Stack, kafka_transactions: int) -> AsyncIterator[Site]:
    """Publish events on a topic, then as many transactions, every second of them aborted, and no record after them."""
    async with a_site(servers) as site:
        await site.append(streams=6, commits=2)
        async with running(site.relay()):
            await site.until(site.appended)
        async with AIOKafkaProducer(**site.kafka.client(), transactional_id=site.service) as producer:
            for number in range(kafka_transactions):
                await producer.begin_transaction()
                for partition in PARTITIONS:
                    await producer.send_and_wait(site.topic, b"Synthetic", partition=partition)
                await (producer.abort_transaction() if number % 2 else producer.commit_transaction())
        yield site


def replayed(site: Site) -> Replayer:
    """Read the site's topic as a replay does, and check that Kafka holds the whole log."""
    trust = site.decoder().trust
    replayer = Replayer(trust)
    from_kafka(site.kafka, [site.topic], trust, replayer.add_record, lambda _done, _of: None)
    with replayer:
        dict(replayer.run(lambda _, trace: trace))
    ensure_complete(site.kafka, trust, replayer.report.positions, seconds=0)
    return replayer


async def records_of(site: Site, last: int | None = None) -> list[KafkaRecord]:
    return [record async for record in read_topic(site.kafka, site.topic, last=last)]


@pytest.mark.servers
async def test_a_replay_ends_behind_transactions_and_finds_the_whole_log(servers: Stack):
    async with published(servers, kafka_transactions=2) as site, asyncio.timeout(AT_MOST_SECONDS):
        replayer = await asyncio.to_thread(replayed, site)
        assert replayer.report.records == site.appended + 2 * len(PARTITIONS)
        assert sorted(replayer.report.positions.by_topic[site.topic]) == list(range(site.appended))


@pytest.mark.servers
async def test_the_last_records_are_as_many_whatever_offsets_the_markers_take(servers: Stack):
    async with published(servers, kafka_transactions=5) as site, asyncio.timeout(AT_MOST_SECONDS):
        everything = await records_of(site)
        for partition in PARTITIONS:
            of_it = [record for record in everything if record.partition == partition]
            read = [record for record in await records_of(site, last=7) if record.partition == partition]
            assert read == of_it[-7:]


@pytest.mark.servers
async def test_a_marker_is_no_record_at_its_offset(servers: Stack):
    async with published(servers, kafka_transactions=1) as site, asyncio.timeout(AT_MOST_SECONDS):
        last = {record.partition: record.offset for record in await records_of(site)}
        places = [TopicPartition(site.topic, partition) for partition in PARTITIONS]
        assert await values_at(site.kafka, {each: last[each.partition] + 1 for each in places}) == dict.fromkeys(places)
        assert await values_at(site.kafka, {each: last[each.partition] for each in places}) == dict.fromkeys(
            places, b"Synthetic"
        )


@pytest.mark.servers
async def test_a_lost_beginning_is_found_by_its_positions_and_published_again_it_is_complete(servers: Stack):
    async with published(servers, kafka_transactions=0) as site, asyncio.timeout(AT_MOST_SECONDS):
        everything = await records_of(site)
        partition = max(PARTITIONS, key=lambda n: sum(record.partition == n for record in everything))
        async with administrator(site.kafka) as admin:
            await admin.delete_records({TopicPartition(site.topic, partition): RecordsToDelete(before_offset=2)})
        with pytest.raises(Failure, match=f"{site.topic} lacks 2 events .* throughline republish {site.service}"):
            await asyncio.to_thread(replayed, site)
        async with AIOKafkaProducer(**site.kafka.client()) as producer:
            for record in everything:
                await producer.send_and_wait(
                    site.topic, record.value, record.key, record.partition, headers=list(record.headers)
                )
        assert (await asyncio.to_thread(replayed, site)).report.stalled == []


@pytest.mark.parametrize(
    ("read", "missing"),
    [
        ([], set()),
        ([0, 1, 2], set()),
        ([2, 0, 1, 1], set()),
        ([1, 2], {0}),
        ([0, 1, 4, 5], {2, 3}),
        ([0, 1, 2, 99], set()),
        ([7], set()),
    ],
)
def test_positions_are_dense_up_to_the_last_one_that_has_a_predecessor(read: list[int], missing: set[int]):
    positions, more = Positions(), Positions()
    for number, position in enumerate(read):
        (more if number % 2 else positions).add("throughline.synthetic", position)
    positions += more
    assert positions.missing("throughline.synthetic") == missing
