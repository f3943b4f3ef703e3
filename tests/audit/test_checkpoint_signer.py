"""The checkpoint signer signs the ledger and nothing else: once per size, across crashes and restores."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from shared.consumer.decoder import RecordDecoder
from shared.ledger.checkpoint_signer import CheckpointSigner
from shared.ledger.checkpoint_topic import checkpoints_published, publish_checkpoints
from shared.ledger.checkpoints import Checkpoints, SignedCheckpoint, root_at
from shared.ledger.ledger import Batch, Entry, Ledger
from shared.ledger.refill import Refill
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings
from shared.runtime.telemetry import Pulse
from shared.store.event_store import EventStore
from shared.tlog.checkpoints import Checkpoint, opened
from shared.tlog.keys import LogKeys
from shared.tlog.notes import Signer
from shared.tlog.tiles import Tile, tiles_of
from shared.tlog.trust import LogTrust
from tests.faults.relaying import Site, a_site, running
from tests.patience import AT_MOST_SECONDS
from tools.local.stack import Stack

pytestmark = pytest.mark.servers
RESTORED = ("commits", "ledger", "relay", "checkpoints", "tiles")


@dataclass
class SignedLog:
    """A site whose ledger is signed with keys of its own."""

    site: Site
    keys: LogKeys
    events: int = 40

    @property
    def trust(self) -> LogTrust:
        """The trust in the log's keys."""
        return LogTrust(self.keys.verifiers)

    def settings(self) -> Settings:
        """Return the settings of an instance."""
        return Settings(
            **self.site.kafka.settings(),
            mongodb=SecretStr(""),
            database="synthetic",
            jwks="",
            checkpoint_events=self.events,
            checkpoint_seconds=0.3,
        )

    def instance(self, keys: LogKeys | None = None) -> tuple[Relay, CheckpointSigner, Pulse]:
        """Return the relay and the signer of one instance of a service."""
        keys = keys or self.keys
        site, pulse = self.site, Pulse("sealer")
        settings = self.settings()
        store = EventStore(site.database)
        relay = Relay(site.database, store, site.kafka, site.service, Pulse("relay"), keys)
        return relay, CheckpointSigner(site.database, relay, settings, keys, site.service, pulse), pulse

    @asynccontextmanager
    async def running(self, keys: LogKeys | None = None) -> AsyncIterator[Pulse]:
        """Run an instance."""
        relay, signer, pulse = self.instance(keys)
        async with running(relay), running(signer):  # type: ignore[arg-type]
            yield pulse

    async def until_signed(self, size: int) -> None:
        """Wait until a checkpoint covers so many events, and is on the topic too."""
        checkpoints, site, trust = Checkpoints(self.site.database), self.site, self.trust
        async with asyncio.timeout(AT_MOST_SECONDS):
            while (newest := await checkpoints.newest()) is None or newest.size < size:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while newest.size not in await checkpoints_published(site.kafka, site.service, trust):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    async def verify(self) -> None:
        """Assert that every checkpoint is signed, true to the ledger, and on the topic; and that every tile is true."""
        ledger, checkpoints = Ledger(self.site.database), Checkpoints(self.site.database)
        published = await checkpoints_published(self.site.kafka, self.site.service, self.trust)
        stored = {each.size: each.note for each in await checkpoints.after(-1)}
        assert published == stored
        for size, note in stored.items():
            checkpoint, _, by = opened(note, self.keys.verifiers)
            assert by
            assert (checkpoint.size, checkpoint.root) == (size, await root_at(ledger, size))
        for tile in tiles_of(max(stored)):
            hashes = await checkpoints.tile(tile)
            assert hashes is not None
            assert len(hashes) == tile.width * 32


def keys_of(site: Site) -> LogKeys:
    return LogKeys(Signer.generate(f"throughline.synthetic/{site.service}"))


@asynccontextmanager
async def signed_log(servers: Stack) -> AsyncIterator[SignedLog]:
    async with a_site(servers) as site:
        yield SignedLog(site, site.keys)


