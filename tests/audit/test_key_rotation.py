"""A rotation of a log's key: readers follow it by themselves, and the old key signs nothing more."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.consumer.decoder import RecordDecoder, Rotations
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison, topic_of
from shared.consumer.topic_reader import read_topic
from shared.ledger import relay as relay_module
from shared.ledger.commit_feed import CommitFeed
from shared.ledger.ledger import Ledger
from shared.ledger.ledger_writer import LedgerWriter
from shared.ledger.producer import idempotent_producer
from shared.ledger.relay import Relay
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from shared.tlog.keys import LogKeys
from shared.tlog.notes import Signer, Verifier
from shared.tlog.trust import LogTrust
from tests.faults.relaying import Site, a_site, running
from tests.patience import AT_MOST_SECONDS
from tests.proofs import signed_headers
from tools.local.stack import Stack

pytestmark = pytest.mark.servers


def a_reader(site: Site, *pinned: Verifier) -> RecordDecoder:
    """Return a decoder that follows rotations from pinned keys."""
    trust = LogTrust(pinned)
    return RecordDecoder(trust, Rotations(site.kafka, [site.service], trust))


async def records_of(site: Site) -> list[KafkaRecord]:
    return [record async for record in read_topic(site.kafka, topic_of(site.service))]


async def relayed(site: Site, keys: LogKeys) -> None:
    """Append events, and relay them with these keys."""
    site.keys = keys
    async with running(site.relay()):
        await site.append(streams=3, commits=2)
        await site.until(site.appended)


async def test_a_reader_follows_a_rotation_from_the_old_key_and_from_the_new_one(servers: Stack) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        reader = a_reader(site, old.signer.verifier)
        await reader.decode([])
        await relayed(site, old.rotated())
        new = site.keys.signer.verifier
        records = await records_of(site)
        for decoder in (reader, a_reader(site, old.signer.verifier), a_reader(site, new)):
            assert all(isinstance(item, ConsumedEvent) for item in await decoder.decode(records))
        assert reader.trust.is_replaced(old.signer.verifier)


async def test_the_old_key_signs_nothing_that_readers_believe_past_the_rotation(servers: Stack) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        size = (await records_of(site)).__len__()
        await relayed(site, old.rotated())
        last = (await records_of(site))[-1]
        stolen = signed_headers(last.value or b"", site.appended + 1, old.signer)
        reader = a_reader(site, old.signer.verifier)
        forged = KafkaRecord(last.topic, 0, 10_000, last.key, last.value, stolen)
        (item,) = await reader.decode([forged])
        assert isinstance(item, Poison)
        assert item.detail == f"its key was replaced from position {size} on"


async def test_an_instance_with_the_replaced_key_relays_no_more_and_says_why(servers: Stack) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        await relayed(site, old.rotated())
        pulse = Pulse("relay")
        late = Relay(site.database, EventStore(site.database), site.kafka, site.service, pulse, old)
        await site.append(streams=1, commits=1)
        async with running(late), asyncio.timeout(AT_MOST_SECONDS):
            while "was replaced" not in pulse.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await Ledger(site.database).published() == site.appended - len(await unpublished(site))
        assert await unpublished(site)
        site.keys = LogKeys(site.keys.signer, site.keys.retired)
        async with running(site.relay()):
            await site.until(site.appended)
        await site.verify()


async def unpublished(site: Site) -> list[int]:
    """Return the positions, counted from the published one, of the events that are not published."""
    return list(range(await Ledger(site.database).published(), site.appended))


async def test_a_key_without_a_rotation_relays_nothing_unless_the_old_one_is_called_compromised(servers: Stack) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        new, pulse = LogKeys(Signer.generate(old.signer.name)), Pulse("relay")
        other = Relay(site.database, EventStore(site.database), site.kafka, site.service, pulse, new)
        await site.append(streams=1, commits=1)
        async with running(other), asyncio.timeout(AT_MOST_SECONDS):
            while "THROUGHLINE_DISTRUSTED_KEYS" not in pulse.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await unpublished(site)
        distrusted = RecordDecoder(LogTrust([new.signer.verifier], [old.signer.verifier.key_id.hex()]))
        store = EventStore(site.database)
        async with running(Relay(site.database, store, site.kafka, site.service, Pulse("relay"), new, distrusted)):
            await site.until(site.appended)


async def test_what_another_relay_published_with_the_replaced_key_is_published_again(
    servers: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        announce, published = relay_module.announce_key, asyncio.Event()

        async def announce_before_the_other_publishes(*arguments: Any) -> None:
            await announce(*arguments)
            monkeypatch.setattr(relay_module, "announce_key", announce)
            await site.append(streams=2, commits=2)
            await publish_as_a_leader(site, old)
            published.set()

        monkeypatch.setattr(relay_module, "announce_key", announce_before_the_other_publishes)
        site.keys = old.rotated()
        async with running(site.relay()), asyncio.timeout(AT_MOST_SECONDS):
            await published.wait()
            reader, positions = a_reader(site, old.signer.verifier), set[int]()
            while positions != set(range(site.appended)):
                decoded = await reader.decode(await records_of(site))
                positions = {item.position for item in decoded if isinstance(item, ConsumedEvent)}
                await asyncio.sleep(0.1)
        await site.verify()


async def publish_as_a_leader(site: Site, keys: LogKeys) -> None:
    """Enter and publish what is appended, as a relay does that does not know yet that it leads no more."""
    relay = Relay(site.database, EventStore(site.database), site.kafka, site.service, Pulse("relay"), keys)
    async with (
        idempotent_producer(site.kafka) as producer,
        await site.database.client.start_session() as session,
    ):
        feed = CommitFeed(site.database, session)
        writer = LedgerWriter(Ledger(site.database), feed)
        await writer.load()
        relay.published = writer.end
        await relay._topic_check.load()
        await relay._catch_up(feed, writer, producer, await feed.open(None))


async def test_a_second_rotation_of_a_stolen_old_key_relays_nothing(servers: Stack) -> None:
    async with a_site(servers) as site:
        old = site.keys
        await relayed(site, old)
        await relayed(site, old.rotated())
        pulse, thief = Pulse("relay"), LogKeys(Signer.generate(old.signer.name), (old.signer.verifier,), old.signer)
        late = Relay(site.database, EventStore(site.database), site.kafka, site.service, pulse, thief)
        await site.append(streams=1, commits=1)
        async with running(late), asyncio.timeout(AT_MOST_SECONDS):
            while "signs" not in pulse.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await unpublished(site)
