"""The sealer: signs checkpoints over what the ledger holds, keeps them, and publishes them. It works beside the relay.

It never signs two roots for one size: a checkpoint is inserted once under its size, over entries read back with
majority, and only by the instance that relays. A ledger that is shorter than its last checkpoint, or different, is not
signed again.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from shared.ledger.checkpoints import Checkpoints, SignedCheckpoint, leaves, root_at
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.ledger.restore_check import CHECKPOINTS, checkpoints_published, partition_of
from shared.runtime.settings import Settings
from shared.runtime.telemetry import SIGNED_SIZE, Pulse
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.keys import LogKeys
from shared.tlog.merkle import Tree
from shared.tlog.notes import Note

LOOK_SECONDS = 0.25
RETRY_SECONDS = 1.0
TILES_AT_ONCE = 100
LEVELS = 7
LAST_SEAL_SECONDS = 10.0

log = structlog.get_logger()


class LedgerDiverged(Exception):
    """The ledger is not what was signed before: it must not be signed again."""


class CheckpointSigner:
    """The sealer of one service."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Any],
        relay: Relay,
        settings: Settings,
        keys: LogKeys,
        service: str,
        pulse: Pulse,
    ) -> None:
        self._ledger, self.checkpoints = Ledger(database), Checkpoints(database)
        self._relay, self._settings, self._keys = relay, settings, keys
        self._service, self._pulse = service, pulse
        self._tree = Tree()
        self._tiles: dict[int, int] = {}
        self._full: list[tuple[int, int, bytes]] = []
        self._term: object | None = None
        self._sealed = -1
        self._due_since: float | None = None
        self._unpublished: dict[int, bytes] = {}

    async def run(self) -> None:
        """Seal until cancelled, and once more then; after trouble with a server, begin again from the ledger."""
        try:
            while True:
                try:
                    await self._look()
                    self._pulse.beat()
                    await asyncio.sleep(LOOK_SECONDS)
                except LedgerDiverged as finding:
                    self._pulse.stop(str(finding))
                    log.error("ledger_unlike_checkpoint", finding=str(finding))
                    await asyncio.sleep(RETRY_SECONDS)
                except (PyMongoError, KafkaError, OSError, TimeoutError) as error:
                    self._term = None
                    self._pulse.fault(f"{type(error).__name__}: {error}")
                    log.warning("sealer_interrupted", error=type(error).__name__)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await asyncio.shield(self._last_seal())

    async def _look(self) -> None:
        """Take what is published into the tree, and seal where enough has come or waited."""
        term = self._relay.term
        if term is None:
            return
        if term is not self._term:
            await self._begin()
            self._term = term
        await self._grow(self._relay.published)
        fresh = self._tree.size - max(self._sealed, 0)
        if fresh <= 0 <= self._sealed:
            self._due_since = None
            return
        now = time.monotonic()
        self._due_since = self._due_since or now
        waited = now - self._due_since >= self._settings.checkpoint_seconds
        if waited or fresh >= self._settings.checkpoint_events or self._sealed < 0:
            await self._seal()

    async def _begin(self) -> None:
        """Read the ledger anew, see that it is what was signed last, and let store and topic hold the same."""
        published = await checkpoints_published(self._settings.kafka, self._service, self._keys.verifiers)
        for size, note in published.items():
            await self.checkpoints.keep(SignedCheckpoint(size, note))
        kept = {each.size: each.note for each in await self.checkpoints.after(-1)}
        await self._publish({size: note for size, note in kept.items() if size not in published})
        self._unpublished.clear()
        if forked := [size for size in published if kept[size] != published[size]]:
            raise LedgerDiverged(f"store and topic hold different checkpoints of {min(forked)} events")
        self._tree, self._full, self._sealed, self._due_since = Tree(), [], -1, None
        self._tiles = {level: await self.checkpoints.tiles_kept(level) for level in range(LEVELS)}
        newest = await self.checkpoints.newest()
        if newest is None:
            return
        told = Checkpoint.parse(Note.parse(newest.note).text)
        root = await root_at(self._ledger, told.size)
        if root is None:
            raise LedgerDiverged(f"the ledger is shorter than its last checkpoint, of {told.size} events")
        if root != told.root:
            raise LedgerDiverged(
                f"the first {told.size} events of the ledger do not make the root that was signed for them"
            )
        self._sealed = told.size

    async def _grow(self, size: int) -> None:
        """Take ledger entries into the tree, and keep the tiles that become full."""
        if size > self._tree.size:
            async for leaf in leaves(self._ledger, self._tree.size, size):
                self._full += [tile for tile in self._tree.add(leaf) if tile[1] >= self._tiles.get(tile[0], 0)]
                if len(self._full) >= TILES_AT_ONCE:
                    await self._keep_tiles()
        await self._keep_tiles()

    async def _keep_tiles(self) -> None:
        await self.checkpoints.keep_tiles(self._full)
        self._full.clear()

    async def _seal(self) -> None:
        """Sign a checkpoint at the tree's size, keep it, publish it."""
        signer = self._keys.signer
        note = Checkpoint(signer.name, self._tree.size, self._tree.root()).signed(signer).raw()
        kept = SignedCheckpoint(self._tree.size, note)
        if await self.checkpoints.keep(kept):
            self._unpublished[kept.size] = note
            await self._publish(self._unpublished)
            self._unpublished.clear()
        self._sealed, self._due_since = kept.size, None
        SIGNED_SIZE.labels(self._service).set(kept.size)
        log.info("sealed", size=kept.size)

    async def _publish(self, notes: Mapping[int, bytes]) -> None:
        if not notes:
            return
        producer = AIOKafkaProducer(
            bootstrap_servers=self._settings.kafka, enable_idempotence=True, acks="all", request_timeout_ms=15_000
        )
        try:
            await producer.start()
            for _, note in sorted(notes.items()):
                await producer.send_and_wait(
                    CHECKPOINTS, note, key=self._service.encode(), partition=partition_of(self._service)
                )
        finally:
            await producer.stop()

    async def _last_seal(self) -> None:
        """Seal what was published before the end, if this instance relayed and its servers still answer."""
        try:
            async with asyncio.timeout(LAST_SEAL_SECONDS):
                if self._term is not None:
                    await self._grow(await self._ledger.published())
                    if self._tree.size > self._sealed:
                        await self._seal()
                    await self._publish(self._unpublished)
        except (PyMongoError, KafkaError, OSError, TimeoutError) as error:
            log.warning("last_seal_failed", error=type(error).__name__)