async def test_a_checkpoint_that_only_a_compromised_key_signed_counts_for_nothing(servers: Stack) -> None:
    async with signed_log(servers) as log:
        site, stolen = log.site, log.keys.signer
        async with log.running():
            await site.append(streams=2, commits=2)
            await log.until_signed(site.appended)
        forged = Checkpoint(stolen.name, 10**9, bytes(32)).signed(stolen).raw()
        assert await Checkpoints(site.database).insert(SignedCheckpoint(10**9, forged))
        log.keys = keys_of(site)
        trust = LogTrust(log.keys.verifiers, [stolen.verifier.key_id.hex()])
        relay = Relay(
            site.database, EventStore(site.database), site.kafka, site.service, Pulse("relay"), log.keys,
            RecordDecoder(trust),
        )  # fmt: skip
        pulse = Pulse("sealer")
        signer = CheckpointSigner(site.database, relay, log.settings(), log.keys, site.service, pulse)
        async with running(relay), running(signer), asyncio.timeout(AT_MOST_SECONDS):  # type: ignore[arg-type]
            await site.append(streams=2, commits=2)
            while site.appended not in await checkpoints_published(site.kafka, site.service, trust):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        newest = await signer.checkpoints.newest()
        assert newest is not None
        assert newest.size == site.appended
        assert pulse.trouble == ""


