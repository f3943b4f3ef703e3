"""Compares the topics that a service consumes with its offsets.

An offset may belong to records that are no more. It may stand still while this process has all partitions that it was
assigned: a stranger in the consumer group has the others, or a flood is before the true records.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.errors import UnknownTopicOrPartitionError

from shared.consumer.offsets import OffsetStore
from shared.consumer.topic_metadata import topic_inspector
from shared.consumer.topic_reader import values_at
from shared.events.canonical import sha256_hex
from shared.runtime.kafka_access import KafkaAccess

LOOK_SECONDS = 30.0
LOOK_TIMEOUT_SECONDS = 20
PLACES_NAMED = 5


class TopicLost(Exception):
    """A topic was made again, or partitions of it end before what was consumed."""

    def __init__(self, partitions: Sequence[TopicPartition] = ()) -> None:
        self.partitions = partitions


class ConsumedTopics:
    """The topics of one service's consumer."""

    def __init__(self, kafka: KafkaAccess, topics: Sequence[str], offsets: OffsetStore) -> None:
        self._kafka, self._topics, self._offsets = kafka, tuple(topics), offsets
        self._looked = float("-inf")
        self._ends: dict[TopicPartition, int] = {}
        self.warning = ""
        """The partitions that are behind, in words, as of the last look; empty if none is."""

    async def adopt(self) -> None:
        """Set the offsets to 0 that belong to records that are no more. Raises KafkaError, PyMongoError."""
        self._ends = {}
        await self._offsets.adopt(await self._uuids())
        await self._offsets.begin_again(await self._partitions_with_other_records())

    async def look_if_due(self) -> None:
        """Look at the UUIDs, and for partitions that are behind, every half minute. Raises TopicLost, KafkaError."""
        if time.monotonic() - self._looked >= LOOK_SECONDS:
            if not self._offsets.are_of(await self._uuids()):
                raise TopicLost
            await self._find_behind()

    async def _find_behind(self) -> None:
        """Find the partitions of which no process of this service has consumed what the look before saw."""
        stored = await self._offsets.stored(self._ends)
        behind = {place: end - stored[place] for place, end in self._ends.items() if stored[place] < end}
        places = ", ".join(f"{place.topic}/{place.partition}" for place in sorted(behind)[:PLACES_NAMED])
        waiting = f"{sum(behind.values())} records wait for more than {LOOK_SECONDS:.0f} s, in {places}"
        self.warning = waiting if behind else ""
        async with asyncio.timeout(LOOK_TIMEOUT_SECONDS), topic_inspector(self._kafka) as inspector:
            self._ends = await inspector.ends(self._topics)

    async def _uuids(self) -> dict[str, str]:
        """Return the UUIDs of the topics. Raises UnknownTopicOrPartitionError where one does not exist."""
        async with asyncio.timeout(LOOK_TIMEOUT_SECONDS), topic_inspector(self._kafka) as inspector:
            uuids = await inspector.uuids(self._topics)
        if absent := sorted(set(self._topics) - uuids.keys()):
            raise UnknownTopicOrPartitionError(", ".join(absent))
        self._looked = time.monotonic()
        return uuids

    async def _partitions_with_other_records(self) -> list[TopicPartition]:
        """Return the partitions in which the record before the offset is not the one that was consumed."""
        consumed = await self._offsets.last_records(self._topics)
        if not consumed:
            return []
        async with asyncio.timeout(LOOK_TIMEOUT_SECONDS):
            values = await values_at(self._kafka, {place: offset for place, (offset, _) in consumed.items()})
        hashes = {place: value is not None and sha256_hex(value) for place, value in values.items()}
        return [place for place, (_, last) in consumed.items() if hashes[place] != last]
