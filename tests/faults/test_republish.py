"""G12: a lost topic is found, and had again from the ledger: same bytes, positions and leaf hashes, in order."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.admin.records_to_delete import RecordsToDelete

from shared.ledger import relay as relay_module
from shared.ledger import topic_check
from shared.ledger.lease import Lease
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.ledger.republication import Republication
from shared.ledger.topic_notes import TopicNotes
from shared.runtime.telemetry import Pulse
from tests.faults.relaying import Site, a_site, administrator, running
from tests.patience import AT_MOST_SECONDS
from tools.files import CHECKOUT
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look at the topic and for requests often."""
    monkeypatch.setattr(topic_check, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(relay_module, "REQUEST_SECONDS", 0.1)
    monkeypatch.setattr(relay_module, "CHECK_SECONDS", 0.2)


async def until(met: Callable[[], object]) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(AT_MOST_SECONDS):
        while not met():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def position_of(site: Site) -> int:
    """Return the position to publish again next, or infinity where nothing remains."""
    remaining = await Republication(site.database).remaining()
    return remaining.next if remaining else sys.maxsize


async def republished(site: Site) -> None:
    """Request a republication, and wait until it is done."""
    await Republication(site.database).request()
    async with asyncio.timeout(AT_MOST_SECONDS):
        while await position_of(site) < sys.maxsize:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def assert_stopped(site: Site, pulse: Pulse, finding: str) -> None:
    """Assert that the relay stops with a finding that names the command, and publishes nothing; commands are stored."""
    await until(lambda: finding in pulse.trouble)
    assert f"throughline republish {site.service}" in pulse.trouble
    assert pulse.silent_for() == float("inf")
    published = await Ledger(site.database).published()
    await site.append(streams=2, commits=1)
    await asyncio.sleep(1)
    assert await Ledger(site.database).published() == published


async def a_whole_topic(site: Site) -> None:
    """Publish some history, and end the relay."""
    await site.append(streams=6, commits=4)
    async with running(site.relay()):
        await site.until(site.appended)


async def make_again(site: Site) -> None:
    await site.delete_topic()
    await site.create_topic()


async def empty_partition(site: Site) -> None:
    """Note one offset more than each partition holds, as if the broker had lost the last record of each."""
    async for document in site.database.relay.find({"_id": "published"}):
        (uuid,) = document["ends"]
        raised = {f"ends.{uuid}.{partition}": 1 for partition in document["ends"][uuid]}
        await site.database.relay.update_one({"_id": "published"}, {"$inc": raised})


async def delete_first_records(site: Site) -> None:
    async with administrator(site.kafka) as admin:
        await admin.delete_records({TopicPartition(site.topic, n): RecordsToDelete(2) for n in range(3)})


async def forget_the_note(site: Site) -> None:
    """Make the topic again, under a relay that never took a note, as before this was found."""
    await make_again(site)
    await site.database.relay.update_one({"_id": "published"}, {"$unset": {"topic": "", "ends": "", "starts": ""}})


TRUNCATED = "begins at offset 2"
LOSSES = {
    "made again": make_again,
    "has lost records: partition": empty_partition,
    TRUNCATED: delete_first_records,
    "fewer than": forget_the_note,
}


@pytest.mark.parametrize("finding", LOSSES)
async def test_a_loss_while_the_relay_is_stopped_is_found_and_republished(servers: Stack, finding: str):
    async with a_site(servers) as site:
        await a_whole_topic(site)
        before = await site.published()
        await LOSSES[finding](site)
        pulse = Pulse("relay")
        async with running(site.relay(pulse=pulse)):
            await assert_stopped(site, pulse, finding)
            await republished(site)
            await site.append(streams=3, commits=2)
            await site.until(site.appended)
            await until(lambda: pulse.trouble == "" and pulse.silent_for() < AT_MOST_SECONDS)
        assert set(before) <= set(await site.published())
        await site.verify(in_order=finding != TRUNCATED)


@pytest.mark.parametrize("finding", ["made again", "has lost records: partition", TRUNCATED])
async def test_a_loss_under_a_running_relay_is_found_and_republished(servers: Stack, finding: str):
    async with a_site(servers) as site:
        pulse = Pulse("relay")
        async with running(site.relay(pulse=pulse)):
            await site.append(streams=6, commits=4)
            await site.until(site.appended)
            await LOSSES[finding](site)
            await assert_stopped(site, pulse, finding)
            await republished(site)
            await site.until(site.appended)
        await site.verify(in_order=finding != TRUNCATED)


async def test_a_relay_that_does_not_lead_finds_it_too(servers: Stack):
    async with a_site(servers) as site:
        first, second = Pulse("relay"), Pulse("relay")
        await a_whole_topic(site)
        async with running(site.relay(pulse=first)), running(site.relay(pulse=second)):
            await until(lambda: not (first.trouble or second.trouble))
            await make_again(site)
            await until(lambda: "republish" in first.trouble and "republish" in second.trouble)
            await republished(site)
            await until(lambda: not (first.trouble or second.trouble))
        await site.verify()


async def test_an_absent_topic_is_found_and_is_no_reason_to_publish_elsewhere(servers: Stack):
    async with a_site(servers) as site:
        await a_whole_topic(site)
        pulse = Pulse("relay")
        async with running(site.relay(pulse=pulse)):
            await until(lambda: pulse.trouble == "")
            await site.delete_topic()
            await until(lambda: "does not exist" in pulse.trouble)
            assert f"throughline republish {site.service}" in pulse.trouble
            await Republication(site.database).request()
            await asyncio.sleep(1)
            assert "does not exist" in pulse.trouble
            await site.create_topic()
            await republished(site)
        await site.verify()


async def test_an_append_that_shows_a_loss_is_noted_before_later_appends_hide_it(servers: Stack):
    class Unwatching(Relay):
        """A relay that never looks, but when it starts."""

        async def _publish(self, *arguments: Any) -> None:
            await super()._publish(*arguments)
            self._topic_check._looked = float("inf")

    async with a_site(servers) as site:
        pulse = Pulse("relay")
        async with running(site.relay(Unwatching, pulse)) as task:
            await site.append(streams=6, commits=4)
            await site.until(site.appended)
            await make_again(site)
            await site.append(streams=6, commits=30)
            await until(lambda: "republish" in pulse.trouble or task.done())
            assert "republish" in pulse.trouble
            await republished(site)
            await site.until(site.appended)
        assert {row[:2] for row in await site.published()} == await stored(site)


async def stored(site: Site) -> set[tuple[str, int]]:
    return {(entry.stream, entry.version) async for batch in Ledger(site.database).since(0) for entry in batch.entries}


async def test_a_topic_that_lost_nothing_is_republished_as_repeats(servers: Stack):
    async with a_site(servers) as site:
        await a_whole_topic(site)
        async with running(site.relay()):
            await republished(site)
            await site.append(streams=2, commits=2)
            await site.until(site.appended)
        rows = await site.published()
        assert len(rows) >= 2 * len(set(rows)) - 12
        await site.verify()


async def test_an_empty_ledger_with_another_topic_needs_no_republication(servers: Stack):
    async with a_site(servers) as site:
        async with running(site.relay(pulse=(pulse := Pulse("relay")))):
            await until(lambda: pulse.trouble == "")
            noted = await TopicNotes(site.database).read()
            await make_again(site)
            async with asyncio.timeout(AT_MOST_SECONDS):
                while await TopicNotes(site.database).read() == noted:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await until(lambda: pulse.trouble == "")
            await site.append(streams=2, commits=2)
            await site.until(site.appended)
            assert pulse.trouble == ""
        await site.verify()


async def test_two_relays_that_both_lead_republish_one_order(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    async def always(_lease: Lease) -> bool:
        return True

    async with a_site(servers) as site:
        await a_whole_topic(site)
        await make_again(site)
        monkeypatch.setattr(Lease, "take", always)
        monkeypatch.setattr(relay_module, "BATCH_COMMITS", 5)
        await Republication(site.database).request()
        async with running(site.relay()), running(site.relay()):
            await site.append(streams=6, commits=3)
            await site.until(site.appended)
            await republished(site)
        await site.verify()


SLOW = """
import asyncio, json, sys
from motor.motor_asyncio import AsyncIOMotorClient
from shared.events.services import RegisteredService, _BY_NAME
from shared.ledger.relay import Relay
from shared.runtime.settings import KafkaSettings
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from shared.tlog.keys import LogKeys

uri, service = sys.argv[1:3]
_BY_NAME[service] = RegisteredService(service, 0)

class Slow(Relay):
    async def _publish(self, *arguments):
        await super()._publish(*arguments)
        await asyncio.sleep(0.2)

async def main():
    database = AsyncIOMotorClient(uri)[f"relay_{service}"]
    kafka = KafkaSettings(**json.loads(sys.argv[3])).kafka_access()
    keys = LogKeys.parse(sys.argv[4], f"throughline.synthetic/{service}")
    await Slow(database, EventStore(database), kafka, service, Pulse("relay"), keys).run()

asyncio.run(main())
"""


async def test_a_republication_goes_on_where_a_killed_process_stopped(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    async with a_site(servers) as site:
        async with running(site.relay()):
            for _ in range(12):
                await site.append(streams=4, commits=1)
                await site.until(site.appended)
        await make_again(site)
        await Republication(site.database).request()
        for _ in range(2):
            position = await position_of(site)
            access = json.dumps(site.kafka.settings())
            arguments = (servers.mongodb_admin_uri, site.service, access, site.keys.text())
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", SLOW, *arguments, cwd=CHECKOUT)
            async with asyncio.timeout(AT_MOST_SECONDS):
                while await position_of(site) < position + 12:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            os.kill(process.pid, signal.SIGKILL)
            await process.wait()
        remaining = await Republication(site.database).remaining()
        assert remaining is not None
        assert 0 < remaining.next < remaining.end
        await site.append(streams=3, commits=2)
        async with running(site.relay()):
            await republished(site)
            await site.until(site.appended)
        await site.verify()
        assert len(await site.published()) < site.appended + remaining.next, "it began again at the first position"


async def test_a_topic_lost_again_in_the_middle_is_republished_from_the_first_position(servers: Stack):
    async with a_site(servers) as site:
        await a_whole_topic(site)
        await site.append(streams=6, commits=4)
        async with running(site.relay()):
            await site.until(site.appended)
        await Republication(site.database).request()
        await site.database.relay.update_one({"_id": "republish"}, {"$set": {"next": site.appended // 2}})
        await make_again(site)
        async with running(site.relay()):
            await republished(site)
        await site.verify()
