"""G2: after the restore of an older backup the relay fences the store, and a refill from the topic loses no event."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from pymongo.errors import AutoReconnect

from shared.events.canonical import sha256_hex
from shared.ledger.lease import Lease
from shared.ledger.ledger import Ledger
from shared.ledger.refill import CannotRefill, Refill
from shared.ledger.relay import Relay
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore, StoreFenced
from tests.faults.relaying import Site, a_site, running
from tests.faults.rig.forging import forgery
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
BACKED_UP = ("commits", "ledger", "relay")


async def a_backup(site: Site) -> dict[str, list[Any]]:
    return {name: await site.database[name].find().to_list(None) for name in BACKED_UP}


async def restore(site: Site, backup: dict[str, list[Any]]) -> None:
    for name, documents in backup.items():
        await site.database[name].delete_many({})
        await site.database[name].insert_many(documents)


async def a_restored_site(site: Site) -> None:
    """Publish events, back up the store halfway, and restore the backup."""
    async with running(site.relay()):
        await site.append(streams=6, commits=3)
        await site.until(site.appended)
        backup = await a_backup(site)
        await site.append(streams=9, commits=4)
        await site.until(site.appended)
    await restore(site, backup)


async def test_a_restored_store_is_fenced_and_a_refill_from_the_topic_loses_no_event(servers: Stack):
    async with a_site(servers) as site:
        await a_restored_site(site)
        store, pulse = EventStore(site.database), Pulse("relay")
        relay = Relay(site.database, store, site.kafka, site.service, pulse, site.keys)
        assert not await relay.check()
        assert f"throughline refill {site.service}" in pulse.trouble
        with pytest.raises(StoreFenced):
            await site.append(streams=1, commits=1, store=store)
        async with running(relay):
            await asyncio.sleep(0.5)
            added = await Refill(site.database, site.kafka, site.service, site.decoder()).run()
            assert added.entries > 0
            async with asyncio.timeout(AT_MOST_SECONDS):
                while store.fence_reason:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
            await site.append(streams=9, commits=1, store=store)
            await site.until(site.appended)
        await site.verify()


async def test_a_backup_with_commits_that_its_ledger_lacks_is_refilled_too(servers: Stack):
    async with a_site(servers) as site:
        async with running(site.relay()):
            await site.append(streams=4, commits=2)
            await site.until(site.appended)
        await site.append(streams=6, commits=2)
        backup = await a_backup(site)
        async with running(site.relay()):
            await site.append(streams=6, commits=2)
            await site.until(site.appended)
        await restore(site, backup)
        await Refill(site.database, site.kafka, site.service, site.decoder()).run()
        assert await site.relay().check()
        await site.verify()


async def test_an_interrupted_refill_can_be_run_again(servers: Stack, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("shared.ledger.recorded_commits.BATCH_ENTRIES", 7)
    async with a_site(servers) as site:
        await a_restored_site(site)

        def interrupt(done: int, total: int) -> None:
            if done > total // 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            await Refill(site.database, site.kafka, site.service, site.decoder()).run(interrupt)
        await Refill(site.database, site.kafka, site.service, site.decoder()).run()
        async with running(site.relay()):
            await site.append(streams=2, commits=1)
            await site.until(site.appended)
        await site.verify()


async def test_a_store_that_diverged_after_the_restore_is_not_refilled(servers: Stack):
    async with a_site(servers) as site:
        await a_restored_site(site)
        await site.append(streams=9, commits=1)
        with pytest.raises(CannotRefill):
            await Refill(site.database, site.kafka, site.service, site.decoder()).run()


async def test_a_store_that_was_never_restored_passes_the_check_and_needs_no_refill(servers: Stack):
    async with a_site(servers) as site:
        async with running(site.relay()):
            await site.append(streams=4, commits=2)
            await site.until(site.appended)
        assert await site.relay().check()
        assert (await Refill(site.database, site.kafka, site.service, site.decoder()).run()).entries == 0


async def a_forgery(site: Site, position: int) -> None:
    """Publish an unsigned record that continues a stream, at a position."""
    raws = await EventStore(site.database).read_bytes("instrument/s0")
    record = forgery(raws[-1], sha256_hex(raws[-1]), None, position)
    async with AIOKafkaProducer(**site.kafka.client()) as producer:
        await producer.send_and_wait(
            f"throughline.{site.service}", record.value, key=record.key, headers=record.headers
        )


@pytest.mark.parametrize("ahead", [0, 1, 7])
async def test_an_unsigned_record_past_the_ledger_fences_no_store(servers: Stack, ahead: int):
    async with a_site(servers) as site:
        async with running(site.relay()):
            await site.append(streams=4, commits=2)
            await site.until(site.appended)
        await a_forgery(site, position=site.appended + ahead)
        assert await site.relay().check()
        assert (await Refill(site.database, site.kafka, site.service, site.decoder()).run()).entries == 0


@pytest.mark.parametrize("ahead", [-1, 0, 1, 7])
async def test_an_unsigned_record_beside_lost_events_is_not_refilled(servers: Stack, ahead: int):
    async with a_site(servers) as site:
        await a_restored_site(site)
        await a_forgery(site, position=site.appended + ahead)
        assert not await site.relay().check()
        await Refill(site.database, site.kafka, site.service, site.decoder()).run()
        assert await site.relay().check()
        entries = [entry async for batch in Ledger(site.database).since(0) for entry in batch.entries]
        assert len(entries) == site.appended
        await site.verify()


async def test_a_disconnected_database_takes_no_commits_until_it_is_checked(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
):
    checked = asyncio.Event()

    async def disconnect(_lease: Lease) -> bool:
        raise AutoReconnect("synthetic")

    async def wait_until_checked(*_: Any) -> None:
        await checked.wait()

    async with a_site(servers) as site:
        store = EventStore(site.database)
        relay = Relay(site.database, store, site.kafka, site.service, Pulse("relay"), site.keys)
        async with running(relay):
            await site.append(streams=2, commits=1, store=store)
            await site.until(site.appended)
            with monkeypatch.context() as broken:
                broken.setattr("shared.ledger.relay_check.ensure_ledger_matches_topic", wait_until_checked)
                broken.setattr(Lease, "take", disconnect)
                async with asyncio.timeout(AT_MOST_SECONDS):
                    while store.fence_reason is None:  # noqa: ASYNC110
                        await asyncio.sleep(0.05)
                with pytest.raises(StoreFenced):
                    await site.append(streams=1, commits=1, store=store)
            checked.set()
            async with asyncio.timeout(AT_MOST_SECONDS):
                while store.fence_reason is not None:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await site.append(streams=2, commits=1, store=store)
            await site.until(site.appended)
