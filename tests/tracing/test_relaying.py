"""The context of an append on its way: beside the bytes in the commit, in a header of Kafka, and never in the bytes."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from shared.ledger.refill import Refill
from shared.ledger.republication import Republication
from shared.tracing.spans import tracing
from shared.tracing.traceparent import TRACEPARENT
from tests.faults.relaying import Site, a_site, running
from tests.faults.test_relay import Killed, dying
from tests.tracing.receiver import Collector
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
GARBAGE = b"\xff\xfe\x00"


async def records(site: Site) -> list[tuple[bytes, bytes | None]]:
    """Return the value and the traceparent of each record on the topic."""
    consumer = AIOKafkaConsumer(**site.kafka.client(), auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(site.topic, n) for n in range(3)]
        consumer.assign(partitions)
        ends, rows = await consumer.end_offsets(partitions), []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                rows += [(record.value, dict(record.headers).get(TRACEPARENT)) for record in batch]
        return rows
    finally:
        await consumer.stop()


async def append_traced(site: Site) -> str:
    """Append three commits of one stream within a sampled trace, and return its id."""
    with tracing().request("POST synthetic", None, {}):
        await site.append(streams=1, commits=3)
        return tracing().trace_id() or ""


async def commits(site: Site) -> list[dict[str, Any]]:
    return await site.database.commits.find().sort("_id", 1).to_list(None)


async def test_the_context_rides_beside_the_bytes_and_only_where_the_commit_has_one(servers: Stack, traced: Collector):
    async with a_site(servers) as site:
        await site.append(streams=1, commits=2)
        trace = await append_traced(site)
        before = await commits(site)
        assert [each.get("trace", "").split("-")[1:2] for each in before] == [[], [], [trace], [trace], [trace]]
        assert all(trace.encode() not in raw for each in before for raw in each["events"])
        async with running(site.relay()):
            await site.until(site.appended)
        await site.verify()
        expected = {raw: each.get("trace") for each in before for raw in each["events"]}
        assert {value: header.decode() if header else None for value, header in await records(site)} == expected
        sent = traced.await_name(f"send {site.topic}")
        appended = traced.named("append throughline.recommendations")
        assert sent.trace != trace
        assert set(sent.links) == {each.id for each in appended if each.trace == trace}


async def test_a_relay_that_takes_over_sends_the_context_from_the_commit(servers: Stack, traced: Collector):
    async with a_site(servers) as site:
        await site.append(streams=1, commits=1)
        async with running(site.relay(dying("ledger stored"))) as task:
            await site.until(site.appended)
            trace = await append_traced(site)
            with pytest.raises(Killed):
                await task
        async with running(site.relay()):
            await site.until(site.appended)
        contexts = [header for _, header in await records(site) if header]
        assert {context.decode().split("-")[1] for context in contexts} == {trace}


async def test_garbage_in_a_commit_is_not_published(servers: Stack):
    async with a_site(servers) as site:
        await site.append(streams=2, commits=1)
        await site.database.commits.update_one({"_id.s": "instrument/s0"}, {"$set": {"trace": GARBAGE}})
        await site.database.commits.update_one({"_id.s": "instrument/s1"}, {"$set": {"trace": 7}})
        async with running(site.relay()):
            await site.until(site.appended)
        await site.verify()
        assert {header for _, header in await records(site)} == {None}


async def test_what_is_refilled_or_published_again_has_no_context(servers: Stack, traced: Collector):
    async with a_site(servers) as site:
        trace = await append_traced(site)
        async with running(site.relay()):
            await site.until(site.appended)
        before, sent = await commits(site), len(await records(site))
        assert trace in before[0]["trace"]
        await Republication(site.database).request()
        async with running(site.relay()):
            while await Republication(site.database).remaining() is not None:
                await site.until(site.appended)
        again = (await records(site))[sent:]
        assert len(again) == site.appended
        for name in ("commits", "ledger", "relay"):
            await site.database[name].delete_many({})
        await Refill(site.database, site.kafka, site.service, site.decoder()).run()
        after = await commits(site)
        assert [each["events"] for each in after] == [each["events"] for each in before]
        assert not [each for each in after if "trace" in each]
        await site.verify()
