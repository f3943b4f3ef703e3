"""The ledger: every stored event's position and leaf hash, one document per batch, insert-only.

`{_id: first position, entries: [[stream, version, leaf hash], ...], token}`. The next batch starts where this one
ends, so a second relay meets a duplicate key.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import DuplicateKeyError
from pymongo.read_concern import ReadConcern

from shared.store.event_store import DURABLE
from shared.store.indexes import Indexes

INDEXES: Indexes = {"ledger": [], "relay": []}
Token = Mapping[str, Any]


class Entry(NamedTuple):
    """One ledgered event: stream, version, and the RFC 6962 leaf hash of its bytes."""

    stream: str
    version: int
    leaf: str


@dataclass(frozen=True)
class Batch:
    """Consecutive entries from position `first` on, and the change stream token after them."""

    first: int
    entries: tuple[Entry, ...]
    token: Token | None

    @property
    def end(self) -> int:
        """The position after the last entry."""
        return self.first + len(self.entries)


class LedgerMoved(Exception):
    """Another relay entered a batch at this position."""


class Ledger:
    """The ledger of one service, and its published position."""

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._batches = database.get_collection("ledger", write_concern=DURABLE, read_concern=ReadConcern("majority"))
        self._progress = database.get_collection("relay", write_concern=DURABLE, read_concern=ReadConcern("majority"))

    async def enter(self, batch: Batch) -> None:
        """Store a batch durably, before the relay publishes any of it. Raises LedgerMoved."""
        entries = [[entry.stream, entry.version, entry.leaf] for entry in batch.entries]
        try:
            await self._batches.insert_one({"_id": batch.first, "entries": entries, "token": batch.token})
        except DuplicateKeyError:
            raise LedgerMoved(batch.first) from None

    async def last(self) -> Batch | None:
        """Return the newest batch, or None for an empty ledger."""
        document = await self._batches.find_one(sort=[("_id", -1)])
        return _batch(document) if document else None

    async def heads(self) -> dict[str, int]:
        """Return the last ledgered version of every stream."""
        pipeline: Sequence[Mapping[str, Any]] = [
            {"$unwind": "$entries"},
            {
                "$group": {
                    "_id": {"$arrayElemAt": ["$entries", 0]},
                    "version": {"$max": {"$arrayElemAt": ["$entries", 1]}},
                }
            },
        ]
        return {row["_id"]: row["version"] async for row in self._batches.aggregate(pipeline, allowDiskUse=True)}

    async def since(self, position: int) -> AsyncIterator[Batch]:
        """Yield the batches that hold `position` or later ones, in order, cut to start at `position`."""
        start = await self._batches.find_one({"_id": {"$lte": position}}, {"_id": 1}, sort=[("_id", -1)])
        async for document in self._batches.find({"_id": {"$gte": start["_id"] if start else 0}}).sort("_id", 1):
            batch = _batch(document)
            if batch.end > position:
                skipped = max(0, position - batch.first)
                yield Batch(batch.first + skipped, batch.entries[skipped:], batch.token)

    async def entry(self, position: int) -> Entry | None:
        """Return the entry at a position; None past the end."""
        place = {"$arrayElemAt": ["$entries", {"$subtract": [position, "$_id"]}]}
        batch = await self._batches.find_one({"_id": {"$lte": position}}, {"entry": place}, sort=[("_id", -1)])
        return Entry(*batch["entry"]) if batch and "entry" in batch else None

    async def published(self) -> int:
        """Return the published position: every entry before it is published."""
        document = await self._progress.find_one({"_id": "published"})
        return int(document["position"]) if document else 0

    async def raise_published(self, position: int, noted: Mapping[str, int] = MappingProxyType({})) -> None:
        """Raise the published position, and with it the fields that TopicNote names; none of them falls."""
        raised = {"position": position, **noted}
        await self._progress.update_one({"_id": "published"}, {"$max": raised}, upsert=True)

    async def rotations(self) -> list[bytes]:
        """Return the stored rotations of the log's key, the oldest first."""
        document = await self._progress.find_one({"_id": "rotations"})
        return [bytes(note) for note in document.get("notes", ())] if document else []

    async def add_rotation(self, note: bytes) -> None:
        """Store a rotation of the log's key, before the new key signs anything."""
        await self._progress.update_one({"_id": "rotations"}, {"$addToSet": {"notes": note}}, upsert=True)

    async def breaks(self) -> list[bytes]:
        """Return the declared breaks of the log, the oldest first."""
        document = await self._progress.find_one({"_id": "breaks"})
        return [bytes(note) for note in document["notes"]] if document else []

    async def declare_breaks(self, notes: Sequence[bytes]) -> None:
        """Store the declared breaks of a log that is restored, before its first entry."""
        await self._progress.update_one({"_id": "breaks"}, {"$set": {"notes": list(notes)}}, upsert=True)

    async def signing_key(self) -> str | None:
        """Return the public key that signs the log, once one has."""
        document = await self._progress.find_one({"_id": "rotations"}, {"key": 1})
        return document.get("key") if document else None

    async def note_signing_key(self, key: str) -> None:
        """Note the public key that signs the log from now on."""
        await self._progress.update_one({"_id": "rotations"}, {"$set": {"key": key}}, upsert=True)


def _batch(document: Mapping[str, Any]) -> Batch:
    return Batch(document["_id"], tuple(Entry(*entry) for entry in document["entries"]), document.get("token"))