async def test_the_signer_signs_an_empty_ledger_and_then_published_events(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.until_signed(0)
            await log.site.append(streams=5, commits=4)
            await log.until_signed(log.site.appended)
        await log.verify()
        assert (await Checkpoints(log.site.database).after(-1))[0].size == 0


@pytest.mark.drill
async def test_full_tiles_are_stored(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.site.append(streams=30, commits=14)
            await log.until_signed(log.site.appended)
        await log.verify()
        checkpoints = Checkpoints(log.site.database)
        assert await checkpoints.stored_tiles(0) == log.site.appended // 256 > 1
        assert await checkpoints.tile(Tile(0, 900)) is None
        async with log.running():
            await log.site.append(streams=30, commits=8)
            await log.until_signed(log.site.appended)
        await log.verify()


async def test_the_signer_signs_published_events_at_its_end(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.until_signed(0)
            await log.site.append(streams=3, commits=1)
            await log.site.until(log.site.appended)
        newest = await Checkpoints(log.site.database).newest()
        assert newest is not None
        assert newest.size == log.site.appended
        await log.verify()


async def test_two_instances_sign_one_history(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running(), log.running():
            await log.site.append(streams=8, commits=6)
            await log.until_signed(log.site.appended)
        await log.verify()


async def test_a_key_rotation_leaves_the_earlier_checkpoints_valid(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.site.append(streams=3, commits=2)
            await log.until_signed(log.site.appended)
        log.keys = log.keys.rotated()
        async with log.running():
            await log.site.append(streams=3, commits=2)
            await log.until_signed(log.site.appended)
        await log.verify()
        by = {opened(each.note, log.keys.verifiers)[2] for each in await Checkpoints(log.site.database).after(-1)}
        assert by == {(key,) for key in log.keys.verifiers}


async def test_a_restored_ledger_must_reach_its_last_published_checkpoint(servers: Stack) -> None:
    async with signed_log(servers) as log:
        site = log.site
        async with log.running():
            await site.append(streams=4, commits=3)
            await log.until_signed(site.appended)
            backup = {name: await site.database[name].find().to_list(None) for name in RESTORED}
            await site.append(streams=4, commits=3)
            await log.until_signed(site.appended)
        for name, documents in backup.items():
            await site.database[name].delete_many({})
            if documents:
                await site.database[name].insert_many(documents)
        relay, _, _ = log.instance()
        assert not await relay.check()
        assert "throughline.checkpoints holds a checkpoint of" in str(relay._store.fence_reason)
        assert f"throughline refill {site.service}" in str(relay._store.fence_reason)


@pytest.mark.internals
async def test_a_ledger_that_diverged_from_its_checkpoint_is_not_signed_again(servers: Stack) -> None:
    async with signed_log(servers) as log:
        site = log.site
        async with log.running():
            await site.append(streams=4, commits=3)
            await log.until_signed(site.appended)
        before = await Checkpoints(site.database).after(-1)
        batch: Any = await site.database.ledger.find_one({"_id": 0})
        batch["entries"][0][2] = "0" * 64
        await site.database.ledger.replace_one({"_id": 0}, batch)
        relay, signer, pulse = log.instance()
        assert not await relay.check()
        assert "where the ledger has others" in str(relay._store.fence_reason)
        relay.term = 1
        async with running(signer):  # type: ignore[arg-type]
            async with asyncio.timeout(AT_MOST_SECONDS):
                while "do not make the root" not in pulse.trouble:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        assert await Checkpoints(site.database).after(-1) == before


@pytest.mark.internals
async def test_a_signer_that_finds_its_ledger_diverged_in_a_later_term_signs_nothing_at_its_end(servers: Stack) -> None:
    async with signed_log(servers) as log:
        site = log.site
        async with log.running():
            await site.append(streams=4, commits=3)
            await log.until_signed(site.appended)
        before = await Checkpoints(site.database).after(-1)
        relay, signer, pulse = log.instance()
        relay.term, relay.published = 1, site.appended
        async with running(signer), asyncio.timeout(AT_MOST_SECONDS):  # type: ignore[arg-type]
            while signer._head is None:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            batch: Any = await site.database.ledger.find_one({"_id": 0})
            batch["entries"][0][2] = "0" * 64
            await site.database.ledger.replace_one({"_id": 0}, batch)
            ledger, more = Ledger(site.database), Batch(site.appended, (Entry("instrument/more", 1, "1" * 64),), None)
            await ledger.enter(more)
            await ledger.raise_published(more.end)
            relay.term = 2
            while "do not make the root" not in pulse.trouble:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        assert await Checkpoints(site.database).after(-1) == before


@pytest.mark.internals
async def test_the_signer_signs_nothing_for_a_relay_behind_the_last_checkpoint(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.site.append(streams=4, commits=3)
            await log.until_signed(log.site.appended)
        before = await Checkpoints(log.site.database).after(-1)
        relay, signer, _ = log.instance()
        relay.term, relay.published = 1, log.site.appended - 5
        async with running(signer):  # type: ignore[arg-type]
            async with asyncio.timeout(AT_MOST_SECONDS):
                while signer._head is None or signer._head.tree.size < relay.published:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await asyncio.sleep(1)
        assert signer._head.tree.size == log.site.appended
        assert await Checkpoints(log.site.database).after(-1) == before


async def test_checkpoints_that_a_restored_database_lacks_are_restored_from_their_topic(servers: Stack) -> None:
    async with signed_log(servers) as log:
        async with log.running():
            await log.site.append(streams=4, commits=3)
            await log.until_signed(log.site.appended)
        stored = await Checkpoints(log.site.database).after(-1)
        await log.site.database.checkpoints.delete_many({"_id": {"$gt": 0}})
        async with log.running():
            await log.until_signed(log.site.appended)
        assert await Checkpoints(log.site.database).after(-1) == stored


async def test_a_published_note_without_a_valid_signature_is_ignored(servers: Stack) -> None:
    async with signed_log(servers) as log:
        forger = SignedLog(log.site, keys_of(log.site))
        note = Checkpoint(log.keys.signer.name, 1_000_000, bytes(32)).signed(forger.keys.signer).raw()
        await publish_checkpoints(log.site.kafka, log.site.service, {1_000_000: note})
        async with log.running():
            await log.site.append(streams=3, commits=1)
            await log.until_signed(log.site.appended)
        await log.verify()


async def test_a_refilled_ledger_continues_its_checkpoints(servers: Stack) -> None:
    async with signed_log(servers) as log:
        site = log.site
        async with log.running():
            await site.append(streams=4, commits=3)
            await log.until_signed(site.appended)
        stored = await Checkpoints(site.database).after(-1)
        for name in RESTORED:
            await site.database[name].delete_many({})
        await Refill(site.database, site.kafka, site.service, site.decoder()).run()
        async with log.running():
            await site.append(streams=5, commits=1)
            await log.until_signed(site.appended)
        await log.verify()
        assert (await Checkpoints(site.database).after(-1))[: len(stored)] == stored
