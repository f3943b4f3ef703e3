"""Signed checkpoints of a service's ledger, and the full tiles below them: insert-only, stored for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from shared.ledger.commit_feed import bytes_of
from shared.ledger.ledger import Entry, Ledger
from shared.store.event_store import DURABLE
from shared.store.indexes import Indexes
from shared.tlog.merkle import TILE_WIDTH, FullTile, Tree, root_of, split
from shared.tlog.tiles import Tile, bundle

INDEXES: Indexes = {"checkpoints": [], "tiles": []}


@dataclass(frozen=True)
class SignedCheckpoint:
    """A signed checkpoint: a C2SP signed note, and the size of the log that it signs."""

    size: int
    note: bytes


class Checkpoints:
    """The checkpoints of one service, one per size, and its full tiles.

    `believes` tells whether a trusted key signed a note: a stolen key may have signed what is stored here for ever.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any], believes: Callable[[bytes], bool] = bool) -> None:
        self._believes = believes
        majority = ReadConcern("majority")
        self._checkpoints = database.get_collection("checkpoints", write_concern=DURABLE, read_concern=majority)
        self._tiles = database.get_collection("tiles", write_concern=DURABLE, read_concern=majority)
        self._database, self._ledger = database, Ledger(database)

    async def insert(self, checkpoint: SignedCheckpoint) -> bool:
        """Store a checkpoint; False where one of its size is stored already."""
        try:
            await self._checkpoints.insert_one({"_id": checkpoint.size, "note": checkpoint.note})
        except DuplicateKeyError:
            return False
        return True

    async def newest(self) -> SignedCheckpoint | None:
        """Return the believed checkpoint of the largest size."""
        async for document in self._checkpoints.find().sort("_id", -1):
            if self._believes(note := bytes(document["note"])):
                return SignedCheckpoint(document["_id"], note)
        return None

    async def after(self, size: int, limit: int = 0) -> list[SignedCheckpoint]:
        """Return the checkpoints larger than a size, in order; all of them without a limit."""
        documents = self._checkpoints.find({"_id": {"$gt": size}}).sort("_id", 1).limit(limit)
        return [SignedCheckpoint(each["_id"], bytes(each["note"])) async for each in documents]

    async def breaks(self) -> list[bytes]:
        """Return the declared breaks of the log, the oldest first."""
        return await self._ledger.breaks()

    async def published(self) -> int:
        """Return the number of published events, which the log may sign."""
        return await self._ledger.published()

    async def stored_tiles(self, level: int) -> int:
        """Return the number of full tiles of a level that are stored."""
        last = await self._tiles.find_one({"_id.l": level}, {"_id": 1}, sort=[("_id", -1)])
        return int(last["_id"]["n"]) + 1 if last else 0

    async def insert_tiles(self, tiles: Sequence[FullTile]) -> None:
        """Store full tiles in order, so that each is stored after those below it and to its left."""
        for level, index, hashes in tiles:
            try:
                await self._tiles.insert_one({"_id": {"l": level, "n": index}, "hashes": hashes})
            except DuplicateKeyError:
                continue

    async def tile(self, tile: Tile) -> bytes | None:
        """Return a tile or an entry bundle, partial ones included; None past the end of the ledger.

        Raises LookupError where the ledger names an event that the store lacks.
        """
        if tile.level is None:
            return await self._entries(tile)
        level = tile.level
        document = await self._tiles.find_one({"_id": {"l": level, "n": tile.index}})
        if document is not None:
            return bytes(document["hashes"])[: tile.width * 32]
        hashes = await (self._from_ledger(tile) if level == 0 else self._from_below(level - 1, tile))
        return b"".join(hashes) if len(hashes) == tile.width else None

    async def _from_ledger(self, tile: Tile) -> list[bytes]:
        first = tile.index * TILE_WIDTH
        return [leaf async for leaf in leaves(self._ledger, first, first + tile.width)]

    async def _from_below(self, level: int, tile: Tile) -> list[bytes]:
        """Return the roots of the full tiles of the level below."""
        first = tile.index * TILE_WIDTH
        span = {"_id": {"$gte": {"l": level, "n": first}, "$lt": {"l": level, "n": first + tile.width}}}
        return [root_of(split(bytes(each["hashes"]))) async for each in self._tiles.find(span).sort("_id", 1)]

    async def _entries(self, tile: Tile) -> bytes | None:
        entries: list[Entry] = []
        async for batch in self._ledger.since(tile.index * TILE_WIDTH):
            entries += batch.entries[: tile.width - len(entries)]
            if len(entries) == tile.width:
                raws = await bytes_of(self._database, entries)
                return bundle(raws[entry.stream, entry.version] for entry in entries)
        return None


async def leaves(ledger: Ledger, start: int, end: int) -> AsyncIterator[bytes]:
    """Yield a ledger's leaf hashes from position `start` to before `end`, or to its own end."""
    async for batch in ledger.since(start):
        for entry in batch.entries[: end - batch.first]:
            yield bytes.fromhex(entry.leaf)
        if batch.end >= end:
            return


async def root_at(ledger: Ledger, size: int) -> bytes | None:
    """Return the root over a ledger's first `size` entries; None where it is shorter."""
    tree = Tree()
    async for leaf in leaves(ledger, 0, size):
        tree.add(leaf)
    return tree.root() if tree.size == size else None
