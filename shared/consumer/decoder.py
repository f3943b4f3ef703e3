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
from shared.tlog.notes import NotANote, Verifier
from shared.tlog.trust import LogTrust, Rotation

CHECKPOINTS = "throughline.checkpoints"
FRESH_SECONDS = 60.0
LOOK_SECONDS = 1.0
KEYS_REMEMBERED = 10_000
RECORDS_PER_CHUNK = 2_000


@dataclass
class Rotations:
    """The rotations of some logs' keys, read from the topic of checkpoints, by their notes; `trust` follows them.

    One between keys that nobody trusts is kept unverified, by both: anybody may publish many.
    """

    kafka: KafkaAccess
    services: Collection[str]
    trust: LogTrust
    published: dict[bytes, Rotation] = field(default_factory=dict)
    _unverified: dict[Verifier, list[bytes]] = field(default_factory=dict)
    _next: dict[int, int] = field(default_factory=dict)
    _read_at: float | None = None

    async def follow(self, *, now: bool = False) -> None:
        """Read the rotations since the last time, if that was a minute ago or `now`, and follow all of them."""
        if not now and self._read_at is not None and monotonic() - self._read_at < FRESH_SECONDS:
            return
        for service in self.services:
            await self._read(registered(service).checkpoint_partition)
            await self._follow_chain([key.verifier for key in self.trust.keys(service)])
        self._read_at = monotonic()

    async def _read(self, partition: int) -> None:
        async for record in read_topic(self.kafka, CHECKPOINTS, partitions=(partition,), starts=self._next):
            self._next[partition] = record.offset + 1
            note = record.value or b""
            with suppress(NotANote):
                rotation = Rotation.parse(note)
                for key in {rotation.old, rotation.new}:
                    self._unverified.setdefault(key, []).append(note)

    async def _follow_chain(self, keys: list[Verifier]) -> None:
        """Follow the rotations of these keys, in the order of their publication, and those of the keys they lead to."""
        for key in keys:
            for note in self._unverified.pop(key, ()):
                await asyncio.sleep(0)
                with suppress(NotANote):
                    rotation = self.published[note] = self.published.get(note) or Rotation.opened(note)
                    self.trust.follow(rotation)
                    both = (rotation.old, rotation.new)
                    keys += [each for each in both if self.trust.trusts(each) and each not in keys]

    def is_published(self, note: bytes) -> bool:
        """Tell whether a rotation is on the topic, as far as it was read. Raises NotANote."""
        return note in self.published or note in self._unverified.get(Rotation.parse(note).old, ())


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
