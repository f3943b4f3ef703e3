"""How far a service has read each partition, kept beside what it made of it.

Kafka's committed offsets outlive a database that is restored from a backup; these are restored with it, so that what
the backup lacks is read again. What was read twice has no effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import UpdateOne, WriteConcern
from pymongo.errors import PyMongoError

log = structlog.get_logger()


class DatabaseRolledBack(Exception):
    """The database holds less than this process has put there: a backup was restored while it ran."""


class OffsetStore:
    """The offsets that a service has reached, in its own database.

    A process that finds less there than it has seen there must begin anew: what it would go on with rests on what the
    database no longer holds.
    """

    def __init__(self, database: AsyncIOMotorDatabase[Any]) -> None:
        self._progress = database.get_collection("progress", write_concern=WriteConcern(w="majority"))
        self._seen: dict[TopicPartition, int] = {}

    async def reached(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Note the offset that comes next in each partition; it never falls. Raises DatabaseWentBack."""
        writes = []
        for partition, offset in offsets.items():
            seen = self._seen.get(partition, 0)
            where = {"_id": _name(partition), "next": {"$gte": seen}}
            writes.append(UpdateOne(where, {"$max": {"next": offset}}, upsert=seen == 0))
        done = await self._progress.bulk_write(writes, ordered=False)
        if done.matched_count + done.upserted_count < len(writes):
            raise DatabaseRolledBack("offsets that were noted there are gone")
        self._saw(offsets)

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Return the offset that comes next in each partition; 0 where nothing was noted. Raises DatabaseWentBack."""
        by_name = {_name(partition): partition for partition in partitions}
        before = dict(self._seen)
        found: AsyncIterable[Mapping[str, Any]] = self._progress.find({"_id": {"$in": list(by_name)}})
        noted = {row["_id"]: row["next"] async for row in found}
        nexts = {partition: noted.get(name, 0) for name, partition in by_name.items()}
        if any(offset < before.get(partition, 0) for partition, offset in nexts.items()):
            raise DatabaseRolledBack("offsets that were noted there are gone")
        self._saw(nexts)
        return nexts

    async def check(self, partitions: Iterable[TopicPartition]) -> None:
        """Look whether the database still holds what it held, if it can be asked. Raises DatabaseWentBack."""
        try:
            await self.read(partitions)
        except PyMongoError as error:
            log.warning("offsets_not_read", error=type(error).__name__)

    def _saw(self, offsets: Mapping[TopicPartition, int]) -> None:
        for partition, offset in offsets.items():
            self._seen[partition] = max(offset, self._seen.get(partition, 0))


class StoredOffsetListener(ConsumerRebalanceListener):
    """Starts each partition that is assigned from the offset in the database, whatever Kafka has committed.

    Of a partition that was `heard` further than that, and not settled, it goes on where it was.
    """

    def __init__(
        self, offsets: OffsetStore, consumer: Callable[[], Any], heard: Callable[[], Mapping[TopicPartition, int]]
    ) -> None:
        self._offsets = offsets
        self._consumer = consumer
        self._heard = heard

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Leave them as they are: what was taken is noted."""

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Seek to what the database says comes next; wait for the database, since an error here would be ignored."""
        while True:
            try:
                nexts = await self._offsets.read(assigned)
                break
            except PyMongoError as error:
                log.warning("offsets_not_read", error=type(error).__name__)
                await asyncio.sleep(0.5)
            except DatabaseRolledBack:  # nothing can be noted any more, and who watches ends the process
                return
        heard = self._heard()
        for partition, offset in nexts.items():
            self._consumer().seek(partition, max(offset, heard.get(partition, 0)))


def _name(partition: TopicPartition) -> str:
    return f"{partition.topic}/{partition.partition}"
