"""Committed offsets of a service by partition, stored beside its read models.

Kafka's committed offsets outlive a database that is restored from a backup. These are restored with it, so the service
consumes again what the backup lacks. Consuming a record twice has no effect.

`{_id: topic/partition, next, topic: uuid, last}`: an offset means nothing in a topic that was deleted and made again,
which has another UUID, nor in a partition that lost its records and was filled again: there the record before the
offset is not the one with the hash `last`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import PyMongoError

from shared.store.indexes import Indexes

log = structlog.get_logger()

INDEXES: Indexes = {"progress": []}


class DatabaseRolledBack(Exception):
    """The database holds lower offsets than this process committed: a backup was restored while it ran."""


class OffsetStore:
    """The committed offsets of one service, in its own database.

    A stored offset that is lower than one this process has seen means that the database was restored: the process must
    end, because its in-memory state is stale.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._progress = database.get_collection("progress", write_concern=WriteConcern(w="majority"))
        self._seen: dict[TopicPartition, int] = {}
        self._uuids: dict[str, str] = {}

    async def adopt(self, uuids: Mapping[str, str]) -> None:
        """Take the UUIDs of the topics as they are now; begin again in each that is not the one of its offsets."""
        for topic, uuid in uuids.items():
            offsets = {"_id": {"$regex": f"^{re.escape(topic)}/"}}
            await self._progress.update_many({**offsets, "topic": {"$exists": False}}, {"$set": {"topic": uuid}})
            begun = {"$set": {"topic": uuid, "next": 0}}
            result = await self._progress.update_many({**offsets, "topic": {"$ne": uuid}}, begun)
            if result.modified_count:
                log.warning("topic_made_again", topic=topic, uuid=uuid)
            if self._uuids.get(topic, uuid) != uuid:
                self._seen = {place: offset for place, offset in self._seen.items() if place.topic != topic}
        self._uuids.update(uuids)

    def are_of(self, uuids: Mapping[str, str]) -> bool:
        """Tell whether the offsets are those of the topics with these UUIDs."""
        return all(self._uuids.get(topic) == uuid for topic, uuid in uuids.items())

    def reached(self) -> dict[TopicPartition, int]:
        """Return the next offset of each partition, as this process knows it."""
        return dict(self._seen)

    def past(self, ends: Mapping[TopicPartition, int], reached: Mapping[TopicPartition, int]) -> list[TopicPartition]:
        """Return the partitions whose offset was past their end: Kafka lost records that were consumed."""
        return [partition for partition, end in ends.items() if end < reached.get(partition, 0)]

    async def begin_again(self, partitions: Iterable[TopicPartition]) -> None:
        """Set the offsets of partitions to 0."""
        for partition in partitions:
            await self._progress.update_one({"_id": _key(partition)}, {"$set": {"next": 0}})
            self._seen.pop(partition, None)
            log.warning("partition_lost_records", partition=_key(partition))

    async def last_records(self, topics: Iterable[str]) -> dict[TopicPartition, tuple[int, str]]:
        """Return offset and hash of the last record consumed from each partition of these topics."""
        query = {"topic": {"$in": [self._uuids[topic] for topic in topics]}, "last": {"$exists": True}}
        rows: AsyncIterable[Mapping[str, Any]] = self._progress.find({**query, "next": {"$gt": 0}})
        return {_partition(row["_id"]): (row["next"] - 1, row["last"]) async for row in rows}

    async def commit(
        self, next_offsets: Mapping[TopicPartition, int], last: Mapping[TopicPartition, str] = MappingProxyType({})
    ) -> None:
        """Store the next offset of each partition, with its last record's hash; it never falls.

        Raises DatabaseRolledBack.
        """
        writes = []
        for partition, offset in next_offsets.items():
            seen = self._seen.get(partition, 0)
            where: dict[str, Any] = {"_id": _key(partition), "next": {"$gte": seen}}
            if partition.topic in self._uuids:
                where["topic"] = self._uuids[partition.topic]
            raised: dict[str, Any] = {"next": {"$max": ["$next", offset]}}
            if partition in last:
                raised["last"] = {"$cond": [{"$gt": [offset, "$next"]}, last[partition], "$last"]}
            writes.append(UpdateOne(where, [{"$set": raised}], upsert=seen == 0))
        result = await self._progress.bulk_write(writes, ordered=False)
        if result.matched_count + result.upserted_count < len(writes):
            raise DatabaseRolledBack("committed offsets are gone from the database")
        self._remember(next_offsets)

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset of each partition; 0 where none is committed. Raises DatabaseRolledBack."""
        seen = dict(self._seen)
        next_offsets = await self.stored(partitions)
        if any(offset < seen.get(partition, 0) for partition, offset in next_offsets.items()):
            raise DatabaseRolledBack("committed offsets are gone from the database")
        self._remember(next_offsets)
        return next_offsets

    async def stored(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the next offset of each partition, as any process of this service stored it; 0 where there is none."""
        by_key = {_key(partition): partition for partition in partitions}
        rows: AsyncIterable[Mapping[str, Any]] = self._progress.find({"_id": {"$in": list(by_key)}})
        stored = {row["_id"]: row["next"] async for row in rows}
        return {partition: stored.get(key, 0) for key, partition in by_key.items()}

    async def check(self, partitions: Iterable[TopicPartition]) -> None:
        """Check that the database was not rolled back, if it answers. Raises DatabaseRolledBack."""
        try:
            await self.read(partitions)
        except PyMongoError as error:
            log.warning("offsets_not_read", error=type(error).__name__)

    def _remember(self, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            self._seen[partition] = max(offset, self._seen.get(partition, 0))


class StoredOffsetListener(ConsumerRebalanceListener):
    """Rebalance listener that seeks each assigned partition to its stored offset, instead of Kafka's committed one.

    `consumed` returns the next offset of each partition that this process has consumed and not committed: it continues
    there. A new owner of a partition starts at the stored offset.
    """

    def __init__(
        self, offsets: OffsetStore, consumer: Callable[[], Any], consumed: Callable[[], Mapping[TopicPartition, int]]
    ) -> None:
        self._offsets = offsets
        self._consumer = consumer
        self._consumed = consumed

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Do nothing: offsets are committed with their effects."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Seek to the stored offsets; wait for the database, since aiokafka ignores an error raised here."""
        while True:
            try:
                next_offsets = await self._offsets.read(assigned)
                break
            except PyMongoError as error:
                log.warning("offsets_not_read", error=type(error).__name__)
                await asyncio.sleep(0.5)
            except DatabaseRolledBack:  # no commit succeeds any more, and the subscriber's watch ends the process
                return
        consumed = self._consumed()
        for partition, offset in next_offsets.items():
            self._consumer().seek(partition, max(offset, consumed.get(partition, 0)))


def _partition(key: str) -> TopicPartition:
    topic, _, number = key.rpartition("/")
    return TopicPartition(topic, int(number))


def _key(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
