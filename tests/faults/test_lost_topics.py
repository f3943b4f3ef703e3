"""A reader of a topic that was made again, or has lost records, begins again at offset 0 by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete
from pydantic import SecretStr

from shared.consumer import consumed_topics
from shared.consumer import subscriber as subscriber_module
from shared.consumer.clients import running
from shared.consumer.offsets import OffsetStore
from shared.consumer.subscriber import Subscriber
from shared.consumer.topic_metadata import topic_inspector
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from tests.faults.relaying import Site, a_site, administrator
from tests.faults.test_flushing import BatchHandler
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the topics often."""
    monkeypatch.setattr(consumed_topics, "LOOK_SECONDS", 0.5)
    monkeypatch.setattr(subscriber_module, "WATCH_SECONDS", 0.2)


async def publish(site: Site, values: Iterable[int]) -> None:
    """Publish numbers, some to each partition."""
    async with AIOKafkaProducer(**site.kafka.client()) as producer:
        for number in values:
            await producer.send_and_wait(site.topic, b"%d" % number, partition=number % 3)


@asynccontextmanager
async def reading(
    site: Site, handler: BatchHandler, pulse: Pulse | None = None, instance: str = "synthetic"
) -> AsyncIterator[None]:
    """Run a subscriber of the site's topic."""
    settings = Settings(
        **site.kafka.settings(), mongodb=SecretStr("none"), database=site.service, jwks="none", instance=instance
    )
    offsets = OffsetStore(site.database)
    subscriber = Subscriber(settings, site.service, [site.topic], handler, offsets, pulse or Pulse("subscriber"))
    task = asyncio.create_task(subscriber.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled(), "the subscriber has ended by itself"


async def consumed(handler: BatchHandler, values: Iterable[int]) -> None:
    """Wait until the handler has flushed these numbers."""
    wanted = {b"%d" % number for number in values}
    async with asyncio.timeout(AT_MOST_SECONDS):
        while not wanted <= handler.flushed.keys():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_partitions_that_a_stranger_of_the_group_took_are_named_until_they_are_consumed(servers: Stack):
    async with a_site(servers) as site:
        handler, pulse = BatchHandler(), Pulse("subscriber")
        group = {"group_id": f"throughline.{site.service}", "auto_offset_reset": "earliest"}
        stranger = AIOKafkaConsumer(site.topic, **site.kafka.client(), **group)
        async with reading(site, handler, pulse):
            await publish(site, range(30))
            await consumed(handler, range(30))
            async with running(stranger):
                async with asyncio.timeout(AT_MOST_SECONDS):
                    while not stranger.assignment():  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                taken = {place.partition for place in stranger.assignment()}
                await publish(site, range(30, 60))
                async with asyncio.timeout(AT_MOST_SECONDS):
                    while not all(f"{site.topic}/{partition}" in pulse.warning for partition in taken):  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
            await consumed(handler, range(30, 60))
            async with asyncio.timeout(AT_MOST_SECONDS):
                while pulse.warning:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)


async def consume_thirty(site: Site) -> None:
    """Publish thirty numbers, and consume them in a reader that is then stopped."""
    handler = BatchHandler()
    async with reading(site, handler):
        await publish(site, range(30))
        await consumed(handler, range(30))


async def make_again(site: Site) -> None:
    await site.delete_topic()
    await site.create_topic()


async def test_a_running_reader_consumes_a_topic_that_was_made_again_from_its_first_record(servers: Stack):
    async with a_site(servers) as site:
        handler = BatchHandler()
        async with reading(site, handler):
            await publish(site, range(30))
            await consumed(handler, range(30))
            await make_again(site)
            await publish(site, range(100, 110))
            await consumed(handler, range(100, 110))
            await make_again(site)
            await publish(site, range(200, 260))
            await consumed(handler, range(200, 260))


async def test_a_stopped_reader_consumes_a_topic_that_was_made_again_from_its_first_record(servers: Stack):
    async with a_site(servers) as site:
        await consume_thirty(site)
        after = BatchHandler()
        await make_again(site)
        await publish(site, range(100, 160))
        async with reading(site, after):
            await consumed(after, range(100, 160))


async def test_a_reader_from_before_topics_were_noted_continues_where_it_was(servers: Stack):
    async with a_site(servers) as site:
        await consume_thirty(site)
        after = BatchHandler()
        await site.database.progress.update_many({}, {"$unset": {"topic": ""}})
        await publish(site, range(30, 60))
        async with reading(site, after):
            await consumed(after, range(30, 60))
        assert after.flushed.keys() == {b"%d" % number for number in range(30, 60)}


async def test_a_reader_whose_offsets_are_past_the_end_begins_again(servers: Stack):
    async with a_site(servers) as site:
        await consume_thirty(site)
        after = BatchHandler()
        await site.database.progress.update_many({}, {"$inc": {"next": 5}})
        async with reading(site, after):
            await consumed(after, range(30))
            await publish(site, range(30, 90))
            await consumed(after, range(90))
        rows = await site.database.progress.find().to_list(None)
        assert {row["next"] for row in rows} == {30}


async def test_a_reader_of_a_partition_that_was_filled_again_with_other_records_begins_again(servers: Stack):
    async with a_site(servers) as site:
        await consume_thirty(site)
        after = BatchHandler()
        await make_again(site)
        await publish(site, range(3, 60))
        async with topic_inspector(site.kafka) as inspector:
            uuids = await inspector.uuids([site.topic])
        await site.database.progress.update_many({}, {"$set": {"topic": uuids[site.topic]}})
        async with reading(site, after):
            await consumed(after, range(3, 60))


async def test_a_reader_starts_although_a_partition_has_lost_all_its_records(servers: Stack):
    async with a_site(servers) as site:
        await consume_thirty(site)
        after = BatchHandler()
        async with administrator(site.kafka) as admin:
            await admin.delete_records({TopicPartition(site.topic, 1): RecordsToDelete(10)})
        async with reading(site, after):
            await publish(site, [30, 32])
            await consumed(after, [30, 32])


async def test_the_last_record_belongs_to_the_next_offset_whichever_instance_commits_later(servers: Stack):
    async with a_site(servers) as site:
        late, early = OffsetStore(site.database), OffsetStore(site.database)
        place = TopicPartition(site.topic, 0)
        await early.commit({place: 500}, {place: "synthetic 499"})
        await late.commit({place: 400}, {place: "synthetic 399"})
        await late.commit({place: 500}, {place: "synthetic other"})
        (row,) = await site.database.progress.find().to_list(None)
        assert (row["next"], row["last"]) == (500, "synthetic 499")
        await late.commit({place: 501}, {place: "synthetic 500"})
        (row,) = await site.database.progress.find().to_list(None)
        assert (row["next"], row["last"]) == (501, "synthetic 500")


async def test_an_absent_topic_is_reported_and_consumed_once_it_is_there(servers: Stack):
    async with a_site(servers) as site:
        handler, pulse = BatchHandler(), Pulse("subscriber")
        async with reading(site, handler, pulse):
            await publish(site, range(30))
            await consumed(handler, range(30))
            await site.delete_topic()
            async with asyncio.timeout(AT_MOST_SECONDS):
                while "UnknownTopicOrPartition" not in pulse.trouble:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await site.create_topic()
            await publish(site, range(30, 60))
            await consumed(handler, range(30, 60))
