"""The checkpoint signer: signs checkpoints over the ledger, stores them, and publishes them, beside the relay.

It never signs two roots for one size: a checkpoint is inserted once under its size, over entries read back with
majority, and only by the instance that relays. It refuses to sign a ledger that is shorter than its last checkpoint, or
different from it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import PyMongoError

from shared.consumer.decoder import Rotations
from shared.consumer.kafka_authorization import raise_if_refused, trouble_of
from shared.ledger.checkpoint_topic import (
    believed,
    checkpoints_end,
    checkpoints_published,
    publish_checkpoints,
    publish_lost_breaks,
)
from shared.ledger.checkpoints import Checkpoints, SignedCheckpoint, leaves, root_at
from shared.ledger.key_rotation import publish_lost_rotations
from shared.ledger.ledger import Ledger
from shared.ledger.relay import Relay
from shared.runtime.settings import Settings
from shared.runtime.telemetry import SIGNED_AT, SIGNED_SIZE, Pulse
from shared.tlog.checkpoints import Checkpoint
from shared.tlog.keys import LogKeys
from shared.tlog.merkle import FullTile, Tree
from shared.tlog.notes import Note

POLL_SECONDS = 0.25
RETRY_SECONDS = 1.0
LOOK_SECONDS = 30.0
TILES_PER_INSERT = 100
LEVELS = 7
LAST_CHECKPOINT_SECONDS = 10.0

log = structlog.get_logger()


class LedgerDiverged(Exception):
    """The ledger does not continue its last checkpoint, and must not be signed again."""


@dataclass
class LogHead:
    """The log as one term of the relay signs it: its tree, the counts of stored tiles by level, the size last signed.

    `signed` is -1 before the first checkpoint. `unsigned_since` is the time of the first event not signed yet.
    """

    term: int
    tiles: Mapping[int, int]
    signed: int
    tree: Tree = field(default_factory=Tree)
    full: list[FullTile] = field(default_factory=list)
    unsigned_since: float | None = None


class CheckpointSigner:
    """The checkpoint signer of one service."""

    def __init__(
        self,
        database: AsyncIOMotorDatabase[Any],
        relay: Relay,
        settings: Settings,
        keys: LogKeys,
        service: str,
        pulse: Pulse,
    ) -> None:
        self._ledger, self.checkpoints = Ledger(database), Checkpoints(database, self._believes)
        self._relay, self._settings, self._keys = relay, settings, keys
        self._kafka = settings.kafka_access()
        self._service, self._pulse = service, pulse
        self._head: LogHead | None = None
        self._unpublished: dict[int, bytes] = {}
        self._topic_end = ("", 0)
        self._looked = float("-inf")

    async def run(self) -> None:
        """Sign until cancelled, and once more then; after an error of a server, begin again from the ledger."""
        try:
            while True:
                try:
                    await self._sign_when_due()
                    self._pulse.beat()
                    await asyncio.sleep(POLL_SECONDS)
                except LedgerDiverged as finding:
                    self._pulse.stop(str(finding))
                    log.error("ledger_diverged", finding=str(finding))
                    await asyncio.sleep(RETRY_SECONDS)
                except (PyMongoError, KafkaError, OSError, TimeoutError) as error:
                    self._head = None
                    self._pulse.fault(trouble_of(error))
                    log.warning("checkpoint_signer_interrupted", error=type(error).__name__, detail=str(error)[:300])
                    if isinstance(error, KafkaError):
                        await raise_if_refused(error, self._kafka)
                    await asyncio.sleep(RETRY_SECONDS)
        finally:
            await asyncio.shield(self._sign_last())

    async def _sign_when_due(self) -> None:
        """Add published events to the tree; sign it after enough events, or once one has waited long enough."""
        term = self._relay.term
        if term is None:
            return
        if self._head is None or self._head.term != term or await self._topic_lost():
            self._head = None
            with self._pulse.long_work():
                self._head = await self._begin(term)
        head = self._head
        with self._pulse.long_work():
            await self._grow(head, self._relay.published)
        unsigned = head.tree.size - max(head.signed, 0)
        if unsigned <= 0 <= head.signed:
            head.unsigned_since = None
            return
        now = time.monotonic()
        head.unsigned_since = head.unsigned_since or now
        waited = now - head.unsigned_since >= self._settings.checkpoint_seconds
        if waited or unsigned >= self._settings.checkpoint_events or head.signed < 0:
            await self._sign(head)

    async def _topic_lost(self) -> bool:
        """Tell, every half minute, whether the topic was made again or has lost checkpoints."""
        if time.monotonic() - self._looked < LOOK_SECONDS:
            return False
        (noted, reached), (uuid, end) = self._topic_end, await checkpoints_end(self._kafka, self._service)
        self._topic_end, self._looked = (uuid, end), time.monotonic()
        lost = uuid != noted or end < reached
        if lost:
            log.warning("checkpoint_topic_lost", uuid=uuid, end=end)
        return lost

    async def _begin(self, term: int) -> LogHead:
        """Return the log's head for a term: synchronize the checkpoints of store and topic, verify the ledger by them.

        Raises LedgerDiverged.
        """
        await self._synchronize_checkpoints()
        tiles = {level: await self.checkpoints.stored_tiles(level) for level in range(LEVELS)}
        newest = await self.checkpoints.newest()
        if newest is None:
            return LogHead(term, tiles, signed=-1)
        signed = Checkpoint.parse(Note.parse(newest.note).text)
        root = await root_at(self._ledger, signed.size)
        if root is None:
            raise LedgerDiverged(f"the ledger is shorter than its last checkpoint, of {signed.size} events")
        if root != signed.root:
            raise LedgerDiverged(
                f"the first {signed.size} events of the ledger do not make the root that was signed for them"
            )
        return LogHead(term, tiles, signed.size)

    async def _synchronize_checkpoints(self) -> None:
        """Store the published checkpoints; publish the stored ones, and rotations of the key. Raises LedgerDiverged."""
        rotations = Rotations(self._kafka, [self._service], self._relay.decoder.trust)
        await publish_lost_rotations(self._ledger, rotations, self._service)
        await publish_lost_breaks(self._ledger, self._kafka, self._service)
        published = await checkpoints_published(self._kafka, self._service, self._relay.decoder.trust)
        for size, note in published.items():
            await self.checkpoints.insert(SignedCheckpoint(size, note))
        stored = {each.size: each.note for each in await self.checkpoints.after(-1)}
        differing = {
            size: note for size, note in stored.items() if note != published.get(size) and self._believes(note)
        }
        await self._publish({size: note for size, note in differing.items() if size not in published})
        self._topic_end, self._looked = await checkpoints_end(self._kafka, self._service), time.monotonic()
        self._unpublished.clear()
        if forked := differing.keys() & published.keys():
            raise LedgerDiverged(f"store and topic hold different checkpoints of {min(forked)} events")

    def _believes(self, note: bytes) -> bool:
        return believed(note, self._service, self._relay.decoder.trust) is not None

    async def _grow(self, head: LogHead, size: int) -> None:
        """Add ledger entries to the tree up to `size`, and store the tiles that become full."""
        if size > head.tree.size:
            async for leaf in leaves(self._ledger, head.tree.size, size):
                head.full += [tile for tile in head.tree.add(leaf) if tile[1] >= head.tiles.get(tile[0], 0)]
                if len(head.full) >= TILES_PER_INSERT:
                    await self._insert_tiles(head)
        await self._insert_tiles(head)

    async def _insert_tiles(self, head: LogHead) -> None:
        await self.checkpoints.insert_tiles(head.full)
        head.full.clear()

    async def _sign(self, head: LogHead) -> None:
        """Sign a checkpoint at the tree's size, store it, publish it."""
        signer = self._keys.signer
        note = Checkpoint(signer.name, head.tree.size, head.tree.root()).signed(signer).raw()
        checkpoint = SignedCheckpoint(head.tree.size, note)
        if await self.checkpoints.insert(checkpoint):
            self._unpublished[checkpoint.size] = note
            await self._publish(self._unpublished)
            self._unpublished.clear()
        head.signed, head.unsigned_since = checkpoint.size, None
        SIGNED_SIZE.labels(self._service).set(checkpoint.size)
        SIGNED_AT.labels(self._service).set_to_current_time()
        log.info("checkpoint_signed", size=checkpoint.size)

    async def _publish(self, notes: Mapping[int, bytes]) -> None:
        await publish_checkpoints(self._kafka, self._service, notes)

    async def _sign_last(self) -> None:
        """Sign the events published before the end, if this instance relayed and its servers still answer."""
        try:
            async with asyncio.timeout(LAST_CHECKPOINT_SECONDS):
                if (head := self._head) is not None:
                    await self._grow(head, await self._ledger.published())
                    if head.tree.size > head.signed:
                        await self._sign(head)
                    await self._publish(self._unpublished)
        except (PyMongoError, KafkaError, OSError, TimeoutError) as error:
            log.warning("last_checkpoint_failed", error=type(error).__name__)
