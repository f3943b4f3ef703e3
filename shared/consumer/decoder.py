"""The decoder of a reader's records, with trust in the keys of logs that follows their rotations."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from cachetools import LRUCache

from shared.consumer.decoding import decode_record
from shared.consumer.record import ConsumedEvent, KafkaRecord, Poison
from shared.consumer.topic_reader import read_topic
from shared.events.services import registered
from shared.runtime.kafka_access import KafkaAccess
from shared.tlog.notes import NotANote
from shared.tlog.trust import LogTrust, Rotation

CHECKPOINTS = "throughline.checkpoints"
FRESH_SECONDS = 60.0
LOOK_SECONDS = 1.0
KEYS_REMEMBERED = 10_000
RECORDS_PER_CHUNK = 2_000


@dataclass
class Rotations:
    """The rotations of some logs' keys, read from the topic of checkpoints, by their notes; `trust` follows them."""

    kafka: KafkaAccess
    services: Collection[str]
    trust: LogTrust
    published: dict[bytes, Rotation] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _read_at: float | None = None

    async def follow(self, *, now: bool = False) -> None:
        """Read the rotations since the last time, if that was a minute ago or `now`, and follow all of them."""
        if not now and self._read_at is not None and monotonic() - self._read_at < FRESH_SECONDS:
            return
        for service in self.services:
            await self._read(registered(service).checkpoint_partition)
        rotations = self.published.values()
        for rotation in (*rotations, *reversed(rotations)):  # a chain of keys is followed from either end
            self.trust.follow(rotation)
        self._read_at = monotonic()

    async def _read(self, partition: int) -> None:
        async for record in read_topic(self.kafka, CHECKPOINTS, partitions=(partition,), starts=self._next):
            self._next[partition] = record.offset + 1
            note = record.value or b""
            with suppress(NotANote):
                self.published[note] = Rotation.opened(note)


@dataclass
class RecordDecoder:
    """The decoder of records; a key that it does not know makes it look for a rotation, once for each key.

    A rotation is on its topic before its new key signs, so a second look for the same key would find nothing more. With
    many unknown keys, which only a hostile writer has, it looks once a second.
    """

    trust: LogTrust
    rotations: Rotations | None = None
    _sought: LRUCache[bytes, bool] = field(init=False, default_factory=lambda: LRUCache(KEYS_REMEMBERED))
    _sought_at: float = field(init=False, default=-LOOK_SECONDS)

    async def decode(self, records: Sequence[KafkaRecord]) -> list[ConsumedEvent | Poison]:
        """Decode records in order. Raises KafkaError where the rotations cannot be read."""
        await self.follow_rotations()
        decoded = [decode_record(record, self.trust) for record in records]
        unknown = {item.unknown_key for item in decoded if isinstance(item, Poison) and item.unknown_key}
        if unknown <= self._sought.keys():
            return decoded
        await asyncio.sleep(self._sought_at + LOOK_SECONDS - monotonic())
        await self.follow_rotations(now=True)
        self._sought_at = monotonic()
        self._sought.update(dict.fromkeys(unknown, True))
        return [decode_record(record, self.trust) for record in records]

    async def decode_all(self, records: AsyncIterable[KafkaRecord]) -> AsyncIterator[ConsumedEvent | Poison]:
        """Decode a stream of records, in chunks."""
        chunk: list[KafkaRecord] = []
        async for record in records:
            chunk.append(record)
            if len(chunk) == RECORDS_PER_CHUNK:
                for item in await self.decode(chunk):
                    yield item
                chunk.clear()
        for item in await self.decode(chunk):
            yield item

    async def follow_rotations(self, *, now: bool = False) -> None:
        """Follow the rotations of keys that were published meanwhile."""
        if self.rotations is not None:
            await self.rotations.follow(now=now)
